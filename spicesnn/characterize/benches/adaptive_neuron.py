"""Benches of the adaptive neuron."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from spicesnn.characterize.bench import (
    Array,
    Bench,
    Entry,
    Line,
    Panel,
    Quantity,
    bench_circuit,
    bench_deck,
)
from spicesnn.characterize.benches.rate_measures import (
    difference,
    energy_a_spike,
    extremes,
    ramp_law,
    rate_panel,
    rate_quantities,
    rate_values,
    ratio,
    refractory_panel,
    refractory_quantities,
    refractory_values,
    release_voltage,
    threshold_current,
)
from spicesnn.characterize.condition import Condition
from spicesnn.circuits.cells.adaptive_neuron import AdaptiveNeuron, AdaptiveNeuronBias
from spicesnn.circuits.cells.cell import capacitor
from spicesnn.circuits.deck import Deck, Knob, Transient, Value, Waveform
from spicesnn.measure.levels import crossings, first_crossing
from spicesnn.measure.rates import adaptation, instantaneous_rate, mean_rate
from spicesnn.measure.time_constants import decay_time_constant, step_time_constant
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


def _adaptive_deck(
    name: str,
    neuron: AdaptiveNeuron,
    bias: AdaptiveNeuronBias,
    process: Process,
    analysis: Transient,
    read: str = "",
    biases: Sequence[str] = (),
    answer: float = 0.0,
) -> Deck:
    """The neuron, its bias lines on a supply of their own, its input `idrive`.

    Args:
        name: of the bench.
        neuron: the cell.
        bias: its mirror inputs.
        process: of their transistors.
        analysis: what is computed.
        read: node on the gate of an nfet like MG6, whose drain current `i(vread)` is the node's
            voltage as a current; empty for none.
        biases: lines that get a further current, knob `i<line>`.
        answer: seconds from a request to its acknowledgement; with 0, `ack` is grounded.
    """
    circuit = bench_circuit(process, neuron, bias)
    circuit.V("bias", "vdd_bias", "0", raw_spice=f"dc {spice_number(process.supply)}")
    ports = ["0" if port == "ack" and not answer else port for port in neuron.ports]
    if answer:
        high = spice_number(process.supply)
        seen, late = (
            f"{high}*0.5*(1+tanh(20*(v({node})/{high}-0.5)))" for node in ("request_bar", "late")
        )
        circuit.raw_spice += f"Bseen seen 0 v = {seen}\nBack ack 0 v = {late}\n"
        circuit.R("late", "seen", "late", raw_spice="1e6")
        capacitor(circuit, "late", "late", "0", answer * 1e-6 / np.log(2))
    circuit.X("neuron", neuron.subcircuit_name, *ports)
    circuit.X("bias", bias.subcircuit_name, *bias.ports[:-1], "vdd_bias")
    probes = ["v(v_mem)", "v(request_bar)", "v(v_r)", "v(v_p)", "i(vdd)"]
    if read:
        circuit.V("read", "read", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        size: Size = {"width": neuron.width, "length": neuron.length}
        process.nfet(circuit, "read", "read", read, "0", "0", **size)
        probes.append("i(vread)")
    knobs = [Knob("idrive", ("vdd", "i_in"), 0.0)]
    knobs += [Knob(f"i{line}", ("vdd_bias", line), 0.0) for line in biases]
    # A neuron has another operating point, in the middle of a spike.
    start = {"v_mem": 0.0, "v_r": 0.0, "v_p": 0.0}
    return bench_deck(name, circuit, process, analysis, probes, knobs, start)


def _requests(wave: Waveforms, on: Condition) -> Array:
    """Times at which the request falls through half the supply."""
    return crossings(wave.time, wave["v(request_bar)"], on.supply / 2, "falling")


def _lasted(wave: Waveforms, spikes: Array, on: Condition) -> float:
    """Seconds from the first spike until the request has risen again; NaN if it has not."""
    if not spikes.size:
        return float("nan")
    level = on.supply / 2
    return float(
        first_crossing(wave.time, wave["v(request_bar)"], level, "rising", spikes[0]) - spikes[0]
    )


_QUIET = AdaptiveNeuronBias(i_ahp=1e-15, i_lkahp=50e-12)


class AdaptiveNeuronBench(Bench):
    """The adaptive neuron at rest and at 1 nA, adaptation off."""

    name: ClassVar[str] = "adaptive_neuron"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "neuron, rate at 1 nA": Quantity("Hz", low=100.0, everywhere=True),
        "neuron, energy a spike at 1 nA": Quantity("J", high=50e-12),
        "neuron, static power": Quantity("W", high=1e-11),
        "neuron, duration of the request": Quantity("s"),
        "neuron, membrane at the request": Quantity("V"),
        "neuron, lowest request": Quantity("V"),
    }

    neuron: AdaptiveNeuron = AdaptiveNeuron()
    bias: AdaptiveNeuronBias = _QUIET
    stop: float = parameter(4e-3, unit="s", doc="length of the run", gt=0)
    maximum_step: float = parameter(5e-6, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """The neuron with its input."""
        analysis = Transient(self.stop, self.maximum_step)
        return _adaptive_deck(self.name, self.neuron, self.bias, process, analysis)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """No current, then 1 nA."""
        return [{"idrive": 0.0, "stop": self.stop / 10}, {"idrive": 1e-9}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Energy between the first spike and the last, with the input's from the supply."""
        rest, wave = waveforms
        spikes = _requests(wave, on)
        request = wave["v(request_bar)"]
        level = float(wave.at("v(v_mem)", spikes[:1])[0]) if spikes.size else float("nan")
        return {
            "neuron, rate at 1 nA": mean_rate(spikes),
            "neuron, energy a spike at 1 nA": energy_a_spike(wave, spikes, on.supply),
            "neuron, static power": float(-rest["i(vdd)"][0] * on.supply),
            "neuron, duration of the request": _lasted(wave, spikes, on),
            "neuron, membrane at the request": level,
            "neuron, lowest request": float(request.min()),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Membrane, request and reset of one run."""
        wave = waveforms[1]
        names = {"v(v_mem)": "membrane", "v(request_bar)": "request, active low", "v(v_r)": "reset"}
        lines = tuple(Line(label, wave.time, wave[key]) for key, label in names.items())
        return (Panel("Adaptive neuron at 1 nA", "time", "s", "voltage", "V", lines),)


class AdaptiveNeuronRateBench(Bench):
    """Rate over two decades of the input's current, adaptation off: continuous from zero on.

    The law is that of an exponential integrate-and-fire neuron. The feedback current grows as that
    of MA3 on MA4, by e in `U_T (1 + kappa)/kappa^2`. Two voltages are read from the membrane of the
    slowest run, and hold for all others: where the feedback equals the input less the leak (the
    membrane's slope has doubled), and where the request falls; so does how long the request lasts.
    The refractory period follows from `C_r`, the bias and the reset's highest voltage.
    """

    name: ClassVar[str] = "adaptive_neuron_rate"
    properties: ClassVar[Mapping[str, Quantity]] = {
        **rate_quantities("1/(t_exponential + t_request + C_r V/I_ref)", 0.2),
        "threshold current": Quantity("A"),
        "threshold current over leak": Quantity("1", 0.9, 1.1),
    }
    drawn: ClassVar[bool] = False

    neuron: AdaptiveNeuron = AdaptiveNeuron()
    bias: AdaptiveNeuronBias = _QUIET.model_copy(update={"i_refractory": 10e-9})
    lowest: float = parameter(25e-12, unit="A", doc="lowest input", gt=0)
    highest: float = parameter(2.5e-9, unit="A", doc="highest input", gt=0)
    currents: int = parameter(9, unit="1", doc="number of inputs, spaced by ratio", ge=3)

    def deck(self, process: Process) -> Deck:
        """The neuron with its input."""
        return _adaptive_deck(self.name, self.neuron, self.bias, process, Transient(1e-3, 1e-6))

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Each run lasts three intervals or more, if the neuron fires at half the supply."""
        found: list[dict[str, Value]] = []
        for current in self._inputs():
            charge = self.neuron.c_mem * process.supply / 2
            stop = 3.2 * charge / max(current - self.bias.i_leak, current / 10)
            found.append({"idrive": float(current), "stop": stop, "maximum_step": stop / 400})
        return found

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Rates after the first spike; the threshold by the line through the two lowest."""
        inputs, rates = self._inputs(), self._rates(waveforms, on)
        threshold = threshold_current(inputs, rates)
        return {
            **rate_values(rates, self._law(inputs, waveforms, on)),
            "threshold current": threshold,
            "threshold current over leak": threshold / self.bias.i_leak,
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The curve and its law."""
        inputs, rates = self._inputs(), self._rates(waveforms, on)
        fine = np.geomspace(inputs[0], inputs[-1], 200)
        law = self._law(fine, waveforms, on)
        return (rate_panel("adaptive neuron", inputs, rates, fine, law),)

    def _inputs(self) -> Array:
        return np.geomspace(self.lowest, self.highest, self.currents)

    def _rates(self, waveforms: Sequence[Waveforms], on: Condition) -> Array:
        return np.array([mean_rate(_requests(wave, on)) for wave in waveforms])

    def _law(self, current: Array, waveforms: Sequence[Waveforms], on: Condition) -> Array:
        slow, kappa = waveforms[0], on.nfet.kappa
        spikes = _requests(slow, on)
        if not spikes.size:
            return np.full(current.shape, np.nan)
        fold = on.thermal_voltage * (1 + kappa) / kappa**2
        request = float(slow.at("v(v_mem)", spikes[:1])[0])
        doubled = _doubled(slow, spikes[0], request)
        net = current - self.bias.i_leak
        # Feedback over net input, at zero volts and at the request.
        start = (self.lowest - self.bias.i_leak) / net * np.exp(-doubled / fold)
        end = start * np.exp(request / fold)
        rise = self.neuron.c_mem * fold / net * np.log((1 + 1 / start) / (1 + 1 / end))
        # The leak is less than its bias below 4 U_T.
        farads, leak = self.neuron.c_mem, self.bias.i_leak
        rise += ramp_law(current, leak, farads, request, on) - farads * request / net
        peak = float(slow["v(v_r)"].max())
        rise += _lasted(slow, spikes, on)
        rise += _refractory_law(self.neuron, self.bias.i_refractory, peak, current, on)
        return np.asarray(1 / rise)


def _doubled(wave: Waveforms, spike: float, request: float) -> float:
    """The membrane's voltage where its slope before the first spike is twice what it was."""
    before = wave.time <= spike
    time, level = wave.time[before], wave["v(v_mem)"][before]
    if time.size < 3:
        return float("nan")
    slope = np.diff(level) / np.diff(time)
    middle = (level[1:] + level[:-1]) / 2
    early = (middle > 0.2 * request) & (middle < 0.5 * request)
    if not early.any():
        return float("nan")
    steady = float(np.median(slope[early]))
    return first_crossing(middle, slope, 2 * steady, "rising", 0.5 * request)


def _refractory_law(
    neuron: AdaptiveNeuron, bias: float, peak: float, current: Array, on: Condition
) -> Array:
    """Seconds that the bias takes to discharge C_r from its peak until MR6 yields to the input."""
    release = release_voltage(current, {"width": neuron.width, "length": neuron.length}, on)
    return neuron.c_r * np.maximum(peak - release, 0) / bias


class AdaptiveNeuronTimeBench(Bench):
    """The membrane's time constant over a factor of four of the leak.

    The gain line is so low that the input, ten times the leak, does not fire the neuron; an nfet
    reads the membrane's current. Small: the voltage after a step of a tenth, against the p pair's
    `C U_T/(kappa_p I_leak (1 - I_leak/I_in))`; no limit, for the pair's source is far below its
    bulk, where kappa_p was not extracted. Large: the current's decay without input.
    """

    name: ClassVar[str] = "adaptive_neuron_time"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "membrane, time constant at the lowest leak": Quantity("s"),
        "membrane, time constant over law, most": Quantity(
            "1", 0.9, 1.1, law="C_mem U_T/(kappa_n I_leak)"
        ),
        "membrane, time constant over law, least": Quantity("1", 0.9, 1.1),
        "membrane, small step over law, most": Quantity(
            "1", law="C_mem U_T/(kappa_p I_leak (1 - I_leak/I_in))"
        ),
        "membrane, small step over law, least": Quantity("1"),
    }

    neuron: AdaptiveNeuron = AdaptiveNeuron()
    bias: AdaptiveNeuronBias = _QUIET.model_copy(update={"i_gain": 10e-12})
    factors: tuple[float, ...] = parameter((1.0, 2.0, 4.0), unit="1", doc="leak over the bias's")

    def deck(self, process: Process) -> Deck:
        """The neuron, an nfet on its membrane, and a further current into the leak's line."""
        return _adaptive_deck(
            self.name, self.neuron, self.bias, process, Transient(1e-3, 1e-6), "v_mem", ["leak"],
        )  # fmt: skip

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Ten leaks, eleven after eight time constants, none after 16, for 14 more."""
        found: list[dict[str, Value]] = []
        for leak, unit in self._leaks():
            edge = unit / 200
            time = unit * np.array([0, 8, 16]).repeat(2) + np.tile([0, edge], 3)
            level = leak * np.array([0, 10, 10, 11, 11, 0])
            drive = Waveform(np.append(time, 30 * unit), np.append(level, 0.0))
            found.append(
                {
                    "idrive": drive, "ileak": leak - self.bias.i_leak, "stop": 30 * unit,
                    "maximum_step": unit / 25,
                }
            )  # fmt: skip
        return found

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Small steps in the voltage, decays in the current."""
        large, small = self._times(waveforms, on)
        (most, least), (small_most, small_least) = (
            extremes(measured / law) for measured, law in (large, small)
        )
        return {
            "membrane, time constant at the lowest leak": float(large[0][0]),
            "membrane, time constant over law, most": most,
            "membrane, time constant over law, least": least,
            "membrane, small step over law, most": small_most,
            "membrane, small step over law, least": small_least,
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Decays of the membrane's current, and time constants over the leak."""
        lines = []
        leaks = [leak for leak, _ in self._leaks()]
        (measured, law), (small, small_law) = self._times(waveforms, on)
        for wave, (leak, unit), tau in zip(waveforms, self._leaks(), law, strict=True):
            time, current = self._decay(wave, unit, on)
            early = time < 4 * tau
            lines.append(Line(f"I_leak = {leak * 1e12:g} pA", time[early], current[early]))
            decay = current[0] * np.exp(-time[early] / tau)
            lines.append(Line("law", time[early], decay, law=True))
        x = np.array(leaks)
        taus = (
            Line("decay", x, measured), Line("law of the decay", x, law, law=True),
            Line("small step", x, small), Line("law of the small step", x, small_law, law=True),
        )  # fmt: skip
        spread = f"{measured[0] * 1e3:.3g} to {measured[-1] * 1e3:.3g} ms"
        decays = f"Decay of the membrane's current, {spread}"
        return (
            Panel(decays, "time", "s", "current", "A", tuple(lines), "y"),
            Panel("Membrane's time constant", "leak", "A", "time constant", "s", taus, "xy"),
        )

    def _leaks(self) -> list[tuple[float, float]]:
        """Each leak and its time constant, if kappa is 0.72 at 27 deg C."""
        leaks = [factor * self.bias.i_leak for factor in self.factors]
        return [(leak, self.neuron.c_mem * 0.036 / leak) for leak in leaks]

    @staticmethod
    def _decay(wave: Waveforms, unit: float, on: Condition) -> tuple[Array, Array]:
        """The current without input, from a hundredth of the specific current on."""
        time, current = _after(wave, 16.005 * unit)
        weak = time >= first_crossing(time, current, on.nfet.i_spec / 100, "falling")
        if not weak.any():
            weak[:] = True
        return time[weak] - time[weak][0], current[weak]

    def _times(
        self, waveforms: Sequence[Waveforms], on: Condition
    ) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """Measured and law's, of decays and of small steps."""
        rows = []
        for wave, (leak, unit) in zip(waveforms, self._leaks(), strict=True):
            time, current = self._decay(wave, unit, on)
            decay = decay_time_constant(time, current, high=1.0, low=0.05)
            first, final = map(float, wave.at("v(v_mem)", [8 * unit, 16 * unit]))
            step = float("nan")
            if first != final:
                level = wave["v(v_mem)"]
                step = step_time_constant(wave.time, level, 8 * unit, first, final)
            large = on.time_constant(self.neuron.c_mem, leak, "nfet")
            small = on.time_constant(self.neuron.c_mem, leak, "pfet") / (1 - 1 / 10.5)
            rows.append((decay, large, step, small))
        decay, large, step, small = np.array(rows).T
        return (decay, large), (step, small)


def _after(wave: Waveforms, start: float) -> tuple[Array, Array]:
    """Time from a start on, and the read current; one point at least."""
    later = wave.time >= min(start, wave.time[-1])
    return wave.time[later] - start, -wave["i(vread)"][later]


class AdaptiveNeuronAdaptationBench(Bench):
    """A step of the input's current, and its end: how the rate falls and the adaptation decays.

    After the end the current of MG6 decays with `tau = C_p U_T/(kappa I_lkahp)`: the open loop.
    While the neuron fires it is in a loop: the faster it fires, the more its rate is lowered. If
    the rate is linear in `I_in - I_ahp`, and each spike adds the same, that loop's rate falls with
    `tau f_final/f_first`: faster than the open loop, by the factor by which the rate falls.
    """

    name: ClassVar[str] = "adaptive_neuron_adaptation"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "adaptation, first over final rate": Quantity("1", low=1.2),
        "adaptation, decay at the lowest leak": Quantity("s"),
        "adaptation, decay over law, most": Quantity("1", 0.9, 1.1, law="C_p U_T/(kappa I_lkahp)"),
        "adaptation, decay over law, least": Quantity("1", 0.9, 1.1),
        "adaptation, fall of the rate at the lowest leak": Quantity("s"),
        "adaptation, fall of the rate over law, most": Quantity(
            "1", 0.8, 1.2, law="C_p U_T/(kappa I_lkahp) f_final/f_first"
        ),
        "adaptation, fall of the rate over law, least": Quantity("1", 0.8, 1.2),
    }
    drawn: ClassVar[bool] = False

    neuron: AdaptiveNeuron = AdaptiveNeuron()
    bias: AdaptiveNeuronBias = AdaptiveNeuronBias(
        i_lkahp=4e-12, i_thrahp=2e-12, i_refractory=20e-9, i_ahp=25e-9
    )
    answer: float = parameter(20e-6, unit="s", doc="from request to acknowledgement", gt=0)
    drive: float = parameter(2e-9, unit="A", doc="input current", gt=0)
    factors: tuple[float, ...] = parameter(
        (1.0, 2.0, 4.0), unit="1", doc="leak and gain of the adaptation over the bias's"
    )

    def deck(self, process: Process) -> Deck:
        """The neuron, an nfet like MG6 on `v_p`, and further currents into two lines."""
        return _adaptive_deck(
            self.name, self.neuron, self.bias, process, Transient(1e-3, 1e-6), "v_p",
            ["lkahp", "thrahp"], answer=self.answer,
        )  # fmt: skip

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """On for four open-loop time constants, off for four."""
        found: list[dict[str, Value]] = []
        for factor, unit in self._units():
            edge = 1e-6
            time = np.array([0.0, edge, 4 * unit, 4 * unit + edge, 8 * unit])
            drive = Waveform(time, self.drive * np.array([0.0, 1.0, 1.0, 0.0, 0.0]))
            found.append(
                {
                    "idrive": drive, "ilkahp": (factor - 1) * self.bias.i_lkahp,
                    "ithrahp": (factor - 1) * self.bias.i_thrahp, "stop": 8 * unit,
                    "maximum_step": 8e-6,
                }
            )  # fmt: skip
        return found

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """The rate's fall from the spikes, the decay from MG6's twin."""
        rows = [self._fall(*pair, on) for pair in zip(waveforms, self._units(), strict=True)]
        decay, fall, ratio, law = np.array(rows).T
        most, least = extremes(decay / law)
        closed_most, closed_least = extremes(fall * ratio / law)
        return {
            "adaptation, first over final rate": float(ratio[0]),
            "adaptation, decay at the lowest leak": float(decay[0]),
            "adaptation, decay over law, most": most,
            "adaptation, decay over law, least": least,
            "adaptation, fall of the rate at the lowest leak": float(fall[0]),
            "adaptation, fall of the rate over law, most": closed_most,
            "adaptation, fall of the rate over law, least": closed_least,
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The rate after the step, and the decay after its end."""
        rates, decays, taus = [], [], []
        lowest = adaptation(self._spikes(waveforms[0], self._units()[0][1], on), 0.0)
        for wave, pair in zip(waveforms, self._units(), strict=True):
            label = f"I_lkahp = {pair[0] * self.bias.i_lkahp * 1e12:g} pA"
            spikes = self._spikes(wave, pair[1], on)
            found = adaptation(spikes, 0.0)
            tau = self._tau(pair[0], on)
            taus.append(tau * 1e3)
            if spikes.size > 1:
                time, rate = instantaneous_rate(spikes)
                rates.append(Line(label, time, rate))
                fall = np.exp(-(time - time[0]) * found.ratio / tau)
                law = found.final + (found.first - found.final) * fall
                rates.append(Line("law of the loop", time, law, law=True))
            time, current = _after(wave, 4 * pair[1] + 1e-6)
            early = time < 4 * tau
            decays.append(Line(label, time[early], current[early]))
            law = current[0] * np.exp(-time[early] / tau)
            decays.append(Line("law", time[early], law, law=True))
        fallen = f"Rate after a step, {lowest.first:.3g} to {lowest.final:.3g} Hz"
        decayed = f"I_ahp after the last spike, law {taus[0]:.3g} to {taus[-1]:.3g} ms"
        return (
            Panel(fallen, "time", "s", "rate", "Hz", tuple(rates)),
            Panel(decayed, "time", "s", "current", "A", tuple(decays), "y"),
        )

    def _units(self) -> list[tuple[float, float]]:
        """Each factor and its time constant, if kappa is 0.72 at 27 deg C."""
        leaks = [(f, f * self.bias.i_lkahp) for f in self.factors]
        return [(f, self.neuron.c_p * 0.036 / leak) for f, leak in leaks]

    @staticmethod
    def _spikes(wave: Waveforms, unit: float, on: Condition) -> Array:
        """Requests while the input is on."""
        spikes = _requests(wave, on)
        return spikes[spikes < 4 * unit]

    def _tau(self, factor: float, on: Condition) -> float:
        return on.time_constant(self.neuron.c_p, factor * self.bias.i_lkahp, "nfet")

    def _fall(
        self, wave: Waveforms, unit: tuple[float, float], on: Condition
    ) -> tuple[float, float, float, float]:
        """Open-loop decay, closed-loop fall, first over final rate, open loop's law."""
        found = adaptation(self._spikes(wave, unit[1], on), 0.0)
        decay = decay_time_constant(*_after(wave, 4 * unit[1] + 1e-6))
        return decay, found.time_constant, found.ratio, self._tau(unit[0], on)


class AdaptiveNeuronRefractoryBench(Bench):
    """The refractory period over a decade of its bias.

    It is the interval at constant input less the interval at five times the highest bias; as that
    holds a refractory period too, the difference is divided by one less the ratio of the biases.
    """

    name: ClassVar[str] = "adaptive_neuron_refractory"
    properties: ClassVar[Mapping[str, Quantity]] = refractory_quantities(
        "C_r (V_peak - V_release)/I_ref"
    )
    drawn: ClassVar[bool] = False

    neuron: AdaptiveNeuron = AdaptiveNeuron()
    bias: AdaptiveNeuronBias = _QUIET.model_copy(update={"i_refractory": 0.2e-9})
    drive: float = parameter(1e-9, unit="A", doc="input current", gt=0)
    factors: tuple[float, ...] = parameter(
        (1.0, 2.0, 5.0, 10.0, 50.0), unit="1", doc="bias over the cell's; the last for reference"
    )

    def deck(self, process: Process) -> Deck:
        """The neuron, and a further current into the refractory line."""
        return _adaptive_deck(
            self.name, self.neuron, self.bias, process, Transient(1e-3, 1e-6),
            biases=["refractory"],
        )  # fmt: skip

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """Each run lasts two intervals or more."""
        found: list[dict[str, Value]] = []
        for factor in self.factors:
            rise = self.neuron.c_mem * process.supply / 2 / self.drive
            dead = self.neuron.c_r * process.supply / 2 / (factor * self.bias.i_refractory)
            stop = 2.5 * (rise + dead)
            further = (factor - 1) * self.bias.i_refractory
            found.append(
                {
                    "idrive": self.drive, "irefractory": further, "stop": stop,
                    "maximum_step": stop / 600,
                }
            )  # fmt: skip
        return found

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Differences of intervals."""
        return refractory_values(*self._periods(waveforms, on))

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The period over its bias."""
        bias = self.bias.i_refractory * np.array(self.factors[:-1])
        return (refractory_panel(bias, *self._periods(waveforms, on)),)

    def _periods(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Array, Array]:
        """Measured and law's."""
        rows = []
        for wave, factor in zip(waveforms, self.factors, strict=True):
            rate = mean_rate(_requests(wave, on))
            peak, bias = float(wave["v(v_r)"].max()), factor * self.bias.i_refractory
            law = _refractory_law(self.neuron, bias, peak, np.array(self.drive), on)
            rows.append((ratio(1.0, rate), float(law)))
        interval, law = np.array(rows).T
        return difference(interval, self.factors), law[:-1]


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "adaptive_neuron",
        "DPI adaptive-exponential neuron",
        AdaptiveNeuron,
        (
            AdaptiveNeuronBench(),
            AdaptiveNeuronRateBench(),
            AdaptiveNeuronTimeBench(),
            AdaptiveNeuronAdaptationBench(),
            AdaptiveNeuronRefractoryBench(),
        ),
    ),
)
