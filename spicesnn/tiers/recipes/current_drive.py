"""What the recipes of neurons share that take a current: stimuli, and fits between spikes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from PySpice.Spice.Netlist import Circuit

from spicesnn.circuits.cells.cell import Cell
from spicesnn.circuits.deck import Deck, Knob, Transient, Value, Waveform, circuit_deck
from spicesnn.errors import DataError
from spicesnn.fit.least_squares import Fit, fit
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.spikes import spike_times
from spicesnn.processes import Process
from spicesnn.tiers.recipe import Stimulus
from spicesnn.tiers.recipes.free_run import bounds_of, stacked, with_fixed
from spicesnn.tiers.record import Record, step_ends, step_means
from spicesnn.tiers.tier import Tier
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]

KINDS = ("steps", "noise", "constant", "ramps", "trains")
"""Of stimuli, in turn."""

# Rise and fall of a current that steps.
_EDGE = 1e-6


def drawn_current(
    kind: str, rng: np.random.Generator, low: float, high: float, tau: float, stop: float
) -> Waveform:
    """A random current of a kind, from nothing to `high`.

    Args:
        kind: one of `KINDS`. Steps: levels by ratio, a fifth of them under `low`, for 1 to 5 tau.
            Ramps: likewise from level to level. Noise: exponential of low-passed noise. Trains:
            Poisson spikes (or bursts) through a filter of two exponentials. Constant: one level.
        rng: of the draw.
        low: least level, amperes.
        high: most, amperes.
        tau: time constant of the neuron, seconds.
        stop: end, seconds.

    Raises:
        DataError: there is no such kind.
    """

    def level() -> float:
        if rng.uniform() < 0.2:
            return float(rng.uniform(0.0, low))
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    if kind == "constant":
        return Waveform.constant(float(np.exp(rng.uniform(np.log(low), np.log(high)))))
    corners, values = [0.0], [level()]
    if kind == "steps":
        while corners[-1] < stop:
            now = corners[-1] + rng.uniform(1, 5) * tau
            corners += [now, now + _EDGE]
            values += [values[-1], level()]
        return Waveform(np.array(corners), np.array(values))
    if kind == "ramps":
        while corners[-1] < stop:
            corners.append(corners[-1] + rng.uniform(1, 6) * tau)
            values.append(level())
        return Waveform(np.array(corners), np.array(values))
    grid = np.linspace(0.0, stop, round(20 * stop / tau) + 1)
    step = grid[1]
    if kind == "noise":
        keep = np.exp(-step / (rng.uniform(0.5, 3) * tau))
        walk = np.empty(grid.size)
        walk[0] = rng.normal()
        for k, kick in enumerate(rng.normal(size=grid.size - 1)):
            walk[k + 1] = keep * walk[k] + np.sqrt(1 - keep**2) * kick
        middle = np.exp(rng.uniform(np.log(2 * low), np.log(high / 3)))
        return Waveform(grid, np.clip(middle * np.exp(rng.uniform(0.4, 1.0) * walk), 0.0, high))
    if kind != "trains":
        raise DataError(f"no kind of current {kind!r}: take one of {', '.join(KINDS)}.")
    fall, rise = rng.uniform(1, 4) * tau, rng.uniform(0.1, 0.5) * tau
    mean = rng.uniform(0.5, 4) * tau
    times = np.cumsum(rng.exponential(mean, int(4 * stop / mean) + 10))
    if rng.uniform() < 0.5:
        # Bursts with pauses.
        times = times[np.sin(2 * np.pi * times / (20 * tau) + rng.uniform(0, 6)) > 0]
    since = np.maximum(grid[:, None] - times, 0.0)
    current = (np.exp(-since / fall) - np.exp(-since / rise)).sum(axis=1)
    peak = float(np.exp(rng.uniform(np.log(high / 10), np.log(high))))
    return Waveform(grid, peak * current / max(current.max(), 1e-3))


def neuron_deck(
    cell: Cell, bias: Cell, process: Process, title: str, into: str, analysis: Transient
) -> Deck:
    """A neuron, its lines on a supply of their own; knob `idrive`, a current into a node.

    Args:
        cell: the neuron.
        bias: its mirror inputs.
        process: of the transistors.
        title: of the deck.
        into: node that the current flows into.
        analysis: length and largest step.
    """
    circuit = Circuit("cut off by circuit_deck")
    for each in (cell, bias):
        circuit.subcircuit(each.subcircuit(process))
    for name, node in (("dd", "vdd"), ("bias", "vdd_bias")):
        circuit.V(name, node, "0", raw_spice=f"dc {spice_number(process.supply)}")
    circuit.X("neuron", cell.subcircuit_name, *cell.ports)
    circuit.X("bias", bias.subcircuit_name, *bias.ports[:-1], "vdd_bias")
    return circuit_deck(
        title, circuit, process, analysis, [Knob("idrive", ("0", into), 0.0)],
        ("v(v_mem)", "v(spike)", "i(vdd)"), {"v_mem": 0.0, "v_ref": 0.0},
    )  # fmt: skip


def current_stimuli(
    rng: np.random.Generator,
    count: int,
    *,
    low: float,
    high: float,
    tau: float,
    stop: float,
    dt: float,
    interval: Callable[[float], float],
) -> list[Stimulus]:
    """All kinds in turn; constants long enough for some intervals.

    Args:
        rng: of the draws.
        count: stimuli.
        low: least current, amperes.
        high: most current, amperes.
        tau: time constant of the neuron, seconds.
        stop: length of a run, seconds.
        dt: the tier's step, seconds.
        interval: about the time between spikes at a constant current, seconds.
    """
    found = []
    for kind in (KINDS * count)[:count]:
        end = stop
        wave = drawn_current(kind, rng, low, high, tau, stop)
        if kind == "constant":
            end = float(np.clip(30 * interval(wave.value[0]), stop / 2, 6 * stop))
        steps = round(end / dt)
        means = step_means(wave.time, wave.value, dt, steps)
        knobs: dict[str, Value] = {"idrive": wave, "stop": steps * dt}
        found.append(Stimulus(kind, knobs, {"i_in": means}))
    return found


def neuron_record(
    stimulus: Stimulus,
    waveforms: Waveforms,
    process: Process,
    dt: float,
    width: Callable[[Array], float],
) -> Record:
    """Membrane, spikes and the energy from the neuron's own supply.

    Args:
        stimulus: what drove the run of a `neuron_deck`.
        waveforms: of that run.
        process: of the transistors.
        dt: the tier's step, seconds.
        width: what stands for the widths of all spikes, seconds.
    """
    half = process.supply / 2
    time, output = waveforms.time, waveforms["v(spike)"]
    begins = spike_times(time, output, half)
    ends = spike_times(time, -output, -half)
    widths = ends[: begins.size] - begins[: ends.size]
    steps = stimulus.inputs["i_in"].size
    return Record(
        dt,
        stimulus.inputs,
        {"v_mem": waveforms.at("v(v_mem)", step_ends(dt, steps))},
        spikes=begins[begins < steps * dt],
        spike_width=float(width(widths)) if widths.size else 0.0,
        energy=supply_energy(waveforms, {"i(vdd)": process.supply}),
    )


def fit_neuron(
    tier: type[Tier],
    records: Sequence[Record],
    guess: Mapping[str, float],
    fixed: Mapping[str, float],
) -> Fit:
    """The parameters of `guess` by `fit_between`, the voltage in and near spikes left out."""
    return fit_between(
        tier, records, guess, fixed, volts=1e-3, seconds=0.5e-6, relative=1e-3,
        skip=lambda record: near_spikes(record, 3 * record.spike_width),
    )  # fmt: skip


def fit_between(
    tier: type[Tier],
    records: Sequence[Record],
    start: Mapping[str, float],
    fixed: Mapping[str, float],
    *,
    volts: float,
    seconds: float,
    relative: float,
    skip: Callable[[Record], Array] | None = None,
) -> Fit:
    """Fit a neuron whose spikes are those of the circuit: each interval starts afresh.

    The tier runs through each run, but it spikes when the circuit does, so that errors do not
    add up from spike to spike. What is fitted: the voltage at each step's end, and by how much
    the tier's own crossing of its level is later than the circuit's spike. The tier has the
    methods `rise` and `after` of `LifNeuron`.

    Args:
        tier: its class.
        records: of the circuit, one step in all.
        start: first guess of the parameters that are fitted.
        fixed: the others; they are in the answer, without uncertainty.
        volts: that count as a residual of 1 in all steps of one interval together.
        seconds: that a spike is late by for a residual of 1, with
        relative: so much of the interval before the spike added.
        skip: of a record, whether a step's voltage does not count, shape (steps,).

    Raises:
        DataError: there are fewer than 10 spikes in all.
    """
    spikes = sum(record.spikes.size for record in records)
    if spikes < 10:
        raise DataError(f"{spikes} spikes do not fit a neuron: run longer, or with more current.")
    dt = records[0].dt
    inputs = stacked(records, list(tier.INPUTS))
    steps, runs = next(iter(inputs.values())).shape[:2]
    spike, delay, scale = (np.zeros((steps, runs)) for _ in range(3))
    voltage, kept = np.zeros((steps, runs)), np.zeros((steps, runs), dtype=bool)
    for k, record in enumerate(records):
        voltage[: record.steps, k] = record.outputs["v_mem"]
        kept[: record.steps, k] = True if skip is None else np.logical_not(skip(record))
        at = np.minimum((record.spikes / dt).astype(int), record.steps - 1)
        if np.unique(at).size < at.size:
            raise DataError(f"two spikes in one step of {dt:g} s: take a shorter step.")
        spike[at, k], delay[at, k] = 1.0, record.spikes - at * dt
        scale[at, k] = seconds + relative * np.diff(record.spikes, prepend=0.0)
    volts = volts * np.sqrt(kept.sum() / spikes)
    fired = spike > 0
    wanted = np.r_[voltage[kept] / volts, np.zeros(spikes)]
    driven = (inputs, spike, delay)
    with jax.enable_x64(True):
        data = jax.tree.map(jnp.asarray, driven)
        held = {name: jnp.asarray(value, float) for name, value in fixed.items()}

        def several(sets: Sequence[Mapping[str, float]]) -> list[Array]:
            # All sets in one batch of a constant size, so that it is compiled once.
            padded = [*sets, *[sets[0]] * (len(start) + 1 - len(sets))]
            with jax.enable_x64(True):
                values = {n: jnp.asarray([s[n] for s in padded]) for n in start}
                v, late = (np.asarray(each) for each in _between(tier, values, held, data, dt))
            return [
                np.r_[v[k][kept] / volts, late[k][fired] / scale[fired]] for k in range(len(sets))
            ]

        bounds = {n: bounds_of(tier.PARAMETERS[n], value, 30) for n, value in start.items()}
        found = fit(
            lambda values: several([values])[0], wanted, start, bounds,
            [*inputs.values(), spike, delay], several=several, robust=True,
        )  # fmt: skip
    return with_fixed(found, fixed)


@eqx.filter_jit
def _between(
    tier: type[Tier],
    values: Mapping[str, jax.Array],
    fixed: Mapping[str, jax.Array],
    data: tuple[Mapping[str, jax.Array], jax.Array, jax.Array],
    dt: float,
) -> tuple[jax.Array, jax.Array]:
    """Voltages and latenesses for several parameter sets, shape (sets, steps, runs).

    Fits to other runs of the same shape, such as those of another draw, use it as compiled.
    """
    inputs, spike, delay = data

    def run(own: Mapping[str, jax.Array]) -> tuple[jax.Array, jax.Array]:
        model: Any = tier.of({**own, **fixed})

        def one(state: Any, drive: Any) -> tuple[Any, tuple[jax.Array, jax.Array]]:
            signals, fired, moment = drive
            rise = model.rise(state, signals, dt)
            after = model.after(state, rise, fired, moment, dt)
            return after, (after.v, rise.lateness(moment))

        first = model.start(spike.shape[1:], jnp.float64)
        return jax.lax.scan(one, first, (inputs, spike, delay))[1]

    return jax.vmap(run)(values)


def near_spikes(record: Record, margin: float) -> Array:
    """Whether a step ends within a margin, in seconds, of a spike; shape (steps,)."""
    ends = step_ends(record.dt, record.steps)
    close = np.zeros(record.steps, dtype=bool)
    for moment in record.spikes:
        close |= np.abs(ends - moment) < margin
    return close
