"""Benches of the write driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

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
from spicesnn.circuits.cells.cell import bias_current
from spicesnn.circuits.cells.level_shifter import LevelShifter
from spicesnn.circuits.cells.write_driver import WriteDriver
from spicesnn.circuits.deck import DcSweep, Deck, Knob, Transient, Value, Waveform
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.levels import first_crossing
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]


_BIAS_PARTS = (0.2, 1.0, 2.0)


_DEVICES = (1e3, 1e4, 1e5, 1e6)  # ohms


def _across(wave: Waveforms, times: Array) -> Array:
    """Voltage from `top` to `bottom` at times in seconds."""
    return wave.at("v(top)", times) - wave.at("v(bottom)", times)


class WriteDriverBench(Bench):
    """A slow device of any resistance: a voltage between the ends, from a short to the supply."""

    name: ClassVar[str] = "write_driver"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "write, compliance over law, most": Quantity(
            "1", 0.9, 1.1, law="ratio i_bias, up to half the write supply across the device"
        ),
        "write, compliance over law, least": Quantity("1", 0.9, 1.1),
        "write, SET: least resistance with 90 % of the supply": Quantity(
            "ohm", law="0.9 vdd_write / (ratio i_bias)"
        ),
        "write, SET: the same over law": Quantity("1", high=1.5),
        "write, RESET: least resistance with 90 % of the supply": Quantity("ohm", high=10e3),
    }

    cell: WriteDriver = WriteDriver()
    i_bias: float = parameter(10e-6, unit="A", doc="into the mirror; also a fifth, twice", gt=0)
    v_read: float = parameter(0.2, unit="V", doc="read bias", ge=0)

    def deck(self, process: Process) -> Deck:
        """Knobs `vset`, `vreset` (at the write supply's level), `ibias`, `vway`; device swept."""
        circuit = bench_circuit(process, self.cell)
        write = process.thick_supply
        circuit.V("read", "read", "0", raw_spice=f"dc {spice_number(self.v_read)}")
        circuit.V("write", "vdd_write", "0", raw_spice=f"dc {spice_number(write)}")
        for gate in ("set", "reset"):
            circuit.raw_spice += f"B{gate} {gate}_bar 0 v = v(vdd_write) - v({gate})\n"
        circuit.raw_spice += "Bdevice top middle v = v(way)*v(device)\n"
        circuit.V("meter", "middle", "bottom", raw_spice="dc 0")
        circuit.X("driver", "write_driver", *self.cell.ports)
        knobs = [
            Knob("vdevice", ("device", "0"), 0.0), Knob("vway", ("way", "0"), 1.0),
            Knob("vset", ("set", "0"), 0.0), Knob("vreset", ("reset", "0"), 0.0),
            Knob("ibias", ("compliance", "0"), self.i_bias),
        ]  # fmt: skip
        sweep = DcSweep("vdevice", 0.0, 0.998 * write, 0.002 * write)
        probes = ["i(vmeter)"]
        return bench_deck(self.name, circuit, process, sweep, probes, knobs, highest=write)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """SET at three bias currents, then RESET."""
        write = process.thick_supply
        found: list[dict[str, Value]] = [
            {"vset": write, "ibias": part * self.i_bias} for part in _BIAS_PARTS
        ]
        return [*found, {"vreset": write, "vway": -1.0}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Voltage over current is the resistance of a device that settles there."""
        ratios, limit, write = [], self.cell.ratio * self.i_bias, on.process.thick_supply
        for part, wave in zip(_BIAS_PARTS, waveforms, strict=False):
            ratios.append(wave["i(vmeter)"][wave.time <= 0.5 * write] / (part * limit))
        currents = [
            np.interp(0.9 * write, wave.time, abs(wave["i(vmeter)"]))
            for wave in (waveforms[1], waveforms[3])
        ]
        found = [0.9 * write / float(i) if i else float("nan") for i in currents]
        law = 0.9 * write / limit
        return {
            "write, compliance over law, most": float(np.max(ratios)),
            "write, compliance over law, least": float(np.min(ratios)),
            "write, SET: least resistance with 90 % of the supply": found[0],
            "write, SET: the same over law": found[0] / law,
            "write, RESET: least resistance with 90 % of the supply": found[1],
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Current and voltage of the device over its resistance, and their laws."""
        current, voltage = [], []
        ohms = np.geomspace(1e3, 1e6, 61)
        names = [*(f"SET, bias {part * self.i_bias:g} A" for part in _BIAS_PARTS), "RESET"]
        limits = [*(part * self.cell.ratio * self.i_bias for part in _BIAS_PARTS), np.inf]
        for name, limit, wave in zip(names, limits, waveforms, strict=True):
            amperes = abs(wave["i(vmeter)"])
            delivered = np.interp(ohms, wave.time / amperes, wave.time)
            law = np.minimum(limit * ohms, on.process.thick_supply)
            voltage += [
                Line(name, ohms, delivered), Line(f"law, {name}", ohms, law, law=True),
            ]  # fmt: skip
            current += [
                Line(name, ohms, delivered / ohms), Line(f"law, {name}", ohms, law / ohms, law=True)
            ]  # fmt: skip
        axes = ("resistance of the device", "ohm")
        return (
            Panel("Current of the device", *axes, "current", "A", tuple(current), "xy"),
            Panel("Voltage across the device", *axes, "voltage", "V", tuple(voltage), "x"),
        )

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """From which resistance on SET cannot deliver its voltage."""
        limit = self.cell.ratio * self.i_bias
        least = 0.9 * on.process.thick_supply / limit
        return (
            f"in SET a device of less than {least:.3g} ohm gets less than 90 % of the write supply "
            f"of {on.process.thick_supply:g} V, for the compliance is {limit:g} A.",
        )


class WriteDriverPulseBench(Bench):
    """A SET and a RESET pulse from core logic, through level shifters, on four resistors."""

    name: ClassVar[str] = "write_driver_pulse"
    drawn: ClassVar[bool] = False
    properties: ClassVar[Mapping[str, Quantity]] = {
        "write, SET: rise time at 10 kΩ": Quantity("s", high=50e-9),
        "write, RESET: rise time at 10 kΩ": Quantity("s", high=50e-9, scale=1e-9),
        "write, SET: highest current at 10 kΩ over compliance": Quantity("1", high=1.5),
        "write, SET: voltage at 1 MΩ over the supply": Quantity("1", 0.9, everywhere=True),
        "write, RESET: voltage at 10 kΩ over the supply": Quantity("1", 0.9, everywhere=True),
        "write, idle: voltage across the device, most": Quantity("V", high=1e-3, scale=1e-2),
        "write, SET: energy a pulse at 10 kΩ": Quantity("J", law="vdd_write ratio i_bias t"),
        "write, RESET: energy a pulse at 10 kΩ": Quantity("J", law="vdd_write² t / R"),
        "write, idle: static power": Quantity("W", law="vdd_write i_bias"),
    }

    cell: WriteDriver = WriteDriver()
    shifter: LevelShifter = LevelShifter()
    i_bias: float = parameter(10e-6, unit="A", doc="into the mirror", gt=0)
    v_read: float = parameter(0.2, unit="V", doc="read bias", ge=0)
    line: float = parameter(50e-15, unit="F", doc="capacitance of row and column", gt=0)
    hold: float = parameter(100e-9, unit="s", doc="length of a pulse and of rest", gt=0)
    maximum_step: float = parameter(0.5e-9, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Knobs `vset`, `vreset` (core logic), `rdevice`, `vwrite` (the write supply)."""
        circuit = bench_circuit(process, self.cell, self.shifter)
        circuit.V("read", "read", "0", raw_spice=f"dc {spice_number(self.v_read)}")
        bias_current(circuit, "bias", "compliance", "0", self.i_bias)
        for way in ("set", "reset"):
            outs = (f"{way}_high", f"{way}_bar")
            circuit.X(way, "level_shifter", way, *outs, "vdd", "vdd_write")
        for end in ("top", "bottom"):
            circuit.C(end, end, "0", raw_spice=spice_number(self.line))
        gates = ("set_high", "set_bar", "reset_high", "reset_bar")
        circuit.X("driver", "write_driver", *gates, *self.cell.ports[4:])
        load_source(circuit, "set", "reset", "read", "vdd")
        first, second = (self._pulse(start, process) for start in (1, 3))
        write = process.thick_supply
        knobs = [
            Knob("vset", ("set", "0"), first), Knob("vreset", ("reset", "0"), second),
            Knob("rdevice", ("top", "bottom"), 1e4), Knob("vwrite", ("vdd_write", "0"), write),
        ]  # fmt: skip
        return bench_deck(
            self.name, circuit, process, Transient(5 * self.hold, self.maximum_step),
            ["v(top)", "v(bottom)", "i(vdd)", "i(vwrite)"], knobs, highest=write,
        )  # fmt: skip

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Four devices."""
        return [{"rdevice": ohms} for ohms in _DEVICES]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Voltages just before a pulse's end; energies less those of rest."""
        usual, large = waveforms[1], waveforms[3]
        write = on.process.thick_supply
        settled = {
            name: [abs(float(v)) for v in _across(w, np.array([1.95, 3.95]) * self.hold)]
            for name, w in (("usual", usual), ("large", large))
        }
        idle = [abs(_across(w, np.array([0.95, 2.95, 4.95]) * self.hold)).max() for w in waveforms]
        current = _across(usual, usual.time) / _DEVICES[1]
        supplies = {"i(vdd)": on.supply, "i(vwrite)": write}
        rest = -sum(level * float(usual[name][0]) for name, level in supplies.items())
        energies = [
            supply_energy(part_of(usual, start * self.hold, (start + 2) * self.hold), supplies)
            - rest * 2 * self.hold
            for start in (1, 3)
        ]
        return {
            "write, SET: rise time at 10 kΩ": self._rise(usual, 1, settled["usual"][0]),
            "write, RESET: rise time at 10 kΩ": self._rise(usual, 3, settled["usual"][1]),
            "write, SET: highest current at 10 kΩ over compliance": float(
                current.max() / (self.cell.ratio * self.i_bias)
            ),
            "write, SET: voltage at 1 MΩ over the supply": settled["large"][0] / write,
            "write, RESET: voltage at 10 kΩ over the supply": settled["usual"][1] / write,
            "write, idle: voltage across the device, most": float(np.max(idle)),
            "write, SET: energy a pulse at 10 kΩ": energies[0],
            "write, RESET: energy a pulse at 10 kΩ": energies[1],
            "write, idle: static power": rest,
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The device's voltage over time."""
        lines = [
            Line(f"{ohms:g} ohm", w.time, _across(w, w.time))
            for ohms, w in zip(_DEVICES, waveforms, strict=True)
        ]
        title = "Voltage across the device: SET, then RESET"
        return (Panel(title, "time", "s", "top - bottom", "V", tuple(lines)),)

    def _pulse(self, start: int, process: Process) -> Waveform:
        times = np.array([start, start + 0.01, start + 1, start + 1.01]) * self.hold
        return Waveform(np.r_[0.0, times], process.supply * np.array([0.0, 0.0, 1.0, 1.0, 0.0]))

    def _rise(self, wave: Waveforms, start: int, final: float) -> float:
        """From a tenth to nine tenths of the final voltage, seconds."""
        voltage, begin = abs(_across(wave, wave.time)), start * self.hold
        low, high = (
            first_crossing(wave.time, voltage, part * final, "rising", begin) for part in (0.1, 0.9)
        )
        return high - low


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "write_driver",
        "Write driver with current compliance",
        WriteDriver,
        (WriteDriverBench(), WriteDriverPulseBench()),
    ),
)
