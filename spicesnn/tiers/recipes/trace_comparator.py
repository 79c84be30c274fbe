"""How the trace comparator's tier is made: trace currents through both thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from PySpice.Spice.Netlist import Circuit

from spicesnn.circuits.cells.cell import capacitor, diode
from spicesnn.circuits.cells.trace_comparator import TraceComparator as Cell
from spicesnn.circuits.cells.trace_comparator import TraceComparatorBias
from spicesnn.circuits.deck import Deck, Knob, Transient, Waveform, circuit_deck
from spicesnn.errors import DataError, ParameterError
from spicesnn.fit.least_squares import Fit, fit
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.levels import crossings
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.tiers.ranges import Range
from spicesnn.tiers.recipe import Recipe, Stimulus
from spicesnn.tiers.record import Record, step_ends, step_means
from spicesnn.tiers.trace_comparator import TraceComparator
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]
KINDS = ("traces", "ramps", "steps")
# What an edge's shift counts in a fit; and, on a ramp so slow that all hangs on the threshold, what
# the current's shift counts, over the threshold.
_SECONDS, _RELATIVE = 3e-6, 5e-3
# Of the energy: trace current over the threshold's under which the input is taken as no triode.
_TRIODE = 0.95


class TraceComparatorRecipe(Recipe):
    """The comparator with its bias, its trace a mirror input: knob `itrace`."""

    name: ClassVar[str] = "trace_comparator"
    title: ClassVar[str] = "trace comparator"
    tier: ClassVar[type[TraceComparator]] = TraceComparator
    compared: ClassVar[Mapping[str, str]] = {"above": "1"}
    digital: ClassVar[tuple[str, ...]] = ("above",)
    features: ClassVar[Mapping[str, str]] = {
        "time above": "s", "time above, off ground": "s", "charge below": "C", "edges": "1",
    }  # fmt: skip

    cell: Cell = Cell()
    bias: TraceComparatorBias = TraceComparatorBias()
    lowest: float = parameter(0.02, unit="1", doc="least trace current over the threshold's", gt=0)
    highest: float = parameter(4.0, unit="1", doc="most trace current over the threshold's", gt=1)
    decay: float = parameter(1e-3, unit="s", doc="time constant of the traces", gt=0)
    stop: float = parameter(30e-3, unit="s", doc="length of a run", gt=0)
    step: float = parameter(20e-6, unit="s", doc="of the tier", gt=0)
    maximum_step: float = parameter(5e-6, unit="s", doc="bound of the solver's step", gt=0)

    def model_post_init(self, context: object) -> None:
        """Check the order of the currents.

        Raises:
            ParameterError: the least is not under the threshold.
        """
        if not self.lowest < 1:
            raise ParameterError(
                f"{self.name}: lowest = {self.lowest:g} must be below 1, the threshold."
            )

    @property
    def dt(self) -> float:
        """The tier's step, seconds."""
        return self.step

    @property
    def tau(self) -> float:
        """That of the traces, seconds."""
        return self.decay

    def deck(self, process: Process) -> Deck:
        """The comparator alone on `vdd`; its bias has a supply of its own."""
        circuit = Circuit("cut off by circuit_deck")
        for cell in (self.cell, self.bias):
            circuit.subcircuit(cell.subcircuit(process))
        for name, node in (("dd", "vdd"), ("bias", "vdd_bias")):
            circuit.V(name, node, "0", raw_spice=f"dc {spice_number(process.supply)}")
        size: Size = {"width": self.cell.width, "length": self.cell.length}
        diode(circuit, process.nfet, "trace", "v_p", "0", **size)
        circuit.X("comparator", self.cell.subcircuit_name, *self.cell.ports)
        circuit.X("bias", self.bias.subcircuit_name, "threshold", "limit", "vdd_bias")
        for output in ("above", "below"):
            capacitor(circuit, output, output, "0", 10e-15)
        return circuit_deck(
            "spicesnn: trace comparator, for its tier", circuit, process,
            Transient(self.stop, self.maximum_step),
            [Knob("itrace", ("0", "v_p"), Waveform.constant(0.0))], ("v(above)", "i(vdd)"),
        )  # fmt: skip

    def stimuli(self, process: Process, rng: np.random.Generator, count: int) -> list[Stimulus]:
        """Sums of exponential events, ramps and steps, all from under the threshold."""
        found, steps = [], round(self.stop / self.step)
        for k in range(count):
            kind = KINDS[k % len(KINDS)]
            time, level = self._traces(rng) if kind == "traces" else self._levels(rng, kind)
            current = self.bias.i_threshold * np.clip(level, self.lowest, self.highest)
            inputs = {"i_p": step_means(time, current, self.step, steps)}
            found.append(Stimulus(kind, {"itrace": Waveform(time, current)}, inputs))
        return found

    def record(self, stimulus: Stimulus, waveforms: Waveforms, process: Process) -> Record:
        """Both edges of the output, and its level, through half the supply."""
        half, time = process.supply / 2, waveforms.time
        steps = stimulus.inputs["i_p"].size
        edges = crossings(time, waveforms["v(above)"], half)
        # By the edges before: a value between two points of the solver may be half way.
        turns = np.searchsorted(edges, step_ends(self.step, steps), side="right")
        above = np.asarray(turns % 2, dtype=np.float64)
        energy = supply_energy(waveforms, {"i(vdd)": process.supply})
        return Record(self.step, stimulus.inputs, {"above": above}, edges, energy=energy)

    def fit(
        self,
        records: Sequence[Record],
        process: Process,
        celsius: float,
        start: Mapping[str, float] | None = None,
    ) -> Fit:
        """Of every edge, how far the charge is from its turning point, as a time.

        Between edges the level is the circuit's, so that one edge that is missed costs no others.
        """
        bias, parts = self.bias.i_threshold, self.cell.parts
        charge = 6e-15 * process.supply
        nominal = {
            "i_on": bias * (parts + 1) / parts, "i_off": bias, "q_rise": charge,
            "q_fall": charge / 4, "t_rise": 1e-6, "t_fall": 1e-6,
        }  # fmt: skip
        edges = sum(record.spikes.size for record in records)
        if edges < 5 * len(nominal):
            raise DataError(
                f"{edges} edges of the comparator are too few to fit {len(nominal)} numbers: take "
                "more runs, or currents that go through the threshold more often."
            )
        # A mirror that is further off than a factor of two is no mirror.
        reach = {name: 2.0 if name in {"i_on", "i_off"} else 100.0 for name in nominal}
        bounds = {
            name: (value / reach[name], value * reach[name]) for name, value in nominal.items()
        }
        inputs = [record.inputs["i_p"] for record in records]

        def shifts(values: Mapping[str, float]) -> Array:
            return np.concatenate([_shifts(record, values, nominal) for record in records])

        first = nominal | dict(start or {})
        return fit(shifts, np.zeros(edges), first, bounds, inputs, robust=True,
                   several=lambda sets: [shifts(values) for values in sets])  # fmt: skip

    def ranges(self, records: Sequence[Record]) -> dict[str, Range]:
        """That which the stimuli are drawn from."""
        bias = self.bias.i_threshold
        return {"i_p": Range(low=self.lowest * bias, high=self.highest * bias, unit="A")}

    def energy_features(self, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> Array:
        """Time above, plain and by how far `sense` is off ground; the trace's charge; edges.

        Above, `sense` is where the input is a triode, `1 - exp(-v/U_T) = i_th/i_p`: the inverter
        behind it leaks by `exp(v/U_T)`, bounded where the input is no triode any more.
        """
        share, bias = np.asarray(outputs["mean"]), self.bias.i_threshold
        over = np.maximum(inputs["i_p"] / bias, _TRIODE + 0.02)
        below = np.minimum(inputs["i_p"], bias * (1 + 1 / self.cell.parts)) * (1 - share)
        return np.array([
            float(share.sum()) * self.step,
            float((share * over / (over - _TRIODE)).sum()) * self.step,
            float(below.sum()) * self.step,
            float(np.sum(outputs["spike"])),
        ])  # fmt: skip

    def _traces(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Poisson events through a filter of two exponentials, corners every tenth of decay."""
        time = np.linspace(0.0, self.stop, round(10 * self.stop / self.decay) + 1)
        mean = self.decay * rng.uniform(0.7, 4)
        events = np.cumsum(rng.exponential(mean, int(4 * self.stop / mean) + 10))
        since = np.maximum(time[:, None] - events, 0.0)
        fall, rise = self.decay, self.decay * rng.uniform(0.1, 0.5)
        level = (np.exp(-since / fall) - np.exp(-since / rise)).sum(axis=1)
        return time, level / max(float(level.max()), 1e-3) * rng.uniform(1.4, self.highest)

    def _levels(self, rng: np.random.Generator, kind: str) -> tuple[Array, Array]:
        """Levels by ratio on either side of the thresholds in turn, apart by a time of decay."""
        apart = rng.uniform(0.5, 3, 200) * self.decay
        time = np.cumsum(np.r_[0.0, apart])
        time = time[: 2 + int(np.searchsorted(time, self.stop))]
        low = self.lowest * (0.8 / self.lowest) ** rng.random(time.size)
        high = 1.5 * (self.highest / 1.5) ** rng.random(time.size)
        level = np.where(np.arange(time.size) % 2, high, low)
        if kind == "ramps":
            return time, level
        corners = np.column_stack([time[1:], time[1:] + 1e-6]).ravel()
        values = np.column_stack([level[:-1], level[1:]]).ravel()
        return np.r_[0.0, corners], np.r_[level[0], values]


def _shifts(record: Record, values: Mapping[str, float], nominal: Mapping[str, float]) -> Array:
    """Charge over its turning point when each edge began, in what a shift of the fit's unit moves.

    The unit is that of the nominal thresholds: one of the fitted ones would grow with its error.
    """
    dt, current = record.dt, record.inputs["i_p"]
    on, off, rise, fall = (values[n] for n in ("i_on", "i_off", "q_rise", "q_fall"))
    charge, above, found = -rise, False, []
    edges = iter([*record.spikes, np.inf])
    edge = next(edges)
    for k, now in enumerate(current):
        end = (k + 1) * dt
        net = now - (off if above else on)
        if edge >= end:
            charge = min(max(charge + net * dt, -rise), fall)
            continue
        while edge < end:
            since = edge - values["t_fall" if above else "t_rise"] - k * dt
            over = abs(now - nominal["i_off" if above else "i_on"])
            unit = over * _SECONDS + nominal["i_off"] * _RELATIVE * dt
            found.append((charge + net * since) * (-1 if above else 1) / unit)
            above = not above
            net = now - (off if above else on)
            charge, last = 0.0, since
            edge = next(edges)
        charge = min(max(net * (dt - last), -rise), fall)
    return np.array(found + [0.0] * (record.spikes.size - len(found)))
