"""Encoders: features to spike trains."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError
from spicesnn.parameters import Parameters, parameter

Array = npt.NDArray[np.float64]
SpikeTrains = tuple[tuple[float, ...], ...]


class PopulationEncoder(Parameters):
    """Gaussian receptive fields, each the rate of one regular spike train.

    Each feature is scaled to 0..1 by the training set's range and seen by `fields` rows whose
    centres are spread evenly over it (Bohte et al. 2002 use such fields for latencies; rates are
    ours). A row fires regularly, from a start phase of its own that is drawn once.
    """

    fields: int = parameter(3, unit="1", doc="receptive fields a feature", ge=2)
    width: float = parameter(0.17, unit="1", doc="sigma of a field, in units of the range", gt=0)
    maximum_rate: float = parameter(1000.0, unit="Hz", doc="rate at a field's centre", gt=0)
    rate_step: float = parameter(25.0, unit="Hz", doc="resolution of the rate", gt=0)
    minimum_rate: float = parameter(100.0, unit="Hz", doc="lower rates give no spike", gt=0)
    phase_seed: int = parameter(0, unit="1", doc="draws each row's start phase", ge=0)

    def rates(self, features: Array, low: Array, high: Array) -> Array:
        """Rates in hertz, shape (samples, features x fields).

        Args:
            features: shape (samples, features).
            low: smallest values of the training set, shape (features,).
            high: largest values of the training set, shape (features,).

        Raises:
            DataError: a feature is not finite, or the training set's range is empty.
        """
        if not np.isfinite(features).all():
            raise DataError("features hold NaN or infinite values; remove or fill them in.")
        if not (high > low).all():
            column = int(np.argmin(high - low))
            raise DataError(f"feature {column} is constant in the training set; leave it out.")
        scaled = np.clip((features - low) / (high - low), 0, 1)
        centres = np.linspace(0, 1, self.fields)
        field = np.exp(-0.5 * ((scaled[:, :, None] - centres) / self.width) ** 2)
        rates = np.round(field * self.maximum_rate / self.rate_step) * self.rate_step
        rates[rates < self.minimum_rate] = 0
        return np.asarray(rates.reshape(features.shape[0], -1), dtype=np.float64)

    def spikes(self, rates: Array, start: float, stop: float) -> SpikeTrains:
        """Spike times in seconds of one sample's rows between `start` and `stop`."""
        phases = np.random.default_rng(self.phase_seed).uniform(size=rates.size)
        trains = []
        for rate, phase in zip(rates, phases, strict=True):
            count = int(np.floor((stop - start) * rate - phase)) + 1 if rate > 0 else 0
            trains.append(tuple(float(start + (k + phase) / rate) for k in range(max(count, 0))))
        return tuple(trains)
