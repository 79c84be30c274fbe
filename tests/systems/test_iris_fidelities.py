"""Iris trained on the tiers and judged by the circuit, in small."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spicesnn.errors import RunFolderError
from spicesnn.learning.fidelities import FidelityParameters
from spicesnn.learning.loop import LoopParameters
from spicesnn.systems.iris import IrisJob
from spicesnn.systems.iris_fidelities import FidelityJob, run_iris_fidelities

JOB = FidelityJob(
    iris=IrisJob(with_plain=False, held_out=0.06, loop=LoopParameters(epochs=1, batch=20)),
    fidelity=FidelityParameters(every=3, simulations=2),
)


def test_a_run_is_judged_by_the_circuit_and_bound_to_its_tiers(tmp_path: Path) -> None:
    """The result says what the circuit was asked; another gain, or another tier, is refused."""
    batches = []
    result = run_iris_fidelities(JOB, tmp_path, 3, workers=2, watch=batches.append)
    assert len(batches) == JOB.batches
    assert 0 < result["samples_simulated_in_training"] <= 2
    tests = result["samples_simulated_at_the_end"]
    assert result["in_circuit_alone"] == 150
    assert tests == 9
    # Of nine decisions the tier and the circuit part in one at most.
    assert result["same_decisions"] >= 1 - 1 / tests
    assert result["writes"] > 0
    stored = json.loads((tmp_path / "result.json").read_text())
    assert stored["circuit_accuracy"] == result["circuit_accuracy"]

    with pytest.raises(RunFolderError, match="holds a run with another configuration"):
        run_iris_fidelities(JOB, tmp_path, 3, gain=0.5)
    config = json.loads((tmp_path / "config.json").read_text())
    config["tiers"] = "of another fit"
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(RunFolderError, match="holds a run with another configuration"):
        run_iris_fidelities(JOB, tmp_path, 3)


def test_a_job_without_a_rule_is_refused(tmp_path: Path) -> None:
    job = FidelityJob(iris=IrisJob(rule="none", with_plain=False))
    with pytest.raises(ValueError, match="trains nothing: take error-triggered or plain"):
        run_iris_fidelities(job, tmp_path)
