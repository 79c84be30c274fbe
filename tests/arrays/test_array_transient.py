"""Transients of wires: exact solutions, another integrator, ngspice."""

import numpy as np
import pytest
from array_circuits import bottom, by_ngspice
from scipy.linalg import expm

from spicesnn.arrays import Crossbar, Drive, Ends, LinearArray, Stepper, Wires, memory
from spicesnn.arrays.transient import transient
from spicesnn.errors import DataError


def test_one_node_charges_exponentially() -> None:
    """Row and column node behind equal resistors: `V (1 - exp(-t / R C))`, far from each other."""
    wires = Wires(r_row=1e3, r_column=1e3, c_row=1e-12, c_column=1e-12)
    crossbar = Crossbar(np.array([[1e-15]]), wires)
    times = np.linspace(0, 2e-9, 401)
    run = Stepper(crossbar, Drive(left=0.0))
    run.step(1e-17, Drive(left=1.0))  # At once.
    found = []
    for h in np.diff(times):
        found.append(float(run.step(float(h), Drive(left=1.0)).row_voltage[0, 0]))
    wanted = 1 - np.exp(-times[1:] / 1e-9)
    assert found == pytest.approx(wanted, rel=0, abs=5e-7)


def ramped(crossbar: Crossbar, steps: int, stop: float) -> np.ndarray:
    """Currents out of the columns at every time, rows driven by ramps of 0.2 of the time."""
    times = np.linspace(0, stop, steps + 1)
    rise = np.clip(times / (0.2 * stop), 0, 1)[:, None]
    levels = np.linspace(0.2, 1.0, crossbar.rows)
    return transient(crossbar, times, Drive(left=rise * levels)).i_bottom


def slow(shape: tuple[int, int]) -> Crossbar:
    ohm = np.exp(np.random.default_rng(0).uniform(np.log(1e4), np.log(1e6), shape))
    wires = Wires(r_row=50.0, r_column=80.0, c_row=1e-15, c_column=2e-15)
    return Crossbar(1 / ohm, wires, Ends(left=1e3, bottom=500.0))


def test_second_order() -> None:
    """Half the step, a quarter of the error."""
    crossbar = slow((6, 5))
    coarse, half, quarter = (ramped(crossbar, n, 4e-11)[:: n // 20] for n in (20, 40, 80))
    first, second = np.abs(coarse - half).max(), np.abs(half - quarter).max()
    assert 3.0 < first / second < 5.0


def test_matrix_exponential() -> None:
    """A step of one row's volts, by `expm` of the whole circuit."""
    crossbar = slow((3, 2))
    m, n = 3, 2
    g, wires = crossbar.conductance, crossbar.wires
    size = m * n
    matrix = np.zeros((2 * size, 2 * size))

    def join(a: int, b: int | None, siemens: float) -> None:
        matrix[a, a] += siemens
        if b is not None:
            matrix[b, b] += siemens
            matrix[a, b] -= siemens
            matrix[b, a] -= siemens

    for i in range(m):
        for j in range(n):
            k = i * n + j
            join(k, size + k, g[i, j])
            join(k, None if j == 0 else k - 1, 1 / (wires.r_row + (1e3 if j == 0 else 0)))
            if i:
                join(size + k, size + k - n, 1 / wires.r_column)
    for j in range(n):
        join(size + (m - 1) * n + j, None, 1 / (wires.r_column + 500.0))
    capacitance = np.repeat([wires.c_row, wires.c_column], size)
    stop, steps = 2e-11, 400
    source = np.zeros(2 * size)
    source[0] = 1.0 / (wires.r_row + 1e3)
    final = np.linalg.solve(matrix, source)
    wanted = final - expm(-matrix / capacitance[:, None] * stop) @ final
    run = Stepper(crossbar, Drive())
    drive = Drive(left=np.array([1.0, 0.0, 0.0]))
    run.step(1e-19, drive)  # At once.
    for _ in range(steps):
        run.step(stop / steps, drive)
    found = np.concatenate([run.solution.row_voltage.ravel(), run.solution.column_voltage.ravel()])
    assert found == pytest.approx(wanted, rel=0, abs=5e-6)


def test_ngspice_16() -> None:
    crossbar, stop, steps = slow((16, 16)), 2e-10, 200
    ours = ramped(crossbar, steps, stop)
    levels = np.linspace(0.2, 1.0, 16)
    sources = {
        f"vleft{i}": f"pwl(0 0 {0.2 * stop:.17g} {level:.17g} 1 {level:.17g})"
        for i, level in enumerate(levels)
    }
    waves = by_ngspice(
        crossbar, Drive(), sources=sources,
        analysis=f".tran {stop / 500:.3g} {stop:.3g} 0 {stop / 2000:.3g}",
    )  # fmt: skip
    times = np.linspace(0, stop, steps + 1)
    theirs = bottom(waves, 16)
    for j in range(16):
        wanted = np.interp(times, waves.time, theirs[:, j])
        assert ours[:, j] == pytest.approx(wanted, rel=0, abs=1e-3 * np.ptp(wanted))


def test_without_capacitance_every_point_is_a_steady_state() -> None:
    crossbar = Crossbar(slow((4, 5)).conductance, Wires(r_row=2.0, r_column=2.0))
    volts = np.random.default_rng(3).uniform(0.1, 1, (4, 4))
    found = transient(crossbar, [0.0, 1.0, 2.0, 5.0], Drive(left=volts), voltages=True)
    wanted = LinearArray(crossbar).solve(Drive(left=volts))
    assert found.i_bottom == pytest.approx(wanted.i_bottom, rel=1e-9, abs=0)
    assert found.row_voltage == pytest.approx(wanted.row_voltage, rel=1e-9, abs=0)


def test_cells_with_a_state_of_their_own() -> None:
    """Conductances doubled on the way: the end is the steady state of the new ones."""
    crossbar = slow((4, 5))
    times = np.linspace(0, 5e-8, 101)
    seen = []

    def cells(time: float, solution: object) -> np.ndarray:
        seen.append(time)
        return crossbar.conductance * (1 if time < 1e-8 else 2)

    found = transient(crossbar, times, Drive(left=0.5), cells=cells)
    doubled = LinearArray(crossbar.with_conductance(2 * crossbar.conductance))
    wanted = doubled.solve(Drive(left=0.5)).i_bottom
    assert found.i_bottom[-1] == pytest.approx(wanted, rel=1e-8, abs=0)
    assert seen == pytest.approx(times[:-1], rel=1e-12, abs=0)


def test_what_is_refused() -> None:
    crossbar = slow((4, 5))
    with pytest.raises(DataError, match=r"times must be two or more finite seconds that rise"):
        transient(crossbar, [0.0, 1e-9, 1e-9], Drive())
    with pytest.raises(
        DataError, match=r"drive at left has shape \(2, 4\); give \(3, 4\), one row"
    ):
        transient(crossbar, [0.0, 1e-9, 2e-9], Drive(left=np.zeros((2, 4))))
    with pytest.raises(DataError, match=r"a step of -1.0 s; give one above 0"):
        Stepper(crossbar, Drive()).step(-1.0, Drive())


def test_more_voltages_than_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**8)
    with pytest.raises(DataError, match=r"all voltages at 1000000 times would take 3.2e\+08 bytes"):
        transient(slow((4, 5)), np.arange(1e6), Drive(), voltages=True)


def whole(crossbar: Crossbar, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matrix and currents of Kirchhoff's law at all nodes; 1e3 ohm at the left, 5e3 at bottom 0."""
    (m, n), wires = crossbar.conductance.shape, crossbar.wires
    matrix, source = np.zeros((2 * m * n, 2 * m * n)), np.zeros(2 * m * n)

    def join(a: int, b: int | None, siemens: float) -> None:
        matrix[a, a] += siemens
        if b is not None:
            matrix[b, b] += siemens
            matrix[[a, b], [b, a]] -= siemens

    for i in range(m):
        for j in range(n):
            k = i * n + j
            join(k, m * n + k, crossbar.conductance[i, j])
            if j:
                join(k, k - 1, 1 / wires.r_row)
            if i:
                join(m * n + k, m * n + k - n, 1 / wires.r_column)
        join(i * n, None, 1 / (1e3 + wires.r_row))
        source[i * n] = left[i] / (1e3 + wires.r_row)
    join(m * n + (m - 1) * n, None, 1 / (5e3 + wires.r_column))
    return matrix, source


@pytest.mark.parametrize(("c_row", "c_column"), [(1e-15, 2e-15), (0.0, 2e-15), (1e-15, 0.0)])
def test_conductances_that_jump(c_row: float, c_column: float) -> None:
    """By `expm` of the whole circuit, nodes without capacitance eliminated; second order."""
    rng, left = np.random.default_rng(0), np.array([1.0, 0.5, 0.2])
    before = 10 ** rng.uniform(-4, -3, (3, 2))
    after = before * rng.uniform(3, 10, (3, 2))
    crossbar = Crossbar(
        before, Wires(r_row=50.0, r_column=80.0, c_row=c_row, c_column=c_column),
        Ends(left=1e3, bottom=np.array([5e3, np.inf])),
    )  # fmt: skip
    start = np.linalg.solve(*whole(crossbar, left))
    matrix, source = whole(crossbar.with_conductance(after), left)
    final = np.linalg.solve(matrix, source)
    capacitance = np.repeat([c_row, c_column], 6)
    held, free = np.flatnonzero(capacitance), np.flatnonzero(capacitance == 0)
    reduced = matrix[np.ix_(held, held)] - matrix[np.ix_(held, free)] @ np.linalg.solve(
        matrix[np.ix_(free, free)], matrix[np.ix_(free, held)]
    )
    stop, off = 2e-12, []
    for steps in (80, 160, 320):
        times = np.linspace(0, stop, steps + 1)
        found = transient(
            crossbar, times, Drive(left=np.tile(left, (steps + 1, 1))),
            cells=lambda t, s: after, voltages=True,
        )  # fmt: skip
        nodes = np.concatenate([found.row_voltage.reshape(steps + 1, -1),
                                found.column_voltage.reshape(steps + 1, -1)], axis=1)  # fmt: skip
        every = steps // 40
        wanted = [
            final[held] + expm(-reduced / capacitance[held, None] * t) @ (start - final)[held]
            for t in times[every::every]
        ]
        off.append(float(np.abs(nodes[every::every][:, held] - wanted).max()))
    assert off[0] < 2e-3 * np.abs(start - final).max()
    assert off[0] / off[1] > 3.3
    assert off[1] / off[2] > 3.3


def test_steps_that_do_not_fit() -> None:
    crossbar = slow((4, 5))
    run = Stepper(crossbar, Drive())
    with pytest.raises(DataError, match=r"a step of 'x' s; give one above 0"):
        run.step("x", Drive())  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"drive has batch axes \(2,\); it was begun with \(\)"):
        run.step(1e-9, Drive(left=np.ones((2, 4))))
    with pytest.raises(DataError, match=r"conductance has shape \(2, 2\); the stepper was begun"):
        run.step(1e-9, Drive(), np.ones((2, 2)))
    with pytest.raises(DataError, match=r"times: str where real numbers are wanted"):
        transient(crossbar, ["a", "b"], Drive())
