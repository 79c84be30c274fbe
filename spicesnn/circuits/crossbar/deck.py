"""The deck of a crossbar, and its answer read back into arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import index

import numpy as np
import numpy.typing as npt

from spicesnn.arrays.crossbar import SIDES, Crossbar, Drive
from spicesnn.arrays.memory import check_memory
from spicesnn.circuits.crossbar.cell import CrossbarCell
from spicesnn.circuits.deck import Analysis, Deck, Knob, OperatingPoint
from spicesnn.circuits.device_forms import DeviceForm
from spicesnn.errors import DataError, UnknownNameError
from spicesnn.units import exact_number
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]
RESISTOR_CELL = CrossbarCell()
# Bytes that ngspice and the deck's text take for a cell with its wires: about 4,000 with KLU at
# 128 x 128, and a margin. A cell of more than a resistor is counted twice: our choice.
DECK_BYTES = 6000
_END_SOURCES = tuple(f"v{side}" for side in SIDES)
_OVERDRIVE = 10.0  # Our choice: knobs may be turned up this far before a voltage is implausible.


def crossbar_deck(
    crossbar: Crossbar,
    cell: CrossbarCell = RESISTOR_CELL,
    *,
    drive: Drive | None = None,
    gate: float | Array = 0.0,
    analysis: Analysis | None = None,
    cell_knobs: Sequence[tuple[int, int]] = (),
    start_states: Array | None = None,
    voltages: bool = False,
    states: bool = False,
    device_form: DeviceForm = "auto",
    title: str = "",
) -> Deck:
    """A crossbar for ngspice, from the description that the array solver takes too.

    ```
    vleft0  left0 -- rendleft0 -- eleft0 -- rrow0_0 -- row0_0 -- rrow0_1 -- row0_1 -- ...
                                                         |
                                                        cell -- gate0, vgate0
                                                         |
                                    ... rcol0_0 -- col0_0 -- rcol1_0 -- ... -- vbottom0
    ```

    Each connected line end has a source (`vleft3`, `vright3`, `vtop0`, `vbottom0`), each gate line
    `vgate3`; all are knobs. `i(vbottom0)` and `i(vtop0)` are currents out of the array,
    `i(vleft3)` and `i(vright3)` are minus those into it. Segment `rrow3_4` lies left of cell
    (3, 4), `rcol3_4` above it. Resistances, capacitances and states carry all their figures;
    knobs carry six in the text and all when a `Session` runs them as a library.

    Args:
        crossbar: the description.
        cell: what hangs at each crossing where the conductance is above 0.
        drive: constant volts behind the ends, one value or one a line; sources are knobs.
        gate: volts of the gate lines, shape () or (lines,).
        analysis: by default an operating point.
        cell_knobs: (row, column) of the cells whose resistor `r3_4` is a knob.
        start_states: of the devices instead of those that the conductances stand for, in
            their units, (states, rows, columns).
        voltages: keep every node's voltage.
        states: keep every device's states.
        device_form: of devices of equations.
        title: first line.

    Raises:
        DataError: shapes do not match, a drive is a batch, a cell knob is no pair, a conductance is
            none that the device has, or the circuit would not fit the memory.
        UnknownNameError: a cell knob is no resistor of this crossbar.
    """
    check_deck_size(crossbar.rows, crossbar.columns, cell)
    volts = crossbar.volts(drive or Drive())
    if any(v.ndim != 1 for v in volts.values()):
        raise DataError(
            "drive is a batch; a deck has one input: give one voltage a line and turn the knobs "
            "vleft0, ... for others."
        )
    gates = cell.gate_volts(crossbar.rows, crossbar.columns, gate)
    analysis = analysis or OperatingPoint()
    knobs = {k.element: k for k in _sources(crossbar, volts, gates)}
    fixed, turned, nodes = _cells(crossbar, cell, start_states, _pairs(cell_knobs))
    knobs |= {k.element: k for k in turned}
    lines = [*_wires(crossbar), *_capacitors(crossbar), *fixed]
    subcircuits, models = cell.subcircuits()
    probes = [f"i({name})" for name in knobs if name.startswith(_END_SOURCES)]
    if voltages:
        at = [f"{i}_{j}" for i in range(crossbar.rows) for j in range(crossbar.columns)]
        probes += [f"v(row{k})" for k in at] + [f"v(col{k})" for k in at]
    if states:
        probes += [f"v({node})" for node in nodes]
    bound = max(1.0, *(float(np.abs(v).max()) for v in volts.values()), *np.abs(gates).tolist())
    scale = 1.0
    if cell.memory is not None:
        device = cell.memory.device
        scale = max(abs(b) / s.scale for s in device.states for b in device.bounds(s))
    return Deck(
        title or f"{cell.kind} crossbar, {crossbar.rows} x {crossbar.columns}",
        "\n".join(part for part in (subcircuits, *lines) if part), models, knobs, tuple(probes),
        analysis, plausible_voltage=_OVERDRIVE * max(bound, scale), devices=cell.forms(),
        device_form=device_form,
    )  # fmt: skip


def check_deck_size(rows: int, columns: int, cell: CrossbarCell = RESISTOR_CELL) -> None:
    """Refuse a crossbar whose circuit would not fit the memory.

    Raises:
        DataError: it states the bytes needed and the bytes there.
    """
    bytes_each = DECK_BYTES * (1 if cell.linear else 2)
    check_memory(
        rows * columns * bytes_each,
        f"the circuit of a crossbar of {rows} x {columns} = {rows * columns:.3g} cells",
        "cut it into smaller arrays, or give the description to the array solver.",
    )


@dataclass(frozen=True, eq=False)
class Readout:
    """A deck's answer as arrays; the leading axis is time, if the analysis has one.

    Attributes:
        time: seconds (or the swept value), shape (points,); an operating point has one.
        i_left, i_right: into the array, A, (points, rows); 0 if open.
        i_top, i_bottom: out of the array, A, (points, columns); 0 if open.
        row_voltage, column_voltage: V, (points, rows, columns); empty if not kept.
        states: in their units, (points, states, rows, columns), NaN at open cells; empty if not
            kept.
    """

    time: Array
    i_left: Array
    i_right: Array
    i_top: Array
    i_bottom: Array
    row_voltage: Array
    column_voltage: Array
    states: Array


def read_out(waveforms: Waveforms, crossbar: Crossbar, cell: CrossbarCell) -> Readout:
    """The waveforms of a crossbar's deck as arrays, with the signs of `arrays.Solution`.

    Raises:
        UnknownNameError: a current of an end is missing from the waveforms.
    """
    points = waveforms.time.size
    currents = {}
    for side in SIDES:
        connected = crossbar.connected(side)
        found = np.zeros((points, connected.size))
        sign = -1.0 if side in {"left", "right"} else 1.0
        for k in np.flatnonzero(connected).tolist():
            found[:, k] = sign * waveforms[f"i(v{side}{k})"]
        currents[f"i_{side}"] = found
    at = [f"{i}_{j}" for i in range(crossbar.rows) for j in range(crossbar.columns)]
    place = {name: k for k, name in enumerate(at)}
    shape = (points, crossbar.rows, crossbar.columns)

    def nodes(kind: str, scale: float = 1.0, among: Sequence[str] = at) -> Array:
        if not among or f"v({kind}{among[0]})" not in waveforms.signals:
            return np.empty((0, *shape[1:]))
        found = np.full((points, len(at)), np.nan)
        for name in among:
            found[:, place[name]] = scale * waveforms[f"v({kind}{name})"]
        return found.reshape(shape)

    # An open cell has no device, so no node that shows its state.
    there = [f"{i}_{j}" for i, j in np.argwhere(crossbar.conductance > 0).tolist()]
    device = None if cell.memory is None else cell.memory.device
    kept = [nodes(state.name, state.scale, there) for state in device.states] if device else []
    states = np.stack(kept, axis=1) if kept else np.empty((0, 0, *shape[1:]))
    return Readout(
        waveforms.time, **currents, row_voltage=nodes("row"), column_voltage=nodes("col"),
        states=states,
    )  # fmt: skip


def _sources(crossbar: Crossbar, volts: dict[str, Array], gates: Array) -> Iterator[Knob]:
    for side in SIDES:
        for k in np.flatnonzero(crossbar.connected(side)).tolist():
            yield Knob(f"v{side}{k}", (f"{side}{k}", "0"), float(volts[side][k]))
    for k, value in enumerate(gates):
        yield Knob(f"vgate{k}", (f"gate{k}", "0"), float(value))


def _wires(crossbar: Crossbar) -> Iterator[str]:
    rows, columns = crossbar.rows, crossbar.columns
    ohms = {side: crossbar.end_resistance(side) for side in SIDES}

    def end(side: str, k: int) -> Iterator[str]:
        if ohms[side][k] > 0:
            yield f"rend{side}{k} {side}{k} e{side}{k} {exact_number(ohms[side][k])}"

    def end_node(side: str, k: int) -> str:
        return f"e{side}{k}" if ohms[side][k] > 0 else f"{side}{k}"

    segment = exact_number(crossbar.wires.r_row)
    for i in range(rows):
        if np.isfinite(ohms["left"][i]):
            yield from end("left", i)
            yield f"rrow{i}_0 {end_node('left', i)} row{i}_0 {segment}"
        for j in range(1, columns):
            yield f"rrow{i}_{j} row{i}_{j - 1} row{i}_{j} {segment}"
        if np.isfinite(ohms["right"][i]):
            yield f"rrow{i}_{columns} row{i}_{columns - 1} {end_node('right', i)} {segment}"
            yield from end("right", i)
    segment = exact_number(crossbar.wires.r_column)
    for j in range(columns):
        if np.isfinite(ohms["top"][j]):
            yield from end("top", j)
            yield f"rcol0_{j} {end_node('top', j)} col0_{j} {segment}"
        for i in range(1, rows):
            yield f"rcol{i}_{j} col{i - 1}_{j} col{i}_{j} {segment}"
        if np.isfinite(ohms["bottom"][j]):
            yield f"rcol{rows}_{j} col{rows - 1}_{j} {end_node('bottom', j)} {segment}"
            yield from end("bottom", j)


def _capacitors(crossbar: Crossbar) -> Iterator[str]:
    for kind, farads in (("row", crossbar.wires.c_row), ("col", crossbar.wires.c_column)):
        if farads > 0:
            for i in range(crossbar.rows):
                for j in range(crossbar.columns):
                    yield f"c{kind}{i}_{j} {kind}{i}_{j} 0 {exact_number(farads)}"


def _pairs(cell_knobs: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    try:
        return {(index(row), index(column)) for row, column in cell_knobs}
    except (TypeError, ValueError):
        raise DataError(
            f"cell_knobs are {cell_knobs!r}; give pairs of whole numbers, (row, column) of each "
            "cell."
        ) from None


def _cells(
    crossbar: Crossbar, cell: CrossbarCell, states: Array | None, turned: set[tuple[int, int]]
) -> tuple[list[str], list[Knob], list[str]]:
    """Lines of the cells, knobs of those asked for, and nodes of their states."""
    conductance = crossbar.conductance
    there = [(i, j) for i, j in np.argwhere(conductance > 0).tolist()]
    for at in turned - (set(there) if cell.memory is None else set()):
        names = [f"r{i}_{j}" for i, j in there] if cell.memory is None else []
        raise UnknownNameError("cell resistor", f"r{at[0]}_{at[1]}", names)
    start = None if cell.memory is None else cell.states(crossbar, states)
    lines: list[str] = []
    knobs: list[Knob] = []
    nodes: list[str] = []
    for i, j in there:
        held = () if start is None else start[:, i, j].tolist()
        text = cell.text(i, j, float(conductance[i, j]), held)
        own = text.lines
        if (i, j) in turned:
            name, first, second, _ = own[0].split()
            knobs.append(Knob(name, (first, second), float(1 / conductance[i, j])))
            own = own[1:]
        lines += own
        nodes += text.states
    return lines, knobs, nodes
