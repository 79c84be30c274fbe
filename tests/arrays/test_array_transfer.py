"""Transfer matrix, updates of few cells, port admittance."""

import numpy as np
import pytest
from array_circuits import SIDES, dense

from spicesnn.arrays import Crossbar, Drive, Ends, LinearArray, Transfer, Wires, memory, reduction
from spicesnn.arrays import transfer as module
from spicesnn.errors import DataError, SimulationError

WIRES = Wires(r_row=3.0, r_column=5.0)


def crossbar(shape: tuple[int, int], ends: Ends | None = None, low: float = 1e4) -> Crossbar:
    ohm = np.exp(np.random.default_rng(1).uniform(np.log(low), np.log(1e6), shape))
    return Crossbar(1 / ohm, WIRES, ends or Ends())


def mixed(shape: tuple[int, int]) -> Ends:
    """Some ends of every side open, all lines held."""
    m, n = shape
    return Ends(
        left=np.where(np.arange(m) % 3 == 1, np.inf, 1.0),
        right=np.where(np.arange(m) % 3, 2.0, np.inf),
        top=np.where(np.arange(n) % 2, 7.0, np.inf), bottom=np.where(np.arange(n) % 2, np.inf, 0.0),
    )  # fmt: skip


@pytest.mark.parametrize("shape", [(4, 3), (3, 5), (1, 4), (4, 1), (1, 1)])
def test_transfer_is_nodal_analysis_input_by_input(shape: tuple[int, int]) -> None:
    array = crossbar(shape, mixed(shape))
    found = Transfer.of(LinearArray(array))
    for k, (side, line) in enumerate(found.input_ports):
        volts = np.zeros(shape[0])
        volts[line] = 1.0
        wanted = dense(array, Drive(**{side: volts}))
        for q, (out, column) in enumerate(found.output_ports):
            assert found.matrix[q, k] == pytest.approx(wanted[out][column], rel=1e-12, abs=0)
    assert found.error < 1e-12


def test_transfer_is_the_solver_on_a_larger_array() -> None:
    array = LinearArray(crossbar((70, 40)))
    volts = np.random.default_rng(2).uniform(0, 1, (5, 70))
    found = Transfer.of(array).outputs(volts)
    assert found == pytest.approx(array.solve(Drive(left=volts)).i_bottom, rel=1e-9, abs=0)


@pytest.mark.parametrize("r", [1e-3, 1e3])
def test_every_entry_keeps_its_digits(r: float) -> None:
    """Cells from 1e3 to 1e12 ohm in one array: no entry of the matrix is lost beside the others."""
    ohm = 10 ** np.random.default_rng(3).uniform(3, 12, (4, 4))
    array = Crossbar(1 / ohm, Wires(r_row=r, r_column=r), Ends(left=0.0, bottom=0.0))
    found = Transfer.of(LinearArray(array))
    for k in range(4):
        wanted = dense(array, Drive(left=np.eye(4)[k]))["bottom"]
        assert found.matrix[:, k] == pytest.approx(wanted, rel=1e-11, abs=0)


def test_updates_chain() -> None:
    array = crossbar((30, 20))
    first = Transfer.of(LinearArray(array))
    once = first.updated([(3, 4), (29, 0)], [5e-5, 2e-6])
    twice = once.updated([(3, 4), (7, 7)], [1e-6, 9e-5])
    cells = array.conductance.copy()
    cells[3, 4], cells[29, 0], cells[7, 7] = 1e-6, 2e-6, 9e-5
    wanted = Transfer.of(LinearArray(array.with_conductance(cells))).matrix
    assert twice.matrix == pytest.approx(wanted, rel=1e-9, abs=0)
    assert twice.crossbar.conductance[3, 4] == 1e-6
    assert first.matrix[4, 3] != pytest.approx(twice.matrix[4, 3], rel=1e-2, abs=0)


def test_updates_refuse() -> None:
    found = Transfer.of(LinearArray(crossbar((3, 4))))
    with pytest.raises(DataError, match=r"cells name one that is not in the array of 3 x 4"):
        found.updated([(3, 0)], [1e-5])
    with pytest.raises(DataError, match=r"cells name one twice; give each cell once"):
        found.updated([(0, 0), (0, 0)], [1e-5, 1e-6])
    with pytest.raises(DataError, match=r"cells have shape \(1, 2\) and conductance \(2,\)"):
        found.updated([(0, 0)], [1e-5, 1e-6])
    with pytest.raises(DataError, match=r"conductance of cell \(0, 1\) is -1 S"):
        found.updated([(0, 1)], [-1.0])
    with pytest.raises(DataError, match=r"volts have shape \(4,\); the last axis must be 3"):
        found.outputs(np.zeros(4))


def test_a_wrong_matrix_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_inverse", lambda matrix: np.linalg.inv(matrix) * (1 + 1e-8))
    with pytest.raises(
        SimulationError,
        match=r"transfer matrix differs from a checked solve by \d.*, 1e-09 is want",
    ):
        Transfer.of(LinearArray(crossbar((3, 4))))
    with pytest.raises(SimulationError, match=r"port admittance differs from a checked solve"):
        reduction(crossbar((3, 4)))


def test_an_update_that_is_wrong_is_computed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Transfer.of(LinearArray(crossbar((3, 4))))
    monkeypatch.setattr(module.np.linalg, "solve", lambda a, b: 1.1 * b)
    new = found.updated([(0, 0)], [1e-3])
    wanted = Transfer.of(LinearArray(new.crossbar)).matrix
    assert new.matrix == pytest.approx(wanted, rel=1e-13, abs=0)


@pytest.mark.parametrize("shape", [(4, 3), (3, 5)])
def test_reduction_is_nodal_analysis_port_by_port(shape: tuple[int, int]) -> None:
    array = crossbar(shape, mixed(shape))
    found = reduction(array)
    assert [side for side, _ in found.ports] == sorted(
        (side for side, _ in found.ports), key=SIDES.index
    )
    for k, (side, line) in enumerate(found.ports):
        volts = np.zeros(shape[0] if side in SIDES[:2] else shape[1])
        volts[line] = 1.0
        wanted = dense(array, Drive(**{side: volts}))
        into = [(1 if s in SIDES[:2] else -1) * wanted[s][i] for s, i in found.ports]
        assert found.admittance[:, k] == pytest.approx(np.array(into), rel=1e-12, abs=0)
    assert found.names()[:2] == ("left0", "left2")[: len(found.names())]


def test_equal_volts_cause_no_current() -> None:
    """No node has a way to ground, so one volt at all ports is one volt everywhere."""
    array = crossbar((5, 4), mixed((5, 4)))
    drive = Drive(left=0.7, right=0.7, top=0.7, bottom=0.7)
    assert not reduction(array).currents(drive, array).any()


def test_reduction_of_a_batch() -> None:
    array = crossbar((6, 5), Ends(left=10.0, right=3.0, bottom=20.0))
    rng = np.random.default_rng(4)
    drive = Drive(left=rng.uniform(0, 1, (3, 6)), right=0.1, bottom=rng.uniform(0, 1, 5))
    found = reduction(array)
    s = LinearArray(array).solve(drive)
    wanted = np.concatenate([s.i_left, s.i_right, -s.i_bottom], axis=-1)
    assert found.currents(drive, array) == pytest.approx(wanted, rel=1e-9, abs=1e-18)


def test_no_transfer_without_outputs() -> None:
    array = crossbar((3, 4), Ends(bottom=np.inf))
    with pytest.raises(DataError, match=r"no column has a connected end, so there is no transfer"):
        Transfer.of(LinearArray(array))


def test_columns_that_float_in_double_precision() -> None:
    with pytest.raises(SimulationError, match=r"columns float in double precision; connect their"):
        module._inverse(np.array([[1.0, -1.0], [-1.0, 1.0]]))


def test_more_ports_than_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    array = crossbar((1500, 1500))
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**8)
    with pytest.raises(
        DataError, match=r"matrix between 3000 line ends of 1500 x 1500 cells would take \d.* leave"
    ):
        reduction(array)


def test_an_updated_entry_keeps_its_digits() -> None:
    """A row's cells go from 1e-4 to 1e-12 S: its entries are what is left of a cancellation."""
    array = Crossbar(np.full((4, 4), 1e-4), Wires(r_row=1.0, r_column=1.0))
    found = Transfer.of(LinearArray(array)).updated([(2, j) for j in range(4)], [1e-12] * 4)
    wanted = dense(found.crossbar, Drive(left=np.eye(4)[2]))["bottom"]
    assert found.matrix[:, 2] == pytest.approx(wanted, rel=1e-9, abs=0)
    assert found.error <= 1e-9
    later = found.updated([(0, 0)], [2e-4])
    wanted = dense(later.crossbar, Drive(left=np.eye(4)[2]))["bottom"]
    assert later.matrix[:, 2] == pytest.approx(wanted, rel=1e-9, abs=0)


def test_updates_of_one_call_are_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Transfer.of(LinearArray(crossbar((6, 5))))
    calls, solve = [], LinearArray.solve
    monkeypatch.setattr(LinearArray, "solve", lambda *a, **k: calls.append(1) or solve(*a, **k))
    found.updated([(0, 0), (3, 2), (5, 4)], [2e-5, 3e-5, 4e-5])
    assert len(calls) == 1


def test_no_cells_change_nothing() -> None:
    found = Transfer.of(LinearArray(crossbar((3, 4))))
    assert found.updated([], []) is found
    assert found.updated(np.empty((0, 2), int), []) is found


def test_a_transfer_knows_no_shunts() -> None:
    with pytest.raises(DataError, match=r"the array has row_shunt = 1e-06 S; a transfer matrix"):
        Transfer.of(LinearArray(crossbar((3, 4)), row_shunt=1e-6))


@pytest.mark.parametrize("r", [0.01, 0.1])
def test_reduction_where_both_ends_of_lines_are_held(r: float) -> None:
    """Cells of 1e6 to 1e8 ohm between wires of 0.04 ohm: differences of volts keep the digits."""
    ohm = np.exp(np.random.default_rng(0).uniform(np.log(1e6), np.log(1e8), (4, 4)))
    array = Crossbar(1 / ohm, Wires(r_row=r, r_column=r), Ends(0.0, 0.0, 0.0, 0.0))
    found = reduction(array)
    one = np.array([0.2, 0.0, 0.0, 0.0])
    drive = Drive(left=one, right=one)
    wanted = dense(array, drive)
    into = [(1 if s in SIDES[:2] else -1) * wanted[s][i] for s, i in found.ports]
    assert found.currents(drive, array) == pytest.approx(np.array(into), rel=1e-12, abs=0)
    stacked = np.concatenate([one, one, np.zeros(8)])
    assert found.into(np.stack([stacked, 2 * stacked]))[1] == pytest.approx(
        2 * np.array(into), rel=1e-12, abs=0
    )


def test_currents_of_another_crossbar() -> None:
    found = reduction(crossbar((3, 4)))
    with pytest.raises(DataError, match=r"the crossbar of 2 x 2 has other connected ends than the"):
        found.currents(Drive(left=1.0), crossbar((2, 2)))
    with pytest.raises(
        DataError, match=r"volts of the ports have shape \(3,\); the last axis must"
    ):
        found.into(np.zeros(3))


def test_volts_that_are_none() -> None:
    found = Transfer.of(LinearArray(crossbar((3, 4))))
    with pytest.raises(DataError, match=r"volts: str where real numbers are wanted"):
        found.outputs("abc")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"volts hold NaN or infinite ones"):
        found.outputs(np.array([np.nan, 1.0, 1.0]))
    with pytest.raises(DataError, match=r"cells: str where real numbers are wanted"):
        found.updated([("a", "b")], [1e-6])
