"""A layer on one shared crossbar with wires: row drivers, array, clamped columns, neurons.

```
event --[row driver]-- row ===[ passive array ]=== column --[clamp]-- copy of its current --[neuron]
```

A row rests at the reference, where the columns are held; an event pulls it a read voltage below.
The array is a piece of its own, which the engine answers by its port admittances.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from PySpice.Spice.Netlist import Circuit

from spicesnn.arrays.crossbar import Array, Crossbar, Wires
from spicesnn.circuits.cells.cell import bias_current, capacitor, inverter
from spicesnn.circuits.cells.column_clamp import ColumnClamp
from spicesnn.circuits.cells.dpi_neuron import DpiNeuron, DpiNeuronBias
from spicesnn.circuits.crossbar.deck import crossbar_deck
from spicesnn.circuits.deck import Deck, Knob, Transient, Waveform, circuit_deck
from spicesnn.circuits.network import Edge, Network, Piece
from spicesnn.circuits.stimuli import pulse_train
from spicesnn.errors import DataError
from spicesnn.parameters import Parameters, parameter
from spicesnn.processes import Process
from spicesnn.units import spice_number


class WiredLayer(Parameters):
    """Sizes, biases and timing of the layer.

    The capacitance of the lines is lumped at their ports, on both sides of the cut.
    """

    stop: float = parameter(10e-3, unit="s", doc="length of a sample", gt=0)
    maximum_step: float = parameter(1e-4, unit="s", doc="bound of the solver's step", gt=0)
    pulse_width: float = parameter(20e-6, unit="s", doc="input pulse", gt=0)
    pulse_edge: float = parameter(1e-6, unit="s", doc="rise and fall of an input pulse", gt=0)
    v_reference: float = parameter(0.25, unit="V", doc="rows at rest, and columns", gt=0)
    v_read: float = parameter(0.1, unit="V", doc="of an active row, below the reference", gt=0)
    c_row: float = parameter(50e-15, unit="F", doc="of a row's line", gt=0)
    c_column: float = parameter(240e-15, unit="F", doc="of a column's line", gt=0)
    switch_width: float = parameter(2e-6, unit="m", doc="of a row's two switches", gt=0)
    i_clamp: float = parameter(50e-9, unit="A", doc="tail current of a clamp's amplifier", gt=0)
    wires: Wires = Wires(r_row=2.0, r_column=2.0)
    clamp: ColumnClamp = ColumnClamp()
    neuron: DpiNeuron = DpiNeuron()
    neuron_bias: DpiNeuronBias = DpiNeuronBias()

    def stimulus(self, spike_times: Iterable[float], process: Process) -> Waveform:
        """The input event line of one row for these spike times (seconds)."""
        return pulse_train(
            list(spike_times), high=process.supply, width=self.pulse_width, edge=self.pulse_edge,
            stop=self.stop,
        )  # fmt: skip

    def network(self, process: Process, conductance: Array) -> Network:
        """Pieces `row<i>` (knob `vevent`), `array` (cells `r<i>_<j>`) and `unit<j>`.

        Args:
            process: of the transistors.
            conductance: of the cells, siemens, shape (rows, units).

        Raises:
            DataError: the wires have capacitance of their own.
        """
        if self.wires.c_row or self.wires.c_column:
            raise DataError(
                "the layer's array is resistive: set c_row and c_column of the layer, not of its "
                "wires."
            )
        crossbar = Crossbar(conductance, self.wires)
        row, unit = self.row_deck(process), self.unit_deck(process)
        array = self.array_deck(process, crossbar)
        held = frozenset(f"vbottom{j}" for j in range(crossbar.columns))
        pieces = {"array": Piece("array", array, neighbours=held, array=crossbar)}
        port = frozenset(["rport"])
        pieces |= {
            name: Piece(name, row, neighbours=port)
            for name in (f"row{i}" for i in range(crossbar.rows))
        }
        pieces |= {
            name: Piece(name, unit, neighbours=port)
            for name in (f"unit{j}" for j in range(crossbar.columns))
        }
        edges = [
            Edge(f"row{i}", "v(row)", "array", f"vleft{i}", port="rport")
            for i in range(crossbar.rows)
        ]
        edges += [
            Edge("array", f"i(vbottom{j})", f"unit{j}", "icolumn", port="rport")
            for j in range(crossbar.columns)
        ]
        return Network(pieces, tuple(edges))

    def row_deck(self, process: Process) -> Deck:
        """One row's driver: knobs `vevent` and `rport`, probe `v(row)`."""
        circuit = self._circuit(process)
        circuit.V("low", "low", "0", raw_spice=f"dc {spice_number(self.v_reference - self.v_read)}")
        inverter(circuit, process, "first", "event", "rest")
        inverter(circuit, process, "second", "rest", "read")
        n = process.nfet
        for name, gate, rail in (("rest", "rest", "reference"), ("read", "read", "low")):
            n(circuit, name, "row", gate, rail, "0", width=self.switch_width,
              length=n.switch_length)  # fmt: skip
        capacitor(circuit, "row", "row", "0", self.c_row)
        return circuit_deck(
            "spicesnn: driver of a crossbar's row", circuit, process, self._analysis,
            [Knob("vevent", ("event", "0"), Waveform.constant(0.0)),
             Knob("rport", ("row", "reference"), 1e9)],
            ("v(row)", "i(vdd)", "i(vreference)", "i(vlow)"),
        )  # fmt: skip

    def array_deck(self, process: Process, crossbar: Crossbar) -> Deck:
        """The array: knobs `vleft<i>`, `vbottom<j>` (columns held) and cells `r<i>_<j>`."""
        cells = [(i, j) for i in range(crossbar.rows) for j in range(crossbar.columns)]
        deck = crossbar_deck(crossbar, cell_knobs=cells)
        held = {
            name: replace(knob, default=self.v_reference)
            for name, knob in deck.knobs.items()
            if not name.startswith("r")
        }
        return replace(
            deck, title="spicesnn: passive array of a layer", models=process.models,
            knobs={**deck.knobs, **held}, analysis=self._analysis,
            probes=tuple(f"i(vbottom{j})" for j in range(crossbar.columns)),
            plausible_voltage=2 * process.supply,
        )  # fmt: skip

    def unit_deck(self, process: Process) -> Deck:
        """One column's clamp and neuron: knobs `icolumn` (out of the array) and `rport`."""
        circuit = self._circuit(process)
        for cell in (self.clamp, self.neuron, self.neuron_bias):
            circuit.subcircuit(cell.subcircuit(process))
        bias_current(circuit, "clamp", "clamp_bias", "0", self.i_clamp)
        circuit.X("clamp", "column_clamp", "column", "reference", "i_in", "clamp_bias", "vdd")
        circuit.X("neuronbias", "dpi_neuron_bias", *self.neuron_bias.ports)
        circuit.X("neuron", "dpi_neuron", *self.neuron.ports)
        capacitor(circuit, "column", "column", "0", self.c_column)
        return circuit_deck(
            "spicesnn: clamp and neuron of a crossbar's column", circuit, process, self._analysis,
            [Knob("icolumn", ("0", "column"), Waveform.constant(0.0)),
             Knob("rport", ("column", "reference"), 1e9)],
            ("v(column)", "v(v_mem)", "v(spike)", "i(vdd)", "i(vreference)"),
            {"v_mem": 0.0, "v_ref": 0.0},
        )  # fmt: skip

    @property
    def _analysis(self) -> Transient:
        return Transient(self.stop, self.maximum_step)

    def _circuit(self, process: Process) -> Circuit:
        circuit = Circuit("cut off by circuit_deck")
        circuit.V("dd", "vdd", "0", raw_spice=f"dc {spice_number(process.supply)}")
        circuit.V("reference", "reference", "0", raw_spice=f"dc {spice_number(self.v_reference)}")
        return circuit
