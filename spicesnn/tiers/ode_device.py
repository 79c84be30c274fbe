"""A device of equations in JAX: its own printed source, and a step that stays stable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from math import sqrt
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp

from spicesnn.devices.ode import Ode
from spicesnn.devices.printers.jax import source
from spicesnn.errors import DataError, UnknownNameError

Equation = Callable[[Any, Any, Mapping[str, Any]], jax.Array]
_GAMMA = 1 - sqrt(0.5)


class OdeDevice(eqx.Module):
    """Many devices of one kind: current and states by the equations that SPICE has too.

    The voltage is held at its mean over a step, and the states go on by a Rosenbrock method of
    second order (ROS2 with `d = 1 - 1/sqrt(2)`, L-stable: Verwer, Spee, Blom and Hundsdorfer, SIAM
    J. Sci. Comput. 20, 1456, 1999):

        (1 - h d J) k1 = f(y),  (1 - h d J) k2 = f(y + h k1) - 2 k1,  y <- y + h (3 k1 + k2)/2

    J is the exact Jacobian. A state that a step would take past one of its bounds stops there,
    where its derivative is zero. No step makes it unstable, but a switching is only followed by
    steps that are short beside it. The whole can be differentiated, by states, voltages and
    numbers.

    Attributes:
        numbers: parameters by name: scalars, or arrays that broadcast to the devices' shape.
        kind: of the equations.
    """

    numbers: dict[str, jax.Array]
    kind: type[Ode] = eqx.field(static=True)

    @classmethod
    def of(cls, device: Ode, dtype: Any = float, **changes: Any) -> Self:
        """The devices of a preset.

        Args:
            device: the preset.
            dtype: of its numbers.
            **changes: other numbers, of which each may differ between devices.

        Raises:
            UnknownNameError: a parameter does not exist.
        """
        for name in changes:
            if name not in device.numeric():
                raise UnknownNameError(f"parameter of {device.kind}", name, device.numeric())
        equations(type(device))  # Made once, outside of anything compiled.
        numbers = device.numbers | changes
        return cls({n: jnp.asarray(value, dtype) for n, value in numbers.items()}, type(device))

    def start(self, shape: tuple[int, ...] = (), dtype: Any = float) -> jax.Array:
        """The states at their start, in their SI units, shape (states, *shape)."""
        own = [self.numbers[state.start] for state in self.kind.states]
        return jnp.stack([jnp.broadcast_to(each, shape) for each in own]).astype(dtype)

    def current(self, volts: jax.Array, states: jax.Array) -> jax.Array:
        """Amperes from p to n, shape of `volts`, at states of shape (states, *shape)."""
        return equations(self.kind)[0](volts, states, self.numbers)

    def rates(self, volts: jax.Array, states: jax.Array) -> jax.Array:
        """Of each state, in its unit per second, shape (states, *shape)."""
        return equations(self.kind)[1](volts, states, self.numbers)

    def step(
        self, states: jax.Array, volts: jax.Array, dt: float, *, parts: int = 1
    ) -> tuple[jax.Array, jax.Array]:
        """From the start of a time step to its end.

        Args:
            states: at the start, SI, shape (states, *shape).
            volts: mean over the step, shape.
            dt: the step, seconds.
            parts: equal parts that the step is made in.

        Returns:
            The states at the end and the current there, amperes, shape.
        """
        unit = self._unit(states)
        y = states / unit

        def f(now: jax.Array) -> jax.Array:
            return self.rates(volts, now * unit) / unit

        for _ in range(parts):
            y = self._bounded(_rosenbrock(f, y, dt / parts), unit)
        return y * unit, self.current(volts, y * unit)

    def run(
        self, volts: jax.Array, dt: float, *, parts: int = 1, states: jax.Array | None = None
    ) -> tuple[jax.Array, jax.Array]:
        """All steps one after the other.

        Args:
            volts: means over the steps, shape (steps, *shape).
            dt: the step, seconds.
            parts: as of `step`.
            states: at the start, by default the devices' own.

        Returns:
            States at the ends of the steps, shape (steps, states, *shape), and the current there,
            shape (steps, *shape).

        Raises:
            DataError: there is no axis of steps.
        """
        volts = jnp.asarray(volts)
        if volts.ndim == 0:
            raise DataError("volts are one number; give one for each step, shape (steps, ...).")
        first = self.start(volts.shape[1:], volts.dtype) if states is None else states

        def on(now: jax.Array, given: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
            after, current = self.step(now, given, dt, parts=parts)
            return after, (after, current)

        return jax.lax.scan(on, first, volts)[1]

    def _unit(self, states: jax.Array) -> jax.Array:
        scale = jnp.asarray([state.scale for state in self.kind.states], states.dtype)
        return scale.reshape(-1, *(1,) * (states.ndim - 1))

    def _bounded(self, y: jax.Array, unit: jax.Array) -> jax.Array:
        ends = [
            [self.numbers[b] if isinstance(b, str) else b for b in (state.low, state.high)]
            for state in self.kind.states
        ]
        rows = [jnp.clip(row, low / u, high / u)
                for row, u, (low, high) in zip(y, unit, ends, strict=True)]  # fmt: skip
        return jnp.stack(rows)


@cache
def equations(kind: type[Ode]) -> tuple[Equation, Equation]:
    """Current and rates of a kind, made of the JAX text that its printer writes."""
    # A preset of the kind is needed for the text's numbers only, which are not used here.
    from spicesnn.devices import ODES

    text = source(next(device for device in ODES.values() if type(device) is kind))
    names: dict[str, Any] = {}
    exec(compile(text, f"<{kind.__name__} in JAX>", "exec"), names)  # noqa: S102 - our own text
    return names["current"], names["rates"]


def _rosenbrock(f: Callable[[jax.Array], jax.Array], y: jax.Array, h: float) -> jax.Array:
    """One step, states along the first axis; devices do not act on each other."""
    d, unit = _GAMMA, jnp.eye(y.shape[0], dtype=y.dtype)
    f0, push = jax.linearize(f, y)
    # Column by column, all devices at once.
    columns = [push(jnp.broadcast_to(e.reshape(-1, *(1,) * (y.ndim - 1)), y.shape)) for e in unit]
    if len(columns) == 1:
        whole = 1 - h * d * columns[0]
        k1 = f0 / whole
        k2 = (f(y + h * k1) - 2 * k1) / whole
    else:
        matrix = unit - h * d * jnp.moveaxis(jnp.stack(columns), (0, 1), (-1, -2))

        def solved(right: jax.Array) -> jax.Array:
            column = jnp.moveaxis(right, 0, -1)[..., None]
            return jnp.moveaxis(jnp.linalg.solve(matrix, column)[..., 0], -1, 0)

        k1 = solved(f0)
        k2 = solved(f(y + h * k1) - 2 * k1)
    after: jax.Array = y + h * (1.5 * k1 + 0.5 * k2)
    return after
