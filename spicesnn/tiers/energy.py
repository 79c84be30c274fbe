"""Energy of a cell as a sum over features: so much a second, a spike, an event, a coulomb."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from spicesnn.errors import DataError

Array = npt.NDArray[np.float64]


def fit_energy(features: Array, energy: Array) -> tuple[Array, Array]:
    """Non-negative least squares of relative errors.

    Args:
        features: shape (runs, features): seconds, spikes, coulombs, ...
        energy: joules, shape (runs,).

    Returns:
        Joules per unit of each feature and their standard uncertainties, shape (features,) each;
        the uncertainty of one that is held at zero is zero.

    Raises:
        DataError: fewer runs than features, or energies that are not positive.
    """
    if features.shape[0] < features.shape[1]:
        raise DataError(
            f"{features.shape[0]} runs cannot give the energy of {features.shape[1]} features: "
            "run more stimuli."
        )
    if not (energy > 0).all():
        raise DataError("a run's supply energy is not positive: check the probes of the supply.")
    relative = features / energy[:, None]
    scale = np.where(np.abs(relative).max(axis=0) > 0, np.abs(relative).max(axis=0), 1.0)
    scaled = relative / scale
    values, _ = nnls(scaled, np.ones(energy.size))
    used = values > 0
    sigma = np.zeros(values.size)
    if used.any():
        gap = scaled @ values - 1
        variance = gap @ gap / max(energy.size - used.sum(), 1)
        covariance = variance * np.linalg.pinv(scaled[:, used].T @ scaled[:, used])
        sigma[used] = np.sqrt(np.diag(covariance))
    return values / scale, sigma / scale
