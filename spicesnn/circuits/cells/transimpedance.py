"""Current to voltage: a two-stage amplifier with a resistor around it."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, capacitor, diode
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number


class Transimpedance(Cell):
    """An amplifier of five transistors and an output stage; the input's current runs through R_f.

    ```
              +------[ r_feedback ]------+
              +------[ c_feedback ]------+
              |                          |
       i_in --+--(-)                     |
                    pair --[p output]----+-- out
        reference-(+)      |  c_miller   |
                           +-----||------+
                                      [n sink]
       i_bias --> bias (mirror input of tail and sink)
    ```

    Law: `V_out = V_reference - R_f I_in`, bandwidth `1/(2 pi R_f C_f)`, input noise at least
    `4 k T / R_f`. The output stage carries the input's current, so the sink (`output` times
    i_bias) bounds it. An amplifier of five alone would miss the law by `1/(g_m R_f)`. The
    resistor is ideal. Source: standard two-stage amplifier; sizes are our choice.
    """

    subcircuit_name: ClassVar[str] = "transimpedance"
    ports: ClassVar[tuple[str, ...]] = ("i_in", "reference", "out", "bias", "vdd")

    r_feedback: float = parameter(5e6, unit="ohm", doc="feedback resistor R_f", gt=0)
    c_feedback: float = parameter(200e-15, unit="F", doc="across R_f", gt=0)
    c_miller: float = parameter(50e-15, unit="F", doc="around the output stage", gt=0)
    pair_width: float = parameter(4e-6, unit="m", doc="width of the input pair", gt=0)
    width: float = parameter(2e-6, unit="m", doc="width of another transistor", gt=0)
    length: float = parameter(1e-6, unit="m", doc="length of all transistors", gt=0)
    output: int = parameter(4, unit="1", doc="sink's current over i_bias", ge=1)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Pair, load, tail and its bias; output transistor and sink."""
        n, p = process.nfet, process.pfet
        size: Size = {"width": self.width, "length": self.length}
        diode(netlist, n, "bias", "bias", "0", **size)
        n(netlist, "tail", "pair", "bias", "0", "0", **size)
        # The second stage inverts once more: the input's side is the diode's.
        pair: Size = {"width": self.pair_width, "length": self.length}
        n(netlist, "minus", "sum", "i_in", "pair", "0", **pair)
        n(netlist, "plus", "first", "reference", "pair", "0", **pair)
        diode(netlist, p, "load", "sum", "vdd", **size)
        p(netlist, "load_out", "first", "sum", "vdd", "vdd", **size)
        # Twice as many: at rest each load carries half of the tail.
        p(netlist, "output", "out", "first", "vdd", "vdd", multiplier=2 * self.output, **size)
        n(netlist, "sink", "out", "bias", "0", "0", multiplier=self.output, **size)
        capacitor(netlist, "miller", "first", "out", self.c_miller)
        capacitor(netlist, "feedback", "out", "i_in", self.c_feedback)
        netlist.R("feedback", "out", "i_in", raw_spice=spice_number(self.r_feedback))
