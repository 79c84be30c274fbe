"""A signed vector-matrix product on a crossbar: what its wires take from it.

    python examples/04_crossbar.py

The same description goes to the array solver and to ngspice. Weights are pairs of columns; the
error is that of the product against the one without wires.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from spicesnn.arrays.crossbar import Crossbar, Wires
from spicesnn.circuits.crossbar import (
    DifferentialPairs,
    access_deck,
    ir_drop,
    read_all,
    read_out,
    solve_access,
)
from spicesnn.circuits.crossbar.deck import RESISTOR_CELL
from spicesnn.engine.session import Session
from spicesnn.report.crossbar import draw_map, ir_drop_map

ROWS, OUTPUTS = 32, 16
SEGMENTS = (0.1, 0.3, 1.0, 3.0, 10.0)  # ohm


def main(
    picture: Path = Path("crossbar.png"), segments: Sequence[float] = SEGMENTS
) -> dict[str, list[float]]:
    """Solve, draw, and return the error of the product by wire and by solver."""
    rng = np.random.default_rng(0)
    weights, volts = rng.uniform(-1, 1, (ROWS, OUTPUTS)), rng.uniform(0, 0.2, ROWS)
    pairs = DifferentialPairs(g_min=1e-6, g_max=1e-4)
    product = volts @ weights
    errors: dict[str, list[float]] = {"array solver": [], "ngspice": []}
    for ohm in segments:
        crossbar = Crossbar(pairs.conductance(weights), Wires(r_row=ohm, r_column=ohm))
        access = read_all(crossbar, volts)
        solution = solve_access(access)
        with Session(access_deck(access)) as session:
            read = read_out(session.run().waveforms, crossbar, RESISTOR_CELL)
        for name, currents in (("array solver", solution.i_bottom), ("ngspice", read.i_bottom[0])):
            found = pairs.outputs(currents) / pairs.siemens_per_weight
            errors[name].append(float(np.sqrt(np.mean((found - product) ** 2)) / product.std()))
    figure = Figure(figsize=(8, 3.8), layout="constrained")
    error, drop = figure.subplots(1, 2)
    for (name, each), style in zip(errors.items(), ("-", "x"), strict=True):
        error.loglog(segments, np.multiply(100, each), style, label=name)
    error.set(title="error of the product", xlabel="resistance of a segment (Ω)",
              ylabel="r.m.s. error (% of spread)")  # fmt: skip
    error.legend(frameon=False)
    lost = ir_drop(access, solution.row_voltage, solution.column_voltage)
    draw_map(drop, ir_drop_map(lost, f"IR drop, {segments[-1]:g} Ω a segment"))
    figure.supxlabel(
        f"{ROWS} x {2 * OUTPUTS} resistors of 10 kΩ to 1 MΩ, {OUTPUTS} pairs of columns: rows "
        "driven at the left with 0 to 0.2 V each,\ncolumns held at 0 V at the bottom, where the "
        "output currents are taken.", fontsize=8,
    )  # fmt: skip
    figure.savefig(picture, dpi=150)
    for ohm, solver, spice in zip(segments, *errors.values(), strict=True):
        print(f"{ohm:g} ohm: error {solver:.4%} by the array solver, {spice:.4%} by ngspice")
    return errors


if __name__ == "__main__":
    main()
