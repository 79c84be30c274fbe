"""The leaky integrate-and-fire neuron as a tier: its membrane, comparator and reset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from spicesnn.tiers.membrane import Rise, advance, fires, pulse, release, volts
from spicesnn.tiers.tier import Signals, Spec, Tier


class LifState(NamedTuple):
    """At the end of a step.

    Attributes:
        y: `e^(v/u_sat)`.
        v: of the membrane, volts.
        rest: until the reset lets go of a membrane without input, seconds; 0 when it has let go.
        high: until the output pulse under way ends, seconds.
    """

    y: jax.Array
    v: jax.Array
    rest: jax.Array
    high: jax.Array


class LifNeuron(Tier):
    """Capacitor, leak, comparator, reset.

    Between spikes

    `c dv/dt = I - i_leak (1 + v/v_early) (1 - e^(-v/u_sat))`,

    exact for constant currents, with v/v_early of the middle of the step. By theory u_sat is U_T;
    the charge models of MOS simulators smooth saturation in other ways. The output spike starts
    where v crosses

    `level = v_t + v_feedback ln(1 + s c/i_leak) + lag s`, `s = dv/dt`:

    a feedback whose current grows by a factor e in `v_feedback` runs away from a slow membrane
    earlier than from a fast one, and the comparator answers to a fast one late; from which current
    on is our choice, the circuits do not tell. Then the reset holds the membrane at ground and lets
    it go `t_ref - tau_r g(I tau_r/(c u_sat))` after the spike's start, see `membrane.release`;
    tau_r = C_ref U_T/(kappa I_ref), as v_ref falls evenly.

    `spike` has the slope of a fast sigmoid of `(v - level)/u_sat`; all else is exact, but that no
    gradient flows through the reset of v. One spike a step at most: no step may be longer than
    t_ref.

    Source: the cell's own equations; the run-away is that of an exponential neuron under a ramp.
    """

    PARAMETERS: ClassVar[Mapping[str, Spec]] = {
        "u_sat": Spec("V", "in which the leak saturates", 0.005, 0.1),
        "c": Spec("F", "membrane capacitor with what hangs on it", 0.0),
        "i_leak": Spec("A", "leak", 0.0),
        "v_early": Spec("V", "of the leak's transistor", 0.5, 1e4),
        "v_t": Spec("V", "level at which a slow membrane spikes", 0.0, 5.0),
        "v_feedback": Spec("V", "in which the feedback grows e-fold", 0.0, 0.2),
        "lag": Spec("s", "of the comparator behind a fast membrane", 0.0, 1e-3),
        "t_ref": Spec("s", "from the spike's start to the release without input", 0.0, 1.0),
        "tau_r": Spec("s", "in which the reset's current falls by a factor e", 0.0, 1.0),
        "width": Spec("s", "of an output pulse", 0.0, 1.0),
    }
    INPUTS: ClassVar[Mapping[str, Spec]] = {"i_in": Spec("A", "current into the membrane")}
    OUTPUTS: ClassVar[Mapping[str, Spec]] = {
        "v_mem": Spec("V", "membrane at the step's end"),
        "spike": Spec("1", "1 where an output spike starts in the step"),
        "delay": Spec("s", "from the step's start to the spike's"),
        "pulse": Spec("1", "part of the step in which the output is high"),
    }

    u_sat: jax.Array
    c: jax.Array
    i_leak: jax.Array
    v_early: jax.Array
    v_t: jax.Array
    v_feedback: jax.Array
    lag: jax.Array
    t_ref: jax.Array
    tau_r: jax.Array
    width: jax.Array

    def start(self, shape: tuple[int, ...] = (), dtype: Any = float) -> LifState:
        """At 0 V, released."""
        none = jnp.zeros(shape, dtype)
        return LifState(jnp.ones(shape, dtype), none, none, none)

    def rise(self, state: LifState, inputs: Signals, dt: float) -> Rise:
        """The membrane over a step without a spike."""
        current = inputs["i_in"]
        held = state.rest > 0
        earlier = self.tau_r * release(
            jnp.maximum(current, 0.0) * (self.tau_r / (self.c * self.u_sat))
        )
        begin = jnp.where(held, jnp.clip(state.rest - earlier, 0.0, dt), 0.0)
        span = dt - begin
        v = state.v
        middle = jnp.clip(v + span * (current - self.i_leak) / (2 * self.c), 0.0, self.v_t)
        leak = self.i_leak * (1 + middle / self.v_early)
        y_end = advance(state.y, current, leak, span / (self.c * self.u_sat))
        v_end = volts(y_end, self.u_sat)
        slope = jnp.maximum(v_end - v, 0.0) / jnp.maximum(span, 1e-3 * dt)
        early = self.v_feedback * jnp.log1p(slope * (self.c / self.i_leak))
        level = self.v_t + early + self.lag * slope
        return Rise(begin, span, v, y_end, v_end, level)

    def after(
        self, state: LifState, rise: Rise, spike: jax.Array, delay: jax.Array, dt: float
    ) -> LifState:
        """The state at the step's end, with a spike at a moment where `spike` is 1."""
        fired = spike > 0
        held = (state.rest > 0) & (rise.begin >= dt)
        rest = jnp.where(held, state.rest - dt, 0.0)
        rest = jnp.where(fired, jnp.maximum(self.t_ref - dt + delay, 1e-3 * dt), rest)
        _, high = pulse(state.high, spike, delay, self.width, dt)
        # Held, the membrane is at ground.
        down = fired | held
        return LifState(
            jnp.where(down, 1.0, rise.y_end), jnp.where(down, 0.0, rise.v_end), rest, high
        )

    def step(self, state: LifState, inputs: Signals, dt: float) -> tuple[LifState, Signals]:
        """From the start of a time step to its end; see `Tier.step`."""
        rise = self.rise(state, inputs, dt)
        spike = fires((rise.v_end - rise.level) / self.u_sat)
        delay = rise.moment()
        after = self.after(state, rise, spike, delay, dt)
        part, _ = pulse(state.high, spike, delay, self.width, dt)
        return after, {
            "v_mem": after.v, "spike": spike,
            "delay": jnp.where(spike > 0, delay, 0.0), "pulse": part,
        }  # fmt: skip
