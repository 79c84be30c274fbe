"""Commands on processes and their transistors: pdk, extract."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spicesnn import __version__
from spicesnn.errors import (
    DataError,
    NgspiceNotFoundError,
    ParameterError,
    ProcessNotFoundError,
    SimulationError,
)

if TYPE_CHECKING:
    from spicesnn.engine.pool import Pool
    from spicesnn.fit.bsim import ExtractedCard
    from spicesnn.fit.mos import Extraction

extract_app = typer.Typer(no_args_is_help=True, help="Device parameters from curves.")
pdk_app = typer.Typer(no_args_is_help=True, help="Open CMOS processes: get them, list them.")


@extract_app.command("mos")
def extract_mos_command(
    device: Annotated[str, typer.Option(help="nfet or pfet.")],
    w: Annotated[str, typer.Option(help="Drawn width in metres, as 1u.")],
    length: Annotated[str, typer.Option("--l", help="Drawn length in metres, as 0.18u.")],
    data: Annotated[list[Path], typer.Option(help="Files: IC-CAP .mdm or CSV.")] = [],  # noqa: B006
    process: Annotated[
        str | None, typer.Option(help="Simulate this process's transistor instead.")
    ] = None,
    corner: Annotated[str, typer.Option(help="Of the process.")] = "tt",
    temperature: Annotated[
        list[float], typer.Option(help="Degrees Celsius: of each file, or to simulate.")
    ] = [],  # noqa: B006
    column: Annotated[
        list[str], typer.Option(help="A column's name, as id=ID (vg, vd, vs, vb, id).")
    ] = [],  # noqa: B006
    unit: Annotated[list[str], typer.Option(help="A column's unit, as id=uA or id=-A.")] = [],  # noqa: B006
    multiplicity: Annotated[float, typer.Option(help="Transistors in parallel.")] = 1.0,
    card: Annotated[
        bool, typer.Option(help="Also fit a BSIM4 card for ngspice (some seconds each).")
    ] = True,
    out: Annotated[Path, typer.Option(help="Folder for JSON, figures and cards.")] = Path(
        "runs/extract"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print extraction.json.")] = False,
) -> None:
    """Extract kappa, I0, threshold and their like from measured or simulated curves."""
    from spicesnn.engine.pool import Pool
    from spicesnn.fit.curves import Layout, parse_kind, parse_unit, read_curves
    from spicesnn.fit.mos import extract_mos, temperature_behaviour
    from spicesnn.report.extraction import summary, write_extraction
    from spicesnn.units import parse_spice_number

    kind = parse_kind(device)
    width, long = parse_spice_number(w), parse_spice_number(length)
    if bool(data) == (process is not None):
        raise ParameterError("give either --data FILE (measured curves) or --process (simulated).")
    if process is not None and (column or unit or multiplicity != 1.0):
        raise ParameterError("--column, --unit and --multiplicity are for --data; leave them out.")
    if process is None and corner != "tt":
        raise ParameterError("--corner is for --process; leave it out.")
    if process is None:
        celsius = temperature or [27.0]
        if len(celsius) not in (1, len(data)):
            raise ParameterError(
                f"{len(celsius)} temperatures for {len(data)} files: give one for all, or one each."
            )
        celsius = celsius * len(data) if len(celsius) == 1 else celsius
        names = dict(_pairs(column, "column"))
        scales = {
            name: parse_unit(text, "A" if name == "id" else "V")
            for name, text in _pairs(unit, "unit")
        }
        layout = Layout(names, scales, multiplicity)
        curves = [
            read_curves(path, kind, width, long, celsius=t, layout=layout)
            for path, t in zip(data, celsius, strict=True)
        ]
    else:
        from spicesnn.fit.simulated import simulated_curves
        from spicesnn.processes import find_process

        with Pool(1) as pool:
            curves = simulated_curves(
                find_process(process, corner), kind, width, long, pool,
                celsius=temperature or [27.0],
            )  # fmt: skip
    found = [extract_mos(each) for each in curves]
    several = len({each.celsius for each in curves}) > 1
    behaviour = temperature_behaviour(found) if several else None
    cards: list[ExtractedCard | None] = []
    if card:
        try:
            with Pool(1) as pool:
                for each in found:
                    cards.append(_card_of(each, pool))
        except NgspiceNotFoundError as error:
            typer.echo(f"no BSIM card: {error} (--no-card leaves it out)", err=True)
    paths = write_extraction(found, out, behaviour, cards)
    rows = summary(found, behaviour, cards)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    _print_extraction(rows)
    typer.echo(f"written: {', '.join(str(path) for path in paths)}")


def _card_of(each: Extraction, pool: Pool) -> ExtractedCard | None:
    """The card of an extraction; where there is none, the reason goes to standard error."""
    from spicesnn.fit.bsim import fit_extracted

    try:
        return fit_extracted(each, pool)
    except (DataError, SimulationError) as error:
        source = each.curves.source or "the curves"
        typer.echo(f"no BSIM card of {source}: {error} (--no-card leaves it out)", err=True)
        return None


def _pairs(texts: list[str], option: str) -> list[tuple[str, str]]:
    """`name=value` texts of an option, names among our columns."""
    from spicesnn.errors import UnknownNameError
    from spicesnn.fit.curves import COLUMNS

    found = []
    for text in texts:
        name, given, value = text.partition("=")
        if not given:
            raise ParameterError(f"--{option} {text!r}: write a column and its {option}, as id=...")
        if name not in COLUMNS:
            raise UnknownNameError("column", name, COLUMNS)
        found.append((name, value))
    return found


@pdk_app.command("add")
def pdk_add(
    name: Annotated[str, typer.Argument(help="gf180mcu or sky130.")],
    full: Annotated[
        bool, typer.Option("--full", help="The whole PDK, through ciel where it is installed.")
    ] = False,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Nothing where it is found already.")
    ] = False,
) -> None:
    """Get the ngspice models of an open process from PyPI into the user's data folder."""
    from spicesnn.processes import fetch, find_process
    from spicesnn.processes.installed import own_root

    if if_missing:
        with suppress(ProcessNotFoundError):
            find_process(name)
            return
    if full:
        fetch.add_full(name)
    else:
        fetch.add(name)
    library = find_process(name).library
    typer.echo(f"{name}: {library}")
    if full and own_root() in library.parents:
        typer.echo(
            f"note: the models of an earlier `pdk add` come first; remove {own_root()}, or "
            "set PDK_ROOT, to use the full PDK's.",
            err=True,
        )


@pdk_app.command("list")
def pdk_list(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say which processes are found, where, and in which version."""
    from spicesnn.processes import PROCESSES, find_process
    from spicesnn.processes.installed import digest, version

    rows: list[dict[str, str | bool]] = []
    for name in PROCESSES:
        try:
            library = find_process(name).library
        except ProcessNotFoundError as error:
            rows.append({"process": name, "found": False, "how": str(error)})
            continue
        release = __version__ if name == "generic180" else version(library)
        rows.append({
            "process": name, "found": True, "version": release, "hash": digest(library),
            "library": str(library),
        })  # fmt: skip
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        last = f"{row['version']}, {row['hash']}, {row['library']}" if row["found"] else row["how"]
        typer.echo(f"{row['process']}: {last}")


def _print_extraction(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    def cells(value: dict[str, Any]) -> list[str]:
        numbers = [value["value"], value["sigma"]]
        return ["-" if n is None else f"{n:.4g}" for n in numbers] + [value["unit"]]

    for each in found["extractions"]:
        title = f"{each['source']}, {each['temperature']:g} deg C"
        table = Table("value", "", "uncertainty", "unit", title=title)
        for name, value in each["values"].items():
            table.add_row(name, *cells(value))
        for name, region in each["regions"].items():
            if region["points"]:
                table.add_row(
                    f"median |ln(measured / EKV)|, {name}", f"{region['median residual']:.3f}",
                    "", f"{region['points']} points",
                )  # fmt: skip
        for name, residual in each.get("card", {}).get("median residual", {}).items():
            table.add_row(f"median |ln(measured / BSIM card)|, {name}", f"{residual:.3f}", "", "")
        Console().print(table)
    for name, value in found.get("over temperature", {}).items():
        typer.echo(" ".join([f"{name}:", *cells(value)]))
