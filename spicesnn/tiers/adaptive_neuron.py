"""The adaptive-exponential neuron as a tier: membrane, feedback, adaptation, reset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from spicesnn.tiers.membrane import fires, phi, pulse, release
from spicesnn.tiers.tier import Signals, Spec, Tier

# In thermal voltages: where sinking currents are saturated and the feedback may be a term.
_SATURATED = 7.0
# No reset is under way; seconds, below any that is left.
_FREE = -1.0
_LARGEST = 30.0
_NEAR_POLE = 1e-4
_SMALLEST_RISE = 1e-5
_LEAST = 1e-15
# Steps to a level that a membrane does not rise to.
_NEVER = 1e6
# Width of the surrogate of `spike`, volts (our choice).
_SURROGATE = 0.1

State = tuple[jax.Array, jax.Array, jax.Array, jax.Array]


class Way(NamedTuple):
    """A step up to a spike, if there is one.

    Attributes:
        v: where the membrane starts, volts; ground where a reset was under way.
        v_p: of the adaptation at the start, volts.
        fall: of that by its leak in the step, volts.
        i_ahp: its current in the middle of the step, amperes.
        net: current into a membrane near ground, amperes.
        rise: of the membrane by all but the feedback, volts.
        before: by the feedback that begins long before, volts, of that.
        v_end: without a spike, volts.
        level: of a spike, volts.
        crossing: of the threshold, from the step's start, by the step's currents, seconds; it may
            lie outside the step.
        free: from the step's start until the reset lets go, seconds.
        held: whether the reset holds to the end.
        near: whether the membrane starts near ground.
        wait: what was left of the reset at the start, seconds.
    """

    v: jax.Array
    v_p: jax.Array
    fall: jax.Array
    i_ahp: jax.Array
    net: jax.Array
    rise: jax.Array
    before: jax.Array
    v_end: jax.Array
    level: jax.Array
    crossing: jax.Array
    free: jax.Array
    held: jax.Array
    near: jax.Array
    wait: jax.Array


class AdaptiveNeuron(Tier):
    """An adaptive-exponential integrate-and-fire neuron behind a differential pair.

    Law, with v the membrane's voltage and v_p that of the adaptation's capacitor:

    `C dv/dt = I_in/(1 + e^((v - v_gain)/U_gain)) + I_fb/(1 + sqrt(I_fb/I_bend)) + I_before
    e^((v - v_th)/U_before) - I_leak (1 + v/v_early) (1 - e^(-v/U_T))
    - I_ahp (1 + v/v_early_ahp) (1 - e^(-v/U_T,ahp))`,
    `I_fb = I_feedback e^((v - v_th)/U_fb)`,
    `I_ahp = I_w/(1 + sqrt(I_w/I_curve))`, `I_w = I_0 e^(v_p (1 + bow v_p)/U_ahp)`,
    `C_p dv_p/dt = I_tail/(1 + x) - I_lkahp (1 + v_p/v_early_lkahp) (1 - e^(-v_p/U_lkahp))`,
    `x = e^((v_p - v_thr)/U_pair)`.

    At v = v_th there is a spike. Then v is held at ground, until the reset's current, which dies
    with `tau_reset`, lets go of it for the input's sake (`membrane.release`). The request opens
    the adaptation's tail: `x + ln x` rises by `rise_spike/U_pair` at a spike, and before it by
    `rise_feedback/U_pair` for each volt that the feedback raises the membrane, since both follow
    the request line; `rise_before` is that of `I_before`. A spike's rise is
    `rise_spike + rise_v_p v_p`, since v_p takes voltage from the tail, less
    `rise_net ln(1 + i/i_rise)` of itself, since the request's length depends on the net current i.
    The gate of the adaptation's transistor overlaps the membrane, so v_p follows it by `coupling`;
    the request's end takes `kick` away.

    A step is exact for constant currents in two cases: far from ground, where nothing saturates
    any more, and near it, where there is no feedback yet, if both sinks saturate alike. Both read
    `v' = v + a + L ln(1 + q phi(-a/L))`, `a` the rise by the constant currents: near ground `q` is
    what saturation takes off the sinks' fall at the start, over `L`, and `L` is between the `U_T`
    of both sinks, so that its exponential has the slope of theirs together; far
    from it `L = -U_fb`, that of the middle, and `q` is less the rise by the feedback of the start
    over `U_fb`. The constant currents are those of the step's middle, so a step is of second order.

    Source: Livi & Indiveri 2009, Indiveri et al. 2011, Chicca et al. 2014 (the cell); Brette &
    Gerstner 2005 (the adaptive-exponential law); the closed forms are ours.
    """

    PARAMETERS: ClassVar[Mapping[str, Spec]] = {
        "u_t": Spec("V", "in which the leak saturates", 0.01, 0.05),
        "u_t_ahp": Spec("V", "in which the adaptation's transistor saturates", 0.01, 0.05),
        "c": Spec("F", "membrane's capacitor with what hangs on it", 1e-14, 1e-10),
        "i_leak": Spec("A", "leak", 0.0, 1e-8),
        "v_early": Spec("V", "Early voltage of the leak", 0.5, 1e4),
        "v_gain": Spec("V", "where the input pair shares by halves", 0.1, 5.0),
        "u_gain": Spec("V", "input pair's voltage of a factor e", 0.01, 0.2),
        "i_feedback": Spec("A", "feedback at the threshold", 1e-13, 1e-6),
        "u_feedback": Spec("V", "feedback's voltage of a factor e", 2e-3, 0.3),
        "i_before": Spec("A", "feedback at the threshold that begins long before", 0.0, 1e-9),
        "u_before": Spec("V", "that one's voltage of a factor e", 1e-2, 0.3),
        "v_threshold": Spec("V", "membrane at a spike", 0.1, 5.0),
        "i_bend": Spec("A", "feedback's current where weak inversion ends", 1e-11, 1e-3),
        "lag": Spec("s", "of the feedback after the membrane", 0.0, 1e-3),
        "t_reset": Spec("s", "from a spike to the release, without input", 0.0, 1.0),
        "t_reset_slope": Spec("s/A", "change of that by the net current at the spike", -1e5, 1e5),
        "tau_reset": Spec("s", "of the reset's current", 1e-7, 1e-2),
        "i_0": Spec("A", "adaptation's current at v_p = 0 by its law", 1e-20, 1e-9),
        "u_ahp": Spec("V", "adaptation's voltage of a factor e", 0.02, 0.1),
        "bow": Spec("1/V", "growth of that exponent's slope by v_p, a half of it", -0.5, 0.5),
        "i_curve": Spec("A", "adaptation's current where weak inversion ends", 1e-9, 1e-3),
        "v_early_ahp": Spec("V", "Early voltage of the adaptation's transistor", 0.5, 1e4),
        "c_p": Spec("F", "adaptation's capacitor", 1e-14, 1e-10),
        "i_lkahp": Spec("A", "adaptation's leak", 0.0, 1e-8),
        "u_lkahp": Spec("V", "in which that leak saturates", 0.01, 0.05),
        "v_early_lkahp": Spec("V", "Early voltage of that", 0.5, 1e4),
        "v_thrahp": Spec("V", "where the adaptation's pair shares by halves", -1.0, 1.0),
        "u_pair": Spec("V", "that pair's voltage of a factor e", 0.02, 0.2),
        "rise_spike": Spec("V", "rise of v_p by a spike, if all of the tail went there", 0.0, 50.0),
        "rise_net": Spec("1", "part of that by which it falls with ln(1 + i/i_rise)", -1.0, 1.0),
        "i_rise": Spec("A", "net current at the spike from which on it falls so", 1e-11, 1e-7),
        "rise_v_p": Spec("1", "change of the rise by v_p at the spike", -10.0, 10.0),
        "rise_feedback": Spec("1", "rise of v_p, likewise, over the feedback's of v", 0.0, 50.0),
        "rise_before": Spec("1", "rise of v_p, likewise, over that by i_before", 0.0, 100.0),
        "kick": Spec("V", "fall of v_p at the request's end", -0.01, 0.01),
        "coupling": Spec("1", "rise of v_p over the membrane's, by a gate's overlap", 0.0, 0.1),
        "width": Spec("s", "of the request", 0.0, 1.0),
    }
    INPUTS: ClassVar[Mapping[str, Spec]] = {"i_in": Spec("A", "input current")}
    OUTPUTS: ClassVar[Mapping[str, Spec]] = {
        "v_mem": Spec("V", "membrane at the step's end"),
        "v_p": Spec("V", "adaptation's capacitor at the step's end"),
        "i_ahp": Spec("A", "adaptation's current in the middle of the step"),
        "spike": Spec("1", "1 in a step in which a request begins, else 0"),
        "delay": Spec("s", "from the step's start to the request, where there is one"),
        "pulse": Spec("1", "part of the step in which the request is active"),
        "feedback": Spec("V", "rise of the membrane by I_fb in the step"),
    }

    u_t: jax.Array
    u_t_ahp: jax.Array
    c: jax.Array
    i_leak: jax.Array
    v_early: jax.Array
    v_gain: jax.Array
    u_gain: jax.Array
    i_feedback: jax.Array
    u_feedback: jax.Array
    i_before: jax.Array
    u_before: jax.Array
    v_threshold: jax.Array
    i_bend: jax.Array
    lag: jax.Array
    t_reset: jax.Array
    t_reset_slope: jax.Array
    tau_reset: jax.Array
    i_0: jax.Array
    u_ahp: jax.Array
    bow: jax.Array
    i_curve: jax.Array
    v_early_ahp: jax.Array
    c_p: jax.Array
    i_lkahp: jax.Array
    u_lkahp: jax.Array
    v_early_lkahp: jax.Array
    v_thrahp: jax.Array
    u_pair: jax.Array
    rise_spike: jax.Array
    rise_net: jax.Array
    i_rise: jax.Array
    rise_v_p: jax.Array
    rise_feedback: jax.Array
    rise_before: jax.Array
    kick: jax.Array
    coupling: jax.Array
    width: jax.Array

    def start(self, shape: tuple[int, ...] = (), dtype: Any = float) -> State:
        """Both capacitors empty, no reset under way.

        Returns:
            v, v_p (volts), what is left of the reset and of the request (seconds).
        """
        zero = jnp.zeros(shape, dtype)
        return zero, zero, jnp.full(shape, _FREE, dtype), zero

    def step(self, state: State, inputs: Signals, dt: float) -> tuple[State, Signals]:
        """See the class."""
        way = self.way(state, inputs, dt)
        spike = fires((way.v_end - way.level) / _SURROGATE)
        fired = spike > 0
        delay = jnp.where(fired, jnp.clip(way.crossing, way.free, dt), 0.0)
        v, v_p, wait, fed = self.after(way, fired, delay, dt)
        active, left = pulse(state[3], spike, delay, self.width, dt)
        outputs = {
            "v_mem": v, "v_p": v_p, "i_ahp": way.i_ahp, "spike": spike, "delay": delay,
            "pulse": active, "feedback": fed,
        }  # fmt: skip
        return (v, v_p, wait, left), outputs

    def way(self, state: State, inputs: Signals, dt: float) -> Way:
        """Through a step up to a spike, or to its end."""
        v_start, v_p, wait, _ = state
        i_in = inputs["i_in"]

        # The adaptation falls so little in a step that its saturation is that of the start.
        fall = self._fall(v_p, dt)
        # The square root first: floats of 32 bits hold no squares of picoamperes.
        p = v_p - 0.5 * fall
        grown = jnp.exp(p * (1 + self.bow * p) / (2 * self.u_ahp))
        root = jnp.sqrt(self.i_0 / self.i_curve) * grown
        i_ahp = self.i_curve * root / (1 + root) * root

        net = i_in - self.i_leak - i_ahp
        ratio = jnp.maximum(net, 0.0) / self.c * (self.tau_reset / self.u_t)
        let_go = wait - self.tau_reset * release(ratio)
        resetting = wait > 0.5 * _FREE
        held = resetting & (let_go >= dt)
        free = jnp.where(resetting, jnp.clip(let_go, 0.0, dt), 0.0)
        v = jnp.where(resetting, 0.0, v_start)
        scale = (dt - free) / self.c

        # What comes later by the lag is seen at a higher voltage, if the currents are constant.
        level = self.v_threshold + self.lag / self.c * jnp.maximum(net, 0.0)
        near = v < _SATURATED * jnp.maximum(self.u_t, self.u_t_ahp)
        # Near ground it is the sinks that lose saturation, far from it the pair its share.
        own = jnp.exp(jnp.where(near, -v / self.u_t, (v - self.v_gain) / self.u_gain))
        grown = jnp.exp(jnp.where(near, -_LARGEST, (v - level) / (2 * self.u_feedback)))
        bend = grown * jnp.sqrt(self.i_feedback / self.i_bend)
        fed = jnp.where(near, 0.0, self.i_feedback * grown * grown / (1 + bend))
        share = 1 / (1 + own)
        sinking, less, steep = self._sinks(v, i_ahp, own)
        before = self.i_before * jnp.exp((v - level) / self.u_before)
        here = jnp.where(near, i_in + less, i_in * share) - sinking + before + fed
        slope = jnp.where(
            near, -steep, fed / self.u_feedback - i_in * share * (1 - share) / self.u_gain
        )

        # Half way in time, or in voltage to the level, whichever is earlier; by Pade's approximant.
        growth = 1 - jnp.minimum(0.25 * slope * scale, 0.7)
        middle = jnp.clip(v + 0.5 * here * scale / growth, 0.0, 0.5 * (v + level))
        more = (middle - v) / (2 * self.u_feedback)
        # Up to there the feedback has charged the adaptation, too.
        half = jnp.clip((middle - v) / jnp.maximum(here, _LEAST), 0.0, 0.5 * scale)
        x = jnp.exp((v_p - self.v_thrahp) / self.u_pair)
        charged = self.rise_feedback * fed * (1 + more) + self.rise_before * before
        charged = charged * half / (1 + x) + self.coupling * (middle - v)
        root = root * jnp.exp(charged * (1 + 2 * self.bow * p) / (2 * self.u_ahp))
        i_ahp = self.i_curve * root / (1 + root) * root
        bend = bend * (1 + more * (1 + 0.5 * more))
        fold = self.u_feedback * (1 + bend) / (1 + 0.5 * bend)
        # What comes earlier grows with the feedback: a middle that is weighted by it.
        early = v + (middle - v) / (1 + fed * scale / (6 * self.u_feedback))
        own_middle = jnp.exp(jnp.where(near, 0.0, (early - self.v_gain) / self.u_gain))
        share = jnp.where(near, 1.0, 1 / (1 + own_middle))
        sinking, _, _ = self._sinks(middle, i_ahp, own)
        before = self.i_before * jnp.exp((middle - level) / self.u_before)
        rise = (i_in * share - sinking + before) * scale
        # The exponential that has the deficit and the slope of both saturations.
        length = jnp.where(near, less / jnp.maximum(steep, _LEAST), -fold)
        pole = phi(jnp.clip(-rise / length, -_LARGEST, _LARGEST))
        pole = pole * jnp.where(near, less, fed) * scale / length
        # At -1 the feedback has carried the membrane to infinity.
        v_end = v + rise + length * jnp.log1p(jnp.maximum(pole, _NEAR_POLE - 1))

        part = _part_to(level - v, rise, fed * scale, fold)
        # The charge is that of the plain middle.
        rise = rise - i_in * share * (1 - share) * (middle - early) / self.u_gain * scale
        return Way(
            v, v_p, fall, i_ahp, net, rise, before * scale, v_end, level,
            free + (dt - free) * part, free, held, near, wait,
        )  # fmt: skip

    def _fall(self, v_p: jax.Array, dt: float) -> jax.Array:
        """What the leak of the adaptation takes away in a step, volts."""
        fall = self.i_lkahp / self.c_p * dt * (1 + v_p / self.v_early_lkahp)
        return fall * (1 - jnp.exp(-v_p / self.u_lkahp))

    def _sinks(
        self, v: jax.Array, i_ahp: jax.Array, left: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Leak and adaptation.

        Args:
            v: of the membrane, volts.
            i_ahp: the adaptation's current, amperes.
            left: `e^(-v/u_t)`, what the leak lacks of its saturation; only near ground.

        Returns:
            Both saturated, what they lack of that (amperes), and the fall of this (A/V).
        """
        leak = self.i_leak * (1 + v / self.v_early)
        ahp = i_ahp * (1 + v / self.v_early_ahp)
        of_leak, of_ahp = leak * left, ahp * jnp.exp(-v / self.u_t_ahp)
        return leak + ahp, of_leak + of_ahp, of_leak / self.u_t + of_ahp / self.u_t_ahp

    def after(
        self, way: Way, fired: jax.Array, delay: jax.Array, dt: float
    ) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
        """At the end of a step.

        Args:
            way: through it.
            fired: whether there is a spike.
            delay: from the step's start to it, seconds.
            dt: the step, seconds.

        Returns:
            v, v_p (volts), what is left of the reset (seconds), rise by the feedback (volts).
        """
        span = jnp.maximum(dt - way.free, 1e-3 * dt)
        until = jnp.where(fired, (delay - way.free) / span, 1.0)
        reached = jnp.where(fired, way.level, jnp.minimum(way.v_end, way.level))
        fed = jnp.where(way.near, 0.0, jnp.maximum(reached - way.v - way.rise * until, 0.0))
        # The leak before and after, by the voltages before and after: of second order.
        part = jnp.where(fired, delay / dt, 0.5)
        v_p = way.v_p - way.fall * part + self.coupling * (reached - way.v)
        event = 1 - self.rise_net * jnp.log1p(jnp.maximum(way.net, 0.0) / self.i_rise)
        event = jnp.maximum((self.rise_spike + self.rise_v_p * v_p) * event, 0.0)
        added = self.rise_feedback * fed + self.rise_before * way.before * until
        added = (added + jnp.where(fired, event, 0.0)) / self.u_pair
        v_p = v_p + self.u_pair * _charged((v_p - self.v_thrahp) / self.u_pair, added)
        v_p = v_p - self._fall(v_p, dt) * (1 - part)
        v_p = v_p - jnp.where(fired, self.kick + self.coupling * reached, 0.0)
        reset = self.t_reset + self.t_reset_slope * way.net
        wait = jnp.where(way.held, way.wait - dt, _FREE)
        wait = jnp.where(fired, jnp.maximum(reset - (dt - delay), 0.0), wait)
        return jnp.where(fired | way.held, 0.0, way.v_end), v_p, wait, fed


def _part_to(gap: jax.Array, rise: jax.Array, fed: jax.Array, fold: jax.Array) -> jax.Array:
    """The part of a step after which a voltage is reached, far from ground.

    Args:
        gap: from the start to the voltage, volts.
        rise: in the step by the constant currents, volts.
        fed: in the step by the feedback of the start, if it did not grow, volts.
        fold: of the feedback, volts.
    """
    pace = jnp.where(jnp.abs(rise) < _SMALLEST_RISE, _SMALLEST_RISE, rise)
    last = fed * jnp.exp(jnp.clip(gap / fold, -_LARGEST, 2 * _LARGEST))
    slow = jnp.maximum(pace + fed, 1e-3 * _SMALLEST_RISE)
    speed = jnp.maximum(pace + last, 1e-3 * _SMALLEST_RISE)
    part = (gap - fold * jnp.log(speed / slow)) / pace
    return jnp.where(pace + fed > 0, part, _NEVER)


def _charged(t: jax.Array, added: jax.Array) -> jax.Array:
    """By how much t rises until `t + e^t` has risen by `added`.

    Two upper bounds of it, Newton's step and `ln(t + e^t)`, then from the lower of the two a step
    of Halley's and one of Newton's: within 1e-4 for any t, and exact where little is added.
    """
    x = jnp.exp(t)
    total = t + x + added
    bound = jnp.log(jnp.maximum(total, 1.0)) - t
    first = jnp.minimum(added / (1 + x), bound)
    y = x * jnp.exp(first)
    gap = y - x + first - added
    slope = 1 + y
    first = first - 2 * gap * slope / (2 * slope * slope - gap * y)
    y = x * jnp.exp(first)
    return first - (y - x + first - added) / (1 + y)
