"""The cell library in figures: every limit, what mismatch lets a cell decide, what a draw costs.

`--quick` takes generic180 and fewer draws, within three minutes, and says so. Rows are stored in
`benchmarks/results/cells.json`; `spicesnn characterize --all` makes the datasheets themselves.
"""

from __future__ import annotations

import hashlib
import time

from stored import Row, Section, Table, row

from spicesnn.characterize.bench import Quantity
from spicesnn.characterize.datasheet import Plan, characterize, identity
from spicesnn.characterize.decision import smallest_difference
from spicesnn.characterize.library import LIBRARY, find_bench
from spicesnn.characterize.montecarlo import run_monte_carlo
from spicesnn.engine.pool import Pool
from spicesnn.processes import find_process

PROCESSES = ("generic180", "gf180mcu")
OFFSET = "winner-take-all, offset"
TYPICAL = Plan(low_supply=False, halved=False)


def limits(quick: bool) -> list[Row]:
    """Every quantity with a limit, typical at 27 deg C."""
    rows = []
    with Pool(2) as pool:
        for process in PROCESSES[:1] if quick else PROCESSES:
            for entry in LIBRARY.values():
                sheet = characterize(entry, process, TYPICAL, pool)
                for name, quantity in sheet.quantities.items():
                    value = sheet.points[0].values[name]
                    if quantity.limits():
                        rows.append(_row(f"{process}, {name}", value, quantity))
    return rows


def _row(name: str, value: float, quantity: Quantity) -> Row:
    goal = quantity.limits().replace("≥", ">=").replace("≤", "<=")
    return row(name, value, quantity.unit, goal, bool(quantity.passes(value)))


def decision(quick: bool) -> list[Row]:
    """Smallest difference that the winner-take-all decides rightly in 99 of 100 draws."""
    rows = []
    draws, factors = (20, (1.0, 2.0)) if quick else (100, (1.0, 2.0, 4.0))
    with Pool(2) as pool:
        for name in PROCESSES[:1] if quick else PROCESSES:
            process = find_process(name)
            for each in smallest_difference(
                find_bench("winner_take_all"), OFFSET, process, pool, factors=factors, count=draws
            ):
                what = f"{name}, gates of {each.area * 1e12:.0f} um2"
                fits = bool(each.low <= each.pelgrom <= each.high)
                rows += [
                    row(f"{what}: decided rightly in 99 of 100 from", each.smallest),
                    row(f"{what}: of a normal distribution", each.normal),
                    row(f"{what}: the first one's by Pelgrom's law", each.pelgrom, "1",
                        "in the 99 % interval", fits),
                ]  # fmt: skip
    return rows


def driving(quick: bool) -> list[Row]:
    """Mismatch draws of the bump with decks loaded once, against a fresh ngspice for each."""
    draws = 20 if quick else 100
    bench, process = find_bench("bump"), find_process("gf180mcu")
    seconds = {}
    for form in ("library", "batch"):
        with Pool(1, form=form) as pool:
            # The worker's start and the first load are not what is compared.
            run_monte_carlo(bench, process, pool, count=2)
            start = time.perf_counter()
            run_monte_carlo(bench, process, pool, count=draws)
            seconds[form] = time.perf_counter() - start
    ratio = seconds["batch"] / seconds["library"]
    return [
        row("bump on gf180mcu, one draw, decks loaded once", seconds["library"] / draws, "s"),
        row("a fresh ngspice each, over it", ratio, "1", "> 1", ratio > 1),
    ]


def identities() -> dict[str, str]:
    """Of all cells' benches on their processes."""
    known = " ".join(identity(e, p, TYPICAL) for p in PROCESSES for e in LIBRARY.values())
    return {"limits": hashlib.sha256(known.encode()).hexdigest()[:16]}


SECTIONS: dict[str, Section] = {"limits": limits, "decision": decision, "driving": driving}
TABLE = Table(
    "cells.json",
    "cells-figures.md",
    "The cells in figures",
    "Written by `python benchmarks/cells.py` (`--only` for one section, `--quick` for a short run\n"
    "that is not kept). [Cells and their datasheets](cells.md) says what stands behind them.",
    SECTIONS,
    identities,
)

if __name__ == "__main__":
    TABLE.main(__doc__)
