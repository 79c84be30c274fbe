"""SI floats to SPICE number text: plain e-notation, so that no suffix is misread (1M is 1e-3)."""

from __future__ import annotations

import math

from spicesnn.errors import ParameterError


def spice_number(value: float) -> str:
    """Write a finite SI float as SPICE text with six figures.

    Raises:
        ParameterError: the value is NaN or infinite.
    """
    if not math.isfinite(value):
        raise ParameterError(f"cannot write {value} into a deck: give a finite number.")
    return f"{value:.5e}"


def thermal_voltage(celsius: float) -> float:
    """k T / q in volts (SI 2019 constants)."""
    return 1.380649e-23 / 1.602176634e-19 * (celsius + 273.15)
