"""What every tier is: fitted parameters, a start, and a step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from spicesnn.errors import ParameterError, UnknownNameError

State = Any
"""The state of a tier: a tuple of arrays, each of the shape that `start` was asked for."""

Signals = Mapping[str, jax.Array]
"""What goes into a step or comes out of it, by name."""


@dataclass(frozen=True)
class Spec:
    """What a parameter, input, state or output of a tier is.

    Attributes:
        unit: SI.
        doc: one line.
        low, high: bounds of a fit; not of what may be put in.
    """

    unit: str
    doc: str
    low: float = -np.inf
    high: float = np.inf


class Tier(eqx.Module):
    """The behavioural model of a cell: final classes hold their parameters as arrays.

    Each parameter is a scalar, or has the shape of the units for a population whose units
    differ. All signals are SI floats. A step is pure: it can be compiled, batched by `jax.vmap`
    and differentiated.
    """

    PARAMETERS: ClassVar[Mapping[str, Spec]]
    INPUTS: ClassVar[Mapping[str, Spec]]
    OUTPUTS: ClassVar[Mapping[str, Spec]]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The tier with these parameters: floats, or arrays of one value a unit.

        Raises:
            ParameterError: a parameter is missing or not finite.
            UnknownNameError: there is no such parameter.
        """
        for name in values:
            if name not in cls.PARAMETERS:
                raise UnknownNameError(f"parameter of {cls.__name__}", name, cls.PARAMETERS)
        for name, spec in cls.PARAMETERS.items():
            if name not in values:
                raise ParameterError(
                    f"{cls.__name__}.{name} ({spec.doc} [{spec.unit}]) is missing: give it."
                )
            known = not isinstance(values[name], jax.core.Tracer)
            if known and not np.isfinite(values[name]).all():
                raise ParameterError(f"{cls.__name__}.{name} is not finite: {values[name]}.")
        return cls(**{name: jnp.asarray(values[name], float) for name in cls.PARAMETERS})

    def values(self) -> dict[str, jax.Array]:
        """The parameters by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def astype(self, dtype: Any) -> Self:
        """The same with parameters of a type, `jnp.float32` or `jnp.float64`."""
        same: Self = jax.tree.map(lambda a: a.astype(dtype), self)
        return same

    @abstractmethod
    def start(self, shape: tuple[int, ...] = (), dtype: Any = float) -> State:
        """The state at rest, of units of this shape."""

    @abstractmethod
    def step(self, state: State, inputs: Signals, dt: float) -> tuple[State, Signals]:
        """From the start of a time step to its end.

        Args:
            state: at the step's start.
            inputs: those of `INPUTS`, as their means over the step.
            dt: the step, seconds.

        Returns:
            The state at the step's end and the `OUTPUTS`.
        """


def scan(tier: Tier, state: State, inputs: Signals, dt: float) -> tuple[State, Signals]:
    """All steps one after the other, compiled as one loop.

    It checks nothing, so that it can be used inside `jax.jit` and `jax.grad`; `run` checks.

    Args:
        tier: the model.
        state: at the start.
        inputs: shape (steps, ...) each.
        dt: the step, seconds.

    Returns:
        The last state, and the outputs, shape (steps, ...) each.
    """
    return jax.lax.scan(lambda now, given: tier.step(now, given, dt), state, inputs)


def totals(tier: Tier, state: State, inputs: Signals, dt: float) -> tuple[State, Signals]:
    """As `scan`, but of each output only its sum over the steps is kept.

    So a large network needs memory for its state alone, and is faster.

    Returns:
        The last state, and the sums, shape (...) each.
    """
    first = {name: each[0] for name, each in inputs.items()}
    shapes = jax.eval_shape(lambda now, given: tier.step(now, given, dt)[1], state, first)
    zeros: Signals = {name: jnp.zeros(each.shape, each.dtype) for name, each in shapes.items()}

    def one(carry: tuple[State, Signals], given: Signals) -> tuple[tuple[State, Signals], None]:
        now, sums = carry
        now, outputs = tier.step(now, given, dt)
        return (now, {name: sums[name] + outputs[name] for name in sums}), None

    (state, sums), _ = jax.lax.scan(one, (state, zeros), inputs)
    return state, sums
