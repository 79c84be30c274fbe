import numpy as np
import pytest

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.deck import Transient, Waveform
from spicesnn.circuits.network import Edge, Network, Piece
from spicesnn.circuits.stimuli import pulse_train
from spicesnn.errors import DataError, ParameterError, UnknownNameError
from spicesnn.processes import Process


def test_pulse_train_has_its_spikes_at_half_height() -> None:
    wave = pulse_train([1e-3, 2e-3], high=1.8, width=20e-6, edge=1e-6, stop=5e-3)
    at = np.interp([1e-3 + 0.5e-6, 1e-3 + 20.5e-6], wave.time, wave.value)
    np.testing.assert_allclose(at, 0.9)


@pytest.mark.parametrize(
    ("spikes", "text"),
    [
        ([float("nan")], "NaN or infinite"),
        ([4.999e-3], "must lie in 0..0.004979 s"),
        ([1e-3, 1.01e-3], "less than a pulse"),
    ],
)
def test_bad_spike_times(spikes: list[float], text: str) -> None:
    with pytest.raises(DataError, match=text):
        pulse_train(spikes, high=1.8, width=20e-6, edge=1e-6, stop=5e-3)


def test_waveform_must_rise() -> None:
    with pytest.raises(DataError, match="times must rise"):
        Waveform(np.array([0.0, 0.0]), np.array([0.0, 1.0]))


def test_unknown_knob_and_bad_values(circuit: ClassifierCircuit, process: Process) -> None:
    deck = circuit.column_deck(process)
    with pytest.raises(UnknownNameError, match=r"no knob of .* named 'rplus99'; did you mean"):
        deck.settings({"rplus99": 1e6})
    with pytest.raises(ParameterError, match="knob rplus0 is a resistor: give it a positive"):
        deck.settings({"rplus0": -5.0})
    with pytest.raises(ParameterError, match=r"rplus0 is a resistor: .* not a waveform"):
        deck.settings({"rplus0": Waveform.constant(1.0)})
    with pytest.raises(ParameterError, match="vp0 is a voltage source: give it a finite number"):
        deck.settings({"vp0": float("nan")})


def test_deck_is_complete_and_ends_with_a_newline(
    circuit: ClassifierCircuit, process: Process
) -> None:
    text = circuit.neuron_deck(process).text(".options reltol=1e-4")
    for part in (".options", ".save v(v_mem)", ".tran", ".ic", ".model generic180_nfet"):
        assert part in text
    assert ".control" not in text
    assert text.endswith(".end\n")


def test_every_transistor_carries_areas_and_perimeters(
    circuit: ClassifierCircuit, process: Process
) -> None:
    lines = [x for x in circuit.unit_deck(process).netlist.splitlines() if x.startswith("M")]
    assert len(lines) > 30
    for line in lines:
        for key in (" as=", " ad=", " ps=", " pd="):
            assert key in line


def test_loop_of_edges_is_refused(circuit: ClassifierCircuit, process: Process) -> None:
    deck = circuit.neuron_deck(process)
    edges = (
        Edge("a", "v(spike)", "b", "vsum_plus"),
        Edge("b", "v(spike)", "a", "vsum_plus"),
    )
    network = Network({"a": Piece("a", deck), "b": Piece("b", deck)}, edges)
    with pytest.raises(ParameterError, match="form a loop through: a, b"):
        network.stages()
    with pytest.raises(UnknownNameError, match="no probe of piece a named"):
        Network({"a": Piece("a", deck)}, (Edge("a", "v(none)", "a", "vsum_plus"),))


def test_a_run_ends_where_the_deck_says() -> None:
    """The deck has six figures of a stop, and a run that came there is complete."""
    analysis = Transient(1.23456789e-3, 1e-6)
    assert analysis.complete(1.23457e-3)
    assert not Transient(1.2345649e-3, 1e-6).complete(1.23455e-3)
    assert Transient(1.2345649e-3, 1e-6).complete(1.23456e-3)
