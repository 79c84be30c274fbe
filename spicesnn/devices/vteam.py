"""VTEAM: a state between two bounds that moves once the voltage is beyond a threshold."""

from __future__ import annotations

from typing import ClassVar

from spicesnn.devices.ode import Equations, Ode, State
from spicesnn.parameters import parameter

_SOURCE = "Kvatinsky et al., IEEE Trans. Circuits Syst. II 62(8), 786-790, 2015"


class Vteam(Ode):
    """Voltage-controlled threshold model with a resistance linear in the state.

    `dw/dt = k_off (v/v_off - 1)^alpha_off` for `v > v_off`, `k_on (v/v_on - 1)^alpha_on` for
    `v < v_on`, else 0, `0 <= w <= d`; `I = v / (r_on + (r_off - r_on) w/d)`.

    Published are two corners, at the thresholds, and a state clipped at its bounds. Here each
    corner is rounded over `v_width` and the state comes to a bound through a layer, `layer` deep.
    Under random voltages the state is then off the published one by 0.16 % of its range at most.
    """

    kind: ClassVar[str] = "VTEAM"
    states: ClassVar[tuple[State, ...]] = (
        State("w", "m", "width of the undoped part", "w_0", 0.0, "d", 1e-9),
    )
    rising: ClassVar[tuple[tuple[str, str], ...]] = (("r_on", "r_off"),)

    r_on: float = parameter(unit="ohm", doc="resistance at w = 0", gt=0, source=_SOURCE)
    r_off: float = parameter(unit="ohm", doc="resistance at w = d", gt=0, source=_SOURCE)
    d: float = parameter(unit="m", doc="largest width", gt=0, source=_SOURCE)
    k_on: float = parameter(unit="m/s", doc="speed of switching on", lt=0, source=_SOURCE)
    k_off: float = parameter(unit="m/s", doc="speed of switching off", gt=0, source=_SOURCE)
    alpha_on: float = parameter(unit="1", doc="exponent of switching on", gt=0, source=_SOURCE)
    alpha_off: float = parameter(unit="1", doc="exponent of switching off", gt=0, source=_SOURCE)
    v_on: float = parameter(unit="V", doc="threshold of switching on", lt=0, source=_SOURCE)
    v_off: float = parameter(unit="V", doc="threshold of switching off", gt=0, source=_SOURCE)
    w_0: float = parameter(unit="m", doc="initial width", ge=0)
    v_width: float = parameter(5e-4, unit="V", doc="rounding of both thresholds", gt=0)
    layer: float = parameter(1e-11, unit="m", doc="layer at each bound", gt=0)

    @classmethod
    def equations(cls) -> Equations:
        """As in the class's description. Source: Kvatinsky et al. 2015, without a window."""
        import sympy as sp

        from spicesnn.devices.smooth import bounded, clipped, positive_part

        v, w = sp.symbols("v w")
        r_on, r_off, d, k_on, k_off, alpha_on, alpha_off, v_on, v_off, v_width, layer = sp.symbols(
            "r_on r_off d k_on k_off alpha_on alpha_off v_on v_off v_width layer"
        )
        # Solvers try states far beyond their bounds: the resistance must not turn negative there.
        tried = clipped(w, -layer, d + layer)
        # Far below a threshold the rounded part is zero in floating point, and the derivative of
        # a power of zero is not a number to a compiler: a base never is zero.
        tiny = sp.Float(1e-30)
        beyond_off = positive_part(v - v_off, v_width) / v_off + tiny
        beyond_on = positive_part(v_on - v, v_width) / -v_on + tiny
        up, down = sp.symbols("rate_off rate_on")
        return Equations(
            current=v / (r_on + (r_off - r_on) * tried / d),
            rates=(bounded(up, down, w, 0, d, layer),),
            named=((up, k_off * beyond_off**alpha_off), (down, -k_on * beyond_on**alpha_on)),
        )
