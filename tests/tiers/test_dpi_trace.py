"""The two-stage trace's tier against its law, its gradients and its circuit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import wrightomega

from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.processes import Process
from spicesnn.tiers.dpi_trace import DpiTrace, log_omega, shared
from spicesnn.tiers.recipes.dpi_trace import DpiTraceRecipe
from spicesnn.tiers.recipes.free_run import stacked
from spicesnn.tiers.tier import scan as plain_scan

# Of a fit to generic180, typical, 27 C.
FITTED = {
    "i_weight": 9.5468e-08, "a_q": 28.543, "v_gain_q": 0.55656, "i_tau_q": 3.7829e-11,
    "u_sat_q": 0.041281, "v_early_q": 11.54, "i_0_q": 4.3608e-18, "u_read_q": 0.035284,
    "i_curve_q": 5.1913e-08, "a_p": 29.578, "v_gain_p": 0.20107, "i_pair_p": 1.5622e-07,
    "i_tau_p": 3.656e-11, "u_sat_p": 0.024317, "v_early_p": 2.5195, "i_0_p": 1.0405e-13,
    "u_read_p": 0.03371, "i_curve_p": 9.6184e-08, "c_q": 1e-12, "c_p": 1e-12,
}  # fmt: skip
DT = 20e-6
scan = jax.jit(plain_scan, static_argnums=3)


@pytest.fixture(autouse=True)
def _doubles() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def _events(steps: int) -> np.ndarray:
    """A pulse of a step every 40 for the first half."""
    step = np.arange(steps)
    return ((step % 40 == 20) & (step < steps / 2)).astype(float)


def _run(event: np.ndarray, dtype: type = jnp.float64) -> dict[str, np.ndarray]:
    """Filled up to 1,000 steps, so that one length is compiled."""
    tier = DpiTrace.of(FITTED).astype(dtype)
    filled = jnp.asarray(np.r_[event, np.zeros(1000 - event.size)], dtype)
    _, out = scan(tier, tier.start((), dtype), {"event": filled}, DT)
    assert {each.dtype for each in out.values()} == {jnp.dtype(dtype)}
    return {name: np.asarray(each, float)[: event.size] for name, each in out.items()}


def test_wrights_omega_over_all_that_a_pair_meets() -> None:
    charged, rise = np.linspace(-25, 8, 133)[:, None], np.geomspace(1e-5, 200, 60)[None]
    found = np.asarray(shared(jnp.asarray(charged), jnp.asarray(rise)))
    exact = np.log(wrightomega(np.exp(charged) + charged + rise).real)
    assert np.abs(found - exact).max() < 1e-8
    goal = np.linspace(-30, 60, 400)
    assert np.asarray(log_omega(jnp.asarray(goal))) == pytest.approx(
        np.log(wrightomega(goal).real), abs=1e-8
    )


def _law(event: np.ndarray, values: Mapping[str, float]) -> np.ndarray:
    """v_q and v_p at the steps' ends by SciPy, with the tier's currents, shape (steps, 2)."""
    p = dict(values)

    def current(v: float, kind: str) -> float:
        root = np.sqrt(p[f"i_0_{kind}"] / p[f"i_curve_{kind}"]) * np.exp(
            v / (2 * p[f"u_read_{kind}"])
        )
        return float(p[f"i_curve_{kind}"] * np.log1p(root) ** 2)

    def slope(t: float, v: np.ndarray, given: float) -> list[float]:
        into = {"q": p["i_weight"] * given, "p": current(v[0], "q")}
        bend = {"q": 0.0, "p": np.sqrt(into["p"] / p["i_pair_p"])}
        found = []
        for k, kind in enumerate("qp"):
            x = p[f"a_{kind}"] * (p[f"v_gain_{kind}"] - v[k])
            part = 1 / (1 + np.exp(-x - bend[kind]))
            part = 1 / (1 + np.exp(-x - bend[kind] * (1 - 2 * part)))
            leak = p[f"i_tau_{kind}"] * (1 + v[k] / p[f"v_early_{kind}"])
            leak *= 1 - np.exp(-v[k] / p[f"u_sat_{kind}"])
            found.append((into[kind] * part - leak) / p[f"c_{kind}"])
        return found

    now, ends = np.zeros(2), []
    for each in event:
        now = solve_ivp(slope, (0, DT), now, args=(each,), method="LSODA", rtol=1e-8, atol=1e-10).y[
            :, -1
        ]
        ends.append(now)
    return np.array(ends)


def test_the_law_by_scipy() -> None:
    event = _events(320)
    out, law = _run(event), _law(event, FITTED)
    assert out["v_q"] == pytest.approx(law[:, 0], abs=1e-3)
    assert out["v_p"] == pytest.approx(law[:, 1], abs=4e-3)
    # Within an event's own step the second stage sees the mean of the first: later it is close.
    assert np.sqrt(np.mean((out["v_p"] - law[:, 1]) ** 2)) < 1e-3
    assert out["v_p"].max() > 0.2


def test_half_a_pulse_in_each_of_two_steps_is_one_pulse() -> None:
    whole, halves = np.zeros(50), np.zeros(50)
    whole[10], halves[10:12] = 1.0, 0.5
    found = [_run(event)["v_q"][-1] for event in (whole, halves)]
    assert found[0] == pytest.approx(found[1], abs=1e-3)


def test_floats_of_32_bits_come_to_the_same() -> None:
    narrow, wide = (_run(_events(1000), dtype)["v_p"] for dtype in (jnp.float32, jnp.float64))
    assert narrow == pytest.approx(wide, abs=1e-4)


def test_gradients_agree_with_finite_differences() -> None:
    names, event = ["event", *FITTED], jnp.asarray(_events(120))

    def loss(scales: jax.Array) -> jax.Array:
        scale = dict(zip(names, scales, strict=True))
        tier = DpiTrace.of({name: scale[name] * value for name, value in FITTED.items()})
        given = {"event": event * scale["event"]}
        out = scan(tier, tier.start((), jnp.float64), given, DT)[1]
        return 100 * jnp.mean(out["v_p"] ** 2) + jnp.mean(out["i_p"]) * 1e9

    step, one = 1e-5, np.ones(len(names))
    moved = np.concatenate([one + step * np.eye(one.size), one - step * np.eye(one.size)])
    both = jax.jit(jax.value_and_grad(loss))
    up, down = np.reshape([both(jnp.asarray(each))[0] for each in moved], (2, -1))
    found = np.asarray(both(jnp.asarray(one))[1])
    assert found == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-7)


def test_it_follows_the_circuit(process: Process, pool: Pool) -> None:
    recipe = DpiTraceRecipe(stop=10e-3)
    stimuli = recipe.stimuli(process, np.random.default_rng(5), 4)
    runs = pool.map([Job(recipe.deck(process), each.knobs) for each in stimuli])
    records = [
        recipe.record(each, run.waveforms, process) for each, run in zip(stimuli, runs, strict=True)
    ]
    tier = DpiTrace.of(FITTED)
    given = {name: jnp.asarray(each) for name, each in stacked(records, tier.INPUTS).items()}
    _, out = scan(tier, tier.start((4,), jnp.float64), given, recipe.dt)
    for name in recipe.compared:
        wanted = np.stack([record.outputs[name] for record in records], axis=1)
        assert np.sqrt(np.mean((out[name] - wanted) ** 2)) < 0.01 * np.ptp(wanted)
    assert set(recipe.ranges(records)) == {"event", "v_q", "v_p", "i_p"}
    assert all(record.energy > 0 for record in records)
