"""A clocked latch that says which of two voltages is the larger."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, diode, inverter
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size


class SenseAmplifier(Cell):
    """StrongARM latch with an inverter on each output.

    ```
         vdd      vdd          vdd      vdd
          |        |            |        |
     clock-[p]  [p]-latch_b  latch-[p]  [p]-clock
          +--------+            +--------+
       latch_a--|>o-- minus_wins (inverters)   latch_b--|>o-- plus_wins
                [n]-latch_b   latch_a-[n]
                 |              |
     clock-[p]--side_a        side_b--[p]-clock   (to vdd)
                 |              |
          v_plus-[n]         [n]-v_minus
                 +------+-------+
                    clock-[n]
                          |
                     bias-[n]      i_bias --> bias (mirror input)
                         gnd
    ```

    Low clock: both latch nodes high, both outputs low. High clock: the output of the larger input
    goes high, the other stays low. The larger input discharges its side first; for small
    differences the delay is `t_0 + tau ln(1/|V_plus - V_minus|)` with the latch's own tau. The
    tail's current keeps the pair near weak inversion, where its offset is that of the thresholds
    alone. Two currents are compared by the voltages of two equal diodes. Source: Kobayashi et al.
    1993; drawn as in Razavi 2015, "The StrongARM latch"; the tail's current and all sizes are our
    choice.
    """

    subcircuit_name: ClassVar[str] = "sense_amplifier"
    ports: ClassVar[tuple[str, ...]] = (
        "v_plus", "v_minus", "clock", "plus_wins", "minus_wins", "bias", "vdd",
    )  # fmt: skip

    width: float = parameter(4e-6, unit="m", doc="width of the input pair", gt=0)
    length: float = parameter(0.5e-6, unit="m", doc="length of the input pair", gt=0)
    tail: int = parameter(10, unit="1", doc="the tail's current over i_bias", ge=1)
    tail_width: float = parameter(2e-6, unit="m", doc="width of tail and mirror input", gt=0)
    tail_length: float = parameter(1e-6, unit="m", doc="length of tail and mirror input", gt=0)
    latch_width: float = parameter(1e-6, unit="m", doc="width of the latch's transistors", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Tail and its bias, pair, latch of four, four precharge switches, two inverters."""
        n, p = process.nfet, process.pfet
        pair: Size = {"width": self.width, "length": self.length}
        n_latch: Size = {"width": self.latch_width, "length": n.switch_length}
        p_latch: Size = {"width": self.latch_width, "length": p.switch_length}
        n_switch: Size = {"width": n.minimum_width, "length": n.switch_length}
        switch: Size = {"width": p.minimum_width, "length": p.switch_length}
        tail: Size = {"width": self.tail_width, "length": self.tail_length}
        diode(netlist, n, "bias", "bias", "0", **tail)
        n(netlist, "tail", "foot", "bias", "0", "0", multiplier=self.tail, **tail)
        n(netlist, "clock", "pair", "clock", "foot", "0", **n_switch)
        for side, other, gate, output in (
            ("a", "b", "v_plus", "plus"), ("b", "a", "v_minus", "minus"),
        ):  # fmt: skip
            n(netlist, f"in_{side}", f"side_{side}", gate, "pair", "0", **pair)
            mine, across = f"latch_{side}", f"latch_{other}"
            n(netlist, f"n_{side}", mine, across, f"side_{side}", "0", **n_latch)
            p(netlist, f"p_{side}", mine, across, "vdd", "vdd", **p_latch)
            p(netlist, f"reset_{side}", mine, "clock", "vdd", "vdd", **switch)
            p(netlist, f"reset_side_{side}", f"side_{side}", "clock", "vdd", "vdd", **switch)
            inverter(netlist, process, f"out_{side}", mine, f"{output}_wins")
