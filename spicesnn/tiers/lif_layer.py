"""A layer of leaky integrate-and-fire units in discrete time, with its weights, for training."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from spicesnn.errors import DataError, ParameterError
from spicesnn.parameters import Parameters, parameter

Reset = Literal["subtract", "zero", "none"]
"""What a spike does to the membrane at the next step."""


class Surrogate(Parameters):
    """What stands for the derivative of the spike by the membrane.

    With `u` the membrane over threshold and `k` the slope: `arctan` is
    `(k/2) / (1 + (pi k u / 2)^2)`, `fast_sigmoid` is `1 / (1 + k |u|)^2`, `box` is `k` where
    `|u| < 1/(2 k)` and 0 elsewhere. Source of the first two: Fang et al. 2021 and Zenke & Ganguli
    2018, in the form of snnTorch's `atan` and `fast_sigmoid`.
    """

    kind: Literal["arctan", "fast_sigmoid", "box"] = "arctan"
    slope: float = parameter(2.0, unit="1/unit of the membrane", doc="sharpness", gt=0)

    def derivative(self, over: jax.Array) -> jax.Array:
        """At a membrane over threshold, any shape."""
        k = self.slope
        if self.kind == "arctan":
            return (k / 2) / (1 + (jnp.pi * k / 2 * over) ** 2)
        if self.kind == "fast_sigmoid":
            return 1 / (1 + k * jnp.abs(over)) ** 2
        return jnp.where(jnp.abs(over) < 1 / (2 * k), jnp.full_like(over, k), jnp.zeros_like(over))


class LifLayer(eqx.Module):
    """Dense weights into leaky integrate-and-fire units; the membrane has no unit.

    `mem[t] = beta mem[t-1] + W x[t] + b - reset[t-1]`, `spike[t] = mem[t] > threshold`; after a
    spike, `subtract` takes the threshold off at the next step, `zero` starts it from 0. This is
    snnTorch's `Leaky` with its delayed reset; with `zero` the delay is not seen from outside, and
    the units are those of NIR's `LIF` and of Norse's `LIFBoxCell` (`of_time_constant`).

    In float32 each step rounds as a loop of single operations does, so that the same currents give
    the same spikes to the bit. The reset passes no gradient, as in snnTorch.

    Attributes:
        weight: shape (units, inputs).
        bias: shape (units,), or none.
        beta: what is left of the membrane after a step, scalar or shape (units,).
        threshold: of the membrane, scalar or shape (units,).
        reset: what a spike does.
        surrogate: of the spike's derivative.
    """

    weight: jax.Array
    bias: jax.Array | None
    beta: jax.Array
    threshold: jax.Array
    reset: Reset = eqx.field(static=True, default="subtract")
    surrogate: Surrogate = eqx.field(static=True, default=Surrogate())

    @classmethod
    def of(
        cls,
        weight: Any,
        beta: Any,
        threshold: Any = 1.0,
        bias: Any = None,
        reset: Reset = "subtract",
        surrogate: Surrogate | None = None,
        dtype: Any = jnp.float32,
    ) -> Self:
        """A checked layer.

        Args:
            weight: shape (units, inputs).
            beta: from 0 to 1, scalar or shape (units,).
            threshold: over 0, scalar or shape (units,).
            bias: shape (units,), or none.
            reset: what a spike does.
            surrogate: of the spike's derivative, by default snnTorch's arctan.
            dtype: of the parameters and of the computation.

        Raises:
            DataError: shapes that do not fit.
            ParameterError: a value that is not finite or out of bounds, or an unknown reset.
        """
        given = {"weight": weight, "beta": beta, "threshold": threshold}
        if bias is not None:
            given["bias"] = bias
        arrays = {name: np.asarray(value) for name, value in given.items()}
        if arrays["weight"].ndim != 2:
            raise DataError(f"weight has the shape {arrays['weight'].shape}: give (units, inputs).")
        units = arrays["weight"].shape[0]
        for name, array in arrays.items():
            allowed = ((units,),) if name == "bias" else ((), (units,))
            if name != "weight" and array.shape not in allowed:
                raise DataError(
                    f"{name} has the shape {array.shape}; the layer has {units} units: give "
                    f"{' or '.join(map(str, allowed))}."
                )
            if not np.isfinite(array).all():
                raise ParameterError(f"{name} holds values that are not finite.")
        if not ((arrays["beta"] >= 0) & (arrays["beta"] <= 1)).all():
            raise ParameterError(f"beta is {beta}: it must be from 0 to 1.")
        if not (arrays["threshold"] > 0).all():
            raise ParameterError(f"threshold is {threshold}: it must be over 0.")
        if reset not in ("subtract", "zero", "none"):
            raise ParameterError(f"reset is {reset!r}: give 'subtract', 'zero' or 'none'.")
        made = {name: jnp.asarray(array, dtype) for name, array in arrays.items()}
        return cls(
            made["weight"], made.get("bias"), made["beta"], made["threshold"],
            reset, surrogate or Surrogate(),
        )  # fmt: skip

    @classmethod
    def of_time_constant(
        cls,
        weight: Any,
        tau: Any,
        dt: float,
        r: Any = 1.0,
        threshold: Any = 1.0,
        bias: Any = None,
        surrogate: Surrogate | None = None,
        dtype: Any = jnp.float32,
    ) -> Self:
        """Units of `tau dv/dt = -v + r i`, back to 0 after a spike, by forward Euler.

        The membrane is `v tau / (r dt)`, so that a current comes in with its own size. These are
        Norse's `LIFBoxCell` (with r = 1) and snnTorch's reading of NIR's `LIF`.

        Args:
            weight: shape (units, inputs).
            tau: membrane time constant, seconds, scalar or shape (units,).
            dt: the step, seconds.
            r: of the current into the membrane, scalar or shape (units,).
            threshold: of v, scalar or shape (units,).
            bias: shape (units,), or none.
            surrogate: of the spike's derivative.
            dtype: of the parameters and of the computation.

        Raises:
            DataError: shapes that do not fit.
            ParameterError: a step longer than a time constant, or r that is not positive.
        """
        taus, gains = np.asarray(tau, dtype=np.float64), np.asarray(r, dtype=np.float64)
        if not (dt > 0 and np.isfinite(taus).all() and (taus >= dt).all()):
            raise ParameterError(
                f"tau is {float(taus.min()):.4g} s and the step {dt:g} s: the step must be over 0 "
                "and no longer than any time constant."
            )
        if not (np.isfinite(gains) & (gains > 0)).all():
            raise ParameterError(f"r is {r}: it must be over 0.")
        scaled = np.asarray(threshold, dtype=np.float64) * taus / (gains * dt)
        return cls.of(weight, 1 - dt / taus, scaled, bias, "zero", surrogate, dtype)

    @classmethod
    def random(
        cls,
        rng: np.random.Generator,
        inputs: int,
        units: int,
        beta: float = 0.9,
        threshold: float = 1.0,
        bias: bool = False,
        reset: Reset = "subtract",
        surrogate: Surrogate | None = None,
        dtype: Any = jnp.float32,
    ) -> Self:
        """Weights and bias uniform over +-1/sqrt(inputs), as PyTorch draws them."""
        bound = 1 / np.sqrt(inputs)
        weight = rng.uniform(-bound, bound, (units, inputs))
        start = rng.uniform(-bound, bound, units) if bias else None
        return cls.of(weight, beta, threshold, start, reset, surrogate, dtype)

    @property
    def units(self) -> int:
        """Number of units."""
        return int(self.weight.shape[0])

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return int(self.weight.shape[1])

    def currents(self, inputs: jax.Array) -> jax.Array:
        """Into the membranes, shape (steps, ..., units), by one matrix product.

        Args:
            inputs: shape (steps, ..., inputs).
        """
        flat = inputs.astype(self.weight.dtype).reshape(-1, self.inputs)
        current = jnp.matmul(flat, self.weight.T, precision=jax.lax.Precision.HIGHEST)
        if self.bias is not None:
            current = current + self.bias
        return current.reshape(*inputs.shape[:-1], self.units)

    def __call__(self, inputs: jax.Array) -> jax.Array:
        """Spikes, 0 or 1, shape (steps, ..., units), from membranes at 0.

        Args:
            inputs: shape (steps, ..., inputs).

        Raises:
            DataError: the inputs do not fit.
        """
        self._check(inputs)
        current = self.currents(inputs)
        start = jnp.zeros(current.shape[1:], current.dtype)
        spikes, _ = _units(
            self.reset, self.surrogate, False, current, self.beta, self.threshold, start
        )
        return spikes

    def run(self, inputs: jax.Array, start: jax.Array | None = None) -> tuple[jax.Array, jax.Array]:
        """Spikes and membranes, shape (steps, ..., units) each.

        Args:
            inputs: shape (steps, ..., inputs).
            start: membranes before the first step, shape (..., units), by default 0. The last of
                one run is the start of the next.

        Raises:
            DataError: the inputs do not fit.
        """
        self._check(inputs)
        current = self.currents(inputs)
        if start is None:
            start = jnp.zeros(current.shape[1:], current.dtype)
        found: Any = _units(
            self.reset, self.surrogate, True, current, self.beta, self.threshold, start
        )
        return found[0], found[1]

    def _check(self, inputs: jax.Array) -> None:
        if inputs.ndim < 2 or inputs.shape[-1] != self.inputs:
            raise DataError(
                f"inputs have the shape {inputs.shape}; the layer has {self.inputs} inputs: give "
                "(steps, ..., inputs)."
            )


def _advance(
    reset: Reset, mem: jax.Array, current: jax.Array, beta: jax.Array, threshold: jax.Array
) -> jax.Array:
    """The membrane after one more step."""
    fired = mem > threshold
    left = jnp.where(fired, jnp.zeros_like(mem), mem) if reset == "zero" else mem
    # The maximum changes no finite number, but keeps the compiler from drawing product and sum
    # into one operation with one rounding.
    decayed = jnp.maximum(beta * left, float(np.finfo(mem.dtype).min))
    ahead = decayed + current
    if reset == "subtract":
        return ahead - jnp.where(fired, threshold, jnp.zeros_like(threshold))
    return ahead


@partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def _units(
    reset: Reset,
    surrogate: Surrogate,
    record: bool,
    current: jax.Array,
    beta: jax.Array,
    threshold: jax.Array,
    start: jax.Array,
) -> tuple[jax.Array, jax.Array | None]:
    """Spikes, and the membranes where they are to be recorded."""
    return _forward(reset, surrogate, record, current, beta, threshold, start)[0]


def _forward(
    reset: Reset,
    surrogate: Surrogate,
    record: bool,
    current: jax.Array,
    beta: jax.Array,
    threshold: jax.Array,
    start: jax.Array,
) -> tuple[tuple[jax.Array, jax.Array | None], tuple[jax.Array, ...]]:
    """All that the way back needs are the membranes: spikes are told from them."""

    def step(mem: jax.Array, given: jax.Array) -> tuple[jax.Array, jax.Array]:
        mem = _advance(reset, mem, given, beta, threshold)
        return mem, mem

    # Not unrolled: the body is one fused kernel, and more of them in a row were slower.
    _, mem = jax.lax.scan(step, start, current)
    spikes = (mem > threshold).astype(mem.dtype)
    return (spikes, mem if record else None), (mem, beta, threshold, start)


def _backward(
    reset: Reset,
    surrogate: Surrogate,
    record: bool,
    kept: tuple[jax.Array, ...],
    given: tuple[jax.Array, jax.Array | None],
) -> tuple[jax.Array, ...]:
    """The adjoint `a[t] = g_mem[t] + g_spike[t] s'(mem[t]) + beta left[t] a[t+1]`, in reverse.

    `left` is 0 where a spike sets the membrane to 0, else 1. The gradient by the currents is the
    adjoint itself, so that of the weights is one matrix product after the scan.
    """
    mem, beta, threshold, start = kept
    to_spikes, to_mem = given

    def left(mem: jax.Array, value: jax.Array) -> jax.Array:
        return (
            jnp.where(mem > threshold, jnp.zeros_like(value), value) if reset == "zero" else value
        )

    def step(after: jax.Array, now: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
        slope = surrogate.derivative(now[0] - threshold)
        own = left(now[0], beta * after) + now[1] * slope
        if record:
            own = own + now[2]
        return own, own

    signals = (mem, to_spikes) if to_mem is None else (mem, to_spikes, to_mem)
    _, adjoint = jax.lax.scan(step, jnp.zeros_like(start), signals, reverse=True)
    before = jnp.concatenate([start[None], mem[:-1]])
    by_threshold = -to_spikes * surrogate.derivative(mem - threshold)
    if reset == "subtract":
        by_threshold = by_threshold - jnp.where(before > threshold, adjoint, jnp.zeros_like(mem))
    return (
        adjoint,
        _summed(adjoint * left(before, before), beta.shape),
        _summed(by_threshold, threshold.shape),
        left(start, beta * adjoint[0]),
    )


def _summed(value: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Over all axes that a parameter of this shape was spread over."""
    return value.reshape(-1, *shape).sum(axis=0) if shape else value.sum()


_units.defvjp(_forward, _backward)
