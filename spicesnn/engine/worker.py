"""A worker process: one session that answers jobs from a pipe until its parent goes away."""

from __future__ import annotations

import ctypes
import signal
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection

from spicesnn.circuits.deck import Deck, Waveform
from spicesnn.engine.installation import Installation
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.session import Session

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Job:
    """One simulation: a template deck and the knobs that differ from its defaults."""

    deck: Deck
    knobs: dict[str, Waveform | float]


@dataclass(frozen=True)
class Start:
    """The first message to a worker."""

    options: SimulationOptions
    installation: Installation


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main(descriptor: int) -> None:
    """Answer jobs until the pipe closes; a deck is sent once and known by its identity after."""
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = Connection(descriptor)
    decks: dict[str, Deck] = {}
    try:
        start: Start = connection.recv()
        session = Session(start.options, start.installation)
        while True:
            identity, deck, knobs = connection.recv()
            if deck is not None:
                decks[identity] = deck
            try:
                connection.send(session.run(decks[identity], knobs))
            except Exception as error:
                connection.send(error)
    except (EOFError, BrokenPipeError):
        return


if __name__ == "__main__":
    main(int(sys.argv[1]))
