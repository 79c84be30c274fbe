"""A leaky integrate-and-fire neuron with a comparator."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, bias_current, capacitor, diode, inverter
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size


class LifNeuron(Cell):
    """Capacitor, constant leak, comparator on a reference, reset with a refractory period.

    ```
                                        vdd
                                         | compare (mirror line)
                                      [tail]           vdd -[pull_up compare]-+- request_bar
                                         |                                    |
    v_mem --+--- C_mem         v_mem -[in]-+-[ref]- threshold     decision -[sense]   |>o spike
     (input)+---[leak leak]             |     |                               |       |>o spike_bar
            +---[reset v_ref]         [diode]-[mirror]- decision             gnd
                                        gnd   gnd
    vdd -[limit compare]-[feedback request_bar]- v_mem
    vdd -[charge spike_bar]-+- v_ref, C_ref -[switch spike_bar]-[discharge refractory]- gnd
    ```

    Law: `1/rate = C_mem V_T/(I_in - I_leak) + C_ref (V_dd - V_release)/I_refractory`, with V_T the
    voltage of the threshold line and V_release the gate voltage at which `reset` carries I_in.
    Without the feedback a slow input could hold the comparator, and half the reset, in the middle.
    Source: the wiring is our choice of standard parts.
    """

    subcircuit_name: ClassVar[str] = "lif_neuron"
    ports: ClassVar[tuple[str, ...]] = (
        "v_mem", "v_ref", "spike", "leak", "threshold", "compare", "refractory", "vdd",
    )  # fmt: skip

    c_mem: float = parameter(0.5e-12, unit="F", doc="membrane capacitor", gt=0)
    c_ref: float = parameter(0.5e-12, unit="F", doc="refractory capacitor", gt=0)
    width: float = parameter(1e-6, unit="m", doc="width of the transistors", gt=0)
    length: float = parameter(1e-6, unit="m", doc="length of the transistors", gt=0)
    leak_length: float = parameter(4e-6, unit="m", doc="length of leak and discharge", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Fourteen transistors and two inverters."""
        n, p = process.nfet, process.pfet
        size: Size = {"width": self.width, "length": self.length}
        leak: Size = {"width": self.width, "length": self.leak_length}
        n_switch: Size = {"width": n.minimum_width, "length": n.switch_length}
        charge: Size = {"width": self.width, "length": p.switch_length}
        capacitor(netlist, "mem", "v_mem", "0", self.c_mem)
        n(netlist, "leak", "v_mem", "leak", "0", "0", **leak)
        p(netlist, "tail", "common", "compare", "vdd", "vdd", **size)
        p(netlist, "in", "other", "v_mem", "common", "vdd", **size)
        p(netlist, "ref", "decision", "threshold", "common", "vdd", **size)
        diode(netlist, n, "load", "other", "0", **size)
        n(netlist, "mirror", "decision", "other", "0", "0", **size)
        n(netlist, "sense", "request_bar", "decision", "0", "0", **n_switch)
        p(netlist, "pull_up", "request_bar", "compare", "vdd", "vdd", **size)
        p(netlist, "limit", "fb", "compare", "vdd", "vdd", **size)
        p(netlist, "feedback", "v_mem", "request_bar", "fb", "vdd", **size)
        inverter(netlist, process, "out", "request_bar", "spike")
        inverter(netlist, process, "bar", "spike", "spike_bar")
        p(netlist, "charge", "v_ref", "spike_bar", "vdd", "vdd", **charge)
        n(netlist, "switch", "v_ref", "spike_bar", "ref_down", "0", **n_switch)
        n(netlist, "discharge", "ref_down", "refractory", "0", "0", **leak)
        capacitor(netlist, "ref", "v_ref", "0", self.c_ref)
        n(netlist, "reset", "v_mem", "v_ref", "0", "0", **size)


class LifNeuronBias(Cell):
    """Mirror inputs for the four lines of any number of `LifNeuron`.

    ```
    i_leak, i_threshold, i_compare, i_refractory --> leak threshold compare refractory
    ```

    The threshold line is a reference voltage, `V_T = U_T/kappa ln(i_threshold/I_0)` of its diode.
    Source: standard mirror inputs; currents and decoupling are our choice.
    """

    subcircuit_name: ClassVar[str] = "lif_neuron_bias"
    ports: ClassVar[tuple[str, ...]] = ("leak", "threshold", "compare", "refractory", "vdd")

    i_leak: float = parameter(20e-12, unit="A", doc="constant leak", gt=0)
    i_threshold: float = parameter(10e-9, unit="A", doc="sets the threshold voltage", gt=0)
    i_compare: float = parameter(20e-9, unit="A", doc="tail current of the comparator", gt=0)
    i_refractory: float = parameter(10e-9, unit="A", doc="discharges C_ref", gt=0)
    width: float = parameter(1e-6, unit="m", doc="as in the neuron", gt=0)
    length: float = parameter(1e-6, unit="m", doc="as in the neuron", gt=0)
    leak_length: float = parameter(4e-6, unit="m", doc="as in the neuron", gt=0)
    c_line: float = parameter(5e-12, unit="F", doc="decoupling of each line", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Four current sources, each into a diode-connected transistor."""
        n, p = process.nfet, process.pfet
        size: Size = {"width": self.width, "length": self.length}
        leak: Size = {"width": self.width, "length": self.leak_length}
        bias_current(netlist, "leak", "vdd", "leak", self.i_leak)
        diode(netlist, n, "leak", "leak", "0", **leak)
        bias_current(netlist, "threshold", "vdd", "threshold", self.i_threshold)
        diode(netlist, n, "threshold", "threshold", "0", **size)
        bias_current(netlist, "compare", "compare", "0", self.i_compare)
        diode(netlist, p, "compare", "compare", "vdd", **size)
        bias_current(netlist, "refractory", "vdd", "refractory", self.i_refractory)
        diode(netlist, n, "refractory", "refractory", "0", **leak)
        for line in self.ports[:-1]:
            capacitor(netlist, line, line, "0", self.c_line)
