"""Commands on cells: montecarlo, characterize."""

from __future__ import annotations

import json
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spicesnn.cli.progress import Bars, simple_bar
from spicesnn.errors import ParameterError

if TYPE_CHECKING:
    from spicesnn.processes import Corner


class Sources(StrEnum):
    """What a Monte Carlo study draws."""

    LOCAL = "local"
    GLOBAL = "global"
    BOTH = "both"


def montecarlo(
    cell: Annotated[str, typer.Argument(help="Bench of a cell, as mirror, synapse or bump.")],
    n: Annotated[int, typer.Option("--n", min=2, help="Draws.")] = 200,
    process: Annotated[str, typer.Option(help="CMOS process.")] = "generic180",
    corner: Annotated[str, typer.Option(help="tt, ff, ss, fs or sf; nfet first.")] = "tt",
    temperature: Annotated[float, typer.Option(help="Degrees Celsius.")] = 27.0,
    seed: Annotated[int, typer.Option(help="Same seed, same draws.")] = 0,
    sources: Annotated[Sources, typer.Option(help="Mismatch, dies, or both.")] = Sources.LOCAL,
    scaling: Annotated[
        bool, typer.Option("--scaling", help="Again with four times the area: Pelgrom's law.")
    ] = False,
    workers: Annotated[int | None, typer.Option(help="Processes; default one a core.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for summary, draws and picture.")] = Path(
        "runs/montecarlo"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json.")] = False,
) -> None:
    """Measure a cell for seeded draws of its transistors, by turning knobs.

    A study that was stopped goes on where it was: finished runs come from the cache.
    """
    from spicesnn.characterize.library import find_bench
    from spicesnn.characterize.montecarlo import pelgrom_scaling, run_monte_carlo
    from spicesnn.engine.cache import RunCache
    from spicesnn.engine.pool import Pool
    from spicesnn.processes import find_process
    from spicesnn.report.montecarlo import summary, write_study

    if scaling and sources is not Sources.LOCAL:
        raise ParameterError("--scaling shows Pelgrom's law of mismatch: give --sources local.")
    bench, on = find_bench(cell), find_process(process, corner)
    benches = [bench, bench.scaled(2.0)] if scaling else [bench]
    total = n * len(bench.stimuli(on)) * len(benches)
    with (
        Pool(workers or os.cpu_count() or 1, cache=RunCache()) as pool,
        simple_bar(f"{cell}, {n} draws", total) as done,
    ):
        studies = [
            run_monte_carlo(
                each, on, pool, count=n, seed=seed + k, temperature=temperature,
                sources=sources.value, done=done,
            )
            for k, each in enumerate(benches)
        ]  # fmt: skip
    study = studies[0]
    found = None
    if scaling:
        found = {
            name: pelgrom_scaling(own, studies[1].properties[name], 2.0)
            for name, own in study.properties.items()
        }
    paths = write_study(study, out, found)
    rows = summary(study, found)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    _print_study(rows)
    typer.echo(f"written: {', '.join(str(path) for path in paths)}")


def characterize_cells(
    cell: Annotated[
        list[str] | None, typer.Argument(help="Cells, or .toml files of your own cells.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every cell on generic180 and gf180mcu: the book.")
    ] = False,
    process: Annotated[list[str], typer.Option(help="CMOS process.")] = [],  # noqa: B006
    corners: Annotated[
        str, typer.Option(help="all, or some of tt,ff,ss,fs,sf; nfet first.")
    ] = "tt",
    temperature: Annotated[list[float], typer.Option(help="Degrees Celsius.")] = [],  # noqa: B006
    mc: Annotated[int, typer.Option("--mc", min=0, help="Mismatch draws.")] = 0,
    seed: Annotated[int, typer.Option(help="Same seed, same draws.")] = 0,
    setting: Annotated[
        list[str], typer.Option("--set", help="Parameter, as i_bias=20n or cell.width=2u.")
    ] = [],  # noqa: B006
    workers: Annotated[int | None, typer.Option(help="Processes; default one a core.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder; default runs/datasheets, of --all docs/cells.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Make datasheets again that are there already.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the datasheets as JSON.")] = False,
) -> None:
    """Measure cells into datasheets; exit 1 where a limit does not hold.

    A call that was stopped goes on where it was: finished runs come from the cache, and
    datasheets that are there and up to date are kept.
    """
    from spicesnn.characterize.datasheet import FULL, Plan
    from spicesnn.characterize.library import FAMILIES, LIBRARY, find_entry
    from spicesnn.characterize.own_cell import read_own_cell
    from spicesnn.characterize.settings import with_settings
    from spicesnn.engine.cache import RunCache
    from spicesnn.engine.pool import Pool
    from spicesnn.processes import find_process
    from spicesnn.report.book import write_index, write_sheets

    if everything == bool(cell):
        raise ParameterError("name the cells to characterize, or give --all.")
    if everything and (setting or mc or temperature or corners != "tt"):
        raise ParameterError("--all measures the whole plan at the defaults: leave out --set, "
                             "--mc, --temperature and --corners.")  # fmt: skip
    settings = dict(_parted(text) for text in setting)
    names = list(LIBRARY) if everything else cell or []
    plan = FULL if everything else Plan(_corners(corners), tuple(temperature), mc, seed)
    processes = process or (["generic180", "gf180mcu"] if everything else ["generic180"])
    folder = out or Path("docs/cells" if everything else "runs/datasheets")
    sheets: dict[str, list[dict[str, Any]]] = {}
    with Pool(workers or os.cpu_count() or 1, cache=RunCache()) as pool, Bars() as bars:
        for own in processes:
            find_process(own)
        for own in processes:
            entries = [
                with_settings(entry, settings)
                for name in names
                for entry in (
                    read_own_cell(Path(name), own) if name.endswith(".toml") else [find_entry(name)]
                )
            ]
            sheets[own] = write_sheets(
                entries, own, plan, pool, folder / own, bars.begin, fresh=fresh
            )
    if everything:
        write_index(folder, FAMILIES, sheets)
    flat = [sheet for own in sheets.values() for sheet in own]
    if as_json:
        typer.echo(json.dumps(flat, indent=1))
    else:
        _print_sheets(flat, brief=everything)
        typer.echo(f"written: {folder}")
    if not all(sheet["passes"] for sheet in flat):
        raise typer.Exit(1)


def _corners(text: str) -> tuple[Corner, ...]:
    """`all`, or corners separated by commas."""
    from spicesnn.errors import UnknownNameError
    from spicesnn.processes import CORNERS

    if text == "all":
        return CORNERS
    wanted = [part.strip() for part in text.split(",")]
    for part in wanted:
        if part not in CORNERS:
            raise UnknownNameError("corner", part, [*CORNERS, "all"])
    return tuple(corner for corner in CORNERS if corner in wanted)


def _parted(text: str) -> tuple[str, str]:
    name, given, value = text.partition("=")
    if not given:
        raise ParameterError(f"--set {text!r}: write a parameter and its value, as i_bias=20n.")
    return name.strip(), value.strip()


def _print_sheets(sheets: list[dict[str, Any]], *, brief: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from spicesnn.report.book import rows

    for sheet in sheets:
        title = f"{sheet['title']} on {sheet['process']}, typical, 27 deg C"
        if not brief:
            table = Table("quantity", "value", "limit", "holds", title=title)
            for cells in rows(sheet):
                table.add_row(*cells, style="red" if cells[-1] == "no" else None)
            Console().print(table)
        for text in sheet["violations"]:
            typer.echo(f"{sheet['cell']} on {sheet['process']}: limit: {text}", err=True)
        for text in sheet["doubts"]:
            typer.echo(f"{sheet['cell']} on {sheet['process']}: note: {text}", err=True)


def _print_study(study: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("property", "nominal", "mean", "sigma of ln, 99 % interval", "area x 4")
    for name, row in study["properties"].items():
        spread = "-"
        if "sigma of ln" in row:
            ends = [row[f"sigma of ln{end}"] for end in ("", " from", " to")]
            spread = "{:.4f} ({:.4f} to {:.4f})".format(*ends)
        four = row.get("area x 4")
        known = four is not None and four["ratio"] is not None
        ratio = "{ratio:.3f} ({from:.3f} to {to:.3f})".format(**four) if known else ""
        unit = row["unit"]
        numbers = [row[key] for key in ("nominal", "mean") if row.get(key) is not None]
        cells = [f"{number:.4g} {unit}" for number in numbers] + ["-"] * (2 - len(numbers))
        table.add_row(name, *cells, spread, ratio)
    Console().print(table)
    for draw, why in study["failed"].items():
        typer.echo(f"note: draw {draw} could not be measured: {why}", err=True)
