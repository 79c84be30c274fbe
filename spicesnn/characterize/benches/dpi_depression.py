"""Benches of the depressing DPI synapse."""

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
    bench_deck,
)
from spicesnn.characterize.benches.dpi_circuits import (
    EDGE,
    Array,
    constants_of,
    drain_current,
    input_kind,
    output_current,
    output_kind,
    pulses,
    synapse_circuit,
)
from spicesnn.characterize.condition import Condition, doubts
from spicesnn.circuits.cells.dpi_synapse import (
    DpiDepressing,
)
from spicesnn.circuits.deck import Deck, Knob, Transient, Value, Waveform
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.time_constants import decay_time_constant
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


class DpiDepressionBench(Bench):
    """A depressing DPI synapse: a burst, the recovery of its weight, and one event after it.

    The efficacy is the charge through the weight's transistor in a pulse over the first pulse's.
    """

    name: ClassVar[str] = "dpi_depression"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "depression, efficacy of the second event": Quantity("1", high=0.9),
        "depression, efficacy of the last event": Quantity("1", high=0.7),
        "depression, efficacy over law, most": Quantity(
            "1", 0.9, 1.1, law="exp(κ v/U_T), v less I_d T/C a pulse, sinh(κ v/(2 U_T)) decays"
        ),
        "depression, efficacy over law, least": Quantity("1", 0.9, 1.1),
        "depression, efficacy after four time constants": Quantity("1", low=0.9),
        "depression, recovery time constant": Quantity("s"),
        "depression, recovery time constant over law": Quantity(
            "1", 0.9, 1.1, law="2 C_std U_T/(κ I_recovery)"
        ),
        "depression, energy per event": Quantity("J"),
    }

    cell: DpiDepressing = DpiDepressing(c_syn=0.5e-12)
    i_weight: float = parameter(2e-9, unit="A", doc="weight at rest", gt=0)
    i_depression: float = parameter(50e-12, unit="A", doc="takes weight in a pulse", gt=0)
    i_recovery: float = parameter(20e-12, unit="A", doc="recovery: 7 ms at 2 pF", gt=0)
    i_gain: float = parameter(10e-12, unit="A", doc="gain current", gt=0)
    i_tau: float = parameter(10e-12, unit="A", doc="leak", gt=0)
    events: int = parameter(10, unit="1", doc="of the burst", ge=3)
    interval: float = parameter(1e-3, unit="s", doc="between events of the burst", gt=0)
    pulse: float = parameter(0.2e-3, unit="s", doc="length of an event's pulse", gt=0)
    pause: float = parameter(30e-3, unit="s", doc="from the burst to one more event", gt=0)
    maximum_step: float = parameter(0.1e-3, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Output at half the supply, currents constant; knob of the pulses."""
        ports = ("weight", "depression", "recovery", "gain", "tau")
        currents = {port: getattr(self, f"i_{port}") for port in ports}
        circuit = synapse_circuit(self.cell, process, currents)
        circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        knob = Knob("vpulse", ("pulse", "0"), Waveform.constant(0.0))
        analysis = Transient(self._stop(), self.maximum_step)
        probes = ["i(vout)", "i(vdd)", "v(xsyn.v_w)", self._weight(process)]
        return bench_deck(self.name, circuit, process, analysis, probes, [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """The burst and one more event."""
        return [{"vpulse": pulses(self.cell, process, self._times(), self.pulse, self._stop())}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Efficacies by charge; the recovery's line is through what the law says decays."""
        wave, times = waveforms[0], self._times()
        efficacy = self._efficacy(wave, on.process)
        ratio = efficacy / self._law(times, on)
        recovering = constants_of(on, output_kind(self.cell)).kappa / (2 * on.thermal_voltage)
        missing = np.sinh(recovering * self._fallen(wave))
        after = (wave.time > times[-2] + 2 * self.pulse) & (wave.time < times[-1] - EDGE)
        tau = decay_time_constant(wave.time[after], missing[after], high=0.9, low=0.1)
        rest = -on.supply * float(wave["i(vdd)"][0])
        burst = wave.time <= times[-2] + self.interval
        kept = Waveforms(wave.time[burst], {"i(vdd)": wave["i(vdd)"][burst]})
        spent = supply_energy(kept, {"i(vdd)": on.supply}) - rest * float(np.ptp(kept.time))
        return {
            "depression, efficacy of the second event": float(efficacy[1]),
            "depression, efficacy of the last event": float(efficacy[-2]),
            "depression, efficacy over law, most": float(ratio.max()),
            "depression, efficacy over law, least": float(ratio.min()),
            "depression, efficacy after four time constants": float(efficacy[-1]),
            "depression, recovery time constant": tau,
            "depression, recovery time constant over law": tau / self._recovery(on),
            "depression, energy per event": spent / self.events,
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Efficacies, and the output."""
        wave, times = waveforms[0], self._times()
        kappa = constants_of(on, input_kind(self.cell)).kappa
        lines = (
            Line("by V_w", wave.time, np.exp(-kappa * self._fallen(wave) / on.thermal_voltage)),
            Line("by charge", times, self._efficacy(wave, on.process)),
            Line("law", times, self._law(times, on), law=True),
        )
        output = (Line("output", wave.time, output_current(self.cell, wave)),)
        return (
            Panel("Efficacy of a burst, and its recovery", "time", "s", "efficacy", "", lines),
            Panel("Output of a burst", "time", "s", "output current", "A", output),
        )

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The weight in its transistor."""
        weight = (self.i_weight, input_kind(self.cell), self.cell.width, self.cell.length)
        return doubts({"i_weight": weight}, on)

    def _times(self) -> Array:
        """Of the events, seconds, shape (events + 1,)."""
        burst = self.interval * np.arange(1, self.events + 1)
        return np.append(burst, burst[-1] + self.pause)

    def _stop(self) -> float:
        return float(self._times()[-1] + self.interval)

    def _weight(self, process: Process) -> str:
        return drain_current(process, input_kind(self.cell), "d2", "syn")

    def _recovery(self, on: Condition) -> float:
        """Time constant of the recovery by the law, seconds."""
        device = constants_of(on, output_kind(self.cell))
        return 2 * self.cell.c_std * on.thermal_voltage / (device.kappa * self.i_recovery)

    def _fallen(self, wave: Waveforms) -> Array:
        """How far the weight's voltage is below its rest, volts, shape (points,)."""
        level = wave["v(xsyn.v_w)"]
        return np.asarray((level - level[0]) * (1 if self.cell.complement else -1))

    def _efficacy(self, wave: Waveforms, process: Process) -> Array:
        """Charge of each event through the weight's transistor over the first one's."""
        current = abs(wave[self._weight(process)])
        charges = []
        for start in self._times():
            during = (wave.time >= start) & (wave.time <= start + self.pulse + EDGE)
            charges.append(np.trapezoid(current[during], wave.time[during]))
        return np.asarray(np.array(charges) / charges[0], dtype=np.float64)

    def _law(self, times: Array, on: Condition) -> Array:
        """Efficacies at the events, by the law, shape (events + 1,)."""
        unit = 2 * on.thermal_voltage / constants_of(on, output_kind(self.cell)).kappa
        taken = self.i_depression * self.pulse / self.cell.c_std
        fallen = [0.0]
        for gap in np.diff(times) - self.pulse / 2:
            left = np.sinh((fallen[-1] + taken) / unit) * np.exp(-gap / self._recovery(on))
            fallen.append(float(unit * np.arcsinh(left)))
        kappa = constants_of(on, input_kind(self.cell)).kappa
        return np.asarray(np.exp(-kappa * np.array(fallen) / on.thermal_voltage))


ENTRIES: tuple[Entry, ...] = (
    Entry("dpi_depression", "Depressing DPI synapse", DpiDepressing, (DpiDepressionBench(),)),
)
