"""The differentiable crossbar: against the solver itself, by finite differences, and compiled."""

from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spicesnn.arrays import Crossbar, Drive, Ends, LinearArray, Wires
from spicesnn.errors import DataError
from spicesnn.tiers.wired_crossbar import FixedCrossbar, WiredCrossbar

ROWS, COLUMNS = 5, 4
WIRES = Wires(r_row=20.0, r_column=30.0)
ONE_SIDED = WiredCrossbar(WIRES, Ends(left=50.0, bottom=100.0))
BOTH_SIDES = WiredCrossbar(WIRES, Ends(left=50.0, right=10.0, top=70.0, bottom=np.full(4, 100.0)))
ARRAYS = pytest.mark.parametrize("array", [ONE_SIDED, BOTH_SIDES], ids=["one-sided", "both sides"])


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def conductances(seed: int = 0, *front: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).uniform(-6, -3.5, (*front, ROWS, COLUMNS))
    return np.asarray(10**drawn)


def volts(seed: int = 1, *front: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.2, 0.3, (*front, ROWS))


def loss(array: WiredCrossbar) -> Callable[[Any, Any], jax.Array]:
    weight = jnp.arange(1.0, COLUMNS + 1)

    def of(g: Any, v: Any) -> jax.Array:
        current = array(g, v) * 1e5
        return jnp.sum(weight * current**2) + jnp.sum(jnp.tanh(current))

    return of


def slope(function: Callable[[np.ndarray], Any], at: np.ndarray) -> np.ndarray:
    """Central differences, step a thousandth of each value, two steps extrapolated."""
    found = np.empty(at.shape)
    for index in np.ndindex(at.shape):
        sides = []
        for part in (1e-3, 5e-4):
            step = np.zeros(at.shape)
            step[index] = part * abs(at[index])
            sides.append(float(function(at + step) - function(at - step)) / (2 * step[index]))
        found[index] = (4 * sides[1] - sides[0]) / 3
    return found


@ARRAYS
def test_currents_are_the_solvers(array: WiredCrossbar) -> None:
    g, v = conductances(), volts(1, 2, 3)
    solver = LinearArray(Crossbar(g, array.wires, array.ends))
    one = solver.outputs(Drive(left=v, right=v))
    for function in (array, jax.jit(array)):
        found = function(g, v)
        assert found.shape == (2, 3, COLUMNS)
        np.testing.assert_allclose(found, one.i_top + one.i_bottom, rtol=1e-12)


def test_without_wires_it_is_a_matrix_product() -> None:
    array = WiredCrossbar(Wires(r_row=1e-6, r_column=1e-6))
    g, v = conductances(), volts()
    np.testing.assert_allclose(array(g, v), v @ g, rtol=1e-7)
    np.testing.assert_allclose(ONE_SIDED(g, v), v @ g, rtol=0.2)
    assert np.abs(np.asarray(ONE_SIDED(g, v)) / (v @ g) - 1).max() > 1e-3


@ARRAYS
@pytest.mark.parametrize("front", [(), (3,)], ids=["one input", "a batch"])
def test_gradients_agree_with_finite_differences(
    array: WiredCrossbar, front: tuple[int, ...]
) -> None:
    g, v, of = conductances(), volts(1, *front), jax.jit(loss(array))
    by_g, by_v = jax.jit(jax.grad(loss(array), argnums=(0, 1)))(g, v)
    np.testing.assert_allclose(by_g, slope(lambda x: of(x, v), g), rtol=1e-5)
    np.testing.assert_allclose(by_v, slope(lambda x: of(g, x), v), rtol=1e-5)


def test_vmap_is_a_loop_in_values_and_gradients() -> None:
    """Over arrays, over inputs, over both together and nested; sums where something is shared."""
    array, gs, vs = BOTH_SIDES, conductances(2, 3), volts(3, 3)
    gradient = jax.jit(jax.grad(loss(array), argnums=(0, 1)))

    def compare(found: Any, rows: list[Any]) -> None:
        for name, one in enumerate(found):
            np.testing.assert_allclose(one, np.stack([row[name] for row in rows]), rtol=1e-10)

    both = [gradient(g, v) for g, v in zip(gs, vs, strict=True)]
    compare(jax.vmap(gradient)(gs, vs), both)
    compare(jax.vmap(gradient, (0, None))(gs, vs[0]), [gradient(g, vs[0]) for g in gs])
    compare(jax.vmap(gradient, (None, 0))(gs[0], vs), [gradient(gs[0], v) for v in vs])
    found = jax.vmap(jax.vmap(array, (None, 0)), (0, None))(gs, vs)
    np.testing.assert_allclose(found, np.stack([array(g, vs) for g in gs]), rtol=1e-10)
    found = jax.vmap(jax.vmap(gradient, (None, 0)), (0, None))(gs, vs)
    rows = [[gradient(g, v) for v in vs] for g in gs]
    np.testing.assert_allclose(found[0], [[one[0] for one in row] for row in rows], rtol=1e-10)

    def shared(g: Any, v: Any) -> Any:
        return jax.vmap(lambda one: loss(array)(g, one))(v).sum()

    direct = gradient(gs[0], vs)[0]
    np.testing.assert_allclose(jax.grad(shared)(gs[0], vs), direct, rtol=1e-10)


def test_it_works_in_a_scanned_loop() -> None:
    g, v = conductances(), volts(4, 6)

    def step(level: Any, given: Any) -> tuple[Any, Any]:
        level = 0.9 * level + ONE_SIDED(g, given)
        return level, level

    last, _ = jax.jit(lambda given: jax.lax.scan(step, jnp.zeros(COLUMNS), given))(v)
    weights = 0.9 ** np.arange(5, -1, -1.0)
    np.testing.assert_allclose(last, weights @ np.asarray(ONE_SIDED(g, v)), rtol=1e-10)


@ARRAYS
def test_the_fixed_form_is_the_same(array: WiredCrossbar) -> None:
    g, v = conductances(), volts(5, 7)
    fixed = array.fixed(g)
    np.testing.assert_allclose(eqx.filter_jit(fixed)(v), array(g, v), rtol=1e-8)
    by_v = jax.grad(lambda x: jnp.sum(fixed(x) ** 2))(v)
    wanted = jax.grad(lambda x: jnp.sum(array(g, x) ** 2))(v)
    np.testing.assert_allclose(by_v, wanted, rtol=1e-8)


def test_open_ends_of_some_rows_and_columns() -> None:
    left, bottom = np.full(ROWS, 50.0), np.full(COLUMNS, 100.0)
    left[1], bottom[2] = np.inf, np.inf
    array, g, v = WiredCrossbar(WIRES, Ends(left=left, bottom=bottom)), conductances(), volts(6, 3)
    found = np.asarray(array(g, v))
    assert (found[:, 2] == 0).all()
    np.testing.assert_allclose(array.fixed(g)(v), found, rtol=1e-8)
    assert (np.asarray(jax.grad(lambda x: array(g, x).sum())(v))[:, 1] == 0).all()


def test_floats_of_32_bits_stay_so() -> None:
    with jax.enable_x64(False):
        g, v = jnp.asarray(conductances(), jnp.float32), jnp.asarray(volts(), jnp.float32)
        found = jax.jit(ONE_SIDED)(g, v)
        by_g = jax.grad(lambda x: ONE_SIDED(x, v).sum())(g)
        fixed = ONE_SIDED.fixed(np.asarray(g))(v)
    assert found.dtype == by_g.dtype == fixed.dtype == jnp.float32
    one = LinearArray(Crossbar(np.asarray(g, float), WIRES, ONE_SIDED.ends))
    np.testing.assert_allclose(found, one.outputs(Drive(left=np.asarray(v, float))).i_bottom,
                               rtol=1e-6)  # fmt: skip
    np.testing.assert_allclose(fixed, found, rtol=1e-5)


def test_a_larger_array_does_not_hang() -> None:
    """64 x 64 with 16 inputs, forward and backward in one compiled function."""
    rng = np.random.default_rng(0)
    g, v = rng.uniform(1e-6, 1e-4, (64, 64)), rng.uniform(0, 0.2, (16, 64))
    array = WiredCrossbar(Wires(r_row=1.0, r_column=1.0))
    value, by_g = jax.jit(jax.value_and_grad(lambda x: (array(x, v) ** 2).sum()))(g)
    step = 1e-4 * g
    moved = float((array(g + step, v) ** 2).sum() - (array(g - step, v) ** 2).sum()) / 2
    assert moved == pytest.approx(float((by_g * step).sum()), rel=1e-6)
    assert value > 0


def test_what_does_not_fit_is_refused() -> None:
    g, v = conductances(), volts()
    with pytest.raises(DataError, match=r"conductance has shape \(5,\); give one of \(rows, col"):
        ONE_SIDED(g[:, 0], v)
    with pytest.raises(DataError, match=r"volts have shape \(4,\); the last axis must be 5"):
        ONE_SIDED(g, v[:-1])
    with pytest.raises(DataError, match=r"volts have shape \(4,\); the last axis must be 5"):
        jax.jit(ONE_SIDED)(g, v[:-1])
    with pytest.raises(DataError, match=r"volts have shape \(3,\); the last axis must be 5"):
        FixedCrossbar(jnp.ones((4, 5)))(jnp.ones(3))
    with pytest.raises(DataError, match=r"conductance of cell \(0, 0\) is -\d.*finite values >= 0"):
        ONE_SIDED(-g, v)
    with pytest.raises(DataError, match="holds NaN or infinite volts"):
        ONE_SIDED(g, v * np.nan)
    with pytest.raises(jax.errors.JaxRuntimeError, match=r"conductance of cell \(0, 0\) is -"):
        jax.jit(ONE_SIDED)(-g, v)
    with pytest.raises(DataError, match="no column has a connected end"):
        WiredCrossbar(WIRES, Ends(bottom=np.inf)).fixed(g)
