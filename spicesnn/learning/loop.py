"""The one training loop, over a `Forward`: circuit or tier."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spicesnn.devices import PulseArray, PulseMap
from spicesnn.errors import ParameterError
from spicesnn.learning.checkpoint import Row, State
from spicesnn.learning.encoders import SpikeTrains
from spicesnn.learning.forward import Forward, Remembering, Response, decide
from spicesnn.learning.rules import ErrorTriggered, Plain, ThreeFactors
from spicesnn.learning.writes import write
from spicesnn.parameters import Parameters, parameter

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

# Streams of random numbers, so that paired runs of two rules share what they should.
_DEVICES, _ORDER, _WRITES = range(3)


class LoopParameters(Parameters):
    """How long, in what batches, and from which weights."""

    epochs: int = parameter(6, unit="1", doc="passes through the training set", ge=0)
    batch: int = parameter(2, unit="1", doc="samples answered before their writes are made", ge=1)
    start_plus: float = parameter(0.5, unit="1", doc="mean start state of G+", ge=0, le=1)
    start_minus: float = parameter(0.35, unit="1", doc="mean start state of G-", ge=0, le=1)
    start_spread: float = parameter(0.05, unit="1", doc="half width of the start state", ge=0)


@dataclass(frozen=True)
class Task:
    """Encoded samples with their labels."""

    train: Sequence[SpikeTrains]
    train_labels: Labels
    test: Sequence[SpikeTrains]
    test_labels: Labels


@dataclass(frozen=True)
class Progress:
    """What the loop tells a watcher after each batch."""

    epoch: int
    batch: int
    batches: int
    writes: int
    train_accuracy: float
    test_accuracy: float | None


def start_state(
    device: PulseMap,
    shape: tuple[int, int, int],
    loop: LoopParameters,
    rule: ErrorTriggered | Plain | None,
    seed: int,
) -> State:
    """Draw the devices and their start: the same for every rule at the same seed.

    Raises:
        ParameterError: the devices have a history, which a state of this loop does not keep.
    """
    if device.history_names:
        raise ParameterError(
            f"{device.name} ({device.kind}) remembers {', '.join(device.history_names)}: this loop "
            "keeps conductances only; take a NeuroSim curve."
        )
    rng = np.random.default_rng([seed, _DEVICES])
    mean = np.array([loop.start_plus, loop.start_minus])[:, None, None]
    start = np.clip(mean + loop.start_spread * rng.uniform(-1, 1, size=shape), 0, 1)
    devices = PulseArray.draw(device, shape, start, rng)
    theta = rule.initial_theta if isinstance(rule, ErrorTriggered) else 0.0
    return State(devices.conductance, devices.g_min, devices.g_max, theta)


def train(
    forward: Forward,
    task: Task,
    device: PulseMap,
    factors: ThreeFactors,
    rule: ErrorTriggered | Plain | None,
    loop: LoopParameters,
    steps: Array,
    state: State,
    seed: int,
    checkpoint: Path | None = None,
    watch: Callable[[Progress], None] | None = None,
    done: Callable[[], None] | None = None,
    held_out: Forward | None = None,
) -> State:
    """Train until `loop.epochs`, or go on from `state`; with no rule, only answer the test set.

    Every epoch ends with the held-out set. The state is saved after each batch, and a run that
    is started again from it ends exactly as one that was never stopped.

    Args:
        forward: the network.
        task: samples and labels.
        device: what the conductances are.
        factors: learning steps, error and gates.
        rule: which pulses follow from them; None never writes.
        loop: epochs and batches.
        steps: learning steps, seconds.
        state: where to begin; see `start_state`. It is changed and returned.
        seed: of the order of samples and of the writes.
        checkpoint: file to save the state in.
        watch: called after each batch.
        done: called after each simulation.
        held_out: answers the held-out set, by default `forward`.

    Returns:
        The state at the end; `history` has one row an epoch, the first before any training.
        `writes` adds up over the epochs; `products` are the epoch's own nonzero products of error
        and gates: the updates of a rule that neither triggers nor rounds.
    """
    batches = -(-len(task.train) // loop.batch) if rule else 0
    judge = held_out or forward
    if isinstance(forward, Remembering):
        forward.restore(state.forward)

    saved = time.perf_counter()

    def save() -> None:
        nonlocal saved
        now = time.perf_counter()
        state.wall_seconds, saved = state.wall_seconds + now - saved, now
        if isinstance(forward, Remembering):
            state.forward = forward.state()
        if checkpoint:
            state.save(checkpoint)

    if not state.history:
        _finish_epoch(judge, task, state, steps, done)
        save()
    while rule and state.epoch < loop.epochs:
        order = np.random.default_rng([seed, _ORDER, state.epoch]).permutation(len(task.train))
        while state.batch < batches:
            chosen = order[state.batch * loop.batch : (state.batch + 1) * loop.batch]
            responses = forward(state.conductance, [task.train[k] for k in chosen], steps, done)
            rng = np.random.default_rng([seed, _WRITES, state.epoch, state.batch])
            labels = task.train_labels[chosen]
            _learn(device, factors, rule, steps, state, responses, labels, rng)
            state.batch += 1
            save()
            if watch:
                seen = state.epoch_totals["samples"]
                right = state.epoch_totals["right"] / seen
                last = state.history[-1]["test_accuracy"]
                watch(Progress(state.epoch, state.batch, batches, state.writes, right, last))
        _finish_epoch(judge, task, state, steps, done)
        state.epoch, state.batch = state.epoch + 1, 0
        save()
    return state


def _learn(
    device: PulseMap,
    factors: ThreeFactors,
    rule: ErrorTriggered | Plain,
    steps: Array,
    state: State,
    responses: Sequence[Response],
    labels: Labels,
    rng: np.random.Generator,
) -> None:
    """One batch: updates from the responses, written sample by sample."""
    devices = PulseArray(device, state.g_min, state.g_max, state.conductance)
    totals = state.epoch_totals
    state.count(responses)
    events = opportunities = products = 0
    for response, label in zip(responses, labels, strict=True):
        error = factors.errors(response.spikes, int(label), steps)
        gates = factors.gates(response)
        update = rule.update(error, gates, state.theta, rng)
        devices, writes = write(devices, update, rng)
        state.writes += writes
        events += update.events
        opportunities += update.opportunities
        products += int(((error != 0)[:, None, :] & gates).sum())
        _add(totals, "samples", 1)
        _add(totals, "right", float(decide(response.spikes) == label))
    _add(totals, "events", events)
    _add(totals, "opportunities", opportunities)
    _add(totals, "products", products)
    state.theta = rule.next_theta(state.theta, events, opportunities)
    state.conductance = devices.conductance


def _finish_epoch(
    forward: Forward,
    task: Task,
    state: State,
    steps: Array,
    done: Callable[[], None] | None,
) -> None:
    """Answer the held-out set, add a row to the history and begin the next epoch's sums."""
    responses = forward(state.conductance, task.test, steps, done)
    state.count(responses)
    decisions = np.array([decide(r.spikes) for r in responses])
    totals = state.epoch_totals
    seen = totals.get("samples", 0)
    row: Row = {
        "epoch": len(state.history),
        "test_accuracy": float((decisions == task.test_labels).mean()),
        "train_accuracy": totals["right"] / seen if seen else None,
        "undecided": int((decisions < 0).sum()),
        "writes": state.writes,
        "event_rate": totals["events"] / totals["opportunities"] if seen else None,
        "products": totals.get("products", 0),
        "theta": state.theta,
        "spikes_per_sample": float(np.mean([sum(t.size for t in r.spikes) for r in responses])),
    }
    for part in responses[0].energy:
        row[f"energy_{part}"] = float(np.mean([r.energy[part] for r in responses]))
    state.history.append(row)
    state.epoch_totals = {}


def _add(totals: dict[str, float], name: str, value: float) -> None:
    totals[name] = totals.get(name, 0) + value
