"""How the tier of the classifier's column is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from PySpice.Spice.Netlist import Circuit
from scipy.signal import lfilter

from spicesnn.circuits.cells.cell import diode
from spicesnn.circuits.cells.current_subtractor import SubtractorInput, SubtractorOutput
from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.deck import Deck, Knob, Transient, Value, Waveform, circuit_deck
from spicesnn.devices import find_pulse_map
from spicesnn.errors import ParameterError
from spicesnn.fit.least_squares import Fit
from spicesnn.measure.energy import supply_energy
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.tiers.column import Column
from spicesnn.tiers.ranges import Range
from spicesnn.tiers.recipe import Recipe, Stimulus
from spicesnn.tiers.recipes.free_run import fit_runs, split
from spicesnn.tiers.record import Record, step_ends
from spicesnn.units import spice_number, thermal_voltage
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]

# Of a row's current at rest, amperes; our choice, far under a trace's.
_FLOOR = 1e-13


class ColumnRecipe(Recipe):
    """Rows with random traces on random conductances of a device, a neuron's input pair behind.

    Each row's gate is set by a copy of its tail that carries a trace's current, so that the same
    currents are drawn on any process; the tier sees the gates. The membrane is held likewise, so
    that a spike's own currents do not hide the column's.
    """

    name: ClassVar[str] = "column"
    title: ClassVar[str] = "column of differential conductances"
    tier: ClassVar[type[Column]] = Column
    compared: ClassVar[Mapping[str, str]] = {"i_in": "A"}
    mismatched: ClassVar[tuple[str, ...]] = ("i_0_tail", "gain_minus")
    features: ClassVar[Mapping[str, str]] = {
        "time": "s", "conductances": "S s", "charge of the sums": "C",
        "charge of the minus sum": "C",
    }  # fmt: skip
    rows: ClassVar[bool] = True

    circuit: ClassifierCircuit = ClassifierCircuit(rows=16)
    device: str = parameter("Jo2010", unit="1", doc="whose conductances are drawn")
    margin: float = parameter(
        0.2, unit="1", doc="by which they go beyond the device's limits: reads have noise", ge=0
    )
    slowest: float = parameter(100.0, unit="Hz", doc="least rate of a row's events", gt=0)
    fastest: float = parameter(1000.0, unit="Hz", doc="most rate of a row's events", gt=0)
    silent: float = parameter(0.4, unit="1", doc="share of rows without events", ge=0, lt=1)
    amplitude: float = parameter(0.55e-9, unit="A", doc="of a trace after one event", gt=0)
    decay: float = parameter(0.9e-3, unit="s", doc="of both stages of a trace", gt=0)
    stop: float = parameter(20e-3, unit="s", doc="length of a run", gt=0)
    step: float = parameter(20e-6, unit="s", doc="of the tier", gt=0)
    maximum_step: float = parameter(20e-6, unit="s", doc="bound of the solver's step", gt=0)

    def model_post_init(self, context: object) -> None:
        """Check the order of the rates.

        Raises:
            ParameterError: the least is not below the most.
        """
        if not self.slowest < self.fastest:
            raise ParameterError(
                f"{self.name}: slowest = {self.slowest:g} must be below fastest = {self.fastest:g}."
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
        """The column with a neuron's input pair; knobs `ip<j>`, `rplus<j>`, `rminus<j>`, `imem`."""
        own = self.circuit
        circuit = Circuit("cut off by circuit_deck")
        for cell in (
            own.normaliser, SubtractorInput(), SubtractorOutput(), own.neuron_bias,
        ):  # fmt: skip
            circuit.subcircuit(cell.subcircuit(process))
        supplies = {
            "dd": ("vdd", process.supply), "neuron": ("vdd_neuron", process.supply),
            "read": ("v_read", own.v_read), "return": ("v_return", own.v_return),
        }  # fmt: skip
        for name, (node, level) in supplies.items():
            circuit.V(name, node, "0", raw_spice=f"dc {spice_number(level)}")
        knobs = []
        size: Size = {"width": own.normaliser.width, "length": own.normaliser.length}
        for j in range(own.rows):
            diode(circuit, process.nfet, f"copy{j}", f"copy{j}", "0", **size)
            circuit.VoltageControlledVoltageSource(
                f"hold{j}", f"v_p{j}", "0", f"copy{j}", "0", voltage_gain=1
            )
            circuit.X(
                f"synapse{j}", "normaliser",
                f"plus{j}", f"minus{j}", f"v_p{j}", "sum_plus", "sum_minus", "v_return",
            )  # fmt: skip
            knobs += [
                Knob(f"rplus{j}", ("v_read", f"plus{j}"), 50e6),
                Knob(f"rminus{j}", ("v_read", f"minus{j}"), 50e6),
                Knob(f"ip{j}", ("vdd_neuron", f"copy{j}"), _FLOOR),
            ]
        circuit.X("sub", "subtractor_input", *SubtractorInput.ports)
        circuit.X("out", "subtractor_output", "sum_plus", "gate_minus", "out", "vdd")
        circuit.V("sense", "out", "i_in", raw_spice="dc 0")
        circuit.X("bias", "dpi_neuron_bias", *own.neuron_bias.ports[:-1], "vdd_neuron")
        # The neuron's input pair; its membrane is held by a copy, as a row's gate is.
        pair: Size = {"width": own.neuron.width, "length": own.neuron.length}
        process.pfet(circuit, "gain", "0", "gain", "i_in", "vdd_neuron", **pair)
        diode(circuit, process.pfet, "diode", "v_mem", "i_in", bulk="vdd_neuron", **pair)
        diode(circuit, process.nfet, "copy_mem", "copy_mem", "0", **pair)
        circuit.VoltageControlledVoltageSource(
            "hold_mem", "v_mem", "0", "copy_mem", "0", voltage_gain=1
        )
        knobs.append(Knob("imem", ("vdd_neuron", "copy_mem"), _FLOOR))
        gates = [f"v(v_p{j})" for j in range(own.rows)]
        return circuit_deck(
            "spicesnn: column and a neuron's input pair, for the column's tier", circuit, process,
            Transient(self.stop, self.maximum_step), knobs,
            (*gates, "i(vsense)", "v(v_mem)", "i(vdd)", "i(vread)", "i(vreturn)"),
        )  # fmt: skip

    def stimuli(self, process: Process, rng: np.random.Generator, count: int) -> list[Stimulus]:
        """Random rates and conductances; each run leans to the plus or minus side by a draw."""
        return [self._stimulus(rng) for _ in range(count)]

    def record(self, stimulus: Stimulus, waveforms: Waveforms, process: Process) -> Record:
        """The gates and the neuron's membrane as they were, and the current into the neuron."""
        ends = step_ends(self.dt, self._count)
        v_p = [waveforms.at(f"v(v_p{j})", ends) for j in range(self.circuit.rows)]
        # The return rail takes up what the read rail gave: a regulator turns that into heat.
        supplies = {"i(vdd)": process.supply, "i(vread)": self.circuit.v_read}
        return Record(
            self.dt,
            {
                **stimulus.inputs,
                "v_p": np.stack(v_p, axis=-1),
                "v_mem": waveforms.at("v(v_mem)", ends - self.dt)[:, None],
            },
            {"i_in": waveforms.at("i(vsense)", ends)},
            energy=supply_energy(waveforms, supplies),
        )

    def fit(
        self,
        records: Sequence[Record],
        process: Process,
        celsius: float,
        start: Mapping[str, float] | None = None,
    ) -> Fit:
        """All runs from rest, the current over a hundredth of its range."""
        current = np.concatenate([r.outputs["i_in"] for r in records])
        # The tails' scale is the mirrors'; u_diode shows in nothing but the logarithm of a current.
        fixed = {
            "v_rail": self.circuit.v_read - self.circuit.v_return, "gain_plus": 1.0,
            "u_diode": 1.38 * thermal_voltage(celsius),
        }  # fmt: skip
        guess = self._guess(records, thermal_voltage(celsius))
        free, fixed = split(start, self.mismatched, guess, fixed)
        return fit_runs(
            self.tier, records, free, fixed, {"i_in": 0.01 * float(np.ptp(current))},
            Column.through,
        )  # fmt: skip

    def ranges(self, records: Sequence[Record]) -> dict[str, Range]:
        """Of the gates and the output with a tenth of their ranges around, and of the devices."""
        low, high = self._limits
        found = {name: Range(low=low, high=high, unit="S") for name in ("g_plus", "g_minus")}
        for name, unit in (("v_p", "V"), ("v_mem", "V"), ("i_in", "A")):
            values = np.concatenate(
                [(r.inputs if unit == "V" else r.outputs)[name].ravel() for r in records]
            )
            more = 0.1 * float(np.ptp(values))
            low, high = float(values.min()) - more, float(values.max()) + more
            found[name] = Range(low=min(low, 0.0), high=high, unit=unit)
        return found

    def energy_features(self, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> Array:
        """Seconds, conductances times seconds, charge of both sums and of the minus sum."""
        plus, minus = self.dt * outputs["i_plus"].sum(), self.dt * outputs["i_minus"].sum()
        devices = self.dt * (inputs["g_plus"].sum() + inputs["g_minus"].sum())
        return np.array([self.dt * inputs["v_p"].shape[0], devices, plus + minus, minus])

    @property
    def _limits(self) -> tuple[float, float]:
        """Least and largest conductance, siemens."""
        device = find_pulse_map(self.device)
        return device.g_min / (1 + self.margin), device.g_max * (1 + self.margin)

    @property
    def _count(self) -> int:
        return round(self.stop / self.dt)

    def _guess(self, records: Sequence[Record], u_t: float) -> dict[str, float]:
        """The tails by the gate at which a copy carries the floor's current."""
        u = 1.38 * u_t
        lowest = float(np.median([r.inputs["v_p"].min() for r in records]))
        return {
            "i_0_diode": 0.1 * _FLOOR * np.exp(-lowest / u), "power": 1.0,
            "i_0_tail": _FLOOR * np.exp(-lowest / u), "u_tail": u, "i_curve_tail": 300e-9,
            "gain_minus": 1.0, "slope_plus": 0.05, "slope_minus": 0.05,
            "level_tail": 0.0, "level_plus": 0.0, "level_minus": 0.0, "level_out": 0.03,
            "q_sum": 1e-15, "q_turn": 0.3e-15, "i_off": 1e-12, "i_soft": 5e-12,
        }  # fmt: skip

    def _stimulus(self, rng: np.random.Generator) -> Stimulus:
        rows, (least, most) = self.circuit.rows, self._limits
        lean = rng.uniform(-0.3, 0.5)
        place = np.clip(rng.uniform(0, 1, (2, rows)) + np.array([[lean], [-lean]]), 0, 1)
        g = least + (most - least) * place
        knobs: dict[str, Value] = {}
        for j in range(rows):
            knobs[f"rplus{j}"], knobs[f"rminus{j}"] = float(1 / g[0, j]), float(1 / g[1, j])
            knobs[f"ip{j}"] = self._trace(rng)
        knobs["imem"] = self._membrane(rng)
        inputs = {
            name: np.broadcast_to(g[k], (self._count, rows)).copy()
            for k, name in enumerate(("g_plus", "g_minus"))
        }
        return Stimulus(
            "traces",
            knobs,
            {**inputs, "v_p": np.zeros((self._count, rows)), "v_mem": np.zeros((self._count, 1))},
        )

    def _membrane(self, rng: np.random.Generator) -> Waveform:
        """Current of a copy whose gate rises evenly from the floor, and falls, again and again."""
        corners, levels = [0.0], [0.0]
        while corners[-1] < self.stop:
            corners += [corners[-1] + rng.uniform(0.3, 3) * self.decay]
            levels += [rng.uniform(0.6, 1.0)]
            corners += [corners[-1] + 0.2 * self.decay]
            levels += [rng.uniform(0.0, 0.3)]
        grid = 2 * self.dt * np.arange(round(self.stop / (2 * self.dt)) + 1)
        most = np.log(self.circuit.neuron_bias.i_threshold / _FLOOR)
        value = _FLOOR * np.exp(most * np.interp(grid, corners, levels))
        return Waveform(np.asarray(grid, np.float64), np.asarray(value, np.float64))

    def _trace(self, rng: np.random.Generator) -> Waveform:
        """Events through two first-order stages, on a grid of two steps; or the floor."""
        rate = float(np.exp(rng.uniform(np.log(self.slowest), np.log(self.fastest))))
        grid = 2 * self.dt
        size = round(self.stop / grid) + 1
        if rng.uniform() < self.silent:
            return Waveform.constant(_FLOOR)
        regular = rng.uniform() < 0.5
        gaps = np.full(size, 1 / rate) if regular else rng.exponential(1 / rate, size)
        times = rng.uniform(0, 1 / rate) + np.cumsum(gaps)
        times = times[times < self.stop]
        events = np.bincount((times / grid).astype(int), minlength=size)[:size].astype(float)
        left = np.exp(-grid / self.decay)
        # Two stages of one time constant reach 1/e of the product of their peaks.
        scale = self.amplitude * np.e * grid / self.decay
        value = lfilter([0.0, scale], [1.0, -left], lfilter([1.0], [1.0, -left], events))
        time, current = grid * np.arange(size), _FLOOR + value
        return Waveform(np.asarray(time, np.float64), np.asarray(current, np.float64))
