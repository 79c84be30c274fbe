"""What NeuroSim's curve expects of the next conductance, given those that were read before.

The noise of a pulse stays in the state and that of a read does not, so a staircase wanders about
its mean curve. Differences from that curve are then no independent errors: a fit to it would state
an uncertainty many times too small. Each conductance is judged against what its predecessors let
expect instead. A third noise, of reads but with a memory of some pulses, may be there: measured
devices have it, NeuroSim's curve does not, and without it a fit would take it for a wandering
state. Where reads are noisy by a Kalman filter, with the limits' clip in the first two
moments; where they are not, by the last conductance alone, and what lies on a limit is censored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
_ROOT = float(np.sqrt(2 * np.pi))
# Of a clipped number's sigma what is left at least. Without it a limit drawn up to one conductance
# makes that one certain, and the likelihood grows without end (ours).
_LEAST = 0.3


@dataclass(frozen=True)
class Noise:
    """Of a staircase, numbers or arrays of one a set.

    Attributes:
        cycle: sigma of a pulse, in units of the range; it stays in the state.
        read: sigma of a read, over the conductance or over the range.
        slow: sigma of a read's noise with a memory, in units of the range.
        memory: of it, pulses.
    """

    cycle: float | Array
    read: float | Array = 0.0
    slow: float | Array = 0.0
    memory: float | Array = 1.0

    def of(self, count: int) -> Noise:
        """Every number as an array of one a set."""
        return Noise(
            *(np.broadcast_to(np.asarray(x, dtype=np.float64), (count,)) for x in self.numbers())
        )

    def numbers(self) -> tuple[float | Array, ...]:
        """All four, in order."""
        return self.cycle, self.read, self.slow, self.memory


@dataclass(frozen=True)
class Staircase:
    """One device's conductances after pulses, in order; shape (pulses,).

    Attributes:
        conductance: as read after each pulse.
        up: whether the pulse was a SET.
        first: where a new run begins, whose state before is not known.
    """

    conductance: Array
    up: npt.NDArray[np.bool_]
    first: npt.NDArray[np.bool_]


def expected(
    data: Staircase,
    p: Mapping[str, Array],
    levels: int,
    noise: Noise,
    *,
    relative: bool,
    from_end: bool = False,
    clip: bool = True,
) -> tuple[Array, Array]:
    """Mean and variance of each conductance, given the ones before.

    Args:
        data: of one device.
        p: `g_min`, `g_max`, and the curvatures `up` and `down` (1/A_norm, > 0 fast at first), each
            of shape (sets,).
        levels: pulses from end to end, at no noise.
        noise: one a set.
        relative: whether a read's noise is over the conductance, or over the range.
        clip: whether the limits clip the state, in its first two moments; without it the caller
            sees to what lies on a limit. Where reads are noisy they always do.
        from_end: whether every run begins at its end of the range, before its first pulse.

    Returns:
        Mean and variance, shape (sets, pulses); at the first of a run, unless it begins at an end,
        what was read and infinity.
    """
    span = p["g_max"] - p["g_min"]
    moves = {}
    for up, name in ((True, "up"), (False, "down")):
        fraction = -np.expm1(-p[name] / levels)
        moves[up] = 1 - fraction, first_step(p[name], levels) * span, fraction
    noise = noise.of(span.size)
    wander = np.asarray(noise.cycle) * span
    if not (np.any(noise.read) or np.any(noise.slow)):
        before = np.repeat(np.roll(data.conductance, 1)[None, :], span.size, axis=0)
        if from_end:
            ends = np.where(data.up[None, :], p["g_min"][:, None], p["g_max"][:, None])
            before = np.where(data.first[None, :], ends, before)
        mean = np.where(
            data.up[None, :],
            before * moves[True][0][:, None]
            + (moves[True][1] + moves[True][2] * p["g_min"])[:, None],
            before * moves[False][0][:, None]
            + (moves[False][2] * p["g_max"] - moves[False][1])[:, None],
        )
        variance = np.repeat((wander**2)[:, None], mean.shape[1], axis=1)
        if clip:
            mean, variance = _clipped(mean, variance, p["g_min"][:, None], p["g_max"][:, None])
        if not from_end:
            mean[:, data.first], variance[:, data.first] = data.conductance[data.first], np.inf
        return mean, variance
    return _filtered(data, p, moves, noise, relative, from_end)


def _filtered(
    data: Staircase, p: Mapping[str, Array], moves: Mapping[bool, tuple[Array, Array, Array]],
    noise: Noise, relative: bool, from_end: bool,
) -> tuple[Array, Array]:  # fmt: skip
    """Over two states: the conductance, and the slow noise (`u`) where there is one."""
    span = p["g_max"] - p["g_min"]
    shape = (span.size, data.conductance.size)
    means, variances = np.empty(shape), np.empty(shape)
    wander, read = (np.asarray(noise.cycle) * span) ** 2, np.asarray(noise.read)
    slow, keep_u = (np.asarray(noise.slow) * span) ** 2, np.exp(-1 / np.asarray(noise.memory))
    fresh = slow * (1 - keep_u**2)
    # Means and (co)variances of state and slow noise.
    m = u = a = b = c = np.zeros(span.size)
    offsets = {
        True: moves[True][1] + moves[True][2] * p["g_min"],
        False: moves[False][2] * p["g_max"] - moves[False][1],
    }
    for k, (seen, up, first) in enumerate(zip(data.conductance, data.up, data.first, strict=True)):
        if first:
            u, b = np.zeros(span.size), slow
            if from_end:
                m, a, c = p["g_min"] if up else p["g_max"], 0 * slow, 0 * slow
            else:
                m = np.full(span.size, seen)
                a, c = slow + (read * (abs(seen) if relative else span)) ** 2, -slow
                means[:, k], variances[:, k] = seen, np.inf
                continue
        keep = moves[bool(up)][0]
        m, a, inside = _clipped_with_share(
            m * keep + offsets[bool(up)], a * keep**2 + wander, p["g_min"], p["g_max"]
        )
        c = c * keep * keep_u * inside
        u, b = u * keep_u, b * keep_u**2 + fresh
        mean = m + u
        total = a + 2 * c + b + (read * (np.abs(mean) if relative else span)) ** 2
        means[:, k], variances[:, k] = mean, total
        gain, gain_u = (a + c) / total, (c + b) / total
        off = seen - mean
        m, u = m + gain * off, u + gain_u * off
        a, b, c = a - gain * (a + c), b - gain_u * (c + b), c - gain * (c + b)
    return means, variances


def first_step(curvature: Array, levels: int) -> Array:
    """Fraction of the range that the first pulse makes; 1/levels on a straight line.

    Args:
        curvature: 1/A_norm, any shape.
        levels: pulses from end to end.
    """
    near = np.abs(curvature) < 1e-8
    safe = np.where(near, 1.0, curvature)
    return np.asarray(np.where(near, 1 / levels, np.expm1(-safe / levels) / np.expm1(-safe)))


def _clipped(mean: Array, variance: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """First two moments of a normal number that is clipped to limits."""
    return _clipped_with_share(mean, variance, low, high)[:2]


def _clipped_with_share(
    mean: Array, variance: Array, low: Array, high: Array
) -> tuple[Array, Array, Array]:
    """The same, and the share between the limits, by which it goes with what it went with."""
    sigma = np.maximum(np.sqrt(np.maximum(variance, 0)), 1e-12 * (high - low))
    a, b = (low - mean) / sigma, (high - mean) / sigma
    if a.max() < -8 and b.min() > 8:
        return np.array(mean), np.array(variance), np.ones_like(mean)
    under, over = _ndtr(a), _ndtr(-b)
    inside = 1 - under - over
    da, db = np.exp(-0.5 * a**2) / _ROOT, np.exp(-0.5 * b**2) / _ROOT
    first = inside * mean + sigma * (da - db) + under * low + over * high
    # About the mean, so that nothing cancels.
    second = sigma**2 * (inside + a * da - b * db)
    second = second + under * (low - mean) ** 2 + over * (high - mean) ** 2
    return first, np.maximum(second - (first - mean) ** 2, (_LEAST * sigma) ** 2), inside


def _ndtr(x: Array) -> Array:
    """The normal distribution's integral."""
    from scipy.special import ndtr

    return np.asarray(ndtr(x))


@dataclass(frozen=True)
class Limits:
    """Where the data lie on a limit of the range, exactly; booleans of shape (pulses,)."""

    low: npt.NDArray[np.bool_]
    high: npt.NDArray[np.bool_]

    @property
    def any(self) -> bool:
        """Whether there are such."""
        return bool(self.low.any() or self.high.any())


def limits(conductance: Array) -> Limits:
    """Conductances that a noise-free read finds at a limit: several at the very same end.

    Two may be equal by accident where a file has few digits: they count if no others are equal.
    Data that repeat often inside their range come from a coarse meter and say nothing of limits.
    """
    ends = {
        name: np.abs(conductance - end) <= 1e-9 * np.abs(conductance).max()
        for name, end in (("low", conductance.min()), ("high", conductance.max()))
    }
    inside = conductance[~(ends["low"] | ends["high"])]
    coarse = inside.size > 0 and np.unique(inside).size < 0.9 * inside.size
    needed = 2 if np.unique(inside).size == inside.size else 3
    none = np.zeros(conductance.size, dtype=bool)
    low, high = (
        at if at.sum() >= needed and not coarse else none for at in (ends["low"], ends["high"])
    )
    return Limits(low, high)


def censored(seen: Array, mean: Array, sigma: Array, at: Limits) -> tuple[Array, Array, Array]:
    """Working response, its weight and ln(likelihood) of normal numbers clipped to limits.

    A number at the upper limit L says only that it would be beyond it: with `a = (L - mean)/sigma`
    and `h = phi(a) / (1 - Phi(a))`, its score is `h/sigma` and its information
    `h (h - a)/sigma^2` (the censored normal of Tobin, Econometrica 26, 24, 1958).

    Returns:
        Response and 1/sigma-like weight for least squares, and ln(likelihood), shape of `seen`.
    """
    from scipy.special import log_ndtr

    sign = np.where(at.low, -1.0, 1.0)
    a = sign * (seen - mean) / sigma
    beyond = log_ndtr(-a)
    h = np.exp(-0.5 * a**2 - beyond) / _ROOT
    bent = np.maximum(h * (h - a), 1e-12)
    clipped = at.low | at.high
    response = np.where(clipped, mean + sign * sigma * h / bent, seen)
    weight = np.where(clipped, np.sqrt(bent), 1.0) / sigma
    likelihood = np.where(clipped, beyond, -0.5 * a**2 - np.log(sigma * _ROOT))
    return response, weight, likelihood
