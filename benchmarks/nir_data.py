"""What the exchange by NIR is tried on: digits and iris as spikes on steps of 0.1 ms."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from spicesnn.exchange.trains import on_steps
from spicesnn.learning.datasets import iris, stratified_split
from spicesnn.learning.encoders import PopulationEncoder

Array = npt.NDArray[Any]
DT = 1e-4


def digits() -> tuple[Array, Array, Array, Array]:
    """Of scikit-learn, 64 inputs at up to 2 kHz for 5 ms: train and held-out, inputs and labels."""
    from sklearn.datasets import load_digits

    found = load_digits()
    chosen, held_out = stratified_split(np.asarray(found.target, np.int64), 1 / 3, 0)
    encoder = PopulationEncoder()
    samples = [encoder.spikes(pixels / 16 * 2000.0, 0.0, 5e-3) for pixels in found.data]
    inputs = on_steps(samples, DT, 50)
    return inputs[:, chosen], found.target[chosen], inputs[:, held_out], found.target[held_out]


def irises() -> tuple[Array, Array, Array, Array]:
    """Iris by population code, 12 inputs at up to 1 kHz for 20 ms: likewise."""
    data, encoder = iris(), PopulationEncoder()
    chosen, held_out = stratified_split(data.labels, 1 / 3, 0)
    low, high = data.features[chosen].min(axis=0), data.features[chosen].max(axis=0)
    samples = [encoder.spikes(rate, 0.0, 20e-3) for rate in encoder.rates(data.features, low, high)]
    inputs = on_steps(samples, DT, 200)
    return inputs[:, chosen], data.labels[chosen], inputs[:, held_out], data.labels[held_out]
