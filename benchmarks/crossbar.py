"""Crossbars in figures: the solver against badcrossbar, sparse LU and ngspice; circuits.

Wires of 2 ohm, devices of 10 kohm to 1 Mohm, even in the logarithm; relative error of every output
at most 1e-9. Compared ones take turns, medians are shown. One thread each: set
OPENBLAS_NUM_THREADS=1. `--quick` takes smaller arrays and fewer rounds, and says so.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import crossbar_circuits
import crossbar_engine
import numpy as np
import numpy.typing as npt
from stored import Row, Section, Table, row

from spicesnn.arrays import Crossbar, Drive, LinearArray, Transfer, Wires
from spicesnn.circuits.crossbar import crossbar_deck
from spicesnn.engine.installation import find_installation
from spicesnn.engine.options import SimulationOptions
from spicesnn.waveforms import read_raw

Array = npt.NDArray[np.float64]
R, LOW, HIGH = 2.0, 1e4, 1e6
ERROR = 1e-9


def _crossbar(n: int) -> Crossbar:
    ohm = np.exp(np.random.default_rng(n).uniform(np.log(LOW), np.log(HIGH), (n, n)))
    return Crossbar(1 / ohm, Wires(r_row=R, r_column=R))


def _volts(n: int, count: int) -> Array:
    return np.random.default_rng(n + 1).uniform(0.0, 1.0, (count, n))


def _medians(rounds: int, **compared: Callable[[], object]) -> dict[str, float]:
    """Seconds of each, taking turns, so that what else the machine does meets all alike."""
    for each in compared.values():
        each()
    seconds: dict[str, list[float]] = {name: [] for name in compared}
    for _ in range(rounds):
        for name, each in compared.items():
            began = time.perf_counter()
            each()
            seconds[name].append(time.perf_counter() - began)
    return {name: float(np.median(times)) for name, times in seconds.items()}


def _off(found: Array, wanted: Array) -> float:
    """Largest relative difference of all outputs."""
    return float(np.abs(found / wanted - 1).max())


def exact(crossbar: Crossbar, volts: Array) -> tuple[Array, float]:
    """Outputs refined by Kirchhoff's law in 80-bit numbers, and the residual that is left.

    Returns:
        Amperes out of the columns, and the residual's sum over the smallest of them.
    """
    array, g = LinearArray(crossbar), crossbar.conductance.astype(np.longdouble)
    wire = 1 / np.longdouble(R)
    first = array.solve(Drive(left=volts))
    u, w = first.row_voltage.astype(np.longdouble), first.column_voltage.astype(np.longdouble)
    for _ in range(3):
        cell = g * (u - w)
        along = wire * np.diff(np.hstack([volts[:, None].astype(np.longdouble), u]), axis=1)
        down = wire * np.diff(np.vstack([w, np.zeros((1, w.shape[1]), np.longdouble)]), axis=0)
        rows = -along - cell
        rows[:, :-1] += along[:, 1:]
        columns = down + cell
        columns[1:] -= down[:-1]
        left = float(np.abs(rows).sum() + np.abs(columns).sum())
        more = array.solve(Drive(), row_injected=rows.astype(np.float64),
                           column_injected=columns.astype(np.float64))  # fmt: skip
        u, w = u + more.row_voltage, w + more.column_voltage
    out = (wire * w[-1]).astype(np.float64)
    return out, left / float(out.min())


def by_solver(n: int, volts: Array) -> Callable[[], Array]:
    crossbar = _crossbar(n)

    def run() -> Array:
        # The description is checked anew each time, and the lines are factored.
        given = Crossbar(crossbar.conductance, crossbar.wires)
        return LinearArray(given).solve(Drive(left=volts)).i_bottom

    return run


def by_badcrossbar(n: int, volts: Array) -> Callable[[], Array]:
    import badcrossbar

    logging.getLogger("badcrossbar").setLevel(logging.ERROR)
    logging.disable(logging.INFO)
    ohm, columns = 1 / _crossbar(n).conductance, np.atleast_2d(volts).T

    def run() -> Array:
        found = badcrossbar.compute(columns, ohm, R, all_currents=False, node_voltages=False)
        return np.asarray(found.currents.output, dtype=np.float64)

    return run


def by_sparse_lu(n: int, volts: Array, ordering: str) -> Callable[[], Array]:
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import splu

    g = _crossbar(n).conductance
    at = np.arange(n * n).reshape(n, n)
    wire = 1 / R

    def run() -> Array:
        row_own = np.full((n, n), 2 * wire)
        row_own[:, -1] = wire
        column_own = np.full((n, n), 2 * wire)
        column_own[0] = wire
        pairs = [(at[:, 1:], at[:, :-1]), (at[1:] + n * n, at[:-1] + n * n)]
        i = [at.ravel(), (at + n * n).ravel(), at.ravel(), (at + n * n).ravel()]
        j = [at.ravel(), (at + n * n).ravel(), (at + n * n).ravel(), at.ravel()]
        x = [(row_own + g).ravel(), (column_own + g).ravel(), -g.ravel(), -g.ravel()]
        for a, b in pairs:
            i += [a.ravel(), b.ravel()]
            j += [b.ravel(), a.ravel()]
            x += [np.full(2 * a.size, -wire)]
        matrix = coo_array((np.concatenate(x), (np.concatenate(i), np.concatenate(j)))).tocsc()
        right = np.zeros(2 * n * n)
        right[at[:, 0]] = wire * volts
        # Symmetric and diagonally dominant: no pivots are needed, which keeps the ordering.
        factor = splu(matrix, permc_spec=ordering, diag_pivot_thresh=0.0,
                      options={"SymmetricMode": True})  # fmt: skip
        return np.asarray(factor.solve(right)[-n:] * wire)

    return run


def by_ngspice(n: int, volts: Array) -> Callable[[], Array]:
    """The whole process `ngspice -b`, KLU, one thread; the deck is written beforehand."""
    ngspice = find_installation()
    deck = crossbar_deck(_crossbar(n), drive=Drive(left=volts))
    text = deck.text(SimulationOptions().line(True))
    # Knobs carry six figures in the text; here the volts carry all.
    for k, value in enumerate(volts):
        lines = text.split("\n")
        where = next(i for i, line in enumerate(lines) if line.lower().startswith(f"vleft{k} "))
        lines[where] = f"vleft{k} left{k} 0 dc {value:.17g}"
        text = "\n".join(lines)

    def run() -> Array:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "deck.cir").write_text(text, encoding="utf-8")
            subprocess.run(
                [str(ngspice.program), "-n", "-b", "-r", "out.raw", "deck.cir"], cwd=folder,
                env={**os.environ, "HOME": folder, **ngspice.environment()},
                check=False, capture_output=True, timeout=300,
            )  # fmt: skip
            raw = read_raw(Path(folder) / "out.raw")
        return np.array([raw[f"i(vbottom{k})"][0] for k in range(n)])

    return run


def one_input(quick: bool) -> list[Row]:
    """128 x 128, one input, everything from the conductances on, against three peers."""
    n, rounds = (64, 5) if quick else (128, 11)
    volts = _volts(n, 1)[0]
    wanted, _ = exact(_crossbar(n), volts)
    ours = by_solver(n, volts)
    peers = {
        "badcrossbar": by_badcrossbar(n, volts),
        "sparse LU, COLAMD": by_sparse_lu(n, volts, "COLAMD"),
        "sparse LU, minimum degree": by_sparse_lu(n, volts, "MMD_AT_PLUS_A"),
        "ngspice with KLU, whole process": by_ngspice(n, volts),
    }
    seconds = _medians(rounds, ours=ours, **peers)
    what = f"{n} x {n}"
    error = _off(ours(), wanted)
    rows = [
        row(f"{what}, solver", 1e3 * seconds["ours"], "ms"),
        row(f"{what}, solver, largest relative error of an output", error, "1", "<= 1e-9",
            error <= ERROR),
    ]  # fmt: skip
    goals = {"badcrossbar": 20.0, "ngspice with KLU, whole process": 80.0}
    for name, peer in peers.items():
        ratio, goal = seconds[name] / seconds["ours"], goals.get(name)
        rows += [
            row(f"{what}, {name}", 1e3 * seconds[name], "ms"),
            row(f"{what}, {name} over solver", ratio, "1", f">= {goal:g}" if goal else "",
                None if goal is None or quick else ratio >= goal),
            row(f"{what}, {name}, largest relative error of an output",
                _off(peer().reshape(-1), wanted)),
        ]  # fmt: skip
    return rows


def many_inputs(quick: bool) -> list[Row]:
    """128 x 128: 100 inputs, and 10,000 at the same conductances, against badcrossbar."""
    n, few, some, many, rounds = (64, 20, 100, 1000, 2) if quick else (128, 100, 1000, 10_000, 5)
    volts = _volts(n, many)
    crossbar = _crossbar(n)

    def by_transfer(count: int) -> Array:
        return Transfer.of(LinearArray(crossbar)).outputs(volts[:count])

    peer, peer_some = by_badcrossbar(n, volts[:few]), by_badcrossbar(n, volts[:some])
    seconds = _medians(
        rounds,
        voltages=lambda: LinearArray(crossbar).solve(Drive(left=volts[:few])),
        few=lambda: by_transfer(few), many=lambda: by_transfer(many), peer=peer, some=peer_some,
    )  # fmt: skip
    wanted = exact(crossbar, volts[0])[0]
    own, theirs = seconds["many"] / many, seconds["some"] / some
    error = _off(by_transfer(few)[0], wanted)
    apart = _off(by_transfer(few), peer())
    rows = [
        row(f"{few} inputs, badcrossbar", seconds["peer"], "s"),
        row(f"{few} inputs, transfer matrix, its making included", seconds["few"], "s"),
        row(f"{few} inputs, badcrossbar over it", seconds["peer"] / seconds["few"], "1", ">= 5",
            None if quick else seconds["peer"] / seconds["few"] >= 5),
        row(f"{few} inputs, solver with all node voltages", seconds["voltages"], "s"),
        row(f"{few} inputs, badcrossbar over that", seconds["peer"] / seconds["voltages"]),
        row(f"{many} inputs, transfer matrix, a single one, making shared", 1e6 * own, "us"),
        row(f"{some} inputs, badcrossbar, a single one", 1e6 * theirs, "us"),
        row("badcrossbar over it", theirs / own, "1", ">= 100",
            None if quick else theirs / own >= 100),
        row("largest relative error of an output", error, "1", "<= 1e-9", error <= ERROR),
        row("badcrossbar, largest relative difference from it", apart),
    ]  # fmt: skip
    return rows + _updates(crossbar, rounds)


def _updates(crossbar: Crossbar, rounds: int) -> list[Row]:
    """One and eight cells changed: the low-rank update against making the matrix anew."""
    found, rows = Transfer.of(LinearArray(crossbar)), []
    rng = np.random.default_rng(0)
    for count in (1, 8):
        cells = rng.permutation(crossbar.rows * crossbar.columns)[:count]
        where = np.stack(np.divmod(cells, crossbar.columns), axis=1)
        value = rng.uniform(1 / HIGH, 1 / LOW, count)
        changed = crossbar.conductance.copy()
        changed[where[:, 0], where[:, 1]] = value
        other = crossbar.with_conductance(changed)
        seconds = _medians(
            rounds,
            update=lambda where=where, value=value: found.updated(where, value),  # type: ignore[misc]
            anew=lambda other=other: Transfer.of(LinearArray(other)),  # type: ignore[misc]
        )
        anew = Transfer.of(LinearArray(other)).matrix
        rows += [
            row(f"{count} cells changed, updated and checked", 1e3 * seconds["update"], "ms"),
            row(f"{count} cells changed, made anew over it", seconds["anew"] / seconds["update"]),
            row(f"{count} cells changed, largest relative difference of an entry",
                _off(found.updated(where, value).matrix, anew)),
        ]  # fmt: skip
    return rows


def large(quick: bool) -> list[Row]:
    """512 x 512 against sparse LU; 1024 x 1024 in a process of its own."""
    n, rounds = (256, 2) if quick else (512, 3)
    volts = _volts(n, 1)[0]
    ours, peer = by_solver(n, volts), by_sparse_lu(n, volts, "MMD_AT_PLUS_A")
    seconds = _medians(rounds, ours=ours, peer=peer)
    wanted, left = exact(_crossbar(n), volts)
    ratio, error = seconds["peer"] / seconds["ours"], _off(ours(), wanted)
    rows = [
        row(f"{n} x {n}, solver", seconds["ours"], "s"),
        row(f"{n} x {n}, sparse LU, minimum degree", seconds["peer"], "s"),
        row(f"{n} x {n}, sparse LU over solver", ratio, "1", ">= 15",
            None if quick else ratio >= 15),
        row(f"{n} x {n}, solver, largest relative error of an output", error, "1", "<= 1e-9",
            error <= ERROR),
        row(f"{n} x {n}, sparse LU, largest relative error of an output", _off(peer(), wanted)),
        row("residual of what both are compared with, 80 bits", left),
    ]  # fmt: skip
    n = 512 if quick else 1024
    alone = [_alone(n) for _ in range(3)]
    taken = float(np.median([each["seconds"] for each in alone]))
    peak = max(each["peak"] for each in alone) / 1e9
    rows += [
        row(f"{n} x {n}, solver, process of its own", taken, "s", "about 3",
            None if quick else taken <= 3.3),
        row(f"{n} x {n}, its peak resident memory, Python included", peak, "GB", "<= 1",
            None if quick else peak <= 1),
        row(f"{n} x {n}, its memory before the solve", alone[0]["before"] / 1e9, "GB"),
    ]  # fmt: skip
    if not quick:
        volts = _volts(n, 1)[0]
        wanted, left = exact(_crossbar(n), volts)
        error = _off(by_solver(n, volts)(), wanted)
        rows += [
            row(f"{n} x {n}, largest relative error of an output", error, "1", "<= 1e-9",
                error <= ERROR),
            row(f"{n} x {n}, residual of what it is compared with, 80 bits", left),
        ]  # fmt: skip
    return rows


def _alone(n: int) -> dict[str, float]:
    """Seconds and bytes of one solve in a fresh process."""
    text = (
        "import json, sys, time\n"
        "from pathlib import Path\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from crossbar import _crossbar, _volts\n"
        "from spicesnn.arrays import Crossbar, Drive, LinearArray\n"
        f"crossbar, volts = _crossbar({n}), _volts({n}, 1)[0]\n"
        "status = lambda: Path('/proc/self/status').read_text()\n"
        "peak = lambda: 1024 * int(status().split('VmHWM:')[1].split()[0])\n"
        "before, began = peak(), time.perf_counter()\n"
        "given = Crossbar(crossbar.conductance, crossbar.wires)\n"
        "LinearArray(given).solve(Drive(left=volts))\n"
        "print(json.dumps({'seconds': time.perf_counter() - began, 'peak': peak(),"
        " 'before': before}))\n"
    )
    done = subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def growth(quick: bool) -> list[Row]:
    """Time over the array's size, and over what moving its bytes once would take."""
    sizes = (32, 64, 128, 256) if quick else (32, 64, 128, 256, 512, 1024)
    block = np.zeros(2**24)
    other = np.empty_like(block)
    copy = _medians(5, copy=lambda: np.copyto(other, block))["copy"]
    speed = 2 * block.nbytes / copy
    rows = [row("copy bandwidth of this machine, read and written", speed / 1e9, "GB/s")]
    taken, last = {}, 0
    for n in sizes:
        volts, crossbar = _volts(n, 1)[0], _crossbar(n)
        taken[n] = _medians(3 if n > 300 else 9, one=by_solver(n, volts))["one"]
        floor = crossbar.floor_bytes / speed
        rows += [
            row(f"{n} x {n}, solver", 1e3 * taken[n], "ms"),
            row(f"{n} x {n}, iterations",
                LinearArray(crossbar).solve(Drive(left=volts)).iterations),
            row(f"{n} x {n}, over its floor: 24 bytes a cell at copy bandwidth", taken[n] / floor),
        ]  # fmt: skip
        if last:
            slope = np.log(taken[n] / taken[last]) / np.log((n / last) ** 2)
            rows.append(row(f"{last} to {n}, grows with cells to the power", float(slope)))
        last = n
    return rows


def gradients(quick: bool) -> list[Row]:
    """The adjoint's gradient against finite differences, and its cost in solves."""
    n = 64 if quick else 128
    crossbar, volts = _crossbar(n), _volts(n, 1)[0]
    array = LinearArray(crossbar)
    weight = np.random.default_rng(3).uniform(0.5, 1.5, n)

    def loss(given: Crossbar, inputs: Array) -> float:
        out = LinearArray(given).solve(Drive(left=inputs)).i_bottom
        return float(1e6 * weight @ out**2)

    def gradient() -> Any:
        solution = array.solve(Drive(left=volts))
        return array.adjoint(solution, i_bottom=2e6 * weight * solution.i_bottom)

    found, worst = gradient(), {"conductances": 0.0, "inputs": 0.0}
    rng = np.random.default_rng(4)
    for _ in range(10):
        i, j = rng.integers(0, n, 2)
        step = np.zeros((n, n))
        step[i, j] = 0.05 * crossbar.conductance[i, j]
        values = [loss(crossbar.with_conductance(crossbar.conductance + k * step), volts)
                  for k in (-1, 1, -2, 2)]  # fmt: skip
        # Fourth order, so that the step can be large beside the loss's rounding.
        slope = (8 * (values[1] - values[0]) - (values[3] - values[2])) / (12 * step[i, j])
        worst["conductances"] = max(worst["conductances"], abs(slope / found.conductance[i, j] - 1))
        push = np.zeros(n)
        push[i] = 0.1
        slope = (loss(crossbar, volts + push) - loss(crossbar, volts - push)) / 0.2
        worst["inputs"] = max(worst["inputs"], abs(slope / found.left[i] - 1))
    rows = [
        row(f"{n} x {n}, by {name}, largest relative difference of ten", value, "1", "<= 1e-5",
            value <= 1e-5) for name, value in worst.items()
    ]  # fmt: skip
    seconds = _medians(
        3 if quick else 11, solve=lambda: array.solve(Drive(left=volts)), both=gradient
    )
    cost = seconds["both"] / seconds["solve"]
    return [
        *rows,
        row(f"{n} x {n}, value and gradient, in solves", cost, "1", "<= 3", cost <= 3),
    ]


def identities() -> dict[str, str]:
    """Of what the sections solve and simulate: sizes are in their rows' names."""
    # Nine figures: the last bits of an exponential differ from processor to processor.
    devices = " ".join(f"{each:.9g}" for each in _crossbar(8).conductance.ravel())
    text = f"{R} {LOW} {HIGH} {devices}"
    solved = hashlib.sha256(text.encode()).hexdigest()[:16]
    circuits = dict.fromkeys(("against_ngspice", "side_by_side"), crossbar_circuits.identity())
    return dict.fromkeys(SECTIONS, solved) | circuits | crossbar_engine.identities()


SECTIONS: dict[str, Section] = {
    "one_input": one_input,
    "many_inputs": many_inputs,
    "large": large,
    "growth": growth,
    "gradients": gradients,
    "against_ngspice": crossbar_circuits.against_ngspice,
    "side_by_side": crossbar_circuits.side_by_side,
    "device_arrays": crossbar_engine.device_arrays,
    "wired_layer": crossbar_engine.wired_layer,
}
TABLE = Table(
    "crossbar.json",
    "crossbar-figures.md",
    "Crossbars in figures",
    "Written by `OPENBLAS_NUM_THREADS=1 python benchmarks/crossbar.py` (`--only` for one section,\n"
    "`--quick` for a short run that is not kept). The solver's sections have wires of 2 ohm and\n"
    "devices of 10 kohm to 1 Mohm; compared ones took turns, times are medians, and the outputs'\n"
    "errors are those against a solution refined in 80-bit numbers. Ours and badcrossbar's are\n"
    "calls from Python, warm; ngspice's is a process with its reading of the deck.",
    SECTIONS,
    identities,
)

if __name__ == "__main__":
    TABLE.main(__doc__)
