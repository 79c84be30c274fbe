"""A datasheet as a page: drawing, parameters, laws beside curves, tables, mismatch, JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spicesnn.characterize.bench import Bench, Panel
from spicesnn.characterize.datasheet import Datasheet, Point
from spicesnn.characterize.montecarlo import Distribution
from spicesnn.characterize.own_cell import LAYOUT
from spicesnn.circuits.cells.cell import Cell
from spicesnn.errors import RunFolderError
from spicesnn.parameters import Parameters


def as_json(sheet: Datasheet) -> dict[str, Any]:
    """The datasheet as plain numbers; null where the cell does not show one."""
    return {
        "cell": sheet.entry.name,
        "title": sheet.entry.title,
        "process": sheet.process,
        "identity": sheet.identity,
        "ngspice": sheet.ngspice,
        "passes": not sheet.violations(),
        "violations": sheet.violations(),
        "doubts": list(sheet.doubts),
        "parameters": {b.name: b.model_dump(mode="json") for b in sheet.entry.benches},
        "quantities": {
            name: {
                "unit": quantity.unit, "low": quantity.low, "high": quantity.high,
                "everywhere": quantity.everywhere, "law": quantity.law,
                "change at half the step": _plain(sheet.change(name)),
                "sensitivity to the supply": _plain(sheet.sensitivity(name)),
            }
            for name, quantity in sheet.quantities.items()
        },
        "points": [
            {
                "corner": p.corner, "celsius": p.celsius, "supply": round(p.supply, 6),
                "values": {name: _plain(value) for name, value in p.values.items()},
                "failed": dict(p.failed),
            }
            for p in sheet.points
        ],
        "mismatch": {
            name: {
                "draws": int(d.values.size), **{k: _plain(v) for k, v in _spread(d).items()}
            }
            for name, d in _distributions(sheet).items()
        },
        "failed draws": {
            study.bench: {str(k): why for k, why in study.failed.items()}
            for study in sheet.studies if study.failed
        },
    }  # fmt: skip


def write_datasheet(sheet: Datasheet, folder: Path, name: str = "") -> list[Path]:
    """Write `NAME.md`, its pictures and `NAME.json`; by default the cell's name.

    Raises:
        RunFolderError: the folder cannot be written.
    """
    name = name or sheet.entry.name
    page, data = folder / f"{name}.md", folder / f"{name}.json"
    curves, draws = folder / f"{name}-curves.png", folder / f"{name}-mismatch.png"
    distributions = _distributions(sheet)
    paths = [page]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if sheet.panels:
            draw_panels(sheet.panels, curves)
            paths.append(curves)
        if distributions:
            _draw_distributions(distributions, draws)
            paths.append(draws)
        pictures = [path.name for path in paths[1:]]
        page.write_text(_page(sheet, distributions, pictures, data.name), encoding="utf-8")
        # Last: a datasheet that was stopped is made again.
        data.write_text(json.dumps(as_json(sheet), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise RunFolderError(f"cannot write into {folder}: {error.strerror}.") from None
    return [*paths, data]


def _plain(value: float) -> float | None:
    """Six figures; JSON knows no NaN."""
    return float(f"{value:.6g}") if np.isfinite(value) else None


_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
_PREFIXED = ("A", "V", "s", "Hz", "J", "W", "F", "ohm", "m", "S", "V/A", "A/V", "C")


def engineering(value: float, unit: str, figures: int = 4) -> str:
    """A number with its unit and an SI prefix where that is usual."""
    if not np.isfinite(value):
        return "—"
    if unit == "1" or value == 0:
        return f"{value:.{figures}g}" + ("" if unit == "1" else f" {unit}")
    # Of m2 or V/rtHz a prefix would be misread.
    if unit not in _PREFIXED:
        return f"{value:.{figures}g} {unit}"
    rounded = float(f"{value:.{figures}g}")
    power = int(np.clip(3 * np.floor(np.log10(abs(rounded)) / 3), -18, 9))
    return f"{rounded / 10.0**power:.{figures}g} {_PREFIXES[power]}{unit}"


def _distributions(sheet: Datasheet) -> dict[str, Distribution]:
    """What two draws at least show, and differ in."""
    found = {name: d for study in sheet.studies for name, d in study.properties.items()}
    return {
        name: d
        for name, d in found.items()
        if np.isfinite(d.values).sum() > 1 and np.nanmax(d.values) > np.nanmin(d.values)
    }


def _spread(distribution: Distribution) -> dict[str, float]:
    good = distribution.values[np.isfinite(distribution.values)]
    low, middle, high = np.percentile(good, [5, 50, 95])
    return {
        "shown": float(good.size), "nominal": distribution.nominal, "mean": float(good.mean()),
        "sigma": float(good.std(ddof=1)), "5 %": float(low), "median": float(middle),
        "95 %": float(high),
    }  # fmt: skip


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _page(
    sheet: Datasheet, distributions: Mapping[str, Distribution], pictures: list[str], data: str
) -> str:
    violations = sheet.violations()
    process = sheet.process
    parts = [
        f"# {sheet.entry.title} on {process}",
        f"Cell `{sheet.entry.name}`, measured with ngspice {sheet.ngspice}; all numbers are in "
        f"[{data}]({data}).",
    ]
    verdict = (
        "**All limits hold** (typical transistors, 27 °C)."
        if not violations
        else "**Limits that do not hold:**"
    )
    parts.append("\n".join([verdict, "", *(f"* {text}" for text in violations)]).strip())
    if sheet.doubts:
        parts.append("\n".join(["**To know:**", "", *(f"* {text}" for text in sheet.doubts)]))
    parts += ["## Circuit", sheet.entry.description()]
    parts += ["## Typical, 27 °C", _typical(sheet)]
    parts += [f"![{name.removesuffix('.png')}]({name})" for name in pictures if "curves" in name]
    parts += _layout(sheet)
    parts += _conditions(sheet)
    if distributions:
        parts += ["## Mismatch", _mismatch(sheet, distributions)]
        parts += [f"![{n.removesuffix('.png')}]({n})" for n in pictures if "mismatch" in n]
    parameters = _parameters(sheet)
    parts += ["## Parameters", parameters] if parameters else []
    return "\n\n".join(parts) + "\n"


def _typical(sheet: Datasheet) -> str:
    head = ["quantity", "value", "limit", "holds", "law"]
    head += ["change at half the step"] if sheet.halved else []
    head += ["% a % of supply"] if sheet.plan.low_supply else []
    rows = []
    for name, quantity in sheet.quantities.items():
        value, limits = sheet.points[0].values[name], quantity.limits()
        holds = ("yes" if quantity.passes(value) else "**no**") if limits else ""
        row = [name, engineering(value, quantity.unit), limits, holds, quantity.law]
        row += [_percent(sheet.change(name))] if sheet.halved else []
        row += [_number(sheet.sensitivity(name))] if sheet.plan.low_supply else []
        rows.append(row)
    return _table(head, rows)


def _layout(sheet: Datasheet) -> list[str]:
    """Schematic and layout side by side, where the cell has both."""
    rows, values = [], sheet.points[0].values
    for name, quantity in sheet.quantities.items():
        if name + LAYOUT in values:
            before, after = values[name], values[name + LAYOUT]
            change = f"{after / before - 1:+.1%}" if before else "—"
            numbers = [engineering(value, quantity.unit) for value in (before, after)]
            rows.append([name, *numbers, change])
    head = ["quantity", "schematic", "layout", "change"]
    return ["## Schematic and layout", _table(head, rows)] if rows else []


def _percent(value: float) -> str:
    return f"{value:.2%}" if np.isfinite(value) else "—"


def _number(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "—"


def _conditions(sheet: Datasheet) -> list[str]:
    """Tables by corner and by temperature, where there is more than the typical one."""
    typical, *others = sheet.points
    nominal = [p for p in others if p.supply == 1.0]
    corners = [typical, *(p for p in nominal if p.celsius == typical.celsius)]
    temperatures = sorted(
        [typical, *(p for p in nominal if p.corner == typical.corner)], key=lambda p: p.celsius
    )
    parts = []
    if len(corners) > 1:
        parts += ["## Corners, 27 °C", _by(sheet, corners, [p.corner for p in corners])]
    if len(temperatures) > 1:
        heads = [f"{p.celsius:g} °C" for p in temperatures]
        parts += ["## Temperatures, typical", _by(sheet, temperatures, heads)]
    return parts


def _by(sheet: Datasheet, points: Sequence[Point], heads: Sequence[str]) -> str:
    rows, outside = [], False
    for name, quantity in sheet.quantities.items():
        row = [name]
        for point in points:
            value = point.values[name]
            text = engineering(value, quantity.unit)
            passes = quantity.passes(value)
            outside |= not passes
            row.append(text if passes else f"**{text}**")
        rows.append(row)
    note = "\n\nBold: outside the typical limit." if outside else ""
    return _table(["quantity", *heads], rows) + note


def _mismatch(sheet: Datasheet, distributions: Mapping[str, Distribution]) -> str:
    rows = []
    for name, distribution in distributions.items():
        found = _spread(distribution)
        numbers = [found[key] for key in ("nominal", "mean", "sigma", "5 %", "95 %")]
        cells = [engineering(number, distribution.unit) for number in numbers]
        rows.append([name, *cells, f"{found['shown']:.0f} of {distribution.values.size}"])
    failed = sum(len(study.failed) for study in sheet.studies)
    note = f"{sheet.plan.draws} draws, seed {sheet.plan.seed}, typical, 27 °C"
    note += f"; {failed} could not be measured." if failed else "."
    left = [f"`{bench.name}`" for bench in sheet.entry.benches if not bench.drawn]
    note += f" Not drawn, as a run takes long: {', '.join(left)}." if left else ""
    head = ["quantity", "nominal", "mean", "sigma", "5 %", "95 %", "draws that show it"]
    return f"{note}\n\n{_table(head, rows)}"


def _parameters(sheet: Datasheet) -> str:
    rows: list[list[str]] = []
    for bench in sheet.entry.benches:
        rows += _fields(bench, f"bench `{bench.name}`")
        for cell in bench.cells():
            rows += _fields(cell, f"`{type(cell).__name__}`")
    unique = {tuple(row): row for row in rows}
    return _table(["of", "name", "value", "meaning", "source"], unique.values()) if rows else ""


def _fields(parameters: Parameters, owner: str) -> list[list[str]]:
    rows = []
    for name, field in type(parameters).model_fields.items():
        value, extra = getattr(parameters, name), field.json_schema_extra
        if isinstance(value, Cell | Bench) or not isinstance(extra, dict):
            continue
        unit = str(extra["unit"])
        number = isinstance(value, float | int) and not isinstance(value, bool)
        text = engineering(float(value), unit) if number else str(value)
        meaning = (field.description or "").removesuffix(f" [{unit}]")
        rows.append([owner, f"`{name}`", text, meaning, str(extra["source"])])
    return rows


def draw_panels(panels: Sequence[Panel], path: Path) -> None:
    """Simulated curves as lines, laws dashed in black over them; two panels a row."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.3 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.ravel()[len(panels) :]:
        axis.axis("off")
    for axis, panel in zip(axes.ravel(), panels, strict=False):
        simulated = 0
        for line in panel.lines:
            style: dict[str, Any] = {"color": "k", "linestyle": "--", "linewidth": 1.0}
            if not line.law:
                style = {"color": f"C{simulated}", "linewidth": 1.4}
                style["marker"] = "." if line.x.size < 40 else ""
                simulated += 1
            axis.plot(line.x, line.y, label=line.label, **style)
        for which, unit in (("x", panel.x_unit), ("y", panel.y_unit)):
            own = axis.xaxis if which == "x" else axis.yaxis
            if which in panel.log:
                getattr(axis, f"set_{which}scale")("log")
                low, high = getattr(axis, f"get_{which}lim")()
                if high < 100 * low:
                    own.set_major_locator(LogLocator(subs=(1, 2, 5)))
                own.set_minor_formatter(NullFormatter())
            elif which == "x":
                axis.locator_params(axis="x", nbins=6)
            if unit and unit != "1":
                own.set_major_formatter(EngFormatter(unit, sep=" "))
        axis.set_xlabel(panel.x)
        axis.set_ylabel(panel.y)
        axis.set_title(panel.title, fontsize=9)
        axis.tick_params(labelsize=8)
        axis.grid(alpha=0.25)
        if len(panel.lines) > 1:
            axis.legend(fontsize=7, framealpha=0.8)
    figure.savefig(path, dpi=110)


def _draw_distributions(distributions: Mapping[str, Distribution], path: Path) -> None:
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter

    columns = min(3, len(distributions))
    rows = -(-len(distributions) // columns)
    figure = Figure(figsize=(3.1 * columns, 2.2 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.ravel()[len(distributions) :]:
        axis.axis("off")
    for axis, (name, distribution) in zip(axes.ravel(), distributions.items(), strict=False):
        values = distribution.values[np.isfinite(distribution.values)]
        axis.hist(values, bins="auto", color="C0", alpha=0.8)
        axis.axvline(distribution.nominal, color="k", linestyle="--", linewidth=1.0)
        if distribution.unit != "1":
            axis.xaxis.set_major_formatter(EngFormatter(distribution.unit, sep=" "))
        axis.locator_params(axis="x", nbins=4)
        axis.set_yticks([])
        axis.set_title(name, fontsize=8)
        axis.tick_params(labelsize=7)
    figure.savefig(path, dpi=110)
