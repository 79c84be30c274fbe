"""Commands of exchange: map."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from spicesnn.cli.progress import endless_bar
from spicesnn.errors import DataError


def map_model(
    model: Annotated[Path, typer.Argument(help="NIR file of a feed-forward network of LIF units.")],
    process: Annotated[str, typer.Option(help="CMOS process.")] = "generic180",
    device: Annotated[str, typer.Option(help="Of the crossbar.")] = "Jo2010",
    steps: Annotated[int, typer.Option(min=1, help="Of a sample, in the network's steps.")] = 100,
    dt: Annotated[
        float | None, typer.Option(help="The network's step, seconds, where the file has none.")
    ] = None,
    inputs: Annotated[
        Path | None,
        typer.Option(help=".npy of stimuli without labels, 0 or 1, (steps, samples, inputs)."),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; default one a core.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for decks, weights and report.")] = Path(
        "runs/mapped"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Map a trained network onto cells and a crossbar: decks, conductances, biases, a report.

    Each unit's gain is set by simulating the circuit on stimuli without labels.
    """
    import numpy as np

    from spicesnn.engine.cache import RunCache
    from spicesnn.engine.pool import Pool
    from spicesnn.exchange.mapping import MapSettings, map_network
    from spicesnn.exchange.nir_import import read

    network = read(model, dt)
    given = None
    if inputs is not None:
        try:
            given = np.load(inputs, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise DataError(f"{inputs} is no .npy file of numbers: {error}.") from None
        steps = given.shape[0] if given.ndim else steps
    settings = MapSettings(process=process, device=device)
    with (
        Pool(workers or os.cpu_count() or 1, cache=RunCache()) as pool,
        endless_bar(f"{model.name}, simulations") as done,
    ):
        mapped = map_network(network, steps, settings, pool, given, done)
    mapped.write(out, given)
    report = mapped.report()
    if as_json:
        typer.echo(json.dumps(report, indent=2))
        return
    for k, layer in enumerate(report["layers"]):
        typer.echo(
            f"layer {k}: gains {min(layer['gains']):.3g} to {max(layer['gains']):.3g}; "
            f"{layer['circuit_spikes']} spikes for the source's {layer['source_spikes']}, "
            f"correlation of the units' counts {layer['correlation']:.2f}"
        )
    for note in report["approximated"]:
        typer.echo(f"note: {note}")
    typer.echo(f"written: {out}")
