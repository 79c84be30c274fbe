"""Closed-form steps of a membrane's voltage, its spikes and its reset, shared by the neurons.

A membrane obeys `C dv/dt = I - S (1 - e^(-v/U_T))`: I are the currents that do not depend on v,
S those of the transistors that sink into ground and lose their saturation near it. With
`y = e^(v/U_T)` this is linear in y, so a step of constant currents is exact for any length.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

# Bounds our choice: within them y, in floats of 32 bits, neither overflows nor reaches zero.
_LARGEST_GROWTH = 40.0
_SMALLEST_Y = 1e-6
_LARGEST_Y = 1e30


class Rise(NamedTuple):
    """The membrane over a step, as it would be without a spike.

    Attributes:
        begin: when the reset lets go, seconds from the step's start; 0 without reset.
        span: from there to the step's end, seconds.
        v: at `begin`, volts.
        y_end, v_end: at the step's end.
        level: at which the output spike starts, volts.
    """

    begin: jax.Array
    span: jax.Array
    v: jax.Array
    y_end: jax.Array
    v_end: jax.Array
    level: jax.Array

    def moment(self) -> jax.Array:
        """When the level is crossed, seconds from the step's start; its end where it is not."""
        return self.begin + self.span * crossing(self.v, self.v_end, self.level)

    def lateness(self, moment: jax.Array) -> jax.Array:
        """By how much the level is crossed later than at a moment in the step, seconds.

        From the straight line through the step's ends, also outside the step.
        """
        slope = (self.v_end - self.v) / jnp.maximum(self.span, 1e-12)
        there = self.v + slope * (moment - self.begin)
        return (self.level - there) / jnp.where(slope > 1.0, slope, 1.0)


def advance(
    y: jax.Array, current: jax.Array, sinking: jax.Array, scale: jax.Array | float
) -> jax.Array:
    """The end of a step of constant currents: `y e^z + S k phi(z)`, `z = (I - S) k`.

    Args:
        y: `e^(v/U_T)` at the start.
        current: I, amperes; those that do not depend on the voltage.
        sinking: S, amperes; those that saturate, without their saturation.
        scale: k = dt/(C U_T), 1/ampere.

    Returns:
        `e^(v/U_T)` at the end, of the common shape.
    """
    z = jnp.minimum((current - sinking) * scale, _LARGEST_GROWTH)
    # One function for both: e^z - 1.
    more = jnp.expm1(z)
    end = y * (1 + more) + sinking * scale * _over(more, z)
    return jnp.clip(end, _SMALLEST_Y, _LARGEST_Y)


def phi(z: jax.Array) -> jax.Array:
    """`(e^z - 1)/z`, 1 at zero."""
    return _over(jnp.expm1(z), z)


def _over(more: jax.Array, z: jax.Array) -> jax.Array:
    small = jnp.abs(z) < 1e-4
    return jnp.where(small, 1 + z / 2, more / jnp.where(small, 1.0, z))


def volts(y: jax.Array, u_t: jax.Array | float) -> jax.Array:
    """`v = U_T ln y`, volts."""
    return u_t * jnp.log(y)


def crossing(before: jax.Array, after: jax.Array, level: jax.Array) -> jax.Array:
    """The part of a step, 0 to 1, after which a voltage that rises evenly is at a level.

    Under constant currents a membrane some U_T above ground rises evenly.

    Args:
        before: volts at the step's start.
        after: volts at its end.
        level: volts.

    Returns:
        0 where it was above at the start, 1 where it is not reached.
    """
    rise = after - before
    rising = rise > 1e-9
    part = (level - before) / jnp.where(rising, rise, 1.0)
    return jnp.clip(jnp.where(rising, part, jnp.where(before >= level, 0.0, 1.0)), 0.0, 1.0)


def decay(dt: jax.Array | float, tau: jax.Array | float) -> tuple[jax.Array, jax.Array]:
    """Of a current that dies with a time constant: what is left after a step, and its mean.

    Returns:
        `e^(-dt/tau)` and `(1 - e^(-dt/tau)) tau/dt`, both over the current at the start.
    """
    z = -jnp.asarray(dt / tau)
    return jnp.exp(z), phi(z)


def release(ratio: jax.Array) -> jax.Array:
    """How much earlier a dying reset lets go of a membrane for its input's sake, in its tau_r.

    With `S = S_0 e^(-t/tau_r)`, a constant input I and `r = I tau_r/(C U_T)` the equation of the
    step integrates to `y -> Gamma(1 + r) e^(I (t - t_0)/(C U_T)) (C U_T/(S_0 tau_r))^r`, so the
    membrane rises as if it had been let go from 0 V at the time
    `tau_r (ln(S_0 tau_r/(C U_T)) + gamma - g(r))`, `g = ln Gamma(1 + r)/r + gamma`. Here
    `e^g` is a rational function, within 0.6 % for any r (our fit).

    Args:
        ratio: r, 0 or more.

    Returns:
        g, 0 at r = 0.
    """
    return jnp.log(1 + ratio * (0.8225 + 0.1763 * ratio) / (1 + 0.2671 * ratio))


def share(v: jax.Array, v_gate: jax.Array, slope: jax.Array) -> jax.Array:
    """The part of an input pair's current that flows into the membrane.

    Args:
        v: of the membrane, volts.
        v_gate: at which it is a half, volts.
        slope: 1/volt.

    Returns:
        `1/(1 + e^(slope (v - v_gate)))`.
    """
    return jax.nn.sigmoid(-slope * (v - v_gate))


@jax.custom_jvp
def fires(x: jax.Array) -> jax.Array:
    """1 where x > 0, else 0; its slope for gradients is `1/(1 + |x|)^2`.

    Source of the surrogate: Zenke & Ganguli 2018 (SuperSpike), the fast sigmoid.

    Args:
        x: the voltage over the threshold, in widths of the surrogate.
    """
    return (x > 0).astype(x.dtype)


@fires.defjvp
def _fires_slope(primals: tuple[Any], tangents: tuple[Any]) -> tuple[jax.Array, jax.Array]:
    (x,), (dx,) = primals, tangents
    return fires(x), dx / (1 + jnp.abs(x)) ** 2


def pulse(
    left: jax.Array, spike: jax.Array, delay: jax.Array, width: jax.Array, dt: jax.Array | float
) -> tuple[jax.Array, jax.Array]:
    """The part of a step in which a pulse is high, and what is left of it after the step.

    Args:
        left: of the pulse under way at the step's start, seconds.
        spike: 1 where one starts.
        delay: from the step's start to its start, seconds.
        width: of a pulse, seconds.
        dt: the step, seconds.

    Returns:
        The part, 0 to 1, and the seconds left; a pulse that starts ends one under way.
    """
    before = jnp.minimum(left, jnp.where(spike > 0, delay, dt))
    own = jnp.where(spike > 0, jnp.minimum(width, dt - delay), 0.0)
    rest = jnp.where(spike > 0, width - own, left - before)
    return (before + own) / dt, rest
