"""The Stanford-PKU compact model of an oxide resistive memory: a gap, heated, in a field."""

from __future__ import annotations

from typing import ClassVar

from spicesnn.devices.ode import Equations, Ode, State
from spicesnn.parameters import parameter

_SOURCE = "Jiang and Wong, Stanford University RRAM Verilog-A model 1.0.0, doi 10.4231/D37H1DN48"
# Boltzmann's constant over the elementary charge, volts per kelvin.
_K_OVER_Q = 1.380649e-23 / 1.602176634e-19


class StanfordPku(Ode):
    """Tunnelling through a gap that grows and shrinks by field-driven, heated ions.

    `I = i_0 exp(-gap/g_0) sinh(v/v_0)`, `T = t_ini + r_th v I`,
    `gamma = gamma_0 - beta (gap/1 nm)^3`, zero where `gamma |v|/t_ox < f_min`,
    `dgap/dt = -vel_0 exp(-e_a/kT) sinh(gamma (a_0/t_ox) v/kT)`, `gap_min <= gap <= gap_max`
    (`kT` in volts). Without a current limit SET is abrupt, RESET gradual. The published noise
    term (`model_switch = 1`) is no part of these equations: cycles differ by the spread of numbers.

    Published are a jump, at `f_min`, and a gap clipped at its bounds. Here the rate is switched by
    a logistic of the field, of width `f_width` of `f_min`, and the gap comes to a bound through a
    layer, `layer` deep. In the package's ramp of 2 V in 4 ms SET comes 2.6 mV earlier than the
    published equations have it (at 1.390 instead of 1.392 V), RESET 0.9 to 2.0 mV; after its pulses
    of 100 ns the gap agrees to 4 parts in a million, and the time of SET to 0.01 %.

    In a transient keep the maximum step below some 10 mV of the fastest voltage: over a longer one
    the solver steps across the jump in the field, and may not come back from it.
    """

    kind: ClassVar[str] = "Stanford-PKU"
    states: ClassVar[tuple[State, ...]] = (
        State(
            "gap", "m", "distance of electrode and filament", "gap_0", "gap_min", "gap_max", 1e-9
        ),
    )

    rising: ClassVar[tuple[tuple[str, str], ...]] = (("gap_min", "gap_max"),)

    i_0: float = parameter(unit="A", doc="current scale", gt=0, source=_SOURCE)
    g_0: float = parameter(unit="m", doc="decay of the current with the gap", gt=0, source=_SOURCE)
    v_0: float = parameter(unit="V", doc="curvature of the current", gt=0, source=_SOURCE)
    vel_0: float = parameter(unit="m/s", doc="speed of the gap", gt=0, source=_SOURCE)
    gamma_0: float = parameter(unit="1", doc="field enhancement at no gap", gt=0, source=_SOURCE)
    beta: float = parameter(
        unit="1", doc="its fall with the gap's cube in nm", ge=0, source=_SOURCE
    )
    e_a: float = parameter(unit="V", doc="activation energy over charge", gt=0, source=_SOURCE)
    a_0: float = parameter(unit="m", doc="distance of atoms", gt=0, source=_SOURCE)
    t_ox: float = parameter(unit="m", doc="oxide thickness", gt=0, source=_SOURCE)
    f_min: float = parameter(unit="V/m", doc="least enhanced field", gt=0, source=_SOURCE)
    r_th: float = parameter(unit="K/W", doc="thermal resistance", ge=0, source=_SOURCE)
    t_ini: float = parameter(unit="K", doc="ambient temperature", gt=0, source=_SOURCE)
    gap_min: float = parameter(unit="m", doc="smallest gap", gt=0, source=_SOURCE)
    gap_max: float = parameter(unit="m", doc="largest gap", gt=0, source=_SOURCE)
    gap_0: float = parameter(unit="m", doc="initial gap", gt=0, source=_SOURCE)
    f_width: float = parameter(3e-4, unit="1", doc="width of the field's switch over f_min", gt=0)
    layer: float = parameter(5e-12, unit="m", doc="layer at each bound", gt=0)

    @classmethod
    def equations(cls) -> Equations:
        """As in the class's description. Source: the package's model, mode without noise."""
        import sympy as sp

        from spicesnn.devices.smooth import bounded, clipped, logistic

        v, gap = sp.symbols("v gap")
        i_0, g_0, v_0, vel_0, gamma_0, beta, e_a, a_0, t_ox = sp.symbols(
            "i_0 g_0 v_0 vel_0 gamma_0 beta e_a a_0 t_ox"
        )
        f_min, r_th, t_ini, gap_min, gap_max, f_width, layer = sp.symbols(
            "f_min r_th t_ini gap_min gap_max f_width layer"
        )
        tried, kt, gamma, speed, drive = sp.symbols("tried kt_value gamma_value speed drive")
        current = i_0 * sp.exp(-tried / g_0) * sp.sinh(v / v_0)
        # The current has the voltage's sign: their product is the magnitude that is published.
        field = gamma * v / (t_ox * f_min)
        up = -speed * logistic((-field - 1) / f_width)
        down = speed * logistic((field - 1) / f_width)
        return Equations(
            current=current,
            rates=(bounded(up, down, gap, gap_min, gap_max, layer),),
            named=(
                (tried, clipped(gap, gap_min - layer, gap_max + layer)),
                (kt, sp.Float(_K_OVER_Q) * (t_ini + r_th * v * current)),
                (gamma, gamma_0 - beta * (tried * 1e9) ** 3),
                (drive, gamma * a_0 * v / (t_ox * kt)),
                (speed, vel_0 * sp.exp(-e_a / kt) * sp.sinh(drive)),
            ),
        )
