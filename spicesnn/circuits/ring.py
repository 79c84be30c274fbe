"""A recurrent network: a ring of neurons, each inhibiting the next."""

from __future__ import annotations

from PySpice.Spice.Netlist import Circuit

from spicesnn.circuits.cells.cell import Cell
from spicesnn.circuits.cells.current_subtractor import SubtractorOutput
from spicesnn.circuits.cells.dpi_neuron import DpiNeuron, DpiNeuronBias
from spicesnn.circuits.cells.dpi_trace import DpiTrace, DpiTraceBias
from spicesnn.circuits.cells.spike_driver import SpikeDriver
from spicesnn.circuits.deck import Deck, Knob, Transient, Waveform
from spicesnn.circuits.network import Edge, Network, Piece
from spicesnn.parameters import Parameters, parameter
from spicesnn.processes import Process
from spicesnn.units import spice_number


class InhibitionRing(Parameters):
    """Neurons with a constant drive; each one's spikes inhibit its neighbour through a DPI trace.

    ```
    spike of unit k-1 --[driver]--[trace]-- v_p --gate--[n sink]--+-- i_in --[neuron]-- spike k
                                             i_drive -------------+
    ```
    """

    units: int = parameter(16, unit="1", doc="neurons", ge=2)
    stop: float = parameter(10e-3, unit="s", doc="length of a run", gt=0)
    maximum_step: float = parameter(1e-4, unit="s", doc="bound of the solver's step", gt=0)
    drive: float = parameter(0.4e-9, unit="A", doc="constant input of a neuron", gt=0)
    trace: DpiTrace = DpiTrace()
    trace_bias: DpiTraceBias = DpiTraceBias()
    neuron: DpiNeuron = DpiNeuron()
    neuron_bias: DpiNeuronBias = DpiNeuronBias()

    def network(self, process: Process) -> Network:
        """One piece a neuron, `unit<k>`, with knob `idrive`; edges run round the ring."""
        deck = self.unit_deck(process)
        names = [f"unit{k}" for k in range(self.units)]
        edges = tuple(
            Edge(names[k - 1], "v(spike)", name, "vevent", threshold=process.supply / 2)
            for k, name in enumerate(names)
        )
        load = SpikeDriver.load(process, "spike")
        return Network({name: Piece(name, deck, load=load) for name in names}, edges)

    def unit_deck(self, process: Process) -> Deck:
        """Driver, trace, sink and neuron: knobs `vevent` and `idrive`."""
        circuit = Circuit("cut off below")
        cells: list[Cell] = [
            SpikeDriver(), self.trace, self.trace_bias, SubtractorOutput(), self.neuron,
            self.neuron_bias,
        ]  # fmt: skip
        for cell in cells:
            circuit.subcircuit(cell.subcircuit(process))
        circuit.V("dd", "vdd", "0", raw_spice=f"dc {spice_number(process.supply)}")
        circuit.X("tracebias", "dpi_trace_bias", *self.trace_bias.ports)
        circuit.X("driver", "spike_driver", *SpikeDriver.ports)
        circuit.X("trace", "dpi_trace", *self.trace.ports)
        # The p half of the subtractor stays off: the drive is a current source.
        circuit.X("sink", "subtractor_output", "vdd", "v_p", "i_in", "vdd")
        circuit.X("neuronbias", "dpi_neuron_bias", *self.neuron_bias.ports[:-1], "vdd")
        circuit.X("neuron", "dpi_neuron", *self.neuron.ports)
        knobs = [
            Knob("vevent", ("event", "0"), Waveform.constant(0.0)),
            Knob("idrive", ("vdd", "i_in"), self.drive),
        ]
        return Deck(
            "spicesnn: neuron with an inhibitory trace", str(circuit).partition("\n")[2],
            process.models, {knob.element: knob for knob in knobs},
            ("v(v_mem)", "v(spike)"), Transient(self.stop, self.maximum_step),
            initial={"v_mem": 0.0, "v_ref": 0.0}, plausible_voltage=2 * process.supply,
        )  # fmt: skip
