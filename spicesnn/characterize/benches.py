"""Benches: a cell on its supplies, stimuli for it, and what is read from its waveforms."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self, TypeVar

import numpy as np
from PySpice.Spice.Netlist import Circuit

from spicesnn.circuits.cells.cell import Cell, bias_current, diode
from spicesnn.circuits.cells.dpi_neuron import DpiNeuron, DpiNeuronBias
from spicesnn.circuits.cells.dpi_trace import DpiTrace, DpiTraceBias
from spicesnn.circuits.cells.spike_driver import SpikeDriver
from spicesnn.circuits.deck import Deck, Knob, OperatingPoint, Transient, Value, Waveform
from spicesnn.circuits.stimuli import pulse_train
from spicesnn.errors import UnknownNameError
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.spikes import spike_times
from spicesnn.parameters import Parameters, parameter
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms

_Sized = TypeVar("_Sized", DpiTrace, DpiTraceBias, DpiNeuron, DpiNeuronBias)


class Bench(Parameters):
    """A cell with what it needs to be measured. Subclasses are final."""

    name: ClassVar[str]
    properties: ClassVar[Mapping[str, str]]
    """What is measured, with its unit; NaN where the cell does not show it."""

    @abstractmethod
    def scaled(self, factor: float) -> Self:
        """The bench with widths and lengths of all but the switches times `factor`."""

    @abstractmethod
    def deck(self, process: Process) -> Deck:
        """The circuit on this process."""

    @abstractmethod
    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """The knobs of each run that the measures need."""

    @abstractmethod
    def measure(self, waveforms: Sequence[Waveforms], process: Process) -> dict[str, float]:
        """The properties, from the waveforms of the runs in order."""


class MirrorBench(Bench):
    """A current mirror of two nfets: the output's current, at half the supply.

    ```
    i_in --+--[diode]-- gnd      supply/2 --[out]-- gnd
           +------gate-------------------------+
    ```
    """

    name: ClassVar[str] = "mirror"
    properties: ClassVar[Mapping[str, str]] = {"output current": "A"}

    current: float = parameter(1e-9, unit="A", doc="input", gt=0)
    width: float = parameter(1e-6, unit="m", doc="of both transistors", gt=0)
    length: float = parameter(1e-6, unit="m", doc="of both transistors", gt=0)

    def scaled(self, factor: float) -> Self:
        """Both transistors."""
        sizes = {"width": self.width * factor, "length": self.length * factor}
        return self.model_copy(update=sizes)

    def deck(self, process: Process) -> Deck:
        """The mirror, its input current and its load."""
        circuit = Circuit("cut off below")
        size: Size = {"width": self.width, "length": self.length}
        circuit.V("dd", "vdd", "0", raw_spice=f"dc {spice_number(process.supply)}")
        circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        bias_current(circuit, "in", "vdd", "gate", self.current)
        diode(circuit, process.nfet, "in", "gate", "0", **size)
        process.nfet(circuit, "out", "out", "gate", "0", "0", **size)
        return _deck(self.name, circuit, process, {}, ("i(vout)",), OperatingPoint())

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One run."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], process: Process) -> dict[str, float]:
        """The current into the output."""
        return {"output current": -float(waveforms[0]["i(vout)"][0])}


class SynapseBench(Bench):
    """The DPI trace with an output transistor: its answer to a burst of four input events.

    The leak of the first stage is ten times the second's, so that what is left after a few
    milliseconds is the second's decay: `tau = C U_T / (kappa I_tau)`.
    """

    name: ClassVar[str] = "synapse"
    properties: ClassVar[Mapping[str, str]] = {
        "time constant": "s", "peak current": "A", "rest current": "A",
    }  # fmt: skip

    trace: DpiTrace = DpiTrace()
    bias: DpiTraceBias = DpiTraceBias(i_tau_q=400e-12, i_gain_q=400e-12)
    stop: float = parameter(10e-3, unit="s", doc="length of the run", gt=0)
    maximum_step: float = parameter(5e-5, unit="s", doc="bound of the solver's step", gt=0)

    def scaled(self, factor: float) -> Self:
        """Trace and bias lines."""
        return self.model_copy(
            update={"trace": _larger(self.trace, factor), "bias": _larger(self.bias, factor)}
        )

    def deck(self, process: Process) -> Deck:
        """Driver, trace and output transistor: knob `vevent`."""
        circuit = _with_cells([SpikeDriver(), self.trace, self.bias], process)
        circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        circuit.X("driver", "spike_driver", *SpikeDriver.ports)
        circuit.X("trace", "dpi_trace", *self.trace.ports)
        circuit.X("bias", "dpi_trace_bias", *self.bias.ports)
        size: Size = {"width": self.trace.width, "length": self.trace.length}
        process.nfet(circuit, "out", "out", "v_p", "0", "0", **size)
        knobs = {"vevent": Knob("vevent", ("event", "0"), Waveform.constant(0.0))}
        analysis = Transient(self.stop, self.maximum_step)
        return _deck(self.name, circuit, process, knobs, ("i(vout)",), analysis)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Four events, 0.2 ms apart, from 1 ms on."""
        events = 1e-3 + 0.2e-3 * np.arange(4)
        train = pulse_train(events, high=process.supply, width=20e-6, edge=1e-6, stop=self.stop)
        return [{"vevent": train}]

    def measure(self, waveforms: Sequence[Waveforms], process: Process) -> dict[str, float]:
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


class NeuronBench(Bench):
    """The DPI neuron on constant currents: its rate, and the energy of a spike."""

    name: ClassVar[str] = "neuron"
    properties: ClassVar[Mapping[str, str]] = {
        "rate at 0.5 nA": "Hz", "rate at 1 nA": "Hz", "rate at 2 nA": "Hz",
        "energy a spike at 1 nA": "J",
    }  # fmt: skip

    neuron: DpiNeuron = DpiNeuron()
    bias: DpiNeuronBias = DpiNeuronBias()
    stop: float = parameter(20e-3, unit="s", doc="length of each run", gt=0)
    maximum_step: float = parameter(5e-5, unit="s", doc="bound of the solver's step", gt=0)

    def scaled(self, factor: float) -> Self:
        """Neuron and bias lines."""
        return self.model_copy(
            update={"neuron": _larger(self.neuron, factor), "bias": _larger(self.bias, factor)}
        )

    def deck(self, process: Process) -> Deck:
        """The neuron, its bias lines on a supply of their own, and its input `idrive`."""
        circuit = _with_cells([self.neuron, self.bias], process)
        circuit.V("bias", "vdd_bias", "0", raw_spice=f"dc {spice_number(process.supply)}")
        circuit.X("neuron", "dpi_neuron", *self.neuron.ports)
        circuit.X("neuronbias", "dpi_neuron_bias", *self.bias.ports[:-1], "vdd_bias")
        knobs = {"idrive": Knob("idrive", ("vdd", "i_in"), 0.0)}
        return _deck(
            self.name, circuit, process, knobs, ("v(spike)", "i(vdd)"),
            Transient(self.stop, self.maximum_step), {"v_mem": 0.0, "v_ref": 0.0},
        )  # fmt: skip

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Three currents."""
        return [{"idrive": current} for current in (0.5e-9, 1e-9, 2e-9)]

    def measure(self, waveforms: Sequence[Waveforms], process: Process) -> dict[str, float]:
        """Rates from the intervals after the first spike; energy of the neuron's own supply."""
        trains = [spike_times(w.time, w["v(spike)"], process.supply / 2) for w in waveforms]
        rates = [1 / float(np.diff(t).mean()) if t.size > 1 else 0.0 for t in trains]
        energy = supply_energy(waveforms[1], {"i(vdd)": process.supply})
        spikes = trains[1].size
        return {
            "rate at 0.5 nA": rates[0], "rate at 1 nA": rates[1], "rate at 2 nA": rates[2],
            "energy a spike at 1 nA": energy / spikes if spikes else float("nan"),
        }  # fmt: skip


BENCHES: dict[str, Bench] = {
    bench.name: bench for bench in (MirrorBench(), SynapseBench(), NeuronBench())
}


def find_bench(name: str) -> Bench:
    """The bench of a cell.

    Raises:
        UnknownNameError: there is none; the nearest names are offered.
    """
    try:
        return BENCHES[name]
    except KeyError:
        raise UnknownNameError("bench", name, BENCHES) from None


def _larger(cell: _Sized, factor: float) -> _Sized:
    names = ("width", "length", "leak_length")
    return cell.model_copy(update={name: getattr(cell, name) * factor for name in names})


def _with_cells(cells: Sequence[Cell], process: Process) -> Circuit:
    circuit = Circuit("cut off below")
    for cell in cells:
        circuit.subcircuit(cell.subcircuit(process))
    circuit.V("dd", "vdd", "0", raw_spice=f"dc {spice_number(process.supply)}")
    return circuit


def _deck(
    name: str,
    circuit: Circuit,
    process: Process,
    knobs: Mapping[str, Knob],
    probes: tuple[str, ...],
    analysis: OperatingPoint | Transient,
    initial: Mapping[str, float] | None = None,
) -> Deck:
    return Deck(
        f"spicesnn: bench of the {name} on {process.name}, {process.corner}",
        str(circuit).partition("\n")[2], process.models, knobs, probes, analysis,
        initial=initial or {}, plausible_voltage=2 * process.supply,
    )  # fmt: skip
