from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.errors import ParameterError
from spicesnn.processes import Process
from spicesnn.tiers.dpi_neuron import DpiNeuron
from spicesnn.tiers.membrane import release
from spicesnn.tiers.recipe import Stimulus
from spicesnn.tiers.recipes.current_drive import drawn_current
from spicesnn.tiers.recipes.dpi_neuron import DpiNeuronRecipe
from spicesnn.tiers.record import step_means
from spicesnn.tiers.tier import scan as plain_scan

# About those of generic180, typical.
VALUES = {
    "u_sat": 0.02935, "c": 1.0065e-12, "a": 29.74, "v_gain": 0.35065, "i_leak": 39.72e-12,
    "v_early": 24.9, "v_t": 0.36808, "v_feedback": 0.98e-3, "lag": 3.84e-6, "t_ref": 1.16432e-3,
    "tau_r": 94.64e-6, "width": 8.825e-6, "t_fall": 1.7335e-3, "t_end": 93e-6, "carry": 0.1469,
    "charging": 200.0,
}  # fmt: skip
DT, FILL = 20e-6, 2000
scan = jax.jit(plain_scan, static_argnums=3)


def _run(current: np.ndarray, dtype: type = jnp.float64, dt: float = DT) -> dict[str, np.ndarray]:
    """Filled up to a length that others have too, so that few are compiled."""
    tier = DpiNeuron.of(VALUES).astype(dtype)
    more = np.zeros((-len(current) % FILL, *current.shape[1:]))
    given = {"i_in": jnp.asarray(np.concatenate([current, more]), dtype)}
    _, outputs = scan(tier, tier.start(current.shape[1:], dtype), given, dt)
    assert all(each.dtype == dtype for each in outputs.values())
    return {name: np.asarray(each, float)[: len(current)] for name, each in outputs.items()}


def _spikes(outputs: dict[str, np.ndarray], dt: float = DT) -> np.ndarray:
    steps = np.flatnonzero(outputs["spike"])
    return steps * dt + outputs["delay"][steps]


def _drive(steps: int = 2000, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.repeat(np.exp(rng.uniform(np.log(40e-12), np.log(2e-9), steps // 50)), 50)


def _slope(v: np.ndarray, current: float, reset: float) -> np.ndarray:
    p = VALUES
    share = 1 / (1 + np.exp(p["a"] * (v - p["v_gain"])))
    sinking = p["i_leak"] * (1 + v / p["v_early"]) + reset
    return (current * share - sinking * (1 - np.exp(-v / p["u_sat"]))) / p["c"]


def test_below_its_threshold_it_obeys_its_equation() -> None:
    levels = np.array([30e-12, 95e-12, 60e-12, 10e-12, 90e-12])
    found = _run(np.repeat(levels, 100))["v_mem"]
    v = np.zeros(1)
    for k, level in enumerate(levels):
        answer = solve_ivp(
            lambda _, x, current=level: _slope(x, current, 0.0), (0, 100 * DT), v,
            rtol=1e-8, atol=1e-10, t_eval=DT * np.arange(1, 101),
        )  # fmt: skip
        v = answer.y[:, -1]
        assert found[100 * k : 100 * (k + 1)] == pytest.approx(answer.y[0], abs=2e-4)
    assert found.max() > 0.2


def test_it_settles_where_the_published_law_puts_it() -> None:
    """`I_m = I_g (I/I_leak - 1)`, with `I_m/I_g = e^(a (v - v_gain))` and the leak at v."""
    current = 95e-12
    v = _run(np.full(2000, current))["v_mem"][-1]
    leak = VALUES["i_leak"] * (1 + v / VALUES["v_early"])
    ratio = np.exp(VALUES["a"] * (v - VALUES["v_gain"]))
    assert ratio == pytest.approx(current / leak - 1, rel=1e-3)


def test_after_a_spike_it_obeys_its_equation() -> None:
    p, current = VALUES, 0.6e-9
    found = _run(np.full(150, current))
    first = _spikes(found)[0]
    end = first + p["width"]
    top = p["c"] * p["u_sat"] / p["tau_r"] * np.exp(p["t_ref"] / p["tau_r"] - np.euler_gamma)
    ends = DT * np.arange(1, 151)
    later = ends[(ends > end) & (ends < first + 1.4e-3)]
    answer = solve_ivp(
        lambda t, v: _slope(v, current, top * np.exp(-(t - end) / p["tau_r"])),
        (end, later[-1]), [0.0], method="Radau", rtol=1e-9, atol=1e-11, t_eval=later,
    )  # fmt: skip
    assert answer.y[0, -1] > 0.15
    assert found["v_mem"][np.isin(ends, later)] == pytest.approx(answer.y[0], abs=2e-3)


def test_the_refractory_period_is_that_of_the_law() -> None:
    """A slow rise after the release: by the straight line back to 0 V, with an even share."""
    p, current = VALUES, 0.3e-9
    found = _run(np.full(300, current))
    first = _spikes(found)[0]
    at = np.flatnonzero((found["v_mem"] > 0.12) & (DT * np.arange(1, 301) > first + 1e-4))[0]
    back = p["c"] * found["v_mem"][at] / (current - p["i_leak"])
    ratio = current * p["tau_r"] / (p["c"] * p["u_sat"])
    law = p["width"] + p["t_ref"] - p["tau_r"] * float(release(jnp.asarray(ratio)))
    # What the leak does not take while v is small.
    assert DT * (at + 1) - first - back == pytest.approx(law, abs=0.15 * p["tau_r"])


def test_a_spike_soon_after_another_is_shorter() -> None:
    found = _run(np.full(400, 2.5e-9))
    widths = found["pulse"].sum() * DT / found["spike"].sum()
    assert 0.4 * VALUES["width"] < widths < 0.9 * VALUES["width"]
    intervals = np.diff(_spikes(found))
    # After the first, v_ref has not fallen to ground.
    assert intervals[0] > 1.05 * intervals[-1]


def test_the_grid_hardly_matters() -> None:
    coarse = _spikes(_run(np.full(500, 0.7e-9)))
    fine = _spikes(_run(np.full(5000, 0.7e-9), dt=DT / 10), dt=DT / 10)
    assert coarse[0] == pytest.approx(fine[0], abs=1e-6)
    assert np.diff(coarse) == pytest.approx(np.diff(fine), abs=2e-6)


def test_floats_of_32_bits_spike_alike() -> None:
    drive = _drive()
    wide, narrow = _spikes(_run(drive)), _spikes(_run(drive, jnp.float32))
    assert wide.size > 8
    assert narrow == pytest.approx(wide, abs=0.1e-6)


def test_gradients_are_exact_where_smooth() -> None:
    """The time of the second spike and a voltage before it, by input and parameters."""
    drive = np.full(150, 0.8e-9)
    steps = np.flatnonzero(_run(drive)["spike"])

    def value(values: dict[str, jax.Array], scale: jax.Array | float) -> jax.Array:
        tier = DpiNeuron(**values)
        given = {"i_in": scale * jnp.asarray(drive)}
        _, outputs = scan(tier, tier.start(), given, DT)
        return outputs["delay"][steps[1]] / 1e-6 + outputs["v_mem"][steps[1] - 2]

    values = {name: jnp.asarray(number) for name, number in VALUES.items()}
    both = jax.jit(jax.value_and_grad(value, argnums=(0, 1)))
    exact = both(values, 1.0)[1]
    step = 1e-5
    by_input = (both(values, 1 + step)[0] - both(values, 1 - step)[0]) / (2 * step)
    assert float(exact[1]) == pytest.approx(float(by_input), rel=1e-5)
    for name, number in VALUES.items():
        above, below = (values | {name: jnp.asarray(number * (1 + s))} for s in (step, -step))
        slope = (both(above, 1.0)[0] - both(below, 1.0)[0]) / (2 * step)
        assert float(exact[0][name]) * number == pytest.approx(float(slope), rel=1e-5, abs=1e-6)


def test_gradients_are_finite_everywhere() -> None:
    drive = jnp.asarray(np.r_[np.zeros(5), _drive(400), np.full(95, 5e-9)], jnp.float32)
    tier = DpiNeuron.of(VALUES).astype(jnp.float32)

    def value(current: jax.Array, tier: DpiNeuron) -> jax.Array:
        _, outputs = scan(tier, tier.start((), jnp.float32), {"i_in": current}, DT)
        return outputs["spike"].sum() + outputs["v_mem"].mean() + outputs["delay"].sum() / 1e-5

    slopes = jax.jit(jax.grad(value, argnums=(0, 1)))(drive, tier)
    assert all(np.isfinite(each).all() for each in jax.tree.leaves(slopes))
    assert float(np.abs(slopes[0]).max()) > 0


def test_wrong_ranges_are_refused() -> None:
    with pytest.raises(ParameterError, match="least = 1e-08 must be below most = 3e-09"):
        DpiNeuronRecipe(least=1e-8)


def test_the_circuit_does_the_same(process: Process) -> None:
    recipe = DpiNeuronRecipe(stop=8e-3)
    wave = drawn_current("steps", np.random.default_rng(4), 0.3e-9, 2e-9, recipe.tau, recipe.stop)
    means = step_means(wave.time, wave.value, DT, 400)
    stimulus = Stimulus("steps", {"idrive": wave}, {"i_in": means})
    with Pool(workers=1, options=SimulationOptions.profile("precise")) as pool:
        run = pool.map([Job(recipe.deck(process), stimulus.knobs)])[0]
    record = recipe.record(stimulus, run.waveforms, process)
    found = _run(means)
    assert record.spikes.size > 2
    assert _spikes(found) == pytest.approx(record.spikes, abs=20e-6)
    assert record.spike_width == pytest.approx(VALUES["width"], rel=0.02)
    seconds, spikes, sense = recipe.energy_features(record.inputs, found)
    assert (seconds, spikes) == pytest.approx((8e-3, record.spikes.size))
    assert record.energy == pytest.approx(1.05e-11 * spikes + 4.2e-13 * sense, rel=0.1)
    assert recipe.ranges([record])["i_in"].high == recipe.most
