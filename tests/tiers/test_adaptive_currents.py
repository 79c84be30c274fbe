"""The currents into an adaptive neuron's capacitors by regression, on courses of a known tier."""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spicesnn.tiers.adaptive_neuron import AdaptiveNeuron
from spicesnn.tiers.recipes.adaptive_currents import (
    adaptation_currents,
    first_guess,
    membrane_currents,
    request_charges,
)
from spicesnn.tiers.record import Record
from spicesnn.tiers.tier import scan

U_T, DT = 0.02586, 4e-6
TRUE = {
    "u_t": 0.0245, "u_t_ahp": 0.029, "c": 5.2e-13, "i_leak": 2e-11, "v_early": 12.0,
    "v_gain": 2.0, "u_gain": 0.036, "i_feedback": 3e-9, "u_feedback": 3e-3, "i_bend": 1e-6,
    "i_before": 6e-12, "u_before": 0.065, "v_threshold": 0.69, "lag": 5e-6, "t_reset": 5e-5,
    "t_reset_slope": 0.0, "tau_reset": 6e-6, "i_0": 1e-13, "u_ahp": 0.034, "bow": 0.1,
    "i_curve": 1e-7, "v_early_ahp": 6.0, "c_p": 5e-13, "i_lkahp": 9.6e-12, "u_lkahp": 0.028,
    "v_early_lkahp": 6.5, "v_thrahp": 0.2, "u_pair": 0.038, "rise_spike": 0.32, "rise_net": 0.14,
    "i_rise": 9e-10, "rise_v_p": -0.2, "rise_feedback": 0.0, "rise_before": 0.0, "kick": 6e-4,
    "coupling": 4.8e-4, "width": 1e-5,
}  # fmt: skip


@cache
def records() -> tuple[Record, ...]:
    """Steps, ramps and constants of the known tier, as a circuit's records."""
    rng = np.random.default_rng(11)
    steps, runs = 6000, 16
    level = 25e-12 * 100 ** rng.random((13, runs)) * (rng.random((13, runs)) > 0.1)
    at = np.linspace(0, 12, steps)
    held = level[at.astype(int)]
    slid = np.stack([np.interp(at, np.arange(13), level[:, k]) for k in range(runs)], axis=1)
    i_in = np.where(np.arange(runs) % 2, held, slid)
    with jax.enable_x64(True):
        tier = AdaptiveNeuron.of(TRUE)
        run = jax.jit(lambda given: scan(tier, tier.start((runs,), jnp.float64), given, DT)[1])
        out = {name: np.asarray(each) for name, each in run({"i_in": jnp.asarray(i_in)}).items()}
    found = []
    for k in range(runs):
        at_spike = np.flatnonzero(out["spike"][:, k] > 0.5)
        found.append(Record(
            DT, {"i_in": i_in[:, k]}, {n: out[n][:, k] for n in ("v_mem", "v_p")},
            spikes=at_spike * DT + out["delay"][at_spike, k], spike_width=1e-5, energy=0.0,
        ))  # fmt: skip
    return tuple(found)


def test_a_first_guess_is_about_right() -> None:
    """Within a fifth, and a feedback that is a switch is seen as one."""
    found, early = first_guess(records())
    assert not early
    for name in ("c", "i_leak", "v_threshold"):
        assert found[name] == pytest.approx(TRUE[name], rel=0.2), name


def test_the_membranes_sinks_come_out() -> None:
    """Leak and adaptation to 1 %, their saturations to 3 %."""
    guess, _ = first_guess(records())
    found = membrane_currents(records(), guess, 0.5, U_T)
    assert found["i_leak"] == pytest.approx(TRUE["i_leak"], rel=0.01)
    assert found["u_t"] == pytest.approx(TRUE["u_t"], rel=0.03)
    assert found["u_t_ahp"] == pytest.approx(TRUE["u_t_ahp"], rel=0.03)
    v_p = np.linspace(0.15, 0.3, 7)

    def current(p: dict[str, float]) -> np.ndarray:
        free = p["i_0"] * np.exp(v_p * (1 + p["bow"] * v_p) / p["u_ahp"])
        return np.asarray(free / (1 + np.sqrt(free / p["i_curve"])) * (1 + 0.3 / p["v_early_ahp"]))

    assert current(found) == pytest.approx(current(TRUE), rel=0.01, abs=0)


def test_the_adaptations_leak_and_coupling_come_out() -> None:
    """To 1 %, the voltage in which it saturates to 5 %."""
    found = adaptation_currents(records(), TRUE["c_p"], U_T)
    v_p = np.linspace(0.1, 0.3, 5)
    leak = found["i_lkahp"] * (1 + v_p / found["v_early_lkahp"])
    wanted = TRUE["i_lkahp"] * (1 + v_p / TRUE["v_early_lkahp"])
    assert leak == pytest.approx(wanted, rel=0.01, abs=0)
    assert found["coupling"] == pytest.approx(TRUE["coupling"], rel=0.05)
    assert found["u_lkahp"] == pytest.approx(TRUE["u_lkahp"], rel=0.05)


def test_what_a_request_adds_comes_out() -> None:
    """The voltage after it within a quarter of a millivolt, from a start that is far off."""
    start = {"v_thrahp": 0.23, "u_pair": 0.036, "kick": 0.0, "rise_spike": 0.25, "rise_net": 0.1,
             "rise_v_p": 0.0, "i_rise": 3e-9}  # fmt: skip
    found = request_charges(records(), TRUE, start)
    assert set(found) == set(start)

    def after(p: dict[str, float], before: np.ndarray, net: float) -> np.ndarray:
        event = (p["rise_spike"] + p["rise_v_p"] * before) * (
            1 - p["rise_net"] * np.log1p(net / p["i_rise"])
        )
        t = (before - p["v_thrahp"]) / p["u_pair"]
        total = np.exp(t) + t + event / p["u_pair"]
        y = np.minimum(total, np.log(np.maximum(total, 1.0)))
        for _ in range(30):
            y = y - (y + np.exp(y) - total) / (1 + np.exp(y))
        return np.asarray(p["v_thrahp"] + p["u_pair"] * y - p["kick"])

    before = np.linspace(0.1, 0.28, 7)
    for net in (1e-10, 5e-10, 1.5e-9):
        gap = after({**TRUE, **found}, before, net) - after(TRUE, before, net)
        assert np.abs(gap).max() < 2.5e-4
