"""Crossbars as circuits: ngspice against the array solver, from one description.

Sections of `benchmarks/crossbar.py`. `side_by_side` also draws `docs/pictures/crossbar.png`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from stored import ROOT, Row, row

from spicesnn.arrays.crossbar import Crossbar, Drive, Ends, Wires
from spicesnn.arrays.transient import transient
from spicesnn.circuits.crossbar import (
    Access,
    CrossbarCell,
    DeviceMemory,
    SinhSelector,
    Transistor,
    access_deck,
    alone,
    crossbar_deck,
    ir_drop,
    programme_deck,
    pulses,
    read_all,
    read_cell,
    read_out,
    run_live,
    solve_access,
    write_half,
    write_third,
)
from spicesnn.circuits.crossbar.deck import RESISTOR_CELL
from spicesnn.circuits.deck import Transient, Value, Waveform
from spicesnn.devices import find_ode
from spicesnn.devices.ekv import Ekv
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.session import Session
from spicesnn.report.crossbar import (
    disturb_map,
    ir_drop_map,
    sneak_map,
    write_side_by_side,
)

Array = npt.NDArray[np.float64]
Wanted = Callable[[Access, CrossbarCell, Array, Array], Array]
PICTURE = ROOT / "docs" / "pictures" / "crossbar.png"
# So that what is compared are the circuits and not tolerances.
EXACT = SimulationOptions().tightened(1e3)
CARD = Ekv(n=1.38, v_t0=0.45, i_spec=4e-7, lambda_=0.1, theta=0.25, eta=0.02)
DEVICE = DeviceMemory(device=find_ode("Nugent2014"))


def _resistors(rows: int, columns: int, ends: Ends | None = None) -> Crossbar:
    """10 kohm to 1 Mohm, even in the logarithm; wires of 2 ohm."""
    exponents = np.random.default_rng(rows).uniform(-6, -4, (rows, columns))
    return Crossbar(10**exponents, Wires(r_row=2.0, r_column=2.0), ends or Ends())


def _devices(rows: int, columns: int) -> Crossbar:
    low, high = DEVICE.conductance_range
    conductance = np.random.default_rng(rows).uniform(low, high, (rows, columns))
    return Crossbar(conductance, Wires(r_row=1.0, r_column=1.0))


def _currents(access: Access, cell: CrossbarCell) -> tuple[Array, Array]:
    """Bottom currents by ngspice and by the solver."""
    with Session(access_deck(access, cell), EXACT) as session:
        found = read_out(session.run().waveforms, access.crossbar, cell)
    on = access.crossbar.connected("bottom")
    return found.i_bottom[0, on], solve_access(access, cell).i_bottom[on]


def against_ngspice(quick: bool) -> list[Row]:
    """Largest relative difference of any output current, and of the RC transient by its swing."""
    rng = np.random.default_rng(1)
    read = rng.uniform(0.02, 0.2, 64)
    small, large = (16, 32) if quick else (32, 64)
    both = Ends(left=50.0, right=80.0, top=30.0, bottom=10.0)
    floating = Ends(
        left=np.where(np.arange(small) % 5 == 2, np.inf, 5.0),
        bottom=np.where(np.arange(small) % 4 == 1, np.inf, 100.0),
    )
    one_t = CrossbarCell(series=Transistor(ekv=CARD))
    selector = CrossbarCell(series=SinhSelector())
    # Name, access, cell, goal.
    cases = (
        (f"resistors, {large} x {large}", read_all(_resistors(large, large), read[:large]),
         RESISTOR_CELL, 1e-9),
        (f"resistors, both ends, {small} x {small}",
         read_all(_resistors(small, small, both), read[:small]), RESISTOR_CELL, 1e-9),
        (f"resistors, floating lines, {small} x {small}",
         read_all(_resistors(small, small, floating), read[:small]), RESISTOR_CELL, 1e-9),
        (f"1T1R, {small} x {small}", read_all(_resistors(small, small), read[:small], 1.8),
         one_t, 1e-6),
        (f"1S1R, {small} x {small}", read_all(_resistors(small, small), 4 * read[:small] + 0.1),
         selector, 1e-6),
        (f"devices, {small} x {small}", read_all(_devices(small, small), read[:small]),
         CrossbarCell(memory=DEVICE), 1e-6),
    )  # fmt: skip
    rows = []
    for name, access, cell, goal in cases:
        mine, theirs = _currents(access, cell)
        off = float(np.abs(mine / theirs - 1).max())
        rows.append(row(name, off, "1", f"<= {goal:g}", off <= goal))
    off = _transient(16)
    return [*rows, row("RC transient, 16 x 16, of swing", off, "1", "<= 0.001", off <= 1e-3)]


def _transient(n: int) -> float:
    """Steps on all rows through wires of 200 ohm and 2 fF a segment."""
    wires = Wires(r_row=200.0, r_column=150.0, c_row=2e-15, c_column=3e-15)
    crossbar = Crossbar(_resistors(n, n).conductance, wires, Ends(bottom=1e3))
    step = np.random.default_rng(5).uniform(0.05, 0.2, n)
    rise, stop = 0.1e-12, 40e-12
    corners = np.array([0.0, rise, stop])
    knobs: dict[str, Value] = {
        f"vleft{i}": Waveform(corners, np.array([0.0, step[i], step[i]])) for i in range(n)
    }
    deck = crossbar_deck(crossbar, analysis=Transient(stop, 0.2e-12))
    with Session(deck, EXACT) as session:
        found = read_out(session.run(knobs).waveforms, crossbar, RESISTOR_CELL)
    grid = np.linspace(0, stop, 401)
    solved = transient(crossbar, grid, Drive(left=np.where(grid[:, None] > 0, step, 0.0)))
    mine = np.stack([np.interp(grid, found.time, i) for i in found.i_bottom.T], axis=-1)
    return float((np.abs(mine - solved.i_bottom) / np.ptp(solved.i_bottom, axis=0)).max())


def side_by_side(quick: bool) -> list[Row]:
    """IR drop, sneak currents and half-select disturb of one array, by ngspice and by the solver.

    16 x 16 devices of Nugent2014, wires of 1 ohm a segment.
    """
    n, count = (6, 3) if quick else (16, 20)
    crossbar = _devices(n, n)
    return _side_by_side(crossbar, (n // 3, 3 * n // 4), count, None if quick else PICTURE)


def _side_by_side(
    crossbar: Crossbar, chosen: tuple[int, int], count: int, picture: Path | None
) -> list[Row]:
    cell = CrossbarCell(memory=DEVICE)
    read, sneak = read_all(crossbar, 0.1), read_cell(crossbar, *chosen, 0.1)
    drops, flows = _both(read, cell, _drop), _both(sneak, cell, _flow)
    changes = _disturb(crossbar, cell, [write_half(crossbar, *chosen, 0.4)] * count)
    third = _disturb(crossbar, cell, [write_third(crossbar, *chosen, 0.4)] * count)
    half_selected = np.zeros(changes[0].shape, dtype=bool)
    half_selected[chosen[0]] = half_selected[:, chosen[1]] = True
    half_selected[chosen] = False
    # Milliamperes at 0.3 V: it is to carry what these devices do. Our choice.
    selector = CrossbarCell(memory=DEVICE, series=SinhSelector(i_0=1e-8, v_0=0.025))
    stopped = read_cell(crossbar, *chosen, 0.4)
    rows = [
        *_pair("IR drop of the worst cell", [d.max() for d in drops], "V"),
        *_pair("read of one cell, others floating: current over its own",
               [f.sum(axis=0)[chosen[1]] / alone(sneak, cell)[chosen] for f in flows]),
        *_pair("the same with a selector",
               [f.sum(axis=0)[chosen[1]] / alone(stopped, selector)[chosen]
                for f in _both(stopped, selector, _flow)]),
        *_pair(f"V/2, {count} pulses: worst half-selected change of state",
               [c[half_selected].max() for c in changes]),
        *_pair(f"V/3, {count} pulses: worst half-selected change of state",
               [c[half_selected].max() for c in third]),
        *_pair("V/3: worst change of an unselected state, of either sign",
               [np.abs(c[~half_selected & (c < c.max())]).max() for c in third]),
        _difference("IR drop, any cell", drops, 1e-6), _difference("sneak, any cell", flows, 1e-6),
        _difference("V/2, any state", changes, 1e-3), _difference("V/3, any state", third, 1e-3),
    ]  # fmt: skip
    if picture is not None:
        write_side_by_side(
            {
                name: [
                    ir_drop_map(drops[k], "IR drop, all rows read"),
                    sneak_map(flows[k], chosen, "sneak currents, one cell read"),
                    disturb_map(changes[k], chosen, f"half-select disturb, {count} pulses"),
                ]
                for k, name in enumerate(("ngspice", "array solver"))
            },
            picture,
            _caption(crossbar, chosen),
        )
    return rows


def _caption(crossbar: Crossbar, chosen: tuple[int, int]) -> str:
    row_, column = chosen
    return (
        f"{crossbar.rows} x {crossbar.columns} devices {DEVICE.device.name}, wires of "
        f"{crossbar.wires.r_row:g} Ω a segment, rows driven at the left, columns held at the "
        f"bottom.\nIR drop: rows at 0.1 V, columns at 0 V. Sneak: row {row_} at 0.1 V, column "
        f"{column} at 0 V, all others floating.\nDisturb: V/2 pulses of 0.4 V, 20 µs, on cell "
        f"({row_}, {column}). × is the selected cell, left out of colours and scale, not of the "
        "difference."
    )


def _pair(name: str, values: list[float], unit: str = "1") -> list[Row]:
    return [
        row(f"{name}, {who}", float(value), unit)
        for who, value in zip(("ngspice", "solver"), values, strict=True)
    ]


def _difference(name: str, both: tuple[Array, Array], goal: float) -> Row:
    """Over the largest magnitude; a state's change over the state's range, which is 1."""
    scale = 1.0 if "state" in name else float(np.abs(both[1]).max())
    off = float(np.abs(both[0] - both[1]).max()) / scale
    return row(f"{name}: largest difference", off, "1", f"<= {goal:g}", off <= goal)


def _both(
    access: Access,
    cell: CrossbarCell,
    wanted: Wanted,
) -> tuple[Array, Array]:
    """What is wanted of the nodes' voltages, by ngspice and by the solver."""
    with Session(access_deck(access, cell, voltages=True), EXACT) as session:
        found = read_out(session.run().waveforms, access.crossbar, cell)
    solved = solve_access(access, cell)
    return (
        wanted(access, cell, found.row_voltage[0], found.column_voltage[0]),
        wanted(access, cell, solved.row_voltage, solved.column_voltage),
    )


def _drop(access: Access, cell: CrossbarCell, rows: Array, columns: Array) -> Array:
    return ir_drop(access, rows, columns)


def _flow(access: Access, cell: CrossbarCell, rows: Array, columns: Array) -> Array:
    return np.asarray(cell.law(access.crossbar, access.gate)(rows, columns)[0])


def _disturb(crossbar: Crossbar, cell: CrossbarCell, accesses: list[Access]) -> tuple[Array, Array]:
    """Change of the first state by pulses of 20 us, by ngspice and by the solver."""
    programme = pulses(accesses, width=20e-6, edge=1e-6, rest=10e-6)
    deck, knobs = programme_deck(programme, cell, maximum_step=1e-6)
    with Session(deck, SimulationOptions().tightened(100)) as session:
        found = read_out(session.run(knobs).waveforms, crossbar, cell).states[:, 0]
    live = run_live(programme, cell).states[:, 0]
    return found[-1] - found[0], live[-1] - live[0]


def identity() -> str:
    """Of small decks of every cell."""
    read = np.full(4, 0.1)
    cells = (RESISTOR_CELL, CrossbarCell(series=Transistor(ekv=CARD)),
             CrossbarCell(series=SinhSelector()))  # fmt: skip
    decks = [access_deck(read_all(_resistors(4, 4), read, 1.8), cell) for cell in cells]
    decks.append(access_deck(read_all(_devices(4, 4), read), CrossbarCell(memory=DEVICE)))
    return hashlib.sha256("".join(deck.identity for deck in decks).encode()).hexdigest()[:16]
