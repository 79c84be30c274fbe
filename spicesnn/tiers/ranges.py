"""What a tier was fitted for, and the refusal of anything else."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from spicesnn.errors import OutOfRangeError
from spicesnn.parameters import Parameters, parameter

# A hair of tolerance for sums in floats of 32 bits.
_SLACK = 1e-5


class Range(Parameters):
    """The values of a quantity that a fit has seen."""

    low: float = parameter(unit="of the quantity", doc="lowest")
    high: float = parameter(unit="of the quantity", doc="highest")
    unit: str = parameter(unit="1", doc="SI unit of the quantity")

    def text(self) -> str:
        """`1e-12 to 3e-09 A`."""
        return f"{self.low:.4g} to {self.high:.4g} {self.unit}"


def check(name: str, ranges: Mapping[str, Range], values: Mapping[str, npt.ArrayLike]) -> None:
    """Refuse what the ranges do not cover.

    Args:
        name: of the tier, for the message.
        ranges: by quantity.
        values: by quantity, any shape; those without a range are not checked.

    Raises:
        OutOfRangeError: a value is outside, or no number.
    """
    for quantity, given in values.items():
        if quantity not in ranges:
            continue
        span = ranges[quantity]
        array = np.asarray(given)
        if not array.size:
            continue
        low, high = float(array.min()), float(array.max())
        slack = _SLACK * max(abs(span.low), abs(span.high))
        if low >= span.low - slack and high <= span.high + slack:
            continue
        worst = low if not low >= span.low - slack else high
        raise OutOfRangeError(
            f"{name}: {quantity} = {worst:.4g} {span.unit} is outside what the tier was fitted "
            f"for, {span.text()}: keep it inside, or fit the tier over a wider range."
        )
