"""Telling a good run from a bad one: each way of going wrong, in both forms and all versions."""

from pathlib import Path

import pytest

from spicesnn.engine.foreign import parse_deck
from spicesnn.engine.installation import find_all, find_installation
from spicesnn.engine.limits import Limits
from spicesnn.engine.messages import MessageClass
from spicesnn.engine.session import Session
from spicesnn.engine.verdict import Verdict
from spicesnn.engine.worker import Form

VERSIONS = sorted({i.version for i in find_all()})
RC = "v1 a 0 1\nr1 a b 1k\nc1 b 0 1n\n"
TRAN = ".tran 10n 1u\n"
BAD = {
    "floating node": ("v1 a 0 1\nr1 a 0 1k\nc1 a b 1p\nc2 b 0 1p\n.op\n", Verdict.FLOATING_NODE),
    "division by zero": (RC + "b1 z 0 v=1/(v(b)-v(b))\n" + TRAN, Verdict.IMPLAUSIBLE),
    "voltage out of this world": (RC + "v9 z 0 1e32\n" + TRAN, Verdict.IMPLAUSIBLE),
    "impossible operating point": (RC + "b1 z 0 v=v(z)+1\n.op\n", Verdict.NOT_CONVERGED),
    "unknown model": (RC + "m1 a b 0 0 nosuch w=1u l=1u\n" + TRAN, Verdict.DECK_REFUSED),
    "undefined parameter": (RC + "r9 a z {nosuch}\n" + TRAN, Verdict.DECK_REFUSED),
    "unknown subcircuit": (RC + "x1 a z nosuch\n" + TRAN, Verdict.DECK_REFUSED),
    "missing include": (RC + ".include nosuch.inc\n" + TRAN, Verdict.DECK_REFUSED),
    "voltage sources in parallel": (RC + "v2 a 0 2\n.op\n", Verdict.NOT_CONVERGED),
    "time step too small": (
        "v1 a 0 1\nr1 a b 1\nc1 b 0 1p\nb1 b 0 i=-(v(b)*v(b)*1e3+1e-3)\n.tran 1n 1u 0 1n uic\n",
        Verdict.NOT_CONVERGED,
    ),
    "resistor over its rating": (
        "v1 a 0 5\nr1 a 0 rr r=1k\n.model rr r bv_max=2\n.op\n",
        Verdict.OVER_RATING,
    ),
    "diode over its rating": (
        RC + "d1 b 0 dd\n.model dd d is=1e-14 rs=1 fv_max=0.3\n" + TRAN,
        Verdict.OVER_RATING,
    ),
    "too long": (RC + ".tran 1n 100\n", Verdict.TIMED_OUT),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("form", ["library", "batch"])
@pytest.mark.parametrize("name", BAD)
def test_bad_run_is_known(name: str, form: Form, version: int, tmp_path: Path) -> None:
    text, verdict = BAD[name]
    foreign = parse_deck(f"title\n{text}", tmp_path, trust=True)
    limits = Limits(wall=2.0) if verdict is Verdict.TIMED_OUT else Limits()
    ngspice = find_installation(version)
    with Session(
        foreign.deck, foreign.options, form=form, installation=ngspice, limits=limits
    ) as session:
        run = session.run(raise_on_failure=False)
    assert run.verdict is verdict, (run.detail, run.messages)
    assert run.ngspice == version


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("form", ["library", "batch"])
def test_a_vector_that_is_not_there(form: Form, version: int, tmp_path: Path) -> None:
    deck = parse_deck(f"title\n{RC}{TRAN}", tmp_path, probes=["v(b)", "v(nosuch)"]).deck
    with Session(deck, form=form, installation=find_installation(version)) as session:
        run = session.run(raise_on_failure=False)
    assert run.verdict is Verdict.MISSING_VECTOR
    assert run.detail == "v(nosuch)"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("form", ["library", "batch"])
def test_a_misspelt_model_parameter_is_reported(form: Form, version: int, tmp_path: Path) -> None:
    """The run is right for the card as ngspice read it; the message says what it left out."""
    text = f"title\n{RC}d1 b 0 dd\n.model dd d iss=1e-14\n{TRAN}"
    deck = parse_deck(text, tmp_path).deck
    with Session(deck, form=form, installation=find_installation(version)) as session:
        run = session.run()
    said = [m.text for m in run.messages if m.kind is MessageClass.IGNORED_PARAMETER]
    assert said
    assert "iss" in said[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_right_run_with_a_control_section_is_right(version: int, tmp_path: Path) -> None:
    """Batch adds one for mismatch knobs; ngspice's exit code plays no part."""
    text = (
        "title\nvd d 0 1\nvg g 0 0.5\nm1 d g 0 0 nch w=1u l=1u\n"
        ".model nch nmos level=14 version=4.8.2\n.save i(vd)\n.op\n"
    )
    deck = parse_deck(text, tmp_path).deck
    currents = []
    for form in ("library", "batch"):
        with Session(deck, form=form, installation=find_installation(version)) as session:
            usual, moved = session.map([{}, {"@m1[delvto]": 0.05}])
        currents.append((usual.waveforms["i(vd)"][0], moved.waveforms["i(vd)"][0]))
    assert currents[0] == pytest.approx(currents[1], rel=1e-6, abs=0)
    assert abs(currents[0][1]) < 0.7 * abs(currents[0][0])


def test_no_memory_is_known(tmp_path: Path) -> None:
    cells = "".join(f"r{k} a n{k} 1k\nc{k} n{k} 0 1p\n" for k in range(200))
    text = f"title\nv1 a 0 sin(0 1 1g)\n{cells}"
    deck = parse_deck(text + ".tran 10p 20u 0 10p\n", tmp_path).deck
    with Session(deck, limits=Limits(memory=1.2e9, wall=100)) as session:
        run = session.run(raise_on_failure=False)
        assert run.verdict is Verdict.OUT_OF_MEMORY, run
        assert session.run({"stop": 1e-8}).verdict is Verdict.CONVERGED
