"""LIF layers against snnTorch's and Norse's stored answers, autodiff and a plain loop."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import pytest

from spicesnn.errors import DataError, ParameterError
from spicesnn.tiers.lif_layer import LifLayer, Surrogate
from spicesnn.tiers.lif_network import LifNetwork, Training, train

Array = npt.NDArray[Any]
RESETS = ("subtract", "zero", "none")


@cache
def _peers() -> dict[str, Any]:
    """Answers that `python benchmarks/nir_peers.py --only layer` stored."""
    path = Path(__file__).parents[1] / "exchange" / "data" / "layer.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _inputs() -> jax.Array:
    return jnp.asarray(_peers()["inputs"], jnp.float32).reshape(60, 3, 8)


def _by_autodiff(layer: LifLayer, inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The same layer, differentiated step by step by JAX itself."""

    @jax.custom_jvp
    def spike(over: jax.Array) -> jax.Array:
        return (over > 0).astype(over.dtype)

    spike.defjvp(lambda at, along: (spike(*at), layer.surrogate.derivative(at[0]) * along[0]))
    current = jnp.einsum("tbi,ui->tbu", inputs, layer.weight)
    if layer.bias is not None:
        current = current + layer.bias

    def step(mem: jax.Array, now: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        fired = jax.lax.stop_gradient(spike(mem - layer.threshold))
        left = mem * (1 - fired) if layer.reset == "zero" else mem
        mem = layer.beta * left + now
        if layer.reset == "subtract":
            mem = mem - fired * layer.threshold
        return mem, (spike(mem - layer.threshold), mem)

    found: tuple[jax.Array, jax.Array]
    _, found = jax.lax.scan(step, jnp.zeros(current.shape[1:], current.dtype), current)
    return found


@pytest.mark.parametrize("reset", RESETS)
def test_spikes_membranes_and_gradients_are_snntorchs(reset: Any) -> None:
    stored = _peers()["leaky"][reset]
    layer = LifLayer.of(_peers()["weight"], 0.9, reset=reset)
    cotangent = jnp.asarray(_peers()["cotangent"], jnp.float32).reshape(60, 3, 6)

    def loss(layer: LifLayer) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        spikes, membranes = layer.run(_inputs())
        return (spikes * cotangent).sum(), (spikes, membranes)

    slope, found = eqx.filter_jit(eqx.filter_grad(loss, has_aux=True))(layer)
    spikes, membranes = found
    assert int(spikes.sum()) > 50
    assert np.array_equal(np.asarray(spikes).ravel(), stored["spikes"])
    # To the bit: snnTorch rounds after each operation.
    assert np.array_equal(np.asarray(membranes, np.float64).ravel(), stored["membrane"])
    scale = np.abs(stored["by_weight"]).max()
    assert np.allclose(slope.weight, stored["by_weight"], atol=2e-6 * scale)
    assert float(slope.beta) == pytest.approx(stored["by_beta"], rel=2e-5)
    assert float(slope.threshold) == pytest.approx(stored["by_threshold"], rel=2e-5)


def test_spikes_are_norses() -> None:
    layer = LifLayer.of_time_constant(np.asarray(_peers()["weight"]) / 0.1, tau=1e-2, dt=1e-3)
    assert layer.reset == "zero"
    assert np.array_equal(np.asarray(layer(_inputs())).ravel(), _peers()["norse"])


@pytest.mark.parametrize(
    ("reset", "kind"), [("subtract", "arctan"), ("zero", "fast_sigmoid"), ("none", "box")]
)
def test_backward_pass_against_autodiff(reset: Any, kind: Any) -> None:
    rng = np.random.default_rng(1)
    layer = LifLayer.of(
        rng.normal(size=(5, 4)), rng.uniform(0.5, 0.95, 5), rng.uniform(0.5, 1.5, 5),
        rng.normal(size=5) * 0.1, reset, Surrogate(kind=kind, slope=1.5), jnp.float64,
    )  # fmt: skip
    inputs = jnp.asarray(rng.random((30, 2, 4)) < 0.4, jnp.float64)
    to_spikes, to_mem = rng.normal(size=(2, 30, 2, 5))

    def total(found: tuple[jax.Array, jax.Array]) -> jax.Array:
        return (found[0] * to_spikes).sum() + (found[1] * to_mem).sum()

    wanted = jax.jit(jax.grad(lambda one, x: total(_by_autodiff(one, x)), argnums=(0, 1)))
    found = jax.jit(jax.grad(lambda one, x: total(one.run(x)), argnums=(0, 1)))
    for one, other in zip(
        jax.tree.leaves(found(layer, inputs)), jax.tree.leaves(wanted(layer, inputs)), strict=True
    ):
        assert np.abs(one - other).max() <= 1e-10 * (1 + np.abs(other).max())
    assert jax.eval_shape(layer, inputs).dtype == jnp.float64


def test_gradient_where_no_spike_falls_against_finite_differences() -> None:
    """Membranes under threshold are smooth: exact there, with no surrogate in the loss."""
    rng = np.random.default_rng(2)
    weight = rng.normal(size=(3, 4))
    inputs = jnp.asarray(rng.random((40, 2, 4)), jnp.float64)

    def loss(weight: Array) -> jax.Array:
        layer = LifLayer.of(np.zeros((3, 4)), 0.9, 1e3, dtype=jnp.float64)
        layer = eqx.tree_at(lambda one: one.weight, layer, jnp.asarray(weight))
        return (layer.run(inputs)[1] ** 2).sum()

    both = jax.jit(jax.value_and_grad(loss))
    slope = both(jnp.asarray(weight))[1]
    for i, j in ((0, 0), (1, 3), (2, 2)):
        step = np.zeros((3, 4))
        step[i, j] = 1e-6
        around = float(both(weight + step)[0] - both(weight - step)[0]) / 2e-6
        assert float(slope[i, j]) == pytest.approx(around, rel=1e-5)


def test_a_run_goes_on_from_its_last_membrane() -> None:
    layer = LifLayer.of(_peers()["weight"], 0.9)
    run = eqx.filter_jit(layer.run)
    spikes, membranes = run(_inputs())
    first, middle = run(_inputs()[:30], jnp.zeros_like(membranes[0]))
    second, last = run(_inputs()[30:], middle[-1])
    assert np.array_equal(spikes, jnp.concatenate([first, second]))
    assert np.array_equal(membranes[-1], last[-1])


def test_what_does_not_fit() -> None:
    with pytest.raises(DataError, match=r"weight has the shape \(3,\): give \(units, inputs\)"):
        LifLayer.of(np.ones(3), 0.9)
    with pytest.raises(DataError, match=r"beta has the shape \(2,\); the layer has 3 units"):
        LifLayer.of(np.ones((3, 4)), [0.9, 0.8])
    with pytest.raises(ParameterError, match=r"beta is 1\.5: it must be from 0 to 1"):
        LifLayer.of(np.ones((3, 4)), 1.5)
    with pytest.raises(ParameterError, match=r"threshold is 0: it must be over 0"):
        LifLayer.of(np.ones((3, 4)), 0.5, 0)
    with pytest.raises(ParameterError, match=r"bias holds values that are not finite"):
        LifLayer.of(np.ones((3, 4)), 0.5, bias=[0, np.nan, 0])
    with pytest.raises(ParameterError, match=r"reset is 'half': give 'subtract', 'zero' or 'none'"):
        LifLayer.of(np.ones((3, 4)), 0.5, reset="half")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"tau is 0\.0001 s and the step 0\.001 s: the step"):
        LifLayer.of_time_constant(np.ones((3, 4)), 1e-4, 1e-3)
    with pytest.raises(ParameterError, match=r"r is -1: it must be over 0"):
        LifLayer.of_time_constant(np.ones((3, 4)), 1e-2, 1e-3, r=-1)
    with pytest.raises(DataError, match=r"inputs have the shape \(9, 2, 5\); the layer has 4"):
        LifLayer.of(np.ones((3, 4)), 0.5)(jnp.ones((9, 2, 5)))


def test_a_network_learns() -> None:
    """Two classes told by which half of the inputs spikes more."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, 96)
    rate = np.where((np.arange(8) // 4)[None] == labels[:, None], 0.4, 0.1)
    inputs = (rng.random((40, 96, 8)) < rate).astype(np.float32)
    layers = [LifLayer.random(rng, 8, 6, bias=True), LifLayer.random(rng, 6, 2)]
    network = LifNetwork.of(layers)
    assert network.sizes == (8, 6, 2)
    trained, history = train(network, inputs, labels, Training(epochs=25, batch=16, rate=1e-2))
    assert history[-1] < 0.3 * history[0]
    assert (trained.decide(inputs) == labels).mean() > 0.95
    assert float(trained.layers[0].beta) == float(network.layers[0].beta)
    assert [one.shape for one in trained.spikes(jnp.asarray(inputs))] == [(40, 96, 6), (40, 96, 2)]


def test_networks_that_do_not_fit() -> None:
    rng = np.random.default_rng(4)
    one, other = LifLayer.random(rng, 4, 3), LifLayer.random(rng, 5, 2)
    with pytest.raises(DataError, match=r"layer 0 has 3 units; layer 1 has 5 inputs"):
        LifNetwork.of([one, other])
    with pytest.raises(DataError, match="at least one layer"):
        LifNetwork.of([])
    with pytest.raises(ParameterError, match=r"the step is 0 s"):
        LifNetwork.of([one], 0)
    network, training = LifNetwork.of([one]), Training(batch=4)
    with pytest.raises(DataError, match=r"labels of shape \(3,\) do not match"):
        train(network, np.zeros((9, 2, 4)), [0, 1, 2], training)
    with pytest.raises(DataError, match=r"labels reach from 0 to 3; the network has 3 outputs"):
        train(network, np.zeros((9, 2, 4)), [0, 3], training)
    with pytest.raises(DataError, match=r"2 samples do not fill a batch of 4"):
        train(network, np.zeros((9, 2, 4)), [0, 1], training)
