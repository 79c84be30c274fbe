"""Presets by name, or from the files that fits write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spicesnn.devices import DEVICES, Device, find_device
from spicesnn.errors import DataError, UnknownNameError
from spicesnn.fit.device_result import check_identifier

KINDS: dict[str, type[Device]] = {each.kind: type(each) for each in DEVICES.values()}


@dataclass(frozen=True)
class LoadedDevice:
    """A preset and, where it was fitted, the ranges that it holds for."""

    device: Device
    valid: Mapping[str, tuple[float, float]]


def load_device(name: str) -> LoadedDevice:
    """A preset by its name, or from the file of a fit.

    Args:
        name: of a preset, or path of a `.json` file.

    Raises:
        UnknownNameError: there is no such preset, or the file's kind is none.
        DataError: the file is no preset.
        ParameterError: its name or its numbers cannot be a preset's.
    """
    if not name.endswith(".json"):
        return LoadedDevice(find_device(name), {})
    path = Path(name)
    try:
        text = json.loads(path.read_text(encoding="utf-8"))
        kind, preset = text["kind"], text["preset"]
        valid = {key: (float(ends[0]), float(ends[1])) for key, ends in text["valid"].items()}
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise DataError(
            f"{path} is no preset of a device: `spicesnn fit device` writes such files, with kind, "
            "preset and valid."
        ) from None
    if kind not in KINDS:
        raise UnknownNameError("kind of device", str(kind), KINDS)
    if not isinstance(preset, dict):
        raise DataError(f"{path}: its preset is no list of parameters by name.")
    check_identifier(str(preset.get("name", "")))
    return LoadedDevice(KINDS[kind](**preset), valid)
