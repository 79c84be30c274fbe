"""The DPI synapse as a tier: its nonlinear law, with a pair of its own slope and a leak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from spicesnn.tiers.tier import Signals, Spec, Tier


class SynapseState(NamedTuple):
    """Of a DPI synapse.

    Attributes:
        v: of C_syn from its rail, volts.
        inverse: of the pair's current, 1/ampere.
        logarithm: of the pair's current in amperes.
        line: what of it the gain's line has settled to.
    """

    v: jax.Array
    inverse: jax.Array
    logarithm: jax.Array
    line: jax.Array


class DpiSynapse(Tier):
    """A differential-pair integrator, excitatory or inhibitory.

    Law, with v the voltage of C_syn from its rail and I the current of D2:

    `C dv/dt = I/(1 + e^(a (v - v_gain))) - I_tau (1 + v/v_early) (1 - e^(-v/u_sat))`,
    `I_out = I_0 e^(v/U_read)`.

    In weak inversion, with `a = 1/U_read` and far above the rail, it is the published
    `tau (1 + I_gain/I_out) dI_out/dt + I_out = I_gain (I/I_tau - 1)` with
    `I_gain = I_0 e^(v_gain/U_read)` and `tau = C U_read/I_tau`.

    A step is exact for a constant share of the pair; the share is that of the middle of the step.

    Source: Bartolozzi & Indiveri 2007; Chicca et al. 2014. What is beyond their law: the
    pair's node keeps a charge `q_pair` a factor e of its current, so that it gives on an event's
    tail (a log-domain filter); the gain's line moves with that node and comes back; and the pair's
    larger current needs more voltage, in the first order of the EKV law (Enz, Krummenacher &
    Vittoz 1995).
    """

    PARAMETERS: ClassVar[Mapping[str, Spec]] = {
        "u_sat": Spec("V", "in which the leak saturates; ideally U_T", 0.01, 0.1),
        "c": Spec("F", "capacitor with what hangs on it", 0.0),
        "i_tau": Spec("A", "leak", 0.0),
        "v_early": Spec("V", "of the leak's transistor", 0.5, 1e4),
        "q_event": Spec("C", "charge that an event adds to the drive's", -1e-13, 1e-13),
        "q_pair": Spec(
            "C", "charge of the pair's node for a factor e of its current", 1e-18, 1e-13
        ),
        "i_off": Spec("A", "that flows into the pair at rest", 1e-18, 1e-12),
        "v_couple": Spec(
            "V", "that the gain's line moves for a factor e of the pair's current", 0, 0.01
        ),
        "tau_line": Spec("s", "in which the gain's line comes back", 1e-5, 1.0),
        "a": Spec("1/V", "slope of the pair's share", 1.0, 100.0),
        "v_gain": Spec("V", "where the pair shares by halves", 0.0, 5.0),
        "i_pair": Spec("A", "of the pair, where its weak inversion ends", 0.0),
        "i_0": Spec("A", "output at v = 0 by the law of weak inversion", 0.0),
        "u_read": Spec("V", "output's voltage of a factor e", 0.01, 0.2),
    }
    INPUTS: ClassVar[Mapping[str, Spec]] = {
        "drive": Spec("A", "sum over pulses of weight times the part of the step that they fill"),
        "events": Spec("1", "pulses that start in the step"),
    }
    OUTPUTS: ClassVar[Mapping[str, Spec]] = {
        "i_out": Spec("A", "output current at the step's end"),
        "v_syn": Spec("V", "voltage of C_syn from its rail at the step's end"),
    }

    u_sat: jax.Array
    c: jax.Array
    i_tau: jax.Array
    v_early: jax.Array
    q_event: jax.Array
    q_pair: jax.Array
    i_off: jax.Array
    v_couple: jax.Array
    tau_line: jax.Array
    a: jax.Array
    v_gain: jax.Array
    i_pair: jax.Array
    i_0: jax.Array
    u_read: jax.Array

    def start(self, shape: tuple[int, ...] = (), dtype: Any = float) -> SynapseState:
        """C_syn empty, the pair's node and the gain's line at rest."""
        rest = jnp.broadcast_to(-jnp.log(self.i_off), shape).astype(dtype)
        return SynapseState(jnp.zeros(shape, dtype), jnp.exp(rest), -rest, -rest)

    def step(self, state: SynapseState, inputs: Signals, dt: float) -> tuple[SynapseState, Signals]:
        """See the class; `events` may be left out where `q_event` does not matter."""
        current = inputs["drive"] + self.i_off
        if "events" in inputs:
            current = current + self.q_event / dt * inputs["events"]
        current = jnp.maximum(current, self.i_off)
        inverse = relaxed(current, state.inverse, self.q_pair, dt)
        logarithm = -jnp.log(inverse)
        passed = current - self.q_pair / dt * (logarithm - state.logarithm)
        line = state.line + (logarithm - state.line) * (1 - jnp.exp(-dt / self.tau_line))
        moved = self.v_couple * (logarithm - line)
        bend = jnp.sqrt(current / self.i_pair)
        # Volts a step for an ampere.
        scale = dt / self.c
        pair = self.v_gain + moved, bend
        v = integrate(self, state.v, pair, passed * scale, self.i_tau * scale)
        return SynapseState(v, inverse, logarithm, line), {"i_out": self.read(v), "v_syn": v}

    def read(self, v: jax.Array) -> jax.Array:
        """The output current, amperes, at a voltage of C_syn from its rail."""
        return self.i_0 * jnp.exp(v / self.u_read)


def relaxed(current: jax.Array, inverse: jax.Array, charge: jax.Array, dt: float) -> jax.Array:
    """A node that a transistor in weak inversion feeds: a log-domain filter.

    `q dp/dt = p (I - p)`, `q = C U_T/kappa` of the node: 1/p obeys a linear equation. The mean of
    p over the step is `I - q/dt ln(p_end/p_start)`.

    Args:
        current: I, constant over the step, amperes, above 0.
        inverse: 1/p at the step's start, 1/ampere.
        charge: q, coulombs.
        dt: the step, seconds.

    Returns:
        1/p at the step's end.
    """
    left = jnp.exp(-current * (dt / charge))
    return inverse * left + (1 - left) / current


def integrate(
    law: DpiSynapse,
    v: jax.Array,
    pair: tuple[jax.Array, jax.Array],
    rise: jax.Array,
    fall: jax.Array,
) -> jax.Array:
    """A step of a differential-pair integrator.

    Args:
        law: its other parameters.
        v: across the capacitor, volts.
        pair: where it shares by halves, volts, and the root of its inversion coefficient.
        rise: what the whole input current would add in the step, volts.
        fall: what the saturated leak takes away, volts.

    Returns:
        Volts at the step's end.
    """
    v_gain, bend = pair
    part = jax.nn.sigmoid(law.a * (v_gain - v))
    # To the middle of the step by the linearly implicit Euler method: stable for any input.
    slope = law.a * rise * part * (1 - part)
    middle = v + 0.5 * (rise * part - fall) / (1 + 0.5 * slope)
    # Above weak inversion the larger current needs more voltage.
    part = jax.nn.sigmoid(law.a * (v_gain - middle) + bend * (1 - 2 * part))
    # The pair's node follows v where the diode has the current.
    less = 1 / (1 + law.q_pair * law.a / law.c * part)
    rising = rise * part * less
    sinking = fall * (1 + middle / law.v_early) * less
    return settled(v, rising, sinking, law.u_sat)


def settled(v: jax.Array, rise: jax.Array, fall: jax.Array, u_sat: jax.Array) -> jax.Array:
    """A step of a capacitor under constant currents, exact: `e^(v/u_sat)` obeys a linear equation.

    Args:
        v: across the capacitor, volts.
        rise: what flows in would add in the step, volts.
        fall: what the sinking transistor takes away where it is saturated, volts.
        u_sat: the voltage in which it saturates, `1 - e^(-v/u_sat)`.

    Returns:
        Volts at the step's end.
    """
    z = (rise - fall) / u_sat
    growth = jnp.exp(jnp.minimum(z, _LARGEST_GROWTH))
    small = jnp.abs(z) < _SMALL
    mean = jnp.where(small, 1 + z / 2, (growth - 1) / jnp.where(small, 1.0, z))
    return v + u_sat * jnp.log(growth + fall / u_sat * mean * jnp.exp(-v / u_sat))


# Our choice: e^40 and its square root are within floats of 32 bits.
_LARGEST_GROWTH = 40.0
_SMALL = 1e-3
