"""Live devices in a crossbar without ngspice: the array solved, the states moved, again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicesnn.arrays.crossbar import Solution
from spicesnn.arrays.nonlinear import NonlinearArray
from spicesnn.circuits.crossbar.cell import CrossbarCell, DeviceMemory
from spicesnn.circuits.crossbar.schemes import Programme
from spicesnn.devices.numeric import functions
from spicesnn.errors import ParameterError, SimulationError

Array = npt.NDArray[np.float64]
_LEAST = 1e-9  # Of a segment: a step below it means that the states switch too abruptly.
_BEYOND = 0.1  # Of a state's range: a stage further outside of it says that the step is too long.
# Of Bogacki and Shampine: time and weights of each further stage; the third is the answer. Then
# the weights of the difference from the embedded answer of order 2.
_STAGES = ((0.5, (0.5,)), (0.75, (0.0, 0.75)), (1.0, (2 / 9, 1 / 3, 4 / 9)))
_MISS = (-5 / 72, 1 / 12, 1 / 9, -1 / 8)
_GROWTH, _SHRINK, _CAUTION = 4.0, 0.2, 0.9
_REJECTIONS = 1000  # Between two corners: more of them mean that no step suits. Our choice.


@dataclass(frozen=True, eq=False)
class LiveStates:
    """States of all devices at the corners of a programme.

    Attributes:
        time: seconds, shape (corners,).
        states: in their units, shape (corners, states, rows, columns); NaN at open cells.
        solves: of the array, in all.
        rejected: steps that were taken again smaller.
    """

    time: Array
    states: Array
    solves: int
    rejected: int


def run_live(
    programme: Programme,
    cell: CrossbarCell,
    *,
    states: Array | None = None,
    tolerance: float = 1e-6,
) -> LiveStates:
    """States of a crossbar's devices over a programme; wires are resistors here.

    `dx/dt = f(v(x, t), x)`: for each evaluation the array is solved with the states held, then the
    rates are taken at the voltage across each memory. Steps by the pair of orders 3 and 2 of
    Bogacki and Shampine (Appl. Math. Lett. 2(4), 1989), from corner to corner of the programme.
    Capacitances of the wires are left out: their time constants are to be short against the
    pulses.

    Args:
        programme: levels of the lines over time.
        cell: with a device as its memory.
        states: at the start, instead of those that the conductances stand for.
        tolerance: of each step, as a share of a state's range; positive and finite.

    Raises:
        ParameterError: the memory is a resistor, or the tolerance is not positive and finite.
        DataError: a state given is out of its bounds, or shapes do not match.
        SimulationError: the states switch too abruptly for this method, or the array is not solved.
    """
    memory = _checked(cell, tolerance)
    crossbar, device = programme.crossbar, memory.device
    there = crossbar.conductance > 0
    equations, numbers = functions(type(device)), device.numbers
    # Where there is no device a state stands still and is left out at the end.
    x = np.where(there, cell.states(crossbar, states), memory.start[:, None, None])
    low, high = np.array([device.bounds(state) for state in device.states]).T[..., None, None]
    span = high - low
    floor, ceiling = low - _BEYOND * span, high + _BEYOND * span
    solves = rejected = 0
    near: Solution | None = None

    def rates(time: float, x: Array) -> Array:
        nonlocal solves, near
        law = cell.held_law(crossbar, programme.gate(time) if cell.gates else 0.0, x)
        near = NonlinearArray(crossbar, law).solve(programme.drive(time), start=near)
        solves += 1
        volts = law.memory_voltage(near.row_voltage, near.column_voltage)
        return np.where(there, equations.rates(volts, x, numbers), 0.0)

    def stages(time: float, ending: float, x: Array, first: Array) -> tuple[Array, Array, float]:
        """States and rates at the step's end, and its error over the tolerance."""
        h = ending - time
        inner = x
        slopes = [first]
        for part, weights in _STAGES:
            inner = x + h * sum(w * slope for w, slope in zip(weights, slopes, strict=True))
            if not ((inner >= floor) & (inner <= ceiling)).all():
                return x, first, np.inf
            slopes.append(rates(time + part * h if part < 1 else ending, inner))
        miss = h * sum(w * slope for w, slope in zip(_MISS, slopes, strict=True))
        error = float(np.abs(miss / span).max()) / tolerance
        return inner, slopes[-1], error if np.isfinite(error) else np.inf

    kept = [x]
    step = float(programme.time[1] - programme.time[0]) / 8
    for start, stop in zip(programme.time[:-1].tolist(), programme.time[1:].tolist(), strict=True):
        time, least, before = start, _LEAST * (stop - start), rejected
        # Slopes jump at a corner.
        first = rates(time, x)
        while time < stop:
            last = step >= stop - time
            ending = stop if last else time + step
            new, fourth, error = stages(time, ending, x, first)
            factor = _CAUTION * error ** (-1 / 3) if error > 0 else _GROWTH
            factor = min(max(factor, _SHRINK), _GROWTH)
            used = ending - time
            if error <= 1:
                time, x, first = ending, new, fourth
                # The last step of a segment was cut and says nothing against the next one.
                step = max(step, used * factor) if last else used * factor
            else:
                rejected += 1
                step = used * factor
                if step < least or rejected - before > _REJECTIONS:
                    raise SimulationError(
                        f"at {time:g} s the states of {device.name} change within {step:.1e} s: "
                        "too abrupt for run_live; take the deck of the programme and ngspice, or "
                        f"a tolerance above {tolerance:g}."
                    )
        kept.append(x)
    found = np.where(there, np.stack(kept), np.nan)
    return LiveStates(programme.time, found, solves, rejected)


def _checked(cell: CrossbarCell, tolerance: float) -> DeviceMemory:
    if cell.memory is None:
        raise ParameterError(
            f"run_live moves states, but this {cell.kind} cell's memory is a resistor; give "
            "memory=DeviceMemory(device=...)."
        )
    if not 0 < tolerance < np.inf:
        raise ParameterError(
            f"tolerance of run_live is {tolerance!r}; give a positive share of a state's range, "
            "such as 1e-6."
        )
    return cell.memory
