"""A transistor of an open process through the engine: what its own figures say."""

from pathlib import Path

import numpy as np
import pytest

from spicesnn.engine.foreign import parse_deck
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.session import Session
from spicesnn.processes import Process


def test_subthreshold_figures_of_gf180mcu(gf180mcu: Process, tmp_path: Path) -> None:
    """nfet_03v3 1 um/1 um, typical, 27 C: 85.1 mV a decade, 4.5 fA off (ngspice 39 and 46,
    measured apart from this engine); ngspice's own gmin makes the off current 65 times larger.
    Without drain and source areas BSIM4 takes a saturation current of 1e-14 A, twice as much again.
    """
    text = (
        f"one transistor\n{gf180mcu.models}\n"
        "vd d 0 1\nvg g 0 0\n"
        "x1 d g 0 0 nfet_03v3 w=1u l=1u ad=0.44p as=0.44p pd=2.88u ps=2.88u\n.op\n"
    )
    deck = parse_deck(text, tmp_path, ["i(vd)"], roots=[gf180mcu.library.parent]).deck
    with Session(deck) as session:
        off, low, high = (
            -float(run.waveforms["i(vd)"][0])
            for run in session.map([{"vg": v} for v in (0.0, 0.3, 0.4)])
        )
    assert off == pytest.approx(4.5e-15, rel=0.05, abs=0)
    assert 0.1 / np.log10(high / low) == pytest.approx(85.1e-3, rel=0.02)
    usual = SimulationOptions(minimum_conductance=1e-12, current_tolerance=1e-12)
    with Session(deck, usual) as session:
        assert -float(session.run().waveforms["i(vd)"][0]) > 50 * off
