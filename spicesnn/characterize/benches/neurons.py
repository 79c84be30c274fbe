"""Benches of the neurons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from spicesnn.characterize.bench import Bench, Entry, Quantity, bench_circuit, bench_deck
from spicesnn.characterize.condition import Condition
from spicesnn.circuits.cells.dpi_neuron import DpiNeuron, DpiNeuronBias
from spicesnn.circuits.deck import Deck, Knob, Transient, Value
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.spikes import spike_times
from spicesnn.parameters import parameter
from spicesnn.processes import Process
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


ENTRIES = (Entry("dpi_neuron", "DPI integrate-and-fire neuron", DpiNeuron, (NeuronBench(),)),)
