"""Spike trains in seconds and on a network's steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError

Array = npt.NDArray[np.float32]
Trains = Sequence[Sequence[float]]


def on_steps(samples: Sequence[Trains], dt: float, steps: int) -> Array:
    """Spike trains as a network's inputs, 1 in the step in which a spike falls.

    Args:
        samples: spike times in seconds of each row of each sample.
        dt: the step, seconds.
        steps: their number; later spikes are left out.

    Returns:
        Shape (steps, samples, rows).

    Raises:
        DataError: samples of different numbers of rows, or a spike before 0.
    """
    rows = {len(trains) for trains in samples}
    if len(rows) != 1:
        raise DataError(f"samples have {sorted(rows)} rows: give all as many.")
    found = np.zeros((steps, len(samples), rows.pop()), dtype=np.float32)
    for k, trains in enumerate(samples):
        for j, train in enumerate(trains):
            # A hair more, so that a spike on the edge of a step falls into the step it begins.
            at = np.floor(np.asarray(train, dtype=np.float64) / dt + 1e-6).astype(int)
            if (at < 0).any():
                raise DataError(f"row {j} of sample {k} has a spike before 0 s.")
            found[at[at < steps], k, j] = 1
    return found


def in_seconds(inputs: npt.ArrayLike, step: float, start: float = 0.0) -> list[list[list[float]]]:
    """A network's inputs as spike times, one at the start of a step.

    Args:
        inputs: 0 or 1, shape (steps, samples, rows).
        step: that a network's step lasts in the circuit, seconds.
        start: of the first step, seconds.

    Raises:
        DataError: inputs that are no spikes, or have another shape.
    """
    given = np.asarray(inputs)
    if given.ndim != 3:
        raise DataError(f"inputs have the shape {given.shape}: give (steps, samples, rows).")
    if not np.isin(given, (0, 1)).all():
        raise DataError("inputs hold values other than 0 and 1: a circuit is given spikes.")
    return [
        [(start + step * np.flatnonzero(given[:, k, j])).tolist() for j in range(given.shape[2])]
        for k in range(given.shape[1])
    ]
