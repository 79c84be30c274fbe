"""Drain currents of simulated transistors at the bias points of given curves, in one sweep."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySpice.Spice.Netlist import Circuit

from spicesnn.circuits.deck import DcSweep, Deck
from spicesnn.engine.pool import Pool
from spicesnn.engine.verdict import Verdict
from spicesnn.engine.worker import Job
from spicesnn.errors import DataError
from spicesnn.fit.curves import Curves
from spicesnn.processes import Mosfet
from spicesnn.units import spice_number

Array = npt.NDArray[np.float64]
_LINE = 120


def currents_at_points(
    mosfet: Mosfet,
    cards: Sequence[str],
    curves: Sequence[Curves],
    pool: Pool,
    *,
    shifts: Sequence[Sequence[float]] | None = None,
    raise_on_failure: bool = True,
) -> list[list[Array]]:
    """What a transistor of each card would have given in the place of each measured one.

    All points of curves with the same bias are one sweep of a deck that holds their geometries side
    by side: 666 points of 12 transistors take about 10 ms on the reference machine.

    Args:
        mosfet: name of the model and layout rule; its minimum sizes and the cards' ratings are put
            aside, as measurements go beyond them.
        cards: model text, one a variant of the transistor.
        curves: measured points.
        pool: where the sweeps run.
        shifts: added to the threshold of each transistor, volts: a list a card, in it one a set of
            curves.
        raise_on_failure: if not, a card that does not converge gives NaN.

    Returns:
        Currents into the drain, amperes, with the device's sign: a list a card, in it one array a
        set of curves, shape (points,).

    Raises:
        DataError: curves of several temperatures.
        SimulationError: a sweep cannot be trusted.
    """
    if len({each.celsius for each in curves}) > 1:
        raise DataError("these curves are of several temperatures; compare one at a time.")
    groups: dict[bytes, list[int]] = {}
    for index, each in enumerate(curves):
        groups.setdefault(_bias(each).tobytes(), []).append(index)
    jobs = []
    for card, own in zip(cards, shifts or [[0.0] * len(curves)] * len(cards), strict=True):
        models = without_ratings(card)
        for members in groups.values():
            deck = _deck(mosfet, models, [curves[k] for k in members])
            knobs = {
                f"@{mosfet.instance(str(k))}[delvto]": own[member]
                for k, member in enumerate(members)
                if own[member]
            }
            jobs.append(Job(deck, knobs))
    runs = iter(pool.map(jobs, raise_on_failure=raise_on_failure))
    found = []
    for _ in cards:
        currents: list[Array] = [np.empty(0)] * len(curves)
        for members in groups.values():
            run = next(runs)
            for k, index in enumerate(members):
                points = curves[index].id.size
                currents[index] = np.full(points, np.nan)
                if run.verdict is Verdict.CONVERGED:
                    currents[index] = np.asarray(run.waveforms[f"i(vm{k})"])[:points]
        found.append(currents)
    return found


def without_ratings(card: str) -> str:
    """A card's text without the largest voltages of its terminals."""
    return re.sub(r"\bv[gdb][sdb]_max=\S+ ?", "", card)


def _bias(curves: Curves) -> Array:
    """Terminal voltages, shape (points, 4), in microvolts."""
    return np.round(1e6 * np.column_stack([curves.vg, curves.vd, curves.vs, curves.vb])) + 0.0


def _deck(mosfet: Mosfet, models: str, curves: Sequence[Curves]) -> Deck:
    """One transistor a set of curves, which share their bias, over the index of the point."""
    free = mosfet.model_copy(update={"minimum_width": 0.0, "minimum_length": 0.0})
    circuit, lines = Circuit("cut off below"), []
    for k, each in enumerate(curves):
        free(circuit, str(k), f"d{k}", "g", "s", "b", width=each.width, length=each.length)
        lines.append(f"vm{k} d d{k} dc 0")
    # One point makes no sweep: it is then computed twice.
    last = max(curves[0].id.size - 1, 1)
    for node in "gdsb":
        values: Array = getattr(curves[0], f"v{node}")
        lines.append(_table(node, np.append(values, values[-1:])[: last + 1]))
    lines.append("vindex index 0 dc 0")
    return Deck(
        f"{mosfet.model} at measured points", str(circuit).partition("\n")[2] + "\n".join(lines),
        models, {}, tuple(f"i(vm{k})" for k in range(len(curves))),
        DcSweep("vindex", 0, last, 1), temperature=curves[0].celsius,
    )  # fmt: skip


def _table(node: str, values: Array) -> str:
    """A voltage source that gives the values, one a unit of the index."""
    words = [f"b{node} {node} 0 v = pwl(v(index)"]
    words += [f", {k}, {spice_number(float(v))}" for k, v in enumerate(values)]
    lines = [""]
    for word in [*words, ")"]:
        if len(lines[-1]) + len(word) > _LINE:
            lines.append("+")
        lines[-1] += word
    return "\n".join(lines)
