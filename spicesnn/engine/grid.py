"""One shared, error-bounded time grid for waveforms that drive the same piece.

Every corner of a piecewise-linear source is a breakpoint of the solver, so several sources on
grids of their own would multiply its steps.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.linalg import solveh_banded

from spicesnn.circuits.stimuli import PARTS
from spicesnn.errors import DataError

Array = npt.NDArray[np.float64]
_CLOSEST = 1e-8  # corners nearer than this, over the span, are one


def shared_grid(waves: Sequence[tuple[Array, Array]], tolerance: float) -> Array:
    """Corners from which every wave can be interpolated within `tolerance`.

    The error is measured at every recorded time of every wave. Segments are split at their worst
    point until none is worse (Ramer 1972, Douglas & Peucker 1973, for all waves at once).

    Args:
        waves: pairs of times and values, shape (points,) each; all begin and end together.
        tolerance: volts.

    Returns:
        Rising times, shape (corners,).

    Raises:
        DataError: no wave, or waves that do not begin and end together.
    """
    if not waves:
        raise DataError("a shared grid needs at least one waveform.")
    starts, stops = {w[0][0] for w in waves}, {w[0][-1] for w in waves}
    if np.ptp(list(starts)) > 1e-12 or np.ptp(list(stops)) > 1e-12:
        raise DataError("waveforms on a shared grid must begin and end at the same times.")
    times = np.unique(np.concatenate([w[0] for w in waves]))
    table = np.array([np.interp(times, *w) for w in waves])
    corners, segments = [0, times.size - 1], [(0, times.size - 1)]
    while segments:
        a, b = segments.pop()
        if b - a < 2:
            continue
        ramp = (times[a : b + 1] - times[a]) / (times[b] - times[a])
        line = table[:, [a]] + (table[:, [b]] - table[:, [a]]) * ramp
        error = np.abs(table[:, a : b + 1] - line).max(axis=0)
        worst = int(error.argmax())
        if error[worst] > tolerance:
            corners.append(a + worst)
            segments += [(a, a + worst), (a + worst, b)]
    return np.asarray(times[np.sort(corners)], dtype=np.float64)


def resample(
    waves: Sequence[tuple[Array, Array]],
    tolerance: float,
    floors: Sequence[float] | None = None,
    thresholds: Sequence[float | None] | None = None,
) -> tuple[Array, list[Array]]:
    """One grid for all waves and their corner values, no recorded point further than `tolerance`.

    The values are those of `on_grid`, which have no bias; where moving the corners off the wave
    costs more than the tolerance, the grid is made finer, and at last the corners stay on it.
    Values under a floor are kept as they are, on a coarser grid: raising them to the floor would
    let picoamperes flow where none do, and charge nodes that should rest.

    Args:
        waves: pairs of times and values, shape (points,) each; all begin and end together.
        tolerance: volts.
        floors: for each wave, volts under which differences do not count.
        thresholds: for each wave, volts above which it is a pulse, whose charge counts: the grid
            then has corners along it (see `spicesnn.circuits.stimuli`). None for no pulses.

    Returns:
        Rising times, shape (corners,), and for each wave its values, shape (corners,).

    Raises:
        DataError: no wave, or waves that do not begin and end together.
    """
    levels = [-np.inf] * len(waves) if floors is None else list(floors)
    raised = [(t, np.maximum(v, level)) for (t, v), level in zip(waves, levels, strict=True)]

    def error(grid: Array, values: Sequence[Array]) -> float:
        return max(
            float(np.abs(np.maximum(np.interp(t, grid, corner), level) - wanted).max())
            for (t, wanted), corner, level in zip(raised, values, levels, strict=True)
        )

    tops = [
        pulse_corners(*wave, level)
        for wave, level in zip(waves, thresholds or [None] * len(waves), strict=True)
        if level is not None
    ]

    def cornered(grid: Array) -> Array:
        if not tops:
            return grid
        # A deck writes ten figures: corners that it cannot tell apart are one.
        extra = np.unique(np.concatenate(tops))
        near = np.searchsorted(grid, extra).clip(1, grid.size - 1)
        gap = np.minimum(np.abs(extra - grid[near - 1]), np.abs(extra - grid[near]))
        apart = np.append(True, np.diff(extra) > _CLOSEST * grid[-1])
        return np.sort(np.concatenate([grid, extra[(gap > _CLOSEST * grid[-1]) & apart]]))

    for base, part in ((raised, 1.0), (raised, 0.4), (list(waves), 1.0), (list(waves), 0.4)):
        grid = cornered(shared_grid(base, part * tolerance))
        values = [on_grid(*wave, grid) for wave in waves]
        if error(grid, values) <= tolerance:
            return grid, values
    grid = cornered(shared_grid(waves, tolerance))
    return grid, [np.interp(grid, *wave) for wave in waves]


def pulse_corners(time: Array, value: Array, threshold: float) -> Array:
    """Times that part each stretch above the threshold into `PARTS`, shape (corners,)."""
    above = np.concatenate([[False], value > threshold, [False]])
    edges = np.flatnonzero(above[1:] != above[:-1])
    stretches = [
        np.linspace(time[first], time[last - 1], PARTS + 1)
        for first, last in zip(edges[::2], edges[1::2], strict=True)
    ]
    return np.concatenate(stretches) if stretches else np.empty(0)


def on_grid(time: Array, value: Array, grid: Array) -> Array:
    """Corner values whose polyline fits a wave best in the mean square over time.

    Corners on the wave itself would lie to one side of every bend; a bias of a millivolt on a
    gate is a bias of some per cent in its current. The fit has none.

    Args:
        time: of the wave, seconds, shape (points,).
        value: of the wave, shape (points,).
        grid: rising corner times from the wave's begin to its end, shape (corners,).

    Returns:
        Values at the corners, shape (corners,).
    """
    # Corners and recorded points together, so that no segment is empty; trapezoidal weights.
    dense = np.union1d(time, grid)
    wave = np.interp(dense, time, value)
    step = np.diff(dense)
    weight = 0.5 * (np.append(step, 0) + np.append(0, step))
    k = np.clip(np.searchsorted(grid, dense, side="right") - 1, 0, grid.size - 2)
    right = (dense - grid[k]) / (grid[k + 1] - grid[k])
    left = 1 - right
    size = grid.size
    diagonal = np.bincount(k, weight * left**2, size) + np.bincount(k + 1, weight * right**2, size)
    beside = np.bincount(k, weight * left * right, size)[: size - 1]
    wanted = np.bincount(k, weight * left * wave, size) + np.bincount(
        k + 1, weight * right * wave, size
    )
    bands = np.vstack([np.append(0, beside), diagonal])
    return np.asarray(solveh_banded(bands, wanted), dtype=np.float64)
