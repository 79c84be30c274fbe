"""A controller inside a transient."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.deck import Waveform
from spicesnn.engine.foreign import parse_deck
from spicesnn.engine.installation import find_all, find_installation
from spicesnn.engine.online import OnlineSession
from spicesnn.engine.session import Session
from spicesnn.errors import ParameterError, UnknownNameError
from spicesnn.processes import Process

RC = "t\nr1 in b 1k\nc1 b 0 1u\nv1 in 0 0\ni1 0 b 0\n.tran 10u 20m 0 10u\n"


def bang_bang(time: float, values: Mapping[str, float]) -> dict[str, float]:
    return {"v1": 1.0 if values["v(b)"] < 0.5 else 0.0}


@pytest.mark.parametrize("version", sorted({i.version for i in find_all()}))
def test_a_controller_holds_an_rc_node(version: int, tmp_path: Path) -> None:
    deck = parse_deck(RC, tmp_path).deck
    session = OnlineSession(deck, ("v1",), installation=find_installation(version))
    answer = session.run(bang_bang)
    wave = answer.run.waveforms
    late = wave["v(b)"][wave.time > 5e-3]
    # It swings by what the RC moves in a step and a ramp: 2 x 10 us of 1 ms.
    assert np.abs(late - 0.5).max() < 0.5 * 20e-6 / 1e-3 * 1.2
    assert answer.points == wave.time.size
    assert answer.overhead_seconds > 0


def test_the_same_drive_without_the_controller_gives_the_same_answer(tmp_path: Path) -> None:
    """The source did what the record says, when it says.

    ngspice makes no breakpoint at the corners of an external source, so its ramp may be half of
    itself off: 0.1 V/ms x 5 us here. 39 is 3 us off; 46 is right, and held to that.
    """
    deck = parse_deck(RC, tmp_path).deck

    def steps(time: float, values: Mapping[str, float]) -> dict[str, float]:
        return {"i1": 1e-4} if time > 10e-3 else {}

    answer = OnlineSession(deck, ("i1",)).run(steps, {"v1": 0.3})
    drive = answer.drives["i1"]
    assert drive.value[-1] == 1e-4
    with Session(deck) as session:
        plain = session.run({"v1": 0.3, "i1": drive})
    times = np.linspace(0, 20e-3, 400)
    allowed = 2e-5 if find_installation().version >= 46 else 5e-4
    np.testing.assert_allclose(
        plain.waveforms.at("v(b)", times), answer.run.waveforms.at("v(b)", times), atol=allowed
    )


def test_errors_of_the_controller_come_back(tmp_path: Path) -> None:
    deck = parse_deck(RC, tmp_path).deck

    def broken(time: float, values: Mapping[str, float]) -> dict[str, float]:
        raise ZeroDivisionError("in the controller")

    session = OnlineSession(deck, ("v1",))
    with pytest.raises(ZeroDivisionError, match="in the controller"):
        session.run(broken)
    with pytest.raises(UnknownNameError, match="no external source named 'v9'"):
        session.run(lambda time, values: {"v9": 1.0})
    with pytest.raises(ParameterError, match="gave v1 the value nan"):
        session.run(lambda time, values: {"v1": float("nan")})
    with pytest.raises(UnknownNameError, match="no source knob named 'r1'"):
        OnlineSession(deck, ("r1",))
    with pytest.raises(ParameterError, match="needs a deck with a transient"):
        OnlineSession(parse_deck("t\nv1 a 0 1\nr1 a 0 1\n.op\n", tmp_path).deck, ("v1",))


def test_a_spike_is_answered_in_its_own_transient(process: Process) -> None:
    """An event switches the input off for good: there is exactly one spike."""
    circuit = ClassifierCircuit()
    deck = circuit.neuron_deck(process)
    knobs = {"vgate_minus": Waveform.constant(0.0)}

    def once(time: float, values: Mapping[str, float]) -> dict[str, float]:
        return {"vsum_plus": process.supply} if values["v(spike)"] > 0.9 else {}

    deck = circuit.neuron_deck(process)
    from dataclasses import replace

    on = replace(deck.knobs["vsum_plus"], default=Waveform.constant(1.03))
    deck = replace(deck, knobs={**deck.knobs, "vsum_plus": on})
    with Session(deck) as session:
        free = session.run(knobs).waveforms
    stopped = OnlineSession(deck, ("vsum_plus",)).run(once, knobs).run.waveforms

    def spikes(wave: np.ndarray) -> int:
        return int(((wave[1:] > 0.9) & (wave[:-1] <= 0.9)).sum())

    assert spikes(free["v(spike)"]) > 3
    assert spikes(stopped["v(spike)"]) == 1
