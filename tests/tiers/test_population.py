"""Mismatched units: fits to draws of the circuit, their distribution, draws from it."""

from __future__ import annotations

import numpy as np
import pytest

from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.errors import DataError
from spicesnn.processes import find_process
from spicesnn.tiers.fitted import FittedTier, circuit_of, deck_identity, load_tier
from spicesnn.tiers.library import tier_path
from spicesnn.tiers.population import (
    Population,
    drawn,
    fit_population,
    fit_spread,
    rates_of,
    units_of,
    with_spread,
)

PROCESS = find_process("generic180")


def short() -> FittedTier:
    """The LIF neuron's tier for runs of 14 ms."""
    known = load_tier(tier_path("lif_neuron", PROCESS), PROCESS)
    recipe = known.recipe.model_copy(update={"stop": 14e-3})
    deck = deck_identity(circuit_of(recipe, PROCESS, 27.0))
    return FittedTier(recipe, known.tier, known.file.model_copy(update={"deck": deck}))


def test_every_unit_s_tier_fires_as_its_circuit() -> None:
    fitted = short()
    # A seed whose short runs spike enough for a fit, and which judges near the leak: there the
    # draws differ most.
    with Pool(2, SimulationOptions.profile("precise")) as pool:
        found = fit_population(fitted, PROCESS, pool, 4, runs=2, judged=1, seed=1)
    assert found.parameters.shape == (4, len(found.names))
    rates = rates_of(fitted, units_of(fitted, found), found.drive)
    assert rates == pytest.approx(found.rates, rel=0.01)
    # The draws differ by more than their tiers err.
    assert np.abs(rates - found.rates).max() < 0.3 * np.ptp(found.rates)


def made(count: int = 400) -> Population:
    rng = np.random.default_rng(0)
    nominal = np.array([20e-12, 0.4, -1e-3])
    log = rng.multivariate_normal([0.01, 0.0], [[0.04, 0.006], [0.006, 0.0016]], count)
    last = nominal[2] + 1e-3 * rng.normal(size=count)
    table = np.column_stack([nominal[0] * np.exp(log[:, 0]), 0.4 * np.exp(log[:, 1]), last])
    return Population(("i_leak", "v_t", "lag"), nominal, table, np.zeros((count, 0)), ())


def test_draws_have_the_population_s_means_spreads_and_correlations() -> None:
    fitted = load_tier(tier_path("lif_neuron", PROCESS))
    values = fitted.file.parameters
    nominal = {"i_leak": 20e-12, "v_t": 0.4, "lag": -1e-3}
    own = {
        n: each.model_copy(update={"value": nominal.get(n, each.value)})
        for n, each in values.items()
    }
    fitted = FittedTier(
        fitted.recipe, fitted.tier, fitted.file.model_copy(update={"parameters": own})
    )
    population = made()
    spread = with_spread(fitted, population, 0)
    assert spread.file.spread is not None
    assert spread.file.spread.additive == ("lag",)
    tier = drawn(spread, 20_000, np.random.default_rng(1)).values()
    table = np.column_stack([np.asarray(tier[name]) for name in population.names])
    assert table.mean(axis=0) == pytest.approx(population.parameters.mean(axis=0), rel=0.05)
    assert table.std(axis=0) == pytest.approx(population.parameters.std(axis=0), rel=0.05)
    assert np.corrcoef(table.T) == pytest.approx(np.corrcoef(population.parameters.T), abs=0.05)
    assert np.ndim(np.asarray(tier["c"])) == 0
    again = drawn(spread, 20_000, np.random.default_rng(1)).values()
    assert np.array_equal(np.asarray(again["v_t"]), np.asarray(tier["v_t"]))


def test_a_file_keeps_its_spread(tmp_path: object) -> None:
    fitted = load_tier(tier_path("lif_neuron", PROCESS))
    spread = with_spread(fitted, made(), 5).file
    from pathlib import Path

    path = Path(str(tmp_path)) / "tier.json"
    spread.write(path)
    assert load_tier(path).file.spread == spread.spread


def test_too_few_draws_and_cells_without_mismatch_are_refused() -> None:
    fitted = load_tier(tier_path("lif_neuron", PROCESS))
    with pytest.raises(DataError, match="5 of 5 draws could be fitted: give more than 6 for 3"):
        with_spread(fitted, made(5), 0)
    bump = load_tier(tier_path("bump", PROCESS))
    with Pool(1) as pool, pytest.raises(DataError, match="bump has no parameters that mismatch"):
        fit_population(bump, PROCESS, pool, 3)


def test_a_spread_is_fitted_to_a_few_circuits() -> None:
    """The way of `spicesnn fit --draws`, with as few draws as may be."""
    fitted = short()
    names = fitted.recipe.mismatched
    with Pool(2, SimulationOptions.profile("precise")) as pool:
        made_by = fit_spread(fitted, PROCESS, pool, 2 * len(names), seed=1)
    spread = made_by.file.spread
    assert spread is not None
    assert spread.names == names
    assert spread.draws == 2 * len(names)
    assert (np.diag(spread.covariance) > 0).all()


def test_draws_that_could_not_be_fitted_are_left_out() -> None:
    fitted = load_tier(tier_path("lif_neuron", PROCESS))
    names = fitted.recipe.mismatched
    nominal = np.array([fitted.file.values()[name] for name in names])
    table = np.tile(nominal, (4, 1))
    table[2, 0] = np.nan
    found = Population(names, nominal, table, np.zeros((4, 0)), ())
    assert found.good.tolist() == [True, True, False, True]
    assert np.shape(units_of(fitted, found).values()[names[0]]) == (3,)
