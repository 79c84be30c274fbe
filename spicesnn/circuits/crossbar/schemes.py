"""Read and write schemes: what lies on every line, and what every cell sees of it.

Rows are word lines of a two-terminal array and bit lines of a 1T1R array; columns are its bit
lines, or source lines. A scheme returns an `Access`: the crossbar with its line ends connected or
open as the scheme asks, and the volts behind them, the same at both ends of a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from spicesnn.arrays.crossbar import SIDES, Crossbar, Drive, Ends
from spicesnn.errors import DataError, ParameterError, UnknownNameError

Array = npt.NDArray[np.float64]
Others = Literal["grounded", "floating"]
Seen = Literal["selected", "row half-selected", "column half-selected", "unselected"]
_KINDS: tuple[Seen, ...] = (
    "selected", "row half-selected", "column half-selected", "unselected",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Access:
    """One access to a crossbar.

    Attributes:
        crossbar: with the ends of floating lines open.
        rows, columns: volts of each line, shapes (rows,) and (columns,); NaN where it floats.
        selected: the cells meant, bool, (rows, columns).
        gate: volts of the gate lines, shape () or (lines,).

    Raises:
        DataError: shapes do not match, volts are infinite, or a line at NaN has an end connected.
    """

    crossbar: Crossbar
    rows: Array
    columns: Array
    selected: npt.NDArray[np.bool_]
    gate: float | Array = 0.0

    def __post_init__(self) -> None:
        crossbar = self.crossbar
        for name, volts, wanted in (
            ("rows", self.rows, (crossbar.rows,)), ("columns", self.columns, (crossbar.columns,)),
            ("selected", self.selected, (crossbar.rows, crossbar.columns)),
        ):  # fmt: skip
            if np.shape(volts) != wanted:
                raise DataError(f"{name} of an access has shape {np.shape(volts)}; give {wanted}.")
        for name, volts, sides in (
            ("rows", self.rows, ("left", "right")), ("columns", self.columns, ("top", "bottom")),
        ):  # fmt: skip
            held = crossbar.connected(sides[0]) | crossbar.connected(sides[1])
            wrong = np.isinf(volts) | (np.isnan(volts) & held)
            if wrong.any():
                k = int(np.argmax(wrong))
                raise DataError(
                    f"{name} of an access hold {volts[k]:g} V at {k}; give finite volts, and NaN "
                    "only where both ends of the line are open."
                )

    @property
    def drive(self) -> Drive:
        """The volts behind the ends, the same at both ends of a line; 0 where it floats."""
        rows, columns = np.nan_to_num(self.rows), np.nan_to_num(self.columns)
        return Drive(left=rows, right=rows, top=columns, bottom=columns)

    def seen(self) -> dict[Seen, SeenVolts]:
        """What the cells of each kind see, wires aside; kinds without cells are left out.

        A half-selected cell shares its row or its column, not both, with a selected cell. A cell on
        a floating line sees no set voltage and is not counted in the range.
        """
        row_used = np.asarray(self.selected.any(axis=1))
        column_used = np.asarray(self.selected.any(axis=0))
        others = ~self.selected
        of_row = others & row_used[:, None]
        of_column = others & column_used[None, :] & ~row_used[:, None]
        masks = (self.selected, of_row, of_column, ~(self.selected | of_row | of_column))
        volts = self.rows[:, None] - self.columns[None, :]
        found: dict[Seen, SeenVolts] = {}
        for kind, mask in zip(_KINDS, masks, strict=True):
            if mask.any():
                there = volts[mask]
                known = there[np.isfinite(there)]
                low, high = (known.min(), known.max()) if known.size else (np.nan, np.nan)
                found[kind] = SeenVolts(int(mask.sum()), float(low), float(high))
        return found


@dataclass(frozen=True)
class SeenVolts:
    """Cells of one kind: how many, and the lowest and highest voltage from row to column, V."""

    cells: int
    low: float
    high: float


def seen_table(accesses: dict[str, Access]) -> list[tuple[str, Seen, int, float, float]]:
    """Scheme, kind of cell, number of cells, lowest and highest volts, a line for each.

    The table of what every unselected and half-selected cell sees, wires aside.
    """
    return [
        (name, kind, volts.cells, volts.low, volts.high)
        for name, access in accesses.items()
        for kind, volts in access.seen().items()
    ]


def read_all(crossbar: Crossbar, volts: npt.ArrayLike, gate: float | Array = 0.0) -> Access:
    """All rows at once, all columns at 0 V: the vector-matrix product.

    The columns' end resistance is the sense resistance, 0 a virtual ground.

    Args:
        crossbar: the array.
        volts: of the rows, shape () or (rows,).
        gate: of a 1T1R array, all on.

    Raises:
        DataError: shapes do not match, or volts are not finite.
    """
    rows = _lines("volts", volts, crossbar.rows)
    selected = np.ones((crossbar.rows, crossbar.columns), dtype=bool)
    return Access(crossbar, rows, np.zeros(crossbar.columns), selected, gate)


def read_row(crossbar: Crossbar, row: int, volts: float, others: Others = "grounded") -> Access:
    """One row at `volts`, all columns at 0 V, the other rows grounded or floating.

    Raises:
        DataError: there is no such row, or the volts are not finite.
        UnknownNameError: `others` is neither.
    """
    _check("row", row, crossbar.rows)
    rows = np.full(crossbar.rows, _rest(others))
    rows[row] = _finite(volts)
    selected = np.zeros((crossbar.rows, crossbar.columns), dtype=bool)
    selected[row] = True
    return _access(crossbar, rows, np.zeros(crossbar.columns), selected)


def read_cell(
    crossbar: Crossbar, row: int, column: int, volts: float, others: Others = "floating"
) -> Access:
    """One row at `volts`, one column at 0 V, all other lines floating or grounded.

    With the others floating, current sneaks through three other cells in series and into the
    column that is read.

    Raises:
        DataError: there is no such cell, or the volts are not finite.
        UnknownNameError: `others` is neither.
    """
    rest = _rest(others)
    return _one_cell(crossbar, row, column, volts, 0.0, rest, rest)


def write_half(crossbar: Crossbar, row: int, column: int, volts: float) -> Access:
    """V/2: the row at `volts`, the column at 0 V, all others at half of it.

    Half-selected cells see `volts / 2`, unselected ones nothing. RESET takes negative volts.

    Raises:
        DataError: there is no such cell, or the volts are not finite.
    """
    return _one_cell(crossbar, row, column, volts, 0.0, volts / 2, volts / 2)


def write_third(crossbar: Crossbar, row: int, column: int, volts: float) -> Access:
    """V/3: the row at `volts`, the column at 0 V, other rows at a third, columns at two thirds.

    Half-selected cells see `volts / 3`, unselected ones minus that.

    Raises:
        DataError: there is no such cell, or the volts are not finite.
    """
    return _one_cell(crossbar, row, column, volts, 0.0, volts / 3, 2 * volts / 3)


def write_row(
    crossbar: Crossbar,
    row: int,
    changes: npt.ArrayLike,
    *,
    v_set: float,
    v_reset: float,
    gate_set: float,
    gate_reset: float,
) -> tuple[Access, Access]:
    """A row of a 1T1R array whose gates run along rows, in two phases: SET, then RESET.

    SET: the row's bit line at `v_set`, source lines of the cells to be set at 0 V, the others at
    `v_set` too, so that their cells see nothing. RESET: the bit line at 0 V, source lines of the
    cells to be reset at `v_reset`, the others at 0 V. The gates of the other rows are off, and
    their bit lines at 0 V.

    Args:
        crossbar: the array.
        row: that is written.
        changes: of each column, 1 SET, -1 RESET, 0 neither, shape (columns,).
        v_set: volts, positive.
        v_reset: volts, positive.
        gate_set: volts of the row's gate in the first phase.
        gate_reset: in the second.

    Raises:
        DataError: there is no such row, or the changes are not what they must be.
        ParameterError: volts are not positive, or a gate's are not finite.
    """
    _check("row", row, crossbar.rows)
    wanted = np.asarray(changes)
    if wanted.shape != (crossbar.columns,) or not np.isin(wanted, (-1, 0, 1)).all():
        raise DataError(
            f"changes have shape {wanted.shape}; give {crossbar.columns}, one for each column: "
            "1 (SET), -1 (RESET) or 0."
        )
    for name, value in (("v_set", v_set), ("v_reset", v_reset)):
        if not 0 < value < np.inf:
            raise ParameterError(
                f"{name} of write_row is {value:g} V; give positive volts: which line they are on "
                "makes the sign."
            )
    for name, value in (("gate_set", gate_set), ("gate_reset", gate_reset)):
        if not np.isfinite(value):
            raise ParameterError(f"{name} of write_row is {value:g} V; give finite volts.")
    phases = []
    for sign, bit, source, idle, gate in (
        (1, v_set, 0.0, v_set, gate_set), (-1, 0.0, v_reset, 0.0, gate_reset),
    ):  # fmt: skip
        rows, gates = np.zeros(crossbar.rows), np.zeros(crossbar.rows)
        selected = np.zeros((crossbar.rows, crossbar.columns), dtype=bool)
        selected[row] = wanted == sign
        rows[row] = bit
        # A phase without cells leaves the gate off.
        gates[row] = gate if selected.any() else 0.0
        phases.append(
            _access(crossbar, rows, np.where(wanted == sign, source, idle), selected, gates)
        )
    return phases[0], phases[1]


@dataclass(frozen=True, eq=False)
class Programme:
    """Levels of all lines over time, straight between corners: for the deck and for the solver.

    Attributes:
        crossbar: whose lines they are.
        time: seconds, rising from 0, shape (corners,).
        rows, columns: volts, shapes (corners, rows) and (corners, columns).
        gates: volts, shape (corners, gate lines), or (corners, 1) where all are alike.
    """

    crossbar: Crossbar
    time: Array
    rows: Array
    columns: Array
    gates: Array

    def drive(self, time: float) -> Drive:
        """The volts behind the ends at one time, seconds."""
        rows, columns = self._at(self.rows, time), self._at(self.columns, time)
        return Drive(left=rows, right=rows, top=columns, bottom=columns)

    def gate(self, time: float) -> float | Array:
        """Volts of the gate lines at one time, shape () or (gate lines,)."""
        found = self._at(self.gates, time)
        return float(found[0]) if found.size == 1 else found

    def _at(self, levels: Array, time: float) -> Array:
        k = int(np.clip(np.searchsorted(self.time, time, side="right") - 1, 0, self.time.size - 2))
        part = (time - self.time[k]) / (self.time[k + 1] - self.time[k])
        return np.asarray(levels[k] + part * (levels[k + 1] - levels[k]))


def pulses(accesses: Sequence[Access], *, width: float, edge: float, rest: float) -> Programme:
    """Accesses one after the other, each a pulse from all lines at 0 V and back.

    Args:
        accesses: of one crossbar with the same lines floating, and gates along the same lines.
        width: seconds at the top.
        edge: rise and fall, seconds.
        rest: seconds at 0 V after each.

    Raises:
        DataError: there is none, they float different lines, or they are of different crossbars.
        ParameterError: a time is not positive and finite.
    """
    if not accesses:
        raise DataError("pulses need an access at least.")
    if not all(0 < seconds < np.inf for seconds in (width, edge, rest)):
        raise ParameterError(
            f"width, edge and rest of pulses must be positive seconds, not {width:g}, {edge:g} "
            f"and {rest:g}."
        )
    first = accesses[0]
    for each in accesses[1:]:
        if not all(
            np.array_equal(np.isnan(mine), np.isnan(yours))
            for mine, yours in ((each.rows, first.rows), (each.columns, first.columns))
        ):
            raise DataError("the accesses float different lines; run them one by one.")
        if not _alike(each.crossbar, first.crossbar):
            raise DataError(
                "the accesses are of different crossbars; make them all from one: its devices "
                "start once and their states move from pulse to pulse."
            )
    lines = {np.shape(each.gate) for each in accesses} - {(), (1,)}
    if len(lines) > 1:
        raise DataError(
            f"gates of the accesses have shapes {' and '.join(map(str, sorted(lines)))}; give all "
            "one voltage, or one for each of the same lines."
        )
    length = width + 2 * edge + rest
    starts = np.arange(len(accesses)) * length
    corners = starts[:, None] + np.array([0.0, edge, edge + width, 2 * edge + width])
    time = np.append(corners.ravel(), len(accesses) * length)
    on = np.array([0.0, 1.0, 1.0, 0.0])

    def levels(each: Sequence[Array]) -> Array:
        tops = np.nan_to_num(np.stack(each))
        shaped = (on[None, :, None] * tops[:, None, :]).reshape(-1, tops.shape[1])
        return np.concatenate([shaped, np.zeros((1, tops.shape[1]))])

    gates = np.broadcast_arrays(*(np.atleast_1d(np.asarray(a.gate, dtype=float)) for a in accesses))
    return Programme(
        first.crossbar, time, levels([a.rows for a in accesses]),
        levels([a.columns for a in accesses]), levels(gates),
    )  # fmt: skip


def _one_cell(
    crossbar: Crossbar, row: int, column: int, high: float, low: float, rows: float, columns: float
) -> Access:
    _check("row", row, crossbar.rows)
    _check("column", column, crossbar.columns)
    _finite(high)
    of_rows, of_columns = np.full(crossbar.rows, rows), np.full(crossbar.columns, columns)
    of_rows[row], of_columns[column] = high, low
    selected = np.zeros((crossbar.rows, crossbar.columns), dtype=bool)
    selected[row, column] = True
    return _access(crossbar, of_rows, of_columns, selected)


def _access(
    crossbar: Crossbar,
    rows: Array,
    columns: Array,
    selected: npt.NDArray[np.bool_],
    gate: float | Array = 0.0,
) -> Access:
    """With the ends of lines at NaN opened."""
    loose_rows, loose_columns = np.isnan(rows), np.isnan(columns)
    if loose_rows.any() or loose_columns.any():
        open_ends = {
            side: np.where(loose, np.inf, crossbar.end_resistance(side))
            for side, loose in (
                ("left", loose_rows), ("right", loose_rows),
                ("top", loose_columns), ("bottom", loose_columns),
            )
        }  # fmt: skip
        crossbar = replace(crossbar, ends=Ends(**open_ends))
    return Access(crossbar, rows, columns, selected, gate)


def _lines(name: str, given: npt.ArrayLike, lines: int) -> Array:
    value = np.asarray(given, dtype=np.float64)
    if not np.isfinite(value).all():
        raise DataError(
            f"{name} hold NaN or infinite values; give finite ones (read_row and read_cell let "
            "lines float: others='floating')."
        )
    if value.shape not in {(), (lines,)}:
        raise DataError(f"{name} have shape {value.shape}; give one number or shape ({lines},).")
    return np.broadcast_to(value, (lines,)).copy()


def _finite(volts: float) -> float:
    if not np.isfinite(volts):
        raise DataError(
            f"volts of the scheme are {volts:g}; give a finite voltage (`others` of a read says "
            "which lines float)."
        )
    return volts


def _rest(others: str) -> float:
    """What lies on lines that are not read; NaN floats."""
    if others not in get_args(Others):
        raise UnknownNameError("choice of others", others, get_args(Others))
    return 0.0 if others == "grounded" else np.nan


def _alike(one: Crossbar, other: Crossbar) -> bool:
    if one is other:
        return True
    return (
        np.array_equal(one.conductance, other.conductance)
        and one.wires == other.wires
        and all(
            np.array_equal(one.end_resistance(side), other.end_resistance(side)) for side in SIDES
        )
    )


def _check(kind: str, index: int, lines: int) -> None:
    if not isinstance(index, int | np.integer):
        raise DataError(f"{kind} is {index!r}; give a whole number, 0 to {lines - 1}.")
    if not 0 <= index < lines:
        raise DataError(f"there is no {kind} {index}; the {kind}s are 0 to {lines - 1}.")
