"""Mead's axon-hillock: the smallest spiking neuron."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, bias_current, capacitor, diode, inverter
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size


class AxonHillock(Cell):
    """Two inverters with capacitive feedback, and a reset current while the output is high.

    ```
                 +----------- C_fb -----------+
                 |                            |
    v_mem -------+--|first>o-- middle --|>o---+--- spike
     (input)     |                            |
               C_mem   [switch, gate spike]---+
                       [pull, gate reset]
                              gnd                 i_reset --> reset (mirror input)
    ```

    Law: a spike lifts the membrane by `V_dd C_fb/(C_mem + C_fb)`; it lasts
    `C_fb V_dd/(I_reset - I_in)`, the pause after it `C_fb V_dd/I_in`, so the rate is
    `I_in (I_reset - I_in)/(C_fb V_dd I_reset)`. The input crosses the first inverter's threshold
    slowly, while both its transistors conduct: `first_length` limits what that costs.
    Source: Mead 1989, "Analog VLSI and Neural Systems"; sizes are our choice.
    """

    subcircuit_name: ClassVar[str] = "axon_hillock"
    ports: ClassVar[tuple[str, ...]] = ("v_mem", "spike", "reset", "vdd")

    c_mem: float = parameter(1e-12, unit="F", doc="membrane capacitor", gt=0)
    c_fb: float = parameter(0.5e-12, unit="F", doc="feedback capacitor", gt=0)
    width: float = parameter(1e-6, unit="m", doc="width of the pull", gt=0)
    length: float = parameter(2e-6, unit="m", doc="length of the pull", gt=0)
    first_width: float = parameter(0.5e-6, unit="m", doc="width of the first inverter", gt=0)
    first_length: float = parameter(10e-6, unit="m", doc="length of the first inverter", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Six transistors and two capacitors."""
        n, p = process.nfet, process.pfet
        first: Size = {"width": self.first_width, "length": self.first_length}
        n(netlist, "first_n", "middle", "v_mem", "0", "0", **first)
        p(netlist, "first_p", "middle", "v_mem", "vdd", "vdd", **first)
        inverter(netlist, process, "out", "middle", "spike")
        capacitor(netlist, "mem", "v_mem", "0", self.c_mem)
        capacitor(netlist, "fb", "spike", "v_mem", self.c_fb)
        switch: Size = {"width": n.minimum_width, "length": n.switch_length}
        n(netlist, "switch", "v_mem", "spike", "down", "0", **switch)
        n(netlist, "pull", "down", "reset", "0", "0", width=self.width, length=self.length)


class AxonHillockBias(Cell):
    """Mirror input for the reset line of any number of `AxonHillock`.

    ```
    i_reset --> reset
    ```

    Source: standard mirror input; current and decoupling are our choice.
    """

    subcircuit_name: ClassVar[str] = "axon_hillock_bias"
    ports: ClassVar[tuple[str, ...]] = ("reset", "vdd")

    i_reset: float = parameter(10e-9, unit="A", doc="discharges the membrane in a spike", gt=0)
    width: float = parameter(1e-6, unit="m", doc="as in the neuron", gt=0)
    length: float = parameter(2e-6, unit="m", doc="as in the neuron", gt=0)
    c_line: float = parameter(5e-12, unit="F", doc="decoupling of the line", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """A current source into a diode-connected transistor."""
        bias_current(netlist, "reset", "vdd", "reset", self.i_reset)
        size: Size = {"width": self.width, "length": self.length}
        diode(netlist, process.nfet, "reset", "reset", "0", **size)
        capacitor(netlist, "reset", "reset", "0", self.c_line)
