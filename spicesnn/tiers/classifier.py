"""The classifier's network as tiers: traces, columns and neurons, fitted each by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.errors import DataError, TierFileError
from spicesnn.processes import Process
from spicesnn.tiers.column import Column, Unit
from spicesnn.tiers.dpi_trace import DpiTrace
from spicesnn.tiers.fitted import FittedTier, load_tier, spike_times_of
from spicesnn.tiers.library import tier_path
from spicesnn.tiers.ranges import check
from spicesnn.tiers.record import duty, step_ends

Array = npt.NDArray[np.float64]
Trains = Sequence[Sequence[float]]

# The cells of a circuit that each of its tiers is of, by the names of the circuit's fields.
_CELLS = {
    "dpi_trace": ("trace", "trace_bias", "pulse_width", "pulse_edge", "normaliser", "units"),
    "column": ("normaliser", "v_read", "v_return"),
    "dpi_neuron": ("neuron", "neuron_bias"),
}


@dataclass(frozen=True)
class Answered:
    """What the tiers make of some samples.

    Attributes:
        time: ends of the steps, seconds, shape (steps,).
        v_p: gates of the tails, volts, shape (steps, samples, rows).
        i_in: into the neurons, amperes, shape (steps, samples, units).
        v_mem: membranes, volts, shape (steps, samples, units).
        spikes: of each sample and unit, seconds.
        energy: of each sample by part, joules.
    """

    time: Array
    v_p: Array
    i_in: Array
    v_mem: Array
    spikes: tuple[tuple[Array, ...], ...]
    energy: tuple[dict[str, float], ...]


@dataclass(frozen=True)
class ClassifierTiers:
    """The three fitted tiers of a classifier's circuit."""

    circuit: ClassifierCircuit
    process: Process
    trace: FittedTier
    column: FittedTier
    neuron: FittedTier

    @staticmethod
    def load(circuit: ClassifierCircuit, process: Process) -> ClassifierTiers:
        """The tiers that ship for a process, checked against the circuit.

        The column's may be of another number of rows: its law is a sum over rows.

        Raises:
            TierFileError: none ships, or it is of other cells or biases.
        """
        fitted = {name: load_tier(tier_path(name, process), process) for name in _CELLS}
        for name, fields in _CELLS.items():
            recipe: Any = fitted[name].recipe
            own = recipe.circuit if hasattr(recipe, "circuit") else None
            for field in fields:
                there = getattr(own, field) if own else _of_neuron(recipe, field)
                if there != getattr(circuit, field):
                    raise TierFileError(
                        f"the tier {fitted[name].file.name} is of another {field} than the "
                        f"classifier's: fit it again by `spicesnn fit {name}` with that {field}."
                    )
        return ClassifierTiers(
            circuit, process, fitted["dpi_trace"], fitted["column"], fitted["dpi_neuron"]
        )

    @property
    def identity(self) -> str:
        """A hash of all three files' contents."""
        total = hashlib.sha256()
        for each in (self.trace, self.column, self.neuron):
            total.update(each.file.model_dump_json().encode())
        return total.hexdigest()[:16]

    @property
    def dt(self) -> float:
        """The largest step that all three are fitted for, seconds."""
        return min(each.file.dt for each in (self.trace, self.column, self.neuron))

    def events(self, samples: Sequence[Trains]) -> Array:
        """The parts of each step that input pulses fill, shape (steps, samples, rows).

        Raises:
            DataError: a sample has another number of rows, or a spike outside the run.
        """
        circuit, steps = self.circuit, round(self.circuit.stop / self.dt)
        for sample in samples:
            if len(sample) != circuit.rows:
                raise DataError(f"a sample has {len(sample)} spike trains, not {circuit.rows}.")
            for train in sample:
                for moment in train:
                    if not 0 <= moment <= circuit.stop:
                        raise DataError(
                            f"a spike at {moment:g} s is outside the run of {circuit.stop:g} s: "
                            "leave it out, or lengthen the circuit's stop."
                        )
        half = circuit.pulse_edge / 2
        return np.stack(
            [
                np.stack(
                    [
                        duty(np.asarray(train) + half, circuit.pulse_width, self.dt, steps)
                        for train in sample
                    ],
                    axis=-1,
                )
                for sample in samples
            ],
            axis=1,
        )

    def network(self, conductance: Array, gain: Array | None = None) -> Unit:
        """The network with these conductances, to be run, batched and differentiated.

        Args:
            conductance: siemens, shape (2, rows, units).
            gain: of each unit's input, shape (units,); 1 if left out.

        Raises:
            DataError: conductances of another shape.
            OutOfRangeError: conductances that the column was not fitted for.
        """
        shape = (2, self.circuit.rows, self.circuit.units)
        if np.shape(conductance) != shape:
            raise DataError(f"conductances have shape {np.shape(conductance)}, not {shape}.")
        ranges = self.column.file.ranges
        values = {"g_plus": conductance[0], "g_minus": conductance[1]}
        check(self.column.file.name, ranges, values)
        column, trace = cast(Column, self.column.tier), cast(DpiTrace, self.trace.tier)
        if gain is not None:
            column = eqx.tree_at(
                lambda c: (c.gain_plus, c.gain_minus), column,
                (column.gain_plus * gain, column.gain_minus * gain),
            )  # fmt: skip
        return Unit(trace, column, self.neuron.tier, jnp.asarray(conductance))

    def answer(
        self, conductance: Array, samples: Sequence[Trains], gain: Array | None = None
    ) -> Answered:
        """The network's answers, inside its range only.

        Args:
            conductance: siemens, shape (2, rows, units).
            samples: input spike times, seconds.
            gain: of each unit's input, shape (units,); 1 if left out.

        Raises:
            DataError: shapes or spikes that do not fit the circuit.
            OutOfRangeError: inputs, or what the tiers came to, that they were not fitted for.
        """
        events = self.events(samples)
        check(self.trace.file.name, self.trace.file.ranges, {"event": events})
        outputs = {
            name: np.asarray(each)
            for name, each in _run(self.network(conductance, gain), jnp.asarray(events), self.dt)
            .items()
        }  # fmt: skip
        for part, names in (
            (self.trace, ("v_q", "v_p", "i_p")), (self.column, ("v_p", "i_in")),
            (self.neuron, ("i_in", "v_mem")),
        ):  # fmt: skip
            check(part.file.name, part.file.ranges, {name: outputs[name] for name in names})
        batch, units = range(len(samples)), range(self.circuit.units)
        spikes = tuple(
            tuple(
                spike_times_of({n: outputs[n][:, k, i] for n in ("spike", "delay")}, self.dt)
                for i in units
            )
            for k in batch
        )
        time = step_ends(self.dt, events.shape[0])
        energy = tuple(self._energy(k, conductance, events, outputs) for k in batch)
        return Answered(time, outputs["v_p"], outputs["i_in"], outputs["v_mem"], spikes, energy)

    def _energy(
        self, k: int, conductance: Array, events: Array, outputs: Mapping[str, Array]
    ) -> dict[str, float]:
        """Of one sample, by the parts that the circuit's is counted in."""
        own = {name: each[:, k] for name, each in outputs.items()}

        def of(tier: FittedTier, inputs: dict[str, Array], unit: int) -> float:
            its = {n: o[:, unit] for n, o in own.items() if n not in self.trace.tier.OUTPUTS}
            return tier.file.energy_of(tier.recipe.energy_features(inputs, its))

        steps, rows = events.shape[0], self.circuit.rows
        traces = 0.0
        for j in range(rows):
            its = {"i_p": own["i_p"][:, j], "v_p": own["v_p"][:, j]}
            features = self.trace.recipe.energy_features({"event": events[:, k, j]}, its)
            traces += self.trace.file.energy_of(features)
        columns = neurons = 0.0
        for i in range(self.circuit.units):
            sides = {
                name: np.broadcast_to(conductance[side, :, i], (steps, rows))
                for side, name in enumerate(("g_plus", "g_minus"))
            }
            # The subtractor's source was fitted with the column; a network has it at the neuron.
            source = self.process.supply * self.dt * float(own["i_plus"][:, i].sum())
            columns += of(self.column, {**sides, "v_p": own["v_p"]}, i) - source
            neurons += of(self.neuron, {"i_in": own["i_in"][:, i]}, i) + source
        return {
            "traces": traces, "columns": columns, "neurons": neurons,
            "biases": self._biases() * self.circuit.stop * self.process.supply,
        }  # fmt: skip

    def _biases(self) -> float:
        """Of all mirror inputs, amperes."""
        found = 0.0
        for bias in (self.circuit.trace_bias, self.circuit.neuron_bias):
            found += sum(v for name, v in bias.model_dump().items() if name.startswith("i_"))
        return found


@eqx.filter_jit
def _run(network: Unit, events: jax.Array, dt: float) -> Mapping[str, jax.Array]:
    return network.run(events, dt)


def _of_neuron(recipe: Any, field: str) -> Any:
    """The neuron's recipe has its cell and its bias as fields of its own."""
    return recipe.cell if field == "neuron" else recipe.bias
