"""The loop over a forward that needs no circuit: resuming, pairing, encoders, data."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from spicesnn.devices import JO2010, NANDAKUMAR2018
from spicesnn.errors import DataError, ParameterError, RunFolderError
from spicesnn.learning.checkpoint import State
from spicesnn.learning.datasets import Dataset, iris, stratified_split
from spicesnn.learning.encoders import PopulationEncoder, SpikeTrains
from spicesnn.learning.forward import Response
from spicesnn.learning.loop import LoopParameters, Task, start_state, train
from spicesnn.learning.rules import ErrorTriggered, Plain, ThreeFactors

FACTORS = ThreeFactors()
STEPS = FACTORS.steps(10e-3)
SHAPE = (2, 4, 3)
Array = npt.NDArray[np.float64]


def linear_forward(
    conductance: Array,
    samples: Sequence[SpikeTrains],
    steps: Array,
    done: Callable[[], None] | None = None,
) -> list[Response]:
    """Spikes in proportion to the weighted input counts."""
    weight = (conductance[0] - conductance[1]) / (conductance[0] + conductance[1])
    answers = []
    for sample in samples:
        counts = np.array([len(t) for t in sample])
        spikes = tuple(
            np.linspace(1e-3, 9.9e-3, int(max(0, d))) for d in np.round(1.5 * counts @ weight)
        )
        trace = np.tile(np.where(counts > 2, 0.4, 0.0), (steps.size, 1))
        answers.append(Response(spikes, np.full((steps.size, 3), 0.3), trace, {"all": 1.0}, 0, 1))
    return answers


def toy_task() -> Task:
    rng = np.random.default_rng(0)
    labels = np.arange(30) % 3
    samples = []
    for label in labels:
        counts = rng.integers(0, 3, 4)
        counts[label] += 8
        samples.append(tuple(tuple(np.linspace(1e-3, 9e-3, c)) for c in counts))
    return Task(samples[:20], labels[:20], samples[20:], labels[20:])


def fresh(rule: ErrorTriggered | Plain) -> State:
    return start_state(JO2010, SHAPE, LoopParameters(), rule, 3)


class StopError(Exception):
    pass


@pytest.mark.parametrize("rule", [ErrorTriggered(), Plain()])
def test_stopped_at_any_batch_it_ends_as_if_never_stopped(
    rule: ErrorTriggered | Plain, tmp_path: Path
) -> None:
    loop = LoopParameters(epochs=3, batch=4)

    def go(state: State, calls: int | None, path: Path) -> State:
        left = calls

        def forward(*arguments: object) -> list[Response]:
            nonlocal left
            if left is not None:
                if left == 0:
                    raise StopError
                left -= 1
            return linear_forward(*arguments)  # type: ignore[arg-type]

        return train(
            forward, toy_task(), JO2010, FACTORS, rule, loop, STEPS, state, 3, path  # type: ignore[arg-type]
        )  # fmt: skip

    whole = go(fresh(rule), None, tmp_path / "whole.npz")
    assert whole.history[-1]["writes"]
    for calls in range(19):
        path = tmp_path / f"{calls}.npz"
        with pytest.raises(StopError):
            go(fresh(rule), calls, path)
        state = State.load(path) if path.exists() else fresh(rule)
        ended = go(state, None, path)
        assert ended.history == whole.history
        np.testing.assert_array_equal(ended.conductance, whole.conductance)


def test_it_learns_and_rules_start_from_the_same_devices() -> None:
    loop = LoopParameters(epochs=8)
    states = {}
    for rule in (ErrorTriggered(), Plain()):
        start = fresh(rule)
        states[type(rule)] = start.conductance.copy()
        end = train(linear_forward, toy_task(), JO2010, FACTORS, rule, loop, STEPS, start, 3)
        assert end.history[-1]["test_accuracy"] >= 0.8
    np.testing.assert_array_equal(states[ErrorTriggered], states[Plain])


def test_without_a_rule_nothing_is_written() -> None:
    state = start_state(JO2010, SHAPE, LoopParameters(), None, 3)
    before = state.conductance.copy()
    end = train(
        linear_forward, toy_task(), JO2010, FACTORS, None, LoopParameters(), STEPS, state, 3
    )
    assert end.writes == 0
    assert len(end.history) == 1
    np.testing.assert_array_equal(end.conductance, before)


def test_devices_with_a_history_are_refused_before_the_first_simulation() -> None:
    with pytest.raises(ParameterError, match=r"Nandakumar2018 \(phase change\) remembers memory, "):
        start_state(NANDAKUMAR2018, SHAPE, LoopParameters(), None, 3)


def test_damaged_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(RunFolderError, match="is not a checkpoint of this version"):
        State.load(path)


def test_split_is_stratified_and_seeded() -> None:
    data = iris()
    train_set, test_set = stratified_split(data.labels, 1 / 3, 0)
    assert np.bincount(data.labels[test_set]).tolist() in ([17, 17, 16], [17, 16, 17], [16, 17, 17])
    assert not set(train_set) & set(test_set)
    again = stratified_split(data.labels, 1 / 3, 0)[1]
    np.testing.assert_array_equal(test_set, again)


def test_nan_in_the_data_names_the_place() -> None:
    features = np.ones((4, 2))
    features[2, 1] = np.nan
    with pytest.raises(DataError, match="feature 1 of sample 2 is nan; remove or fill in"):
        Dataset(features, np.zeros(4, dtype=np.int64), ("a",))


def test_too_few_members_for_a_split() -> None:
    with pytest.raises(DataError, match="cannot hold out"):
        stratified_split(np.array([0, 0, 1]), 1 / 3, 0)


def test_encoder_gives_the_stated_rates() -> None:
    encoder = PopulationEncoder()
    features = np.array([[0.0], [0.5], [1.0]])
    rates = encoder.rates(features, np.array([0.0]), np.array([1.0]))
    np.testing.assert_allclose(np.diag(rates), encoder.maximum_rate)
    trains = encoder.spikes(rates[1], 0.2e-3, 9.9e-3)
    middle = np.array(trains[1])
    np.testing.assert_allclose(np.diff(middle), 1 / encoder.maximum_rate)
    assert middle[0] >= 0.2e-3
    assert middle[-1] < 9.9e-3


def test_constant_feature_is_named() -> None:
    with pytest.raises(DataError, match="feature 0 is constant in the training set"):
        PopulationEncoder().rates(np.ones((3, 1)), np.ones(1), np.ones(1))
