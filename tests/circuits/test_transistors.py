"""The transistors of a flattened netlist: as ngspice names them, with their sizes in metres."""

import numpy as np
import pytest

from spicesnn.characterize.benches.dpi_neuron import NeuronBench
from spicesnn.characterize.benches.dpi_trace import SynapseBench
from spicesnn.circuits.deck import OperatingPoint
from spicesnn.circuits.transistors import transistors
from spicesnn.engine.session import Session
from spicesnn.errors import DeckError
from spicesnn.processes import Process


def test_ngspice_knows_each_by_that_name_and_size(any_process: Process) -> None:
    """Asked for every instance's width and length, it answers with ours."""
    for bench in (SynapseBench(), NeuronBench()):
        deck = bench.deck(any_process)
        found = transistors(deck.netlist, any_process)
        assert len({t.instance for t in found}) == len(found) > 15
        probes = tuple(f"@{t.instance}[{name}]" for t in found for name in ("w", "l"))
        asked = type(deck)(**{**vars(deck), "probes": probes, "analysis": OperatingPoint()})
        with Session(asked) as session:
            waves = session.run().waveforms
        for transistor in found:
            own = [float(waves[f"@{transistor.instance}[{name}]"][0]) for name in ("w", "l")]
            assert own == pytest.approx([transistor.width, transistor.length], rel=1e-4)


def test_parallel_transistors_match_better(process: Process) -> None:
    text = "m1 d g s b generic180_nfet w=1e-6 l=1e-6\nm2 d g s b generic180_nfet w=1e-6 l=1e-6 m=4"
    one, four = transistors(text, process)
    assert four.multiplier == 4
    np.testing.assert_allclose(np.array(one.local()) / np.array(four.local()), 2.0)


def test_an_unknown_subcircuit_is_named(process: Process) -> None:
    text = ".subckt cell a\nx2 a nowhere\n.ends\nx1 a cell"
    with pytest.raises(DeckError, match=r"1\.x2 calls nowhere, which is neither a subcircuit"):
        transistors(text, process)
