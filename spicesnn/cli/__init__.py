"""The command line, `spicesnn`: one function a command, a module a subject."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from spicesnn import __version__
from spicesnn.cli import cells, decks, devices, exchange, processes, tiers, training
from spicesnn.cli.fit_group import fit_app
from spicesnn.errors import SpicesnnError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Circuit-level SPICE co-simulation of spiking neural networks.",
)
app.add_typer(training.train_app, name="train")
app.add_typer(decks.cache_app, name="cache")
app.add_typer(processes.extract_app, name="extract")
app.add_typer(processes.pdk_app, name="pdk")
app.add_typer(devices.device_app, name="device")
app.add_typer(fit_app, name="fit")
app.command("emit")(training.emit)
app.command("run")(decks.run_deck)
app.command("export")(decks.export_deck)
app.command("compare")(decks.compare_files)
app.command("montecarlo")(cells.montecarlo)
app.command("characterize")(cells.characterize_cells)
app.command("crosscheck")(tiers.crosscheck)
app.command("map")(exchange.map_model)


@app.callback(invoke_without_command=True)
def _root(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if show_version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def doctor() -> None:
    """Print what is there and how to get the rest; exit 1 if the main job can't run."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from spicesnn.report.doctor import examine

    findings = examine()
    table = Table("what", "found", "good for", "how to get it")
    for finding in findings:
        style = None if finding.good else ("red" if finding.needed else "yellow")
        # Escaped: 'spicesnn[osdi]' is no markup.
        cells = (finding.name, finding.found, finding.good_for, finding.how_to_get)
        table.add_row(*map(escape, cells), style=style)
    Console().print(table)
    if any(f.needed and not f.good for f in findings):
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; errors raised on purpose become one message and exit code 1."""
    try:
        app()
    except SpicesnnError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo(
            "interrupted; what was finished is kept. Give the same command again to go on, with "
            "--resume for a training run.",
            err=True,
        )
        sys.exit(130)
