"""The two-stage DPI trace: a synaptic trace Q, then a membrane trace P."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, bias_current, capacitor, diode
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size

_LAW = "Bartolozzi & Indiveri 2007, Chicca et al. 2014; the value is our choice"


class DpiTrace(Cell):
    """Two differential-pair integrators: pulse -> I_Q -> I_P.

    ```
                 vdd                          vdd
                  |  C_q, tau_q                | q_out (I_Q)
    pulse --[weight]--+-- v_q --gate-----------+
                      | gain                   |
                                       +-- gain (gate gain_p)
                                       +-- diode --+-- v_p --> gates of the column's tails
                                                   | C_p, tau_p
                                                  gnd
    ```

    Law of each stage, with its own input, gain and leak current:
    `tau (1 + I_g/I) dI/dt + I = I_g I_in/I_tau - I_g`, `tau = C U_T / (kappa I_tau)`.
    The output is the voltage `v_p`: an nFET of `width`/`length` on it carries I_P, so any
    number of columns can read the trace and none loads it (gates only). Source: Bartolozzi &
    Indiveri 2007, Chicca et al. 2014; two stages in a row as our choice.
    """

    subcircuit_name: ClassVar[str] = "dpi_trace"
    ports: ClassVar[tuple[str, ...]] = (
        "pulse", "v_p", "weight", "gain_q", "tau_q", "gain_p", "tau_p", "vdd",
    )  # fmt: skip

    c_q: float = parameter(1e-12, unit="F", doc="capacitor of Q", gt=0, source=_LAW)
    c_p: float = parameter(1e-12, unit="F", doc="capacitor of P", gt=0, source=_LAW)
    width: float = parameter(1e-6, unit="m", doc="width of all transistors", gt=0)
    length: float = parameter(1e-6, unit="m", doc="length of all but the leaks", gt=0)
    leak_length: float = parameter(2e-6, unit="m", doc="length of the leak mirrors", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """The n-type stage Q (supply-referenced), then the p-type stage P."""
        n, p = process.nfet, process.pfet
        size: Size = {"width": self.width, "length": self.length}
        leak: Size = {"width": self.width, "length": self.leak_length}
        switch: Size = {"width": n.minimum_width, "length": n.switch_length}
        n(netlist, "q_switch", "q_low", "pulse", "0", "0", **switch)
        n(netlist, "q_weight", "q_pair", "weight", "q_low", "0", **size)
        n(netlist, "q_gain", "vdd", "gain_q", "q_pair", "0", **size)
        diode(netlist, n, "q_diode", "v_q", "q_pair", bulk="0", **size)
        p(netlist, "q_leak", "v_q", "tau_q", "vdd", "vdd", **leak)
        capacitor(netlist, "q", "vdd", "v_q", self.c_q)
        p(netlist, "q_out", "p_pair", "v_q", "vdd", "vdd", **size)
        p(netlist, "p_gain", "0", "gain_p", "p_pair", "vdd", **size)
        diode(netlist, p, "p_diode", "v_p", "p_pair", bulk="vdd", **size)
        n(netlist, "p_leak", "v_p", "tau_p", "0", "0", **leak)
        capacitor(netlist, "p", "v_p", "0", self.c_p)


class DpiTraceBias(Cell):
    """Mirror inputs that turn five currents into the gate lines of any number of `DpiTrace`.

    ```
    i_weight, i_gain_q, i_tau_q, i_gain_p, i_tau_p --> weight gain_q tau_q gain_p tau_p
    ```

    Source: standard mirror inputs; currents and decoupling are our choice.

    The lines carry pA, so each pulse would shift them by tens of millivolts through the gates'
    capacitance; `c_line` holds them.
    """

    subcircuit_name: ClassVar[str] = "dpi_trace_bias"
    ports: ClassVar[tuple[str, ...]] = ("weight", "gain_q", "tau_q", "gain_p", "tau_p", "vdd")

    i_weight: float = parameter(100e-9, unit="A", doc="input current while a pulse lasts", gt=0)
    i_gain_q: float = parameter(20e-12, unit="A", doc="gain current I_g of Q", gt=0)
    i_tau_q: float = parameter(40e-12, unit="A", doc="leak I_tau of Q: 0.9 ms at 1 pF", gt=0)
    i_gain_p: float = parameter(40e-12, unit="A", doc="gain current I_g of P", gt=0)
    i_tau_p: float = parameter(40e-12, unit="A", doc="leak I_tau of P: 0.9 ms at 1 pF", gt=0)
    width: float = parameter(1e-6, unit="m", doc="as in the trace", gt=0)
    length: float = parameter(1e-6, unit="m", doc="as in the trace", gt=0)
    c_line: float = parameter(5e-12, unit="F", doc="decoupling of each gate line", gt=0)
    leak_length: float = parameter(2e-6, unit="m", doc="as in the trace", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Five current sources, each into a diode-connected transistor."""
        n, p = process.nfet, process.pfet
        size: Size = {"width": self.width, "length": self.length}
        leak: Size = {"width": self.width, "length": self.leak_length}
        bias_current(netlist, "weight", "vdd", "weight", self.i_weight)
        diode(netlist, n, "weight", "weight", "0", **size)
        bias_current(netlist, "gain_q", "gain_q", "0", self.i_gain_q)
        diode(netlist, p, "gain_q", "gain_q", "vdd", **size)
        bias_current(netlist, "tau_q", "tau_q", "0", self.i_tau_q)
        diode(netlist, p, "tau_q", "tau_q", "vdd", **leak)
        bias_current(netlist, "gain_p", "vdd", "gain_p", self.i_gain_p)
        diode(netlist, n, "gain_p", "gain_p", "0", **size)
        bias_current(netlist, "tau_p", "vdd", "tau_p", self.i_tau_p)
        diode(netlist, n, "tau_p", "tau_p", "0", **leak)
        for line in self.ports[:-1]:
            capacitor(netlist, line, line, "0", self.c_line)
