"""Commands of training runs: train, emit."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from spicesnn.cli.progress import ProgressView
from spicesnn.errors import RunFolderError

train_app = typer.Typer(no_args_is_help=True, help="Train a network inside a simulated circuit.")


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
    with ProgressView(job.rule) as view:
        result = run_iris(job, out, workers, resume, view.watcher())
    pictures = write_pictures(out)
    if as_json:
        typer.echo(json.dumps(result, indent=2))
        return
    _print_result(result)
    typer.echo(f"pictures: {pictures}")


@train_app.command("iris-fidelities")
def train_iris_fidelities(
    seed: Annotated[int, typer.Option(help="Split, devices, start and writes.")] = 0,
    epochs: Annotated[int | None, typer.Option(help="Passes through the training set.")] = None,
    rule: Annotated[str, typer.Option(help="error-triggered or plain.")] = "error-triggered",
    process: Annotated[str, typer.Option(help="CMOS process.")] = "generic180",
    gain: Annotated[
        float, typer.Option(help="By which the tier's inputs are off, to see it corrected.")
    ] = 1.0,
    simulations: Annotated[
        int | None, typer.Option(help="Samples that the circuit may answer in training.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; default one a core.")] = None,
    out: Annotated[Path, typer.Option(help="Run folder; goes on with what is there.")] = Path(
        "runs/iris-fidelities"
    ),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print result.json on standard output.")
    ] = False,
) -> None:
    """Train iris on the fitted tiers, held to the circuit, and judge it by the circuit."""
    from spicesnn.cli.progress import simple_bar
    from spicesnn.learning.fidelities import FidelityParameters
    from spicesnn.learning.loop import LoopParameters
    from spicesnn.systems.iris import IrisJob
    from spicesnn.systems.iris_fidelities import FidelityJob, run_iris_fidelities

    own: dict[str, Any] = {} if epochs is None else {"loop": LoopParameters(epochs=epochs)}
    asked = {} if simulations is None else {"simulations": simulations}
    inner = IrisJob(rule=rule, with_plain=False, process=process, **own)
    job = FidelityJob(iris=inner, fidelity=FidelityParameters(**asked))
    with simple_bar("iris on the tiers, batches", job.batches) as done:
        result = run_iris_fidelities(
            job, out, seed, workers, gain=gain, watch=lambda progress: done()
        )
    if as_json:
        typer.echo(json.dumps(result, indent=2))
        return
    typer.echo(
        f"held-out accuracy: {result['circuit_accuracy']:.3f} by the circuit, "
        f"{result['tier_accuracy']:.3f} by the tier ({result['same_decisions']:.0%} of the "
        "decisions alike)"
    )
    simulated = result["samples_simulated_in_training"] + result["samples_simulated_at_the_end"]
    typer.echo(
        f"samples through the circuit: {simulated}, in the circuit alone "
        f"{result['in_circuit_alone']}; corrections: "
        f"{sum(check['corrected'] for check in result['checks'])}"
    )
    typer.echo(f"written: {out / 'result.json'}")


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
