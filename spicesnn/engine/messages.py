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
    # The integrals after a noise spectrum, which nobody saves; what `uic` asks for; a power of
    # "inf" over the rating of a diode that has none.
    (MessageClass.INFORMATION, (
        "no data saved for noise analysis", "skipped by 'uic'", "_max=1e+99",
    )),
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
        "source step", "last gmin", "further gmin increment", "dynamic gmin", "note: starting",
        "transient op started", "transient op finished", "convergence problem",
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
    if low.lstrip().startswith("circuit:"):  # the deck's title, which may say anything
        return Message(MessageClass.INFORMATION, text.strip())
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
    """A device at which a voltage, current or power passed its rating, by ngspice's own check.

    Attributes:
        device: ngspice's name of the instance.
        time: seconds of the first passing; NaN in an operating point.
        quantity: for example `vgs`.
        reached: the largest magnitude that was said.
        rating: allowed.
        unit: of both.
    """

    device: str
    time: float
    quantity: str
    reached: float
    rating: float
    unit: str


# Transistors: `Vgs=2.07 has exceeded Vgs_max=2`; bipolar, R and C: `|Vbe|=0.7 has ...`; diodes:
# `Pd=0.1 W at Vd=0.8 V has exceeded Pd_max=0.01 W`.
_OVER = re.compile(
    r"instance: (\S+) model: \S+ (?:time: (\S+) )?\|?(\w+)\|?=(\S+)(?: [vaw])?(?: at \S+ [vaw])?"
    r" has exceeded \w+=(\S+)(?: ([vaw]))?",
    re.I,
)


def overratings(messages: Iterable[Message]) -> tuple[Overrating, ...]:
    """One entry a device and quantity."""
    found: dict[tuple[str, str], Overrating] = {}
    for message in messages:
        match = _OVER.search(message.text)
        if not match or message.kind is not MessageClass.OVER_RATING:
            continue
        device, time, name, value, rating, unit = match.groups()
        quantity = name.lower()
        earlier = found.get((device, quantity))
        reached = max(abs(float(value)), earlier.reached if earlier else 0.0)
        first = earlier.time if earlier else float(time or "nan")
        found[device, quantity] = Overrating(
            device, first, quantity, reached, float(rating), (unit or "V").upper()
        )
    return tuple(found.values())
