"""The DPI integrate-and-fire neuron as a tier: input pair, leak, threshold, reset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from spicesnn.tiers.membrane import Rise, advance, decay, fires, pulse, share, volts
from spicesnn.tiers.tier import Signals, Spec, Tier

_GAMMA = 0.5772156649  # Euler's constant
_LONG = 1.0  # seconds, after which v_ref is at ground


class DpiNeuronState(NamedTuple):
    """At the end of a step.

    Attributes:
        y: `e^(v/u_sat)`.
        v: of the membrane, volts.
        i_reset: current of the reset's transistor, without its saturation, amperes.
        fall: until v_ref would be at ground if it fell evenly, seconds; negative afterwards.
        high: until the output pulse under way ends, seconds.
    """

    y: jax.Array
    v: jax.Array
    i_reset: jax.Array
    fall: jax.Array
    high: jax.Array


class DpiNeuron(Tier):
    """Input pair, leak, threshold with positive feedback, reset.

    Between spikes

    `c dv/dt = I/(1 + e^(a (v - v_gain))) - (i_leak (1 + v/v_early) + I_reset) (1 - e^(-v/u_sat))`,

    exact for constant currents, with the pair's share and the leak at the middle of the step.
    In weak inversion it is the published `tau (1 + I_g/I_m) dI_m/dt + I_m = I_g (I/I_leak - 1)`,
    `tau = c/(a i_leak)`. The output spike starts where v crosses

    `level = v_t + v_feedback ln(1 + s c/i_leak) + lag s`, `s = dv/dt`,

    as in `LifNeuron`. It lasts until v_ref has risen from where it was to where the reset wins,
    `width - left/charging`, with `left` what v_ref still had to fall, in seconds; the membrane then
    peaks lower, is down sooner and leaves v_ref lower by `carry left`. v_ref falls evenly, but
    ever slower near ground: `left = (fall + sqrt(fall^2 + 4 t_end^2))/2`. From the spike's end on

    `I_reset = (c u_sat/tau_r) e^((t_ref - t)/tau_r - gamma)`, tau_r = C_ref U_T/(kappa I_ref),

    which by `membrane.release` lets go after `t_ref - tau_r g(I tau_r/(c u_sat))`.

    `spike` has the slope of a fast sigmoid of `(v - level)/u_sat`; all else is exact, but that no
    gradient flows through the reset of v. One spike a step at most.

    Source: Livi & Indiveri 2009; Chicca et al. 2014; the spike and its reset are the cell's own.
    """

    PARAMETERS: ClassVar[Mapping[str, Spec]] = {
        "u_sat": Spec("V", "in which leak and reset saturate", 0.005, 0.1),
        "c": Spec("F", "membrane capacitor with what hangs on it", 0.0),
        "a": Spec("1/V", "slope of the input pair's share", 1.0, 100.0),
        "v_gain": Spec("V", "where the input pair shares by halves", 0.0, 5.0),
        "i_leak": Spec("A", "leak", 0.0),
        "v_early": Spec("V", "of the leak's transistor", 0.5, 1e4),
        "v_t": Spec("V", "level at which a slow membrane spikes", 0.0, 5.0),
        "v_feedback": Spec("V", "in which the feedback grows e-fold", 0.0, 0.2),
        "lag": Spec("s", "of the spike behind a fast membrane", 0.0, 1e-3),
        "t_ref": Spec("s", "from a spike's end to the release without input", 0.0, 1.0),
        "tau_r": Spec("s", "in which the reset's current falls by a factor e", 0.0, 1.0),
        "width": Spec("s", "of an output pulse from rest", 0.0, 1.0),
        "t_fall": Spec("s", "in which v_ref falls to ground after a spike", 0.0, 10.0),
        "t_end": Spec(
            "s", "what v_ref still has to fall when it would have been at ground", 0.0, 1.0
        ),
        "carry": Spec("1", "fall that a spike lacks over that which was left before it", 0.0, 1.0),
        "charging": Spec("1", "rise of v_ref in a spike over its fall after it", 1.0, 1e6),
    }
    INPUTS: ClassVar[Mapping[str, Spec]] = {"i_in": Spec("A", "current into the input pair")}
    OUTPUTS: ClassVar[Mapping[str, Spec]] = {
        "v_mem": Spec("V", "membrane at the step's end"),
        "spike": Spec("1", "1 where an output spike starts in the step"),
        "delay": Spec("s", "from the step's start to the spike's"),
        "pulse": Spec("1", "part of the step in which the output is high"),
    }

    u_sat: jax.Array
    c: jax.Array
    a: jax.Array
    v_gain: jax.Array
    i_leak: jax.Array
    v_early: jax.Array
    v_t: jax.Array
    v_feedback: jax.Array
    lag: jax.Array
    t_ref: jax.Array
    tau_r: jax.Array
    width: jax.Array
    t_fall: jax.Array
    t_end: jax.Array
    carry: jax.Array
    charging: jax.Array

    def start(self, shape: tuple[int, ...] = (), dtype: Any = float) -> DpiNeuronState:
        """At 0 V, without reset."""
        none = jnp.zeros(shape, dtype)
        return DpiNeuronState(jnp.ones(shape, dtype), none, none, none - _LONG, none)

    def rise(self, state: DpiNeuronState, inputs: Signals, dt: float) -> Rise:
        """The membrane over a step without a spike."""
        current, v = inputs["i_in"], state.v
        reset = state.i_reset * decay(dt, self.tau_r)[1]
        early = self.i_leak / self.v_early
        leak = self.i_leak + early * v + reset
        flow = current * share(v, self.v_gain, self.a) - leak * (1 - 1 / state.y)
        middle = jnp.clip(v + flow * (dt / (2 * self.c)), 0.0, self.v_t)
        given = current * share(middle, self.v_gain, self.a)
        sinking = self.i_leak + early * middle + reset
        y_end = advance(state.y, given, sinking, dt / (self.c * self.u_sat))
        v_end = volts(y_end, self.u_sat)
        slope = jnp.maximum(v_end - v, 0.0) / dt
        feedback = self.v_feedback * jnp.log1p(slope * (self.c / self.i_leak))
        level = self.v_t + feedback + self.lag * slope
        none = jnp.zeros_like(v)
        return Rise(none, none + dt, v, y_end, v_end, level)

    def lasts(self, state: DpiNeuronState, delay: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The width of a spike, and what its v_ref falls for less than after one from rest."""
        fall = state.fall - delay
        left = (fall + jnp.sqrt(fall * fall + 4 * self.t_end * self.t_end)) / 2
        return jnp.maximum(self.width - left / self.charging, 0.05 * self.width), self.carry * left

    def after(
        self, state: DpiNeuronState, rise: Rise, spike: jax.Array, delay: jax.Array, dt: float
    ) -> DpiNeuronState:
        """The state at the step's end, with a spike at a moment where `spike` is 1."""
        fired = spike > 0
        width, less = self.lasts(state, delay)
        _, high = pulse(state.high, spike, delay, width, dt)
        ahead = delay + width - dt - less
        # e^x by Pade, within 0.2 % for |x| < 1: the spike ends near the step's end.
        x = ahead / self.tau_r
        even, odd = 1 + x * x / 12, x / 2
        top = (self.c * self.u_sat / self.tau_r) * jnp.exp(self.t_ref / self.tau_r - _GAMMA)
        i_reset = jnp.where(
            fired,
            top * (even + odd) / (even - odd),
            state.i_reset * decay(dt, self.tau_r)[0],
        )
        fall = jnp.where(fired, self.t_fall + ahead, jnp.maximum(state.fall - dt, -_LONG))
        return DpiNeuronState(
            jnp.where(fired, 1.0, rise.y_end),
            jnp.where(fired, 0.0, rise.v_end),
            i_reset,
            fall,
            high,
        )

    def step(
        self, state: DpiNeuronState, inputs: Signals, dt: float
    ) -> tuple[DpiNeuronState, Signals]:
        """From the start of a time step to its end; see `Tier.step`."""
        rise = self.rise(state, inputs, dt)
        spike = fires((rise.v_end - rise.level) / self.u_sat)
        delay = rise.moment()
        after = self.after(state, rise, spike, delay, dt)
        part, _ = pulse(state.high, spike, delay, self.lasts(state, delay)[0], dt)
        return after, {
            "v_mem": after.v, "spike": spike,
            "delay": jnp.where(spike > 0, delay, 0.0), "pulse": part,
        }  # fmt: skip
