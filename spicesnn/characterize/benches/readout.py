"""Benches of the read-out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from PySpice.Spice.Netlist import Circuit
from scipy.constants import elementary_charge, zero_Celsius
from scipy.constants import k as boltzmann

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
from spicesnn.circuits.cells.sense_amplifier import SenseAmplifier
from spicesnn.circuits.cells.transimpedance import Transimpedance
from spicesnn.circuits.deck import (
    DcSweep,
    Deck,
    Knob,
    NoiseSpectrum,
    Pulse,
    Transient,
    Value,
    Waveform,
)
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.levels import first_crossing, settling_time
from spicesnn.measure.time_constants import step_time_constant
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


class TransimpedanceBench(Bench):
    """Output voltage over the input's current, to both sides."""

    name: ClassVar[str] = "transimpedance"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "transimpedance over law": Quantity("1", 0.99, 1.01, law="-R_f"),
        "transimpedance, range of currents within 1 %": Quantity("A", 50e-9),
        "transimpedance, output offset": Quantity("V", -5e-3, 5e-3, law="0", scale=1e-3),
        "transimpedance, input moves by, ±50 nA": Quantity("V", high=5e-3, scale=1e-3),
        "transimpedance, static power": Quantity("W"),
    }

    cell: Transimpedance = Transimpedance()
    i_bias: float = parameter(100e-9, unit="A", doc="tail current", gt=0)
    span: float = parameter(200e-9, unit="A", doc="largest current, to each side", gt=50e-9)

    def deck(self, process: Process) -> Deck:
        """A source of current at the input."""
        circuit = _transimpedance_circuit(process, self.cell, self.i_bias)
        knob = Knob("iin", ("0", "i_in"), 0.0)
        sweep = DcSweep("iin", -self.span, self.span, self.span / 200)
        probes = ["v(out)", "v(i_in)", "i(vdd)"]
        return bench_deck(self.name, circuit, process, sweep, probes, [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Slope near zero; how far the law holds on both sides."""
        wave = waveforms[0]
        current, out, node = wave.time, wave["v(out)"], wave["v(i_in)"]
        zero = int(np.abs(current).argmin())
        ends = np.interp([-10e-9, 10e-9], current, out)
        gain = float(ends[1] - ends[0]) / 20e-9
        law = -self.cell.r_feedback * current
        wrong = np.abs(out - out[zero] - law) > 0.01 * np.abs(law)
        # At zero both sides are zero but for rounding.
        bad = np.abs(current[wrong & (np.abs(current) > 0.5e-9)])
        inside = np.abs(current) <= 50.5e-9
        return {
            "transimpedance over law": -gain / self.cell.r_feedback,
            "transimpedance, range of currents within 1 %": float(
                bad.min() - self.span / 200 if bad.size else np.abs(current).max()
            ),
            "transimpedance, output offset": float(out[zero] - on.supply / 2),
            "transimpedance, input moves by, ±50 nA": float(np.ptp(node[inside])),
            "transimpedance, static power": float(-on.supply * wave["i(vdd)"][zero]),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Transfer and law."""
        current, out = waveforms[0].time, waveforms[0]["v(out)"]
        law = on.supply / 2 - self.cell.r_feedback * current
        lines = (Line("output", current, out), Line("law", current, law, law=True))
        return (Panel("Transimpedance stage", "input current", "A", "output voltage", "V", lines),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """Whether the output stage can take up the span."""
        most = self.cell.output * self.i_bias
        if self.span < most:
            return ()
        return (
            f"span = {self.span:g} A is not under the sink of the output stage, {most:g} A: what "
            "it cannot take up pulls the input to a rail and over.",
        )


class TransimpedanceStepBench(Bench):
    """A step of the input's current from 0 to 20 nA."""

    name: ClassVar[str] = "transimpedance_step"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "transimpedance, time constant": Quantity("s"),
        "transimpedance, time constant over law": Quantity("1", 0.8, 1.3, law="R_f C_f"),
        "transimpedance, settling to 1 %": Quantity("s", high=10e-6),
        "transimpedance, overshoot over the step": Quantity("1", high=0.1, scale=0.1),
    }
    drawn: ClassVar[bool] = False

    cell: Transimpedance = Transimpedance()
    i_bias: float = parameter(100e-9, unit="A", doc="tail current", gt=0)
    c_input: float = parameter(200e-15, unit="F", doc="at the input", gt=0)
    c_load: float = parameter(100e-15, unit="F", doc="at the output", gt=0)
    maximum_step: float = parameter(0.02e-6, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Capacitances at both ends."""
        circuit = _transimpedance_circuit(process, self.cell, self.i_bias)
        capacitor(circuit, "input", "i_in", "0", self.c_input)
        capacitor(circuit, "load", "out", "0", self.c_load)
        time = np.array([0.0, 2e-6, 2.01e-6])
        knob = Knob("iin", ("0", "i_in"), Waveform(time, np.array([0.0, 0.0, 20e-9])))
        analysis = Transient(20e-6, self.maximum_step)
        return bench_deck(self.name, circuit, process, analysis, ["v(out)"], [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One run."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """From the step to 1 - 1/e; overshoot below the final value."""
        time, out = waveforms[0].time, waveforms[0]["v(out)"]
        first, final = float(out[0]), float(out[-1])
        tau = step_time_constant(time, out, 2e-6, first, final)
        height = first - final
        return {
            "transimpedance, time constant": tau,
            "transimpedance, time constant over law": (
                tau / (self.cell.r_feedback * self.cell.c_feedback)
            ),
            "transimpedance, settling to 1 %": settling_time(
                time, out, 2e-6, final, 0.01 * abs(height)
            ),
            "transimpedance, overshoot over the step": (
                max(float(final - out.min()), 0.0) / height if height else float("nan")
            ),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Output and an exponential of the law's time constant."""
        time, out = waveforms[0].time, waveforms[0]["v(out)"]
        tau = self.cell.r_feedback * self.cell.c_feedback
        since = np.maximum(time - 2e-6, 0)
        law = on.supply / 2 + 20e-9 * self.cell.r_feedback * np.expm1(-since / tau)
        lines = (Line("output", time, out), Line("law", time, law, law=True))
        return (Panel("A step of 20 nA", "time", "s", "output voltage", "V", lines),)


class TransimpedanceNoiseBench(Bench):
    """Noise at the output, referred to the input's current."""

    name: ClassVar[str] = "transimpedance_noise"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "transimpedance input noise at 100 Hz": Quantity("A/sqrt(Hz)"),
        "transimpedance input noise at 10 kHz": Quantity("A/sqrt(Hz)"),
        "transimpedance input noise at 10 kHz over the resistor's": Quantity(
            "1", 1.0, 2.0, law="sqrt(4 k T / R_f)"
        ),
    }
    drawn: ClassVar[bool] = False

    cell: Transimpedance = Transimpedance()
    i_bias: float = parameter(100e-9, unit="A", doc="tail current", gt=0)
    c_input: float = parameter(200e-15, unit="F", doc="at the input", gt=0)

    def deck(self, process: Process) -> Deck:
        """The input's capacitance, and a source of signal."""
        circuit = _transimpedance_circuit(process, self.cell, self.i_bias)
        capacitor(circuit, "input", "i_in", "0", self.c_input)
        circuit.raw_spice += "Isignal 0 i_in dc 0 ac 1\n"
        analysis = NoiseSpectrum("out", "isignal", 10.0, 1e6)
        return bench_deck(self.name, circuit, process, analysis, ["inoise_spectrum"])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One spectrum."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Densities at two frequencies."""
        frequency, noise = waveforms[0].time, waveforms[0]["inoise_spectrum"]
        low, high = (float(np.interp(f, frequency, noise)) for f in (100.0, 1e4))
        return {
            "transimpedance input noise at 100 Hz": low,
            "transimpedance input noise at 10 kHz": high,
            "transimpedance input noise at 10 kHz over the resistor's": high / self._law(on),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The spectrum and the resistor's own."""
        frequency = waveforms[0].time
        lines = (
            Line("stage", frequency, waveforms[0]["inoise_spectrum"]),
            Line("law: resistor", frequency, np.full(frequency.size, self._law(on)), law=True),
        )
        y = ("noise density", "A/sqrt(Hz)")
        title = "Input noise of the transimpedance stage"
        return (Panel(title, "frequency", "Hz", *y, lines, "xy"),)

    def _law(self, on: Condition) -> float:
        kelvin = on.celsius + zero_Celsius
        return float(np.sqrt(4 * boltzmann * kelvin / self.cell.r_feedback))


_FIRST = 10e-9
_DIFFERENCES = (100e-3, 10e-3, 3e-3, 1e-3, 0.3e-3)


class SenseAmplifierBench(Bench):
    """One decision a run: falling differences, and one with the sides swapped."""

    name: ClassVar[str] = "sense_amplifier"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "sense amplifier, right decisions": Quantity("1", 1.0, 1.0),
        "sense amplifier, delay at 100 mV": Quantity("s"),
        "sense amplifier, delay at 10 mV": Quantity("s"),
        "sense amplifier, delay at 1 mV": Quantity("s", high=0.2e-6),
        "sense amplifier, delay of swapped sides over straight": Quantity("1", 0.999, 1.001),
        "sense amplifier, energy a decision": Quantity("J"),
    }
    drawn: ClassVar[bool] = False

    cell: SenseAmplifier = SenseAmplifier()
    i_bias: float = parameter(100e-9, unit="A", doc="a tenth of the tail's", gt=0)
    maximum_step: float = parameter(0.4e-9, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Inputs about half the supply, clock high from 0.1 to 0.5 us."""
        circuit = _sense_circuit(process, self.cell, self.i_bias)
        clock = np.array([0, 0.1e-6, 0.105e-6, 0.5e-6, 0.505e-6])
        level = process.supply * np.array([0, 0, 1, 1, 0])
        knobs = [
            Knob("vclock", ("clock", "0"), Waveform(clock, level)),
            Knob("vplus", ("v_plus", "0"), process.supply / 2),
            Knob("vminus", ("v_minus", "0"), process.supply / 2),
        ]
        probes = ["v(plus_wins)", "v(minus_wins)", "i(vdd)"]
        # With a first step of femtoseconds rounding is above tight tolerances of current.
        analysis = Transient(0.8e-6, self.maximum_step, print_step=_FIRST)
        return bench_deck(self.name, circuit, process, analysis, probes, knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Falling differences, then 10 mV the other way."""
        half = process.supply / 2
        return [
            {"vplus": half + value / 2, "vminus": half - value / 2}
            for value in (*_DIFFERENCES, -_DIFFERENCES[1])
        ]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Delays from the clock's edge to the winner's; a decision is right if it alone rises."""
        half = on.supply / 2
        delays, right = [], []
        for k, wave in enumerate(waveforms):
            names = ["v(plus_wins)", "v(minus_wins)"]
            winner, loser = names if k < len(_DIFFERENCES) else names[::-1]
            delays.append(first_crossing(wave.time, wave[winner], half, "rising") - 0.1025e-6)
            at_end = float(wave.at(winner, 0.49e-6)) > half
            right.append(at_end and float(wave[loser].max()) < half)
        wave = waveforms[1]
        cycle = wave.time >= 0.05e-6
        cut = Waveforms(wave.time[cycle], {"i(vdd)": wave["i(vdd)"][cycle]})
        return {
            "sense amplifier, right decisions": float(np.mean(right)),
            "sense amplifier, delay at 100 mV": delays[0],
            "sense amplifier, delay at 10 mV": delays[1],
            "sense amplifier, delay at 1 mV": delays[3],
            "sense amplifier, delay of swapped sides over straight": (
                delays[-1] / delays[1] if delays[1] else float("nan")
            ),
            "sense amplifier, energy a decision": supply_energy(cut, {"i(vdd)": on.supply}),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Delay over difference with the law's slope; the winner's waveforms."""
        half = on.supply / 2
        straight = waveforms[: len(_DIFFERENCES)]
        delays = np.array(
            [
                first_crossing(w.time, w["v(plus_wins)"], half, "rising") - 0.1025e-6
                for w in straight
            ]
        )
        size = np.array(_DIFFERENCES)
        tau = (delays[-1] - delays[-2]) / np.log(size[-2] / size[-1])
        law = delays[-1] + tau * np.log(size[-1] / size)
        lines = (
            Line("delay", size, delays),
            Line("a straight line through the last two", size, law, law=True),
        )
        near = [(w.time > 0.1e-6) & (w.time < 0.13e-6) for w in straight]
        waves = tuple(
            Line(f"{value * 1e3:g} mV", wave.time[part], wave["v(plus_wins)"][part])
            for value, wave, part in zip(_DIFFERENCES, straight, near, strict=True)
        )
        return (
            Panel("Delay of a decision", "difference", "V", "delay", "s", lines, "x"),
            Panel("The winner's output", "time", "s", "voltage", "V", waves),
        )


class SenseAmplifierOffsetBench(Bench):
    """Decisions while the difference climbs by 1 mV a clock: where they turn is the offset."""

    name: ClassVar[str] = "sense_amplifier_offset"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "sense amplifier, offset": Quantity("V", -0.5e-3, 0.5e-3, law="0", scale=1e-3),
    }

    cell: SenseAmplifier = SenseAmplifier()
    i_bias: float = parameter(100e-9, unit="A", doc="a tenth of the tail's", gt=0)
    span: int = parameter(20, unit="1", doc="largest difference to each side, mV", ge=1)
    period: float = parameter(0.2e-6, unit="s", doc="of the clock", gt=0.1e-6)
    maximum_step: float = parameter(4e-9, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """A clock and a staircase of the difference, which steps while the clock is low."""
        circuit = _sense_circuit(process, self.cell, self.i_bias)
        start = np.arange(1, self.cycles) * self.period
        time = np.append(0.0, np.stack([start, start + 5e-9], axis=1).ravel())
        value = np.repeat(self._differences(), 2)[:-1] / 2
        edge = 5e-9
        clock = Pulse(
            0.0, process.supply, self.period / 2 - edge, edge, edge, self.period / 2 - edge,
            self.period,
        )  # fmt: skip
        knobs = [
            Knob("vclock", ("clock", "0"), clock),
            Knob("vplus", ("v_plus", "0"), Waveform(time, process.supply / 2 + value)),
            Knob("vminus", ("v_minus", "0"), Waveform(time, process.supply / 2 - value)),
        ]
        stop = self.cycles * self.period
        analysis = Transient(stop, self.maximum_step, print_step=_FIRST)
        return bench_deck(self.name, circuit, process, analysis, ["v(plus_wins)"], knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One run."""
        return [{}]

    @property
    def cycles(self) -> int:
        """Clocks of a run."""
        return 2 * self.span

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Halfway between the last decision for minus and the first for plus."""
        plus = self._decisions(waveforms[0], on)
        turn = int(plus.argmax())
        difference = self._differences()
        found = float("nan")
        if plus.any() and turn:
            found = float(difference[turn - 1] + difference[turn]) / 2
        return {"sense amplifier, offset": found}

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Decisions over the difference."""
        difference = self._differences()
        decided = self._decisions(waveforms[0], on).astype(float)
        lines = (
            Line("plus wins", difference, decided),
            Line("law", difference, (difference > 0).astype(float), law=True),
        )
        title = "Decisions of the sense amplifier"
        return (Panel(title, "difference", "V", "decision", "", lines),)

    def _differences(self) -> np.ndarray:
        """Volts, shape (cycles,): never zero."""
        return 1e-3 * (np.arange(self.cycles) - self.span + 0.5)

    def _decisions(self, wave: Waveforms, on: Condition) -> np.ndarray:
        end = (np.arange(self.cycles) + 1) * self.period - 10e-9
        return np.asarray(wave.at("v(plus_wins)", end) > on.supply / 2)


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


def _transimpedance_circuit(process: Process, cell: Transimpedance, i_bias: float) -> Circuit:
    """The stage with its bias, its reference at half the supply."""
    circuit = bench_circuit(process, cell)
    circuit.V("reference", "reference", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
    bias_current(circuit, "bias", "vdd", "bias", i_bias)
    circuit.X("stage", "transimpedance", *cell.ports)
    return circuit


def _sense_circuit(process: Process, cell: SenseAmplifier, i_bias: float) -> Circuit:
    """The latch; its inputs and clock are knobs."""
    circuit = bench_circuit(process, cell)
    # Not from the supply, whose energy is the latch's own.
    bias_current(circuit, "bias", "0", "bias", i_bias)
    circuit.X("latch", "sense_amplifier", *cell.ports)
    return circuit


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "column_clamp", "Clamp of a crossbar column", ColumnClamp,
        (ColumnClampBench(), ColumnClampStepBench(), ColumnClampNoiseBench()),
    ),
    Entry(
        "transimpedance", "Transimpedance stage", Transimpedance,
        (TransimpedanceBench(), TransimpedanceStepBench(), TransimpedanceNoiseBench()),
    ),
    Entry(
        "sense_amplifier", "Clocked sense amplifier", SenseAmplifier,
        (SenseAmplifierBench(), SenseAmplifierOffsetBench()),
    ),
)  # fmt: skip
