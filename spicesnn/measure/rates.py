"""Numbers of spike trains: rates, refractory period, adaptation."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import OptimizeWarning, curve_fit

Array = npt.NDArray[np.float64]


def mean_rate(spike_times: Array) -> float:
    """Spikes a second from the intervals after the first spike; 0 with fewer than two."""
    return float(1 / np.diff(spike_times).mean()) if spike_times.size > 1 else 0.0


def instantaneous_rate(spike_times: Array) -> tuple[Array, Array]:
    """Middles of the intervals in seconds and their inverses in hertz, shape (spikes - 1,) each."""
    return (spike_times[1:] + spike_times[:-1]) / 2, 1 / np.diff(spike_times)


@dataclass(frozen=True)
class Adaptation:
    """How the rate falls after a step of the input.

    Attributes:
        first: rate of the first interval, which nothing has adapted yet, hertz.
        final: rate that the exponential falls to, hertz.
        time_constant: of the fall, seconds; NaN, as the rates, where the fit finds none.
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
    middle, rate = instantaneous_rate(spike_times)
    middle = middle - start
    # In units of the train's own length and rate, so that the fit is well scaled.
    length, top = float(np.ptp(spike_times)), float(rate.max())
    guess = (rate[-1] / top, (rate[0] - rate[-1]) / top, 4.0)

    def model(t: Array, final: float, fall: float, speed: float) -> Array:
        return np.asarray(final + fall * np.exp(-t * speed), dtype=np.float64)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)
            (final, fall, speed), _ = curve_fit(
                model, middle / length, rate / top, guess,
                bounds=([0, 0, 0], [np.inf, np.inf, np.inf]),
            )  # fmt: skip
    except (RuntimeError, ValueError):
        return nothing
    if speed <= 0 or fall <= 1e-6 * final:
        return nothing
    return Adaptation(float(rate[0]), float(final * top), float(length / speed))
