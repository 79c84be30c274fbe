"""Energies of features out of whole runs."""

from __future__ import annotations

import numpy as np
import pytest

from spicesnn.errors import DataError
from spicesnn.tiers.energy import fit_energy


def test_known_energies_come_back_with_their_uncertainty() -> None:
    rng = np.random.default_rng(0)
    features = np.column_stack([rng.uniform(0.01, 0.1, 40), rng.integers(0, 200, 40)])
    true = np.array([20e-9, 0.8e-12])
    inside = 0
    for _ in range(50):
        energy = features @ true * (1 + 0.01 * rng.normal(size=40))
        values, sigma = fit_energy(features, energy)
        inside += bool((np.abs(values - true) < 3 * sigma).all())
    assert inside >= 47
    assert values == pytest.approx(true, rel=0.05)


def test_no_feature_gives_energy_back() -> None:
    features = np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
    values, sigma = fit_energy(features, np.array([3.0, 2.9, 2.8]))
    assert values[1] == 0
    assert sigma[1] == 0


def test_too_few_runs_and_wrong_energies_are_refused() -> None:
    with pytest.raises(DataError, match="1 runs cannot give the energy of 2 features"):
        fit_energy(np.ones((1, 2)), np.ones(1))
    with pytest.raises(DataError, match="not positive: check the probes"):
        fit_energy(np.ones((2, 1)), np.array([1.0, -1.0]))
