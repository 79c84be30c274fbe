"""One circuit run as a tier sees it: inputs and states on the tier's own steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Record:
    """A run of the circuit on the grid of a tier's steps.

    Attributes:
        dt: the step, seconds.
        inputs: by the names of the tier's inputs, means over each step, shape (steps, ...).
        outputs: what is compared, by the names of the tier's outputs, at the end of each step,
            shape (steps,).
        spikes: of the output, seconds, shape (spikes,).
        spike_width: of an output spike, seconds; 0 where there are none.
        energy: that the supplies delivered, joules.
    """

    dt: float
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]
    spikes: Array = field(default_factory=lambda: np.empty(0))
    spike_width: float = 0.0
    energy: float = 0.0

    @property
    def steps(self) -> int:
        """Number of steps."""
        return int(next(iter(self.inputs.values())).shape[0])

    @property
    def stop(self) -> float:
        """Length of the run, seconds."""
        return self.steps * self.dt


def step_ends(dt: float, steps: int) -> Array:
    """Seconds, shape (steps,)."""
    return np.asarray(dt * np.arange(1, steps + 1), dtype=np.float64)


def step_means(time: npt.ArrayLike, value: npt.ArrayLike, dt: float, steps: int) -> Array:
    """Exact means of a piecewise-linear waveform over each step.

    Args:
        time: corners, seconds, rising, shape (corners,).
        value: at the corners, shape (corners,); constant before the first and after the last.
        dt: the step, seconds.
        steps: their number.

    Returns:
        Shape (steps,), in the waveform's unit.
    """
    corners, values = (np.asarray(each, dtype=np.float64) for each in (time, value))
    edges = dt * np.arange(steps + 1)
    every = np.union1d(corners, edges)
    every = every[(every >= 0) & (every <= edges[-1] * (1 + 1e-12))]
    level = np.interp(every, corners, values)
    # From the first value on: a constant then has no rounding of a sum in it.
    risen = level - level[0]
    area = np.r_[0.0, np.cumsum(np.diff(every) * (risen[1:] + risen[:-1]) / 2)]
    means = np.diff(np.interp(edges, every, area)) / dt
    return np.asarray(level[0] + means, dtype=np.float64)


def duty(starts: npt.ArrayLike, width: float, dt: float, steps: int) -> Array:
    """The part of each step that pulses of a width fill, shape (steps,), from 0 to 1.

    Args:
        starts: of the pulses, seconds, shape (pulses,).
        width: of a pulse, seconds.
        dt: the step, seconds.
        steps: their number.
    """
    edges = dt * np.arange(steps + 1)
    begun = np.asarray(starts, dtype=np.float64)[:, None]
    inside = np.clip(edges - begun, 0.0, width).sum(axis=0)
    return np.asarray(np.diff(inside) / dt, dtype=np.float64)
