"""The bump's tier: its law, its derivatives, and its circuit."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.errors import ParameterError
from spicesnn.processes import Process
from spicesnn.tiers.bump import Bump
from spicesnn.tiers.recipes.bump import BumpRecipe
from spicesnn.tiers.tier import scan as plain_scan

NUMBERS = {
    "gain": 1.05, "bend": -0.01, "s": 4.2, "v_slope": 0.07, "v_offset": 1e-3, "loss": 1.02,
}  # fmt: skip
V_DIFF = np.linspace(-0.2, 0.2, 41)
scan = jax.jit(plain_scan, static_argnums=3)


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def currents(v_diff: np.ndarray, i_bias: float = 2e-9, **changes: float) -> dict[str, np.ndarray]:
    tier = Bump.of({**NUMBERS, **changes})
    bias = jnp.full(v_diff.shape, i_bias)
    _, outputs = scan(tier, tier.start(), {"v_diff": jnp.asarray(v_diff), "i_bias": bias}, 1e-3)
    return {name: np.asarray(each) for name, each in outputs.items()}


def test_it_is_delbrucks_law() -> None:
    found = currents(V_DIFF, gain=1.0, bend=0.0, v_offset=0.0, loss=1.0)
    wanted = 2e-9 / (1 + 4 / 4.2 * np.cosh(V_DIFF / 0.07) ** 2)
    np.testing.assert_allclose(found["i_bump"], wanted, rtol=1e-12)
    np.testing.assert_allclose(found["i_antibump"], 2e-9 - wanted, rtol=1e-12)


def test_the_mirrors_error_moves_with_the_bias() -> None:
    for bias in (0.5e-9, 1e-9, 4e-9):
        found = currents(V_DIFF, bias, loss=1.0)
        both = found["i_bump"] + found["i_antibump"]
        np.testing.assert_allclose(both, 1.05 * bias * (bias / 1e-9) ** -0.01, rtol=1e-12)
    assert (currents(V_DIFF, 0.0)["i_bump"] == 0).all()


def test_edges_are_where_the_bump_is_at_the_threshold() -> None:
    tier = Bump.of(NUMBERS)
    edges = jax.jit(lambda i: tier.edges(jnp.asarray(2e-9), i))
    for part in (0.05, 0.2, 0.4):
        found = currents(np.array(edges(part * 2e-9)))["i_bump"]
        np.testing.assert_allclose(found, part * 2e-9, rtol=1e-10)
    low, high = edges(1.5e-9)
    assert float(low) == float(high) == NUMBERS["v_offset"]
    slope = jax.jit(jax.grad(lambda i: tier.edges(jnp.asarray(2e-9), i)[1]))
    assert np.isfinite(slope(1.5e-9))
    assert float(slope(0.4e-9)) < 0


def test_gradients_are_finite_differences_and_finite_everywhere() -> None:
    bias = jnp.full(V_DIFF.shape, 1.5e-9)

    def loss(tier: Bump, v_diff: jax.Array) -> jax.Array:
        _, found = scan(tier, tier.start(), {"v_diff": v_diff, "i_bias": bias}, 1e-3)
        return jnp.sum((found["i_bump"] / 1e-9) ** 2 + jnp.tanh(found["i_antibump"] / 1e-9))

    both = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))

    def at(volts: np.ndarray, **changes: float) -> float:
        return float(both(Bump.of({**NUMBERS, **changes}), volts)[0])

    by_tier, by_volts = both(Bump.of(NUMBERS), V_DIFF)[1]
    for name, value in NUMBERS.items():
        step = 1e-5 * max(abs(value), 0.1)
        up, down = (at(V_DIFF, **{name: value + s * step}) for s in (1, -1))
        slope = float(getattr(by_tier, name))
        assert slope == pytest.approx((up - down) / (2 * step), rel=1e-5), name
    for k in (0, 15, 20, 40):
        step = 1e-6 * np.eye(V_DIFF.size)[k]
        wanted = (at(V_DIFF + step) - at(V_DIFF - step)) / 2e-6
        assert float(by_volts[k]) == pytest.approx(wanted, rel=1e-5)
    for far in (0.0, 50.0, -1e6):
        found = both(Bump.of(NUMBERS), np.full(V_DIFF.shape, far))[1]
        assert all(np.isfinite(each).all() for each in jax.tree.leaves(found))


def test_floats_of_32_bits_stay_so() -> None:
    with jax.enable_x64(False):
        tier = Bump.of(NUMBERS)
        inputs = {"v_diff": jnp.asarray(V_DIFF, jnp.float32),
                  "i_bias": jnp.full(V_DIFF.shape, 2e-9, jnp.float32)}  # fmt: skip
        _, found = scan(tier, tier.start(), inputs, 1e-3)
        assert {each.dtype for each in found.values()} == {jnp.dtype("float32")}
    np.testing.assert_allclose(found["i_bump"], currents(V_DIFF)["i_bump"], rtol=1e-5)


def fitted_and_tested(process: Process, pool: Pool) -> None:
    """Fitted on four runs; two that it has not seen agree within the budget of 1 % of range."""
    recipe = BumpRecipe(stop=60e-3)
    rng = np.random.default_rng(3)
    stimuli = recipe.stimuli(process, rng, 6)
    runs = pool.map([Job(recipe.deck(process), each.knobs) for each in stimuli])
    records = [recipe.record(s, r.waveforms, process) for s, r in zip(stimuli, runs, strict=True)]
    found = recipe.fit(records[:4], process, 27.0)
    tier = Bump.of({name: found[name] for name in found.names})
    assert found["gain"] == pytest.approx(1, rel=0.05)
    assert found["s"] == pytest.approx(recipe.cell.middle, rel=0.15)
    for record in records[4:]:
        inputs = {name: jnp.asarray(each) for name, each in record.inputs.items()}
        _, outputs = scan(tier, tier.start(), inputs, recipe.dt)
        for name, wanted in record.outputs.items():
            off = np.asarray(outputs[name]) - wanted
            assert np.sqrt((off**2).mean()) < 0.01 * np.ptp(wanted), name
            assert np.abs(off).max() < 0.03 * np.ptp(wanted), name
        charge = recipe.energy_features(record.inputs, {})[0]
        assert record.energy == pytest.approx(2 * process.supply * charge, rel=0.1)


def test_it_agrees_with_its_circuit(process: Process, pool: Pool) -> None:
    fitted_and_tested(process, pool)


def test_it_agrees_with_its_circuit_on_gf180mcu(gf180mcu: Process, pool: Pool) -> None:
    fitted_and_tested(gf180mcu, pool)


def test_what_the_recipe_cannot_do_is_refused() -> None:
    with pytest.raises(ParameterError, match="for the cell as drawn, not its complement"):
        BumpRecipe(cell={"complement": True})
    with pytest.raises(ParameterError, match=r"lowest = 5e-09 A must be below highest = 4e-09 A"):
        BumpRecipe(lowest=5e-9)
