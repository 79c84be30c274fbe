"""A DPI leaky integrate-and-fire neuron with a refractory period."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, bias_current, capacitor, diode, inverter
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size


class DpiNeuron(Cell):
    """DPI membrane, current-set threshold, positive feedback, reset with refractory period.

    ```
    i_in --+--[gain]-- gnd            vdd --[threshold]-- request_bar --|>o-- spike
           +--[diode]--+-- v_mem --gate--[n]--+   |                            |
                C_mem, leak            ^          +--[p]-- feedback            |>o spike_bar
                                       |                   into v_mem             |
                                       +--[reset, gate v_ref]---- C_ref ----[charge, leak]
    ```

    Membrane: `tau (1 + I_g/I_m) dI_m/dt + I_m = I_g I_in/I_leak - I_g` with
    `I_m = I_0 exp(kappa v_mem/U_T)`, `tau = C_mem U_T/(kappa I_leak)`; a spike when
    `I_m = i_threshold`. Source: DPI neuron of Livi & Indiveri 2009 and Chicca et al. 2014 without
    adaptation; its two-diode inverter is replaced by one with a mirrored pull-up, so that the
    threshold is a current, as in the published equations (our choice).
    """

    subcircuit_name: ClassVar[str] = "dpi_neuron"
    ports: ClassVar[tuple[str, ...]] = (
        "i_in", "v_mem", "v_ref", "spike", "gain", "leak", "threshold", "refractory", "vdd",
    )  # fmt: skip

    c_mem: float = parameter(1e-12, unit="F", doc="membrane capacitor", gt=0)
    c_ref: float = parameter(0.5e-12, unit="F", doc="refractory capacitor", gt=0)
    width: float = parameter(1e-6, unit="m", doc="width of the transistors", gt=0)
    length: float = parameter(1e-6, unit="m", doc="length of the transistors", gt=0)
    leak_length: float = parameter(2e-6, unit="m", doc="length of the leak mirror", gt=0)
    feedback: int = parameter(8, unit="1", doc="feedback current over threshold current", ge=1)
    reset: int = parameter(8, unit="1", doc="reset charging over threshold current", ge=1)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Thirteen transistors and two inverters."""
        n, p = process.nfet, process.pfet
        size: Size = {"width": self.width, "length": self.length}
        short: Size = {"width": self.width, "length": n.switch_length}
        p(netlist, "gain", "0", "gain", "i_in", "vdd", **size)
        diode(netlist, p, "diode", "v_mem", "i_in", bulk="vdd", **size)
        leak: Size = {"width": self.width, "length": self.leak_length}
        n(netlist, "leak", "v_mem", "leak", "0", "0", **leak)
        capacitor(netlist, "mem", "v_mem", "0", self.c_mem)
        p(netlist, "pull_up", "request_bar", "threshold", "vdd", "vdd", **size)
        n(netlist, "sense", "request_bar", "v_mem", "0", "0", **size)
        feedback, reset = self.feedback, self.reset
        p(netlist, "fb_limit", "fb", "threshold", "vdd", "vdd", multiplier=feedback, **size)
        p(netlist, "fb_switch", "v_mem", "request_bar", "fb", "vdd", **size)
        p(netlist, "ref_limit", "ref_up", "threshold", "vdd", "vdd", multiplier=reset, **size)
        p(netlist, "ref_charge", "v_ref", "spike_bar", "ref_up", "vdd", **short)
        n(netlist, "ref_switch", "v_ref", "spike_bar", "ref_down", "0", **short)
        n(netlist, "ref_leak", "ref_down", "refractory", "0", "0", **size)
        capacitor(netlist, "ref", "v_ref", "0", self.c_ref)
        long: Size = {"width": self.width / 2, "length": 2 * self.length}
        n(netlist, "reset", "v_mem", "v_ref", "0", "0", **long)
        inverter(netlist, process, "out", "request_bar", "spike")
        inverter(netlist, process, "ref", "spike", "spike_bar")


class DpiNeuronBias(Cell):
    """Mirror inputs for the four gate lines of any number of `DpiNeuron`.

    ```
    i_gain, i_leak, i_threshold, i_refractory --> gain leak threshold refractory
    ```

    Source: standard mirror inputs; currents and decoupling are our choice.
    """

    subcircuit_name: ClassVar[str] = "dpi_neuron_bias"
    ports: ClassVar[tuple[str, ...]] = ("gain", "leak", "threshold", "refractory", "vdd")

    i_gain: float = parameter(3e-9, unit="A", doc="gain current I_g", gt=0)
    i_leak: float = parameter(40e-12, unit="A", doc="leak: 0.9 ms at 1 pF", gt=0)
    i_threshold: float = parameter(5e-9, unit="A", doc="I_m at which a spike starts", gt=0)
    i_refractory: float = parameter(0.2e-9, unit="A", doc="discharges C_ref", gt=0)
    width: float = parameter(1e-6, unit="m", doc="as in the neuron", gt=0)
    length: float = parameter(1e-6, unit="m", doc="as in the neuron", gt=0)
    c_line: float = parameter(5e-12, unit="F", doc="decoupling of each gate line", gt=0)
    leak_length: float = parameter(2e-6, unit="m", doc="as in the neuron", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Four current sources, each into a diode-connected transistor."""
        n, p = process.nfet, process.pfet
        size: Size = {"width": self.width, "length": self.length}
        bias_current(netlist, "gain", "vdd", "gain", self.i_gain)
        diode(netlist, n, "gain", "gain", "0", **size)
        bias_current(netlist, "leak", "vdd", "leak", self.i_leak)
        diode(netlist, n, "leak", "leak", "0", width=self.width, length=self.leak_length)
        bias_current(netlist, "threshold", "threshold", "0", self.i_threshold)
        diode(netlist, p, "threshold", "threshold", "vdd", **size)
        bias_current(netlist, "refractory", "vdd", "refractory", self.i_refractory)
        diode(netlist, n, "refractory", "refractory", "0", **size)
        for line in self.ports[:-1]:
            capacitor(netlist, line, line, "0", self.c_line)
