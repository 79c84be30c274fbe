"""How the tier of the two-stage trace is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.deck import Deck, Transient
from spicesnn.fit.least_squares import Fit
from spicesnn.measure.energy import supply_energy
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.tiers.dpi_trace import DpiTrace
from spicesnn.tiers.ranges import Range
from spicesnn.tiers.recipe import Recipe, Stimulus
from spicesnn.tiers.recipes.free_run import fit_runs, split
from spicesnn.tiers.record import Record, duty, step_ends
from spicesnn.units import thermal_voltage
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]

_KINDS = ("poisson", "regular", "bursts", "pairs")


class DpiTraceRecipe(Recipe):
    """The trace of the classifier: behind its driver, under the load of its columns' tails.

    Random, regular and bursting events; pairs at random distances.
    """

    name: ClassVar[str] = "dpi_trace"
    title: ClassVar[str] = "two-stage DPI trace"
    tier: ClassVar[type[DpiTrace]] = DpiTrace
    compared: ClassVar[Mapping[str, str]] = {"v_p": "V", "i_p": "A"}
    mismatched: ClassVar[tuple[str, ...]] = (
        "i_weight",
        "v_gain_q",
        "i_tau_q",
        "i_0_q",
        "v_gain_p",
        "i_tau_p",
        "i_0_p",
    )
    features: ClassVar[Mapping[str, str]] = {"time": "s", "events": "1", "charge of P": "C"}

    circuit: ClassifierCircuit = ClassifierCircuit()
    slowest: float = parameter(40.0, unit="Hz", doc="least rate of events", gt=0)
    fastest: float = parameter(1500.0, unit="Hz", doc="most rate of events, but in bursts", gt=0)
    stop: float = parameter(30e-3, unit="s", doc="length of a run", gt=0)
    step: float = parameter(20e-6, unit="s", doc="of the tier", gt=0)
    maximum_step: float = parameter(50e-6, unit="s", doc="bound of the solver's step", gt=0)

    @property
    def dt(self) -> float:
        """The tier's step, seconds."""
        return self.step

    @property
    def tau(self) -> float:
        """Of P, `C U_T/(kappa I_tau)` with 0.7 for kappa, seconds."""
        leak = self.circuit.trace_bias.i_tau_p
        return self.circuit.trace.c_p * thermal_voltage(27.0) / (0.7 * leak)

    def deck(self, process: Process) -> Deck:
        """Driver, trace, bias and load; knob `vevent`."""
        deck = self.circuit.trace_deck(process)
        load = self.circuit.normaliser.load(
            process, "v_p", self.circuit.units,
            v_read=self.circuit.v_read, v_return=self.circuit.v_return,
        )  # fmt: skip
        return replace(
            deck,
            netlist=f"{deck.netlist.strip()}\n{load}",
            probes=("v(v_p)", "v(xtrace.v_q)", "i(vdd)", "i(vload_vdd)"),
            analysis=Transient(self.stop, self.maximum_step),
        )

    def stimuli(self, process: Process, rng: np.random.Generator, count: int) -> list[Stimulus]:
        """All kinds in turn, from rest."""
        makers = {
            "poisson": self._poisson, "regular": self._regular, "bursts": self._bursts,
            "pairs": self._pairs,
        }  # fmt: skip
        return [
            self._stimulus(kind, makers[kind](rng), process) for kind in (_KINDS * count)[:count]
        ]

    def record(self, stimulus: Stimulus, waveforms: Waveforms, process: Process) -> Record:
        """Both voltages and the current of one of the load's tails."""
        ends = step_ends(self.dt, self._count)
        outputs = {
            "v_q": process.supply - waveforms.at("v(xtrace.v_q)", ends),
            "v_p": waveforms.at("v(v_p)", ends),
            "i_p": -waveforms.at("i(vload_vdd)", ends) / self.circuit.units,
        }
        return Record(
            self.dt, stimulus.inputs, outputs,
            energy=supply_energy(waveforms, {"i(vdd)": process.supply}),
        )  # fmt: skip

    def fit(
        self,
        records: Sequence[Record],
        process: Process,
        celsius: float,
        start: Mapping[str, float] | None = None,
    ) -> Fit:
        """All runs from rest; v_q, v_p and the tail's current over a hundredth of their ranges."""
        fixed = {"c_q": self.circuit.trace.c_q, "c_p": self.circuit.trace.c_p}
        guess = self._guess(records, thermal_voltage(celsius))
        free, fixed = split(start, self.mismatched, guess, fixed)
        scales = {
            name: 0.01 * float(np.ptp(np.concatenate([r.outputs[name] for r in records])))
            for name in ("v_q", "v_p", "i_p")
        }
        return fit_runs(self.tier, records, free, fixed, scales)

    def ranges(self, records: Sequence[Record]) -> dict[str, Range]:
        """Of events, and of the outputs with a tenth of their ranges around."""
        found = {"event": Range(low=0.0, high=1.0, unit="1")}
        for name, unit in {"v_q": "V", **self.compared}.items():
            values = np.concatenate([r.outputs[name] for r in records])
            more = 0.1 * float(np.ptp(values))
            low, high = float(values.min()) - more, float(values.max()) + more
            found[name] = Range(low=low, high=high, unit=unit)
        return found

    def energy_features(self, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> Array:
        """Seconds, events, charge of a tail."""
        seconds = self.dt * inputs["event"].size
        events = self.dt * inputs["event"].sum() / self.circuit.pulse_width
        return np.array([seconds, events, self.dt * outputs["i_p"].sum()])

    @property
    def _circuit(self) -> ClassifierCircuit:
        """With the length of a run."""
        return self.circuit.model_copy(update={"stop": self.stop})

    @property
    def _count(self) -> int:
        return round(self.stop / self.dt)

    def _guess(self, records: Sequence[Record], u_t: float) -> dict[str, float]:
        """From the bias currents, and the tail's law by a line through ln I_p over v_p."""
        bias, u = self.circuit.trace_bias, 1.38 * u_t
        v, i = (np.concatenate([r.outputs[n] for r in records]) for n in ("v_p", "i_p"))
        seen = (i > 0.01 * i.max()) & (i < 0.2 * i.max())
        slope, offset = np.polyfit(v[seen], np.log(i[seen]), 1)
        v_q = np.concatenate([r.outputs["v_q"] for r in records])
        # P's pair passes I_gain at that voltage; Q rises half a decade and more above its own.
        v_gain_p = float((np.log(bias.i_gain_p) - offset) / slope)
        v_gain_q = float(v_q.max()) - 4 * u
        return {
            "i_weight": bias.i_weight, "a_q": 1 / u, "v_gain_q": v_gain_q,
            "i_tau_q": bias.i_tau_q, "u_sat_q": u_t, "v_early_q": 20.0,
            "i_0_q": float(bias.i_gain_q * np.exp(-v_gain_q / u)), "u_read_q": u,
            "i_curve_q": 100e-9, "a_p": 1 / u, "v_gain_p": v_gain_p, "i_pair_p": 100e-9,
            "i_tau_p": bias.i_tau_p, "u_sat_p": u_t, "v_early_p": 20.0,
            "i_0_p": float(np.exp(offset)), "u_read_p": float(1 / slope), "i_curve_p": 300e-9,
        }  # fmt: skip

    def _stimulus(self, kind: str, times: Array, process: Process) -> Stimulus:
        width, edge = self.circuit.pulse_width, self.circuit.pulse_edge
        times = times[(times > self.dt) & (times < self.stop - width - 3 * edge)]
        event = duty(times + edge / 2, width, self.dt, self._count)
        knob = self._circuit.stimulus(list(times), process)
        return Stimulus(kind, {"vevent": knob}, {"event": event})

    def _rate(self, rng: np.random.Generator) -> float:
        return float(np.exp(rng.uniform(np.log(self.slowest), np.log(self.fastest))))

    def _poisson(self, rng: np.random.Generator) -> Array:
        """With a dead time of one and a half pulses."""
        rate, dead = self._rate(rng), 1.5 * self.circuit.pulse_width
        gaps = dead + rng.exponential(
            max(1 / rate - dead, 0.1 / rate), int(self.stop * rate * 3 + 9)
        )
        return np.asarray(np.cumsum(gaps), dtype=np.float64)

    def _regular(self, rng: np.random.Generator) -> Array:
        """A train for a random part of the run."""
        gap = 1 / self._rate(rng)
        return np.arange(rng.uniform(0, gap), rng.uniform(0.5, 1) * self.stop, gap)

    def _bursts(self, rng: np.random.Generator) -> Array:
        """Of 2 to 8 events, 2 to 20 pulses apart, with random pauses."""
        times, now = [], 0.0
        while now < self.stop:
            now += rng.exponential(0.2 * self.stop)
            gap = rng.uniform(2, 20) * self.circuit.pulse_width
            for _ in range(rng.integers(2, 9)):
                now += gap
                times.append(now)
        return np.array(times)

    def _pairs(self, rng: np.random.Generator) -> Array:
        """Of random distances, far from each other."""
        times, now = [], 0.0
        while now < self.stop:
            now += rng.uniform(2, 10) * self.tau
            times.append(now)
            now += float(np.exp(rng.uniform(np.log(40e-6), np.log(5e-3))))
            times.append(now)
        return np.array(times)
