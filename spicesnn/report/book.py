"""The library's book: a datasheet of every cell on every process, and their index."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spicesnn.characterize.bench import Entry, Quantity
from spicesnn.characterize.datasheet import Plan, characterize, identity, runs_of
from spicesnn.engine.pool import Pool
from spicesnn.errors import RunFolderError
from spicesnn.processes import find_process
from spicesnn.report.datasheet import as_json, engineering, write_datasheet

Sheet = dict[str, Any]
Begin = Callable[[str, int], Callable[[], None]]


def stored_sheet(folder: Path, entry: Entry, process: str, plan: Plan) -> Sheet | None:
    """The datasheet that lies in a folder, if it is of this cell as it is today.

    Raises:
        ProcessNotFoundError: the process is not installed.
    """
    try:
        kept: Sheet = json.loads((folder / f"{entry.name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept if kept.get("identity") == identity(entry, process, plan) else None


def write_sheets(
    entries: Sequence[Entry],
    process: str,
    plan: Plan,
    pool: Pool,
    folder: Path,
    begin: Begin,
    *,
    fresh: bool = False,
) -> list[Sheet]:
    """Write the datasheets of cells on a process; what lies there and is today's is kept.

    Args:
        entries: cells.
        process: name.
        plan: what each covers.
        pool: where the runs are made.
        folder: for pages, pictures and JSON.
        begin: told of each datasheet's name and count of simulations; gives what is called after
            each of them.
        fresh: whether to make all of them again.

    Raises:
        RunFolderError: the folder cannot be written.
        ProcessNotFoundError, ParameterError, SimulationError: see `characterize`.
    """
    sheets = []
    for entry in entries:
        kept = None if fresh else stored_sheet(folder, entry, process, plan)
        if kept is None:
            text = f"{entry.name} on {process}"
            done = begin(text, runs_of(entry, find_process(process), plan))
            sheet = characterize(entry, process, plan, pool, done)
            write_datasheet(sheet, folder)
            kept = as_json(sheet)
        sheets.append(kept)
    return sheets


def write_index(
    folder: Path, families: Mapping[str, Sequence[Entry]], sheets: Mapping[str, Sequence[Sheet]]
) -> Path:
    """Write `index.md`: every cell by family, with the limits of each process's datasheet.

    Args:
        folder: that holds a folder of datasheets for each process.
        families: name to cells.
        sheets: process to datasheets, as JSON.

    Raises:
        RunFolderError: it cannot be written.
    """
    by = {process: {sheet["cell"]: sheet for sheet in own} for process, own in sheets.items()}
    lines = [
        "# The cell library",
        "",
        "Written by `spicesnn characterize --all`. A datasheet of every cell on each process: "
        "five corners at 27 °C, -40, 27 and 85 °C typical, 5 % less supply, 100 mismatch draws, "
        "and everything again at half the step with a tenth of the tolerances. [How to read "
        "one, and how to get one of your own cell](../cells.md).",
    ]
    for family, entries in families.items():
        own = [entry for entry in entries if any(entry.name in sheet for sheet in by.values())]
        if not own:
            continue
        lines += ["", f"## {family}", "", "| cell | " + " | ".join(by) + " |"]
        lines.append("|---|" + "---|" * len(by))
        for entry in own:
            cells = [_cell(process, by[process].get(entry.name)) for process in by]
            lines.append(f"| {entry.title} (`{entry.name}`) | " + " | ".join(cells) + " |")
    path = folder / "index.md"
    try:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise RunFolderError(f"cannot write {path}: {error.strerror}.") from None
    return path


def _cell(process: str, sheet: Sheet | None) -> str:
    if sheet is None:
        return "—"
    limits = sum(bool(_quantity(each).limits()) for each in sheet["quantities"].values())
    failing = len(sheet["violations"])
    text = {0: "no limits", 1: "its limit holds"}.get(limits, f"all {limits} limits hold")
    if failing:
        text = f"**{failing} not held**: {sheet['violations'][0]}"
    return f"[{text}]({process}/{sheet['cell']}.md)"


def rows(sheet: Sheet) -> list[list[str]]:
    """Quantity, typical value, limit and whether it holds, for a terminal."""
    found = []
    for name, each in sheet["quantities"].items():
        value, quantity = sheet["points"][0]["values"][name], _quantity(each)
        number, limits = float("nan") if value is None else value, quantity.limits()
        text = ("yes" if quantity.passes(number) else "no") if limits else ""
        found.append([name, engineering(number, quantity.unit), limits, text])
    return found


def _quantity(row: Mapping[str, Any]) -> Quantity:
    """What a stored datasheet says of a number's limits."""
    return Quantity(row["unit"], row["low"], row["high"])
