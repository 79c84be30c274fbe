"""Benches of the axon-hillock."""

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
    energy_a_spike,
    rate_panel,
    rate_quantities,
    rate_values,
    spikes_of,
)
from spicesnn.characterize.condition import Condition
from spicesnn.circuits.cells.axon_hillock import AxonHillock, AxonHillockBias
from spicesnn.circuits.deck import Deck, Knob, Transient, Value
from spicesnn.measure.levels import first_crossing
from spicesnn.measure.rates import mean_rate
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


class AxonHillockBench(Bench):
    """The axon-hillock over two decades of the input's current, one run each."""

    name: ClassVar[str] = "axon_hillock"
    properties: ClassVar[Mapping[str, Quantity]] = {
        **rate_quantities("I_in (I_reset - I_in)/(C_fb V_dd I_reset)", 0.1),
        "spike's duration at 1 nA": Quantity("s"),
        "spike's duration at 1 nA over law": Quantity(
            "1", 0.9, 1.1, law="C_fb V_dd/(I_reset - I_in)"
        ),
        "membrane's step over law": Quantity("1", 0.9, 1.1, law="V_dd C_fb/(C_mem + C_fb)"),
        "energy a spike at 1 nA": Quantity("J"),
    }

    neuron: AxonHillock = AxonHillock()
    bias: AxonHillockBias = AxonHillockBias()
    inputs: tuple[float, ...] = parameter(
        (25e-12, 100e-12, 500e-12, 1e-9, 2.5e-9), unit="A", doc="input currents; the last but one "
        "for duration and energy"
    )  # fmt: skip

    def deck(self, process: Process) -> Deck:
        """The neuron, its line on a supply of its own, its input `idrive`."""
        circuit = bench_circuit(process, self.neuron, self.bias)
        circuit.V("bias", "vdd_bias", "0", raw_spice=f"dc {spice_number(process.supply)}")
        circuit.X("neuron", self.neuron.subcircuit_name, *self.neuron.ports)
        circuit.X("bias", self.bias.subcircuit_name, *self.bias.ports[:-1], "vdd_bias")
        return bench_deck(
            self.name, circuit, process, Transient(1e-3, 1e-6), ["v(v_mem)", "v(spike)", "i(vdd)"],
            [Knob("idrive", ("vdd", "v_mem"), 0.0)], {"v_mem": 0.0},
        )  # fmt: skip

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Each run lasts two and a half intervals after the first charge."""
        found: list[dict[str, Value]] = []
        for current in self.inputs:
            charge = process.supply * (self.neuron.c_fb * 2.5 + self.neuron.c_mem * 0.5)
            stop = charge / current
            found.append({"idrive": current, "stop": stop, "maximum_step": stop / 1000})
        return found

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Durations and energy of the last run but one."""
        wave = waveforms[-2]
        spikes, cell = spikes_of(wave, on), self.neuron
        duration = step = float("nan")
        if spikes.size:
            half = on.supply / 2
            duration = (
                first_crossing(wave.time, wave["v(spike)"], half, "falling", spikes[0]) - spikes[0]
            )
            level = float(wave.at("v(v_mem)", spikes[:1])[0])
            # The output's middle is half the way.
            step = 2 * (float(wave["v(v_mem)"].max()) - level)
        law = cell.c_fb * on.supply / (self.bias.i_reset - self.inputs[-2])
        return {
            **rate_values(self._rates(waveforms, on), self._law(np.array(self.inputs), on)),
            "spike's duration at 1 nA": duration,
            "spike's duration at 1 nA over law": duration / law,
            "membrane's step over law": step * (cell.c_mem + cell.c_fb) / (on.supply * cell.c_fb),
            "energy a spike at 1 nA": energy_a_spike(wave, spikes, on.supply),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Waveforms of one run, and the curve of rates beside its law."""
        wave, inputs = waveforms[-2], np.array(self.inputs)
        fine = np.geomspace(inputs[0], inputs[-1], 200)
        names = {"v(v_mem)": "membrane", "v(spike)": "spike"}
        lines = tuple(Line(label, wave.time, wave[key]) for key, label in names.items())
        rates = self._rates(waveforms, on)
        return (
            Panel(f"Axon-hillock at {inputs[-2] * 1e9:g} nA", "time", "s", "voltage", "V", lines),
            rate_panel("axon-hillock", inputs, rates, fine, self._law(fine, on)),
        )

    def _rates(self, waveforms: Sequence[Waveforms], on: Condition) -> Array:
        return np.array([mean_rate(spikes_of(wave, on)) for wave in waveforms])

    def _law(self, current: Array, on: Condition) -> Array:
        reset = self.bias.i_reset
        return np.asarray(current * (reset - current) / (self.neuron.c_fb * on.supply * reset))


ENTRIES: tuple[Entry, ...] = (
    Entry("axon_hillock", "Axon-hillock", AxonHillock, (AxonHillockBench(),)),
)
