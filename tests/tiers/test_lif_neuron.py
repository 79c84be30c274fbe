from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.errors import DataError, ParameterError
from spicesnn.processes import Process
from spicesnn.tiers.lif_neuron import LifNeuron
from spicesnn.tiers.recipe import Stimulus
from spicesnn.tiers.recipes.current_drive import KINDS, drawn_current, fit_between
from spicesnn.tiers.recipes.lif_neuron import LifNeuronRecipe
from spicesnn.tiers.record import Record, step_means
from spicesnn.tiers.tier import scan as plain_scan

# About those of generic180, typical.
VALUES = {
    "c": 0.5052e-12, "i_leak": 19.5e-12, "u_sat": 0.0264, "v_early": 6.4, "v_t": 0.397,
    "v_feedback": 0.4e-3, "lag": 0.95e-6, "t_ref": 71.9e-6, "tau_r": 2.66e-6, "width": 32e-9,
}  # fmt: skip
DT, FILL = 20e-6, 1000
scan = jax.jit(plain_scan, static_argnums=3)


def _run(current: np.ndarray, dtype: type = jnp.float64, dt: float = DT) -> dict[str, np.ndarray]:
    """Filled up to a length that others have too, so that few are compiled."""
    tier = LifNeuron.of(VALUES).astype(dtype)
    more = np.zeros((-len(current) % FILL, *current.shape[1:]))
    given = {"i_in": jnp.asarray(np.concatenate([current, more]), dtype)}
    _, outputs = scan(tier, tier.start(current.shape[1:], dtype), given, dt)
    assert all(each.dtype == dtype for each in outputs.values())
    return {name: np.asarray(each, float)[: len(current)] for name, each in outputs.items()}


def _spikes(outputs: dict[str, np.ndarray], dt: float = DT) -> np.ndarray:
    steps = np.flatnonzero(outputs["spike"])
    return steps * dt + outputs["delay"][steps]


def _drive(steps: int = 1000, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.repeat(np.exp(rng.uniform(np.log(10e-12), np.log(2e-9), steps // 20)), 20)


def test_below_its_threshold_it_obeys_its_equation() -> None:
    rng = np.random.default_rng(0)
    current = np.repeat(rng.uniform(5e-12, 40e-12, 10), 50)
    found = _run(current)["v_mem"]
    p = VALUES

    def slope(t: float, v: np.ndarray) -> np.ndarray:
        leak = p["i_leak"] * (1 + v / p["v_early"]) * (1 - np.exp(-v / p["u_sat"]))
        return (current[min(int(t / DT), current.size - 1)] - leak) / p["c"]

    v = np.zeros(1)
    for k in range(49, current.size, 50):
        # One level at a time.
        span = ((k - 49) * DT, (k + 1) * DT - 1e-12)
        v = solve_ivp(slope, span, v, rtol=1e-8, atol=1e-10).y[:, -1]
        assert found[k] == pytest.approx(v[0], abs=2e-5)
    assert found.max() > 0.1


def test_a_constant_current_gives_the_law_s_interval() -> None:
    p, current = VALUES, 1e-9
    spikes = _spikes(_run(np.full(500, current)))
    slope = (current - p["i_leak"]) / p["c"]
    level = p["v_t"] + p["v_feedback"] * np.log1p(slope * p["c"] / p["i_leak"]) + p["lag"] * slope
    ratio = current * p["tau_r"] / (p["c"] * p["u_sat"])
    law = p["t_ref"] - p["tau_r"] * np.log1p(0.82 * ratio) + level / slope
    assert np.diff(spikes) == pytest.approx(law, rel=2e-3)


def test_a_spike_s_time_does_not_depend_on_the_grid() -> None:
    # Constant current: exact at any step, but for the leak's slope with the voltage.
    coarse = _spikes(_run(np.full(500, 0.7e-9)))
    fine = _spikes(_run(np.full(5000, 0.7e-9), dt=DT / 10), dt=DT / 10)
    assert coarse == pytest.approx(fine, abs=0.5e-6)


def test_pulses_last_their_width() -> None:
    found = _run(np.full(500, 1e-9))
    assert found["pulse"].sum() * DT == pytest.approx(found["spike"].sum() * VALUES["width"])


def test_floats_of_32_bits_spike_alike() -> None:
    drive = _drive()
    wide, narrow = _spikes(_run(drive)), _spikes(_run(drive, jnp.float32))
    assert wide.size > 15
    assert narrow == pytest.approx(wide, abs=0.05e-6)


def test_a_batch_is_its_units_one_by_one() -> None:
    drive = np.stack([_drive(400, seed) for seed in (1, 2)], axis=1)
    both = _run(drive)
    for k in range(2):
        assert both["v_mem"][:, k] == pytest.approx(_run(drive[:, k])["v_mem"], abs=1e-12)


def test_gradients_are_exact_where_smooth() -> None:
    """The time of the third spike and a voltage between spikes, by input and parameters."""
    drive = np.full(80, 0.8e-9)
    steps = np.flatnonzero(_run(drive)["spike"])

    def value(values: dict[str, jax.Array], scale: jax.Array | float) -> jax.Array:
        tier = LifNeuron(**values)
        given = {"i_in": scale * jnp.asarray(drive)}
        _, outputs = scan(tier, tier.start(), given, DT)
        return outputs["delay"][steps[2]] / 1e-6 + outputs["v_mem"][steps[2] - 2]

    values = {name: jnp.asarray(number) for name, number in VALUES.items()}
    both = jax.jit(jax.value_and_grad(value, argnums=(0, 1)))
    exact = both(values, 1.0)[1]
    step = 1e-6
    by_input = (both(values, 1 + step)[0] - both(values, 1 - step)[0]) / (2 * step)
    assert float(exact[1]) == pytest.approx(float(by_input), rel=1e-5)
    for name, number in VALUES.items():
        above, below = (values | {name: jnp.asarray(number * (1 + s))} for s in (step, -step))
        slope = (both(above, 1.0)[0] - both(below, 1.0)[0]) / (2 * step)
        assert float(exact[0][name]) * number == pytest.approx(float(slope), rel=1e-5, abs=1e-7)


def test_gradients_are_finite_everywhere() -> None:
    drive = jnp.asarray(np.r_[np.zeros(5), _drive(400), np.full(5, 5e-9), -1e-12], jnp.float32)
    tier = LifNeuron.of(VALUES).astype(jnp.float32)

    def value(current: jax.Array, tier: LifNeuron) -> jax.Array:
        _, outputs = scan(tier, tier.start((), jnp.float32), {"i_in": current}, DT)
        return outputs["spike"].sum() + outputs["v_mem"].mean() + outputs["delay"].sum() / 1e-5

    slopes = jax.jit(jax.grad(value, argnums=(0, 1)))(drive, tier)
    assert all(np.isfinite(each).all() for each in jax.tree.leaves(slopes))
    assert float(np.abs(slopes[0]).max()) > 0


def test_the_fit_between_spikes_finds_the_parameters_again() -> None:
    records = []
    for seed in (1, 2, 3):
        drive = _drive(600, seed)
        found = _run(drive)
        records.append(Record(DT, {"i_in": drive}, {"v_mem": found["v_mem"]}, _spikes(found)))
    names = ("c", "i_leak", "v_t", "t_ref")
    start = {name: VALUES[name] * 1.03 for name in names}
    fixed = {name: number for name, number in VALUES.items() if name not in names}
    fitted = fit_between(
        LifNeuron, records, start, fixed, volts=1e-3, seconds=0.5e-6, relative=1e-3
    )
    for name, number in VALUES.items():
        assert fitted[name] == pytest.approx(number, rel=1e-4)
    assert fitted.sigma("c") < 1e-3 * VALUES["c"]
    assert fitted.sigma("width") == 0


def test_too_few_spikes_and_two_in_a_step_are_refused() -> None:
    drive = np.full(100, 1e-9)

    def fitted(spikes: np.ndarray) -> None:
        record = Record(DT, {"i_in": drive}, {"v_mem": np.zeros(100)}, spikes)
        fit_between(
            LifNeuron, [record], {"c": 1e-12}, VALUES, volts=1e-3, seconds=1e-6, relative=1e-3
        )

    with pytest.raises(DataError, match="3 spikes do not fit a neuron: run longer"):
        fitted(np.array([1e-4, 2e-4, 3e-4]))
    with pytest.raises(DataError, match="two spikes in one step of 2e-05 s: take a shorter step"):
        fitted(np.r_[1e-4, 1.1e-4, np.arange(2, 12) * 1e-4])


@pytest.mark.parametrize("kind", KINDS)
def test_drawn_currents_keep_their_range(kind: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(5):
        wave = drawn_current(kind, rng, 25e-12, 2.5e-9, 0.6e-3, 20e-3)
        means = step_means(wave.time, wave.value, DT, 1000)
        assert 0 <= means.min() <= means.max() <= 2.5e-9 * (1 + 1e-9)


def test_wrong_stimuli_are_refused() -> None:
    with pytest.raises(DataError, match="no kind of current 'sine': take one of steps, noise"):
        drawn_current("sine", np.random.default_rng(0), 1e-11, 1e-9, 1e-3, 1e-2)
    with pytest.raises(ParameterError, match=r"least = 1e-08 must be below most = 2\.5e-09"):
        LifNeuronRecipe(least=1e-8)
    with pytest.raises(ParameterError, match="longer than the refractory period"):
        LifNeuronRecipe(step=0.2e-3)


def test_the_circuit_does_the_same(process: Process) -> None:
    recipe = LifNeuronRecipe(stop=3e-3, step=DT)
    rng = np.random.default_rng(4)
    wave = drawn_current("steps", rng, 0.3e-9, 2e-9, recipe.tau, recipe.stop)
    means = step_means(wave.time, wave.value, DT, 150)
    stimulus = Stimulus("steps", {"idrive": wave}, {"i_in": means})
    with Pool(workers=1, options=SimulationOptions.profile("precise")) as pool:
        run = pool.map([Job(recipe.deck(process), stimulus.knobs)])[0]
    record = recipe.record(stimulus, run.waveforms, process)
    found = _run(means)
    assert record.spikes.size > 4
    assert _spikes(found) == pytest.approx(record.spikes, abs=5e-6)
    assert record.spike_width == pytest.approx(VALUES["width"], rel=0.5)
    assert record.energy == pytest.approx(3e-3 * 36e-9 + 3e-12 * record.spikes.size, rel=0.1)
    features = recipe.energy_features(record.inputs, found)
    assert features == pytest.approx([3e-3, record.spikes.size])
    ranges = recipe.ranges([record])
    assert ranges["i_in"].high == recipe.most
    assert ranges["v_mem"].high > 0.4
