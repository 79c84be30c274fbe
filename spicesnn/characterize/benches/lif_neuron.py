"""Benches of the leaky integrate-and-fire neuron."""

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
    difference,
    energy_a_spike,
    ramp_law,
    rate_panel,
    rate_quantities,
    rate_values,
    ratio,
    refractory_panel,
    refractory_quantities,
    refractory_values,
    release_voltage,
    spikes_of,
    threshold_current,
)
from spicesnn.characterize.condition import Condition, doubts
from spicesnn.circuits.cells.lif_neuron import LifNeuron, LifNeuronBias
from spicesnn.circuits.deck import Deck, Knob, Transient, Value
from spicesnn.measure.rates import mean_rate
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


def _lif_deck(
    name: str, neuron: LifNeuron, bias: LifNeuronBias, process: Process, analysis: Transient
) -> Deck:
    """The neuron, its lines on a supply of their own; knobs `idrive` and `irefractory`."""
    circuit = bench_circuit(process, neuron, bias)
    circuit.V("bias", "vdd_bias", "0", raw_spice=f"dc {spice_number(process.supply)}")
    circuit.X("neuron", neuron.subcircuit_name, *neuron.ports)
    circuit.X("bias", bias.subcircuit_name, *bias.ports[:-1], "vdd_bias")
    knobs = [
        Knob("idrive", ("vdd", "v_mem"), 0.0),
        Knob("irefractory", ("vdd_bias", "refractory"), 0.0),
    ]
    probes = ["v(v_mem)", "v(spike)", "v(v_ref)", "i(vdd)"]
    start = {"v_mem": 0.0, "v_ref": 0.0}
    return bench_deck(name, circuit, process, analysis, probes, knobs, start)


def _lif_times(
    neuron: LifNeuron, bias: LifNeuronBias, current: Array, on: Condition
) -> tuple[Array, Array]:
    """The law's time to the threshold, and its refractory period; seconds."""
    size: Size = {"width": neuron.width, "length": neuron.length}
    threshold = float(release_voltage(np.array(bias.i_threshold), size, on))
    rise = ramp_law(current, bias.i_leak, neuron.c_mem, threshold, on)
    swing = on.supply - release_voltage(current, size, on)
    return rise, neuron.c_ref * swing / bias.i_refractory


class LifNeuronBench(Bench):
    """The integrate-and-fire neuron at rest and at 1 nA."""

    name: ClassVar[str] = "lif_neuron"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "neuron, rate at 1 nA": Quantity("Hz", low=1.0, everywhere=True),
        "neuron, rate at 1 nA over law": Quantity(
            "1", 0.9, 1.1, law="1/(C V_T/(I - I_leak) + C_ref (V_dd - V_release)/I_ref)"
        ),
        "neuron, energy a spike at 1 nA": Quantity("J"),
        "neuron, static power": Quantity("W"),
        "neuron, threshold": Quantity("V"),
        "neuron, threshold over law": Quantity("1", 0.9, 1.1, law="U_T/kappa ln(i_threshold/I_0)"),
    }

    neuron: LifNeuron = LifNeuron()
    bias: LifNeuronBias = LifNeuronBias()
    stop: float = parameter(2e-3, unit="s", doc="length of the run", gt=0)
    maximum_step: float = parameter(5e-6, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """The neuron with its input."""
        analysis = Transient(self.stop, self.maximum_step)
        return _lif_deck(self.name, self.neuron, self.bias, process, analysis)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """No current, then 1 nA."""
        return [{"idrive": 0.0, "stop": self.stop / 20}, {"idrive": 1e-9}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Energy from the first spike to the last, with the input's and the comparator's."""
        rest, wave = waveforms
        spikes, rate = spikes_of(wave, on), mean_rate(spikes_of(wave, on))
        rise, dead = _lif_times(self.neuron, self.bias, np.array(1e-9), on)
        size: Size = {"width": self.neuron.width, "length": self.neuron.length}
        level = float(wave["v(v_mem)"].max()) if spikes.size else float("nan")
        return {
            "neuron, rate at 1 nA": rate,
            "neuron, rate at 1 nA over law": rate * float(rise + dead),
            "neuron, energy a spike at 1 nA": energy_a_spike(wave, spikes, on.supply),
            "neuron, static power": float(-rest["i(vdd)"][-1] * on.supply),
            "neuron, threshold": level,
            "neuron, threshold over law": level
            / float(release_voltage(np.array(self.bias.i_threshold), size, on)),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Membrane, spike and reset of one run."""
        wave = waveforms[1]
        names = {"v(v_mem)": "membrane", "v(spike)": "spike", "v(v_ref)": "reset"}
        lines = tuple(Line(label, wave.time, wave[key]) for key, label in names.items())
        return (Panel("Integrate-and-fire neuron at 1 nA", "time", "s", "voltage", "V", lines),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The currents of the law's gate voltages."""
        size = (self.neuron.width, self.neuron.length)
        return doubts({"i_threshold": (self.bias.i_threshold, "nfet", *size)}, on)


class LifNeuronRateBench(Bench):
    """Rate of the integrate-and-fire neuron over two decades of the input's current."""

    name: ClassVar[str] = "lif_neuron_rate"
    properties: ClassVar[Mapping[str, Quantity]] = {
        **rate_quantities("1/(C V_T/(I - I_leak) + C_ref (V_dd - V_release)/I_ref)", 0.1),
        "threshold current": Quantity("A"),
        "threshold current over leak": Quantity("1", 0.9, 1.1),
    }
    drawn: ClassVar[bool] = False

    neuron: LifNeuron = LifNeuron()
    bias: LifNeuronBias = LifNeuronBias()
    lowest: float = parameter(25e-12, unit="A", doc="lowest input", gt=0)
    highest: float = parameter(2.5e-9, unit="A", doc="highest input", gt=0)
    currents: int = parameter(9, unit="1", doc="number of inputs, spaced by ratio", ge=3)

    def deck(self, process: Process) -> Deck:
        """The neuron with its input."""
        return _lif_deck(self.name, self.neuron, self.bias, process, Transient(1e-3, 1e-6))

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Each run lasts three intervals or more, if the threshold is at 0.5 V."""
        found: list[dict[str, Value]] = []
        for current in self._inputs():
            rise = self.neuron.c_mem * 0.5 / max(current - self.bias.i_leak, current / 10)
            dead = self.neuron.c_ref * process.supply / self.bias.i_refractory
            stop = 3.2 * (rise + dead)
            found.append({"idrive": float(current), "stop": stop, "maximum_step": stop / 400})
        return found

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Rates after the first spike; the threshold by the line through the two lowest."""
        inputs, rates = self._inputs(), self._rates(waveforms, on)
        threshold = threshold_current(inputs, rates)
        return {
            **rate_values(rates, self._law(inputs, on)),
            "threshold current": threshold,
            "threshold current over leak": threshold / self.bias.i_leak,
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The curve and its law."""
        inputs, rates = self._inputs(), self._rates(waveforms, on)
        fine = np.geomspace(inputs[0], inputs[-1], 200)
        law = self._law(fine, on)
        return (rate_panel("integrate-and-fire neuron", inputs, rates, fine, law),)

    def _inputs(self) -> Array:
        return np.geomspace(self.lowest, self.highest, self.currents)

    def _rates(self, waveforms: Sequence[Waveforms], on: Condition) -> Array:
        return np.array([mean_rate(spikes_of(wave, on)) for wave in waveforms])

    def _law(self, current: Array, on: Condition) -> Array:
        return np.asarray(1 / sum(_lif_times(self.neuron, self.bias, current, on)))


class LifNeuronRefractoryBench(Bench):
    """The refractory period over a decade of its bias.

    It is the interval at constant input less the interval at twenty times the highest bias; as that
    holds a refractory period too, the difference is divided by one less the ratio of the biases.
    """

    name: ClassVar[str] = "lif_neuron_refractory"
    properties: ClassVar[Mapping[str, Quantity]] = refractory_quantities(
        "C_ref (V_dd - V_release)/I_ref"
    )
    drawn: ClassVar[bool] = False

    neuron: LifNeuron = LifNeuron()
    bias: LifNeuronBias = LifNeuronBias(i_refractory=0.2e-9)
    drive: float = parameter(1e-9, unit="A", doc="input current", gt=0)
    factors: tuple[float, ...] = parameter(
        (1.0, 2.0, 5.0, 10.0, 200.0), unit="1", doc="bias over the cell's; the last for reference"
    )

    def deck(self, process: Process) -> Deck:
        """The neuron with its input and a further current into the refractory line."""
        return _lif_deck(self.name, self.neuron, self.bias, process, Transient(1e-3, 1e-6))

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Each run lasts two intervals or more."""
        found: list[dict[str, Value]] = []
        for factor in self.factors:
            rise = self.neuron.c_mem * 0.5 / self.drive
            dead = self.neuron.c_ref * process.supply / (factor * self.bias.i_refractory)
            stop = 2.5 * (rise + dead)
            further = (factor - 1) * self.bias.i_refractory
            found.append(
                {
                    "idrive": self.drive, "irefractory": further, "stop": stop,
                    "maximum_step": stop / 300,
                }
            )  # fmt: skip
        return found

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Differences of intervals."""
        return refractory_values(*self._periods(waveforms, on))

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The period over its bias."""
        bias = self.bias.i_refractory * np.array(self.factors[:-1])
        return (refractory_panel(bias, *self._periods(waveforms, on)),)

    def _periods(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Array, Array]:
        """Measured and law's."""
        rates = np.array([mean_rate(spikes_of(wave, on)) for wave in waveforms])
        interval = np.array([ratio(1.0, rate) for rate in rates])
        dead = _lif_times(self.neuron, self.bias, np.array(self.drive), on)[1]
        return difference(interval, self.factors), dead / np.array(self.factors[:-1])


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "lif_neuron",
        "Leaky integrate-and-fire neuron",
        LifNeuron,
        (LifNeuronBench(), LifNeuronRateBench(), LifNeuronRefractoryBench()),
    ),
)
