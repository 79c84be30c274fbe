"""Calibration: which setting of a mismatched bias generator comes nearest to a wanted current."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError, ParameterError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """A setting of a bias.

    Attributes:
        tap: index into the table's first axis.
        code: index into its second.
        current: what the table says of it, amperes.
    """

    tap: int
    code: int
    current: float


def currents_of(taps: npt.ArrayLike, gains: npt.ArrayLike) -> Array:
    """The table of a generator whose taps and DAC were measured one by one.

    Args:
        taps: current of each tap, amperes, shape (taps,).
        gains: output over tap current of each code, shape (codes,).

    Returns:
        Amperes, shape (taps, codes).
    """
    return np.multiply.outer(np.asarray(taps, np.float64), np.asarray(gains, np.float64))


def nearest_setting(currents: npt.ArrayLike, wanted: float) -> Setting:
    """The setting whose current is nearest to the wanted one, as a ratio.

    Args:
        currents: of each tap and code, amperes, shape (taps, codes), measured or from
            `currents_of`; entries that are not positive and finite are passed over.
        wanted: amperes.

    Raises:
        DataError: the table is not of that shape, or holds no positive current.
        ParameterError: the wanted current is not positive, or is outside of the table's.
    """
    table = np.asarray(currents, dtype=np.float64)
    usable = np.isfinite(table) & (table > 0)
    if table.ndim != 2 or not usable.any():
        raise DataError("a table of currents needs shape (taps, codes) and a positive current.")
    low, high = table[usable].min(), table[usable].max()
    if not low <= wanted <= high:
        raise ParameterError(
            f"a current of {wanted:g} A is outside of what the generator gives, {low:g} to "
            f"{high:g} A; choose one in between or change its reference."
        )
    distance = np.full(table.shape, np.inf)
    distance[usable] = np.abs(np.log(table[usable] / wanted))
    tap, code = np.unravel_index(int(distance.argmin()), table.shape)
    return Setting(int(tap), int(code), float(table[tap, code]))


def residuals(table: npt.ArrayLike, known: npt.ArrayLike, wanted: npt.ArrayLike) -> Array:
    """Errors that remain when settings are chosen from what is known of a generator.

    Args:
        table: what each setting really gives, amperes, shape (taps, codes).
        known: what is believed of it, amperes, same shape: the law, measured taps times the
            DAC's law, or the table itself.
        wanted: amperes, shape (currents,).

    Returns:
        Real over wanted current less 1, shape (currents,); NaN where the known table does not
        reach the wanted current.
    """
    real = np.asarray(table, dtype=np.float64)
    found = np.full(np.shape(wanted), np.nan)
    for k, current in enumerate(np.asarray(wanted, dtype=np.float64)):
        try:
            setting = nearest_setting(known, float(current))
        except (DataError, ParameterError):
            continue
        found[k] = real[setting.tap, setting.code] / current - 1
    return found
