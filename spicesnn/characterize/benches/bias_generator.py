"""Benches of the bias generator, and its calibration."""

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
from spicesnn.characterize.benches.bias_circuits import bit_nodes, bit_sources
from spicesnn.characterize.calibration import currents_of, residuals
from spicesnn.characterize.condition import Condition
from spicesnn.circuits.cells.bias_generator import TAPS, BiasGenerator
from spicesnn.circuits.cells.cell import bias_current
from spicesnn.circuits.cells.current_dac import CurrentDac
from spicesnn.circuits.deck import DcSweep, Deck, Knob, Value
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms

_WANTED = np.geomspace(3e-12, 50e-9, 60)


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
        ) + bit_sources("p")
        circuit.V("out", "out_p", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        circuit.X("dac", "current_dac", *bit_nodes("p"))
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


def _taps(wave: Waveforms, point: int) -> np.ndarray:
    return np.array([float(wave[f"i(vout{k})"][point]) for k in range(1, TAPS + 1)])


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "bias_generator",
        "Bias generator",
        BiasGenerator,
        (BiasGeneratorBench(), BiasCalibrationBench()),
    ),
)
