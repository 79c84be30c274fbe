"""Crossbars of nonlinear cells: Newton's method over the lines' exact solves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
import numpy.typing as npt

from spicesnn.arrays.cells import CellLaw, checked, refuse_not_finite
from spicesnn.arrays.chains import turned
from spicesnn.arrays.crossbar import SIDES, Crossbar, Drive, Solution
from spicesnn.arrays.given import instance
from spicesnn.arrays.linear import LinearArray, lines_of
from spicesnn.arrays.memory import SOLVE_BYTES, check_memory
from spicesnn.errors import DataError, SimulationError

Array = npt.NDArray[np.float64]
METHOD = "Newton, conjugate gradients where cells have two terminals, else GMRES"
_AIM = 1e-9  # Residual of Kirchhoff's law, as a share of the smallest end current.
_LOST = 1e-5  # Of a line's largest possible current: a smaller one is judged by that.
_ITERATIONS = 60
_HALVINGS = 30
_LEAST_RAMP = 1e-3
_LINEAR = 1e-5  # Of the residual: what each Newton step's linear solve leaves.


@dataclass(eq=False)
class _Point:
    """Voltages at rest and drops, rows (rows, columns), columns turned, and what they cause."""

    rest: tuple[Array, Array]
    drops: tuple[Array, Array]
    current: Array
    slopes: tuple[Array, Array]
    residual: tuple[Array, Array]

    @property
    def size(self) -> float:
        """Sum of the residual's magnitudes, A; infinite where the law overflowed."""
        total = float(np.abs(self.residual[0]).sum() + np.abs(self.residual[1]).sum())
        return total if np.isfinite(total) and self.finite else np.inf

    @property
    def finite(self) -> bool:
        """Whether the law gave finite numbers."""
        return all(np.isfinite(each).all() for each in (self.current, *self.slopes))

    def refuse_not_finite(self) -> None:
        """With the law's values where it gives others."""
        volts = self.rest[0] + self.drops[0], turned(self.rest[1] + self.drops[1])
        refuse_not_finite(*volts, self.current, self.slopes[0], -self.slopes[1])


class NonlinearArray:
    """A crossbar whose cells follow a law, `i(v_row, v_column)`, that replaces its conductances.

    Newton's method, damped by halving until the residual of Kirchhoff's current law falls; where
    that does not get there, the drive is raised in steps. The linear system of each step is solved
    by conjugate gradients as in `LinearArray` where the two derivatives of all cells agree in
    magnitude (two terminals), and by GMRES with the same preconditioner elsewhere (three).

    Error: in an array whose currents rise with their voltages the residual's sum bounds what any
    end's current may be wrong by; where rounding lets it fall no more, the ends' currents that its
    magnitudes cause do. Iterated until one of them is below 1e-9 of each end's own current, else
    `SimulationError`; it is `Solution.residual`. Where a line's cell currents cancel one another,
    it is relative to what cancels; and a current below 1e-5 of the largest that the line's cells
    could carry (the sum of their derivatives times the largest volts of the drive) is judged by
    that, also one that is 0: such ends are known to 1e-14 of what could flow there.
    """

    def __init__(self, crossbar: Crossbar, law: CellLaw) -> None:
        """Take the law.

        Args:
            crossbar: its wires and ends; its conductances only make the first guess.
            law: the cells'.

        Raises:
            DataError: one of them is something else.
        """
        instance(crossbar, Crossbar, "crossbar")
        if not callable(law):
            raise DataError(f"law: {type(law).__name__} where a `CellLaw` is wanted, a callable.")
        self.crossbar = crossbar
        self._law = law
        self._lines = lines_of(crossbar)
        self._ends = {side: crossbar.end_conductance(side) for side in SIDES}
        self._floating = tuple(
            np.flatnonzero((lines.first == 0) & (lines.last == 0)) for lines in self._lines
        )

    def solve(self, drive: Drive, *, start: Solution | None = None) -> Solution:
        """Node voltages and currents, for one drive or a batch, one after the other.

        Args:
            drive: volts behind the ends; leading axes are the batch.
            start: of one drive, a solution that is near; else each member starts from the last.

        Raises:
            DataError: shapes do not match, values are not finite, or the batch's answer would not
                fit into the memory there.
            SimulationError: the law is not a passive cell's or not finite, or Newton's method does
                not arrive.
        """
        volts = self.crossbar.volts(drive)
        batch = volts["left"].shape[:-1]
        flat = {side: v.reshape(-1, v.shape[-1]) for side, v in volts.items()}
        shape = self.crossbar.conductance.shape
        near = None
        if start is not None:
            instance(start, Solution, "start")
            if start.row_voltage.shape != shape:
                raise DataError(
                    f"start.row_voltage has shape {start.row_voltage.shape}; give one solution of "
                    f"{shape[0]} x {shape[1]} cells."
                )
            near = start.row_voltage, turned(start.column_voltage)
        count = prod(batch)
        check_memory(
            (3 * count + SOLVE_BYTES // 8) * 8 * prod(shape),
            f"node voltages of {count} inputs on {shape[0]} x {shape[1]} cells",
            "solve fewer inputs at a time.",
        )
        u, w, current = (np.empty((count, *shape)) for _ in range(3))
        ends = {side: np.empty(v.shape) for side, v in flat.items()}
        residual, iterations = np.empty(count), 0
        for k in range(count):
            own = {side: v[k] for side, v in flat.items()}
            point, needed, residual[k] = self._find(own, near)
            near = (point.rest[0] + point.drops[0], point.rest[1] + point.drops[1])
            u[k], w[k], current[k] = near[0], turned(near[1]), point.current
            for side, value in self._currents(point, own).items():
                ends[side][k] = value
            iterations = max(iterations, needed)
        nodes = [each.reshape(*batch, *shape) for each in (u, w, current)]
        left, right, top, bottom = (ends[s].reshape(volts[s].shape) for s in SIDES)
        return Solution(
            nodes[0], nodes[1], nodes[2], left, right, top, bottom, residual.reshape(batch),
            iterations, METHOD,
        )  # fmt: skip

    def _find(
        self, volts: dict[str, Array], near: tuple[Array, Array] | None
    ) -> tuple[_Point, int, float]:
        """Newton's method, with the drive raised in steps where needed."""
        if near is None:
            one = LinearArray(self.crossbar).solve(Drive(**volts))
            near = one.row_voltage, turned(one.column_voltage)
        point, count, share = self._newton(volts, near)
        if share <= _AIM:
            return point, count, share
        reached, step = 0.0, 0.25
        here = np.zeros_like(near[0]), np.zeros_like(near[1])
        while reached < 1:
            part = min(reached + step, 1.0)
            point, more, share = self._newton({s: part * v for s, v in volts.items()}, here)
            count += more
            if share <= _AIM:
                reached, step = part, 2 * step
                here = (point.rest[0] + point.drops[0], point.rest[1] + point.drops[1])
            elif (step := step / 2) < _LEAST_RAMP:
                point.refuse_not_finite()
                raise SimulationError(
                    f"Newton's method stops at {reached:.3g} of the drive with a residual of "
                    f"{share:.1e} of the smallest end current ({count} "
                    "iterations): give a nearer `start`, conductances of the crossbar nearer to "
                    "the cells' at these volts, or a law without steps."
                )
        return point, count, share

    def _newton(
        self, volts: dict[str, Array], near: tuple[Array, Array]
    ) -> tuple[_Point, int, float]:
        """From a start: the last point, iterations, and the residual's share of the currents."""
        rest = (
            np.array(self._lines[0].at_rest(volts["left"], volts["right"])[0]),
            np.array(self._lines[1].at_rest(volts["top"], volts["bottom"])[0]),
        )
        point = self._point(rest, (near[0] - rest[0], near[1] - rest[1]))
        for count in range(_ITERATIONS):
            share = self._share(point, volts)
            if share <= _AIM or not np.isfinite(point.size):
                return point, count, share
            step = self._answer(point, *point.residual)
            length = 1.0
            for _ in range(_HALVINGS):
                drops = tuple(d + length * s for d, s in zip(point.drops, step, strict=True))
                new = self._point(point.rest, (drops[0], drops[1]))
                if new.size < (1 - 1e-4 * length) * point.size:
                    break
                length /= 2
            else:
                return point, count, self._sharper(point, volts)
            point = new
        return point, _ITERATIONS, share

    def _point(self, rest: tuple[Array, Array], drops: tuple[Array, Array]) -> _Point:
        # A floating line is at rest at any voltage: at its mean its drops are small, and the wires'
        # currents not lost beside it.
        rest, drops = (rest[0].copy(), rest[1].copy()), (drops[0].copy(), drops[1].copy())
        for level, drop, floating in zip(rest, drops, self._floating, strict=True):
            mean = drop[floating].mean(axis=1, keepdims=True)
            level[floating] += mean
            drop[floating] -= mean
        with np.errstate(over="ignore", invalid="ignore"):
            current, by_row, by_column = checked(
                self._law, rest[0] + drops[0], turned(rest[1] + drops[1])
            )
        residual = (
            -self._lines[0].leaving(drops[0]) - current,
            turned(current) - self._lines[1].leaving(drops[1]),
        )
        return _Point(rest, drops, current, (by_row, by_column), residual)

    def _answer(self, point: _Point, rows: Array, columns: Array) -> tuple[Array, Array]:
        """Volts of rows and columns (turned) by small currents into their nodes."""
        by_row, by_column = point.slopes
        if np.allclose(by_row, by_column, rtol=1e-12, atol=0):
            array = LinearArray(self.crossbar.with_conductance(by_row))
            one, two = array.response(rows[None], columns[None], _LINEAR)
            return one[0], two[0]
        return self._unsymmetric(by_row, by_column, rows, columns)

    def _unsymmetric(
        self, by_row: Array, by_column: Array, into_rows: Array, into_columns: Array
    ) -> tuple[Array, Array]:
        """`A x - c y = r, B y - a x = s`: y eliminated, GMRES on x preconditioned by A."""
        from scipy.sparse.linalg import LinearOperator, gmres

        shape = by_row.shape
        along = self._lines[0].factor(turned(by_row))
        across = self._lines[1].factor(by_column)
        held = across.solve(into_columns[None].copy())
        right = into_rows + by_column * turned(held)[0]

        def reduced(flat: Array) -> Array:
            rows = flat.reshape(shape)
            back = turned(across.solve(turned(by_row * rows)[None]))[0]
            out = self._lines[0].leaving(rows) + by_row * rows - by_column * back
            return np.asarray(out.reshape(-1))

        def exact_rows(flat: Array) -> Array:
            return along.solve(flat.reshape(1, *shape).copy()).reshape(-1)

        size = right.size
        flat, failed = gmres(
            LinearOperator((size, size), matvec=reduced, dtype=np.float64), right.reshape(-1),
            M=LinearOperator((size, size), matvec=exact_rows, dtype=np.float64),
            rtol=_LINEAR, atol=0.0, restart=30, maxiter=40,
        )  # fmt: skip
        if failed:
            raise SimulationError(
                f"GMRES leaves more than {_LINEAR:g} of a Newton step's residual after {failed} "
                "iterations: wires and cells differ by too many orders of magnitude, or cells gain."
            )
        rows = flat.reshape(shape)
        columns = across.solve((into_columns + turned(by_row * rows))[None])[0]
        return rows, columns

    def _currents(self, point: _Point, volts: dict[str, Array]) -> dict[str, Array]:
        """Of the line ends: into the array at left and right, out of it at top and bottom."""
        found = {}
        for lines, drop, sides, into in (
            (self._lines[0], point.drops[0], ("left", "right"), 1.0),
            (self._lines[1], point.drops[1], ("top", "bottom"), -1.0),
        ):
            _, through = lines.at_rest(volts[sides[0]], volts[sides[1]])
            found[sides[0]] = into * (through - self._ends[sides[0]] * drop[:, 0])
            found[sides[1]] = into * (-through - self._ends[sides[1]] * drop[:, -1])
        return found

    def _sharper(self, point: _Point, volts: dict[str, Array]) -> float:
        """What the residual can change of an end's current, relative, the worst.

        The currents that its magnitudes cause at the ends, and what the linear solve left of them.
        """
        if not np.isfinite(point.size):
            return np.inf
        ends, zero = self._currents(point, volts), {side: 0.0 * v for side, v in volts.items()}
        rows, columns = self._answer(point, *(np.abs(each) for each in point.residual))
        reached = self._currents(replace(point, drops=(rows, columns)), zero)
        worst = 0.0
        for side, own in self._references(point, ends, volts).items():
            reach = np.abs(reached[side]) + _LINEAR * point.size
            worst = max(worst, float(np.max(reach[own > 0] / own[own > 0], initial=0.0)))
        return worst if np.isfinite(worst) else np.inf

    def _references(
        self, point: _Point, ends: dict[str, Array], volts: dict[str, Array]
    ) -> dict[str, Array]:
        """Magnitudes of the connected ends' currents, or of what cancels there if that is more."""
        size = np.abs(point.current)
        top = max(float(np.abs(v[self._ends[s] > 0]).max(initial=0.0)) for s, v in volts.items())
        # Voltages are rounded: a current far below slope times volts is not known better.
        steep = _LOST * top * np.maximum(*point.slopes)
        rows, columns = (
            np.maximum(size.sum(axis=k) - np.abs(point.current.sum(axis=k)), steep.sum(axis=k))
            for k in (1, 0)
        )
        floors = dict(zip(SIDES, (rows, rows, columns, columns), strict=True))
        held = {side: self._ends[side] > 0 for side in SIDES}
        return {
            side: np.where(held[side], np.maximum(np.abs(ends[side]), floors[side]), 0.0)
            for side in SIDES
        }

    def _share(self, point: _Point, volts: dict[str, Array]) -> float:
        """The residual's sum over the smallest end current; infinite if the law is not finite."""
        if not np.isfinite(point.size):
            return np.inf
        ends = self._currents(point, volts)
        own = np.concatenate(list(self._references(point, ends, volts).values()))
        own = own[own > 0]
        if not point.size > 0:
            return 0.0
        return float(point.size / own.min()) if own.size else np.inf
