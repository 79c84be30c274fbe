"""Devices that answer to programming pulses, in JAX: the laws of `spicesnn.devices`' pulse kinds.

Draws come from the caller's key, so a call is a pure function. Derivatives:

- By conductances and by the law's numbers they are those of the path that was drawn: the normal
  draws stay, `G + mean(G) + sigma(G) N` is differentiated, and a clip that acts passes nothing on.
- By pulse counts none exists. Counts that are floats (whole ones, as from rounding with a
  straight-through derivative) get a surrogate: one pulse more moves a device by the mean of its
  next step, before any clip, and the next step is taken at the end; of an abrupt RESET by what it
  moved the device in the mean.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from spicesnn.devices import NeuroSimCurve, PhaseChange, PulseArray, PulseMap
from spicesnn.devices.pulse_map import Goal
from spicesnn.errors import DataError, ParameterError


class PulseState(eqx.Module):
    """Many devices of one kind; every array has their shape.

    Attributes:
        g_min, g_max: each device's own limits, siemens.
        conductance: siemens, as it is right after a pulse.
        history: what the kind remembers beside it, by the kind's `history_names`.
    """

    g_min: jax.Array
    g_max: jax.Array
    conductance: jax.Array
    history: dict[str, jax.Array]

    @classmethod
    def of(cls, array: PulseArray, dtype: Any = float) -> Self:
        """The same devices as a NumPy array of them."""

        def own(values: npt.ArrayLike) -> jax.Array:
            return jnp.asarray(values, dtype)

        history = {name: own(values) for name, values in array.history.items()}
        return cls(own(array.g_min), own(array.g_max), own(array.conductance), history)

    def array(self, device: PulseMap) -> PulseArray:
        """The NumPy array of these devices.

        Raises:
            DataError: they are not of this kind, or a conductance is out of its range.
        """
        values = {name: np.asarray(one, np.float64) for name, one in self.history.items()}
        g_min, g_max, g = (
            np.asarray(each, np.float64) for each in (self.g_min, self.g_max, self.conductance)
        )
        return PulseArray(device, g_min, g_max, g, values)

    def with_conductance(self, conductance: jax.Array, **history: jax.Array) -> PulseState:
        """The same devices in another state."""
        return PulseState(self.g_min, self.g_max, conductance, {**self.history, **history})


class PulseDevices(eqx.Module):
    """The law of a kind with its numbers: scalars, or one for each device."""

    @abstractmethod
    def start(
        self, shape: tuple[int, ...], start: npt.ArrayLike, key: jax.Array, dtype: Any = float
    ) -> PulseState:
        """Devices that were never pulsed.

        Args:
            shape: of the array.
            start: mean state as a fraction 0 to 1 of the range.
            key: draws what differs between devices.
            dtype: of the state.
        """

    @abstractmethod
    def step(self, state: PulseState, goal: Goal) -> tuple[jax.Array, jax.Array]:
        """Mean and standard deviation of what the next pulse adds, before any clip, siemens."""

    @abstractmethod
    def pulse(
        self,
        state: PulseState,
        set_pulses: npt.ArrayLike,
        reset_pulses: npt.ArrayLike,
        key: jax.Array,
        time: npt.ArrayLike | None = None,
        most: int | None = None,
    ) -> PulseState:
        """The devices after that many SET, then RESET pulses.

        Args:
            state: before.
            set_pulses: whole numbers >= 0, broadcast to the devices.
            reset_pulses: likewise.
            key: draws the spread from pulse to pulse.
            time: when, seconds; needed by a kind that drifts. In floats of 32 bits count it from
                a time near, or differences of times lose their digits.
            most: pulses that any device gets; with it the loop can be differentiated in reverse.
                Without it the loop is as long as it must be, and only forward derivatives exist.

        Raises:
            DataError: a count is no whole number from 0 to `most`, or `time` is missing, not finite
                or before the last pulse. Where a compiled function hides the values from this
                check, those devices' conductances become NaN.
        """

    @abstractmethod
    def drifted(self, state: PulseState, time: npt.ArrayLike | None = None) -> jax.Array:
        """Conductance at `time` (seconds) without the noise of a read, siemens.

        Raises:
            DataError: `time` is missing, or not after the last pulse (compiled: NaN).
        """

    @abstractmethod
    def read(self, state: PulseState, time: npt.ArrayLike | None, key: jax.Array) -> jax.Array:
        """What one read at `time` (seconds) gives, siemens.

        Raises:
            DataError: as `drifted`.
        """


class CurveDevices(PulseDevices):
    """The law of `NeuroSimCurve`, with x the state as a fraction of a device's own range.

    `x <- clip(x + fraction (asymptote - x) + cycle_spread N(0, 1), 0, 1)` for every pulse.
    Source: Chen, Peng and Yu, IEDM 2017, as `spicesnn.devices.neurosim` has it.

    Attributes:
        g_min, g_max: conductances of the ends, before the spread of devices, siemens.
        fraction_set, fraction_reset: of the way to the asymptote made by one pulse.
        asymptote_set, asymptote_reset: fraction of the range.
        cycle_spread: sigma of a step, in units of the range.
        device_spread: relative sigma of the devices' limits.
        read_spread: relative sigma of a read.
    """

    g_min: jax.Array
    g_max: jax.Array
    fraction_set: jax.Array
    fraction_reset: jax.Array
    asymptote_set: jax.Array
    asymptote_reset: jax.Array
    cycle_spread: jax.Array
    device_spread: jax.Array
    read_spread: jax.Array

    @classmethod
    def of(cls, device: NeuroSimCurve, dtype: Any = float) -> Self:
        """The law with a preset's numbers."""
        numbers = (
            device.g_min, device.g_max, device.fraction("set"), device.fraction("reset"),
            device.overshoot("set"), 1 - device.overshoot("reset"),
            device.cycle_spread, device.device_spread, device.read_spread,
        )  # fmt: skip
        return cls(*(jnp.asarray(number, dtype) for number in numbers))

    def start(
        self, shape: tuple[int, ...], start: npt.ArrayLike, key: jax.Array, dtype: Any = float
    ) -> PulseState:
        """Devices with log-normal limits."""
        begin = _fractions(start, shape, dtype)
        factor = jnp.exp(self.device_spread * jax.random.normal(key, (2, *shape), dtype))
        g_min, g_max = self.g_min * factor[0], self.g_max * factor[1]
        return PulseState(g_min, g_max, g_min + begin * (g_max - g_min), {})

    def step(self, state: PulseState, goal: Goal) -> tuple[jax.Array, jax.Array]:
        """Mean and standard deviation of what the next pulse adds, before any clip, siemens."""
        span = state.g_max - state.g_min
        x = (state.conductance - state.g_min) / span
        return span * self._mean(x, goal), self.cycle_spread * span

    def pulse(
        self,
        state: PulseState,
        set_pulses: npt.ArrayLike,
        reset_pulses: npt.ArrayLike,
        key: jax.Array,
        time: npt.ArrayLike | None = None,
        most: int | None = None,
    ) -> PulseState:
        """The devices after that many SET, then RESET pulses; `time` plays no part."""
        ups, downs = (_counts(state, n, most) for n in (set_pulses, reset_pulses))
        return self._pulsed(state, ups, downs, key, most)

    @eqx.filter_jit
    def _pulsed(
        self, state: PulseState, ups: jax.Array, downs: jax.Array, key: jax.Array, most: int | None
    ) -> PulseState:
        for pulses, goal, own in zip((ups, downs), _GOALS, jax.random.split(key), strict=True):
            span = state.g_max - state.g_min
            x = (state.conductance - state.g_min) / span
            x = _repeated(partial(self._once, goal), x, pulses, own, most)
            after = state.with_conductance(_poisoned(state.g_min + x * span, pulses, most))
            more = _straight_through(after.conductance, pulses, self.step(after, goal)[0])
            state = after.with_conductance(more)
        return state

    def drifted(self, state: PulseState, time: npt.ArrayLike | None = None) -> jax.Array:
        """The state itself: this kind does not drift."""
        return state.conductance

    def read(self, state: PulseState, time: npt.ArrayLike | None, key: jax.Array) -> jax.Array:
        """The state with relative read noise, siemens."""
        g = state.conductance
        return g * (1 + self.read_spread * jax.random.normal(key, g.shape, g.dtype))

    def _once(self, goal: Goal, x: jax.Array, draw: jax.Array) -> jax.Array:
        return jnp.clip(x + self._mean(x, goal) + self.cycle_spread * draw, 0, 1)

    def _mean(self, x: jax.Array, goal: Goal) -> jax.Array:
        if goal == "set":
            return self.fraction_set * (self.asymptote_set - x)
        return self.fraction_reset * (self.asymptote_reset - x)


class PhaseChangeDevices(PulseDevices):
    """The law of `PhaseChange`: history, drift and noise of reads.

    `P <- P exp(-1/decay)`, `G <- clip(G + mean + sigma N(0, 1), g_min, g_max)` for every SET pulse,
    mean and sigma linear in G and P; RESET is abrupt. Source: Nandakumar et al., J. Appl. Phys.
    124, 152135, 2018, as `spicesnn.devices.pcm` has it.

    Attributes:
        numbers: the kind's parameters by name, as there.
    """

    numbers: dict[str, jax.Array]

    @classmethod
    def of(cls, device: PhaseChange, dtype: Any = float) -> Self:
        """The law with a preset's numbers."""
        return cls({name: jnp.asarray(getattr(device, name), dtype) for name in device.numeric()})

    def start(
        self, shape: tuple[int, ...], start: npt.ArrayLike, key: jax.Array, dtype: Any = float
    ) -> PulseState:
        """Devices that were never pulsed, P = 1, at time 0."""
        n, begin = self.numbers, _fractions(start, shape, dtype)
        draws = jax.random.normal(key, (2, *shape), dtype)
        middle = n["g_min"] + begin * (n["g_max"] - n["g_min"])
        g = jnp.clip(middle * (1 + n["start_spread"] * draws[0]), n["reset_floor"], n["g_max"])
        drift = jnp.maximum(n["drift_exponent"] + n["drift_spread"] * draws[1], 0)
        g_min, g_max = (jnp.full(shape, n[name], dtype) for name in ("g_min", "g_max"))
        zero = jnp.zeros(shape, dtype)
        history = {"memory": zero + 1, "last_pulse": zero, "count": zero, "drift": drift}
        return PulseState(g_min, g_max, g, history)

    def step(self, state: PulseState, goal: Goal) -> tuple[jax.Array, jax.Array]:
        """Mean and standard deviation of what the next pulse adds, before any clip, siemens."""
        g, n = state.conductance, self.numbers
        if goal == "set":
            return self._moments(g, state.history["memory"] * jnp.exp(-1 / n["decay"]))
        return n["reset_mean"] - g, jnp.broadcast_to(n["reset_spread"], g.shape)

    def pulse(
        self,
        state: PulseState,
        set_pulses: npt.ArrayLike,
        reset_pulses: npt.ArrayLike,
        key: jax.Array,
        time: npt.ArrayLike | None = None,
        most: int | None = None,
    ) -> PulseState:
        """The devices after that many SET, then RESET pulses, all at `time`."""
        ups, downs = (_counts(state, n, most) for n in (set_pulses, reset_pulses))
        touched = (ups > 0) | (downs > 0)
        when = self._time(state, time, "pulsed", touched, later=False)
        return self._pulsed(state, ups, downs, key, when, most)

    @eqx.filter_jit
    def _pulsed(
        self,
        state: PulseState,
        ups: jax.Array,
        downs: jax.Array,
        key: jax.Array,
        when: jax.Array,
        most: int | None,
    ) -> PulseState:
        touched = (ups > 0) | (downs > 0)
        set_key, reset_key = jax.random.split(key)
        forget = jnp.exp(-1 / self.numbers["decay"])

        def once(now: Any, draw: jax.Array) -> Any:
            g, memory = now[0], now[1] * forget
            mean, sigma = self._moments(g, memory)
            return jnp.clip(g + mean + sigma * draw, state.g_min, state.g_max), memory

        start = state.conductance, state.history["memory"]
        g, memory = _repeated(once, start, ups, set_key, most)
        g = _poisoned(jnp.where(touched & ~(when >= state.history["last_pulse"]), jnp.nan, g),
                      ups, most)  # fmt: skip
        dtype = g.dtype
        raised = state.with_conductance(
            g,
            memory=memory,
            last_pulse=jnp.where(touched, when, state.history["last_pulse"]).astype(dtype),
            count=state.history["count"] + jax.lax.stop_gradient(ups).astype(dtype),
        )
        raised = raised.with_conductance(_straight_through(g, ups, self.step(raised, "set")[0]))
        down = self._melted(raised, downs > 0, reset_key)
        moved = self.step(raised, "reset")[0]
        g = _straight_through(_poisoned(down.conductance, downs, most), downs, moved)
        return down.with_conductance(g)

    def drifted(self, state: PulseState, time: npt.ArrayLike | None = None) -> jax.Array:
        """`G ((t - t_p) / drift_time)^-drift`, siemens; not clipped."""
        every = jnp.ones(state.conductance.shape, bool)
        since = self._time(state, time, "read", every, later=True) - state.history["last_pulse"]
        late = since > 0
        ratio = jnp.where(late, since, self.numbers["drift_time"]) / self.numbers["drift_time"]
        power = jnp.exp(-state.history["drift"] * jnp.log(ratio))
        return state.conductance * jnp.where(late, power, jnp.nan)

    def read(self, state: PulseState, time: npt.ArrayLike | None, key: jax.Array) -> jax.Array:
        """What one read at `time` gives, siemens."""
        mean, n = self.drifted(state, time), self.numbers
        noise = (n["read_g"] * mean + n["read_0"]) * jax.random.normal(key, mean.shape, mean.dtype)
        return jnp.clip(mean + noise, state.g_min, state.g_max)

    def _moments(self, g: jax.Array, memory: jax.Array) -> tuple[jax.Array, jax.Array]:
        n = self.numbers
        mean = n["mean_g"] * g + n["mean_0"] + n["mean_p"] * memory
        return mean, n["sigma_g"] * g + n["sigma_0"] + n["sigma_p"] * memory

    def _melted(self, state: PulseState, where: jax.Array, key: jax.Array) -> PulseState:
        n, g, old = self.numbers, state.conductance, state.history
        fresh = n["reset_mean"] + n["reset_spread"] * jax.random.normal(key, g.shape, g.dtype)
        fresh = jnp.clip(fresh, n["reset_floor"], state.g_max)
        return state.with_conductance(
            # NaN stays: a refused SET pulse is not healed by the RESET after it.
            jnp.where(where & ~jnp.isnan(g), fresh, g),
            memory=jnp.where(where, 1, old["memory"]),
            count=jnp.where(where, 0, old["count"]),
        )

    def _time(
        self,
        state: PulseState,
        time: npt.ArrayLike | None,
        what: str,
        where: jax.Array,
        *,
        later: bool,
    ) -> jax.Array:
        """Checked where its values are known."""
        if time is None:
            raise DataError(f"phase change drifts: say at what time it is {what}, in seconds.")
        last = state.history["last_pulse"]
        if not any(isinstance(each, jax.core.Tracer) for each in (time, last, where)):
            given = np.asarray(time, np.float64)
            if not np.isfinite(given).all():
                raise DataError(f"phase change is {what} at {time} s: give a finite time.")
            bad = np.asarray(where) & ~((given > last) if later else (given >= last))
            if bad.any():
                latest = float(np.asarray(last)[bad].max())
                raise DataError(
                    f"phase change is {what} at {given.min():g} s, but was last pulsed at "
                    f"{latest:g} s: {_LATER if later else 'time runs forward'}."
                )
        return jnp.asarray(time, last.dtype)


def pulse_devices(device: PulseMap, dtype: Any = float) -> PulseDevices:
    """The law of a preset in JAX, with its numbers.

    Raises:
        ParameterError: its kind has no form in JAX.
    """
    if isinstance(device, NeuroSimCurve):
        return CurveDevices.of(device, dtype)
    if isinstance(device, PhaseChange):
        return PhaseChangeDevices.of(device, dtype)
    raise ParameterError(
        f"{device.name} is of the kind {device.kind!r}, which has no form in JAX; there are "
        f"{NeuroSimCurve.kind!r} and {PhaseChange.kind!r}."
    )


_LATER = "its drift begins with the pulse; read later"
_GOALS: tuple[Goal, Goal] = ("set", "reset")


def _repeated(
    once: Callable[[Any, jax.Array], Any],
    start: Any,
    pulses: jax.Array,
    key: jax.Array,
    most: int | None,
) -> Any:
    """The state after each device's pulses: a fixed number of turns, or as many as there are."""
    counts = jax.lax.stop_gradient(pulses)
    first = jax.tree.leaves(start)[0]

    def turn(k: Any, now: Any) -> Any:
        draw = jax.random.normal(jax.random.fold_in(key, k), first.shape, first.dtype)
        chosen = k < counts
        return jax.tree.map(lambda a, b: jnp.where(chosen, a, b), once(now, draw), now)

    if most is None:
        return jax.lax.fori_loop(0, counts.max(initial=0).astype(int), turn, start)
    return jax.lax.scan(lambda now, k: (turn(k, now), None), start, jnp.arange(most))[0]


def _counts(state: PulseState, pulses: npt.ArrayLike, most: int | None) -> jax.Array:
    shape, known = state.conductance.shape, not isinstance(pulses, jax.core.Tracer)
    given = jnp.asarray(pulses)
    try:
        given = jnp.broadcast_to(given, shape)
    except ValueError:
        raise DataError(
            f"pulse counts of shape {given.shape} do not fit devices of shape {shape}: give one "
            "number, or one a device."
        ) from None
    if known:
        plain = np.broadcast_to(np.asarray(pulses), shape)
        bad = _bad(plain, most)
        if bad.any():
            wanted = "whole numbers >= 0" if most is None else f"whole numbers from 0 to {most}"
            raise DataError(
                f"device {tuple(int(k) for k in np.argwhere(bad)[0])} is given "
                f"{plain[bad][0]} pulses: pulse counts must be {wanted}."
            )
    return given


def _bad(pulses: Any, most: int | None) -> Any:
    fits = (pulses >= 0) & (pulses % 1 == 0)
    return ~(fits if most is None else fits & (pulses <= most))


def _poisoned(conductance: jax.Array, pulses: jax.Array, most: int | None) -> jax.Array:
    """NaN where the count cannot be followed: inside a compiled function nothing can be raised."""
    return jnp.where(_bad(pulses, most), jnp.nan, conductance)


def _straight_through(conductance: jax.Array, pulses: jax.Array, step: jax.Array) -> jax.Array:
    """The same value; by a count that is a float it moves with the mean step."""
    if not jnp.issubdtype(pulses.dtype, jnp.floating):
        return conductance
    none = pulses - jax.lax.stop_gradient(pulses)
    return conductance + none.astype(conductance.dtype) * jax.lax.stop_gradient(step)


def _fractions(start: npt.ArrayLike, shape: tuple[int, ...], dtype: Any) -> jax.Array:
    if not isinstance(start, jax.core.Tracer):
        given = np.asarray(start)
        if not ((given >= 0) & (given <= 1)).all():
            raise DataError("a start is a fraction of the range: give values from 0 to 1.")
    begin = jnp.asarray(start, dtype)
    try:
        return jnp.broadcast_to(begin, shape)
    except ValueError:
        raise DataError(
            f"a start of shape {begin.shape} does not fit devices of shape {shape}: give a number, "
            "or one a device."
        ) from None
