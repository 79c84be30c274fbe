"""Gilbert normaliser: the read-out of a differential pair of resistive devices."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cell import Cell, diode
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size


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
