"""Pictures of an iris run: inputs, traces, membranes, conductances, learning curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spicesnn.errors import RunFolderError
from spicesnn.learning.rules import RuleName
from spicesnn.measure.spikes import spike_times
from spicesnn.processes import find_process
from spicesnn.systems.iris import IrisJob, load_conductance, load_job

Array = npt.NDArray[np.float64]
_UNIT_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
_RULE_COLOURS = {"error-triggered": "#0072b2", "plain": "#d55e00", "none": "#555555"}
_FEATURES = ("sepal length", "sepal width", "petal length", "petal width")


def write_pictures(folder: Path) -> Path:
    """Draw all pictures of a finished run into `pictures/`; returns that folder.

    Raises:
        RunFolderError: the folder is not a finished run.
    """
    job = load_job(folder)
    try:
        inputs = json.loads((folder / "waveforms" / "inputs.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFolderError(
            f"{folder} is not finished ({error}); finish it by --resume."
        ) from None
    place = folder / "pictures"
    place.mkdir(exist_ok=True)
    with matplotlib.rc_context(
        {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    ):
        for sample, given in inputs.items():
            figure = _sample_figure(folder, job, sample, given["label"], given["spikes"])
            _save(figure, place / f"{sample}.png")
        _save(_conductance_figure(folder, job), place / "conductance.png")
        if job.rule != "none":
            _save(_learning_figure(folder, job), place / "learning.png")
    return place


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=150)


def _open(folder: Path, sample: str, piece: str) -> dict[str, Array]:
    import xarray

    path = folder / "waveforms" / f"{sample}_{piece}.nc"
    with xarray.open_dataset(path, engine="netcdf4") as data:
        named = {str(name): np.asarray(values) for name, values in data.data_vars.items()}
        return {"time": np.asarray(data["time"]) * 1e3, **named}


def _sample_figure(
    folder: Path, job: IrisJob, sample: str, label: str, trains: list[list[float]]
) -> Figure:
    """Input raster, P traces, membranes with output spikes: one sample from left to right."""
    circuit, supply = job.circuit, find_process(job.process).supply
    figure = Figure(figsize=(7, 7), layout="constrained")
    raster, trace, *membranes = figure.subplots(
        2 + circuit.units, 1, sharex=True,
        gridspec_kw={"height_ratios": [1.6, 1.6, *[1] * circuit.units]},
    )  # fmt: skip
    fields = job.encoder.fields
    colours = [_UNIT_COLOURS[j // fields % len(_UNIT_COLOURS)] for j in range(circuit.rows)]
    raster.eventplot([np.array(t) * 1e3 for t in trains], colors=colours, linelengths=0.8)
    raster.set_yticks(
        [fields * k + (fields - 1) / 2 for k in range(circuit.rows // fields)],
        _FEATURES[: circuit.rows // fields],
    )
    raster.set_title(
        f"{sample}, {label}: input spikes, membrane traces P and outputs after training"
    )
    for j in range(circuit.rows):
        data = _open(folder, sample, f"trace{j}")
        trace.plot(data["time"], data["v(v_p)"], color=colours[j], lw=1)
    trace.axhline(job.factors.trace_cutoff, color="0.4", lw=0.8, ls=":")
    trace.set_ylabel("trace gate $v_P$ (V)")
    for i, axis in enumerate(membranes):
        data = _open(folder, sample, f"neuron{i}")
        axis.plot(data["time"], data["v(v_mem)"], color=_UNIT_COLOURS[i], lw=1)
        starts = spike_times(data["time"], data["v(spike)"], supply / 2)
        axis.plot(starts, np.full(starts.size, 0.85), "|", color="black", ms=8)
        axis.axhspan(job.factors.window_low, job.factors.window_high, color="0.93", zorder=0)
        axis.set_ylim(-0.05, 1.0)
        axis.set_ylabel(f"unit {i} (V)")
        axis.annotate(
            f"{starts.size} spikes", (0.01, 0.98), xycoords="axes fraction", ha="left", va="top"
        )
    membranes[-1].set_xlabel("time (ms)")
    membranes[-1].set_xlim(0, circuit.stop * 1e3)
    return figure


def _conductance_figure(folder: Path, job: IrisJob) -> Figure:
    """G+ and G- before and after, and the weights they stand for."""
    rule: RuleName = job.rule
    before = load_conductance(folder, rule, 0, "weights_before") * 1e9
    after = load_conductance(folder, rule, 0) * 1e9
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    axes = figure.subplots(2, 3)
    top = float(max(before.max(), after.max()))
    for row, (name, g) in enumerate((("before", before), ("after", after))):
        for column, (symbol, values) in enumerate((("$G^+$", g[0]), ("$G^-$", g[1]))):
            image = _map(axes[row, column], values, f"{symbol} {name}", 0, top, "viridis")
        weight = (g[0] - g[1]) / (g[0] + g[1])
        signed = _map(axes[row, 2], weight, f"weight {name}", -1, 1, "RdBu_r")
    figure.colorbar(image, ax=axes[:, 1], label="conductance (nS)")
    figure.colorbar(signed, ax=axes[:, 2], label="$(G^+-G^-)/(G^++G^-)$")
    for axis in axes[:, 0]:
        axis.set_ylabel("input row")
    for axis in axes[-1]:
        axis.set_xlabel("unit")
    figure.suptitle(f"{job.device} devices, {rule}, seed 0")
    return figure


def _map(axis: Axes, values: Array, title: str, low: float, high: float, colours: str) -> Any:
    image = axis.imshow(
        values, vmin=low, vmax=high, cmap=colours, aspect="auto", interpolation="nearest"
    )
    axis.set_title(title)
    axis.set_xticks(range(values.shape[1]))
    return image


def _learning_figure(folder: Path, job: IrisJob) -> Figure:
    """Held-out accuracy and cumulative writes against epoch, one line a seed, mean in bold."""
    figure = Figure(figsize=(7.5, 3.2), layout="constrained")
    accuracy, writes = figure.subplots(1, 2)
    for rule in job.rules():
        colour = _RULE_COLOURS[rule]
        histories = [
            json.loads((folder / rule / f"seed{seed}" / "history.json").read_text())
            for seed in range(job.seeds)
        ]
        for axis, name in ((accuracy, "test_accuracy"), (writes, "writes")):
            table = np.array([[row[name] for row in rows] for rows in histories], dtype=float)
            if job.seeds > 1:
                axis.plot(table.T, color=colour, lw=0.6, alpha=0.5)
            axis.plot(table.mean(axis=0), "o-", color=colour, ms=3, label=rule)
    for axis in (accuracy, writes):
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    accuracy.set(xlabel="epoch", ylabel="held-out accuracy", ylim=(0, 1.02))
    accuracy.axhline(0.9, color="0.5", lw=0.8, ls=":")
    writes.set(xlabel="epoch", ylabel="writes (pulses on one device)", ylim=(0, None))
    accuracy.legend(frameon=False, loc="lower right")
    return figure
