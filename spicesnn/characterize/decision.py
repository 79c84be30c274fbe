"""The smallest difference that a mismatched cell decides rightly, against its area."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySpice.Spice.Netlist import Circuit
from scipy import stats

from spicesnn.characterize.bench import Bench
from spicesnn.characterize.montecarlo import run_monte_carlo, sigma_interval
from spicesnn.circuits.cells.cell import Cell
from spicesnn.circuits.transistors import transistors
from spicesnn.engine.pool import Pool
from spicesnn.errors import ParameterError
from spicesnn.processes import Process

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Decision:
    """What a cell of one size decides.

    Attributes:
        factor: of widths and lengths.
        area: gates of the bench's first cell, square metres.
        offsets: decision point of each draw, in the property's unit, shape (draws,); NaN where the
            bench found none.
        smallest: difference at which the asked part of the draws decides rightly, same unit;
            infinite where too many draws show no decision point.
        normal: the same of a normal distribution about zero with the offsets' spread.
        low, high: 99 % confidence interval of `normal`.
        pelgrom: `normal` of the first size, times the square root of its area over this.
    """

    factor: float
    area: float
    offsets: Array
    smallest: float
    normal: float
    low: float
    high: float
    pelgrom: float


def smallest_difference(
    bench: Bench,
    offset: str,
    process: Process,
    pool: Pool,
    *,
    factors: Sequence[float] = (1.0, 2.0, 4.0),
    count: int = 100,
    part: float = 0.99,
    seed: int = 0,
    done: Callable[[], None] | None = None,
) -> tuple[Decision, ...]:
    """Draw mismatch at several areas and find the difference that is decided rightly.

    A draw decides a difference rightly, whichever input is the larger, if its offset is no larger
    than the difference. Each size has draws of its own, so that the sizes are independent.

    Args:
        bench: it measures the decision point of two inputs.
        offset: name of that property.
        process: with its corner.
        pool: where the runs are made.
        factors: of all widths and lengths but the switches', by `bench.scaled`.
        count: draws of each size; with 100, `part` = 0.99 is the 99th of them.
        part: of the draws that must be right, between 0 and 1.
        seed: of the first size; the next has the next.
        done: called after each finished simulation.

    Returns:
        One for each factor, in their order.

    Raises:
        ParameterError: there is no such property, no factor, or `part` or `count` are out of
            bounds; or a scaled transistor is too small for the process.
        SimulationError: the bench without any shift cannot be simulated.
    """
    if offset not in bench.properties:
        raise ParameterError(
            f"the bench {bench.name} measures no {offset!r}; it measures "
            f"{', '.join(bench.properties)}."
        )
    if not (factors and 0 < part < 1 and count >= 2):
        raise ParameterError(
            f"a study of decisions needs one factor at least, 0 < part < 1 and two draws, not "
            f"{len(factors)} factors, part {part:g} and {count} draws."
        )
    found: list[Decision] = []
    # Two-sided: the part of a normal distribution within plus and minus this many sigma.
    sigmas = float(stats.norm.ppf((1 + part) / 2))
    for k, factor in enumerate(factors):
        sized = bench.scaled(factor)
        study = run_monte_carlo(sized, process, pool, count=count, seed=seed + k, done=done)
        offsets = study.properties[offset].values
        area = gate_area(sized.cells()[0], process)
        size = np.where(np.isfinite(offsets), np.abs(offsets), np.inf)
        shown = offsets[np.isfinite(offsets)]
        spread = float(np.sqrt((shown**2).mean())) if shown.size else float("nan")
        low, high = sigma_interval(spread, shown.size + 1) if shown.size else (spread, spread)
        normal = sigmas * spread
        first = found[0] if found else None
        found.append(
            Decision(
                factor, area, offsets,
                float(np.quantile(size, part, method="inverted_cdf")),
                normal, sigmas * low, sigmas * high,
                first.normal * float(np.sqrt(first.area / area)) if first else normal,
            )
        )  # fmt: skip
    return tuple(found)


def gate_area(cell: Cell, process: Process) -> float:
    """Drawn width times length of all transistors of a cell, square metres."""
    circuit = Circuit("cut off below")
    circuit.subcircuit(cell.subcircuit(process))
    circuit.X("cell", cell.subcircuit_name, *cell.ports)
    found = transistors(str(circuit).partition("\n")[2], process)
    return float(sum(t.width * t.length * t.multiplier for t in found))
