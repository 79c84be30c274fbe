"""Maps of a crossbar: IR drop, currents, disturbed states; answers side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize, SymLogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from spicesnn.errors import DataError

Array = npt.NDArray[np.float64]
Cell = tuple[int, int]
_DECADES = 4.0  # Our choice: what a logarithmic scale shows below its largest.
_LEFT_OUT = "0.8"  # Grey of a marked cell.


@dataclass(frozen=True, eq=False)
class CrossbarMap:
    """One quantity of every cell.

    Attributes:
        title: what is seen.
        label: of the colour scale, with its unit.
        values: shape (rows, columns).
        scale: `linear`, `log` (magnitudes, four decades) or `symmetric` (both signs by decades, a
            linear part around 0).
        marked: row and column of the cell that is driven: it has a cross, and no part in the
            colours and their scale, which it would fill alone.
    """

    title: str
    label: str
    values: Array
    scale: str = "linear"
    marked: Cell | None = None

    @property
    def shown(self) -> Array:
        """The values that have a colour; the others are NaN."""
        values = np.array(self.values, dtype=np.float64)
        if self.marked is not None and values.size > 1:
            values[self.marked] = np.nan
        return values


def ir_drop_map(volts: Array, title: str = "IR drop") -> CrossbarMap:
    """Volts that the wires take from each cell, (rows, columns), shown in mV."""
    return CrossbarMap(title, "lost to wires (mV)", np.asarray(volts) * 1e3)


def current_map(amperes: Array, title: str = "cell currents") -> CrossbarMap:
    """Magnitude of each cell's current, (rows, columns), on four decades of uA."""
    return CrossbarMap(title, "current (µA)", np.abs(amperes) * 1e6, "log")


def sneak_map(amperes: Array, read: Cell, title: str = "sneak currents") -> CrossbarMap:
    """Each cell's current from row to column, (rows, columns), in uA, beside the cell read."""
    return CrossbarMap(
        title, "row to column (µA)", np.asarray(amperes) * 1e6, "symmetric", marked=read
    )


def disturb_map(change: Array, written: Cell | None = None, title: str = "disturb") -> CrossbarMap:
    """Change of each cell's state, (rows, columns), of either sign, beside the cell written."""
    return CrossbarMap(title, "change of state", np.asarray(change), "symmetric", marked=written)


def draw_map(axes: Axes, each: CrossbarMap) -> None:
    """One map with its colour scale beside it.

    Raises:
        DataError: it is not a table of finite numbers.
    """
    _check([each])
    image = _draw(axes, each, _norm(each, [each]))
    axes.set(title=each.title, xlabel="column", ylabel="row")
    _colour_bar(axes.get_figure(root=True), image, axes, each.label, [each], "right")


def write_side_by_side(
    answers: dict[str, Sequence[CrossbarMap]], path: Path, caption: str = ""
) -> None:
    """One row of maps for each answer, each column on one scale; the last row is their difference.

    The difference is the largest of any answer from the first, by decades, of all cells.

    Args:
        answers: name of the answer (`ngspice`, `array solver`) to its maps, in one order.
        path: of the picture.
        caption: what was driven, how large the array is, what hangs in it; under the maps.

    Raises:
        DataError: the answers do not have the same maps, or one is not a table of finite numbers.
    """
    rows = list(answers.values())
    _check([each for row in rows for each in row])
    if len({tuple((m.title, m.values.shape, m.marked) for m in row) for row in rows}) != 1:
        raise DataError("the answers side by side must have maps of the same titles and shapes.")
    names = [*answers, "difference"] if len(rows) > 1 else list(answers)
    with matplotlib.rc_context({"font.size": 9, "axes.titlesize": 9}):
        columns = len(rows[0])
        figure = Figure(
            figsize=(0.6 + 2.25 * columns, 1.5 + 2.2 * len(names)), layout="constrained"
        )
        axes = figure.subplots(len(names), columns, squeeze=False, sharex="col", sharey=True)
        for k in range(columns):
            maps = [row[k] for row in rows]
            norm = _norm(maps[0], maps)
            for axis, each in zip(axes[:, k], maps, strict=False):
                image = _draw(axis, each, norm)
            axes[0, k].set_title(maps[0].title)
            _colour_bar(figure, image, list(axes[: len(rows), k]), maps[0].label, maps, "bottom")
            if len(rows) > 1:
                apart = _difference(maps)
                image = _draw(axes[-1, k], apart, _norm(apart, [apart]))
                _colour_bar(figure, image, axes[-1, k], apart.label, [apart], "bottom")
            axes[-1, k].set_xlabel("column")
        for axis, name in zip(axes[:, 0], names, strict=True):
            axis.set_ylabel(f"{name}\nrow")
        if caption:
            figure.supxlabel(caption, fontsize=8)
        figure.savefig(path, dpi=200)


def _difference(maps: Sequence[CrossbarMap]) -> CrossbarMap:
    """Of all cells, the marked one too."""
    first = maps[0]
    apart = np.max([np.abs(each.values - first.values) for each in maps[1:]], axis=0)
    unit = first.label[first.label.index("(") :] if "(" in first.label else "of state"
    return replace(first, label=f"difference {unit}", values=apart, scale="log", marked=None)


def _check(maps: Sequence[CrossbarMap]) -> None:
    if not maps:
        raise DataError("there is no map to draw; give one at least.")
    for each in maps:
        if each.values.ndim != 2 or not np.isfinite(each.values).all():
            raise DataError(
                f"map {each.title!r} has shape {each.values.shape} or values that are not finite; "
                "give finite values of shape (rows, columns)."
            )
        rows, columns = each.values.shape
        if each.marked and not (0 <= each.marked[0] < rows and 0 <= each.marked[1] < columns):
            raise DataError(
                f"map {each.title!r} marks cell {each.marked}, but has {rows} x {columns} cells; "
                "mark one of them."
            )


def _ends(maps: Sequence[CrossbarMap]) -> tuple[float, float]:
    shown = [each.shown for each in maps]
    return min(float(np.nanmin(v)) for v in shown), max(float(np.nanmax(v)) for v in shown)


def _norm(first: CrossbarMap, maps: Sequence[CrossbarMap]) -> Normalize:
    low, high = _ends(maps)
    sizes = np.abs(np.concatenate([each.shown.ravel() for each in maps]))
    sizes = sizes[sizes > 0]
    if first.scale == "log" and high > 0:
        return LogNorm(max(high / 10**_DECADES, min(float(sizes.min()), high / 10)), high)
    if first.scale == "symmetric":
        most = max(abs(low), abs(high)) or 1.0
        # Linear below what nearly all cells have, so that decades are spent on what is there.
        usual = float(np.percentile(sizes, 10)) if sizes.size else most
        linear = 10.0 ** np.floor(np.log10(np.clip(usual, most / 10**_DECADES, most / 10)))
        return SymLogNorm(linear, vmin=-most, vmax=most)
    return Normalize(min(low, 0.0), high if high > 0 else 1.0)


def _colour_bar(
    figure: Any, image: Any, axes: Any, label: str, maps: Sequence[CrossbarMap], side: str
) -> None:
    """A scale with few ticks; of two signs it has the part that some cell has."""
    norm = image.norm
    # An arrow where values lie below what a logarithmic scale shows.
    below = isinstance(norm, LogNorm) and bool(np.nanmin(image.get_array()) < norm.vmin)
    bar = figure.colorbar(
        image, ax=axes, label=label, location=side, shrink=0.9, extend="min" if below else "neither"
    )
    if isinstance(norm, SymLogNorm):
        low, high = _ends(maps)
        linear, most = norm.linthresh, max(abs(low), abs(high)) or 1.0
        low, high = min(low, -linear), max(high, linear)
        decades = 10.0 ** np.arange(np.log10(linear), np.log10(most) + 1e-9)
        every = 2 if len(decades) > 3 else 1
        ticks = [t for t in (*-decades[::-every], 0.0, *decades[::every]) if low <= t <= high]
        bar.set_ticks(ticks, minor=False)
        bar.ax.minorticks_off()
        axis = bar.ax.yaxis if side == "right" else bar.ax.xaxis
        axis.set_major_formatter(FuncFormatter(_power))
        (bar.ax.set_ylim if side == "right" else bar.ax.set_xlim)(low, high)
    elif isinstance(norm, LogNorm):
        axis = bar.ax.yaxis if side == "right" else bar.ax.xaxis
        axis.set_major_locator(LogLocator(numticks=5))
        axis.set_minor_locator(NullLocator())
    else:
        bar.locator = MaxNLocator(5)
        bar.update_ticks()


def _power(value: float, _place: int | None = None) -> str:
    if value == 0:
        return "0"
    power = round(np.log10(abs(value)))
    text = f"{abs(value):g}" if -1 <= power <= 2 else rf"10^{{{power}}}"
    return f"${'-' if value < 0 else ''}{text}$"


def _draw(axis: Axes, each: CrossbarMap, norm: Normalize) -> Any:
    colours = matplotlib.colormaps["RdBu_r" if each.scale == "symmetric" else "viridis"]
    # A zero has no logarithm: it is below the scale as other small values are.
    least = (norm.vmin or 0.0) / 2
    values = np.maximum(each.shown, least) if each.scale == "log" else each.shown
    image = axis.imshow(
        values, norm=norm, cmap=colours.with_extremes(bad=_LEFT_OUT), interpolation="nearest"
    )
    if each.marked is not None:
        row, column = each.marked
        axis.plot(column, row, "x", color="black", markersize=5)
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_locator(MaxNLocator(5, integer=True))
    return image
