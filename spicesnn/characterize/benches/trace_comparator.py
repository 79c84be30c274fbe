"""Benches of the trace comparator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from PySpice.Spice.Netlist import Circuit

from spicesnn.characterize.bench import (
    Bench,
    Entry,
    Line,
    Panel,
    Quantity,
    bench_circuit,
    bench_deck,
)
from spicesnn.characterize.benches.learning_circuits import average_of, steps_of
from spicesnn.characterize.condition import Condition, doubts
from spicesnn.circuits.cells.cell import capacitor, diode
from spicesnn.circuits.cells.trace_comparator import TraceComparator, TraceComparatorBias
from spicesnn.circuits.deck import Deck, Knob, Transient, Value, Waveform
from spicesnn.measure.levels import first_crossing
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


class ComparatorBench(Bench):
    """The trace comparator on a current that rises slowly through its threshold and falls again."""

    name: ClassVar[str] = "trace_comparator"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "comparator, rising threshold over bias": Quantity("1"),
        "comparator, falling threshold over bias": Quantity("1"),
        "comparator, rising threshold over law": Quantity(
            "1", 0.9, 1.1, law="I_threshold (parts + 1)/parts"
        ),
        "comparator, falling threshold over law": Quantity("1", 0.9, 1.1, law="I_threshold"),
        "comparator, hysteresis over bias": Quantity("1", 0.1, 0.4, law="1/parts"),
        "comparator, static power below": Quantity("W"),
        "comparator, static power above": Quantity("W"),
    }

    cell: TraceComparator = TraceComparator()
    bias: TraceComparatorBias = TraceComparatorBias()
    stop: float = parameter(40e-3, unit="s", doc="length of the run", gt=0)
    maximum_step: float = parameter(4e-5, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Trace current into an nfet of the input's size, and the threshold's current."""
        circuit, knob = _comparator_circuit(process, self.cell, self.bias)
        probes = ["v(above)", "i(vdd)"]
        analysis = Transient(self.stop, self.maximum_step)
        return bench_deck(self.name, circuit, process, analysis, probes, [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """From a tenth of the bias current to thrice it and back."""
        return [{"itrace": self._ramp()}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """The trace's current where `above` turns, and the supply's power at both ends."""
        wave, ramp, bias = waveforms[0], self._ramp(), self.bias.i_threshold
        above, half = wave["v(above)"], on.supply / 2
        turns = [
            first_crossing(wave.time, above, half, "rising"),
            first_crossing(wave.time, above, half, "falling"),
        ]
        rise, fall = (float(np.interp(t, ramp.time, ramp.value)) / bias for t in turns)
        power = -on.supply * wave["i(vdd)"]
        parts = self.cell.parts
        return {
            "comparator, rising threshold over bias": rise,
            "comparator, falling threshold over bias": fall,
            "comparator, rising threshold over law": rise * parts / (parts + 1),
            "comparator, falling threshold over law": fall,
            "comparator, hysteresis over bias": rise - fall,
            "comparator, static power below": float(power[0]),
            "comparator, static power above": average_of(
                wave, power, 0.4 * self.stop, 0.6 * self.stop
            ),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The output over the trace's current, with the law's two thresholds."""
        wave, ramp = waveforms[0], self._ramp()
        current = np.interp(wave.time, ramp.time, ramp.value)
        up = wave.time <= self.stop / 2
        parts, bias = self.cell.parts, self.bias.i_threshold
        edges = np.array([0.0, on.supply])
        lines = (
            Line("rising", current[up], wave["v(above)"][up]),
            Line("falling", current[~up], wave["v(above)"][~up]),
            Line("law, rising", np.full(2, bias * (parts + 1) / parts), edges, law=True),
            Line("law, falling", np.full(2, bias), edges, law=True),
        )
        return (Panel("Hysteresis", "trace current", "A", "above", "V", lines),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The threshold's current in one part of its mirror, and the trace's."""
        cell = self.cell
        part = (self.bias.i_threshold / cell.parts, "pfet", cell.width, cell.part_length)
        trace = (self.bias.i_threshold, "nfet", cell.width, cell.length)
        return doubts({"i_threshold": part, "trace current": trace}, on)

    def _ramp(self) -> Waveform:
        time = np.array([0.0, 0.5, 1.0]) * self.stop
        return Waveform(time, np.array([0.1, 3.0, 0.1]) * self.bias.i_threshold)


def _comparator_circuit(
    process: Process, cell: TraceComparator, bias: TraceComparatorBias
) -> tuple[Circuit, Knob]:
    """The comparator behind a mirror input: knob `itrace`. Only it takes from `vdd`."""
    circuit = bench_circuit(process, cell, bias)
    circuit.V("bias", "vdd_bias", "0", raw_spice=f"dc {spice_number(process.supply)}")
    diode(circuit, process.nfet, "trace", "v_p", "0", width=cell.width, length=cell.length)
    circuit.X("comparator", "trace_comparator", *cell.ports)
    circuit.X("bias", "trace_comparator_bias", "threshold", "limit", "vdd_bias")
    for output in ("above", "below"):
        capacitor(circuit, output, output, "0", 10e-15)
    return circuit, Knob("itrace", ("0", "v_p"), Waveform.constant(0.0))


class ComparatorDelayBench(Bench):
    """Steps of the trace's current from a tenth of the threshold to over-drive and back."""

    name: ClassVar[str] = "trace_comparator_delay"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "comparator, delay to twice the threshold": Quantity("s"),
        "comparator, delay to ten times the threshold": Quantity("s"),
        "comparator, delay back from twice the threshold": Quantity("s"),
        "comparator, delay back from ten times the threshold": Quantity("s"),
        "comparator, energy of a rise": Quantity("J"),
        "comparator, energy of a fall": Quantity("J"),
    }

    cell: TraceComparator = TraceComparator()
    bias: TraceComparatorBias = TraceComparatorBias()
    maximum_step: float = parameter(1e-6, unit="s", doc="bound of the solver's step", gt=0)
    OVERDRIVES: ClassVar[tuple[float, ...]] = (2.0, 10.0)

    def deck(self, process: Process) -> Deck:
        """As for the thresholds."""
        circuit, knob = _comparator_circuit(process, self.cell, self.bias)
        probes = ["v(above)", "v(xcomparator.sense)", "i(vdd)"]
        analysis = Transient(1e-3, self.maximum_step)
        return bench_deck(self.name, circuit, process, analysis, probes, [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Up at 0.1 ms, down at 0.5 ms."""
        times = (0.0, 0.1e-3, 0.5e-3)
        bias = self.bias.i_threshold
        low = 0.1 * bias
        return [
            {"itrace": steps_of(times, (low, over * bias, low), 1e-7)} for over in self.OVERDRIVES
        ]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Delays to half the supply; energies over what the states before and after take."""
        half = on.supply / 2
        up = [first_crossing(w.time, w["v(above)"], half, "rising") - 0.1e-3 for w in waveforms]
        down = [first_crossing(w.time, w["v(above)"], half, "falling") - 0.5e-3 for w in waveforms]
        wave = waveforms[0]
        return {
            "comparator, delay to twice the threshold": up[0],
            "comparator, delay to ten times the threshold": up[1],
            "comparator, delay back from twice the threshold": down[0],
            "comparator, delay back from ten times the threshold": down[1],
            "comparator, energy of a rise": self._energy(wave, on, 0.1e-3, 0.499e-3),
            "comparator, energy of a fall": self._energy(wave, on, 0.5e-3, 1e-3),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The slow node and the output, at twice the threshold."""
        wave = waveforms[0]
        lines = (
            Line("sense", wave.time, wave["v(xcomparator.sense)"]),
            Line("above", wave.time, wave["v(above)"]),
        )
        return (Panel("Step to twice the threshold", "time", "s", "voltage", "V", lines),)

    @staticmethod
    def _energy(wave: Waveforms, on: Condition, start: float, end: float) -> float:
        """Of the supply, over the power that it delivers in the last half of the time."""
        inside = (wave.time >= start) & (wave.time <= end)
        power = -on.supply * wave["i(vdd)"]
        rest = average_of(wave, power, (start + end) / 2, end)
        return float(np.trapezoid(power[inside] - rest, wave.time[inside]))


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "trace_comparator",
        "Trace comparator",
        TraceComparator,
        (ComparatorBench(), ComparatorDelayBench()),
    ),
)
