"""ngspice's options as a typed set: a misspelt one is an error here, silently ignored there."""

from __future__ import annotations

from typing import Literal

from spicesnn.parameters import Parameters, parameter


class SimulationOptions(Parameters):
    """Solver options; the defaults are right in the subthreshold domain.

    With ngspice's own gmin and abstol of 1e-12 an off transistor leaks tens of times too much and
    currents of pA come out wrong by factors. `bypass` lets the solver skip a transistor whose
    voltages moved by less than the tolerances since it was last evaluated.
    """

    relative_tolerance: float = parameter(1e-4, unit="1", doc="reltol", gt=0, le=1e-2)
    current_tolerance: float = parameter(1e-17, unit="A", doc="abstol", gt=0)
    voltage_tolerance: float = parameter(1e-6, unit="V", doc="vntol", gt=0)
    charge_tolerance: float = parameter(1e-16, unit="C", doc="chgtol", gt=0)
    minimum_conductance: float = parameter(1e-17, unit="S", doc="gmin", gt=0)
    bypass: bool = True
    method: Literal["trap", "gear"] = "trap"

    def line(self) -> str:
        """The `.options` line of a deck."""
        return (
            f".options reltol={self.relative_tolerance:g} abstol={self.current_tolerance:g} "
            f"vntol={self.voltage_tolerance:g} chgtol={self.charge_tolerance:g} "
            f"gmin={self.minimum_conductance:g} method={self.method} bypass={int(self.bypass)}"
        )

    def tightened(self, factor: float) -> SimulationOptions:
        """Every tolerance divided by `factor`, and no transistor skipped."""
        return self.model_copy(
            update={
                "relative_tolerance": self.relative_tolerance / factor,
                "current_tolerance": self.current_tolerance / factor,
                "voltage_tolerance": self.voltage_tolerance / factor,
                "charge_tolerance": self.charge_tolerance / factor,
                "bypass": False,
            }
        )
