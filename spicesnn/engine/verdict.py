"""Verdicts: whether a run can be trusted, judged by messages and artefacts, never by exit codes."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import numpy as np

from spicesnn.circuits.deck import Deck
from spicesnn.waveforms import Waveforms


class Verdict(Enum):
    """What became of a run; the value says what it means and what to change."""

    CONVERGED = "converged"
    DECK_REFUSED = "ngspice refused the deck; mend the line that its message names"
    NOT_CONVERGED = (
        "the solver did not converge; check bias currents and initial conditions, reduce the "
        "maximum step, or relax the tolerances"
    )
    STOPPED_EARLY = "the analysis stopped before its end; reduce the maximum step"
    MISSING_VECTOR = "a wanted vector was not computed; check the names of the probes"
    NOT_FINITE = "a wanted vector holds NaN or infinite values; look for a division by zero"
    IMPLAUSIBLE = (
        "a node voltage is far outside the supplies; look for a floating node or a source of the "
        "wrong scale, or reduce the maximum step"
    )
    TIMED_OUT = "the run passed its time limit; raise the limit or simplify the circuit"


_DECK_ERRORS = (
    "unknown subckt", "undefined parameter", "could not find", "unknown model", "no such file",
    "syntax error", "can't find model", "no valid netlist", "circuit not parsed", "mif-error",
    "unable to find definition of model", "no simulation", "unknown device type",
)  # fmt: skip
_CONVERGENCE_ERRORS = (
    "timestep too small", "time step too small", "no convergence", "singular matrix",
    "iteration limit reached", "simulation(s) aborted", "stepping failed",
)  # fmt: skip


def classify_messages(messages: Iterable[str]) -> tuple[Verdict, str]:
    """The worst thing that ngspice's messages say, and the message that said it."""
    found = (Verdict.CONVERGED, "")
    for message in messages:
        text = message.lower()
        if any(mark in text for mark in _DECK_ERRORS):
            return Verdict.DECK_REFUSED, message.strip()
        if any(mark in text for mark in _CONVERGENCE_ERRORS):
            found = (Verdict.NOT_CONVERGED, message.strip())
    return found


def judge(deck: Deck, waveforms: Waveforms | None, messages: Iterable[str]) -> tuple[Verdict, str]:
    """The verdict on a run and its detail.

    A solver may say that one strategy failed and then succeed by the next (gmin, then source
    stepping); so a convergence message counts only where the analysis did not reach its end.
    """
    said, message = classify_messages(messages)
    if said is Verdict.DECK_REFUSED:
        return said, message
    if waveforms is None or waveforms.time.size == 0:
        return Verdict.NOT_CONVERGED, message or "no time point was computed"
    reached = float(waveforms.time[-1])
    if reached < deck.transient.stop * (1 - 1e-9):
        detail = f"reached {reached:g} s of {deck.transient.stop:g} s; {message}".rstrip("; ")
        return (said if said is Verdict.NOT_CONVERGED else Verdict.STOPPED_EARLY), detail
    for name in deck.probes:
        if name not in waveforms.signals:
            return Verdict.MISSING_VECTOR, name
        values = waveforms[name]
        if not np.isfinite(values).all():
            return Verdict.NOT_FINITE, name
        if name.startswith("v(") and np.abs(values).max() > deck.plausible_voltage:
            return Verdict.IMPLAUSIBLE, f"{name} reaches {values[np.abs(values).argmax()]:g} V"
    return Verdict.CONVERGED, ""
