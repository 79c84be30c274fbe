"""Level shifter: core logic to the write supply, on thick oxide."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, inverter
from spicesnn.parameters import parameter
from spicesnn.processes import Mosfet, Process, Size


class LevelShifter(Cell):
    """Two crossed thick pfets that core logic turns over through thick nfets.

    ```
                   vdd_write        vdd_write
                       |                |
                    [p, gate y]      [p, gate x]
                       |                |
                       x                y
                       |                |
                 in-[n, wide]     in_bar-[n, wide]
                       |                |
                      gnd              gnd

      in --|>o-- in_bar (core, vdd)    x --|>o-- out    y --|>o-- out_bar (thick, vdd_write)
    ```

    `out` follows `in`, `out_bar` is its complement, both between ground and `vdd_write`. No
    current flows at rest. It turns over as long as an nfet at the core supply carries more than
    a pfet at the write supply: nfets are wide, pfets are narrow and long. Only the inverter of
    `in` is of core transistors. Source: textbook differential cascode voltage switch; sizes are
    our choice.
    """

    subcircuit_name: ClassVar[str] = "level_shifter"
    ports: ClassVar[tuple[str, ...]] = ("in", "out", "out_bar", "vdd", "vdd_write")

    n_width: float = parameter(4e-6, unit="m", doc="width of the nfets that pull down", gt=0)
    p_width: float = parameter(0.5e-6, unit="m", doc="width of the crossed pfets", gt=0)
    p_length: float = parameter(0.7e-6, unit="m", doc="length of the crossed pfets", gt=0)
    out_width: float = parameter(2e-6, unit="m", doc="width of the output nfets; pfets twice", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """A core inverter, the crossed pair, two thick inverters."""
        n, p = process.thick_pair()
        down: Size = {"width": self.n_width, "length": n.switch_length}
        hold: Size = {"width": self.p_width, "length": self.p_length}
        inverter(netlist, process, "in", "in", "in_bar")
        for node, other, gate, out in (("x", "y", "in", "out"), ("y", "x", "in_bar", "out_bar")):
            n(netlist, f"{node}_n", node, gate, "0", "0", **down)
            p(netlist, f"{node}_p", node, other, "vdd_write", "vdd_write", **hold)
            thick_inverter(netlist, n, p, f"{out}_drive", node, out, width=self.out_width)


def thick_inverter(
    netlist: Netlist, n: Mosfet, p: Mosfet, name: str, gate: str, out: str, *, width: float
) -> None:
    """Add an inverter between `vdd_write` and ground; the pfet is twice as wide."""
    n(netlist, f"{name}_n", out, gate, "0", "0", width=width, length=n.switch_length)
    high = "vdd_write"
    p(netlist, f"{name}_p", out, gate, high, high, width=2 * width, length=p.switch_length)
