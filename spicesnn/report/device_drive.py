"""What to drive a device with so that it shows what it does, found from its own equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from spicesnn.devices.numeric import functions
from spicesnn.devices.ode import Ode
from spicesnn.devices.trajectories import Start, trajectories
from spicesnn.errors import SimulationError

Array = npt.NDArray[np.float64]
# From 2 % to 90 % of the range, as a state that begins on its bound may be stuck there (ours).
BEGIN, END = 0.02, 0.9
_TIMES = np.concatenate([[0.0], np.geomspace(1e-11, 10.0, 241)])
_DECADES = 10.0 ** np.arange(-8, 1)


@dataclass(frozen=True)
class Pulses:
    """Chosen pulses: volts of SET and of RESET (0 for none), and their width in seconds."""

    v_set: float
    v_reset: float
    width: float


@dataclass(frozen=True)
class Drive:
    """Voltages and times with which a device goes through its range.

    Attributes:
        time: seconds of constant voltage from 2 % to 90 % of the range.
        v_set: volts that take it on in this time.
        v_reset: volts that take it off in this time; None if no voltage of either sign does.
        relaxes: seconds in which it goes off by itself at 0 V; None if it stays.
        v_read: volts at which its conductance is told.
        on_is_high: whether the state that conducts is the upper bound of the state.
        state: index of the state that moves the current most.
    """

    time: float
    v_set: float
    v_reset: float | None
    relaxes: float | None
    v_read: float
    on_is_high: bool
    state: int

    @property
    def loop(self) -> float:
        """Amplitude of a sine that opens the loop, volts."""
        return max(abs(self.v_set), abs(self.v_reset or 0.0))

    def with_amplitude(self, volts: float | None) -> Drive:
        """The same with pulses of so many volts."""
        if not volts:
            return self
        reset = self.v_reset and float(np.copysign(volts, self.v_reset))
        return replace(self, v_set=float(np.copysign(volts, self.v_set)), v_reset=reset)

    def with_pulses(self, pulses: Pulses) -> Drive:
        """The same with chosen pulses."""
        return replace(
            self, time=10 * pulses.width, v_set=pulses.v_set,
            v_reset=pulses.v_reset or None,
        )  # fmt: skip


def conductance(device: Ode, states: Array, volts: float) -> Array:
    """Current over voltage at a read of `volts`, siemens, for states of shape (states, ...)."""
    current = functions(type(device)).current(
        np.full(states.shape[1:], volts), states, device.numbers
    )
    return np.asarray(current / volts)


def scale_of_voltages(device: Ode) -> float:
    """Largest of the device's numbers in volts; 1 V where it has none."""
    found = [abs(x) for n, x in device.numbers.items() if x and _unit(device, n) == "V"]
    return max(found, default=1.0)


def _unit(device: Ode, name: str) -> str:
    extra = type(device).model_fields[name].json_schema_extra
    return str(extra["unit"]) if isinstance(extra, dict) else ""


def bounded(device: Ode, volts: float) -> float:
    """A magnitude of voltage, no larger than the preset's numbers are good for."""
    return volts if device.v_max is None else min(volts, device.v_max)


def find_drive(device: Ode) -> Drive:
    """Search voltages and a time that suit each other.

    The time is the decade whose SET voltage is nearest to twice the device's largest number in
    volts (a threshold, where it has one).

    Raises:
        SimulationError: no voltage up to 40 times that number, or to the preset's `v_max`, takes
            the device on within a second.
    """
    reference = scale_of_voltages(device)
    v_read = 0.05 * reference
    state, on_is_high = _conducting(device, v_read)
    ladder = np.geomspace(0.1 * reference, bounded(device, 40 * reference), 90)
    signed = np.concatenate([ladder, -ladder])
    ends = (BEGIN, 1 - BEGIN) if on_is_high else (1 - BEGIN, BEGIN)
    found = switching_times(device, state, signed, np.array([ends[0]]), up=on_is_high)[:, 0]
    halves = found[: ladder.size], found[ladder.size :]
    speeds = [float(np.nansum(1 / np.maximum(each, _TIMES[1]))) for each in halves]
    sign = 1.0 if speeds[0] >= speeds[1] else -1.0
    times = halves[0] if sign > 0 else halves[1]
    pairs = [(t, v) for t in _DECADES if (v := _voltage(ladder, times, t)) is not None]
    if not pairs:
        raise SimulationError(
            f"{device.name}: no voltage up to {ladder[-1]:.3g} V takes its state from "
            f"{BEGIN:.0%} to {END:.0%} of its range within {_DECADES[-1]:g} s: "
            "there is nothing to draw."
        )
    off = switching_times(
        device, state, np.concatenate([signed, [0.0]]), np.array([ends[1]]), up=not on_is_high
    )[:, 0]  # fmt: skip
    relaxes = float(off[-1]) if np.isfinite(off[-1]) else None
    backward = off[ladder.size : -1] if sign > 0 else off[: ladder.size]
    if relaxes is None:
        # A time that suits both directions, where there is one.
        pairs = [p for p in pairs if _voltage(ladder, backward, p[0]) is not None] or pairs
    time, v_set = min(pairs, key=lambda pair: abs(np.log(pair[1] / (2 * reference))))
    v_reset = None if relaxes is not None else _voltage(ladder, backward, time)
    return Drive(
        float(time), sign * v_set, -sign * v_reset if v_reset else None, relaxes, sign * v_read,
        on_is_high, state,
    )  # fmt: skip


def off_states(device: Ode, drive: Drive) -> tuple[Array, str]:
    """Where pulses begin, shape (states, 1), and in words: the preset's start, where that is off.

    Off is the half of the range that does not conduct; a start in the other one would show no SET.
    """
    states = np.array([[device.numbers[s.start]] for s in device.states])
    moving = device.states[drive.state]
    low, high = device.bounds(moving)
    share = (states[drive.state, 0] - low) / (high - low)
    if (share if drive.on_is_high else 1 - share) <= 0.5:
        return states, f"the preset's start ({moving.start} = {states[drive.state, 0]:.3g})"
    begin = BEGIN if drive.on_is_high else 1 - BEGIN
    states[drive.state] = low + begin * (high - low)
    return states, f"{begin:.0%} of the range of {moving.name} (the preset starts on)"


def _conducting(device: Ode, v_read: float) -> tuple[int, bool]:
    """The state that moves the conductance most, and whether its upper bound conducts."""
    best = (0.0, 0, True)
    start = np.array([[device.numbers[s.start]] for s in device.states])
    for k, each in enumerate(device.states):
        states = np.repeat(start, 2, axis=1)
        states[k] = device.bounds(each)
        low, high = np.abs(conductance(device, states, v_read)) + 1e-30
        swing = float(abs(np.log(high / low)))
        if swing > best[0]:
            best = (swing, k, bool(high > low))
    return best[1], best[2]


def _voltage(ladder: Array, times: Array, wanted: float) -> float | None:
    """Lowest voltage at which switching takes `wanted`, by a line in the logarithms."""
    fast = np.flatnonzero(times <= wanted)
    if not fast.size:
        return None
    k = int(fast[0])
    if k == 0 or not np.isfinite(times[k - 1]) or times[k] == 0:
        return float(ladder[k])
    x = np.log(times[[k - 1, k]])
    share = (x[0] - np.log(wanted)) / (x[0] - x[1])
    return float(ladder[k - 1] * (ladder[k] / ladder[k - 1]) ** share)


def switching_times(device: Ode, state: int, volts: Array, begin: Array, *, up: bool) -> Array:
    """Seconds of constant voltage from a start to 90 % of the range, in its direction.

    Args:
        device: equations and numbers.
        state: index of the one that moves; others begin at their own starts.
        volts: shape (voltages,).
        begin: starts as fractions of the range, shape (starts,).
        up: whether to 90 % of the range, or to 10 %.

    Returns:
        Shape (voltages, starts); 0 where it begins there, infinity where it does not come there
        within 10 s, NaN where the equations cannot be integrated.
    """
    low, high = device.bounds(device.states[state])
    grid_volts, grid_begin = (g.ravel() for g in np.meshgrid(volts, begin, indexing="ij"))
    states = np.repeat(
        np.array([[device.numbers[s.start]] for s in device.states]), grid_volts.size, axis=1
    )  # fmt: skip
    states[state] = low + grid_begin * (high - low)
    places = (_places(device, state, grid_volts, states) - low) / (high - low)
    gone = places >= END if up else places <= 1 - END
    first = np.argmax(gone, axis=1)
    found = np.full(grid_volts.size, np.inf)
    found[~np.isfinite(places).all(axis=1)] = np.nan
    found[gone[:, 0]] = 0.0
    for k in np.flatnonzero(gone.any(axis=1) & (first > 0)):
        j = first[k]
        goal = END if up else 1 - END
        share = (goal - places[k, j - 1]) / (places[k, j] - places[k, j - 1])
        found[k] = _TIMES[j - 1] + share * (_TIMES[j] - _TIMES[j - 1])
    return found.reshape(volts.size, begin.size)


def _places(device: Ode, state: int, volts: Array, states: Array) -> Array:
    """The moving state over `_TIMES`; NaN at voltages that the equations do not bear."""
    scale = np.array([[s.scale] for s in device.states])
    numbers: Mapping[str, npt.ArrayLike] = device.numbers
    try:
        found = trajectories(
            device, _TIMES, lambda _: volts, numbers, Start(states, scale), tolerance=1e-4
        )
        return np.asarray(found[state])
    except SimulationError:
        if volts.size == 1:
            return np.full((1, _TIMES.size), np.nan)
    half = volts.size // 2
    return np.concatenate([
        _places(device, state, volts[:half], states[:, :half]),
        _places(device, state, volts[half:], states[:, half:]),
    ])  # fmt: skip
