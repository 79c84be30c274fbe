"""Layers of LIF units one behind the other, and their training on spike counts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError, ParameterError
from spicesnn.parameters import Parameters, parameter
from spicesnn.tiers.lif_layer import LifLayer

Array = npt.NDArray[Any]


class LifNetwork(eqx.Module):
    """Dense LIF layers, feed-forward; the class is the output that spikes most.

    A spike of one layer reaches the next within the same step.

    Attributes:
        layers: from input to output.
        dt: the step, seconds: what a step stands for outside, as in NIR.
    """

    layers: tuple[LifLayer, ...]
    dt: float = eqx.field(static=True, default=1e-4)

    @classmethod
    def of(cls, layers: Sequence[LifLayer], dt: float = 1e-4) -> Self:
        """A checked network.

        Raises:
            DataError: there are no layers, or two of them do not fit.
            ParameterError: the step is not over 0.
        """
        if not layers:
            raise DataError("a network has at least one layer: give it.")
        for k, (one, other) in enumerate(itertools.pairwise(layers)):
            if one.units != other.inputs:
                raise DataError(
                    f"layer {k} has {one.units} units; layer {k + 1} has {other.inputs} inputs: "
                    "make them equal."
                )
        if not (dt > 0 and np.isfinite(dt)):
            raise ParameterError(f"the step is {dt} s: it must be over 0.")
        return cls(tuple(layers), float(dt))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs, then the units of each layer."""
        return (self.layers[0].inputs, *(layer.units for layer in self.layers))

    def __call__(self, inputs: jax.Array) -> jax.Array:
        """Output spikes, shape (steps, ..., units).

        Args:
            inputs: shape (steps, ..., inputs).
        """
        return self.spikes(inputs)[-1]

    def spikes(self, inputs: jax.Array) -> list[jax.Array]:
        """Of every layer, shape (steps, ..., units) each."""
        found = []
        for layer in self.layers:
            inputs = layer(inputs)
            found.append(inputs)
        return found

    def counts(self, inputs: jax.Array) -> jax.Array:
        """Output spikes of a run, shape (..., units)."""
        return self(inputs).sum(axis=0)

    def decide(self, inputs: jax.Array) -> Array:
        """The class of each sample, shape (...): most spikes, of equals the first."""
        return np.asarray(_counts(self, jnp.asarray(inputs)).argmax(axis=-1))


_counts = eqx.filter_jit(LifNetwork.counts)


class Training(Parameters):
    """How a network is trained: Adam on the cross entropy of the output's spike counts."""

    epochs: int = parameter(20, unit="1", doc="passes over the data", ge=1)
    batch: int = parameter(32, unit="1", doc="samples of a step", ge=1)
    rate: float = parameter(2e-3, unit="1", doc="step size of Adam", gt=0)
    seed: int = parameter(0, unit="1", doc="draws the order of the samples", ge=0)


def train(
    network: LifNetwork, inputs: npt.ArrayLike, labels: npt.ArrayLike, training: Training
) -> tuple[LifNetwork, list[float]]:
    """Weights and biases by gradient; `beta` and thresholds stay as they are.

    An epoch is one compiled loop over its batches; samples that do not fill the last one are left
    out of that epoch.

    Args:
        network: where to start.
        inputs: shape (steps, samples, inputs).
        labels: classes from 0, shape (samples,).
        training: how.

    Returns:
        The trained network, and the mean loss of each epoch.

    Raises:
        DataError: inputs and labels do not fit the network, or are fewer than a batch.
    """
    import optax

    given, wanted = np.asarray(inputs), np.asarray(labels)
    classes = network.layers[-1].units
    if given.ndim != 3 or wanted.shape != given.shape[1:2]:
        raise DataError(
            f"inputs of shape {given.shape} and labels of shape {wanted.shape} do not match: give "
            "(steps, samples, inputs) and (samples,)."
        )
    if wanted.min() < 0 or wanted.max() >= classes:
        raise DataError(
            f"labels reach from {wanted.min()} to {wanted.max()}; the network has {classes} "
            f"outputs: give 0 to {classes - 1}."
        )
    batches = wanted.size // training.batch
    if not batches:
        raise DataError(f"{wanted.size} samples do not fill a batch of {training.batch}.")
    learned = jax.tree.map(lambda _: False, network)
    learned = eqx.tree_at(
        lambda n: [p for layer in n.layers for p in (layer.weight, layer.bias) if p is not None],
        learned,
        replace_fn=lambda _: True,
    )
    parameters, fixed = eqx.partition(network, learned)
    optimiser = optax.adam(training.rate)
    x, y = jnp.asarray(given, network.layers[0].weight.dtype), jnp.asarray(wanted)

    def loss(parameters: LifNetwork, chosen: jax.Array) -> jax.Array:
        counts = eqx.combine(parameters, fixed).counts(x[:, chosen])
        of_each: jax.Array = optax.softmax_cross_entropy_with_integer_labels(counts, y[chosen])
        return of_each.mean()

    @jax.jit
    def epoch(carried: Any, order: jax.Array) -> tuple[Any, jax.Array]:
        def step(carried: Any, chosen: jax.Array) -> tuple[Any, jax.Array]:
            parameters, state = carried
            value, slope = jax.value_and_grad(loss)(parameters, chosen)
            updates, state = optimiser.update(slope, state)
            return (optax.apply_updates(parameters, updates), state), value

        carried, values = jax.lax.scan(step, carried, order)
        return carried, values.mean()

    carried, history = (parameters, optimiser.init(parameters)), []
    rng = np.random.default_rng(training.seed)
    for _ in range(training.epochs):
        order = rng.permutation(wanted.size)[: batches * training.batch]
        carried, value = epoch(carried, jnp.asarray(order.reshape(batches, -1)))
        history.append(float(value))
    return eqx.combine(carried[0], fixed), history
