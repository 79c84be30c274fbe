from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import gammaln

from spicesnn.tiers import membrane

C, U_T = 0.5e-12, 0.02585
# Compiled: one by one the operations would each be compiled too.
advance, volts, phi, release, fires = (
    jax.jit(each)
    for each in (
        membrane.advance, membrane.volts, membrane.phi, membrane.release, membrane.fires,
    )
)  # fmt: skip


def _solved(v: float, current: float, sinking: float, span: float) -> float:
    """The membrane's equation by SciPy."""
    answer = solve_ivp(
        lambda _, x: (current - sinking * (1 - np.exp(-x / U_T))) / C,
        (0, span), [v], method="LSODA", rtol=1e-10, atol=1e-12,
    )  # fmt: skip
    return float(answer.y[0, -1])


@pytest.mark.parametrize(
    ("v", "current", "sinking"),
    [
        (0.0, 1e-9, 20e-12), (0.3, 5e-12, 20e-12), (0.0, 0.0, 20e-12), (0.4, 1e-9, 30e-9),
        (0.1, 20e-12, 20e-12), (0.02, 25e-12, 20e-12),
    ],
)  # fmt: skip
@pytest.mark.parametrize("span", [20e-6, 2e-3])
def test_a_step_is_exact_for_any_length(
    v: float, current: float, sinking: float, span: float
) -> None:
    if current > 1e-10 and span > 1e-3:
        span = 0.2e-3
    y = advance(
        jnp.asarray(np.exp(v / U_T)), jnp.asarray(current), jnp.asarray(sinking), span / (C * U_T)
    )
    assert float(volts(y, U_T)) == pytest.approx(_solved(v, current, sinking, span), abs=1e-7)


def test_a_step_keeps_its_type_and_stays_finite() -> None:
    for dtype in (jnp.float32, jnp.float64):
        y = jnp.asarray([1.0, 1e17, 1e-6, 1.0], dtype)
        current = jnp.asarray([1.0, 0.0, 0.0, -1e-9], dtype)
        sinking = jnp.asarray([0.0, 1.0, 0.0, 0.0], dtype)
        end = advance(y, current, sinking, jnp.asarray(1e9, dtype))
        v = volts(end, jnp.asarray(U_T, dtype))
        assert end.dtype == v.dtype == dtype
        assert np.isfinite(v).all()


def test_growth_is_smooth_through_zero() -> None:
    z = jnp.linspace(-3e-4, 3e-4, 601)
    found = np.asarray(phi(z))
    assert found == pytest.approx(1 + np.asarray(z) / 2 + np.asarray(z) ** 2 / 6, rel=1e-8)
    assert float(jax.grad(phi)(jnp.asarray(0.0))) == pytest.approx(0.5)


def test_a_crossing_is_that_of_a_straight_line() -> None:
    before, after = jnp.asarray([0.0, 0.2, 0.5, 0.3]), jnp.asarray([1.0, 0.3, 0.4, 0.3])
    part = membrane.crossing(before, after, jnp.asarray(0.4))
    # Crossed, not reached, above from the start, level.
    assert np.asarray(part) == pytest.approx([0.4, 1.0, 0.0, 1.0])


def test_what_is_left_of_a_dying_current_and_its_mean() -> None:
    left, mean = membrane.decay(2e-3, 1e-3)
    assert float(left) == pytest.approx(np.exp(-2))
    assert float(mean) == pytest.approx((1 - np.exp(-2)) / 2)


def test_the_release_is_within_its_bound() -> None:
    ratio = np.geomspace(1e-3, 1e3, 200)
    exact = gammaln(1 + ratio) / ratio + np.euler_gamma
    assert np.asarray(release(jnp.asarray(ratio))) == pytest.approx(exact, abs=0.006)
    assert float(release(jnp.asarray(0.0))) == 0.0


@pytest.mark.parametrize("current", [20e-12, 1e-9, 5e-9])
def test_the_release_is_that_of_the_equation(current: float) -> None:
    tau, first = 10e-6, 1e-6
    span = 1e-3 * (1e-9 / current) ** 0.9 + 20 * tau

    def slope(t: float, x: np.ndarray) -> np.ndarray:
        return (current - first * np.exp(-t / tau) * (1 - np.exp(-x / U_T))) / C

    answer = solve_ivp(slope, (0, span), [0.0], method="Radau", rtol=1e-9, atol=1e-12)
    let_go = span - C * float(answer.y[0, -1]) / current
    ratio = current * tau / (C * U_T)
    law = tau * (np.log(first * tau / (C * U_T)) + np.euler_gamma)
    law -= tau * float(release(jnp.asarray(ratio)))
    assert let_go == pytest.approx(law, abs=0.01 * tau)


def test_a_pair_shares_by_halves_at_its_gate_voltage() -> None:
    v = jnp.asarray([0.5, 0.5 + np.log(3) / 30])
    assert np.asarray(membrane.share(v, jnp.asarray(0.5), jnp.asarray(30.0))) == pytest.approx(
        [0.5, 0.25]
    )


def test_a_spike_has_the_stated_slope() -> None:
    x = jnp.asarray([-2.0, 0.5])
    assert np.asarray(fires(x)).tolist() == [0.0, 1.0]
    assert [float(jax.grad(fires)(each)) for each in x] == pytest.approx([1 / 9, 1 / 2.25])


def test_pulses_fill_their_width_over_the_steps() -> None:
    dt, width = 10e-6, 34e-6
    left, total, parts = jnp.asarray(0.0), 0.0, []
    for k in range(10):
        spike = jnp.asarray(1.0 if k == 1 else 0.0)
        part, left = membrane.pulse(left, spike, jnp.asarray(3e-6), jnp.asarray(width), dt)
        parts.append(float(part))
        total += float(part) * dt
    assert total == pytest.approx(width)
    assert parts[:6] == pytest.approx([0.0, 0.7, 1.0, 1.0, 0.7, 0.0])
