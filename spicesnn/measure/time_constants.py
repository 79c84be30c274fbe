"""Time constants: of decays, and of steps, small and large."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spicesnn.measure.levels import first_crossing

Array = npt.NDArray[np.float64]


def decay_time_constant(
    time: Array, y: Array, *, rest: float = 0.0, high: float = 0.5, low: float = 0.05
) -> float:
    """Time constant of the decay after a curve's peak, seconds; NaN with under four points.

    A straight line through the logarithm of what is above `rest`, between two parts of the peak's
    height over it. Points weigh by the time that they span, so that the solver's own step does
    not.

    Args:
        time: seconds, shape (points,).
        y: values, shape (points,).
        rest: what it decays to.
        high: part of the peak where the line begins.
        low: part of the peak where it ends.
    """
    top = int(y.argmax())
    over, after = y[top:] - rest, time[top:]
    peak = float(over[0])
    inside = (over < high * peak) & (over > low * peak)
    if inside.sum() < 4:
        return float("nan")
    weight = np.sqrt(np.gradient(after)[inside])
    line = np.polyfit(after[inside], np.log(over[inside]), 1, w=weight)
    return float(-1 / line[0])


def step_time_constant(time: Array, y: Array, start: float, first: float, final: float) -> float:
    """Time from a step at `start` until a curve has come 1 - 1/e of the way; NaN if it does not.

    Args:
        time: seconds, shape (points,).
        y: values, shape (points,).
        start: of the step, seconds.
        first: value before the step.
        final: value it settles to.
    """
    way = (y - first) / (final - first)
    return first_crossing(time, way, 1 - 1 / np.e, "rising", start) - start
