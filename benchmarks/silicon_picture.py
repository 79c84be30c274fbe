"""Held-out transistors, our card and SKY130's, for the docs.

Run `python benchmarks/silicon_picture.py DIR` (the folder of the measurements, as in `silicon.py`).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from silicon import simulate
from silicon_data import GOALS, Device, noise, sound, split
from silicon_fit import card_of, fit_parts, mosfet_of, parts
from stored import ROOT

from spicesnn.engine.pool import Pool
from spicesnn.processes import find_process

PICTURE = ROOT / "docs" / "pictures" / "silicon.png"
# Two of each kind: one where the card lies well, one far off.
SHOWN = ("8392_5_6", "8434_8_9", "8397_10_9", "8404_5_4")


def draw(folder: Path) -> None:
    """Id(Vg) at 1.8 V across the channel, no bulk bias, and what the threshold's shift leaves."""
    held = split(sound(folder)[0])[1]
    shown = [next(d for d in held if d.site == site) for site in SHOWN]
    figure = Figure(figsize=(10, 5.5), layout="constrained")
    rows = figure.subplots(2, len(shown), sharex=True, height_ratios=[2, 1])
    with Pool(1) as pool:
        for k, device in enumerate(shown):
            _one(device, rows[0][k], rows[1][k], pool)
    rows[0][0].set_ylabel("drain current (A)")
    handles, labels = rows[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, fontsize=8)
    rows[1][0].set_ylabel("ln(card / silicon)")
    figure.supxlabel("gate voltage, magnitude (V)", fontsize=10)
    figure.savefig(PICTURE, dpi=130)


def _one(device: Device, upper: Axes, lower: Axes, pool: Pool) -> None:
    kind = device.gate.kind
    sky = find_process("sky130")
    shift = fit_parts(parts([device], GOALS), kind, card_of(kind), (), {}, 0.2, pool).shifts[0]
    cards = (
        ("generic180", simulate(mosfet_of(kind), card_of(kind), [device], pool), "C0", "-"),
        (
            "its threshold shifted to the device",
            simulate(mosfet_of(kind), card_of(kind), [device], pool, [shift]),
            "C0",
            ":",
        ),
        ("SKY130's typical card", simulate(sky.mosfet(kind), sky.models, [device], pool),
         "C1", "--"),
    )  # fmt: skip
    c = device.gate
    sign = c.sign
    own = (np.abs(c.vb) < 1e-6) & (np.abs(sign * c.vd - 1.8) < 1e-6)
    gate, floor = sign * c.vg[own], 3 * noise(c, 0.0)
    measured = sign * c.id[own]
    above = measured > floor
    upper.semilogy(gate[above], measured[above], "k.", markersize=4, label="silicon")
    for name, currents, colour, style in cards:
        current = sign * currents[id(c)][own]
        if not np.isfinite(current).all():
            continue
        upper.semilogy(gate, current, style, color=colour, linewidth=1, label=name)
        ratio = np.log(current[above] / measured[above])
        lower.plot(gate[above], ratio, style, color=colour, linewidth=1)
    upper.axhline(floor, color="0.6", linewidth=0.7)
    upper.set_ylim(floor / 30, 3 * measured.max())
    upper.set_title(f"{device.name}\n{device.site}, {1e3 * shift:+.0f} mV", fontsize=8)
    lower.axhline(0, color="k", linewidth=0.7)
    lower.set_ylim(-2.2, 2.2)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
