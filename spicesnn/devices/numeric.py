"""Device equations in NumPy: current, rates and their derivatives, over whole arrays of devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from spicesnn.devices.ode import Ode

Array = npt.NDArray[np.float64]
Function = Callable[[npt.ArrayLike, npt.ArrayLike, Mapping[str, npt.ArrayLike]], Array]


@dataclass(frozen=True)
class Functions:
    """Functions of voltage `v` (any shape), `states` (one more axis in front) and numbers.

    Attributes:
        current: amperes, shape of `v`.
        conductance: dI/dv, siemens, shape of `v`.
        rates: shape of `states`.
        current_by_state: dI/dstate, shape of `states`.
        rates_by_state: Jacobian, shape (states, states, *v.shape).
    """

    current: Function
    conductance: Function
    rates: Function
    current_by_state: Function
    rates_by_state: Function


@cache
def functions(kind: type[Ode]) -> Functions:
    """The functions of a device's kind, compiled by SymPy once."""
    import sympy as sp
    from scipy.special import expit

    equations = kind.equations()
    states = [sp.Symbol(state.name) for state in kind.states]
    v, names = sp.Symbol("v"), kind.numeric()
    current = equations.inlined(equations.current)
    rates = [equations.inlined(rate) for rate in equations.rates]
    symbols = [v, *states, *map(sp.Symbol, names)]
    own = {
        "logistic": expit,
        "softplus": lambda z: np.logaddexp(0.0, z),
        "clipped": np.clip,
        "within": lambda z, low, high: ((z > low) & (z < high)).astype(np.float64),
    }
    known = [own, "numpy"]

    def compiled(expressions: list[Any], axes: tuple[int, ...]) -> Function:
        plain = sp.lambdify(symbols, expressions, known, cse=True)

        def call(
            volts: npt.ArrayLike, state: npt.ArrayLike, numbers: Mapping[str, npt.ArrayLike]
        ) -> Array:
            volts, state = np.asarray(volts, dtype=np.float64), np.asarray(state)
            found = plain(volts, *state, *(numbers[name] for name in names))
            shape = np.broadcast_shapes(volts.shape, state.shape[1:])
            stacked = np.stack([np.broadcast_to(each, shape) for each in found])
            return stacked.reshape((*axes, *shape))

        return call

    count = len(states)
    return Functions(
        compiled([current], ()),
        compiled([sp.diff(current, v)], ()),
        compiled(rates, (count,)),
        compiled([sp.diff(current, s) for s in states], (count,)),
        compiled([sp.diff(rate, s) for rate in rates for s in states], (count, count)),
    )
