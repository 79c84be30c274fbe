"""The main job's network: input traces, differential crossbar columns, spiking outputs.

Each input is a spike driver and a two-stage DPI trace; each output is a column of differential
pairs of resistive devices read by normalisers, a current subtractor and a DPI neuron.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySpice.Spice.Netlist import Circuit

from spicesnn.circuits.cells.cell import Cell, gate_load
from spicesnn.circuits.cells.current_subtractor import SubtractorInput, SubtractorOutput
from spicesnn.circuits.cells.dpi_neuron import DpiNeuron, DpiNeuronBias
from spicesnn.circuits.cells.dpi_trace import DpiTrace, DpiTraceBias
from spicesnn.circuits.cells.normaliser import Normaliser
from spicesnn.circuits.cells.spike_driver import SpikeDriver
from spicesnn.circuits.deck import Array, Deck, Knob, Transient, Value, Waveform, circuit_deck
from spicesnn.circuits.network import Edge, Network, Piece
from spicesnn.circuits.stimuli import pulse_train
from spicesnn.parameters import Parameters, parameter
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number

# Under this gate voltage a tail carries less than 1 % of a trace's usual current.
_TRACE_FLOOR = 0.25


class ClassifierCircuit(Parameters):
    """Sizes, biases and timing of the classifier's circuit."""

    rows: int = parameter(12, unit="1", doc="inputs", ge=1)
    units: int = parameter(3, unit="1", doc="outputs", ge=1)
    stop: float = parameter(10e-3, unit="s", doc="length of a sample", gt=0)
    maximum_step: float = parameter(2e-4, unit="s", doc="bound of the solver's step", gt=0)
    pulse_width: float = parameter(20e-6, unit="s", doc="input pulse", gt=0)
    pulse_edge: float = parameter(1e-6, unit="s", doc="rise and fall of an input pulse", gt=0)
    v_read: float = parameter(1.0, unit="V", doc="read rail of the devices", gt=0)
    v_return: float = parameter(0.25, unit="V", doc="rail under the read diodes", gt=0)
    trace: DpiTrace = DpiTrace()
    trace_bias: DpiTraceBias = DpiTraceBias()
    normaliser: Normaliser = Normaliser()
    neuron: DpiNeuron = DpiNeuron()
    neuron_bias: DpiNeuronBias = DpiNeuronBias()

    def stimulus(self, spike_times: Iterable[float], process: Process) -> Waveform:
        """The input event line of one row for these spike times (seconds)."""
        return pulse_train(
            list(spike_times),
            high=process.supply,
            width=self.pulse_width,
            edge=self.pulse_edge,
            stop=self.stop,
        )

    def network(self, process: Process) -> Network:
        """Traces, columns and neurons as pieces: `trace<j>`, `column<i>`, `neuron<i>`."""
        trace, column, neuron = (
            self.trace_deck(process), self.column_deck(process), self.neuron_deck(process),
        )  # fmt: skip
        output = SubtractorOutput()
        tails = self.normaliser.load(
            process, "v_p", self.units, v_read=self.v_read, v_return=self.v_return
        )
        size: Size = {"width": output.width, "length": output.length}
        sums = "\n".join(
            [
                gate_load(process.pfet, "sum_plus", "vdd", **size),
                gate_load(process.nfet, "gate_minus", "0", **size),
            ]
        )
        pieces = {
            name: Piece(name, trace, cached=True, load=tails)
            for name in (f"trace{j}" for j in range(self.rows))
        }
        edges = []
        for i in range(self.units):
            column_name, neuron_name = f"column{i}", f"neuron{i}"
            pieces[column_name] = Piece(column_name, column, load=sums)
            pieces[neuron_name] = Piece(neuron_name, neuron)
            edges += [
                Edge(f"trace{j}", "v(v_p)", column_name, f"vp{j}", _TRACE_FLOOR)
                for j in range(self.rows)
            ]
            edges += [
                Edge(column_name, "v(sum_plus)", neuron_name, "vsum_plus"),
                Edge(column_name, "v(gate_minus)", neuron_name, "vgate_minus", _TRACE_FLOOR),
            ]
        return Network(pieces, tuple(edges))

    def trace_deck(self, process: Process) -> Deck:
        """One input row: knob `vevent`, probe `v(v_p)`."""
        circuit = self._circuit(process, [SpikeDriver(), self.trace, self.trace_bias])
        circuit.X("bias", "dpi_trace_bias", *self.trace_bias.ports[:-1], "vdd_bias")
        self._add_trace(circuit, "")
        return circuit_deck(
            "spicesnn: spike driver and two-stage DPI trace", circuit, process, self._analysis,
            [Knob("vevent", ("event", "0"), Waveform.constant(0.0))],
            ("v(v_p)", "i(vdd)", "i(vbias)"),
        )  # fmt: skip

    def column_deck(self, process: Process) -> Deck:
        """One crossbar column: knobs `vp<j>`, `rplus<j>`, `rminus<j>`."""
        circuit = self._circuit(process, [self.normaliser, SubtractorInput()])
        self._read_rails(circuit)
        knobs = self._add_column(circuit)
        knobs += [
            Knob(f"vp{j}", (f"v_p{j}", "0"), Waveform.constant(0.0)) for j in range(self.rows)
        ]
        return circuit_deck(
            "spicesnn: differential crossbar column with normalisers", circuit, process,
            self._analysis, knobs,
            ("v(sum_plus)", "v(gate_minus)", "i(vdd)", "i(vread)", "i(vreturn)"),
        )  # fmt: skip

    def neuron_deck(self, process: Process) -> Deck:
        """Subtractor output and neuron: knobs `vsum_plus`, `vgate_minus`."""
        circuit = self._circuit(process, [SubtractorOutput(), self.neuron, self.neuron_bias])
        self._add_neuron(circuit)
        knobs = [
            Knob("vsum_plus", ("sum_plus", "0"), Waveform.constant(process.supply)),
            Knob("vgate_minus", ("gate_minus", "0"), Waveform.constant(0.0)),
        ]
        return circuit_deck(
            "spicesnn: DPI neuron behind a current subtractor", circuit, process,
            self._analysis, knobs,
            ("v(v_mem)", "v(spike)", "i(vdd)", "i(vbias)"), {"v_mem": 0.0, "v_ref": 0.0},
        )  # fmt: skip

    def unit_deck(self, process: Process) -> Deck:
        """One output with all its inputs, uncut: knobs `vevent<j>`, `rplus<j>`, `rminus<j>`."""
        cells: list[Cell] = [
            SpikeDriver(), self.trace, self.trace_bias, self.normaliser, SubtractorInput(),
            SubtractorOutput(), self.neuron, self.neuron_bias,
        ]  # fmt: skip
        circuit = self._circuit(process, cells)
        self._read_rails(circuit)
        circuit.X("tracebias", "dpi_trace_bias", *self.trace_bias.ports[:-1], "vdd_bias")
        for j in range(self.rows):
            self._add_trace(circuit, str(j))
        knobs = self._add_column(circuit)
        self._add_neuron(circuit)
        knobs += [
            Knob(f"vevent{j}", (f"event{j}", "0"), Waveform.constant(0.0)) for j in range(self.rows)
        ]
        return circuit_deck(
            "spicesnn: one output with its column and input traces", circuit, process,
            self._analysis, knobs,
            ("v(v_mem)", "v(spike)", "i(vdd)", "i(vbias)", "i(vread)", "i(vreturn)"),
            {"v_mem": 0.0, "v_ref": 0.0},
        )  # fmt: skip

    def device_knobs(self, conductance: Array, unit: int) -> dict[str, Value]:
        """The device knobs of one column; conductances in siemens, shape (2, rows, units)."""
        knobs: dict[str, Value] = {}
        for j in range(self.rows):
            knobs[f"rplus{j}"] = float(1 / conductance[0, j, unit])
            knobs[f"rminus{j}"] = float(1 / conductance[1, j, unit])
        return knobs

    def unit_knobs(
        self,
        conductance: Array,
        spike_trains: Sequence[Sequence[float]],
        unit: int,
        process: Process,
    ) -> dict[str, Value]:
        """The knobs of `unit_deck` for one output and one sample's spike times (seconds)."""
        events = {
            f"vevent{j}": self.stimulus(train, process) for j, train in enumerate(spike_trains)
        }
        return self.device_knobs(conductance, unit) | events

    @property
    def _analysis(self) -> Transient:
        return Transient(self.stop, self.maximum_step)

    def _circuit(self, process: Process, cells: Iterable[Cell]) -> Circuit:
        circuit = Circuit("cut off by circuit_deck")
        for cell in cells:
            circuit.subcircuit(cell.subcircuit(process))
        # The bias generators have a supply source of their own: a cut network has one of them in
        # each piece, and their energy is to be counted once.
        for name in ("dd", "bias"):
            node = "vdd" if name == "dd" else "vdd_bias"
            circuit.V(name, node, "0", raw_spice=f"dc {spice_number(process.supply)}")
        return circuit

    def _read_rails(self, circuit: Circuit) -> None:
        circuit.V("read", "v_read", "0", raw_spice=f"dc {spice_number(self.v_read)}")
        circuit.V("return", "v_return", "0", raw_spice=f"dc {spice_number(self.v_return)}")

    def _add_trace(self, circuit: Circuit, j: str) -> None:
        circuit.X(f"driver{j}", "spike_driver", f"event{j}", f"pulse{j}", "vdd")
        circuit.X(f"trace{j}", "dpi_trace", f"pulse{j}", f"v_p{j}", *self.trace.ports[2:])

    def _add_column(self, circuit: Circuit) -> list[Knob]:
        knobs = []
        for j in range(self.rows):
            circuit.X(
                f"synapse{j}", "normaliser",
                f"plus{j}", f"minus{j}", f"v_p{j}", "sum_plus", "sum_minus", "v_return",
            )  # fmt: skip
            knobs += [
                Knob(f"rplus{j}", ("v_read", f"plus{j}"), 50e6),
                Knob(f"rminus{j}", ("v_read", f"minus{j}"), 50e6),
            ]
        circuit.X("sub", "subtractor_input", *SubtractorInput.ports)
        return knobs

    def _add_neuron(self, circuit: Circuit) -> None:
        circuit.X("out", "subtractor_output", "sum_plus", "gate_minus", "i_in", "vdd")
        circuit.X("neuronbias", "dpi_neuron_bias", *self.neuron_bias.ports[:-1], "vdd_bias")
        circuit.X("neuron", "dpi_neuron", *self.neuron.ports)
