"""Benches of the two-stage DPI trace."""

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
    bench_circuit,
    bench_deck,
)
from spicesnn.characterize.benches.dpi_circuits import Array, decay_line, drain_current
from spicesnn.characterize.condition import Condition
from spicesnn.circuits.cells.dpi_trace import DpiTrace, DpiTraceBias
from spicesnn.circuits.cells.spike_driver import SpikeDriver
from spicesnn.circuits.deck import Deck, Knob, Transient, Value, Waveform
from spicesnn.circuits.stimuli import pulse_train
from spicesnn.measure.time_constants import decay_time_constant
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


class SynapseBench(Bench):
    """The DPI trace with an output transistor: its answer to a burst of four input events.

    The leak of the first stage is ten times the second's, so that what is left after a few
    milliseconds is the second's decay: `tau = C U_T / (kappa I_tau)`.
    """

    name: ClassVar[str] = "synapse"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "time constant": Quantity("s"), "peak current": Quantity("A"),
        "rest current": Quantity("A"),
    }  # fmt: skip

    trace: DpiTrace = DpiTrace()
    bias: DpiTraceBias = DpiTraceBias(i_tau_q=400e-12, i_gain_q=400e-12)
    stop: float = parameter(10e-3, unit="s", doc="length of the run", gt=0)
    maximum_step: float = parameter(5e-5, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Driver, trace and output transistor: knob `vevent`."""
        circuit = bench_circuit(process, SpikeDriver(), self.trace, self.bias)
        circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        circuit.X("driver", "spike_driver", *SpikeDriver.ports)
        circuit.X("trace", "dpi_trace", *self.trace.ports)
        circuit.X("bias", "dpi_trace_bias", *self.bias.ports)
        size: Size = {"width": self.trace.width, "length": self.trace.length}
        process.nfet(circuit, "out", "out", "v_p", "0", "0", **size)
        knob = Knob("vevent", ("event", "0"), Waveform.constant(0.0))
        analysis = Transient(self.stop, self.maximum_step)
        return bench_deck(self.name, circuit, process, analysis, ["i(vout)"], [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Four events, 0.2 ms apart, from 1 ms on."""
        events = 1e-3 + 0.2e-3 * np.arange(4)
        train = pulse_train(events, high=process.supply, width=20e-6, edge=1e-6, stop=self.stop)
        return [{"vevent": train}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """The decay is fitted from half to a twentieth of the peak, in the logarithm."""
        time, current = waveforms[0].time, -waveforms[0]["i(vout)"]
        top = int(current.argmax())
        peak, rest = float(current[top]), float(np.median(current[time < 0.9e-3]))
        later = np.arange(time.size) > top
        tail = later & (current < 0.5 * peak) & (current > 0.05 * peak)
        tau = float("nan")
        if tail.sum() > 3:
            tau = -1 / float(np.polyfit(time[tail], np.log(current[tail]), 1)[0])
        return {"time constant": tau, "peak current": peak, "rest current": rest}


class TraceLawBench(Bench):
    """The decays of both traces after one event, Q ten times faster than P."""

    name: ClassVar[str] = "dpi_trace_law"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "trace Q, time constant": Quantity("s"),
        "trace Q, time constant over law": Quantity("1", 0.9, 1.1, law="C U_T/(κ_p I_tau)"),
        "trace P, time constant": Quantity("s"),
        "trace P, time constant over law": Quantity("1", 0.9, 1.1, law="C U_T/(κ_n I_tau)"),
        "trace Q, peak current": Quantity("A"),
        "trace P, peak current": Quantity("A"),
    }

    trace: DpiTrace = DpiTrace()
    bias: DpiTraceBias = DpiTraceBias(
        i_weight=50e-9, i_tau_q=400e-12, i_gain_q=60e-12, i_gain_p=100e-12
    )
    stop: float = parameter(8e-3, unit="s", doc="length of the run", gt=0)
    maximum_step: float = parameter(1e-5, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Trace, bias lines and a transistor that reads P; Q is what its own transistor carries."""
        circuit = bench_circuit(process, self.trace, self.bias)
        circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        circuit.X("trace", "dpi_trace", *self.trace.ports)
        circuit.X("bias", "dpi_trace_bias", *self.bias.ports)
        size: Size = {"width": self.trace.width, "length": self.trace.length}
        process.nfet(circuit, "out", "out", "v_p", "0", "0", **size)
        knob = Knob("vpulse", ("pulse", "0"), Waveform.constant(0.0))
        analysis = Transient(self.stop, self.maximum_step)
        probes = ["i(vout)", drain_current(process, "pfet", "q_out", "trace")]
        return bench_deck(self.name, circuit, process, analysis, probes, [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Four events, 0.2 ms apart."""
        events = 0.2e-3 * np.arange(1, 5)
        high = process.supply
        return [{"vpulse": pulse_train(events, high=high, width=20e-6, edge=1e-6, stop=self.stop)}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Both decays, fitted from half to a twentieth of their peaks."""
        time = waveforms[0].time
        found = {}
        for name, current, law in self._traces(waveforms[0], on):
            tau = decay_time_constant(time, current)
            found[f"trace {name}, time constant"] = tau
            found[f"trace {name}, time constant over law"] = tau / law
            found[f"trace {name}, peak current"] = float(current.max())
        return found

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Both traces, with the law's decay from half of their peaks on."""
        time = waveforms[0].time
        lines = []
        for name, current, law in self._traces(waveforms[0], on):
            lines.append(Line(name, time, np.maximum(current, 1e-13)))
            lines.append(decay_line(f"law of {name}", time, current, law))
        return (Panel("Traces after four events", "time", "s", "current", "A", tuple(lines), "y"),)

    def _traces(self, wave: Waveforms, on: Condition) -> tuple[tuple[str, Array, float], ...]:
        """Name, current and time constant by the law, of each."""
        q = abs(wave[drain_current(on.process, "pfet", "q_out", "trace")])
        return (
            ("Q", q, on.time_constant(self.trace.c_q, self.bias.i_tau_q, "pfet")),
            ("P", -wave["i(vout)"], on.time_constant(self.trace.c_p, self.bias.i_tau_p, "nfet")),
        )


ENTRIES: tuple[Entry, ...] = (
    Entry("dpi_trace", "Two-stage DPI trace", DpiTrace, (SynapseBench(), TraceLawBench())),
)
