"""ngspice's options as a typed set: a misspelt one is an error here, silently ignored there."""

from __future__ import annotations

from typing import Literal

from spicesnn.circuits.deck import Deck, NoiseSpectrum
from spicesnn.errors import ParameterError, UnknownNameError
from spicesnn.parameters import Parameters, parameter

# Options of ngspice that are fields of `SimulationOptions`.
TYPED_OPTIONS = {
    "reltol": "relative_tolerance", "abstol": "current_tolerance", "vntol": "voltage_tolerance",
    "chgtol": "charge_tolerance", "gmin": "minimum_conductance", "itl1": "dc_iterations",
    "itl4": "transient_iterations", "gminsteps": "gmin_steps", "srcsteps": "source_steps",
}  # fmt: skip
# Known to ngspice 39 and 46 (manual, chapter on .options).
_KNOWN = """
    abstol acct list node nomod nopage numdgt opts seed temp tnom autostop gmin gminsteps itl1
    itl2 keepopinfo noinit noopac pivrel pivtol reltol rshunt srcsteps vntol chgtol interp itl3
    itl4 itl5 itl6 lvltim maxord method ramptime trtol xmu bypass trytocompact badmos3 defad defas
    defl defw scale scalm savecurrents warn maxwarns klu sparse noacct post brief cshunt newtrunc
    indverbosity epsmin gshunt optran noopiter limpts cptime defnrd defnrs
"""
KNOWN_OPTIONS = frozenset(_KNOWN.split())
# From this many elements on KLU is faster than Sparse in `benchmarks/engine.py`.
KLU_ELEMENTS = 1000


class SimulationOptions(Parameters):
    """Solver options; the defaults are right in the subthreshold domain.

    With ngspice's own gmin and abstol of 1e-12 an off transistor leaks tens of times too much and
    currents of pA come out wrong by factors. `bypass` lets the solver skip a transistor whose
    voltages moved by less than the tolerances since it was last evaluated. The solver `auto` is
    KLU for large circuits, where this ngspice has it, and Sparse for the others.
    """

    relative_tolerance: float = parameter(1e-4, unit="1", doc="reltol", gt=0, le=1e-2)
    current_tolerance: float = parameter(1e-17, unit="A", doc="abstol", gt=0)
    voltage_tolerance: float = parameter(1e-6, unit="V", doc="vntol", gt=0)
    charge_tolerance: float = parameter(1e-16, unit="C", doc="chgtol", gt=0)
    minimum_conductance: float = parameter(5e-18, unit="S", doc="gmin", gt=0)
    bypass: bool = parameter(True, unit="1", doc="bypass: skip transistors that did not move")
    method: Literal["trap", "gear"] = parameter("trap", unit="1", doc="method of integration")
    solver: Literal["auto", "sparse", "klu"] = parameter(
        "auto", unit="1", doc="of the linear equations"
    )
    dc_iterations: int = parameter(100, unit="1", doc="itl1; under 100 is taken as 100", ge=1)
    transient_iterations: int = parameter(10, unit="1", doc="itl4, likewise", ge=1)
    gmin_steps: int = parameter(1, unit="1", doc="gminsteps; 1 chooses by itself", ge=0)
    source_steps: int = parameter(1, unit="1", doc="srcsteps; 1 chooses by itself", ge=0)

    @staticmethod
    def profile(name: str) -> SimulationOptions:
        """`subthreshold` (the default), `precise`, `digital` or `fast` (a look).

        `precise` holds spike times of densely firing neurons ten times closer, at twice the cost;
        `digital` is for volts and microamperes.

        Raises:
            UnknownNameError: there is no such profile.
        """
        if name not in PROFILES:
            raise UnknownNameError("profile of options", name, PROFILES)
        return PROFILES[name]

    def line(self, klu: bool = False) -> str:
        """The `.options` line of a deck; `klu` asks for that solver."""
        return (
            f".options reltol={self.relative_tolerance:g} abstol={self.current_tolerance:g} "
            f"vntol={self.voltage_tolerance:g} chgtol={self.charge_tolerance:g} "
            f"gmin={self.minimum_conductance:g} method={self.method} bypass={int(self.bypass)} "
            f"itl1={self.dc_iterations} itl4={self.transient_iterations} "
            f"gminsteps={self.gmin_steps} srcsteps={self.source_steps} warn=1 maxwarns=200"
            + (" klu" if klu else "")
        )

    def with_klu(self, deck: Deck, available: bool) -> bool:
        """Whether to solve a deck by KLU, on an ngspice that has it or not.

        Raises:
            ParameterError: KLU is asked for where it is not, or for a noise spectrum, which
                ngspice does not compute with it.
        """
        noise = isinstance(deck.analysis, NoiseSpectrum)
        if self.solver == "klu" and (noise or not available):
            why = "ngspice computes no noise spectrum with it" if noise else "this ngspice has none"
            raise ParameterError(f"{deck.title}: solver = 'klu', but {why}: take 'auto'.")
        if self.solver == "auto":
            # Devices of equations run compiled where KLU solves them, at any size.
            large = bool(deck.devices) or deck.elements >= KLU_ELEMENTS
            return available and not noise and large
        return self.solver == "klu"

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


PROFILES = {
    "subthreshold": SimulationOptions(),
    "precise": SimulationOptions(relative_tolerance=1e-5),
    "digital": SimulationOptions(
        relative_tolerance=1e-3, current_tolerance=1e-12, charge_tolerance=1e-14,
        minimum_conductance=1e-12,
    ),
    "fast": SimulationOptions(relative_tolerance=1e-2, voltage_tolerance=1e-4),
}  # fmt: skip
