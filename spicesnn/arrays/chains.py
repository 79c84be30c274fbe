"""Parallel lines as chains of equal resistors: what flows in them, and exact solves along them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dpttrs

from spicesnn.errors import SimulationError

Array = npt.NDArray[np.float64]
_STRIP = 16  # Rows of doubles whose cache lines live together while they are turned.


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines of equal segments, each a chain of nodes with its two ends.

    Attributes:
        nodes: on each line.
        segment: conductance between neighbouring nodes, siemens.
        first, last: conductances to the volts behind the ends, 0 if open, siemens, (lines,).
    """

    nodes: int
    segment: float
    first: Array
    last: Array

    def at_rest(self, first: Array, last: Array) -> tuple[Array, Array]:
        """Voltages and current of the lines with no cell on them.

        One end connected: its volts everywhere. Both: linear between them. None: 0 V, which is as
        good as any other since no current flows.

        Args:
            first: volts behind the first ends, shape (..., lines).
            last: behind the last ends, likewise.

        Returns:
            Volts (..., lines, nodes) and the current from first to last end, A, (..., lines).
        """
        one, two = self.first > 0, self.last > 0
        with np.errstate(divide="ignore"):
            near, far = 1 / self.first, 1 / self.last
        if not (one & two).any():
            flat = np.where(one, first, np.where(two, last, 0.0))
            shape = (*flat.shape, self.nodes)
            return np.broadcast_to(flat[..., None], shape), np.zeros(flat.shape)
        inner = np.arange(self.nodes) / self.segment
        whole = near + inner[-1] + far
        through = np.where(one & two, (first - last) / whole, 0.0)
        part = np.divide(near[:, None] + inner, whole[:, None], where=(one & two)[:, None],
                         out=np.zeros((one.size, self.nodes)))  # fmt: skip
        start = np.where(one, first, np.where(two, last, 0.0))
        step = np.where(one & two, last - first, 0.0)
        return start[..., None] + step[..., None] * part, through

    def leaving(self, drop: Array) -> Array:
        """Current that leaves each node along its line, A, for voltages against those at rest.

        Args:
            drop: volts, shape (..., lines, nodes).
        """
        out = np.empty_like(drop)
        flow = np.subtract(drop[..., 1:], drop[..., :-1])
        flow *= self.segment
        out[..., 0] = self.first * drop[..., 0]
        out[..., 1:] = flow
        out[..., :-1] -= flow
        out[..., -1] += self.last * drop[..., -1]
        return out

    def factor(self, shunt: Array) -> Factor:
        """Factors of the lines' equations with a conductance from each node to ground.

        `D_k = c_k + g`, `c_{k+1} = s_{k+1} + g c_k / (c_k + g)`: `c_k` is the conductance to ground
        seen from node k backwards. Nothing is subtracted, so the factors are exact to rounding for
        any ratio of wires to cells, also where the sum `2 g + s` has lost `s`.

        Args:
            shunt: siemens >= 0, shape (nodes, lines): the transpose, so that each step along all
                lines is contiguous.
        """
        nodes, lines = shunt.shape
        pivots = np.empty((nodes, lines))
        seen = shunt[0] + self.first
        part = np.empty(lines)
        for k in range(nodes - 1):
            pivot = pivots[k]
            np.add(seen, self.segment, out=pivot)
            np.divide(seen, pivot, out=part)
            part *= self.segment
            np.add(part, shunt[k + 1], out=seen)
        np.add(seen, self.last, out=pivots[-1])
        diagonal = turned(pivots)
        if not (diagonal[:, -1] > 0).all():
            raise SimulationError(
                f"line {int(np.argmin(diagonal[:, -1]))} of the array floats in double precision; "
                "connect one of its ends."
            )
        below = -self.segment / diagonal
        below[:, -1] = 0.0  # The chains lie behind one another and do not touch.
        return Factor(diagonal.reshape(-1), below.reshape(-1)[:-1])


@dataclass(frozen=True, eq=False)
class Factor:
    """`L D L^T` of all lines behind one another, so that one LAPACK call solves them all.

    Attributes:
        diagonal: shape (lines * nodes,).
        below: of the unit lower factor, shape (lines * nodes - 1,).
    """

    diagonal: Array
    below: Array

    def solve(self, right: Array) -> Array:
        """Solve in place for every member of a batch.

        Args:
            right: shape (batch, lines, nodes), C order; it is overwritten.
        """
        flat = right.reshape(right.shape[0], -1).T
        if self.below.size:
            dpttrs(self.diagonal, self.below, flat, overwrite_b=1)
        else:
            flat /= self.diagonal[:, None]
        return right


def turned(given: Array, out: Array | None = None) -> Array:
    """The last two axes exchanged, in C order; by strips, for the caches' sake."""
    shape = (*given.shape[:-2], given.shape[-1], given.shape[-2])
    if out is None:
        out = np.empty(shape)
    for k in range(0, given.shape[-2], _STRIP):
        out[..., k : k + _STRIP] = given[..., k : k + _STRIP, :].swapaxes(-1, -2)
    return out
