"""The trace comparator: a current against a threshold, with hysteresis and its delay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from spicesnn.tiers.tier import Signals, Spec, State, Tier


class TraceComparator(Tier):
    """A charge on the node where two currents meet; the output turns where it has gone over.

    `dq/dt = i_p - (i_off if above else i_on)`, q between `-q_rise` and `q_fall`; `above` turns on
    where q rises through 0 and off where it falls through it, and is seen `t_rise` or `t_fall`
    later. `i_on - i_off` is the hysteresis, `q_rise` and `q_fall` are the node's capacitance times
    its swing from either rail to the gate behind it. Source: the current comparator of two mirrors
    (`spicesnn.circuits.cells.trace_comparator`); the lumped charge is our choice.

    A step is exact for a current that is constant in it, and knows one edge: what turns and turns
    back within one step is not seen.

    Derivatives: those of charge and delay are exact. `above` and `spike` are steps; their surrogate
    is the logistic's slope of the charge at the step's end over `q_rise`, and none passes through
    the choice of the threshold.
    """

    PARAMETERS: ClassVar[Mapping[str, Spec]] = {
        "i_on": Spec("A", "trace current at which it turns on", 0.0),
        "i_off": Spec("A", "trace current at which it turns off", 0.0),
        "q_rise": Spec("C", "charge from the rest below to the turning point", 0.0),
        "q_fall": Spec("C", "charge from the turning point to the rest above", 0.0),
        "t_rise": Spec("s", "delay of the stages behind, turning on", 0.0, 1e-3),
        "t_fall": Spec("s", "delay of the stages behind, turning off", 0.0, 1e-3),
    }
    INPUTS: ClassVar[Mapping[str, Spec]] = {"i_p": Spec("A", "current of the trace")}
    OUTPUTS: ClassVar[Mapping[str, Spec]] = {
        "above": Spec("1", "1 while the output is high, at the end of the step"),
        "mean": Spec("1", "share of the step in which the output is high"),
        "spike": Spec("1", "1 in a step with an edge of the output, either way"),
        "delay": Spec("s", "from the step's start to the edge; where spike is 1"),
    }

    i_on: jax.Array
    i_off: jax.Array
    q_rise: jax.Array
    q_fall: jax.Array
    t_rise: jax.Array
    t_fall: jax.Array

    def start(self, shape: tuple[int, ...] = (), dtype: Any = float) -> State:
        """At rest below: charge, whether it has turned on, level seen, seconds until the edge."""
        zero = jnp.zeros(shape, dtype)
        return zero - jnp.broadcast_to(self.q_rise, shape).astype(dtype), zero, zero, zero

    def step(self, state: State, inputs: Signals, dt: float) -> tuple[State, Signals]:
        """The charge to its crossing, on from there with the other threshold, then the delays."""
        q, turned, seen, left = state
        on, i_p = turned > 0.5, inputs["i_p"]
        net = i_p - jnp.where(on, self.i_off, self.i_on)
        end = q + net * dt
        crosses = jnp.where(on, end < 0, end >= 0)
        moving = jnp.where(net == 0, 1, net)
        at = jnp.where(crosses, jnp.clip(-q / moving, 0, dt), dt)
        after = (i_p - jnp.where(on, self.i_on, self.i_off)) * (dt - at)
        charge = jnp.clip(jnp.where(crosses, after, end), -self.q_rise, self.q_fall)
        now = jnp.where(crosses, 1 - turned, turned)

        # The level seen follows `turned` with a delay, which may go over the step's end.
        late = jnp.where(crosses, at + jnp.where(on, self.t_fall, self.t_rise), left)
        waits = crosses | (seen != turned)
        edge = waits & (late < dt)
        level = jnp.where(edge, now, seen)
        mean = jnp.where(edge, (seen * late + level * (dt - late)) / dt, level)
        left = jnp.where(waits & ~edge, late - dt, 0)

        soft = jax.nn.sigmoid(jnp.where(crosses, after, end) / self.q_rise)
        slope = soft - jax.lax.stop_gradient(soft)
        outputs = {
            "above": level + slope,
            "mean": mean + slope,
            "spike": edge.astype(q.dtype) + slope * jnp.where(on, -1, 1),
            "delay": jnp.where(edge, late, 0),
        }
        return (charge, now, level, left), outputs
