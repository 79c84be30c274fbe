"""Benches of the transimpedance stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from PySpice.Spice.Netlist import Circuit
from scipy.constants import k as boltzmann
from scipy.constants import zero_Celsius

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
from spicesnn.circuits.cells.transimpedance import Transimpedance
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
from spicesnn.measure.time_constants import step_time_constant
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


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


def _transimpedance_circuit(process: Process, cell: Transimpedance, i_bias: float) -> Circuit:
    """The stage with its bias, its reference at half the supply."""
    circuit = bench_circuit(process, cell)
    circuit.V("reference", "reference", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
    bias_current(circuit, "bias", "vdd", "bias", i_bias)
    circuit.X("stage", "transimpedance", *cell.ports)
    return circuit


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "transimpedance",
        "Transimpedance stage",
        Transimpedance,
        (TransimpedanceBench(), TransimpedanceStepBench(), TransimpedanceNoiseBench()),
    ),
)
