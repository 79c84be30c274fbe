import numpy as np
import pytest

from spicesnn.devices import JO2010, PulseArray
from spicesnn.learning.forward import Response, decide, margin
from spicesnn.learning.rules import ErrorTriggered, Plain, ThreeFactors, Update
from spicesnn.learning.writes import write

FACTORS = ThreeFactors(first_step=4e-3)
STEPS = FACTORS.steps(10e-3)


def response(membrane: float, trace: float) -> Response:
    shape = (STEPS.size, 3)
    return Response((), np.full(shape, membrane), np.full((STEPS.size, 4), trace), {}, 0.0, 0)


def test_steps_end_with_the_sample() -> None:
    np.testing.assert_allclose(STEPS, [4e-3, 6e-3, 8e-3, 10e-3])


def test_error_is_zero_in_the_mean_at_the_target_rate() -> None:
    """Averaged over the phase of a regular train, the estimate is the true rate."""
    period = 1 / FACTORS.target_rate
    errors = [
        FACTORS.errors([np.arange(phase, 10e-3, period)], 0, STEPS)
        for phase in np.linspace(0, period, 200, endpoint=False)
    ]
    assert np.mean(errors) == pytest.approx(0, abs=0.02)


def test_silence_is_an_error_of_minus_one_for_the_right_unit_only() -> None:
    silent = [np.empty(0)] * 3
    np.testing.assert_array_equal(FACTORS.errors(silent, 1, STEPS), [[0, -1, 0]] * STEPS.size)


def test_spikes_of_the_future_do_not_count() -> None:
    assert FACTORS.errors([np.array([9.9e-3])], 1, STEPS)[:3].max() == 0


@pytest.mark.parametrize(
    ("membrane", "trace", "opened"), [(0.3, 0.35, True), (0.3, 0.1, False), (0.0, 0.35, False)]
)
def test_gates_need_both_membrane_and_trace(membrane: float, trace: float, opened: bool) -> None:
    factors = ThreeFactors(trace_cutoff=0.3)
    gates = factors.gates(response(membrane, trace))
    assert gates.shape == (STEPS.size, 4, 3)
    assert gates.all() == opened
    assert gates.any() == opened


def test_trigger_is_ternary_and_only_over_theta() -> None:
    error = np.array([[0.4, -0.9, 2.7]])
    gates = np.ones((1, 4, 3), dtype=bool)
    update = ErrorTriggered().update(error, gates, 0.5, np.random.default_rng(0))
    np.testing.assert_array_equal(update.up, [[0, 1, 0]] * 4)
    np.testing.assert_array_equal(update.down, [[0, 0, 1]] * 4)
    assert (update.events, update.opportunities) == (2, 3)


def test_theta_moves_towards_the_set_point_and_stays_in_bounds() -> None:
    rule = ErrorTriggered(gain=0.1, set_point=0.05, maximum_theta=0.35)
    assert rule.next_theta(0.2, 50, 100) == pytest.approx(0.2 + 0.1 * 0.45)
    assert rule.next_theta(0.001, 0, 100) == 1e-16
    assert rule.next_theta(0.34, 100, 100) == rule.maximum_theta


def test_plain_is_proportional_in_the_mean() -> None:
    error = np.array([[0.4, -0.9, 2.7]])
    gates = np.ones((1, 20_000, 3), dtype=bool)
    update = Plain(rate=0.5).update(error, gates, 0.0, np.random.default_rng(0))
    mean = (update.up - update.down).mean(axis=0)
    np.testing.assert_allclose(mean, -0.5 * error[0], atol=0.02)


def test_gates_hold_for_plain_too() -> None:
    error = np.array([[5.0, -5.0, 5.0]])
    update = Plain().update(error, np.zeros((1, 4, 3), bool), 0.0, np.random.default_rng(0))
    assert update.up.sum() == update.down.sum() == 0


def test_every_pulse_is_counted_and_lands_on_the_right_device() -> None:
    quiet = JO2010.model_copy(update={"cycle_spread": 0.0})
    devices = PulseArray.draw(quiet, (2, 4, 3), 0.5, np.random.default_rng(0))
    up, down = np.zeros((4, 3), dtype=int), np.zeros((4, 3), dtype=int)
    up[0, 0], down[3, 2] = 5, 7
    after, writes = write(devices, Update(up, down, 0, 1), np.random.default_rng(0))
    assert writes == 12
    change = after.conductance - devices.conductance
    assert change[0, 0, 0] >= 0 >= change[1, 0, 0]
    assert change[0, 3, 2] <= 0 <= change[1, 3, 2]
    change[:, 0, 0] = change[:, 3, 2] = 0
    assert not change.any()


def test_silent_and_tied_outputs_are_no_decision() -> None:
    one, two, none = np.zeros(1), np.zeros(2), np.empty(0)
    assert decide([none, none, none]) == -1
    assert decide([two, two, one]) == -1
    assert decide([one, two, none]) == 1
    assert margin([one, two, none]) == 1
