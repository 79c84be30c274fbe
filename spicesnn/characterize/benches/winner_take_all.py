"""Benches of the winner-take-all."""

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
from spicesnn.characterize.benches.learning_circuits import NAN, Array, held_at, steps_of
from spicesnn.characterize.condition import Condition, doubts
from spicesnn.circuits.cells.side import side
from spicesnn.circuits.cells.winner_take_all import WinnerTakeAll, WinnerTakeAllTail
from spicesnn.circuits.deck import DcSweep, Deck, Knob, Transient, Value, Waveform
from spicesnn.measure.levels import first_crossing
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


def _winner_power(wave: Waveforms, cell: WinnerTakeAll, inputs: int, on: Condition) -> Array:
    """Watts that the supply and the outputs' rail deliver, over the run."""
    current = -wave["i(vdd)"]
    if not cell.complement:
        current = current - np.sum([wave[f"i(vout{k})"] for k in range(1, inputs + 1)], axis=0)
    return np.asarray(on.supply * current)


def _winner_circuit(
    process: Process, cell: WinnerTakeAll, tail: WinnerTakeAllTail, inputs: int, i_bias: float
) -> Circuit:
    """Competitors with outputs held at their rail, and their tail."""
    circuit, on = bench_circuit(process, cell, tail), side(process, cell.complement)
    for k in range(1, inputs + 1):
        held_at(circuit, f"out{k}", process.supply if on.high == "vdd" else 0.0)
        circuit.X(f"wta{k}", "winner_take_all", f"in{k}", f"out{k}", "common", "vdd")
    circuit.X("tail", "winner_take_all_tail", "common", "bias", "vdd")
    on.current_from_high(circuit, "bias", "bias", i_bias)
    return circuit


class WinnerBench(Bench):
    """Two inputs of the winner-take-all over the logarithm of their ratio, others at half.

    The decision point is where both get the same output current. `common` is read by a
    transistor of the size of M1, which carries the largest input.
    """

    name: ClassVar[str] = "winner_take_all"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "winner-take-all, offset": Quantity("1", scale=0.01),
        "winner-take-all, half the difference from 10 to 90 % of the output": Quantity(
            "1", None, 0.05
        ),
        "winner-take-all, transition gain": Quantity("1"),
        "winner-take-all, winner's output over bias, least": Quantity("1", 0.9, 1.1),
        "winner-take-all, losers' outputs over bias, most": Quantity("1", None, 0.05, scale=0.01),
        "winner-take-all, largest input as read over law, most": Quantity(
            "1", 0.9, 1.1, law="the largest input"
        ),
        "winner-take-all, largest input as read over law, least": Quantity("1", 0.9, 1.1),
        "winner-take-all, static power": Quantity("W"),
    }

    cell: WinnerTakeAll = WinnerTakeAll()
    tail: WinnerTakeAllTail = WinnerTakeAllTail()
    inputs: int = parameter(4, unit="1", doc="competitors", ge=2)
    i_in: float = parameter(2e-9, unit="A", doc="geometric mean of the two inputs", gt=0)
    i_bias: float = parameter(2e-9, unit="A", doc="bias current of the tail", gt=0)
    span: float = parameter(1.0, unit="1", doc="largest ln(I1/I2), to each side", gt=0)

    def deck(self, process: Process) -> Deck:
        """`vu` is swept from -1 to 1; ln(I1/I2) is `span u^3`, so that points crowd at zero."""
        circuit = _winner_circuit(process, self.cell, self.tail, self.inputs, self.i_bias)
        on = side(process, self.cell.complement)
        for k, sign in ((1, "+"), (2, "-")):
            ends = f"vdd in{k}" if on.high == "vdd" else f"in{k} 0"
            ratio = f"exp({sign}0.5*{spice_number(self.span)}*v(u)*v(u)*v(u))"
            circuit.raw_spice += f"B{k} {ends} i = {spice_number(self.i_in)}*{ratio}\n"
        for k in range(3, self.inputs + 1):
            on.current_from_high(circuit, f"in{k}", f"in{k}", 0.5 * self.i_in)
        held_at(circuit, "read", process.supply / 2)
        size: Size = {"width": self.cell.width, "length": self.cell.length}
        on.n(circuit, "read", "read", "common", on.low, on.low, **size)
        probes = ["i(vread)", "i(vdd)", *(f"i(vout{k})" for k in range(1, self.inputs + 1))]
        sweep = DcSweep("vu", -1.0, 1.0, 0.004)
        return bench_deck(
            self.name, circuit, process, sweep, probes, [Knob("vu", ("u", "0"), 0.0)]
        )  # fmt: skip

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """The decision point in ln(I1/I2), and how steep it is."""
        difference, first, second, others = self._outputs(waveforms[0])
        # Unlike the currents, the logarithm of their ratio goes on through the transition.
        ratio = np.log(np.maximum(first, 1e-18) / np.maximum(second, 1e-18))
        offset = first_crossing(difference, ratio, 0.0, "rising")
        part = first / first.max()
        ends = [first_crossing(difference, part, level, "rising") for level in (0.1, 0.9)]
        inner = [first_crossing(difference, part, level, "rising") for level in (0.4, 0.6)]
        steep = inner[1] - inner[0]
        law = self.i_in * np.exp(np.abs(difference) / 2)
        read = np.abs(waveforms[0]["i(vread)"]) / law
        power = _winner_power(waveforms[0], self.cell, self.inputs, on)
        away = np.abs(difference) > 0.9 * self.span
        return {
            "winner-take-all, offset": offset,
            "winner-take-all, half the difference from 10 to 90 % of the output": (
                ends[1] - ends[0]
            )
            / 2,
            "winner-take-all, transition gain": 0.2 / steep if steep > 0 else NAN,
            "winner-take-all, winner's output over bias, least": float(
                np.maximum(first, second)[away].min() / self.i_bias
            ),
            "winner-take-all, losers' outputs over bias, most": float(
                (np.minimum(first, second) + others)[away].max() / self.i_bias
            ),
            "winner-take-all, largest input as read over law, most": float(read.max()),
            "winner-take-all, largest input as read over law, least": float(read.min()),
            "winner-take-all, static power": float(power[power.size // 2]),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Both outputs about the decision, and the largest input as it is read."""
        difference, first, second, _ = self._outputs(waveforms[0])
        near = np.abs(difference) < 0.1
        outputs = (
            Line("output 1", difference[near], first[near]),
            Line("output 2", difference[near], second[near]),
        )
        law = self.i_in * np.exp(np.abs(difference) / 2)
        read = (
            Line("read from common", difference, np.abs(waveforms[0]["i(vread)"])),
            Line("law: the largest input", difference, law, law=True),
        )
        return (
            Panel("Decision", "ln(I1/I2)", "", "output", "A", outputs),
            Panel("Largest input", "ln(I1/I2)", "", "current", "A", read),
        )

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The largest input in M1 and the bias in M2."""
        kind = "pfet" if self.cell.complement else "nfet"
        size = (kind, self.cell.width, self.cell.length)
        most = self.i_in * float(np.exp(self.span / 2))
        return doubts({"largest input": (most, *size), "i_bias": (self.i_bias, *size)}, on)

    def _outputs(self, wave: Waveforms) -> tuple[Array, Array, Array, Array]:
        """ln(I1/I2), both outputs, and the sum of the others'."""
        outputs = [np.abs(wave[f"i(vout{k})"]) for k in range(1, self.inputs + 1)]
        others = np.sum(outputs[2:], axis=0) if self.inputs > 2 else np.zeros(wave.time.size)
        return self.span * wave.time**3, outputs[0], outputs[1], others


class WinnerSettlingBench(Bench):
    """Each input of the winner-take-all in turn the largest."""

    name: ClassVar[str] = "winner_take_all_settling"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "winner-take-all, turns won rightly": Quantity("1", 1.0),
        "winner-take-all, settling to 90 % of the bias, slowest": Quantity("s"),
        "winner-take-all, energy of a decision": Quantity("J"),
    }

    cell: WinnerTakeAll = WinnerTakeAll()
    tail: WinnerTakeAllTail = WinnerTakeAllTail()
    inputs: int = parameter(4, unit="1", doc="competitors", ge=2)
    i_in: float = parameter(2e-9, unit="A", doc="input of the losers", gt=0)
    lead: float = parameter(0.5, unit="1", doc="the winner's input over the losers', less 1", gt=0)
    i_bias: float = parameter(2e-9, unit="A", doc="bias current of the tail", gt=0)
    turn: float = parameter(0.2e-3, unit="s", doc="length of each turn", gt=0)
    maximum_step: float = parameter(1e-6, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Knobs `iin1` and so on, from the high rail."""
        circuit = _winner_circuit(process, self.cell, self.tail, self.inputs, self.i_bias)
        on = side(process, self.cell.complement)
        knobs = [
            Knob(
                f"iin{k}",
                ("vdd", f"in{k}") if on.high == "vdd" else (f"in{k}", "0"),
                Waveform.constant(self.i_in),
            )
            for k in range(1, self.inputs + 1)
        ]
        probes = ["i(vdd)", *(f"i(vout{k})" for k in range(1, self.inputs + 1))]
        # The first wins a second turn, so that every win is a change.
        analysis = Transient((self.inputs + 1) * self.turn, self.maximum_step)
        return bench_deck(self.name, circuit, process, analysis, probes, knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """The lead goes round, and comes to the first again."""
        times = self.turn * np.arange(self.inputs + 1)
        knobs: dict[str, Value] = {}
        for k in range(self.inputs):
            leads = np.arange(self.inputs + 1) % self.inputs == k
            values = self.i_in * (1 + self.lead * leads)
            knobs[f"iin{k + 1}"] = steps_of(times, values, 1e-7)
        return [knobs]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """The winner of each turn has 90 % of the bias at its end; energy of a turn's settling."""
        wave = waveforms[0]
        power = _winner_power(wave, self.cell, self.inputs, on)
        won, times, energies = 0, [], []
        for turn in range(1, self.inputs + 1):
            output = np.abs(wave[f"i(vout{turn % self.inputs + 1})"]) / self.i_bias
            start, end = turn * self.turn, (turn + 1) * self.turn
            inside = (wave.time >= start) & (wave.time <= end)
            won += bool(np.interp(end, wave.time, output) > 0.9)
            settled = first_crossing(wave.time[inside], output[inside], 0.9, "rising")
            until = inside & (wave.time <= settled)
            times.append(settled - start)
            points = np.append(wave.time[until], settled)
            energies.append(np.trapezoid(np.interp(points, wave.time, power), points))
        return {
            "winner-take-all, turns won rightly": won / self.inputs,
            "winner-take-all, settling to 90 % of the bias, slowest": float(np.max(times)),
            "winner-take-all, energy of a decision": float(np.max(energies)),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """All outputs."""
        wave = waveforms[0]
        lines = tuple(
            Line(f"output {k}", wave.time, np.abs(wave[f"i(vout{k})"]))
            for k in range(1, self.inputs + 1)
        )
        return (Panel("Each input in turn the largest", "time", "s", "output", "A", lines),)


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "winner_take_all",
        "Winner-take-all",
        WinnerTakeAll,
        (WinnerBench(), WinnerSettlingBench()),
    ),
)
