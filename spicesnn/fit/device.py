"""Presets of devices fitted to measured pulses or sweeps, and their files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spicesnn.devices import DEVICES, Device, find_device
from spicesnn.devices.neurosim import NeuroSimCurve
from spicesnn.devices.ode import Ode
from spicesnn.errors import DataError, ParameterError, UnknownNameError
from spicesnn.fit.device_data import PulseData, Sweep
from spicesnn.fit.device_pulses import fit_pulses
from spicesnn.fit.device_result import DeviceFit
from spicesnn.fit.device_sweep import fit_sweep

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
        ParameterError: its numbers are out of bounds.
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
    return LoadedDevice(KINDS[kind](**preset), valid)


def fit_device(
    base: Device,
    data: PulseData | Sweep,
    *,
    free: Sequence[str] = (),
    name: str = "",
    levels: int | None = None,
    starts: int = 1,
    seed: int = 0,
) -> DeviceFit:
    """Fit a preset to data of its kind.

    Pulses give `g_min`, `g_max`, both nonlinearities, the spread of cycles and of reads of a
    NeuroSim curve, and with several devices their spread. A sweep gives chosen numbers of a device
    of equations, in the mean square of `asinh(I / I_s)`.

    Args:
        base: what to begin with.
        data: pulses for a `NeuroSimCurve`, a sweep for an `Ode`.
        free: names of an `Ode`'s numbers to fit; by default those that the data determine best.
        name: of the fitted preset, by default the base's with `Fit`.
        levels: pulses from end to end, by default the longest staircase of the data.
        starts: of a sweep's fit: beyond the first, from drawn numbers around the base's.
        seed: draws them.

    Raises:
        DataError: the data are not what such a device is fitted to, or too few.
        UnknownNameError: a parameter does not exist.
        ParameterError: the fitted numbers are out of bounds.
    """
    if isinstance(base, Ode):
        if isinstance(data, PulseData):
            raise DataError(
                f"{base.name} is a device of equations: give a sweep of time, voltage and current, "
                f"not pulses ({data.source})."
            )
        if levels is not None:
            raise ParameterError("levels are of devices that answer to pulses; leave them out.")
        return fit_sweep(base, data, free=free, name=name, starts=starts, seed=seed)
    if isinstance(data, Sweep):
        raise DataError(
            f"{base.name} answers to pulses: give conductances after pulses, not a sweep "
            f"({data.source})."
        )
    if not isinstance(base, NeuroSimCurve):
        kinds = ", ".join(n for n, d in DEVICES.items() if isinstance(d, NeuroSimCurve))
        raise DataError(
            f"{base.name} ({base.kind}) is not fitted: pulses give the parameters of a NeuroSim "
            f"curve; begin with one of {kinds}."
        )
    if free or starts != 1:
        raise ParameterError(
            "what pulses give is fitted as a whole, from one start; leave --free and --starts out."
        )
    return fit_pulses(base, data, name=name, levels=levels)
