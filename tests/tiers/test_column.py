"""The normaliser's and the column's tiers, and a unit, against other solvers and the circuit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from spicesnn.devices import find_pulse_map
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.errors import DataError, ParameterError
from spicesnn.processes import Process
from spicesnn.tiers.column import Column, Unit
from spicesnn.tiers.dpi_trace import DpiTrace
from spicesnn.tiers.normaliser import PARAMETERS, Normaliser
from spicesnn.tiers.recipes.column import ColumnRecipe
from spicesnn.tiers.recipes.free_run import stacked
from spicesnn.tiers.tier import Signals, Spec, Tier
from spicesnn.tiers.tier import scan as plain_scan

# Of a fit to generic180, typical, 27 C.
FITTED = {
    "i_0_diode": 5.6642e-12, "power": 1.0416, "i_0_tail": 1.0551e-13, "u_tail": 0.034198,
    "i_curve_tail": 9.3613e-08, "gain_minus": 1.0577, "slope_plus": 0.03977,
    "slope_minus": 0.033357, "level_tail": 0.039609, "level_plus": 0.0005777,
    "level_minus": -0.0011204, "level_out": 0.03255, "q_sum": 1.4937e-15, "q_turn": 2.3626e-16,
    "i_off": 1.9561e-12, "i_soft": 5.199e-13, "v_rail": 0.75, "gain_plus": 1.0,
    "u_diode": 0.035694,
}  # fmt: skip
TRACE = {
    "i_weight": 9.5468e-08, "a_q": 28.543, "v_gain_q": 0.55656, "i_tau_q": 3.7829e-11,
    "u_sat_q": 0.041281, "v_early_q": 11.54, "i_0_q": 4.3608e-18, "u_read_q": 0.035284,
    "i_curve_q": 5.1913e-08, "a_p": 29.578, "v_gain_p": 0.20107, "i_pair_p": 1.5622e-07,
    "i_tau_p": 3.656e-11, "u_sat_p": 0.024317, "v_early_p": 2.5195, "i_0_p": 1.0405e-13,
    "u_read_p": 0.03371, "i_curve_p": 9.6184e-08, "c_q": 1e-12, "c_p": 1e-12,
}  # fmt: skip
# Drains that stay where they are.
LEVEL = {"level_tail": 0.0, "level_plus": 0.0, "level_minus": 0.0, "level_out": 0.0}
DT, ROWS = 20e-6, 4
# Compiled once for all tests of equal shapes.
scan = jax.jit(plain_scan, static_argnums=3)
through = jax.jit(Column.through, static_argnums=2)
run_unit = jax.jit(Unit.run, static_argnums=2)


@pytest.fixture(autouse=True)
def _doubles() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def _inputs(steps: int) -> dict[str, np.ndarray]:
    """Gates that rise and fall, conductances of the device, a membrane that rises."""
    rng, device = np.random.default_rng(3), find_pulse_map("Jo2010")
    phase = np.arange(steps)[:, None] / 40 + np.arange(ROWS)
    g = rng.uniform(device.g_min, device.g_max, (2, ROWS))
    return {
        "v_p": 0.15 + 0.12 * np.sin(phase),
        "g_plus": np.broadcast_to(g[0], (steps, ROWS)),
        "g_minus": np.broadcast_to(g[1], (steps, ROWS)),
        "v_mem": 0.3 * (np.arange(steps)[:, None] % 50) / 50,
    }


def test_a_pair_shares_by_the_devices_currents() -> None:
    tier = Normaliser.of({name: FITTED[name] for name in PARAMETERS})

    def current(g: float) -> float:
        u, i_0, rail = FITTED["u_diode"], FITTED["i_0_diode"], FITTED["v_rail"]
        return float(
            brentq(lambda i: i - g * (rail - u * np.log(i / i_0)), 1e-14, 1e-6, xtol=1e-22)
        )

    for plus, minus in ((3e-9, 38e-9), (20e-9, 20e-9), (1e-12, 1e-7)):
        given = {
            "v_p": jnp.asarray(0.3),
            "g_plus": jnp.asarray(plus),
            "g_minus": jnp.asarray(minus),
        }
        _, out = tier.step((), given, DT)
        ratio = (current(plus) / current(minus)) ** FITTED["power"]
        assert float(out["i_plus"] / out["i_minus"]) == pytest.approx(ratio, rel=1e-6)
        total = float(out["i_plus"] + out["i_minus"])
        assert total == pytest.approx(float(tier.tail(jnp.asarray(0.3))), rel=1e-12)


def test_all_at_once_is_step_by_step() -> None:
    given = {name: jnp.asarray(each) for name, each in _inputs(200).items()}
    tier = Column.of(FITTED)
    _, slow = scan(tier, tier.start((), jnp.float64), given, DT)
    fast = through(tier, given, DT)
    for name in tier.OUTPUTS:
        assert np.asarray(fast[name]) == pytest.approx(np.asarray(slow[name]), rel=1e-9)


def test_the_output_is_the_sums_difference_or_nothing() -> None:
    given = {name: jnp.asarray(each) for name, each in _inputs(200).items()}
    given["v_mem"] = given["v_mem"] * 0
    tier = Column.of({**FITTED, **LEVEL, "gain_minus": 1.0})
    out = {name: np.asarray(each) for name, each in through(tier, given, DT).items()}
    over = out["i_plus"] - out["i_minus"]
    assert out["i_in"] == pytest.approx(np.maximum(over, 0), abs=2e-12)
    given["g_plus"], given["g_minus"] = given["g_minus"], given["g_plus"]
    assert (np.asarray(through(tier, given, DT)["i_in"]) >= 0).all()


def test_what_drains_follow_changes_currents() -> None:
    """Each by its own level per factor e: of the devices' currents, of the sums, of the output."""
    steady = {
        "v_p": jnp.full((60, ROWS), 0.31), "v_mem": jnp.zeros((60, 1)),
        "g_plus": jnp.full((60, ROWS), 3e-8), "g_minus": jnp.full((60, ROWS), 1e-8),
    }  # fmt: skip

    def last(own: dict[str, float], given: dict[str, jax.Array] = steady) -> dict[str, float]:
        out = through(Column.of({**FITTED, **LEVEL, **own}), given, DT)
        return {name: float(each[-1]) for name, each in out.items()}

    plain = last({})
    devices = sum(
        float(brentq(
            lambda i, g=g: i - g * (0.75 - FITTED["u_diode"] * np.log(i / FITTED["i_0_diode"])),
            1e-14, 1e-6, xtol=1e-22,
        ))
        for g in (3e-8, 1e-8)
    )  # fmt: skip
    tail = last({"level_tail": 0.05})
    assert tail["i_plus"] / plain["i_plus"] == pytest.approx(
        1 + 0.05 * np.log(devices / 1e-9), rel=1e-3
    )
    more = last({"level_plus": 0.05})
    assert more["i_in"] - plain["i_in"] == pytest.approx(
        0.05 * np.log(plain["i_plus"] / 1e-9) * plain["i_plus"], rel=1e-3
    )
    less = last({"level_minus": 0.05})
    taken = FITTED["gain_minus"] * plain["i_minus"] * 0.05 * np.log(plain["i_minus"] / 1e-9)
    assert less["i_in"] - plain["i_in"] == pytest.approx(-taken, rel=1e-3)
    up = last({"level_out": 0.05})
    raised = {**steady, "v_mem": jnp.full((60, 1), 0.05 * np.log(plain["i_in"] / 1e-9))}
    assert plain["i_in"] > 1.2e-9
    assert up["i_in"] == pytest.approx(last({}, raised)["i_in"], rel=1e-3)


def test_floats_of_32_bits_come_to_the_same() -> None:
    found = {}
    for dtype in (jnp.float32, jnp.float64):
        given = {name: jnp.asarray(each, dtype) for name, each in _inputs(200).items()}
        out = through(Column.of(FITTED).astype(dtype), given, DT)
        assert {each.dtype for each in out.values()} == {jnp.dtype(dtype)}
        found[dtype] = np.asarray(out["i_in"], float)
    assert found[jnp.float32] == pytest.approx(found[jnp.float64], rel=1e-3, abs=1e-14)


def test_gradients_agree_with_finite_differences() -> None:
    given = {name: jnp.asarray(each) for name, each in _inputs(100).items()}
    names = [*given, *FITTED]

    def loss(scales: jax.Array) -> jax.Array:
        scale = dict(zip(names, scales, strict=True))
        tier = Column.of({name: scale[name] * value for name, value in FITTED.items()})
        moved = {name: scale[name] * each for name, each in given.items()}
        return 1e9 * jnp.mean(tier.through(moved, DT)["i_in"])

    step, one = 1e-5, np.ones(len(names))
    moved = np.concatenate([one + step * np.eye(one.size), one - step * np.eye(one.size)])
    both = jax.jit(jax.value_and_grad(loss))
    up, down = np.reshape([both(jnp.asarray(each))[0] for each in moved], (2, -1))
    found = np.asarray(both(jnp.asarray(one))[1])
    assert found == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-7)


def test_it_follows_the_circuit(process: Process, pool: Pool) -> None:
    recipe = ColumnRecipe(stop=4e-3)
    stimuli = recipe.stimuli(process, np.random.default_rng(8), 3)
    runs = pool.map([Job(recipe.deck(process), each.knobs) for each in stimuli])
    records = [
        recipe.record(each, run.waveforms, process) for each, run in zip(stimuli, runs, strict=True)
    ]
    tier = Column.of(FITTED)
    given = {name: jnp.asarray(each) for name, each in stacked(records, tier.INPUTS).items()}
    found = np.asarray(through(tier, given, recipe.dt)["i_in"])
    wanted = np.stack([record.outputs["i_in"] for record in records], axis=1)
    assert np.sqrt(np.mean((found - wanted) ** 2)) < 0.015 * np.ptp(wanted)
    assert set(recipe.ranges(records)) == {*tier.INPUTS, "i_in"}


class Integrator(Tier):
    """A neuron without spikes."""

    PARAMETERS: ClassVar[Mapping[str, Spec]] = {"c": Spec("F", "capacitor", 0.0)}
    INPUTS: ClassVar[Mapping[str, Spec]] = {"i_in": Spec("A", "input")}
    OUTPUTS: ClassVar[Mapping[str, Spec]] = {"v_mem": Spec("V", "membrane")}

    c: jax.Array

    def start(self, shape: tuple[int, ...] = (), dtype: Any = float) -> jax.Array:
        return jnp.zeros(shape, dtype)

    def step(self, state: jax.Array, inputs: Signals, dt: float) -> tuple[jax.Array, Signals]:
        v = state + inputs["i_in"] * dt / self.c
        return v, {"v_mem": v}


def _unit(conductance: np.ndarray) -> Unit:
    parts = DpiTrace.of(TRACE), Column.of(FITTED), Integrator.of({"c": 1e-11})
    return Unit(*parts, jnp.asarray(conductance))


def test_a_unit_is_its_parts_in_a_row() -> None:
    inputs, steps = _inputs(100), 100
    g = np.stack([inputs["g_plus"][0], inputs["g_minus"][0]])
    g = np.stack([g, g[::-1]], axis=-1)
    event = (np.arange(steps)[:, None] % (30 + 7 * np.arange(ROWS)) == 5).astype(float)
    out = run_unit(_unit(g), jnp.asarray(event), DT)
    assert out["v_mem"].shape == (steps, 2)
    trace = DpiTrace.of(TRACE)
    v_p = scan(trace, trace.start((ROWS,), jnp.float64), {"event": jnp.asarray(event)}, DT)[1][
        "v_p"
    ]
    for k in range(2):
        before = np.r_[0.0, np.asarray(out["v_mem"][:-1, k])][:, None]
        given = {"v_p": v_p, "v_mem": jnp.asarray(before)}
        sides = ("g_plus", "g_minus")
        given |= {n: jnp.broadcast_to(g[s, :, k], (steps, ROWS)) for s, n in enumerate(sides)}
        alone = through(Column.of(FITTED), given, DT)
        assert np.asarray(out["i_in"][:, k]) == pytest.approx(np.asarray(alone["i_in"]), rel=1e-9)


def test_a_units_gradient_in_its_conductances() -> None:
    g = np.random.default_rng(1).uniform(5e-9, 35e-9, (2, ROWS, 2))
    g[0] += 5e-9
    event = jnp.asarray((np.arange(80)[:, None] % 9 == np.arange(ROWS)).astype(float))

    def loss(scale: jax.Array) -> jax.Array:
        return 1e3 * jnp.mean(_unit(scale * jnp.asarray(g)).run(event, DT)["v_mem"])

    one, k = np.ones_like(g), (0, 2, 1)
    both = jax.jit(jax.value_and_grad(loss))
    found = np.asarray(both(jnp.asarray(one))[1])
    assert np.isfinite(found).all()
    up, down = one.copy(), one.copy()
    up[k], down[k] = 1 + 1e-5, 1 - 1e-5
    across = float(both(jnp.asarray(up))[0] - both(jnp.asarray(down))[0]) / 2e-5
    assert found[k] == pytest.approx(across, rel=1e-5)


def test_units_that_cannot_be() -> None:
    with pytest.raises(DataError, match=r"shape \(2, 4\) are not those of a layer"):
        _unit(np.ones((2, 4)))
    trace = DpiTrace.of(TRACE)
    with pytest.raises(DataError, match="DpiTrace takes event, no current i_in"):
        Unit(trace, Column.of(FITTED), trace, jnp.ones((2, 4, 1)))
    with pytest.raises(ParameterError, match="slowest = 2000 must be below fastest = 1000"):
        ColumnRecipe(slowest=2000.0)
