"""The same access for both: as a deck for ngspice and as a problem for the array solver."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spicesnn.arrays.crossbar import Solution
from spicesnn.arrays.linear import LinearArray
from spicesnn.arrays.nonlinear import NonlinearArray
from spicesnn.circuits.crossbar.cell import CrossbarCell
from spicesnn.circuits.crossbar.deck import RESISTOR_CELL, crossbar_deck
from spicesnn.circuits.crossbar.schemes import Access, Programme
from spicesnn.circuits.deck import Deck, Transient, Value, Waveform
from spicesnn.circuits.device_forms import DeviceForm
from spicesnn.errors import DataError

Array = npt.NDArray[np.float64]


def solve_access(
    access: Access,
    cell: CrossbarCell = RESISTOR_CELL,
    *,
    states: Array | None = None,
    start: Solution | None = None,
) -> Solution:
    """An access solved by the array solver; states of devices are held.

    Args:
        access: the crossbar and what lies on its lines.
        cell: what hangs at each crossing.
        states: of the devices instead of those that the conductances stand for.
        start: a solution that is near, for nonlinear cells.

    Raises:
        DataError: shapes do not match, a conductance is none that the device has, or a state is
            out of its bounds.
        ParameterError: the transistor is a process's, which has no law.
        SimulationError: the solver does not arrive.
    """
    if cell.linear:
        return LinearArray(access.crossbar).solve(access.drive)
    law = cell.law(access.crossbar, access.gate, states)
    return NonlinearArray(access.crossbar, law).solve(access.drive, start=start)


def access_deck(
    access: Access,
    cell: CrossbarCell = RESISTOR_CELL,
    *,
    start_states: Array | None = None,
    voltages: bool = False,
    title: str = "",
) -> Deck:
    """An access as the operating point of a deck.

    Args:
        access: the crossbar and what lies on its lines.
        cell: what hangs at each crossing.
        start_states: of the devices instead of those that the conductances stand for.
        voltages: keep every node's voltage.
        title: first line.

    Raises:
        DataError: shapes do not match, or a conductance is none that the device has.
    """
    return crossbar_deck(
        access.crossbar, cell, drive=access.drive, gate=access.gate, start_states=start_states,
        voltages=voltages, title=title,
    )  # fmt: skip


def programme_deck(
    programme: Programme,
    cell: CrossbarCell = RESISTOR_CELL,
    *,
    maximum_step: float,
    start_states: Array | None = None,
    voltages: bool = False,
    states: bool = True,
    device_form: DeviceForm = "auto",
    title: str = "",
) -> tuple[Deck, dict[str, Value]]:
    """A programme as a transient, and the knobs that give its sources their waveforms.

    Args:
        programme: the crossbar and the levels of its lines over time.
        cell: what hangs at each crossing.
        maximum_step: bound of ngspice's own step, seconds.
        start_states: of the devices instead of those that the conductances stand for.
        voltages: keep every node's voltage.
        states: keep every device's states.
        device_form: of devices of equations.
        title: first line.

    Raises:
        DataError: shapes do not match, or a conductance is none that the device has.
    """
    crossbar, time = programme.crossbar, programme.time
    deck = crossbar_deck(
        crossbar, cell, analysis=Transient(float(time[-1]), maximum_step),
        start_states=start_states, voltages=voltages, states=states, device_form=device_form,
        title=title,
    )  # fmt: skip
    levels = {
        "left": programme.rows, "right": programme.rows,
        "top": programme.columns, "bottom": programme.columns,
    }  # fmt: skip
    knobs: dict[str, Value] = {}
    for side, values in levels.items():
        for k in np.flatnonzero(crossbar.connected(side)).tolist():
            knobs[f"v{side}{k}"] = Waveform(time, values[:, k])
    for name in (name for name in deck.knobs if name.startswith("vgate")):
        k = int(name.removeprefix("vgate")) if programme.gates.shape[1] > 1 else 0
        knobs[name] = Waveform(time, programme.gates[:, k])
    return deck, knobs


def ir_drop(access: Access, row_voltage: Array, column_voltage: Array) -> Array:
    """Volts that the wires take from each cell: what its lines are set to, less what it has.

    Args:
        access: without floating lines; at those it is NaN.
        row_voltage: at each cell's node on its row, V, shape (..., rows, columns).
        column_voltage: on its column, likewise.

    Raises:
        DataError: voltages are not of the crossbar's shape.
    """
    shape = access.selected.shape
    for name, volts in (("row_voltage", row_voltage), ("column_voltage", column_voltage)):
        if np.shape(volts)[-2:] != shape:
            raise DataError(
                f"{name} has shape {np.shape(volts)}; the last two axes must be {shape}, (rows, "
                "columns) of the access's crossbar."
            )
    ideal = access.rows[:, None] - access.columns[None, :]
    return ideal - (row_voltage - column_voltage)


def alone(access: Access, cell: CrossbarCell = RESISTOR_CELL) -> Array:
    """Current of each cell between its lines' own voltages, without wires and neighbours, A.

    Shape (rows, columns), NaN at floating lines. Beside the current that is read it tells what
    sneaked in and what the wires took.
    """
    law = cell.law(access.crossbar, access.gate)
    shape = (access.crossbar.rows, access.crossbar.columns)
    rows = np.broadcast_to(np.nan_to_num(access.rows)[:, None], shape)
    columns = np.broadcast_to(np.nan_to_num(access.columns), shape)
    known = np.isfinite(access.rows)[:, None] & np.isfinite(access.columns)
    return np.where(known, law(rows, columns)[0], np.nan)
