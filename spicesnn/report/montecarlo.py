"""A Monte Carlo study as files: summary, table of draws, picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spicesnn.characterize.montecarlo import MonteCarlo, Scaling
from spicesnn.errors import RunFolderError


def summary(study: MonteCarlo, scaling: dict[str, Scaling] | None = None) -> dict[str, Any]:
    """The study as plain numbers: each property's distribution with 99 % intervals."""
    properties: dict[str, Any] = {}
    for name, distribution in study.properties.items():
        shown = int(np.isfinite(distribution.values).sum())
        numbers = distribution.summary() if shown > 1 else {"nominal": distribution.nominal}
        properties[name] = {"unit": distribution.unit, **_plain(numbers), "shown": shown}
        if scaling and name in scaling:
            found = scaling[name]
            properties[name]["area x 4"] = _plain({
                "ratio": found.ratio, "from": found.low, "to": found.high,
                "expected": found.expected,
            })  # fmt: skip
    return {
        "bench": study.bench,
        "process": study.process,
        "corner": study.corner,
        "temperature": study.temperature,
        "seed": study.draws.seed,
        "sources": study.draws.sources,
        "draws": study.draws.threshold.shape[0],
        "transistors": len(study.draws.transistors),
        "failed": {str(draw): why for draw, why in study.failed.items()},
        "properties": properties,
    }


def write_study(
    study: MonteCarlo, folder: Path, scaling: dict[str, Scaling] | None = None
) -> list[Path]:
    """`summary.json`, `draws.csv` (what was drawn and measured, a row a draw) and `picture.png`.

    Raises:
        RunFolderError: the folder cannot be written.
    """
    paths = [folder / name for name in ("summary.json", "draws.csv", "picture.png")]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(summary(study, scaling), indent=2) + "\n"
        paths[0].write_text(text, encoding="utf-8")
        paths[1].write_text(_table(study), encoding="utf-8")
        _picture(study, paths[2])
    except OSError as error:
        raise RunFolderError(f"cannot write into {folder}: {error.strerror}.") from None
    return paths


def _plain(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """JSON knows no NaN."""
    return {name: float(v) if np.isfinite(v) else None for name, v in numbers.items()}


def _table(study: MonteCarlo) -> str:
    names = [f"{name} [{d.unit}]" for name, d in study.properties.items()]
    drawn = [t.instance for t in study.draws.transistors]
    head = [*names, *(f"delvto {t} [V]" for t in drawn), *(f"beta {t} [1]" for t in drawn)]
    measured = np.column_stack([d.values for d in study.properties.values()])
    rows = np.hstack([measured, study.draws.threshold, study.draws.factor])
    lines = [",".join(["draw", *head])]
    lines += [",".join([str(k), *(repr(float(v)) for v in row)]) for k, row in enumerate(rows)]
    return "\n".join(lines) + "\n"


def _picture(study: MonteCarlo, path: Path) -> None:
    """Histograms on the diagonal, each pair of properties with its rank correlation below."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter
    from scipy import stats

    names = list(study.properties)
    size = len(names)
    figure = Figure(figsize=(2.4 * size + 1, 2.2 * size + 0.6), layout="constrained")
    axes = figure.subplots(size, size, squeeze=False)
    for row, name in enumerate(names):
        own = study.properties[name]
        for column, other in enumerate(names):
            axis = axes[row, column]
            if column > row:
                axis.axis("off")
                continue
            theirs = study.properties[other]
            axis.xaxis.set_major_formatter(EngFormatter(theirs.unit, places=1, sep=" "))
            axis.tick_params(labelsize=7)
            axis.locator_params(axis="x", nbins=3)
            if row == size - 1:
                axis.set_xlabel(other, fontsize=8)
            both = np.isfinite(own.values) & np.isfinite(theirs.values)
            if row == column:
                axis.hist(own.values[both], bins="auto", color="C0", alpha=0.8)
                axis.axvline(own.nominal, color="k", linewidth=0.8, linestyle="--")
                axis.set_yticks([])
                continue
            axis.yaxis.set_major_formatter(EngFormatter(own.unit, places=1, sep=" "))
            axis.locator_params(axis="y", nbins=3)
            axis.plot(theirs.values[both], own.values[both], ".", color="C0", markersize=2)
            if both.sum() > 2:
                rank = stats.spearmanr(theirs.values[both], own.values[both]).statistic
                axis.set_title(f"rank correlation {rank:+.2f}", fontsize=7)
            if column == 0:
                axis.set_ylabel(name, fontsize=8)
    count = study.draws.threshold.shape[0]
    figure.suptitle(
        f"{study.bench} on {study.process}, {study.corner}, {study.temperature:g} °C: {count} "
        f"draws ({study.draws.sources}); dashed: nominal",
        fontsize=9,
    )  # fmt: skip
    figure.savefig(path, dpi=150)
