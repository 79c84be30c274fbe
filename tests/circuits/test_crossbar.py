"""Crossbars as decks and as solver problems: ngspice, exact laws and the solver of one mind."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.linalg import expm

from spicesnn.arrays import memory
from spicesnn.arrays.crossbar import Crossbar, Drive, Ends, Wires
from spicesnn.arrays.linear import LinearArray
from spicesnn.arrays.transient import transient
from spicesnn.circuits.crossbar import (
    Access,
    CrossbarCell,
    DeviceMemory,
    DifferentialPairs,
    ExponentialSelector,
    ProcessTransistor,
    ReferenceColumn,
    SinhSelector,
    Transistor,
    access_deck,
    alone,
    check_deck_size,
    crossbar_deck,
    ir_drop,
    read_all,
    read_cell,
    read_out,
    read_row,
    solve_access,
)
from spicesnn.circuits.crossbar.deck import RESISTOR_CELL
from spicesnn.circuits.deck import Deck, Transient, Value, Waveform
from spicesnn.devices import ODES
from spicesnn.devices.ekv import Ekv
from spicesnn.engine.installation import find_installation
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.engine.run import Run
from spicesnn.engine.worker import Job
from spicesnn.errors import DataError, ParameterError, UnknownNameError
from spicesnn.processes import Process
from spicesnn.waveforms import read_raw

Array = npt.NDArray[np.float64]
WIRES = Wires(r_row=2.0, r_column=2.0)
CARD = Ekv(n=1.38, v_t0=0.45, i_spec=4e-7, lambda_=0.1, theta=0.25, eta=0.02)
NUGENT = DeviceMemory(device=ODES["Nugent2014"])
# Tight enough that what is compared are the circuits and not the solvers' tolerances.
EXACT = SimulationOptions().tightened(1e3)
KLU = EXACT.model_copy(update={"solver": "klu" if find_installation().klu else "auto"})


def random_conductance(rows: int, columns: int, seed: int = 0) -> Array:
    """From 1 Mohm to 10 kohm, evenly in the logarithm."""
    return 10 ** np.random.default_rng(seed).uniform(-6, -4, (rows, columns))


@pytest.fixture(scope="module")
def exact() -> Pool:
    with Pool(1, KLU) as pool:
        yield pool


def run(pool: Pool, deck: Deck, knobs: dict[str, Value] | None = None) -> Run:
    return pool.map([Job(deck, knobs or {})])[0]


def worst(found: Array, reference: Array) -> float:
    """Largest relative difference, every value against itself."""
    return float(np.abs(found / reference - 1).max())


ENDS = {
    "one end": Ends(),
    "both ends": Ends(left=50.0, right=80.0, top=30.0, bottom=10.0),
    "floating lines": Ends(
        left=np.where(np.arange(16) % 5 == 2, np.inf, 5.0),
        bottom=np.where(np.arange(12) % 4 == 1, np.inf, 100.0),
    ),
}


def test_linear_64_with_wires_agrees_on_every_output_current(exact: Pool) -> None:
    """Point 3 of the house's measure of the array solver: 1e-9 of each current."""
    crossbar = Crossbar(random_conductance(64, 64), WIRES)
    drive = Drive(left=np.random.default_rng(1).uniform(0.02, 0.2, 64))
    answer = run(exact, crossbar_deck(crossbar, drive=drive))
    if find_installation().klu:
        assert answer.klu
    found = read_out(answer.waveforms, crossbar, RESISTOR_CELL)
    solution = LinearArray(crossbar).solve(drive)
    assert worst(found.i_bottom[0], solution.i_bottom) < 1e-9
    assert worst(found.i_left[0], solution.i_left) < 1e-9


@pytest.mark.parametrize("ends", ENDS.values(), ids=ENDS)
def test_ends_of_all_kinds(exact: Pool, ends: Ends) -> None:
    """Currents of every connected end and every node's voltage; open ends carry nothing."""
    conductance = random_conductance(16, 12)
    conductance[3, 4] = 0.0
    crossbar = Crossbar(conductance, Wires(r_row=3.0, r_column=1.5), ends)
    rng = np.random.default_rng(2)
    drive = Drive(
        left=rng.uniform(0.1, 0.2, 16), right=0.15, top=0.05, bottom=rng.uniform(0, 0.02, 12)
    )
    found = read_out(
        run(exact, crossbar_deck(crossbar, drive=drive, voltages=True)).waveforms, crossbar,
        RESISTOR_CELL,
    )  # fmt: skip
    solution = LinearArray(crossbar).solve(drive)
    for side in ("left", "right", "top", "bottom"):
        mine, theirs = getattr(found, f"i_{side}")[0], getattr(solution, f"i_{side}")
        on = crossbar.connected(side)
        # Currents at the ends are small differences of the cells'; their scale is the largest.
        np.testing.assert_allclose(
            mine[on], theirs[on], rtol=1e-9, atol=1e-11 * np.abs(theirs).max()
        )
        assert not mine[~on].any()
    np.testing.assert_allclose(found.row_voltage[0], solution.row_voltage, rtol=1e-10, atol=0)
    np.testing.assert_allclose(
        found.column_voltage[0], solution.column_voltage, rtol=1e-8, atol=1e-12
    )
    total = found.i_left.sum() + found.i_right.sum() - found.i_top.sum() - found.i_bottom.sum()
    assert abs(total) < 1e-10 * np.abs(found.i_left).sum()


CELLS: dict[str, tuple[CrossbarCell, float, tuple[float, float]]] = {
    "1T1R": (CrossbarCell(series=Transistor(ekv=CARD)), 1.8, (0.05, 0.2)),
    "1T1R, weak gates": (CrossbarCell(series=Transistor(ekv=CARD)), 0.3, (0.05, 0.2)),
    "1T1R, gates along columns": (
        CrossbarCell(series=Transistor(ekv=CARD, gates="columns")), 1.2, (0.05, 0.2),
    ),
    "1S1R": (CrossbarCell(series=SinhSelector()), 0.0, (0.3, 0.9)),
    "1S1R, exponential": (CrossbarCell(series=ExponentialSelector()), 0.0, (0.3, 0.9)),
    "1R device": (CrossbarCell(memory=NUGENT), 0.0, (0.05, 0.2)),
    "1T1R device": (
        CrossbarCell(memory=NUGENT, series=Transistor(ekv=CARD, width=10e-6)), 1.8, (0.05, 0.2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
def test_nonlinear_cells_agree_on_every_output_current(exact: Pool, name: str) -> None:
    """Point 3: 1e-6 of each current, for 1T1R at 32 x 32 and for every other cell as well."""
    cell, gate, (low, high) = CELLS[name]
    size = 32 if name == "1T1R" else 12
    conductance = random_conductance(size, size)
    if cell.memory is not None:
        bottom, top = cell.memory.conductance_range
        conductance = np.random.default_rng(3).uniform(bottom, top, (size, size))
    volts = np.random.default_rng(4).uniform(low, high, size)
    gates = gate * np.linspace(0.95, 1.05, size) if cell.gates else 0.0
    access = read_all(Crossbar(conductance, WIRES), volts, gates)
    answer = run(exact, access_deck(access, cell))
    found = read_out(answer.waveforms, access.crossbar, cell)
    solution = solve_access(access, cell)
    assert worst(found.i_bottom[0], solution.i_bottom) < 1e-6
    assert worst(found.i_left[0], solution.i_left) < 1e-6


def test_a_reset_through_the_transistor_runs_backwards(exact: Pool) -> None:
    """Current from column to row: drain and source change places, the gate overdrive falls."""
    cell = CrossbarCell(series=Transistor(ekv=CARD))
    crossbar = Crossbar(random_conductance(8, 8), WIRES)
    nothing = np.zeros((8, 8), dtype=bool)
    access = Access(crossbar, np.zeros(8), np.full(8, 0.6), nothing, 1.2)
    found = read_out(run(exact, access_deck(access, cell)).waveforms, crossbar, cell)
    solution = solve_access(access, cell)
    assert (solution.i_bottom < 0).all()
    assert worst(found.i_bottom[0], solution.i_bottom) < 1e-6


def test_rc_transient_16_against_solver_and_matrix_exponential(exact: Pool) -> None:
    """Point 3: 1e-3 of swing. The exact answer to a step is a matrix exponential, made here."""
    wires = Wires(r_row=200.0, r_column=150.0, c_row=2e-15, c_column=3e-15)
    crossbar = Crossbar(random_conductance(16, 16), wires, Ends(bottom=1e3))
    step = np.random.default_rng(5).uniform(0.05, 0.2, 16)
    rise, stop = 1e-15, 40e-12
    deck = crossbar_deck(crossbar, analysis=Transient(stop, 0.2e-12))
    corners = np.array([0.0, rise, stop])
    knobs: dict[str, Value] = {
        f"vleft{i}": Waveform(corners, np.array([0.0, step[i], step[i]])) for i in range(16)
    }
    answer = run(exact, deck, knobs)
    found = read_out(answer.waveforms, crossbar, RESISTOR_CELL)
    times = np.linspace(0.05, 1, 40) * stop
    exact_currents = _step_response(crossbar, step, times)
    swing = np.abs(exact_currents[-1])
    mine = np.stack([np.interp(times, found.time, i) for i in found.i_bottom.T], axis=-1)
    assert (np.abs(mine - exact_currents) / swing).max() < 1e-3
    grid = np.concatenate([[0.0, rise], np.linspace(0, stop, 401)[1:]])
    volts = np.where(grid[:, None] > 0, step, 0.0)
    solver = transient(crossbar, grid, Drive(left=volts))
    theirs = np.stack([np.interp(times, grid, i) for i in solver.i_bottom.T], axis=-1)
    assert (np.abs(mine - theirs) / swing).max() < 1e-3


def _step_response(crossbar: Crossbar, volts: Array, times: Array) -> Array:
    """Bottom currents after a step of the rows' volts at time 0, dense and exact."""
    rows, columns = crossbar.conductance.shape
    wires, size = crossbar.wires, rows * columns
    index = np.arange(size).reshape(rows, columns)
    matrix, given = np.zeros((2 * size, 2 * size)), np.zeros(2 * size)
    pairs = [(a, a + 1, 1 / wires.r_row) for a in index[:, :-1].flat]
    pairs += [(size + a, size + a + columns, 1 / wires.r_column) for a in index[:-1].flat]
    pairs += [(a, size + a, crossbar.conductance.flat[a]) for a in index.flat]
    for a, b, g in pairs:
        matrix[a, a] += g
        matrix[b, b] += g
        matrix[a, b] -= g
        matrix[b, a] -= g
    left = 1 / (wires.r_row + crossbar.end_resistance("left"))
    bottom = 1 / (wires.r_column + crossbar.end_resistance("bottom"))
    matrix[index[:, 0], index[:, 0]] += left
    given[index[:, 0]] = left * volts
    last = size + index[-1]
    matrix[last, last] += bottom
    farads = np.repeat([wires.c_row, wires.c_column], size)
    steady = np.linalg.solve(matrix, given)
    spacing = times[1] - times[0]
    once = expm(-matrix / farads[:, None] * spacing)
    state = steady - expm(-matrix / farads[:, None] * times[0]) @ steady
    found = []
    for _ in times:
        found.append(bottom * state[last])
        state = steady + once @ (state - steady)
    return np.array(found)


@pytest.mark.parametrize(
    "weights", [DifferentialPairs(g_min=1e-6, g_max=1e-4), ReferenceColumn(g_min=1e-6, g_max=1e-4),
                DifferentialPairs(g_min=1e-6, g_max=1e-4, balanced=True, w_max=2.0)],
    ids=["pairs", "reference", "balanced"],
)  # fmt: skip
def test_signed_weights_by_ngspice_are_the_product(
    exact: Pool, weights: DifferentialPairs | ReferenceColumn
) -> None:
    """With wires of next to nothing the outputs are the weights times the inputs."""
    rng = np.random.default_rng(6)
    w = weights.w_max * rng.uniform(-1, 1, (12, 5))
    x = rng.uniform(0, 0.2, 12)
    conductance = weights.conductance(w)
    np.testing.assert_allclose(weights.weights(conductance), w, rtol=0, atol=1e-14)
    assert conductance.min() >= 1e-6 * (1 - 1e-12)
    assert conductance.max() <= 1e-4 * (1 + 1e-12)
    crossbar = Crossbar(conductance, Wires(r_row=1e-4, r_column=1e-4))
    access = read_all(crossbar, x)
    found = read_out(run(exact, access_deck(access)).waveforms, crossbar, RESISTOR_CELL)
    outputs = weights.outputs(found.i_bottom[0]) / weights.siemens_per_weight
    np.testing.assert_allclose(outputs, x @ w, rtol=0, atol=1e-6)
    wired = Crossbar(conductance, WIRES)
    lossy = read_out(run(exact, access_deck(read_all(wired, x))).waveforms, wired, RESISTOR_CELL)
    solved = solve_access(read_all(wired, x))
    mine, theirs = (weights.outputs(i) for i in (lossy.i_bottom[0], solved.i_bottom))
    np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9 * np.abs(theirs).max())


def test_sneak_paths_with_and_without_a_selector(exact: Pool) -> None:
    """A 2 x 2 array read with the others floating: the law of three resistors in series.

    A selector stops it: its three cells each see a third of the voltage.
    """
    conductance = np.array([[1e-6, 1e-4], [1e-4, 1e-4]])
    crossbar = Crossbar(conductance, Wires(r_row=1e-3, r_column=1e-3))
    access = read_cell(crossbar, 0, 0, 0.9)
    found = read_out(run(exact, access_deck(access)).waveforms, access.crossbar, RESISTOR_CELL)
    law = 0.9 * (1e-6 + 1e-4 / 3)
    assert found.i_bottom[0, 0] == pytest.approx(law, rel=1e-6, abs=0)
    assert solve_access(access).i_bottom[0] == pytest.approx(law, rel=1e-6, abs=0)
    assert alone(access)[0, 0] == pytest.approx(0.9e-6, rel=1e-9, abs=0)
    cell = CrossbarCell(series=SinhSelector())
    access = read_cell(Crossbar(conductance, WIRES), 0, 0, 0.9)
    own = alone(access, cell)[0, 0]
    through = read_out(run(exact, access_deck(access, cell)).waveforms, access.crossbar, cell)
    assert through.i_bottom[0, 0] == pytest.approx(solve_access(access, cell).i_bottom[0], rel=1e-6)
    assert law / 0.9e-6 > 30
    assert through.i_bottom[0, 0] / own == pytest.approx(1, abs=0.01)


def test_one_row_with_the_others_grounded_or_floating(exact: Pool) -> None:
    """Grounded rows take the columns' sense voltages away, floating rows carry them across."""
    crossbar = Crossbar(random_conductance(6, 5), WIRES, Ends(bottom=1e4))
    currents = {}
    for others in ("grounded", "floating"):
        access = read_row(crossbar, 2, 0.2, others)
        found = read_out(run(exact, access_deck(access)).waveforms, access.crossbar, RESISTOR_CELL)
        assert worst(found.i_bottom[0], solve_access(access).i_bottom) < 1e-9
        currents[others] = found
    silent = np.arange(6) != 2
    assert not currents["floating"].i_left[0][silent].any()
    # What flows back through the grounded rows flows out of the array there.
    assert (currents["grounded"].i_left[0][silent] < 0).all()


def test_ir_drop_of_one_row_is_the_ladder(exact: Pool) -> None:
    """One column at virtual ground, equal cells: each segment carries what lies behind it."""
    crossbar = Crossbar(np.full((1, 3), 1e-4), Wires(r_row=10.0, r_column=1e-9))
    access = read_all(crossbar, 0.3)
    found = read_out(
        run(exact, access_deck(access, voltages=True)).waveforms, crossbar, RESISTOR_CELL
    )
    v, g = np.array([0.0, 0.0, 1.0]), 1e-4
    # From the far end: its node at 1, its current g; up the ladder.
    current = 0.0
    for k in (2, 1, 0):
        current += g * v[k]
        before = v[k] + 10.0 * current
        if k:
            v[k - 1] = before
    v *= 0.3 / before
    drop = ir_drop(access, found.row_voltage[0], found.column_voltage[0])
    np.testing.assert_allclose(drop[0], 0.3 - v, rtol=1e-6)


def test_a_process_transistor_in_the_deck(exact: Pool, process: Process) -> None:
    """The array with open gates carries what resistors and transistors in series carry."""
    cell = CrossbarCell(series=ProcessTransistor(process=process, width=2e-6))
    crossbar = Crossbar(np.full((3, 3), 1e-5), Wires(r_row=1e-6, r_column=1e-6))
    on, off = (
        read_out(
            run(exact, access_deck(read_all(crossbar, 0.2, gate), cell)).waveforms, crossbar, cell
        ).i_bottom
        for gate in (1.8, 0.0)
    )
    # A few kilohms of channel in series with 100 kohm.
    assert (on > 3 * 0.2 * 1e-5 * 0.9).all()
    assert (on < 3 * 0.2 * 1e-5).all()
    assert (np.abs(off) < 1e-5 * on).all()
    with pytest.raises(ParameterError, match="transistor of generic180 has no law for the array"):
        solve_access(read_all(crossbar, 0.2, 1.8), cell)


def test_a_cell_that_is_a_knob(exact: Pool) -> None:
    crossbar = Crossbar(random_conductance(4, 4), WIRES)
    drive = Drive(left=0.1)
    deck = crossbar_deck(crossbar, drive=drive, cell_knobs=[(1, 2)])
    changed = crossbar.conductance.copy()
    changed[1, 2] = 3.3333333333e-4
    other = crossbar.with_conductance(changed)
    for knobs, described in (({}, crossbar), ({"r1_2": float(1 / changed[1, 2])}, other)):
        found = read_out(run(exact, deck, dict(knobs)).waveforms, crossbar, RESISTOR_CELL)
        assert worst(found.i_bottom[0], LinearArray(described).solve(drive).i_bottom) < 1e-9


def test_the_deck_alone_runs(tmp_path: Path) -> None:
    """By `ngspice -b` with nothing of ours; the drive is one of six figures."""
    crossbar = Crossbar(random_conductance(8, 8), WIRES)
    deck = crossbar_deck(crossbar, drive=Drive(left=0.125))
    (tmp_path / "deck.cir").write_text(deck.text(SimulationOptions().line()))
    command = [str(find_installation().program), "-b", "-r", "out.raw", "deck.cir"]
    subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, timeout=60)
    found = read_out(read_raw(tmp_path / "out.raw"), crossbar, RESISTOR_CELL)
    assert worst(found.i_bottom[0], LinearArray(crossbar).solve(Drive(left=0.125)).i_bottom) < 1e-9


def test_laws_have_the_slopes_of_their_currents() -> None:
    """Central differences of every cell's law."""
    crossbar = Crossbar(random_conductance(4, 4), WIRES)
    devices = Crossbar(np.full((4, 4), 2e-3), WIRES)
    rng = np.random.default_rng(7)
    for name, (cell, gate, (low, high)) in CELLS.items():
        law = cell.law(devices if cell.memory else crossbar, gate)
        row, column = rng.uniform(low, high, (4, 4)), rng.uniform(0, 0.1, (4, 4))
        for one, two in ((row, column), (column, row)):
            _, by_row, by_column = law(one, two)
            h = 1e-5
            rise = (law(one + h, two)[0] - law(one - h, two)[0]) / (2 * h)
            fall = (law(one, two + h)[0] - law(one, two - h)[0]) / (2 * h)
            np.testing.assert_allclose(by_row, rise, rtol=1e-5, err_msg=name)
            np.testing.assert_allclose(by_column, fall, rtol=1e-5, err_msg=name)


def test_a_device_holds_the_conductance_that_it_is_described_by() -> None:
    low, high = NUGENT.conductance_range
    wanted = np.linspace(low, high, 6).reshape(2, 3)
    states = NUGENT.states(wanted)
    np.testing.assert_allclose(NUGENT.conductance(states), wanted, rtol=1e-12)
    cell = CrossbarCell(memory=NUGENT)
    np.testing.assert_allclose(cell.states(cell.crossbar(states, WIRES)), states, atol=1e-10)


@pytest.mark.parametrize("name", ODES)
def test_every_device_makes_a_crossbar(exact: Pool, name: str) -> None:
    """Each preset over its own range: described by conductances, read alike by both."""
    memory = DeviceMemory(device=ODES[name])
    low, high = memory.conductance_range
    wanted = np.geomspace(max(low, 1e-4 * high) * 1.001, high * 0.999, 9).reshape(3, 3)
    np.testing.assert_allclose(memory.conductance(memory.states(wanted)), wanted, rtol=1e-12)
    cell = CrossbarCell(memory=memory)
    access = read_all(Crossbar(wanted, WIRES), [0.05, 0.1, -0.1])
    found = read_out(run(exact, access_deck(access, cell)).waveforms, access.crossbar, cell)
    assert worst(found.i_bottom[0], solve_access(access, cell).i_bottom) < 1e-6


@pytest.mark.parametrize("given", [False, True], ids=["by conductances", "by states"])
@pytest.mark.parametrize("name", ["1R device", "1T1R device"])
def test_an_open_cell_has_no_device(exact: Pool, name: str, given: bool) -> None:
    """0 S is left out of the deck and carries nothing in the solver, whatever states are given."""
    cell, gate, _ = CELLS[name]
    conductance = np.full((3, 3), 2e-3)
    states = NUGENT.states(conductance) if given else None
    conductance[0, 1] = conductance[2, 2] = 0.0
    access = read_all(Crossbar(conductance, WIRES), [0.1, 0.05, 0.2], gate)
    deck = access_deck(access, cell, start_states=states)
    found = read_out(run(exact, deck).waveforms, access.crossbar, cell)
    solution = solve_access(access, cell, states=states)
    assert "xm0_1" not in deck.netlist
    assert (solution.cell_current[[0, 2], [1, 2]] == 0).all()
    assert worst(found.i_bottom[0], solution.i_bottom) < 1e-6
    held = cell.states(access.crossbar, states)[0]
    np.testing.assert_array_equal(np.isnan(held), conductance == 0)


BAD = {
    "device outside its range": (
        lambda: crossbar_deck(Crossbar(np.full((2, 2), 1.0), WIRES), CrossbarCell(memory=NUGENT)),
        DataError, r"conductance of cell \(0, 0\) is 1 S, outside what Nugent2014 has at 0.1 V",
    ),
    "the solver's too": (
        lambda: solve_access(
            read_all(Crossbar(np.full((2, 2), 1e-9), WIRES), 0.1), CrossbarCell(memory=NUGENT)
        ),
        DataError, r"outside what Nugent2014 has at 0.1 V: .* to .* S; choose one in between",
    ),
    "gates of the wrong number": (
        lambda: crossbar_deck(Crossbar(np.full((2, 3), 1e-5), WIRES),
                              CELLS["1T1R"][0], gate=np.ones(3)),
        DataError, r"gate has shape \(3,\); give one voltage or shape \(2,\), one for each of the",
    ),
    "gates that are not finite": (
        lambda: crossbar_deck(Crossbar(np.full((2, 3), 1e-5), WIRES), CELLS["1T1R"][0],
                              gate=np.nan),
        DataError, "gate holds NaN or infinite volts",
    ),
    "a drive of the wrong shape": (
        lambda: crossbar_deck(Crossbar(np.full((2, 3), 1e-5), WIRES), drive=Drive(left=np.ones(3))),
        DataError, r"drive at left has shape \(3,\)",
    ),
    "a batch": (
        lambda: crossbar_deck(Crossbar(np.full((2, 3), 1e-5), WIRES),
                              drive=Drive(left=np.ones((4, 2)))),
        DataError, "a deck has one input: give one voltage a line and turn the knobs",
    ),
    "negative wires": (
        lambda: Wires(r_row=-1.0, r_column=1.0), ParameterError, r"Wires.r_row .* = -1.0",
    ),
    "a negative end": (
        lambda: crossbar_deck(Crossbar(np.full((2, 2), 1e-5), WIRES, Ends(bottom=-5.0))),
        DataError, "ends.bottom holds -5 ohm; give resistances >= 0",
    ),
    "a floating line": (
        lambda: crossbar_deck(Crossbar(np.array([[0.0, 1e-5], [0.0, 1e-5]]), WIRES,
                                       Ends(bottom=np.array([np.inf, 0.0])))),
        DataError, "column 0 floats: neither end is connected and no conducting cell",
    ),
    "a knob on an open cell": (
        lambda: crossbar_deck(Crossbar(np.array([[0.0, 1e-5]]), WIRES), cell_knobs=[(0, 0)]),
        UnknownNameError, "no cell resistor named 'r0_0'; did you mean 'r0_1'",
    ),
    "a knob on a device": (
        lambda: crossbar_deck(Crossbar(np.full((1, 2), 2e-3), WIRES), CrossbarCell(memory=NUGENT),
                              cell_knobs=[(0, 0)]),
        UnknownNameError, "no cell resistor named 'r0_0'; there are: none",
    ),
    "a negative cell resistor": (
        lambda: crossbar_deck(Crossbar(np.full((1, 2), 1e-5), WIRES),
                              cell_knobs=[(0, 0)]).settings({"r0_0": -1e3}),
        ParameterError, "knob r0_0 is a resistor: give it a positive number of ohms",
    ),
    "no window": (
        lambda: DifferentialPairs(g_min=1e-4, g_max=1e-5), ParameterError,
        "g_min = 0.0001 S must be below g_max = 1e-05 S",
    ),
    "a weight too large": (
        lambda: ReferenceColumn(g_min=1e-6, g_max=1e-5).conductance([[0.5, 1.5]]), DataError,
        r"weight \(0, 1\) is 1.5, outside -1 to 1; scale the weights",
    ),
    "weights in a row": (
        lambda: ReferenceColumn(g_min=1e-6, g_max=1e-5).conductance([0.5]), DataError,
        r"weights have shape \(1,\); give \(rows, outputs\)",
    ),
    "pairs of three": (
        lambda: DifferentialPairs(g_min=1e-6, g_max=1e-5).outputs(np.ones(3)), DataError,
        "pairs of columns need an even number of them, not 3",
    ),
    "a reference alone": (
        lambda: ReferenceColumn(g_min=1e-6, g_max=1e-5).outputs(np.ones(1)), DataError,
        "a reference column needs a column beside it",
    ),
    "states of a resistor": (
        lambda: RESISTOR_CELL.states(Crossbar(np.full((1, 2), 1e-5), WIRES)), ParameterError,
        "asks for a device, but this 1R cell's memory is a resistor",
    ),
    "a state out of its bounds, in the solver": (
        lambda: solve_access(read_all(Crossbar(np.full((1, 2), 2e-3), WIRES), 0.1),
                             CrossbarCell(memory=NUGENT), states=np.full((1, 1, 2), 5.0)),
        DataError, r"state x of cell \(0, 0\) is 5, outside Nugent2014's 0 to 1",
    ),
    "a state that is not a number, in the solver": (
        lambda: solve_access(read_all(Crossbar(np.full((1, 2), 2e-3), WIRES), 0.1),
                             CrossbarCell(memory=NUGENT), states=np.full((1, 1, 2), np.nan)),
        DataError, r"state x of cell \(0, 0\) is nan, outside Nugent2014's 0 to 1",
    ),
    "a crossbar of too many states": (
        lambda: CrossbarCell(memory=NUGENT).crossbar(np.zeros((3, 2, 2)), WIRES),
        DataError, r"states have shape \(3, 2, 2\); give \(1, rows, columns\), a table for each",
    ),
    "conductances of too many states": (
        lambda: NUGENT.conductance(np.zeros((3, 2, 2))),
        DataError, r"states have shape \(3, 2, 2\); Nugent2014 has 1: give \(states, rows, col",
    ),
    "a crossbar of states beyond": (
        lambda: CrossbarCell(memory=NUGENT).crossbar(np.full((1, 2, 2), 1.5), WIRES),
        DataError, r"state x of cell \(0, 0\) is 1.5, outside Nugent2014's 0 to 1",
    ),
    "a device that conducts nothing": (
        lambda: CrossbarCell(memory=DeviceMemory(device=ODES["Yakopcic2013"])).crossbar(
            np.zeros((1, 2, 2)), WIRES),
        DataError, r"device of cell \(0, 0\) has 0 S at its state, and 0 S is an open cell with",
    ),
    "a knob that is no pair": (
        lambda: crossbar_deck(Crossbar(np.full((2, 2), 1e-5), WIRES),
                              cell_knobs=[3]),  # type: ignore[list-item]
        DataError, r"cell_knobs are \[3\]; give pairs of whole numbers, \(row, column\)",
    ),
    "voltages of another shape": (
        lambda: ir_drop(read_all(Crossbar(np.full((2, 3), 1e-5), WIRES), 0.1), np.ones((2, 3)),
                        np.ones((3, 2))),
        DataError, r"column_voltage has shape \(3, 2\); the last two axes must be \(2, 3\)",
    ),
    "no weights": (
        lambda: DifferentialPairs(g_min=1e-6, g_max=1e-5).conductance(np.zeros((0, 3))),
        DataError, r"weights have shape \(0, 3\); give \(rows, outputs\), at least one of each",
    ),
    "weights of letters": (
        lambda: DifferentialPairs(g_min=1e-6, g_max=1e-5).conductance([["a"]]),
        DataError, "weights are no table of numbers",
    ),
    "states of another shape": (
        lambda: CrossbarCell(memory=NUGENT).law(Crossbar(np.full((1, 2), 2e-3), WIRES), 0.0,
                                                np.zeros((1, 3, 3))),
        DataError, r"states have shape \(1, 3, 3\); give \(1, 1, 2\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_says_what_to_do(name: str) -> None:
    build, error, words = BAD[name]
    with pytest.raises(error, match=words):
        build()


def test_too_many_cells_are_refused_before_memory_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"10000 x 10000 = 1e\+08 cells would take 6e\+11 bytes"):
        check_deck_size(10_000, 10_000)
    crossbar = Crossbar(np.full((200, 200), 1e-5), WIRES)
    monkeypatch.setattr(memory, "available_bytes", lambda: 100 * 2**20)
    with pytest.raises(DataError, match=r"circuit of a crossbar of 200 x 200 .* give the descrip"):
        crossbar_deck(crossbar)
