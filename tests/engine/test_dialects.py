"""Decks in the dialects of Xyce and Spectre."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.deck import DcSweep, OperatingPoint
from spicesnn.engine.batch import run_batch
from spicesnn.engine.dialects import export
from spicesnn.engine.foreign import parse_deck
from spicesnn.engine.options import SimulationOptions
from spicesnn.errors import DeckError, UnknownNameError
from spicesnn.processes import Process


@pytest.fixture
def circuit() -> ClassifierCircuit:
    return ClassifierCircuit(rows=1)


def test_xyce_deck_but_for_its_options_is_the_same_circuit(
    circuit: ClassifierCircuit, process: Process, tmp_path: Path
) -> None:
    """ngspice knows level 54 too: with its own options and saves back it must answer the same."""
    deck = circuit.trace_deck(process)
    knobs = {"vevent": circuit.stimulus([0.5e-3, 1.5e-3], process)}
    text = export(deck, "xyce", knobs=knobs)
    assert "level=14" not in text
    assert "vgs_max" not in text
    assert ".print tran format=raw v(v_p) i(vdd) i(vbias)" in text
    assert ".options timeint reltol=0.0001 abstol=1e-06 method=trap" in text
    back = re.sub(r"^\.(options|print).*\n", "", text, flags=re.M)
    again = parse_deck(back, tmp_path, deck.probes).deck
    ours, theirs = run_batch(deck, knobs).checked("ours"), run_batch(again).checked("again")
    np.testing.assert_allclose(
        theirs.waveforms["v(v_p)"], ours.waveforms["v(v_p)"], rtol=1e-6, atol=1e-9
    )


def test_spectre_deck(circuit: ClassifierCircuit, process: Process) -> None:
    deck = replace(circuit.trace_deck(process), probes=("v(xtrace.v_q)", "i(vdd)", "@m.x.m1[id]"))
    lines = export(deck, "spectre", SimulationOptions(method="gear")).splitlines()
    assert lines[:2] == [f"// {deck.title}", "simulator lang=spice"]
    after = lines[lines.index("simulator lang=spectre") :]
    assert after[1].startswith("engine options reltol=0.0001 vabstol=1e-06 iabstol=1e-17 gmin=5e-1")
    assert after[2] == "transient tran stop=0.01 maxstep=0.0002 method=gear2only"
    assert after[3:] == ["save xtrace.v_q", "save vdd:p", "save x.m1:id"]
    point = export(replace(deck, analysis=OperatingPoint()), "spectre")
    assert "\npoint dc\n" in point
    sweep = export(replace(deck, analysis=DcSweep("vdd", 0, 1.8, 0.1)), "spectre")
    assert "sweep dc dev=vdd param=dc start=0 stop=1.8 step=0.1" in sweep


def test_what_cannot_be_exported(circuit: ClassifierCircuit, process: Process) -> None:
    deck = circuit.trace_deck(process)
    with pytest.raises(UnknownNameError, match="no dialect named 'xice'; did you mean 'xyce'"):
        export(deck, "xice")
    with pytest.raises(DeckError, match="mismatch knobs are ngspice's own"):
        export(deck, "xyce", knobs={"@m.xtrace.mq_out[delvto]": 1e-3})
    assert "* not saved: @m.x.m1[id]" in export(replace(deck, probes=("@m.x.m1[id]",)), "xyce")
