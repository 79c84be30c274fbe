"""A short event becomes a pulse of a length that a current sets."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, capacitor, diode, inverter
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size


class PulseExtender(Cell):
    """An event empties a capacitor; the pulse lasts until a current has filled it again.

    ```
    vdd ----+---------+-----------+-------------+---------+---------+
        [charge]  [finish]    [pull_up]       [set]    [raise]    [keep]
            |         |           |             |         |         |
            +---------+-- ramp    +---- high ---+         +---------+-- pulse_bar --|>o-- pulse
            |    |         |      |       |               |
        [empty]  C         +-- [sense]    +------------ [low]
            |    |                |                       |
           gnd  gnd              gnd                     gnd

    gates: empty by event; set by event_bar (an inverter of event); finish and keep by pulse;
    charge, pull_up and raise by bias (p mirror input, i_bias out of it)
    ```

    The pulse begins with the event (a high level), and ends a time `C V / I_bias` after the
    event has ended: `V` is the gate voltage at which `sense` carries `I_bias`,
    `V = (U_T/kappa) ln(I_bias/I_0)` in weak inversion. An event within a pulse makes it last on.
    `set` begins the pulse at once; `keep` and `finish` end it by positive feedback. What the slow
    end costs flows through the last inverter.
    Source: charging a capacitor by a current is common; the threshold by a comparison of currents
    and the feedback are our choice.
    """

    subcircuit_name: ClassVar[str] = "pulse_extender"
    ports: ClassVar[tuple[str, ...]] = ("event", "pulse", "pulse_bar", "bias", "vdd")

    capacitance: float = parameter(0.5e-12, unit="F", doc="capacitor of the ramp", gt=0)
    width: float = parameter(1e-6, unit="m", doc="of all but switch and inverters", gt=0)
    length: float = parameter(1e-6, unit="m", doc="of all but switch and inverters", gt=0)
    raising: int = parameter(4, unit="1", doc="current that ends the pulse, over the bias", ge=1)
    c_line: float = parameter(1e-12, unit="F", doc="decoupling of the bias line", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Twelve transistors, one of them the mirror input, and an inverter."""
        n, p = process.nfet, process.pfet
        size: Size = {"width": self.width, "length": self.length}
        short: Size = {"width": n.minimum_width, "length": n.switch_length}
        weak: Size = {"width": p.minimum_width, "length": self.length}
        n(netlist, "empty", "ramp", "event", "0", "0", **short)
        p(netlist, "charge", "ramp", "bias", "vdd", "vdd", **size)
        p(netlist, "finish", "ramp", "pulse", "vdd", "vdd", **weak)
        capacitor(netlist, "ramp", "ramp", "0", self.capacitance)
        n(netlist, "sense", "high", "ramp", "0", "0", **size)
        p(netlist, "pull_up", "high", "bias", "vdd", "vdd", **size)
        # A slow end of event_bar, so that the gate of `set` does not push `high` over the supply.
        n(netlist, "event_n", "event_bar", "event", "0", "0", **short)
        p(netlist, "event_p", "event_bar", "event", "vdd", "vdd", **weak)
        width = p.minimum_width
        p(netlist, "set", "high", "event_bar", "vdd", "vdd", width=width, length=p.switch_length)
        n(netlist, "low", "pulse_bar", "high", "0", "0", **short)
        p(netlist, "raise", "pulse_bar", "bias", "vdd", "vdd", multiplier=self.raising, **size)
        p(netlist, "keep", "pulse_bar", "pulse", "vdd", "vdd", **weak)
        inverter(netlist, process, "out", "pulse_bar", "pulse")
        diode(netlist, p, "bias", "bias", "vdd", **size)
        capacitor(netlist, "bias", "bias", "vdd", self.c_line)
