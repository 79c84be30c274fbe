"""Benches of the learning cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
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
from spicesnn.characterize.condition import Condition, doubts
from spicesnn.circuits.cells.bump import Box, Bump
from spicesnn.circuits.cells.cell import bias_current, capacitor, diode
from spicesnn.circuits.cells.current_subtractor import SubtractorInput, SubtractorOutput
from spicesnn.circuits.cells.normaliser import Normaliser
from spicesnn.circuits.cells.side import side
from spicesnn.circuits.cells.trace_comparator import TraceComparator, TraceComparatorBias
from spicesnn.circuits.cells.winner_take_all import WinnerTakeAll, WinnerTakeAllTail
from spicesnn.circuits.deck import DcSweep, Deck, Knob, Transient, Value, Waveform
from spicesnn.measure.levels import Direction, crossings, first_crossing, settling_time, width_at
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]
NAN = float("nan")


def _held(circuit: Circuit, node: str, volts: float) -> None:
    """A node held by a source of its own, which measures what flows into it."""
    circuit.V(node, node, "0", raw_spice=f"dc {spice_number(volts)}")


def _middle(wave: Waveforms, name: str) -> float:
    """A signal at the middle of a sweep: at zero of one that goes to both sides."""
    return float(wave[name][wave.time.size // 2])


def _average(wave: Waveforms, values: Array, start: float, end: float) -> float:
    """Of a signal over a time in which it rests: the solver's current rings from step to step."""
    inside = (wave.time >= start) & (wave.time <= end)
    if inside.sum() < 2:
        return NAN
    return float(np.trapezoid(values[inside], wave.time[inside]) / np.ptp(wave.time[inside]))


def _settled(time: Array, y: Array, start: float) -> float:
    """Time from `start` until a curve stays within 5 % of where it ends, seconds.

    Means of neighbours, and at the end of the last quarter: the solver's current rings from step to
    step.
    """
    middle, mean = (time[1:] + time[:-1]) / 2, (y[1:] + y[:-1]) / 2
    final = float(mean[middle > 0.75 * time[-1]].mean())
    return settling_time(middle, mean, start, final, 0.05 * abs(final))


def _steps(times: npt.ArrayLike, values: npt.ArrayLike, edge: float) -> Waveform:
    """A source that goes to a value at each time, in a straight line over `edge` seconds."""
    begin, level = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64)
    corners = np.column_stack([begin[1:], begin[1:] + edge]).ravel()
    levels = np.column_stack([level[:-1], level[1:]]).ravel()
    return Waveform(np.r_[begin[0], corners], np.r_[level[0], levels])


def _bump_inputs(
    circuit: Circuit, process: Process, bump: Bump, i_bias: float, headroom: float
) -> Knob:
    """Inputs about a diode on a rail, plus and minus half the difference: the knob `vdiff`."""
    on = side(process, bump.complement)
    _held(circuit, "stand", process.supply - headroom if bump.complement else headroom)
    size: Size = {"width": bump.width, "length": bump.length}
    diode(circuit, on.n, "stand", "mid", "stand", bulk=on.low, **size)
    # About what each branch carries when the inputs are equal; not from the cell's supply.
    bias_current(circuit, "stand", *(("mid", "0") if bump.complement else ("0", "mid")), i_bias / 4)
    circuit.raw_spice += "B1 v1 0 v = v(mid) + 0.5*v(diff)\nB2 v2 0 v = v(mid) - 0.5*v(diff)\n"
    return Knob("vdiff", ("diff", "0"), 0.0)


def _bump_law(difference: Array, bump: Bump, i_bias: float, on: Condition) -> Array:
    kappa = (on.pfet if bump.complement else on.nfet).kappa
    argument = kappa * difference / (2 * on.thermal_voltage)
    return np.asarray(i_bias / (1 + 4 / bump.middle * np.cosh(argument) ** 2))


class BumpBench(Bench):
    """The bump over the difference of its inputs, both swept about a diode on a rail."""

    name: ClassVar[str] = "bump"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "bump, largest": Quantity("A"),
        "bump over law, ±100 mV, most": Quantity(
            "1", 0.9, 1.1, law="I_b / (1 + (4/S) cosh²(κ(V1-V2)/(2 U_T)))"
        ),
        "bump over law, ±100 mV, least": Quantity("1", 0.9, 1.1),
        "antibump over law, ±100 mV, most": Quantity("1", 0.9, 1.1, law="I_b - I_bump"),
        "antibump over law, ±100 mV, least": Quantity("1", 0.9, 1.1),
        "bump, full width at half height": Quantity("V"),
        "bump, centre": Quantity("V", scale=1e-3),
        "bump and antibump over bias": Quantity("1"),
        "bump cell, static power": Quantity("W"),
    }

    cell: Bump = Bump()
    i_bias: float = parameter(2e-9, unit="A", doc="tail current", gt=0)
    headroom: float = parameter(0.4, unit="V", doc="rail under the inputs' diode", gt=0)
    span: float = parameter(0.25, unit="V", doc="largest difference, to each side", gt=0)

    def deck(self, process: Process) -> Deck:
        """The cell switched on, outputs at the rail that they sink from."""
        circuit, on = bench_circuit(process, self.cell), side(process, self.cell.complement)
        knob = _bump_inputs(circuit, process, self.cell, self.i_bias, self.headroom)
        for output in ("bump", "antibump"):
            _held(circuit, output, process.supply if on.high == "vdd" else 0.0)
        on.current_from_high(circuit, "bias", "bias", self.i_bias)
        circuit.X("bump", "bump", "v1", "v2", "bump", "antibump", "bias", on.high, "vdd")
        sweep = DcSweep("vdiff", -self.span, self.span, self.span / 250)
        return bench_deck(
            self.name, circuit, process, sweep, ["i(vbump)", "i(vantibump)"], [knob]
        )  # fmt: skip

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Height, width, centre, and the ratios to the law between -100 and 100 mV."""
        difference, bump, antibump = self._curves(waveforms)
        near = np.abs(difference) <= 0.1 + 1e-9
        law = _bump_law(difference, self.cell, self.i_bias, on)
        ratio, other = (bump / law)[near], (antibump / (self.i_bias - law))[near]
        weight = np.where(bump > 0.9 * bump.max(), bump, 0.0)
        total = float(weight.sum())
        both = float((bump + antibump)[np.abs(difference).argmin()])
        return {
            "bump, largest": float(bump.max()),
            "bump over law, ±100 mV, most": float(ratio.max()),
            "bump over law, ±100 mV, least": float(ratio.min()),
            "antibump over law, ±100 mV, most": float(other.max()),
            "antibump over law, ±100 mV, least": float(other.min()),
            "bump, full width at half height": width_at(difference, bump),
            "bump, centre": float((difference * weight).sum()) / total if total > 0 else NAN,
            "bump and antibump over bias": both / self.i_bias,
            "bump cell, static power": on.supply * (both + self.i_bias),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The bump and its law."""
        difference, bump, antibump = self._curves(waveforms)
        law = _bump_law(difference, self.cell, self.i_bias, on)
        lines = (
            Line("bump", difference, bump), Line("law of the bump", difference, law, law=True),
            Line("antibump", difference, antibump),
            Line("law of the antibump", difference, self.i_bias - law, law=True),
        )  # fmt: skip
        return (Panel("Bump and antibump", "V1 - V2", "V", "current", "A", lines),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The tail current in the outer transistors."""
        kind = "pfet" if self.cell.complement else "nfet"
        return doubts({"i_bias": (self.i_bias, kind, self.cell.width, self.cell.length)}, on)

    @staticmethod
    def _curves(waveforms: Sequence[Waveforms]) -> tuple[Array, Array, Array]:
        wave = waveforms[0]
        return wave.time, np.abs(wave["i(vbump)"]), np.abs(wave["i(vantibump)"])


def _box_circuit(
    process: Process, box: Box, i_bias: float, i_limit: float, headroom: float
) -> tuple[Circuit, list[Knob]]:
    """The box with its inputs: knobs `vdiff`, and `vthreshold` for the threshold's amperes."""
    circuit, on = bench_circuit(process, box), side(process, box.bump.complement)
    inputs = _bump_inputs(circuit, process, box.bump, i_bias, headroom)
    _held(circuit, "antibump", process.supply if on.high == "vdd" else 0.0)
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
        _held(circuit, "enable", process.supply if on.high == "vdd" else 0.0)
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
            {"vdiff": 0.0, "venable": _steps(times, (off, on, off), edge)},
            {"venable": on, "vdiff": _steps(times, (self.apart, 0.0, self.apart), edge)},
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
        off = _average(wave, power, 0.02e-3, 0.098e-3)
        return {
            "box, delay of enable": delays[0],
            "box, delay of disable": delays[1],
            "box, delay into the window": delays[2],
            "box, delay out of the window": delays[3],
            "box, static power when on": _average(wave, power, 0.25e-3, 0.298e-3),
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


class ComparatorBench(Bench):
    """The trace comparator on a current that rises slowly through its threshold and falls again."""

    name: ClassVar[str] = "trace_comparator"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "comparator, rising threshold over bias": Quantity("1"),
        "comparator, falling threshold over bias": Quantity("1"),
        "comparator, rising threshold over law": Quantity(
            "1", 0.9, 1.1, law="I_threshold (parts + 1)/parts"
        ),
        "comparator, falling threshold over law": Quantity("1", 0.9, 1.1, law="I_threshold"),
        "comparator, hysteresis over bias": Quantity("1", 0.1, 0.4, law="1/parts"),
        "comparator, static power below": Quantity("W"),
        "comparator, static power above": Quantity("W"),
    }

    cell: TraceComparator = TraceComparator()
    bias: TraceComparatorBias = TraceComparatorBias()
    stop: float = parameter(40e-3, unit="s", doc="length of the run", gt=0)
    maximum_step: float = parameter(4e-5, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Trace current into an nfet of the input's size, and the threshold's current."""
        circuit, knob = _comparator_circuit(process, self.cell, self.bias)
        probes = ["v(above)", "i(vdd)"]
        analysis = Transient(self.stop, self.maximum_step)
        return bench_deck(self.name, circuit, process, analysis, probes, [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """From a tenth of the bias current to thrice it and back."""
        return [{"itrace": self._ramp()}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """The trace's current where `above` turns, and the supply's power at both ends."""
        wave, ramp, bias = waveforms[0], self._ramp(), self.bias.i_threshold
        above, half = wave["v(above)"], on.supply / 2
        turns = [
            first_crossing(wave.time, above, half, "rising"),
            first_crossing(wave.time, above, half, "falling"),
        ]
        rise, fall = (float(np.interp(t, ramp.time, ramp.value)) / bias for t in turns)
        power = -on.supply * wave["i(vdd)"]
        parts = self.cell.parts
        return {
            "comparator, rising threshold over bias": rise,
            "comparator, falling threshold over bias": fall,
            "comparator, rising threshold over law": rise * parts / (parts + 1),
            "comparator, falling threshold over law": fall,
            "comparator, hysteresis over bias": rise - fall,
            "comparator, static power below": float(power[0]),
            "comparator, static power above": _average(
                wave, power, 0.4 * self.stop, 0.6 * self.stop
            ),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The output over the trace's current, with the law's two thresholds."""
        wave, ramp = waveforms[0], self._ramp()
        current = np.interp(wave.time, ramp.time, ramp.value)
        up = wave.time <= self.stop / 2
        parts, bias = self.cell.parts, self.bias.i_threshold
        edges = np.array([0.0, on.supply])
        lines = (
            Line("rising", current[up], wave["v(above)"][up]),
            Line("falling", current[~up], wave["v(above)"][~up]),
            Line("law, rising", np.full(2, bias * (parts + 1) / parts), edges, law=True),
            Line("law, falling", np.full(2, bias), edges, law=True),
        )
        return (Panel("Hysteresis", "trace current", "A", "above", "V", lines),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The threshold's current in one part of its mirror, and the trace's."""
        cell = self.cell
        part = (self.bias.i_threshold / cell.parts, "pfet", cell.width, cell.part_length)
        trace = (self.bias.i_threshold, "nfet", cell.width, cell.length)
        return doubts({"i_threshold": part, "trace current": trace}, on)

    def _ramp(self) -> Waveform:
        time = np.array([0.0, 0.5, 1.0]) * self.stop
        return Waveform(time, np.array([0.1, 3.0, 0.1]) * self.bias.i_threshold)


def _comparator_circuit(
    process: Process, cell: TraceComparator, bias: TraceComparatorBias
) -> tuple[Circuit, Knob]:
    """The comparator behind a mirror input: knob `itrace`. Only it takes from `vdd`."""
    circuit = bench_circuit(process, cell, bias)
    circuit.V("bias", "vdd_bias", "0", raw_spice=f"dc {spice_number(process.supply)}")
    diode(circuit, process.nfet, "trace", "v_p", "0", width=cell.width, length=cell.length)
    circuit.X("comparator", "trace_comparator", *cell.ports)
    circuit.X("bias", "trace_comparator_bias", "threshold", "limit", "vdd_bias")
    for output in ("above", "below"):
        capacitor(circuit, output, output, "0", 10e-15)
    return circuit, Knob("itrace", ("0", "v_p"), Waveform.constant(0.0))


class ComparatorDelayBench(Bench):
    """Steps of the trace's current from a tenth of the threshold to over-drive and back."""

    name: ClassVar[str] = "trace_comparator_delay"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "comparator, delay to twice the threshold": Quantity("s"),
        "comparator, delay to ten times the threshold": Quantity("s"),
        "comparator, delay back from twice the threshold": Quantity("s"),
        "comparator, delay back from ten times the threshold": Quantity("s"),
        "comparator, energy of a rise": Quantity("J"),
        "comparator, energy of a fall": Quantity("J"),
    }

    cell: TraceComparator = TraceComparator()
    bias: TraceComparatorBias = TraceComparatorBias()
    maximum_step: float = parameter(1e-6, unit="s", doc="bound of the solver's step", gt=0)
    OVERDRIVES: ClassVar[tuple[float, ...]] = (2.0, 10.0)

    def deck(self, process: Process) -> Deck:
        """As for the thresholds."""
        circuit, knob = _comparator_circuit(process, self.cell, self.bias)
        probes = ["v(above)", "v(xcomparator.sense)", "i(vdd)"]
        analysis = Transient(1e-3, self.maximum_step)
        return bench_deck(self.name, circuit, process, analysis, probes, [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Up at 0.1 ms, down at 0.5 ms."""
        times = (0.0, 0.1e-3, 0.5e-3)
        bias = self.bias.i_threshold
        low = 0.1 * bias
        return [
            {"itrace": _steps(times, (low, over * bias, low), 1e-7)} for over in self.OVERDRIVES
        ]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Delays to half the supply; energies over what the states before and after take."""
        half = on.supply / 2
        up = [first_crossing(w.time, w["v(above)"], half, "rising") - 0.1e-3 for w in waveforms]
        down = [first_crossing(w.time, w["v(above)"], half, "falling") - 0.5e-3 for w in waveforms]
        wave = waveforms[0]
        return {
            "comparator, delay to twice the threshold": up[0],
            "comparator, delay to ten times the threshold": up[1],
            "comparator, delay back from twice the threshold": down[0],
            "comparator, delay back from ten times the threshold": down[1],
            "comparator, energy of a rise": self._energy(wave, on, 0.1e-3, 0.499e-3),
            "comparator, energy of a fall": self._energy(wave, on, 0.5e-3, 1e-3),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The slow node and the output, at twice the threshold."""
        wave = waveforms[0]
        lines = (
            Line("sense", wave.time, wave["v(xcomparator.sense)"]),
            Line("above", wave.time, wave["v(above)"]),
        )
        return (Panel("Step to twice the threshold", "time", "s", "voltage", "V", lines),)

    @staticmethod
    def _energy(wave: Waveforms, on: Condition, start: float, end: float) -> float:
        """Of the supply, over the power that it delivers in the last half of the time."""
        inside = (wave.time >= start) & (wave.time <= end)
        power = -on.supply * wave["i(vdd)"]
        rest = _average(wave, power, (start + end) / 2, end)
        return float(np.trapezoid(power[inside] - rest, wave.time[inside]))


def _normaliser_circuit(
    process: Process, cell: Normaliser, v_return: float, i_bias: float
) -> Circuit:
    """The normaliser with its tail's mirror input, outputs held at half the supply."""
    circuit = bench_circuit(process, cell)
    for node, volts in (
        ("v_return", v_return), ("sum_plus", process.supply / 2), ("sum_minus", process.supply / 2),
    ):  # fmt: skip
        _held(circuit, node, volts)
    diode(circuit, process.nfet, "tail", "v_p", "0", width=cell.width, length=cell.length)
    circuit.X("normaliser", "normaliser", *cell.ports)
    # The mirror input of all normalisers on a trace: not from the cell's supply.
    bias_current(circuit, "tail", "0", "v_p", i_bias)
    return circuit


def _normaliser_outputs(wave: Waveforms) -> tuple[Array, Array]:
    return -wave["i(vsum_plus)"], -wave["i(vsum_minus)"]


class NormaliserBench(Bench):
    """The normaliser over currents into its two sides, ten to one each."""

    name: ClassVar[str] = "normaliser"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "normaliser, output off the law over bias, most": Quantity(
            "1", None, 0.05, law="I_b (I+ - I-)/(I+ + I-)"
        ),
        "normaliser, output over law, most": Quantity("1", 0.95, 1.05),
        "normaliser, output over law, least": Quantity("1", 0.95, 1.05),
        "normaliser, sum of the outputs over bias": Quantity("1", 0.95, 1.05),
        "normaliser, offset at equal currents over bias": Quantity("1", scale=0.01),
        "normaliser, static power": Quantity("W"),
    }

    cell: Normaliser = Normaliser()
    v_return: float = parameter(0.28, unit="V", doc="rail under the read diodes", gt=0)
    i_read: float = parameter(1e-9, unit="A", doc="middle of the inputs' range", gt=0)
    i_bias: float = parameter(1e-9, unit="A", doc="tail current", gt=0)
    PLACES: ClassVar[tuple[float, ...]] = (-0.5, 0.0, 0.5)

    def deck(self, process: Process) -> Deck:
        """Currents `i_read * 10**u`: `vx` is the plus side's u and swept, `vy` the minus side's."""
        circuit = _normaliser_circuit(process, self.cell, self.v_return, self.i_bias)
        for name, node in (("x", "plus"), ("y", "minus")):
            law = f"{spice_number(self.i_read)}*exp(v({name})*2.302585093)"
            circuit.raw_spice += f"B{name} 0 {node} i = {law}\n"
        knobs = [Knob("vx", ("x", "0"), 0.0), Knob("vy", ("y", "0"), 0.0)]
        probes = ["i(vsum_plus)", "i(vsum_minus)", "v(plus)", "v(minus)"]
        sweep = DcSweep("vx", -0.5, 0.5, 0.01)
        return bench_deck(self.name, circuit, process, sweep, probes, knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """The minus side at both ends and in the middle."""
        return [{"vy": place} for place in self.PLACES]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Differences from the law over the bias, and the ratio where the law is a tenth of it."""
        outputs = [_normaliser_outputs(wave) for wave in waveforms]
        off, ratio = _off_law(outputs, [_weight(w.time, y) for w, y in self._runs(waveforms)],
                              self.i_bias)  # fmt: skip
        plus, minus = outputs[1]
        middle, total = plus.size // 2, np.array([p + m for p, m in outputs]) / self.i_bias
        read = self.i_read * float(
            _middle(waveforms[1], "v(plus)") + _middle(waveforms[1], "v(minus)") - 2 * self.v_return
        )
        return {
            "normaliser, output off the law over bias, most": float(off.max()),
            "normaliser, output over law, most": float(ratio.max()),
            "normaliser, output over law, least": float(ratio.min()),
            "normaliser, sum of the outputs over bias": float(
                total.ravel()[np.abs(total - 1).argmax()]
            ),
            "normaliser, offset at equal currents over bias": float(plus[middle] - minus[middle])
            / self.i_bias,
            "normaliser, static power": on.supply * float(plus[middle] + minus[middle]) + read,
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The difference of the outputs over the plus side's current."""
        lines = []
        for wave, place in self._runs(waveforms):
            plus, minus = _normaliser_outputs(wave)
            current, other = self.i_read * 10**wave.time, self.i_read * 10**place
            law = self.i_bias * _weight(wave.time, place)
            lines.append(Line(f"I- = {other * 1e9:.2g} nA", current, plus - minus))
            lines.append(Line(f"law, I- = {other * 1e9:.2g} nA", current, law, law=True))
        title = "Difference of the outputs"
        return (Panel(title, "I+", "A", "I(sum_plus) - I(sum_minus)", "A", tuple(lines), "x"),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The largest input current and the tail's."""
        size = ("nfet", self.cell.width, self.cell.length)
        most = self.i_read * 10**0.5
        return doubts({"largest input": (most, *size), "i_bias": (self.i_bias, *size)}, on)

    def _runs(self, waveforms: Sequence[Waveforms]) -> list[tuple[Waveforms, float]]:
        return list(zip(waveforms, self.PLACES, strict=True))


def _weight(decades: Array, place: float) -> Array:
    """`(I+ - I-)/(I+ + I-)` of currents or conductances, from their decades."""
    plus, minus = 10**decades, 10**place
    return np.asarray((plus - minus) / (plus + minus))


def _off_law(
    outputs: Sequence[tuple[Array, Array]], weights: Sequence[Array], i_bias: float
) -> tuple[Array, Array]:
    """How far differences of outputs are from `i_bias` times the weights.

    Returns:
        Distances over the bias, and ratios to the law where it is at least a tenth of the bias.
    """
    difference = np.array([plus - minus for plus, minus in outputs]) / i_bias
    weight = np.array(weights)
    large = np.abs(weight) >= 0.1
    return np.abs(difference - weight), difference[large] / weight[large]


class NormaliserReadBench(Bench):
    """The normaliser behind two resistive devices, ten to one each, read from a rail.

    At the defaults the conductances run from 1.6 to 16 nS, and of the 1.5 V of the rail 0.6 to
    0.8 V stand across a device. The read diode's voltage moves by `U_T/kappa` an e-fold of
    current: the less a device has, the less the ratio of currents is that of conductances.
    """

    name: ClassVar[str] = "normaliser_read"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "normaliser, output off the law of conductances over bias, most": Quantity(
            "1", None, 0.1, law="I_b (G+ - G-)/(G+ + G-)"
        ),
        "normaliser, output over law of conductances, most": Quantity("1", 0.9, 1.1),
        "normaliser, output over law of conductances, least": Quantity("1", 0.9, 1.1),
        "normaliser, voltage across a device, least": Quantity("V"),
        "normaliser, voltage across a device, most": Quantity("V"),
        "normaliser, read power at middle conductances": Quantity("W"),
    }

    cell: Normaliser = Normaliser()
    v_return: float = parameter(0.28, unit="V", doc="rail under the read diodes", gt=0)
    v_read: float = parameter(1.5, unit="V", doc="rail of the devices", gt=0)
    conductance: float = parameter(5e-9, unit="S", doc="middle of the devices' range", gt=0)
    i_bias: float = parameter(1e-9, unit="A", doc="tail current", gt=0)
    PLACES: ClassVar[tuple[float, ...]] = (-0.5, 0.0, 0.5)

    def deck(self, process: Process) -> Deck:
        """Conductances `conductance * 10**u`, u as in the bench of currents."""
        circuit = _normaliser_circuit(process, self.cell, self.v_return, self.i_bias)
        _held(circuit, "v_read", self.v_read)
        for name, node in (("x", "plus"), ("y", "minus")):
            law = f"{spice_number(self.conductance)}*exp(v({name})*2.302585093)*v(v_read,{node})"
            circuit.raw_spice += f"B{name} v_read {node} i = {law}\n"
        knobs = [Knob("vx", ("x", "0"), 0.0), Knob("vy", ("y", "0"), 0.0)]
        probes = ["i(vsum_plus)", "i(vsum_minus)", "i(vv_read)", "v(plus)", "v(minus)"]
        sweep = DcSweep("vx", -0.5, 0.5, 0.01)
        return bench_deck(self.name, circuit, process, sweep, probes, knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """The minus side at both ends and in the middle."""
        return [{"vy": place} for place in self.PLACES]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """As with currents; the devices' voltage besides."""
        outputs = [_normaliser_outputs(wave) for wave in waveforms]
        weights = [_weight(w.time, y) for w, y in zip(waveforms, self.PLACES, strict=True)]
        off, ratio = _off_law(outputs, weights, self.i_bias)
        across = self.v_read - np.array([w["v(plus)"] for w in waveforms])
        return {
            "normaliser, output off the law of conductances over bias, most": float(off.max()),
            "normaliser, output over law of conductances, most": float(ratio.max()),
            "normaliser, output over law of conductances, least": float(ratio.min()),
            "normaliser, voltage across a device, least": float(across.min()),
            "normaliser, voltage across a device, most": float(across.max()),
            "normaliser, read power at middle conductances": -self.v_read
            * _middle(waveforms[1], "i(vv_read)"),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The difference of the outputs over the weight."""
        plus, minus = _normaliser_outputs(waveforms[1])
        weight = _weight(waveforms[1].time, 0.0)
        lines = (
            Line("simulated", weight, plus - minus),
            Line("law", weight, self.i_bias * weight, law=True),
        )
        title, x = "Output over the weight of two conductances", "(G+ - G-)/(G+ + G-)"
        return (Panel(title, x, "", "I(sum_plus) - I(sum_minus)", "A", lines),)


class NormaliserSettlingBench(Bench):
    """The normaliser's currents exchanged, and its tail current raised tenfold."""

    name: ClassVar[str] = "normaliser_settling"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "normaliser, settling of exchanged currents to 5 %": Quantity("s"),
        "normaliser, settling of the tail to 5 %": Quantity("s"),
    }

    cell: Normaliser = Normaliser()
    v_return: float = parameter(0.28, unit="V", doc="rail under the read diodes", gt=0)
    i_read: float = parameter(1e-9, unit="A", doc="middle of the inputs' range", gt=0)
    i_bias: float = parameter(1e-9, unit="A", doc="tail current", gt=0)
    maximum_step: float = parameter(5e-8, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Knobs `iplus` and `iminus`, and `istep` for what is added to the tail's current."""
        circuit = _normaliser_circuit(process, self.cell, self.v_return, 0.1 * self.i_bias)
        knobs = [
            Knob(f"i{name}", ("0", node), Waveform.constant(0.0))
            for name, node in (("plus", "plus"), ("minus", "minus"), ("step", "v_p"))
        ]
        probes = ["i(vsum_plus)", "i(vsum_minus)"]
        analysis = Transient(4e-5, self.maximum_step)
        return bench_deck(self.name, circuit, process, analysis, probes, knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """At 10 us, in a straight line over 10 ns."""
        times, edge, root = (0.0, 1e-5), 1e-8, 10**0.5
        low, high, tail = self.i_read / root, self.i_read * root, 0.9 * self.i_bias
        return [
            {
                "iplus": _steps(times, (low, high), edge),
                "iminus": _steps(times, (high, low), edge),
                "istep": Waveform.constant(tail),
            },
            {
                "iplus": Waveform.constant(high),
                "iminus": Waveform.constant(low),
                "istep": _steps(times, (0.0, tail), edge),
            },
        ]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """From the step until the difference stays within 5 % of its last value."""
        settled = []
        for wave in waveforms:
            plus, minus = _normaliser_outputs(wave)
            settled.append(_settled(wave.time, plus - minus, 1e-5))
        return {
            "normaliser, settling of exchanged currents to 5 %": settled[0],
            "normaliser, settling of the tail to 5 %": settled[1],
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Both answers."""
        names = ("inputs exchanged", "tail raised tenfold")
        lines = tuple(
            Line(name, wave.time, np.subtract(*_normaliser_outputs(wave)))
            for name, wave in zip(names, waveforms, strict=True)
        )
        return (Panel("Settling", "time", "s", "I(sum_plus) - I(sum_minus)", "A", lines),)


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
        _held(circuit, "out", process.supply / 2)
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
        middle = [_middle(wave, "i(vout)") / self.i_sum for wave in waveforms]
        alone = float(waveforms[1]["i(vout)"][0]) / self.i_sum
        return {
            "subtractor, output off the law over largest input, most": float(np.max(off)),
            "subtractor, positive mirror over law": middle[0],
            "subtractor, negative mirror over law": -alone,
            "subtractor, offset at equal inputs over input": middle[1],
            "subtractor, static power at equal inputs": -on.supply
            * _middle(waveforms[1], "i(vdd)"),
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
        _held(circuit, "out", process.supply / 2)
        knobs = [
            Knob(f"i{n}", (f"sum_{n}", "0"), Waveform.constant(0.0)) for n in ("plus", "minus")
        ]
        analysis = Transient(4e-5, self.maximum_step)
        return bench_deck(self.name, circuit, process, analysis, ["i(vout)"], knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One input at a time, from a tenth of `i_sum` to `i_sum` at 10 us."""
        step = _steps((0.0, 1e-5), (0.1 * self.i_sum, self.i_sum), 1e-8)
        return [{"iplus": step}, {"iminus": step}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """From the step until the output stays within 5 % of its last value."""
        settled = [_settled(wave.time, wave["i(vout)"], 1e-5) for wave in waveforms]
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
        _held(circuit, f"out{k}", process.supply if on.high == "vdd" else 0.0)
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
        "winner-take-all, difference for 90 % of the bias": Quantity("1", None, 0.05),
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
        _held(circuit, "read", process.supply / 2)
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
            "winner-take-all, difference for 90 % of the bias": (ends[1] - ends[0]) / 2,
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
            knobs[f"iin{k + 1}"] = _steps(times, values, 1e-7)
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
    Entry("bump", "Bump-antibump circuit", Bump, (BumpBench(),)),
    Entry("box", "Bump as a logic gate with enable", Box, (BoxBench(), BoxTimingBench())),
    Entry(
        "trace_comparator",
        "Trace comparator",
        TraceComparator,
        (ComparatorBench(), ComparatorDelayBench()),
    ),
    Entry(
        "normaliser",
        "Gilbert normaliser",
        Normaliser,
        (NormaliserBench(), NormaliserReadBench(), NormaliserSettlingBench()),
    ),
    Entry(
        "current_subtractor",
        "Current subtractor",
        SubtractorInput,
        (SubtractorBench(), SubtractorRangeBench(), SubtractorSettlingBench()),
    ),
    Entry(
        "winner_take_all",
        "Winner-take-all",
        WinnerTakeAll,
        (WinnerBench(), WinnerSettlingBench()),
    ),
)
