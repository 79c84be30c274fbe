"""Spikes of a waveform, with sub-step crossing times."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def spike_times(time: Array, voltage: Array, threshold: float) -> Array:
    """Times at which the voltage rises through the threshold, by linear interpolation.

    Args:
        time: seconds, shape (points,).
        voltage: volts, shape (points,).
        threshold: volts.

    Returns:
        Seconds, shape (spikes,).
    """
    above = voltage > threshold
    k = np.flatnonzero(above[1:] & ~above[:-1])
    part = (threshold - voltage[k]) / (voltage[k + 1] - voltage[k])
    return np.asarray(time[k] + part * (time[k + 1] - time[k]), dtype=np.float64)
