"""Benches of the pulse extender."""

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
from spicesnn.characterize.benches.dpi_circuits import Array, gate_voltage
from spicesnn.characterize.condition import Condition, doubts
from spicesnn.circuits.cells.pulse_extender import PulseExtender
from spicesnn.circuits.deck import Deck, Knob, Transient, Value, Waveform
from spicesnn.circuits.stimuli import pulse_train
from spicesnn.errors import ParameterError
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.levels import first_crossing
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.waveforms import Waveforms


class PulseExtenderBench(Bench):
    """The pulse that a short event becomes, over a decade of the bias."""

    name: ClassVar[str] = "pulse_extender"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "pulse, width at most bias": Quantity("s"),
        "pulse, width at least bias": Quantity("s"),
        "pulse, width over law, most": Quantity(
            "1", 0.9, 1.1, law="C V/I, V = (U_T/κ) ln(I/I_0) of an nfet"
        ),
        "pulse, width over law, least": Quantity("1", 0.9, 1.1),
        "pulse, delay from the event": Quantity("s", high=1e-6),
        "pulse extender, energy per event": Quantity("J"),
        "pulse extender, power at rest": Quantity("W"),
    }

    cell: PulseExtender = PulseExtender()
    least: float = parameter(1e-9, unit="A", doc="least bias", gt=0)
    most: float = parameter(10e-9, unit="A", doc="most bias", gt=0)
    event: float = parameter(1e-6, unit="s", doc="length of the event", gt=0)
    delay: float = parameter(1e-6, unit="s", doc="before the event", gt=0)
    edge: float = parameter(10e-9, unit="s", doc="rise and fall of the event", gt=0)

    def model_post_init(self, context: object) -> None:
        """Check the order of the two ends.

        Raises:
            ParameterError: `least` is not below `most`.
        """
        if not self.least < self.most:
            raise ParameterError(
                f"{self.name}: least = {self.least:g} A must be below most = {self.most:g} A."
            )

    def deck(self, process: Process) -> Deck:
        """The cell on its supply; knobs of event and bias."""
        circuit = bench_circuit(process, self.cell)
        circuit.X("ext", "pulse_extender", *self.cell.ports)
        knobs = [
            Knob("vevent", ("event", "0"), Waveform.constant(0.0)),
            Knob("ibias", ("bias", "0"), self.least),
        ]
        analysis = Transient(1e-3, 1e-5)
        probes = ["v(event)", "v(pulse)", "i(vdd)", "v(xext.ramp)"]
        return bench_deck(self.name, circuit, process, analysis, probes, knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One event at each of four currents; the ramp comes to the supply before the end."""
        runs: list[dict[str, Value]] = []
        for bias in self._biases():
            fill = self.cell.capacitance * process.supply / float(bias)
            stop = self.delay + self.event + 1.5 * fill
            event = pulse_train(
                [self.delay], high=process.supply, width=self.event, edge=self.edge, stop=stop
            )
            runs.append(
                {"vevent": event, "ibias": float(bias), "stop": stop, "maximum_step": fill / 200}
            )
        return runs

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Widths from the event's end to the pulse's, at half the supply."""
        widths = self._widths(waveforms, on)
        ratio = widths / self._law(self._biases(), on)
        wave = waveforms[0]
        time, pulse = wave.time, wave["v(pulse)"]
        begins = first_crossing(time, pulse, on.supply / 2, "rising")
        rest = -on.supply * float(wave["i(vdd)"][0])
        energy = supply_energy(wave, {"i(vdd)": on.supply}) - rest * float(np.ptp(time))
        return {
            "pulse, width at most bias": float(widths[-1]),
            "pulse, width at least bias": float(widths[0]),
            "pulse, width over law, most": float(ratio.max()),
            "pulse, width over law, least": float(ratio.min()),
            "pulse, delay from the event": begins - self.delay - self.edge / 2,
            "pulse extender, energy per event": energy,
            "pulse extender, power at rest": rest,
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Widths over the bias, and one event."""
        biases = self._biases()
        fine = np.geomspace(biases[0], biases[-1], 50)
        widths = (
            Line("simulated", biases, self._widths(waveforms, on)),
            Line("law", fine, self._law(fine, on), law=True),
        )
        wave = waveforms[0]
        until = wave.time < 3 * widths[0].y[0]
        shown = tuple(
            Line(name, wave.time[until], wave[f"v({node})"][until])
            for name, node in (("event", "event"), ("ramp", "xext.ramp"), ("pulse", "pulse"))
        )
        title = f"An event at {biases[0] * 1e9:g} nA"
        return (
            Panel("Width of the pulse", "bias current", "A", "width", "s", widths, "xy"),
            Panel(title, "time", "s", "voltage", "V", shown),
        )

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The largest bias in the transistor that senses the ramp."""
        return doubts({"bias": (self.most, "nfet", self.cell.width, self.cell.length)}, on)

    def _biases(self) -> Array:
        return np.geomspace(self.least, self.most, 4)

    def _law(self, biases: Array, on: Condition) -> Array:
        """Widths by the law, seconds."""
        size: Size = {"width": self.cell.width, "length": self.cell.length}
        levels = np.array([gate_voltage(on.nfet, on, bias, size) for bias in biases])
        return np.asarray(self.cell.capacitance * levels / biases)

    def _widths(self, waveforms: Sequence[Waveforms], on: Condition) -> Array:
        """Simulated, seconds; NaN where there is no pulse."""
        end = self.delay + self.event + self.edge / 2
        return np.array([
            first_crossing(w.time, w["v(pulse)"], on.supply / 2, "falling", end) - end
            for w in waveforms
        ])  # fmt: skip


ENTRIES: tuple[Entry, ...] = (
    Entry("pulse_extender", "Pulse extender", PulseExtender, (PulseExtenderBench(),)),
)
