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
from spicesnn.measure.levels import crossings, first_crossing, settling_time, width_at
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
    return float(np.trapezoid(values[inside], wave.time[inside]) / np.ptp(wave.time[inside]))


def _steps(times: Sequence[float], values: Sequence[float], edge: float) -> Waveform:
    """A source that goes to a value at each time, in a straight line over `edge` seconds."""
    corners = np.array([[t, t + edge] for t in times[1:]]).ravel()
    levels = np.array([[a, b] for a, b in zip(values, values[1:], strict=False)]).ravel()
    return Waveform(np.r_[times[0], corners], np.r_[values[0], levels])


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
    """The window of the box over the difference of its inputs, for four threshold currents."""

    name: ClassVar[str] = "box"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "box, window at a threshold of 0.1 I_b": Quantity("V"),
        "box, window at a threshold of 0.4 I_b": Quantity("V"),
        "box, window over law, most": Quantity(
            "1", 0.9, 1.1, law="4 (U_T/κ) arccosh √((S/4)(I_b/I_threshold - 1))"
        ),
        "box, window over law, least": Quantity("1", 0.9, 1.1),
        "box, centre of the window": Quantity("V", scale=1e-3),
        "box, bump current at the edge over threshold": Quantity("1", 0.9, 1.1),
    }

    box: Box = Box()
    i_bias: float = parameter(2e-9, unit="A", doc="tail current", gt=0)
    i_limit: float = parameter(1e-9, unit="A", doc="limit of the slow inverters", gt=0)
    headroom: float = parameter(0.4, unit="V", doc="rail under the inputs' diode", gt=0)
    span: float = parameter(0.25, unit="V", doc="largest difference, to each side", gt=0)
    THRESHOLDS: ClassVar[tuple[float, ...]] = (0.05, 0.1, 0.2, 0.4)

    def deck(self, process: Process) -> Deck:
        """The box switched on."""
        circuit, knobs = _box_circuit(process, self.box, self.i_bias, self.i_limit, self.headroom)
        on = side(process, self.box.bump.complement)
        _held(circuit, "enable", process.supply if on.high == "vdd" else 0.0)
        sweep = DcSweep("vdiff", -self.span, self.span, self.span / 250)
        probes = ["v(inside)", "i(vantibump)"]
        return bench_deck(self.name, circuit, process, sweep, probes, knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep for each threshold."""
        return [{"vpart": part} for part in self.THRESHOLDS]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Where `inside` turns, beside where the law has it."""
        edges = [self._edges(wave, on) for wave in waveforms]
        width = np.array([high - low for low, high in edges])
        ratio = width / self._law(np.array(self.THRESHOLDS), on)
        wave, (low, high) = waveforms[2], edges[2]
        anti = np.interp([low, high], wave.time, np.abs(wave["i(vantibump)"])) / self.i_bias
        return {
            "box, window at a threshold of 0.1 I_b": float(width[1]),
            "box, window at a threshold of 0.4 I_b": float(width[3]),
            "box, window over law, most": float(ratio.max()),
            "box, window over law, least": float(ratio.min()),
            "box, centre of the window": (low + high) / 2,
            "box, bump current at the edge over threshold": float(
                (1 - anti).mean() / self.THRESHOLDS[2]
            ),
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
        delays = []
        for wave in waveforms:
            inside = wave["v(inside)"]
            if self.box.bump.complement:
                inside = on.supply - inside
            for start, direction in ((0.1e-3, "rising"), (0.3e-3, "falling")):
                turn = first_crossing(wave.time, inside, on.supply / 2, direction, start)  # type: ignore[arg-type]
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
        """From a tenth of the bias current to twice it and back."""
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
            "comparator, static power below": _average(wave, power, 0.0, 0.01 * self.stop),
            "comparator, static power above": _average(
                wave, power, 0.49 * self.stop, 0.51 * self.stop
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
        return Waveform(time, np.array([0.1, 2.0, 0.1]) * self.bias.i_threshold)


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
    v_return: float = parameter(0.25, unit="V", doc="rail under the read diodes", gt=0)
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
        off, ratio = _off_law(outputs, [self._weight(w, y) for w, y in self._runs(waveforms)],
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
            law = self.i_bias * self._weight(wave, place)
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

    @staticmethod
    def _weight(wave: Waveforms, place: float) -> Array:
        """`(I+ - I-)/(I+ + I-)`, of currents or conductances."""
        plus, minus = 10**wave.time, 10**place
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


ENTRIES: tuple[Entry, ...] = (
    Entry("bump", "Bump-antibump circuit", Bump, (BumpBench(),)),
    Entry("box", "Bump as a logic gate with enable", Box, (BoxBench(), BoxTimingBench())),
    Entry(
        "trace_comparator",
        "Trace comparator",
        TraceComparator,
        (ComparatorBench(), ComparatorDelayBench()),
    ),
    Entry("normaliser", "Gilbert normaliser", Normaliser, (NormaliserBench(),)),
)
