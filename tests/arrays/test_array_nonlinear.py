"""Newton's method on cells of two and three terminals: laws of circuits, ngspice."""

import numpy as np
import pytest
from array_circuits import bottom, by_ngspice

from spicesnn.arrays import Crossbar, Drive, Ends, LinearArray, NonlinearArray, Wires, memory
from spicesnn.errors import DataError, SimulationError

WIRES = Wires(r_row=2.0, r_column=2.0)
I_0, V_0 = 1e-9, 0.1
U_T, I_SPEC, N, V_T = 0.02585, 2e-6, 1.3, 0.45


def cells(shape: tuple[int, int]) -> np.ndarray:
    return np.exp(np.random.default_rng(0).uniform(np.log(1e-6), np.log(1e-4), shape))


class Sinh:
    """Two terminals: `I = s sinh(v / v_0)`."""

    def __init__(self, scale: np.ndarray) -> None:
        self.scale = scale

    def __call__(self, u: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        slope = self.scale / V_0 * np.cosh((u - w) / V_0)
        return self.scale * np.sinh((u - w) / V_0), slope, -slope


class Triode:
    """Three terminals: a transistor from row to column (EKV, constant gate) and a conductance."""

    def __init__(self, g: np.ndarray, gate: np.ndarray) -> None:
        self.g, self.gate = g, gate

    def __call__(self, u: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        pinch = (self.gate[:, None] - V_T) / N
        up, down = ((pinch - v) / (2 * U_T) for v in (w, u))
        forward, reverse = np.logaddexp(0, up), np.logaddexp(0, down)
        by_column = -I_SPEC * forward / (1 + np.exp(-up)) / U_T
        by_row = I_SPEC * reverse / (1 + np.exp(-down)) / U_T
        current = I_SPEC * (forward**2 - reverse**2) + self.g * (u - w)
        return current, by_row + self.g, by_column - self.g


def test_linear_cells_are_the_linear_array() -> None:
    g = cells((12, 9))
    crossbar = Crossbar(g, WIRES)
    drive = Drive(left=np.linspace(0.1, 1, 12))
    found = NonlinearArray(crossbar.with_conductance(np.full((12, 9), 1e-5)),
                           lambda u, w: (g * (u - w), g, -g)).solve(drive)  # fmt: skip
    wanted = LinearArray(crossbar).solve(drive)
    assert found.i_bottom == pytest.approx(wanted.i_bottom, rel=1e-9, abs=0)
    assert found.column_voltage == pytest.approx(wanted.column_voltage, rel=1e-8, abs=0)


def test_one_cell() -> None:
    """Volts over resistors and one sinh element, solved by halving."""
    crossbar = Crossbar(np.array([[1e-6]]), Wires(r_row=300.0, r_column=700.0))
    current = NonlinearArray(crossbar, Sinh(np.array([[I_0]]))).solve(Drive(left=1.5)).i_bottom[0]
    low, high = 0.0, 1.5e-3
    for _ in range(200):
        middle = 0.5 * (low + high)
        over = 1000.0 * middle + V_0 * np.arcsinh(middle / I_0) > 1.5
        low, high = (low, middle) if over else (middle, high)
    assert current == pytest.approx(low, rel=1e-9, abs=0)


def test_two_terminals_against_ngspice() -> None:
    scale = 1e-4 * cells((16, 16))
    volts = np.linspace(0.2, 1.2, 16)
    crossbar = Crossbar(cells((16, 16)), WIRES)
    found = NonlinearArray(crossbar, Sinh(scale)).solve(Drive(left=volts))

    def cell(i: int, j: int) -> str:
        return f"b{i}_{j} u{i}_{j} w{i}_{j} i = {scale[i, j]:.17g}*sinh(v(u{i}_{j},w{i}_{j})/{V_0})"

    theirs = bottom(by_ngspice(crossbar, Drive(left=volts), cell=cell), 16)[0]
    assert found.i_bottom == pytest.approx(theirs, rel=1e-6, abs=0)


def test_three_terminals_32_against_ngspice() -> None:
    """A row's transistors share a gate; derivatives by row and column differ by decades."""
    n = 32
    g, rng = 0.05 * cells((n, n)), np.random.default_rng(1)
    gate, volts = rng.uniform(0.3, 0.9, n), rng.uniform(0.1, 0.8, n)
    crossbar = Crossbar(cells((n, n)), WIRES)
    found = NonlinearArray(crossbar, Triode(g, gate)).solve(Drive(left=volts))

    def cell(i: int, j: int) -> str:
        def square(node: str) -> str:
            x = f"(({gate[i]:.17g}-{V_T})/{N}-v({node}))/{2 * U_T:.17g}"
            return f"(max({x},0)+ln(1+exp(-abs({x}))))^2"

        row, column = f"u{i}_{j}", f"w{i}_{j}"
        return (
            f"b{i}_{j} {row} {column} i = {I_SPEC}*({square(column)}-{square(row)})"
            f"+{g[i, j]:.17g}*v({row},{column})"
        )

    theirs = bottom(by_ngspice(crossbar, Drive(left=volts), cell=cell), n)[0]
    assert found.i_bottom == pytest.approx(theirs, rel=1e-6, abs=0)
    assert found.i_left.sum() == pytest.approx(found.i_bottom.sum(), rel=1e-12, abs=0)


def test_three_terminals_by_powells_method() -> None:
    """A 2 x 2 array solved by another root finder, from Kirchhoff's law written out."""
    from scipy.optimize import root

    gate, volts, g = np.array([0.8, 0.6]), np.array([0.5, 0.9]), np.full((2, 2), 1e-6)
    law, wire = Triode(g, gate), 1 / 200.0

    def off(x: np.ndarray) -> np.ndarray:
        u, w = x[:4].reshape(2, 2), x[4:].reshape(2, 2)
        i = law(u, w)[0]
        between, below = wire * (u[:, 0] - u[:, 1]), wire * (w[0] - w[1])
        rows = np.stack([wire * (volts - u[:, 0]) - between, between], axis=1) - i
        columns = np.stack([-below, below - wire * w[1]]) + i
        return 1e4 * np.concatenate([rows.ravel(), columns.ravel()])

    answer = root(off, np.full(8, 0.3), tol=1e-14)
    crossbar = Crossbar(np.full((2, 2), 1e-5), Wires(r_row=200.0, r_column=200.0))
    found = NonlinearArray(crossbar, law).solve(Drive(left=volts))
    assert found.i_bottom == pytest.approx(wire * answer.x[6:], rel=1e-7, abs=0)


def test_selected_among_floating_lines() -> None:
    """One row and one column held, cells without ohmic path, four decades of slope in between."""
    open_ = np.full(10, np.inf)
    open_[3] = 0.0
    crossbar = Crossbar(np.full((10, 10), 1e-8), WIRES, Ends(left=open_, bottom=open_))
    found = NonlinearArray(crossbar, Sinh(np.full((10, 10), I_0))).solve(Drive(left=1.2))
    # The sneak path: 9 cells, then 81, then 9 in series, beside the selected cell.
    direct = I_0 * np.sinh(1.2 / V_0)
    assert found.i_bottom[3] > direct * 0.9
    assert found.i_left.sum() == pytest.approx(found.i_bottom[3], rel=1e-11, abs=0)
    assert found.residual <= 1e-9


def test_a_batch_is_solved_one_after_the_other() -> None:
    crossbar = Crossbar(cells((6, 5)), WIRES)
    array = NonlinearArray(crossbar, Sinh(1e-4 * cells((6, 5))))
    volts = np.random.default_rng(2).uniform(0.1, 1, (2, 3, 6))
    many = array.solve(Drive(left=volts))
    one = array.solve(Drive(left=volts[1, 2]), start=many[1, 2])
    fresh = array.solve(Drive(left=volts[1, 2]))
    assert many.i_bottom.shape == (2, 3, 5)
    assert one.i_bottom == pytest.approx(many.i_bottom[1, 2], rel=1e-8, abs=0)
    assert one.iterations < fresh.iterations


def test_a_falling_current_is_refused() -> None:
    crossbar = Crossbar(cells((3, 2)), WIRES)
    g = np.full((3, 2), 1e-5)
    g[1, 0] = -1e-5
    with pytest.raises(
        SimulationError, match=r"cell \(1, 0\) falls as its voltage rises \(v_row = "
    ):
        NonlinearArray(crossbar, lambda u, w: (g * (u - w), g, -g)).solve(Drive(left=1.0))


def test_a_law_of_another_shape_is_refused() -> None:
    crossbar = Crossbar(cells((3, 2)), WIRES)
    with pytest.raises(
        SimulationError, match=r"gives di/dv_row of shape \(\); it must be \(3, 2\)"
    ):
        NonlinearArray(crossbar, lambda u, w: (u - w, np.float64(1), np.float64(-1))).solve(
            Drive(left=1.0)
        )


def test_a_law_that_jumps_has_no_answer() -> None:
    """At 0.3 V the current jumps by more than the wires let pass: no voltage balances it."""
    crossbar = Crossbar(np.full((2, 2), 1e-5), Wires(r_row=1e3, r_column=1e3))

    def jump(u: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        slope = np.full(u.shape, 1e-6)
        return 1e-6 * (u - w) + np.where(u - w > 0.3, 1.0, 0.0), slope, -slope

    with pytest.raises(
        SimulationError, match=r"Newton's method stops at 0\.\d+ of the drive with a"
    ):
        NonlinearArray(crossbar, jump).solve(Drive(left=1.0))


def test_gmres_that_does_not_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    import scipy.sparse.linalg

    monkeypatch.setattr(scipy.sparse.linalg, "gmres", lambda a, b, **k: (0 * b, 40))
    crossbar = Crossbar(cells((3, 2)), WIRES)
    with pytest.raises(
        SimulationError, match=r"GMRES leaves more than 1e-05 of a Newton step's res"
    ):
        NonlinearArray(crossbar, Triode(cells((3, 2)), np.full(3, 0.6))).solve(Drive(left=0.5))


@pytest.mark.parametrize("where", ["i", "di/dv_row", "di/dv_column"])
def test_a_law_that_is_not_finite_has_no_answer(where: str) -> None:
    crossbar, g = Crossbar(cells((3, 2)), WIRES), np.full((3, 2), 1e-5)

    def law(u: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, ...]:
        values = {"i": g * (u - w), "di/dv_row": g, "di/dv_column": -g}
        return tuple(v * (np.nan if name == where else 1) for name, v in values.items())

    with pytest.raises(SimulationError, match=rf"gives {where} = nan for cell \(0, 0\) at v_row"):
        NonlinearArray(crossbar, law).solve(Drive(left=1.0))  # type: ignore[arg-type]


def test_a_law_that_is_infinite_in_one_cell() -> None:
    crossbar, g = Crossbar(cells((3, 2)), WIRES), np.full((3, 2), 1e-5)
    steep = g.copy()
    steep[2, 1] = np.inf
    with pytest.raises(SimulationError, match=r"gives di/dv_row = inf for cell \(2, 1\) at v_row"):
        NonlinearArray(crossbar, lambda u, w: (g * (u - w), steep, -steep)).solve(Drive(left=1.0))


def test_a_law_that_overflows_at_the_first_guess() -> None:
    """20 V on sinh(v / 20 mV), 1e-12 A: the drive is raised in steps, wires take most of it."""
    crossbar = Crossbar(np.array([[1e-5]]), WIRES)

    def law(u: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        slope = 1e-12 / 0.02 * np.cosh((u - w) / 0.02)
        return 1e-12 * np.sinh((u - w) / 0.02), slope, -slope

    current = float(NonlinearArray(crossbar, law).solve(Drive(left=20.0)).i_bottom[0])
    assert 4.0 * current + 0.02 * np.arcsinh(current / 1e-12) == pytest.approx(20.0, rel=1e-9)


def test_open_cells_beside_lines_at_0_volts() -> None:
    """Column 1 is reached from the driven row by nothing but IR drop: next to no current."""
    g = np.array([[1e-5, 0.0], [1e-5, 1e-5]])
    found = NonlinearArray(Crossbar(g, WIRES), Sinh(1e-4 * g)).solve(
        Drive(left=np.array([0.5, 0.0]))
    )
    theirs = bottom(
        by_ngspice(
            Crossbar(g, WIRES), Drive(left=np.array([0.5, 0.0])),
            cell=lambda i, j: f"b{i}_{j} u{i}_{j} w{i}_{j} i = {1e-4 * g[i, j]:.17g}"
            f"*sinh(v(u{i}_{j},w{i}_{j})/{V_0})",
        ),
        2,
    )[0]  # fmt: skip
    assert found.i_bottom[0] == pytest.approx(theirs[0], rel=1e-6, abs=0)
    # 1e-14 of the largest that column 1 could carry.
    assert abs(found.i_bottom[1]) < 1e-14 * 0.5 * 1e-9 / V_0 + 1e-20
    assert found.residual <= 1e-9


def test_one_row_is_read_among_open_cells() -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        g = 10 ** rng.uniform(-6, -4, (8, 8))
        g[rng.random((8, 8)) < 0.2] = 0.0
        found = NonlinearArray(Crossbar(g, WIRES), Sinh(1e-4 * g)).solve(
            Drive(left=0.5 * (np.arange(8) == 2))
        )
        # By a linear array of the same currents: cells at next to 0 V by their slopes there.
        chord, volts = 1e-4 * g / V_0, (found.row_voltage - found.column_voltage)[2]
        chord[2] *= V_0 * np.sinh(volts / V_0) / volts
        wanted = LinearArray(Crossbar(chord, WIRES)).solve(Drive(left=0.5 * (np.arange(8) == 2)))
        known = 1e-14 * 0.5 * 1e-4 * g.sum(axis=0) * np.cosh(0.5 / V_0) / V_0
        assert (np.abs(found.i_bottom - wanted.i_bottom) <= 1e-9 * wanted.i_bottom + known).all()


def test_what_is_no_input_of_a_law() -> None:
    crossbar, g = Crossbar(cells((3, 2)), WIRES), np.full((3, 2), 1e-5)
    array = NonlinearArray(crossbar, lambda u, w: (g * (u - w), g, -g))
    with pytest.raises(DataError, match=r"law: NoneType where a `CellLaw` is wanted"):
        NonlinearArray(crossbar, None)  # type: ignore[arg-type]
    with pytest.raises(SimulationError, match=r"law gives 2 values; it must give three: i, di/dv"):
        NonlinearArray(crossbar, lambda u, w: (u, g)).solve(Drive(left=1.0))  # type: ignore
    with pytest.raises(DataError, match=r"start.row_voltage has shape \(2, 3, 2\); give one solu"):
        array.solve(Drive(left=1.0), start=array.solve(Drive(left=np.ones((2, 3)))))
    empty = array.solve(Drive(left=np.ones((0, 3))))
    assert (empty.i_bottom.shape, empty.row_voltage.shape) == ((0, 2), (0, 3, 2))


def test_a_batch_of_a_law_too_large_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    crossbar, g = Crossbar(cells((3, 2)), WIRES), np.full((3, 2), 1e-5)
    array = NonlinearArray(crossbar, lambda u, w: (g * (u - w), g, -g))
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**8)
    with pytest.raises(DataError, match=r"voltages of 1000000 inputs on 3 x 2 cells would take"):
        array.solve(Drive(left=np.ones((1000000, 3))))
