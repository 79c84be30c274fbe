"""The linear solver against nodal analysis in 40 digits, laws of circuits, badcrossbar, ngspice."""

import json
from pathlib import Path

import numpy as np
import pytest
from array_circuits import SIDES, bottom, by_ngspice, dense

from spicesnn.arrays import Crossbar, Drive, Ends, LinearArray, Wires
from spicesnn.arrays import linear as module
from spicesnn.arrays.chains import Lines
from spicesnn.arrays.linear import Gradient
from spicesnn.errors import DataError, SimulationError

STORED = json.loads((Path(__file__).parent / "data" / "badcrossbar.json").read_text("utf-8"))
BOTH = Ends(right=0.0, top=0.0)


def crossbar(
    shape: tuple[int, int], low: float = 1e4, high: float = 1e6, r: float = 2.0,
    ends: Ends | None = None, seed: int = 0,
) -> Crossbar:  # fmt: skip
    """Cells whose resistances are even in their logarithm."""
    ohm = np.exp(np.random.default_rng(seed).uniform(np.log(low), np.log(high), shape))
    return Crossbar(1 / ohm, Wires(r_row=r, r_column=1.5 * r), ends or Ends())


def compare(array: Crossbar, drive: Drive) -> None:
    """Every end's current and every node's voltage."""
    solution, wanted = LinearArray(array).solve(drive), dense(array, drive)
    for side in SIDES:
        assert getattr(solution, f"i_{side}") == pytest.approx(wanted[side], rel=1e-9, abs=0)
    assert solution.row_voltage == pytest.approx(wanted["u"], rel=1e-9, abs=1e-15)
    assert solution.column_voltage == pytest.approx(wanted["w"], rel=1e-9, abs=1e-15)
    assert solution.residual <= 1e-9


@pytest.mark.parametrize("shape", [(4, 5), (1, 6), (6, 1), (1, 1)])
@pytest.mark.parametrize("ends", [Ends(), BOTH, Ends(left=1e3, bottom=1e4)], ids=str)
@pytest.mark.parametrize("r", [1e-3, 1e3])
@pytest.mark.parametrize(("low", "high"), [(1e3, 1e4), (1e3, 1e12), (1e12, 1.1e12)])
def test_all_orders_of_magnitude(
    shape: tuple[int, int], ends: Ends, r: float, low: float, high: float
) -> None:
    """Wires of 1e-3 to 1e3 ohm, cells of 1e3 to 1e12 ohm."""
    volts = np.random.default_rng(1).uniform(0.1, 1.0, shape[0])
    compare(crossbar(shape, low, high, r, ends), Drive(left=volts, right=volts))


def test_every_end_driven() -> None:
    ends = Ends(left=1.0, right=np.array([5.0, np.inf, 0.0, 2.0]), top=np.array([1e3, np.inf, 0.0]))
    drive = Drive(
        left=np.array([0.3, 0.5, 0.1, 0.9]), right=np.array([0.7, 0.2, 0.4, 0.6]), top=0.3,
        bottom=np.array([0.1, 0.0, 0.2]),
    )  # fmt: skip
    compare(crossbar((4, 3), ends=ends), drive)


def test_open_cells_and_floating_lines() -> None:
    """Sneak paths: one row and one column are held, the others float through cells of 1e9 ohm."""
    open_ = np.array([0.0, np.inf, np.inf, np.inf])
    array = crossbar((4, 4), 1e9, 1e10, 1e-3, Ends(left=open_, bottom=open_))
    cells = array.conductance.copy()
    cells[0, 0] = cells[2, 3] = 0.0
    compare(array.with_conductance(cells), Drive(left=1.0))


def test_badcrossbar() -> None:
    array = LinearArray(Crossbar(
        1 / np.array(STORED["resistances"]),
        Wires(r_row=STORED["r_row"], r_column=STORED["r_column"]),
    ))  # fmt: skip
    solution = array.solve(Drive(left=np.array(STORED["volts"])))
    assert solution.i_bottom == pytest.approx(np.array(STORED["outputs"]), rel=1e-9, abs=0)
    wanted = np.array(STORED["row_voltage"])
    assert solution.row_voltage == pytest.approx(wanted, rel=1e-9, abs=0)


def test_ngspice_64() -> None:
    array, volts = crossbar((64, 64)), np.random.default_rng(2).uniform(0, 1, 64)
    theirs = bottom(by_ngspice(array, Drive(left=volts)), 64)[0]
    ours = LinearArray(array).solve(Drive(left=volts)).i_bottom
    assert ours == pytest.approx(theirs, rel=1e-9, abs=0)


def test_a_chain_of_resistors() -> None:
    """One row, only its last cell conducts: volts over the sum of all resistances."""
    cells = np.zeros((1, 50))
    cells[0, -1] = 1e-5
    array = Crossbar(cells, Wires(r_row=2.0, r_column=7.0), Ends(left=3.0, bottom=11.0))
    solution = LinearArray(array).solve(Drive(left=0.8))
    wanted = 0.8 / (3.0 + 50 * 2.0 + 1e5 + 7.0 + 11.0)
    assert solution.i_bottom[-1] == pytest.approx(wanted, rel=1e-13, abs=0)
    assert solution.i_bottom[:-1].tolist() == [0.0] * 49


def test_the_ladder() -> None:
    """Endless equal ladder: the input resistance is that of `R = r + R || (1 / g)`."""
    n, r, g = 400, 100.0, 1e-4
    array = Crossbar(np.full((1, n), g), Wires(r_row=r, r_column=1e-6))
    current = LinearArray(array).solve(Drive(left=1.0)).i_left[0]
    endless = r / 2 + np.sqrt(r**2 / 4 + r / g)
    # Columns add 1e-6 ohm to cells of 1e4.
    assert 1 / current == pytest.approx(endless, rel=1e-9, abs=0)


def test_reciprocity() -> None:
    """Current out of column j by volts at row i is that out of row i by volts at column j."""
    array = LinearArray(crossbar((9, 7), r=50.0))
    by_rows = array.solve(Drive(left=np.eye(9))).i_bottom
    by_columns = -array.solve(Drive(bottom=np.eye(7))).i_left
    assert by_rows == pytest.approx(by_columns.T, rel=1e-11, abs=0)


def test_energy() -> None:
    """What the sources give is what all resistors turn into heat."""
    array = crossbar((30, 20), r=200.0, ends=Ends(left=10.0, bottom=20.0))
    volts = np.random.default_rng(3).uniform(-1, 1, 30)
    s = LinearArray(array).solve(Drive(left=volts, bottom=0.2))
    given = volts @ s.i_left - 0.2 * s.i_bottom.sum()
    u, w, wires = s.row_voltage, s.column_voltage, array.wires
    heat = (array.conductance * (u - w) ** 2).sum()
    heat += (np.diff(u, axis=1) ** 2).sum() / wires.r_row
    heat += (np.diff(w, axis=0) ** 2).sum() / wires.r_column
    heat += (s.i_left**2).sum() * (10.0 + wires.r_row)
    heat += (s.i_bottom**2).sum() * (20.0 + wires.r_column)
    assert given == pytest.approx(heat, rel=1e-12, abs=0)


def test_residual_is_that_of_the_voltages() -> None:
    """Kirchhoff's law at every row's node, from the answer alone."""
    array = crossbar((40, 30))
    s = LinearArray(array).solve(Drive(left=0.5))
    g = 1 / array.wires.r_row
    u = np.hstack([np.full((40, 1), 0.5), s.row_voltage])
    flow = g * (u[:, :-1] - u[:, 1:])
    after = np.hstack([flow[:, 1:], np.zeros((40, 1))])
    off = np.abs(flow - after - s.cell_current)
    assert off.max() <= 1e-9 * s.i_bottom.min() + 4 * np.finfo(float).eps * g


def test_batches_are_the_single_solves() -> None:
    array = LinearArray(crossbar((20, 30), r=30.0))
    volts = np.random.default_rng(4).uniform(0.1, 1, (3, 2, 20))
    many = array.solve(Drive(left=volts, bottom=0.05))
    assert many.row_voltage.shape == (3, 2, 20, 30)
    one = array.solve(Drive(left=volts[2, 1], bottom=0.05))
    assert many[2, 1].i_bottom == pytest.approx(one.i_bottom, rel=1e-9, abs=0)
    ends = array.outputs(Drive(left=volts, bottom=0.05))
    assert ends.i_bottom == pytest.approx(many.i_bottom, rel=1e-9, abs=0)
    assert ends.i_left == pytest.approx(many.i_left, rel=1e-7, abs=0)


def test_nothing_flows_without_volts() -> None:
    s = LinearArray(crossbar((5, 6))).solve(Drive())
    assert not s.i_bottom.any()
    assert float(s.residual) == 0.0


def test_a_near_start_gives_the_same_in_fewer_iterations() -> None:
    array = LinearArray(crossbar((60, 60), r=20.0))
    first = array.solve(Drive(left=0.5))
    near = array.solve(Drive(left=0.5001), start=first)
    fresh = array.solve(Drive(left=0.5001))
    assert near.i_bottom == pytest.approx(fresh.i_bottom, rel=1e-9, abs=0)
    assert near.iterations < fresh.iterations


def loss_and_gradient(array: LinearArray, drive: Drive) -> tuple[float, Gradient]:
    """Squares of all that a solution has, with weights; and its gradient by the adjoint."""
    s = array.solve(drive)
    rng = np.random.default_rng(7)
    names = ("i_left", "i_right", "i_top", "i_bottom", "row_voltage", "column_voltage",
             "cell_current")  # fmt: skip
    loss, slopes = 0.0, {}
    for name in names:
        value = getattr(s, name)
        scale = 1.0 if "voltage" in name else 1e4
        weight = rng.uniform(0.5, 1.5, value.shape[-1:])
        loss += float((weight * (scale * value) ** 2).sum())
        slopes[name] = 2 * weight * scale**2 * value
    return loss, array.adjoint(s, **slopes)


def test_gradients_against_finite_differences() -> None:
    rng = np.random.default_rng(5)
    base = crossbar((5, 4), r=500.0, ends=Ends(left=10.0, right=5.0, top=7.0, bottom=20.0))
    volts = {"left": rng.uniform(0, 1, (2, 5)), "right": rng.uniform(0, 1, (2, 5)),
             "top": rng.uniform(0, 1, (2, 4)), "bottom": rng.uniform(0, 1, (2, 4))}  # fmt: skip
    _, gradient = loss_and_gradient(LinearArray(base), Drive(**volts))
    for row, column in ((0, 0), (2, 3), (4, 1)):
        change = np.zeros((5, 4))
        change[row, column] = 1e-4 * base.conductance[row, column]
        high, low = (
            loss_and_gradient(LinearArray(base.with_conductance(base.conductance + s * change)),
                              Drive(**volts))[0] for s in (1, -1)
        )  # fmt: skip
        wanted = (high - low) / (2 * change[row, column])
        assert gradient.conductance[row, column] == pytest.approx(wanted, rel=1e-5, abs=0)
    for side, value in volts.items():
        change = np.zeros(value.shape)
        change[1, 2] = 1e-3
        high, low = (
            loss_and_gradient(LinearArray(base), Drive(**(volts | {side: value + s * change})))[0]
            for s in (1, -1)
        )
        found = getattr(gradient, side)[1, 2]
        assert found == pytest.approx((high - low) / 2e-3, rel=1e-5, abs=0)


def test_wrong_shapes() -> None:
    array = LinearArray(crossbar((5, 4)))
    with pytest.raises(DataError, match=r"row_injected has shape \(4, 5\); give finite amperes of"):
        array.solve(Drive(), row_injected=np.zeros((4, 5)))
    with pytest.raises(
        DataError, match=r"batch axes of injected currents \[\(2,\)\] and of the dr"
    ):
        array.solve(Drive(left=np.zeros((3, 5))), row_injected=np.zeros((2, 5, 4)))
    solution = array.solve(Drive(left=1.0))
    with pytest.raises(DataError, match=r"derivative by i_bottom has shape \(3,\); give \(4,\)"):
        array.adjoint(solution, i_bottom=np.zeros(3))


def test_the_check_sends_back_what_the_iterations_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Iterations that stop at a tenth of an output are refined to the same answer."""
    array, drive = LinearArray(crossbar((30, 30), r=30.0)), Drive(left=np.linspace(0.2, 1, 30))
    wanted = array.solve(drive)
    monkeypatch.setattr(module, "_AIM", 0.1)
    found = array.solve(drive)
    assert found.i_bottom == pytest.approx(wanted.i_bottom, rel=1e-9, abs=0)
    monkeypatch.setattr(module, "_REFINEMENTS", 1)
    with pytest.raises(
        SimulationError,
        match=r"currents are known to \d\.\de-\d\d only after \d iterations, 1e-09 is wanted: w",
    ):
        array.solve(drive)


def test_a_line_that_nothing_holds() -> None:
    lines = Lines(3, 0.5, np.array([1.0, 0.0]), np.array([0.0, 0.0]))
    with pytest.raises(SimulationError, match=r"line 1 of the array floats in double precision"):
        lines.factor(np.zeros((3, 2)))


def test_a_gradient_costs_one_more_solve(monkeypatch: pytest.MonkeyPatch) -> None:
    array = LinearArray(crossbar((6, 5)))
    solution = array.solve(Drive(left=0.5))
    calls, solve = [], LinearArray.solve
    monkeypatch.setattr(LinearArray, "solve", lambda *a, **k: calls.append(1) or solve(*a, **k))
    array.adjoint(solution, i_bottom=1.0, row_voltage=solution.row_voltage)
    assert len(calls) == 1


def test_ends_that_nothing_reached_at_first() -> None:
    """Two rows are held at 0 V only, and see 6.7e-6 V through a floating column: -5.9e-15 A."""
    array = Crossbar(
        np.array([[1e-8], [1e-9], [1e-9 / 3]]), Wires(r_row=0.0186, r_column=563.0),
        Ends(left=np.array([2767.0, np.inf, np.inf]), right=0.0, bottom=np.inf),
    )  # fmt: skip
    compare(array, Drive(left=1.0))


def judged_by(array: Crossbar, drive: Drive, found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the residual is relative to, by the class's text."""
    g, volts = array.conductance, array.volts(drive)
    cell = g * (found["u"] - found["w"])
    top = [np.abs(found["u"]).max(axis=1), np.abs(found["w"]).max(axis=0)]
    for k, side in enumerate(SIDES):
        behind = np.where(array.connected(side), np.abs(volts[side]), 0.0)
        top[k // 2] = np.maximum(top[k // 2], behind)
    could, size = g * np.add.outer(*top), np.abs(cell)
    wanted = {}
    for k, side in enumerate(SIDES):
        axis = 1 - k // 2
        cancel = size.sum(axis=axis) - np.abs(cell.sum(axis=axis))
        wanted[side] = np.max([np.abs(found[side]), cancel, 1e-5 * could.sum(axis=axis)], axis=0)
    return wanted


def random_array(rng: np.random.Generator) -> Crossbar:
    """Open cells and open ends anywhere, cells over one to eight decades."""
    while True:
        m, n = rng.integers(1, 5, 2)
        g = 10 ** rng.uniform(-4 - rng.choice([1, 3, 8]), -4, (m, n))
        g[rng.random((m, n)) < rng.choice([0.0, 0.3, 0.6])] = 0.0
        ends = []
        for lines in (m, m, n, n):
            ohm = 10 ** rng.uniform(-1, 4, lines)
            ohm[rng.random(lines) < rng.choice([0.3, 0.7])] = np.inf
            ends.append(ohm)
        r_row, r_column = (float(x) for x in 10 ** rng.uniform(-2, 3, 2))
        try:
            return Crossbar(g, Wires(r_row=r_row, r_column=r_column), Ends(*ends))
        except DataError:  # A line floats.
            continue


def test_the_true_error_is_within_the_residual() -> None:
    rng = np.random.default_rng(11)
    for _ in range(60):
        array = random_array(rng)
        m, n = array.conductance.shape
        drive = Drive(*(rng.integers(-2, 3, k) / 2 * (rng.random() < 0.7) for k in (m, m, n, n)))
        solution, wanted = LinearArray(array).solve(drive), dense(array, drive)
        assert solution.residual <= 1e-9
        for side, size in judged_by(array, drive, wanted).items():
            off = np.abs(getattr(solution, f"i_{side}") - wanted[side])
            # 40 digits leave 1e-38 where nothing flows.
            assert (off <= (float(solution.residual) + 1e-12) * size + 1e-36).all()


def test_an_island_at_rest() -> None:
    """The second block is held at 0 V: its currents are exactly 0, and no reason to refuse."""
    cells = np.kron(np.eye(2), np.full((2, 2), 1e-6))
    solution = LinearArray(Crossbar(cells, Wires(r_row=2.0, r_column=2.0))).solve(
        Drive(left=np.array([1.0, 0.3, 0.0, 0.0]))
    )
    assert solution.i_bottom[2:].tolist() == solution.i_left[2:].tolist() == [0.0, 0.0]
    assert solution.residual <= 1e-9


def test_empty_batches() -> None:
    array, drive = LinearArray(crossbar((5, 4))), Drive(left=np.ones((0, 5)))
    assert array.solve(drive).i_bottom.shape == array.outputs(drive).i_bottom.shape == (0, 4)
    assert array.outputs(drive).residual.shape == (0,)


def test_what_is_no_input() -> None:
    base = crossbar((5, 4))
    array, other = LinearArray(base), LinearArray(crossbar((4, 5))).solve(Drive(left=1.0))
    for shunt, text in ((np.nan, "nan"), (-1e-6, "-1e-06")):
        with pytest.raises(DataError, match=rf"row_shunt is {text} S; give one finite conductanc"):
            LinearArray(base, row_shunt=shunt)
    with pytest.raises(DataError, match=r"column_shunt: str where real numbers"):
        LinearArray(base, column_shunt="a")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"start.row_voltage has shape \(4, 5\); its last axes mus"):
        array.solve(Drive(left=1.0), start=other)
    with pytest.raises(DataError, match=r"solution has cells of shape \(4, 5\), not of this array"):
        array.adjoint(other, i_bottom=1.0)
    with pytest.raises(DataError, match=r"derivative by i_bottom: str where real numbers"):
        array.adjoint(array.solve(Drive(left=1.0)), i_bottom="x")  # type: ignore[arg-type]
