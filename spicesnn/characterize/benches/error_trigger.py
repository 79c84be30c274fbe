"""Benches of the error trigger."""

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
from spicesnn.circuits.cells.error_trigger import ErrorTrigger
from spicesnn.circuits.deck import DcSweep, Deck, Knob, Transient, Value, Waveform
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.levels import first_crossing
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms

_UNIT = 1e-9  # amperes a volt of the knob `vtheta_v`


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


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "error_trigger",
        "Error trigger with dead zone",
        ErrorTrigger,
        (ErrorTriggerBench(), ErrorTriggerDelayBench()),
    ),
)
