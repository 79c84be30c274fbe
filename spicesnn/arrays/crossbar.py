"""A crossbar with its wires, described once: decks and solver problems are made from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from spicesnn.arrays.given import instance, numbers, numeric
from spicesnn.arrays.memory import SOLVE_BYTES, check_memory
from spicesnn.errors import DataError
from spicesnn.parameters import Parameters, parameter

Array = npt.NDArray[np.float64]
SIDES = ("left", "right", "top", "bottom")
# Volts and ohms beyond these leave the doubles when squared or inverted: our choice.
_LARGEST, _SMALLEST = 1e100, 1e-100
_LABELLED = (
    "row_voltage", "column_voltage", "cell_current", "i_left", "i_right", "i_top", "i_bottom",
    "residual",
)  # fmt: skip


class Wires(Parameters):
    """Resistance and capacitance of the lines, per segment between neighbouring cells.

    The segment between a connected line end and its first cell counts too. The capacitance is
    lumped at each cell's node on the line, to ground.
    """

    r_row: float = parameter(unit="ohm", doc="a row's (word line's) segment", gt=0)
    r_column: float = parameter(unit="ohm", doc="a column's (bit line's) segment", gt=0)
    c_row: float = parameter(0.0, unit="F", doc="of a row's segment, to ground", ge=0)
    c_column: float = parameter(0.0, unit="F", doc="of a column's segment, to ground", ge=0)


@dataclass(frozen=True, eq=False)
class Ends:
    """What hangs on the line ends: ohm in series with the end's segment; `inf` leaves an end open.

    Attributes:
        left, right: of the rows, ohm, shape () or (rows,).
        top, bottom: of the columns, ohm, shape () or (columns,).
    """

    left: float | Array = 0.0
    right: float | Array = np.inf
    top: float | Array = np.inf
    bottom: float | Array = 0.0


@dataclass(frozen=True, eq=False)
class Drive:
    """Volts behind each end's resistance; of an open end they mean nothing.

    Attributes:
        left, right: shape () or (..., rows).
        top, bottom: shape () or (..., columns). Leading axes are a batch, equal or broadcast.
    """

    left: float | Array = 0.0
    right: float | Array = 0.0
    top: float | Array = 0.0
    bottom: float | Array = 0.0


@dataclass(frozen=True, eq=False)
class Crossbar:
    r"""Rows crossed by columns, a conductance at each crossing.

              top_0     top_1
                |         |
                r_column  r_column
                |         |
      left_0 -r-o---r-----o----r- right_0      row 0; each cell g_ij hangs between
                |\g_00    |\g_01              its row's node and its column's node
                r_column  r_column
                |         |
      left_1 -r-o---r-----o----r- right_1      row 1
                |         |
             bottom_0  bottom_1

    Attributes:
        conductance: of the cells, siemens, shape (rows, columns), >= 0; 0 is an open cell.
        wires: of all lines.
        ends: resistances behind the line ends.

    Raises:
        DataError: a shape does not match, a value is no number, negative or not finite, the array
            is too large for the memory there, or a line floats: no way leads from it to a connected
            end.
    """

    conductance: Array
    wires: Wires
    ends: Ends = Ends()

    def __post_init__(self) -> None:
        instance(self.wires, Wires, "wires")
        instance(self.ends, Ends, "ends")
        for name in ("r_row", "r_column"):
            if getattr(self.wires, name) < _SMALLEST:
                raise DataError(
                    f"wires.{name} is {getattr(self.wires, name):g} ohm; give {_SMALLEST:g} or "
                    "more, or its conductance leaves the doubles."
                )
        given = numeric(self.conductance, "conductance")
        if given.ndim != 2 or given.size == 0:
            raise DataError(
                f"conductance has shape {given.shape}; give one of (rows, columns), both >= 1."
            )
        check_size(*given.shape)
        own = np.array(given, dtype=np.float64, order="C")
        # One pass each over all cells; `min` of what holds a NaN is NaN and fails as well.
        if not (own.min() >= 0 and np.isfinite(own.max())):
            row, column = np.argwhere(~(np.isfinite(own) & (own >= 0)))[0]
            raise DataError(
                f"conductance of cell ({row}, {column}) is {own[row, column]:g} S; "
                "give finite values >= 0 (0 is an open cell)."
            )
        own.setflags(write=False)
        object.__setattr__(self, "conductance", own)
        lines = {"left": self.rows, "right": self.rows, "top": self.columns, "bottom": self.columns}
        full = {side: _end(side, getattr(self.ends, side), lines[side]) for side in SIDES}
        object.__setattr__(self, "ends", Ends(**full))
        self._refuse_floating()

    @property
    def rows(self) -> int:
        """How many word lines."""
        return int(self.conductance.shape[0])

    @property
    def columns(self) -> int:
        """How many bit lines."""
        return int(self.conductance.shape[1])

    @property
    def floor_bytes(self) -> int:
        """Bytes that any solve must move: each conductance read, both nodes' voltages written.

        `24 * rows * columns`.
        """
        return 24 * self.rows * self.columns

    def end_resistance(self, side: str) -> Array:
        """Ohm behind each end of `left`, `right`, `top` or `bottom`, `inf` if open, (lines,)."""
        return np.asarray(getattr(self.ends, side), dtype=np.float64)

    def end_conductance(self, side: str) -> Array:
        """Siemens of an end's resistance with its segment, 0 if open, shape (lines,)."""
        wires = self.wires
        segment = wires.r_row if side in {"left", "right"} else wires.r_column
        return np.asarray(1.0 / (self.end_resistance(side) + segment))

    def connected(self, side: str) -> npt.NDArray[np.bool_]:
        """Which ends of a side are connected, shape (lines,)."""
        return np.isfinite(self.end_resistance(side))

    def with_conductance(self, conductance: Array) -> Crossbar:
        """The same lines with other cells."""
        return Crossbar(conductance, self.wires, self.ends)

    def transposed(self) -> Crossbar:
        """Rows for columns: left becomes top, right bottom, and back."""
        w, e = self.wires, self.ends
        wires = Wires(r_row=w.r_column, r_column=w.r_row, c_row=w.c_column, c_column=w.c_row)
        return Crossbar(self.conductance.T, wires, Ends(e.top, e.bottom, e.left, e.right))

    def volts(self, drive: Drive) -> dict[str, Array]:
        """A drive's volts by side, each of shape (..., lines), batch axes broadcast to all.

        Raises:
            DataError: shapes do not match, values are not finite, or so large or so small that
                their squares leave the doubles.
        """
        instance(drive, Drive, "the drive")
        sides = {}
        for side in SIDES:
            lines = self.rows if side in {"left", "right"} else self.columns
            given = numbers(getattr(drive, side), f"drive at {side}")
            if given.ndim and given.shape[-1] != lines:
                raise DataError(
                    f"drive at {side} has shape {given.shape}; its last axis must be {lines}, "
                    f"a voltage for each of the {lines} lines (or give one number for all)."
                )
            if not np.isfinite(given).all():
                raise DataError(f"drive at {side} holds NaN or infinite volts; give finite ones.")
            if given.size and np.abs(given).max() > _LARGEST:
                raise DataError(
                    f"drive at {side} reaches {np.abs(given).max():g} V; give {_LARGEST:g} at most."
                )
            sides[side] = given if given.ndim else np.full(lines, float(given))
        batches = [sides[side].shape[:-1] for side in SIDES]
        try:
            batch = np.broadcast_shapes(*batches)
        except ValueError:
            raise DataError(
                "batch axes of the drive do not match: "
                + ", ".join(f"{s} {b}" for s, b in zip(SIDES, batches, strict=True))
                + "; make them equal or 1."
            ) from None
        full = {s: np.broadcast_to(v, (*batch, v.shape[-1])) for s, v in sides.items()}
        peak = np.max([np.abs(v).max(axis=-1) for v in full.values()], axis=0)
        tiny = (peak > 0) & (peak < _SMALLEST)
        if tiny.any():
            raise DataError(
                f"the drive's largest volts are {peak[tiny].flat[0]:g} V; give 0 or above "
                f"{_SMALLEST:g}."
            )
        return full

    def _refuse_floating(self) -> None:
        """A line without an end must reach one through conducting cells and other lines."""
        rows = self.connected("left") | self.connected("right")
        columns = self.connected("top") | self.connected("bottom")
        if rows.all() and columns.all():
            return
        conducts = self.conductance > 0
        before = -1
        while (reached := int(rows.sum() + columns.sum())) != before:
            before = reached
            columns = columns | conducts[rows].any(axis=0)
            rows = rows | conducts[:, columns].any(axis=1)
        for kind, held in (("row", rows), ("column", columns)):
            if not held.all():
                raise DataError(
                    f"{kind} {int(np.argmin(held))} floats: neither end is connected and no "
                    "conducting cell leads to a line that is; connect an end (a resistance below "
                    "inf) or give a cell on it a conductance above 0."
                )


@dataclass(frozen=True, eq=False)
class Solution:
    """Voltages and currents of a crossbar.

    Attributes:
        row_voltage, column_voltage: at each cell's two nodes, volts, (..., rows, columns).
        cell_current: from row to column, amperes, (..., rows, columns).
        i_left, i_right: into the array at the rows' ends, amperes, (..., rows); 0 if open.
        i_top, i_bottom: out of the array at the columns' ends, amperes, (..., columns); 0 if open.
        residual: of Kirchhoff's current law, evaluated from the voltages above and carried to the
            line ends: what it can change of an end's current, as a fraction of that current or of
            what is lost in its digits if that is more, the largest of all connected ends; shape
            (...). `LinearArray` says relative to what.
        iterations: that were needed, the most of the batch.
        method: that was used.
    """

    row_voltage: Array
    column_voltage: Array
    cell_current: Array
    i_left: Array
    i_right: Array
    i_top: Array
    i_bottom: Array
    residual: Array
    iterations: int
    method: str

    def __getitem__(self, index: int | slice | tuple[int | slice, ...]) -> Solution:
        """One member, or some, of the batch."""
        kept = (getattr(self, name)[index] for name in _LABELLED)
        return replace(self, **dict(zip(_LABELLED, kept, strict=True)))


def check_size(rows: int, columns: int) -> None:
    """Refuse an array that a solve could not hold in the memory there.

    Raises:
        DataError: it states the bytes needed and the bytes there; or a side is no whole number
            above 0.
    """
    for side, value in (("rows", rows), ("columns", columns)):
        if not (isinstance(value, int | np.integer) and value >= 1):
            raise DataError(f"{side} = {value!r}; give a whole number above 0.")
    check_memory(
        rows * columns * SOLVE_BYTES,
        f"a crossbar of {rows} x {columns} = {rows * columns:.3g} cells",
        "cut it into smaller arrays that share no lines.",
    )


def _end(side: str, given: float | Array, lines: int) -> Array:
    """Checked resistances of one side's ends, one for each line."""
    value = numbers(given, f"ends.{side}")
    if value.shape not in {(), (lines,)}:
        raise DataError(
            f"ends.{side} has shape {value.shape}; give one number or shape ({lines},)."
        )
    bad = ~(value >= 0)
    if bad.any():
        raise DataError(
            f"ends.{side} holds {float(value[bad].flat[0]):g} ohm; give resistances >= 0, "
            "inf for an open end."
        )
    full = np.broadcast_to(value, (lines,)).copy()
    full.setflags(write=False)
    return full
