"""Measured answers of memristive devices to pulses or to a sweep, from CSV files."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spicesnn.devices import Device, Ode
from spicesnn.errors import DataError
from spicesnn.fit.pulse_filter import Staircase

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
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
        notes: what was guessed in reading.
    """

    staircases: dict[str, Staircase]
    relative: bool
    set_pulse: tuple[float, float] | None
    reset_pulse: tuple[float, float] | None
    source: str
    digest: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sweep:
    """Voltage and current over time of one device; volts, amperes, seconds, shape (points,)."""

    time: Array
    voltage: Array
    current: Array
    source: str = ""
    digest: str = ""


def read_device_data(
    path: Path, columns: Columns | None = None, base: Device | None = None
) -> PulseData | Sweep:
    """Read pulses or a sweep from a CSV file with a line of names.

    Pulses: `conductance` after each pulse; `pulse`, its number, begins a new run where it falls;
    `device` and `width` may be there. Of each pulse its `direction` (set or reset, up or down, 1 or
    -1), else its signed `voltage`: SET is what is nearer to the base's SET pulse, or positive if
    the base has none. With neither, each run has the direction in which its conductance goes, and a
    note says so. A sweep: `time`, `voltage` and `current`.

    Args:
        path: the file.
        columns: names and units, where they are not the usual ones.
        base: what will be fitted; its pulses tell which voltage sets.

    Raises:
        DataError: the file cannot be read or is too large, a column is missing, a cell is no
            number, the values are none that such a device can have, or the conductance goes
            against its directions.
    """
    columns = columns or Columns()
    text = _text(path)
    table = _table(text, path, columns)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    if "conductance" in table:
        return _pulses(table, path, columns, digest, base)
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
    try:
        rows = list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))
    except csv.Error as error:
        raise DataError(f"{path} is no CSV file of measured values: {error}.") from None
    head = [name.strip() for name in rows[0]] if rows else []
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
    for row in rows[1:]:
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


def _pulses(
    table: Mapping[str, list[str]], path: Path, columns: Columns, digest: str, base: Device | None
) -> PulseData:
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
    owners = np.array(table.get("device", [""] * conductance.size))
    firsts = _firsts(owners, number)
    up, notes = _directions(table, path, voltage, base), tuple[str, ...]()
    if up is None:
        up, notes = _guessed(path, conductance, owners, firsts)
    _check_directions(path, conductance, up, firsts, owners)
    staircases = {
        str(owner): Staircase(*(x[owners == owner] for x in (conductance, up, firsts)))
        for owner in dict.fromkeys(owners)
    }
    pulses = [_one_pulse(path, voltage, width, up == way) for way in (True, False)]
    return PulseData(staircases, columns.relative, pulses[0], pulses[1], str(path), digest, notes)


def _firsts(owners: npt.NDArray[np.str_], number: Array | None) -> Flags:
    """Where a device's run begins: at its first row, and where the pulses' numbers fall."""
    first = np.zeros(owners.size, dtype=bool)
    for owner in dict.fromkeys(owners):
        own = np.flatnonzero(owners == owner)
        first[own[0]] = True
        if number is not None:
            first[own[1:]] |= np.diff(number[own]) <= 0
    return first


def _directions(
    table: Mapping[str, list[str]], path: Path, voltage: Array | None, base: Device | None
) -> Flags | None:
    """Which pulses are SET, by the file; None where it does not say."""
    if "direction" in table:
        for k, word in enumerate(table["direction"]):
            if word.lower() not in _WORDS:
                raise DataError(
                    f"{path}, value {k + 1} of column direction is {word!r}: write set or reset."
                )
        return np.array([_WORDS[word.lower()] for word in table["direction"]])
    if voltage is None:
        return None
    if (voltage == 0).any():
        raise DataError(
            f"{path}, value {int(np.argmax(voltage == 0)) + 1}: a pulse of 0 V is neither SET "
            "nor RESET; remove the row."
        )
    if base is None or isinstance(base, Ode) or base.set_pulse is None:
        return np.asarray(voltage > 0)
    set_ = base.set_pulse.voltage
    reset = -set_ if base.reset_pulse is None else base.reset_pulse.voltage
    if set_ * reset < 0:
        return np.asarray(np.sign(voltage) == np.sign(set_))
    if abs(set_) == abs(reset):
        return np.asarray(voltage > 0)  # a table of amplitudes without signs
    # Both of one sign, as of phase change: the nearer amplitude, by their ratio.
    ratio = np.log(np.abs(voltage))
    near = np.abs(ratio - np.log(abs(set_))) < np.abs(ratio - np.log(abs(reset)))
    return np.asarray(near & (np.sign(voltage) == np.sign(set_)))


def _guessed(
    path: Path, conductance: Array, owners: npt.NDArray[np.str_], firsts: Flags
) -> tuple[Flags, tuple[str, ...]]:
    """Each run in the direction in which its conductance goes."""
    up = np.zeros(conductance.size, dtype=bool)
    ways = {True: 0, False: 0}
    for run in _runs(owners, firsts):
        seen = conductance[run]
        change = float(seen[-1] - seen[0])
        # What goes out and comes back holds pulses of both directions.
        ends = seen[[0, -1]]
        if max(seen.max() - ends.max(), ends.min() - seen.min()) > 0.5 * np.ptp(seen):
            raise DataError(
                f"{path}, value {int(run[0]) + 1} on: the conductance goes out and comes back in "
                "one run, and no column says which pulses are SET: add a column direction (set or "
                "reset) or the signed voltage, or let pulse, the pulses' number, begin again where "
                "the direction turns."
            )
        up[run] = change >= 0
        ways[change >= 0] += 1
    note = (
        f"no column direction or voltage: the direction of {ways[True]} run(s) was guessed as SET "
        f"and of {ways[False]} as RESET, by where the conductance goes."
    )
    return up, (note,)


def _check_directions(
    path: Path, conductance: Array, up: Flags, firsts: Flags, owners: npt.NDArray[np.str_]
) -> None:
    """Refuse what goes against its directions by half of a device's range or more."""
    for owner in dict.fromkeys(owners):
        own = owners == owner
        seen, steps = conductance[own], np.diff(conductance[own])
        along = np.where(up[own], 1.0, -1.0)[1:] * steps
        if along[~firsts[own][1:]].sum() < -0.5 * np.ptp(seen):
            raise DataError(
                f"{path}: SET pulses lower the conductance, or RESET pulses raise it"
                + (f" (device {owner})" if owner else "")
                + ". Add a column direction (set or reset); where the sign of the voltage said it, "
                "the base's pulses have the other sign."
            )


def _runs(owners: npt.NDArray[np.str_], firsts: Flags) -> list[npt.NDArray[np.int_]]:
    """Rows of each run of each device."""
    found = []
    for owner in dict.fromkeys(owners):
        own = np.flatnonzero(owners == owner)
        found += np.split(own, np.flatnonzero(firsts[own])[1:])
    return found


def _one_pulse(
    path: Path, voltage: Array | None, width: Array | None, chosen: Flags
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
