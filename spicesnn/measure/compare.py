"""The one comparison of two spike trains: one-to-one matches within a stated window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SpikeMatch:
    """Spikes of two trains matched one to one.

    Attributes:
        matched: pairs within the window.
        missed: spikes of the reference without a partner.
        added: spikes of the other train without a partner.
        largest_shift: largest time difference of a pair, seconds (0 where there is none).
    """

    matched: int
    missed: int
    added: int
    largest_shift: float


def match_spikes(reference: Array, other: Array, window: float) -> SpikeMatch:
    """Match rising spike times (seconds) in order, each spike at most once."""
    i = j = matched = 0
    largest = 0.0
    while i < reference.size and j < other.size:
        shift = float(other[j] - reference[i])
        if abs(shift) <= window:
            matched += 1
            largest = max(largest, abs(shift))
            i += 1
            j += 1
        elif shift < 0:
            j += 1
        else:
            i += 1
    return SpikeMatch(matched, int(reference.size - matched), int(other.size - matched), largest)
