"""Commands on decks and waveforms: run, export, compare, and the cache."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spicesnn.cli.progress import simple_bar
from spicesnn.errors import RunFolderError

if TYPE_CHECKING:
    from spicesnn.engine.worker import Form

cache_app = typer.Typer(no_args_is_help=True, help="The user's cache of simulated runs.")


def run_deck(
    deck: Annotated[Path, typer.Argument(help="A SPICE deck.")],
    probe: Annotated[list[str], typer.Option(help="v(node), i(source) or @device[par].")] = [],  # noqa: B006
    setting: Annotated[list[str], typer.Option("--set", help="Knob, as r1=10k.")] = [],  # noqa: B006
    sweep: Annotated[
        list[str], typer.Option(help="Knob over values, as r1=1k:10k:10 (start:stop:points).")
    ] = [],  # noqa: B006
    out: Annotated[Path | None, typer.Option(help="File: .nc, .csv or .raw.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture of the probes: .png, .svg.")] = None,
    profile: Annotated[
        str, typer.Option(help="subthreshold, precise, digital, fast.")
    ] = "subthreshold",
    verify: Annotated[
        bool, typer.Option("--verify", help="Again with half the step: say what changes.")
    ] = False,
    batch: Annotated[bool, typer.Option("--batch", help="By `ngspice -b`.")] = False,
    root: Annotated[list[Path], typer.Option(help="Folder it may include files from.")] = [],  # noqa: B006
    trust: Annotated[bool, typer.Option("--trust", help="Do not vet the deck.")] = False,
    workers: Annotated[int | None, typer.Option(help="Processes; default one a core.")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Neither take runs from the cache nor keep them.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Verdicts as JSON.")] = False,
) -> None:
    """Run a deck and say whether the answer can be trusted; exit 1 if it cannot.

    Finished runs are kept in the cache, so a sweep that was stopped goes on where it was.
    """
    from spicesnn.engine.cache import RunCache
    from spicesnn.engine.foreign import read_deck
    from spicesnn.engine.options import SimulationOptions
    from spicesnn.engine.session import Session
    from spicesnn.report.runs import summary, sweep_points, write_plot, write_waveforms
    from spicesnn.units import misread

    foreign = read_deck(deck, probe, SimulationOptions.profile(profile), root, trust)
    points = sweep_points(setting, sweep)
    doubts = [misread(*text.partition("=")[::2]) for text in setting if "=" in text[1:]]
    for note in (*foreign.notes, *filter(None, doubts)):
        typer.echo(f"note: {note}", err=True)
    workers = min(workers or os.cpu_count() or 1, len(points))
    form: Form = "batch" if batch else "library"
    cache = None if fresh else RunCache()
    with Session(foreign.deck, foreign.options, workers=workers, form=form, cache=cache) as session:
        if verify:
            runs = [session.run(p, verify=True, raise_on_failure=False) for p in points]
        else:
            with simple_bar("runs", len(points)) as advance:
                runs = session.map(points, advance, raise_on_failure=False)
    if out:
        for path in write_waveforms(runs, out):
            typer.echo(f"waveforms: {path}", err=True)
    if plot:
        write_plot(runs, points, plot)
        typer.echo(f"picture: {plot}", err=True)
    rows = [summary(run, point) for run, point in zip(runs, points, strict=True)]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        _print_runs(rows)
    if any(row["verdict"] != "converged" for row in rows):
        raise typer.Exit(1)


def export_deck(
    deck: Annotated[Path, typer.Argument(help="A SPICE deck.")],
    to: Annotated[str, typer.Option(help="xyce or spectre.")],
    out: Annotated[Path | None, typer.Option(help="File; default standard output.")] = None,
    profile: Annotated[
        str, typer.Option(help="subthreshold, precise, digital, fast.")
    ] = "subthreshold",
    root: Annotated[list[Path], typer.Option(help="Folder it may include files from.")] = [],  # noqa: B006
    trust: Annotated[bool, typer.Option("--trust", help="Do not vet the deck.")] = False,
) -> None:
    """Write a deck in the dialect of another simulator."""
    from spicesnn.engine.dialects import export
    from spicesnn.engine.foreign import read_deck
    from spicesnn.engine.options import SimulationOptions

    foreign = read_deck(deck, (), SimulationOptions.profile(profile), root, trust)
    for note in foreign.notes:
        typer.echo(f"note: {note}", err=True)
    text = export(foreign.deck, to, foreign.options)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunFolderError(f"cannot write {out}: {error.strerror}.") from None
    typer.echo(f"{to} deck: {out}", err=True)


def compare_files(
    reference: Annotated[Path, typer.Argument(help="Waveforms taken as right: .raw, .csv, .nc.")],
    other: Annotated[Path, typer.Argument(help="Waveforms to judge.")],
    signal: Annotated[list[str], typer.Option(help="Default: all of the reference.")] = [],  # noqa: B006
    spiking: Annotated[list[str], typer.Option(help="Signals whose spikes are matched.")] = [],  # noqa: B006
    threshold: Annotated[str, typer.Option(help="Of a spike, volts.")] = "0.9",
    window: Annotated[str, typer.Option(help="Most that two spikes may differ, as 10u.")] = "0",
    margin: Annotated[str, typer.Option(help="Left out around spikes, as 10u.")] = "0",
    tolerance: Annotated[float, typer.Option(help="Largest difference over the swing.")] = 0.02,
    as_json: Annotated[bool, typer.Option("--json", help="Rows as JSON.")] = False,
) -> None:
    """Compare two files of waveforms; exit 1 where they differ by more than the tolerance."""
    from rich.console import Console
    from rich.table import Table

    from spicesnn.report.runs import compare_rows
    from spicesnn.units import parse_spice_number
    from spicesnn.waveforms import read_waveforms

    a, b = read_waveforms(reference), read_waveforms(other)
    level, near, around = map(parse_spice_number, (threshold, window, margin))
    rows = compare_rows(a, b, signal, spiking, level, near, around, tolerance)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        table = Table("signal", "differs by", "of its swing", "at", "spikes", "agrees")
        for row in rows:
            table.add_row(
                row["signal"], f"{row['largest']:.3g}", f"{row['relative']:.2%}",
                f"{row['at']:.6g}", row["spikes"], "yes" if row["agrees"] else "no",
                style=None if row["agrees"] else "red",
            )  # fmt: skip
        Console().print(table)
    if not all(row["agrees"] for row in rows):
        raise typer.Exit(1)


@cache_app.command("info")
def cache_info() -> None:
    """Say where the cache is and what it holds."""
    from spicesnn.engine.cache import RunCache

    info = RunCache().info()
    megabytes, most = info.bytes / 1e6, info.limit / 1e6
    typer.echo(f"{info.folder}: {info.files} runs, {megabytes:.1f} MB of at most {most:.0f} MB")


@cache_app.command("clear")
def cache_clear() -> None:
    """Take everything out of the cache."""
    from spicesnn.engine.cache import RunCache

    before = RunCache().clear()
    typer.echo(f"{before.folder}: {before.files} runs, {before.bytes / 1e6:.1f} MB removed")


def _print_runs(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    changes = any(row["changes"] for row in rows)
    table = Table("knobs", "verdict", "probe", "from", "to", "last", *(["change"] * changes))
    for row in rows:
        knobs = " ".join(f"{name}={value:g}" for name, value in row["knobs"].items())
        verdict = row["verdict"] + (f": {row['detail']}" if row["detail"] else "")
        if not row["probes"]:
            table.add_row(knobs, verdict, style="red")
        for name, probe in row["probes"].items():
            numbers = [f"{probe[key]:.6g}" for key in ("least", "most", "last")]
            change = [f"{row['changes'].get(name, 0):.2%}"] * changes
            style = None if row["verdict"] == "converged" else "red"
            table.add_row(knobs, verdict, name, *numbers, *change, style=style)
            knobs = verdict = ""
    Console().print(table)
