"""Benches of the sense amplifier."""

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
from spicesnn.characterize.condition import Condition
from spicesnn.circuits.cells.cell import bias_current
from spicesnn.circuits.cells.sense_amplifier import SenseAmplifier
from spicesnn.circuits.deck import (
    Deck,
    Knob,
    Pulse,
    Transient,
    Value,
    Waveform,
)
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.levels import first_crossing
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.waveforms import Waveforms

_FIRST = 10e-9


_DIFFERENCES = (100e-3, 10e-3, 3e-3, 1e-3, 0.3e-3)


class SenseAmplifierBench(Bench):
    """One decision a run: falling differences, and one with the sides swapped."""

    name: ClassVar[str] = "sense_amplifier"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "sense amplifier, right decisions": Quantity("1", 1.0, 1.0),
        "sense amplifier, delay at 100 mV": Quantity("s"),
        "sense amplifier, delay at 10 mV": Quantity("s"),
        "sense amplifier, delay at 1 mV": Quantity("s", high=0.2e-6),
        "sense amplifier, delay of swapped sides over straight": Quantity("1", 0.999, 1.001),
        "sense amplifier, energy a decision": Quantity("J"),
    }
    drawn: ClassVar[bool] = False

    cell: SenseAmplifier = SenseAmplifier()
    i_bias: float = parameter(100e-9, unit="A", doc="a tenth of the tail's", gt=0)
    maximum_step: float = parameter(0.4e-9, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Inputs about half the supply, clock high from 0.1 to 0.5 us."""
        circuit = _sense_circuit(process, self.cell, self.i_bias)
        clock = np.array([0, 0.1e-6, 0.105e-6, 0.5e-6, 0.505e-6])
        level = process.supply * np.array([0, 0, 1, 1, 0])
        knobs = [
            Knob("vclock", ("clock", "0"), Waveform(clock, level)),
            Knob("vplus", ("v_plus", "0"), process.supply / 2),
            Knob("vminus", ("v_minus", "0"), process.supply / 2),
        ]
        probes = ["v(plus_wins)", "v(minus_wins)", "i(vdd)"]
        # With a first step of femtoseconds rounding is above tight tolerances of current.
        analysis = Transient(0.8e-6, self.maximum_step, print_step=_FIRST)
        return bench_deck(self.name, circuit, process, analysis, probes, knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Falling differences, then 10 mV the other way."""
        half = process.supply / 2
        return [
            {"vplus": half + value / 2, "vminus": half - value / 2}
            for value in (*_DIFFERENCES, -_DIFFERENCES[1])
        ]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Delays from the clock's edge to the winner's; a decision is right if it alone rises."""
        half = on.supply / 2
        delays, right = [], []
        for k, wave in enumerate(waveforms):
            names = ["v(plus_wins)", "v(minus_wins)"]
            winner, loser = names if k < len(_DIFFERENCES) else names[::-1]
            delays.append(first_crossing(wave.time, wave[winner], half, "rising") - 0.1025e-6)
            at_end = float(wave.at(winner, 0.49e-6)) > half
            right.append(at_end and float(wave[loser].max()) < half)
        wave = waveforms[1]
        cycle = wave.time >= 0.05e-6
        cut = Waveforms(wave.time[cycle], {"i(vdd)": wave["i(vdd)"][cycle]})
        return {
            "sense amplifier, right decisions": float(np.mean(right)),
            "sense amplifier, delay at 100 mV": delays[0],
            "sense amplifier, delay at 10 mV": delays[1],
            "sense amplifier, delay at 1 mV": delays[3],
            "sense amplifier, delay of swapped sides over straight": (
                delays[-1] / delays[1] if delays[1] else float("nan")
            ),
            "sense amplifier, energy a decision": supply_energy(cut, {"i(vdd)": on.supply}),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Delay over difference, beside a straight line; the winner's waveforms."""
        half = on.supply / 2
        straight = waveforms[: len(_DIFFERENCES)]
        delays = np.array(
            [
                first_crossing(w.time, w["v(plus_wins)"], half, "rising") - 0.1025e-6
                for w in straight
            ]
        )
        size = np.array(_DIFFERENCES)
        tau = (delays[-1] - delays[-2]) / np.log(size[-2] / size[-1])
        law = delays[-1] + tau * np.log(size[-1] / size)
        lines = (
            Line("delay", size, delays),
            Line("a straight line through the last two", size, law),
        )
        near = [(w.time > 0.1e-6) & (w.time < 0.13e-6) for w in straight]
        waves = tuple(
            Line(f"{value * 1e3:g} mV", wave.time[part], wave["v(plus_wins)"][part])
            for value, wave, part in zip(_DIFFERENCES, straight, near, strict=True)
        )
        return (
            Panel("Delay of a decision", "difference", "V", "delay", "s", lines, "x"),
            Panel("The winner's output", "time", "s", "voltage", "V", waves),
        )


class SenseAmplifierOffsetBench(Bench):
    """Decisions while the difference climbs by 1 mV a clock: where they turn is the offset."""

    name: ClassVar[str] = "sense_amplifier_offset"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "sense amplifier, offset": Quantity("V", -0.5e-3, 0.5e-3, law="0", scale=1e-3),
    }

    cell: SenseAmplifier = SenseAmplifier()
    i_bias: float = parameter(100e-9, unit="A", doc="a tenth of the tail's", gt=0)
    span: int = parameter(20, unit="1", doc="largest difference to each side, mV", ge=1)
    period: float = parameter(0.2e-6, unit="s", doc="of the clock", gt=0.1e-6)
    maximum_step: float = parameter(4e-9, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """A clock and a staircase of the difference, which steps while the clock is low."""
        circuit = _sense_circuit(process, self.cell, self.i_bias)
        start = np.arange(1, self.cycles) * self.period
        time = np.append(0.0, np.stack([start, start + 5e-9], axis=1).ravel())
        value = np.repeat(self._differences(), 2)[:-1] / 2
        edge = 5e-9
        clock = Pulse(
            0.0, process.supply, self.period / 2 - edge, edge, edge, self.period / 2 - edge,
            self.period,
        )  # fmt: skip
        knobs = [
            Knob("vclock", ("clock", "0"), clock),
            Knob("vplus", ("v_plus", "0"), Waveform(time, process.supply / 2 + value)),
            Knob("vminus", ("v_minus", "0"), Waveform(time, process.supply / 2 - value)),
        ]
        stop = self.cycles * self.period
        analysis = Transient(stop, self.maximum_step, print_step=_FIRST)
        return bench_deck(self.name, circuit, process, analysis, ["v(plus_wins)"], knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One run."""
        return [{}]

    @property
    def cycles(self) -> int:
        """Clocks of a run."""
        return 2 * self.span

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Halfway between the last decision for minus and the first for plus."""
        plus = self._decisions(waveforms[0], on)
        turn = int(plus.argmax())
        difference = self._differences()
        found = float("nan")
        if plus.any() and turn:
            found = float(difference[turn - 1] + difference[turn]) / 2
        return {"sense amplifier, offset": found}

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Decisions over the difference."""
        difference = self._differences()
        decided = self._decisions(waveforms[0], on).astype(float)
        lines = (
            Line("plus wins", difference, decided),
            Line("law", difference, (difference > 0).astype(float), law=True),
        )
        title = "Decisions of the sense amplifier"
        return (Panel(title, "difference", "V", "decision", "", lines),)

    def _differences(self) -> np.ndarray:
        """Volts, shape (cycles,): never zero."""
        return 1e-3 * (np.arange(self.cycles) - self.span + 0.5)

    def _decisions(self, wave: Waveforms, on: Condition) -> np.ndarray:
        end = (np.arange(self.cycles) + 1) * self.period - 10e-9
        return np.asarray(wave.at("v(plus_wins)", end) > on.supply / 2)


def _sense_circuit(process: Process, cell: SenseAmplifier, i_bias: float) -> Circuit:
    """The latch; its inputs and clock are knobs."""
    circuit = bench_circuit(process, cell)
    # Not from the supply, whose energy is the latch's own.
    bias_current(circuit, "bias", "0", "bias", i_bias)
    circuit.X("latch", "sense_amplifier", *cell.ports)
    return circuit


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "sense_amplifier",
        "Clocked sense amplifier",
        SenseAmplifier,
        (SenseAmplifierBench(), SenseAmplifierOffsetBench()),
    ),
)
