"""A crossbar column held at the read reference, and a copy of its current."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, capacitor, diode
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size


class ColumnClamp(Cell):
    """Current conveyor: an amplifier of five transistors drives a regulated cascode.

    ```
              vdd                 vdd
               |                   |
        +--[p diode]--+--gate--[p copy]
        |             |            |
        |             |           out --> (source of current)
        |   amplifier |
        |  reference-(+)      bias --> i_bias (p mirror input of the tail)
        |   column---(-)--+-- drive
        |                 |   |
        +--[n follower]---|---+ gate
              |           = c_lead
            column -------+--> current into the array, rows below the reference
    ```

    Law: `V_column = V_reference` and `I_out = I_column`. The column must draw its current: rows
    that are read lie below the reference, rows that rest lie on it. The amplifier's pair is of p
    transistors, since the reference is near ground and the follower's gate above it. `c_lead`
    couples the follower's gate to the column: with a quarter of the column's capacitance the
    loop's phase margin is over 50 degrees at any current, since the pole of the column is then
    never more than a factor of four below the zero. Source: regulated cascode of Sackinger and
    Guggenbuhl 1990; amplifier, compensation and sizes are our choice.
    """

    subcircuit_name: ClassVar[str] = "column_clamp"
    ports: ClassVar[tuple[str, ...]] = ("column", "reference", "out", "bias", "vdd")

    width: float = parameter(2e-6, unit="m", doc="width of a transistor of the amplifier", gt=0)
    length: float = parameter(2e-6, unit="m", doc="length of all transistors", gt=0)
    follower: int = parameter(4, unit="1", doc="transistors in parallel in the follower", ge=1)
    mirror: int = parameter(4, unit="1", doc="transistors in parallel on each mirror side", ge=1)
    c_lead: float = parameter(60e-15, unit="F", doc="from the follower's gate to the column", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Amplifier of five and its bias, follower, mirror of two."""
        n, p = process.nfet, process.pfet
        size: Size = {"width": self.width, "length": self.length}
        diode(netlist, p, "bias", "bias", "vdd", **size)
        p(netlist, "tail", "pair", "bias", "vdd", "vdd", **size)
        p(netlist, "minus", "sum", "reference", "pair", "vdd", **size)
        p(netlist, "plus", "drive", "column", "pair", "vdd", **size)
        diode(netlist, n, "load", "sum", "0", **size)
        n(netlist, "load_out", "drive", "sum", "0", "0", **size)
        n(netlist, "follower", "copy", "drive", "column", "0", multiplier=self.follower, **size)
        p(netlist, "copy_in", "copy", "copy", "vdd", "vdd", multiplier=self.mirror, **size)
        p(netlist, "copy_out", "out", "copy", "vdd", "vdd", multiplier=self.mirror, **size)
        capacitor(netlist, "lead", "drive", "column", self.c_lead)
