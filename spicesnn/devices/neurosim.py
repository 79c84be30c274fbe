"""NeuroSim's pulse-response curve: bounded, nonlinear, noisy steps.

For the pulse number p of P levels, up from one end of the range or down from the other:

    G_SET(p)   = G_min + B (1 - exp(-p / A))              B = range / (1 - exp(-P / A))
    G_RESET(p) = G_max - B (1 - exp(-p / A))              A = P * A_norm(NL)

so one pulse moves the conductance by a fixed fraction of what is left to its asymptote.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spicesnn.devices.pulse_array import PulseArray
from spicesnn.devices.pulse_map import Array, Counts, Goal, PulseMap
from spicesnn.errors import ParameterError
from spicesnn.parameters import parameter

_SMALLEST, _LARGEST = 0.01, 9.0
# One unit of the label is this distance of the normalised curve from the straight line, measured
# at right angles. It gives all of NeuroSim's table back to its six decimals.
_UNIT = 0.07


def nonlinearity_label(a_norm: float) -> float:
    """NeuroSim's label of a normalised curvature: its distance from a straight line.

    `|NL| = max_x (f(x) - x) / (0.07 sqrt(2))`, `f(x) = (1 - exp(-x/A)) / (1 - exp(-1/A))`.

    Args:
        a_norm: A over the number of levels, > 0.

    Returns:
        |NL|, pure number. Source: worked out from NeuroSim's table of labels against curvature
        (MLP V3.0, Nonlinearity-NormA), which it reproduces.
    """
    whole = -math.expm1(-1 / a_norm)
    x = a_norm * -math.log(a_norm * whole)
    return (-math.expm1(-x / a_norm) / whole - x) / (math.sqrt(2) * _UNIT)


@lru_cache(maxsize=256)
def normalised_curvature(label: float) -> float:
    """A_norm of a nonlinearity label: the inverse of `nonlinearity_label`.

    Args:
        label: |NL|, 0.01 to 9.

    Returns:
        A over the number of levels, to four decimals as in NeuroSim's published table.
    """
    low, high = math.log(1e-3), math.log(1e3)
    for _ in range(60):
        middle = (low + high) / 2
        if nonlinearity_label(math.exp(middle)) > label:
            low = middle
        else:
            high = middle
    return round(math.exp(low), 4)


class NeuroSimCurve(PulseMap):
    """NeuroSim's pulse-response curve.

    `g <- clip(g + fraction (asymptote - g) + cycle_spread * range * N(0, 1), g_min, g_max)` for
    every pulse, `fraction = 1 - exp(-1/A)`. Neither history, nor drift: a pulse or a read asks for
    no time.

    The sign of a label is that of NeuroSim's code, of MLP V3.0 as of DNN V2.1, which draws both
    curves as `G_min + B (1 - exp(-x/A))` over the position x, with the sign of the label in A, and
    walks down x for RESET. So a RESET label **below zero is fast at first** (from G_max, as SET is
    from G_min; NeuroSim calls the pair asymmetric) and one **above zero is slow at first** (it goes
    back the way SET came, symmetric). The formula that its manual prints for RESET,
    `G_max - B (1 - exp((p - P)/A))`, would with the same label mean the opposite; the code decides.

    The tool itself draws the cycle-to-cycle noise once an update, over the root of its number of
    pulses; here every pulse has its own, so that a clip acts where it happens.

    Source: P.-Y. Chen, X. Peng and S. Yu, IEDM 2017, and the manual of MLP+NeuroSim V3.0.
    """

    kind: ClassVar[str] = "NeuroSim curve"

    levels: int = parameter(unit="1", doc="pulses from end to end", ge=2)
    nonlinearity_set: float = parameter(
        unit="1", doc="NeuroSim's NL label of SET: > 0 is fast at first", ge=-_LARGEST, le=_LARGEST
    )
    nonlinearity_reset: float = parameter(
        unit="1", doc="NL label of RESET: < 0 is fast at first", ge=-_LARGEST, le=_LARGEST
    )
    cycle_spread: float = parameter(unit="1", doc="sigma of a step, in units of the range", ge=0)
    device_spread: float = parameter(
        0.0, unit="1", doc="relative sigma of g_min and g_max", ge=0, lt=0.3
    )
    read_spread: float = parameter(0.0, unit="1", doc="relative sigma of a read", ge=0, lt=0.1)

    def model_post_init(self, context: Any) -> None:
        """Check the range and the labels.

        Raises:
            ParameterError: a label is nearer to a straight line than NeuroSim's table goes.
        """
        super().model_post_init(context)
        for label in (self.nonlinearity_set, self.nonlinearity_reset):
            if abs(label) < _SMALLEST:
                raise ParameterError(
                    f"{self.name} has a nonlinearity label of {label:g}: NeuroSim's table begins "
                    f"at {_SMALLEST}; give +-{_SMALLEST} for a straight line."
                )

    def curvature(self, goal: Goal) -> float:
        """Normalised A of a direction, pure number; > 0 is fast at first."""
        label = self.nonlinearity_set if goal == "set" else -self.nonlinearity_reset
        return math.copysign(normalised_curvature(abs(label)), label)

    def fraction(self, goal: Goal) -> float:
        """Fraction of the way to the asymptote made by one pulse; < 0 runs away from it."""
        return 1 - float(np.exp(-1 / (self.curvature(goal) * self.levels)))

    def overshoot(self, goal: Goal) -> float:
        """Place of the asymptote from where the pulses start, in units of the range (B)."""
        return 1 / (1 - float(np.exp(-1 / self.curvature(goal))))

    def curve(self, pulses: npt.ArrayLike, goal: Goal) -> Array:
        """Noise-free conductance after `pulses` from the opposite end of the range, siemens."""
        number = np.asarray(pulses, dtype=np.float64)
        moved = self.overshoot(goal) * -np.expm1(-number / (self.curvature(goal) * self.levels))
        state = np.clip(moved if goal == "set" else 1 - moved, 0, 1)
        return np.asarray(self.g_min + (self.g_max - self.g_min) * state)

    def drawn(
        self, shape: tuple[int, ...], start: Array, rng: np.random.Generator, seed: int | None
    ) -> PulseArray:
        """Devices with log-normal limits; `start` is the state as a fraction of the range."""
        factor = np.exp(self.device_spread * rng.standard_normal((2, *shape)))
        g_min, g_max = self.g_min * factor[0], self.g_max * factor[1]
        return PulseArray(self, g_min, g_max, g_min + start * (g_max - g_min), seed=seed)

    def step(self, array: PulseArray, goal: Goal) -> tuple[Array, Array]:
        """Mean and standard deviation of what the next pulse adds, before any clip, siemens."""
        span = array.g_max - array.g_min
        state = (array.conductance - array.g_min) / span
        return span * self._mean(state, goal), self.cycle_spread * span

    def pulsed(
        self,
        array: PulseArray,
        set_pulses: Counts,
        reset_pulses: Counts,
        rng: np.random.Generator,
        time: float | None,
    ) -> PulseArray:
        """The array after that many SET, then RESET pulses; one normal draw a device and turn."""
        after_set = self._after(array, array.conductance, set_pulses, "set", rng)
        return array.with_conductance(self._after(array, after_set, reset_pulses, "reset", rng))

    def fully_reset(
        self,
        array: PulseArray,
        where: npt.NDArray[np.bool_],
        rng: np.random.Generator,
        time: float | None,
    ) -> PulseArray:
        """Some devices at their own `g_min`."""
        return array.with_conductance(np.where(where, array.g_min, array.conductance))

    def drifted(self, array: PulseArray, time: float | None) -> Array:
        """The state itself: this kind does not drift."""
        return array.conductance

    def read(self, array: PulseArray, time: float | None, rng: np.random.Generator) -> Array:
        """The state with relative read noise, siemens."""
        if not self.read_spread:
            return array.conductance
        noise = self.read_spread * rng.standard_normal(array.conductance.shape)
        return array.conductance * (1 + noise)

    def _mean(self, state: Array, goal: Goal) -> Array:
        # SET runs towards g_min + B * range, RESET towards g_max - B * range.
        overshoot = self.overshoot(goal)
        asymptote = overshoot if goal == "set" else 1 - overshoot
        return self.fraction(goal) * (asymptote - state)

    def _after(
        self,
        array: PulseArray,
        conductance: Array,
        pulses: Counts,
        goal: Goal,
        rng: np.random.Generator,
    ) -> Array:
        span = array.g_max - array.g_min
        state = (conductance - array.g_min) / span
        for turn in range(int(pulses.max(initial=0))):
            noise = self.cycle_spread * rng.standard_normal(state.shape)
            moved = np.clip(state + self._mean(state, goal) + noise, 0, 1)
            state = np.where(turn < pulses, moved, state)
        return np.asarray(array.g_min + state * span, dtype=np.float64)
