"""Benches of the current subtractor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from PySpice.Spice.Netlist import Circuit

from spicesnn.characterize.bench import (
    Bench,
    Entry,
    Line,
    Panel,
    Quantity,
    bench_circuit,
    bench_deck,
)
from spicesnn.characterize.benches.learning_circuits import (
    held_at,
    middle_of,
    settled_value,
    steps_of,
)
from spicesnn.characterize.condition import Condition, doubts
from spicesnn.circuits.cells.current_subtractor import SubtractorInput, SubtractorOutput
from spicesnn.circuits.deck import DcSweep, Deck, Knob, Transient, Value, Waveform
from spicesnn.measure.levels import crossings
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


def _subtractor_circuit(
    process: Process, first: SubtractorInput, second: SubtractorOutput
) -> Circuit:
    """Both halves and the source `Vout` that holds the output; sums are drawn from the inputs."""
    circuit = bench_circuit(process, first, second)
    circuit.X("input", "subtractor_input", *first.ports)
    circuit.X("output", "subtractor_output", *second.ports)
    return circuit


class SubtractorBench(Bench):
    """The subtractor over its first input, the second at three values, its output held.

    What the law leaves out is the mirrors' output conductance: the negative input goes through two
    of them. Transistors of four times the length are a third as far off.
    """

    name: ClassVar[str] = "current_subtractor"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "subtractor, output off the law over largest input, most": Quantity(
            "1", None, 0.1, law="I+ - I-"
        ),
        "subtractor, positive mirror over law": Quantity("1", law="I+"),
        "subtractor, negative mirror over law": Quantity("1", law="I-"),
        "subtractor, offset at equal inputs over input": Quantity("1", scale=0.01),
        "subtractor, static power at equal inputs": Quantity("W"),
    }

    first: SubtractorInput = SubtractorInput(length=4e-6)
    second: SubtractorOutput = SubtractorOutput(length=4e-6)
    i_sum: float = parameter(1e-9, unit="A", doc="middle of the inputs' range", gt=0)
    PARTS: ClassVar[tuple[float, ...]] = (0.0, 1.0, 2.0)

    def deck(self, process: Process) -> Deck:
        """Output at half the supply; `vx` and `vy` are the sums over `i_sum`."""
        circuit = _subtractor_circuit(process, self.first, self.second)
        held_at(circuit, "out", process.supply / 2)
        for name, node in (("x", "sum_plus"), ("y", "sum_minus")):
            circuit.raw_spice += f"B{name} {node} 0 i = {spice_number(self.i_sum)}*v({name})\n"
        knobs = [Knob("vx", ("x", "0"), 0.0), Knob("vy", ("y", "0"), 0.0)]
        sweep = DcSweep("vx", 0.0, 2.0, 0.02)
        probes = ["i(vout)", "i(vdd)"]
        return bench_deck(self.name, circuit, process, sweep, probes, knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """The second input at nothing, at `i_sum` and at twice that."""
        return [{"vy": part} for part in self.PARTS]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Differences from the law over the range's end; each mirror alone at `i_sum`."""
        off = [
            np.abs(wave["i(vout)"] / self.i_sum - (wave.time - part)).max() / 2
            for wave, part in zip(waveforms, self.PARTS, strict=True)
        ]
        middle = [middle_of(wave, "i(vout)") / self.i_sum for wave in waveforms]
        alone = float(waveforms[1]["i(vout)"][0]) / self.i_sum
        return {
            "subtractor, output off the law over largest input, most": float(np.max(off)),
            "subtractor, positive mirror over law": middle[0],
            "subtractor, negative mirror over law": -alone,
            "subtractor, offset at equal inputs over input": middle[1],
            "subtractor, static power at equal inputs": -on.supply
            * middle_of(waveforms[1], "i(vdd)"),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The output over the first input."""
        lines = []
        for wave, part in zip(waveforms, self.PARTS, strict=True):
            current, name = self.i_sum * wave.time, f"I- = {self.i_sum * part * 1e9:g} nA"
            lines.append(Line(name, current, wave["i(vout)"]))
            law = self.i_sum * (wave.time - part)
            lines.append(Line(f"law, {name}", current, law, law=True))
        return (Panel("Difference", "I+", "A", "output", "A", tuple(lines)),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The largest sum in both kinds."""
        most, half = 2 * self.i_sum, self.first
        return doubts(
            {f"sum in a {kind}": (most, kind, half.width, half.length)
             for kind in ("nfet", "pfet")},
            on,
        )  # fmt: skip


class SubtractorRangeBench(Bench):
    """The subtractor's output current over the voltage that its output is held at."""

    name: ClassVar[str] = "current_subtractor_range"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "subtractor, output range for a positive difference, low end": Quantity("V", scale=0.1),
        "subtractor, output range for a positive difference, high end": Quantity("V"),
        "subtractor, output range for a negative difference, low end": Quantity("V", scale=0.1),
        "subtractor, output range for a negative difference, high end": Quantity("V"),
        "subtractor, output conductance": Quantity("S"),
    }

    first: SubtractorInput = SubtractorInput(length=4e-6)
    second: SubtractorOutput = SubtractorOutput(length=4e-6)
    i_sum: float = parameter(1e-9, unit="A", doc="the smaller input; the other is twice it", gt=0)

    def deck(self, process: Process) -> Deck:
        """`vout` is swept from rail to rail; `vx` and `vy` are the sums over `i_sum`."""
        circuit = _subtractor_circuit(process, self.first, self.second)
        for name, node in (("x", "sum_plus"), ("y", "sum_minus")):
            circuit.raw_spice += f"B{name} {node} 0 i = {spice_number(self.i_sum)}*v({name})\n"
        knobs = [Knob(f"v{n}", (n, "0"), 0.0) for n in ("x", "y", "out")]
        sweep = DcSweep("vout", 0.0, process.supply, process.supply / 200)
        return bench_deck(self.name, circuit, process, sweep, ["i(vout)"], knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """A difference of `i_sum` each way."""
        return [{"vx": 2.0, "vy": 1.0}, {"vx": 1.0, "vy": 2.0}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Where the output is within 10 % of what it is at half the supply."""
        found = [self._range(wave) for wave in waveforms]
        wave = waveforms[0]
        near = np.abs(wave.time - on.supply / 2) < 0.06 * on.supply
        slope = float(np.polyfit(wave.time[near], wave["i(vout)"][near], 1)[0])
        return {
            "subtractor, output range for a positive difference, low end": found[0][0],
            "subtractor, output range for a positive difference, high end": found[0][1],
            "subtractor, output range for a negative difference, low end": found[1][0],
            "subtractor, output range for a negative difference, high end": found[1][1],
            "subtractor, output conductance": -slope,
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Both differences over the output's voltage."""
        lines = []
        for name, sign, wave in (
            ("positive", 1, waveforms[0]), ("negative", -1, waveforms[1]),
        ):  # fmt: skip
            lines.append(Line(f"{name} difference", wave.time, wave["i(vout)"]))
            law = np.full(wave.time.size, sign * self.i_sum)
            lines.append(Line(f"law, {name} difference", wave.time, law, law=True))
        return (Panel("Output range", "output voltage", "V", "output", "A", tuple(lines)),)

    @staticmethod
    def _range(wave: Waveforms) -> tuple[float, float]:
        """Ends of the range; an end at a rail is the rail's."""
        middle = wave.time.size // 2
        away = np.abs(wave["i(vout)"] / wave["i(vout)"][middle] - 1)
        left = crossings(wave.time[: middle + 1], away[: middle + 1], 0.1, "falling")
        right = crossings(wave.time[middle:], away[middle:], 0.1, "rising")
        return (
            float(left[-1]) if left.size else float(wave.time[0]),
            float(right[0]) if right.size else float(wave.time[-1]),
        )


class SubtractorSettlingBench(Bench):
    """Steps of the subtractor's inputs, its output held."""

    name: ClassVar[str] = "current_subtractor_settling"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "subtractor, settling of the positive input to 5 %": Quantity("s"),
        "subtractor, settling of the negative input to 5 %": Quantity("s"),
    }

    first: SubtractorInput = SubtractorInput(length=4e-6)
    second: SubtractorOutput = SubtractorOutput(length=4e-6)
    i_sum: float = parameter(1e-9, unit="A", doc="inputs after the step", gt=0)
    maximum_step: float = parameter(5e-8, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Knobs `iplus` and `iminus`."""
        circuit = _subtractor_circuit(process, self.first, self.second)
        held_at(circuit, "out", process.supply / 2)
        knobs = [
            Knob(f"i{n}", (f"sum_{n}", "0"), Waveform.constant(0.0)) for n in ("plus", "minus")
        ]
        analysis = Transient(4e-5, self.maximum_step)
        return bench_deck(self.name, circuit, process, analysis, ["i(vout)"], knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One input at a time, from a tenth of `i_sum` to `i_sum` at 10 us."""
        step = steps_of((0.0, 1e-5), (0.1 * self.i_sum, self.i_sum), 1e-8)
        return [{"iplus": step}, {"iminus": step}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """From the step until the output stays within 5 % of its last value."""
        settled = [settled_value(wave.time, wave["i(vout)"], 1e-5) for wave in waveforms]
        return {
            "subtractor, settling of the positive input to 5 %": settled[0],
            "subtractor, settling of the negative input to 5 %": settled[1],
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Both steps."""
        lines = tuple(
            Line(f"step of {name}", wave.time, wave["i(vout)"])
            for name, wave in zip(("I+", "I-"), waveforms, strict=True)
        )
        return (Panel("Settling", "time", "s", "output", "A", lines),)


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "current_subtractor",
        "Current subtractor",
        SubtractorInput,
        (SubtractorBench(), SubtractorRangeBench(), SubtractorSettlingBench()),
    ),
)
