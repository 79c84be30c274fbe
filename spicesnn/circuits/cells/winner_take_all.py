"""Lazzaro's winner-take-all: the largest of many currents gets the whole bias current."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, diode
from spicesnn.circuits.cells.side import side
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size


class WinnerTakeAll(Cell):
    """One competitor; any number of them share the line `common` and one `WinnerTakeAllTail`.

    ```
          i_in                   out
           |                      |
         input ------------------[M2]
           |                      |
          [M1]-------gate----- common ----> other competitors, tail
          gnd
    ```

    Law: `common` settles so that M1 carries the largest input, `I_0 exp(kappa V_common/U_T)`;
    the M1 of every smaller input leaves saturation, its node falls and its `out` is cut off.
    `out`, a sink of current, takes the whole tail current of the largest input; inputs within a
    part `U_T/(kappa V_A)` of each other share it (V_A: Early voltage of M1). M1's mismatch adds to
    the inputs: its area decides what difference is decided rightly. `i_in` flows into `input`.
    Source: Lazzaro, Ryckebusch, Mahowald and Mead, NIPS 1988, "Winner-take-all networks of O(N)
    complexity".
    """

    subcircuit_name: ClassVar[str] = "winner_take_all"
    ports: ClassVar[tuple[str, ...]] = ("input", "out", "common", "vdd")

    width: float = parameter(2e-6, unit="m", doc="width of both transistors", gt=0)
    length: float = parameter(2e-6, unit="m", doc="length of both transistors", gt=0)
    complement: bool = parameter(False, unit="1", doc="built of p transistors from vdd")

    def build(self, netlist: Netlist, process: Process) -> None:
        """Two transistors."""
        on = side(process, self.complement)
        size: Size = {"width": self.width, "length": self.length}
        on.n(netlist, "m1", "input", "common", on.low, on.low, **size)
        on.n(netlist, "m2", "out", "input", "common", on.low, **size)


class WinnerTakeAllTail(Cell):
    """The bias current of all competitors.

    ```
    common --[tail]-- gnd        i_bias --> bias (mirror input)
    ```

    Source: standard current mirror.
    """

    subcircuit_name: ClassVar[str] = "winner_take_all_tail"
    ports: ClassVar[tuple[str, ...]] = ("common", "bias", "vdd")

    width: float = parameter(2e-6, unit="m", doc="as of the competitors", gt=0)
    length: float = parameter(2e-6, unit="m", doc="as of the competitors", gt=0)
    complement: bool = parameter(False, unit="1", doc="as of the competitors")

    def build(self, netlist: Netlist, process: Process) -> None:
        """A mirror."""
        on = side(process, self.complement)
        size: Size = {"width": self.width, "length": self.length}
        on.n(netlist, "tail", "common", "bias", on.low, on.low, **size)
        diode(netlist, on.n, "bias", "bias", on.low, **size)
