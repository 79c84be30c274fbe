"""Spike driver: two inverters that turn an input event into a clean pulse."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell, gate_load, inverter
from spicesnn.processes import Process, Size


class SpikeDriver(Cell):
    """Input pulse stage.

    ```
    event --|>o--|>o-- pulse
    ```

    Source: standard CMOS buffer, minimum size.
    """

    subcircuit_name: ClassVar[str] = "spike_driver"
    ports: ClassVar[tuple[str, ...]] = ("event", "pulse", "vdd")

    def build(self, netlist: Netlist, process: Process) -> None:
        """Two inverters in a row."""
        inverter(netlist, process, "first", "event", "event_bar")
        inverter(netlist, process, "second", "event_bar", "pulse")

    @staticmethod
    def load(process: Process, node: str) -> str:
        """SPICE text of the two gates that a driver puts on the node of its `event` (`vdd` up)."""
        n, p = process.nfet, process.pfet
        size: Size = {"width": n.minimum_width, "length": n.switch_length}
        lower = gate_load(n, node, "0", **size)
        size = {"width": 2 * p.minimum_width, "length": p.switch_length}
        return f"{lower}\n{gate_load(p, node, 'vdd', name='load_up', **size)}"
