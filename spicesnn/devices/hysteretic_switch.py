"""A volatile switch with two thresholds; the equations are ours."""

from __future__ import annotations

from typing import ClassVar

from spicesnn.devices.ode import Equations, Ode, State
from spicesnn.parameters import parameter

_SOURCE = "equations of our choice"


class HystereticSwitch(Ode):
    """On when `|v|` rises beyond one threshold, off when it falls below a lower one.

    `I = v / r_off (r_off/r_on)^x`; `dx/dt = (1 - x) s(z)/tau_on - x s(-z)/tau_off`,
    `z = (|v| - v_up + span x)/(softness span) - ln(tau_off/tau_on)`, `s(z) = 1/(1 + exp(-z))`.

    The state pulls its own threshold down by `span` as it rises, which makes the hysteresis.
    `v_up` and `span` follow from `v_threshold`, `v_hold` and `softness` so that, with the voltage
    moved slowly, the off state ends at `v_threshold` and the on state at `v_hold`: at the two
    folds of the equilibrium curve `|v| = v_up - span x + softness span ln(x/(1 - x))`. Between
    them both states are stable. The resistance runs from one to the other by ratio, so that the
    off state's small `x` leaks little. `|v|` has its corner at zero rounded over `v_round`.

    Equations are our choice: no published model, no physics of a material.
    """

    kind: ClassVar[str] = "hysteretic switch"
    states: ClassVar[tuple[State, ...]] = (State("x", "1", "how far it is on", "x_0", 0.0, 1.0),)
    rising: ClassVar[tuple[tuple[str, str], ...]] = (("r_on", "r_off"), ("v_hold", "v_threshold"))

    r_on: float = parameter(unit="ohm", doc="resistance, on", gt=0, source=_SOURCE)
    r_off: float = parameter(unit="ohm", doc="resistance, off", gt=0, source=_SOURCE)
    v_threshold: float = parameter(unit="V", doc="switches on above it", gt=0, source=_SOURCE)
    v_hold: float = parameter(unit="V", doc="switches off below it", gt=0, source=_SOURCE)
    tau_on: float = parameter(unit="s", doc="time constant of switching on", gt=0, source=_SOURCE)
    tau_off: float = parameter(unit="s", doc="time constant of switching off", gt=0, source=_SOURCE)
    x_0: float = parameter(0.0, unit="1", doc="initial state", ge=0, le=1)
    softness: float = parameter(
        0.01, unit="1", doc="thresholds' width over their distance", gt=0, lt=0.25
    )
    v_round: float = parameter(1e-3, unit="V", doc="rounding of the magnitude at zero", gt=0)

    @property
    def volatile(self) -> bool:
        """Always."""
        return True

    @classmethod
    def equations(cls) -> Equations:
        """As in the class's description."""
        import sympy as sp

        from spicesnn.devices.smooth import clipped, logistic, magnitude

        v, x = sp.symbols("v x")
        r_on, r_off, v_threshold, v_hold, tau_on, tau_off, softness, v_round = sp.symbols(
            "r_on r_off v_threshold v_hold tau_on tau_off softness v_round"
        )
        # The folds are at `x = fold` and `1 - fold`, where `x (1 - x) = softness`.
        fold, depth, span, z = sp.symbols("fold depth span z")
        v_up = v_threshold + span * fold - depth * span
        return Equations(
            current=v / r_off * sp.exp(clipped(x, -0.01, 1.01) * sp.log(r_off / r_on)),
            rates=((1 - x) * logistic(z) / tau_on - x * logistic(-z) / tau_off,),
            named=(
                (fold, (1 - sp.sqrt(1 - 4 * softness)) / 2),
                (depth, softness * sp.log(fold / (1 - fold))),
                (span, (v_threshold - v_hold) / (1 - 2 * fold + 2 * depth)),
                (
                    z,
                    (magnitude(v, v_round) - v_up + span * x) / (softness * span)
                    - sp.log(tau_off / tau_on),
                ),
            ),
        )
