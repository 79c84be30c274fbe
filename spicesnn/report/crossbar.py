"""Maps of a crossbar: IR drop, currents, disturbed states; two answers side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize, SymLogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spicesnn.errors import DataError

Array = npt.NDArray[np.float64]
_TINY = 1e-3  # Of the largest change: what the disturb map shows on a linear scale.
_DECADES = 4.0  # Our choice: what a map of currents shows below its largest.


@dataclass(frozen=True, eq=False)
class CrossbarMap:
    """One quantity of every cell.

    Attributes:
        title: what is seen.
        label: of the colour scale, with its unit.
        values: shape (rows, columns).
        scale: `linear`, `log` (magnitudes, four decades) or `symmetric` (both signs, a linear part
            around 0).
    """

    title: str
    label: str
    values: Array
    scale: str = "linear"


def ir_drop_map(volts: Array, title: str = "IR drop") -> CrossbarMap:
    """Volts that the wires take from each cell, (rows, columns), shown in mV."""
    return CrossbarMap(title, "lost to wires (mV)", np.asarray(volts) * 1e3)


def current_map(amperes: Array, title: str = "cell currents") -> CrossbarMap:
    """Magnitude of each cell's current, (rows, columns), on four decades of uA."""
    return CrossbarMap(title, "current (µA)", np.abs(amperes) * 1e6, "log")


def disturb_map(change: Array, title: str = "disturb") -> CrossbarMap:
    """Change of each cell's state, (rows, columns), of either sign."""
    return CrossbarMap(title, "change of state", np.asarray(change), "symmetric")


def write_maps(maps: Sequence[CrossbarMap], path: Path) -> None:
    """Maps beside one another, each with its own scale.

    Raises:
        DataError: there is none, or one is not a table of finite numbers.
    """
    _check(maps)
    with matplotlib.rc_context({"font.size": 9, "axes.titlesize": 9}):
        figure = Figure(figsize=(0.4 + 2.9 * len(maps), 2.7), layout="constrained")
        axes = np.atleast_1d(figure.subplots(1, len(maps)))
        for axis, each in zip(axes, maps, strict=True):
            image = _draw(axis, each, _norm(each, [each.values]))
            axis.set_title(each.title)
            figure.colorbar(image, ax=axis, label=each.label, ticks=_ticks(image.norm))
        axes[0].set_ylabel("row")
        figure.savefig(path, dpi=200)


def write_side_by_side(answers: dict[str, Sequence[CrossbarMap]], path: Path) -> None:
    """One row of maps for each answer, each column of maps on one scale.

    Args:
        answers: name of the answer (`ngspice`, `array solver`) to its maps, in one order.
        path: of the picture.

    Raises:
        DataError: the answers do not have the same maps, or one is not a table of finite numbers.
    """
    rows = list(answers.values())
    _check([each for row in rows for each in row])
    if len({tuple((m.title, m.values.shape) for m in row) for row in rows}) != 1:
        raise DataError("the answers side by side must have maps of the same titles and shapes.")
    with matplotlib.rc_context({"font.size": 9, "axes.titlesize": 9}):
        columns = len(rows[0])
        figure = Figure(figsize=(0.6 + 2.25 * columns, 0.9 + 2.2 * len(rows)), layout="constrained")
        axes = figure.subplots(len(rows), columns, squeeze=False, sharex="col", sharey=True)
        for k in range(columns):
            norm = _norm(rows[0][k], [row[k].values for row in rows])
            for axis, row in zip(axes[:, k], rows, strict=True):
                image = _draw(axis, row[k], norm)
                axis.set_xlabel("")
            axes[0, k].set_title(rows[0][k].title)
            axes[-1, k].set_xlabel("column")
            figure.colorbar(
                image, ax=axes[:, k], label=rows[0][k].label, location="bottom", shrink=0.9,
                ticks=_ticks(norm),
            )  # fmt: skip
        for axis, name in zip(axes[:, 0], answers, strict=True):
            axis.set_ylabel(f"{name}\nrow")
        figure.savefig(path, dpi=200)


def _check(maps: Sequence[CrossbarMap]) -> None:
    if not maps:
        raise DataError("there is no map to draw; give one at least.")
    for each in maps:
        if each.values.ndim != 2 or not np.isfinite(each.values).all():
            raise DataError(
                f"map {each.title!r} has shape {each.values.shape} or values that are not finite; "
                "give finite values of shape (rows, columns)."
            )


def _norm(first: CrossbarMap, values: Sequence[Array]) -> Normalize:
    low = min(float(v.min()) for v in values)
    high = max(float(v.max()) for v in values)
    if first.scale == "log" and high > 0:
        least = min(float(v[v > 0].min(initial=high)) for v in values)
        return LogNorm(max(high / 10**_DECADES, min(least, high / 10)), high)
    if first.scale == "symmetric":
        most = max(abs(low), abs(high)) or 1.0
        return SymLogNorm(_TINY * most, vmin=-most, vmax=most)
    return Normalize(min(low, 0.0), high if high > 0 else 1.0)


def _ticks(norm: Normalize) -> list[float] | None:
    """Few of both signs, where a scale has both; else the usual ones."""
    if not isinstance(norm, SymLogNorm) or norm.vmax is None:
        return None
    most = 10 ** np.floor(np.log10(norm.vmax))
    return [-most, -most / 100, 0.0, most / 100, most]


def _draw(axis: Axes, each: CrossbarMap, norm: Normalize) -> Any:
    colours = "RdBu_r" if each.scale == "symmetric" else "viridis"
    values = np.maximum(each.values, norm.vmin or 0.0) if each.scale == "log" else each.values
    image = axis.imshow(values, norm=norm, cmap=colours, interpolation="nearest")
    axis.set_xlabel("column")
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_locator(MaxNLocator(5, integer=True))
    return image
