"""The one comparison of two sets of waveforms: spikes one to one, differences away from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicesnn.measure.spikes import spike_times
from spicesnn.waveforms import Waveforms

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


@dataclass(frozen=True)
class Difference:
    """How one signal differs between two runs.

    Attributes:
        largest: largest absolute difference away from spikes, in the signal's unit.
        relative: the same over the reference's swing (0 where it has none).
        at: where on the axis, seconds in a transient.
    """

    largest: float
    relative: float
    at: float


@dataclass(frozen=True)
class Comparison:
    """Two sets of waveforms side by side.

    Attributes:
        spikes: matches by the name of the spiking signal.
        differences: by the name of the signal.
    """

    spikes: dict[str, SpikeMatch]
    differences: dict[str, Difference]


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


def compare(
    reference: Waveforms,
    other: Waveforms,
    names: Iterable[str] | None = None,
    spiking: Iterable[str] = (),
    threshold: float = 0.9,
    window: float = 0.0,
    margin: float = 0.0,
) -> Comparison:
    """Compare two runs on the reference's axis.

    Args:
        reference: what is taken as right.
        other: what is judged; interpolated linearly.
        names: signals whose values are compared, by default all of the reference.
        spiking: signals whose spikes are matched.
        threshold: of a spike, in the signal's unit.
        window: largest time difference of two spikes that match, seconds.
        margin: values this near to a spike of either run are left out, seconds.

    Raises:
        UnknownNameError: a signal is missing in one of the two.
    """
    spikes, keep = {}, np.ones(reference.time.size, dtype=bool)
    for name in spiking:
        trains = [spike_times(w.time, w[name], threshold) for w in (reference, other)]
        spikes[name] = match_spikes(trains[0], trains[1], window)
        for moment in np.concatenate(trains) if margin > 0 else ():
            keep &= np.abs(reference.time - moment) > margin
    differences = {}
    for name in reference.signals if names is None else names:
        values = reference[name]
        gap = np.where(keep, np.abs(other.at(name, reference.time) - values), 0.0)
        worst = int(gap.argmax()) if gap.size else 0
        largest = float(gap[worst]) if gap.size else 0.0
        swing = float(np.ptp(values)) if values.size else 0.0
        at = float(reference.time[worst]) if gap.size else 0.0
        differences[name] = Difference(largest, largest / swing if swing else 0.0, at)
    return Comparison(spikes, differences)
