"""Three-factor rules: local error x membrane window x binarised trace, with or without trigger.

Error-triggered learning of Payvand et al., arXiv 1910.06152 and 2011.10852, in the ternary form of
its hardware: an update of one pulse where the error passes +/- theta, the membrane is inside its
window and the input's trace is over its cutoff.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from spicesnn.errors import ParameterError
from spicesnn.learning.forward import Response
from spicesnn.parameters import Parameters, parameter

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
RuleName = Literal["error-triggered", "plain", "none"]


class ThreeFactors(Parameters):
    """What both rules share: the learning steps, the error and the two gates."""

    first_step: float = parameter(10e-3, unit="s", doc="no learning before it (burn-in)", gt=0)
    step: float = parameter(2e-3, unit="s", doc="time between learning steps", gt=0)
    target_rate: float = parameter(700.0, unit="Hz", doc="wanted rate of the right unit", gt=0)
    tau_error: float = parameter(5e-3, unit="s", doc="time constant of the rate estimate", gt=0)
    window_low: float = parameter(0.05, unit="V", doc="membrane window, lower end", ge=0)
    window_high: float = parameter(0.6, unit="V", doc="membrane window, upper end", gt=0)
    trace_cutoff: float = parameter(0.295, unit="V", doc="gate voltage over which P counts", gt=0)

    def steps(self, stop: float) -> Array:
        """Learning steps of a sample that ends at `stop`, seconds.

        Raises:
            ParameterError: the sample ends before the first step.
        """
        if self.first_step > stop * (1 + 1e-9):
            raise ParameterError(
                f"the first learning step, {self.first_step:g} s, comes after the sample's end at "
                f"{stop:g} s: set factors.first_step or circuit.stop."
            )
        return np.arange(self.first_step, stop + self.step * 1e-6, self.step)

    def errors(self, spikes: Sequence[Array], label: int, steps: Array) -> Array:
        """Estimated over wanted rate, minus target (1 for the right unit), shape (steps, units).

        The estimate at t is `sum exp(-(t - t_k)/tau) / (target_rate tau)` over past spikes,
        divided by what of its window has passed, `1 - exp(-t/tau)`.
        """
        error = np.empty((steps.size, len(spikes)))
        for i, train in enumerate(spikes):
            age = steps[:, None] - train[None, :]
            kernel = np.where(age >= 0, np.exp(-np.maximum(age, 0) / self.tau_error), 0)
            estimate = kernel.sum(axis=1) / (self.target_rate * self.tau_error)
            error[:, i] = estimate / (1 - np.exp(-steps / self.tau_error)) - float(i == label)
        return error

    def gates(self, response: Response) -> npt.NDArray[np.bool_]:
        """Where an update may happen, shape (steps, rows, units)."""
        inside = (response.membrane > self.window_low) & (response.membrane < self.window_high)
        active = response.trace > self.trace_cutoff
        return active[:, :, None] & inside[:, None, :]


@dataclass(frozen=True)
class Update:
    """Pulses wanted on each weight, and how often the error made an event.

    Pulses of opposite sign, from different steps of a sample, are not set off against each other.

    Attributes:
        up, down: pulses that raise and lower the weight, >= 0, shape (rows, units).
        events: error events over all steps and units.
        opportunities: steps times units.
    """

    up: Counts
    down: Counts
    events: int
    opportunities: int


class ErrorTriggered(Parameters):
    """Ternary updates on error events; theta is steered to a set point of the event rate."""

    initial_theta: float = parameter(0.3, unit="1", doc="theta at the start", gt=0)
    set_point: float = parameter(0.3, unit="1", doc="wanted events a unit and step", gt=0, lt=1)
    gain: float = parameter(0.02, unit="1", doc="theta's change a batch for a rate off by 1", ge=0)
    maximum_theta: float = parameter(
        0.5, unit="1", doc="over a half, right and wrong units may rest at the same rate", gt=0
    )

    def next_theta(self, theta: float, events: int, opportunities: int) -> float:
        """Theta after a batch: `theta + gain (rate - set point)`, from 1e-16 to the maximum.

        Source: the proportional control in the public code of the authors, once a mini-batch.
        """
        moved = theta + self.gain * (events / opportunities - self.set_point)
        return min(max(moved, 1e-16), self.maximum_theta)

    def update(
        self, error: Array, gates: npt.NDArray[np.bool_], theta: float, rng: np.random.Generator
    ) -> Update:
        """One pulse against the error's sign wherever |error| > theta and the gates are open."""
        event = np.where(np.abs(error) > theta, np.sign(error), 0).astype(np.int64)
        gated = event[:, None, :] * gates
        up, down = (gated < 0).sum(axis=0), (gated > 0).sum(axis=0)
        return Update(up, down, int(np.abs(event).sum()), event.size)


class Plain(Parameters):
    """The same factors, steps and gates without the trigger: pulses in proportion to the error."""

    rate: float = parameter(6.0, unit="1", doc="expected pulses for an error of 1", gt=0)

    def next_theta(self, theta: float, events: int, opportunities: int) -> float:
        """There is no threshold."""
        return theta

    def update(
        self, error: Array, gates: npt.NDArray[np.bool_], theta: float, rng: np.random.Generator
    ) -> Update:
        """Stochastic rounding of `rate x error`, drawn for each weight and step."""
        wanted = -self.rate * error[:, None, :] * gates
        whole = np.floor(wanted)
        pulses = (whole + (rng.uniform(size=wanted.shape) < wanted - whole)).astype(np.int64)
        up = np.maximum(pulses, 0).sum(axis=0)
        down = np.maximum(-pulses, 0).sum(axis=0)
        return Update(up, down, int((error != 0).sum()), error.size)
