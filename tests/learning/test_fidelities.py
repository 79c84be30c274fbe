"""Many fidelities, on made-up networks whose disagreement is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from spicesnn.errors import OutOfRangeError
from spicesnn.learning.encoders import SpikeTrains
from spicesnn.learning.fidelities import FidelityParameters, ManyFidelities
from spicesnn.learning.forward import Remembering, Response
from spicesnn.learning.rules import ThreeFactors

Array = npt.NDArray[np.float64]
STEPS = np.arange(1, 11) * 1e-3
SAMPLES: list[SpikeTrains] = [((1e-3,),)] * 2


class Made:
    """Two units that fire at gain times the rates of their conductances, up to the most gain."""

    def __init__(self, gain: float = 1.0, most: float = np.inf) -> None:
        self.gain: Array = np.full(2, gain)
        self.most = most
        self.asked = 0

    def __call__(
        self,
        conductance: Array,
        samples: Sequence[SpikeTrains],
        steps: Array,
        done: Callable[[], None] | None = None,
    ) -> list[Response]:
        if (self.gain > self.most).any():
            raise OutOfRangeError("too much")
        self.asked += len(samples)
        rates = self.gain * conductance[0, 0] * 1e9
        spikes = tuple(np.arange(0.5 / r, 10e-3, 1 / r) for r in rates)
        empty = np.zeros((steps.size, 2))
        return [Response(spikes, empty, empty[:, :1], {"all": 0.0}, 0.0, 1) for _ in samples]


def conductance(rate: float) -> Array:
    return np.full((2, 1, 2), rate * 1e-9)


def made(tier: Made, circuit: Made, **values: float) -> ManyFidelities:
    return ManyFidelities(tier, circuit, ThreeFactors(), FidelityParameters(**values))


def test_a_right_tier_is_trusted_and_asked_less_and_less() -> None:
    tier, circuit = Made(), Made()
    both = made(tier, circuit, every=2, most=8)
    for _ in range(20):
        both(conductance(700), SAMPLES, STEPS)
    assert [check["call"] for check in both.checks] == [0, 4, 12]
    assert not any(check["corrected"] for check in both.checks)
    assert circuit.asked == 3
    assert tier.gain.tolist() == [1, 1]


def test_a_wrong_tier_is_corrected_within_the_bound_at_each_check() -> None:
    tier, circuit = Made(0.6), Made()
    both = made(tier, circuit, every=1, most=2, bound=1.2, trust=0.05, memory=1)
    gains = [0.6]
    for k in range(12):
        both(conductance(650 + 5 * k), SAMPLES, STEPS)
        gains.append(float(tier.gain[0]))
    moves = np.array(gains[1:]) / np.array(gains[:-1])
    assert (moves <= 1.2 + 1e-9).all()
    assert tier.gain == pytest.approx(1.0, rel=0.05)
    assert both.checks[0]["disagreement"] > both.checks[-1]["disagreement"]


def test_a_trial_gain_that_leaves_the_range_is_not_chosen() -> None:
    """And does not end the training."""
    tier = Made(0.7, most=0.8)
    both = made(tier, Made(), every=1, bound=1.2, trust=0.05)
    for _ in range(4):
        both(conductance(700), SAMPLES, STEPS)
    assert both.checks[0]["corrected"]
    assert (tier.gain > 0.7).all()
    assert (tier.gain <= 0.8).all()


def test_the_samples_of_a_check_are_answered_by_the_circuit() -> None:
    tier, circuit = Made(0.9), Made()
    found = made(tier, circuit, samples=1)(conductance(1000), SAMPLES, STEPS)
    assert found[0].spikes[0].size > found[1].spikes[0].size


def test_the_circuit_is_asked_no_more_than_allowed() -> None:
    circuit = Made()
    both = made(Made(0.5), circuit, every=1, simulations=5, samples=2)
    for _ in range(20):
        both(conductance(700), SAMPLES, STEPS)
    assert circuit.asked == both.simulated == 5


def test_a_run_that_was_stopped_goes_on_as_if_not() -> None:
    def run(stops: Sequence[int]) -> tuple[list[float], int]:
        tier, circuit = Made(0.7), Made()
        both = made(tier, circuit, every=2)
        for k in range(12):
            if k in stops:
                kept = both.state()
                tier = Made(0.7)
                both = made(tier, circuit, every=2)
                both.restore(kept)
            both(conductance(600 + 20 * k), SAMPLES, STEPS)
        return tier.gain.tolist(), circuit.asked

    assert run([]) == run([3, 4, 9])
    fresh = made(Made(), Made())
    fresh.restore({})
    assert fresh.calls == 0
    assert isinstance(fresh, Remembering)
