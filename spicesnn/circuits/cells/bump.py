"""Delbruck's bump-antibump circuit: how near two voltages are, as a current or as a logic level."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, capacitor, diode, inverter
from spicesnn.circuits.cells.side import side
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size


class Bump(Cell):
    """A tail current shared out between two outer branches and a middle one.

    ```
       antibump       bump         antibump
          |         +---+---+         |
          |     v1-[M3] |  [M5]-v2    |
      v1-[M1]       |   |   |       [M2]-v2
          |     v2-[M4] |  [M6]-v1    |
          +---------+---+---+---------+
                      |
                bias-[tail]          i_bias --> bias (mirror input)
                      |
              enable-[switch]
                     gnd
    ```

    Law in weak inversion: `I_bump = I_b / (1 + (4/S) cosh^2(kappa (V1 - V2)/(2 U_T)))` with
    `S = (W/L)_middle / (W/L)_outer`, `I_antibump = I_b - I_bump`. `bump` and `antibump` are
    sinks of current. The gates must stand high enough for the tail: as from a diode of the same
    size on a rail of 0.2 V at least. In the complement a low `enable` switches it on.

    Source: Delbruck 1991, "Bump circuits for computing similarity and dissimilarity of analog
    voltages". There the middle is one stack; here it is two crossed halves, so that exchanging
    the inputs changes nothing. The switch is ours.
    """

    subcircuit_name: ClassVar[str] = "bump"
    ports: ClassVar[tuple[str, ...]] = ("v1", "v2", "bump", "antibump", "bias", "enable", "vdd")

    width: float = parameter(1e-6, unit="m", doc="width of outer branches and tail", gt=0)
    length: float = parameter(2e-6, unit="m", doc="length of all but the switch", gt=0)
    middle: int = parameter(
        4, unit="1", doc="ratio S of middle to outer W/L, even", ge=2, multiple_of=2
    )
    complement: bool = parameter(False, unit="1", doc="built of p transistors from vdd")

    def build(self, netlist: Netlist, process: Process) -> None:
        """Two outer transistors, two stacks, the tail with its mirror input and its switch."""
        on = side(process, self.complement)
        size: Size = {"width": self.width, "length": self.length}
        n, low, half = on.n, on.low, self.middle // 2
        n(netlist, "m1", "antibump", "v1", "common", low, **size)
        n(netlist, "m2", "antibump", "v2", "common", low, **size)
        n(netlist, "m3", "bump", "v1", "middle_a", low, multiplier=half, **size)
        n(netlist, "m4", "middle_a", "v2", "common", low, multiplier=half, **size)
        n(netlist, "m5", "bump", "v2", "middle_b", low, multiplier=half, **size)
        n(netlist, "m6", "middle_b", "v1", "common", low, multiplier=half, **size)
        n(netlist, "tail", "common", "bias", "foot", low, **size)
        switch: Size = {"width": n.minimum_width, "length": n.switch_length}
        n(netlist, "switch", "foot", "enable", low, low, **switch)
        diode(netlist, n, "bias", "bias", low, **size)


class Box(Cell):
    """The bump as a logic gate: `inside` is high while its current exceeds the threshold's.

    ```
                       vdd            vdd
                        |              |
     v1, v2 --[Bump]--[p diode]--[p output]
               |  |                    |
     enable ---+  +-- antibump       sense --|>o----|>o-- slow --|>o----|>o-- inside
               |                       |      |      |      |
               +--|>o--[n resets]------+------|------|------+
                                       |     [n]    [n]         gates: limit
                                   [n sink]   |      |          gate: threshold
                                      gnd    gnd    gnd
    ```

    `threshold` and `limit` are mirror inputs, as is the bump's `bias`.

    Law in weak inversion, of the window's full width between the differences V1 - V2 where
    `inside` turns: `4 (U_T/kappa) arccosh(sqrt((S/4) (I_b/I_threshold - 1)))`; with
    `I_threshold` over `I_b S/(S + 4)` there is no window. A low `enable` stops the tail and holds
    `inside` low. `sense` moves slowly, so the two inverters behind it get no more than
    `drive` times the current of `limit`, whose line is not the threshold's: their swing would reach
    `sense` through it, and the output would chatter. In the complement all logic levels are
    exchanged. Source: the bump is Delbruck's; comparison, enable and wiring are our choice.
    """

    subcircuit_name: ClassVar[str] = "box"
    ports: ClassVar[tuple[str, ...]] = (
        "v1", "v2", "inside", "antibump", "bias", "threshold", "limit", "enable", "vdd",
    )  # fmt: skip

    bump: Bump = Bump(middle=8)
    width: float = parameter(1e-6, unit="m", doc="width of the comparison's mirrors", gt=0)
    length: float = parameter(5e-6, unit="m", doc="length of the comparison's mirrors", gt=0)
    drive: int = parameter(4, unit="1", doc="each slow inverter's current over limit's", ge=1)
    c_line: float = parameter(1e-12, unit="F", doc="decoupling of the threshold's line", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """The bump, two mirrors that meet at `sense`, and the logic."""
        self.bump.build(netlist, process)
        on = side(process, self.bump.complement)
        n, p, low, high = on.n, on.p, on.low, on.high
        size: Size = {"width": self.width, "length": self.length}
        diode(netlist, p, "copy", "bump", high, **size)
        p(netlist, "source", "sense", "bump", high, high, **size)
        # A wide one on the same gate above each keeps the drains of the mirror equal.
        wide: Size = {"width": self.width, "length": self.length / 4}
        for name, drain in (("threshold", "threshold"), ("sink", "sense")):
            n(netlist, f"{name}_wide", drain, "threshold", name + "_low", low, **wide)
            n(netlist, name, name + "_low", "threshold", low, low, **size)
        diode(netlist, n, "limit", "limit", low, **size)
        capacitor(netlist, "threshold", "threshold", low, self.c_line)
        short_n: Size = {"width": n.minimum_width, "length": n.switch_length}
        short_p: Size = {"width": p.minimum_width, "length": p.switch_length}
        for k, gate, out in ((1, "sense", "quiet"), (2, "quiet", "slow")):
            limit = f"limit_{k}"
            n(netlist, limit, limit, "limit", low, low, multiplier=self.drive, **size)
            p(netlist, f"up_{k}", out, gate, high, high, **short_p)
            n(netlist, f"down_{k}", out, gate, limit, low, **short_n)
        for node in ("sense", "slow"):
            n(netlist, f"reset_{node}", node, "enable_bar", low, low, **short_n)
        inverter(netlist, process, "off", "enable", "enable_bar")
        inverter(netlist, process, "outside", "slow", "outside")
        inverter(netlist, process, "inside", "outside", "inside")
