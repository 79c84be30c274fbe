"""The bump-antibump circuit: static, how near two voltages are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from spicesnn.tiers.tier import Signals, Spec, State, Tier

# Beyond this many slopes the bump is under 1e-17 of its tail: keeps the exponentials finite.
_FAR = 20.0


class Bump(Tier):
    """A tail current shared out by the difference of two voltages.

    `i_bump = I/(1 + (4/s) cosh^2(x))`, `i_antibump = loss I (4/s) cosh^2(x)/(1 + (4/s) cosh^2(x))`,
    `x = (v_diff - v_offset)/v_slope`, `I = gain i_bias (i_bias/1 nA)^bend`. In weak inversion
    `v_slope = 2 U_T/kappa` and s is the ratio of middle to outer transistors. Source: Delbruck
    1991. Gain, bend and loss are the tail mirror's and the drains' errors: our choice.

    Static: there is no state, and an output is the mean over a step as far as its input is
    constant in it. For the level of `Box` see `edges`.
    """

    PARAMETERS: ClassVar[Mapping[str, Spec]] = {
        "gain": Spec("1", "tail over bias current, at 1 nA", 0.0),
        "bend": Spec("1", "exponent by which the gain moves with the bias", -0.5, 0.5),
        "s": Spec("1", "middle over outer transistors, as they act", 0.0),
        "v_slope": Spec("V", "difference by which the shares turn, 2 U_T/kappa", 0.0),
        "v_offset": Spec("V", "difference at the centre", -0.1, 0.1),
        "loss": Spec("1", "antibump current over what the bump leaves", 0.5, 2.0),
    }
    INPUTS: ClassVar[Mapping[str, Spec]] = {
        "v_diff": Spec("V", "first less second voltage"),
        "i_bias": Spec("A", "current into the tail's mirror"),
    }
    OUTPUTS: ClassVar[Mapping[str, Spec]] = {
        "i_bump": Spec("A", "current of the middle"),
        "i_antibump": Spec("A", "current of both outer branches"),
    }

    gain: jax.Array
    bend: jax.Array
    s: jax.Array
    v_slope: jax.Array
    v_offset: jax.Array
    loss: jax.Array

    def start(self, shape: tuple[int, ...] = (), dtype: Any = float) -> State:
        """None."""
        return ()

    def step(self, state: State, inputs: Signals, dt: float) -> tuple[State, Signals]:
        """The law at the step's mean inputs."""
        tail = self.tail(inputs["i_bias"])
        x = jnp.clip((inputs["v_diff"] - self.v_offset) / self.v_slope, -_FAR, _FAR)
        # cosh^2 x = (1 + cosh 2x)/2: one exponential.
        grown = jnp.exp(2 * x)
        outer = (2 + grown + 1 / grown) / self.s
        bump = tail / (1 + outer)
        return (), {"i_bump": bump, "i_antibump": self.loss * outer * bump}

    def tail(self, i_bias: jax.Array) -> jax.Array:
        """Tail current by bias current, amperes; 0 without bias."""
        nano = jnp.maximum(i_bias / 1e-9, 1e-6)
        return self.gain * i_bias * jnp.exp(self.bend * jnp.log(nano))

    def edges(self, i_bias: jax.Array, i_threshold: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The differences between which the bump exceeds a threshold.

        `v_offset -+ v_slope arccosh sqrt((s/4)(I/i_threshold - 1))`; both are the centre where the
        threshold is above the bump's top.

        Args:
            i_bias: amperes.
            i_threshold: amperes, of the shape of `i_bias` or broadcast with it.

        Returns:
            The lower and the upper edge, volts.
        """
        square = self.s / 4 * (self.tail(i_bias) / i_threshold - 1)
        inside = square > 1
        root = jnp.sqrt(jnp.where(inside, square, 2.0))
        half = jnp.where(inside, self.v_slope * jnp.arccosh(root), 0.0)
        return self.v_offset - half, self.v_offset + half
