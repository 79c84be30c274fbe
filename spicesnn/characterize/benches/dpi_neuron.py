"""Benches of the DPI integrate-and-fire neuron."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from spicesnn.characterize.bench import (
    Array,
    Bench,
    Entry,
    Line,
    Panel,
    Quantity,
    bench_circuit,
    bench_deck,
)
from spicesnn.characterize.benches.rate_measures import (
    rate_panel,
    rate_quantities,
    rate_values,
    release_voltage,
    spikes_of,
)
from spicesnn.characterize.condition import Condition
from spicesnn.circuits.cells.dpi_neuron import DpiNeuron, DpiNeuronBias
from spicesnn.circuits.deck import Deck, Knob, Transient, Value
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.rates import mean_rate
from spicesnn.measure.spikes import spike_times
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


class NeuronBench(Bench):
    """The DPI neuron on constant currents: its rate, and the energy of a spike."""

    name: ClassVar[str] = "neuron"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "rate at 0.5 nA": Quantity("Hz"), "rate at 1 nA": Quantity("Hz"),
        "rate at 2 nA": Quantity("Hz"), "energy a spike at 1 nA": Quantity("J"),
    }  # fmt: skip

    neuron: DpiNeuron = DpiNeuron()
    bias: DpiNeuronBias = DpiNeuronBias()
    stop: float = parameter(20e-3, unit="s", doc="length of each run", gt=0)
    maximum_step: float = parameter(5e-5, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """The neuron, its bias lines on a supply of their own, and its input `idrive`."""
        circuit = bench_circuit(process, self.neuron, self.bias)
        circuit.V("bias", "vdd_bias", "0", raw_spice=f"dc {spice_number(process.supply)}")
        circuit.X("neuron", "dpi_neuron", *self.neuron.ports)
        circuit.X("neuronbias", "dpi_neuron_bias", *self.bias.ports[:-1], "vdd_bias")
        knob = Knob("idrive", ("vdd", "i_in"), 0.0)
        return bench_deck(
            self.name, circuit, process, Transient(self.stop, self.maximum_step),
            ["v(spike)", "i(vdd)"], [knob], {"v_mem": 0.0, "v_ref": 0.0},
        )  # fmt: skip

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Three currents."""
        return [{"idrive": current} for current in (0.5e-9, 1e-9, 2e-9)]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Rates from the intervals after the first spike; energy of the neuron's own supply."""
        trains = [spike_times(w.time, w["v(spike)"], on.supply / 2) for w in waveforms]
        rates = [1 / float(np.diff(t).mean()) if t.size > 1 else 0.0 for t in trains]
        energy = supply_energy(waveforms[1], {"i(vdd)": on.supply})
        spikes = trains[1].size
        return {
            "rate at 0.5 nA": rates[0], "rate at 1 nA": rates[1], "rate at 2 nA": rates[2],
            "energy a spike at 1 nA": energy / spikes if spikes else float("nan"),
        }  # fmt: skip

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Spikes at the middle input, and the three rates."""
        wave, inputs = waveforms[1], np.array([0.5e-9, 1e-9, 2e-9])
        near = wave.time < 5e-3
        rates = np.array([mean_rate(spikes_of(each, on)) for each in waveforms])
        spikes = (Line("spike", wave.time[near], wave["v(spike)"][near]),)
        return (
            Panel("DPI neuron at 1 nA", "time", "s", "voltage", "V", spikes),
            Panel(
                "Rate of the DPI neuron", "input current", "A", "rate", "Hz",
                (Line("rate", inputs, rates),), "x",
            ),
        )  # fmt: skip


class DpiNeuronRateBench(Bench):
    """Rate of the DPI neuron over two decades of the input's current.

    The law is the DPI's own equation from `I_0` to the threshold, without the feedback:
    `tau (ln((X - I_0)/(X - I_th)) (1 + I_g/X) + I_g/X ln(I_th/I_0))`, `X = I_g (I_in/I_leak - 1)`;
    to which the refractory period is added, from the reset's highest voltage on.
    """

    name: ClassVar[str] = "dpi_neuron_rate"
    properties: ClassVar[Mapping[str, Quantity]] = rate_quantities(
        "1/(t_dpi + C_ref (V_peak - V_release)/I_ref)", 0.2
    )
    drawn: ClassVar[bool] = False

    neuron: DpiNeuron = DpiNeuron()
    bias: DpiNeuronBias = DpiNeuronBias(i_leak=10e-12, i_refractory=10e-9)
    lowest: float = parameter(30e-12, unit="A", doc="lowest input", gt=0)
    highest: float = parameter(3e-9, unit="A", doc="highest input", gt=0)
    currents: int = parameter(9, unit="1", doc="number of inputs, spaced by ratio", ge=3)

    def deck(self, process: Process) -> Deck:
        """The neuron, its bias lines on a supply of their own, and its input `idrive`."""
        circuit = bench_circuit(process, self.neuron, self.bias)
        circuit.V("bias", "vdd_bias", "0", raw_spice=f"dc {spice_number(process.supply)}")
        circuit.X("neuron", self.neuron.subcircuit_name, *self.neuron.ports)
        circuit.X("bias", self.bias.subcircuit_name, *self.bias.ports[:-1], "vdd_bias")
        return bench_deck(
            self.name, circuit, process, Transient(1e-3, 1e-6),
            ["v(v_mem)", "v(spike)", "v(v_ref)", "i(vdd)"], [Knob("idrive", ("vdd", "i_in"), 0.0)],
            {"v_mem": 0.0, "v_ref": 0.0},
        )  # fmt: skip

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Each run lasts three intervals or more."""
        found: list[dict[str, Value]] = []
        for current in self._inputs():
            charge = self.neuron.c_mem * 0.7
            dead = self.neuron.c_ref * process.supply / self.bias.i_refractory
            stop = 4 * (charge / (current - self.bias.i_leak) + dead)
            found.append({"idrive": float(current), "stop": stop, "maximum_step": stop / 400})
        return found

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Rates after the first spike."""
        rates = self._rates(waveforms, on)
        return rate_values(rates, self._law(self._inputs(), waveforms, on))

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Waveforms of one run, and the curve beside its law."""
        wave = waveforms[len(waveforms) // 2]
        names = {"v(v_mem)": "membrane", "v(spike)": "spike", "v(v_ref)": "reset"}
        lines = tuple(Line(label, wave.time, wave[key]) for key, label in names.items())
        inputs, rates = self._inputs(), self._rates(waveforms, on)
        fine = np.geomspace(inputs[0], inputs[-1], 200)
        drive = inputs[len(waveforms) // 2] * 1e9
        return (
            Panel(f"DPI neuron at {drive:.3g} nA", "time", "s", "voltage", "V", lines),
            rate_panel("DPI neuron", inputs, rates, fine, self._law(fine, waveforms, on)),
        )

    def _inputs(self) -> Array:
        return np.geomspace(self.lowest, self.highest, self.currents)

    def _rates(self, waveforms: Sequence[Waveforms], on: Condition) -> Array:
        return np.array([mean_rate(spikes_of(wave, on)) for wave in waveforms])

    def _law(self, current: Array, waveforms: Sequence[Waveforms], on: Condition) -> Array:
        bias, cell, i_0 = self.bias, self.neuron, on.nfet.i_0 * self.neuron.width
        i_0 /= self.neuron.length
        aim = bias.i_gain * (current / bias.i_leak - 1)
        part = bias.i_gain / aim
        with np.errstate(divide="ignore", invalid="ignore"):
            approach = np.log((aim - i_0) / (aim - bias.i_threshold))
        rise = approach * (1 + part) + part * np.log(bias.i_threshold / i_0)
        rise *= on.time_constant(cell.c_mem, bias.i_leak, "nfet")
        peak = float(waveforms[0]["v(v_ref)"].max())
        size: Size = {"width": cell.width / 2, "length": 2 * cell.length}
        swing = np.maximum(peak - release_voltage(current, size, on), 0)
        return np.asarray(1 / (rise + cell.c_ref * swing / bias.i_refractory))


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "dpi_neuron",
        "DPI integrate-and-fire neuron",
        DpiNeuron,
        (NeuronBench(), DpiNeuronRateBench()),
    ),
)
