"""What `NonlinearArray` asks of a cell: its current and its two derivatives."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from spicesnn.arrays.given import numbers
from spicesnn.errors import DataError, SimulationError

Array = npt.NDArray[np.float64]


class CellLaw(Protocol):
    """Any callable that gives a cell's current from row to column and its derivatives.

    `(v_row, v_column) -> (i, di/dv_row, di/dv_column)`, all of shape (rows, columns); the current
    rises with the row's voltage and falls with the column's.
    """

    def __call__(self, v_row: Array, v_column: Array) -> tuple[Array, Array, Array]:
        """Amperes and siemens at these volts."""


def checked(law: CellLaw, v_row: Array, v_column: Array) -> tuple[Array, Array, Array]:
    """A law's values, with derivatives that a passive cell has.

    Raises:
        SimulationError: not three arrays, shapes differ, or the current falls as the voltage rises.
    """
    found = law(v_row, v_column)
    if not (isinstance(found, tuple | list) and len(found) == 3):
        count = f"{len(found)} values" if isinstance(found, tuple | list) else type(found).__name__
        raise SimulationError(
            f"the cell law gives {count}; it must give three: i, di/dv_row, di/dv_column."
        )
    try:
        current, by_row, by_column = (numbers(each, "the cell law's value") for each in found)
    except DataError as error:
        raise SimulationError(str(error)) from None
    for name, value in (("i", current), ("di/dv_row", by_row), ("di/dv_column", by_column)):
        if value.shape != v_row.shape:
            raise SimulationError(
                f"the cell law gives {name} of shape {value.shape}; it must be {v_row.shape}."
            )
    falls = (by_row < 0) | (by_column > 0)
    if falls.any():
        row, column = np.argwhere(falls)[0]
        raise SimulationError(
            f"the current of cell ({row}, {column}) falls as its voltage rises (v_row = "
            f"{v_row[row, column]:g} V, v_column = {v_column[row, column]:g} V): such an array may "
            "have several solutions; simulate it with its dynamics in ngspice."
        )
    return current, by_row, -by_column


def refuse_not_finite(
    v_row: Array, v_column: Array, current: Array, by_row: Array, by_column: Array
) -> None:
    """Values that no answer may rest on.

    Raises:
        SimulationError: it names a cell, its volts and what the law gives there.
    """
    for name, value in (("i", current), ("di/dv_row", by_row), ("di/dv_column", by_column)):
        bad = ~np.isfinite(value)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise SimulationError(
                f"the cell law gives {name} = {value[row, column]:g} for cell ({row}, {column}) at "
                f"v_row = {v_row[row, column]:g} V, v_column = {v_column[row, column]:g} V: no "
                "answer can rest on it; lower the volts, give a nearer `start`, or a law that is "
                "finite at them."
            )
