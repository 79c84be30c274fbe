"""The forward pass by tiers: conductances in, the same responses as the circuit's out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from spicesnn.learning.encoders import SpikeTrains
from spicesnn.learning.forward import Response
from spicesnn.tiers.classifier import ClassifierTiers

Array = npt.NDArray[np.float64]

# Batches are filled up to one of these sizes, so that few are compiled.
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class TierForward:
    """A `Forward` whose network is the classifier's tiers.

    Attributes:
        gain: of each unit's input, shape (units,), which `ManyFidelities` corrects.
    """

    def __init__(self, tiers: ClassifierTiers) -> None:
        """Begin with the tiers as they were fitted."""
        self.tiers = tiers
        self.gain: Array = np.ones(tiers.circuit.units)

    def __call__(
        self,
        conductance: Array,
        samples: Sequence[SpikeTrains],
        steps: Array,
        done: Callable[[], None] | None = None,
    ) -> list[Response]:
        """See `Forward`.

        Raises:
            DataError: conductances or samples do not fit the circuit.
            OutOfRangeError: what the tiers were not fitted for.
        """
        began = time.perf_counter()
        size = next((size for size in _SIZES if size >= len(samples)), len(samples))
        filled = [*samples, *[samples[-1]] * (size - len(samples))]
        found = self.tiers.answer(conductance, filled, self.gain)
        seconds = (time.perf_counter() - began) / len(samples)
        responses = []
        for k in range(len(samples)):
            responses.append(
                Response(
                    spikes=found.spikes[k],
                    membrane=_at(found.time, found.v_mem[:, k], steps),
                    trace=_at(found.time, found.v_p[:, k], steps),
                    energy=found.energy[k],
                    analysis_seconds=seconds,
                    simulations=0,
                )
            )
        return responses


def _at(time_axis: Array, values: Array, moments: Array) -> Array:
    """Columns of `values`, shape (steps, columns), at some moments, shape (moments, columns)."""
    from_start = np.concatenate([np.zeros((1, values.shape[1])), values])
    axis = np.r_[0.0, time_axis]
    return np.stack([np.interp(moments, axis, column) for column in from_start.T], axis=1)
