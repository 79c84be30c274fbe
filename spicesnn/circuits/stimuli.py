"""Stimuli: spike trains as pulse trains."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spicesnn.circuits.deck import Waveform
from spicesnn.errors import DataError

# After a corner the solver's steps grow until they span half a pulse, and the charge that the
# pulse drives comes out wrong: a DPI trace is off by 0.57 mV (relative tolerance 1e-4) or 0.23 mV
# (1e-5). With ten parts it is within 0.03 mV (`benchmarks/engine.py --only tolerances`).
PARTS = 10


def pulse_train(
    spike_times: npt.ArrayLike, *, high: float, width: float, edge: float, stop: float
) -> Waveform:
    """Pulses from 0 to `high` volts that begin at the spike times.

    Their tops carry corners, which the solver steps on: see `PARTS`.

    Args:
        spike_times: seconds, rising, shape (spikes,); each pulse must end before the next.
        high: volts.
        width: seconds at half height.
        edge: rise and fall time, seconds.
        stop: end of the stimulus, seconds.

    Raises:
        DataError: NaN, a time outside 0..stop, or pulses that overlap.
    """
    times = np.asarray(spike_times, dtype=np.float64)
    if not np.isfinite(times).all():
        raise DataError("spike times hold NaN or infinite values; remove those spikes.")
    length = width + edge
    if times.size and (times[0] < 0 or times[-1] + length >= stop):
        raise DataError(f"spikes must lie in 0..{stop - length:g} s so that their pulses fit.")
    if (np.diff(times) <= length).any():
        raise DataError(f"spikes are less than a pulse ({length:g} s) apart, or not sorted.")
    top = np.linspace(edge, width, PARTS + 1)
    corners = times[:, None] + np.concatenate([[0.0], top, [width + edge]])
    values = np.broadcast_to(np.r_[0.0, np.full(top.size, high), 0.0], corners.shape)
    time, value = corners.ravel(), values.ravel()
    if not time.size or time[0] > 0:
        time, value = np.append(0.0, time), np.append(0.0, value)
    return Waveform(time, value)
