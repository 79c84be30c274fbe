"""Delbruck's bump-antibump circuit: how near two voltages are."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, diode
from spicesnn.circuits.cells.side import side
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size


class Bump(Cell):
    """A tail current shared out between two outer branches and a middle one.

    ```
       antibump  bump   antibump
          |       |        |
          |   v1-[M3]      |
      v1-[M1]     |    [M2]-v2
          |   v2-[M4]      |
          +-------+--------+
                  |
            bias-[tail]          i_bias --> bias (mirror input)
                 gnd
    ```

    Law in weak inversion: `I_bump = I_b / (1 + (4/S) cosh^2(kappa (V1 - V2)/(2 U_T)))` with
    `S = (W/L)_middle / (W/L)_outer`, `I_antibump = I_b - I_bump`. `bump` and `antibump` are
    sinks of current. Source: Delbruck 1991, "Bump circuits for computing similarity and
    dissimilarity of analog voltages"; the middle stack as drawn there.
    """

    subcircuit_name: ClassVar[str] = "bump"
    ports: ClassVar[tuple[str, ...]] = ("v1", "v2", "bump", "antibump", "bias", "vdd")

    width: float = parameter(1e-6, unit="m", doc="width of outer branches and tail", gt=0)
    length: float = parameter(1e-6, unit="m", doc="length of all transistors", gt=0)
    middle: int = parameter(4, unit="1", doc="ratio S of middle to outer W/L", ge=1)
    complement: bool = parameter(False, unit="1", doc="built of p transistors from vdd")

    def build(self, netlist: Netlist, process: Process) -> None:
        """Five transistors and the tail's mirror input."""
        on = side(process, self.complement)
        size: Size = {"width": self.width, "length": self.length}
        low = on.low
        on.n(netlist, "m1", "antibump", "v1", "common", low, **size)
        on.n(netlist, "m2", "antibump", "v2", "common", low, **size)
        on.n(netlist, "m3", "bump", "v1", "middle", low, multiplier=self.middle, **size)
        on.n(netlist, "m4", "middle", "v2", "common", low, multiplier=self.middle, **size)
        on.n(netlist, "tail", "common", "bias", low, low, **size)
        diode(netlist, on.n, "bias", "bias", low, **size)
