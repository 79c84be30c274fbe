"""Benches of mirrors and of what makes bias currents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from spicesnn.characterize.bench import Bench, Entry, Quantity, bench_circuit, bench_deck
from spicesnn.characterize.condition import Condition
from spicesnn.circuits.cells.cell import bias_current, diode
from spicesnn.circuits.deck import Deck, OperatingPoint, Value
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


class MirrorBench(Bench):
    """A current mirror of two nfets: the output's current, at half the supply.

    ```
    i_in --+--[diode]-- gnd      supply/2 --[out]-- gnd
           +------gate-------------------------+
    ```
    """

    name: ClassVar[str] = "mirror"
    properties: ClassVar[Mapping[str, Quantity]] = {"output current": Quantity("A")}

    current: float = parameter(1e-9, unit="A", doc="input", gt=0)
    width: float = parameter(1e-6, unit="m", doc="of both transistors", gt=0)
    length: float = parameter(1e-6, unit="m", doc="of both transistors", gt=0)

    def deck(self, process: Process) -> Deck:
        """The mirror, its input current and its load."""
        circuit = bench_circuit(process)
        size: Size = {"width": self.width, "length": self.length}
        circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        bias_current(circuit, "in", "vdd", "gate", self.current)
        diode(circuit, process.nfet, "in", "gate", "0", **size)
        process.nfet(circuit, "out", "out", "gate", "0", "0", **size)
        return bench_deck(self.name, circuit, process, OperatingPoint(), ["i(vout)"])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One run."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """The current into the output."""
        return {"output current": -float(waveforms[0]["i(vout)"][0])}


ENTRIES = (Entry("mirror", "Current mirror", MirrorBench, (MirrorBench(),)),)
