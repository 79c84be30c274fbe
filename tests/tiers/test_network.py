"""Layers of fitted tiers: shapes, what they hear, batches, gradients, training."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spicesnn.errors import DataError
from spicesnn.processes import find_process
from spicesnn.tiers.fitted import load_tier
from spicesnn.tiers.library import tier_path
from spicesnn.tiers.network import DpiLayer, Network
from spicesnn.tiers.record import duty

PROCESS = find_process("generic180")
SYNAPSE, NEURON = (
    load_tier(tier_path(name, PROCESS)).tier for name in ("dpi_synapse", "lif_neuron")
)
# The synapse was fitted to pulses of 0.2 ms, which a pulse extender behind the neuron gives.
NEURON = eqx.tree_at(lambda neuron: neuron.width, NEURON, jnp.full_like(NEURON.width, 2e-4))
DT, STEPS = 4e-5, 750
# Compiled once for all networks of equal shapes.
run = eqx.filter_jit(Network.run)


def layer(weight: np.ndarray) -> DpiLayer:
    return DpiLayer(SYNAPSE, NEURON, jnp.asarray(weight))


def events(rates: list[float]) -> jax.Array:
    trains = [duty(np.arange(1e-3, STEPS * DT, 1 / rate), 2e-4, DT, STEPS) for rate in rates]
    return jnp.asarray(np.stack(trains, axis=-1))


def test_more_weight_gives_more_spikes_and_a_negative_one_fewer() -> None:
    weight = np.array([[1.2e-9, 2.4e-9, 2.4e-9], [0.0, 0.0, -1.8e-9]])
    (out,) = run(Network((layer(weight),), (False,)), events([400.0, 400.0]), DT)
    few, more, less = np.asarray(out["spike"].sum(axis=0))
    assert 0 < few < more
    assert less < more


def test_a_batch_is_its_samples_one_by_one() -> None:
    net = Network((layer(np.full((2, 3), 1.5e-9)), layer(np.full((3, 2), 1e-9))), (False, False))
    drive = jnp.stack([events([200.0, 400.0]), events([500.0, 100.0])], axis=1)
    together = run(net, drive, DT)[-1]["v_mem"]
    alone = [run(net, drive[:, k], DT)[-1]["v_mem"] for k in range(2)]
    assert together == pytest.approx(np.stack(alone, axis=1), abs=1e-9)
    assert together.max() > 0.1


def test_a_recurrent_layer_hears_itself() -> None:
    own = np.array([[2e-9, 0.0], [0.0, 2e-9], [0.0, 0.0]])
    loop = run(Network((layer(own),), (True,)), events([400.0]), DT)[0]
    still = run(Network((layer(own * [[1], [0], [0]]),), (True,)), events([400.0]), DT)[0]
    # The first unit is driven from outside and drives the second.
    assert np.array_equal(loop["spike"][:, 0], still["spike"][:, 0])
    assert loop["v_mem"][:, 1].max() > still["v_mem"][:, 1].max() + 0.01


def test_weights_are_trained_through_the_circuit_s_equations() -> None:
    """From silence to a wanted number of spikes, by the surrogate's gradient alone."""
    drive, wanted = events([300.0, 300.0]), 8.0

    def loss(weight: jax.Array) -> jax.Array:
        net = Network((layer(weight * 1e-9),), (False,))
        return (net.run(drive, DT)[0]["spike"].sum() - wanted) ** 2

    both = jax.jit(jax.value_and_grad(loss))
    weight = jnp.full((2, 1), 0.35)
    found = []
    for _ in range(13):
        value, g = both(weight)
        found.append(float(value))
        assert np.isfinite(g).all()
        weight = weight - 0.1 * g / (jnp.abs(g).max() + 1e-12)
    assert found[0] >= 36
    assert min(found) <= 1


def test_layers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(
        DataError, match=r"layer 1 takes 4 inputs from outside; layer 0 has 3 units"
    ):
        Network((layer(np.zeros((2, 3))), layer(np.zeros((4, 2)))), (False, False))
    with pytest.raises(DataError, match="No input is left"):
        Network((layer(np.zeros((2, 3))),), (True,))
    with pytest.raises(DataError, match="give one each"):
        Network((layer(np.zeros((2, 3))),), ())
    with pytest.raises(DataError, match=r"weights of shape \(3,\)"):
        layer(np.zeros(3))
    with pytest.raises(DataError, match="DpiSynapse takes no current i_in"):
        DpiLayer(SYNAPSE, SYNAPSE, jnp.zeros((2, 2)))


def test_all_of_it_works_in_floats_of_32_bits() -> None:
    net = Network((layer(np.full((2, 3), 1.5e-9)),), (False,))
    small = jax.tree.map(lambda a: a.astype(jnp.float32) if eqx.is_inexact_array(a) else a, net)
    (out,) = run(small, events([300.0, 500.0]).astype(jnp.float32), DT)
    (same,) = run(net, events([300.0, 500.0]), DT)
    assert all(each.dtype == jnp.float32 for each in out.values())
    times = [
        np.sort(np.asarray(DT * np.arange(STEPS)[:, None] + each["delay"])[each["spike"] > 0])
        for each in (out, same)
    ]
    assert times[0].size > 10
    # 2 mV of a membrane that rises by 400 V/s.
    assert times[0] == pytest.approx(times[1], abs=5e-6)
    # At the edge of a step the same spike may fall on either side.
    quiet = np.asarray((out["spike"] + same["spike"]) == 0)
    wanted = np.asarray(same["v_mem"])[quiet]
    assert np.asarray(out["v_mem"])[quiet] == pytest.approx(wanted, abs=2e-3)
