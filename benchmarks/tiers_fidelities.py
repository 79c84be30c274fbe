"""Iris by many fidelities against training in the circuit alone, on the study's paired splits.

What the circuit alone gave is the stored study's (`benchmarks/iris_study.py`), whose freshness the
tests check; the splits, devices, start and random draws are the same.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.figure import Figure
from scipy import stats
from stored import Row, row

from spicesnn.processes import find_process
from spicesnn.systems.iris_fidelities import FidelityJob, run_iris_fidelities
from spicesnn.tiers.classifier import ClassifierTiers

Array = npt.NDArray[np.float64]
ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "pictures" / "tier_fidelities.png"
FIRST_SEED, SPLITS = 10, 10
# A tier that is off on purpose: its inputs 30 % too small.
WRONG = 0.7


def rows_of(quick: bool) -> list[Row]:
    """Accuracies by the circuit, paired, and what the circuit had to simulate."""
    job, splits = FidelityJob(), 2 if quick else SPLITS
    study = json.loads((ROOT / "benchmarks/results/iris_study.json").read_text("utf-8"))
    alone = np.array([h[-1]["test_accuracy"] for h in study["error-triggered"][:splits]])
    tiers = ClassifierTiers.load(job.iris.circuit, find_process(job.iris.process))
    runs = ROOT / "runs" / "iris_fidelities" / f"{job.identity}-{tiers.identity}"
    results, wrong = [], []
    for seed in range(FIRST_SEED, FIRST_SEED + splits):
        results.append(run_iris_fidelities(job, runs / f"seed{seed}", seed))
        place = runs / f"wrong{seed}"
        wrong.append(run_iris_fidelities(job, place, seed, gain=WRONG))
    rows = []
    for name, found in (("tier", results), (f"tier with inputs of {WRONG:g}", wrong)):
        ours = np.array([each["circuit_accuracy"] for each in found])
        lost = alone - ours
        low, high = _interval(lost)
        asked = np.array([
            each["samples_simulated_in_training"] + each["samples_simulated_at_the_end"]
            for each in found
        ])  # fmt: skip
        part = float(asked.mean() / found[0]["in_circuit_alone"])
        corrected = float(np.mean([sum(c["corrected"] for c in e["checks"]) for e in found]))
        rows += [
            row(f"{name}: final accuracy by the circuit, mean of {splits} splits",
                float(ours.mean())),
            row(f"{name}: in the circuit alone, same splits", float(alone.mean())),
            row(f"{name}: lost, mean", float(lost.mean())),
            row(f"{name}: lost, 95 % interval from", low),
            row(f"{name}: lost, 95 % interval to", high, goal="interval holds 0",
                holds=None if quick else low <= 0),
            row(f"{name}: samples through the circuit over those in the circuit alone", part,
                goal="<= 0.1", holds=part <= 0.1),
            row(f"{name}: corrections, mean", corrected),
            row(f"{name}: decisions of tier and circuit alike at the end",
                float(np.mean([each["same_decisions"] for each in found]))),
            row(f"{name}: seconds a split", float(np.mean([each["seconds"] for each in found])),
                "s"),
        ]  # fmt: skip
    if not quick:
        _draw(alone, results, wrong)
    return rows


def _interval(values: Array) -> tuple[float, float]:
    """95 %, Student's t over paired splits."""
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    low, high = stats.t.interval(0.95, values.size - 1, loc=values.mean(), scale=stats.sem(values))
    return float(low), float(high)


def _draw(alone: Array, results: list[dict], wrong: list[dict]) -> None:  # type: ignore[type-arg]
    with rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        pairs, gains, epochs = figure.subplots(1, 3)
        for found, colour, label in (
            (results, "#0072b2", "tier"), (wrong, "#d55e00", f"tier with inputs of {WRONG:g}"),
        ):  # fmt: skip
            ours = np.array([each["circuit_accuracy"] for each in found])
            shift = 0.002 * np.arange(ours.size) - 0.01
            pairs.plot(alone + shift, ours, "o", color=colour, ms=4, label=label)
            for each in found:
                calls = [check["call"] for check in each["checks"]]
                gain = [np.mean(check["gain"]) for check in each["checks"]]
                gains.plot(calls, gain, color=colour, lw=0.7, alpha=0.7)
            curves = [[h["test_accuracy"] for h in each["history"]] for each in found]
            epochs.plot(np.mean(curves, axis=0), color=colour, label=label)
        pairs.plot([0.7, 1], [0.7, 1], color="#222222", lw=0.8)
        pairs.set_xlabel("accuracy, in the circuit alone")
        pairs.set_ylabel("accuracy by the circuit")
        pairs.legend(frameon=False, fontsize=8)
        gains.set_xlabel("batch")
        gains.set_ylabel("gain of the tier's inputs")
        epochs.set_xlabel("epoch")
        epochs.set_ylabel("held-out accuracy, by the tier")
        PICTURE.parent.mkdir(exist_ok=True)
        figure.savefig(PICTURE, dpi=150)
