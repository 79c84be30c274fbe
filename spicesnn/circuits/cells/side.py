"""Which way up a cell is built: as drawn, or with n and p and the two rails exchanged."""

from __future__ import annotations

from dataclasses import dataclass

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import bias_current
from spicesnn.processes import Mosfet, Process


@dataclass(frozen=True)
class Side:
    """The transistors and rails of a cell that may be built as its complement.

    Attributes:
        n: nfet; in the complement, pfet.
        p: pfet; in the complement, nfet.
        low: ground; in the complement, `vdd`.
        high: `vdd`; in the complement, ground.
    """

    n: Mosfet
    p: Mosfet
    low: str
    high: str

    def current_from_high(self, netlist: Netlist, name: str, node: str, amperes: float) -> None:
        """Add a bias current from the high rail into a node (in the complement, out of it)."""
        ends = (self.high, node) if self.high != "0" else (node, self.high)
        bias_current(netlist, name, *ends, amperes)


def side(process: Process, complement: bool) -> Side:
    """The cell's side on a process."""
    if complement:
        return Side(process.pfet, process.nfet, "vdd", "0")
    return Side(process.nfet, process.pfet, "0", "vdd")
