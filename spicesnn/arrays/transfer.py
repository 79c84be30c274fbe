"""What a crossbar is for its line ends: transfer matrix, port admittance, updates of few cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dpotrf, dpotri

from spicesnn.arrays.chains import turned
from spicesnn.arrays.crossbar import SIDES, Crossbar, Drive
from spicesnn.arrays.given import numbers, numeric
from spicesnn.arrays.linear import LinearArray, lines_of
from spicesnn.arrays.memory import check_memory
from spicesnn.errors import DataError, SimulationError

Array = npt.NDArray[np.float64]
Port = tuple[str, int]
_ACCEPTED = 1e-9
# Of the solves for changed cells, relative: with it no entry of 5000 random updates of small arrays
# with cells over six decades was further than 1e-10 from 50 digits, with 1e-13 some were 4e-8.
_DIGITS = 1e-11
_TOGETHER = 2**22  # Cells times inputs of one batch of those solves: our choice.
_ACROSS = {"left": "top", "right": "bottom", "top": "left", "bottom": "right"}


@dataclass(frozen=True, eq=False)
class Reduction:
    """A crossbar as seen from its connected ends: exact, and what replaces it in a larger circuit.

    Attributes:
        ports: (side, line) of each connected end, sides in the order left, right, top, bottom.
        admittance: current into the array at each port by the volts behind each, siemens, symmetric
            and with rows that sum to 0, (ports, ports).
        coupling: conductance between each two ports, siemens >= 0, 0 on the diagonal, (ports,
            ports): minus the admittance beside the diagonal.
    """

    ports: tuple[Port, ...]
    admittance: Array
    coupling: Array

    def names(self) -> tuple[str, ...]:
        """Of the ports: `left0`, `left1`, ..."""
        return tuple(f"{side}{line}" for side, line in self.ports)

    def currents(self, drive: Drive, crossbar: Crossbar) -> Array:
        """Current into the array at every port for a drive of it, A, shape (..., ports).

        Raises:
            DataError: the crossbar's connected ends are not these ports, or the drive does not fit.
        """
        if _connected(crossbar, SIDES) != self.ports:
            raise DataError(
                f"the crossbar of {crossbar.rows} x {crossbar.columns} has other connected ends "
                "than the reduced one; give the reduced one."
            )
        volts = crossbar.volts(drive)
        return self.into(np.stack([volts[side][..., line] for side, line in self.ports], axis=-1))

    def into(self, volts: npt.ArrayLike) -> Array:
        """Current into the array at every port, `I_a = sum_b c_ab (v_a - v_b)`, A, (..., ports).

        By differences of volts, so that a current keeps its digits beside larger couplings and
        equal volts cause none.

        Args:
            volts: behind the ports, in their order, shape (..., ports).

        Raises:
            DataError: the last axis is not the number of ports.
        """
        given = numbers(volts, "volts of the ports")
        if given.ndim == 0 or given.shape[-1] != len(self.ports):
            raise DataError(
                f"volts of the ports have shape {given.shape}; the last axis must be "
                f"{len(self.ports)}, one for each port."
            )
        found = np.empty(given.shape)
        for k, own in enumerate(self.coupling):
            found[..., k] = (given[..., k, None] - given) @ own
        return found


@dataclass(frozen=True, eq=False)
class Transfer:
    """Exact currents of the columns' ends by the volts behind the rows' ends, others at 0 V.

    `i = matrix @ v`. After `updated`, the response of the changed cells at the base conductances
    is kept with it, so that updates chain; each changed cell costs one solve of the base array.
    Compute `Transfer.of` anew when more cells have changed than about a tenth of the lines of the
    array's shorter side, where that becomes the cheaper one (measured: about 10 at 128 x 128).

    Attributes:
        input_ports: (side, line) of the rows' connected ends.
        output_ports: (side, line) of the columns' connected ends.
        matrix: siemens, shape (outputs, inputs).
        crossbar: with the present conductances.
        error: largest relative difference from a solve whose residual was checked, or the bound
            that `updated` states for its entries if that is larger.
    """

    input_ports: tuple[Port, ...]
    output_ports: tuple[Port, ...]
    matrix: Array
    crossbar: Crossbar
    error: float
    _changes: _Changes | None = None

    @classmethod
    def of(cls, array: LinearArray) -> Transfer:
        """The exact transfer matrix of an array, by elimination of its lines one after the other.

        Time grows with `short^3 * long`, memory with `short^2`, of the array's sides: no factors
        are kept. All that is added is positive, so no digits are lost; checked against one solve.

        Raises:
            DataError: no row or no column has a connected end, the array has shunts, or the memory
                there is too small.
            SimulationError: it differs from a checked solve by more than 1e-9.
        """
        for name, shunt in zip(("row_shunt", "column_shunt"), array.shunts, strict=True):
            if shunt:
                raise DataError(
                    f"the array has {name} = {shunt:g} S; a transfer matrix knows no shunts: solve "
                    "its inputs with `LinearArray.outputs`."
                )
        crossbar = array.crossbar
        inputs, outputs = (_connected(crossbar, sides) for sides in (SIDES[:2], SIDES[2:]))
        if not inputs or not outputs:
            kind = "column" if inputs else "row"
            raise DataError(f"no {kind} has a connected end, so there is no transfer; connect one.")
        coupling, ports = _couplings(crossbar, all_pairs=False)
        at = {port: k for k, port in enumerate(ports)}
        matrix = coupling[np.ix_([at[p] for p in outputs], [at[p] for p in inputs])]
        error = _compare(matrix, array, inputs, outputs,
                         "its cells and wires differ by too many orders of magnitude.")  # fmt: skip
        return cls(inputs, outputs, matrix, crossbar, error)

    def outputs(self, volts: Array) -> Array:
        """Currents out of the columns' ends, A, (..., outputs), for volts (..., inputs).

        Raises:
            DataError: the last axis is not the number of inputs, or no finite numbers.
        """
        given = numbers(volts, "volts")
        if given.ndim == 0 or given.shape[-1] != len(self.input_ports):
            raise DataError(
                f"volts have shape {given.shape}; the last axis must be {len(self.input_ports)}, "
                "one for each connected end of a row."
            )
        if not np.isfinite(given).all():
            raise DataError("volts hold NaN or infinite ones; give finite ones.")
        return np.asarray(given @ self.matrix.T)

    def updated(self, cells: npt.ArrayLike, conductance: npt.ArrayLike) -> Transfer:
        """With other conductances of a few cells, by Sherman, Morrison and Woodbury's formula.

        `T' = T - P^T D (1 + Z D)^-1 A`: A are the volts across the changed cells by the inputs, P
        the output currents and Z the volts across them by a current through each, D the changes.

        Error: where `T` and the rest nearly cancel, digits are lost. Each entry is bounded by
        `(eps |T| + e |P^T| |D| (|X| + |(1 + Z D)^-1| (1 + |Z D|) |X|)) / |T'|`, X being
        `(1 + Z D)^-1 A` and e = 1e-11 for the digits of the solves. Where that, or the difference
        from a checked solve, is above 1e-9, or a solve is refused, the matrix is computed anew by
        `Transfer.of`, and later updates start from it.

        Args:
            cells: row and column of each, shape (cells, 2).
            conductance: siemens >= 0, shape (cells,).

        Raises:
            DataError: a cell is not there or given twice, or a conductance is not one.
            SimulationError: as `Transfer.of`.
        """
        where = np.atleast_2d(numeric(cells, "cells"))
        value = np.atleast_1d(numbers(conductance, "conductance"))
        if where.size == 0 and value.size == 0:
            return self
        self._check_cells(where, value)
        changed = self.crossbar.conductance.copy()
        changed[where[:, 0], where[:, 1]] = value
        crossbar = self.crossbar.with_conductance(changed)
        base, array = self._changes or _Changes.of(self), LinearArray(crossbar)
        try:
            base = base.with_cells([(int(i), int(j)) for i, j in where])
        except SimulationError:  # What a current through one cell does is not known well enough.
            return Transfer.of(array)
        matrix, bound = base.matrix(crossbar)
        if bound <= _ACCEPTED:
            error = max(bound, _difference(matrix, array, self.input_ports, self.output_ports))
            if error <= _ACCEPTED:
                return replace(self, matrix=matrix, crossbar=crossbar, _changes=base, error=error)
        return Transfer.of(array)

    def _check_cells(self, where: npt.NDArray[np.int_], value: Array) -> None:
        shape = self.crossbar.conductance.shape
        if where.ndim != 2 or where.shape[1] != 2 or value.shape != where.shape[:1]:
            raise DataError(
                f"cells have shape {where.shape} and conductance {value.shape}; give (cells, 2) "
                "and (cells,)."
            )
        if not np.issubdtype(where.dtype, np.integer) or ((where < 0) | (where >= shape)).any():
            raise DataError(f"cells name one that is not in the array of {shape[0]} x {shape[1]}.")
        if len(np.unique(where, axis=0)) != len(where):
            raise DataError("cells name one twice; give each cell once.")


@dataclass(frozen=True, eq=False)
class _Changes:
    """Cells that differ from a base array, and what a current through each does there.

    Attributes:
        array: with the base conductances.
        transfer: of it.
        inputs, outputs: its ports.
        cells: (row, column) of each.
        at_inputs: volts across each cell by each input's volts, (cells, inputs).
        at_outputs: current out of each output by one ampere through each cell, (cells, outputs).
        across: volts across each cell by one ampere through each, ohm, (cells, cells).
    """

    array: LinearArray
    transfer: Array
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    cells: tuple[tuple[int, int], ...]
    at_inputs: Array
    at_outputs: Array
    across: Array

    @classmethod
    def of(cls, transfer: Transfer) -> _Changes:
        """None yet."""
        inputs, outputs = transfer.input_ports, transfer.output_ports
        return cls(
            LinearArray(transfer.crossbar), transfer.matrix, inputs, outputs, (),
            np.empty((0, len(inputs))), np.empty((0, len(outputs))), np.empty((0, 0)),
        )  # fmt: skip

    def with_cells(self, cells: list[tuple[int, int]]) -> _Changes:
        """With these too, those that are new: one solve each."""
        new = [cell for cell in cells if cell not in set(self.cells)]
        if not new:
            return self
        every = (*self.cells, *new)
        rows, columns = (np.array(axis) for axis in zip(*every, strict=True))
        at_inputs, at_outputs = list(self.at_inputs), list(self.at_outputs)
        across = np.zeros((len(every), len(every)))
        across[: len(self.cells), : len(self.cells)] = self.across
        shape = self.array.crossbar.conductance.shape
        done = len(self.cells)
        together = max(1, _TOGETHER // prod(shape))
        for first in range(0, len(new), together):
            part = new[first : first + together]
            into = np.zeros((len(part), *shape))
            into[(np.arange(len(part)), *np.transpose(part))] = 1.0
            one = self.array.solve(Drive(), row_injected=into, column_injected=-into)
            out = {"left": -one.i_left, "right": -one.i_right, "top": one.i_top,
                   "bottom": one.i_bottom}  # fmt: skip
            # By reciprocity: volts at a node by a port's volts = current out of that port by a
            # current into the node.
            at_inputs += list(np.stack([out[side][:, line] for side, line in self.inputs], -1))
            at_outputs += list(np.stack([out[side][:, line] for side, line in self.outputs], -1))
            seen = (one.row_voltage - one.column_voltage)[:, rows, columns]
            own = slice(done + first, done + first + len(part))
            across[own, :], across[:, own] = seen, seen.T
        return replace(
            self, cells=every, at_inputs=np.array(at_inputs), at_outputs=np.array(at_outputs),
            across=across,
        )  # fmt: skip

    def matrix(self, crossbar: Crossbar) -> tuple[Array, float]:
        """The transfer matrix with the conductances of this crossbar at the changed cells.

        And what rounding may have changed of an entry, relative, the worst.
        """
        rows, columns = (np.array(axis) for axis in zip(*self.cells, strict=True))
        base = self.array.crossbar.conductance[rows, columns]
        change = crossbar.conductance[rows, columns] - base
        one = np.eye(len(change))
        inner = one + self.across * change
        try:
            inverse = np.linalg.solve(inner, one)
        except np.linalg.LinAlgError:
            return self.transfer, np.inf
        volts = inverse @ self.at_inputs
        found = self.transfer - (self.at_outputs * change[:, None]).T @ volts
        unsure = np.abs(volts)
        unsure = unsure + np.abs(inverse) @ ((one + np.abs(self.across * change)) @ unsure)
        lost = np.finfo(float).eps * np.abs(self.transfer)
        lost += _DIGITS * np.abs(self.at_outputs * change[:, None]).T @ unsure
        share = np.divide(lost, found, out=np.full(found.shape, np.inf), where=found > 0)
        share[(lost == 0) & (found == 0)] = 0.0
        return np.asarray(found), float(share.max(initial=0.0))


def reduction(crossbar: Crossbar) -> Reduction:
    """The exact admittance of a crossbar between all its connected ends.

    Raises:
        DataError: the memory there is too small.
        SimulationError: it differs from a checked solve by more than 1e-9.
    """
    coupling, ports = _couplings(crossbar, all_pairs=True)
    order = [k for side in SIDES for k, port in enumerate(ports) if port[0] == side]
    coupling = coupling[np.ix_(order, order)]
    admittance = np.diag(coupling.sum(axis=1)) - coupling
    found = Reduction(tuple(ports[k] for k in order), admittance, coupling)
    drive = _test_drive(crossbar)
    one = LinearArray(crossbar).outputs(drive)
    wanted = np.array([
        (1 if side in SIDES[:2] else -1) * getattr(one, f"i_{side}")[line]
        for side, line in found.ports
    ])  # fmt: skip
    volts = crossbar.volts(drive)
    level = np.array([volts[side][line] for side, line in found.ports])
    size = np.abs(coupling) @ np.abs(level) + coupling.sum(axis=1) * np.abs(level)
    _refuse(_worst(found.currents(drive, crossbar), wanted, size), "port admittance",
            "its cells and wires differ by too many orders of magnitude.")  # fmt: skip
    return found


def _connected(crossbar: Crossbar, sides: tuple[str, ...]) -> tuple[Port, ...]:
    return tuple((s, int(k)) for s in sides for k in np.flatnonzero(crossbar.connected(s)))


def _test_drive(crossbar: Crossbar) -> Drive:
    """Fixed volts between 0.5 and 1 at all rows' ends: nothing cancels at the columns'."""
    volts = np.random.default_rng(0).uniform(0.5, 1.0, (2, crossbar.rows))
    return Drive(left=volts[0], right=volts[1])


def _compare(
    matrix: Array, array: LinearArray, inputs: tuple[Port, ...], outputs: tuple[Port, ...],
    advice: str,
) -> float:  # fmt: skip
    """The same, refused where it is too large."""
    return _refuse(_difference(matrix, array, inputs, outputs), "transfer matrix", advice)


def _difference(
    matrix: Array, array: LinearArray, inputs: tuple[Port, ...], outputs: tuple[Port, ...]
) -> float:
    """Largest relative difference from a solve that checks its residual."""
    drive = _test_drive(array.crossbar)
    volts = array.crossbar.volts(drive)
    got = matrix @ np.array([volts[side][line] for side, line in inputs])
    one = array.outputs(drive)
    wanted = np.array([getattr(one, f"i_{side}")[line] for side, line in outputs])
    return _worst(got, wanted, np.abs(wanted))


def _worst(got: Array, wanted: Array, size: Array) -> float:
    off = np.divide(np.abs(got - wanted), size, out=np.zeros_like(size), where=size > 0)
    return float(off.max(initial=0.0))


def _refuse(worst: float, what: str, advice: str) -> float:
    if not worst <= _ACCEPTED:
        raise SimulationError(
            f"the {what} differs from a checked solve by {worst:.1e}, {_ACCEPTED:g} is wanted: "
            f"{advice}"
        )
    return worst


def _couplings(crossbar: Crossbar, *, all_pairs: bool) -> tuple[Array, list[Port]]:
    """Conductance between each two ports with all nodes eliminated, siemens; 0 on the diagonal.

    From the shorter side's point of view, so that the dense blocks are small. Not `all_pairs`:
    those of a row with a column only.
    """
    if crossbar.columns > crossbar.rows:
        coupling, ports = _Elimination(crossbar.transposed(), all_pairs).run()
        return coupling, [(_ACROSS[side], line) for side, line in ports]
    return _Elimination(crossbar, all_pairs).run()


class _Elimination:
    """Rows eliminated from the top; what is left of them hangs on the columns' nodes below.

    Between any two nodes and ports there is a conductance >= 0, and none leads anywhere else, so a
    diagonal is the sum of its couplings (Grassmann, Taksar and Heyman's way): all operations add
    positive numbers and every coupling keeps its relative accuracy.
    """

    def __init__(self, crossbar: Crossbar, all_pairs: bool) -> None:
        self.all_pairs = all_pairs
        self.crossbar = crossbar
        ends = {side: crossbar.end_conductance(side) for side in SIDES}
        self.ends = ends
        # In the order in which they come, so that those there are always the first ones.
        self.ports = [("top", int(j)) for j in np.flatnonzero(ends["top"])]
        for row in range(crossbar.rows):
            self.ports += [(s, row) for s in ("left", "right") if ends[s][row] > 0]
        self.ports += [("bottom", int(j)) for j in np.flatnonzero(ends["bottom"])]
        n, count = crossbar.columns, len(self.ports)
        check_memory(
            8 * (4 * n * n + 3 * n * count + 2 * count * count),
            f"the matrix between {count} line ends of {crossbar.rows} x {n} cells",
            "leave open the ends that carry nothing, or solve inputs one by one.",
        )
        self.among = np.zeros((n, n))  # Between columns' nodes.
        self.to_ports = np.zeros((n, count))
        self.ports_among = np.zeros((count, count))
        self.to_all = ends["top"].copy()  # From columns' nodes to all ports together.
        top = np.flatnonzero(ends["top"])
        self.there = self.tops = top.size
        self.to_ports[top, np.arange(top.size)] = ends["top"][top]

    def run(self) -> tuple[Array, list[Port]]:
        """All rows, then the bottom ends."""
        crossbar = self.crossbar
        rows, _ = lines_of(crossbar)
        factor = rows.factor(turned(crossbar.conductance))
        segment = np.full(crossbar.columns, 1 / crossbar.wires.r_column)
        n = crossbar.columns
        diagonal, below = factor.diagonal.reshape(-1, n), np.append(factor.below, 0.0)
        for row in range(crossbar.rows):
            if row:
                self._step(segment)
            one = replace(factor, diagonal=diagonal[row], below=below[row * n : row * n + n - 1])
            self._add_row(row, one.solve(np.eye(n)[:, None, :])[:, 0, :])
        self._step(self.ends["bottom"], last=True)
        return self.ports_among, self.ports

    def _add_row(self, row: int, inverse: Array) -> None:
        g = self.crossbar.conductance[row]
        left, right = self.ends["left"][row], self.ends["right"][row]
        if left > 0 and right > 0:
            both, first = left * inverse[0, -1] * right, self.there
            self.ports_among[first, first + 1] = self.ports_among[first + 1, first] = both
        inverse *= g[:, None]
        for end, node in ((left, 0), (right, -1)):
            if end > 0:
                self.to_ports[:, self.there] = inverse[:, node] * end
                self.to_all += self.to_ports[:, self.there]
                self.there += 1
        inverse *= g
        self.among += inverse
        np.fill_diagonal(self.among, 0.0)

    def _step(self, onward: Array, *, last: bool = False) -> None:
        """Eliminate the columns' nodes; `onward` leads from each to its next node or its end."""
        matrix = -self.among
        np.fill_diagonal(matrix, self.to_all + self.among.sum(axis=1) + onward)
        inverse = _inverse(matrix)
        there = self.to_ports[:, : self.there]
        reached = inverse @ there
        if self.all_pairs:
            self.ports_among[: self.there, : self.there] += there.T @ reached
        elif self.tops:
            pairs = there[:, : self.tops].T @ reached[:, self.tops :]
            self.ports_among[: self.tops, self.tops : self.there] += pairs
            self.ports_among[self.tops : self.there, : self.tops] += pairs.T
        if last:
            held = np.flatnonzero(onward)
            new = slice(self.there, self.there + held.size)
            across = onward[held, None] * reached[held]
            self.ports_among[new, : self.there] = across
            self.ports_among[: self.there, new] = across.T
            self.ports_among[new, new] = (onward[:, None] * inverse * onward)[np.ix_(held, held)]
            np.fill_diagonal(self.ports_among, 0.0)
            return
        segment = onward[0]  # Of all columns alike.
        self.to_all = segment * (inverse @ self.to_all)
        np.multiply(reached, segment, out=there)
        self.among = inverse
        self.among *= segment**2
        np.fill_diagonal(self.among, 0.0)


def _inverse(matrix: Array) -> Array:
    """Of a symmetric positive definite matrix, by Cholesky's factor."""
    # Its transpose is itself, and in the order of LAPACK: nothing is copied.
    factor, bad = dpotrf(matrix.T, lower=1, clean=1, overwrite_a=1)
    if not bad:
        half, bad = dpotri(factor, lower=1, overwrite_c=1)
    if bad:
        raise SimulationError(
            "columns float in double precision; connect their ends or raise the smallest cell."
        )
    full = half + half.T
    np.fill_diagonal(full, half.diagonal())
    return np.asarray(full)
