"""Benches of the virtual-ground clamp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from PySpice.Spice.Netlist import Circuit
from scipy.constants import elementary_charge

from spicesnn.characterize.bench import (
    Bench,
    Entry,
    Line,
    Panel,
    Quantity,
    bench_circuit,
    bench_deck,
)
from spicesnn.characterize.condition import Condition
from spicesnn.circuits.cells.cell import bias_current, capacitor
from spicesnn.circuits.cells.column_clamp import ColumnClamp
from spicesnn.circuits.deck import (
    DcSweep,
    Deck,
    Knob,
    NoiseSpectrum,
    Transient,
    Value,
    Waveform,
)
from spicesnn.measure.levels import settling_time
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


class ColumnClampBench(Bench):
    """The clamp over five decades of column current, its output at half the supply."""

    name: ClassVar[str] = "column_clamp"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "clamp error, 0.1 to 100 nA, largest": Quantity(
            "V", high=5e-3, law="0: a twentieth of a read of 0.1 V", scale=1e-3
        ),
        "clamp error at 1 nA": Quantity("V", law="0", scale=1e-3),
        "clamp copy over column current, 0.1 to 100 nA, most": Quantity("1", 0.95, 1.05, law="1"),
        "clamp copy over column current, 0.1 to 100 nA, least": Quantity("1", 0.95, 1.05, law="1"),
        "clamp input resistance at 1 nA": Quantity("ohm"),
        "clamp input resistance at 1 nA over a bare follower's": Quantity(
            "1", high=0.05, law="U_T / I, which the amplifier divides"
        ),
        "clamp, largest current within 5 mV and 5 %": Quantity("A", 100e-9),
        "clamp static power at 1 nA": Quantity("W"),
    }

    cell: ColumnClamp = ColumnClamp()
    i_bias: float = parameter(50e-9, unit="A", doc="tail current of the amplifier", gt=0)
    v_reference: float = parameter(0.25, unit="V", doc="read reference", gt=0)

    def deck(self, process: Process) -> Deck:
        """The column's current from a source, in decades."""
        circuit = _clamp_circuit(process, self.cell, self.i_bias, self.v_reference)
        circuit.raw_spice += "Bcolumn column 0 i = pow(10, v(level))\n"
        knob = Knob("vlevel", ("level", "0"), -9.0)
        sweep = DcSweep("vlevel", -11.0, -6.0, 0.02)
        probes = ["v(column)", "i(vout)", "i(vdd)"]
        return bench_deck(self.name, circuit, process, sweep, probes, [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Error of voltage and copy over the three decades; where both are still small."""
        level, error, ratio = self._curves(waveforms[0])
        current = 10**level
        inside = (level > -10.01) & (level < -6.99)
        here = int(np.abs(level + 9).argmin())
        slope = (error[here + 1] - error[here - 1]) / (current[here + 1] - current[here - 1])
        good = (np.abs(error) <= 5e-3) & (np.abs(ratio - 1) <= 0.05)
        bad = np.flatnonzero(~good & (level > -9))
        first_bad = int(bad[0]) if bad.size else level.size
        power = -on.supply * waveforms[0]["i(vdd)"][here]
        return {
            "clamp error, 0.1 to 100 nA, largest": float(np.abs(error[inside]).max()),
            "clamp error at 1 nA": float(error[here]),
            "clamp copy over column current, 0.1 to 100 nA, most": float(ratio[inside].max()),
            "clamp copy over column current, 0.1 to 100 nA, least": float(ratio[inside].min()),
            "clamp input resistance at 1 nA": float(-slope),
            "clamp input resistance at 1 nA over a bare follower's": float(
                -slope * current[here] / on.thermal_voltage
            ),
            "clamp, largest current within 5 mV and 5 %": float(current[first_bad - 1]),
            "clamp static power at 1 nA": float(power),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Voltage error and copy over the column's current."""
        level, error, ratio = self._curves(waveforms[0])
        current, x = 10**level, ("column current", "A")
        held = (
            Line("column less reference", current, error),
            Line("law", current, np.zeros_like(current), law=True),
        )
        copied = (
            Line("copy", current, ratio * current),
            Line("law", current, current, law=True),
        )
        return (
            Panel("Clamp of the column", *x, "voltage error", "V", held, "x"),
            Panel("Copy of the column's current", *x, "output current", "A", copied, "xy"),
        )

    def _curves(self, wave: Waveforms) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Exponent of the current, error of the voltage, copy over current."""
        level = wave.time
        return level, wave["v(column)"] - self.v_reference, wave["i(vout)"] / 10**level


class ColumnClampStepBench(Bench):
    """The clamp as the column's current steps from 1 to 10 nA and back."""

    name: ClassVar[str] = "column_clamp_step"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "clamp copy, settling to 10 % of the step, 1 to 10 nA": Quantity("s", high=10e-6),
        "clamp copy, settling to 10 % of the step, 10 to 1 nA": Quantity("s", high=10e-6),
        "clamp, column's largest excursion": Quantity("V"),
        "clamp, column settling to 1 mV of its value, 1 to 10 nA": Quantity("s", high=10e-6),
    }
    drawn: ClassVar[bool] = False

    cell: ColumnClamp = ColumnClamp()
    i_bias: float = parameter(50e-9, unit="A", doc="tail current of the amplifier", gt=0)
    v_reference: float = parameter(0.25, unit="V", doc="read reference", gt=0)
    c_column: float = parameter(200e-15, unit="F", doc="of the column: 128 cells of 1.5 fF", gt=0)
    r_rest: float = parameter(1e9, unit="ohm", doc="of all devices whose rows rest", gt=0)
    maximum_step: float = parameter(0.03e-6, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """What hangs on the column, and its current as a knob."""
        circuit = _clamp_circuit(process, self.cell, self.i_bias, self.v_reference)
        capacitor(circuit, "column", "column", "0", self.c_column)
        circuit.R("rest", "column", "reference", raw_spice=spice_number(self.r_rest))
        time = np.array([0, 10e-6, 10.1e-6, 60e-6, 60.1e-6])
        step = Waveform(time, np.array([1e-9, 1e-9, 10e-9, 10e-9, 1e-9]))
        knob = Knob("icolumn", ("column", "0"), step)
        analysis = Transient(120e-6, self.maximum_step)
        probes = ["v(column)", "i(vout)"]
        return bench_deck(self.name, circuit, process, analysis, probes, [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One run."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Each settles to where it stands at the end of its plateau."""
        wave = waveforms[0]
        time, copy, column = wave.time, wave["i(vout)"], wave["v(column)"]
        rest, high = (float(wave.at("i(vout)", t)) for t in (9e-6, 59e-6))
        level = float(wave.at("v(column)", 59e-6))
        up, down = time <= 59e-6, time >= 60e-6
        return {
            "clamp copy, settling to 10 % of the step, 1 to 10 nA": settling_time(
                time[up], copy[up], 10e-6, high, 0.1 * (high - rest)
            ),
            "clamp copy, settling to 10 % of the step, 10 to 1 nA": settling_time(
                time[down], copy[down], 60e-6, float(copy[-1]), 0.1 * (high - rest)
            ),
            "clamp, column's largest excursion": float(np.abs(column - level).max()),
            "clamp, column settling to 1 mV of its value, 1 to 10 nA": settling_time(
                time[up], column[up], 10e-6, level, 1e-3
            ),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Copy and column over time."""
        wave = waveforms[0]
        step = np.interp(wave.time, [0, 10e-6, 10.1e-6, 60e-6, 60.1e-6], [1, 1, 10, 10, 1])
        copied = (
            Line("copy", wave.time, wave["i(vout)"]),
            Line("law", wave.time, 1e-9 * step, law=True),
        )
        held = (
            Line("column", wave.time, wave["v(column)"]),
            Line("law", wave.time, np.full(wave.time.size, self.v_reference), law=True),
        )
        title = f"A step of the column's current, {self.c_column:.2g} F"
        return (
            Panel(title, "time", "s", "output current", "A", copied),
            Panel("The column at that step", "time", "s", "voltage", "V", held),
        )

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """Whether the lead capacitor is large enough for the column's."""
        if self.c_column <= 4 * self.cell.c_lead:
            return ()
        return (
            f"c_lead = {self.cell.c_lead:g} F is under a quarter of c_column = "
            f"{self.c_column:g} F: the loop may ring.",
        )


class ColumnClampNoiseBench(Bench):
    """Noise of the clamp's copy, referred to the column, at 1 nA through a device at 0.1 V."""

    name: ClassVar[str] = "column_clamp_noise"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "clamp input noise at 10 Hz": Quantity("A/sqrt(Hz)"),
        "clamp input noise at 1 kHz": Quantity("A/sqrt(Hz)"),
        "clamp input noise at 1 kHz over shot noise of the mirror": Quantity(
            "1", high=1.5, law="sqrt(4 q I): two transistors in weak inversion"
        ),
    }
    drawn: ClassVar[bool] = False

    cell: ColumnClamp = ColumnClamp()
    i_bias: float = parameter(50e-9, unit="A", doc="tail current of the amplifier", gt=0)
    v_reference: float = parameter(0.25, unit="V", doc="read reference", gt=0)
    v_read: float = parameter(0.1, unit="V", doc="across the device", gt=0)
    current: float = parameter(1e-9, unit="A", doc="of the column", gt=0)
    c_column: float = parameter(200e-15, unit="F", doc="of the column: 128 cells of 1.5 fF", gt=0)

    def deck(self, process: Process) -> Deck:
        """A noiseless conductance to the row; the output's current read as a voltage."""
        circuit = _clamp_circuit(process, self.cell, self.i_bias, self.v_reference)
        capacitor(circuit, "column", "column", "0", self.c_column)
        row = spice_number(self.v_reference - self.v_read)
        circuit.V("row", "row", "0", raw_spice=f"dc {row}")
        conductance = spice_number(self.current / self.v_read)
        circuit.raw_spice += (
            f"Gdevice column row column row {conductance}\n"
            "Isignal column 0 dc 0 ac 1\nHread read 0 vout 1\n"
        )
        analysis = NoiseSpectrum("read", "isignal", 1.0, 1e5)
        return bench_deck(self.name, circuit, process, analysis, ["inoise_spectrum"])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One spectrum."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Densities at two frequencies."""
        frequency, noise = waveforms[0].time, waveforms[0]["inoise_spectrum"]
        low, high = (float(np.interp(f, frequency, noise)) for f in (10.0, 1e3))
        return {
            "clamp input noise at 10 Hz": low,
            "clamp input noise at 1 kHz": high,
            "clamp input noise at 1 kHz over shot noise of the mirror": high / self._law(),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The spectrum and the mirror's shot noise."""
        frequency = waveforms[0].time
        lines = (
            Line("clamp", frequency, waveforms[0]["inoise_spectrum"]),
            Line("law: sqrt(4 q I)", frequency, np.full(frequency.size, self._law()), law=True),
        )
        y = ("noise density", "A/sqrt(Hz)")
        return (Panel("Input noise of the clamp", "frequency", "Hz", *y, lines, "xy"),)

    def _law(self) -> float:
        return float(np.sqrt(4 * elementary_charge * self.current))


def _clamp_circuit(
    process: Process, cell: ColumnClamp, i_bias: float, v_reference: float
) -> Circuit:
    """The clamp with its bias and reference, its output at half the supply."""
    circuit = bench_circuit(process, cell)
    circuit.V("reference", "reference", "0", raw_spice=f"dc {spice_number(v_reference)}")
    circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
    bias_current(circuit, "bias", "bias", "0", i_bias)
    circuit.X("clamp", "column_clamp", *cell.ports)
    return circuit


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "column_clamp",
        "Clamp of a crossbar column",
        ColumnClamp,
        (ColumnClampBench(), ColumnClampStepBench(), ColumnClampNoiseBench()),
    ),
)
