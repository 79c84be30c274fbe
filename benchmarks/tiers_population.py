"""A mismatched population: the same draws through circuit and tier, and the tier's own draws."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.figure import Figure
from scipy import stats
from stored import Row, row

from spicesnn.engine.pool import Pool
from spicesnn.processes import find_process
from spicesnn.tiers.fitted import load_tier
from spicesnn.tiers.library import tier_path
from spicesnn.tiers.population import (
    drawn,
    fit_population,
    rates_of,
    units_of,
    with_spread,
)

Array = npt.NDArray[np.float64]
PICTURE = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "tier_population.png"
CELL, PROCESS, DRAWS, JUDGED = "lif_neuron", "generic180", 200, 2


def rows_of(quick: bool, pool_of: Callable[[], Pool]) -> list[Row]:
    """Rates unit by unit, and the distribution of the tier's own draws against the circuits'."""
    process = find_process(PROCESS)
    fitted = load_tier(tier_path(CELL, process), process)
    count = 20 if quick else DRAWS
    with pool_of() as pool:
        found = fit_population(fitted, process, pool, count, runs=3, judged=JUDGED, seed=1)
    shown = found.good
    units = rates_of(fitted, units_of(fitted, found), found.drive)
    made = with_spread(fitted, found, 1)
    own = rates_of(made, drawn(made, count, np.random.default_rng(2)), found.drive)
    rows = [row(f"{CELL}, {PROCESS}: draws fitted", int(shown.sum()), goal=f"{count}")]
    for k in range(JUDGED):
        circuit, tier = found.rates[shown, k], units[:, k]
        kind = found.drive[k].name
        correlation = float(np.corrcoef(circuit, tier)[0, 1])
        error = float(np.median(np.abs(tier / circuit - 1)))
        far = float(stats.wasserstein_distance(circuit, own[:, k]) / circuit.std())
        test = stats.ks_2samp(circuit, own[:, k])
        rows += [
            row(f"{kind}: spread of the circuits' rates, sigma over mean",
                float(circuit.std() / circuit.mean())),
            row(f"{kind}: correlation of rates, unit by unit", correlation, goal=">= 0.95",
                holds=correlation >= 0.95),
            row(f"{kind}: error of a unit's rate, median", error, goal="<= 0.03",
                holds=error <= 0.03),
            row(f"{kind}: the tier's own draws, Wasserstein distance over sigma", far),
            row(f"{kind}: the tier's own draws, Kolmogorov-Smirnov, p", float(test.pvalue)),
        ]  # fmt: skip
    if not quick:
        _draw(found.rates[shown], units, own, [each.name for each in found.drive])
    return rows


def _draw(circuit: Array, tier: Array, own: Array, kinds: list[str]) -> None:
    with rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(8, 6), layout="constrained")
        for k, (left, right) in enumerate(figure.subplots(2, 2)):
            ends = [float(f(circuit[:, k].min(), tier[:, k].min())) for f in (min,)]
            ends += [float(max(circuit[:, k].max(), tier[:, k].max()))]
            left.plot(ends, ends, color="#222222", lw=0.8)
            left.plot(circuit[:, k], tier[:, k], "o", ms=3, alpha=0.6, color="#d55e00", mew=0)
            left.set_xlabel("circuit's rate (Hz)")
            left.set_ylabel("its tier's rate (Hz)")
            left.set_title(f"{kinds[k]}: unit by unit", loc="left")
            for values, colour, label in (
                (circuit[:, k], "#222222", f"{len(circuit)} circuits"),
                (own[:, k], "#0072b2", f"{len(own)} of the tier's draws"),
            ):
                ordered = np.sort(values)
                part = np.arange(1, ordered.size + 1) / ordered.size
                right.step(ordered, part, where="post", color=colour, lw=1.2, label=label)
            right.set_xlabel("rate (Hz)")
            right.set_ylabel("share of units below")
            right.set_title(f"{kinds[k]}: distributions", loc="left")
            right.legend(frameon=False, fontsize=8)
        PICTURE.parent.mkdir(exist_ok=True)
        figure.savefig(PICTURE, dpi=150)
    os.sync()
