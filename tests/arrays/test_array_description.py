"""What a crossbar refuses, and what it says then."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from spicesnn.arrays import Crossbar, Drive, Ends, LinearArray, Wires, check_size, memory
from spicesnn.errors import DataError, ParameterError

WIRES = Wires(r_row=2.0, r_column=2.0)
CELLS = np.full((3, 4), 1e-5)


@pytest.mark.parametrize("ohm", [0.0, -2.0])
def test_wires_need_resistance(ohm: float) -> None:
    with pytest.raises(
        ParameterError, match=r"Wires\.r_row .*segment \[ohm\]\) = -?\d.*greater than 0"
    ):
        Wires(r_row=ohm, r_column=2.0)


@pytest.mark.parametrize("value", [-1e-6, np.nan, np.inf])
def test_conductance_of_a_cell(value: float) -> None:
    cells = CELLS.copy()
    cells[1, 2] = value
    with pytest.raises(
        DataError, match=rf"cell \(1, 2\) is {re.escape(f'{value:g}')} S; give finite"
    ):
        Crossbar(cells, WIRES)


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4), (0, 3)])
def test_shape_of_the_conductance(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=rf"shape {re.escape(str(shape))}; give one of \(rows, col"):
        Crossbar(np.ones(shape), WIRES)


def test_ends() -> None:
    with pytest.raises(
        DataError, match=r"ends.left has shape \(4,\); give one number or shape \(3,\)"
    ):
        Crossbar(CELLS, WIRES, Ends(left=np.zeros(4)))
    with pytest.raises(DataError, match=r"ends.bottom holds -5 ohm; give resistances >= 0"):
        Crossbar(CELLS, WIRES, Ends(bottom=-5.0))
    with pytest.raises(DataError, match=r"ends.top holds nan ohm"):
        Crossbar(CELLS, WIRES, Ends(top=np.nan))


def test_floating_lines_are_named() -> None:
    cells = CELLS.copy()
    cells[1] = 0.0
    ends = Ends(left=np.array([0.0, np.inf, 0.0]))
    with pytest.raises(DataError, match=r"row 1 floats: neither end is connected"):
        Crossbar(cells, WIRES, ends)
    cells = CELLS.copy()
    cells[:, 3] = 0.0
    with pytest.raises(DataError, match=r"column 3 floats"):
        Crossbar(cells, WIRES, Ends(bottom=np.array([0.0, 0.0, 0.0, np.inf])))


def test_an_island_of_open_lines_floats_too() -> None:
    """Row 2 and column 3 conduct to one another and to nothing else."""
    cells = CELLS.copy()
    cells[2, :3] = cells[:2, 3] = 0.0
    ends = Ends(left=np.array([0.0, 0.0, np.inf]), bottom=np.array([0.0, 0.0, 0.0, np.inf]))
    with pytest.raises(DataError, match=r"row 2 floats"):
        Crossbar(cells, WIRES, ends)


def test_open_lines_are_allowed_where_cells_hold_them() -> None:
    ends = Ends(
        left=np.array([0.0, np.inf, np.inf]), bottom=np.array([0.0, np.inf, np.inf, np.inf])
    )
    assert Crossbar(CELLS, WIRES, ends).connected("left").sum() == 1


def test_a_hundred_million_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broadcast array takes no memory itself; it is refused before anything is copied."""
    monkeypatch.setattr(memory, "available_bytes", lambda: 16 * 2**30)
    asked = np.broadcast_to(np.float64(1e-5), (10_000, 10_000))
    with pytest.raises(
        DataError,
        match=r"a crossbar of 10000 x 10000 = 1e\+08 cells would take 2e\+10 bytes, more than half "
        r"of the 1.72e\+10 bytes of memory there; cut it into smaller arrays",
    ):
        Crossbar(asked, WIRES)


def test_more_cells_than_any_memory() -> None:
    asked = np.broadcast_to(np.float64(1e-5), (10**7, 10**7))
    with pytest.raises(DataError, match=r"= 1e\+14 cells would take 2e\+16 bytes"):
        Crossbar(asked, WIRES)


def test_a_batch_too_large_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    array = LinearArray(Crossbar(CELLS, WIRES))
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**8)
    drive = Drive(left=np.zeros((300_000, 3)))
    with pytest.raises(
        DataError, match=r"node voltages of 300000 inputs on 3 x 4 cells would take"
    ):
        array.solve(drive)


def test_memory_that_is_there() -> None:
    assert 2**27 < memory.available_bytes() < 2**50


def test_drives() -> None:
    crossbar = Crossbar(CELLS, WIRES)
    with pytest.raises(DataError, match=r"drive at left has shape \(4,\); its last axis must be 3"):
        crossbar.volts(Drive(left=np.zeros(4)))
    with pytest.raises(DataError, match=r"drive at bottom holds NaN or infinite volts"):
        crossbar.volts(Drive(bottom=np.array([0.0, 0.0, np.nan, 0.0])))
    with pytest.raises(
        DataError, match=r"batch axes of the drive do not match: left \(2,\).*top \(5,\)"
    ):
        crossbar.volts(Drive(left=np.zeros((2, 3)), top=np.zeros((5, 4))))


def test_conductances_cannot_be_changed_behind_the_description() -> None:
    cells = CELLS.copy()
    crossbar = Crossbar(cells, WIRES)
    cells[0, 0] = -1.0
    assert crossbar.conductance[0, 0] == 1e-5
    with pytest.raises(ValueError, match="read-only"):
        crossbar.conductance[0, 0] = 1.0


def test_transposed_twice_is_the_same() -> None:
    wires = Wires(r_row=1.0, r_column=2.0, c_row=3e-15, c_column=4e-15)
    one = Crossbar(CELLS, wires, Ends(left=1.0, right=2.0, top=3.0, bottom=4.0))
    turned = one.transposed()
    assert (turned.rows, turned.wires.r_row, float(turned.end_resistance("top")[0])) == (
        4,
        2.0,
        1.0,
    )
    again = turned.transposed()
    assert again.wires == one.wires
    np.testing.assert_array_equal(again.conductance, one.conductance)
    np.testing.assert_array_equal(again.end_resistance("bottom"), one.end_resistance("bottom"))


def test_floor_of_bytes() -> None:
    assert Crossbar(CELLS, WIRES).floor_bytes == 3 * 4 * 24


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Crossbar([["a"]], WIRES), "conductance: str where real numbers are wanted"),
        (lambda: Crossbar(CELLS * 1j, WIRES), "conductance: complex128 where real"),
        (lambda: Crossbar([[1, 2], [3]], WIRES), "conductance: rows of different lengths"),
        (lambda: Crossbar(None, WIRES), "conductance: NoneType where real"),
        (lambda: Crossbar(CELLS, None), "wires: NoneType where Wires is wanted"),
        (lambda: Crossbar(CELLS, WIRES, None), "ends: NoneType where Ends is wanted"),
        (lambda: Crossbar(CELLS, WIRES, Ends(left="x")), "ends.left: str where real"),
        (lambda: Crossbar(CELLS, Wires(r_row=1e-320, r_column=1.0)), "wires.r_row is 1e-320|9.99"),
        (lambda: volts_of(Drive(left="a")), "drive at left: str where real"),
        (lambda: volts_of(Drive(left=1j)), "drive at left: complex128 where real"),
        (lambda: volts_of(np.ones(3)), "the drive: ndarray where Drive is wanted"),
        (lambda: volts_of(Drive(left=1e200)), r"left reaches 1e\+200 V; give 1e\+100 at most"),
        (lambda: volts_of(Drive(left=1e-200)), "largest volts are 1e-200 V; give 0 or above 1e-1"),
        (lambda: check_size(-5, 5), "rows = -5; give a whole number above 0"),
        (lambda: check_size(5, 1.5), "columns = 1.5; give a whole number above 0"),
    ],
)
def test_what_is_no_description(make: Callable[[], object], text: str) -> None:
    with pytest.raises(DataError, match=text):
        make()


def volts_of(drive: object) -> object:
    return Crossbar(CELLS, WIRES).volts(drive)  # type: ignore[arg-type]
