"""Numbers of spike trains: rates, refractory period, adaptation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import curve_fit

Array = npt.NDArray[np.float64]


def mean_rate(spike_times: Array) -> float:
    """Spikes a second from the intervals after the first spike; 0 with fewer than two."""
    return float(1 / np.diff(spike_times).mean()) if spike_times.size > 1 else 0.0


@dataclass(frozen=True)
class Adaptation:
    """How the rate falls after a step of the input.

    Attributes:
        first, final: rate of the first interval and the one it falls to, hertz.
        time_constant: of the fall, seconds; NaN where the fit finds none.
    """

    first: float
    final: float
    time_constant: float

    @property
    def ratio(self) -> float:
        """First over final rate."""
        return self.first / self.final


def adaptation(spike_times: Array, start: float) -> Adaptation:
    """An exponential through the instantaneous rates over the middle of their intervals.

    Args:
        spike_times: seconds, shape (spikes,); five at least.
        start: of the input's step, seconds.
    """
    nothing = Adaptation(float("nan"), float("nan"), float("nan"))
    if spike_times.size < 5:
        return nothing
    rate = 1 / np.diff(spike_times)
    middle = (spike_times[1:] + spike_times[:-1]) / 2 - start
    guess = (rate[-1], rate[0] - rate[-1], max(float(np.ptp(middle)) / 4, 1e-9))

    def model(t: Array, final: float, fall: float, tau: float) -> Array:
        return np.asarray(final + fall * np.exp(-t / abs(tau)), dtype=np.float64)

    try:
        (final, _, tau), _ = curve_fit(model, middle, rate, guess, maxfev=5000)
    except RuntimeError:
        return Adaptation(float(rate[0]), float(rate[-1]), float("nan"))
    return Adaptation(float(rate[0]), float(final), float(abs(tau)))
