"""Benches of the plain DPI synapses."""

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
    decay_line,
    ends,
    input_kind,
    output_current,
    output_kind,
    pulse_level,
    pulses,
    synapse_circuit,
)
from spicesnn.characterize.condition import Condition, doubts
from spicesnn.circuits.cells.dpi_synapse import (
    DpiSynapse,
)
from spicesnn.circuits.deck import DcSweep, Deck, Knob, Transient, Value, Waveform
from spicesnn.errors import ParameterError
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.time_constants import decay_time_constant, step_time_constant
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


class DpiDecayBench(Bench):
    """Time constants of a DPI synapse over two decades of its leak.

    Its input is on until the output is steady at `I_gain (drive - 1)`, then off. At the middle
    leak two more runs: a step of the weight by a twentieth, and the rise from rest.
    """

    drawn: ClassVar[bool] = False
    properties: ClassVar[Mapping[str, Quantity]] = {
        "synapse, time constant at least leak": Quantity("s"),
        "synapse, time constant at most leak": Quantity("s"),
        "synapse, time constant over law, most": Quantity(
            "1", 0.9, 1.1, law="C U_T/(κ I_tau), κ of the transistor that reads V_syn"
        ),
        "synapse, time constant over law, least": Quantity("1", 0.9, 1.1),
        "synapse, small step, time constant over law": Quantity(
            "1", 0.9, 1.1, law="C U_T/(κ I_tau) (1 + I_gain/I_out)"
        ),
        "synapse, rise from rest over time constant": Quantity("1"),
    }

    cell: DpiSynapse = DpiSynapse()
    least: float = parameter(5e-12, unit="A", doc="least leak", gt=0)
    most: float = parameter(500e-12, unit="A", doc="most leak", gt=0)
    i_gain: float = parameter(10e-12, unit="A", doc="gain current", gt=0)
    drive: float = parameter(30, unit="1", doc="weight over leak", gt=1)

    def model_post_init(self, context: object) -> None:
        """Check the order of the two ends.

        Raises:
            ParameterError: `least` is not below `most`.
        """
        if not self.least < self.most:
            raise ParameterError(
                f"{self.name}: least = {self.least:g} A must be below most = {self.most:g} A."
            )

    @property
    def name(self) -> str:
        """By the sign of the output."""
        return f"dpi_{'inhibitory' if self.cell.complement else 'excitatory'}_decay"

    def deck(self, process: Process) -> Deck:
        """Output at half the supply; knobs of pulse, weight and leak."""
        cell = self.cell
        circuit = synapse_circuit(cell, process, {"gain": self.i_gain})
        circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        knobs = [Knob("vpulse", ("pulse", "0"), Waveform.constant(0.0))]
        knobs += [Knob(f"i{port}", ends(cell, process, port), 1e-10) for port in ("weight", "tau")]
        stop = 6 * self._expected(self.least)
        analysis = Transient(stop, stop / 1000)
        return bench_deck(self.name, circuit, process, analysis, ["i(vout)"], knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Five decays, the small step, the rise."""
        closed, opened = (pulse_level(self.cell, process, closed) for closed in (True, False))
        runs: list[dict[str, Value]] = [
            self._run(leak, vpulse=_step(closed, opened, self._start(leak)))
            for leak in self._leaks()
        ]
        leak = float(self._leaks()[2])
        weight = _step(self.drive * leak, 1.05 * self.drive * leak, self._start(leak))
        runs.append(self._run(leak, vpulse=Waveform.constant(closed), iweight=weight))
        runs.append(self._run(leak, vpulse=_step(opened, closed, self._start(leak))))
        return runs

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Decays from half to a twentieth; the rest to 1 - 1/e of the way."""
        leaks = self._leaks()
        tau = self._decays(waveforms)
        ratio = tau / [self._law(leak, on) for leak in leaks]
        steps = []
        for wave in waveforms[5:]:
            time, current = wave.time, output_current(self.cell, wave)
            ends = float(current[0]), float(current[-1])
            steps.append(step_time_constant(time, current, self._start(float(leaks[2])), *ends))
        small = self._law(float(leaks[2]), on) * (1 + 1 / (self.drive - 1))
        return {
            "synapse, time constant at least leak": float(tau[0]),
            "synapse, time constant at most leak": float(tau[-1]),
            "synapse, time constant over law, most": float(ratio.max()),
            "synapse, time constant over law, least": float(ratio.min()),
            "synapse, small step, time constant over law": steps[0] / small,
            "synapse, rise from rest over time constant": steps[1] / float(tau[2]),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The decays, and their time constants over the leak."""
        lines = []
        leaks = self._leaks()
        for leak, wave in zip(leaks, waveforms, strict=False):
            law = self._law(float(leak), on)
            since = (wave.time - self._start(float(leak))) / law
            shown = since < 4
            label = f"I_tau = {leak * 1e12:.3g} pA"
            lines.append(Line(label, since[shown], output_current(self.cell, wave)[shown]))
        first = float(np.median([output_current(self.cell, w)[0] for w in waveforms[:5]]))
        since = np.linspace(0, 4, 50)
        lines.append(Line("law", since, first * np.exp(-since), law=True))
        taus = (
            Line("simulated", leaks, self._decays(waveforms)),
            Line("law", leaks, np.array([self._law(leak, on) for leak in leaks]), law=True),
        )
        return (
            Panel(
                "Decays", "time over the law's time constant", "", "output current", "A",
                tuple(lines), "y",
            ),
            Panel("Time constant", "I_tau", "A", "time constant", "s", taus, "xy"),
        )  # fmt: skip

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The largest steady output, in D6."""
        cell = self.cell
        output = (
            self.i_gain * (self.drive - 1),
            output_kind(cell),
            cell.output_width,
            cell.length,
        )
        return doubts({"output current": output}, on)

    def _leaks(self) -> Array:
        return np.geomspace(self.least, self.most, 5)

    def _expected(self, leak: float) -> float:
        """About the time constant at a leak, seconds: it only sets steps and lengths."""
        return self.cell.c_syn * 0.036 / leak

    def _start(self, leak: float) -> float:
        """When the input changes, seconds."""
        return 0.2 * self._expected(leak)

    def _run(self, leak: float, **knobs: Value) -> dict[str, Value]:
        tau = self._expected(leak)
        times: dict[str, Value] = {"stop": 6 * tau, "maximum_step": tau / 50}
        return {"itau": leak, "iweight": self.drive * leak, **times, **knobs}

    def _law(self, leak: float, on: Condition) -> float:
        return on.time_constant(self.cell.c_syn, leak, output_kind(self.cell))

    def _decays(self, waveforms: Sequence[Waveforms]) -> Array:
        """Time constants of the five decays, shape (5,)."""
        return np.array(
            [decay_time_constant(w.time, output_current(self.cell, w)) for w in waveforms[:5]]
        )


def _step(before: float, after: float, start: float) -> Waveform:
    """From one level to another, at a time."""
    return Waveform(np.array([0.0, start, start + EDGE]), np.array([before, before, after]))


class DpiGainBench(Bench):
    """Steady output of a DPI synapse over a decade of its weight, gain and leak currents."""

    properties: ClassVar[Mapping[str, Quantity]] = {
        "synapse, output over law": Quantity("1", law="I_gain (I_weight/I_tau - 1)"),
        "synapse, output over law along I_weight, most over least": Quantity("1", 1.0, 1.1),
        "synapse, output over law along I_gain, most over least": Quantity("1", 1.0, 1.1),
        "synapse, output over law along I_tau, most over least": Quantity("1"),
        "synapse, exponent of I_weight": Quantity("1"),
        "synapse, static power with a steady input": Quantity("W"),
    }

    cell: DpiSynapse = DpiSynapse()
    i_weight: float = parameter(80e-12, unit="A", doc="weight, middle of the decade", gt=0)
    i_gain: float = parameter(5e-12, unit="A", doc="gain current, middle of the decade", gt=0)
    i_tau: float = parameter(5e-12, unit="A", doc="leak, middle of the decade", gt=0)

    @property
    def name(self) -> str:
        """By the sign of the output."""
        return f"dpi_{'inhibitory' if self.cell.complement else 'excitatory'}_gain"

    def deck(self, process: Process) -> Deck:
        """The input always on; one source turns the logarithm of the current that a knob picks."""
        cell = self.cell
        circuit = synapse_circuit(cell, process, {})
        circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        level = pulse_level(cell, process, closed=True)
        circuit.V("pulse", "pulse", "0", raw_spice=f"dc {spice_number(level)}")
        for port, amperes in self._currents().items():
            source, sink = ends(cell, process, port)
            current = f"{spice_number(amperes)}*exp(v(turned)*v(turn_{port})*2.302585093)"
            circuit.raw_spice += f"B{port} {source} {sink} i = {current}\n"
        knobs = [Knob("vturned", ("turned", "0"), 0.0)]
        knobs += [Knob(f"v{port}", (f"turn_{port}", "0"), 0.0) for port in self._currents()]
        sweep = DcSweep("vturned", -0.5, 0.5, 0.05)
        return bench_deck(self.name, circuit, process, sweep, ["i(vout)", "i(vdd)"], knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """A decade of each current, the others in the middle of theirs."""
        return [{f"v{port}": 1.0} for port in self._currents()]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Ratios to the law along each decade; the exponent from the decade's ends."""
        ratio = {port: current / law for port, _, current, law in self._curves(waveforms)}
        # Where the weight falls under the leak, law and output are no currents any more.
        spread = {p: float(r.max() / r.min()) if r.min() > 0 else np.nan for p, r in ratio.items()}
        _, _, output, law = self._curves(waveforms)[0]
        middle = waveforms[0].time.size // 2
        rise = np.nan
        if law[0] > 0 and output[0] > 0:
            rise = np.log(output[-1] / output[0]) / np.log(law[-1] / law[0])
        return {
            "synapse, output over law": float(ratio["gain"][middle]),
            "synapse, output over law along I_weight, most over least": spread["weight"],
            "synapse, output over law along I_gain, most over least": spread["gain"],
            "synapse, output over law along I_tau, most over least": spread["tau"],
            "synapse, exponent of I_weight": float(rise),
            "synapse, static power with a steady input": float(
                -on.supply * waveforms[0]["i(vdd)"][middle]
            ),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The output along the three decades."""
        lines = []
        for port, turned, output, law in self._curves(waveforms):
            lines.append(Line(f"over I_{port}", turned, output))
            lines.append(Line(f"law over I_{port}", turned, law, law=True))
        title = "Steady output"
        return (Panel(title, "bias current", "A", "output current", "A", tuple(lines), "xy"),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The weight in the pair, and the middle output in D6."""
        cell = self.cell
        output = self.i_gain * (self.i_weight / self.i_tau - 1)
        currents = {
            "i_weight": (self.i_weight, input_kind(cell), cell.width, cell.pair_length),
            "output current": (output, output_kind(cell), cell.output_width, cell.length),
        }
        return doubts(currents, on)

    def _currents(self) -> dict[str, float]:
        return {"weight": self.i_weight, "gain": self.i_gain, "tau": self.i_tau}

    def _curves(self, waveforms: Sequence[Waveforms]) -> list[tuple[str, Array, Array, Array]]:
        """Port, its current, output and law, each of shape (points,)."""
        found = []
        for (port, middle), wave in zip(self._currents().items(), waveforms, strict=True):
            turned = middle * 10**wave.time
            now: dict[str, Array | float] = {**self._currents(), port: turned}
            law = np.asarray(now["gain"] * (now["weight"] / now["tau"] - 1), dtype=np.float64)
            found.append((port, turned, output_current(self.cell, wave), law))
        return found


class DpiEventsBench(Bench):
    """A DPI synapse on a regular train of events, from rest, and its decay after the last."""

    properties: ClassVar[Mapping[str, Quantity]] = {
        "synapse, charge per event": Quantity("C"),
        "synapse, charge per event over law": Quantity(
            "1", law="(I_gain/I_tau) (I_weight T - I_tau/rate)"
        ),
        "synapse, peak current": Quantity("A"),
        "synapse, rest current": Quantity("A", scale=1e-14),
        "synapse, time constant": Quantity("s"),
        "synapse, energy per event": Quantity("J"),
        "synapse, power at rest": Quantity("W"),
    }

    cell: DpiSynapse = DpiSynapse()
    i_weight: float = parameter(1e-9, unit="A", doc="weight", gt=0)
    i_gain: float = parameter(10e-12, unit="A", doc="gain current", gt=0)
    i_tau: float = parameter(10e-12, unit="A", doc="leak", gt=0)
    events: int = parameter(30, unit="1", doc="of the train", ge=12)
    interval: float = parameter(2e-3, unit="s", doc="between events", gt=0)
    pulse: float = parameter(0.2e-3, unit="s", doc="length of an event's pulse", gt=0)
    maximum_step: float = parameter(0.05e-3, unit="s", doc="bound of the solver's step", gt=0)

    @property
    def name(self) -> str:
        """By the sign of the output."""
        return f"dpi_{'inhibitory' if self.cell.complement else 'excitatory'}_events"

    def deck(self, process: Process) -> Deck:
        """Output at half the supply, currents constant; knob of the pulses."""
        currents = {"weight": self.i_weight, "gain": self.i_gain, "tau": self.i_tau}
        circuit = synapse_circuit(self.cell, process, currents)
        circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        knob = Knob("vpulse", ("pulse", "0"), Waveform.constant(0.0))
        analysis = Transient(self._stop(), self.maximum_step)
        probes = ["i(vout)", "i(vdd)"]
        return bench_deck(self.name, circuit, process, analysis, probes, [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One train."""
        return [{"vpulse": pulses(self.cell, process, self._times(), self.pulse, self._stop())}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """The last ten intervals are steady; energy is what rest does not take."""
        wave, last = waveforms[0], self._times()[-11:]
        output = output_current(self.cell, wave)
        steady = (wave.time >= last[0] - 1e-12) & (wave.time <= last[-1] + 1e-12)
        time = wave.time[steady]
        charge = float(np.trapezoid(output[steady], time)) / 10
        rest = -on.supply * float(wave["i(vdd)"][0])
        kept = Waveforms(time, {"i(vdd)": wave["i(vdd)"][steady]})
        energy = supply_energy(kept, {"i(vdd)": on.supply}) - rest * float(np.ptp(time))
        return {
            "synapse, charge per event": charge,
            "synapse, charge per event over law": charge / self._charge(),
            "synapse, peak current": float(output.max()),
            "synapse, rest current": float(output[0]),
            "synapse, time constant": decay_time_constant(wave.time, output),
            "synapse, energy per event": energy / 10,
            "synapse, power at rest": rest,
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The output, the law's mean while the train lasts, and its decay."""
        wave = waveforms[0]
        output = output_current(self.cell, wave)
        tau = on.time_constant(self.cell.c_syn, self.i_tau, output_kind(self.cell))
        mean = self._charge() / self.interval
        train = self._times()[[0, -1]]
        lines = (
            Line("output", wave.time, output),
            Line("law of the steady mean", train, np.full(2, mean), law=True),
            decay_line("law of the decay", wave.time, output, tau),
        )
        return (Panel("A train of events", "time", "s", "output current", "A", lines),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The weight in the pair."""
        pair = (self.i_weight, input_kind(self.cell), self.cell.width, self.cell.pair_length)
        return doubts({"i_weight": pair}, on)

    def _times(self) -> Array:
        """Of the events, seconds, shape (events,)."""
        return np.asarray(self.interval * np.arange(1, self.events + 1), dtype=np.float64)

    def _stop(self) -> float:
        return float(self._times()[-1] + 20 * self.interval)

    def _charge(self) -> float:
        """Of an event by the law, coulombs."""
        into = self.i_weight * self.pulse - self.i_tau * self.interval
        return self.i_gain / self.i_tau * into


_INHIBITORY = DpiSynapse(complement=True)


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "dpi_excitatory",
        "DPI synapse, excitatory",
        DpiSynapse,
        (DpiEventsBench(), DpiDecayBench(), DpiGainBench()),
    ),
    Entry(
        "dpi_inhibitory",
        "DPI synapse, inhibitory",
        DpiSynapse,
        (
            DpiEventsBench(cell=_INHIBITORY),
            DpiDecayBench(cell=_INHIBITORY),
            DpiGainBench(cell=_INHIBITORY, i_gain=20e-12),
        ),
    ),
)
