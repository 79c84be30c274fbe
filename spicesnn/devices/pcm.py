"""Phase-change memory: gradual SET, abrupt RESET, programming history, drift and read noise."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spicesnn.devices.pulse_array import PulseArray
from spicesnn.devices.pulse_map import Array, Counts, Goal, PulseMap
from spicesnn.errors import DataError, ParameterError
from spicesnn.parameters import parameter


class PhaseChange(PulseMap):
    """The statistical model of phase-change memory of Nandakumar et al.

    One SET pulse, with a memory of programming P that is 1 after RESET:

        P <- P exp(-1/decay)
        G <- clip(G + mean + sigma N(0, 1), g_min, g_max)
        mean = mean_g G + mean_0 + mean_p P,   sigma = sigma_g G + sigma_0 + sigma_p P

    A read at t, of a device last pulsed at t_p:

        G_d = G ((t - t_p) / drift_time)^-drift
        G_r = clip(G_d + (read_g G_d + read_0) N(0, 1), g_min, g_max)

    RESET is abrupt, whatever the number of pulses: `G ~ N(reset_mean, reset_spread)`, not under
    `reset_floor`, and P = 1. A conductance can only be raised in steps; a pair of devices gives
    both signs. SET pulses come before RESET pulses where both are given.

    History: `memory` (P), `last_pulse` (t_p, seconds), `count` (SET pulses since RESET) and `drift`
    (each device's own exponent; its spread is our choice, 0 in the model).
    Source: Nandakumar, Le Gallo, Boybat, Rajendran, Sebastian and Eleftheriou, J. Appl. Phys. 124,
    152135, 2018; the constants as in the public code YigitDemirag/srnn-pcm.
    """

    kind: ClassVar[str] = "phase change"
    history_names: ClassVar[tuple[str, ...]] = ("memory", "last_pulse", "count", "drift")

    decay: float = parameter(unit="1", doc="pulses over which the memory falls to 1/e", gt=0)
    mean_g: float = parameter(unit="1", doc="mean step over conductance")
    mean_0: float = parameter(unit="S", doc="mean step, constant part")
    mean_p: float = parameter(unit="S", doc="mean step over memory")
    sigma_g: float = parameter(unit="1", doc="sigma of a step over conductance", ge=0)
    sigma_0: float = parameter(unit="S", doc="sigma of a step, constant part", ge=0)
    sigma_p: float = parameter(unit="S", doc="sigma of a step over memory", ge=0)
    drift_exponent: float = parameter(unit="1", doc="mean drift exponent", ge=0, lt=1)
    drift_spread: float = parameter(0.0, unit="1", doc="sigma of devices' drift exponents", ge=0)
    drift_time: float = parameter(unit="s", doc="time after a pulse that the step holds for", gt=0)
    read_g: float = parameter(unit="1", doc="sigma of a read over conductance", ge=0)
    read_0: float = parameter(unit="S", doc="sigma of a read, constant part", ge=0)
    reset_mean: float = parameter(unit="S", doc="mean conductance after RESET", gt=0)
    reset_spread: float = parameter(unit="S", doc="sigma of the conductance after RESET", ge=0)
    reset_floor: float = parameter(unit="S", doc="lowest conductance after RESET", gt=0)
    start_spread: float = parameter(
        unit="1", doc="relative sigma of the conductance of devices never pulsed", ge=0
    )

    def model_post_init(self, context: Any) -> None:
        """Check the range and where RESET leads.

        Raises:
            ParameterError: the range is empty, or RESET leads out of it.
        """
        super().model_post_init(context)
        if not self.reset_floor <= self.reset_mean <= self.g_max:
            raise ParameterError(
                f"{self.name}.reset_mean = {self.reset_mean:g} S is not between reset_floor = "
                f"{self.reset_floor:g} S and g_max = {self.g_max:g} S."
            )

    def drawn(
        self, shape: tuple[int, ...], start: Array, rng: np.random.Generator, seed: int | None
    ) -> PulseArray:
        """Devices that were never pulsed, P = 1, at time 0.

        `G ~ N(G_0, start_spread G_0)` within `reset_floor` and `g_max`, at `G_0 = g_min +
        start (g_max - g_min)`.
        """
        middle = self.g_min + start * (self.g_max - self.g_min)
        drawn = middle * (1 + self.start_spread * rng.standard_normal(shape))
        own = np.zeros(shape)
        if self.drift_spread:
            own = self.drift_spread * rng.standard_normal(shape)
        return PulseArray(
            self,
            np.full(shape, self.g_min),
            np.full(shape, self.g_max),
            np.clip(drawn, self.reset_floor, self.g_max),
            {
                "memory": np.ones(shape),
                "last_pulse": np.zeros(shape),
                "count": np.zeros(shape),
                "drift": np.maximum(self.drift_exponent + own, 0),
            },
            seed,
        )

    def lowest(self, g_min: Array) -> Array:
        """What RESET can leave, under `g_min`: that bounds SET and reads only."""
        return np.minimum(g_min, self.reset_floor)

    def step(self, array: PulseArray, goal: Goal) -> tuple[Array, Array]:
        """Mean and standard deviation of what the next pulse adds, before any clip, siemens."""
        if goal == "set":
            memory = array.history["memory"] * np.exp(-1 / self.decay)
            return self._moments(array.conductance, memory)
        spread = np.full(array.conductance.shape, self.reset_spread)
        return self.reset_mean - array.conductance, spread

    def pulsed(
        self,
        array: PulseArray,
        set_pulses: Counts,
        reset_pulses: Counts,
        rng: np.random.Generator,
        time: float | None,
    ) -> PulseArray:
        """The array after that many SET, then RESET pulses, all at `time`."""
        touched = (set_pulses > 0) | (reset_pulses > 0)
        when = self._pulse_time(array, touched, time)
        conductance, memory = array.conductance, array.history["memory"]
        for turn in range(int(set_pulses.max(initial=0))):
            chosen = turn < set_pulses
            memory = np.where(chosen, memory * np.exp(-1 / self.decay), memory)
            mean, sigma = self._moments(conductance, memory)
            moved = conductance + mean + sigma * rng.standard_normal(conductance.shape)
            conductance = np.where(chosen, np.clip(moved, array.g_min, array.g_max), conductance)
        after = array.with_conductance(
            conductance,
            memory=memory,
            last_pulse=np.where(set_pulses > 0, when, array.history["last_pulse"]),
            count=array.history["count"] + set_pulses,
        )
        return self._melted(after, reset_pulses > 0, rng, when)

    def fully_reset(
        self,
        array: PulseArray,
        where: npt.NDArray[np.bool_],
        rng: np.random.Generator,
        time: float | None,
    ) -> PulseArray:
        """One RESET pulse on some devices."""
        return self._melted(array, where, rng, self._pulse_time(array, where, time))

    def drifted(self, array: PulseArray, time: float | None) -> Array:
        """`G ((t - t_p) / drift_time)^-drift`, siemens; not clipped.

        Raises:
            DataError: `time` is missing, or not after the last pulse.
        """
        if time is None:
            raise DataError(f"{self.name} drifts: say at what time it is read, in seconds.")
        last = array.history["last_pulse"]
        if not np.isfinite(time):
            raise DataError(f"{self.name} is read at {time} s: give a finite time, in seconds.")
        if not (time > last).all():
            raise DataError(
                f"{self.name} is read at {time:g} s, but was last pulsed at {last.max():g} s: its "
                "drift begins with the pulse; read later."
            )
        return np.asarray(
            array.conductance * ((time - last) / self.drift_time) ** -array.history["drift"]
        )

    def read(self, array: PulseArray, time: float | None, rng: np.random.Generator) -> Array:
        """What one read at `time` gives, siemens.

        Raises:
            DataError: `time` is missing, or not after the last pulse.
        """
        mean = self.drifted(array, time)
        noise = (self.read_g * mean + self.read_0) * rng.standard_normal(mean.shape)
        return np.clip(mean + noise, array.g_min, array.g_max)

    def _moments(self, conductance: Array, memory: Array) -> tuple[Array, Array]:
        mean = self.mean_g * conductance + self.mean_0 + self.mean_p * memory
        sigma = self.sigma_g * conductance + self.sigma_0 + self.sigma_p * memory
        return mean, sigma

    def _melted(
        self,
        array: PulseArray,
        where: npt.NDArray[np.bool_],
        rng: np.random.Generator,
        when: float,
    ) -> PulseArray:
        if not where.any():
            return array
        fresh = self.reset_mean + self.reset_spread * rng.standard_normal(where.shape)
        fresh = np.clip(fresh, self.reset_floor, array.g_max)
        old = array.history
        return array.with_conductance(
            np.where(where, fresh, array.conductance),
            memory=np.where(where, 1.0, old["memory"]),
            last_pulse=np.where(where, when, old["last_pulse"]),
            count=np.where(where, 0.0, old["count"]),
        )

    def _pulse_time(
        self, array: PulseArray, touched: npt.NDArray[np.bool_], time: float | None
    ) -> float:
        if time is None:
            raise DataError(f"{self.name} drifts: say at what time it is pulsed, in seconds.")
        last = array.history["last_pulse"]
        if not np.isfinite(time):
            raise DataError(f"{self.name} is pulsed at {time} s: give a finite time, in seconds.")
        if (touched & (time < last)).any():
            raise DataError(
                f"{self.name} is pulsed at {time:g} s, but was last pulsed at "
                f"{last[touched].max():g} s: time runs forward."
            )
        return float(time)
