"""Smooth functions of which device equations are made, as SymPy functions that every printer knows.

A published model may jump or have a corner; a circuit solver wants neither. These stand in: each
is as smooth as the exponential, and near its corner only differs over the width of its argument.
This module loads SymPy: it is imported where equations are built.
"""

from __future__ import annotations

from typing import Any

import sympy as sp


class logistic(sp.Function):  # noqa: N801 - a function's name in equations
    """`1 / (1 + exp(-z))`: the smooth step."""

    def fdiff(self, argindex: int = 1) -> Any:
        """Its derivative, `s (1 - s)`."""
        return self * (1 - self)


class softplus(sp.Function):  # noqa: N801
    """`ln(1 + exp(z))`: the smooth positive part."""

    def fdiff(self, argindex: int = 1) -> Any:
        """Its derivative, the logistic."""
        return logistic(self.args[0])


class within(sp.Function):  # noqa: N801
    """`within(z, low, high)`: 1 between its bounds, else 0; only derivatives hold it."""


class clipped(sp.Function):  # noqa: N801
    """`clipped(z, low, high)`: what equations use of a state of which solvers try wild values.

    A Newton step may put a state far beyond its bounds, where an exponential is beyond every
    number and the solver never comes back. The corners belong where no solution goes.
    """

    def fdiff(self, argindex: int = 1) -> Any:
        """By its first argument; the bounds are numbers."""
        if argindex != 1:
            raise sp.ArgumentIndexError(self, argindex)
        return within(*self.args)


def positive_part(z: Any, width: Any) -> Any:
    """`max(z, 0)` with its corner rounded over `width`: off by 0.69 width at the corner."""
    return width * softplus(z / width)


def magnitude(z: Any, width: Any) -> Any:
    """`|z|` with its corner rounded: off by `width` at zero."""
    return sp.sqrt(z**2 + width**2)


def bounded(up: Any, down: Any, state: Any, low: Any, high: Any, width: Any) -> Any:
    """The rate `up - down` of a state, each part dying out at the bound that it runs to.

    `up tanh((high - state)/width) - down tanh((state - low)/width)`. Within a few widths of a bound
    the state comes to it exponentially and never passes it; a state beyond one is driven back.

    Args:
        up: the part of the rate that raises the state, not negative.
        down: the part that lowers it, not negative.
        state: the state that is to stay between `low` and `high`.
        low: the lower bound.
        high: the upper bound.
        width: of the layer at each bound, in the state's unit.
    """
    return up * sp.tanh((high - state) / width) - down * sp.tanh((state - low) / width)
