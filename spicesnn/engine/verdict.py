"""Verdicts: whether a run can be trusted, judged by messages and artefacts, never by exit codes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from math import isnan

import numpy as np
import numpy.typing as npt

from spicesnn.circuits.deck import Deck, Settings
from spicesnn.engine.messages import Message, MessageClass, overratings
from spicesnn.units import thermal_voltage
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]

# Weak inversion ends where the inversion coefficient reaches 0.1 (Enz & Vittoz 2006), in EKV's
# interpolation at n U_T ln(e^sqrt(IC) - 1) 2 = -2 n U_T from the threshold; n = 1.4 (ours).
_WEAK_LIMIT = 2 * 1.4 * float(np.log(np.expm1(np.sqrt(0.1))))


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
    FLOATING_NODE = (
        "a node has no path that sets its voltage; connect it, or give it a voltage by .ic"
    )
    OVER_RATING = (
        "a terminal voltage (or a current or power) passed the rating of its device; lower it, or "
        "use a device that is made for it"
    )
    LEFT_WEAK_INVERSION = (
        "a transistor that was declared to be in weak inversion left it; widen it, lower its "
        "current, or take it off the list"
    )
    TIMED_OUT = "the run passed its time limit; raise the limit or simplify the circuit"
    OUT_OF_MEMORY = (
        "the run passed its memory limit; save fewer vectors, shorten the run or raise the limit"
    )
    CRASHED = "ngspice died on this deck each time; run it alone to see why"


def refusal(messages: Sequence[Message]) -> str:
    """What ngspice said against the deck while it read it; empty if nothing."""
    for message in messages:
        if message.kind is MessageClass.DECK_ERROR:
            return message.text
    return ""


def judge(
    deck: Deck, settings: Settings, waveforms: Waveforms | None, messages: Sequence[Message]
) -> tuple[Verdict, str]:
    """The verdict on a run and its detail.

    A solver may say that one strategy failed and then succeed by the next (gmin, then source
    stepping); so a convergence message counts only where the analysis did not reach its end.
    """
    for kind, verdict in (
        (MessageClass.OUT_OF_MEMORY, Verdict.OUT_OF_MEMORY),
        (MessageClass.DECK_ERROR, Verdict.DECK_REFUSED),
        (MessageClass.MISSING_VECTOR, Verdict.MISSING_VECTOR),
    ):
        said = next((m.text for m in messages if m.kind is kind), "")
        if said:
            return verdict, said
    failure = next((m.text for m in messages if m.kind in _FAILURES), "")
    if waveforms is None or waveforms.time.size == 0:
        return Verdict.NOT_CONVERGED, failure or "no point was computed"
    reached, analysis = float(waveforms.time[-1]), settings.analysis
    if not analysis.complete(reached):
        detail = f"reached {reached:g} of {analysis.end:g}; {failure}".rstrip("; ")
        return (Verdict.NOT_CONVERGED if failure else Verdict.STOPPED_EARLY), detail
    return (
        _artefacts(deck, waveforms)
        or _floating(deck, messages)
        or _ratings(messages)
        or _region(deck, settings, waveforms)
        or (Verdict.CONVERGED, "")
    )


_FAILURES = (MessageClass.CONVERGENCE_FAILURE, MessageClass.SINGULAR_MATRIX)


def _artefacts(deck: Deck, waveforms: Waveforms) -> tuple[Verdict, str] | None:
    for name in (*deck.probes, *deck.region_probes):
        if name not in waveforms.signals:
            return Verdict.MISSING_VECTOR, name
        values = waveforms[name]
        if not np.isfinite(values).all():
            return Verdict.NOT_FINITE, name
        if name.startswith("v(") and np.abs(values).max() > deck.plausible_voltage:
            return Verdict.IMPLAUSIBLE, f"{name} reaches {values[np.abs(values).argmax()]:g} V"
    return None


def _floating(deck: Deck, messages: Sequence[Message]) -> tuple[Verdict, str] | None:
    """A singular matrix that names nodes whose voltage nothing sets."""
    set_nodes = {node.lower() for node in deck.initial}
    for message in messages:
        if message.kind is MessageClass.SINGULAR_MATRIX:
            named = re.search(r"check nodes? (.*)", message.text, re.I)
            nodes = (
                set(re.findall(r"[\w.:#]+", named.group(1).lower())) - {"and"} if named else {""}
            )
            if not nodes <= set_nodes:
                return Verdict.FLOATING_NODE, message.text
    return None


def _ratings(messages: Sequence[Message]) -> tuple[Verdict, str] | None:
    over = overratings(messages)
    if not over:
        return None
    worst = max(over, key=lambda o: o.reached / o.rating)
    more = f", and {len(over) - 1} more" if len(over) > 1 else ""
    when = "" if isnan(worst.time) else f" from {worst.time:g} s"
    return Verdict.OVER_RATING, (
        f"{worst.device}{when}: {worst.quantity} {worst.reached:g} {worst.unit} of "
        f"{worst.rating:g} {worst.unit}{more}"
    )


def _region(deck: Deck, settings: Settings, waveforms: Waveforms) -> tuple[Verdict, str] | None:
    limit = _WEAK_LIMIT * thermal_voltage(settings.temperature)
    left = []
    for name in deck.weak_inversion if deck.region_probes else ():
        over = waveforms[f"@{name}[vgs]"] - waveforms[f"@{name}[vth]"] - limit
        outside = np.flatnonzero(over > 0)
        if outside.size:
            first, most = waveforms.time[outside[0]], float(over.max())
            left.append((most, f"{name} from {first:g} s by up to {most * 1e3:.0f} mV"))
    if not left:
        return None
    return Verdict.LEFT_WEAK_INVERSION, "; ".join(text for _, text in sorted(left, reverse=True))
