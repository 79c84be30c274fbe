"""Benches of the writing cells: what decides on a write, and what carries it out."""

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
from spicesnn.characterize.condition import Condition
from spicesnn.circuits.cells.cell import bias_current
from spicesnn.circuits.cells.error_trigger import ErrorTrigger
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

_UNIT = 1e-9  # amperes a volt of the knob `vtheta_v`
_CORE_PARTS = (1.0, 0.85, 0.7)
_BIAS_PARTS = (0.2, 1.0, 2.0)
_DEVICES = (1e3, 1e4, 1e5, 1e6)  # ohms
_LOAD = 1e9  # ohms, at sources that would carry no current


def _load(circuit: Circuit, *nodes: str) -> None:
    """Load sources with a nanoampere from the write supply, and that to ground.

    The solver holds a source's current to a part of it. Of a source without any it asks for
    attoamperes, which the charges of a step of nanoseconds do not have after rounding.
    """
    ends = [*((node, "vdd_write") for node in nodes), ("vdd_write", "0")]
    for node, other in ends:
        circuit.R(f"load_{node}", node, other, raw_spice=spice_number(_LOAD))


def _across(wave: Waveforms, times: Array) -> Array:
    """Voltage from `top` to `bottom` at times in seconds."""
    return wave.at("v(top)", times) - wave.at("v(bottom)", times)


def _part(wave: Waveforms, start: float, stop: float) -> Waveforms:
    """The waveforms between two times, with a point at each."""
    inside = wave.time[(wave.time > start) & (wave.time < stop)]
    times = np.r_[start, inside, stop]
    return Waveforms(times, {name: wave.at(name, times) for name in wave.signals})


def _trigger_circuit(process: Process, cell: ErrorTrigger, common: float) -> Circuit:
    """The trigger; node `theta_v` is theta in nA, `error` times `sign` the error over theta."""
    circuit = bench_circuit(process, cell)
    unit, half = f"{spice_number(_UNIT)}*v(theta_v)", spice_number(common)
    circuit.raw_spice += (
        f"Bplus plus 0 i = {unit}*({half} + 0.5*v(sign)*v(error))\n"
        f"Bminus minus 0 i = {unit}*({half} - 0.5*v(sign)*v(error))\n"
        f"Btheta vdd theta i = {unit}\n"
    )
    circuit.X("trigger", "error_trigger", *cell.ports)
    return circuit


def _trigger_knobs(theta: float) -> list[Knob]:
    levels = {"error": 0.0, "sign": 1.0, "theta_v": theta / _UNIT}
    return [Knob(f"v{node}", (node, "0"), level) for node, level in levels.items()]


class ErrorTriggerBench(Bench):
    """The trigger over a slow error that rises and one that falls, on three thetas."""

    name: ClassVar[str] = "error_trigger"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "trigger, UP threshold over theta, most": Quantity(
            "1", 0.9, 1.1, law="UP where I_plus - I_minus > theta"
        ),
        "trigger, UP threshold over theta, least": Quantity("1", 0.9, 1.1),
        "trigger, DN threshold over theta, most": Quantity("1", 0.9, 1.1),
        "trigger, DN threshold over theta, least": Quantity("1", 0.9, 1.1),
        "trigger, release threshold over theta, least": Quantity("1", 0.8),
        "trigger, centre of the dead zone over theta": Quantity("1", -0.05, 0.05, scale=1.0),
        "trigger, static power without error": Quantity("W"),
    }

    cell: ErrorTrigger = ErrorTrigger()
    theta: float = parameter(1e-9, unit="A", doc="middle one; also a tenth, and ten times it", gt=0)
    common: float = parameter(2.0, unit="1", doc="common part of the inputs over theta", gt=1)

    def deck(self, process: Process) -> Deck:
        """The error swept from -2 to 2 theta; knobs of theta and of the sign."""
        circuit = _trigger_circuit(process, self.cell, self.common)
        sweep, probes = DcSweep("verror", -2.0, 2.0, 0.005), ["v(up)", "v(dn)", "i(vdd)"]
        knobs = _trigger_knobs(self.theta)
        return bench_deck(self.name, circuit, process, sweep, probes, knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Three thetas, each with a rising and a falling error."""
        thetas = [part * self.theta / _UNIT for part in (0.1, 1.0, 10.0)]
        return [{"vtheta_v": theta, "vsign": sign} for theta in thetas for sign in (1.0, -1.0)]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Where the outputs pass half the supply; power at zero error."""
        half, rising, falling = on.supply / 2, waveforms[::2], waveforms[1::2]
        up = [first_crossing(w.time, w["v(up)"], half, "rising") for w in rising]
        down = [first_crossing(w.time, w["v(dn)"], half, "rising") for w in falling]
        release = [-first_crossing(w.time, w["v(dn)"], half, "falling") for w in rising]
        release += [-first_crossing(w.time, w["v(up)"], half, "falling") for w in falling]
        middle = waveforms[2]
        zero = int(np.abs(middle.time).argmin())
        return {
            "trigger, UP threshold over theta, most": float(np.max(up)),
            "trigger, UP threshold over theta, least": float(np.min(up)),
            "trigger, DN threshold over theta, most": float(np.max(down)),
            "trigger, DN threshold over theta, least": float(np.min(down)),
            "trigger, release threshold over theta, least": float(np.min(release)),
            "trigger, centre of the dead zone over theta": (up[1] - down[1]) / 2,
            "trigger, static power without error": float(-on.supply * middle["i(vdd)"][zero]),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Both outputs, and where the law has them."""
        wave = waveforms[2]
        error, supply = wave.time, on.supply
        lines = (
            Line("UP", error, wave["v(up)"]), Line("DN", error, wave["v(dn)"]),
            Line("law of UP", error, np.where(error > 1, supply, 0.0), law=True),
            Line("law of DN", error, np.where(error < -1, supply, 0.0), law=True),
        )  # fmt: skip
        title = f"Trigger over a rising error, theta {self.theta:g} A"
        return (Panel(title, "error / theta", "", "output", "V", lines),)


class ErrorTriggerDelayBench(Bench):
    """Errors of both signs that come, turn round and go in steps."""

    name: ClassVar[str] = "error_trigger_delay"
    drawn: ClassVar[bool] = False
    properties: ClassVar[Mapping[str, Quantity]] = {
        "trigger, delay at 1.2 theta": Quantity("s", high=0.5e-3),
        "trigger, delay at 2 theta": Quantity("s", high=0.5e-3),
        "trigger, delay at 4 theta": Quantity("s", high=0.5e-3),
        "trigger, delay when the error turns from 2 to -2 theta": Quantity("s", high=0.5e-3),
        "trigger, release after 2 theta": Quantity("s", high=0.5e-3),
        "trigger, UP and DN at once, most": Quantity("V", high=0.2, scale=1.0),
        "trigger, energy while an error of 2 theta lasts": Quantity("J"),
    }

    cell: ErrorTrigger = ErrorTrigger()
    theta: float = parameter(1e-9, unit="A", doc="threshold current", gt=0)
    common: float = parameter(2.0, unit="1", doc="common part of the inputs over theta", ge=2)
    hold: float = parameter(1e-3, unit="s", doc="how long each error lasts", gt=0)
    maximum_step: float = parameter(5e-6, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Knob `verror`: the error over theta."""
        circuit = _trigger_circuit(process, self.cell, self.common)
        analysis = Transient(4 * self.hold, self.maximum_step)
        probes, knobs = ["v(up)", "v(dn)", "i(vdd)"], _trigger_knobs(self.theta)
        return bench_deck(self.name, circuit, process, analysis, probes, knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Nothing, plus, minus, nothing; three sizes of the error."""
        edge = 1e-3 * self.hold
        times = [0.0, *(k * self.hold + d for k in (1, 2, 3) for d in (0.0, edge))]
        levels = np.array([0.0, 0.0, 1.0, 1.0, -1.0, -1.0, 0.0])
        return [{"verror": Waveform(np.array(times), size * levels)} for size in (1.2, 2.0, 4.0)]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Delays to half the supply; energy less that of rest before and after the two events."""
        half, first, second, third = on.supply / 2, *(k * self.hold for k in (1, 2, 3))
        delays = [
            first_crossing(w.time, w["v(up)"], half, "rising", first) - first for w in waveforms
        ]
        wave = waveforms[1]
        both = max(float(np.minimum(w["v(up)"], w["v(dn)"]).max()) for w in waveforms)
        energy = supply_energy(wave, {"i(vdd)": on.supply})
        rest = float(-wave["i(vdd)"][0]) * on.supply * self.hold
        return {
            "trigger, delay at 1.2 theta": delays[0],
            "trigger, delay at 2 theta": delays[1],
            "trigger, delay at 4 theta": delays[2],
            "trigger, delay when the error turns from 2 to -2 theta": first_crossing(
                wave.time, wave["v(dn)"], half, "rising", second) - second,
            "trigger, release after 2 theta": first_crossing(
                wave.time, wave["v(dn)"], half, "falling", third) - third,
            "trigger, UP and DN at once, most": both,
            "trigger, energy while an error of 2 theta lasts": energy / 2 - rest,
        }  # fmt: skip

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Outputs over time."""
        lines = []
        for size, wave in zip((1.2, 2, 4), waveforms, strict=True):
            lines += [
                Line(f"{name.upper()}, {size:g} theta", wave.time, wave[f"v({name})"])
                for name in ("up", "dn")
            ]
        title = "Trigger on errors that come, turn and go"
        return (Panel(title, "time", "s", "output", "V", tuple(lines)),)


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
        _load(circuit, "in", "core")
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
        rest = _part(wave, 1.05 * self.ramp, 1.2 * self.ramp)
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
        _load(circuit, "set", "reset", "read", "vdd")
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
            supply_energy(_part(usual, start * self.hold, (start + 2) * self.hold), supplies)
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
        "error_trigger", "Error trigger with dead zone", ErrorTrigger,
        (ErrorTriggerBench(), ErrorTriggerDelayBench()),
    ),
    Entry(
        "level_shifter", "Level shifter to the write supply", LevelShifter,
        (LevelShifterBench(), LevelShifterLowestBench()),
    ),
    Entry(
        "write_driver", "Write driver with current compliance", WriteDriver,
        (WriteDriverBench(), WriteDriverPulseBench()),
    ),
)  # fmt: skip
