"""The state of many devices of one `PulseMap` kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from spicesnn.devices.pulse_map import Array, Counts, Goal, PulseMap
from spicesnn.errors import DataError

# Rounding of a state that was computed as a fraction of the range.
_ROUNDING = 1e-9
# Pulses of one call are drawn one after the other: more is a mistake rather than an experiment.
_MOST_PULSES = 1_000_000


@dataclass(frozen=True, eq=False)
class PulseArray:
    """Devices of one kind with their own limits and state; every array has the same shape.

    An array is never changed: a pulse gives another one. Its kind has its own spread of devices and
    cycles, drift and noise of reads: the objects of `spicesnn.devices.spread` are for conductances
    that come from elsewhere (a map of weights, a solver's array), or for what the kind lacks.
    One effect by both would count twice.

    Attributes:
        device: the kind, with the numbers of a preset.
        g_min, g_max: each device's own limits, siemens.
        conductance: state, siemens, as it is right after a pulse.
        history: what the kind remembers beside it, by the kind's `history_names`.
        seed: what the devices were drawn with, if they were drawn with a seed.

    Raises:
        DataError: shapes differ, a range is empty, a conductance is out of its device's range, or
            what the kind remembers is missing.
    """

    device: PulseMap
    g_min: Array
    g_max: Array
    conductance: Array
    history: Mapping[str, Array] = field(default_factory=dict)
    seed: int | None = None

    def __post_init__(self) -> None:
        shape = self.conductance.shape
        named = {"g_min": self.g_min, "g_max": self.g_max, **self.history}
        for name, values in named.items():
            if values.shape != shape:
                raise DataError(
                    f"{name} has shape {values.shape}, the conductances {shape}: give one value "
                    "a device."
                )
        if set(self.history) != set(self.device.history_names):
            raise DataError(
                f"{self.device.name} ({self.device.kind}) remembers "
                f"{', '.join(self.device.history_names) or 'nothing'}, not "
                f"{', '.join(self.history) or 'nothing'}: begin with PulseArray.draw and go on "
                "from the arrays it gives."
            )
        if not (self.g_min < self.g_max).all():
            raise DataError(
                f"{_first(~(self.g_min < self.g_max))} has no range: g_min must be below g_max; "
                f"{self.device.name} spreads its limits too far, or they were given wrong."
            )
        slack = _ROUNDING * self.g_max
        low = self.device.lowest(self.g_min)
        inside = (self.conductance >= low - slack) & (self.conductance <= self.g_max + slack)
        if not inside.all():
            worst = np.argmin(inside)
            raise DataError(
                f"{_first(~inside)} is at {self.conductance.flat[worst]:g} S, outside its range "
                f"of {low.flat[worst]:g} to {self.g_max.flat[worst]:g} S: clip the states, or "
                "take another preset."
            )

    @staticmethod
    def draw(
        device: PulseMap,
        shape: tuple[int, ...],
        start: npt.ArrayLike,
        rng: np.random.Generator | int,
    ) -> PulseArray:
        """Draw devices that were never pulsed.

        Args:
            device: the kind, with the numbers of a preset.
            shape: of the array.
            start: mean state as a fraction 0..1 of the range, broadcast to `shape`.
            rng: draws what differs between devices; a seed is recorded in the array.

        Raises:
            DataError: the start does not fit the shape or is not between 0 and 1, or `rng` is
                neither a generator nor a seed.
        """
        seed = None if isinstance(rng, np.random.Generator) else rng
        rng = _generator(rng)
        begin = np.asarray(start, dtype=np.float64)
        try:
            begin = np.broadcast_to(begin, shape)
        except ValueError:
            raise DataError(
                f"a start of shape {begin.shape} does not fit an array of shape {shape}: give a "
                "number, or one a device."
            ) from None
        if not ((begin >= 0) & (begin <= 1)).all():
            raise DataError("a start is a fraction of the range: give values from 0 to 1.")
        return device.drawn(shape, begin, rng, None if seed is None else int(seed))

    def pulsed(
        self,
        set_pulses: npt.ArrayLike,
        reset_pulses: npt.ArrayLike,
        rng: np.random.Generator | int,
        time: float | None = None,
    ) -> PulseArray:
        """State after that many SET, then RESET pulses on each device.

        Args:
            set_pulses: SET pulses on each device, 0 to 1,000,000, shape of the array.
            reset_pulses: RESET pulses on each device, likewise.
            rng: draws the cycle-to-cycle spread; a seed draws the same at every call.
            time: when, seconds; needed by a kind that drifts.

        Raises:
            DataError: a shape does not match, a count is no whole number in range, `rng` is neither
                a generator nor a seed, or `time` is missing or before the last pulse.
        """
        ups, downs = self._counts(set_pulses), self._counts(reset_pulses)
        return self.device.pulsed(self, ups, downs, _generator(rng), time)

    def reset(
        self,
        rng: np.random.Generator | int,
        time: float | None = None,
        where: npt.ArrayLike | None = None,
    ) -> PulseArray:
        """Enough RESET pulses to bring devices to the foot of their range.

        Args:
            rng: draws the cycle-to-cycle spread; a generator or a seed.
            time: when, seconds; needed by a kind that drifts.
            where: which devices, booleans of the array's shape; all, if left out.

        Raises:
            DataError: `where` does not have the array's shape, or `time` is missing or too early.
        """
        shape = self.conductance.shape
        chosen = np.ones(shape, bool) if where is None else np.asarray(where)
        if chosen.shape != shape or chosen.dtype != bool:
            raise DataError(
                f"the devices to reset are booleans of shape {shape}, not {chosen.dtype} of shape "
                f"{chosen.shape}."
            )
        return self.device.fully_reset(self, chosen, _generator(rng), time)

    def step(self, goal: Goal) -> tuple[Array, Array]:
        """Mean and standard deviation of what the next pulse adds, before any clip, siemens."""
        return self.device.step(self, goal)

    def drifted(self, time: float | None = None) -> Array:
        """Conductance at `time` without the noise of a read, siemens.

        Raises:
            DataError: `time` is missing, or not after the last pulse.
        """
        return self.device.drifted(self, time)

    def read(self, time: float | None, rng: np.random.Generator | int) -> Array:
        """What one read at `time` (seconds) gives, siemens: drift and read noise.

        `rng` is a generator or a seed.

        Raises:
            DataError: `time` is missing, or not after the last pulse.
        """
        return self.device.read(self, time, _generator(rng))

    def resistances(
        self, time: float | None = None, rng: np.random.Generator | int | None = None
    ) -> Array:
        """Ohms of each device, for the resistor knobs of a deck.

        Args:
            time: when, seconds; needed by a kind that drifts.
            rng: draws the noise of a read, a generator or a seed; without it there is none.

        Raises:
            DataError: `time` is missing, or not after the last pulse.
        """
        return 1 / (self.drifted(time) if rng is None else self.read(time, rng))

    def with_conductance(self, conductance: Array, **history: Array) -> PulseArray:
        """The same devices in another state."""
        return replace(self, conductance=conductance, history={**self.history, **history})

    def _counts(self, pulses: npt.ArrayLike) -> Counts:
        counts, shape = np.asarray(pulses), self.conductance.shape
        if counts.shape != shape:
            raise DataError(
                f"pulse counts must be >= 0 and of shape {shape}, not of shape {counts.shape}."
            )
        if counts.dtype.kind not in "biuf":
            raise DataError(f"pulse counts must be whole numbers >= 0, not of type {counts.dtype}.")
        bad = ~(np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts)))
        if bad.any():
            raise DataError(
                f"{_first(bad)} is given {counts[bad].flat[0]} pulses: pulse counts must be whole "
                "numbers >= 0."
            )
        many = counts > _MOST_PULSES
        if many.any():
            raise DataError(
                f"{_first(many)} is given {counts[many].flat[0]:.10g} pulses; at most "
                f"{_MOST_PULSES} are drawn in one call: give fewer, or call several times."
            )
        return counts.astype(np.int64)


def _generator(rng: np.random.Generator | int) -> np.random.Generator:
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, int | np.integer) and rng >= 0:
        return np.random.default_rng(rng)
    raise DataError(f"draws need a numpy.random.Generator or a seed >= 0, not {rng!r}.")


def _first(bad: npt.NDArray[np.bool_]) -> str:
    """The first of the bad devices, by its place."""
    place = np.unravel_index(int(np.argmax(bad)), bad.shape)
    return f"device {tuple(int(k) for k in place)}"
