"""Measured answers of memristive devices to pulses or to a sweep, from CSV files."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError
from spicesnn.fit.pulse_filter import Staircase

Array = npt.NDArray[np.float64]
COLUMNS = (
    "device", "pulse", "direction", "voltage", "width", "conductance", "time", "current",
)  # fmt: skip
UNITS = {"voltage": "V", "width": "s", "conductance": "S", "time": "s", "current": "A"}
RELATIVE = "relative"
LARGEST_FILE = 20_000_000
LARGEST_SWEEP, LARGEST_STAIRCASE = 20_000, 100_000
_WORDS = {"set": True, "up": True, "+1": True, "1": True,
          "reset": False, "down": False, "-1": False}  # fmt: skip


@dataclass(frozen=True)
class Columns:
    """How a file's columns are called and in which unit they are.

    Attributes:
        names: ours (`COLUMNS`) to the file's.
        scales: ours to the factor that makes them SI.
        relative: whether conductances are in a unit of their own, with any zero.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    scales: Mapping[str, float] = field(default_factory=dict)
    relative: bool = False


@dataclass(frozen=True)
class PulseData:
    """Staircases of one or several devices.

    Attributes:
        staircases: by the device's name.
        relative: whether conductances are in a unit of their own; else siemens.
        set_pulse, reset_pulse: volts and seconds, where the file has them.
        source: file.
        digest: hash of the file.
    """

    staircases: dict[str, Staircase]
    relative: bool
    set_pulse: tuple[float, float] | None
    reset_pulse: tuple[float, float] | None
    source: str
    digest: str


@dataclass(frozen=True)
class Sweep:
    """Voltage and current over time of one device; volts, amperes, seconds, shape (points,)."""

    time: Array
    voltage: Array
    current: Array
    source: str = ""
    digest: str = ""


def read_device_data(path: Path, columns: Columns | None = None) -> PulseData | Sweep:
    """Read pulses or a sweep from a CSV file with a line of names.

    Pulses: `conductance` after each pulse, and of the pulse its `direction` (set or reset, 1 or
    -1) or its signed `voltage` (positive is SET), else all have the direction in which the
    conductance goes; `pulse`, its number, begins a new run where it falls; `width` and `device`
    may be there. A sweep: `time`, `voltage` and `current`.

    Args:
        path: the file.
        columns: names and units, where they are not the usual ones.

    Raises:
        DataError: the file cannot be read or is too large, a column is missing, a cell is no
            number, or the values are none that such a device can have.
    """
    columns = columns or Columns()
    text = _text(path)
    table = _table(text, path, columns)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    if "conductance" in table:
        return _pulses(table, path, columns, digest)
    lacking = [name for name in ("time", "voltage", "current") if name not in table]
    if lacking:
        head = next(csv.reader(text.splitlines()), [])
        raise DataError(
            f"{path} has neither a column conductance (pulses) nor the columns time, voltage and "
            f"current (a sweep; without {', '.join(lacking)} there is none). It has "
            f"{', '.join(name.strip() for name in head) or 'none'}; map them by --column "
            f"{lacking[0]}=NAME."
        )
    return _sweep(table, path, columns, digest)


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise DataError(
                f"{path} has {size / 1e6:.0f} MB; {LARGEST_FILE // 1_000_000} MB are read: take "
                "one device, or every n-th row."
            )
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None


def _table(text: str, path: Path, columns: Columns) -> dict[str, list[str]]:
    """Our columns that the file has, as text, with the rows' numbers under an empty name."""
    rows = csv.reader(line for line in text.splitlines() if not line.startswith("#"))
    head = [name.strip() for name in next(rows, [])]
    places = {}
    for name in COLUMNS:
        theirs = columns.names.get(name, name)
        if theirs in head:
            places[name] = head.index(theirs)
        elif name in columns.names:
            raise DataError(
                f"{path} has no column {theirs!r} ({name}); it has {', '.join(head) or 'none'}."
            )
    found: dict[str, list[str]] = {name: [] for name in places}
    for row in rows:
        if any(cell.strip() for cell in row):
            for name, place in places.items():
                found[name].append(row[place].strip() if place < len(row) else "")
    return found


def _numbers(table: Mapping[str, list[str]], name: str, path: Path, columns: Columns) -> Array:
    values = np.empty(len(table[name]))
    for k, cell in enumerate(table[name]):
        try:
            values[k] = float(cell)
        except ValueError:
            reason = "is empty" if not cell else f"holds {cell!r}"
            raise DataError(
                f"{path}, value {k + 1} of column {columns.names.get(name, name)} {reason}, which "
                "is no number; mend or remove the row. Units belong into --unit."
            ) from None
        if not np.isfinite(values[k]):
            raise DataError(
                f"{path}, value {k + 1} of column {columns.names.get(name, name)} is {cell}; "
                "remove the row."
            )
    return values * columns.scales.get(name, 1.0)


def _pulses(table: Mapping[str, list[str]], path: Path, columns: Columns, digest: str) -> PulseData:
    conductance = _numbers(table, "conductance", path, columns)
    if conductance.size < 2:
        raise DataError(
            f"{path} holds {conductance.size} conductances: a staircase needs two or more."
        )
    if conductance.size > LARGEST_STAIRCASE:
        raise DataError(
            f"{path} holds {conductance.size} pulses; {LARGEST_STAIRCASE} are fitted: take fewer "
            "devices or cycles."
        )
    if not columns.relative:
        if (conductance <= 0).any():
            k = int(np.argmax(conductance <= 0))
            raise DataError(
                f"{path}, value {k + 1}: a conductance of {conductance[k]:g} S, and no device has "
                "one. Remove the row; if these are normalised, say so by --unit "
                f"conductance={RELATIVE}."
            )
        if conductance.max() > 10:
            raise DataError(
                f"{path}: conductances reach {conductance.max():g} S; if they are in microsiemens, "
                "say so by --unit conductance=uS."
            )
    voltage = _numbers(table, "voltage", path, columns) if "voltage" in table else None
    width = _numbers(table, "width", path, columns) if "width" in table else None
    number = _numbers(table, "pulse", path, columns) if "pulse" in table else None
    up = _directions(table, path, voltage, conductance)
    owners = np.array(table.get("device", [""] * conductance.size))
    staircases = {}
    for owner in dict.fromkeys(owners):
        own = owners == owner
        first = np.zeros(int(own.sum()), dtype=bool)
        first[0] = True
        if number is not None:
            first[1:] |= np.diff(number[own]) <= 0
        staircases[str(owner)] = Staircase(conductance[own], up[own], first)
    pulses = [_one_pulse(path, voltage, width, up == way) for way in (True, False)]
    return PulseData(staircases, columns.relative, pulses[0], pulses[1], str(path), digest)


def _directions(
    table: Mapping[str, list[str]], path: Path, voltage: Array | None, conductance: Array
) -> npt.NDArray[np.bool_]:
    if "direction" in table:
        for k, word in enumerate(table["direction"]):
            if word.lower() not in _WORDS:
                raise DataError(
                    f"{path}, value {k + 1} of column direction is {word!r}: write set or reset."
                )
        return np.array([_WORDS[word.lower()] for word in table["direction"]])
    if voltage is not None:
        if (voltage == 0).any():
            raise DataError(
                f"{path}, value {int(np.argmax(voltage == 0)) + 1}: a pulse of 0 V is neither SET "
                "nor RESET; remove the row."
            )
        return np.asarray(voltage > 0)
    quarter = max(conductance.size // 4, 1)
    rises = conductance[-quarter:].mean() >= conductance[:quarter].mean()
    return np.full(conductance.size, rises)


def _one_pulse(
    path: Path, voltage: Array | None, width: Array | None, chosen: npt.NDArray[np.bool_]
) -> tuple[float, float] | None:
    """The pulse that all chosen rows have."""
    if not chosen.any():
        return None
    for values, name, unit in ((voltage, "voltage", "V"), (width, "width", "s")):
        if values is None:
            continue
        low, high = float(values[chosen].min()), float(values[chosen].max())
        if abs(high - low) > 0.01 * max(abs(low), abs(high)):
            raise DataError(
                f"{path}: pulses of one direction have a {name} of {low:g} to {high:g} {unit}; one "
                "curve holds for one pulse: give a file for each."
            )
        if name == "voltage" and abs(high) > 100:
            raise DataError(
                f"{path}: pulses of {high:g} V; if they are millivolts, say so by --unit "
                "voltage=mV."
            )
    if voltage is None or width is None or width[chosen][0] <= 0:
        return None
    return float(voltage[chosen][0]), float(width[chosen][0])


def _sweep(table: Mapping[str, list[str]], path: Path, columns: Columns, digest: str) -> Sweep:
    if len(set(table.get("device", []))) > 1:
        names = ", ".join(dict.fromkeys(table["device"]))
        raise DataError(f"{path} holds sweeps of several devices ({names}): give a file for each.")
    time, voltage, current = (
        _numbers(table, name, path, columns) for name in ("time", "voltage", "current")
    )
    if time.size < 3:
        raise DataError(f"{path} holds {time.size} points: a sweep needs three or more.")
    if time.size > LARGEST_SWEEP:
        raise DataError(
            f"{path} holds {time.size} points; {LARGEST_SWEEP} are fitted: take every "
            f"{-(-time.size // LARGEST_SWEEP)}th row."
        )
    if (np.diff(time) <= 0).any():
        k = int(np.argmax(np.diff(time) <= 0))
        raise DataError(
            f"{path}, value {k + 2} of column time: {time[k + 1]:g} s is not after {time[k]:g} s; "
            "times must rise."
        )
    if np.abs(voltage).max() > 100:
        raise DataError(
            f"{path}: the voltage reaches {np.abs(voltage).max():g} V; if it is in millivolts, say "
            "so by --unit voltage=mV."
        )
    if np.abs(current).max() > 10:
        raise DataError(
            f"{path}: the current reaches {np.abs(current).max():g} A; if it is in microamperes, "
            "say so by --unit current=uA."
        )
    if np.ptp(voltage) == 0 or not np.any(current):
        raise DataError(f"{path}: the voltage never changes or no current flows: nothing to fit.")
    return Sweep(time, voltage, current, str(path), digest)
