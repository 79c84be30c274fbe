"""A device of equations as a circuit holds it: a subcircuit, and the compiled form of the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from spicesnn.devices.ode import Ode
from spicesnn.errors import ParameterError

# Which form runs: `auto` is the compiled one where the compiler and an ngspice with OSDI and KLU
# are there and KLU solves the deck, else the subcircuit.
DeviceForm = Literal["auto", "compiled", "subcircuit"]


@dataclass(frozen=True)
class DeviceForms:
    """One device in both forms; instances read `x... p n STATE... name PARAMETER=...` in either.

    Attributes:
        name: of the subcircuit.
        subcircuit: SPICE text of B-sources.
        wrapper: SPICE text of the same subcircuit around the compiled module.
        verilog: Verilog-A text of that module.
    """

    name: str
    subcircuit: str
    wrapper: str
    verilog: str


def device_forms(device: Ode, name: str = "") -> DeviceForms:
    """Both forms of a device.

    Args:
        device: the preset.
        name: of the subcircuit, by default the preset's in lower case.

    Raises:
        ParameterError: the name is not one that SPICE and Verilog-A both take.
    """
    from spicesnn.devices.printers import spice, verilog

    name = name or device.name.lower()
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ParameterError(
            f"device name {name!r}: take a lower-case letter, then letters, digits and underscores."
        )
    return DeviceForms(
        name,
        spice.subcircuit(device, name),
        spice.compiled_wrapper(device, name),
        verilog.module(device, f"{name}_va"),
    )
