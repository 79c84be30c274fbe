"""Iris by many fidelities: trained on the tier, held to the circuit, judged by the circuit.

The same task, splits, devices, rule and random draws as `systems.iris`, so that a run is paired
with the in-circuit one of the same seed.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from spicesnn.devices import find_pulse_map
from spicesnn.engine.cache import RunCache
from spicesnn.errors import ParameterError, RunFolderError
from spicesnn.learning.checkpoint import State
from spicesnn.learning.datasets import iris, stratified_split
from spicesnn.learning.fidelities import FidelityParameters, ManyFidelities
from spicesnn.learning.forward import decide
from spicesnn.learning.loop import Progress, start_state, train
from spicesnn.learning.tier import TierForward
from spicesnn.parameters import Parameters
from spicesnn.processes import find_process
from spicesnn.systems.iris import IrisJob, circuit_forward, encode_iris
from spicesnn.tiers.classifier import ClassifierTiers


class FidelityJob(Parameters):
    """An iris job, and how often the circuit is asked."""

    iris: IrisJob = IrisJob(with_plain=False)
    fidelity: FidelityParameters = FidelityParameters()

    @property
    def batches(self) -> int:
        """Of a whole training."""
        data = iris()
        train_set, _ = stratified_split(data.labels, self.iris.held_out, 0)
        return self.iris.loop.epochs * -(-train_set.size // self.iris.loop.batch)


def run_iris_fidelities(
    job: FidelityJob,
    folder: Path,
    seed: int = 0,
    workers: int | None = None,
    cache: RunCache | None = None,
    gain: float = 1.0,
    watch: Callable[[Progress], None] | None = None,
) -> dict[str, Any]:
    """Train one split and judge it by the circuit; a run that was stopped goes on.

    Args:
        job: the configuration.
        folder: holds `config.json`, the checkpoint and `result.json`.
        seed: of the split, the devices and the writes.
        workers: simulation processes, by default one a core.
        cache: where input traces are kept, by default the user's cache folder.
        gain: by which the tier's inputs are off on purpose, to see it corrected.
        watch: called after each batch.

    Returns:
        What `result.json` holds: accuracies of circuit and tier on the held-out set with the
        final weights, samples that went through the circuit, checks and corrections.

    Raises:
        RunFolderError: the folder holds another job, or one on other tiers.
        ParameterError: the job has no rule to train by.
        TierFileError: no tiers ship for the process, or of other cells.
        OutOfRangeError: training led out of the tiers' range.
        SimulationError: a simulation did not converge.
    """
    inner = job.iris
    rule = inner.parameters_of(inner.rule)
    if rule is None:
        raise ParameterError("iris.rule = 'none' trains nothing: take error-triggered or plain.")
    process, device = find_process(inner.process), find_pulse_map(inner.device)
    tier = TierForward(ClassifierTiers.load(inner.circuit, process))
    own = {"job": job.model_dump(mode="json"), "seed": seed, "gain": gain}
    _prepare(folder, {**own, "tiers": tier.tiers.identity})
    began = time.perf_counter()
    tier.gain = np.full(inner.circuit.units, gain)
    task, _ = encode_iris(inner, seed)
    shape = (2, inner.circuit.rows, inner.circuit.units)
    checkpoint = folder / "checkpoint.npz"
    state = (
        State.load(checkpoint)
        if checkpoint.exists()
        else start_state(device, shape, inner.loop, rule, seed)
    )
    steps = inner.factors.steps(inner.circuit.stop)
    with circuit_forward(inner, workers or os.cpu_count() or 1, cache or RunCache()) as circuit:
        both = ManyFidelities(tier, circuit, inner.factors, job.fidelity)
        state = train(
            both, task, device, inner.factors, rule, inner.loop, steps, state, seed, checkpoint,
            watch, held_out=tier,
        )  # fmt: skip
        truth = circuit(state.conductance, task.test, steps)
    wanted = np.array([decide(response.spikes) for response in truth])
    found = np.array(
        [decide(response.spikes) for response in tier(state.conductance, task.test, steps)]
    )
    result = {
        "seed": seed,
        "circuit_accuracy": float((wanted == task.test_labels).mean()),
        "tier_accuracy": float((found == task.test_labels).mean()),
        "same_decisions": float((wanted == found).mean()),
        "writes": state.writes,
        "samples_simulated_in_training": both.simulated,
        "samples_simulated_at_the_end": len(task.test),
        "in_circuit_alone": inner.loop.epochs * len(task.train) + len(task.test),
        "checks": both.checks,
        "history": state.history,
        "seconds": time.perf_counter() - began,
    }
    _write(folder / "result.json", result)
    return result


def _prepare(folder: Path, identity: dict[str, Any]) -> None:
    config = folder / "config.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if config.exists():
            if json.loads(config.read_text(encoding="utf-8")) != identity:
                raise RunFolderError(
                    f"{folder} holds a run with another configuration; give another folder."
                )
            return
        if any(folder.iterdir()):
            raise RunFolderError(f"{folder} is not empty; give another folder.")
        _write(config, identity)
    except (OSError, ValueError) as error:
        raise RunFolderError(f"cannot use {folder}: {error}.") from None


def _write(path: Path, value: Any) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    os.replace(part, path)
