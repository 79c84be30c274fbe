"""Monte Carlo: a bench measured for seeded draws of its transistors, by turning knobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from spicesnn.characterize.bench import Bench
from spicesnn.characterize.condition import condition
from spicesnn.circuits.deck import Deck, OperatingPoint
from spicesnn.circuits.transistors import Transistor, transistors
from spicesnn.engine.pool import Pool
from spicesnn.engine.verdict import Verdict
from spicesnn.engine.worker import Job
from spicesnn.errors import DataError
from spicesnn.processes import Process

Array = npt.NDArray[np.float64]
Sources = Literal["local", "global", "both"]


@dataclass(frozen=True)
class Draws:
    """What was drawn for the transistors of a deck.

    Attributes:
        transistors: of the deck, in its order.
        threshold: shifts of the threshold's magnitude, volts, shape (draws, transistors).
        factor: relative changes of the current factor, shape (draws, transistors).
        seed: of the generator.
        sources: mismatch, dies, or both.
    """

    transistors: tuple[Transistor, ...]
    threshold: Array
    factor: Array
    seed: int
    sources: Sources

    def knobs(self, draw: int, base: Mapping[str, float]) -> dict[str, float]:
        """The knobs of one draw, on top of what the process gives its transistors."""
        knobs = {}
        for k, transistor in enumerate(self.transistors):
            vt, beta = (f"@{transistor.instance}[{name}]" for name in ("delvto", "mulu0"))
            # A shift makes the threshold's magnitude larger: of a p transistor, more negative.
            knobs[vt] = base[vt] + transistor.mosfet.sign * float(self.threshold[draw, k])
            knobs[beta] = base[beta] * (1 + float(self.factor[draw, k]))
        return knobs


def draw(deck: Deck, process: Process, count: int, seed: int, sources: Sources) -> Draws:
    """Draw mismatch of every transistor, and dies: one shift for all nfets, one for all pfets.

    Each draw has a generator of its own, so draw 7 is the same among ten and among a thousand.

    Args:
        deck: the circuit.
        process: of its transistors.
        count: draws.
        seed: of all of them.
        sources: `local` (mismatch), `global` (dies) or `both`.
    """
    found = transistors(deck.netlist, process)
    sigma = np.array([transistor.local() for transistor in found])
    kinds = sorted({transistor.mosfet.model for transistor in found})
    kind = np.array([kinds.index(transistor.mosfet.model) for transistor in found])
    die = np.zeros(len(kinds))
    for transistor in found:
        die[kinds.index(transistor.mosfet.model)] = transistor.mosfet.variation.global_vt
    threshold, factor = np.zeros((2, count, len(found)))
    for k in range(count):
        # Always drawn, so that the mismatch of a draw is the same with dies and without.
        generator = np.random.default_rng([seed, k])
        normal = generator.standard_normal((2, len(found)))
        dies = generator.standard_normal(len(kinds)) * die
        if sources != "global":
            threshold[k] += sigma[:, 0] * normal[0]
            factor[k] += sigma[:, 1] * normal[1]
        if sources != "local":
            threshold[k] += dies[kind]
    return Draws(found, threshold, factor, seed, sources)


@dataclass(frozen=True)
class Distribution:
    """One measured property over the draws that show it.

    Attributes:
        unit: of the property.
        values: shape (draws,); NaN where a draw does not show it.
        nominal: without any shift.
    """

    unit: str
    values: Array
    nominal: float

    def summary(self, confidence: float = 0.99) -> dict[str, float]:
        """Mean, standard deviation and, where all values are positive, that of the logarithm.

        The intervals are those of a normal distribution: Student's t for the mean, chi-squared
        for the standard deviations.

        Raises:
            DataError: fewer than two draws show it.
        """
        good = self.values[np.isfinite(self.values)]
        if good.size < 2:
            raise DataError(f"{good.size} draws show this property: two are needed at least.")
        found = {"shown": float(good.size), "nominal": self.nominal, "mean": float(good.mean())}
        half = stats.sem(good) * stats.t.ppf((1 + confidence) / 2, good.size - 1)
        found |= {"mean from": found["mean"] - half, "mean to": found["mean"] + half}
        series = {"sigma": good}
        if (good > 0).all():
            series["sigma of ln"] = np.log(good)
        for name, values in series.items():
            sigma = float(values.std(ddof=1))
            low, high = sigma_interval(sigma, values.size, confidence)
            found |= {name: sigma, f"{name} from": low, f"{name} to": high}
        return found


def sigma_interval(sigma: float, count: int, confidence: float = 0.99) -> tuple[float, float]:
    """Confidence interval of a standard deviation estimated from `count` normal values."""
    free = count - 1
    low, high = stats.chi2.ppf([(1 - confidence) / 2, (1 + confidence) / 2], free)
    return sigma * float(np.sqrt(free / high)), sigma * float(np.sqrt(free / low))


@dataclass(frozen=True)
class MonteCarlo:
    """A bench's properties over draws.

    Attributes:
        bench, process, corner, temperature: what was measured; degrees Celsius.
        draws: what was drawn.
        properties: by name.
        failed: draw to the reason why it could not be measured; its properties are NaN.
    """

    bench: str
    process: str
    corner: str
    temperature: float
    draws: Draws
    properties: dict[str, Distribution]
    failed: dict[int, str]


def run_monte_carlo(
    bench: Bench,
    process: Process,
    pool: Pool,
    *,
    count: int,
    seed: int = 0,
    temperature: float = 27.0,
    sources: Sources = "local",
    done: Callable[[], None] | None = None,
) -> MonteCarlo:
    """Measure a bench for every draw; the deck is loaded once in each worker.

    Args:
        bench: the cell and its stimuli.
        process: with its corner.
        pool: where the runs are made; with a cache, a call that was stopped goes on.
        count: draws.
        seed: same seed, same draws, whatever the number of workers.
        temperature: degrees Celsius.
        sources: `local` (mismatch), `global` (dies) or `both`.
        done: called after each finished simulation.

    Raises:
        ParameterError: the temperature is out of the process's range.
        SimulationError: the bench without any shift cannot be simulated.
    """
    on = condition(process, temperature, pool)
    deck = replace(bench.deck(process), temperature=on.celsius)
    drawn = draw(deck, process, count, seed, sources)
    base = _base(deck, drawn.transistors, pool)
    stimuli = bench.stimuli(process)
    usual_jobs = [Job(deck, knobs, cached=True) for knobs in stimuli]
    nominal = [run.waveforms for run in pool.map(usual_jobs)]
    jobs = [
        Job(deck, {**knobs, **drawn.knobs(k, base)}, cached=True)
        for k in range(count)
        for knobs in stimuli
    ]
    runs = pool.map(jobs, done, raise_on_failure=False)
    usual = bench.measure(nominal, on)
    values = {name: np.full(count, np.nan) for name in bench.properties}
    failed: dict[int, str] = {}
    for k in range(count):
        own = runs[k * len(stimuli) : (k + 1) * len(stimuli)]
        bad = [run for run in own if run.verdict is not Verdict.CONVERGED]
        if bad:
            failed[k] = f"{bad[0].verdict.value}: {bad[0].detail}"
            continue
        for name, value in bench.measure([run.waveforms for run in own], on).items():
            values[name][k] = value
    properties = {
        name: Distribution(quantity.unit, values[name], usual[name])
        for name, quantity in bench.properties.items()
    }
    return MonteCarlo(
        bench.name, process.name, process.corner, on.celsius, drawn, properties, failed
    )


@dataclass(frozen=True)
class Scaling:
    """Spreads of one property at two sizes.

    Attributes:
        ratio: of the standard deviations of the logarithm, larger over smaller transistors.
        low, high: its confidence interval (F-distribution).
        expected: by Pelgrom's law on drawn sizes, one over the factor of the lengths.
    """

    ratio: float
    low: float
    high: float
    expected: float


def pelgrom_scaling(
    small: Distribution, large: Distribution, factor: float, confidence: float = 0.99
) -> Scaling:
    """How the spread of a positive property falls when widths and lengths grow by `factor`.

    The interval is that of independent draws: give the two studies different seeds.
    """
    one, other = (np.log(d.values[np.isfinite(d.values) & (d.values > 0)]) for d in (small, large))
    if min(one.size, other.size) < 2:
        return Scaling(float("nan"), float("nan"), float("nan"), 1 / factor)
    ratio = float(other.std(ddof=1) / one.std(ddof=1))
    ends = stats.f.ppf([(1 - confidence) / 2, (1 + confidence) / 2], other.size - 1, one.size - 1)
    low, high = ratio / np.sqrt(ends[1]), ratio / np.sqrt(ends[0])
    return Scaling(ratio, float(low), float(high), 1 / factor)


def _base(deck: Deck, found: Sequence[Transistor], pool: Pool) -> dict[str, float]:
    """Threshold shifts and current factors that the process itself gives its transistors."""
    probes = tuple(f"@{t.instance}[{name}]" for t in found for name in ("delvto", "mulu0"))
    asked = replace(deck, probes=probes, analysis=OperatingPoint())
    waves = pool.map([Job(asked, cached=True)])[0].waveforms
    return {probe: float(waves[probe][0]) for probe in probes}
