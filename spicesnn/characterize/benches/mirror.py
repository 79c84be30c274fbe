"""Benches of the current mirror."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from spicesnn.characterize.bench import (
    Bench,
    Entry,
    Line,
    Panel,
    Quantity,
    bench_circuit,
    bench_deck,
)
from spicesnn.characterize.benches.bias_circuits import SIDES, early
from spicesnn.characterize.condition import Condition
from spicesnn.circuits.cells.cell import bias_current, diode
from spicesnn.circuits.cells.side import side
from spicesnn.circuits.deck import DcSweep, Deck, Knob, OperatingPoint, Value
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms

_MIRRORS = {
    "mirror n": "i(vn)", "mirror p": "i(vp)", "mirror n, long": "i(vnlong)",
    "mirror p, long": "i(vplong)",
}  # fmt: skip


class MirrorBench(Bench):
    """A current mirror of two nfets: the output's current, at half the supply.

    ```
    i_in --+--[diode]-- gnd      supply/2 --[out]-- gnd
           +------gate-------------------------+
    ```

    Law: the output carries the input's current, but for the output's conductance. Source:
    standard current mirror.
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


class MirrorLawBench(Bench):
    """Mirrors of both kinds and two sizes over decades of input current, at two output voltages.

    The short ones are as large as the mirrors in the library's cells.
    """

    name: ClassVar[str] = "mirror_law"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "mirror n, farthest output over input": Quantity("1", law="1, 10 pA to 100 nA"),
        "mirror p, farthest output over input": Quantity("1", law="1, 10 pA to 100 nA"),
        "mirror n, long, farthest output over input": Quantity("1", 0.9, 1.1, law="1"),
        "mirror p, long, farthest output over input": Quantity("1", 0.9, 1.1, law="1"),
        "mirror n, Early voltage at 1 nA": Quantity("V"),
        "mirror p, Early voltage at 1 nA": Quantity("V"),
        "mirror n, long, Early voltage at 1 nA": Quantity("V", 10.0),
        "mirror p, long, Early voltage at 1 nA": Quantity("V", 10.0),
    }

    width: float = parameter(1e-6, unit="m", doc="of the short mirrors", gt=0)
    length: float = parameter(1e-6, unit="m", doc="of the short mirrors", gt=0)
    long_width: float = parameter(2e-6, unit="m", doc="of the long mirrors", gt=0)
    long_length: float = parameter(4e-6, unit="m", doc="of the long mirrors", gt=0)

    def deck(self, process: Process) -> Deck:
        """Each with its input; the knob `vout` is how far the outputs are from their rails."""
        circuit = bench_circuit(process)
        sizes: dict[str, Size] = {
            "": {"width": self.width, "length": self.length},
            "long": {"width": self.long_width, "length": self.long_length},
        }
        circuit.raw_spice += "Bout_p level_p 0 v = v(vdd) - v(level_n)\n"
        for kind, complement in SIDES.items():
            on = side(process, complement)
            for word, size in sizes.items():
                name = kind + word
                gate, out = f"gate_{name}", f"out_{name}"
                diode(circuit, on.n, f"in_{name}", gate, on.low, **size)
                on.n(circuit, out, out, gate, on.low, on.low, **size)
                ends = f"vdd {gate}" if kind == "n" else f"{gate} 0"
                circuit.raw_spice += f"B{name} {ends} i = pow(10, v(level))\n"
                circuit.V(name, f"level_{kind}", out, raw_spice="dc 0")
        knobs = [Knob("vlevel", ("level", "0"), -9.0), Knob("vout", ("level_n", "0"), 0.0)]
        sweep = DcSweep("vlevel", -11.0, -7.0, 0.05)
        probes = [f"i(v{kind}{word})" for kind in SIDES for word in sizes]
        return bench_deck(self.name, circuit, process, sweep, probes, knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Outputs at half and at three quarters of the supply."""
        return [{"vout": part * process.supply} for part in (0.5, 0.75)]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """The ratio at half the supply; the Early voltage from both."""
        found: dict[str, float] = {}
        level = waveforms[0].time
        for name, signal in _MIRRORS.items():
            half, above = (abs(w[signal]) for w in waveforms)
            ratio = half / 10**level
            found[f"{name}, farthest output over input"] = float(ratio[np.abs(ratio - 1).argmax()])
            here, there = (float(np.interp(-9.0, level, y)) for y in (half, above))
            found[f"{name}, Early voltage at 1 nA"] = early(here, there, 0.25 * on.supply)
        return found

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Output over input."""
        current = 10 ** waveforms[0].time
        lines = [
            Line(name, current, abs(waveforms[0][signal]) / current)
            for name, signal in _MIRRORS.items()
        ]
        law = Line("law", current, np.ones_like(current), law=True)
        title = "Mirrors, output at half the supply"
        return (Panel(title, "input current", "A", "output over input", "", (*lines, law), "x"),)


ENTRIES: tuple[Entry, ...] = (
    Entry("mirror", "Current mirror", MirrorBench, (MirrorBench(), MirrorLawBench())),
)
