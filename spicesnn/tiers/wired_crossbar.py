"""The crossbar with its wires, exact, as a function that JAX differentiates and compiles."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from spicesnn.arrays import Crossbar, Drive, Ends, LinearArray, Solution, Transfer, Wires
from spicesnn.errors import DataError

Array = npt.NDArray[np.float64]
_Solved = tuple[jax.Array, jax.Array]


@dataclass(frozen=True, eq=False)
class WiredCrossbar:
    """Currents of the columns by the cells' conductances and the rows' volts, IR drop included.

    ```
    volts (..., rows) --> rows' connected ends [cells, wires] columns' connected ends --> currents
    ```

    The same volts stand behind both ends of a row where both are connected; a column's current is
    what leaves by all its connected ends, which are at 0 V. Solved by `LinearArray` in doubles on
    the host, whatever the type of the arrays: inside `jax.jit` by a callback. Its gradient is that
    of `LinearArray.adjoint` and costs one more solve; there is no forward-mode derivative.

    Inputs of one array are solved together where they are leading axes of `volts`; under `jax.vmap`
    each member costs a factorisation and its gradient an array of the conductances' shape.

    Attributes:
        wires: of all lines.
        ends: resistances behind the line ends.
    """

    wires: Wires
    ends: Ends = field(default_factory=Ends)

    def __call__(self, conductance: jax.Array, volts: jax.Array) -> jax.Array:
        """Column currents.

        Args:
            conductance: of the cells, siemens, shape (rows, columns), >= 0.
            volts: behind the rows' ends, shape (..., rows).

        Returns:
            Amperes out of the columns, shape (..., columns), of the type of the inputs.

        Raises:
            DataError: shapes do not match, a conductance is negative or a value not finite. Values
                that are only known inside a compiled function are refused when it runs, by JAX's
                own error with the same text.
        """
        conductance, volts = jnp.asarray(conductance), jnp.asarray(volts)
        if conductance.ndim != 2:
            raise DataError(
                f"conductance has shape {conductance.shape}; give one of (rows, columns)."
            )
        if volts.ndim == 0 or volts.shape[-1] != conductance.shape[0]:
            raise DataError(
                f"volts have shape {volts.shape}; the last axis must be {conductance.shape[0]}, "
                "one for each row of the conductances."
            )
        if not any(isinstance(each, jax.core.Tracer) for each in (conductance, volts)):
            self._crossbar(np.asarray(conductance)).volts(_drive(_doubles(volts)))
        dtype = jnp.result_type(conductance, volts, jnp.float32)
        flat = volts.reshape(-1, volts.shape[-1]).astype(dtype)
        found = _currents(self, conductance.astype(dtype), flat)
        return found.reshape(*volts.shape[:-1], conductance.shape[1])

    def fixed(self, conductance: npt.ArrayLike) -> FixedCrossbar:
        """The same for conductances that stay: one matrix, which holds all that the wires do.

        Args:
            conductance: of the cells, siemens, shape (rows, columns), >= 0.

        Raises:
            DataError: it is no such array, or no row or no column has a connected end.
        """
        crossbar = self._crossbar(np.asarray(conductance, dtype=np.float64))
        transfer = Transfer.of(LinearArray(crossbar))
        rows = np.array([line for _, line in transfer.input_ports])
        columns = np.array([line for _, line in transfer.output_ports])
        matrix = np.zeros((crossbar.columns, crossbar.rows))
        np.add.at(matrix, (columns[:, None], rows[None, :]), transfer.matrix)
        return FixedCrossbar(jnp.asarray(matrix))

    def _crossbar(self, conductance: Array) -> Crossbar:
        return Crossbar(conductance, self.wires, self.ends)


class FixedCrossbar(eqx.Module):
    """Column currents of an array whose conductances stay: `i = matrix v`, pure JAX.

    Attributes:
        matrix: amperes out of each column by volts behind each row, siemens, (columns, rows).
    """

    matrix: jax.Array

    def __call__(self, volts: jax.Array) -> jax.Array:
        """Amperes out of the columns, (..., columns), for volts (..., rows).

        Raises:
            DataError: the last axis is not the number of rows.
        """
        volts = jnp.asarray(volts)
        if volts.ndim == 0 or volts.shape[-1] != self.matrix.shape[1]:
            raise DataError(
                f"volts have shape {volts.shape}; the last axis must be {self.matrix.shape[1]}, "
                "one for each row of the array."
            )
        return volts @ self.matrix.T


def _currents(array: WiredCrossbar, conductance: jax.Array, volts: jax.Array) -> jax.Array:
    """Of inputs (inputs, rows); the callbacks below see further axes in front under `vmap`."""
    rows, columns = conductance.shape
    inputs, dtype = volts.shape[0], conductance.dtype
    of = functools.partial(jax.ShapeDtypeStruct, dtype=dtype)
    current, across = of((inputs, columns)), of((inputs, rows, columns))
    cells, ahead = of((rows, columns)), of((inputs, rows))

    def called(function: Callable[..., Any], shapes: Any, *given: jax.Array) -> Any:
        return jax.pure_callback(function, shapes, *given, vmap_method="expand_dims")

    @jax.custom_vjp
    def solved(g: jax.Array, v: jax.Array) -> jax.Array:
        return cast(jax.Array, called(array_outputs, current, g, v))

    def array_outputs(g: Any, v: Any) -> Array:
        g, v = _doubles(g), _doubles(v)
        found = _empty(current, g, v)
        for at, linear in _members(array, g):
            one = linear.outputs(_drive(v[_within(at, v)]))
            found[at] = one.i_top + one.i_bottom
        return found.astype(dtype)

    def forward(g: jax.Array, v: jax.Array) -> tuple[jax.Array, _Solved]:
        found, difference = called(array_solutions, (current, across), g, v)
        return found, (g, difference)

    def array_solutions(g: Any, v: Any) -> tuple[Array, Array]:
        g, v = _doubles(g), _doubles(v)
        found, difference = _empty(current, g, v), _empty(across, g, v)
        for at, linear in _members(array, g):
            one = linear.solve(_drive(v[_within(at, v)]))
            found[at] = one.i_top + one.i_bottom
            difference[at] = one.row_voltage - one.column_voltage
        return found.astype(dtype), difference.astype(dtype)

    def backward(kept: _Solved, seed: jax.Array) -> tuple[jax.Array, jax.Array]:
        g, difference = kept
        by_g, by_v = called(array_gradients, (cells, ahead), g, difference, seed)
        return by_g, by_v

    def array_gradients(g: Any, difference: Any, seed: Any) -> tuple[Array, Array]:
        g, difference, seed = _doubles(g), _doubles(difference), _doubles(seed)
        batch = np.broadcast_shapes(g.shape[:-2], difference.shape[:-3], seed.shape[:-2])
        difference = np.broadcast_to(difference, (*batch, *across.shape))
        seed = np.broadcast_to(seed, (*batch, *current.shape))
        by_g, by_v = np.empty((*batch, *cells.shape)), np.empty((*batch, *ahead.shape))
        for at, linear in _members(array, g):
            # Every member of a batch has its own gradient: JAX sums where it shares conductances.
            members = by_g[at].reshape(-1, *cells.shape).shape[0]
            part = difference[at].reshape(members, *across.shape)
            seeds = seed[at].reshape(members, *current.shape)
            slopes = [_gradient(linear, p, s) for p, s in zip(part, seeds, strict=True)]
            by_g[at] = np.reshape([one for one, _ in slopes], by_g[at].shape)
            by_v[at] = np.reshape([one for _, one in slopes], by_v[at].shape)
        return by_g.astype(dtype), by_v.astype(dtype)

    solved.defvjp(forward, backward)
    return solved(conductance, volts)


Index = tuple[int | slice, ...]


def _doubles(values: Any) -> Array:
    return np.asarray(values, dtype=np.float64)


def _drive(volts: Array) -> Drive:
    return Drive(left=volts, right=volts)


def _empty(of: jax.ShapeDtypeStruct, conductance: Array, volts: Array) -> Array:
    """For an answer with the axes in front that both inputs have together."""
    return np.empty((*np.broadcast_shapes(conductance.shape[:-2], volts.shape[:-2]), *of.shape))


def _members(array: WiredCrossbar, conductance: Array) -> Iterator[tuple[Index, LinearArray]]:
    """Each distinct array, and where its answers are: all places of an axis that it shares."""
    front = conductance.shape[:-2]
    for index in np.ndindex(*front):
        at: Index = tuple(k if n > 1 else slice(None) for k, n in zip(index, front, strict=True))
        yield at, LinearArray(array._crossbar(conductance[index]))


def _within(at: Index, values: Array) -> Index:
    """The same places in an array that may have 1 along an axis."""
    return tuple(k if n > 1 else slice(None) if isinstance(k, slice) else 0
                 for k, n in zip(at, values.shape, strict=False))  # fmt: skip


def _gradient(linear: LinearArray, across: Array, seed: Array) -> tuple[Array, Array]:
    """By conductances and volts, of one array and its inputs."""
    # Of a solution the adjoint needs the volts across the cells, and the shapes of the currents.
    rows, columns = np.zeros(across.shape[:2]), np.zeros(seed.shape)
    solution = Solution(
        across, np.zeros_like(across), across, rows, rows, columns, columns,
        np.zeros(across.shape[:1]), 0, "",
    )  # fmt: skip
    found = linear.adjoint(solution, i_top=seed, i_bottom=seed)
    return found.conductance, found.left + found.right
