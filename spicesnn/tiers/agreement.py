"""A tier and its circuit side by side: state, spikes, rate and energy, against a budget."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError
from spicesnn.measure.compare import match_spikes
from spicesnn.parameters import Parameters, parameter
from spicesnn.tiers.record import Record, step_ends

Array = npt.NDArray[np.float64]


class Budget(Parameters):
    """The largest errors at which a tier may stand for its circuit."""

    state: float = parameter(0.01, unit="1", doc="RMS over range, away from spikes", gt=0)
    unmatched: float = parameter(0.01, unit="1", doc="missed and added over all spikes", gt=0)
    timing: float = parameter(0.01, unit="1", doc="median shift over the time constant", gt=0)
    rate: float = parameter(0.01, unit="1", doc="spikes of all runs together, relative", gt=0)
    energy: float = parameter(0.03, unit="1", doc="of all runs together, relative", gt=0)
    window: float = parameter(0.1, unit="1", doc="spikes match within it, in time constants", gt=0)
    margin: float = parameter(
        3.0, unit="1", doc="state is left out so near to a spike, in spike widths, and a step", ge=0
    )


@dataclass(frozen=True)
class Answer:
    """What a tier made of a record's inputs.

    Attributes:
        outputs: by name, at the end of each step, shape (steps,).
        spikes: seconds, shape (spikes,).
        energy: joules.
    """

    outputs: Mapping[str, Array]
    spikes: Array
    energy: float


@dataclass(frozen=True)
class StateError:
    """Of one compared output, pooled over the runs.

    Attributes:
        rms: root of the mean square of tier less circuit, in the output's unit; of a digital
            output the mean, so that it is the part of the time in which the levels differ.
        range: of the circuit's values, largest less smallest, spikes included, in the same unit.
        range_away: the same of the values that are compared, away from spikes.
        largest: largest difference.
    """

    rms: float
    range: float
    range_away: float
    largest: float

    @property
    def relative(self) -> float:
        """RMS over range."""
        return self.rms / self.range if self.range > 0 else (0.0 if self.rms == 0 else np.inf)


@dataclass(frozen=True)
class Agreement:
    """How a tier and its circuit agree over some runs.

    Attributes:
        states: by the name of the output.
        spikes: of the circuit.
        matched, missed, added: spikes one to one within the window.
        window: of a match, seconds.
        shifts: of matched spikes, tier less circuit, seconds, shape (matched,).
        tau: the time constant that shifts are put in relation to, seconds.
        tier_spikes: of the tier.
        energy: of the circuit, joules.
        tier_energy: of the tier, joules.
        runs: how many.
        seconds: simulated.
    """

    states: Mapping[str, StateError]
    spikes: int
    matched: int
    missed: int
    added: int
    window: float
    shifts: Array
    tau: float
    tier_spikes: int
    energy: float
    tier_energy: float
    runs: int
    seconds: float

    @property
    def unmatched(self) -> float:
        """Missed and added over the circuit's spikes."""
        if not self.spikes:
            return 0.0 if not self.added else np.inf
        return (self.missed + self.added) / self.spikes

    @property
    def timing(self) -> float:
        """Median of the shifts' magnitude over the time constant; 0 without spikes."""
        return float(np.median(np.abs(self.shifts)) / self.tau) if self.shifts.size else 0.0

    @property
    def rate(self) -> float:
        """Relative error of the number of spikes."""
        if not self.spikes:
            return 0.0 if not self.tier_spikes else np.inf
        return abs(self.tier_spikes / self.spikes - 1)

    @property
    def energy_error(self) -> float:
        """Relative error of the energy of all runs together."""
        return abs(self.tier_energy / self.energy - 1) if self.energy else np.nan

    def numbers(self) -> dict[str, float]:
        """The errors that a budget bounds, and how they were measured, by name."""
        found = {f"state {name}": state.relative for name, state in self.states.items()}
        if self.spikes or self.tier_spikes:
            found |= {"unmatched": self.unmatched, "timing": self.timing, "rate": self.rate}
        if self.energy:
            found["energy"] = self.energy_error
        return found

    def violations(self, budget: Budget) -> list[str]:
        """What is over the budget, in words."""
        return [
            f"{name}: {value:.3%}, limit {limit_of(name, budget):.2%}"
            for name, value in self.numbers().items()
            if not value <= limit_of(name, budget)
        ]


def limit_of(name: str, budget: Budget) -> float:
    """What a budget allows of a number of `Agreement.numbers`, such as `state v_mem`."""
    return float(getattr(budget, name.split(maxsplit=1)[0]))


def agreement(
    records: Sequence[Record],
    answers: Sequence[Answer],
    tau: float,
    budget: Budget,
    digital: Collection[str] = (),
) -> Agreement:
    """Pool the errors of all runs.

    Args:
        records: of the circuit.
        answers: of the tier, to the same inputs.
        tau: seconds.
        budget: window and margin are taken from it.
        digital: outputs that are levels.

    Raises:
        DataError: there is no run.
    """
    if not records:
        raise DataError("there is no run to compare: give at least one stimulus.")
    window = budget.window * tau
    gaps: dict[str, list[Array]] = {name: [] for name in records[0].outputs}
    seen: dict[str, list[Array]] = {name: [] for name in records[0].outputs}
    apart: dict[str, list[Array]] = {name: [] for name in records[0].outputs}
    matched = missed = added = 0
    shifts = []
    for record, answer in zip(records, answers, strict=True):
        match = match_spikes(record.spikes, answer.spikes, window)
        matched, missed, added = (
            matched + match.matched, missed + match.missed, added + match.added,
        )  # fmt: skip
        shifts.append(_nearest(record.spikes, answer.spikes, window))
        keep = away(record, answer, budget)
        for name, values in record.outputs.items():
            gaps[name].append((answer.outputs[name] - values)[keep])
            seen[name].append(values)
            apart[name].append(values[keep])
    states = {}
    for name, parts in gaps.items():
        gap, values = np.concatenate(parts), np.concatenate(seen[name])
        compared = np.concatenate(apart[name])
        rms = 0.0
        if gap.size:
            size = np.mean(np.abs(gap)) if name in digital else np.sqrt(np.mean(gap**2))
            rms = float(size)
        largest = float(np.abs(gap).max()) if gap.size else 0.0
        reach = float(np.ptp(compared)) if compared.size else 0.0
        states[name] = StateError(rms, float(np.ptp(values)), reach, largest)
    return Agreement(
        states=states,
        spikes=sum(r.spikes.size for r in records),
        matched=matched, missed=missed, added=added, window=window,
        shifts=np.concatenate(shifts), tau=tau,
        tier_spikes=sum(a.spikes.size for a in answers),
        energy=sum(r.energy for r in records),
        tier_energy=sum(a.energy for a in answers),
        runs=len(records),
        seconds=sum(r.stop for r in records),
    )  # fmt: skip


def away(record: Record, answer: Answer, budget: Budget) -> npt.NDArray[np.bool_]:
    """Whether a step's end is away from the spikes of either, shape (steps,)."""
    times = step_ends(record.dt, record.steps)
    keep = np.ones(record.steps, dtype=bool)
    # A value at a step's end cannot tell on which side of a spike in that step it is.
    reach = budget.margin * record.spike_width + record.dt
    for moment in np.concatenate([record.spikes, answer.spikes]):
        keep &= np.abs(times - moment) > reach
    return keep


def _nearest(reference: Array, other: Array, window: float) -> Array:
    """Shift from each reference spike to the nearest other one, where it is in the window."""
    if not (reference.size and other.size):
        return np.empty(0)
    after = np.clip(np.searchsorted(other, reference), 1, max(other.size - 1, 1))
    near = np.stack([other[after - 1], other[np.minimum(after, other.size - 1)]]) - reference
    best = np.take_along_axis(near, np.abs(near).argmin(axis=0)[None], axis=0)[0]
    return np.asarray(best[np.abs(best) <= window], dtype=np.float64)
