"""The main job: iris, classified by a spiking network inside a simulated circuit.

`IrisJob(...)` is the configuration, `run_iris(job, folder)` the run; it leaves a run folder with
configuration, versions, histories, weights, waveforms and `result.json`.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.devices import find_pulse_map
from spicesnn.engine.cache import RunCache
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.errors import ParameterError, RunFolderError
from spicesnn.learning.baseline import logistic_regression_accuracy
from spicesnn.learning.checkpoint import State
from spicesnn.learning.circuit import CircuitForward
from spicesnn.learning.datasets import Dataset, iris, stratified_split
from spicesnn.learning.encoders import PopulationEncoder, SpikeTrains
from spicesnn.learning.loop import LoopParameters, Progress, Task, start_state, train
from spicesnn.learning.rules import ErrorTriggered, Plain, RuleName, ThreeFactors
from spicesnn.parameters import Parameters, parameter
from spicesnn.processes import find_process
from spicesnn.processes.installed import digest

Array = npt.NDArray[np.float64]

# Input spikes begin here, so that the circuit has settled, and end one pulse before the sample.
_FIRST_SPIKE = 0.2e-3
_LAST_MARGIN = 0.1e-3


class IrisJob(Parameters):
    """Everything that decides the outcome of the job, but for the number of workers."""

    rule: RuleName = "error-triggered"
    with_plain: bool = True
    seeds: int = parameter(1, unit="1", doc="paired repetitions, seeds 0..n-1", ge=1)
    held_out: float = parameter(1 / 3, unit="1", doc="share of the samples held out", gt=0, lt=1)
    process: str = "generic180"
    device: str = "Jo2010"
    circuit: ClassifierCircuit = ClassifierCircuit()
    encoder: PopulationEncoder = PopulationEncoder()
    factors: ThreeFactors = ThreeFactors()
    error_triggered: ErrorTriggered = ErrorTriggered()
    plain: Plain = Plain()
    loop: LoopParameters = LoopParameters()
    options: SimulationOptions = SimulationOptions()

    def rules(self) -> tuple[RuleName, ...]:
        """The rules to run: the asked one, and plain beside the triggered one if wanted."""
        if self.rule == "error-triggered" and self.with_plain:
            return ("error-triggered", "plain")
        return (self.rule,)

    def parameters_of(self, rule: RuleName) -> ErrorTriggered | Plain | None:
        """The parameters of a rule; none for no rule."""
        return {"error-triggered": self.error_triggered, "plain": self.plain, "none": None}[rule]


@dataclass(frozen=True)
class Watcher:
    """What the run tells its caller: `begin(rule, seed, simulations)`, then after each step."""

    begin: Callable[[RuleName, int, int], None] = lambda rule, seed, simulations: None
    progress: Callable[[Progress], None] = lambda progress: None
    simulated: Callable[[], None] = lambda: None


def encode_iris(
    job: IrisJob, seed: int, data: Dataset | None = None
) -> tuple[Task, list[SpikeTrains]]:
    """The split of this seed, encoded: the task, and all samples in the data's order."""
    data = data or iris()
    train_set, test_set = stratified_split(data.labels, job.held_out, seed)
    low, high = data.features[train_set].min(axis=0), data.features[train_set].max(axis=0)
    rates = job.encoder.rates(data.features, low, high)
    rows, units = rates.shape[1], len(data.class_names)
    if (rows, units) != (job.circuit.rows, job.circuit.units):
        raise ParameterError(
            f"the data need {rows} rows and {units} units; the circuit has "
            f"{job.circuit.rows} and {job.circuit.units}. Set circuit.rows and circuit.units."
        )
    stop = job.circuit.stop - _LAST_MARGIN
    samples = [job.encoder.spikes(rate, _FIRST_SPIKE, stop) for rate in rates]
    task = Task(
        [samples[k] for k in train_set], data.labels[train_set],
        [samples[k] for k in test_set], data.labels[test_set],
    )  # fmt: skip
    return task, samples


@contextmanager
def circuit_forward(job: IrisJob, workers: int, cache: RunCache | None) -> Iterator[CircuitForward]:
    """The job's circuit with a pool of workers behind it.

    Raises:
        ParameterError: the rails put more over a device than it may be read at.
    """
    process, device = find_process(job.process), find_pulse_map(job.device)
    between = job.circuit.v_read - job.circuit.v_return
    if between > device.read_voltage:
        raise ParameterError(
            f"the read rails are {between:g} V apart; {device.name} is read at "
            f"{device.read_voltage:g} V at most: lower circuit.v_read or raise circuit.v_return."
        )
    with Pool(workers, job.options, cache=cache) as pool:
        yield CircuitForward(job.circuit, process, pool)


def run_iris(
    job: IrisJob,
    folder: Path,
    workers: int | None = None,
    resume: bool = False,
    watcher: Watcher | None = None,
    cache: RunCache | None = None,
    data: Dataset | None = None,
) -> dict[str, Any]:
    """Run the job and leave a run folder.

    Args:
        job: the configuration.
        folder: made if it is not there; must be empty unless `resume`.
        workers: simulation processes, by default one a core.
        resume: go on from the folder's checkpoints; its configuration must be the same.
        watcher: told of the progress.
        cache: where input traces are kept, by default the user's cache folder.
        data: by default iris.

    Returns:
        What `result.json` holds.

    Raises:
        RunFolderError: the folder is not empty, or holds another job.
        UnknownNameError: the process or the device does not exist.
        NgspiceNotFoundError: there is no ngspice.
        SimulationError: a simulation did not converge.
    """
    started = time.perf_counter()
    watcher = watcher or Watcher()
    find_process(job.process)
    device = find_pulse_map(job.device)
    workers = os.cpu_count() or 1 if workers is None else workers
    data = data or iris()
    steps = job.factors.steps(job.circuit.stop)
    states: dict[RuleName, list[State]] = {rule: [] for rule in job.rules()}
    references: list[float] = []
    earlier = 0.0
    with circuit_forward(job, workers, cache or RunCache()) as forward:
        versions = _versions(job, forward.runner.pool.installation.version_text, data)
        _prepare(folder, job, resume, versions)
        for seed in range(job.seeds):
            task, _ = encode_iris(job, seed, data)
            references.append(logistic_regression_accuracy(task))
            for rule in job.rules():
                rules = job.parameters_of(rule)
                place = folder / rule / f"seed{seed}"
                place.mkdir(parents=True, exist_ok=True)
                checkpoint = place / "checkpoint.npz"
                shape = (2, job.circuit.rows, job.circuit.units)
                state = (
                    State.load(checkpoint)
                    if checkpoint.exists()
                    else start_state(device, shape, job.loop, rules, seed)
                )
                if not checkpoint.exists():
                    np.savez(place / "weights_before.npz", conductance=state.conductance)
                earlier += state.wall_seconds
                watcher.begin(rule, seed, _simulations_left(job, task, rule, state))
                state = train(
                    forward, task, device, job.factors, rules, job.loop, steps, state, seed,
                    checkpoint, watcher.progress, watcher.simulated,
                )  # fmt: skip
                np.savez(place / "weights.npz", conductance=state.conductance)
                _write_json(place / "history.json", state.history)
                states[rule].append(state)
        seconds = sum(s.analysis_seconds for group in states.values() for s in group)
        simulations = sum(s.simulations for group in states.values() for s in group)
        result = {
            "job": "iris",
            "rule": job.rule,
            **_summary(states[job.rule]),
            "logistic_regression_accuracy": references,
            "logistic_regression_accuracy_mean": float(np.mean(references)),
            "wall_seconds": time.perf_counter() - started + earlier,
            "analysis_seconds": seconds,
            "verdicts": {"converged": simulations},
            "ngspice": forward.runner.pool.installation.version_text,
        }
        if "plain" in states and job.rule != "plain":
            result["plain"] = _summary(states["plain"])
        _save_waveforms(job, folder, forward, data)
    _write_json(folder / "result.json", result)
    return result


def load_job(folder: Path) -> IrisJob:
    """The configuration of a run folder.

    Raises:
        RunFolderError: it is not a run folder of this job.
    """
    path = folder / "config.json"
    try:
        return IrisJob.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFolderError(
            f"{folder} is not a run folder of `spicesnn train iris`: {error}"
        ) from None


def load_conductance(folder: Path, rule: RuleName, seed: int, name: str = "weights") -> Array:
    """Conductances of a run, siemens, shape (2, rows, units).

    Raises:
        RunFolderError: the run has not got so far.
    """
    path = folder / rule / f"seed{seed}" / f"{name}.npz"
    try:
        with np.load(path, allow_pickle=False) as data:
            return np.asarray(data["conductance"], dtype=np.float64)
    except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
        raise RunFolderError(f"{path} cannot be read ({error}); finish the run first.") from None


def unit_deck_text(
    folder: Path, unit: int, sample: int, seed: int = 0, data: Dataset | None = None
) -> str:
    """The complete deck of one trained output with one sample's stimulus.

    Args:
        folder: a finished run.
        unit: output, from 0.
        sample: index into the data set.
        seed: which repetition's weights and split.
        data: what the run was trained on, by default iris.

    Raises:
        RunFolderError: the folder is not a finished run.
        ParameterError: there is no such unit or sample.
    """
    job = load_job(folder)
    process = find_process(job.process)
    data = data or iris()
    begun = json.loads((folder / "versions.json").read_text(encoding="utf-8"))
    if begun.get("data") != data.identity:
        raise RunFolderError(f"{folder} was trained on other data; give them as `data`.")
    _, samples = encode_iris(job, seed, data)
    for name, value, count in (("unit", unit, job.circuit.units), ("sample", sample, len(samples))):
        if not 0 <= value < count:
            raise ParameterError(f"{name} {value} does not exist; give 0 to {count - 1}.")
    conductance = load_conductance(folder, job.rule, seed)
    deck = job.circuit.unit_deck(process)
    knobs = job.circuit.unit_knobs(conductance, samples[sample], unit, process)
    return deck.text(job.options.line(), knobs)


def _prepare(folder: Path, job: IrisJob, resume: bool, versions: dict[str, str]) -> None:
    config = folder / "config.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            if not resume:
                raise RunFolderError(
                    f"{folder} is not empty; give --resume to go on with that run, "
                    "or another --out."
                )
            if load_job(folder) != job:
                raise RunFolderError(
                    f"{folder} holds a run with another configuration; repeat its options with "
                    f"--resume (see {config}), or give another --out."
                )
            _same_versions(folder, versions)
            return
        # The configuration last: a folder without it was not begun.
        _write_json(folder / "versions.json", versions)
        _write_text(config, job.model_dump_json(indent=2))
    except OSError as error:
        raise RunFolderError(f"cannot write into {folder}: {error.strerror}.") from None


def circuit_identity(job: IrisJob) -> str:
    """Hash of the decks that the job's pieces run, with their models and an input event."""
    process = find_process(job.process)
    decks = {piece.alone.identity for piece in job.circuit.network(process).pieces.values()}
    event = job.circuit.stimulus([job.circuit.stop / 10], process)
    total = hashlib.sha256(" ".join(sorted(decks)).encode())
    total.update(digest(process.library).encode())
    total.update(event.time.tobytes() + event.value.tobytes())
    return total.hexdigest()[:16]


def _versions(job: IrisJob, ngspice: str, data: Dataset) -> dict[str, str]:
    names = ("spicesnn", "PySpice", "numpy", "scipy", "scikit-learn", "pydantic")
    packages = {name: version(name) for name in names}
    python = platform.python_version()
    circuit = circuit_identity(job)
    return {
        "python": python, **packages, "ngspice": ngspice, "data": data.identity, "circuit": circuit,
    }  # fmt: skip


def _same_versions(folder: Path, versions: dict[str, str]) -> None:
    """Refuse to go on where a part of the answer would come from something else."""
    try:
        begun = json.loads((folder / "versions.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{folder}/versions.json cannot be read: {error}.") from None
    for name in ("ngspice", "spicesnn", "data", "circuit"):
        if begun.get(name) != versions[name]:
            raise RunFolderError(
                f"{folder} was begun with {name} {begun.get(name)}; here it is {versions[name]}. "
                "Go on with the same, or give another --out."
            )


def _simulations_left(job: IrisJob, task: Task, rule: RuleName, state: State) -> int:
    pieces = 2 * job.circuit.units
    epochs = 0 if rule == "none" else job.loop.epochs
    tests = max(epochs + 1 - len(state.history), 0) * len(task.test)
    trained = state.epoch * len(task.train) + state.batch * job.loop.batch
    return pieces * (tests + max(epochs * len(task.train) - trained, 0))


def _summary(states: list[State]) -> dict[str, Any]:
    last = [state.history[-1] for state in states]
    columns: dict[str, list[float]] = {
        "test_accuracy": [float(row["test_accuracy"] or 0) for row in last],
        "writes": [float(row["writes"] or 0) for row in last],
    }
    parts = [name for name in last[0] if name.startswith("energy_")]
    columns["energy_per_sample"] = [sum(float(row[p] or 0) for p in parts) for row in last]
    spikes = [float(row["spikes_per_sample"] or 0) for row in last]
    columns["energy_per_spike"] = [
        energy / count if count else float("inf")
        for energy, count in zip(columns["energy_per_sample"], spikes, strict=True)
    ]
    summary: dict[str, Any] = {}
    for name, values in columns.items():
        finite = [v if np.isfinite(v) else None for v in values]
        summary[name] = finite
        known = [v for v in finite if v is not None]
        summary[f"{name}_mean"] = float(np.mean(known)) if known else None
    summary["energy_parts"] = {
        part.removeprefix("energy_"): float(np.mean([float(row[part] or 0) for row in last]))
        for part in parts
    }
    return summary


def _save_waveforms(
    job: IrisJob, folder: Path, forward: CircuitForward, data: Dataset | None
) -> None:
    """Waveforms of one held-out sample of each class with the final weights; their inputs."""
    place = folder / "waveforms"
    place.mkdir(exist_ok=True)
    data = data or iris()
    _, test_set = stratified_split(data.labels, job.held_out, 0)
    _, samples = encode_iris(job, 0, data)
    conductance = load_conductance(folder, job.rule, 0)
    chosen = [int(test_set[data.labels[test_set] == label][0]) for label in np.unique(data.labels)]
    for sample, runs in zip(
        chosen, forward.simulate(conductance, [samples[k] for k in chosen]), strict=True
    ):
        for name, run in runs.items():
            run.waveforms.to_netcdf(place / f"sample{sample}_{name}.nc")
    inputs = {
        f"sample{k}": {"label": data.class_names[data.labels[k]], "spikes": samples[k]}
        for k in chosen
    }
    _write_json(place / "inputs.json", inputs)


def _write_json(path: Path, value: Any) -> None:
    _write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def _write_text(path: Path, text: str) -> None:
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
