"""How the adaptive neuron's tier is made: its circuit, its stimuli, its fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from PySpice.Spice.Netlist import Circuit

from spicesnn.circuits.cells.adaptive_neuron import AdaptiveNeuron as Cell
from spicesnn.circuits.cells.adaptive_neuron import AdaptiveNeuronBias
from spicesnn.circuits.deck import Deck, Knob, Transient, Waveform, circuit_deck
from spicesnn.errors import DataError, ParameterError
from spicesnn.fit.least_squares import Fit, fit
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.levels import crossings
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.tiers.adaptive_neuron import AdaptiveNeuron
from spicesnn.tiers.ranges import Range
from spicesnn.tiers.recipe import Recipe, Stimulus
from spicesnn.tiers.recipes.adaptive_currents import (
    adaptation_currents,
    first_guess,
    membrane_currents,
    request_charges,
)
from spicesnn.tiers.recipes.free_run import bounds_of, with_fixed
from spicesnn.tiers.record import Record, step_ends, step_means
from spicesnn.units import spice_number, thermal_voltage
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]

KINDS = ("steps", "ramps", "constant", "noise", "events")
# At the temperature of the recipe's own time constant; of a W = L = 1 um nfet (our choice).
_KAPPA, _CELSIUS = 0.72, 27.0
# What the fit begins with, and what `adaptive_currents` tells of both capacitors, fitted last.
_FIRST = ("c", "v_threshold", "t_reset", "i_feedback", "u_feedback")
_MEMBRANE = (
    "i_leak", "v_early", "v_early_ahp", "u_t", "u_t_ahp", "i_0", "u_ahp", "bow", "i_curve",
)  # fmt: skip
_ADAPTATION = ("i_lkahp", "v_early_lkahp", "u_lkahp", "coupling")
_FEWEST = 30
# What counts as a residual of 1: of a spike's time, seconds and of its interval; of the voltages,
# in all steps of an interval together (our choice).
_SECONDS, _RELATIVE, _VOLTS, _VOLTS_P = 1e-6, 5e-4, 2e-3, 1e-3
# From how many of these on a residual counts linearly in the last stage of a fit (our choice).
_LAST = 10.0


class AdaptiveNeuronRecipe(Recipe):
    """The adaptive neuron with its biases, driven by a current."""

    name: ClassVar[str] = "adaptive_neuron"
    title: ClassVar[str] = "DPI adaptive-exponential neuron"
    tier: ClassVar[type[AdaptiveNeuron]] = AdaptiveNeuron
    compared: ClassVar[Mapping[str, str]] = {"v_mem": "V", "v_p": "V"}
    features: ClassVar[Mapping[str, str]] = {
        "time": "s", "spikes": "1", "input": "C", "feedback": "V", "crowbar": "s",
    }  # fmt: skip
    mismatched: ClassVar[tuple[str, ...]] = (
        "i_leak", "v_threshold", "t_reset", "i_0", "i_lkahp", "v_thrahp", "rise_spike",
    )  # fmt: skip

    neuron: Cell = Cell()
    bias: AdaptiveNeuronBias = AdaptiveNeuronBias()
    lowest: float = parameter(25e-12, unit="A", doc="lowest input that is held", gt=0)
    highest: float = parameter(2.5e-9, unit="A", doc="highest input", gt=0)
    length: float = parameter(40e-3, unit="s", doc="of a run", gt=0)
    edge: float = parameter(20e-6, unit="s", doc="rise and fall of a step of the input", gt=0)
    step: float = parameter(10e-6, unit="s", doc="the tier's step", gt=0)
    maximum_step: float = parameter(10e-6, unit="s", doc="bound of the solver's step", gt=0)

    def model_post_init(self, context: object) -> None:
        """Check that the parameters suit each other.

        Raises:
            ParameterError: the lowest input is not under the highest, or the step is not shorter
                than the refractory period.
        """
        if not self.lowest < self.highest:
            raise ParameterError(
                f"{self.name}: lowest = {self.lowest:g} must be below highest = {self.highest:g} A."
            )
        # A reset goes up by some 0.2 V at least.
        shortest = 0.2 * self.neuron.c_r / self.bias.i_refractory
        if not self.step < shortest:
            raise ParameterError(
                f"{self.name}: step = {self.step:g} s must be below the refractory period, about "
                f"{shortest:.3g} s: take a shorter step or less i_refractory."
            )

    @property
    def dt(self) -> float:
        """The tier's step, seconds."""
        return self.step

    @property
    def tau(self) -> float:
        """The membrane's `C_mem U_T/(kappa I_leak)` at 27 deg C, seconds."""
        return self.neuron.c_mem * thermal_voltage(_CELSIUS) / (_KAPPA * self.bias.i_leak)

    def deck(self, process: Process) -> Deck:
        """The neuron with its input `idrive`; its bias lines have a supply of their own."""
        circuit = Circuit("cut off by circuit_deck")
        for cell in (self.neuron, self.bias):
            circuit.subcircuit(cell.subcircuit(process))
        for name, node in (("dd", "vdd"), ("bias", "vdd_bias")):
            circuit.V(name, node, "0", raw_spice=f"dc {spice_number(process.supply)}")
        ports = ["0" if port == "ack" else port for port in self.neuron.ports]
        circuit.X("neuron", self.neuron.subcircuit_name, *ports)
        circuit.X("bias", self.bias.subcircuit_name, *self.bias.ports[:-1], "vdd_bias")
        return circuit_deck(
            "spicesnn: adaptive neuron", circuit, process,
            Transient(self.length, self.maximum_step),
            [Knob("idrive", ("vdd", "i_in"), Waveform.constant(0.0))],
            ("v(v_mem)", "v(v_p)", "v(request_bar)", "i(vdd)"),
            # A neuron has another operating point, in the middle of a spike.
            {"v_mem": 0.0, "v_r": 0.0, "v_p": 0.0},
        )  # fmt: skip

    def stimuli(self, process: Process, rng: np.random.Generator, count: int) -> list[Stimulus]:
        """Steps, ramps, constant currents, low-passed noise and sums of exponential events."""
        steps = round(self.length / self.step)
        found = []
        for k in range(count):
            kind = KINDS[k % len(KINDS)]
            time, level = getattr(self, f"_{kind}")(rng)
            level = np.clip(level, 0.0, self.highest)
            # Sums of floats may be less than nothing by a rounding.
            drive = np.maximum(step_means(time, level, self.step, steps), 0.0)
            found.append(Stimulus(kind, {"idrive": Waveform(time, level)}, {"i_in": drive}))
        return found

    def record(self, stimulus: Stimulus, waveforms: Waveforms, process: Process) -> Record:
        """Membrane and adaptation; a spike is the request's fall through half the supply."""
        steps = stimulus.inputs["i_in"].shape[0]
        ends = step_ends(self.step, steps)
        request, half = waveforms["v(request_bar)"], process.supply / 2
        spikes = crossings(waveforms.time, request, half, "falling")
        ended = crossings(waveforms.time, request, half, "rising")
        whole = min(spikes.size, ended.size)
        width = float(np.median(ended[:whole] - spikes[:whole])) if whole else 0.0
        return Record(
            self.step,
            stimulus.inputs,
            {"v_mem": waveforms.at("v(v_mem)", ends), "v_p": waveforms.at("v(v_p)", ends)},
            spikes,
            width,
            supply_energy(waveforms, {"i(vdd)": process.supply}),
        )

    def _levels(self, rng: np.random.Generator, count: int) -> Array:
        """Currents by ratio over the range, the higher ones more often: they fire more."""
        part = rng.random(count) ** 0.6
        return np.asarray(self.lowest * (self.highest / self.lowest) ** part)

    def _steps(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Levels held for 1 to 6 ms, an eighth of them zero."""
        starts = np.cumsum(rng.uniform(1e-3, 6e-3, 60))
        starts = np.r_[0.0, starts[starts < self.length - 1e-3]]
        level = self._levels(rng, starts.size) * (rng.random(starts.size) > 1 / 8)
        time = np.stack([starts, np.r_[starts[1:], self.length] - self.edge], axis=1).ravel()
        return time, np.repeat(level, 2)

    def _ramps(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Straight from level to level in 2 to 10 ms."""
        time = np.r_[0.0, np.cumsum(rng.uniform(2e-3, 10e-3, 30))]
        time = time[time < self.length + 10e-3]
        return time, self._levels(rng, time.size) * (rng.random(time.size) > 1 / 8)

    def _constant(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """One level from the start on, and for a part of the runs another."""
        first, second = self._levels(rng, 2)
        turn = self.length * rng.uniform(0.4, 0.8)
        time = np.array([0.0, turn, turn + self.edge, self.length])
        return time, np.array([first, first, second, second])

    def _noise(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Low-passed noise about a level, corners every 0.5 ms."""
        apart, correlation = 0.5e-3, rng.uniform(1e-3, 5e-3)
        time = np.arange(0.0, self.length + apart, apart)
        keep = np.exp(-apart / correlation)
        walk = np.empty(time.size)
        now = rng.normal()
        for k in range(time.size):
            walk[k] = now
            now = keep * now + np.sqrt(1 - keep**2) * rng.normal()
        mean = self._levels(rng, 1)
        return time, mean * np.maximum(1 + rng.uniform(0.3, 0.8) * walk, 0.0)

    def _events(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Random events through an exponential of 1 to 5 ms, corners every 0.25 ms."""
        apart, tau = 0.25e-3, rng.uniform(1e-3, 5e-3)
        rate = rng.uniform(100.0, 800.0)
        time = np.arange(0.0, self.length + apart, apart)
        arrivals = rng.poisson(rate * apart, time.size)
        keep = np.exp(-apart / tau)
        level = np.empty(time.size)
        now = 0.0
        for k in range(time.size):
            now = now * keep + arrivals[k]
            level[k] = now
        return time, self._levels(rng, 1) * level / (rate * tau)

    def fit(
        self,
        records: Sequence[Record],
        process: Process,
        celsius: float,
        start: Mapping[str, float] | None = None,
    ) -> Fit:
        """All parameters, while the tier spikes when the circuit does.

        Raises:
            DataError: there are too few spikes.
        """
        spikes = sum(record.spikes.size for record in records)
        if spikes < _FEWEST:
            raise DataError(
                f"{spikes} spikes do not fit a neuron, {_FEWEST} are needed: run more stimuli."
            )
        if start is not None:
            kept = {name: v for name, v in start.items() if name not in self.mismatched}
            course = _Course(self.tier, records, start)
            return with_fixed(course.fit(start, self.mismatched, _LAST), kept)
        guess, fixed = self._guess(records, celsius)
        return _fit_staged(self.tier, records, guess, fixed)

    def _guess(
        self, records: Sequence[Record], celsius: float
    ) -> tuple[dict[str, float], dict[str, float]]:
        """First values of what is fitted, and what is not fitted."""
        u_t = thermal_voltage(celsius)
        u_ahp = u_t / _KAPPA
        slopes, early = first_guess(records)
        slopes |= membrane_currents(records, slopes, 0.4 if early else 0.5, u_t)
        slopes |= adaptation_currents(records, self.neuron.c_p, u_t)
        widths = [r.spike_width for r in records if r.spike_width > 0]
        width = float(np.median(widths))
        tail = self.bias.i_ahp * width / self.neuron.c_p
        i_0 = slopes["i_0"]
        start = {
            **slopes,
            "i_before": 3e-12, "u_before": 0.03, "rise_before": 1.0,
            "v_gain": (0.95 if early else 2.0) * slopes["v_threshold"],
            "tau_reset": self.neuron.c_r * u_ahp / self.bias.i_refractory,
            "t_reset_slope": 0.0,
            "v_thrahp": u_ahp * float(np.log(self.bias.i_thrahp / i_0)),
            "u_pair": u_t / _KAPPA,
            "rise_spike": tail, "rise_net": 0.0, "kick": 0.0, "i_feedback": 5e-9,
            "rise_feedback": 1.0, "i_rise": 3e-9, "rise_v_p": 0.0,
        }  # fmt: skip
        # The feedback is the exponential of two stacked transistors, or a mere switch.
        start |= (
            {"u_feedback": u_t * (1 + _KAPPA) / _KAPPA**2, "i_bend": 3e-8, "lag": 1e-7}
            if early
            else {
                "u_feedback": 6e-3,
                "i_bend": 1e-6,
                "lag": 6e-6,
                "rise_feedback": 1e-3,
                "i_feedback": 2e-10,
                "rise_net": 0.1,
                "t_reset_slope": 2e3,
            }
        )
        fixed = {"c_p": self.neuron.c_p, "u_gain": u_t / _KAPPA, "width": width}
        if not early:
            start |= request_charges(records, {**start, **fixed}, start)
        for name, value in start.items():
            # What is regressed is not bound, and a fit begins inside its bounds.
            spec = self.tier.PARAMETERS[name]
            least = spec.low if spec.low < 0 else max(spec.low, 1e-9 * spec.high)
            start[name] = float(np.clip(value, least, spec.high))
        return start, fixed

    def ranges(self, records: Sequence[Record]) -> dict[str, Range]:
        """The input's by design, and of both voltages with a tenth of their range around."""
        found = {"i_in": Range(low=0.0, high=self.highest, unit="A")}
        for name, unit in self.compared.items():
            values = np.concatenate([r.outputs[name] for r in records])
            more = 0.1 * float(np.ptp(values))
            low, high = float(values.min()) - more, float(values.max()) + more
            found[name] = Range(low=low, high=high, unit=unit)
        return found

    def energy_features(self, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> Array:
        """What `features` names.

        `crowbar` is the time, weighted by the current of the stack that senses the membrane, which
        grows by e in `U_T (1 + kappa)/kappa^2`; the membrane is taken as straight in a step.
        """
        v, spike, delay = outputs["v_mem"], outputs["spike"] > 0.5, outputs["delay"]
        start = np.r_[0.0, v[:-1]]
        slope = np.r_[0.0, 0.0, v[1:-1] - v[:-2]] / self.step
        end = np.where(spike, start + slope * delay, v)
        span = np.where(spike, delay, self.step)
        u_t = thermal_voltage(_CELSIUS)
        fold = u_t * (1 + _KAPPA) / _KAPPA**2
        rise = np.where(np.abs(end - start) > 1e-6, end - start, 1e-6)
        weight = span * fold / rise * np.exp(start / fold) * np.expm1(rise / fold)
        # A membrane that falls is being reset, or is far from the level.
        weight = np.where(end >= start, weight, 0.0)
        charge = self.step * float(inputs["i_in"].sum())
        fed = float(outputs["feedback"].sum())
        time = self.step * v.size
        return np.array([time, spike.sum(), charge, fed, float(weight.sum())])


def _fit_staged(
    tier: type[AdaptiveNeuron],
    records: Sequence[Record],
    start: Mapping[str, float],
    fixed: Mapping[str, float],
) -> Fit:
    """Threshold, feedback and reset along the circuit's own adaptation, then with it, then all.

    What regression tells of leaks and sinks is fitted last, when nothing is left for it to mend.
    The last scale is about the model's own error: at less the slow intervals, which are the
    hardest, are given up as outliers.
    """
    course = _Course(tier, records, {**start, **fixed})
    now = {**start, **fixed}
    membrane = tuple(name for name in start if name not in _ADAPTATION)
    stages = (
        (_FIRST, 300.0, True),
        (tuple(name for name in membrane if name not in _MEMBRANE), 100.0, False),
        (membrane, _LAST, False),
        (tuple(start), _LAST, False),
    )
    for names, coarse, led in stages:
        found = course.fit(now, names, coarse, led)
        now |= {name: found[name] for name in names}
    return with_fixed(found, fixed)


class _Course:
    """Circuit runs through which a neuron goes that spikes when its circuit does.

    So errors do not add up from spike to spike. Where it is `led`, its adaptation starts each step
    from the circuit's, too. Compared are both voltages at the ends of steps away from spikes, and
    by how much the tier's own spike is later than the circuit's. Where it has not come by then, it
    is taken from the currents of that step.
    """

    def __init__(
        self, tier: type[AdaptiveNeuron], records: Sequence[Record], values: Mapping[str, float]
    ) -> None:
        self.tier, self.names = tier, tuple(values)
        dt = records[0].dt
        shape = (max(record.steps for record in records), len(records))
        i_in, v_mem, v_p, delay, apart = (np.zeros(shape) for _ in range(5))
        kept, spike = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        for k, record in enumerate(records):
            n = record.steps
            i_in[:n, k] = record.inputs["i_in"]
            v_mem[:n, k], v_p[:n, k] = record.outputs["v_mem"], record.outputs["v_p"]
            kept[:n, k] = True
            for moment in record.spikes:
                kept[:n, k] &= np.abs(step_ends(dt, n) - moment) > 3 * record.spike_width
            at = np.minimum((record.spikes / dt).astype(int), n - 1)
            spike[at, k] = True
            delay[at, k] = record.spikes - at * dt
            apart[at, k] = np.diff(record.spikes, prepend=0.0)
        scale = _SECONDS + _RELATIVE * apart
        fired, where = np.nonzero(spike), np.nonzero(kept)
        root = np.sqrt(where[0].size / fired[0].size)
        volts, volts_p = _VOLTS * root, _VOLTS_P * root
        self.wanted = np.r_[v_mem[where] / volts, v_p[where] / volts_p, np.zeros(fired[0].size)]
        before = np.concatenate([np.zeros((1, shape[1])), v_p[:-1]])
        self.inputs = [i_in, spike.astype(float), delay, apart, before]

        def run(
            values: Mapping[str, jax.Array], drive: tuple[jax.Array, ...], led: jax.Array
        ) -> jax.Array:
            model = tier.of(values)

            def one(carry: Any, given: Any) -> tuple[Any, Any]:
                (v, p, wait, left), early = carry
                current, now, moment, interval, before = given
                state = v, jnp.where(led, before, p), wait, left
                way = model.way(state, {"i_in": current}, dt)
                own = (way.v_end >= way.level) & ~jnp.isfinite(early)
                early = jnp.where(own, way.crossing, early)
                # Where the input has gone the crossing may be far: not over thrice the time that
                # the rest of the way takes at the interval's mean pace.
                rest = jnp.maximum(way.level - way.v - (way.v_end - way.v) * moment / dt, 0.0)
                later = jnp.minimum(way.crossing - moment, 3 * rest / way.level * interval)
                late = jnp.where(jnp.isfinite(early), early - moment, later)
                v, p, wait, _ = model.after(way, now > 0, moment, dt)
                v = jnp.minimum(v, way.level)
                early = jnp.where(now > 0, jnp.inf, early - dt)
                return ((v, p, wait, left), early), (v, p, late)

            begun = (model.start(shape[1:], jnp.float64), jnp.full(shape[1:], jnp.inf))
            _, (v, p, late) = jax.lax.scan(one, begun, drive)
            late = late[fired] / scale[fired]
            return jnp.concatenate([v[where] / volts, p[where] / volts_p, late])

        self._batch = jax.jit(jax.vmap(run, in_axes=(0, None, None)))

    def several(self, sets: Sequence[Mapping[str, float]], led: bool = False) -> list[Array]:
        """What is compared, of the tier at each set of values."""
        # A batch of a constant size is compiled once.
        padded = [*sets, *[sets[0]] * (len(self.names) + 1 - len(sets))]
        with jax.enable_x64(True):
            values = {n: jnp.asarray([s[n] for s in padded]) for n in self.names}
            drive = tuple(map(jnp.asarray, self.inputs))
            return list(np.asarray(self._batch(values, drive, jnp.asarray(led)))[: len(sets)])

    def fit(
        self,
        values: Mapping[str, float],
        names: Sequence[str],
        coarse: float,
        led: bool = False,
    ) -> Fit:
        """The values of these names; the others stay. A residual counts linearly from `coarse`."""
        start, bounds = {name: values[name] for name in names}, {}
        for name, value in start.items():
            spec = self.tier.PARAMETERS[name]
            # What may have either sign is not bound to the one that it has so far.
            bounds[name] = bounds_of(spec, 0.0 if spec.low < 0 else value, 30)

        def moved(sets: Sequence[Mapping[str, float]]) -> list[Array]:
            full = [{**values, **own} for own in sets]
            return [row / coarse for row in self.several(full, led)]

        return fit(
            lambda own: moved([own])[0], self.wanted / coarse, start, bounds, self.inputs,
            several=moved, robust=True,
        )  # fmt: skip
