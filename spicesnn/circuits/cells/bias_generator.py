"""Bias currents over five decades from one reference current."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size

TAPS = 18
"""Octaves of a generator."""


class BiasGenerator(Cell):
    """Current splitter: each tap carries half of the one before.

    ```
                           vdd          vdd                  vdd
                            |            |                    |
                       [p diode x8] [p diode x8]         [p diode x8]
    i_reference             |            |                    |
        |                 tap1         tap2      ...        tap18
    reference               |            |                    |
     (gate line)           [n]          [n]                  [n]     vdd
        |                   |            |                    |       |
     [n diode]             [n]          [n]                  [n]     [n]
        |                   |            |                    |       |
        |                   |            |                    |      [n]
        +--gate--[n]------node1--[n]---node2--[n]-- ... ----node18----+
     [n diode]    |
       gnd       gnd              gates of all [n] above the nodes: reference
    ```

    Law: tap k carries `I_reference / 2^k`, at any level of inversion, since transistors with a
    common gate split current by their sizes alone. The taps are gate lines of p mirrors: a p
    transistor of `mirror_width`/`mirror_length` on a line sources an eighth (`mirror`) of the
    tap's current, so that eight of them source all of it and a `CurrentDac` divides it finely.
    The ladder is of n transistors whose sources are lifted by a diode, so that a current under
    the off current still flows with its gate above ground; the outputs are of p transistors,
    whose off current is the smaller. Source: Bult and Geelen 1992 (splitting); Delbruck and van
    Schaik 2005 (octave splitter as a bias generator); polarity, lifted sources and sizes are our
    choice.
    """

    subcircuit_name: ClassVar[str] = "bias_generator"
    ports: ClassVar[tuple[str, ...]] = (
        "reference", *(f"tap{k}" for k in range(1, TAPS + 1)), "vdd",
    )  # fmt: skip

    width: float = parameter(4e-6, unit="m", doc="width of a transistor of the ladder", gt=0)
    length: float = parameter(4e-6, unit="m", doc="its length", gt=0)
    mirror_width: float = parameter(1e-6, unit="m", doc="width of a tap's p diode", gt=0)
    mirror_length: float = parameter(8e-6, unit="m", doc="length of a tap's p diode", gt=0)
    mirror: int = parameter(8, unit="1", doc="transistors in parallel in a tap's diode", ge=1)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Input mirror of three, the ladder, the diodes of the taps."""
        n, p = process.nfet, process.pfet
        size: Size = {"width": self.width, "length": self.length}
        unit: Size = {"width": self.mirror_width, "length": self.mirror_length}
        # The ladder looks like one transistor from its input: with the same one above the diode
        # both sides of the input mirror stand at one voltage.
        n(netlist, "lift", "reference", "reference", "foot", "0", **size)
        n(netlist, "foot", "foot", "foot", "0", "0", **size)
        n(netlist, "input", "node1", "foot", "0", "0", **size)
        for k in range(1, TAPS + 1):
            line, node, middle = f"tap{k}", f"node{k}", f"middle{k}"
            # Of two in series the upper one alone feels the tap's voltage.
            n(netlist, f"lower{k}", middle, "reference", node, "0", **size)
            n(netlist, f"upper{k}", line, "reference", middle, "0", **size)
            p(netlist, line, line, line, "vdd", "vdd", multiplier=self.mirror, **unit)
            if k < TAPS:
                n(netlist, f"on{k}", f"node{k + 1}", "reference", node, "0", **size)
        n(netlist, "end_lower", "end", "reference", f"node{TAPS}", "0", **size)
        n(netlist, "end_upper", "vdd", "reference", "end", "0", **size)
