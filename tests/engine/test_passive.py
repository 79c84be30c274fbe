"""A passive array among pieces: exact by itself, and a layer with wires as the whole circuit."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from spicesnn.arrays.crossbar import Array, Crossbar, Drive, Wires
from spicesnn.arrays.linear import LinearArray
from spicesnn.circuits.cells.dpi_neuron import DpiNeuronBias
from spicesnn.circuits.deck import Pulse, Value
from spicesnn.circuits.network import Network
from spicesnn.circuits.whole import whole_deck, whole_probe
from spicesnn.circuits.wired_layer import WiredLayer
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.passive import PassiveArray
from spicesnn.engine.pieces import NetworkRunner
from spicesnn.engine.pool import Pool
from spicesnn.engine.relaxation import relax
from spicesnn.engine.session import Session
from spicesnn.errors import DataError, ParameterError, UnknownNameError
from spicesnn.measure.compare import compare
from spicesnn.processes import Process
from spicesnn.waveforms import Waveforms

# Lines so resistive that a fifth of the read voltage is lost along them.
WIRES = Wires(r_row=300e3, r_column=300e3)
ROWS, UNITS = 5, 2


def conductances(seed: int = 0) -> Array:
    return 1 / np.random.default_rng(seed).uniform(26e6, 80e6, (ROWS, UNITS))


def events(layer: WiredLayer, process: Process) -> dict[str, dict[str, Value]]:
    rng = np.random.default_rng(3)
    settings: dict[str, dict[str, Value]] = {}
    for i in range(ROWS):
        times = 0.1e-3 + (0.2e-3 + 0.02e-3 * i) * np.arange(9) + rng.uniform(0, 5e-5, 9)
        settings[f"row{i}"] = {"vevent": layer.stimulus(times[times < layer.stop - 5e-5], process)}
    return settings


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2, SimulationOptions.profile("precise")) as found:
        yield found


def test_the_arrays_currents_are_the_solvers(process: Process) -> None:
    layer = WiredLayer(wires=WIRES)
    piece = layer.network(process, conductances()).pieces["array"]
    time = np.linspace(0, layer.stop, 7)
    volts = np.random.default_rng(1).uniform(0.1, 0.3, (ROWS, 7))
    recorded = {f"vleft{i}": (time, volts[i]) for i in range(ROWS)}
    changed = {"r2_1": 30e6}
    run = PassiveArray(piece).run(changed, recorded, layer.stop)
    cells = np.array(conductances())
    cells[2, 1] = 1 / 30e6
    solved = LinearArray(Crossbar(cells, WIRES)).solve(Drive(left=volts.T, bottom=0.25))
    for j in range(UNITS):
        wanted = solved.i_bottom[:, j]
        assert run.waveforms[f"i(vbottom{j})"] == pytest.approx(wanted, rel=1e-9, abs=1e-20)


def test_what_ports_were_found_at_counts_for_the_others_alone(process: Process) -> None:
    """Each column's current is the solver's with the other columns where they went."""
    layer = WiredLayer(wires=WIRES)
    piece = layer.network(process, conductances()).pieces["array"]
    rng = np.random.default_rng(2)
    time, volts = np.linspace(0, layer.stop, 5), rng.uniform(0.1, 0.3, (ROWS, 5))
    went = rng.uniform(0.23, 0.27, (UNITS, 5))
    recorded = {f"vleft{i}": (time, volts[i]) for i in range(ROWS)}
    moved = {f"vbottom{j}": (time, went[j]) for j in range(UNITS)}
    run = PassiveArray(piece).run({}, recorded, layer.stop, moved)
    array = LinearArray(Crossbar(conductances(), WIRES))
    for j in range(UNITS):
        bottom = went.copy()
        bottom[j] = layer.v_reference
        wanted = array.solve(Drive(left=volts.T, bottom=bottom.T)).i_bottom[:, j]
        assert run.waveforms[f"i(vbottom{j})"] == pytest.approx(wanted, rel=1e-9, abs=1e-20)


def test_a_layer_with_wires_agrees_with_the_whole_circuit(process: Process, pool: Pool) -> None:
    """Spikes one to one within 0.05 % of the run, membranes within 0.5 %, columns within 2 %."""
    quick = DpiNeuronBias(i_refractory=2e-9)
    layer = WiredLayer(stop=2e-3, wires=WIRES, neuron_bias=quick)
    network = layer.network(process, conductances())
    settings = events(layer, process)
    # Another weight than the network was made with, too: nothing of the old one may remain.
    settings["array"] = {"r1_0": 28e6}
    answer = NetworkRunner(network, pool, array_corrections=1).run([settings])[0]
    with Session(whole_deck(network, settings), pool.options) as session:
        whole = session.run().waveforms
    spikes = 0
    for j in range(UNITS):
        unit = answer[f"unit{j}"].waveforms
        names = ("v(column)", "v(v_mem)", "v(spike)")
        found = {n: whole[whole_probe(network, f"unit{j}", n)] for n in names}
        compared = compare(
            Waveforms(whole.time, found), unit,
            spiking=["v(spike)"], window=5e-4 * layer.stop, margin=0.01 * layer.stop,
        )  # fmt: skip
        match = compared.spikes["v(spike)"]
        assert match.missed == match.added == 0
        spikes += match.matched
        assert compared.differences["v(v_mem)"].relative < 0.005
        assert compared.differences["v(column)"].relative < 0.02
    assert spikes >= 4


def test_the_wires_matter_here(process: Process) -> None:
    network = WiredLayer(wires=WIRES).network(process, conductances())
    array = PassiveArray(network.pieces["array"])
    ideal = float(1 / conductances()[:, 0].sum())
    assert array.resistances({})["vbottom0"] > 1.02 * ideal


def test_what_an_array_piece_refuses(process: Process, pool: Pool) -> None:
    layer = WiredLayer(wires=WIRES)
    network = layer.network(process, conductances())
    array = PassiveArray(network.pieces["array"])
    with pytest.raises(ParameterError, match="array has no cell r9_0: it is 5 x 2, counted from 0"):
        array.reduction({"r9_0": 1e6})
    with pytest.raises(ParameterError, match="knob vleft0 of an array: give a Waveform or a num"):
        array.run({"vleft0": Pulse(0, 1, 0, 1e-6, 1e-6, 1e-5, 1e-4)}, {}, 1e-3)
    with pytest.raises(ParameterError, match="give positive ohms for r0_0"):
        array.reduction({"r0_0": -5.0})
    with pytest.raises(ParameterError, match="array is a passive array, which relaxation does not"):
        relax(network, {}, pool)
    capacitive = Wires(r_row=1, r_column=1, c_row=1e-15)
    with pytest.raises(DataError, match="resistive: set c_row and c_column of the layer"):
        WiredLayer(wires=capacitive).network(process, conductances())
    edge = replace(network.edges[0], port="rnone")
    with pytest.raises(UnknownNameError, match="no neighbour of piece row0 named 'rnone'"):
        Network(network.pieces, (edge,))
