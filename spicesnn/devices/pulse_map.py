"""Resistive devices that answer a programming pulse with a bounded, nonlinear, noisy step.

The pulse-response curve of NeuroSim (DNN+NeuroSim manual), for the pulse number p of P levels:

    G_SET(p)   = G_min + B (1 - exp(-p / A))              B = range / (1 - exp(-P / A))
    G_RESET(p) = G_max - B (1 - exp(-p / A))              A = P * A_norm(NL)

so one pulse moves the conductance by a fixed fraction of what is left to its asymptote.
ngspice sees such a device as a resistor knob that the loop rewrites.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError
from spicesnn.parameters import Parameters, parameter

Array = npt.NDArray[np.float64]

# A_norm(|NL|), NeuroSim's table of the nonlinearity label against the normalised curvature.
_LABEL = np.array([0.01, 0.1, 0.5, 1, 1.46, 1.75, 2, 2.4, 3, 3.68, 4, 4.88, 5, 6, 9])
_A_NORM = np.array(
    [
        126.3, 12.63, 2.520, 1.2517, 0.8487, 0.7021, 0.6090, 0.4992,
        0.3868, 0.3006, 0.2691, 0.2003, 0.1924, 0.1356, 0.0228,
    ]
)  # fmt: skip


class PulseMap(Parameters):
    """A resistive device as its answer to one SET or RESET pulse."""

    name: str
    citation: str
    g_min: float = parameter(unit="S", doc="conductance of the fully reset device", gt=0)
    g_max: float = parameter(unit="S", doc="conductance of the fully set device", gt=0)
    levels: int = parameter(unit="1", doc="pulses from end to end", ge=2)
    nonlinearity_set: float = parameter(unit="1", doc="NeuroSim's NL label of SET", gt=0)
    nonlinearity_reset: float = parameter(unit="1", doc="|NL| of RESET", gt=0)
    cycle_spread: float = parameter(unit="1", doc="sigma of a step, in units of the range", ge=0)
    device_spread: float = parameter(
        unit="1", doc="relative sigma of g_min and g_max", ge=0, lt=0.3
    )
    read_voltage: float = parameter(unit="V", doc="largest voltage allowed in reading", gt=0)

    def fraction(self, nonlinearity: float) -> float:
        """Fraction of the way to the asymptote made by one pulse."""
        a_norm = float(np.exp(np.interp(nonlinearity, _LABEL, np.log(_A_NORM))))
        return 1 - float(np.exp(-1 / (a_norm * self.levels)))

    def overshoot(self, nonlinearity: float) -> float:
        """Distance of the asymptote from the start, in units of the range (B of the formula)."""
        a_norm = float(np.exp(np.interp(nonlinearity, _LABEL, np.log(_A_NORM))))
        return 1 / (1 - float(np.exp(-1 / a_norm)))


# Values: NeuroSim MLP V3.0 manual, table of device presets, Ag:a-Si. The device spread is not in
# that table (its default is 0): ours. The read voltage is ours, well under the 3.2 V of the
# table's SET pulse.
JO2010 = PulseMap(
    name="Jo2010",
    citation="Jo et al., Nano Lett. 10, 1297 (2010), as tabulated by NeuroSim MLP V3.0",
    g_min=1 / (26e6 * 12.5),
    g_max=1 / 26e6,
    levels=97,
    nonlinearity_set=2.4,
    nonlinearity_reset=4.88,
    cycle_spread=0.035,
    device_spread=0.05,
    read_voltage=0.8,
)


@dataclass(frozen=True)
class PulseArray:
    """Devices of one kind with their own limits and state; every array has the same shape.

    Attributes:
        device: the kind.
        g_min, g_max: each device's own limits, siemens.
        conductance: state, siemens.
    """

    device: PulseMap
    g_min: Array
    g_max: Array
    conductance: Array

    @staticmethod
    def draw(
        device: PulseMap,
        shape: tuple[int, ...],
        start: npt.ArrayLike,
        rng: np.random.Generator,
    ) -> PulseArray:
        """Draw devices of `shape` with their spread; `start` is the state as a fraction 0..1."""
        factor = np.exp(device.device_spread * rng.standard_normal((2, *shape)))
        g_min, g_max = device.g_min * factor[0], device.g_max * factor[1]
        state = g_min + np.broadcast_to(np.asarray(start, dtype=np.float64), shape) * (
            g_max - g_min
        )
        return PulseArray(device, g_min, g_max, state)

    def pulsed(
        self, set_pulses: npt.ArrayLike, reset_pulses: npt.ArrayLike, rng: np.random.Generator
    ) -> PulseArray:
        """State after that many SET, then RESET pulses on each device.

        Args:
            set_pulses: SET pulses on each device, >= 0, shape of the array.
            reset_pulses: RESET pulses on each device, likewise.
            rng: draws the cycle-to-cycle spread, one normal value a pulse.

        Raises:
            DataError: a shape does not match, or a count is negative.
        """
        conductance = self.conductance
        for pulses, label, goal in (
            (np.asarray(set_pulses), self.device.nonlinearity_set, 1.0),
            (np.asarray(reset_pulses), self.device.nonlinearity_reset, 0.0),
        ):
            if pulses.shape != conductance.shape or (pulses < 0).any():
                raise DataError(
                    f"pulse counts must be >= 0 and of shape {conductance.shape}, "
                    f"not of shape {pulses.shape}."
                )
            conductance = self._step(conductance, pulses.astype(np.int64), label, goal, rng)
        return PulseArray(self.device, self.g_min, self.g_max, conductance)

    def _step(
        self,
        conductance: Array,
        pulses: npt.NDArray[np.int64],
        label: float,
        goal: float,
        rng: np.random.Generator,
    ) -> Array:
        span = self.g_max - self.g_min
        fraction, overshoot = self.device.fraction(label), self.device.overshoot(label)
        state = (conductance - self.g_min) / span
        # SET runs towards g_min + B * range, RESET towards g_max - B * range.
        asymptote = overshoot if goal > 0.5 else 1 - overshoot
        for turn in range(int(pulses.max(initial=0))):
            noise = self.device.cycle_spread * rng.standard_normal(state.shape)
            moved = np.clip(state + fraction * (asymptote - state) + noise, 0, 1)
            state = np.where(turn < pulses, moved, state)
        return np.asarray(self.g_min + state * span, dtype=np.float64)
