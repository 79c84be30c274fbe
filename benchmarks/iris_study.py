"""Error-triggered against plain writes over paired splits of iris, inside the circuit.

`--tune` first chooses each rule's parameters by the same number of trials, on inner splits of
training sets only. Results are stored in `benchmarks/results/` with the identity of the
configuration that made them; the tests check that they are fresh. Every run keeps a checkpoint
under `runs/iris_study`: a study that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress
from scipy import stats

from spicesnn.devices import find_pulse_map
from spicesnn.engine.cache import RunCache
from spicesnn.learning.baseline import logistic_regression_accuracy
from spicesnn.learning.checkpoint import State
from spicesnn.learning.datasets import stratified_split
from spicesnn.learning.loop import LoopParameters, Task, start_state, train
from spicesnn.learning.rules import ErrorTriggered, Plain, RuleName
from spicesnn.systems.iris import IrisJob, circuit_forward, circuit_identity, encode_iris

RESULTS = Path(__file__).resolve().parent / "results"
PICTURE = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "iris_study.png"
CHECKPOINTS = Path("runs/iris_study")
TARGET = 0.90
# "About a hundredfold" fewer updates, each nonzero product counted: abstract of Payvand et al.,
# AICAS 2020, arXiv 1910.06152.
PUBLISHED = 0.01

# The same number of trials for each rule; the criterion is the mean accuracy on the inner
# validation sets at the last epoch, ties broken by fewer writes.
TRIALS: dict[RuleName, list[dict[str, float]]] = {
    "error-triggered": [{"set_point": point} for point in (0.1, 0.15, 0.2, 0.3, 0.45)],
    "plain": [{"rate": rate} for rate in (0.7, 1.5, 3.0, 6.0, 12.0)],
}
TUNING_SEEDS = (100, 101, 102)
# Samples of the opening: a short training that the tests repeat, to see that the study is fresh.
OPENING = 10
# Splits that played no part in any choice: seeds 0 to 9 were looked at while the job was made.
FIRST_SEED = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="paired splits")
    parser.add_argument("--quick", action="store_true", help="2 splits, 2 epochs; says so")
    parser.add_argument("--tune", action="store_true", help="choose the rules' parameters")
    parser.add_argument("--draw", action="store_true", help="only draw what is stored")
    parser.add_argument("--json", action="store_true", help="rows as JSON on standard output")
    arguments = parser.parse_args()
    if arguments.tune:
        tune()
        return
    if arguments.draw:
        draw()
        return
    job = IrisJob()
    seeds = arguments.seeds
    if arguments.quick:
        job, seeds = IrisJob(loop=LoopParameters(epochs=2)), 2
    study = run_study(job, seeds)
    rows = rows_of(study)
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        print("reduced: 2 splits, 2 epochs" if arguments.quick else f"{seeds} paired splits")
        for row in rows:
            print("  ".join(str(row[key]) for key in ("name", "value", "unit", "goal", "holds")))
    if not arguments.quick:
        _store(
            "iris_study.json",
            {"job": job.identity, "opening": opening(job), **study, "rows": rows},
        )
        draw()


def opening(job: IrisJob) -> dict[str, Any]:
    """One epoch of the triggered rule on a few samples of the first split, and what did it."""
    task, _ = encode_iris(job, FIRST_SEED)
    few = Task(
        task.train[:OPENING], task.train_labels[:OPENING], task.test[:1], task.test_labels[:1]
    )
    device = find_pulse_map(job.device)
    loop = job.loop.model_copy(update={"epochs": 1})
    shape = (2, job.circuit.rows, job.circuit.units)
    state = start_state(device, shape, loop, job.error_triggered, FIRST_SEED)
    steps = job.factors.steps(job.circuit.stop)
    with circuit_forward(job, os.cpu_count() or 1, None) as forward:
        version = forward.runner.pool.installation.version_text
        end = train(
            forward, few, device, job.factors, job.error_triggered, loop, steps, state, FIRST_SEED
        )
    return {
        "ngspice": version,
        "writes": end.writes,
        "theta": end.theta,
        "conductance": np.round(end.conductance * 1e6, 6).tolist(),
    }


def tuned_from(job: IrisJob) -> dict[str, Any]:
    """The configuration that the tuning searched from: all but what it chose."""
    dump = job.model_dump(mode="json")
    fields: dict[RuleName, str] = {"error-triggered": "error_triggered", "plain": "plain"}
    for trials, field in fields.items():
        for name in TRIALS[trials][0]:
            del dump[field][name]
    return dump


def run_study(job: IrisJob, seeds: int) -> dict[str, Any]:
    """Histories of both rules and of untrained networks, and the software reference."""
    rules: tuple[RuleName, ...] = ("error-triggered", "plain", "none")
    splits = range(FIRST_SEED, FIRST_SEED + seeds)
    jobs = [(rule, seed) for seed in splits for rule in rules]

    def one(item: tuple[RuleName, int]) -> list[dict[str, Any]]:
        rule, seed = item
        task, _ = encode_iris(job, seed)
        return _train(job, rule, job.parameters_of(rule), task, seed, f"{rule}-seed{seed}")

    histories = _parallel(one, jobs)
    study: dict[str, Any] = {rule: [] for rule in rules}
    for (rule, _), history in zip(jobs, histories, strict=True):
        study[rule].append(history)
    study["logistic_regression"] = [
        logistic_regression_accuracy(encode_iris(job, seed)[0]) for seed in splits
    ]
    return study


def rows_of(study: dict[str, Any]) -> list[dict[str, Any]]:
    """The figures, with 95 % confidence intervals (Student's t over paired splits)."""
    rows: list[dict[str, Any]] = []

    def add(
        name: str,
        values: Any,
        unit: str,
        goal: str = "",
        holds: bool | None = None,
        published: float | None = None,
    ) -> None:
        values = np.asarray([v for v in values if v is not None], dtype=float)
        mean = float(values.mean()) if values.size else None
        interval = None
        if values.size > 1 and np.ptp(values) > 0:
            half = stats.sem(values) * stats.t.ppf(0.975, values.size - 1)
            interval = [mean - half, mean + half] if mean is not None else None
        rows.append(
            {"name": name, "value": mean, "interval": interval, "count": int(values.size),
             "unit": unit, "goal": goal, "published": published, "holds": holds}
        )  # fmt: skip

    triggered, plain = study["error-triggered"], study["plain"]
    final = {
        r: [h[-1]["test_accuracy"] for h in study[r]] for r in ("error-triggered", "plain", "none")
    }
    ends = {r: [h[-1]["writes"] for h in study[r]] for r in ("error-triggered", "plain")}
    add("accuracy, error-triggered", final["error-triggered"], "1", ">= 0.90",
        float(np.mean(final["error-triggered"])) >= TARGET)  # fmt: skip
    add("accuracy, plain", final["plain"], "1")
    add("accuracy, untrained", final["none"], "1", "< 0.55", float(np.mean(final["none"])) < 0.55)
    add("accuracy, logistic regression", study["logistic_regression"], "1")
    loss = np.subtract(final["plain"], final["error-triggered"])
    add("accuracy lost to plain", loss, "1", "not significant", _not_significant(loss))
    add("writes to the end, error-triggered", ends["error-triggered"], "pulses")
    add("writes to the end, plain", ends["plain"], "pulses")
    ratio = np.divide(ends["error-triggered"], ends["plain"])
    add("writes to the end, ratio", ratio, "1", "<= 0.2", float(ratio.mean()) <= 0.2)
    # What the papers count: every nonzero product of error, gate and trace is an update.
    products = [sum(row["products"] for row in h) for h in plain]
    add("nonzero products of plain, before rounding", products, "updates")
    add("writes to the end, error-triggered, over those products",
        np.divide(ends["error-triggered"], products), "1", published=PUBLISHED)  # fmt: skip
    set_points = [[row["event_rate"] for row in h[-2:]] for h in triggered]
    add("event rate in the last two epochs", [np.mean(rates) for rates in set_points], "1")
    add("theta at the end", [h[-1]["theta"] for h in triggered], "1")
    to = {r: [_writes_to(h) for h in study[r]] for r in ("error-triggered", "plain")}
    for rule, counts in to.items():
        add(f"writes to {TARGET}, {rule}", counts, "pulses")
    both = [(a, b) for a, b in zip(to["error-triggered"], to["plain"], strict=True) if a and b]
    ratios = [a / b for a, b in both]
    add(f"writes to {TARGET}, ratio where both reach it", ratios, "1", "<= 0.2",
        bool(ratios) and float(np.mean(ratios)) <= 0.2)  # fmt: skip
    return rows


def tune() -> None:
    """Every trial on inner splits: a third of each tuning seed's training set validates."""
    base = IrisJob()
    jobs = [
        (rule, number, seed)
        for rule, trials in TRIALS.items()
        for number in range(len(trials))
        for seed in TUNING_SEEDS
    ]

    def one(item: tuple[RuleName, int, int]) -> list[dict[str, Any]]:
        rule, number, seed = item
        kind: type[ErrorTriggered] | type[Plain]
        kind = ErrorTriggered if rule == "error-triggered" else Plain
        outer, _ = encode_iris(base, seed)
        inner, validation = stratified_split(outer.train_labels, 1 / 3, seed)
        task = Task(
            [outer.train[k] for k in inner], outer.train_labels[inner],
            [outer.train[k] for k in validation], outer.train_labels[validation],
        )  # fmt: skip
        trial = TRIALS[rule][number]
        name = "-".join(["tune", rule, *(f"{k}{v}" for k, v in trial.items()), f"seed{seed}"])
        return _train(base, rule, kind(**trial), task, seed, name)

    histories = _parallel(one, jobs)
    table: list[dict[str, Any]] = []
    for rule, trials in TRIALS.items():
        for number, trial in enumerate(trials):
            ends = [
                h[-1]
                for (r, n, _), h in zip(jobs, histories, strict=True)
                if (r, n) == (rule, number)
            ]
            accuracy = float(np.mean([row["test_accuracy"] for row in ends]))
            writes = float(np.mean([row["writes"] for row in ends]))
            table.append({"rule": rule, "trial": trial, "accuracy": accuracy, "writes": writes})
            print(rule, trial, f"accuracy {accuracy:.3f}  writes {writes:.0f}")
    best = {
        rule: max(
            (r for r in table if r["rule"] == rule), key=lambda r: (r["accuracy"], -r["writes"])
        )
        for rule in TRIALS
    }
    print("chosen:", {rule: row["trial"] for rule, row in best.items()})
    _store("iris_tuning.json", {"job": tuned_from(base), "trials": table, "chosen": best})


def _train(
    job: IrisJob,
    rule: RuleName,
    parameters: ErrorTriggered | Plain | None,
    task: Task,
    seed: int,
    name: str,
) -> list[dict[str, Any]]:
    device, steps = find_pulse_map(job.device), job.factors.steps(job.circuit.stop)
    shape = (2, job.circuit.rows, job.circuit.units)
    # The circuit too: a checkpoint of other cells or stimuli is not gone on with.
    checkpoint = CHECKPOINTS / f"{job.identity}-{circuit_identity(job)}" / f"{name}.npz"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    state = (
        State.load(checkpoint)
        if checkpoint.exists()
        else start_state(device, shape, job.loop, parameters, seed)
    )
    with circuit_forward(job, 1, RunCache()) as forward:
        end = train(
            forward, task, device, job.factors, parameters, job.loop, steps, state, seed, checkpoint
        )
    return end.history


def _parallel(function: Any, items: list[Any]) -> list[Any]:
    """One run a core, with a bar on standard error."""
    with (
        ThreadPoolExecutor(os.cpu_count() or 1) as threads,
        Progress(console=Console(stderr=True)) as bar,
    ):
        task = bar.add_task("runs", total=len(items))

        def one(item: Any) -> Any:
            answer = function(item)
            bar.advance(task)
            return answer

        return list(threads.map(one, items))


def _writes_to(history: list[dict[str, Any]]) -> float | None:
    reached = [row["writes"] for row in history if row["test_accuracy"] >= TARGET]
    return float(reached[0]) if reached else None


def _not_significant(differences: Any) -> bool:
    """Paired Wilcoxon signed-rank test, one-sided: is plain better at the 5 % level?"""
    if not np.any(differences):
        return True
    return float(stats.wilcoxon(differences, alternative="greater").pvalue) > 0.05


def draw() -> None:
    """Accuracy against writes, from the stored study and tuning, for the docs."""
    from matplotlib.figure import Figure

    study = json.loads((RESULTS / "iris_study.json").read_text(encoding="utf-8"))
    tuning = json.loads((RESULTS / "iris_tuning.json").read_text(encoding="utf-8"))
    figure = Figure(figsize=(7.5, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for rule, colour, mark in (("error-triggered", "C0", "o"), ("plain", "C1", "s")):
        accuracy = np.array([[row["test_accuracy"] for row in h] for h in study[rule]])[:, 1:]
        writes = np.array([[row["writes"] for row in h] for h in study[rule]])[:, 1:]
        half = stats.sem(accuracy) * stats.t.ppf(0.975, len(accuracy) - 1)
        left.errorbar(
            writes.mean(axis=0), accuracy.mean(axis=0), half, color=colour, marker=mark,
            capsize=2, label=rule,
        )  # fmt: skip
        trials = [row for row in tuning["trials"] if row["rule"] == rule]
        trials.sort(key=lambda row: row["writes"])
        right.plot(
            [row["writes"] for row in trials], [row["accuracy"] for row in trials],
            color=colour, marker=mark,
        )  # fmt: skip
        chosen = tuning["chosen"][rule]
        right.plot(chosen["writes"], chosen["accuracy"], "o", color="k", mfc="none", ms=12)
    reference = float(np.mean(study["logistic_regression"]))
    left.axhline(reference, color="grey", linestyle=":", label="logistic regression")
    left.set_title("ten splits, one point an epoch", fontsize=10)
    right.set_title("tuning's trials, the chosen ringed", fontsize=10)
    left.set_ylabel("held-out accuracy")
    for panel in (left, right):
        panel.set_xscale("log")
        panel.set_xticks((300, 1000, 3000), ("300", "1000", "3000"))
        panel.minorticks_off()
        panel.set_xlim(180, 3600)
        panel.set_xlabel("programming pulses")
    left.legend(frameon=False, fontsize=8, loc="lower right")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=130)


def _store(name: str, value: Any) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / name).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
