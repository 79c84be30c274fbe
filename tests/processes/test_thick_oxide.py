"""The assumed thick-oxide pair of generic180, and thick pairs in general."""

from __future__ import annotations

from hashlib import sha256

import pytest
from PySpice.Spice.Netlist import Circuit

from spicesnn.characterize.bench import bench_circuit, bench_deck
from spicesnn.characterize.off_current import off_current
from spicesnn.circuits.cells.level_shifter import LevelShifter
from spicesnn.circuits.deck import Deck, Knob, OperatingPoint
from spicesnn.circuits.transistors import transistors
from spicesnn.engine.installation import find_all
from spicesnn.engine.pool import Pool
from spicesnn.engine.verdict import Verdict
from spicesnn.engine.worker import Job
from spicesnn.errors import ParameterError
from spicesnn.processes import CORNERS, Mosfet, Process, find_process
from spicesnn.processes.installed import digest


def one(process: Process, mosfet: Mosfet, length: float) -> Deck:
    """Gate and drain by knobs `vg` and `vd`; W = 1 um."""
    circuit = Circuit("one transistor")
    mosfet(circuit, "1", "d", "g", "0", "0", width=1e-6, length=length)
    netlist = str(circuit).partition("\n")[2]
    knobs = {name: Knob(name, (name[1:], "0"), 0.0) for name in ("vg", "vd")}
    models = process.models_for(netlist)
    return Deck(f"one {mosfet.model}", netlist, models, knobs, ("i(vd)",), OperatingPoint())


def current(pool: Pool, deck: Deck, sign: int, gate: float, drain: float) -> float:
    run = pool.map([Job(deck, {"vg": sign * gate, "vd": sign * drain})])[0]
    return -sign * float(run.waveforms["i(vd)"][0])


def test_core_decks_and_the_librarys_identity_do_not_know_it(process: Process) -> None:
    """What was trained on the core transistors is told by these bytes."""
    circuit = Circuit("core")
    process.nfet(circuit, "1", "d", "g", "0", "0", width=1e-6, length=1e-6)
    assert process.models_for(str(circuit)) == process.models
    assert "3v3" not in process.models
    name = process.library.name.encode()
    alone = sha256(name + b"\0" + process.library.read_bytes()).hexdigest()[:12]
    assert digest(process.library) == alone


def test_its_cards_enter_the_decks_that_use_it(process: Process) -> None:
    circuit = bench_circuit(process, LevelShifter())
    circuit.X("s", "level_shifter", "in", "out", "out_bar", "vdd", "vdd_write")
    deck = bench_deck("shifter", circuit, process, OperatingPoint(), ["v(out)"])
    assert deck.models == f"{process.models}\n{process.thick_models}"
    models = {t.mosfet.model for t in transistors(deck.netlist, process)}
    pair = {mosfet.model for mosfet in process.thick_pair()}
    assert models == pair | {process.nfet.model, process.pfet.model}


def test_currents_that_the_readme_states(process: Process, pool: Pool) -> None:
    for mosfet, on, square in zip(
        process.thick_pair(), ((567e-6, 282e-6), (248e-6, 87e-6)), (0.677, 0.771), strict=True
    ):
        for length, stated in zip((mosfet.minimum_length, 1e-6), on, strict=True):
            deck = one(process, mosfet, length)
            assert current(pool, deck, mosfet.sign, 3.3, 3.3) == pytest.approx(stated, rel=0.01)
        deck = one(process, mosfet, 1e-6)
        assert current(pool, deck, mosfet.sign, square, 0.05) == pytest.approx(
            1e-7, rel=0.05, abs=0
        )


@pytest.mark.parametrize(("kind", "stated"), [("nfet", 4.8e-15), ("pfet", 2.1e-15)])
def test_off_current(process: Process, kind: str, stated: float) -> None:
    mosfet = process.thick_pair()[kind == "pfet"]
    supplied = process.model_copy(update={"supply": process.thick_supply})
    found = off_current(supplied, mosfet, 1e-6, mosfet.minimum_length)
    assert found.drain == pytest.approx(stated, rel=0.05, abs=0)
    assert found.junction > 0.5 * found.drain


@pytest.mark.parametrize("kind", ["nfet", "pfet"])
def test_corners_move_it_by_its_own_letter(pool: Pool, kind: str) -> None:
    at = {}
    for corner in CORNERS:
        process = find_process("generic180", corner)
        mosfet = process.thick_pair()[kind == "pfet"]
        at[corner] = current(pool, one(process, mosfet, 1e-6), mosfet.sign, 0.7, 1.65)
    letter = {corner: corner[0 if kind == "nfet" else 1] for corner in CORNERS}
    assert at["ff"] > 1.2 * at["tt"] > 1.2**2 * at["ss"]
    for corner in CORNERS:
        assert at[corner] == pytest.approx(at[letter[corner] * 2], rel=1e-6), corner


def test_every_ngspice_takes_the_cards_as_they_are(process: Process) -> None:
    """A parameter that ngspice mends is mended for some sizes only: see `fit/bsim.py`."""
    circuit = Circuit("all sizes")
    n, p = process.thick_pair()
    sizes = [(w, long) for w in (0.43e-6, 1e-6, 20e-6) for long in (0.35e-6, 1e-6, 10e-6)]
    for k, (width, length) in enumerate(sizes):
        n(circuit, f"n{k}", "d", "g", "0", "0", width=width, length=length)
        p(circuit, f"p{k}", "0", "g", "d", "d", width=width, length=length)
    netlist = "\n".join([*str(circuit).splitlines()[1:], "vd d 0 dc 3.3", "vg g 0 dc 0.9"])
    models = process.models_for(netlist)
    deck = Deck("all sizes", netlist, models, {}, ("i(vd)",), OperatingPoint())
    for installation in find_all():
        with Pool(1, installation=installation) as own:
            run = own.map([Job(deck, {})])[0]
        assert not [m.text for m in run.messages], installation.version


@pytest.mark.parametrize(("terminal", "quantity"), [("vg", "vgs"), ("vd", "vgd")])
def test_ngspice_checks_its_ratings(
    process: Process, pool: Pool, terminal: str, quantity: str
) -> None:
    for mosfet in process.thick_pair():
        deck = one(process, mosfet, 1e-6)
        runs = pool.map(
            [Job(deck, {terminal: mosfet.sign * volts}) for volts in (3.5, 3.7)],
            raise_on_failure=False,
        )
        assert [run.verdict for run in runs] == [Verdict.CONVERGED, Verdict.OVER_RATING]
        assert f"{quantity} 3.7 V of 3.6 V" in runs[1].detail


def test_every_process_has_a_pair_and_a_supply_within_its_rating(any_process: Process) -> None:
    for mosfet in any_process.thick_pair():
        assert any_process.supply < any_process.thick_supply <= mosfet.rating


def test_a_process_without_a_pair_says_who_has_one(process: Process) -> None:
    bare = process.model_copy(update={"thick_nfet": None, "thick_pfet": None})
    with pytest.raises(ParameterError, match=r"no thick-oxide .*; generic180, gf180mcu and sky130"):
        LevelShifter().subcircuit(bare)
