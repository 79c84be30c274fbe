"""A fitted tier: run on inputs that it was fitted for, and bound to its circuit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from spicesnn.circuits.deck import Deck
from spicesnn.errors import DataError, TierFileError, UnknownNameError
from spicesnn.processes import Process
from spicesnn.processes.installed import digest
from spicesnn.tiers.agreement import Answer
from spicesnn.tiers.file import TierFile, read_tier_file
from spicesnn.tiers.library import find_recipe
from spicesnn.tiers.ranges import check
from spicesnn.tiers.recipe import Recipe
from spicesnn.tiers.record import Record
from spicesnn.tiers.tier import Tier, scan

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FittedTier:
    """A tier with the recipe that it came from and all that is known of it."""

    recipe: Recipe
    tier: Tier
    file: TierFile

    @staticmethod
    def of(file: TierFile) -> FittedTier:
        """The tier of a file's content.

        Raises:
            UnknownNameError: the file's cell is none that this tool has a recipe for.
            TierFileError: its parameters, settings or ranges are not those of the cell's tier.
        """
        known = find_recipe(file.cell)
        try:
            recipe = type(known)(**file.settings)
            tier = recipe.tier.of(file.values())
        except (ValueError, LookupError) as error:
            raise TierFileError(
                f"the tier file of {file.name} does not fit this tool's {file.cell}: {error} "
                f"Fit it again by `spicesnn fit {file.cell}`."
            ) from error
        for name in ("step", *recipe.tier.INPUTS):
            if name not in file.ranges:
                raise TierFileError(
                    f"the tier file of {file.name} has no range of {name}, so nothing would be "
                    f"refused: fit it again by `spicesnn fit {file.cell}`."
                )
        return FittedTier(recipe, tier, file)

    def check_circuit(self, process: Process) -> None:
        """Refuse a circuit other than the one that was fitted.

        Args:
            process: that the tier is to stand for.

        Raises:
            TierFileError: another process, corner, library or deck; the message says which.
        """
        file = self.file
        again = (
            f"fit it again by `spicesnn fit {file.cell} --process {process.name} "
            f"--corner {process.corner}`"
        )
        if (process.name, process.corner) != (file.process, file.corner):
            raise TierFileError(
                f"the tier {file.name} is not of {process.name} {process.corner}: {again}."
            )
        if digest(process.library) != file.library:
            raise TierFileError(
                f"the models of {process.name} have changed since the tier {file.name} was fitted "
                f"(hash {digest(process.library)}, then {file.library}): {again}."
            )
        deck = deck_identity(circuit_of(self.recipe, process, file.celsius))
        if deck != file.deck:
            raise TierFileError(
                f"the circuit of {file.cell} has changed since the tier {file.name} was fitted "
                f"(hash {deck}, then {file.deck}): {again}."
            )

    def check_inputs(self, inputs: Mapping[str, npt.ArrayLike], dt: float) -> None:
        """Refuse inputs, or a step, that the fit has not seen.

        Raises:
            UnknownNameError: an input that the cell has not.
            DataError: an input is missing, or the step is not above 0.
            OutOfRangeError: naming the quantity and its range.
        """
        wanted = self.tier.INPUTS
        for name in inputs:
            if name not in wanted:
                raise UnknownNameError(f"input of {self.file.cell}", name, wanted)
        for name in wanted:
            if name not in inputs and name != "events":
                raise DataError(
                    f"{self.file.name} runs on {', '.join(wanted)}: give {name} "
                    f"({wanted[name].doc} [{wanted[name].unit}])."
                )
        if not dt > 0:
            raise DataError(
                f"a step of {dt:g} s is not above 0: give the tier's own, or a shorter."
            )
        check(self.file.name, self.file.ranges, {**inputs, "step": dt})

    def run(
        self, inputs: Mapping[str, npt.ArrayLike], dt: float, dtype: Any = jnp.float64
    ) -> dict[str, Array]:
        """The outputs of all steps from rest, inside the range only.

        Args:
            inputs: by name, means over each step, shape (steps, ...).
            dt: the step, seconds.
            dtype: of the computation.

        Returns:
            By name, at the end of each step, shape (steps, ...).

        Raises:
            UnknownNameError, DataError: as `check_inputs`.
            OutOfRangeError: inputs, the step, or an output that the tier came to, are outside what
                it was fitted for.
        """
        self.check_inputs(inputs, dt)
        given = {name: jnp.asarray(each, dtype) for name, each in inputs.items()}
        shape = next(iter(given.values())).shape[1:]
        tier = self.tier.astype(dtype)
        _, outputs = _run(tier, tier.start(self._units(shape), dtype), given, dt)
        found = {name: np.asarray(each) for name, each in outputs.items()}
        check(self.file.name, self.file.ranges, found)
        return found

    def outputs_of(
        self, records: Sequence[Record], dtype: Any = jnp.float64
    ) -> list[dict[str, Array]]:
        """The tier's outputs for the inputs of circuit runs, all in one batch.

        Returns:
            Of each run, by name, shape (steps,).

        Raises:
            OutOfRangeError: as `run`.
        """
        longest = max(record.steps for record in records)

        def padded(each: Array) -> Array:
            # What comes after a run's end is cut off again: its last input, so that it is in range.
            return np.concatenate([each, np.repeat(each[-1:], longest - each.shape[0], axis=0)])

        inputs = {
            name: np.stack([padded(record.inputs[name]) for record in records], axis=1)
            for name in records[0].inputs
        }
        outputs = self.run(inputs, records[0].dt, dtype)
        return [
            {n: np.asarray(o[: record.steps, k], np.float64) for n, o in outputs.items()}
            for k, record in enumerate(records)
        ]

    def answers(self, records: Sequence[Record], dtype: Any = jnp.float64) -> list[Answer]:
        """Outputs that are compared, spikes and energy for the inputs of circuit runs.

        Raises:
            OutOfRangeError: as `run`.
        """
        answers = []
        for record, own in zip(records, self.outputs_of(records, dtype), strict=True):
            spikes = spike_times_of(own, record.dt)
            energy = float("nan")
            if self.file.energy:
                energy = self.file.energy_of(self.recipe.energy_features(record.inputs, own))
            answers.append(Answer({n: own[n] for n in record.outputs}, spikes, energy))
        return answers

    def _units(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape[:-1] if self.recipe.rows else shape


@eqx.filter_jit
def _run(
    tier: Tier, state: Any, inputs: dict[str, jax.Array], dt: float
) -> tuple[Any, Mapping[str, jax.Array]]:
    return scan(tier, state, inputs, dt)


def run_units(tier: Tier, inputs: Mapping[str, npt.ArrayLike], dt: float) -> list[Array]:
    """Spikes of a batch of units from rest, without a check of the range.

    Args:
        tier: parameters of shape (units,) or ().
        inputs: by name, shape (steps, units).
        dt: the step, seconds.

    Returns:
        Seconds, of each unit.
    """
    given = {name: jnp.asarray(each, jnp.float64) for name, each in inputs.items()}
    units = next(iter(given.values())).shape[1]
    _, outputs = _run(tier, tier.start((units,), jnp.float64), given, dt)
    found = {name: np.asarray(outputs[name]) for name in ("spike", "delay")}
    return [spike_times_of({n: o[:, k] for n, o in found.items()}, dt) for k in range(units)]


def spike_times_of(outputs: Mapping[str, Array], dt: float) -> Array:
    """Seconds, shape (spikes,), of one unit's outputs `spike` and `delay`, shape (steps,)."""
    if "spike" not in outputs:
        return np.empty(0)
    steps = np.flatnonzero(outputs["spike"] > 0.5)
    return np.asarray(steps * dt + outputs["delay"][steps], dtype=np.float64)


def circuit_of(recipe: Recipe, process: Process, celsius: float) -> Deck:
    """The recipe's circuit at a temperature."""
    return replace(recipe.deck(process), temperature=process.checked_temperature(celsius))


def deck_identity(deck: Deck) -> str:
    """Hash of a circuit without the path of its models, which is another on every machine."""
    return replace(deck, models="").identity


def load_tier(path: Path, process: Process | None = None) -> FittedTier:
    """The tier of a file, checked against its circuit where a process is given.

    Raises:
        TierFileError: the file is damaged, of another version, or of another circuit.
        UnknownNameError: its cell is none that this tool has a recipe for.
    """
    fitted = FittedTier.of(read_tier_file(path))
    if process is not None:
        fitted.check_circuit(process)
    return fitted
