"""Point 6 of the main job: the demo's decisions do not hang on the solver's step or tolerances."""

from pathlib import Path

import numpy as np
import pytest

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.engine.options import SimulationOptions
from spicesnn.learning.forward import Response, decide, margin
from spicesnn.learning.loop import LoopParameters
from spicesnn.systems.iris import IrisJob, circuit_forward, encode_iris, load_conductance, run_iris


@pytest.mark.slow
def test_half_the_step_and_a_tenth_of_the_tolerances(tmp_path: Path) -> None:
    job = IrisJob(with_plain=False, loop=LoopParameters(epochs=3))
    run_iris(job, tmp_path / "run")
    conductance = load_conductance(tmp_path / "run", "error-triggered", 0)
    task, _ = encode_iris(job, 0)
    steps = job.factors.steps(job.circuit.stop)
    fine = job.model_copy(
        update={
            "circuit": ClassifierCircuit(maximum_step=job.circuit.maximum_step / 2),
            "options": SimulationOptions().tightened(10),
        }
    )
    answers: list[list[Response]] = []
    for which in (job, fine):
        with circuit_forward(which, 2, None) as forward:
            answers.append(forward(conductance, task.test, steps))
    usual, tight = answers
    changed = [
        k
        for k, (a, b) in enumerate(zip(usual, tight, strict=True))
        if decide(a.spikes) != decide(b.spikes)
    ]
    print(f"{len(changed)} of {len(usual)} decisions changed")
    assert all(min(margin(usual[k].spikes), margin(tight[k].spikes)) <= 1 for k in changed)
    counts = [np.array([[t.size for t in r.spikes] for r in rs]) for rs in answers]
    assert np.abs(counts[0] - counts[1]).max() <= 1
