"""Benches of the current DAC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from PySpice.Spice.Netlist import Circuit, SubCircuit

from spicesnn.characterize.bench import (
    Bench,
    Entry,
    Line,
    Panel,
    Quantity,
    bench_circuit,
    bench_deck,
)
from spicesnn.characterize.benches.bias_circuits import SIDES, bit_nodes, bit_sources, early
from spicesnn.characterize.condition import Condition, doubts
from spicesnn.circuits.cells.cell import diode
from spicesnn.circuits.cells.current_dac import CurrentDac
from spicesnn.circuits.cells.side import side
from spicesnn.circuits.deck import DcSweep, Deck, Knob, Value
from spicesnn.measure.levels import first_crossing
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


class CurrentDacBench(Bench):
    """Both DACs over all codes, outputs at half the supply."""

    name: ClassVar[str] = "current_dac"
    properties: ClassVar[Mapping[str, Quantity]] = {
        f"current DAC {kind}, {what}": quantity
        for kind in ("n", "p")
        for what, quantity in {
            "gain over law": Quantity("1", 0.95, 1.05, law="I_unit code"),
            "DNL, largest": Quantity("LSB", high=0.5, scale=0.1),
            "INL, largest": Quantity("LSB", high=0.5, scale=0.1),
            "smallest step over law": Quantity("1", 0.0),
            "current at code 0 over unit": Quantity("1", high=0.5, scale=0.1),
        }.items()
    }

    cell: CurrentDac = CurrentDac()
    i_unit: float = parameter(100e-12, unit="A", doc="of the smallest bit", gt=0)

    def deck(self, process: Process) -> Deck:
        """Both sides on one code."""
        circuit = _dac_circuit(process, self.cell, self.i_unit)
        half = spice_number(process.supply / 2)
        for kind in SIDES:
            circuit.V(kind, f"out_{kind}", "0", raw_spice=f"dc {half}")
        knob = Knob("vcode", ("code", "0"), 0.0)
        sweep = DcSweep("vcode", 0.0, float(self.cell.codes - 1), 1.0)
        return bench_deck(self.name, circuit, process, sweep, ["i(vn)", "i(vp)"], [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Gain from the end points; the steps against the mean step."""
        found: dict[str, float] = {}
        code = waveforms[0].time
        for kind in SIDES:
            current = abs(waveforms[0][f"i(v{kind})"])
            step = float(current[-1] - current[0]) / (code.size - 1) or float("nan")
            steps = np.diff(current) / step
            line = (current - current[0]) / step - code
            found |= {
                f"current DAC {kind}, gain over law": step / self.i_unit,
                f"current DAC {kind}, DNL, largest": float(np.abs(steps - 1).max()),
                f"current DAC {kind}, INL, largest": float(np.abs(line).max()),
                f"current DAC {kind}, smallest step over law": float(steps.min()),
                f"current DAC {kind}, current at code 0 over unit": float(current[0] / self.i_unit),
            }
        return found

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Transfer of both and the law."""
        code = waveforms[0].time
        lines = [Line(kind, code, abs(waveforms[0][f"i(v{kind})"])) for kind in SIDES]
        law = Line("law", code, code * self.i_unit, law=True)
        return (Panel("Current DAC", "code", "", "output current", "A", (*lines, law)),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The unit current in the unit transistors."""
        size = (self.cell.width, self.cell.length)
        return doubts({f"i_unit ({k})": (self.i_unit, k, *size) for k in ("nfet", "pfet")}, on)


class CurrentDacOutputBench(Bench):
    """Both DACs at full code over the output's distance from the rail."""

    name: ClassVar[str] = "current_dac_output"
    properties: ClassVar[Mapping[str, Quantity]] = {
        f"current DAC {kind}, {what}": quantity
        for kind in ("n", "p")
        for what, quantity in {
            "headroom for 95 % of law": Quantity("V", high=0.2, law="I_unit code"),
            "Early voltage": Quantity("V", 10.0),
        }.items()
    }

    # A draw's gain, not its output, would decide where it reaches 95 % of the law.
    drawn: ClassVar[bool] = False

    cell: CurrentDac = CurrentDac()
    i_unit: float = parameter(100e-12, unit="A", doc="of the smallest bit", gt=0)

    def deck(self, process: Process) -> Deck:
        """All bits on; the n output at `v(level)`, the p output as far under the supply."""
        circuit = _dac_circuit(process, self.cell, self.i_unit)
        full = spice_number(self.cell.codes - 1)
        circuit.V("code", "code", "0", raw_spice=f"dc {full}")
        circuit.V("n", "level", "out_n", raw_spice="dc 0")
        circuit.V("p", "level_p", "out_p", raw_spice="dc 0")
        circuit.raw_spice += "Blevel level_p 0 v = v(vdd) - v(level)\n"
        knob = Knob("vlevel", ("level", "0"), 0.0)
        sweep = DcSweep("vlevel", 0.0, process.supply, 0.004)
        return bench_deck(self.name, circuit, process, sweep, ["i(vn)", "i(vp)"], [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Headroom against the law; Early voltage between half the supply and three quarters."""
        found: dict[str, float] = {}
        level = waveforms[0].time
        for kind in SIDES:
            current = abs(waveforms[0][f"i(v{kind})"])
            here, there = (float(np.interp(p * on.supply, level, current)) for p in (0.5, 0.75))
            found |= {
                f"current DAC {kind}, headroom for 95 % of law": first_crossing(
                    level, current, 0.95 * self.i_unit * (self.cell.codes - 1), "rising"
                ),
                f"current DAC {kind}, Early voltage": early(here, there, 0.25 * on.supply),
            }
        return found

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Current of both and the law."""
        level = waveforms[0].time
        lines = [Line(kind, level, abs(waveforms[0][f"i(v{kind})"])) for kind in SIDES]
        full = self.i_unit * (self.cell.codes - 1)
        law = full * -np.expm1(-level / on.thermal_voltage)
        drawn = (*lines, Line("law in weak inversion, no Early effect", level, law, law=True))
        title = "Output of the current DAC at full code"
        return (Panel(title, "from the rail", "V", "output current", "A", drawn),)


def _dac_circuit(process: Process, cell: CurrentDac, i_unit: float) -> Circuit:
    """Both sides of a DAC with their unit diodes, on the code `v(code)`; outputs not connected."""
    circuit = bench_circuit(process)
    size: Size = {"width": cell.width, "length": cell.length}
    for kind, complement in SIDES.items():
        on = side(process, complement)
        netlist = SubCircuit(f"current_dac_{kind}", *CurrentDac.ports)
        cell.model_copy(update={"complement": complement}).build(netlist, process)
        circuit.subcircuit(netlist)
        diode(circuit, on.n, f"unit_{kind}", f"unit_{kind}", on.low, **size)
        on.current_from_high(circuit, f"unit_{kind}", f"unit_{kind}", i_unit)
        circuit.raw_spice += bit_sources(kind)
        circuit.X(f"dac_{kind}", f"current_dac_{kind}", *bit_nodes(kind))
    return circuit


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "current_dac",
        "Current DAC",
        CurrentDac,
        (CurrentDacBench(), CurrentDacOutputBench()),
    ),
)
