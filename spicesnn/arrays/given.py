"""What callers hand in, turned into doubles or refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError

Array = npt.NDArray[np.float64]


def numeric(value: Any, what: str) -> npt.NDArray[Any]:
    """An array of real numbers, not copied.

    Raises:
        DataError: it is ragged, or holds something else; `what` is the message's subject.
    """
    try:
        given = np.asarray(value)
    except (TypeError, ValueError):
        raise DataError(f"{what}: rows of different lengths; give an array of numbers.") from None
    if given.size and given.dtype.kind not in "fiub":
        kind = type(given.flat[0]).__name__.rstrip("_")
        raise DataError(f"{what}: {kind} where real numbers are wanted.")
    return given


def numbers(value: Any, what: str) -> Array:
    """The same as doubles."""
    return np.asarray(numeric(value, what), dtype=np.float64)


def instance(value: Any, kind: type, what: str) -> None:
    """Refuse what is of another class.

    Raises:
        DataError: it names both.
    """
    if not isinstance(value, kind):
        raise DataError(f"{what}: {type(value).__name__} where {kind.__name__} is wanted.")
