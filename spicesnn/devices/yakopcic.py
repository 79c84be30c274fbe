"""The model of Yakopcic: hyperbolic sine currents, exponential motion beyond two thresholds."""

from __future__ import annotations

from typing import ClassVar

from spicesnn.devices.ode import Equations, Ode, State
from spicesnn.parameters import parameter

_SOURCE = "Yakopcic et al., IEEE Trans. Comput.-Aided Des. 32(8), 1201-1214, 2013"


class Yakopcic(Ode):
    """Current `a_1 x sinh(b v)` above zero and `a_2 x sinh(b v)` below, state `x` of 0 to 1.

    `dx/dt = g(v) f(v, x)`, `g = a_p (exp(v) - exp(v_p))` for `v > v_p`,
    `-a_n (exp(-v) - exp(v_n))` for `v < -v_n`, else 0. Rising, `f = 1` up to `x_p` and
    `exp(-alpha_p (x - x_p)) (1 - x)/(1 - x_p)` beyond; falling, `f = 1` down to `1 - x_n` and
    `exp(alpha_n (x + x_n - 1)) x/(1 - x_n)` below: the state comes to no bound, nothing is clipped.

    Published are corners: of `g` at the thresholds, rounded here over `v_width`; of `f`, rounded
    over `x_width`; and between the two currents at zero, if `a_1` and `a_2` differ, over `v_width`.
    Under random voltages the state is then off the published one by 0.04 % of its range at most.
    The published `eta = -1` is this device turned round, the numbers of its two signs exchanged.
    """

    kind: ClassVar[str] = "Yakopcic"
    states: ClassVar[tuple[State, ...]] = (State("x", "1", "state variable", "x_0", 0.0, 1.0),)

    a_1: float = parameter(unit="A", doc="current scale, positive", gt=0, source=_SOURCE)
    a_2: float = parameter(unit="A", doc="current scale, negative", gt=0, source=_SOURCE)
    b: float = parameter(unit="1/V", doc="curvature of the current", gt=0, source=_SOURCE)
    v_p: float = parameter(unit="V", doc="positive threshold", gt=0, source=_SOURCE)
    v_n: float = parameter(unit="V", doc="negative threshold's size", gt=0, source=_SOURCE)
    a_p: float = parameter(unit="1/s", doc="speed of rising", gt=0, source=_SOURCE)
    a_n: float = parameter(unit="1/s", doc="speed of falling", gt=0, source=_SOURCE)
    x_p: float = parameter(unit="1", doc="rising slows beyond it", gt=0, lt=1, source=_SOURCE)
    x_n: float = parameter(unit="1", doc="falling slows below 1 - x_n", gt=0, lt=1, source=_SOURCE)
    alpha_p: float = parameter(unit="1", doc="decay of rising", ge=0, source=_SOURCE)
    alpha_n: float = parameter(unit="1", doc="decay of falling", ge=0, source=_SOURCE)
    x_0: float = parameter(unit="1", doc="initial state", ge=0, le=1, source=_SOURCE)
    v_width: float = parameter(2e-3, unit="V", doc="rounding of the thresholds", gt=0)
    x_width: float = parameter(2e-3, unit="1", doc="rounding of the windows' corners", gt=0)

    @classmethod
    def equations(cls) -> Equations:
        """As in the class's description. Source: Yakopcic et al. 2013."""
        import sympy as sp

        from spicesnn.devices.smooth import logistic, positive_part

        v, x = sp.symbols("v x")
        a_1, a_2, b, v_p, v_n, a_p, a_n, x_p, x_n, alpha_p, alpha_n, v_width, x_width = sp.symbols(
            "a_1 a_2 b v_p v_n a_p a_n x_p x_n alpha_p alpha_n v_width x_width"
        )
        over_p, over_n = positive_part(v - v_p, v_width), positive_part(-v - v_n, v_width)
        up = a_p * sp.exp(v_p) * (sp.exp(over_p) - 1)
        down = a_n * sp.exp(v_n) * (sp.exp(over_n) - 1)
        beyond_p, beyond_n = sp.symbols("beyond_p beyond_n")
        window_p = sp.exp(-alpha_p * beyond_p) * (1 - beyond_p / (1 - x_p))
        window_n = sp.exp(-alpha_n * beyond_n) * (1 - beyond_n / (1 - x_n))
        scale = a_2 + (a_1 - a_2) * logistic(v / v_width)
        return Equations(
            current=scale * x * sp.sinh(b * v),
            rates=(up * window_p - down * window_n,),
            named=(
                (beyond_p, positive_part(x - x_p, x_width)),
                (beyond_n, positive_part(1 - x_n - x, x_width)),
            ),
        )
