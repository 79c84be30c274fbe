"""Benches of the level shifter."""

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
from spicesnn.characterize.benches.write_circuits import load_source, part_of
from spicesnn.characterize.condition import Condition
from spicesnn.circuits.cells.level_shifter import LevelShifter
from spicesnn.circuits.deck import Deck, Knob, Transient, Value, Waveform
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.levels import first_crossing
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms

_CORE_PARTS = (1.0, 0.85, 0.7)


class LevelShifterBench(Bench):
    """A pulse of core logic, at the core supply and at less; outputs loaded."""

    name: ClassVar[str] = "level_shifter"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "shifter, delay of the rising edge": Quantity("s", high=5e-9, everywhere=True),
        "shifter, delay of the falling edge": Quantity("s", high=5e-9, everywhere=True),
        "shifter, slower delay at 0.7 of the core supply": Quantity("s", high=10e-9),
        "shifter, least swing over the write supply": Quantity("1", 0.99, everywhere=True),
        "shifter, energy a pulse": Quantity("J"),
    }

    cell: LevelShifter = LevelShifter()
    load: float = parameter(20e-15, unit="F", doc="at each output", gt=0)
    hold: float = parameter(20e-9, unit="s", doc="length of the pulse", gt=0)
    maximum_step: float = parameter(0.1e-9, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Knobs `vin`, `vcore` (supply of the core's inverter) and `vwrite`."""
        circuit = bench_circuit(process, self.cell)
        for out in ("out", "out_bar"):
            circuit.C(out, out, "0", raw_spice=spice_number(self.load))
        circuit.X("shifter", "level_shifter", "in", "out", "out_bar", "core", "vdd_write")
        load_source(circuit, "in", "core")
        knobs = [
            Knob("vin", ("in", "0"), 0.0), Knob("vcore", ("core", "0"), process.supply),
            Knob("vwrite", ("vdd_write", "0"), process.thick_supply),
        ]  # fmt: skip
        probes = ["v(in)", "v(out)", "v(out_bar)", "i(vcore)", "i(vwrite)"]
        return bench_deck(
            self.name, circuit, process, Transient(3 * self.hold, self.maximum_step), probes, knobs,
            highest=process.thick_supply,
        )  # fmt: skip

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """The core at 1, 0.85 and 0.7 of its supply."""
        edge = 0.01 * self.hold
        times = self.hold * np.array([0.0, 1.0, 2.0])[1:, None] + np.array([0.0, edge])
        found: list[dict[str, Value]] = []
        for part in _CORE_PARTS:
            core = part * process.supply
            wave = Waveform(np.r_[0.0, times.ravel()], core * np.array([0.0, 0.0, 1.0, 1.0, 0.0]))
            found.append({"vin": wave, "vcore": core})
        return found

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Delays from half the input's edge to half the write supply, of the later output."""
        rising, falling = zip(*(self._delays(w, on) for w in waveforms), strict=True)
        wave = waveforms[0]
        write = on.process.thick_supply
        supplies = {"i(vcore)": on.supply, "i(vwrite)": write}
        static = -sum(level * float(wave[name][0]) for name, level in supplies.items())
        settled = np.array([0.95, 1.95]) * self.hold
        swings = [
            abs(float(np.diff(w.at(f"v({out})", settled))[0]))
            for w in waveforms
            for out in ("out", "out_bar")
        ]
        return {
            "shifter, delay of the rising edge": rising[0],
            "shifter, delay of the falling edge": falling[0],
            "shifter, slower delay at 0.7 of the core supply": float(
                np.maximum(rising[-1], falling[-1])
            ),
            "shifter, least swing over the write supply": min(swings) / write,
            "shifter, energy a pulse": supply_energy(wave, supplies) - static * 3 * self.hold,
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Input and output over time, beside a shifter without delay."""
        lines = []
        for part, wave in zip(_CORE_PARTS, waveforms, strict=True):
            lines.append(Line(f"out, core at {part:g}", wave.time, wave["v(out)"]))
        wave = waveforms[0]
        ideal = np.where(wave["v(in)"] > on.supply / 2, on.process.thick_supply, 0.0)
        lines += [
            Line("in", wave.time, wave["v(in)"]),
            Line("without delay", wave.time, ideal, law=True),
        ]
        title = "Level shifter, core at parts of its supply"
        return (Panel(title, "time", "s", "voltage", "V", tuple(lines)),)

    def _delays(self, wave: Waveforms, on: Condition) -> tuple[float, float]:
        """Of the later output after the input's rise and fall, seconds."""
        half = on.process.thick_supply / 2
        found = []
        for start, ways in ((1, ("rising", "falling")), (2, ("falling", "rising"))):
            edge = (start + 0.005) * self.hold
            ends = [
                first_crossing(wave.time, wave[f"v({out})"], half, way, edge)  # type: ignore[arg-type]
                for out, way in zip(("out", "out_bar"), ways, strict=True)
            ]
            found.append(float(np.max(ends)) - edge)
        return found[0], found[1]


class LevelShifterLowestBench(Bench):
    """The core supply rises slowly with the input on it, from the state of a low input."""

    name: ClassVar[str] = "level_shifter_lowest"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "shifter, lowest core supply that turns it over": Quantity("V"),
        "shifter, lowest core supply over the process's": Quantity("1", high=0.7, everywhere=True),
        "shifter, static power": Quantity("W", high=1e-9, scale=1e-11),
    }

    cell: LevelShifter = LevelShifter()
    ramp: float = parameter(1e-3, unit="s", doc="time of the rise", gt=0)

    def deck(self, process: Process) -> Deck:
        """The input tied to the core supply, which rises and stays; `.ic` gives the state."""
        circuit = bench_circuit(process, self.cell)
        circuit.X("shifter", "level_shifter", "core", "out", "out_bar", "core", "vdd_write")
        write = process.thick_supply
        rise = Waveform(np.array([0.0, self.ramp]), np.array([0.0, process.supply]))
        knobs = [Knob("vcore", ("core", "0"), rise), Knob("vwrite", ("vdd_write", "0"), write)]
        initial = {"xshifter.x": write, "xshifter.y": 0.0, "out": 0.0, "out_bar": write}
        return bench_deck(
            self.name, circuit, process, Transient(1.2 * self.ramp, self.ramp / 500),
            ["v(core)", "v(out)", "i(vcore)", "i(vwrite)"], knobs, initial,
            highest=write,
        )  # fmt: skip

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One rise."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """The core supply where the output passes half the write supply."""
        wave = waveforms[0]
        write = on.process.thick_supply
        lowest = first_crossing(wave["v(core)"], wave["v(out)"], write / 2, "rising")
        rest = part_of(wave, 1.05 * self.ramp, 1.2 * self.ramp)
        energy = supply_energy(rest, {"i(vcore)": on.supply, "i(vwrite)": write})
        return {
            "shifter, lowest core supply that turns it over": lowest,
            "shifter, lowest core supply over the process's": lowest / on.supply,
            "shifter, static power": energy / (0.15 * self.ramp),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The output over the core supply."""
        wave = waveforms[0]
        lines = (Line("out", wave["v(core)"], wave["v(out)"]),)
        title = "Level shifter, input at a slowly rising core supply"
        return (Panel(title, "core supply", "V", "output", "V", lines),)


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "level_shifter",
        "Level shifter to the write supply",
        LevelShifter,
        (LevelShifterBench(), LevelShifterLowestBench()),
    ),
)
