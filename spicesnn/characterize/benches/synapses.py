"""Benches of the synapses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from spicesnn.characterize.bench import Bench, Entry, Quantity, bench_circuit, bench_deck
from spicesnn.characterize.condition import Condition
from spicesnn.circuits.cells.dpi_trace import DpiTrace, DpiTraceBias
from spicesnn.circuits.cells.spike_driver import SpikeDriver
from spicesnn.circuits.deck import Deck, Knob, Transient, Value, Waveform
from spicesnn.circuits.stimuli import pulse_train
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


ENTRIES = (Entry("dpi_trace", "Two-stage DPI trace", DpiTrace, (SynapseBench(),)),)
