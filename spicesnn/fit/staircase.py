"""NeuroSim's curve fitted to the staircase of one device.

Means by weighted least squares of what each conductance is expected to be after its predecessors,
noise by the likelihood of the same, in turns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from spicesnn.devices.neurosim import normalised_curvature
from spicesnn.errors import DataError
from spicesnn.fit.least_squares import Fit, fit
from spicesnn.fit.pulse_filter import (
    Limits,
    Noise,
    Staircase,
    censored,
    expected,
    first_step,
    limits,
)

Array = npt.NDArray[np.float64]
STRONGEST = 1 / normalised_curvature(9.0)
_TURNS = 6
# Sums of so many residuals tell a wandering state from noise that comes back; where their variance
# is below this part of what it should be, a noise with a memory is fitted too (ours).
BLOCK, _REMEMBERS = 100, 0.5
# Gain in ln(likelihood) for which a noise of reads is taken to be there: about two sigmas (ours).
_SIGNIFICANT = 2.0


@dataclass(frozen=True)
class StaircaseFit:
    """The fit of one device; conductances in the data's unit.

    Attributes:
        inner: the fit; what lies on a limit of the range is not among its parameters.
        ends: `g_min` and `g_max` with their uncertainties.
        noise: likeliest.
        sigmas: uncertainties of its numbers.
        residuals: data less expectation, of every pulse; NaN where none was expected.
        wander: variance of sums of normalised residuals over that of as many independent ones.
        mean: the noise-free staircase.
    """

    inner: Fit
    ends: dict[str, tuple[float, float]]  # g_min and g_max with their uncertainties
    noise: Noise
    sigmas: Noise  # uncertainties of `noise`
    residuals: Array  # data less expectation, of every pulse; NaN where none was expected
    wander: float  # variance of sums of normalised residuals over that of as many independent ones
    mean: Array  # the noise-free staircase


def fit_staircase(raw: Staircase, levels: int, *, relative: bool, called: str) -> StaircaseFit:
    """Fit range, curvatures and noise.

    Args:
        raw: of one device.
        levels: pulses from end to end.
        relative: whether the conductances have a unit and a zero of their own.
        called: what a message calls it.

    Raises:
        DataError: the staircase has too few pulses, or never moves.
    """
    ways = [way for way in (True, False) if (raw.up == way).any()]
    both = len(ways) == 2
    span, largest = float(np.ptp(raw.conductance)), float(np.abs(raw.conductance).max())
    if span <= 1e-9 * largest:
        raise DataError(f"{called}: the conductance never changes: nothing to fit.")
    expectations = int(raw.first.size - (raw.first.sum() if both else 0))
    if expectations < 2 + 2 * len(ways):
        raise DataError(
            f"{called} holds {raw.conductance.size} pulses in {int(raw.first.sum())} runs; a fit "
            "needs several in each direction: measure more."
        )
    # In units of the data's own span; no shift, as a read's noise goes by the conductance.
    each = replace(raw, conductance=raw.conductance / span)
    start = _start(each, ways)
    low, high = float(each.conductance.min()), float(each.conductance.max())
    bounds = {
        "g_min": (low - 1.0 if relative else 1e-6 * low, low + 0.7),
        "g_max": (high - 0.7, high + 3.0),
        "up": (-STRONGEST, STRONGEST), "down": (-STRONGEST, STRONGEST),
    }  # fmt: skip
    at = limits(each.conductance)
    if at.any:
        # Reads without noise: none lies beyond the range.
        bounds |= {"g_min": (bounds["g_min"][0], low), "g_max": (high, bounds["g_max"][1])}
        start |= {"g_min": min(start["g_min"], low), "g_max": max(start["g_max"], high)}
    fixed = {} if both else {("down" if ways[0] else "up"): 1.0}
    if at.low.any():
        fixed["g_min"] = low
        del start["g_min"]
    if at.high.any():
        fixed["g_max"] = high
        del start["g_max"]
    used = ~each.first if both else np.ones(each.first.size, dtype=bool)
    task = _Task(each, levels, not relative, not both, at, used)
    long = int(used.sum()) >= 10 * BLOCK and not at.any
    known, found, noise = _turns(task, dict(start), fixed, bounds, most=1 if long else _TURNS)
    wander = _wander(task, known | fixed, noise)
    if wander >= _REMEMBERS and long:
        known, found, noise = _turns(task, known, fixed, bounds)
        wander = _wander(task, known | fixed, noise)
    elif wander < _REMEMBERS:
        known, found, noise = _turns(task, known, fixed, bounds, slow=True)
        wander = _wander(task, known | fixed, noise)
    sigmas = _noise_sigmas(task, known | fixed, noise)
    means, _ = task.expected([known | fixed], noise)
    scale = np.array([span if n in ("g_min", "g_max") else 1.0 for n in found.names])
    inner = replace(
        found, values=found.values * scale, covariance=found.covariance * np.outer(scale, scale)
    )
    ends = {
        n: (fixed[n] * span, 0.0) if n in fixed else (inner[n], inner.sigma(n))
        for n in ("g_min", "g_max")
    }
    # What is well known is the spread in siemens; that of the range brings the range's own.
    with np.errstate(invalid="ignore"):
        reach, off = inner.derived(
            lambda p: p.get("g_max", ends["g_max"][0]) - p.get("g_min", ends["g_min"][0])
        )
    # A variance that should be zero may come out below, rounded.
    off = 0.0 if math.isnan(off) else off
    cycle = math.hypot(float(sigmas.cycle), float(noise.cycle) * off / reach)
    sigmas = replace(sigmas, cycle=cycle)
    means = np.clip(means, (known | fixed)["g_min"], (known | fixed)["g_max"])
    residuals = np.where(used, each.conductance - means[0], np.nan) * span
    mean = _path(each, known | fixed, levels, not both) * span
    return StaircaseFit(inner, ends, noise, sigmas, residuals, wander, mean)


def _turns(
    task: _Task, known: dict[str, float], fixed: Mapping[str, float],
    bounds: Mapping[str, tuple[float, float]], *, slow: bool = False, most: int = _TURNS,
) -> tuple[dict[str, float], Fit, Noise]:  # fmt: skip
    """Means and noise in turns, until neither moves."""
    last, found, noise = None, None, Noise(0.02)
    for turn in range(most):
        if slow:
            noise = _noise_with_memory(task, known | dict(fixed), noise if turn else None)
        else:
            noise = _noise(task, known | dict(fixed))
        response, weight = task.working(known | dict(fixed), noise)

        def several(
            sets: Sequence[Mapping[str, float]], weight: Array = weight, noise: Noise = noise,
            known: Mapping[str, float] = known,
        ) -> list[Array]:  # fmt: skip
            means, _ = task.expected([{**known, **s, **fixed} for s in sets], noise)
            return [weight * mean[task.used] for mean in means]

        found = fit(
            lambda p, several=several: several([p])[0],  # type: ignore[misc]
            weight * response, known, bounds,
            (task.each.conductance, task.each.up.astype(np.float64)),
            several=several,
        )  # fmt: skip
        known = dict(zip(found.names, map(float, found.values), strict=True))
        now = np.array([*known.values(), noise.cycle, noise.read, noise.slow])
        if last is not None and np.allclose(now, last, rtol=2e-3, atol=2e-4):
            break
        last = now
    assert found is not None  # noqa: S101 - one turn at least
    return known, found, noise


@dataclass(frozen=True)
class _Task:
    """What is fitted: `expected` and its likelihood for one device."""

    each: Staircase
    levels: int
    by_conductance: bool  # a read's noise goes by the conductance, else by the range
    from_end: bool
    at: Limits
    used: npt.NDArray[np.bool_]

    def expected(
        self, sets: Sequence[Mapping[str, float]], noise: Noise, *, clip: bool = False
    ) -> tuple[Array, Array]:
        count = max(len(sets), *(np.size(x) for x in noise.numbers()))
        p = {
            n: np.broadcast_to(np.array([s[n] for s in sets]), (count,))
            for n in ("g_min", "g_max", "up", "down")
        }
        return expected(
            self.each, p, self.levels, noise, relative=self.by_conductance,
            from_end=self.from_end, clip=clip,
        )  # fmt: skip

    def working(self, p: Mapping[str, float], noise: Noise) -> tuple[Array, Array]:
        """Responses and weights of least squares of the pulses used."""
        mean, variance = self.expected([p], noise)
        response, weight, _ = self._censored(mean[0], variance[0])
        return response, weight

    def likelihoods(self, p: Mapping[str, float], noise: Noise, *, clip: bool = False) -> Array:
        """ln(likelihood) of each pulse used, at each noise, shape (noises, pulses)."""
        mean, variance = self.expected([p], noise, clip=clip)
        return self._censored(mean, variance)[2]

    def _censored(self, mean: Array, variance: Array) -> tuple[Array, Array, Array]:
        used = self.used
        return censored(
            self.each.conductance[used], mean[..., used], np.sqrt(variance[..., used]),
            Limits(self.at.low[used], self.at.high[used]),
        )  # fmt: skip


def _start(each: Staircase, ways: Sequence[bool]) -> dict[str, float]:
    """Best curvature of a noise-free curve through the longest run of each direction."""
    found: dict[str, float] = {}
    ends: list[float] = []
    for way in ways:
        own = max((r for r in _runs(each) if each.up[r][0] == way), key=lambda r: r.stop - r.start)
        seen = each.conductance[own]
        place = np.arange(seen.size) / max(seen.size - 1, 1)
        best: tuple[float, float, Array] = (math.inf, 1.0, np.zeros(2))
        for curvature in (-9.0, -4.0, -2.0, -0.7, 0.1, 0.7, 2.0, 4.0, 9.0, 20.0, 40.0):
            shape = np.expm1(-curvature * place) / math.expm1(-curvature)
            columns = np.column_stack([np.ones_like(shape), shape])
            lines: Array = np.linalg.lstsq(columns, seen, rcond=None)[0].astype(np.float64)
            off = float(np.sum((seen - columns @ lines) ** 2))
            if off < best[0]:
                best = (off, curvature, lines)
        found["up" if way else "down"] = best[1]
        ends += [float(best[2][0]), float(best[2][0] + best[2][1])]
    low, high = min(ends), max(ends)
    if high - low < 0.1:
        low, high = float(each.conductance.min()), float(each.conductance.max())
    floor = 2e-6 * float(each.conductance.min())
    return {"g_min": max(low, floor) if floor > 0 else low, "g_max": high, **found}


def _runs(each: Staircase) -> list[slice]:
    """Pulses in a row, of one direction."""
    new = each.first.copy()
    new[1:] |= each.up[1:] != each.up[:-1]
    begins = np.flatnonzero(new)
    return [slice(a, b) for a, b in zip(begins, [*begins[1:], new.size], strict=True)]


def longest(each: Staircase) -> int:
    """Pulses of the longest run of one direction."""
    return max(int(run.stop) - int(run.start) for run in _runs(each))


def _best(
    task: _Task, p: Mapping[str, float], noise: Noise, *, clip: bool = False
) -> tuple[float, Noise]:
    """The likeliest of several noises."""
    value = task.likelihoods(p, noise, clip=clip).sum(axis=1)
    k = int(np.argmax(value))
    return float(value[k]), Noise(*(float(np.broadcast_to(x, value.shape)[k])
                                    for x in noise.numbers()))  # fmt: skip


def _best_of_pulses(
    task: _Task, p: Mapping[str, float], *, clip: bool = False
) -> tuple[float, Noise]:
    """The likeliest noise of pulses where reads have none."""
    value, found = -math.inf, Noise(1e-2)
    middle, reach = -2.5, 2.0
    for _ in range(4):
        sigmas = 10 ** (middle + reach * np.linspace(-1, 1, 25))
        value, found = _best(task, p, Noise(sigmas), clip=clip)
        middle, reach = math.log10(float(found.cycle)), reach / 8
    return value, found


def _noise(task: _Task, p: Mapping[str, float]) -> Noise:
    """Likeliest sigma of a pulse and of a read."""
    _, still = _best_of_pulses(task, p)
    if task.at.any:
        # A noisy read would not find the limits themselves.
        return still
    # Noisy reads are judged with clipped states, so clean ones are too before the two are compared.
    alone, _ = _best_of_pulses(task, p, clip=True)
    centre, width = np.array([-3.0, -2.0]), np.array([2.0, 1.3])
    joint, found = alone, still
    for _ in range(4):
        grid = np.linspace(-1, 1, 7)
        cycles, reads = (g.ravel() for g in np.meshgrid(
            10 ** (centre[0] + width[0] * grid), 10 ** (centre[1] + width[1] * grid)
        ))  # fmt: skip
        joint, found = _best(task, p, Noise(cycles, reads))
        centre, width = np.log10([float(found.cycle), float(found.read)]), width / 2.5
    return found if joint > alone + _SIGNIFICANT else still


def _noise_with_memory(task: _Task, p: Mapping[str, float], near: Noise | None) -> Noise:
    """Likeliest of all four numbers, by draws about the best that get closer."""
    rng = np.random.default_rng(0)
    best, found = -math.inf, near or _noise(task, p)
    centre = np.log10([max(float(x), 1e-4) for x in found.numbers()])
    if near is None:
        # Half of a read's noise remembers, for some ten pulses: a place to begin.
        centre[2:] = max(centre[0], centre[1]), 1.0
    width = np.array([1.5, 0.3, 0.7, 1.0]) * (1.0 if near is None else 0.2)
    for _ in range(9 if near is None else 4):
        draws = centre + width * rng.uniform(-1, 1, (40, 4))
        draws[0] = centre
        draws[:, 3] = np.clip(draws[:, 3], 0.0, 3.0)
        value, nearest = _best(task, p, Noise(*(10**draws).T))
        if value >= best:
            best, found = value, nearest
            centre = np.log10([float(x) for x in nearest.numbers()])
        width *= 0.7
    return found


def _noise_sigmas(task: _Task, p: Mapping[str, float], noise: Noise) -> Noise:
    """Standard uncertainties, from the outer product of the pulses' scores.

    In the logarithm of a pulse's and of the memory, and in the squares of a read's and the slow
    one, which may be zero.
    """
    cycle, read, slow, memory = (float(x) for x in noise.numbers())
    step, least = 0.02, 0.02 * cycle
    squares = [max(0.1 * x, least) ** 2 for x in (read, slow)]
    moved = [
        Noise(cycle * math.exp(step), read, slow, memory),
        Noise(cycle, math.sqrt(read**2 + squares[0]), slow, memory),
        Noise(cycle, read, math.sqrt(slow**2 + squares[1]), memory),
        Noise(cycle, read, slow, memory * math.exp(step)),
    ]
    steps = [step, *squares, step]
    used = [0] if task.at.any else ([0, 1, 2, 3] if slow else [0, 1])
    # One law for all, as the noisy reads' clips its states.
    clip = not task.at.any
    here = task.likelihoods(p, noise, clip=clip)[0]
    scores = np.array([
        (task.likelihoods(p, moved[k], clip=clip)[0] - here) / steps[k] for k in used
    ])  # fmt: skip
    table = scores @ scores.T
    # In units of their own size: they differ by orders of magnitude.
    size = 1 / np.sqrt(np.maximum(np.diag(table), 1e-300))
    sigma = np.zeros(4)
    sigma[used] = np.sqrt(np.diag(np.linalg.pinv(table * np.outer(size, size)))) * size
    # A pulse's: never less than that of as many normal numbers.
    of_cycle = cycle * max(sigma[0], 1 / math.sqrt(2 * here.size))
    return Noise(
        of_cycle, _of_root(read, sigma[1]), _of_root(slow, sigma[2]), memory * float(sigma[3])
    )


def _of_root(value: float, of_square: float) -> float:
    """Uncertainty of a number from that of its square."""
    return float(of_square / (2 * value) if value**2 > of_square else math.sqrt(of_square))


def _wander(task: _Task, p: Mapping[str, float], noise: Noise) -> float:
    """Variance of sums of `BLOCK` residuals, over `BLOCK`: 1 where they are independent."""
    mean, variance = task.expected([p], noise)
    normal = ((task.each.conductance - mean[0]) / np.sqrt(variance[0]))[task.used]
    if normal.size < 10 * BLOCK or task.at.any:
        return 1.0
    sums = np.convolve(normal - normal.mean(), np.ones(BLOCK), "valid")
    return float(np.var(sums) / BLOCK / np.var(normal))


def _path(each: Staircase, p: Mapping[str, float], levels: int, from_end: bool) -> Array:
    """The noise-free staircase, each run begun where it comes nearest to what was read."""
    begins = np.flatnonzero(each.first)
    mean = np.empty(each.conductance.size)
    low, high = p["g_min"], p["g_max"]
    keep = {up: math.exp(-p[n] / levels) for up, n in ((True, "up"), (False, "down"))}
    step = {
        up: float(first_step(np.array(p[n]), levels)) * (high - low)
        for up, n in ((True, "up"), (False, "down"))
    }
    for begin, end in zip(begins, [*begins[1:], mean.size], strict=True):
        seen, ups = each.conductance[begin:end], each.up[begin:end]
        state = np.array([low if ups[0] else high]) if from_end else np.linspace(low, high, 101)
        rows = [state]
        for up in ups if from_end else ups[1:]:
            if up:
                state = low + (state - low) * keep[True] + step[True]
            else:
                state = high - (high - state) * keep[False] - step[False]
            state = np.clip(state, low, high)
            rows.append(state)
        paths = np.array(rows[1:] if from_end else rows)
        nearest = int(np.argmin(np.sum((paths - seen[:, None]) ** 2, axis=0)))
        mean[begin:end] = paths[:, nearest]
    return mean
