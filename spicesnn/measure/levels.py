"""Levels of a curve: crossings, widths, delays, settling, slopes."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError

Array = npt.NDArray[np.float64]
Direction = Literal["rising", "falling", "both"]


def crossings(x: Array, y: Array, level: float, direction: Direction = "both") -> Array:
    """Where a curve crosses a level, by linear interpolation.

    Args:
        x: axis, shape (points,), not decreasing.
        y: values, shape (points,).
        level: in the unit of `y`.
        direction: of `y` along `x`.

    Returns:
        In the unit of `x`, shape (crossings,).
    """
    above = y > level
    up, down = above[1:] & ~above[:-1], ~above[1:] & above[:-1]
    wanted = {"rising": up, "falling": down, "both": up | down}[direction]
    k = np.flatnonzero(wanted)
    part = (level - y[k]) / (y[k + 1] - y[k])
    return np.asarray(x[k] + part * (x[k + 1] - x[k]), dtype=np.float64)


def first_crossing(
    x: Array, y: Array, level: float, direction: Direction = "both", after: float = -np.inf
) -> float:
    """The first crossing after a place on the axis; NaN where there is none."""
    found = crossings(x, y, level, direction)
    found = found[found >= after]
    return float(found[0]) if found.size else float("nan")


def width_at(x: Array, y: Array, part: float = 0.5, base: float = 0.0) -> float:
    """Full width of a single peak at a part of its height over `base`, in the unit of `x`.

    NaN where the curve does not fall to that level on both sides.
    """
    top = int(y.argmax())
    level = base + part * (float(y[top]) - base)
    left = crossings(x[: top + 1], y[: top + 1], level, "rising")
    right = crossings(x[top:], y[top:], level, "falling")
    return float(right[0] - left[-1]) if left.size and right.size else float("nan")


def settling_time(time: Array, y: Array, start: float, final: float, band: float) -> float:
    """Time from `start` until a curve stays within `band` of `final`; NaN if it does not.

    Args:
        time: seconds, shape (points,).
        y: values, shape (points,).
        start: seconds.
        final: value it settles to, in the unit of `y`.
        band: largest distance from it, in the same unit.
    """
    outside = np.flatnonzero((np.abs(y - final) > band) & (time >= start))
    if not outside.size:
        return 0.0
    last = int(outside[-1])
    if last == time.size - 1:
        return float("nan")
    # Between the last point outside and the first inside.
    edge = final + band * np.sign(y[last] - final)
    part = (edge - y[last]) / (y[last + 1] - y[last])
    return float(time[last] + part * (time[last + 1] - time[last]) - start)


def slope(x: Array, y: Array, low: float, high: float) -> float:
    """Slope of the straight line through the points with `low <= x <= high`.

    Raises:
        DataError: fewer than two points lie there.
    """
    inside = (x >= low) & (x <= high)
    if inside.sum() < 2:
        raise DataError(f"{inside.sum()} points lie between {low:g} and {high:g}: two are needed.")
    return float(np.polyfit(x[inside], y[inside], 1)[0])
