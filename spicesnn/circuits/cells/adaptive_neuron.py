"""The DPI adaptive-exponential integrate-and-fire neuron of 21 transistors."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, bias_current, capacitor, diode
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size


class AdaptiveNeuron(Cell):
    """DPI membrane, positive feedback, spike-frequency adaptation, reset with handshake.

    ```
    i_in --+-[ML1 gain]-- gnd        vdd -[MA1]-+-[MA2]-+- request_bar      vdd -[MA5]-[MA6]-+
           |                            diode   |       |  (low: a spike)        |      |    |
           +-[ML2 diode]-+- v_mem --> MA2, MA3  +-------|-- gate of MA5 ---------+  request  |
                         |                              +-[MA3]-[MA4]- gnd            _bar   |
              C_mem, ML3 | leak                                  diode                       |
                         +---<--- feedback current ------------------------------------------+
                         +-[MG6]-- gnd, gate v_p: adaptation
                         +-[MR6]-- gnd, gate v_r: reset

    vdd -[MG1 request_bar]-[MG2 ahp]-+-[MG3 thrahp]- gnd
                                     +-[MG4 diode]-+- v_p     C_p, MG5 leak lkahp
    vdd -[MR1 ack]-[MR2 diode]-[MR3 request_bar]-+- v_r       C_r
                                                 +-[MR4 request_bar]-[MR5 refractory]- gnd
    ```

    With `I_m = I_0 exp(kappa v_mem/U_T)`, `tau = C_mem U_T/(kappa I_leak)`, and `I_g` the current
    of an nfet with the gain line on its gate:
    `tau (1 + I_g/I_m) dI_m/dt = (I_g/I_leak)(I_in - I_sum) - (I_sum/I_leak) I_m`,
    `I_sum = I_leak + I_ahp - I_feedback`. Where `I_m` stays under `I_g` all of the input reaches
    the membrane, and the rate is `(I_in - I_leak - I_ahp)/(C_mem V_spike)` less the refractory
    period `C_r V/I_refractory`. Between spikes I_ahp decays with `C_p U_T/(kappa I_lkahp)`.
    `ack` low answers every request. Source: Livi & Indiveri 2009, Indiveri et al. 2011, Chicca
    et al. 2014; sizes are our choice.
    """

    subcircuit_name: ClassVar[str] = "adaptive_neuron"
    ports: ClassVar[tuple[str, ...]] = (
        "i_in", "v_mem", "v_p", "v_r", "request_bar", "ack",
        "gain", "leak", "ahp", "thrahp", "lkahp", "refractory", "vdd",
    )  # fmt: skip

    c_mem: float = parameter(0.5e-12, unit="F", doc="membrane capacitor", gt=0)
    c_p: float = parameter(0.5e-12, unit="F", doc="adaptation capacitor", gt=0)
    c_r: float = parameter(1e-12, unit="F", doc="refractory capacitor", gt=0)
    width: float = parameter(1e-6, unit="m", doc="width of the transistors", gt=0)
    length: float = parameter(1e-6, unit="m", doc="length of the transistors", gt=0)
    leak_length: float = parameter(4e-6, unit="m", doc="length of ML3, MG5 and MR5", gt=0)
    sense_width: float = parameter(2e-6, unit="m", doc="width of MA3 and MA4", gt=0)
    pull_width: float = parameter(2e-6, unit="m", doc="width of MA1, MA2, MA5, MR1-3", gt=0)
    hold_length: float = parameter(3e-6, unit="m", doc="length of MG1 and MA6", gt=0)
    feedback: int = parameter(4, unit="1", doc="MA5 over MA1", ge=1)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Twenty-one transistors and three capacitors, by their published names."""
        n, p = process.nfet, process.pfet
        size: Size = {"width": self.width, "length": self.length}
        leak: Size = {"width": self.width, "length": self.leak_length}
        sense: Size = {"width": self.sense_width, "length": self.length}
        n_switch: Size = {"width": n.minimum_width, "length": n.switch_length}
        pull: Size = {"width": self.pull_width, "length": p.switch_length}
        hold: Size = {"width": p.minimum_width, "length": self.hold_length}

        p(netlist, "l1", "0", "gain", "i_in", "vdd", **size)
        diode(netlist, p, "l2", "v_mem", "i_in", bulk="vdd", **size)
        n(netlist, "l3", "v_mem", "leak", "0", "0", **leak)
        capacitor(netlist, "mem", "v_mem", "0", self.c_mem)

        p(netlist, "g1", "n2", "request_bar", "vdd", "vdd", **hold)
        p(netlist, "g2", "n3", "ahp", "n2", "vdd", **size)
        p(netlist, "g3", "0", "thrahp", "n3", "vdd", **size)
        diode(netlist, p, "g4", "v_p", "n3", bulk="vdd", **size)
        n(netlist, "g5", "v_p", "lkahp", "0", "0", **leak)
        capacitor(netlist, "p", "v_p", "0", self.c_p)
        n(netlist, "g6", "v_mem", "v_p", "0", "0", **size)

        diode(netlist, p, "a1", "n4", "vdd", **pull)
        p(netlist, "a2", "request_bar", "v_mem", "n4", "vdd", **pull)
        n(netlist, "a3", "request_bar", "v_mem", "n5", "0", **sense)
        diode(netlist, n, "a4", "n5", "0", **sense)
        p(netlist, "a5", "n6", "n4", "vdd", "vdd", multiplier=self.feedback, **pull)
        p(netlist, "a6", "v_mem", "request_bar", "n6", "vdd", **hold)

        p(netlist, "r1", "n7", "ack", "vdd", "vdd", **pull)
        diode(netlist, p, "r2", "n8", "n7", bulk="vdd", **pull)
        p(netlist, "r3", "v_r", "request_bar", "n8", "vdd", **pull)
        n(netlist, "r4", "v_r", "request_bar", "n9", "0", **n_switch)
        n(netlist, "r5", "n9", "refractory", "0", "0", **leak)
        capacitor(netlist, "r", "v_r", "0", self.c_r)
        n(netlist, "r6", "v_mem", "v_r", "0", "0", **size)


class AdaptiveNeuronBias(Cell):
    """Mirror inputs for the six gate lines of any number of `AdaptiveNeuron`.

    ```
    i_gain, i_leak, i_ahp, i_thrahp, i_lkahp, i_refractory
        --> gain leak ahp thrahp lkahp refractory
    ```

    The gain line stands on two diodes like MA3 and MA4, so that it follows the voltage at which
    the neuron fires. Source: standard mirror inputs; currents and decoupling are our choice.
    """

    subcircuit_name: ClassVar[str] = "adaptive_neuron_bias"
    ports: ClassVar[tuple[str, ...]] = (
        "gain", "leak", "ahp", "thrahp", "lkahp", "refractory", "vdd",
    )  # fmt: skip

    i_gain: float = parameter(100e-9, unit="A", doc="sets the gain line", gt=0)
    i_leak: float = parameter(20e-12, unit="A", doc="leak: 0.9 ms at 0.5 pF", gt=0)
    i_ahp: float = parameter(20e-9, unit="A", doc="charges the adaptation in a spike", gt=0)
    i_thrahp: float = parameter(20e-12, unit="A", doc="gain current of the adaptation", gt=0)
    i_lkahp: float = parameter(10e-12, unit="A", doc="leak of the adaptation", gt=0)
    i_refractory: float = parameter(5e-9, unit="A", doc="discharges C_r", gt=0)
    width: float = parameter(1e-6, unit="m", doc="as in the neuron", gt=0)
    length: float = parameter(1e-6, unit="m", doc="as in the neuron", gt=0)
    leak_length: float = parameter(4e-6, unit="m", doc="as in the neuron", gt=0)
    sense_width: float = parameter(2e-6, unit="m", doc="as in the neuron", gt=0)
    c_line: float = parameter(5e-12, unit="F", doc="decoupling of each gate line", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Six current sources, each into diode-connected transistors."""
        n, p = process.nfet, process.pfet
        size: Size = {"width": self.width, "length": self.length}
        leak: Size = {"width": self.width, "length": self.leak_length}
        sense: Size = {"width": self.sense_width, "length": self.length}
        bias_current(netlist, "gain", "vdd", "gain", self.i_gain)
        diode(netlist, n, "gain", "gain", "middle", bulk="0", **sense)
        diode(netlist, n, "middle", "middle", "0", **sense)
        bias_current(netlist, "leak", "vdd", "leak", self.i_leak)
        diode(netlist, n, "leak", "leak", "0", **leak)
        bias_current(netlist, "ahp", "ahp", "0", self.i_ahp)
        diode(netlist, p, "ahp", "ahp", "vdd", **size)
        bias_current(netlist, "thrahp", "vdd", "thrahp", self.i_thrahp)
        diode(netlist, n, "thrahp", "thrahp", "0", **size)
        bias_current(netlist, "lkahp", "vdd", "lkahp", self.i_lkahp)
        diode(netlist, n, "lkahp", "lkahp", "0", **leak)
        bias_current(netlist, "refractory", "vdd", "refractory", self.i_refractory)
        diode(netlist, n, "refractory", "refractory", "0", **leak)
        for line in self.ports[:-1]:
            capacitor(netlist, line, line, "0", self.c_line)
