"""What ngspice says, line by line, and which class each line belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class MessageClass(Enum):
    """The class of one line of ngspice's output; the value says what it means."""

    INFORMATION = "says what is being done"
    DECK_ERROR = "a line of the deck cannot be used"
    IGNORED_PARAMETER = "a parameter is unknown there and its default was used"
    CONVERGENCE_AID = "one strategy failed and the next was tried"
    CONVERGENCE_FAILURE = "the solver gave up"
    SINGULAR_MATRIX = "a node has no path that sets its voltage"
    OVER_RATING = "a terminal voltage is over its device's rating"
    MISSING_VECTOR = "nothing that was to be saved exists"
    OUT_OF_MEMORY = "no memory was left"
    WARNING = "a warning of another kind"


@dataclass(frozen=True)
class Message:
    """One line and its class."""

    kind: MessageClass
    text: str


# In this order: the first that matches gives the class.
_MARKS: tuple[tuple[MessageClass, tuple[str, ...]], ...] = (
    # The integrals after a noise spectrum, which nobody saves.
    (MessageClass.INFORMATION, ("no data saved for noise analysis",)),
    (MessageClass.OUT_OF_MEMORY, (
        "can't allocate", "cannot allocate", "out of memory", "memory allocation",
    )),
    (MessageClass.MISSING_VECTOR, ("no data saved",)),
    (MessageClass.OVER_RATING, ("has exceeded",)),
    (MessageClass.IGNORED_PARAMETER, (
        "unrecognized parameter", "- ignored", "unknown parameter", "not supported, ignored",
        "parameter ignored", "can't parse option", "unsupported option",
    )),
    (MessageClass.SINGULAR_MATRIX, ("singular matrix", "matrix is singular")),
    (MessageClass.CONVERGENCE_AID, (
        "stepping failed", "starting dynamic gmin", "starting true gmin", "starting source",
        "stepping completed", "trying gmin", "supplies reduced", "one successful", "gmin step",
        "source step", "last gmin", "dynamic gmin", "note: starting", "transient op started",
        "transient op finished", "convergence problem",
    )),
    (MessageClass.CONVERGENCE_FAILURE, (
        "timestep too small", "time step too small", "no convergence", "iteration limit reached",
        "simulation(s) aborted", "operating point", "analysis not run", "op failed",
        "convergence failed",
    )),
    (MessageClass.DECK_ERROR, (
        "unknown subckt", "undefined parameter", "could not find", "unknown model", "no such file",
        "syntax error", "can't find model", "no valid netlist", "circuit not parsed", "mif-error",
        "unable to find definition of model", "no simulation", "unknown device type",
        "unimplemented", "not a valid", "too few parameters", "too many parameters",
        "no such function",
        "cannot compute substitute", "expression err", "formula() error", "illegal",
        "missing .ends",
        "nesting", "valid model", "not enough nodes", "error on line", "there aren't any circuits",
        "netlist line", "error: ",
    )),
    (MessageClass.WARNING, ("warning",)),
)  # fmt: skip


def classify(text: str) -> Message:
    """The class of one line."""
    low = text.lower()
    for kind, marks in _MARKS:
        if any(mark in low for mark in marks):
            return Message(kind, text.strip())
    return Message(MessageClass.INFORMATION, text.strip())


def classify_all(lines: Iterable[str]) -> tuple[Message, ...]:
    """Every line that is more than information, repeats left out."""
    seen = dict.fromkeys(line.strip() for line in lines)
    found = (classify(line) for line in seen if line)
    return tuple(m for m in found if m.kind is not MessageClass.INFORMATION)


@dataclass(frozen=True)
class Overrating:
    """A transistor whose terminal voltage passed its rating, from ngspice's own check.

    Attributes:
        device: ngspice's name of the instance.
        time: seconds of the first passing; NaN in an operating point.
        terminals: for example `vgs`.
        volts: reached, the largest that was said.
        rating: allowed, volts.
    """

    device: str
    time: float
    terminals: str
    volts: float
    rating: float


_OVER = re.compile(
    r"instance: (\S+) model: \S+ (?:time: (\S+) )?(\w+)=(\S+) has exceeded \w+=(\S+)", re.I
)


def overratings(messages: Iterable[Message]) -> tuple[Overrating, ...]:
    """One entry a device and pair of terminals."""
    found: dict[tuple[str, str], Overrating] = {}
    for message in messages:
        match = _OVER.search(message.text)
        if not match:
            continue
        device, time, terminals, volts, rating = match.groups()
        key = (device, terminals.lower())
        earlier = found.get(key)
        reached = max(abs(float(volts)), earlier.volts if earlier else 0.0)
        first = earlier.time if earlier else float(time or "nan")
        found[key] = Overrating(*key[:1], first, key[1], reached, float(rating))
    return tuple(found.values())
