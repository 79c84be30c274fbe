"""Read and write schemes: what each cell sees, and what live devices make of many pulses."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
import pytest

from spicesnn.arrays.crossbar import Crossbar, Ends, Wires
from spicesnn.circuits.crossbar import (
    Access,
    CrossbarCell,
    DeviceMemory,
    Programme,
    SinhSelector,
    Transistor,
    access_deck,
    live,
    programme_deck,
    pulses,
    read_all,
    read_cell,
    read_out,
    read_row,
    run_live,
    seen_table,
    solve_access,
    write_half,
    write_row,
    write_third,
)
from spicesnn.circuits.crossbar.law import SeriesLaw
from spicesnn.circuits.device_forms import DeviceForm
from spicesnn.devices import ODES
from spicesnn.devices.ekv import Ekv
from spicesnn.devices.ode import Ode
from spicesnn.engine.installation import find_installation
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.osdi import find_compiler
from spicesnn.engine.session import Session
from spicesnn.errors import DataError, ParameterError, SimulationError, UnknownNameError

Array = npt.NDArray[np.float64]
WIRES = Wires(r_row=1.0, r_column=1.0)
DEVICE = ODES["Nugent2014"]
CELL = CrossbarCell(memory=DeviceMemory(device=DEVICE))
CARD = Ekv(n=1.38, v_t0=0.45, i_spec=4e-7, lambda_=0.1, theta=0.25, eta=0.02)
OPTIONS = SimulationOptions().tightened(100)


def devices(rows: int, columns: int, seed: int = 0) -> Crossbar:
    low, high = DeviceMemory(device=DEVICE).conductance_range
    return Crossbar(np.random.default_rng(seed).uniform(low, high, (rows, columns)), WIRES)


def test_the_table_of_what_every_cell_sees() -> None:
    """V/2 and V/3 as every text on crossbars gives them, of 4 rows and 6 columns."""
    crossbar = devices(4, 6)
    table = seen_table(
        {
            "V/2": write_half(crossbar, 1, 2, 1.2),
            "V/3": write_third(crossbar, 1, 2, -1.2),
            "row": read_row(crossbar, 0, 0.1),
            "cell, floating": read_cell(crossbar, 1, 2, 0.3),
        }
    )
    expected = [
        ("V/2", "selected", 1, 1.2, 1.2),
        ("V/2", "row half-selected", 5, 0.6, 0.6),
        ("V/2", "column half-selected", 3, 0.6, 0.6),
        ("V/2", "unselected", 15, 0.0, 0.0),
        ("V/3", "selected", 1, -1.2, -1.2),
        ("V/3", "row half-selected", 5, -0.4, -0.4),
        ("V/3", "column half-selected", 3, -0.4, -0.4),
        ("V/3", "unselected", 15, 0.4, 0.4),
        ("row", "selected", 6, 0.1, 0.1),
        ("row", "column half-selected", 18, 0.0, 0.0),
        ("cell, floating", "selected", 1, 0.3, 0.3),
        ("cell, floating", "row half-selected", 5, np.nan, np.nan),
        ("cell, floating", "column half-selected", 3, np.nan, np.nan),
        ("cell, floating", "unselected", 15, np.nan, np.nan),
    ]
    assert [line[:3] for line in table] == [line[:3] for line in expected]
    for mine, theirs in zip(table, expected, strict=True):
        assert mine[3:] == pytest.approx(theirs[3:], rel=1e-12, abs=1e-12, nan_ok=True)


def test_row_by_row_with_transistors_leaves_the_other_rows_alone() -> None:
    """Phase by phase, by ngspice and by the solver: current flows in the selected cells only."""
    cell = CrossbarCell(series=Transistor(ekv=CARD))
    crossbar = Crossbar(np.full((4, 5), 1e-4), WIRES)
    changes = np.array([1, 0, -1, 1, 0])
    phases = write_row(crossbar, 2, changes, v_set=1.0, v_reset=1.2, gate_set=1.0, gate_reset=2.5)
    seen = [phase.seen() for phase in phases]
    assert (seen[0]["selected"].cells, seen[0]["selected"].low) == (2, 1.0)
    assert (seen[1]["selected"].cells, seen[1]["selected"].low) == (1, -1.2)
    assert seen[0]["row half-selected"].high == 0
    assert seen[1]["row half-selected"].low == 0
    for sign, phase in zip((1, -1), phases, strict=True):
        solution = solve_access(phase, cell)
        flows = np.abs(solution.cell_current) > 1e-6
        assert (flows == phase.selected).all()
        assert (sign * solution.cell_current[phase.selected] > 3e-5).all()
        # What is left elsewhere: IR drop along the row, and transistors that are off.
        assert np.abs(solution.cell_current[~phase.selected]).max() < 1e-7
        assert np.abs(np.delete(solution.cell_current, 2, axis=0)).max() < 1e-9
        with Session(access_deck(phase, cell), OPTIONS) as session:
            found = read_out(session.run().waveforms, crossbar, cell)
        used = phase.selected.any(axis=0)
        np.testing.assert_allclose(
            found.i_bottom[0, used], solution.i_bottom[used], rtol=1e-6, atol=0
        )


def test_a_constant_voltage_switches_by_the_law() -> None:
    """One cell, no wires to speak of: the mean switch relaxes exponentially, in closed form."""
    crossbar = Crossbar(np.array([[2e-3]]), Wires(r_row=1e-9, r_column=1e-9))
    states = np.array([[[0.1]]])
    volts, width, edge = 0.3, 50e-6, 1e-12
    programme = Programme(
        crossbar, np.array([0.0, edge, width]), np.array([[0.0], [volts], [volts]]),
        np.zeros((3, 1)), np.zeros((3, 1)),
    )  # fmt: skip
    found = run_live(programme, CELL, states=states, tolerance=1e-9).states[-1, 0, 0, 0]
    n = DEVICE.numbers
    on = 1 / (1 + np.exp(-(volts - n["v_on"]) / n["v_width"]))
    off = 1 / (1 + np.exp(-(n["v_off"] - volts) / n["v_width"]))
    end, rate = on / (on + off), (on + off) / n["tau"]
    law = end + (0.1 - end) * np.exp(-rate * width)
    assert found == pytest.approx(law, rel=1e-6, abs=0)


FORMS: tuple[DeviceForm, ...] = ("subcircuit", "compiled")


@pytest.mark.parametrize("form", FORMS)
def test_half_select_disturb_by_ngspice_and_by_the_solver(form: DeviceForm) -> None:
    """All states after every pulse agree within 1e-3 of their range, in either form."""
    if form == "compiled" and not (find_compiler() and find_installation().osdi):
        pytest.skip("the compiled form needs openvaf-r and an ngspice with OSDI")
    crossbar = devices(6, 5)
    programme = pulses(
        [write_half(crossbar, 2, 3, 0.5), write_half(crossbar, 2, 3, -0.5)] * 3,
        width=20e-6, edge=1e-6, rest=10e-6,
    )  # fmt: skip
    live = run_live(programme, CELL)
    deck, knobs = programme_deck(programme, CELL, maximum_step=1e-6, device_form=form)
    with Session(deck, OPTIONS) as session:
        found = read_out(session.run(knobs).waveforms, crossbar, CELL)
    flat = found.states.reshape(found.time.size, -1)
    at = np.stack([np.interp(live.time, found.time, x) for x in flat.T], axis=-1)
    assert np.abs(at - live.states.reshape(live.time.size, -1)).max() < 1e-3
    moved = np.abs(live.states[5] - live.states[0])[0]
    assert moved[2, 3] == moved.max() > 0.1


def test_disturb_of_a_device_behind_a_transistor() -> None:
    """1T1R by both, SET then RESET of a row: the other rows' states stay."""
    cell = CrossbarCell(
        memory=DeviceMemory(device=DEVICE), series=Transistor(ekv=CARD, width=60e-6)
    )
    crossbar = devices(2, 3)
    phases = write_row(
        crossbar, 1, np.array([1, -1, 0]), v_set=0.8, v_reset=0.8, gate_set=1.8, gate_reset=2.5
    )
    programme = pulses(phases, width=20e-6, edge=1e-6, rest=10e-6)
    live = run_live(programme, cell, tolerance=1e-5)
    deck, knobs = programme_deck(programme, cell, maximum_step=1e-6)
    with Session(deck, OPTIONS) as session:
        found = read_out(session.run(knobs).waveforms, crossbar, cell)
    assert np.abs(found.states[-1] - live.states[-1]).max() < 1e-3
    change = live.states[-1, 0] - live.states[0, 0]
    # A resting device forgets by exp(-|v_off|/v_width)/tau: some 1e-5 in these 60 us.
    assert np.abs(change[0]).max() < 1e-4
    assert change[1, 0] > 0.01
    assert change[1, 1] < -0.01


def test_v_third_disturbs_the_half_selected_less_and_the_others_more() -> None:
    crossbar = devices(5, 5)
    changes = {}
    for name, scheme in (("half", write_half), ("third", write_third)):
        programme = pulses([scheme(crossbar, 2, 2, 0.5)] * 2, width=20e-6, edge=1e-6, rest=1e-6)
        states = run_live(programme, CELL, tolerance=1e-5).states
        changes[name] = np.abs(states[-1] - states[0])[0]
    half_selected = np.array([(2, 0), (2, 1), (0, 2), (4, 2)])
    rows, columns = half_selected.T
    assert (changes["third"][rows, columns] < 0.5 * changes["half"][rows, columns]).all()
    others = np.ones((5, 5), dtype=bool)
    others[2], others[:, 2] = False, False
    assert (changes["third"][others] > changes["half"][others]).all()


def test_disturb_grows_with_the_pulses() -> None:
    crossbar = devices(4, 4)
    programme = pulses([write_half(crossbar, 0, 0, 0.5)] * 4, width=10e-6, edge=1e-6, rest=1e-6)
    after = run_live(programme, CELL, tolerance=1e-5).states[4::4, 0, 0, 1:]
    assert after.shape == (4, 3)
    assert (np.diff(after, axis=0) > 0).all()


def test_the_programme_passes_its_levels() -> None:
    crossbar = devices(2, 3)
    accesses = [read_all(crossbar, [0.1, 0.2], 1.8), read_all(crossbar, 0.0, np.array([0.0, 1.0]))]
    programme = pulses(accesses, width=2e-6, edge=1e-6, rest=4e-6)
    assert programme.time[-1] == pytest.approx(16e-6, rel=1e-12)
    np.testing.assert_allclose(programme.drive(0.5e-6).left, [0.05, 0.1])
    np.testing.assert_allclose(programme.gate(2e-6), [1.8, 1.8])
    np.testing.assert_allclose(programme.gate(10e-6), [0.0, 1.0])
    assert not np.any(programme.drive(7e-6).left)
    deck, knobs = programme_deck(
        programme, CrossbarCell(series=Transistor(ekv=CARD)), maximum_step=1e-7
    )
    assert set(knobs) == set(deck.knobs)


BAD = {
    "no such row": (
        lambda: write_half(devices(2, 3), 2, 0, 1.0), DataError,
        "there is no row 2; the rows are 0 to 1",
    ),
    "no such column": (
        lambda: read_cell(devices(2, 3), 0, -1, 1.0), DataError,
        "there is no column -1; the columns are 0 to 2",
    ),
    "volts of the wrong number": (
        lambda: read_all(devices(2, 3), np.ones(3)), DataError,
        r"volts have shape \(3,\); give one number or shape \(2,\)",
    ),
    "changes of halves": (
        lambda: write_row(devices(2, 3), 0, [0.5, 0, 1], v_set=1, v_reset=1, gate_set=1,
                          gate_reset=1),
        DataError, r"changes have shape \(3,\); give 3, one for each column: 1 \(SET\), -1",
    ),
    "no pulses": (
        lambda: pulses([], width=1e-6, edge=1e-6, rest=1e-6), DataError,
        "pulses need an access at least",
    ),
    "a state beyond its bounds": (
        lambda: run_live(pulses([read_all(devices(1, 2), 0.1)], width=1e-6, edge=1e-6, rest=1e-6),
                         CELL, states=np.array([[[0.5, 1.5]]])),
        DataError, r"state x of cell \(0, 1\) is 1.5, outside Nugent2014's 0 to 1 1; start it",
    ),
    "no edge": (
        lambda: pulses([read_all(devices(2, 2), 0.1)], width=1e-6, edge=0.0, rest=1e-6),
        ParameterError, "width, edge and rest of pulses must be positive seconds",
    ),
    "lines that float now and then": (
        lambda: pulses([read_all(devices(2, 2), 0.1), read_cell(devices(2, 2), 0, 0, 0.1)],
                       width=1e-6, edge=1e-6, rest=1e-6),
        DataError, "the accesses float different lines; run them one by one",
    ),
    "a resistor that is to move": (
        lambda: run_live(pulses([read_all(devices(2, 2), 0.1)], width=1e-6, edge=1e-6, rest=1e-6),
                         CrossbarCell(series=SinhSelector())),
        ParameterError, "run_live moves states, but this 1S1R cell's memory is a resistor",
    ),
    "a row between two": (
        lambda: read_cell(devices(2, 3), 0.5, 0, 1.0),  # type: ignore[arg-type]
        DataError, "row is 0.5; give a whole number, 0 to 1",
    ),
    "others that are neither, of a cell": (
        lambda: read_cell(devices(2, 3), 0, 0, 1.0, others="float"),  # type: ignore[arg-type]
        UnknownNameError, "no choice of others named 'float'; did you mean 'floating'",
    ),
    "others that are neither, of a row": (
        lambda: read_row(devices(2, 3), 0, 1.0, others="ground"),  # type: ignore[arg-type]
        UnknownNameError, "no choice of others named 'ground'; did you mean 'grounded'",
    ),
    "NaN volts of all rows": (
        lambda: read_all(devices(2, 3), [0.1, np.nan]),
        DataError, "volts hold NaN or infinite values; give finite ones .* others='floating'",
    ),
    "NaN volts of a row": (
        lambda: read_row(devices(2, 3), 0, np.nan), DataError,
        "volts of the scheme are nan; give a finite voltage",
    ),
    "NaN volts of a cell": (
        lambda: read_cell(devices(2, 3), 0, 0, np.nan), DataError,
        "volts of the scheme are nan; give a finite voltage",
    ),
    "infinite halves": (
        lambda: write_half(devices(2, 3), 0, 0, np.inf), DataError,
        "volts of the scheme are inf; give a finite voltage",
    ),
    "NaN thirds": (
        lambda: write_third(devices(2, 3), 0, 0, np.nan), DataError,
        "volts of the scheme are nan; give a finite voltage",
    ),
    "a line at NaN with its ends connected": (
        lambda: Access(devices(2, 3), np.array([0.1, np.nan]), np.zeros(3),
                       np.zeros((2, 3), dtype=bool)),
        DataError, "rows of an access hold nan V at 1; give finite volts, and NaN only where both",
    ),
    "lines of the wrong number": (
        lambda: Access(devices(2, 3), np.zeros(2), np.zeros(2), np.zeros((2, 3), dtype=bool)),
        DataError, r"columns of an access has shape \(2,\); give \(3,\)",
    ),
    "a negative SET": (
        lambda: write_row(devices(2, 3), 0, [1, 0, -1], v_set=-1, v_reset=1, gate_set=1,
                          gate_reset=1),
        ParameterError, "v_set of write_row is -1 V; give positive volts",
    ),
    "a gate at NaN": (
        lambda: write_row(devices(2, 3), 0, [1, 0, -1], v_set=1, v_reset=1, gate_set=1,
                          gate_reset=np.nan),
        ParameterError, "gate_reset of write_row is nan V; give finite volts",
    ),
    "pulses without end": (
        lambda: pulses([read_all(devices(2, 2), 0.1)], width=np.inf, edge=1e-6, rest=1e-6),
        ParameterError, "width, edge and rest of pulses must be positive seconds, not inf",
    ),
    "pulses on different crossbars": (
        lambda: pulses([read_all(devices(2, 2, seed), 0.1) for seed in (0, 1)],
                       width=1e-6, edge=1e-6, rest=1e-6),
        DataError, "the accesses are of different crossbars; make them all from one",
    ),
    "gates along rows and along columns": (
        lambda: pulses([read_all(devices(2, 3), 0.1, np.ones(lines)) for lines in (2, 3)],
                       width=1e-6, edge=1e-6, rest=1e-6),
        DataError, r"gates of the accesses have shapes \(2,\) and \(3,\); give all one voltage",
    ),
    "a line left open": (
        lambda: read_cell(Crossbar(np.array([[1e-5, 0.0], [0.0, 0.0]]), WIRES, Ends()), 0, 0, 0.1),
        DataError, "row 1 floats: neither end is connected and no conducting cell",
    ),
    "a memory with a current at 0 V": (
        lambda: SeriesLaw(lambda v: (np.ones_like(v), np.zeros_like(v)),
                          lambda m, c: (m - c, np.ones_like(m), -np.ones_like(m)))
        (np.array([[1.0]]), np.array([[0.3]])),
        SimulationError, r"cell \(0, 0\) has no current that both .* carry between 1 V and 0.3 V",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_says_what_to_do(name: str) -> None:
    build, error, words = BAD[name]
    with pytest.raises(error, match=words):
        build()


def test_states_that_jump_are_refused() -> None:
    """A device a billion times faster than its pulse has no smooth path to follow."""
    fast = replace_tau(1e-19)
    crossbar = Crossbar(np.array([[2e-3]]), WIRES)
    programme = pulses([read_all(crossbar, 0.5)], width=1e-3, edge=1e-4, rest=1e-4)
    with pytest.raises(SimulationError, match="too abrupt for run_live; take the deck of the prog"):
        run_live(programme, fast)


@pytest.mark.parametrize("tolerance", [np.nan, np.inf, 0.0, -1e-6])
def test_a_tolerance_must_be_positive_and_finite(tolerance: float) -> None:
    programme = pulses([read_all(devices(1, 2), 0.1)], width=1e-6, edge=1e-7, rest=1e-7)
    with pytest.raises(ParameterError, match=r"tolerance of run_live is .*; give a positive share"):
        run_live(programme, CELL, tolerance=tolerance)


def test_rates_that_are_no_numbers_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a half the equations fail: steps get smaller towards it, and then that is said."""
    real = live.functions

    def half_defined(kind: type[Ode]) -> SimpleNamespace:
        found = real(kind)
        return SimpleNamespace(
            current=found.current, conductance=found.conductance,
            rates=lambda v, x, numbers: np.where(x < 0.5, 2e5, np.nan),
        )  # fmt: skip

    monkeypatch.setattr(live, "functions", half_defined)
    programme = pulses([read_all(devices(1, 1), 0.1)], width=1e-5, edge=1e-6, rest=1e-6)
    with pytest.raises(SimulationError, match=r"change within .* too abrupt for run_live"):
        run_live(programme, CELL, states=np.zeros((1, 1, 1)))


def test_steps_are_not_taken_again_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    programme = pulses([read_all(devices(1, 1), 0.6)], width=1e-3, edge=1e-6, rest=1e-6)
    assert run_live(programme, CELL).rejected > 1
    monkeypatch.setattr(live, "_REJECTIONS", 0)
    with pytest.raises(SimulationError, match="too abrupt for run_live"):
        run_live(programme, CELL)


def test_open_cells_have_no_states_in_either() -> None:
    """They stand still in no list of states, and the others move alike."""
    conductance = devices(3, 3).conductance.copy()
    conductance[0, 0] = conductance[1, 2] = 0.0
    crossbar = Crossbar(conductance, WIRES)
    programme = pulses([write_half(crossbar, 1, 1, 0.5)], width=20e-6, edge=1e-6, rest=10e-6)
    found = run_live(programme, CELL).states
    deck, knobs = programme_deck(programme, CELL, maximum_step=1e-6)
    with Session(deck, OPTIONS) as session:
        theirs = read_out(session.run(knobs).waveforms, crossbar, CELL).states
    open_cells = conductance == 0
    for states in (found, theirs):
        assert (np.isnan(states) == open_cells).all()
    there = ~open_cells
    assert np.abs(found[-1, 0][there] - theirs[-1, 0][there]).max() < 1e-3
    assert np.abs(found[-1, 0][there] - found[0, 0][there]).max() > 0.05


def replace_tau(tau: float) -> CrossbarCell:
    return CrossbarCell(memory=DeviceMemory(device=DEVICE.with_numbers(tau=tau)))


def test_states_given_are_those_the_deck_starts_with() -> None:
    """In the text to all figures, and in ngspice at its operating point."""
    crossbar = devices(2, 2)
    states = np.array([[[0.0, 1 / 3], [0.7, 1.0]]])
    programme = pulses([read_all(crossbar, 0.01)], width=1e-6, edge=1e-7, rest=1e-7)
    deck, knobs = programme_deck(programme, CELL, maximum_step=1e-7, start_states=states)
    assert "x_0=0.3333333333333333" in deck.netlist
    with Session(deck, OPTIONS) as session:
        found = read_out(session.run(knobs).waveforms, crossbar, CELL)
    np.testing.assert_allclose(found.states[0], states, rtol=0, atol=1e-6)


def test_a_selector_blocks_what_sneaks_through_floating_lines() -> None:
    """Picoamperes beside wires of 2 ohm: rounded whole voltages would not hold them."""
    from spicesnn.circuits.crossbar import alone

    rng = np.random.default_rng(0)
    crossbar = Crossbar(1 / rng.uniform(10e3, 1e6, (8, 8)), Wires(r_row=2.0, r_column=2.0))
    access, sneaked = read_cell(crossbar, 2, 3, 0.4, others="floating"), []
    for cell in (CrossbarCell(), CrossbarCell(series=SinhSelector())):
        solution = solve_access(access, cell)
        with Session(access_deck(access, cell), SimulationOptions(relative_tolerance=1e-9)) as one:
            wanted = one.run().waveforms["i(vbottom3)"][0]
        assert solution.i_bottom[3] == pytest.approx(wanted, rel=1e-6, abs=0)
        sneaked.append(solution.i_bottom[3] / alone(access, cell)[2, 3] - 1)
    assert sneaked[1] < 0.05 * sneaked[0]


@pytest.mark.parametrize(
    ("name", "volts", "width"),
    [("Yakopcic2013", 0.3, 2e-3), ("Jiang2014", -1.3, 1e-7), ("Lammie2022", 0.05, 1e-6),
     ("AgClass", 0.4, 1e-5)],
)  # fmt: skip
def test_devices_of_every_kind_move_alike(name: str, volts: float, width: float) -> None:
    """Two V/2 writes of each kind of device: the last states within 1e-3 of their range."""
    memory = DeviceMemory(device=ODES[name])
    cell, (low, high) = CrossbarCell(memory=memory), memory.conductance_range
    conductance = np.geomspace(max(low, 1e-4 * high) * 1.2, 0.8 * high, 16).reshape(4, 4)
    crossbar = Crossbar(conductance, WIRES)
    programme = pulses(
        [write_half(crossbar, 1, 2, volts)] * 2, width=width, edge=width / 20, rest=width / 2
    )
    live = run_live(programme, cell, tolerance=1e-5)
    deck, knobs = programme_deck(programme, cell, maximum_step=width / 20)
    with Session(deck, OPTIONS) as session:
        found = read_out(session.run(knobs).waveforms, crossbar, cell)
    span = np.ptp(memory.device.bounds(memory.device.states[0]))
    assert np.abs(found.states[-1] - live.states[-1]).max() < 1e-3 * span
    assert np.abs(live.states[-1] - live.states[0]).max() > 0.1 * span
