"""The normaliser as a tier: a trace's current shared out by two conductances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from spicesnn.tiers.dpi_trace import log_omega, read
from spicesnn.tiers.tier import Signals, Spec, Tier

PARAMETERS: Mapping[str, Spec] = {
    "v_rail": Spec("V", "across a device and its diode", 0.0, 5.0),
    "i_0_diode": Spec("A", "of a read diode at 0 V by the law of weak inversion", 0.0),
    "u_diode": Spec("V", "of a read diode for a factor e", 0.01, 0.2),
    "power": Spec("1", "of the ratio of currents in the pair", 0.5, 2.0),
    "i_0_tail": Spec("A", "of a tail at v_p = 0 by the law of weak inversion", 0.0),
    "u_tail": Spec("V", "of a tail for a factor e", 0.01, 0.2),
    "i_curve_tail": Spec("A", "of a tail, where weak inversion ends", 0.0),
}
"""Of a normaliser, and of the columns that are made of them."""


class Normaliser(Tier):
    """Static law: a tail's current, shared by the currents of two devices through their diodes.

    `I_plus = I_P/(1 + (I-/I+)^power)`, each device's current from
    `I = G (v_rail - u_diode ln(I/i_0_diode))`, by Wright's omega function. I_P is the EKV law of
    v_p. Exact gradients in the conductances.

    Source: Nair, Muller & Indiveri, arXiv 1709.05484; the power is for the pair's own slope.
    """

    PARAMETERS: ClassVar[Mapping[str, Spec]] = PARAMETERS
    INPUTS: ClassVar[Mapping[str, Spec]] = {
        "v_p": Spec("V", "gate of the tail"),
        "g_plus": Spec("S", "conductance of the device of the plus side, above 0"),
        "g_minus": Spec("S", "conductance of the device of the minus side, above 0"),
    }
    OUTPUTS: ClassVar[Mapping[str, Spec]] = {
        "i_plus": Spec("A", "into the plus sum"),
        "i_minus": Spec("A", "into the minus sum"),
    }

    v_rail: jax.Array
    i_0_diode: jax.Array
    u_diode: jax.Array
    power: jax.Array
    i_0_tail: jax.Array
    u_tail: jax.Array
    i_curve_tail: jax.Array

    def start(self, shape: tuple[int, ...] = (), dtype: Any = float) -> tuple[()]:
        """It has no state."""
        return ()

    def step(self, state: tuple[()], inputs: Signals, dt: float) -> tuple[tuple[()], Signals]:
        """See the class."""
        tail = self.tail(inputs["v_p"])
        plus = tail * self.share(inputs["g_plus"], inputs["g_minus"])
        return (), {"i_plus": plus, "i_minus": tail - plus}

    def tail(self, v_p: jax.Array) -> jax.Array:
        """Of a tail at its gate's voltage, amperes."""
        return read(v_p, self.i_0_tail, self.u_tail, self.i_curve_tail)

    def share(self, g_plus: jax.Array, g_minus: jax.Array) -> jax.Array:
        """The part of a tail's current that goes to the plus sum."""
        ratio = self._log_current(g_plus) - self._log_current(g_minus)
        return jax.nn.sigmoid(self.power * ratio)

    def log_currents(self, g_plus: jax.Array, g_minus: jax.Array) -> jax.Array:
        """The logarithm of both devices' currents together, over `i_0_diode`."""
        return jnp.logaddexp(self._log_current(g_plus), self._log_current(g_minus))

    def _log_current(self, conductance: jax.Array) -> jax.Array:
        """Of a device's current over `i_0_diode`: `x + ln x`, `x = I/(G u_diode)`, is known."""
        scaled = jnp.log(conductance / self.i_0_diode) + jnp.log(self.u_diode)
        return log_omega(self.v_rail / self.u_diode - scaled) + scaled
