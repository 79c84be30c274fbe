"""What every cell shares: parameters, ports, and a PySpice subcircuit on any process."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from PySpice.Spice.Netlist import Circuit, Netlist, SubCircuit

from spicesnn.parameters import Parameters
from spicesnn.processes import Mosfet, Process
from spicesnn.units import spice_number


class Cell(Parameters):
    """A circuit with named ports. Subclasses are final; each draws its ports in its docstring."""

    subcircuit_name: ClassVar[str]
    ports: ClassVar[tuple[str, ...]]

    @abstractmethod
    def build(self, netlist: Netlist, process: Process) -> None:
        """Put the transistors and capacitors into `netlist`; port names are its nodes."""

    def subcircuit(self, process: Process) -> SubCircuit:
        """The cell as a PySpice subcircuit on this process."""
        netlist = SubCircuit(self.subcircuit_name, *self.ports)
        self.build(netlist, process)
        return netlist


def capacitor(netlist: Netlist, name: str, plus: str, minus: str, farads: float) -> None:
    """Add a linear capacitor."""
    netlist.C(name, plus, minus, raw_spice=spice_number(farads))


def bias_current(netlist: Netlist, name: str, plus: str, minus: str, amperes: float) -> None:
    """Add a bias current that flows from `plus` through the source to `minus`."""
    netlist.I(name, plus, minus, raw_spice=f"dc {spice_number(amperes)}")


def inverter(netlist: Netlist, process: Process, name: str, gate: str, out: str) -> None:
    """Add a minimum inverter between `vdd` and ground."""
    n, p = process.nfet, process.pfet
    n(netlist, f"{name}n", out, gate, "0", "0", width=n.minimum_width, length=n.switch_length)
    width = 2 * p.minimum_width
    p(netlist, f"{name}p", out, gate, "vdd", "vdd", width=width, length=p.switch_length)


def diode(
    netlist: Netlist,
    device: Mosfet,
    name: str,
    node: str,
    source: str,
    *,
    width: float,
    length: float,
    bulk: str | None = None,
) -> None:
    """Add a diode-connected transistor: gate and drain on `node`."""
    device(netlist, name, node, node, source, bulk or source, width=width, length=length)


def gate_load(
    device: Mosfet,
    node: str,
    rail: str,
    *,
    width: float,
    length: float,
    name: str = "load",
) -> str:
    """SPICE text of the gate of a transistor on a node, its channel tied to a rail."""
    circuit = Circuit("cut off below")
    device(circuit, f"{name}_{node}", rail, node, rail, rail, width=width, length=length)
    return str(circuit).partition("\n")[2].strip()
