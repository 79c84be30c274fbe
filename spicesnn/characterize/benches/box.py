"""Benches of the bump with its comparison."""

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
    NAN,
    Array,
    average_of,
    bump_inputs,
    held_at,
    steps_of,
)
from spicesnn.characterize.condition import Condition, doubts
from spicesnn.circuits.cells.bump import Box
from spicesnn.circuits.cells.cell import capacitor
from spicesnn.circuits.cells.side import side
from spicesnn.circuits.deck import DcSweep, Deck, Knob, Transient, Value
from spicesnn.measure.levels import Direction, crossings, first_crossing
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


def _box_circuit(
    process: Process, box: Box, i_bias: float, i_limit: float, headroom: float
) -> tuple[Circuit, list[Knob]]:
    """The box with its inputs: knobs `vdiff`, and `vthreshold` for the threshold's amperes."""
    circuit, on = bench_circuit(process, box), side(process, box.bump.complement)
    inputs = bump_inputs(circuit, process, box.bump, i_bias, headroom)
    held_at(circuit, "antibump", process.supply if on.high == "vdd" else 0.0)
    on.current_from_high(circuit, "bias", "bias", i_bias)
    ends = "vdd threshold" if on.high == "vdd" else "threshold 0"
    # In units of the bias, so that the knob is of the order of one.
    circuit.raw_spice += f"B3 {ends} i = {spice_number(i_bias)}*v(part)\n"
    on.current_from_high(circuit, "limit", "limit", i_limit)
    circuit.X("box", "box", *box.ports)
    capacitor(circuit, "load", "inside", "0", 10e-15)
    return circuit, [inputs, Knob("vpart", ("part", "0"), 0.2)]


class BoxBench(Bench):
    """The window of the box over the difference of its inputs, for four threshold currents.

    The thresholds go up to about half of the bump's largest current: nearer to it the window's
    width hangs on every percent of the mirrors.
    """

    name: ClassVar[str] = "box"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "box, window at a threshold of 0.1 I_b": Quantity("V"),
        "box, window at a threshold of 0.3 I_b": Quantity("V"),
        "box, window over law, most": Quantity(
            "1", 0.9, 1.1, law="4 (U_T/κ) arccosh √((S/4)(I_b/I_threshold - 1))"
        ),
        "box, window over law, least": Quantity("1", 0.9, 1.1),
        "box, centre of the window": Quantity("V", scale=1e-3),
    }

    box: Box = Box()
    i_bias: float = parameter(2e-9, unit="A", doc="tail current", gt=0)
    i_limit: float = parameter(1e-9, unit="A", doc="limit of the slow inverters", gt=0)
    headroom: float = parameter(0.4, unit="V", doc="rail under the inputs' diode", gt=0)
    span: float = parameter(0.25, unit="V", doc="largest difference, to each side", gt=0)
    THRESHOLDS: ClassVar[tuple[float, ...]] = (0.05, 0.1, 0.2, 0.3)

    def deck(self, process: Process) -> Deck:
        """The box switched on."""
        circuit, knobs = _box_circuit(process, self.box, self.i_bias, self.i_limit, self.headroom)
        on = side(process, self.box.bump.complement)
        held_at(circuit, "enable", process.supply if on.high == "vdd" else 0.0)
        sweep = DcSweep("vdiff", -self.span, self.span, self.span / 500)
        return bench_deck(self.name, circuit, process, sweep, ["v(inside)"], knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep for each threshold."""
        return [{"vpart": part} for part in self.THRESHOLDS]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Where `inside` turns, beside where the law has it."""
        edges = [self._edges(wave, on) for wave in waveforms]
        width = np.array([high - low for low, high in edges])
        ratio = width / self._law(np.array(self.THRESHOLDS), on)
        return {
            "box, window at a threshold of 0.1 I_b": float(width[1]),
            "box, window at a threshold of 0.3 I_b": float(width[3]),
            "box, window over law, most": float(ratio.max()),
            "box, window over law, least": float(ratio.min()),
            "box, centre of the window": sum(edges[2]) / 2,
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The windows, and their width against the law."""
        gates = tuple(
            Line(f"threshold {part:g} I_b", wave.time, wave["v(inside)"])
            for part, wave in zip(self.THRESHOLDS, waveforms, strict=True)
        )
        parts = np.array(self.THRESHOLDS)
        width = np.array([high - low for low, high in (self._edges(w, on) for w in waveforms)])
        fine = np.geomspace(0.03, 0.49, 50)
        widths = (
            Line("simulated", parts, width), Line("law", fine, self._law(fine, on), law=True),
        )  # fmt: skip
        return (
            Panel("Output of the box", "V1 - V2", "V", "inside", "V", gates),
            Panel("Width of the window", "threshold over bias current", "", "width", "V", widths),
        )

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The tail current in the outer transistors."""
        bump, kind = self.box.bump, "pfet" if self.box.bump.complement else "nfet"
        return doubts({"i_bias": (self.i_bias, kind, bump.width, bump.length)}, on)

    def _law(self, parts: Array, on: Condition) -> Array:
        kappa = (on.pfet if self.box.bump.complement else on.nfet).kappa
        root = np.sqrt(np.maximum(self.box.bump.middle / 4 * (1 / parts - 1), 1.0))
        return np.asarray(4 * on.thermal_voltage / kappa * np.arccosh(root))

    def _edges(self, wave: Waveforms, on: Condition) -> tuple[float, float]:
        found = crossings(wave.time, wave["v(inside)"], on.supply / 2)
        return (float(found[0]), float(found[-1])) if found.size == 2 else (NAN, NAN)


class BoxTimingBench(Bench):
    """The box switched on and off, and its inputs brought together and apart."""

    name: ClassVar[str] = "box_timing"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "box, delay of enable": Quantity("s"),
        "box, delay of disable": Quantity("s"),
        "box, delay into the window": Quantity("s"),
        "box, delay out of the window": Quantity("s"),
        "box, static power when on": Quantity("W"),
        "box, static power when off": Quantity("W"),
        "box, energy of being on for 0.2 ms": Quantity("J"),
    }

    drawn: ClassVar[bool] = False

    box: Box = Box()
    i_bias: float = parameter(2e-9, unit="A", doc="tail current", gt=0)
    i_limit: float = parameter(1e-9, unit="A", doc="limit of the slow inverters", gt=0)
    headroom: float = parameter(0.4, unit="V", doc="rail under the inputs' diode", gt=0)
    apart: float = parameter(0.2, unit="V", doc="difference outside of the window", gt=0)
    maximum_step: float = parameter(1e-6, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """The box at a threshold of a fifth of its bias; the knob `venable` besides."""
        circuit, knobs = _box_circuit(process, self.box, self.i_bias, self.i_limit, self.headroom)
        probes = ["v(inside)", "i(vdd)", "i(vantibump)"]
        on_off = Knob("venable", ("enable", "0"), 0.0)
        return bench_deck(
            self.name, circuit, process, Transient(0.5e-3, self.maximum_step), probes,
            [*knobs, on_off],
        )  # fmt: skip

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """At 0.1 ms on (or together), at 0.3 ms off (or apart)."""
        times, edge = (0.0, 0.1e-3, 0.3e-3), 1e-8
        off, on = (process.supply, 0.0) if self.box.bump.complement else (0.0, process.supply)
        return [
            {"vdiff": 0.0, "venable": steps_of(times, (off, on, off), edge)},
            {"venable": on, "vdiff": steps_of(times, (self.apart, 0.0, self.apart), edge)},
        ]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Delays to half the supply; power from the supply and the antibump's rail."""
        turns: tuple[tuple[float, Direction], ...] = ((0.1e-3, "rising"), (0.3e-3, "falling"))
        delays = []
        for wave in waveforms:
            inside = wave["v(inside)"]
            if self.box.bump.complement:
                inside = on.supply - inside
            for start, direction in turns:
                turn = first_crossing(wave.time, inside, on.supply / 2, direction, start)
                delays.append(turn - start)
        wave = waveforms[0]
        power = -on.supply * (wave["i(vdd)"] + wave["i(vantibump)"])
        off = average_of(wave, power, 0.02e-3, 0.098e-3)
        return {
            "box, delay of enable": delays[0],
            "box, delay of disable": delays[1],
            "box, delay into the window": delays[2],
            "box, delay out of the window": delays[3],
            "box, static power when on": average_of(wave, power, 0.25e-3, 0.298e-3),
            "box, static power when off": off,
            "box, energy of being on for 0.2 ms": float(np.trapezoid(power - off, wave.time)),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Both runs."""
        names = ("enabled from 0.1 to 0.3 ms", "inputs equal from 0.1 to 0.3 ms")
        lines = tuple(
            Line(name, wave.time, wave["v(inside)"])
            for name, wave in zip(names, waveforms, strict=True)
        )
        return (Panel("Output of the box in time", "time", "s", "inside", "V", lines),)


ENTRIES: tuple[Entry, ...] = (
    Entry("box", "Bump as a logic gate with enable", Box, (BoxBench(), BoxTimingBench())),
)
