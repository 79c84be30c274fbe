"""Mutated decks: every one gets a verdict within its limit; the parent lives; no process stays."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spicesnn.engine.foreign import parse_deck
from spicesnn.engine.limits import Limits
from spicesnn.engine.pool import Pool
from spicesnn.engine.verdict import Verdict
from spicesnn.engine.worker import Job
from spicesnn.errors import SpicesnnError

BASES = (
    "title\nv1 in 0 pulse(0 1 1n 1n 1n 50n 100n)\nr1 in out 1k\nc1 out 0 1p\n.tran 1n 200n\n.end\n",
    "title\n.subckt inv a y vdd\nm1 y a 0 0 n w=1u l=1u\nm2 y a vdd vdd p w=2u l=1u\n.ends\n"
    ".model n nmos level=14\n.model p pmos level=14\nvdd vdd 0 1.8\nvin in 0 pwl(0 0 10n 1.8)\n"
    "x1 in out vdd inv\nx2 out o2 vdd inv\n.ic v(o2)=0\n.options reltol=1e-4\n.tran 0.1n 20n\n",
    "title\n.param r=10k\nv1 a 0 1\nr1 a b {r}\nd1 b 0 dd\n.model dd d is=1e-14 n=1\n"
    "b1 c 0 v=v(b)*2\nrc c 0 1k\n.dc v1 0 1 0.1\n",
    "title\nq1 c b 0 qq\n.model qq npn bf=100\nvcc vcc 0 5\nrc vcc c 1k\nrb vcc b 100k\n.op\n",
)
NASTY = (
    "1e999", "-1", "0", "1e-400", "nan", "{", "}", "(", ")", "'", '"', "=", "+", ".", "\\", "\t",
    "x" * 3000, "1/0", "{1/0}", "v(", ".subckt", ".ends", ".model", "temp=", "m=1e9", "pwl(",
    "uic", "é", "𝄞", "%s%s%n", "9" * 400,
)  # fmt: skip


@st.composite
def decks(draw: st.DrawFn) -> str:
    lines = draw(st.sampled_from(BASES)).splitlines()
    for _ in range(draw(st.integers(1, 4))):
        k = draw(st.integers(0, len(lines) - 1))
        words = lines[k].split(" ")
        w = draw(st.integers(0, len(words) - 1))
        kind = draw(st.sampled_from(("drop", "double", "swap", "replace", "insert", "cut")))
        if kind == "drop" and len(lines) > 1:
            lines.pop(k)
        elif kind == "double":
            lines.insert(k, lines[k])
        elif kind == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[k], lines[other] = lines[other], lines[k]
        elif kind == "cut":
            lines[k] = lines[k][: draw(st.integers(0, len(lines[k])))]
        else:
            text = draw(st.sampled_from(NASTY))
            words[w] = text if kind == "replace" else words[w] + text
            lines[k] = " ".join(words)
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def small_pool() -> Iterator[Pool]:
    with Pool(1, limits=Limits(wall=5.0, memory=1.5e9)) as pool:
        yield pool


def check(text: str, pool: Pool, folder: Path) -> None:
    try:
        foreign = parse_deck(text, folder)
    except SpicesnnError:
        return
    began = time.monotonic()
    run = pool.map([Job(foreign.deck)], raise_on_failure=False)[0]
    assert isinstance(run.verdict, Verdict)
    assert time.monotonic() - began < 3 * 5.0 + 10
    if run.verdict is Verdict.CONVERGED:
        assert run.waveforms.signals


COMMON = {"deadline": None, "derandomize": True, "database": None}
HEALTH = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=60, suppress_health_check=HEALTH, **COMMON)  # type: ignore[arg-type]
@given(text=decks())
def test_mutated_decks(
    text: str, small_pool: Pool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check(text, small_pool, tmp_path_factory.getbasetemp())


@pytest.mark.slow
@settings(max_examples=2000, suppress_health_check=HEALTH, **COMMON)  # type: ignore[arg-type]
@given(text=decks())
def test_two_thousand_mutated_decks(
    text: str, small_pool: Pool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check(text, small_pool, tmp_path_factory.getbasetemp())


def test_no_process_is_left_by_decks_that_fail(tmp_path: Path) -> None:
    """Refused, not converged, timed out: what was started is gone when the pool is."""
    script = (
        "from pathlib import Path\nfrom spicesnn.engine.foreign import parse_deck\n"
        "from spicesnn.engine.limits import Limits\nfrom spicesnn.engine.session import Session\n"
        "for form in ('library', 'batch'):\n"
        "    for text in ('r1 a b {x}', 'b1 a 0 v=v(a)+1', 'r1 a 0 1'):\n"
        "        deck = parse_deck(f't\\n{text}\\n.tran 1n 100\\n', Path('.')).deck\n"
        "        limits = Limits(wall=1.0 if 'r1 a 0' in text else 60.0)\n"
        "        with Session(deck, form=form, limits=limits) as session:\n"
        "            print(session.run(raise_on_failure=False).verdict.name, flush=True)\n"
        "import time\ntime.sleep(1.0)\nprint('end', flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=tmp_path, text=True,
        env={**os.environ, "SPICESNN_TEST_MARK": str(tmp_path)},
    )  # fmt: skip
    assert parent.stdout
    try:
        verdicts = [line.strip() for line in iter(parent.stdout.readline, "end\n")]
        assert verdicts == ["DECK_REFUSED", "NOT_CONVERGED", "TIMED_OUT"] * 2
        assert _marked(tmp_path) == [parent.pid]
    finally:
        parent.kill()
        parent.wait()


def test_no_process_is_left_when_the_parent_is_killed(tmp_path: Path) -> None:
    """Whatever the parent's death: two seconds later there is no worker and no ngspice."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom spicesnn.engine.foreign import parse_deck\n"
        "from spicesnn.engine.online import OnlineSession\n"
        "from spicesnn.engine.session import Session\n"
        "deck = parse_deck('t\\nv1 a 0 1\\nr1 a 0 1\\n.tran 1n 100\\n', Path('.')).deck\n"
        "print('go', flush=True)\n"
        "if sys.argv[1] == 'online':\n"
        "    OnlineSession(deck, ('v1',)).run(lambda time, values: {})\n"
        "Session(deck, workers=2, form=sys.argv[1]).map([{}, {'v1': 2.0}])\n"
    )
    for form, processes in (("library", 3), ("batch", 5), ("online", 2)):
        parent = subprocess.Popen(
            [sys.executable, "-c", script, form], stdout=subprocess.PIPE, cwd=tmp_path,
            env={**os.environ, "SPICESNN_TEST_MARK": str(tmp_path)},
        )  # fmt: skip
        assert parent.stdout
        assert parent.stdout.readline() == b"go\n"
        deadline = time.monotonic() + 20
        while len(_marked(tmp_path)) < processes:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        parent.kill()
        parent.wait()
        time.sleep(2.0)
        assert _marked(tmp_path) == []


def _marked(folder: Path) -> list[int]:
    """Processes that carry this test's mark in their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"SPICESNN_TEST_MARK={folder}".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found
