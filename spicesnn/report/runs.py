"""Runs of a deck as files, pictures and rows: what `spicesnn run` leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from spicesnn.engine.run import Run
from spicesnn.errors import DataError, ParameterError
from spicesnn.measure.compare import compare
from spicesnn.units import parse_spice_number
from spicesnn.waveforms import Waveforms

_SUFFIXES = (".nc", ".csv", ".raw")


def sweep_points(settings: Sequence[str], sweeps: Sequence[str]) -> list[dict[str, float]]:
    """Knob settings from `name=value` texts, and every combination of `name=start:stop:points`.

    Raises:
        ParameterError: a text is not of that form.
    """
    fixed = {}
    for text in settings:
        name, found, value = text.partition("=")
        if not found:
            raise ParameterError(f"--set {text!r}: write a knob and its value, as r1=10k.")
        fixed[_knob(name)] = parse_spice_number(value)
    axes = []
    for text in sweeps:
        name, _, span = text.partition("=")
        parts = span.split(":")
        if len(parts) != 3 or not parts[2].isdigit() or int(parts[2]) < 1:
            raise ParameterError(f"--sweep {text!r}: write start:stop:points, as r1=1k:10k:10.")
        start, stop = map(parse_spice_number, parts[:2])
        axes.append([(_knob(name), float(v)) for v in np.linspace(start, stop, int(parts[2]))])
    return [fixed | dict(point) for point in product(*axes)]


def _knob(name: str) -> str:
    return name.strip().lower()


def summary(run: Run, knobs: Mapping[str, float]) -> dict[str, Any]:
    """One run as a row: knobs, verdict, and each probe's least, most and last value."""
    probes = {
        name: {"least": float(s.min()), "most": float(s.max()), "last": float(s[-1])}
        for name, s in run.waveforms.signals.items()
        if s.size and np.isfinite(s).all()
    }
    return {
        "knobs": dict(knobs),
        "verdict": run.verdict.name.lower().replace("_", " "),
        "meaning": run.verdict.value,
        "detail": run.detail,
        "probes": probes,
        "changes": dict(run.changes),
        "messages": [f"{m.kind.name.lower()}: {m.text}" for m in run.messages],
        "reached": run.reached,
        "reloaded": list(run.reloaded),
        "ladder": list(run.ladder),
        "analysis_seconds": run.analysis_seconds,
        "iterations": run.iterations,
        "rejected": run.rejected,
        "peak_memory": run.peak_memory,
        "klu": run.klu,
        "ngspice": run.ngspice,
        "options": run.options.model_dump(mode="json"),
        "from_cache": run.from_cache,
    }


def write_waveforms(runs: Sequence[Run], path: Path) -> list[Path]:
    """Write each run's waveforms; several get numbers before the suffix.

    Raises:
        DataError: the suffix is none of .nc, .csv, .raw, or the file cannot be written.
    """
    if path.suffix not in _SUFFIXES:
        raise DataError(f"--out {path}: choose a name that ends in {', '.join(_SUFFIXES)}.")
    paths = []
    for number, run in enumerate(runs):
        place = path if len(runs) == 1 else path.with_stem(f"{path.stem}_{number}")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            {".nc": run.waveforms.to_netcdf, ".csv": run.waveforms.to_csv,
             ".raw": run.waveforms.to_raw}[path.suffix](place)  # fmt: skip
        except OSError as error:
            raise DataError(f"cannot write {place}: {error.strerror}.") from None
        paths.append(place)
    return paths


def write_plot(runs: Sequence[Run], knobs: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw each probe against the axis, one panel a probe, one line a run.

    Raises:
        DataError: no run has waveforms, or the file cannot be written.
    """
    from matplotlib.figure import Figure

    drawn = [(r, k) for r, k in zip(runs, knobs, strict=True) if r.waveforms.signals]
    if not drawn:
        raise DataError("there is nothing to plot: no run has waveforms.")
    names = list(drawn[0][0].waveforms.signals)
    figure = Figure(figsize=(7, 1.2 + 1.6 * len(names)), layout="constrained")
    panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    for panel, name in zip(panels, names, strict=True):
        for run, knob in drawn:
            label = " ".join(f"{k}={v:g}" for k, v in knob.items())
            single = run.waveforms.time.size == 1
            panel.plot(run.waveforms.time, run.waveforms[name], "o" if single else "-", label=label)
        panel.set_ylabel(f"{name} ({'A' if name.startswith(('i(', '@')) else 'V'})")
        panel.margins(x=0)
    panels[-1].set_xlabel("time (s)")
    if 1 < len(drawn) <= 10:
        panels[0].legend(frameon=False, fontsize=8)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot write {path}: {error}.") from None


def compare_rows(
    reference: Waveforms,
    other: Waveforms,
    names: Sequence[str],
    spiking: Sequence[str],
    threshold: float,
    window: float,
    margin: float,
    tolerance: float,
) -> list[dict[str, Any]]:
    """One row a signal: how far two waveforms are apart, and whether that is within tolerance.

    A spiking signal agrees where its spikes match one to one; its values are not judged.

    Raises:
        UnknownNameError: a signal is missing in one of the two.
        DataError: they do not overlap in time.
    """
    if reference.time[-1] < other.time[0] or other.time[-1] < reference.time[0]:
        raise DataError("the two waveforms do not overlap in time; compare the same span.")
    wanted = [name.lower() for name in (*names, *spiking)] if names else list(reference.signals)
    low = [name.lower() for name in spiking]
    result = compare(reference, other, wanted, low, threshold, window, margin)
    rows = []
    for name, difference in result.differences.items():
        match = result.spikes.get(name)
        good = difference.relative <= tolerance
        rows.append(
            {
                "signal": name, "largest": difference.largest, "relative": difference.relative,
                "at": difference.at,
                "spikes": f"{match.matched} match, {match.missed} missed, {match.added} added"
                if match else "",
                "agrees": match.missed == match.added == 0 if match else good,
            }
        )  # fmt: skip
    return rows
