"""The DPI synapse: plain, with short-term depression, with an NMDA gate, with a reversal."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, capacitor, diode
from spicesnn.circuits.cells.side import Side, side
from spicesnn.parameters import parameter
from spicesnn.processes import Mosfet, Process, Size

_FULL = "the full synapse of Bartolozzi & Indiveri 2007 and Chicca et al. 2014; value ours"


class DpiCore(Cell):
    """What every DPI synapse is built around: D1 to D6, C_syn and three mirror inputs."""

    c_syn: float = parameter(2e-12, unit="F", doc="synaptic capacitor", gt=0, source=_FULL)
    width: float = parameter(1e-6, unit="m", doc="width of all but the output", gt=0)
    length: float = parameter(2e-6, unit="m", doc="length of all but pair and leak", gt=0)
    pair_length: float = parameter(8e-6, unit="m", doc="length of D1 and D4", gt=0)
    leak_length: float = parameter(5e-6, unit="m", doc="length of the leak's mirror", gt=0)
    output_width: float = parameter(4e-6, unit="m", doc="width of D6 and its gain mirror", gt=0)
    c_line: float = parameter(1e-12, unit="F", doc="decoupling of each bias line", gt=0)
    deep_well: bool = parameter(
        True, unit="1", doc="an n pair sits in a p well of its own, tied to its source"
    )
    complement: bool = parameter(False, unit="1", doc="sinks the output; a pulse is low")

    @property
    def size(self) -> Size:
        """Of weight and bias transistors."""
        return {"width": self.width, "length": self.length}

    @property
    def output_size(self) -> Size:
        """Of D6 and of what carries its current."""
        return {"width": self.output_width, "length": self.length}

    @property
    def square(self) -> Size:
        """Of a bias transistor that stands for a membrane's."""
        return {"width": self.width, "length": self.width}

    def core(self, netlist: Netlist, on: Side, weight: str, out: str) -> None:
        """The synapse from `pulse` to the drain of D6, with its mirror inputs.

        Args:
            netlist: of the cell.
            on: which way up.
            weight: node of D2's gate.
            out: node of D6's drain.
        """
        pair: Size = {"width": self.width, "length": self.pair_length}
        leak: Size = {"width": self.width, "length": self.leak_length}
        well = "y" if self.deep_well and not self.complement else on.low
        on.n(netlist, "d3", "x", "pulse", on.low, on.low, **switch(on))
        on.n(netlist, "d2", "y", weight, "x", on.low, **self.size)
        on.n(netlist, "d1", on.high, "gain", "y", well, **pair)
        diode(netlist, on.n, "d4", "v_syn", "y", bulk=well, **pair)
        on.p(netlist, "d5", "v_syn", "tau", on.high, on.high, **leak)
        capacitor(netlist, "syn", on.high, "v_syn", self.c_syn)
        on.p(netlist, "d6", out, "v_syn", on.high, on.high, **self.output_size)
        self.line(netlist, on.n, "weight", on.low, self.size)
        self.line(netlist, on.p, "gain", on.high, self.output_size)
        self.line(netlist, on.p, "tau", on.high, leak)

    def line(self, netlist: Netlist, device: Mosfet, name: str, rail: str, size: Size) -> None:
        """A mirror input at the port `name`, and what holds it while pulses couple into it."""
        diode(netlist, device, name, name, rail, **size)
        capacitor(netlist, name, name, rail, self.c_line)


def switch(on: Side) -> Size:
    """Of the switches that a pulse closes."""
    return {"width": on.n.minimum_width, "length": on.n.switch_length}


class DpiSynapse(DpiCore):
    """A differential-pair integrator: pulses of a weight current become a decaying current.

    ```
    vdd --+-----------+--------------+--------------+
          |    tau-[D5]          C_syn           [D6]-- gate v_syn
          |           |              |              |
          |           +---- v_syn ---+             out     (sources the current)
          |           |
     gain-[D1]      [D4] diode       i_weight --> weight   (n mirror input)
          |           |              i_gain   <-- gain     (p mirror input, as D6)
          +---- y ----+              i_tau    <-- tau      (p mirror input)
                |
         weight-[D2]
                x
          pulse-[D3]
               gnd
    ```

    Law in weak inversion, `I_out` far above `I_gain`: `tau dI/dt + I = (I_gain/I_tau) I_in`,
    `tau = C_syn U_T / (kappa I_tau)` with the kappa of D6, which reads `v_syn`; exactly
    `tau (1 + I_gain/I) dI/dt + I = I_gain (I_in/I_tau - 1)`. `I_in` is `I_weight` while a pulse
    lasts. The pair D1, D4 is of the other kind than D6, so the loop really gives
    `I_out = I_gain (I_in/I_tau - 1)^p`, `p = kappa_D6 / kappa_pair`. An n pair far above ground
    has too large a kappa (`p` is 0.92 on generic180, 0.88 on gf180mcu) unless its bulk is tied
    to its source: `deep_well`, a p well of its own, whose capacitance is not modelled. A p pair
    with its bulk at `vdd` matches an n output as it is. Long pairs bring `p` nearer to 1.
    From rest, where `v_syn` is at the rail, the first events only bring it to where D6 conducts:
    about 0.5 V of C_syn's charge.

    The complement exchanges n and p and the rails: it sinks the current (inhibitory), and its
    pulse is a low level.

    Source: Bartolozzi & Indiveri 2007, "Synaptic dynamics in analog VLSI"; Chicca et al. 2014,
    "Neuromorphic electronic circuits for building autonomous cognitive systems". Mirror inputs
    and the pair's well are our choice.
    """

    subcircuit_name: ClassVar[str] = "dpi_synapse"
    ports: ClassVar[tuple[str, ...]] = ("pulse", "out", "weight", "gain", "tau", "vdd")

    def build(self, netlist: Netlist, process: Process) -> None:
        """The core alone."""
        self.core(netlist, side(process, self.complement), "weight", "out")


class DpiDepressing(DpiCore):
    """A DPI synapse whose weight falls with every pulse and recovers in between.

    ```
                vdd
                 |
      recovery-[tail]              i_recovery <-- recovery (p mirror input)
          +---- a ----+
    weight-[R1]   [S1] diode       i_depression --> depression (n mirror input)
          |           |
       [R3]--+--[R4]--+-- v_w ---- C_std, gate of D2
             |        |
                 [S2]-depression
                 [S3]-pulse
                     gnd
    ```

    Law, with `v = V_w - V_weight`: a pulse of length T lowers it by `I_depression T / C_std`;
    in between `sinh(kappa v/(2 U_T))` decays exactly exponentially, with
    `tau_r = 2 C_std U_T / (kappa I_recovery)` and the kappa of S1; the weight is
    `I_weight exp(kappa v/U_T)` with the kappa of D2. The rest as `DpiSynapse`.

    Source: S1 (a diode at `v_w`), S2, S3 and C_std after Bartolozzi & Indiveri 2007; there S1 hangs
    on a voltage, here it is half of a follower, so that a current sets the time constant (our
    choice).
    """

    subcircuit_name: ClassVar[str] = "dpi_depressing"
    ports: ClassVar[tuple[str, ...]] = (
        "pulse", "out", "weight", "depression", "recovery", "gain", "tau", "vdd",
    )  # fmt: skip

    c_std: float = parameter(2e-12, unit="F", doc="capacitor of the weight", gt=0, source=_FULL)

    def build(self, netlist: Netlist, process: Process) -> None:
        """The core, its weight's gate on a capacitor of its own."""
        on, size = side(process, self.complement), self.size
        self.core(netlist, on, "v_w", "out")
        well = "a" if self.deep_well or not self.complement else on.high
        on.p(netlist, "tail", "a", "recovery", on.high, on.high, **size)
        on.p(netlist, "r1", "m", "weight", "a", well, **size)
        diode(netlist, on.p, "s1", "v_w", "a", bulk=well, **size)
        diode(netlist, on.n, "r3", "m", on.low, **size)
        on.n(netlist, "r4", "v_w", "m", on.low, on.low, **size)
        on.n(netlist, "s2", "v_w", "depression", "s", on.low, **size)
        on.n(netlist, "s3", "s", "pulse", on.low, on.low, **switch(on))
        capacitor(netlist, "std", "v_w", on.low, self.c_std)
        self.line(netlist, on.p, "recovery", on.high, size)
        self.line(netlist, on.n, "depression", on.low, size)


class DpiNmda(DpiCore):
    """A DPI synapse whose current reaches the output only while the membrane is high.

    ```
          v_syn-[D6]
                 |
         +---- z +----+
    nmda-[N1]   v_mem-[N2]        i_nmda --> nmda (n mirror input)
         |            |
        out          gnd
    ```

    Law: `I_out = I_syn / (1 + exp(kappa (V_nmda - v_mem)/U_T))` with the kappa of N1, N2; `V_nmda`
    is the gate voltage at which a square transistor, such as a membrane's, carries `i_nmda`: the
    gate opens when the membrane's current passes it. The rest as `DpiSynapse`.

    Source: Bartolozzi & Indiveri 2007, Chicca et al. 2014; the bias by a current is our choice.
    """

    subcircuit_name: ClassVar[str] = "dpi_nmda"
    ports: ClassVar[tuple[str, ...]] = (
        "pulse", "out", "v_mem", "weight", "gain", "tau", "nmda", "vdd",
    )  # fmt: skip

    def build(self, netlist: Netlist, process: Process) -> None:
        """The core, its output shared out by the membrane."""
        on = side(process, self.complement)
        well = "z" if self.deep_well or not self.complement else on.high
        self.core(netlist, on, "weight", "z")
        on.p(netlist, "n1", "out", "nmda", "z", well, **self.output_size)
        on.p(netlist, "n2", on.low, "v_mem", "z", well, **self.output_size)
        self.line(netlist, on.n, "nmda", on.low, self.square)


class DpiConductance(DpiCore):
    """A DPI synapse whose current into the membrane ends as the membrane nears a reversal.

    ```
              v_syn-[D6]
                     |
             +---- u +----+
    reversal-[G1]        [G2] diode     i_reversal --> reversal (n mirror input)
             |            |
            gnd         v_mem
    ```

    Law: `I_out = I_syn / (1 + exp(kappa (v_mem - V_reversal)/U_T))` with the kappa of G1, G2;
    `V_reversal` is the gate voltage at which a square transistor, such as a membrane's, carries
    `i_reversal`. Near it the synapse is a conductance of `kappa I_syn / (4 U_T)`. The rest as
    `DpiSynapse`.

    Source: Bartolozzi & Indiveri 2007, Chicca et al. 2014; the bias by a current is our choice.
    """

    subcircuit_name: ClassVar[str] = "dpi_conductance"
    ports: ClassVar[tuple[str, ...]] = (
        "pulse", "v_mem", "weight", "gain", "tau", "reversal", "vdd",
    )  # fmt: skip

    def build(self, netlist: Netlist, process: Process) -> None:
        """The core, its output shared out by the membrane that it feeds."""
        on = side(process, self.complement)
        well = "u" if self.deep_well or not self.complement else on.high
        self.core(netlist, on, "weight", "u")
        on.p(netlist, "g1", on.low, "reversal", "u", well, **self.output_size)
        diode(netlist, on.p, "g2", "v_mem", "u", bulk=well, **self.output_size)
        self.line(netlist, on.n, "reversal", on.low, self.square)
