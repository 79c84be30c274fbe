"""A tier and its circuit side by side on stimuli that no fit has seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from spicesnn.engine.pool import Pool
from spicesnn.processes import Process
from spicesnn.tiers.agreement import Agreement, Answer, Budget, agreement
from spicesnn.tiers.file import TierFile
from spicesnn.tiers.fitted import FittedTier
from spicesnn.tiers.fitting import CROSSCHECK, simulate
from spicesnn.tiers.record import Record


@dataclass(frozen=True)
class Crosscheck:
    """What a crosscheck found.

    Attributes:
        name: of what was checked, with its process.
        title: of it in words.
        inputs, compared: units of the inputs and of the outputs that are compared, by name.
        file: of the tier; None where several are joined.
        kinds: of the stimuli, one a run.
        records: of the circuit.
        answers: of the tier.
        agreement: their errors.
        refused: stimuli that led the tier out of its range, so that others were drawn.
    """

    name: str
    title: str
    inputs: Mapping[str, str]
    compared: Mapping[str, str]
    file: TierFile | None
    kinds: tuple[str, ...]
    records: tuple[Record, ...]
    answers: tuple[Answer, ...]
    agreement: Agreement
    refused: int = 0


def crosscheck(
    tier: FittedTier,
    process: Process,
    pool: Pool,
    *,
    runs: int = 12,
    seed: int = 0,
    budget: Budget | None = None,
    done: Callable[[], None] | None = None,
) -> Crosscheck:
    """Run both on new random stimuli.

    Args:
        tier: with its file.
        process: of the circuit.
        pool: where the circuit runs.
        runs: stimuli.
        seed: of the stimuli, which have nothing in common with those of a fit of the same seed.
        budget: how errors are measured.
        done: called after each run of the circuit.

    Raises:
        TierFileError: the tier is of another circuit.
        OutOfRangeError: a stimulus leads the tier out of its range.
        SimulationError: a run cannot be trusted.
    """
    tier.check_circuit(process)
    celsius = tier.file.celsius
    found = simulate(tier.recipe, process, pool, runs, seed, CROSSCHECK, celsius, done)
    answers = tier.answers(found.records)
    result = agreement(
        found.records, answers, tier.file.tau, budget or Budget(), tier.recipe.digital
    )
    kinds = tuple(stimulus.name for stimulus in found.stimuli)
    return Crosscheck(
        name=tier.file.name,
        title=tier.recipe.title,
        inputs={name: spec.unit for name, spec in tier.recipe.tier.INPUTS.items()},
        compared=tier.recipe.compared,
        file=tier.file,
        kinds=kinds,
        records=found.records,
        answers=tuple(answers),
        agreement=result,
    )
