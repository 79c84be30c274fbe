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
    vdd ----+----------+------------+
        [charge]   [pull_up]        |     gates of both: bias <-- i_bias (p mirror input)
            |          |            |
            +-- ramp   +-- high --|>o-- pulse_bar --|>o-- pulse
            |    |     |
            |    +-[sense]
    event-[empty] C    |
           gnd   gnd  gnd
    ```

    The pulse begins with the event (a high level), and ends a time `C V / I_bias` after the
    event has ended: `V` is the gate voltage at which `sense` carries `I_bias`,
    `V = (U_T/kappa) ln(I_bias/I_0)` in weak inversion. An event within a pulse makes it last on.
    Source: charging a capacitor by a current is common; the threshold by a current comparison,
    which keeps the slow ramp off any inverter's input, is our choice.
    """

    subcircuit_name: ClassVar[str] = "pulse_extender"
    ports: ClassVar[tuple[str, ...]] = ("event", "pulse", "pulse_bar", "bias", "vdd")

    capacitance: float = parameter(0.5e-12, unit="F", doc="capacitor of the ramp", gt=0)
    width: float = parameter(1e-6, unit="m", doc="of all but switch and inverters", gt=0)
    length: float = parameter(1e-6, unit="m", doc="of all but switch and inverters", gt=0)
    c_line: float = parameter(1e-12, unit="F", doc="decoupling of the bias line", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Five transistors and two inverters."""
        n, p = process.nfet, process.pfet
        size: Size = {"width": self.width, "length": self.length}
        short: Size = {"width": n.minimum_width, "length": n.switch_length}
        n(netlist, "empty", "ramp", "event", "0", "0", **short)
        p(netlist, "charge", "ramp", "bias", "vdd", "vdd", **size)
        capacitor(netlist, "ramp", "ramp", "0", self.capacitance)
        n(netlist, "sense", "high", "ramp", "0", "0", **size)
        p(netlist, "pull_up", "high", "bias", "vdd", "vdd", **size)
        inverter(netlist, process, "first", "high", "pulse_bar")
        inverter(netlist, process, "second", "pulse_bar", "pulse")
        diode(netlist, p, "bias", "bias", "vdd", **size)
        capacitor(netlist, "bias", "bias", "vdd", self.c_line)
