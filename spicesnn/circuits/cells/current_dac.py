"""A binary-weighted current DAC."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, inverter
from spicesnn.circuits.cells.side import side
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size

BITS = 8
"""Lines of a code; a DAC of fewer bits leaves the upper ones unconnected."""


class CurrentDac(Cell):
    """1, 2, 4, ... equal mirror transistors, each group steered to the output or past it.

    ```
       vdd   out    vdd   out
        +-+ +-+      +-+ +-+
    /b0-[ ] [ ]-b0  /b1-[ ] [ ]-b1     switches; /b from an inverter each
        +-+-+        +-+-+
          |            |
         [x1]         [x2]      ...    gates on the line `unit`
          |            |
         gnd          gnd
    ```

    Law: `I_out = I_unit code`, where a transistor of `width`/`length` on the line `unit` carries
    I_unit (its diode stands outside, since many DACs share a line). Steered past the output, a
    group holds the source of its switch up, so that the switch leaks far less than one whose
    source falls to the rail. `out` sinks current; the complement sources it from `vdd`, and its
    bits are on when low. Source: standard binary-weighted mirror; sizes are our choice.
    """

    subcircuit_name: ClassVar[str] = "current_dac"
    ports: ClassVar[tuple[str, ...]] = ("unit", "out", *(f"b{k}" for k in range(BITS)), "vdd")

    bits: int = parameter(6, unit="1", doc="bits of the code", ge=1, le=BITS)
    width: float = parameter(1e-6, unit="m", doc="width of a unit transistor", gt=0)
    length: float = parameter(8e-6, unit="m", doc="length of a unit transistor", gt=0)
    complement: bool = parameter(False, unit="1", doc="built of p transistors from vdd")

    @property
    def codes(self) -> int:
        """How many codes there are."""
        return int(2**self.bits)

    def build(self, netlist: Netlist, process: Process) -> None:
        """A group of units, two switches and an inverter for each bit."""
        on = side(process, self.complement)
        size: Size = {"width": self.width, "length": self.length}
        switch: Size = {"width": on.n.minimum_width, "length": on.n.switch_length}
        for k in range(self.bits):
            bit, node = f"b{k}", f"d{k}"
            on.n(netlist, f"unit{k}", node, "unit", on.low, on.low, multiplier=2**k, **size)
            on.n(netlist, f"switch{k}", "out", bit, node, on.low, **switch)
            on.n(netlist, f"past{k}", on.high, f"{bit}_bar", node, on.low, **switch)
            inverter(netlist, process, f"bar{k}", bit, f"{bit}_bar")
