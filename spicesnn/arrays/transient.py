"""Transients of a crossbar's wires: resistance and capacitance, by TR-BDF2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicesnn.arrays.chains import Lines, turned
from spicesnn.arrays.crossbar import SIDES, Crossbar, Drive, Solution
from spicesnn.arrays.given import instance, numbers
from spicesnn.arrays.linear import LinearArray, lines_of
from spicesnn.arrays.memory import check_memory
from spicesnn.errors import DataError

Array = npt.NDArray[np.float64]
# Of Bank et al. 1985: both stages then have the same matrix.
_STAGE = 2 - np.sqrt(2)
_SHUNT = 2 / _STAGE


class Stepper:
    """A crossbar with wire capacitance, carried on step by step.

    TR-BDF2: the trapezoidal rule to `t + (2 - sqrt 2) h`, then the second-order backward formula to
    `t + h`; second order, L-stable. Both stages solve with the same matrix, which is factored once
    for equal steps; their starts are the last voltages.
    Source: Bank et al., IEEE Trans. Electron Devices 32, 1985.

    Error: of one step `O(h^3)`, which halving the steps shows; each stage's solve is exact to 1e-9
    and checked as `LinearArray` says. Where conductances change, the wires' voltages stay and what
    charges them is what Kirchhoff's current law leaves over with the new ones; lines without
    capacitance follow at once.

    Attributes:
        crossbar: with the present conductances.
        drive: the present volts behind the ends.
        solution: the present one; currents include those that charge the wires.
    """

    def __init__(self, crossbar: Crossbar, drive: Drive) -> None:
        """Begin in the steady state of a drive.

        Args:
            crossbar: with its wires' capacitances.
            drive: volts behind the ends; leading axes are a batch.

        Raises:
            DataError: shapes do not match or values are not finite.
        """
        instance(crossbar, Crossbar, "crossbar")
        self.crossbar = crossbar
        self.drive = drive
        self.solution = LinearArray(crossbar).solve(drive)
        self._charging = (np.zeros_like(self.solution.row_voltage),
                          np.zeros_like(self.solution.column_voltage))  # fmt: skip
        self._factored: tuple[float, LinearArray] | None = None

    def step(self, seconds: float, drive: Drive, conductance: Array | None = None) -> Solution:
        """One step; the volts move linearly to those given, at once by a step far shorter than RC.

        Args:
            seconds: its length, > 0.
            drive: volts at its end, of the batch begun with.
            conductance: new cells for this step and those after, siemens, (rows, columns).

        Raises:
            DataError: the length, a shape or a value is not usable.
            SimulationError: a stage's residual stays too large.
        """
        if not (isinstance(seconds, float | int) and np.isfinite(seconds) and seconds > 0):
            raise DataError(f"a step of {seconds!r} s; give one above 0.")
        begun, given = (self.crossbar.volts(d)["left"].shape[:-1] for d in (self.drive, drive))
        if given not in {(), begun}:
            raise DataError(f"the drive has batch axes {given}; it was begun with {begun}.")
        if conductance is not None:
            if np.shape(conductance) != self.crossbar.conductance.shape:
                raise DataError(
                    f"conductance has shape {np.shape(conductance)}; the stepper was begun with "
                    f"{self.crossbar.conductance.shape}."
                )
            self.crossbar = self.crossbar.with_conductance(conductance)
            self._factored = None
            self._charging = self._left_over()
        per = tuple(c * _SHUNT / seconds for c in self._capacitance())
        if self._factored is None or self._factored[0] != seconds:
            array = LinearArray(self.crossbar, row_shunt=per[0], column_shunt=per[1])
            self._factored = seconds, array
        array = self._factored[1]
        before, old = self._voltages(self.solution), self._charging
        middle = array.solve(
            _between(self.drive, drive), start=self.solution,
            row_injected=per[0] * before[0] + old[0],
            column_injected=per[1] * before[1] + old[1],
        )  # fmt: skip
        part = 1 / (_STAGE * (2 - _STAGE))
        past = [part * x - (1 - _STAGE) ** 2 * part * x0
                for x, x0 in zip(self._voltages(middle), before, strict=True)]  # fmt: skip
        self.solution = array.solve(
            drive, start=middle,
            row_injected=per[0] * past[0], column_injected=per[1] * past[1],
        )  # fmt: skip
        after = self._voltages(self.solution)
        self._charging = (per[0] * (after[0] - past[0]), per[1] * (after[1] - past[1]))
        self.drive = drive
        return self.solution

    def _left_over(self) -> tuple[Array, Array]:
        """Into the wires' capacitances at their present voltages, A, by Kirchhoff's current law."""
        c_row, c_column = self._capacitance()
        g, volts = self.crossbar.conductance, self.crossbar.volts(self.drive)
        lines = lines_of(self.crossbar)
        u, w = self.solution.row_voltage, turned(self.solution.column_voltage)
        rest = (lines[0].at_rest(volts["left"], volts["right"])[0],
                lines[1].at_rest(volts["top"], volts["bottom"])[0])  # fmt: skip
        zero = np.zeros(u.shape), np.zeros(w.shape)
        if not (c_row or c_column):
            return zero[0], turned(zero[1])
        # Nodes without capacitance are where their own line and the cells' other ends put them.
        if not c_row:
            u = rest[0] + _held(lines[0], turned(g), g * (turned(w) - rest[0]))
        if not c_column:
            w = rest[1] + _held(lines[1], g, turned(g) * (turned(u) - rest[1]))
        cells = g * (u - turned(w))
        return (
            -lines[0].leaving(u - rest[0]) - cells if c_row else zero[0],
            cells - turned(lines[1].leaving(w - rest[1])) if c_column else turned(zero[1]),
        )

    def _capacitance(self) -> tuple[float, float]:
        return self.crossbar.wires.c_row, self.crossbar.wires.c_column

    @staticmethod
    def _voltages(solution: Solution) -> tuple[Array, Array]:
        return solution.row_voltage, solution.column_voltage


@dataclass(frozen=True, eq=False)
class TransientResult:
    """Waveforms of a crossbar's ends.

    Attributes:
        times: seconds, (times,).
        i_left, i_right: into the array, amperes, (times, rows).
        i_top, i_bottom: out of the array, amperes, (times, columns).
        row_voltage, column_voltage: volts at all nodes, (times, rows, columns), where asked for.
        residual: as of `Solution`, the worst of all steps.
    """

    times: Array
    i_left: Array
    i_right: Array
    i_top: Array
    i_bottom: Array
    row_voltage: Array | None
    column_voltage: Array | None
    residual: float


def transient(
    crossbar: Crossbar,
    times: npt.ArrayLike,
    drive: Drive,
    *,
    cells: Callable[[float, Solution], Array] | None = None,
    voltages: bool = False,
) -> TransientResult:
    """Steps from time to time, from the steady state at the first one; see `Stepper`.

    Args:
        crossbar: with its wires' capacitances.
        times: seconds, rising, (times,); the volts are linear between them. Equal steps share
            their factors.
        drive: volts behind the ends, numbers or of shape (times, lines).
        cells: conductances for the next step by time and the present solution, for cells with a
            state of their own; None keeps them.
        voltages: keep all nodes' voltages.

    Raises:
        DataError: times do not rise, shapes do not match, or the result would not fit into memory.
        SimulationError: a residual stays too large.
    """
    at = numbers(times, "times")
    if at.ndim != 1 or at.size < 2 or not np.isfinite(at).all() or not (np.diff(at) > 0).all():
        raise DataError("times must be two or more finite seconds that rise.")
    volts = crossbar.volts(drive)
    for side, value in volts.items():
        if value.shape[:-1] not in {(), at.shape}:
            raise DataError(
                f"drive at {side} has shape {value.shape}; give ({at.size}, {value.shape[-1]}), "
                "one row for each of the times, or numbers."
            )
    cellcount = crossbar.rows * crossbar.columns
    if voltages:
        check_memory(16 * at.size * cellcount, f"all voltages at {at.size} times",
                     "leave `voltages` off, or take fewer times.")  # fmt: skip
    full = {s: np.broadcast_to(v, (at.size, v.shape[-1])) for s, v in volts.items()}
    steps = np.diff(at)
    # Times like 0.1, 0.2, ... differ by rounding only: one factorisation serves them all.
    same = np.abs(steps - steps[0]) <= 1e-9 * steps[0]
    steps = np.where(same, steps[0], steps)

    def drive_at(k: int) -> Drive:
        return Drive(**{side: v[k] for side, v in full.items()})

    run = Stepper(crossbar, drive_at(0))
    ends = {s: np.empty(v.shape) for s, v in full.items()}
    shape = (at.size, crossbar.rows, crossbar.columns)
    rows, columns = (np.empty(shape), np.empty(shape)) if voltages else (None, None)
    worst = 0.0
    for k in range(at.size):
        if k:
            new = None if cells is None else cells(float(at[k - 1]), run.solution)
            run.step(float(steps[k - 1]), drive_at(k), new)
        for side in SIDES:
            ends[side][k] = getattr(run.solution, f"i_{side}")
        if rows is not None and columns is not None:
            rows[k], columns[k] = run.solution.row_voltage, run.solution.column_voltage
        worst = max(worst, float(run.solution.residual))
    return TransientResult(
        at, ends["left"], ends["right"], ends["top"], ends["bottom"], rows, columns, worst
    )


def _held(lines: Lines, shunt: Array, into: Array) -> Array:
    """Drops of lines by currents into their nodes, with conductances to ground at them."""
    batch = np.array(into, order="C").reshape(-1, *into.shape[-2:])
    return lines.factor(shunt).solve(batch).reshape(into.shape)


def _between(first: Drive, last: Drive) -> Drive:
    """The volts at the middle stage."""
    return Drive(**{
        side: (1 - _STAGE) * np.asarray(getattr(first, side))
        + _STAGE * np.asarray(getattr(last, side))
        for side in SIDES
    })  # fmt: skip
