"""A crosscheck of tier and circuit as page, figure and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from spicesnn.errors import RunFolderError
from spicesnn.tiers.agreement import Agreement, Answer, Budget, away, limit_of
from spicesnn.tiers.crosscheck import Crosscheck
from spicesnn.tiers.record import Record, step_ends

Array = npt.NDArray[np.float64]

CIRCUIT, TIER = "#222222", "#d55e00"
_LINES = (TIER, "#0072b2", "#009e73")
_DULL = ("constant", "regular", "steady")


def write_crosscheck(found: Crosscheck, budget: Budget, folder: Path) -> list[Path]:
    """Write `crosscheck.md`, `crosscheck.png` and `crosscheck.json`; returns their paths.

    Raises:
        RunFolderError: the folder cannot be written.
    """
    page, picture, data = (folder / f"crosscheck.{end}" for end in ("md", "png", "json"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draw_crosscheck(found, budget, picture)
        page.write_text(_page(found, budget), encoding="utf-8")
        content = {
            "tier": found.name,
            "errors": found.agreement.numbers(),
            "violations": found.agreement.violations(budget),
            "budget": budget.model_dump(),
            "runs": found.agreement.runs,
            "seconds": found.agreement.seconds,
            "refused": found.refused,
            "spikes": found.agreement.spikes,
            "shifts [s]": found.agreement.shifts.tolist(),
        }
        data.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise RunFolderError(f"cannot write into {folder}: {error.strerror}.") from None
    return [page, picture, data]


def draw_crosscheck(found: Crosscheck, budget: Budget, path: Path) -> None:
    """One run of both in time, all runs' states against each other, shifts, and the budget."""
    shown = _shown(found)
    record, answer = found.records[shown], found.answers[shown]
    names = list(record.outputs)
    spiking = bool(found.agreement.spikes or found.agreement.tier_spikes)
    left = 1 + len(names) + spiking
    with rc_context({"font.size": 8.5, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(10, 1.6 + 1.35 * left), layout="constrained")
        grid = figure.add_gridspec(left, 2, width_ratios=(2.3, 1))
        panels = [figure.add_subplot(grid[k, 0]) for k in range(left)]
        for other in panels[:-1]:
            other.sharex(panels[-1])
            other.tick_params(labelbottom=False)
        _inputs(panels[0], record, found.inputs)
        for panel, name in zip(panels[1:], names, strict=False):
            _traces(panel, record, answer, name, found.compared[name])
        if spiking:
            _raster(panels[-1], record, answer)
        panels[1].legend(frameon=False, ncols=2, loc="upper right")
        panels[-1].set_xlabel("time (ms)")
        panels[-1].set_xlim(*(1e3 * end for end in _window(record)))
        panels[0].set_title(
            f"{found.name}: run {shown + 1} of {len(found.records)} ({found.kinds[shown]})",
            loc="left",
        )
        right = grid[:, 1].subgridspec(2 + spiking, 1)
        axes = [figure.add_subplot(right[k]) for k in range(2 + spiking)]
        _errors(axes[0], found, budget)
        if spiking:
            _shifts(axes[1], found.agreement)
        _bars(axes[-1], found.agreement, budget)
        figure.savefig(path, dpi=150)


def _shown(found: Crosscheck) -> int:
    """The run whose picture says most: a drive that changes, of middling activity."""
    changing = [k for k, kind in enumerate(found.kinds) if kind not in _DULL]
    counts = {k: found.records[k].spikes.size for k in changing or range(len(found.records))}
    busy = sorted((n, k) for k, n in counts.items() if n >= 5) or sorted(
        (n, k) for k, n in counts.items()
    )
    return busy[len(busy) // 2][1]


def _window(record: Record) -> tuple[float, float]:
    """The part of a run that is drawn: all of it, or some twenty spikes."""
    if record.spikes.size <= 25:
        return 0.0, record.stop
    middle = record.spikes.size // 2
    return float(record.spikes[middle - 10]), float(record.spikes[middle + 10])


def _inputs(panel: Axes, record: Record, units: Mapping[str, str]) -> None:
    times = step_ends(record.dt, record.steps)
    for name, values in record.inputs.items():
        flat = values.reshape(record.steps, -1)
        panel.plot(1e3 * times, flat, lw=0.8, drawstyle="steps-pre")
        panel.set_ylabel(f"{name.replace('_', ' ')} ({units[name]})")
    panel.yaxis.set_major_formatter(EngFormatter(unit=""))
    panel.margins(x=0)


def _traces(panel: Axes, record: Record, answer: Answer, name: str, unit: str) -> None:
    times = step_ends(record.dt, record.steps)
    panel.plot(1e3 * times, record.outputs[name], color=CIRCUIT, lw=1.2, label="circuit (ngspice)")
    panel.plot(1e3 * times, answer.outputs[name], color=TIER, lw=0.9, ls="--", label="tier")
    panel.set_ylabel(f"{name.replace('_', ' ')} ({unit})")
    panel.yaxis.set_major_formatter(EngFormatter(unit=""))
    panel.margins(x=0)


def _raster(panel: Axes, record: Record, answer: Answer) -> None:
    trains = [1e3 * answer.spikes, 1e3 * record.spikes]
    panel.eventplot(trains, colors=[TIER, CIRCUIT], linelengths=0.8, linewidths=0.8)
    panel.set_yticks([0, 1], ["tier", "circuit"])


def _errors(axes: Axes, found: Crosscheck, budget: Budget) -> None:
    """Tier less circuit of all runs, away from spikes, over each output's range."""
    bins = np.linspace(-5, 5, 81)
    for k, (name, state) in enumerate(found.agreement.states.items()):
        gaps = []
        for record, answer in zip(found.records, found.answers, strict=True):
            kept = away(record, answer, budget)
            gaps.append((answer.outputs[name] - record.outputs[name])[kept])
        gap = 100 * np.concatenate(gaps) / (state.range or 1.0)
        axes.hist(
            np.clip(gap, bins[0], bins[-1]), bins.tolist(), histtype="step", lw=1.2,
            color=_LINES[k % 3], label=name.replace("_", " "), log=True,
        )  # fmt: skip
    axes.set_xlabel("state error (% of range)")
    axes.set_ylabel("steps")
    if len(found.agreement.states) > 1:
        axes.legend(frameon=False)


def _shifts(axes: Axes, result: Agreement) -> None:
    axes.hist(result.shifts / result.tau * 100, bins=41, color=TIER)
    axes.axvline(0, color=CIRCUIT, lw=0.7)
    axes.set_xlabel("spike shift (% of tau)")
    axes.set_yscale("log")
    axes.set_ylabel("spikes")


def _bars(axes: Axes, result: Agreement, budget: Budget) -> None:
    numbers = result.numbers()
    part = np.array([value / limit_of(name, budget) for name, value in numbers.items()])
    colours = ["#009e73" if p <= 1 else "#cc3311" for p in part]
    places = np.arange(part.size)[::-1]
    axes.barh(places, np.minimum(part, 3), color=colours, height=0.6)
    axes.axvline(1, color=CIRCUIT, lw=0.8)
    axes.set_yticks(places, [name.replace("_", " ") for name in numbers])
    for place, (p, value) in zip(places, zip(part, numbers.values(), strict=True), strict=True):
        axes.text(min(p, 3) + 0.03, place, f"{value:.2%}", va="center", fontsize=7)
    axes.set_xlim(0, max(1.35, min(3.4, part.max() + 0.4)))
    axes.set_xlabel("error over its limit")


def _page(found: Crosscheck, budget: Budget) -> str:
    result, file = found.agreement, found.file
    lines = [
        f"# Crosscheck: {found.name}", "",
        f"{found.title}. {result.runs} runs, {result.seconds:.3g} s of circuit time, "
        f"{result.spikes} spikes, on stimuli that the fit never saw "
        f"({', '.join(sorted(set(found.kinds)))}). Refused, and drawn anew, since they led the "
        f"tier out of its range: {found.refused}.", "",
        "![Circuit and tier](crosscheck.png)", "",
        "| error | value | limit | |", "|---|---|---|---|",
    ]  # fmt: skip
    for name, value in result.numbers().items():
        limit = limit_of(name, budget)
        held = "" if value <= limit else "**over the budget**"
        lines.append(f"| {name} | {value:.3%} | {limit:.2%} | {held} |")
    lines += [
        "",
        f"Spikes match within {result.window:.3g} s ({budget.window:g} of the time constant "
        f"{result.tau:.3g} s): {result.matched} matched, {result.missed} missed, {result.added} "
        f"added. State is left out within {budget.margin:g} spike widths and a step of a spike of "
        "either.",
    ]
    if file is None:
        return "\n".join(lines) + "\n"
    lines += [
        "",
        "| parameter | value | uncertainty | unit |", "|---|---|---|---|",
    ]  # fmt: skip
    lines += [
        f"| {name} | {each.value:.5g} | {each.sigma:.2g} | {each.unit} |"
        for name, each in file.parameters.items()
    ]
    lines += ["", "| quantity | range |", "|---|---|"]
    lines += [f"| {name} | {span.text()} |" for name, span in file.ranges.items()]
    if file.energy:
        lines += ["", "| energy of | value | uncertainty | unit |", "|---|---|---|---|"]
        lines += [
            f"| {name} | {each.value:.4g} | {each.sigma:.2g} | {each.unit} |"
            for name, each in file.energy.items()
        ]
    return "\n".join(lines) + "\n"
