"""Benches of the DPI synapses whose output a voltage gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from spicesnn.characterize.bench import (
    Bench,
    Entry,
    Line,
    Panel,
    Quantity,
    bench_deck,
)
from spicesnn.characterize.benches.dpi_circuits import (
    Array,
    constants_of,
    gate_voltage,
    input_kind,
    output_kind,
    pulse_level,
    synapse_circuit,
)
from spicesnn.characterize.condition import Condition, doubts
from spicesnn.circuits.cells.dpi_synapse import (
    DpiConductance,
    DpiCore,
    DpiNmda,
)
from spicesnn.circuits.deck import DcSweep, Deck, Knob, Value
from spicesnn.measure.levels import first_crossing
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


class DpiNmdaBench(Bench):
    """A steady NMDA synapse over the membrane's voltage."""

    name: ClassVar[str] = "dpi_nmda"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "NMDA gate, current when open": Quantity("A"),
        "NMDA gate, open over closed, 0.2 V to each side": Quantity("1", low=10),
        "NMDA gate, switching voltage": Quantity("V"),
        "NMDA gate, switching voltage less V_nmda": Quantity(
            "V", -0.01, 0.01, law="V_nmda = (U_T/κ) ln(I_nmda/I_0)", scale=1e-3
        ),
        "NMDA gate, slope over law": Quantity("1", 0.9, 1.1, law="I_syn κ/(4 U_T)"),
        "NMDA gate, static power": Quantity("W"),
    }

    cell: DpiNmda = DpiNmda()
    i_weight: float = parameter(80e-12, unit="A", doc="weight", gt=0)
    i_gain: float = parameter(10e-12, unit="A", doc="gain current", gt=0)
    i_tau: float = parameter(5e-12, unit="A", doc="leak", gt=0)
    i_nmda: float = parameter(200e-12, unit="A", doc="membrane current that opens it", gt=0)

    def deck(self, process: Process) -> Deck:
        """The input always on, the output a sixth of the supply from its rail."""
        return _gate_deck(self, self.cell, process, ("weight", "gain", "tau", "nmda"), ("out",))

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep of the membrane."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Half of the open current is where it switches; slope there by a tenth of U_T."""
        membrane, output = _gate_curve(self.cell, waveforms[0], "out", on)
        opened, law = output[-1], self._law_voltage(on)
        switch = first_crossing(membrane, output, opened / 2, "rising")
        far = np.interp([switch - 0.2, switch + 0.2], membrane, output)
        slope = _slope_at(membrane, output, switch)
        kappa = constants_of(on, output_kind(self.cell)).kappa
        return {
            "NMDA gate, current when open": float(opened),
            "NMDA gate, open over closed, 0.2 V to each side": float(far[1] / far[0]),
            "NMDA gate, switching voltage": switch,
            "NMDA gate, switching voltage less V_nmda": switch - law,
            "NMDA gate, slope over law": float(slope * 4 * on.thermal_voltage / (kappa * opened)),
            "NMDA gate, static power": -on.supply * float(waveforms[0]["i(vdd)"][-1]),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The output over the membrane."""
        membrane, output = _gate_curve(self.cell, waveforms[0], "out", on)
        kappa = constants_of(on, output_kind(self.cell)).kappa
        away = kappa * (self._law_voltage(on) - membrane) / on.thermal_voltage
        lines = (
            Line("output", membrane, output),
            Line("law", membrane, output[-1] / (1 + np.exp(away)), law=True),
        )
        return (Panel("NMDA gate", "membrane voltage", "V", "output current", "A", lines),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The current that sets the gate's voltage."""
        bias = (self.i_nmda, input_kind(self.cell), self.cell.width, self.cell.width)
        return doubts({"i_nmda": bias}, on)

    def _law_voltage(self, on: Condition) -> float:
        device = constants_of(on, input_kind(self.cell))
        return gate_voltage(device, on, self.i_nmda, self.cell.square)


class DpiConductanceBench(Bench):
    """A steady conductance synapse over the voltage of the membrane that it feeds."""

    name: ClassVar[str] = "dpi_conductance"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "conductance, current far below the reversal": Quantity("A"),
        "conductance, current 0.2 V above over far below": Quantity("1", high=0.1),
        "conductance, half current": Quantity("V"),
        "conductance, half current less V_reversal": Quantity(
            "V", -0.01, 0.01, law="V_reversal = (U_T/κ) ln(I_reversal/I_0)", scale=1e-3
        ),
        "conductance at half current": Quantity("S"),
        "conductance at half current over law": Quantity("1", 0.9, 1.1, law="I_syn κ/(4 U_T)"),
        "conductance synapse, static power": Quantity("W"),
    }

    cell: DpiConductance = DpiConductance()
    i_weight: float = parameter(80e-12, unit="A", doc="weight", gt=0)
    i_gain: float = parameter(10e-12, unit="A", doc="gain current", gt=0)
    i_tau: float = parameter(5e-12, unit="A", doc="leak", gt=0)
    i_reversal: float = parameter(200e-12, unit="A", doc="membrane current of the reversal", gt=0)

    def deck(self, process: Process) -> Deck:
        """The input always on, the membrane swept."""
        return _gate_deck(self, self.cell, process, ("weight", "gain", "tau", "reversal"), ())

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep of the membrane."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Half of the largest current, and the slope there."""
        membrane, output = _gate_curve(self.cell, waveforms[0], "mem", on)
        most = output[0]
        half = first_crossing(membrane, output, most / 2, "falling")
        above = float(np.interp(half + 0.2, membrane, output))
        slope = -_slope_at(membrane, output, half)
        kappa = constants_of(on, output_kind(self.cell)).kappa
        return {
            "conductance, current far below the reversal": float(most),
            "conductance, current 0.2 V above over far below": float(above / most),
            "conductance, half current": half,
            "conductance, half current less V_reversal": half - self._law_voltage(on),
            "conductance at half current": slope,
            "conductance at half current over law": float(
                slope * 4 * on.thermal_voltage / (kappa * most)
            ),
            "conductance synapse, static power": -on.supply * float(waveforms[0]["i(vdd)"][0]),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The current over the membrane."""
        membrane, output = _gate_curve(self.cell, waveforms[0], "mem", on)
        kappa = constants_of(on, output_kind(self.cell)).kappa
        away = kappa * (membrane - self._law_voltage(on)) / on.thermal_voltage
        lines = (
            Line("output", membrane, output),
            Line("law", membrane, output[0] / (1 + np.exp(away)), law=True),
        )
        return (Panel("Reversal", "membrane voltage", "V", "output current", "A", lines),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The current that sets the reversal."""
        bias = (self.i_reversal, input_kind(self.cell), self.cell.width, self.cell.width)
        return doubts({"i_reversal": bias}, on)

    def _law_voltage(self, on: Condition) -> float:
        device = constants_of(on, input_kind(self.cell))
        return gate_voltage(device, on, self.i_reversal, self.cell.square)


def _gate_deck(
    bench: Bench, cell: DpiCore, process: Process, ports: Sequence[str], held: Sequence[str]
) -> Deck:
    """A steady synapse whose membrane, knob `vmem`, is swept from its rail on.

    Args:
        bench: with a current `i_<port>` for each mirror input.
        cell: the synapse.
        process: of its transistors.
        ports: its mirror inputs.
        held: other outputs, held a sixth of the supply from the same rail.
    """
    circuit = synapse_circuit(cell, process, {port: getattr(bench, f"i_{port}") for port in ports})
    level = pulse_level(cell, process, closed=True)
    circuit.V("pulse", "pulse", "0", raw_spice=f"dc {spice_number(level)}")
    rail, sign = (process.supply, -1) if cell.complement else (0.0, 1)
    for node in held:
        circuit.V(node, node, "0", raw_spice=f"dc {spice_number(rail + sign * process.supply / 6)}")
    sweep = DcSweep("vmem", rail, rail + sign * 0.45 * process.supply, sign * 5e-3)
    probes = ["i(vdd)", "i(vmem)", *(f"i(v{node})" for node in held)]
    knob = Knob("vmem", ("v_mem", "0"), rail)
    return bench_deck(bench.name, circuit, process, sweep, probes, [knob])


def _gate_curve(cell: DpiCore, wave: Waveforms, source: str, on: Condition) -> tuple[Array, Array]:
    """Membrane voltage from its rail and current of a source, both positive as the cell is for."""
    if cell.complement:
        return on.supply - wave.time, -wave[f"i(v{source})"]
    return wave.time, wave[f"i(v{source})"]


def _slope_at(x: Array, y: Array, place: float) -> float:
    """Slope of a curve at a place, by the points around it; NaN without a place."""
    return float(np.interp(place, x, np.gradient(y, x))) if np.isfinite(place) else float("nan")


ENTRIES: tuple[Entry, ...] = (
    Entry("dpi_nmda", "DPI synapse with NMDA gate", DpiNmda, (DpiNmdaBench(),)),
    Entry("dpi_conductance", "DPI synapse with reversal", DpiConductance, (DpiConductanceBench(),)),
)
