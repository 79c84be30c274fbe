"""Spike driver: two inverters that turn an input event into a clean pulse."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cell import Cell, inverter
from spicesnn.processes import Process


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
