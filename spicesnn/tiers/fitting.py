"""Fitting a cell's tier to its circuit, and the test on stimuli that the fit never saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicesnn import __version__
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.processes import Process
from spicesnn.processes.installed import digest
from spicesnn.tiers.agreement import Agreement, Budget, agreement
from spicesnn.tiers.energy import fit_energy
from spicesnn.tiers.file import Fitted, TierFile
from spicesnn.tiers.fitted import FittedTier, circuit_of, deck_identity
from spicesnn.tiers.ranges import Range
from spicesnn.tiers.recipe import Recipe, Stimulus
from spicesnn.tiers.record import Record

Array = npt.NDArray[np.float64]

# Streams of random stimuli: what is fitted, what is held out, what a crosscheck draws.
FITTED, HELD_OUT, CROSSCHECK = range(3)


@dataclass(frozen=True)
class Simulated:
    """Runs of a recipe's circuit.

    Attributes:
        stimuli: what drove them.
        records: what came out, on the tier's steps.
        analysis_seconds: the simulator's own time.
        ngspice: its version.
    """

    stimuli: tuple[Stimulus, ...]
    records: tuple[Record, ...]
    analysis_seconds: float
    ngspice: int


def simulate(
    recipe: Recipe,
    process: Process,
    pool: Pool,
    count: int,
    seed: int,
    stream: int,
    celsius: float = 27.0,
    done: Callable[[], None] | None = None,
) -> Simulated:
    """Run a recipe's circuit on random stimuli.

    Args:
        recipe: the cell.
        process: of its transistors.
        pool: where the circuit runs; its cache, if it has one, keeps the runs.
        count: stimuli.
        seed: of the stimuli.
        stream: `FITTED`, `HELD_OUT` or `CROSSCHECK`: stimuli of two streams have nothing in common.
        celsius: temperature.
        done: called after each run.

    Raises:
        SimulationError: a run cannot be trusted.
    """
    stimuli = recipe.stimuli(process, np.random.default_rng([seed, stream]), count)
    return simulate_stimuli(recipe, process, pool, stimuli, celsius, done)


def simulate_stimuli(
    recipe: Recipe,
    process: Process,
    pool: Pool,
    stimuli: Sequence[Stimulus],
    celsius: float = 27.0,
    done: Callable[[], None] | None = None,
) -> Simulated:
    """As `simulate`, on stimuli that are given.

    Raises:
        SimulationError: a run cannot be trusted.
    """
    deck = circuit_of(recipe, process, celsius)
    runs = pool.map([Job(deck, each.knobs, cached=True) for each in stimuli], done)
    records = [
        recipe.record(each, run.waveforms, process) for each, run in zip(stimuli, runs, strict=True)
    ]
    seconds = sum(run.analysis_seconds for run in runs)
    return Simulated(tuple(stimuli), tuple(records), seconds, runs[0].ngspice)


def fit_tier(
    recipe: Recipe,
    process: Process,
    pool: Pool,
    *,
    runs: int = 20,
    held_out: int = 20,
    seed: int = 0,
    celsius: float = 27.0,
    budget: Budget | None = None,
    done: Callable[[], None] | None = None,
) -> tuple[FittedTier, Agreement]:
    """Fit a tier and measure its errors on held-out stimuli.

    Args:
        recipe: the cell.
        process: of its transistors.
        pool: where the circuit runs.
        runs: stimuli that are fitted.
        held_out: stimuli that the errors are measured on.
        seed: of all stimuli.
        celsius: temperature.
        budget: how errors are measured, by default `Budget()`; the fit does not depend on it.
        done: called after each run of the circuit.

    Returns:
        The tier, and how it agrees with the circuit on the held-out stimuli.

    Raises:
        SimulationError: a run cannot be trusted.
        DataError: the runs do not determine the parameters.
    """
    seen = simulate(recipe, process, pool, runs, seed, FITTED, celsius, done)
    found = recipe.fit(seen.records, process, celsius)
    specs = recipe.tier.PARAMETERS
    values = {
        name: Fitted(value=found[name], sigma=found.sigma(name), unit=specs[name].unit)
        for name in found.names
    }
    spread = np.sqrt(np.diag(found.covariance))
    spread = np.where(spread > 0, spread, 1.0)
    correlation = found.covariance / np.outer(spread, spread)
    ranges = {
        **recipe.ranges(seen.records),
        "step": Range(low=0.0, high=recipe.dt, unit="s"),
    }
    first = TierFile(
        cell=recipe.name,
        settings=recipe.model_dump(mode="json"),
        process=process.name,
        corner=process.corner,
        celsius=celsius,
        supply=process.supply,
        dt=recipe.dt,
        tau=recipe.tau,
        parameters=values,
        correlation=tuple(map(tuple, correlation.tolist())),
        ranges=ranges,
        errors={},
        details={},
        data=found.data,
        deck=deck_identity(circuit_of(recipe, process, celsius)),
        library=digest(process.library),
        seed=seed,
        made_by=f"spicesnn {__version__}, ngspice {seen.ngspice}",
    )
    fitted = with_energy(FittedTier.of(first), seen.records)
    test = simulate(recipe, process, pool, held_out, seed, HELD_OUT, celsius, done)
    answers = fitted.answers(test.records)
    result = agreement(test.records, answers, recipe.tau, budget or Budget(), recipe.digital)
    errors = {name: float(value) for name, value in result.numbers().items()}
    details = {
        "runs fitted": float(runs), "runs held out": float(held_out),
        "spikes held out": float(result.spikes), "seconds held out": result.seconds,
        "window [s]": result.window,
    }  # fmt: skip
    done_file = fitted.file.model_copy(update={"errors": errors, "details": details})
    return FittedTier(recipe, fitted.tier, done_file), result


def with_energy(fitted: FittedTier, records: Sequence[Record]) -> FittedTier:
    """The tier with the energy of each feature, from the runs that were fitted.

    The features are those of the tier's own answers, so that its spikes are counted.

    Raises:
        DataError: too few runs for so many features.
    """
    recipe = fitted.recipe
    if not recipe.features or not all(record.energy for record in records):
        return fitted
    features = [
        recipe.energy_features(record.inputs, outputs)
        for record, outputs in zip(records, fitted.outputs_of(records), strict=True)
    ]
    energy = np.array([record.energy for record in records])
    values, sigma = fit_energy(np.array(features), energy)
    named = {
        name: Fitted(value=float(v), sigma=float(s), unit=f"J/{unit}")
        for (name, unit), v, s in zip(recipe.features.items(), values, sigma, strict=True)
    }
    file = fitted.file.model_copy(update={"energy": named})
    return FittedTier(recipe, fitted.tier, file)
