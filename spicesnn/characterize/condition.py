"""Where a bench is measured: process, corner, temperature, and the laws' constants there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spicesnn.engine.pool import Pool
from spicesnn.fit.mos import extract_mos
from spicesnn.fit.simulated import simulated_curves
from spicesnn.processes import Process
from spicesnn.units import thermal_voltage


@dataclass(frozen=True)
class WeakInversion:
    """What the analytic laws know of a transistor, from extraction on its own curves.

    Attributes:
        kappa: inverse slope factor, source at the bulk.
        i_0: amperes at zero gate voltage, of W = L.
        i_spec: specific current, amperes, of W = L: weak inversion is under a tenth of it.
    """

    kappa: float
    i_0: float
    i_spec: float


@dataclass(frozen=True)
class Condition:
    """A process at a corner and temperature, with the laws' constants there.

    Attributes:
        process: with its corner.
        celsius: temperature, degrees Celsius.
        nfet, pfet: constants of the core transistors of W = L = 1 um, extracted from their
            drain currents; never fitted on a bench.
    """

    process: Process
    celsius: float
    nfet: WeakInversion
    pfet: WeakInversion

    @property
    def thermal_voltage(self) -> float:
        """K T / q, volts."""
        return thermal_voltage(self.celsius)

    @property
    def supply(self) -> float:
        """Of the core, volts."""
        return self.process.supply

    def time_constant(self, farads: float, amperes: float, kind: str) -> float:
        """`C U_T / (kappa I)` of a transistor kind, seconds."""
        device = self.nfet if kind == "nfet" else self.pfet
        return farads * self.thermal_voltage / (device.kappa * amperes)


def condition(process: Process, celsius: float, pool: Pool) -> Condition:
    """Extract the constants of both transistors and put them beside process and temperature.

    Raises:
        ParameterError: the temperature is out of the process's range.
        SimulationError: the transistors' curves cannot be simulated.
    """
    celsius = process.checked_temperature(celsius)
    found = {}
    for kind in ("nfet", "pfet"):
        curves = simulated_curves(process, kind, 1e-6, 1e-6, pool, celsius=[celsius])
        values = extract_mos(curves[0]).values
        found[kind] = WeakInversion(*(values[k].value for k in ("kappa", "i_0", "i_spec")))
    return Condition(process, celsius, found["nfet"], found["pfet"])


def inversion(current: float, kind: str, width: float, length: float, on: Condition) -> float:
    """Inversion coefficient of a current: under 0.1 is weak inversion, over 10 strong."""
    device = on.nfet if kind == "nfet" else on.pfet
    return current * length / (width * device.i_spec)


def doubts(
    currents: Mapping[str, tuple[float, str, float, float]], on: Condition
) -> tuple[str, ...]:
    """Which currents are above weak inversion, in words.

    Args:
        currents: name to amperes, `nfet` or `pfet`, width, length.
        on: where.
    """
    said = []
    for name, (amperes, kind, width, length) in currents.items():
        found = inversion(amperes, kind, width, length, on)
        if found > 0.1:
            said.append(
                f"{name} = {amperes:g} A is at inversion coefficient {found:.2g} of a {kind} of "
                f"W/L = {width:g}/{length:g} m: weak inversion ends at 0.1, and the law with it."
            )
    return tuple(said)
