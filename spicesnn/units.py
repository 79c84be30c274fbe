"""SI floats to SPICE number text: plain e-notation, so that no suffix is misread (1M is 1e-3)."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from spicesnn.errors import ParameterError


def spice_number(value: float) -> str:
    """Write a finite SI float as SPICE text with six figures.

    Raises:
        ParameterError: the value is NaN or infinite.
    """
    if not math.isfinite(value):
        raise ParameterError(f"cannot write {value} into a deck: give a finite number.")
    return f"{value:.5e}"


def exact_number(value: float) -> str:
    """Write a finite SI float as text with all its figures, for SPICE, Verilog-A and Python.

    Raises:
        ParameterError: the value is NaN or infinite.
    """
    if not math.isfinite(value):
        raise ParameterError(f"cannot write {value} into a deck: give a finite number.")
    return repr(float(value)).replace("e+", "e")


ELEMENTARY_CHARGE = 1.602176634e-19  # coulombs (SI 2019)


def thermal_voltage(celsius: float) -> float:
    """K T / q in volts (SI 2019 constants)."""
    return 1.380649e-23 / ELEMENTARY_CHARGE * (celsius + 273.15)


_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(meg|mil|[tgkmunpfa])?[a-z]*", re.I)
_SUFFIXES = {
    "t": "1e12", "g": "1e9", "meg": "1e6", "k": "1e3", "m": "1e-3", "mil": "25.4e-6", "u": "1e-6",
    "n": "1e-9", "p": "1e-12", "f": "1e-15", "a": "1e-18",
}  # fmt: skip


def misread(element: str, text: str) -> str:
    """What a value written as `text` may not have been meant to be; empty if nothing.

    `1M` is a milliohm and `1F` a femtofarad to SPICE.
    """
    kind, value = element[0].lower(), text.strip()
    if kind == "r" and re.fullmatch(r"[\d.]+(?:e[+-]?\d+)?m", value, re.I):
        return f"{element} = {value} is in milliohms; write {value[:-1]}Meg if megohms are meant."
    if kind == "c" and re.fullmatch(r"[\d.]+(?:e[+-]?\d+)?f", value, re.I):
        return f"{element} = {value} is in femtofarads; write {value[:-1]} if farads are meant."
    return ""


def parse_spice_number(text: str) -> float:
    """Read a SPICE number: `10k`, `1meg`, `2.5e-3`, `100pF`; `M` is milli, as in SPICE.

    Raises:
        ParameterError: it is no number, or beyond floating point.
    """
    match = _NUMBER.fullmatch(text.strip())
    if not match:
        raise ParameterError(f"{text!r} is not a SPICE number, such as 10k, 1meg or 2.5e-3.")
    suffix = _SUFFIXES.get((match.group(2) or "").lower(), "1")
    # In decimals, so that 30u is 3e-05 and not a neighbour of it.
    try:
        value = float(Decimal(match.group(1)) * Decimal(suffix))
    except ArithmeticError:
        value = math.inf
    if not math.isfinite(value):
        raise ParameterError(f"{text.strip()[:40]!r} is beyond floating point: write less.")
    return value
