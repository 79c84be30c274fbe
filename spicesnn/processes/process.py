"""A CMOS process: its transistors, supply, layout rule and model text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from spicesnn.errors import ParameterError
from spicesnn.parameters import Parameters, parameter
from spicesnn.units import spice_number

if TYPE_CHECKING:
    from PySpice.Spice.Netlist import Netlist


class Size(TypedDict):
    """Drawn width and length of a transistor, metres."""

    width: float
    length: float


class Mosfet(Parameters):
    """A transistor of a process; calling it puts one into a netlist.

    Every transistor carries drain and source area and perimeter from the layout rule: a
    diffusion of `diffusion_length` on each side of the gate, not shared.
    """

    model: str
    minimum_width: float = parameter(unit="m", doc="smallest drawn width", gt=0)
    minimum_length: float = parameter(unit="m", doc="smallest drawn length", gt=0)
    diffusion_length: float = parameter(unit="m", doc="drain and source length", gt=0)

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
        area = width * self.diffusion_length
        perimeter = 2 * (width + self.diffusion_length)
        sizes = {"w": width, "l": length, "as": area, "ad": area, "ps": perimeter, "pd": perimeter}
        text = " ".join(f"{key}={spice_number(value)}" for key, value in sizes.items())
        if multiplier != 1:
            text += f" m={multiplier}"
        netlist.M(name, drain, gate, source, bulk, model=self.model, raw_spice=text)


class Process(Parameters):
    """One description of a CMOS process. Cells name devices through it, never a model name."""

    name: str
    supply: float = parameter(unit="V", doc="core supply", gt=0)
    nfet: Mosfet
    pfet: Mosfet
    library: Path

    def model_text(self) -> str:
        """The model cards as SPICE text, to be put into a deck; comments stay in the library."""
        lines = self.library.read_text(encoding="utf-8").splitlines()
        return "\n".join(line for line in lines if line.strip() and not line.startswith("*"))
