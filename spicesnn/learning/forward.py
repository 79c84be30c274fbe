"""What the training loop asks of a network, be it a circuit or a tier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from spicesnn.learning.encoders import SpikeTrains

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Response:
    """A network's answer to one sample.

    Attributes:
        spikes: output spike times of each unit, seconds.
        membrane: membrane voltage at the learning steps, shape (steps, units).
        trace: P trace at the learning steps, as its gate voltage, shape (steps, rows).
        energy: supply energy by part of the circuit, joules.
        analysis_seconds: the simulator's own time.
        simulations: how many were run for it, all converged; repeats from memory not counted.
    """

    spikes: tuple[Array, ...]
    membrane: Array
    trace: Array
    energy: dict[str, float]
    analysis_seconds: float
    simulations: int


class Forward(Protocol):
    """Answers samples with the given conductances."""

    def __call__(
        self,
        conductance: Array,
        samples: Sequence[SpikeTrains],
        steps: Array,
        done: Callable[[], None] | None = None,
    ) -> list[Response]:
        """One response a sample.

        Args:
            conductance: siemens, shape (2, rows, units): G+ and G-.
            samples: input spike times.
            steps: times at which membrane and traces are read, seconds, shape (steps,).
            done: called after each simulation.
        """
        ...


@runtime_checkable
class Remembering(Protocol):
    """A `Forward` whose answers depend on those before: it is kept with the checkpoint."""

    def state(self) -> dict[str, Any]:
        """What it needs to go on, as plain JSON."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from there; an empty state changes nothing."""
        ...


def decide(spikes: Sequence[Array]) -> int:
    """The class of a response: the unit with most spikes; -1 where all are silent or tied."""
    counts = np.array([train.size for train in spikes])
    best = int(counts.argmax())
    tied = int((counts == counts[best]).sum()) > 1
    return -1 if tied or counts[best] == 0 else best


def margin(spikes: Sequence[Array]) -> int:
    """Spikes between the two units that fire most."""
    counts = sorted(train.size for train in spikes)
    return counts[-1] - counts[-2]
