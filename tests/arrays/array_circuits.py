"""Crossbars by others: nodal analysis written out node by node, and ngspice."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import mpmath
import numpy as np
from mpmath import mpf

from spicesnn.arrays import Crossbar, Drive
from spicesnn.engine.installation import find_installation
from spicesnn.waveforms import Waveforms, read_raw

mpmath.mp.dps = 40
SIDES = ("left", "right", "top", "bottom")


def branches(crossbar: Crossbar) -> list[tuple[str, str, float]]:
    """Every resistor as (node, node, ohm); cells of 0 S are left out."""
    m, n = crossbar.conductance.shape
    wires, found = crossbar.wires, []
    for i in range(m):
        for j in range(n):
            if crossbar.conductance[i, j] > 0:
                found.append((f"u{i}_{j}", f"w{i}_{j}", 1 / float(crossbar.conductance[i, j])))
            if j:
                found.append((f"u{i}_{j - 1}", f"u{i}_{j}", wires.r_row))
            if i:
                found.append((f"w{i - 1}_{j}", f"w{i}_{j}", wires.r_column))
    for side, line, node in (
        *(("left", i, f"u{i}_0") for i in range(m)),
        *(("right", i, f"u{i}_{n - 1}") for i in range(m)),
        *(("top", j, f"w0_{j}") for j in range(n)),
        *(("bottom", j, f"w{m - 1}_{j}") for j in range(n)),
    ):
        behind = float(np.broadcast_to(getattr(crossbar.ends, side), (max(m, n),))[line]
                       if np.ndim(getattr(crossbar.ends, side)) == 0
                       else getattr(crossbar.ends, side)[line])  # fmt: skip
        segment = wires.r_row if side in ("left", "right") else wires.r_column
        if np.isfinite(behind):
            found.append((f"{side}{line}", node, behind + segment))
    return found


def dense(crossbar: Crossbar, drive: Drive) -> dict[str, np.ndarray]:
    """Currents of the ends and voltages `u`, `w` by nodal analysis in 40 decimal digits."""
    resistors = branches(crossbar)
    volts = crossbar.volts(drive)
    held = {f"{s}{k}": float(v) for s in SIDES for k, v in enumerate(volts[s])}
    nodes = sorted({x for a, b, _ in resistors for x in (a, b)} - set(held))
    at = {name: k for k, name in enumerate(nodes)}
    matrix = np.full((len(nodes), len(nodes)), mpf(0), dtype=object)
    right = np.full(len(nodes), mpf(0), dtype=object)
    for a, b, ohm in resistors:
        g = 1 / mpf(ohm)
        for one, other in ((a, b), (b, a)):
            if one in at:
                matrix[at[one], at[one]] += g
                if other in at:
                    matrix[at[one], at[other]] -= g
                else:
                    right[at[one]] += g * mpf(held[other])
    x = _eliminated(matrix, right)
    found = {s: np.zeros(v.shape) for s, v in volts.items()}
    for a, b, ohm in resistors:
        side = a.rstrip("0123456789")
        if side in found and a in held:
            line = int(a[len(side) :])
            into = float((mpf(held[a]) - x[at[b]]) / mpf(ohm))
            found[side][line] = into if side in ("left", "right") else -into
    m, n = crossbar.conductance.shape
    for kind in "uw":
        values = [[float(x[at[f"{kind}{i}_{j}"]]) for j in range(n)] for i in range(m)]
        found[kind] = np.array(values)
    return found


def _eliminated(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Gauss's elimination without pivots, which a nodal matrix does not need."""
    for k in range(len(b) - 1):
        after = np.flatnonzero(a[k, k + 1 :]) + k + 1
        for row in np.flatnonzero(a[k + 1 :, k]) + k + 1:
            factor = a[row, k] / a[k, k]
            a[row, after] -= factor * a[k, after]
            b[row] -= factor * b[k]
    x = np.full(len(b), mpf(0), dtype=object)
    for k in range(len(b) - 1, -1, -1):
        x[k] = (b[k] - a[k, k + 1 :] @ x[k + 1 :]) / a[k, k]
    return x


def by_ngspice(
    crossbar: Crossbar,
    drive: Drive,
    *,
    analysis: str = ".op",
    cell: Callable[[int, int], str] | None = None,
    sources: dict[str, str] | None = None,
    extra: str = "",
) -> Waveforms:
    """Currents `i(vleft0)` ... of a deck written here; positive into ngspice's source.

    Args:
        crossbar: resistors, and capacitors where its wires have some.
        drive: constant volts.
        analysis: its line.
        cell: the line of a cell instead of a resistor.
        sources: text of a source by name instead of its constant.
        extra: more lines.
    """
    lines = ["crossbar", ".options klu reltol=1e-9 abstol=1e-18 vntol=1e-12 gmin=1e-20", extra]
    for k, (a, b, ohm) in enumerate(branches(crossbar)):
        if cell is None or not (a[0] == "u" and b[0] == "w"):
            lines.append(f"r{k} {a} {b} {ohm:.17g}")
    m, n = crossbar.conductance.shape
    wires = crossbar.wires
    for i in range(m):
        for j in range(n):
            if cell is not None:
                lines.append(cell(i, j))
            if wires.c_row:
                lines.append(f"cu{i}_{j} u{i}_{j} 0 {wires.c_row:.17g}")
            if wires.c_column:
                lines.append(f"cw{i}_{j} w{i}_{j} 0 {wires.c_column:.17g}")
    saved = []
    for side, values in crossbar.volts(drive).items():
        for k in np.flatnonzero(crossbar.connected(side)):
            name = f"v{side}{k}"
            text = (sources or {}).get(name, f"dc {values[k]:.17g}")
            lines.append(f"{name} {side}{k} 0 {text}")
            saved.append(f"i({name})")
    lines += [".save " + " ".join(saved), analysis, ".end", ""]
    ngspice = find_installation()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "deck.cir").write_text("\n".join(lines), encoding="utf-8")
        subprocess.run(
            [str(ngspice.program), "-n", "-b", "-r", "out.raw", "deck.cir"],
            cwd=folder, env={**os.environ, "HOME": folder, **ngspice.environment()},
            check=False, capture_output=True, timeout=100,
        )  # fmt: skip
        return read_raw(Path(folder) / "out.raw")


def bottom(waveforms: Waveforms, columns: int) -> np.ndarray:
    """Current out of each column's bottom end, A, (points, columns)."""
    return np.stack([waveforms[f"i(vbottom{j})"] for j in range(columns)], axis=-1)
