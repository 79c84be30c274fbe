"""The mean metastable switch: a conductance between two, switched over logistic thresholds."""

from __future__ import annotations

from typing import Any, ClassVar

from spicesnn.devices.ode import Equations, Ode, State
from spicesnn.errors import ParameterError
from spicesnn.parameters import parameter

_SOURCE = "Nugent and Molter, PLoS ONE 9(2), e85175, 2014"


class MetastableSwitch(Ode):
    """Mean of many metastable switches, with a Schottky term beside the ohmic one.

    `G = x/r_on + (1 - x)/r_off`,
    `dx/dt = ((1 - x) s((v - v_on)/v_width) - x s((v_off - v)/v_width)) / tau`,
    `I = phi G v + (1 - phi) (a_f exp(b_f v) - a_r exp(-b_r v))`, `s(z) = 1/(1 + exp(-z))`.

    With `v_off` below zero the device keeps its state; with `v_off` above zero it switches itself
    off at zero bias: the volatile switch of the memristive integrate-and-fire neuron. The
    thresholds are logistic in the published model: nothing was smoothed. Published are separate
    `a_f` and `a_r`; unequal they would make a device that gives power, so here they must be one.
    """

    kind: ClassVar[str] = "metastable switch"
    states: ClassVar[tuple[State, ...]] = (
        State("x", "1", "share of the switches that are on", "x_0", 0.0, 1.0),
    )

    rising: ClassVar[tuple[tuple[str, str], ...]] = (("r_on", "r_off"), ("v_off", "v_on"))
    alike: ClassVar[tuple[tuple[str, str], ...]] = (("a_f", "a_r"),)

    r_on: float = parameter(unit="ohm", doc="resistance, all on", gt=0, source=_SOURCE)
    r_off: float = parameter(unit="ohm", doc="resistance, all off", gt=0, source=_SOURCE)
    v_on: float = parameter(unit="V", doc="threshold of switching on", source=_SOURCE)
    v_off: float = parameter(unit="V", doc="threshold of switching off: below it", source=_SOURCE)
    v_width: float = parameter(unit="V", doc="width of both thresholds", gt=0, source=_SOURCE)
    tau: float = parameter(unit="s", doc="time constant of switching", gt=0, source=_SOURCE)
    x_0: float = parameter(unit="1", doc="initial share of switches that are on", ge=0, le=1)
    phi: float = parameter(1.0, unit="1", doc="share of the ohmic current", ge=0, le=1)
    a_f: float = parameter(0.0, unit="A", doc="Schottky saturation current, forward", ge=0)
    b_f: float = parameter(1.0, unit="1/V", doc="Schottky exponent, forward", ge=0)
    a_r: float = parameter(0.0, unit="A", doc="Schottky saturation current, reverse", ge=0)
    b_r: float = parameter(1.0, unit="1/V", doc="Schottky exponent, reverse", ge=0)

    def model_post_init(self, context: Any) -> None:
        """Check also that no current flows at zero voltage.

        Raises:
            ParameterError: the two Schottky currents differ, which would make it a source of power.
        """
        super().model_post_init(context)
        if self.phi < 1 and self.a_f != self.a_r:
            raise ParameterError(
                f"{self.name}.a_f = {self.a_f:g} A and a_r = {self.a_r:g} A differ: at no voltage "
                "a current would flow, and the device would give power; give both one value (b_f "
                "and b_r may differ), or phi = 1."
            )

    @property
    def volatile(self) -> bool:
        """With the threshold of switching off above zero."""
        return self.v_off > 0

    @classmethod
    def equations(cls) -> Equations:
        """As in the class's description. Source: Nugent and Molter 2014."""
        import sympy as sp

        from spicesnn.devices.smooth import logistic

        v, x = sp.symbols("v x")
        r_on, r_off, v_on, v_off, v_width, tau, phi, a_f, b_f, a_r, b_r = sp.symbols(
            "r_on r_off v_on v_off v_width tau phi a_f b_f a_r b_r"
        )
        schottky = a_f * sp.exp(b_f * v) - a_r * sp.exp(-b_r * v)
        on = (1 - x) * logistic((v - v_on) / v_width)
        off = x * logistic((v_off - v) / v_width)
        return Equations(
            current=phi * v * (x / r_on + (1 - x) / r_off) + (1 - phi) * schottky,
            rates=((on - off) / tau,),
        )
