"""How the cards of `generic180` were fitted to measured silicon.

First the shape of the curves, with a threshold for each device so that no slope bends to make up
for the spread from device to device: wide transistors, then narrow ones beside them. Then, with the
shape held, where thresholds and mobility lie.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from silicon_data import GOALS, Device, array_for_slope, is_short, region, usable
from stored import ROOT

from spicesnn.engine.pool import Pool
from spicesnn.fit.bsim import PARAMETERS, CardFit, fit_card
from spicesnn.fit.curves import Curves, Kind
from spicesnn.processes import Mosfet, find_process

Array = npt.NDArray[np.float64]
Selection = npt.NDArray[np.bool_]

CARDS = ROOT / "models" / "generic180" / "generic180.spice"
FITTED = "* [silicon] fitted\n"
FIRST, LAST = "* RESIDUALS, by benchmarks/silicon.py --fit\n", "* END OF RESIDUALS\n"
# Standard deviation of the threshold from device to device in the first step, volts: our choice,
# about half of what repeated sites show, so that the geometry terms take what they can.
SPREAD = {"nfet": 0.015, "pfet": 0.04}
# Two points in three have a bulk bias, and circuits seldom: those weigh less.
BULK = 0.4
# Residual at which a region's points count in full, of the shape freed of the spread.
SHAPE = {"weak": 0.08, "moderate": 0.1, "strong": 0.04}
_WIDTH = ("k3", "k3b", "w0", "wint")
_BINS = ("wvth0", "wk1", "wk2", "wvoff", "wnfactor", "wminv", "wu0", "wua", "wub", "wa0")
# How the threshold moves with length; `dvt1` and `dsub` would move the slope with it.
_LENGTH = ("lpe0", "lpeb", "dvt0", "dvt2")
_CENTRE = ("vth0", "k2", "u0", "eta0")
_STARTS: tuple[dict[str, float], ...] = (
    {"minv": -0.5, "voff": -0.15, "nfactor": 2.0},
    {"minv": -0.3, "voff": -0.12, "nfactor": 2.0, "cdsc": 1e-3},
)


@dataclass(frozen=True)
class Part:
    """One file in the fit: its device, its curves, which points, at which weight."""

    device: Device
    curves: Curves
    selected: Selection
    weights: Array


def parts(devices: Sequence[Device], goals: Mapping[str, float], weight: float = 1.0) -> list[Part]:
    """The files of devices; each region of a file weighs as ten points at its goal."""
    found = []
    for device in devices:
        for curves in (device.gate, device.drain):
            selected = usable(device, curves)
            if selected.sum() < 4 or (array_for_slope(device) and curves is device.drain):
                continue
            names = region(curves, device.gate)[selected]
            own = weight * (1.0 if curves is device.gate else 0.7)
            weights = np.empty(names.size)
            for name, goal in goals.items():
                inside = names == name
                if inside.any():
                    weights[inside] = own / goal * np.sqrt(10 / inside.sum())
            weights[np.abs(curves.vb[selected]) > 1e-6] *= BULK
            found.append(Part(device, curves, selected, weights))
    return found


def fit_parts(
    chosen: Sequence[Part], kind: Kind, card: str, names: Sequence[str],
    start: Mapping[str, float], spread: float, pool: Pool,
) -> CardFit:  # fmt: skip
    """Fit some parameters of a card to some files."""
    numbers: dict[int, int] = {}
    return fit_card(
        [p.curves for p in chosen], [p.selected for p in chosen], [p.weights for p in chosen],
        mosfet_of(kind), card, names, pool, start=start, spread=spread,
        centred=[array_for_slope(p.device) for p in chosen],
        devices=[numbers.setdefault(id(p.device), len(numbers)) for p in chosen],
    )  # fmt: skip


def short_narrow(devices: Sequence[Device]) -> list[Device]:
    """Single devices below the range that hold the cards' narrow ends, at little weight."""
    return [d for d in devices if d.multiplicity == 1 and is_short(d) and d.gate.width < 2e-6]


def fit_kind(
    kind: Kind, fitted: Sequence[Device], devices: Sequence[Device], pool: Pool
) -> CardFit:
    """The card of one kind from the devices of the fit and the short narrow ones beside them."""
    own = [d for d in fitted if d.gate.kind == kind]
    short = [d for d in short_narrow(devices) if d.gate.kind == kind]
    # Too few narrow p transistors were measured to tell how else width bends their curves.
    bins = _BINS if kind == "nfet" else ("wvth0",)
    names = [n for n in PARAMETERS if n not in (*_WIDTH, *_BINS)]
    card, spread = bare_card(kind), SPREAD[kind]
    wide = [p for p in parts(own, SHAPE) if p.curves.width > 2e-6]
    vth0 = {"vth0": 0.5 if kind == "nfet" else -0.9}
    shapes = [fit_parts(wide, kind, card, names, vth0 | s, spread, pool) for s in _STARTS]
    best = min(shapes, key=lambda found: found.cost)
    every = parts(own, SHAPE) + parts(short, SHAPE, 0.25)
    names = [*_LENGTH, *_WIDTH, *bins]
    narrow = fit_parts(every, kind, best.text, names, best.parameters, spread, pool)
    known = best.parameters | narrow.parameters
    every = parts(own, GOALS) + parts(short, GOALS, 0.1)
    centre = [*_CENTRE, *_LENGTH, "k3", "k3b", "w0", "wvth0"]
    centre += [n for n in ("wk2", "wu0") if n in bins]
    found = fit_parts(every, kind, narrow.text, centre, known, 0.0, pool)
    return replace(found, parameters=known | found.parameters)


def mosfet_of(kind: Kind) -> Mosfet:
    """The transistor that the cards describe."""
    return find_process("generic180").mosfet(kind)


def card_of(kind: Kind) -> str:
    """Today's card of a kind."""
    cards = re.split(r"(?m)^(?=\.model )", CARDS.read_text(encoding="utf-8"))
    return next(card for card in cards if card.startswith(f".model generic180_{kind}"))


def bare_card(kind: Kind) -> str:
    """The card without what is fitted: oxide, doping, junctions and their like."""
    return card_of(kind).partition(FITTED)[0]


def write_cards(cards: Mapping[Kind, CardFit]) -> None:
    """Put the fitted parameters into the cards' file, six a line."""
    text = CARDS.read_text(encoding="utf-8")
    for kind, found in cards.items():
        items = [f"{name}={value:.6g}" for name, value in found.parameters.items()]
        lines = ["+ " + " ".join(items[k : k + 6]) for k in range(0, len(items), 6)]
        text = text.replace(card_of(kind), bare_card(kind) + FITTED + "\n".join(lines) + "\n\n")
    CARDS.write_text(text.rstrip() + "\n", encoding="utf-8")


def write_residuals(lines: Sequence[str]) -> None:
    """Put the table of residuals into the head of the cards' file."""
    before, _, rest = CARDS.read_text(encoding="utf-8").partition(FIRST)
    _, _, after = rest.partition(LAST)
    middle = "".join(f"* {line}\n" for line in lines)
    CARDS.write_text(before + FIRST + middle + LAST + after, encoding="utf-8")
