from pathlib import Path

import numpy as np
import pytest

from spicesnn.circuits.deck import (
    DcSweep,
    Deck,
    NoiseSpectrum,
    OperatingPoint,
    Pulse,
    Transient,
    Value,
    Waveform,
)
from spicesnn.engine.foreign import parse_deck
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.engine.session import Session
from spicesnn.engine.worker import Job
from spicesnn.errors import DeckError, UnknownNameError
from spicesnn.units import parse_spice_number

DECK = """An RC filter
* a comment
.param rload=10k
V1 in 0 dc 0 pulse(0 1 1u 10n 10n
+ 5u 20u) ac 1
R1 in out 1k ; series
C1 out 0 1n
RL out 0 {rload}
.options reltol=1e-5 method=gear
.ic v(out)=0
.tran 10n 30u
.end
"""


def test_knobs_options_and_analysis_are_found(tmp_path: Path) -> None:
    foreign = parse_deck(DECK, tmp_path)
    deck = foreign.deck
    assert deck.title == "An RC filter"
    assert set(deck.knobs) == {"v1", "r1", "c1"}
    assert deck.parameters == {"rload": 1e4}
    assert isinstance(deck.knobs["v1"].default, Pulse)
    assert deck.analysis == Transient(30e-6, 10e-9, print_step=10e-9)
    assert deck.initial == {"out": 0.0}
    assert foreign.options.relative_tolerance == 1e-5
    assert foreign.options.method == "gear"
    assert set(deck.probes) == {"v(in)", "v(out)"}


def test_every_knob_gives_what_theory_says(tmp_path: Path) -> None:
    """A divider behind an RC: values of knobs, of parameters and of times."""
    with Session(parse_deck(DECK, tmp_path).deck) as session:
        usual = session.run({"v1": 1.0})
        assert usual.waveforms["v(out)"][-1] == pytest.approx(10 / 11, rel=1e-4)
        assert usual.reloaded == ()
        turned = session.run({"v1": 1.0, "r1": 1e4})
        assert turned.waveforms["v(out)"][-1] < usual.waveforms["v(out)"][-1]
        loaded = session.run({"v1": 1.0, "rload": 1e3})
        assert loaded.reloaded == ("rload",)
        assert loaded.waveforms["v(out)"][-1] == pytest.approx(0.5, rel=1e-4)
        short = session.run({"v1": 1.0, "stop": 5e-6})
        assert short.waveforms.time[-1] == pytest.approx(5e-6, rel=1e-6, abs=0)
        # One time constant of R1 parallel RL with C1 after a step.
        tau = 1e3 * 1e4 / 1.1e4 * 1e-9
        step = Waveform(np.array([0.0, 1e-6, 1.001e-6]), np.array([0.0, 0.0, 1.0]))
        rising = session.run({"v1": step, "maximum_step": 2e-9})
        at = rising.waveforms.at("v(out)", 1.0005e-6 + tau)
        assert at == pytest.approx(10 / 11 * (1 - np.exp(-1)), rel=2e-3)
        again = session.run({"v1": 1.0})
        np.testing.assert_array_equal(again.waveforms["v(out)"], usual.waveforms["v(out)"])


def test_operating_point_and_sweep(tmp_path: Path) -> None:
    body = "t\nv1 a 0 2\nr1 a b 1k\nr2 b 0 1k\n"
    point = parse_deck(f"{body}.op\n", tmp_path).deck
    assert point.analysis == OperatingPoint()
    with Session(point) as session:
        runs = session.map([{}, {"v1": 4.0}, {"r2": 3e3}])
    assert [float(r.waveforms["v(b)"][0]) for r in runs] == pytest.approx([1, 2, 1.5])
    sweep = parse_deck(f"{body}.dc v1 0 1 0.1\n", tmp_path).deck
    assert isinstance(sweep.analysis, DcSweep)
    with Session(sweep) as session:
        wave = session.run().waveforms
    np.testing.assert_allclose(wave.time, np.linspace(0, 1, 11), atol=1e-9)
    np.testing.assert_allclose(wave["v(b)"], wave.time / 2, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("sweep", "last"), [("1 0 -0.1", 0.0), ("-1 0 0.1", 0.0), ("0 1 0.6", 0.6), ("-1 1 0.5", 1.0)]
)
def test_a_sweep_is_complete_at_its_last_step(sweep: str, last: float, tmp_path: Path) -> None:
    deck = parse_deck(f"t\nv1 a 0 0\nr1 a b 1k\nr2 b 0 1k\n.dc v1 {sweep}\n", tmp_path).deck
    with Session(deck) as session:
        run = session.run()
    assert run.ladder == ()
    assert run.waveforms["v(b)"][-1] == pytest.approx(last / 2, abs=1e-9)
    assert not deck.analysis.complete(-1.5)


def test_what_is_no_plain_number_stays_as_it_is(tmp_path: Path) -> None:
    """Expressions without braces, a constant besides a pulse, and the rise time TSTEP gives."""
    text = (
        "t\n.param x = 2 * 3\n.param y = max(1, 2) z=5\nv1 a 0 dc 5 pulse(0 1 1u 1n 1n 1u 9u)\n"
        "r1 a b {x}\nr2 b 0 {y}\nr3 a 0 {z}\n.op\n"
    )
    deck = parse_deck(text, tmp_path).deck
    assert "v1" not in deck.knobs
    with Session(deck) as session:
        assert session.run().waveforms["v(b)"][0] == pytest.approx(5 * 2 / 8)
    edge = "t\nv1 a 0 pulse(0 1 1u)\nr1 a 0 1k\n.tran 100n 2u 0 10n\n"
    with Session(parse_deck(edge, tmp_path).deck) as session:
        wave = session.run().waveforms
    assert wave.at("v(a)", 1.05e-6) == pytest.approx(0.5, abs=0.01)


def test_temperature_belongs_to_each_circuit_and_each_loading(tmp_path: Path) -> None:
    """A diode's voltage falls by some 2 mV a degree, whatever was run before, and reloaded."""
    text = "t\n.param q=1\nv1 a 0 5\nr1 a b 1meg\nd1 b 0 dd\n.model dd d is=1e-14\n{}.op\n"
    cold = parse_deck(text.format(""), tmp_path).deck
    hot = parse_deck(text.format(".temp 85\n"), tmp_path).deck
    at = {}
    for celsius in (27.0, 85.0):
        with Session(cold) as fresh:
            at[celsius] = fresh.run({"temperature": celsius}).waveforms["v(b)"][0]
    assert at[27.0] - at[85.0] == pytest.approx(0.13, abs=0.03)
    turns: list[tuple[Deck, dict[str, Value], float]] = [
        (hot, {"temperature": 27.0}, 27.0), (hot, {}, 85.0), (cold, {}, 27.0),
        (cold, {"q": 3.0, "temperature": 85.0}, 85.0),
        (cold, {"q": 4.0, "temperature": 85.0}, 85.0),
        (cold, {"q": 3.0}, 27.0), (hot, {}, 85.0), (cold, {"temperature": 85.0}, 85.0),
    ]  # fmt: skip
    with Pool(1) as pool:
        runs = pool.map([Job(deck, knobs) for deck, knobs, _ in turns])
    for run, (_, knobs, celsius) in zip(runs, turns, strict=True):
        assert run.waveforms["v(b)"][0] == pytest.approx(at[celsius], abs=1e-6), knobs


def test_noise_line_is_read_and_run(tmp_path: Path) -> None:
    text = "t\nv1 in 0 dc 0 ac 1\nr1 in out 1k\nc1 out 0 1n\n.noise V(out) v1 DEC 5 1 1meg\n"
    deck = parse_deck(text, tmp_path).deck
    assert deck.analysis == NoiseSpectrum("out", "v1", 1.0, 1e6, 5)
    with Session(deck) as session:
        wave = session.run().waveforms
    assert wave["onoise_spectrum"][0] == pytest.approx(4.07e-9, rel=1e-3, abs=0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("r1 a 0 1\n.noise v(a) v1 lin 5 1 2\n", r"write .noise v\(NODE\) SOURCE dec POINTS"),
        ("r1 a 0 1\n.op\n.options reltol=1e999\n", "beyond floating point"),
        ("r1 a 0 1\n.dc v1 0 1 -0.1\n", "does not come there by steps of -0.1"),
        ("r1 a 0 1\n.op\n.options retol=1e-4\n", "no option 'retol'.*did you mean reltol"),
        ("r1 a 0 1\n", "no analysis; add a .tran"),
        (".tran 1u\n", r"write .tran STEP STOP"),
        (".tran 1u 1e999\n", "'1e999' is beyond floating point"),
        (".tran 1u abc\n", "'abc' is not a SPICE number"),
        (".subckt x a\nr1 a 0 1\n.op\n", "no .ends"),
        ("r1 a 0 1\n.op\n.options reltol=0\n", "relative_tolerance"),
        (".op\n", "no element; note that its first line is only its title"),
    ],
)
def test_unreadable_decks_say_what_to_do(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DeckError, match=message):
        parse_deck(f"title\n{text}", tmp_path)


def test_an_empty_options_line_is_nothing(tmp_path: Path) -> None:
    assert parse_deck("t\nr1 a 0 1\n.options\n.op\n", tmp_path).options == SimulationOptions()


def test_a_measurement_is_said_to_be_left_out(tmp_path: Path) -> None:
    """A failed `meas` is only text to ngspice; nothing here depends on it."""
    text = "t\nv1 a 0 1\nr1 a 0 1\n.tran 1n 1u\n.meas tran x find v(nosuch) at=1\n"
    foreign = parse_deck(text, tmp_path)
    assert any("not used: .meas" in note for note in foreign.notes)
    with Session(foreign.deck) as session:
        assert session.run().waveforms["v(a)"][-1] == pytest.approx(1.0)


def test_names_that_differ_only_by_case_are_noted(tmp_path: Path) -> None:
    notes = parse_deck("t\nr1 Vmem 0 1\nr2 vmem 0 1\nv1 vmem 0 1\n.op\n", tmp_path).notes
    assert any("are one node" in note for note in notes)


def test_a_name_that_no_alter_reaches_is_no_knob(tmp_path: Path) -> None:
    foreign = parse_deck("t\nv1é a 0 1\nr1 a 0 1k\n.op\n", tmp_path)
    assert list(foreign.deck.knobs) == ["r1"]
    assert any("not an ASCII name" in note for note in foreign.notes)
    with Session(foreign.deck) as session:
        assert float(session.run().waveforms["v(a)"][0]) == pytest.approx(1.0)


def test_a_milliohm_and_a_femtofarad_are_noted(tmp_path: Path) -> None:
    text = "t\nR1 a 0 1M\nR2 a 0 1Meg\nC1 a 0 1F\nC2 a 0 1pF\nv1 a 0 1\n.op\n"
    notes = parse_deck(text, tmp_path).notes
    assert [note.split(" ")[0] for note in notes] == ["R1", "C1"]
    assert "write 1Meg if megohms are meant" in notes[0]
    assert "is in femtofarads" in notes[1]


@pytest.mark.parametrize(
    ("text", "value"),
    [("10k", 1e4), ("1Meg", 1e6), ("1M", 1e-3), ("100pF", 1e-10), ("-2.5e-3", -2.5e-3)],
)
def test_spice_numbers(text: str, value: float) -> None:
    assert parse_spice_number(text) == pytest.approx(value, rel=1e-6, abs=0)


def test_profiles() -> None:
    assert SimulationOptions.profile("subthreshold") == SimulationOptions()
    assert SimulationOptions.profile("digital").minimum_conductance == 1e-12
    with pytest.raises(UnknownNameError, match="did you mean 'digital'"):
        SimulationOptions.profile("digial")
