"""Benches of the synapses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

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
from spicesnn.characterize.condition import Condition, WeakInversion, doubts
from spicesnn.circuits.cells.cell import bias_current
from spicesnn.circuits.cells.dpi_synapse import (
    DpiConductance,
    DpiCore,
    DpiDepressing,
    DpiNmda,
    DpiSynapse,
)
from spicesnn.circuits.cells.dpi_trace import DpiTrace, DpiTraceBias
from spicesnn.circuits.cells.pulse_extender import PulseExtender
from spicesnn.circuits.cells.side import side
from spicesnn.circuits.cells.spike_driver import SpikeDriver
from spicesnn.circuits.deck import DcSweep, Deck, Knob, Transient, Value, Waveform
from spicesnn.circuits.stimuli import pulse_train
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.levels import first_crossing
from spicesnn.measure.time_constants import decay_time_constant, step_time_constant
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]
_EDGE = 1e-6


class SynapseBench(Bench):
    """The DPI trace with an output transistor: its answer to a burst of four input events.

    The leak of the first stage is ten times the second's, so that what is left after a few
    milliseconds is the second's decay: `tau = C U_T / (kappa I_tau)`.
    """

    name: ClassVar[str] = "synapse"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "time constant": Quantity("s"), "peak current": Quantity("A"),
        "rest current": Quantity("A"),
    }  # fmt: skip

    trace: DpiTrace = DpiTrace()
    bias: DpiTraceBias = DpiTraceBias(i_tau_q=400e-12, i_gain_q=400e-12)
    stop: float = parameter(10e-3, unit="s", doc="length of the run", gt=0)
    maximum_step: float = parameter(5e-5, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Driver, trace and output transistor: knob `vevent`."""
        circuit = bench_circuit(process, SpikeDriver(), self.trace, self.bias)
        circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        circuit.X("driver", "spike_driver", *SpikeDriver.ports)
        circuit.X("trace", "dpi_trace", *self.trace.ports)
        circuit.X("bias", "dpi_trace_bias", *self.bias.ports)
        size: Size = {"width": self.trace.width, "length": self.trace.length}
        process.nfet(circuit, "out", "out", "v_p", "0", "0", **size)
        knob = Knob("vevent", ("event", "0"), Waveform.constant(0.0))
        analysis = Transient(self.stop, self.maximum_step)
        return bench_deck(self.name, circuit, process, analysis, ["i(vout)"], [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Four events, 0.2 ms apart, from 1 ms on."""
        events = 1e-3 + 0.2e-3 * np.arange(4)
        train = pulse_train(events, high=process.supply, width=20e-6, edge=1e-6, stop=self.stop)
        return [{"vevent": train}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """The decay is fitted from half to a twentieth of the peak, in the logarithm."""
        time, current = waveforms[0].time, -waveforms[0]["i(vout)"]
        top = int(current.argmax())
        peak, rest = float(current[top]), float(np.median(current[time < 0.9e-3]))
        later = np.arange(time.size) > top
        tail = later & (current < 0.5 * peak) & (current > 0.05 * peak)
        tau = float("nan")
        if tail.sum() > 3:
            tau = -1 / float(np.polyfit(time[tail], np.log(current[tail]), 1)[0])
        return {"time constant": tau, "peak current": peak, "rest current": rest}


class TraceLawBench(Bench):
    """The decays of both traces after one event, Q ten times faster than P."""

    name: ClassVar[str] = "dpi_trace_law"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "trace Q, time constant": Quantity("s"),
        "trace Q, time constant over law": Quantity("1", 0.9, 1.1, law="C U_T/(κ_p I_tau)"),
        "trace P, time constant": Quantity("s"),
        "trace P, time constant over law": Quantity("1", 0.9, 1.1, law="C U_T/(κ_n I_tau)"),
        "trace Q, peak current": Quantity("A"),
        "trace P, peak current": Quantity("A"),
    }

    trace: DpiTrace = DpiTrace()
    bias: DpiTraceBias = DpiTraceBias(
        i_weight=50e-9, i_tau_q=400e-12, i_gain_q=60e-12, i_gain_p=100e-12
    )
    stop: float = parameter(8e-3, unit="s", doc="length of the run", gt=0)
    maximum_step: float = parameter(1e-5, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Trace, bias lines and a transistor that reads P; Q is what its own transistor carries."""
        circuit = bench_circuit(process, self.trace, self.bias)
        circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        circuit.X("trace", "dpi_trace", *self.trace.ports)
        circuit.X("bias", "dpi_trace_bias", *self.bias.ports)
        size: Size = {"width": self.trace.width, "length": self.trace.length}
        process.nfet(circuit, "out", "out", "v_p", "0", "0", **size)
        knob = Knob("vpulse", ("pulse", "0"), Waveform.constant(0.0))
        analysis = Transient(self.stop, self.maximum_step)
        probes = ["i(vout)", _drain_current(process, "pfet", "q_out", "trace")]
        return bench_deck(self.name, circuit, process, analysis, probes, [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Four events, 0.2 ms apart."""
        events = 0.2e-3 * np.arange(1, 5)
        high = process.supply
        return [{"vpulse": pulse_train(events, high=high, width=20e-6, edge=1e-6, stop=self.stop)}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Both decays, fitted from half to a twentieth of their peaks."""
        time = waveforms[0].time
        found = {}
        for name, current, law in self._traces(waveforms[0], on):
            tau = decay_time_constant(time, current)
            found[f"trace {name}, time constant"] = tau
            found[f"trace {name}, time constant over law"] = tau / law
            found[f"trace {name}, peak current"] = float(current.max())
        return found

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Both traces, with the law's decay from half of their peaks on."""
        time = waveforms[0].time
        lines = []
        for name, current, law in self._traces(waveforms[0], on):
            lines.append(Line(name, time, np.maximum(current, 1e-13)))
            lines.append(_decay_line(f"law of {name}", time, current, law))
        return (Panel("Traces after four events", "time", "s", "current", "A", tuple(lines), "y"),)

    def _traces(self, wave: Waveforms, on: Condition) -> tuple[tuple[str, Array, float], ...]:
        """Name, current and time constant by the law, of each."""
        q = abs(wave[_drain_current(on.process, "pfet", "q_out", "trace")])
        return (
            ("Q", q, on.time_constant(self.trace.c_q, self.bias.i_tau_q, "pfet")),
            ("P", -wave["i(vout)"], on.time_constant(self.trace.c_p, self.bias.i_tau_p, "nfet")),
        )


def _drain_current(process: Process, kind: Literal["nfet", "pfet"], name: str, cell: str) -> str:
    """The probe of the current of a transistor in a cell."""
    return f"@{process.mosfet(kind).instance(name, cell)}[id]"


def _decay_line(label: str, time: Array, current: Array, tau: float) -> Line:
    """The law's decay from where a curve has come to half of its peak."""
    top = int(current.argmax())
    start = first_crossing(time, current, 0.5 * float(current[top]), "falling", float(time[top]))
    later = start + np.linspace(0, 4, 50) * tau
    return Line(label, later, 0.5 * current[top] * np.exp(-(later - start) / tau), law=True)


def _ends(cell: DpiCore, process: Process, port: str) -> tuple[str, str]:
    """The nodes of a positive current source for a mirror input of a DPI synapse."""
    on = side(process, cell.complement)
    rail = on.low if port in ("gain", "tau", "recovery") else on.high
    return (port, "0") if rail == "0" else ("vdd", port)


def _synapse_circuit(cell: DpiCore, process: Process, currents: Mapping[str, float]) -> Circuit:
    """A DPI synapse on its supply, with constant currents into some of its mirror inputs."""
    circuit = bench_circuit(process, cell)
    circuit.X("syn", cell.subcircuit_name, *cell.ports)
    for port, amperes in currents.items():
        bias_current(circuit, port, *_ends(cell, process, port), amperes)
    return circuit


def _pulse_level(cell: DpiCore, process: Process, closed: bool) -> float:
    """The level of `pulse` while its switch is closed or open, volts."""
    return process.supply if closed is not cell.complement else 0.0


def _pulses(
    cell: DpiCore, process: Process, times: npt.ArrayLike, width: float, stop: float
) -> Waveform:
    """Pulses that close the input switch at these times (seconds)."""
    train = pulse_train(times, high=process.supply, width=width, edge=_EDGE, stop=stop)
    if not cell.complement:
        return train
    return Waveform(train.time, process.supply - train.value)


def _output(cell: DpiCore, wave: Waveforms) -> Array:
    """The output current, positive where it flows the way that the synapse is for."""
    return wave["i(vout)"] * (-1 if cell.complement else 1)


def _output_kind(cell: DpiCore) -> Literal["nfet", "pfet"]:
    """Of D6, which reads `v_syn`."""
    return "nfet" if cell.complement else "pfet"


def _input_kind(cell: DpiCore) -> Literal["nfet", "pfet"]:
    """Of weight and pair."""
    return "pfet" if cell.complement else "nfet"


def _device(on: Condition, kind: Literal["nfet", "pfet"]) -> WeakInversion:
    return on.nfet if kind == "nfet" else on.pfet


def _gate_voltage(device: WeakInversion, on: Condition, amperes: float, size: Size) -> float:
    """Of a transistor in weak inversion that carries a current, source at the bulk; volts."""
    unit = amperes * size["length"] / size["width"]
    return float(on.thermal_voltage / device.kappa * np.log(unit / device.i_0))


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

    @property
    def name(self) -> str:
        """By the sign of the output."""
        return f"dpi_{'inhibitory' if self.cell.complement else 'excitatory'}_decay"

    def deck(self, process: Process) -> Deck:
        """Output at half the supply; knobs of pulse, weight and leak."""
        cell = self.cell
        circuit = _synapse_circuit(cell, process, {"gain": self.i_gain})
        circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        knobs = [Knob("vpulse", ("pulse", "0"), Waveform.constant(0.0))]
        knobs += [Knob(f"i{port}", _ends(cell, process, port), 1e-10) for port in ("weight", "tau")]
        stop = _rounded(6 * self._expected(self.least))
        analysis = Transient(stop, stop / 1000)
        return bench_deck(self.name, circuit, process, analysis, ["i(vout)"], knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Five decays, the small step, the rise."""
        closed, opened = (_pulse_level(self.cell, process, closed) for closed in (True, False))
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
            time, current = wave.time, _output(self.cell, wave)
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
            lines.append(Line(label, since[shown], _output(self.cell, wave)[shown]))
        first = float(np.median([_output(self.cell, w)[0] for w in waveforms[:5]]))
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
            _output_kind(cell),
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
        times: dict[str, Value] = {"stop": _rounded(6 * tau), "maximum_step": tau / 50}
        return {"itau": leak, "iweight": self.drive * leak, **times, **knobs}

    def _law(self, leak: float, on: Condition) -> float:
        return on.time_constant(self.cell.c_syn, leak, _output_kind(self.cell))

    def _decays(self, waveforms: Sequence[Waveforms]) -> Array:
        """Time constants of the five decays, shape (5,)."""
        return np.array([decay_time_constant(w.time, _output(self.cell, w)) for w in waveforms[:5]])


def _rounded(seconds: float) -> float:
    """A length of a run as the deck writes it, so that the run ends where it is said to."""
    return float(spice_number(seconds))


def _step(before: float, after: float, start: float) -> Waveform:
    """From one level to another, at a time."""
    return Waveform(np.array([0.0, start, start + _EDGE]), np.array([before, before, after]))


class DpiGainBench(Bench):
    """Steady output of a DPI synapse over a decade of its weight, gain and leak currents."""

    properties: ClassVar[Mapping[str, Quantity]] = {
        "synapse, output over law": Quantity("1", law="I_gain (I_weight/I_tau - 1)"),
        "synapse, output over law along I_weight, most over least": Quantity("1", high=1.1),
        "synapse, output over law along I_gain, most over least": Quantity("1", high=1.1),
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
        circuit = _synapse_circuit(cell, process, {})
        circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        level = _pulse_level(cell, process, closed=True)
        circuit.V("pulse", "pulse", "0", raw_spice=f"dc {spice_number(level)}")
        for port, amperes in self._currents().items():
            source, sink = _ends(cell, process, port)
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
        spread = {port: float(r.max() / r.min()) for port, r in ratio.items()}
        _, _, output, law = self._curves(waveforms)[0]
        middle = waveforms[0].time.size // 2
        rise = np.log(abs(output[-1] / output[0])) / np.log(law[-1] / law[0])
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
            "i_weight": (self.i_weight, _input_kind(cell), cell.width, cell.pair_length),
            "output current": (output, _output_kind(cell), cell.output_width, cell.length),
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
            found.append((port, turned, _output(self.cell, wave), law))
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
        circuit = _synapse_circuit(self.cell, process, currents)
        circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        knob = Knob("vpulse", ("pulse", "0"), Waveform.constant(0.0))
        analysis = Transient(self._stop(), self.maximum_step)
        probes = ["i(vout)", "i(vdd)"]
        return bench_deck(self.name, circuit, process, analysis, probes, [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One train."""
        return [{"vpulse": _pulses(self.cell, process, self._times(), self.pulse, self._stop())}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """The last ten intervals are steady; energy is what rest does not take."""
        wave, last = waveforms[0], self._times()[-11:]
        output = _output(self.cell, wave)
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
        output = _output(self.cell, wave)
        tau = on.time_constant(self.cell.c_syn, self.i_tau, _output_kind(self.cell))
        mean = self._charge() / self.interval
        train = self._times()[[0, -1]]
        lines = (
            Line("output", wave.time, output),
            Line("law of the steady mean", train, np.full(2, mean), law=True),
            _decay_line("law of the decay", wave.time, output, tau),
        )
        return (Panel("A train of events", "time", "s", "output current", "A", lines),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The weight in the pair."""
        pair = (self.i_weight, _input_kind(self.cell), self.cell.width, self.cell.pair_length)
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
        circuit = _synapse_circuit(self.cell, process, currents)
        circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        knob = Knob("vpulse", ("pulse", "0"), Waveform.constant(0.0))
        analysis = Transient(self._stop(), self.maximum_step)
        probes = ["i(vout)", "i(vdd)", "v(xsyn.v_w)", self._weight(process)]
        return bench_deck(self.name, circuit, process, analysis, probes, [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """The burst and one more event."""
        return [{"vpulse": _pulses(self.cell, process, self._times(), self.pulse, self._stop())}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Efficacies by charge; the recovery's line is through what the law says decays."""
        wave, times = waveforms[0], self._times()
        efficacy = self._efficacy(wave, on.process)
        ratio = efficacy / self._law(times, on)
        recovering = _device(on, _output_kind(self.cell)).kappa / (2 * on.thermal_voltage)
        missing = np.sinh(recovering * self._fallen(wave))
        after = (wave.time > times[-2] + 2 * self.pulse) & (wave.time < times[-1] - _EDGE)
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
        kappa = _device(on, _input_kind(self.cell)).kappa
        lines = (
            Line("by V_w", wave.time, np.exp(-kappa * self._fallen(wave) / on.thermal_voltage)),
            Line("by charge", times, self._efficacy(wave, on.process)),
            Line("law", times, self._law(times, on), law=True),
        )
        output = (Line("output", wave.time, _output(self.cell, wave)),)
        return (
            Panel("Efficacy of a burst, and its recovery", "time", "s", "efficacy", "", lines),
            Panel("Output of a burst", "time", "s", "output current", "A", output),
        )

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The weight in its transistor."""
        weight = (self.i_weight, _input_kind(self.cell), self.cell.width, self.cell.length)
        return doubts({"i_weight": weight}, on)

    def _times(self) -> Array:
        """Of the events, seconds, shape (events + 1,)."""
        burst = self.interval * np.arange(1, self.events + 1)
        return np.append(burst, burst[-1] + self.pause)

    def _stop(self) -> float:
        return float(self._times()[-1] + self.interval)

    def _weight(self, process: Process) -> str:
        return _drain_current(process, _input_kind(self.cell), "d2", "syn")

    def _recovery(self, on: Condition) -> float:
        """Time constant of the recovery by the law, seconds."""
        device = _device(on, _output_kind(self.cell))
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
            during = (wave.time >= start) & (wave.time <= start + self.pulse + _EDGE)
            charges.append(np.trapezoid(current[during], wave.time[during]))
        return np.asarray(np.array(charges) / charges[0], dtype=np.float64)

    def _law(self, times: Array, on: Condition) -> Array:
        """Efficacies at the events, by the law, shape (events + 1,)."""
        unit = 2 * on.thermal_voltage / _device(on, _output_kind(self.cell)).kappa
        taken = self.i_depression * self.pulse / self.cell.c_std
        fallen = [0.0]
        for gap in np.diff(times) - self.pulse / 2:
            left = np.sinh((fallen[-1] + taken) / unit) * np.exp(-gap / self._recovery(on))
            fallen.append(float(unit * np.arcsinh(left)))
        kappa = _device(on, _input_kind(self.cell)).kappa
        return np.asarray(np.exp(-kappa * np.array(fallen) / on.thermal_voltage))


class DpiNmdaBench(Bench):
    """A steady NMDA synapse over the membrane's voltage."""

    name: ClassVar[str] = "dpi_nmda"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "NMDA gate, current when open": Quantity("A"),
        "NMDA gate, open over closed, 0.2 V to each side": Quantity("1", low=10),
        "NMDA gate, switching voltage": Quantity("V"),
        "NMDA gate, switching voltage less V_nmda": Quantity(
            "V", -0.01, 0.01, law="V_nmda = (U_T/κ) ln(I_nmda/I_0)", scale=1e-3
        ),
        "NMDA gate, slope over law": Quantity("1", 0.9, 1.1, law="I_syn κ/(4 U_T)"),
        "NMDA gate, static power": Quantity("W"),
    }

    cell: DpiNmda = DpiNmda()
    i_weight: float = parameter(80e-12, unit="A", doc="weight", gt=0)
    i_gain: float = parameter(10e-12, unit="A", doc="gain current", gt=0)
    i_tau: float = parameter(5e-12, unit="A", doc="leak", gt=0)
    i_nmda: float = parameter(200e-12, unit="A", doc="membrane current that opens it", gt=0)

    def deck(self, process: Process) -> Deck:
        """The input always on, the output a sixth of the supply from its rail."""
        return _gate_deck(self, self.cell, process, ("weight", "gain", "tau", "nmda"), ("out",))

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep of the membrane."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Half of the open current is where it switches; slope there by a tenth of U_T."""
        membrane, output = _gate_curve(self.cell, waveforms[0], "out", on)
        opened, law = output[-1], self._law_voltage(on)
        switch = first_crossing(membrane, output, opened / 2, "rising")
        far = np.interp([switch - 0.2, switch + 0.2], membrane, output)
        slope = _slope_at(membrane, output, switch)
        kappa = _device(on, _output_kind(self.cell)).kappa
        return {
            "NMDA gate, current when open": float(opened),
            "NMDA gate, open over closed, 0.2 V to each side": float(far[1] / far[0]),
            "NMDA gate, switching voltage": switch,
            "NMDA gate, switching voltage less V_nmda": switch - law,
            "NMDA gate, slope over law": float(slope * 4 * on.thermal_voltage / (kappa * opened)),
            "NMDA gate, static power": -on.supply * float(waveforms[0]["i(vdd)"][-1]),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The output over the membrane."""
        membrane, output = _gate_curve(self.cell, waveforms[0], "out", on)
        kappa = _device(on, _output_kind(self.cell)).kappa
        away = kappa * (self._law_voltage(on) - membrane) / on.thermal_voltage
        lines = (
            Line("output", membrane, output),
            Line("law", membrane, output[-1] / (1 + np.exp(away)), law=True),
        )
        return (Panel("NMDA gate", "membrane voltage", "V", "output current", "A", lines),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The current that sets the gate's voltage."""
        bias = (self.i_nmda, _input_kind(self.cell), self.cell.width, self.cell.width)
        return doubts({"i_nmda": bias}, on)

    def _law_voltage(self, on: Condition) -> float:
        device = _device(on, _input_kind(self.cell))
        return _gate_voltage(device, on, self.i_nmda, self.cell.square)


class DpiConductanceBench(Bench):
    """A steady conductance synapse over the voltage of the membrane that it feeds."""

    name: ClassVar[str] = "dpi_conductance"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "conductance, current far below the reversal": Quantity("A"),
        "conductance, current 0.2 V above over far below": Quantity("1", high=0.1),
        "conductance, half current": Quantity("V"),
        "conductance, half current less V_reversal": Quantity(
            "V", -0.01, 0.01, law="V_reversal = (U_T/κ) ln(I_reversal/I_0)", scale=1e-3
        ),
        "conductance at half current": Quantity("S"),
        "conductance at half current over law": Quantity("1", 0.9, 1.1, law="I_syn κ/(4 U_T)"),
        "conductance synapse, static power": Quantity("W"),
    }

    cell: DpiConductance = DpiConductance()
    i_weight: float = parameter(80e-12, unit="A", doc="weight", gt=0)
    i_gain: float = parameter(10e-12, unit="A", doc="gain current", gt=0)
    i_tau: float = parameter(5e-12, unit="A", doc="leak", gt=0)
    i_reversal: float = parameter(200e-12, unit="A", doc="membrane current of the reversal", gt=0)

    def deck(self, process: Process) -> Deck:
        """The input always on, the membrane swept."""
        return _gate_deck(self, self.cell, process, ("weight", "gain", "tau", "reversal"), ())

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep of the membrane."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Half of the largest current, and the slope there."""
        membrane, output = _gate_curve(self.cell, waveforms[0], "mem", on)
        most = output[0]
        half = first_crossing(membrane, output, most / 2, "falling")
        above = float(np.interp(half + 0.2, membrane, output))
        slope = -_slope_at(membrane, output, half)
        kappa = _device(on, _output_kind(self.cell)).kappa
        return {
            "conductance, current far below the reversal": float(most),
            "conductance, current 0.2 V above over far below": float(above / most),
            "conductance, half current": half,
            "conductance, half current less V_reversal": half - self._law_voltage(on),
            "conductance at half current": slope,
            "conductance at half current over law": float(
                slope * 4 * on.thermal_voltage / (kappa * most)
            ),
            "conductance synapse, static power": -on.supply * float(waveforms[0]["i(vdd)"][0]),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The current over the membrane."""
        membrane, output = _gate_curve(self.cell, waveforms[0], "mem", on)
        kappa = _device(on, _output_kind(self.cell)).kappa
        away = kappa * (membrane - self._law_voltage(on)) / on.thermal_voltage
        lines = (
            Line("output", membrane, output),
            Line("law", membrane, output[0] / (1 + np.exp(away)), law=True),
        )
        return (Panel("Reversal", "membrane voltage", "V", "output current", "A", lines),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The current that sets the reversal."""
        bias = (self.i_reversal, _input_kind(self.cell), self.cell.width, self.cell.width)
        return doubts({"i_reversal": bias}, on)

    def _law_voltage(self, on: Condition) -> float:
        device = _device(on, _input_kind(self.cell))
        return _gate_voltage(device, on, self.i_reversal, self.cell.square)


def _gate_deck(
    bench: Bench, cell: DpiCore, process: Process, ports: Sequence[str], held: Sequence[str]
) -> Deck:
    """A steady synapse whose membrane, knob `vmem`, is swept from its rail on.

    Args:
        bench: with a current `i_<port>` for each mirror input.
        cell: the synapse.
        process: of its transistors.
        ports: its mirror inputs.
        held: other outputs, held a sixth of the supply from the same rail.
    """
    circuit = _synapse_circuit(cell, process, {port: getattr(bench, f"i_{port}") for port in ports})
    level = _pulse_level(cell, process, closed=True)
    circuit.V("pulse", "pulse", "0", raw_spice=f"dc {spice_number(level)}")
    rail, sign = (process.supply, -1) if cell.complement else (0.0, 1)
    for node in held:
        circuit.V(node, node, "0", raw_spice=f"dc {spice_number(rail + sign * process.supply / 6)}")
    sweep = DcSweep("vmem", rail, rail + sign * 0.45 * process.supply, sign * 5e-3)
    probes = ["i(vdd)", "i(vmem)", *(f"i(v{node})" for node in held)]
    knob = Knob("vmem", ("v_mem", "0"), rail)
    return bench_deck(bench.name, circuit, process, sweep, probes, [knob])


def _gate_curve(cell: DpiCore, wave: Waveforms, source: str, on: Condition) -> tuple[Array, Array]:
    """Membrane voltage from its rail and current of a source, both positive as the cell is for."""
    if cell.complement:
        return on.supply - wave.time, -wave[f"i(v{source})"]
    return wave.time, wave[f"i(v{source})"]


def _slope_at(x: Array, y: Array, place: float) -> float:
    """Slope of a curve at a place, by the points around it; NaN without a place."""
    return float(np.interp(place, x, np.gradient(y, x))) if np.isfinite(place) else float("nan")


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
            stop = _rounded(self.delay + self.event + 1.5 * fill)
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
        levels = np.array([_gate_voltage(on.nfet, on, bias, size) for bias in biases])
        return np.asarray(self.cell.capacitance * levels / biases)

    def _widths(self, waveforms: Sequence[Waveforms], on: Condition) -> Array:
        """Simulated, seconds; NaN where there is no pulse."""
        end = self.delay + self.event + self.edge / 2
        return np.array([
            first_crossing(w.time, w["v(pulse)"], on.supply / 2, "falling", end) - end
            for w in waveforms
        ])  # fmt: skip


_INHIBITORY = DpiSynapse(complement=True)

ENTRIES: tuple[Entry, ...] = (
    Entry("dpi_trace", "Two-stage DPI trace", DpiTrace, (SynapseBench(), TraceLawBench())),
    Entry(
        "dpi_excitatory", "DPI synapse, excitatory", DpiSynapse,
        (DpiEventsBench(), DpiDecayBench(), DpiGainBench()),
    ),
    Entry(
        "dpi_inhibitory", "DPI synapse, inhibitory", DpiSynapse,
        (
            DpiEventsBench(cell=_INHIBITORY), DpiDecayBench(cell=_INHIBITORY),
            DpiGainBench(cell=_INHIBITORY, i_gain=20e-12),
        ),
    ),
    Entry("dpi_depression", "Depressing DPI synapse", DpiDepressing, (DpiDepressionBench(),)),
    Entry("dpi_nmda", "DPI synapse with NMDA gate", DpiNmda, (DpiNmdaBench(),)),
    Entry(
        "dpi_conductance", "DPI synapse with reversal", DpiConductance, (DpiConductanceBench(),)
    ),
    Entry("pulse_extender", "Pulse extender", PulseExtender, (PulseExtenderBench(),)),
)  # fmt: skip
