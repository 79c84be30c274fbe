"""A cell's current as a function of its two nodes: what stands in series is solved inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicesnn.errors import SimulationError

Array = npt.NDArray[np.float64]
# Current and slope of the memory over its own voltage.
MemoryLaw = Callable[[Array], tuple[Array, Array]]
# Current of the series element over the middle's and the column's voltage, and its two slopes.
ElementLaw = Callable[[Array, Array], tuple[Array, Array, Array]]
_STEPS = 200
# Volts: a Newton step below it ends the search. What such a step leaves, and one more correction of
# the current, are of its square over the laws' own volts (25 mV): below rounding.
_CLOSE = 1e-10
_UNEVEN = 1e-6  # Share of the two currents that they may differ by.


@dataclass(frozen=True, eq=False)
class SeriesLaw:
    """Memory and series element in series, for all cells of a crossbar at once.

    Both currents rise with the voltage across them, so the voltage in the middle is one and lies
    between those of the row and the column; it is found by Newton's method, kept inside a
    shrinking bracket.

    Attributes:
        memory: from row to middle; conductances or states are its own.
        series: from middle to column; None for a bare memory.
        guess: a first value of the middle from row and column voltage; by default halfway.
    """

    memory: MemoryLaw
    series: ElementLaw | None = None
    guess: Callable[[Array, Array], Array] | None = None

    def __call__(self, v_row: Array, v_column: Array) -> tuple[Array, Array, Array]:
        """Current and its derivatives by the two voltages.

        Args:
            v_row: volts of the rows' nodes, shape (..., rows, columns).
            v_column: of the columns' nodes, likewise.

        Returns:
            Amperes from row to column; siemens by the row's and by the column's voltage.

        Raises:
            SimulationError: a middle was not found.
        """
        if self.series is None:
            current, slope = self.memory(v_row - v_column)
            return current, slope, -slope
        middle = self.middle(v_row, v_column)
        above, rise = self.memory(v_row - middle)
        below, by_middle, by_column = self.series(middle, v_column)
        # One more Newton correction makes both currents this one; the stiffer side, whose own
        # current is mostly rounding, counts little.
        whole = rise + by_middle
        floor = np.finfo(float).tiny
        whole = np.where(whole > floor, whole, floor)
        current = (above * by_middle + below * rise) / whole
        return current, rise * by_middle / whole, rise * by_column / whole

    def memory_voltage(self, v_row: Array, v_column: Array) -> Array:
        """Volts across the memory alone, shape (..., rows, columns)."""
        if self.series is None:
            return v_row - v_column
        return v_row - self.middle(v_row, v_column)

    def middle(self, v_row: Array, v_column: Array) -> Array:
        """Volts between memory and series element, shape (..., rows, columns).

        Raises:
            SimulationError: not found: a law does not rise with its voltage.
        """
        if self.series is None:
            return v_column
        v_row, v_column = np.broadcast_arrays(v_row, v_column)
        low, high = np.minimum(v_row, v_column), np.maximum(v_row, v_column)
        # At these ends the current that comes exceeds the one that goes, and the other way round.
        middle = 0.5 * (low + high) if self.guess is None else self.guess(v_row, v_column)
        middle = np.clip(middle, low, high)
        before = high - low
        above = below = surplus = slope = before
        for _ in range(_STEPS):
            above, rise = self.memory(v_row - middle)
            below, by_middle, _unused = self.series(middle, v_column)
            surplus, slope = above - below, rise + by_middle
            low = np.where(surplus >= 0, middle, low)
            high = np.where(surplus <= 0, middle, high)
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                step = surplus / slope
            new = middle + step
            # Newton's step where it stays inside and is no longer than the last one, or where it
            # has arrived, else half of the bracket.
            shorter = np.abs(step) <= np.maximum(before, _CLOSE)
            good = (new >= low) & (new <= high) & shorter
            new = np.where(surplus == 0, middle, np.where(good, new, 0.5 * (low + high)))
            before = np.abs(new - middle)
            middle = new
            if (before <= _CLOSE).all():
                break
        # The bracket always closes; that it closed on a root is another matter.
        size = np.abs(above) + np.abs(below)
        found = np.abs(surplus) <= _UNEVEN * size + 2 * _CLOSE * np.abs(slope)
        if not found.all():
            worst = tuple(int(k) for k in np.argwhere(~found)[0])
            raise SimulationError(
                f"cell {worst} has no current that both its memory and its series element carry "
                f"between {float(v_row[worst]):g} V and {float(v_column[worst]):g} V: both must be "
                "0 at 0 V and rise with their voltage; check their parameters."
            )
        return np.asarray(middle)
