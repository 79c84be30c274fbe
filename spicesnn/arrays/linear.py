"""The linear crossbar: conjugate gradients over exact solves along its rows and columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt
from scipy.linalg.blas import dasum, daxpy

from spicesnn.arrays.chains import Lines, turned
from spicesnn.arrays.crossbar import SIDES, Crossbar, Drive, Solution
from spicesnn.arrays.given import instance, numbers
from spicesnn.arrays.memory import SOLVE_BYTES, check_memory
from spicesnn.errors import DataError, SimulationError

Array = npt.NDArray[np.float64]
METHOD = "columns eliminated, conjugate gradients preconditioned by exact row solves"
_AIM = 1e-10  # Of the smallest end current: where the iterations stop.
_ACCEPTED = 1e-9  # What the checked residual may change of any end current.
# Where the iterations stop, an end current counts at least this share of its line's cell currents
# as they would be without IR drop; the check afterwards looks at the true ones.
_SHARE = 1e-3
# The check counts an end current at least this share of what its line's cells could carry: the
# digits of the voltages hold no more.
_LOST = 1e-5
_REFINEMENTS = 8
# A line whose ends hold it this much less than a segment moves as a whole: see `_centre`.
_LOOSE = 0.1
_BLOCK = 2**16  # Cells times inputs that are solved together: what the caches hold, measured.


@dataclass(frozen=True, eq=False)
class Gradient:
    """Derivatives of a scalar loss.

    Attributes:
        conductance: by each cell's conductance, summed over the batch, (rows, columns).
        left, right: by the volts behind the rows' ends, (..., rows).
        top, bottom: by the volts behind the columns' ends, (..., columns).
    """

    conductance: Array
    left: Array
    right: Array
    top: Array
    bottom: Array


@dataclass(frozen=True, eq=False)
class EndCurrents:
    """Currents of the line ends, A: into the array at left and right, out of it at top and bottom.

    Attributes:
        i_left, i_right: shape (..., rows).
        i_top, i_bottom: shape (..., columns).
        residual: as of `Solution`, shape (...).
    """

    i_left: Array
    i_right: Array
    i_top: Array
    i_bottom: Array
    residual: Array


@dataclass(eq=False)
class _State:
    """One block of a batch: rows (batch, rows, columns), columns turned (batch, columns, rows).

    The voltages are kept as what the lines have at rest plus a drop. The drops are of the size of
    the IR drop and keep their own relative accuracy, which full voltages would have rounded away.
    `through` is what the ends carry without the drops.
    """

    row_rest: Array
    column_rest: Array
    through: dict[str, Array]
    row_level: Array
    column_level: Array
    row_drop: Array
    column_drop: Array
    cell_current: Array
    iterations: int = 0
    residual: Array | None = None


class LinearArray:
    """A crossbar of linear cells, factored once for many inputs.

    With rows' voltages `u` and columns' `w` Kirchhoff's current law reads `A u - G w = b_r`,
    `B w - G u = b_c`; A and B are a tridiagonal matrix for each line. Columns are eliminated,
    `S = A - G B^-1 G`, and `S u = b_r + G B^-1 b_c` is solved by conjugate gradients with A as the
    preconditioner; A and B are factored without subtractions. Memory grows with the cells,
    25 doubles each; time with the cells times a count of iterations that grows slowly with
    `sqrt(g r) n`.

    Which method when: this one for node voltages and for few inputs; `Transfer.of(array)` for many
    at the same conductances where currents are enough; by time it pays from about a tenth as many
    inputs as the array's shorter side has lines.

    Error: a current injected into a passive array leaves by its ends in fractions between 0 and 1,
    so what the residual of Kirchhoff's current law, evaluated afresh from the final voltages, can
    change of any end's current is bounded by its sum; where that bound is too coarse, by the ends'
    currents that the residual's magnitudes drive (a few iterations, and what they have left). This,
    relative to each connected end's current, is `Solution.residual`: of all of them, those with no
    current too. Where the current is small beside what is lost in its digits, it is relative to
    that instead, the larger of: what cancels of the line's cell currents, `sum |i| - |sum i|`; and
    1e-5 of `sum(g (U + W)) + sum(s) U + sum |injected|` over the line's cells, U and W being the
    largest magnitudes of the volts on the line's nodes and behind its connected ends, and on those
    it crosses, and s the shunts. The rounding of the check itself, some 1e-16 of what flows in the
    lines, is not in it. It is refined until below 1e-9, or a `SimulationError` is raised.
    """

    def __init__(
        self, crossbar: Crossbar, *, row_shunt: float = 0.0, column_shunt: float = 0.0
    ) -> None:
        """Factor the lines.

        Args:
            crossbar: what is solved.
            row_shunt: conductance from every row's node to ground, siemens.
            column_shunt: from every column's node, siemens.

        Raises:
            DataError: a shunt is negative or not finite.
            SimulationError: a line floats in double precision.
        """
        instance(crossbar, Crossbar, "crossbar")
        for name, shunt in (("row_shunt", row_shunt), ("column_shunt", column_shunt)):
            given = numbers(shunt, name)
            if given.ndim or not (np.isfinite(given) and given >= 0):
                raise DataError(f"{name} is {shunt} S; give one finite conductance >= 0.")
        self.crossbar = crossbar
        self._g = crossbar.conductance
        self._g_turned = turned(self._g)
        self._shunts = row_shunt, column_shunt
        self._rows, self._columns = lines_of(crossbar)
        self._row_factor = self._rows.factor(self._g_turned + row_shunt)
        self._column_factor = self._columns.factor(self._g + column_shunt)
        self._ends = {side: crossbar.end_conductance(side) for side in SIDES}
        self._connected = tuple(side for side in SIDES if self._ends[side].any())
        self._loose = tuple(
            np.flatnonzero(np.maximum(lines.first, lines.last) < _LOOSE * lines.segment)
            for lines in (self._rows, self._columns)
        )

    @property
    def shunts(self) -> tuple[float, float]:
        """Conductances from every row's and every column's node to ground, siemens."""
        return self._shunts

    def solve(
        self,
        drive: Drive,
        *,
        row_injected: Array | None = None,
        column_injected: Array | None = None,
        start: Solution | None = None,
    ) -> Solution:
        """Node voltages and currents, for one drive or a batch.

        Args:
            drive: volts behind the ends; leading axes are the batch.
            row_injected: current into each row's node from outside, A, (..., rows, columns).
            column_injected: into each column's node, likewise.
            start: a solution of the same batch that is near, to begin from.

        Raises:
            DataError: shapes do not match, values are not finite, or the batch's answer would not
                fit into the memory there.
            SimulationError: the residual stays too large.
        """
        batch, volts, injected = self._inputs(drive, row_injected, column_injected)
        count, shape = prod(batch), (self.crossbar.rows, self.crossbar.columns)
        check_memory(
            count * prod(shape) * 3 * 8 + self._block() * prod(shape) * SOLVE_BYTES,
            f"node voltages of {count} inputs on {shape[0]} x {shape[1]} cells",
            "solve fewer inputs at a time, or ask for `outputs` only.",
        )
        near = None
        if start is not None:
            instance(start, Solution, "start")
            if start.row_voltage.shape[-2:] != shape:
                raise DataError(
                    f"start.row_voltage has shape {start.row_voltage.shape}; its last axes must be "
                    f"{shape}."
                )
            near = _flat(start.row_voltage, batch, "start.row_voltage")
        answer = {
            name: np.empty((count, *axes))
            for name, axes in (
                ("u", shape), ("w", shape[::-1]), ("i", shape), ("left", shape[:1]),
                ("right", shape[:1]), ("top", shape[1:]), ("bottom", shape[1:]), ("residual", ()),
            )
        }  # fmt: skip
        iterations = 0
        for part in self._parts(count):
            state = self._solve(
                {side: v[part] for side, v in volts.items()},
                [None if each is None else each[part] for each in injected],
                None if near is None else near[part],
            )
            np.add(state.row_rest, state.row_drop, out=answer["u"][part])
            np.add(state.column_rest, state.column_drop, out=answer["w"][part])
            answer["i"][part] = state.cell_current
            answer["residual"][part] = state.residual
            for side, value in self._end_currents(state).items():
                answer[side][part] = value
            iterations = max(iterations, state.iterations)
        full = {name: value.reshape(batch + value.shape[1:]) for name, value in answer.items()}
        return Solution(
            full["u"], full["w"].swapaxes(-1, -2), full["i"], full["left"], full["right"],
            full["top"], full["bottom"], full["residual"], iterations, METHOD,
        )  # fmt: skip

    def outputs(self, drive: Drive) -> EndCurrents:
        """The line ends' currents only; the batch may be larger than node voltages would let it.

        Raises:
            DataError: shapes do not match or values are not finite.
            SimulationError: the residual stays too large.
        """
        batch, volts, _ = self._inputs(drive, None, None)
        count = prod(batch)
        found = {side: np.empty(v.shape) for side, v in volts.items()}
        residual = np.empty(count)
        for part in self._parts(count):
            state = self._solve({s: v[part] for s, v in volts.items()}, [None, None], None)
            for side, value in self._end_currents(state).items():
                found[side][part] = value
            residual[part] = state.residual
        left, right, top, bottom = (
            found[side].reshape(batch + found[side].shape[1:]) for side in SIDES
        )
        return EndCurrents(left, right, top, bottom, residual.reshape(batch))

    def adjoint(
        self,
        solution: Solution,
        *,
        i_left: Array | float = 0.0,
        i_right: Array | float = 0.0,
        i_top: Array | float = 0.0,
        i_bottom: Array | float = 0.0,
        row_voltage: Array | None = None,
        column_voltage: Array | None = None,
        cell_current: Array | None = None,
    ) -> Gradient:
        """Gradient of a scalar loss by conductances and inputs, at the cost of one more solve.

        `lambda = M^-1 dL/dx`, `dL/dg = -(lambda_u - lambda_w) (u - w)`; M is symmetric.

        Args:
            solution: of this array.
            i_left: derivative of the loss by `solution.i_left`, of its shape or broadcast to it.
            i_right: by `solution.i_right`.
            i_top: by `solution.i_top`.
            i_bottom: by `solution.i_bottom`.
            row_voltage: by `solution.row_voltage`.
            column_voltage: by `solution.column_voltage`.
            cell_current: by `solution.cell_current`.

        Raises:
            DataError: shapes do not match or values are not finite.
        """
        instance(solution, Solution, "solution")
        if solution.row_voltage.shape[-2:] != self._g.shape:
            raise DataError(
                f"solution has cells of shape {solution.row_voltage.shape[-2:]}, not of this "
                f"array's {self._g.shape}; give one of this array."
            )
        given = {"left": i_left, "right": i_right, "top": i_top, "bottom": i_bottom}
        seeds = {}
        for side, value in given.items():
            wanted = getattr(solution, f"i_{side}").shape
            seeds[side] = _broadcast(value, wanted, f"derivative by i_{side}")
        across = solution.row_voltage - solution.column_voltage
        # What the loss takes from a node enters there as a current. An end's current depends on its
        # node by the end's conductance: so does the node on volts behind that end.
        rows, columns = (
            None if value is None else _broadcast(value, across.shape, f"derivative by {name}")
            for value, name in ((row_voltage, "row_voltage"), (column_voltage, "column_voltage"))
        )
        own = None
        if cell_current is not None:
            own = _broadcast(cell_current, across.shape, "derivative by cell_current")
            rows = own * self._g + (0.0 if rows is None else rows)
            columns = (0.0 if columns is None else columns) - own * self._g
        mirror = self.solve(
            Drive(-seeds["left"], -seeds["right"], seeds["top"], seeds["bottom"]),
            row_injected=rows, column_injected=columns,
        )  # fmt: skip
        slope = (mirror.column_voltage - mirror.row_voltage) * across
        if own is not None:
            slope += own * across
        return Gradient(
            slope.reshape(-1, *self._g.shape).sum(axis=0),
            -mirror.i_left, -mirror.i_right, mirror.i_top, mirror.i_bottom,
        )  # fmt: skip

    def response(self, rows: Array, columns: Array, left_over: float) -> tuple[Array, Array]:
        """Answer of the voltages to currents at the nodes, all ends at 0 V, to low accuracy.

        Args:
            rows: into the rows' nodes, A, (batch, rows, columns).
            columns: into the columns' nodes, turned: (batch, columns, rows).
            left_over: share of the currents that may remain unbalanced.

        Returns:
            Volts of the same shapes.
        """
        goal = left_over * (_sum(rows) + _sum(columns))
        return self._iterate(rows, columns, _fixed(goal), None)[:2]

    def _block(self) -> int:
        return max(1, _BLOCK // self._g.size)

    def _parts(self, count: int) -> list[slice]:
        size = self._block()
        return [slice(k, min(k + size, count)) for k in range(0, count, size)]

    def _inputs(
        self, drive: Drive, rows: Array | None, columns: Array | None
    ) -> tuple[tuple[int, ...], dict[str, Array], list[Array | None]]:
        """Batch, volts (count, lines) and injected currents (count, ...), columns' turned."""
        volts = self.crossbar.volts(drive)
        batch: tuple[int, ...] = volts["left"].shape[:-1]
        shape = self._g.shape
        injected: list[Array | None] = []
        for name, value in (("row_injected", rows), ("column_injected", columns)):
            if value is None:
                injected.append(None)
                continue
            array = numbers(value, name)
            if array.shape[-2:] != shape or not np.isfinite(array).all():
                raise DataError(
                    f"{name} has shape {array.shape}; give finite amperes of shape "
                    f"(..., {shape[0]}, {shape[1]})."
                )
            injected.append(array)
        given = [each.shape[:-2] for each in injected if each is not None]
        try:
            batch = np.broadcast_shapes(batch, *given)
        except ValueError:
            raise DataError(
                f"batch axes of injected currents {given} and of the drive {batch} do not match; "
                "make them equal or 1."
            ) from None
        for k, each in enumerate(injected):
            if each is not None:
                full = np.broadcast_to(each, (*batch, *shape)).reshape(-1, *shape)
                injected[k] = turned(full) if k else full
        flat = {
            s: np.broadcast_to(v, (*batch, v.shape[-1])).reshape(-1, v.shape[-1])
            for s, v in volts.items()
        }
        return batch, flat, injected

    def _solve(
        self, volts: dict[str, Array], injected: list[Array | None], near: Array | None
    ) -> _State:
        row_rest, row_through = self._rows.at_rest(volts["left"], volts["right"])
        column_rest, column_through = self._columns.at_rest(volts["top"], volts["bottom"])
        right = self._right_sides(row_rest, column_rest, injected)
        floor = {
            "row": _SHARE * np.abs(right[0]).sum(axis=-1),
            "column": _SHARE * np.abs(right[1]).sum(axis=-1),
        }
        through = {
            "left": row_through, "right": -row_through,
            "top": -column_through, "bottom": column_through,
        }  # fmt: skip

        def goal(rows: Array, columns: Array) -> Array:
            return _AIM * self._smallest(self._currents(rows, columns, through), floor)

        first = None if near is None else np.ascontiguousarray(near - row_rest)
        rows, columns, iterations, _ = self._iterate(*right, goal, first)
        levels = np.zeros(row_through.shape), np.zeros(column_through.shape)
        state = _State(row_rest, column_rest, through, *levels, rows, columns, rows, iterations)
        for _ in range(_REFINEMENTS):
            self._centre(state)
            left_over = self._left_over(state, injected)
            state.residual = self._judge(state, left_over, volts, injected, right)
            if (state.residual <= _ACCEPTED).all():
                return state
            total = _sum(left_over[0]) + _sum(left_over[1])
            more_rows, more_columns, more, _ = self._iterate(*left_over, _fixed(1e-3 * total), None)
            state.row_drop += more_rows
            state.column_drop += more_columns
            state.iterations += more
        raise SimulationError(
            f"the crossbar's currents are known to {float(state.residual.max()):.1e} only after "  # type: ignore[union-attr]
            f"{state.iterations} iterations, {_ACCEPTED:g} is wanted: wires and cells differ by "
            "too many orders of magnitude; raise the smallest wire or end resistance, or connect "
            "the lines whose ends are open."
        )

    def _right_sides(
        self, row_rest: Array, column_rest: Array, injected: list[Array | None]
    ) -> tuple[Array, Array]:
        """What drives the drops: cells and shunts at the lines' voltages at rest."""
        rows = turned(column_rest)
        rows -= row_rest
        rows *= self._g
        columns = -turned(rows)
        for side, rest, shunt, extra in (
            (rows, row_rest, self._shunts[0], injected[0]),
            (columns, column_rest, self._shunts[1], injected[1]),
        ):
            if shunt:
                np.subtract(side, shunt * rest, out=side)
            if extra is not None:
                np.add(side, extra, out=side)
        return rows, columns

    def _begin(
        self, right_rows: Array, right_columns: Array, start: Array | None
    ) -> tuple[Array, Array, Array]:
        """Rows' drops to start with, columns' that belong to them, and the rows' residual."""
        g = self._g
        columns = right_columns.copy()
        residual = right_rows.copy()
        if start is None:
            rows = np.zeros_like(right_rows)
        else:
            rows = start
            shared = g * rows
            columns += turned(shared)
            residual -= shared
            residual -= self._rows.leaving(rows)
            residual -= self._shunts[0] * rows
        back = turned(self._column_factor.solve(columns))
        back *= g
        residual += back
        return rows, columns, residual

    def _iterate(
        self,
        right_rows: Array,
        right_columns: Array,
        goal: Callable[[Array, Array], Array],
        start: Array | None,
    ) -> tuple[Array, Array, int, Array]:
        """Conjugate gradients on the rows' drops; the columns' follow in step.

        Args:
            right_rows: shape (batch, rows, columns).
            right_columns: shape (batch, columns, rows).
            goal: what the residual's sum may be at these drops, A, shape (batch,).
            start: of the rows' drops.

        Returns:
            Rows' drops, columns' (turned), iterations, and the residual's sum at the end, A.
        """
        g = self._g
        rows, columns, residual = self._begin(right_rows, right_columns, start)
        work = np.empty_like(rows)
        along = self._row_factor.solve(residual.copy())
        image = residual.copy()  # The preconditioner A times `along`, kept by recurrence.
        fresh, answer = np.empty_like(residual), np.empty_like(columns)
        energy = _dot(residual, along)
        # Far above what was ever seen; strong coupling takes about as many as the sides.
        limit = 100 + 10 * sum(g.shape)
        for count in range(limit):
            size = _sum(residual)
            # Where the energy is not above 0, rounding alone is left.
            open_ = (size > goal(rows, columns)) & (energy > 0)
            if not open_.any():
                return rows, columns, count, size
            np.multiply(g, along, out=work)
            self._column_factor.solve(turned(work, answer))
            turned(answer, work)
            work *= g
            np.subtract(image, work, out=work)
            curvature = _dot(along, work)
            open_ &= curvature > 0
            step = np.divide(energy, curvature, out=np.zeros_like(energy), where=open_)
            _add(residual, -step, work)
            _add(rows, step, along)
            _add(columns, step, answer)
            np.copyto(fresh, residual)
            self._row_factor.solve(fresh)
            new = _dot(residual, fresh)
            keep = np.divide(new, energy, out=np.zeros_like(energy), where=energy > 0)
            energy = new
            _add(fresh, keep, along)
            along, fresh = fresh, along
            image *= keep[:, None, None]
            image += residual
        return rows, columns, limit, size

    def _centre(self, state: _State) -> None:
        """Lines that their ends hold weakly: their mean voltage counts as at rest, drops are small.

        What their ends carry at that level is no drop either.
        """
        for loose, kind, sides, sign in (
            (self._loose[0], "row", SIDES[:2], -1.0), (self._loose[1], "column", SIDES[2:], 1.0)
        ):  # fmt: skip
            if loose.size:
                drop = getattr(state, f"{kind}_drop")
                mean = drop[:, loose].mean(axis=-1)
                drop[:, loose] -= mean[..., None]
                rest = np.array(getattr(state, f"{kind}_rest"))
                rest[:, loose] += mean[..., None]
                setattr(state, f"{kind}_rest", rest)
                getattr(state, f"{kind}_level")[:, loose] += mean
                for side in sides:
                    carried = state.through[side].copy()
                    carried[:, loose] += sign * self._ends[side][loose] * mean
                    state.through[side] = carried

    def _left_over(self, state: _State, injected: list[Array | None]) -> tuple[Array, Array]:
        """Kirchhoff's current law at every node, from the voltages; sets the cells' currents."""
        across = turned(state.column_rest)
        np.subtract(state.row_rest, across, out=across)
        across += state.row_drop
        across -= turned(state.column_drop)
        across *= self._g
        state.cell_current = across
        rows = self._rows.leaving(state.row_drop)
        columns = self._columns.leaving(state.column_drop)
        for out, lines, level in (
            (rows, self._rows, state.row_level), (columns, self._columns, state.column_level)
        ):  # fmt: skip
            out[..., 0] += lines.first * level
            out[..., -1] += lines.last * level
        rows += across
        columns -= turned(across)
        np.negative(rows, out=rows)
        np.negative(columns, out=columns)
        for side, rest, drop, shunt, extra in (
            (rows, state.row_rest, state.row_drop, self._shunts[0], injected[0]),
            (columns, state.column_rest, state.column_drop, self._shunts[1], injected[1]),
        ):
            if shunt:
                np.subtract(side, shunt * (rest + drop), out=side)
            if extra is not None:
                np.add(side, extra, out=side)
        return rows, columns

    def _judge(
        self, state: _State, left_over: tuple[Array, Array], volts: dict[str, Array],
        injected: list[Array | None], right: tuple[Array, Array],
    ) -> Array:  # fmt: skip
        """What the residual can change of an end's current, relative, the worst; (batch,)."""
        floor = self._lost(state, volts, injected)
        currents = self._currents(state.row_drop, state.column_drop, state.through)
        own = {side: _at_least(value, side, floor) for side, value in currents.items()}
        if any((each[:, self._ends[side] > 0] == 0).any() for side, each in own.items()):
            # Nothing is on its way to these: their 0 A are exact.
            still = self._still(right)
            for side, each in own.items():
                each[still["row" if side in {"left", "right"} else "column"]] = np.inf
        for side, each in own.items():
            each[:, self._ends[side] == 0] = np.inf
        smallest: Array = np.min([each.min(axis=-1) for each in own.values()], axis=0)
        total = _sum(left_over[0]) + _sum(left_over[1])
        coarse: Array = np.divide(total, smallest, out=np.where(total > 0, np.inf, 0.0),
                           where=smallest > 0)  # fmt: skip
        if (coarse <= _ACCEPTED).all():
            return coarse

        if (smallest == 0).any():
            return coarse  # To some ends nothing has come yet.
        # More current in makes more of it come out everywhere: the largest of all members at each
        # node serves all of them; near rounding each needs its own.
        found: Array = np.minimum(coarse, self._reach(own, smallest, left_over))
        for k in np.flatnonzero(found > _ACCEPTED) if total.size > 1 else ():
            one = slice(k, k + 1)
            alone = {side: each[one] for side, each in own.items()}
            reach = self._reach(alone, smallest[one], (left_over[0][one], left_over[1][one]))
            found[one] = np.minimum(found[one], reach)
        return found

    def _reach(
        self, own: dict[str, Array], smallest: Array, left_over: tuple[Array, Array]
    ) -> Array:
        """What comes out by the ends of the magnitudes of what is left over, relative."""

        def shares(rows: Array, columns: Array, more: Array) -> Array:
            """By which an end's current may be wrong if `more` amperes are still on their way."""
            worst = np.zeros(smallest.shape)
            for side, value in self._currents(rows, columns, {}).items():
                share = (np.abs(value) + more[:, None]) / own[side]
                np.maximum(worst, share.max(axis=-1), out=worst)
            return worst

        def goal(rows: Array, columns: Array) -> Array:
            # What may still be on its way so that the answer is good, or known to be bad.
            known = shares(rows, columns, np.zeros(1))
            enough = np.maximum(0.9 * (_ACCEPTED - known), 0.1 * known) * smallest
            return np.asarray(enough.min(keepdims=True))

        one, two = (np.abs(each).max(axis=0, keepdims=True) for each in left_over)
        rows, columns, _, more = self._iterate(one, two, goal, None)
        return shares(rows, columns, more)

    def _lost(
        self, state: _State, volts: dict[str, Array], injected: list[Array | None]
    ) -> dict[str, Array]:
        """What a current of each line's ends is judged by at least, A, (batch, lines)."""
        cell, g = state.cell_current, self._g
        size = np.abs(cell)
        top = []
        for rest, drop, sides in (
            (state.row_rest, state.row_drop, SIDES[:2]),
            (state.column_rest, state.column_drop, SIDES[2:]),
        ):
            here = rest + drop
            most = np.maximum(here.max(axis=-1), -here.min(axis=-1))
            for side in sides:
                held = self._ends[side] > 0
                most = np.where(held, np.maximum(most, np.abs(volts[side])), most)
            top.append(most)
        could = [top[0] * g.sum(axis=1) + top[1] @ g.T, top[1] * g.sum(axis=0) + top[0] @ g]
        found = {}
        for k, line in enumerate(("row", "column")):
            axis = -1 - k
            could[k] += self._shunts[k] * g.shape[1 - k] * top[k]
            extra = injected[k]
            if extra is not None:
                could[k] += np.abs(extra).sum(axis=-1)
            cancel = size.sum(axis=axis) - np.abs(cell.sum(axis=axis))
            found[line] = np.maximum(cancel, _LOST * could[k])
        return found

    def _still(self, right: tuple[Array, Array]) -> dict[str, npt.NDArray[np.bool_]]:
        """Lines that no conducting cell joins, over others, to one that something drives."""
        conducts = (self._g > 0).astype(float)
        rows, columns = (np.asarray(each.any(axis=-1)) for each in right)
        before = -1
        while (reached := int(rows.sum() + columns.sum())) != before:
            before = reached
            columns = columns | (rows @ conducts > 0)
            rows = rows | (columns @ conducts.T > 0)
        return {"row": ~rows, "column": ~columns}

    def _smallest(self, currents: dict[str, Array], floor: dict[str, Array]) -> Array:
        """The smallest end current that is not 0, A, (batch,); infinite where all are."""
        found = np.full(floor["row"].shape[0], np.inf)
        for side, value in currents.items():
            own = _at_least(value, side, floor)
            np.minimum(found, np.where(own > 0, own, np.inf).min(axis=-1), out=found)
        return found

    def _currents(self, rows: Array, columns: Array, through: dict[str, Array]) -> dict[str, Array]:
        """Currents of the connected ends from the drops, with what flows at rest."""
        found = {}
        for side in self._connected:
            drop = rows if side in {"left", "right"} else columns
            node = drop[..., 0] if side in {"left", "top"} else drop[..., -1]
            sign = -1.0 if side in {"left", "right"} else 1.0
            found[side] = sign * self._ends[side] * node
            if side in through:
                found[side] += through[side]
        return found

    def _end_currents(self, state: _State) -> dict[str, Array]:
        """Currents of all ends, 0 where they are open."""
        return state.through | self._currents(state.row_drop, state.column_drop, state.through)


def lines_of(crossbar: Crossbar) -> tuple[Lines, Lines]:
    """The rows and the columns of a crossbar as chains."""
    wires, end = crossbar.wires, crossbar.end_conductance
    return (
        Lines(crossbar.columns, 1 / wires.r_row, end("left"), end("right")),
        Lines(crossbar.rows, 1 / wires.r_column, end("top"), end("bottom")),
    )


def _at_least(current: Array, side: str, floor: dict[str, Array]) -> Array:
    line = "row" if side in {"left", "right"} else "column"
    return np.asarray(np.maximum(np.abs(current), floor[line]))


def _fixed(goal: Array) -> Callable[[Array, Array], Array]:
    return lambda rows, columns: goal


def _dot(a: Array, b: Array) -> Array:
    return np.array([np.vdot(one, two) for one, two in zip(a, b, strict=True)])


def _add(to: Array, scales: Array, other: Array) -> None:
    """In place, each member of the batch by its own scale."""
    for one, scale, two in zip(to, scales, other, strict=True):
        daxpy(two.reshape(-1), one.reshape(-1), a=scale)


def _sum(a: Array) -> Array:
    """Of magnitudes, for each member of the batch."""
    return np.array([dasum(one.reshape(-1)) for one in a])


def _broadcast(value: Array | float, shape: tuple[int, ...], name: str) -> Array:
    array = numbers(value, name)
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise DataError(f"{name} has shape {array.shape}; give {shape}.") from None


def _flat(value: Array, batch: tuple[int, ...], name: str) -> Array:
    shape = value.shape[-2:]
    return np.asarray(_broadcast(value, (*batch, *shape), name).reshape(-1, *shape))
