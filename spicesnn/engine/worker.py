"""A worker process: one simulator that answers jobs from a pipe until its parent goes away."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Literal

from spicesnn.circuits.deck import Deck, Value
from spicesnn.engine.batch import run_batch
from spicesnn.engine.installation import Installation
from spicesnn.engine.limits import Limits
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.simulator import Simulator

Form = Literal["library", "batch"]


@dataclass(frozen=True)
class Job:
    """One simulation: a template deck and the knobs that differ from its defaults.

    Attributes:
        deck: the template.
        knobs: by name, see `Deck.settings`.
        cached: the answer is kept by content, where the pool has a cache.
    """

    deck: Deck
    knobs: Mapping[str, Value] = field(default_factory=dict)
    cached: bool = False


@dataclass(frozen=True)
class Start:
    """The first message to a worker."""

    options: SimulationOptions
    installation: Installation
    limits: Limits
    form: Form


def _end_with_parent(descriptor: int) -> None:
    """End this process's whole group when the lifeline's other end is gone.

    The kernel closes it however the parent died; a signal asked for by prctl would also come
    when only the thread that started the worker ended.
    """

    def wait() -> None:
        while os.read(descriptor, 1):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def main(descriptor: int, lifeline: int) -> None:
    """Answer jobs until the pipe closes; a deck is sent once and known by its identity after."""
    _end_with_parent(lifeline)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = Connection(descriptor)
    decks: dict[str, Deck] = {}
    try:
        start: Start = connection.recv()
        start.limits.hold_memory()
        simulator = None
        while True:
            identity, deck, knobs = connection.recv()
            if deck is not None:
                decks[identity] = deck
            try:
                if start.form == "library":
                    simulator = simulator or Simulator(start.installation)
                    start.limits.hold_cpu()
                    run = simulator.run(decks[identity], knobs, start.options)
                else:
                    run = run_batch(
                        decks[identity], knobs, start.options, start.installation, start.limits
                    )
                connection.send(run)
            except Exception as error:
                connection.send(error)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
