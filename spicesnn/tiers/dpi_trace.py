"""The two-stage DPI trace as a tier: events become the gate voltage of a column's tails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from spicesnn.tiers.dpi_synapse import settled
from spicesnn.tiers.tier import Signals, Spec, Tier


class TraceState(NamedTuple):
    """Of a two-stage trace.

    Attributes:
        v_q: of C_q from the supply, volts.
        v_p: of C_p from ground, volts.
        i_q: what Q gives to P, amperes.
    """

    v_q: jax.Array
    v_p: jax.Array
    i_q: jax.Array


class DpiTrace(Tier):
    """Events into Q, Q's current into P, P's voltage to the gates of the tails.

    Law, with v_q from the supply and v_p from ground:

    `c_q dv_q/dt = I_w/(1 + e^(a_q (v_q - v_gain_q))) - I_tau_q (1 - e^(-v_q/u_sat_q))`,
    `c_p dv_p/dt = I_q/(1 + e^(a_p (v_p - v_gain_p))) - I_tau_p (1 - e^(-v_p/u_sat_p))`,
    both leaks with their `1 + v/v_early`, both currents read with the curvature of moderate
    inversion, as the DPI synapse's.

    An event's current is thousands of times the leak, so its step is exact by itself:
    `x + ln x`, `x = e^(a_q (v_q - v_gain_q))`, rises evenly. The leaks' steps are exact for
    constant currents; P's share of its input is that of the middle of the step.

    Source: Bartolozzi & Indiveri 2007; Chicca et al. 2014.
    """

    PARAMETERS: ClassVar[Mapping[str, Spec]] = {
        "c_q": Spec("F", "capacitor of Q", 0.0),
        "i_weight": Spec("A", "input while an event lasts", 0.0),
        "a_q": Spec("1/V", "slope of Q's share", 1.0, 100.0),
        "v_gain_q": Spec("V", "where Q's pair shares by halves", -1.0, 5.0),
        "i_tau_q": Spec("A", "leak of Q", 0.0),
        "u_sat_q": Spec("V", "in which Q's leak saturates; ideally U_T", 0.01, 0.1),
        "v_early_q": Spec("V", "of Q's leak", 0.5, 1e4),
        "i_0_q": Spec("A", "I_q at v_q = 0 by the law of weak inversion", 0.0),
        "u_read_q": Spec("V", "I_q's voltage of a factor e", 0.01, 0.2),
        "i_curve_q": Spec("A", "I_q where weak inversion ends", 0.0),
        "c_p": Spec("F", "capacitor of P", 0.0),
        "a_p": Spec("1/V", "slope of P's share", 1.0, 100.0),
        "v_gain_p": Spec("V", "where P's pair shares by halves", -1.0, 5.0),
        "i_pair_p": Spec("A", "of P's pair, where its weak inversion ends", 0.0),
        "i_tau_p": Spec("A", "leak of P", 0.0),
        "u_sat_p": Spec("V", "in which P's leak saturates; ideally U_T", 0.01, 0.1),
        "v_early_p": Spec("V", "of P's leak", 0.5, 1e4),
        "i_0_p": Spec("A", "I_p at v_p = 0 by the law of weak inversion", 0.0),
        "u_read_p": Spec("V", "I_p's voltage of a factor e", 0.01, 0.2),
        "i_curve_p": Spec("A", "I_p where weak inversion ends", 0.0),
    }
    INPUTS: ClassVar[Mapping[str, Spec]] = {
        "event": Spec("1", "the part of the step that input pulses fill"),
    }
    OUTPUTS: ClassVar[Mapping[str, Spec]] = {
        "v_q": Spec("V", "voltage of C_q from the supply at the step's end"),
        "v_p": Spec("V", "gate of the tails at the step's end"),
        "i_p": Spec("A", "current of a tail at the step's end"),
    }

    c_q: jax.Array
    i_weight: jax.Array
    a_q: jax.Array
    v_gain_q: jax.Array
    i_tau_q: jax.Array
    u_sat_q: jax.Array
    v_early_q: jax.Array
    i_0_q: jax.Array
    u_read_q: jax.Array
    i_curve_q: jax.Array
    c_p: jax.Array
    a_p: jax.Array
    v_gain_p: jax.Array
    i_pair_p: jax.Array
    i_tau_p: jax.Array
    u_sat_p: jax.Array
    v_early_p: jax.Array
    i_0_p: jax.Array
    u_read_p: jax.Array
    i_curve_p: jax.Array

    def start(self, shape: tuple[int, ...] = (), dtype: Any = float) -> TraceState:
        """Both capacitors empty."""
        zero = jnp.zeros(shape, dtype)
        return TraceState(zero, zero, self._q(zero).astype(dtype))

    def step(self, state: TraceState, inputs: Signals, dt: float) -> tuple[TraceState, Signals]:
        """See the class."""
        charged = self.a_q * (state.v_q - self.v_gain_q)
        rise = self.a_q * self.i_weight * inputs["event"] * (dt / self.c_q)
        v_q = state.v_q + (shared(charged, rise) - charged) / self.a_q
        v_q = _leaked(v_q, self.i_tau_q * (dt / self.c_q), self.v_early_q, self.u_sat_q)
        i_q = self._q(v_q)
        # Q changes within the step; what P gets is the mean.
        into = 0.5 * (state.i_q + i_q)
        scale = dt / self.c_p
        fall = self.i_tau_p * scale
        bend = jnp.sqrt(into / self.i_pair_p)
        part = jax.nn.sigmoid(self.a_p * (self.v_gain_p - state.v_p) + bend)
        slope = self.a_p * into * scale * part * (1 - part)
        middle = state.v_p + 0.5 * (into * scale * part - fall) / (1 + 0.5 * slope)
        part = jax.nn.sigmoid(self.a_p * (self.v_gain_p - middle) + bend * (1 - 2 * part))
        fall = fall * (1 + middle / self.v_early_p)
        v_p = settled(state.v_p, into * scale * part, fall, self.u_sat_p)
        return TraceState(v_q, v_p, i_q), {"v_q": v_q, "v_p": v_p, "i_p": self.tail(v_p)}

    def tail(self, v_p: jax.Array) -> jax.Array:
        """The current of a normaliser's tail, amperes, at its gate's voltage."""
        return read(v_p, self.i_0_p, self.u_read_p, self.i_curve_p)

    def _q(self, v_q: jax.Array) -> jax.Array:
        return read(v_q, self.i_0_q, self.u_read_q, self.i_curve_q)


def read(v: jax.Array, i_0: jax.Array, u: jax.Array, i_curve: jax.Array) -> jax.Array:
    """A transistor's saturated current by the EKV law, `i_curve ln^2(1 + e^(v/2u) root)`.

    Args:
        v: gate voltage, volts.
        i_0: in weak inversion at 0 V, amperes.
        u: voltage of a factor e in weak inversion, volts.
        i_curve: specific current, amperes.

    Source: Enz, Krummenacher & Vittoz 1995.
    """
    root = jnp.log1p(jnp.sqrt(i_0 / i_curve) * jnp.exp(v / (2 * u)))
    return i_curve * root * root


def shared(charged: jax.Array, rise: jax.Array) -> jax.Array:
    """The u at which `e^u + u` has risen by an amount: a pair's share under constant input.

    Args:
        charged: u at the start.
        rise: 0 or more.
    """
    goal = jnp.exp(jnp.minimum(charged, _LARGEST)) + charged + rise
    return jnp.where(rise > 0, log_omega(goal), charged)


def log_omega(goal: jax.Array) -> jax.Array:
    """The u at which `e^u + u` is a value: ln of Wright's omega function, within 1e-9."""
    # Where e^u is small u is the goal, where it is large the goal's logarithm: exact at 1.
    large = jnp.log(jnp.maximum(goal, 1.0))
    u = jnp.where(goal > 1, large, jnp.where(goal > _LOW, 0.5 * (goal - 1), goal))
    for _ in range(2):
        x = jnp.exp(u)
        gap = goal - x - u
        # Halley's method.
        u = u + gap * (1 + x) / ((1 + x) ** 2 + 0.5 * x * gap)
    return u


def _leaked(v: jax.Array, fall: jax.Array, v_early: jax.Array, u_sat: jax.Array) -> jax.Array:
    return settled(v, jnp.zeros_like(v), fall * (1 + v / v_early), u_sat)


# Our choice: e^40 is within floats of 32 bits; from -1.5 on the guess by a line is the better one.
_LARGEST, _LOW = 40.0, -1.5
