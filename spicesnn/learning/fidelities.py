"""Training on a tier that the circuit checks: many fidelities behind one `Forward`.

Every so many batches a few samples go through the circuit as well. Where both part by more than
a trust radius, the tier's units are corrected, each by a gain on its input, within a bound; the
checks then come more often, and less often again while both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from spicesnn.errors import OutOfRangeError
from spicesnn.learning.encoders import SpikeTrains
from spicesnn.learning.forward import Forward, Response
from spicesnn.learning.rules import ThreeFactors
from spicesnn.parameters import Parameters, parameter

Array = npt.NDArray[np.float64]


class Correctable(Forward, Protocol):
    """A tier of a network whose units' inputs can be scaled."""

    gain: Array
    """Of each unit's input, shape (units,)."""


class FidelityParameters(Parameters):
    """When the circuit is asked, and how far a correction may go."""

    every: int = parameter(20, unit="1", doc="batches from a check to the next, at first", ge=1)
    most: int = parameter(80, unit="1", doc="the same while both agree", ge=1)
    samples: int = parameter(1, unit="1", doc="of a batch that is checked", ge=1)
    trust: float = parameter(
        0.1, unit="1", doc="disagreement of rate estimates, over their size, that is let be", gt=0
    )
    bound: float = parameter(
        1.2, unit="1", doc="factor by which a gain may move in one correction", gt=1
    )
    memory: int = parameter(4, unit="1", doc="checks that a correction is fitted to", ge=1)
    simulations: int = parameter(
        30, unit="1", doc="samples that may go through the circuit in training", ge=0
    )


class ManyFidelities:
    """A `Forward` that answers from the tier and is held to the circuit.

    The samples of a check are answered by the circuit: they have been simulated anyway.
    """

    def __init__(
        self,
        tier: Correctable,
        circuit: Forward,
        factors: ThreeFactors,
        parameters: FidelityParameters,
    ) -> None:
        """Begin with the tier as it is.

        Args:
            tier: answers all batches.
            circuit: answers the checks.
            factors: whose estimate of the rates measures the disagreement.
            parameters: when, and how far.
        """
        self.tier = tier
        self.circuit = circuit
        self.factors = factors
        self.parameters = parameters
        self.calls = 0
        self.next_check = 0
        self.every = parameters.every
        self.simulated = 0
        self.checks: list[dict[str, Any]] = []
        self._kept: list[dict[str, Any]] = []

    def __call__(
        self,
        conductance: Array,
        samples: Sequence[SpikeTrains],
        steps: Array,
        done: Callable[[], None] | None = None,
    ) -> list[Response]:
        """See `Forward`."""
        responses = self.tier(conductance, samples, steps, done)
        count = min(
            self.parameters.samples, len(samples), self.parameters.simulations - self.simulated
        )
        if self.calls >= self.next_check and count > 0:
            truth = self.circuit(conductance, samples[:count], steps, done)
            self.simulated += count
            self._check(conductance, samples[:count], steps, truth, responses[:count])
            responses = [*truth, *responses[count:]]
            self.next_check = self.calls + self.every
        self.calls += 1
        return responses

    def state(self) -> dict[str, Any]:
        """What a run that was stopped needs to go on as if it had not been; plain JSON."""
        return {
            "calls": self.calls, "next_check": self.next_check, "every": self.every,
            "simulated": self.simulated, "checks": self.checks, "gain": self.tier.gain.tolist(),
            "kept": self._kept,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state()`; nothing is done where it is empty."""
        if not state:
            return
        self.calls, self.next_check = state["calls"], state["next_check"]
        self.every, self.simulated = state["every"], state["simulated"]
        self.checks, self._kept = list(state["checks"]), list(state["kept"])
        self.tier.gain = np.array(state["gain"], dtype=np.float64)

    def _rates(self, responses: Sequence[Response], steps: Array) -> Array:
        """Estimates of the rates over the target's, shape (samples, steps, units)."""
        return np.array([self.factors.errors(r.spikes, -1, steps) for r in responses])

    def _check(
        self,
        conductance: Array,
        samples: Sequence[SpikeTrains],
        steps: Array,
        truth: Sequence[Response],
        responses: Sequence[Response],
    ) -> None:
        wanted, found = self._rates(truth, steps), self._rates(responses, steps)
        size = max(float(np.sqrt(np.mean(wanted**2))), 1e-3)
        apart = float(np.sqrt(np.mean((found - wanted) ** 2))) / size
        self._kept.append({
            "conductance": conductance.tolist(), "samples": [list(map(list, s)) for s in samples],
            "rates": wanted.tolist(),
        })  # fmt: skip
        self._kept = self._kept[-self.parameters.memory :]
        trusted = apart <= self.parameters.trust
        if trusted:
            self.every = min(2 * self.every, self.parameters.most)
        else:
            self._correct(steps)
            self.every = max(self.every // 2, 1)
        self.checks.append({
            "call": self.calls, "disagreement": apart, "corrected": not trusted,
            "gain": self.tier.gain.tolist(),
        })  # fmt: skip

    def _correct(self, steps: Array) -> None:
        """The gains, within the bound, at which the tier is nearest to the last checks."""
        here = self.tier.gain.copy()
        bound = float(np.log(self.parameters.bound))
        moves = np.exp(np.linspace(-bound, bound, 17))
        misses = np.zeros((moves.size, here.size))
        for k, move in enumerate(moves):
            self.tier.gain = here * move
            try:
                for kept in self._kept:
                    answered = self.tier(
                        np.array(kept["conductance"]),
                        [tuple(map(tuple, sample)) for sample in kept["samples"]],
                        steps,
                    )
                    gap = self._rates(answered, steps) - np.array(kept["rates"])
                    misses[k] += (gap**2).sum(axis=(0, 1))
            except OutOfRangeError:
                # Only a trial: what leaves the tier's range is not chosen.
                misses[k] = np.inf
        # Of equally good ones the nearest to where it was.
        largest = misses[np.isfinite(misses)].max(initial=0.0)
        tie = 1e-9 * np.abs(np.log(moves))[:, None] * (1 + largest)
        self.tier.gain = here * moves[(misses + tie).argmin(axis=0)]
