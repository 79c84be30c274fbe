"""Current subtractor, in two halves that meet at gates: the place where a column may be cut."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, diode
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size


class SubtractorInput(Cell):
    """Takes the column's two sums and turns each into the gate voltage of an output mirror.

    ```
    sum_plus --[p diode]    (sum_plus is itself the gate of the p output)
    sum_minus --[p mirror]--> gate_minus --[n diode]
    ```

    Law: the currents of both outputs equal the sums, but for the mirrors' output conductance.
    Source: standard current mirrors; that the halves meet at gates only is our choice.
    """

    subcircuit_name: ClassVar[str] = "subtractor_input"
    ports: ClassVar[tuple[str, ...]] = ("sum_plus", "sum_minus", "gate_minus", "vdd")

    width: float = parameter(1e-6, unit="m", doc="width of all transistors", gt=0)
    length: float = parameter(1e-6, unit="m", doc="length of all transistors", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Two p diodes, one p output into an n diode."""
        n, p = process.nfet, process.pfet
        size: Size = {"width": self.width, "length": self.length}
        diode(netlist, p, "in_plus", "sum_plus", "vdd", **size)
        diode(netlist, p, "in_minus", "sum_minus", "vdd", **size)
        p(netlist, "turn", "gate_minus", "sum_minus", "vdd", "vdd", **size)
        diode(netlist, n, "turn_in", "gate_minus", "0", **size)


class SubtractorOutput(Cell):
    """Sources I(plus) into `out` and sinks I(minus) from it; what goes on is max(0, difference).

    ```
    vdd --[p, gate sum_plus]-- out --[n, gate gate_minus]-- gnd
    ```

    Source: standard current mirrors.
    """

    subcircuit_name: ClassVar[str] = "subtractor_output"
    ports: ClassVar[tuple[str, ...]] = ("sum_plus", "gate_minus", "out", "vdd")

    width: float = parameter(1e-6, unit="m", doc="as in the input half", gt=0)
    length: float = parameter(1e-6, unit="m", doc="as in the input half", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """One p source, one n sink."""
        size: Size = {"width": self.width, "length": self.length}
        process.pfet(netlist, "source", "out", "sum_plus", "vdd", "vdd", **size)
        process.nfet(netlist, "sink", "out", "gate_minus", "0", "0", **size)
