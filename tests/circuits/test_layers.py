"""Layers as one network: pieces against one circuit, and what does not fit."""

import numpy as np
import pytest

from spicesnn.circuits.cells.dpi_trace import DpiTraceBias
from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.deck import Value
from spicesnn.circuits.layers import layered_network
from spicesnn.circuits.whole import whole_deck, whole_probe
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pieces import NetworkRunner
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.errors import ParameterError
from spicesnn.measure.compare import match_spikes
from spicesnn.measure.spikes import spike_times
from spicesnn.processes import Process


def test_two_layers_agree_with_one_circuit(process: Process) -> None:
    """Their bias generators differ, so the whole has two subcircuits of one name: kept apart.

    The second layer is driven well over its threshold: a membrane that creeps up to it makes of a
    tenth of a millivolt ten microseconds.
    """
    layers = [
        ClassifierCircuit(rows=2, units=1, stop=5e-3, maximum_step=2e-5),
        ClassifierCircuit(
            rows=1, units=1, stop=5e-3, maximum_step=2e-5, trace_bias=DpiTraceBias(i_weight=1e-6)
        ),
    ]
    network = layered_network(layers, process)
    settings: dict[str, dict[str, Value]] = {
        f"layer0_trace{j}": {"vevent": layers[0].stimulus([2e-4 + 1e-4 * j, 1e-3], process)}
        for j in range(2)
    }
    weight = np.full((2, 1), 0.9)
    conductance = 20e-9 * np.stack([1 + weight, 1 - weight])
    settings["layer0_column0"] = layers[0].device_knobs(conductance, 0)
    settings["layer1_column0"] = layers[1].device_knobs(conductance[:, :1], 0)
    whole = whole_deck(network, settings)
    assert "dpi_trace_bias_piece" in whole.netlist
    with Pool(2, SimulationOptions.profile("precise")) as pool:
        pieces = NetworkRunner(network, pool).run([settings])[0]
        one = pool.map([Job(whole)])[0].waveforms
    for name in ("layer0_neuron0", "layer1_neuron0"):
        wave = pieces[name].waveforms
        trains = [
            spike_times(one.time, one[whole_probe(network, name, "v(spike)")], 0.9),
            spike_times(wave.time, wave["v(spike)"], 0.9),
        ]
        match = match_spikes(trains[0], trains[1], 2e-3 * layers[0].stop)
        assert match.matched >= 1
        assert match.missed == match.added == 0


def test_layers_that_do_not_fit(process: Process) -> None:
    first, second = ClassifierCircuit(rows=2, units=3), ClassifierCircuit(rows=4, units=1)
    with pytest.raises(ParameterError, match=r"layer 0 has 3 units .* layer 1 has 4 rows"):
        layered_network([first, second], process)
