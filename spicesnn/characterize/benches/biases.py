"""Benches of mirrors and of what makes bias currents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from PySpice.Spice.Netlist import Circuit, SubCircuit

from spicesnn.characterize.bench import (
    Bench,
    Entry,
    Line,
    Panel,
    Quantity,
    bench_circuit,
    bench_deck,
)
from spicesnn.characterize.calibration import currents_of, residuals
from spicesnn.characterize.condition import Condition, doubts
from spicesnn.circuits.cells.bias_generator import TAPS, BiasGenerator
from spicesnn.circuits.cells.cell import bias_current, diode
from spicesnn.circuits.cells.current_dac import BITS, CurrentDac
from spicesnn.circuits.cells.side import side
from spicesnn.circuits.deck import DcSweep, Deck, Knob, OperatingPoint, Value
from spicesnn.measure.levels import first_crossing
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms

# Whether a side is the complement.
_SIDES = {"n": False, "p": True}
_MIRRORS = {
    "mirror n": "i(vn)", "mirror p": "i(vp)", "mirror n, long": "i(vnlong)",
    "mirror p, long": "i(vplong)",
}  # fmt: skip

_WANTED = np.geomspace(3e-12, 50e-9, 60)


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
        for kind, complement in _SIDES.items():
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
        probes = [f"i(v{kind}{word})" for kind in _SIDES for word in sizes]
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
            found[f"{name}, Early voltage at 1 nA"] = _early(here, there, 0.25 * on.supply)
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


class CurrentDacBench(Bench):
    """Both DACs over all codes, outputs at half the supply."""

    name: ClassVar[str] = "current_dac"
    properties: ClassVar[Mapping[str, Quantity]] = {
        f"current DAC {kind}, {what}": quantity
        for kind in ("n", "p")
        for what, quantity in {
            "gain over law": Quantity("1", 0.95, 1.05, law="I_unit code"),
            "DNL, largest": Quantity("LSB", high=0.5, scale=0.1),
            "INL, largest": Quantity("LSB", high=0.5, scale=0.1),
            "smallest step over law": Quantity("1", 0.0),
            "current at code 0 over unit": Quantity("1", high=0.5, scale=0.1),
        }.items()
    }

    cell: CurrentDac = CurrentDac()
    i_unit: float = parameter(100e-12, unit="A", doc="of the smallest bit", gt=0)

    def deck(self, process: Process) -> Deck:
        """Both sides on one code."""
        circuit = _dac_circuit(process, self.cell, self.i_unit)
        half = spice_number(process.supply / 2)
        for kind in _SIDES:
            circuit.V(kind, f"out_{kind}", "0", raw_spice=f"dc {half}")
        knob = Knob("vcode", ("code", "0"), 0.0)
        sweep = DcSweep("vcode", 0.0, float(self.cell.codes - 1), 1.0)
        return bench_deck(self.name, circuit, process, sweep, ["i(vn)", "i(vp)"], [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Gain from the end points; the steps against the mean step."""
        found: dict[str, float] = {}
        code = waveforms[0].time
        for kind in _SIDES:
            current = abs(waveforms[0][f"i(v{kind})"])
            step = float(current[-1] - current[0]) / (code.size - 1) or float("nan")
            steps = np.diff(current) / step
            line = (current - current[0]) / step - code
            found |= {
                f"current DAC {kind}, gain over law": step / self.i_unit,
                f"current DAC {kind}, DNL, largest": float(np.abs(steps - 1).max()),
                f"current DAC {kind}, INL, largest": float(np.abs(line).max()),
                f"current DAC {kind}, smallest step over law": float(steps.min()),
                f"current DAC {kind}, current at code 0 over unit": float(current[0] / self.i_unit),
            }
        return found

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Transfer of both and the law."""
        code = waveforms[0].time
        lines = [Line(kind, code, abs(waveforms[0][f"i(v{kind})"])) for kind in _SIDES]
        law = Line("law", code, code * self.i_unit, law=True)
        return (Panel("Current DAC", "code", "", "output current", "A", (*lines, law)),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The unit current in the unit transistors."""
        size = (self.cell.width, self.cell.length)
        return doubts({f"i_unit ({k})": (self.i_unit, k, *size) for k in ("nfet", "pfet")}, on)


class CurrentDacOutputBench(Bench):
    """Both DACs at full code over the output's distance from the rail."""

    name: ClassVar[str] = "current_dac_output"
    properties: ClassVar[Mapping[str, Quantity]] = {
        f"current DAC {kind}, {what}": quantity
        for kind in ("n", "p")
        for what, quantity in {
            "headroom for 95 % of law": Quantity("V", high=0.2, law="I_unit code"),
            "Early voltage": Quantity("V", 10.0),
        }.items()
    }

    # A draw's gain, not its output, would decide where it reaches 95 % of the law.
    drawn: ClassVar[bool] = False

    cell: CurrentDac = CurrentDac()
    i_unit: float = parameter(100e-12, unit="A", doc="of the smallest bit", gt=0)

    def deck(self, process: Process) -> Deck:
        """All bits on; the n output at `v(level)`, the p output as far under the supply."""
        circuit = _dac_circuit(process, self.cell, self.i_unit)
        full = spice_number(self.cell.codes - 1)
        circuit.V("code", "code", "0", raw_spice=f"dc {full}")
        circuit.V("n", "level", "out_n", raw_spice="dc 0")
        circuit.V("p", "level_p", "out_p", raw_spice="dc 0")
        circuit.raw_spice += "Blevel level_p 0 v = v(vdd) - v(level)\n"
        knob = Knob("vlevel", ("level", "0"), 0.0)
        sweep = DcSweep("vlevel", 0.0, process.supply, 0.01)
        return bench_deck(self.name, circuit, process, sweep, ["i(vn)", "i(vp)"], [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Headroom against the law; Early voltage between half the supply and three quarters."""
        found: dict[str, float] = {}
        level = waveforms[0].time
        for kind in _SIDES:
            current = abs(waveforms[0][f"i(v{kind})"])
            here, there = (float(np.interp(p * on.supply, level, current)) for p in (0.5, 0.75))
            found |= {
                f"current DAC {kind}, headroom for 95 % of law": first_crossing(
                    level, current, 0.95 * self.i_unit * (self.cell.codes - 1), "rising"
                ),
                f"current DAC {kind}, Early voltage": _early(here, there, 0.25 * on.supply),
            }
        return found

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Current of both and the law."""
        level = waveforms[0].time
        lines = [Line(kind, level, abs(waveforms[0][f"i(v{kind})"])) for kind in _SIDES]
        full = self.i_unit * (self.cell.codes - 1)
        law = full * -np.expm1(-level / on.thermal_voltage)
        drawn = (*lines, Line("law in weak inversion, no Early effect", level, law, law=True))
        title = "Output of the current DAC at full code"
        return (Panel(title, "from the rail", "V", "output current", "A", drawn),)


class BiasGeneratorBench(Bench):
    """Every tap, mirrored to half the supply, with the reference and with a tenth of it."""

    name: ClassVar[str] = "bias_generator"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "bias generator, octave, largest ratio": Quantity("1", 1.8, 2.2, law="2"),
        "bias generator, octave, smallest ratio": Quantity("1", 1.8, 2.2, law="2"),
        "bias generator, top tap over law": Quantity("1", 0.9, 1.1, law="I_reference / 2"),
        "bias generator, lowest tap over law": Quantity(
            "1", 0.9, 1.1, law="I_reference / 2^18: 0.4 pA"
        ),
        "bias generator, lowest tap less law": Quantity("A", scale=1e-13),
        "bias generator, lowest tap at a tenth of the reference": Quantity(
            "A", law="I_reference / 2^18: 40 fA"
        ),
        "bias generator, static power": Quantity("W"),
    }

    cell: BiasGenerator = BiasGenerator()
    i_reference: float = parameter(100e-9, unit="A", doc="reference current", gt=0)

    def deck(self, process: Process) -> Deck:
        """The generator and one output transistor as large as a tap's diode on each line."""
        circuit = bench_circuit(process, self.cell)
        # Outputs on a supply of their own: its current is not the generator's.
        circuit.V("load", "vload", "0", raw_spice=f"dc {spice_number(process.supply)}")
        circuit.X("generator", "bias_generator", *self.cell.ports)
        half = spice_number(process.supply / 2)
        size: Size = {"width": self.cell.mirror_width, "length": self.cell.mirror_length}
        for k in range(1, TAPS + 1):
            gate, out = f"tap{k}", f"out{k}"
            process.pfet(
                circuit, out, out, gate, "vload", "vload", multiplier=self.cell.mirror, **size
            )
            circuit.V(out, out, "0", raw_spice=f"dc {half}")
        probes = [*(f"i(vout{k})" for k in range(1, TAPS + 1)), "i(vdd)"]
        knob = Knob("ireference", ("vdd", "reference"), 0.0)
        full = self.i_reference
        # Upwards: some processes find the small currents' operating point far sooner.
        sweep = DcSweep("ireference", full / 10, full, full / 10)
        return bench_deck(self.name, circuit, process, sweep, probes, [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep, from a tenth of the reference."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Taps against the law."""
        taps, low = _taps(waveforms[0], -1), _taps(waveforms[0], 0)
        law = self.i_reference / 2.0 ** np.arange(1, TAPS + 1)
        ratio = taps[:-1] / taps[1:]
        return {
            "bias generator, octave, largest ratio": float(ratio.max()),
            "bias generator, octave, smallest ratio": float(ratio.min()),
            "bias generator, top tap over law": float(taps[0] / law[0]),
            "bias generator, lowest tap over law": float(taps[-1] / law[-1]),
            "bias generator, lowest tap less law": float(taps[-1] - law[-1]),
            "bias generator, lowest tap at a tenth of the reference": float(low[-1]),
            "bias generator, static power": float(-on.supply * waveforms[0]["i(vdd)"][-1]),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Taps at both references and their laws."""
        number = np.arange(1.0, TAPS + 1)
        lines: list[Line] = []
        for point, part, name in ((-1, 1.0, "reference"), (0, 0.1, "a tenth")):
            lines += [
                Line(name, number, _taps(waveforms[0], point)),
                Line(f"law, {name}", number, part * self.i_reference / 2**number, law=True),
            ]
        title = "Taps of the bias generator"
        return (Panel(title, "tap", "", "current", "A", tuple(lines), "y"),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """What the transistor model makes of a splitter."""
        return (
            "BSIM4 in weak inversion misses 1 - exp(-V_ds/U_T) by up to 30 % where V_ds is about "
            "U_T, with a sign that differs between cards; a splitter rests on it, so octaves a few "
            "per cent off 2 are the model's, not the circuit's.",
        )


class BiasCalibrationBench(Bench):
    """A DAC on every tap of the generator, and how well a wanted current can be chosen.

    The DAC's line is put on one tap after the other by an ideal follower. On each its current is
    measured at code 0 and with each bit alone; those of all codes are their sums, since the output
    is held. Settings for wanted currents are chosen from the law, from the taps measured at the
    largest bit, and from the currents of all codes; the errors are against the latter.
    """

    name: ClassVar[str] = "bias_generator_calibration"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "bias by law, largest error, 3 pA to 50 nA": Quantity("1", scale=0.1),
        "bias by measured taps, largest error, 3 pA to 50 nA": Quantity("1", scale=0.1),
        "bias by measured table, largest error, 3 pA to 50 nA": Quantity(
            "1", high=0.03, scale=0.1, law="half a step of the DAC: 1/64"
        ),
    }

    cell: BiasGenerator = BiasGenerator()
    dac: CurrentDac = CurrentDac(complement=True)
    i_reference: float = parameter(100e-9, unit="A", doc="reference current", gt=0)

    def deck(self, process: Process) -> Deck:
        """Tap and code from one swept index: the code is the faster, 0 and each bit alone."""
        circuit = bench_circuit(process, self.cell, self.dac)
        circuit.X("generator", "bias_generator", *self.cell.ports)
        bias_current(circuit, "reference", "vdd", "reference", self.i_reference)
        points = self.dac.bits + 1
        taps = " + ".join(
            f"(abs(v(number) - {k}) < 0.5 ? v(tap{k}) : 0)" for k in range(1, TAPS + 1)
        )
        circuit.raw_spice += (
            f"Bnumber number 0 v = floor((v(index) + 0.5)/{points}) + 1\n"
            f"Bgroup group 0 v = v(index) - {points}*(v(number) - 1)\n"
            "Bcode code 0 v = v(group) > 0.5 ? pow(2, v(group) - 1) : 0\n"
            f"Bunit unit_p 0 v = {taps}\n"
        ) + _bit_sources("p")
        circuit.V("out", "out_p", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        circuit.X("dac", "current_dac", *_bit_nodes("p"))
        knob = Knob("vindex", ("index", "0"), 0.0)
        sweep = DcSweep("vindex", 0.0, float(TAPS * points - 1), 1.0)
        return bench_deck(self.name, circuit, process, sweep, ["i(vout)"], [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """The largest error of each way to choose."""
        return {
            f"bias by {how}, largest error, 3 pA to 50 nA": (
                float(np.abs(error).max()) if np.isfinite(error).all() else float("nan")
            )
            for how, error in self._errors(waveforms[0]).items()
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Error over the wanted current."""
        lines = tuple(
            Line(f"by {how}", _WANTED, error) for how, error in self._errors(waveforms[0]).items()
        )
        bound = np.full(_WANTED.size, 1 / self.dac.codes)
        law = Line("half a step of the DAC", _WANTED, bound, law=True)
        title = "Error of a bias after calibration"
        return (Panel(title, "wanted current", "A", "error", "", (*lines, law), "x"),)

    def _errors(self, wave: Waveforms) -> dict[str, np.ndarray]:
        cell = self.dac
        measured = abs(wave["i(vout)"]).reshape(TAPS, cell.bits + 1)
        # The next tap's upper half has finer steps than a tap's lower; the second quarter closes
        # the gaps where mismatch pulls two taps more than an octave apart.
        code = np.arange(cell.codes // 4, cell.codes)
        bits = code[:, None] >> np.arange(cell.bits) & 1
        none = measured[:, :1]
        table = none + (measured[:, 1:] - none) @ bits.T
        gains = code / self.cell.mirror
        law = self.i_reference / 2.0 ** np.arange(1, TAPS + 1)
        known = {
            "law": currents_of(law, gains),
            "measured taps": currents_of(
                measured[:, -1] * self.cell.mirror / 2 ** (cell.bits - 1), gains
            ),
            "measured table": table,
        }
        return {how: residuals(table, what, _WANTED) for how, what in known.items()}


def _early(here: float, there: float, apart: float) -> float:
    """Current over output conductance, volts, from currents at two voltages `apart`."""
    return apart * here / (there - here) if there != here else float("nan")


def _taps(wave: Waveforms, point: int) -> np.ndarray:
    return np.array([float(wave[f"i(vout{k})"][point]) for k in range(1, TAPS + 1)])


def _bit_sources(kind: str) -> str:
    """Sources of the bits of `v(code)`; of the p side they are on when low."""
    text = ""
    for k in range(BITS):
        ones, twos = (f"floor((v(code) + 0.5)/{2**j})" for j in (k, k + 1))
        bit = f"({ones} - 2*{twos})"
        level = bit if kind == "n" else f"(1 - {bit})"
        text += f"Bb{k}_{kind} b{k}_{kind} 0 v = v(vdd)*{level}\n"
    return text


def _bit_nodes(kind: str) -> list[str]:
    """Nodes of a DAC's ports: each side has bits and lines of its own."""
    return [p if p == "vdd" else f"{p}_{kind}" for p in CurrentDac.ports]


def _dac_circuit(process: Process, cell: CurrentDac, i_unit: float) -> Circuit:
    """Both sides of a DAC with their unit diodes, on the code `v(code)`; outputs not connected."""
    circuit = bench_circuit(process)
    size: Size = {"width": cell.width, "length": cell.length}
    for kind, complement in _SIDES.items():
        on = side(process, complement)
        netlist = SubCircuit(f"current_dac_{kind}", *CurrentDac.ports)
        cell.model_copy(update={"complement": complement}).build(netlist, process)
        circuit.subcircuit(netlist)
        diode(circuit, on.n, f"unit_{kind}", f"unit_{kind}", on.low, **size)
        on.current_from_high(circuit, f"unit_{kind}", f"unit_{kind}", i_unit)
        circuit.raw_spice += _bit_sources(kind)
        circuit.X(f"dac_{kind}", f"current_dac_{kind}", *_bit_nodes(kind))
    return circuit


ENTRIES = (
    Entry("mirror", "Current mirror", MirrorBench, (MirrorBench(), MirrorLawBench())),
    Entry(
        "current_dac", "Current DAC", CurrentDac, (CurrentDacBench(), CurrentDacOutputBench()),
    ),
    Entry(
        "bias_generator", "Bias generator", BiasGenerator,
        (BiasGeneratorBench(), BiasCalibrationBench()),
    ),
)  # fmt: skip
