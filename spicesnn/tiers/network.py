"""Layers of tiers and networks of layers: feed-forward and recurrent, differentiable."""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from spicesnn.errors import DataError
from spicesnn.tiers.column import Unit
from spicesnn.tiers.tier import Signals, State, Tier


class DpiLayerState(NamedTuple):
    """Of the synapses, the neurons, the neurons' inputs, and which input pulses are on."""

    plus: State
    minus: State
    neuron: State
    i_in: jax.Array
    on: jax.Array


class DpiLayer(eqx.Module):
    """Neurons with one excitatory and one inhibitory DPI synapse each, shared by all inputs.

    The branches of all inputs meet at a synapse's pair, so their weight currents add up there, as
    they do in the circuit: a positive weight drives the excitatory synapse, a negative one the
    inhibitory. What reaches the neuron is the difference, not below zero, as behind the
    classifier's subtractor.

    Attributes:
        synapse: of both signs; the inhibitory one is taken as the complement's equal.
        neuron: any tier with the input `i_in`.
        weight: currents, amperes, shape (inputs, units).
    """

    synapse: Tier
    neuron: Tier
    weight: jax.Array

    def __check_init__(self) -> None:
        """Refuse what does not fit together.

        Raises:
            DataError: weights of another shape, or a neuron that takes no current.
        """
        if self.weight.ndim != 2:
            raise DataError(
                f"weights of shape {self.weight.shape} are not those of a layer: give (inputs, "
                "units), in amperes."
            )
        if "i_in" not in self.neuron.INPUTS:
            raise DataError(f"{type(self.neuron).__name__} takes no current i_in.")

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return int(self.weight.shape[0])

    @property
    def units(self) -> int:
        """Number of units."""
        return int(self.weight.shape[1])

    def start(self, shape: tuple[int, ...] = (), dtype: Any = float) -> DpiLayerState:
        """All at rest; `shape` is that of the batch."""
        own = (*shape, self.units)
        return DpiLayerState(
            self.synapse.start(own, dtype),
            self.synapse.start(own, dtype),
            self.neuron.start(own, dtype),
            jnp.zeros(own, dtype),
            jnp.zeros((*shape, self.inputs), dtype),
        )

    def step(
        self, state: DpiLayerState, inputs: Signals, dt: float
    ) -> tuple[DpiLayerState, Signals]:
        """From the start of a time step to its end.

        Args:
            state: at the start.
            inputs: `event`: the part of the step that input pulses fill, shape (..., inputs).
            dt: the step, seconds.
        """
        event = inputs["event"]
        begun = ((event > 0) & (state.on == 0)).astype(event.dtype)
        sides, moved = [], []
        for sign, before in ((1.0, state.plus), (-1.0, state.minus)):
            weight = jnp.maximum(sign * self.weight, 0.0)
            connected = (weight > 0).astype(event.dtype)
            drive = {"drive": event @ weight, "events": begun @ connected}
            after, out = self.synapse.step(before, drive, dt)
            moved.append(after)
            sides.append(out["i_out"])
        current = jnp.maximum(sides[0] - sides[1], 0.0)
        mean = 0.5 * (state.i_in + current)
        neuron, spikes = self.neuron.step(state.neuron, {"i_in": mean}, dt)
        on = (event > 0).astype(event.dtype)
        after_all = DpiLayerState(moved[0], moved[1], neuron, current, on)
        return after_all, {"i_in": current, **spikes}


Layer = DpiLayer | Unit


class Network(eqx.Module):
    """Layers one behind the other; a recurrent one hears its own pulses of the step before.

    A layer's output pulses are the next one's input pulses, in the same step, for as long as they
    last in the circuit. A recurrent layer's last inputs are its own units.

    Attributes:
        layers: from input to output.
        recurrent: whether each hears itself.
    """

    layers: tuple[Layer, ...]
    recurrent: tuple[bool, ...] = eqx.field(static=True)

    def __check_init__(self) -> None:
        """Refuse layers that do not fit each other.

        Raises:
            DataError: numbers of units and inputs do not agree.
        """
        if not self.layers or len(self.layers) != len(self.recurrent):
            raise DataError(
                f"{len(self.layers)} layers and {len(self.recurrent)} answers to whether they are "
                "recurrent: give one each, and one layer at least."
            )
        before = 0
        for k, (layer, loops) in enumerate(zip(self.layers, self.recurrent, strict=True)):
            inputs, units = sizes(layer)
            wanted = inputs - units * loops
            if wanted < 1 or (k and before != wanted):
                raise DataError(
                    f"layer {k} takes {wanted} inputs from outside"
                    + (f" besides its own {units} units" if loops else "")
                    + f"; layer {k - 1} has {before} units." * bool(k)
                    + " No input is left." * (wanted < 1)
                )
            before = units

    def run(self, event: jax.Array, dt: float) -> tuple[Signals, ...]:
        """All steps from rest.

        Args:
            event: the part of each step that input pulses fill, shape (steps, ..., inputs).
            dt: the step, seconds.

        Returns:
            Of each layer its outputs by name, shape (steps, ..., units).
        """
        batch, dtype = event.shape[1:-1], event.dtype
        states = tuple(layer.start(batch, dtype) for layer in self.layers)
        heard = tuple(jnp.zeros((*batch, sizes(layer)[1]), dtype) for layer in self.layers)

        def step(now: Any, given: jax.Array) -> tuple[Any, tuple[Signals, ...]]:
            states, heard = now
            after, outputs = [], []
            for layer, loops, state, own in zip(
                self.layers, self.recurrent, states, heard, strict=True
            ):
                into = jnp.concatenate([given, own], axis=-1) if loops else given
                moved, out = layer.step(state, {"event": into}, dt)
                after.append(moved)
                outputs.append(out)
                given = out["pulse"]
            return (tuple(after), tuple(out["pulse"] for out in outputs)), tuple(outputs)

        return jax.lax.scan(step, (states, heard), event)[1]


def sizes(layer: Layer) -> tuple[int, int]:
    """Inputs and units of a layer."""
    if isinstance(layer, Unit):
        return int(layer.conductance.shape[1]), int(layer.conductance.shape[2])
    return layer.inputs, layer.units
