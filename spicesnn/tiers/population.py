"""Populations of mismatched units: a tier's parameters over Monte Carlo draws of its circuit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from spicesnn.characterize.bench import Bench, Quantity
from spicesnn.characterize.condition import Condition
from spicesnn.characterize.montecarlo import run_monte_carlo
from spicesnn.circuits.deck import Deck, Value
from spicesnn.engine.pool import Pool
from spicesnn.errors import DataError, TierFileError
from spicesnn.measure.rates import mean_rate
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.tiers.file import Spread
from spicesnn.tiers.fitted import FittedTier, run_units
from spicesnn.tiers.recipe import Recipe, Stimulus
from spicesnn.tiers.tier import Tier
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]
Begin = Callable[[str, int], Callable[[], None]]

# The stream of stimuli beside those of fits and crosschecks.
_POPULATION = 3


class _UnitBench(Bench):
    """A recipe's circuit, measured by fitting its tier; then its rates on other stimuli."""

    name: ClassVar[str] = "tier_of_a_unit"

    recipe: Recipe
    nominal: Mapping[str, float]
    runs: int = parameter(3, unit="1", doc="stimuli that a unit is fitted to", ge=1)
    judged: int = parameter(2, unit="1", doc="further stimuli whose rates are measured", ge=0)
    seed: int = parameter(0, unit="1", doc="of the stimuli", ge=0)

    @property
    def properties(self) -> Mapping[str, Quantity]:
        """The parameters that mismatch moves, and the circuit's rates."""
        units = self.recipe.tier.PARAMETERS
        found = {name: Quantity(units[name].unit) for name in self.recipe.mismatched}
        return found | {_rate(k): Quantity("Hz") for k in range(self.judged)}

    def deck(self, process: Process) -> Deck:
        """The recipe's."""
        return self.recipe.deck(process)

    def drive(self, process: Process) -> list[Stimulus]:
        """All kinds in turn: first those that are fitted."""
        rng = np.random.default_rng([self.seed, _POPULATION])
        return self.recipe.stimuli(process, rng, self.runs + self.judged)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """The knobs of `drive`."""
        return [dict(each.knobs) for each in self.drive(process)]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """The fit of a unit from where the nominal one is, and rates; NaN where it cannot be."""
        records = [
            self.recipe.record(stimulus, wave, on.process)
            for stimulus, wave in zip(self.drive(on.process), waveforms, strict=True)
        ]
        rates = {
            _rate(k): mean_rate(record.spikes) for k, record in enumerate(records[self.runs :])
        }
        try:
            found = self.recipe.fit(
                records[: self.runs], on.process, on.celsius, start=self.nominal
            )
        except DataError:
            return dict.fromkeys(self.recipe.mismatched, float("nan")) | rates
        return {name: found[name] for name in self.recipe.mismatched} | rates


@dataclass(frozen=True)
class Population:
    """Mismatched circuits, each with the tier that was fitted to it.

    Attributes:
        names: of the parameters that mismatch moves.
        nominal: those of the circuit without mismatch, shape (names,).
        parameters: shape (draws, names); NaN where a draw could not be fitted.
        rates: of the circuits, hertz, shape (draws, judged).
        drive: the stimuli of those rates.
    """

    names: tuple[str, ...]
    nominal: Array
    parameters: Array
    rates: Array
    drive: tuple[Stimulus, ...]

    @property
    def good(self) -> npt.NDArray[np.bool_]:
        """Whether a draw could be fitted, shape (draws,)."""
        return np.asarray(np.isfinite(self.parameters).all(axis=1))


def fit_population(
    fitted: FittedTier,
    process: Process,
    pool: Pool,
    count: int,
    *,
    runs: int = 3,
    judged: int = 2,
    seed: int = 0,
    done: Callable[[], None] | None = None,
) -> Population:
    """Fit a tier to every one of `count` mismatched circuits, and measure their rates.

    Args:
        fitted: the nominal tier; its other parameters are kept.
        process: of the transistors.
        pool: where the circuits run; with a cache, a call that was stopped goes on.
        count: draws.
        runs: stimuli that each is fitted to.
        judged: further stimuli on which rates are measured.
        seed: of draws and stimuli.
        done: called after each run.

    Raises:
        TierFileError: the tier is of another circuit.
        SimulationError: the circuit without mismatch cannot be simulated.
        DataError: nothing of the cell is said to be moved by mismatch.
    """
    fitted.check_circuit(process)
    names = fitted.recipe.mismatched
    if not names:
        raise DataError(f"{fitted.recipe.name} has no parameters that mismatch moves.")
    bench = _UnitBench(
        recipe=fitted.recipe, nominal=fitted.file.values(), runs=runs, judged=judged, seed=seed
    )
    study = run_monte_carlo(
        bench, process, pool, count=count, seed=seed, temperature=fitted.file.celsius, done=done
    )
    table = np.stack([study.properties[name].values for name in names], axis=1)
    each = [study.properties[_rate(k)].values for k in range(judged)]
    rates = np.array(each).reshape(judged, table.shape[0]).T
    nominal = np.array([study.properties[name].nominal for name in names])
    return Population(names, nominal, table, rates, tuple(bench.drive(process)[runs:]))


def fit_spread(
    fitted: FittedTier,
    process: Process,
    pool: Pool,
    draws: int,
    *,
    seed: int = 0,
    begin: Begin | None = None,
) -> FittedTier:
    """The tier with the joint distribution of its parameters over mismatched circuits.

    Args:
        fitted: the nominal tier.
        process: of the transistors.
        pool: where the circuits run.
        draws: how many circuits.
        seed: of draws and stimuli.
        begin: of a progress bar: takes its text and total, gives what is called after each run.

    Raises:
        DataError: fewer than two draws per parameter could be fitted.
    """
    runs = 3
    done = begin(f"{fitted.recipe.name}, {draws} draws", runs * draws) if begin else None
    found = fit_population(fitted, process, pool, draws, runs=runs, judged=0, seed=seed, done=done)
    return with_spread(fitted, found, seed)


def with_spread(fitted: FittedTier, population: Population, seed: int) -> FittedTier:
    """The tier with the distribution of a population's parameters.

    Positive parameters vary by a factor, so that no draw turns one negative.

    Raises:
        DataError: fewer than two draws per parameter could be fitted.
    """
    good = population.parameters[population.good]
    if good.shape[0] < 2 * len(population.names):
        raise DataError(
            f"{good.shape[0]} of {population.parameters.shape[0]} draws could be fitted: give more "
            f"than {2 * len(population.names)} for {len(population.names)} parameters."
        )
    positive = (good > 0).all(axis=0) & (population.nominal > 0)
    log = np.log(np.where(positive, good / np.where(positive, population.nominal, 1), 1))
    moved = np.where(positive, log, good - population.nominal)
    spread = Spread(
        names=population.names,
        additive=tuple(n for n, p in zip(population.names, positive, strict=True) if not p),
        mean=tuple(moved.mean(axis=0).tolist()),
        covariance=tuple(map(tuple, np.atleast_2d(np.cov(moved.T)).tolist())),
        draws=good.shape[0],
        seed=seed,
        data=hashlib.sha256(np.ascontiguousarray(good).tobytes()).hexdigest()[:16],
    )
    file = fitted.file.model_copy(update={"spread": spread})
    return FittedTier(fitted.recipe, fitted.tier, file)


def drawn(fitted: FittedTier, count: int, rng: np.random.Generator) -> Tier:
    """A population of mismatched units, to be run as one batch of `count`.

    Raises:
        TierFileError: the file has no spread.
    """
    spread = fitted.file.spread
    if spread is None:
        raise TierFileError(
            f"the tier {fitted.file.name} has no spread: fit it by `spicesnn fit "
            f"{fitted.file.cell} --draws 200`."
        )
    moves = rng.multivariate_normal(spread.mean, spread.covariance, size=count, method="eigh")
    values = fitted.file.values()
    own = {
        name: values[name] + move if name in spread.additive else values[name] * np.exp(move)
        for name, move in zip(spread.names, moves.T, strict=True)
    }
    return fitted.recipe.tier.of({**values, **own})


def units_of(fitted: FittedTier, population: Population) -> Tier:
    """The tiers that were fitted to the circuits, as one batch of the `good` draws."""
    good = population.parameters[population.good]
    own = dict(zip(population.names, good.T, strict=True))
    return fitted.recipe.tier.of({**fitted.file.values(), **own})


def rates_of(fitted: FittedTier, units: Tier, drive: Sequence[Stimulus]) -> Array:
    """Rates of a batch of units under the same stimuli, hertz, shape (units, stimuli)."""
    count = max(np.size(each) for each in units.values().values())
    found = np.zeros((count, len(drive)))
    for k, stimulus in enumerate(drive):
        inputs = {
            name: np.repeat(each[:, None], count, axis=1) for name, each in stimulus.inputs.items()
        }
        for unit, spikes in enumerate(run_units(units, inputs, fitted.file.dt)):
            found[unit, k] = mean_rate(spikes)
    return found


def _rate(k: int) -> str:
    return f"rate on stimulus {k + 1}"
