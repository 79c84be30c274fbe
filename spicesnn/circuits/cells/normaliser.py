"""Gilbert normaliser: the read-out of a differential pair of resistive devices."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Circuit, Netlist

from spicesnn.circuits.cells.cell import Cell, diode
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number


class Normaliser(Cell):
    """One synapse: the weight is a ratio of conductances, its tail current the input's P trace.

    ```
    v_read --G+-- plus      minus --G-- v_read        sum_plus   sum_minus
                   |          |                           |          |
                 diode      diode                  gate plus        gate minus
                   |          |                           +----+-----+
                  v_return (rail)                              | tail, gate v_p (I_P)
                                                              gnd
    ```

    Law: `I(sum_plus) = I_P I+/(I+ + I-)`, `I(sum_minus) = I_P I-/(I+ + I-)`, so the pair stands for
    `w = (G+ - G-)/(G+ + G-)` whatever the devices' absolute scale. The diodes stand on the rail
    `v_return` so that the tail keeps its headroom. Source: the normaliser family of Nair, Muller
    and Indiveri, arXiv 1709.05484; the wiring is ours.
    """

    subcircuit_name: ClassVar[str] = "normaliser"
    ports: ClassVar[tuple[str, ...]] = (
        "plus", "minus", "v_p", "sum_plus", "sum_minus", "v_return",
    )  # fmt: skip

    width: float = parameter(1e-6, unit="m", doc="width of all transistors", gt=0)
    length: float = parameter(1e-6, unit="m", doc="length of all transistors", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Two read diodes, the pair and its tail."""
        n = process.nfet
        size: Size = {"width": self.width, "length": self.length}
        diode(netlist, n, "read_plus", "plus", "v_return", bulk="0", **size)
        diode(netlist, n, "read_minus", "minus", "v_return", bulk="0", **size)
        n(netlist, "pair_plus", "sum_plus", "plus", "pair", "0", **size)
        n(netlist, "pair_minus", "sum_minus", "minus", "pair", "0", **size)
        n(netlist, "tail", "pair", "v_p", "0", "0", **size)

    def load(
        self,
        process: Process,
        node: str,
        count: int,
        *,
        v_read: float,
        v_return: float,
        resistance: float = 50e6,
    ) -> str:
        """SPICE text of what `count` normalisers put on the node of their `v_p`.

        A replica of the tail and its pair: the node between them falls as the tail's current
        rises, and the tail's overlap capacitance takes more charge than its gate alone.

        Args:
            process: of the transistors.
            node: the trace's output.
            count: normalisers on it.
            v_read: rail of the devices, volts.
            v_return: rail under the read diodes, volts.
            resistance: of a device, ohms; it moves the pair's gates by its logarithm only.
        """
        circuit, n = Circuit("cut off below"), process.nfet
        size: Size = {"width": self.width, "length": self.length}
        # Sources of their own: what the replica takes is none of the trace's energy.
        supply = {"read": v_read, "return": v_return, "vdd": process.supply}
        for name, level in supply.items():
            circuit.V(f"load_{name}", f"load_{name}", "0", raw_spice=f"dc {spice_number(level)}")
        circuit.R("load", "load_read", "load_gate", raw_spice=spice_number(resistance))
        diode(circuit, n, "load_diode", "load_gate", "load_return", bulk="0", **size)
        n(
            circuit,
            "load_pair",
            "load_vdd",
            "load_gate",
            "load_pair",
            "0",
            multiplier=2 * count,
            **size,
        )
        n(circuit, "load_tail", "load_pair", node, "0", "0", multiplier=count, **size)
        return str(circuit).partition("\n")[2].strip()
