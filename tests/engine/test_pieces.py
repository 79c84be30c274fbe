"""The cut network against the whole circuit."""

import numpy as np
import pytest

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.engine.batch import run_batch
from spicesnn.engine.pieces import NetworkRunner
from spicesnn.engine.pool import Pool
from spicesnn.measure.compare import compare
from spicesnn.processes import Process


@pytest.mark.parametrize("strength", [0.2, 0.35, 0.6])
def test_pieces_agree_with_the_whole(process: Process, pool: Pool, strength: float) -> None:
    """Same spikes one to one, each within 0.5 % of the sample; membrane alike away from them."""
    circuit = ClassifierCircuit(rows=4, units=1)
    trains = [[0.5e-3 + k / rate for k in range(int(9e-3 * rate))] for rate in (900, 700, 300, 150)]
    weight = np.array([strength, strength, -0.2, 0.4])[:, None]
    conductance = 20e-9 * np.stack([1 + weight, 1 - weight])
    setting = {f"trace{j}": {"vevent": circuit.stimulus(t, process)} for j, t in enumerate(trains)}
    setting["column0"] = circuit.device_knobs(conductance, 0)
    pieces = NetworkRunner(circuit.network(process), pool).run([setting])[0]
    whole = run_batch(
        circuit.unit_deck(process), circuit.unit_knobs(conductance, trains, 0, process)
    ).checked("whole")
    result = compare(
        whole.waveforms, pieces["neuron0"].waveforms, ["v(v_mem)"], ["v(spike)"],
        process.supply / 2, window=0.005 * circuit.stop, margin=0.02 * circuit.stop,
    )  # fmt: skip
    match = result.spikes["v(spike)"]
    assert (match.missed, match.added) == (0, 0)
    if strength > 0.3:
        assert match.matched >= 3
    assert result.differences["v(v_mem)"].largest < 15e-3


def test_equal_traces_are_simulated_once(process: Process, pool: Pool) -> None:
    circuit = ClassifierCircuit(rows=2, units=1, stop=2e-3)
    runner = NetworkRunner(circuit.network(process), pool)
    wave = circuit.stimulus([0.5e-3], process)
    same = {"trace0": {"vevent": wave}, "trace1": {"vevent": wave}}
    finished = []
    runner.run([same, same], lambda: finished.append(1))
    assert len(finished) == 1 + 2 * 2  # one trace, a column and a neuron for each setting
    finished.clear()
    runner.run([same], lambda: finished.append(1))
    assert len(finished) == 2
