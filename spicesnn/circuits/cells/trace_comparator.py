"""A trace current made into a logic level: current comparator with hysteresis."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, bias_current, capacitor, inverter
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size


class TraceComparator(Cell):
    """`above` is high while the trace's current I_P exceeds a threshold.

    ```
        vdd           vdd              vdd     vdd
         |             |                |       |
         |    above-[p switch]         [p]     [p]         gates: limit
         |             |                |       |
     [p, parts]    [p, 1 part]          |       |          gates: threshold
         +---- sense --+---------------|>o-----|>o-- slow --|>o-- above --|>o-- below
         |
    v_p-[n]
        gnd
    ```

    Law: `above` rises where `I_P = I_threshold (parts + 1)/parts` and falls where
    `I_P = I_threshold`: the part that is switched off while `above` is high is the hysteresis.
    `v_p` is the output of a `DpiTrace`: an nfet of `width`/`length` on it carries I_P, and a
    gate is all that the trace sees. `sense` moves slowly, so the two inverters behind it get no
    more than the current of `limit`, and `c_feedback` pushes it on once the output has turned:
    without it the edges of the output, which reach `sense` too, may turn it back. Source: current
    comparator of two mirrors; the wiring is our choice.
    """

    subcircuit_name: ClassVar[str] = "trace_comparator"
    ports: ClassVar[tuple[str, ...]] = ("v_p", "threshold", "limit", "above", "below", "vdd")

    width: float = parameter(1e-6, unit="m", doc="width of the input and of a part", gt=0)
    length: float = parameter(1e-6, unit="m", doc="as in the trace", gt=0)
    part_length: float = parameter(2e-6, unit="m", doc="length of the threshold's mirror", gt=0)
    parts: int = parameter(4, unit="1", doc="threshold current over hysteresis", ge=1)
    c_feedback: float = parameter(
        1e-15, unit="F", doc="from `below` to `sense`, as of two wires that cross", gt=0
    )

    def build(self, netlist: Netlist, process: Process) -> None:
        """The two currents that meet at `sense`, two slow inverters and two quick ones."""
        n, p = process.nfet, process.pfet
        part: Size = {"width": self.width, "length": self.part_length}
        short_n: Size = {"width": n.minimum_width, "length": n.switch_length}
        short_p: Size = {"width": p.minimum_width, "length": p.switch_length}
        p(netlist, "hold", "sense", "threshold", "vdd", "vdd", multiplier=self.parts, **part)
        capacitor(netlist, "feedback", "below", "sense", self.c_feedback)
        # The switch above the part, so that its edge does not reach the slow node.
        p(netlist, "switch", "step", "above", "vdd", "vdd", **short_p)
        p(netlist, "step", "sense", "threshold", "step", "vdd", **part)
        n(netlist, "input", "sense", "v_p", "0", "0", width=self.width, length=self.length)
        for stage, gate, out in (("1", "sense", "quiet"), ("2", "quiet", "slow")):
            p(netlist, f"limit_{stage}", f"limit_{stage}", "limit", "vdd", "vdd", **part)
            p(netlist, f"up_{stage}", out, gate, f"limit_{stage}", "vdd", **short_p)
            n(netlist, f"down_{stage}", out, gate, "0", "0", **short_n)
        inverter(netlist, process, "above", "slow", "above")
        inverter(netlist, process, "below", "above", "below")


class TraceComparatorBias(Cell):
    """Mirror inputs for the gate lines of any number of `TraceComparator`.

    ```
    i_threshold, i_limit --> threshold limit
    ```

    The lines are decoupled because the comparators' swings would reach `sense` through them, and
    the outputs would chatter. Source: standard mirror inputs; currents and decoupling are our
    choice.
    """

    subcircuit_name: ClassVar[str] = "trace_comparator_bias"
    ports: ClassVar[tuple[str, ...]] = ("threshold", "limit", "vdd")

    i_threshold: float = parameter(1e-9, unit="A", doc="trace current that is the limit", gt=0)
    i_limit: float = parameter(10e-9, unit="A", doc="largest current of a slow inverter", gt=0)
    width: float = parameter(1e-6, unit="m", doc="as in the comparator", gt=0)
    part_length: float = parameter(2e-6, unit="m", doc="as in the comparator", gt=0)
    parts: int = parameter(4, unit="1", doc="as in the comparator", ge=1)
    c_line: float = parameter(5e-12, unit="F", doc="decoupling of each line", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Two current sources, each into a diode-connected transistor."""
        part: Size = {"width": self.width, "length": self.part_length}
        for line, current, count in (
            ("threshold", self.i_threshold, self.parts), ("limit", self.i_limit, 1),
        ):  # fmt: skip
            bias_current(netlist, line, line, "0", current)
            process.pfet(netlist, line, line, line, "vdd", "vdd", multiplier=count, **part)
            capacitor(netlist, line, line, "vdd", self.c_line)
