"""A crossbar's cell: a memory, and what stands in series with it. 1R, 1T1R or 1S1R."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import SerializeAsAny

from spicesnn.arrays.crossbar import Crossbar, Ends, Wires
from spicesnn.circuits.crossbar.law import ElementLaw, MemoryLaw, SeriesLaw
from spicesnn.circuits.crossbar.series import (
    SELECTOR,
    TRANSISTOR,
    ProcessTransistor,
    SeriesElement,
    Transistor,
)
from spicesnn.circuits.device_forms import DeviceForms, device_forms
from spicesnn.devices.numeric import functions
from spicesnn.devices.ode import Ode
from spicesnn.errors import DataError, ParameterError
from spicesnn.parameters import Parameters, parameter
from spicesnn.units import exact_number

Array = npt.NDArray[np.float64]
_HALVINGS = 55  # Of a state's range: down to its rounding.
_SLACK = 1e-9  # Of a range's ends: what a conductance written and read again may lose.


class DeviceMemory(Parameters):
    """A device of equations as a cell's memory.

    A crossbar describes it by its conductance `I(v_read) / v_read`. The device's first state
    holds that conductance; the others are at their start.
    """

    device: SerializeAsAny[Ode]
    v_read: float = parameter(0.1, unit="V", doc="where conductance is read", gt=0)

    @property
    def conductance_range(self) -> tuple[float, float]:
        """Lowest and highest conductance between the bounds of the first state, siemens."""
        found = self._read(np.array(self._bounds()))
        return float(found.min()), float(found.max())

    def conductance(self, states: Array) -> Array:
        """Siemens at the read voltage.

        Args:
            states: in their units, shape (states, rows, columns).

        Raises:
            DataError: there are more or fewer states than the device has.
        """
        device = self.device
        if len(states) != len(device.states):
            raise DataError(
                f"states have shape {np.shape(states)}; {device.name} has {len(device.states)}: "
                "give (states, rows, columns)."
            )
        current = functions(type(device)).current(self.v_read, states, device.numbers)
        return current / self.v_read

    @property
    def start(self) -> Array:
        """The device's own first states, in their units, shape (states,)."""
        return np.array([self.device.numbers[state.start] for state in self.device.states])

    def states(self, conductance: Array) -> Array:
        """States at which cells have these conductances, by halving between the bounds.

        Args:
            conductance: siemens, shape (rows, columns); 0 is an open cell, without a device.

        Returns:
            In their units, shape (states, rows, columns); NaN at open cells.

        Raises:
            DataError: a conductance is none that the device has.
        """
        wanted = np.asarray(conductance, dtype=np.float64)
        low, high = self.conductance_range
        there = wanted != 0
        outside = there & ~((wanted >= low * (1 - _SLACK)) & (wanted <= high * (1 + _SLACK)))
        if outside.any():
            where = np.argwhere(outside)[0]
            raise DataError(
                f"conductance of cell ({', '.join(str(k) for k in where)}) is "
                f"{wanted[tuple(where)]:g} S, outside what {self.device.name} has at "
                f"{self.v_read:g} V: {low:g} to {high:g} S; choose one in between "
                "(or 0, an open cell)."
            )
        bounds = self._bounds()
        small, large = (np.full(wanted.shape, bound) for bound in bounds)
        at_bounds = self._read(np.array(bounds))
        rises = bool(at_bounds[1] > at_bounds[0])
        for _ in range(_HALVINGS):
            middle = 0.5 * (small + large)
            below = (self._read(middle) < wanted) == rises
            small, large = np.where(below, middle, small), np.where(below, large, middle)
        return np.where(there, self._all_states(0.5 * (small + large)), np.nan)

    def _bounds(self) -> tuple[float, float]:
        return self.device.bounds(self.device.states[0])

    def _read(self, first: Array) -> Array:
        return self.conductance(self._all_states(first))

    def _all_states(self, first: Array) -> Array:
        return np.stack([first, *(np.full(first.shape, other) for other in self.start[1:])])


def _check_bounds(device: Ode, held: Array, there: npt.NDArray[np.bool_]) -> None:
    for state, values in zip(device.states, held, strict=True):
        low, high = device.bounds(state)
        slack = _SLACK * (high - low)
        outside = there & ~((values >= low - slack) & (values <= high + slack))
        if outside.any():
            i, j = np.argwhere(outside)[0]
            raise DataError(
                f"state {state.name} of cell ({i}, {j}) is {values[i, j]:g}, outside "
                f"{device.name}'s {low:g} to {high:g} {state.unit}; start it there."
            )


@dataclass(frozen=True, eq=False)
class CellText:
    """A cell's text in a deck.

    Attributes:
        lines: netlist lines.
        states: nodes that show the memory's states, in order.
    """

    lines: tuple[str, ...]
    states: tuple[str, ...]


class CrossbarCell(Parameters):
    """What hangs between a row's node and a column's node.

    ```
    row --( memory )-- mid --( series )-- column
                               | gate, of a transistor
    ```

    Attributes:
        memory: None takes the crossbar's conductance as a resistor.
        series: None (1R), a transistor (1T1R) or a selector (1S1R).
    """

    memory: DeviceMemory | None = None
    series: SeriesElement | None = None

    @property
    def kind(self) -> str:
        """`1R`, `1T1R` or `1S1R`."""
        if self.series is None:
            return "1R"
        return "1T1R" if self.gates else "1S1R"

    @property
    def gates(self) -> str:
        """Along which lines the gate lines run, `rows` or `columns`; empty without a transistor."""
        series = self.series
        return series.gates if isinstance(series, Transistor | ProcessTransistor) else ""

    @property
    def linear(self) -> bool:
        """Whether the cell is a resistor."""
        return self.memory is None and self.series is None

    def gate_volts(self, rows: int, columns: int, gate: float | Array) -> Array:
        """Checked gate voltages, shape (rows,) or (columns,); (0,) without gates.

        Raises:
            DataError: the shape does not match, or a value is not finite.
        """
        if not self.gates:
            return np.empty(0)
        lines = rows if self.gates == "rows" else columns
        value = np.asarray(gate, dtype=np.float64)
        if value.shape not in {(), (lines,)}:
            raise DataError(
                f"gate has shape {value.shape}; give one voltage or shape ({lines},), one for "
                f"each of the {self.gates}."
            )
        if not np.isfinite(value).all():
            raise DataError("gate holds NaN or infinite volts; give finite ones.")
        return np.broadcast_to(value, (lines,)).copy()

    def crossbar(self, states: Array, wires: Wires, ends: Ends | None = None) -> Crossbar:
        """The description of an array of these devices at given states.

        Args:
            states: in their units, shape (states, rows, columns).
            wires: of the crossbar.
            ends: of the crossbar.

        Raises:
            DataError: their shape is not that, a state is out of its bounds, or a device at them
                conducts nothing, which a crossbar takes for an open cell without a device.
            ParameterError: the memory is a resistor.
        """
        memory = self._device_memory("crossbar(states)")
        held = np.asarray(states, dtype=np.float64)
        if held.ndim != 3 or len(held) != len(memory.device.states):
            raise DataError(
                f"states have shape {held.shape}; give ({len(memory.device.states)}, rows, "
                f"columns), a table for each state of {memory.device.name}."
            )
        _check_bounds(memory.device, held, np.ones(held.shape[1:], dtype=bool))
        conductance = memory.conductance(held)
        if (conductance == 0).any():
            i, j = np.argwhere(conductance == 0)[0]
            raise DataError(
                f"the device of cell ({i}, {j}) has 0 S at its state, and 0 S is an open cell "
                "without a device; start it a little further in."
            )
        return Crossbar(conductance, wires, ends or Ends())

    def states(self, crossbar: Crossbar, given: Array | None = None) -> Array:
        """The states that a crossbar's conductances stand for, or those given, checked.

        Args:
            crossbar: conductances, shape.
            given: in their units, shape (states, rows, columns); at open cells (0 S) they mean
                nothing.

        Returns:
            In their units, shape (states, rows, columns); NaN at open cells, which have no device.

        Raises:
            DataError: a conductance is none that the device has, or a state is out of its bounds.
            ParameterError: the memory is a resistor.
        """
        memory = self._device_memory("states")
        if given is None:
            return memory.states(crossbar.conductance)
        device, held = memory.device, np.array(given, dtype=np.float64)
        shape = (len(device.states), crossbar.rows, crossbar.columns)
        if held.shape != shape:
            raise DataError(f"states have shape {held.shape}; give {shape}.")
        there = crossbar.conductance > 0
        _check_bounds(device, held, there)
        return np.where(there, held, np.nan)

    def law(
        self, crossbar: Crossbar, gate: float | Array = 0.0, states: Array | None = None
    ) -> SeriesLaw:
        """All cells of a crossbar as one law for `NonlinearArray`, their states held.

        Args:
            crossbar: conductances, shape.
            gate: volts of the gate lines, shape () or (lines,).
            states: instead of those of the crossbar's conductances, (states, rows, columns).

        Raises:
            ParameterError: the transistor is a process's, which has no law here.
            DataError: a shape does not match, a conductance is none that the device has, or a state
                is out of its bounds.
        """
        held = None if self.memory is None else self.states(crossbar, states)
        return self.held_law(crossbar, gate, held)

    def held_law(self, crossbar: Crossbar, gate: float | Array, held: Array | None) -> SeriesLaw:
        """As `law`, at states that may lie beyond their bounds, as those within a step do.

        Raises:
            ParameterError: the transistor is a process's, which has no law here.
            DataError: the gates' shape does not match.
        """
        memory = self._memory_law(crossbar, held)
        series = self.series
        if series is None:
            return SeriesLaw(memory)
        if isinstance(series, ProcessTransistor):
            raise ParameterError(
                f"a transistor of {series.process.name} has no law for the array solver; take "
                "Transistor with an EKV card (`spicesnn fit` makes one of the process)."
            )
        if isinstance(series, Transistor):
            volts = self.gate_volts(crossbar.rows, crossbar.columns, gate)
            gates = volts[:, None] if series.gates == "rows" else volts[None, :]
            return SeriesLaw(memory, _transistor_law(series, gates))

        def selector(middle: Array, column: Array) -> tuple[Array, Array, Array]:
            v = middle - column
            slope = series.slope(v)
            return series.current(v), slope, -slope

        def guess(row: Array, column: Array) -> Array:
            # The memory's current without a selector is more than flows: from there Newton's
            # steps come down and are few.
            return column + series.voltage(memory(row - column)[0])

        return SeriesLaw(memory, selector, guess)

    def forms(self) -> tuple[DeviceForms, ...]:
        """The memory's device for a deck."""
        return () if self.memory is None else (device_forms(self.memory.device),)

    def subcircuits(self) -> tuple[str, str]:
        """Subcircuits that the cells call, and the model cards these need."""
        series = self.series
        if series is None:
            return "", ""
        text = series.subcircuit()
        if isinstance(series, ProcessTransistor):
            return text, series.process.models_for(text)
        return text, ""

    def text(self, row: int, column: int, conductance: float, states: Sequence[float]) -> CellText:
        """One cell in a deck, between nodes `row{row}_{column}` and `col{row}_{column}`."""
        name = f"{row}_{column}"
        top, bottom = f"row{name}", f"col{name}"
        middle = bottom if self.series is None else f"mid{name}"
        nodes: tuple[str, ...] = ()
        if self.memory is None:
            lines = [f"r{name} {top} {middle} {exact_number(1 / conductance)}"]
        else:
            device = self.memory.device
            nodes = tuple(f"{state.name}{name}" for state in device.states)
            given = " ".join(
                f"{state.start}={exact_number(value)}"
                for state, value in zip(device.states, states, strict=True)
            )
            called = device.name.lower()
            lines = [f"xm{name} {top} {middle} {' '.join(nodes)} {called} {given}"]
        if self.gates:
            gate = f"gate{row if self.gates == 'rows' else column}"
            lines.append(f"xt{name} {middle} {gate} {bottom} 0 {TRANSISTOR}")
        elif self.series is not None:
            lines.append(f"xs{name} {middle} {bottom} {SELECTOR}")
        return CellText(tuple(lines), nodes)

    def _memory_law(self, crossbar: Crossbar, held: Array | None) -> MemoryLaw:
        if self.memory is None or held is None:
            conductance = crossbar.conductance
            return lambda v: (conductance * v, np.broadcast_to(conductance, np.shape(v)))
        device, there = self.memory.device, crossbar.conductance > 0
        equations, numbers = functions(type(device)), device.numbers
        # An open cell has no device, as in the deck; any state does for what is masked after.
        filled = np.where(there, held, self.memory.start[:, None, None])
        return lambda v: (
            np.where(there, equations.current(v, filled, numbers), 0.0),
            np.where(there, equations.conductance(v, filled, numbers), 0.0),
        )

    def _device_memory(self, what: str) -> DeviceMemory:
        if self.memory is None:
            raise ParameterError(
                f"{what} asks for a device, but this {self.kind} cell's memory is a resistor; give "
                "memory=DeviceMemory(device=...)."
            )
        return self.memory


def _transistor_law(transistor: Transistor, gates: Array) -> ElementLaw:
    def law(middle: Array, column: Array) -> tuple[Array, Array, Array]:
        by_drain, by_source = transistor.slopes(gates, middle, column)
        return transistor.current(gates, middle, column), by_drain, by_source

    return law
