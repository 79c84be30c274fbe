"""A CMOS process: its transistors, supply, corners, mismatch, passives and model text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, get_args

from spicesnn.errors import ParameterError
from spicesnn.parameters import Parameters, parameter
from spicesnn.units import spice_number

if TYPE_CHECKING:
    from PySpice.Spice.Netlist import Netlist

# The nfet's letter first: typical, fast, slow.
Corner = Literal["tt", "ff", "ss", "fs", "sf"]
CORNERS: tuple[Corner, ...] = get_args(Corner)


class Size(TypedDict):
    """Drawn width and length of a transistor, metres."""

    width: float
    length: float


class Variation(Parameters):
    """How one transistor differs from the typical one, from its neighbours and from die to die.

    Pelgrom's law, of a single transistor: standard deviation = coefficient / sqrt(W_eff L_eff); a
    pair differs by the square root of two more. Source of the law: Pelgrom, Duinmaijer and
    Welbers, IEEE J. Solid-State Circuits 24(5), 1989; the coefficients' own is `source`.
    """

    a_vt: float = parameter(unit="V m", doc="of the threshold voltage", ge=0)
    a_beta: float = parameter(unit="m", doc="of the relative current factor", ge=0)
    width_loss: float = parameter(0.0, unit="m", doc="drawn less effective width")
    length_loss: float = parameter(0.0, unit="m", doc="drawn less effective length")
    global_vt: float = parameter(
        unit="V", doc="standard deviation of the threshold from die to die", ge=0
    )
    source: str

    def local(self, width: float, length: float) -> tuple[float, float]:
        """Standard deviations of threshold (volts) and relative current factor, drawn size in m."""
        root = math.sqrt((width - self.width_loss) * (length - self.length_loss))
        return self.a_vt / root, self.a_beta / root


class Mosfet(Parameters):
    """A transistor of a process; calling it puts one into a netlist.

    Every transistor carries drain and source area and perimeter from the layout rule: a
    diffusion of `diffusion_length` on each side of the gate, not shared.
    """

    model: str
    kind: Literal["nfet", "pfet"]
    minimum_width: float = parameter(unit="m", doc="smallest drawn width", gt=0)
    minimum_length: float = parameter(unit="m", doc="smallest drawn length", gt=0)
    switch_length: float = parameter(
        unit="m", doc="shortest length that leaks under 0.1 pA/um when off, typical at 27 C", gt=0
    )
    diffusion_length: float = parameter(unit="m", doc="drain and source length", gt=0)
    rating: float = parameter(unit="V", doc="largest voltage across gate or channel", gt=0)
    variation: Variation
    inner: str = parameter("", unit="1", doc="transistor in the model's subcircuit, if it is one")
    metre: float = parameter(1.0, unit="1", doc="a metre in the model's own unit of length", gt=0)

    def __call__(
        self,
        netlist: Netlist,
        name: str,
        drain: str,
        gate: str,
        source: str,
        bulk: str,
        *,
        width: float,
        length: float,
        multiplier: int = 1,
    ) -> None:
        """Add one transistor; width and length in metres.

        Raises:
            ParameterError: a size is under the minimum of the process.
        """
        if width < self.minimum_width or length < self.minimum_length:
            raise ParameterError(
                f"transistor {name}: W/L = {width:g}/{length:g} m is under the minimum of "
                f"{self.model}, {self.minimum_width:g}/{self.minimum_length:g} m; make it larger."
            )
        u = self.metre
        area = width * self.diffusion_length * u * u
        perimeter = 2 * (width + self.diffusion_length) * u
        values = {
            "w": width * u, "l": length * u, "as": area, "ad": area, "ps": perimeter,
            "pd": perimeter,
        }  # fmt: skip
        sizes = {key: spice_number(value) for key, value in values.items()}
        if multiplier != 1:
            sizes["m"] = str(multiplier)
        if self.inner:
            netlist.X(name, self.model, drain, gate, source, bulk, **sizes)
            return
        text = " ".join(f"{key}={value}" for key, value in sizes.items())
        netlist.M(name, drain, gate, source, bulk, model=self.model, raw_spice=text)

    @property
    def sign(self) -> int:
        """Of its voltages and currents: 1 for an nfet, -1 for a pfet."""
        return 1 if self.kind == "nfet" else -1

    def instance(self, name: str, *path: str) -> str:
        """What ngspice calls the transistor `name` inside subcircuits `path`, outermost first.

        The knob of its threshold is `@<instance>[delvto]`, of its current factor `[mulu0]`.
        """
        levels = [f"x{part}" for part in path]
        levels += [f"x{name}", self.inner] if self.inner else [f"m{name}"]
        return ".".join(["m", *levels] if len(levels) > 1 else levels).lower()


class Process(Parameters):
    """One description of a CMOS process. Cells name devices through it, never a model name."""

    name: str
    supply: float = parameter(unit="V", doc="core supply", gt=0)
    nfet: Mosfet
    pfet: Mosfet
    thick_nfet: Mosfet | None = None
    thick_pfet: Mosfet | None = None
    thick_supply: float = parameter(0.0, unit="V", doc="of the thick pair; 0 without one", ge=0)
    capacitors: Mapping[str, float] = parameter({}, unit="F/m2", doc="name to density")
    resistors: Mapping[str, float] = parameter({}, unit="ohm", doc="name to sheet resistance")
    corner: Corner
    coldest: float = parameter(unit="deg C", doc="lowest temperature described")
    hottest: float = parameter(unit="deg C", doc="highest temperature described")
    library: Path
    models: str = parameter(unit="1", doc="SPICE text that puts this corner's models into a deck")
    thick_models: str = parameter(
        "", unit="1", doc="the same of the thick pair, where `models` does not hold it"
    )
    validated: str = parameter(unit="1", doc="what was compared with measurement, and by whom")
    assumed: str = parameter(unit="1", doc="what was not")

    def mosfet(self, kind: Literal["nfet", "pfet"]) -> Mosfet:
        """The transistor of a kind, of the core supply."""
        return self.nfet if kind == "nfet" else self.pfet

    def thick_pair(self) -> tuple[Mosfet, Mosfet]:
        """The nfet and pfet of thick oxide.

        Raises:
            ParameterError: the process has none.
        """
        if self.thick_nfet is None or self.thick_pfet is None:
            raise ParameterError(
                f"{self.name} has no thick-oxide transistors, which this circuit is built of; "
                "generic180, gf180mcu and sky130 have them."
            )
        return self.thick_nfet, self.thick_pfet

    def models_for(self, netlist: str) -> str:
        """The models that a netlist needs: those of the thick pair only where it is used.

        A deck of core transistors alone thus keeps its text, and its identity with it.
        """
        thick = {kind.model.lower() for kind in (self.thick_nfet, self.thick_pfet) if kind}
        if self.thick_models and not thick.isdisjoint(netlist.lower().split()):
            return f"{self.models}\n{self.thick_models}"
        return self.models

    def checked_temperature(self, celsius: float) -> float:
        """The temperature, if the process is described there.

        Raises:
            ParameterError: it is out of range.
        """
        if not self.coldest <= celsius <= self.hottest:
            raise ParameterError(
                f"{celsius:g} deg C is outside what {self.name} is described for, "
                f"{self.coldest:g} to {self.hottest:g} deg C; choose a temperature in between."
            )
        return celsius
