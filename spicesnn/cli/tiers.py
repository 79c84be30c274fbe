"""Commands on tiers: fit CELL, crosscheck."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spicesnn.cli.fit_group import fit_app
from spicesnn.cli.progress import Bars
from spicesnn.errors import ParameterError

if TYPE_CHECKING:
    from spicesnn.engine.pool import Pool
    from spicesnn.tiers.agreement import Agreement, Budget

_CELL = Annotated[str, typer.Argument(help="Cell with a tier, as lif_neuron or dpi_synapse.")]
_PROCESS = Annotated[str, typer.Option(help="CMOS process.")]
_CORNER = Annotated[str, typer.Option(help="tt, ff, ss, fs or sf; nfet first.")]
_SEED = Annotated[int, typer.Option(help="Of the random stimuli.")]
_WORKERS = Annotated[int | None, typer.Option(help="Processes; default one a core.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")]


def _pool(workers: int | None) -> Pool:
    """As precise as a comparison of spikes needs; finished runs are kept."""
    from spicesnn.engine.cache import RunCache
    from spicesnn.engine.options import SimulationOptions
    from spicesnn.engine.pool import Pool

    options = SimulationOptions.profile("precise")
    return Pool(workers or os.cpu_count() or 1, options, cache=RunCache())


def _settings(texts: list[str]) -> dict[str, str]:
    """`name=value` texts by name."""
    found = {}
    for text in texts:
        name, mark, value = text.partition("=")
        if not mark:
            raise ParameterError(f"--set {text!r}: write a parameter and its value, as c=2p.")
        found[name.strip()] = value.strip()
    return found


@fit_app.command("cell")
def fit_cell(
    cell: _CELL,
    process: _PROCESS = "generic180",
    corner: _CORNER = "tt",
    temperature: Annotated[float, typer.Option(help="Degrees Celsius.")] = 27.0,
    runs: Annotated[int, typer.Option(min=1, help="Stimuli that are fitted.")] = 20,
    held_out: Annotated[int, typer.Option(min=1, help="Stimuli for the errors.")] = 20,
    draws: Annotated[int, typer.Option(min=0, help="Mismatched circuits, for the spread.")] = 0,
    seed: _SEED = 0,
    setting: Annotated[
        list[str], typer.Option("--set", help="Parameter, as i_leak=40p or cell.c_mem=1p.")
    ] = [],  # noqa: B006
    workers: _WORKERS = None,
    out: Annotated[Path | None, typer.Option(help="Tier file; default in runs/tiers.")] = None,
    as_json: _JSON = False,
) -> None:
    """Fit a cell's tier to its circuit and test it on stimuli that the fit never saw.

    The word `cell` may be left out. A fit that was stopped goes on where it was: finished runs
    come from the cache. Exit 1 where an error is over the budget.
    """
    from spicesnn.characterize.settings import changed, names_of
    from spicesnn.errors import UnknownNameError
    from spicesnn.processes import find_process
    from spicesnn.tiers.agreement import Budget
    from spicesnn.tiers.fitting import fit_tier
    from spicesnn.tiers.library import find_recipe
    from spicesnn.tiers.population import fit_spread

    recipe = find_recipe(cell)
    settings = _settings(setting)
    for name in settings:
        if name not in names_of(recipe):
            raise UnknownNameError(f"parameter of {cell}", name, names_of(recipe))
    recipe = changed(recipe, settings)
    on = find_process(process, corner)
    place = out or Path("runs/tiers") / f"{cell}-{process}-{corner}.json"
    with _pool(workers) as pool, Bars() as bars:
        done = bars.begin(f"{cell}, {runs} + {held_out} runs", runs + held_out)
        fitted, result = fit_tier(
            recipe, on, pool, runs=runs, held_out=held_out, seed=seed, celsius=temperature,
            done=done,
        )  # fmt: skip
        if draws:
            fitted.file.write(place)
            fitted = fit_spread(fitted, on, pool, draws, seed=seed, begin=bars.begin)
    fitted.file.write(place)
    if as_json:
        typer.echo(json.dumps(fitted.file.model_dump(mode="json"), indent=2))
    else:
        for name, each in fitted.file.parameters.items():
            typer.echo(f"{name:<16} {each.value:.5g} +- {each.sigma:.2g} {each.unit}")
        _print_agreement(result, Budget())
        typer.echo(f"written: {place}")
    if result.violations(Budget()):
        raise typer.Exit(1)


def crosscheck(
    cell: Annotated[
        str, typer.Argument(help="Cell with a tier, or a network: classifier (16 inputs) or iris.")
    ],
    process: _PROCESS = "generic180",
    corner: _CORNER = "tt",
    tier: Annotated[
        Path | None, typer.Option(help="Tier file; default the one that ships.")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="New stimuli.")] = 12,
    seed: _SEED = 0,
    workers: _WORKERS = None,
    out: Annotated[Path | None, typer.Option(help="Folder; default in runs/crosscheck.")] = None,
    as_json: _JSON = False,
) -> None:
    """Run a circuit and its tier side by side on stimuli that no fit has seen.

    Writes a page with a figure. Exit 1 where an error is over the budget.
    """
    from spicesnn.learning.crosscheck import NETWORKS, crosscheck_network
    from spicesnn.processes import find_process
    from spicesnn.report.tiers import write_crosscheck
    from spicesnn.tiers.agreement import Budget
    from spicesnn.tiers.crosscheck import crosscheck as check
    from spicesnn.tiers.fitted import load_tier
    from spicesnn.tiers.library import tier_path

    on = find_process(process, corner)
    place = out or Path("runs/crosscheck") / f"{cell}-{process}-{corner}"
    with _pool(workers) as pool, Bars() as bars:
        if cell in NETWORKS:
            if tier:
                raise ParameterError(f"{cell} is a network of several tiers: leave --tier out.")
            result = crosscheck_network(
                NETWORKS[cell], on, pool, samples=runs, seed=seed,
                begin=lambda total: bars.begin(f"{cell}, {runs} samples", total),
            )  # fmt: skip
        else:
            fitted = load_tier(tier or tier_path(cell, on), on)
            done = bars.begin(f"{fitted.file.cell}, {runs} runs", runs)
            result = check(fitted, on, pool, runs=runs, seed=seed, done=done)
    budget = Budget()
    paths = write_crosscheck(result, budget, place)
    if as_json:
        typer.echo(json.dumps(result.agreement.numbers(), indent=2))
    else:
        _print_agreement(result.agreement, budget)
        if result.refused:
            typer.echo(f"{result.refused} stimuli led the tier out of its range: drawn anew")
        typer.echo(f"written: {', '.join(str(path) for path in paths)}")
    if result.agreement.violations(budget):
        raise typer.Exit(1)


def _print_agreement(result: Agreement, budget: Budget) -> None:
    from spicesnn.tiers.agreement import limit_of

    for name, value in result.numbers().items():
        limit = limit_of(name, budget)
        held = "" if value <= limit else "  OVER THE BUDGET"
        typer.echo(f"{name:<20} {value:.3%} (limit {limit:.2%}){held}")
    typer.echo(
        f"{result.runs} runs, {result.seconds:.3g} s, {result.spikes} spikes: {result.matched} "
        f"matched within {result.window:.3g} s, {result.missed} missed, {result.added} added"
    )
