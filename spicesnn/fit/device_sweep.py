"""A device of equations fitted to a sweep of voltage and current."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from spicesnn.devices.numeric import functions
from spicesnn.devices.ode import Ode
from spicesnn.devices.trajectories import starts, trajectories
from spicesnn.errors import DataError, ParameterError, SimulationError, UnknownNameError
from spicesnn.fit.device_data import Sweep
from spicesnn.fit.device_result import UNDETERMINED, DeviceFit, determined, region, renamed
from spicesnn.fit.least_squares import Fit, fit
from spicesnn.fit.mos import Value

Array = npt.NDArray[np.float64]
# Currents are compared in logarithm above this part of the largest, in proportion below (ours).
_KNEE = 1e-3
_MOST = 5  # parameters that are freed by themselves
_FAILED = 1e3
_CORRELATED = 0.5


def fit_sweep(
    base: Ode, data: Sweep, *, free: Sequence[str] = (), name: str = "", starts: int = 1,
    seed: int = 0,
) -> DeviceFit:  # fmt: skip
    """Fit numbers of a device, in the mean square of `asinh(I / I_s)`, `I_s = 1e-3 max |I|`.

    Positive numbers that are not states are fitted in their logarithm. The covariance is that of
    independent residuals; where they follow each other, a note says so.

    Args:
        base: equations and what to begin with.
        data: voltage and current over time.
        free: which numbers; by default those with the strongest independent effect on the data.
        name: of the preset.
        starts: how often to begin; beyond the first, from numbers drawn about the base's.
        seed: draws them.

    Raises:
        UnknownNameError: a parameter does not exist.
        ParameterError: one is named twice, `starts` is not positive, or the seed negative.
        DataError: fewer points than parameters, or the data determine none.
        SimulationError: the base's equations cannot be integrated over the sweep.
    """
    if starts < 1:
        raise ParameterError(f"{starts} starts: give 1 or more.")
    if seed < 0:
        raise ParameterError(f"a seed of {seed}: give 0 or more.")
    for each in free:
        if each not in base.numeric():
            raise UnknownNameError(f"parameter of {base.kind}", each, base.numeric())
    if len(set(free)) < len(free):
        raise ParameterError(f"{', '.join(free)}: name each parameter once.")
    knee = _KNEE * float(np.abs(data.current).max())
    wanted = np.arcsinh(data.current / knee)
    names = tuple(free) or _strongest(base, data, knee)
    scaled = _Scaled(base, names)
    started = dict.fromkeys(names, 1.0)
    _model(base, data, [base.numbers], knee)  # one that cannot be integrated is no start
    rng = np.random.default_rng(seed)
    answers: list[Fit] = []
    for k in range(starts):
        begin = started
        if k:
            begin = {n: scaled.inside(n, 1 + 0.5 * rng.standard_normal()) for n in names}
        answers.append(
            fit(
                lambda p: scaled.models(data, [p], knee)[0],
                wanted,
                begin,
                scaled.bounds,
                (data.time, data.voltage),
                several=lambda sets: scaled.models(data, sets, knee),
            )
        )
    inner = min(answers, key=lambda each: float(each.residuals @ each.residuals))
    numbers = scaled.numbers(dict(zip(names, map(float, inner.values), strict=True)))
    if float(np.abs(inner.residuals).max()) >= 0.5 * _FAILED:
        raise SimulationError(
            f"{base.name}: no numbers were found with which its equations follow {data.source}; "
            "begin from other numbers, or free other ones."
        )
    values, notes = _values(base, inner, scaled, numbers)
    notes += _judgement(inner, answers)
    rms = float(np.sqrt(np.mean(inner.residuals**2)))
    device = renamed(
        base,
        base.tied({n: numbers[n] for n in names}) | {"v_max": float(np.abs(data.voltage).max())},
        name, data.source, data.digest,
        f"{', '.join(names)} fitted to {data.time.size} points of a sweep, within {rms:.3g} of "
        f"asinh(I / {knee:.3g} A); not claimed: other voltages, other rates, spread",
    )  # fmt: skip
    rate = np.abs(np.diff(data.voltage) / np.diff(data.time))
    valid = {
        "voltage": (float(data.voltage.min()), float(data.voltage.max())),
        "current": (float(data.current.min()), float(data.current.max())),
        "time": (float(data.time[0]), float(data.time[-1])),
        "volts per second": (float(rate.min()), float(rate.max())),
    }
    branches = _branches(data)
    regions = {
        label: region(inner.residuals[branches == label]) for label in dict.fromkeys(branches)
    }
    picture = {
        "x": data.voltage, "data": data.current,
        "model": knee * np.sinh(wanted - inner.residuals), "residual": inner.residuals,
        "region": branches,
        "labels": ("voltage (V)", "current (A)", f"residual of asinh(I / {knee:.2g} A)"),
    }  # fmt: skip
    return DeviceFit(
        device, base, values, inner, f"asinh(I / {knee:.3g} A)", regions, valid, tuple(notes),
        data.source, data.digest, picture,
    )  # fmt: skip


class _Scaled:
    """Parameters as the fit sees them: 1 is the base's number, in logarithm where positive."""

    def __init__(self, base: Ode, names: Sequence[str]) -> None:
        self.base, self.names = base, tuple(names)
        at_start = {state.start: base.bounds(state) for state in base.states}
        self.logs = {
            n: base.numbers[n] > 0 and n not in at_start for n in names
        }  # fmt: skip
        self.widths = {
            n: at_start[n][1] - at_start[n][0] if n in at_start else abs(base.numbers[n]) or 1.0
            for n in names
        }
        self.bounds: dict[str, tuple[float, float]] = {}
        for n in names:
            low, high = at_start.get(n, _bounds(base, n))
            if self.logs[n]:
                # Four decades either way, within the kind's own bounds.
                ends = (max(low, base.numbers[n] * 1e-4), min(high, base.numbers[n] * 1e4))
                self.bounds[n] = (self.scaled(n, ends[0]), self.scaled(n, ends[1]))
            else:
                self.bounds[n] = (
                    max(self.scaled(n, low), -19.0), min(self.scaled(n, high), 21.0)
                )  # fmt: skip

    def scaled(self, name: str, number: float) -> float:
        if self.logs[name]:
            return 1 + math.log(number / self.base.numbers[name])
        return 1 + (number - self.base.numbers[name]) / self.widths[name]

    def number(self, name: str, scaled: float) -> float:
        if self.logs[name]:
            return self.base.numbers[name] * math.exp(scaled - 1)
        return self.base.numbers[name] + (scaled - 1) * self.widths[name]

    def inside(self, name: str, scaled: float) -> float:
        low, high = self.bounds[name]
        return min(max(scaled, low + 1e-3 * (high - low)), high - 1e-3 * (high - low))

    def numbers(self, scaled: Mapping[str, float]) -> dict[str, float]:
        return self.base.tied({n: self.number(n, x) for n, x in scaled.items()})

    def models(self, data: Sweep, sets: Sequence[Mapping[str, float]], knee: float) -> list[Array]:
        """The model at several parameter sets; numbers that cannot be integrated fit badly."""
        try:
            return list(_model(self.base, data, [self.numbers(p) for p in sets], knee))
        except SimulationError:
            return [np.full(data.time.size, _FAILED) for _ in sets]


def _model(base: Ode, data: Sweep, sets: Sequence[Mapping[str, float]], knee: float) -> Array:
    """`asinh(I / knee)` of each set, shape (sets, points)."""
    numbers = {n: np.array([each[n] for each in sets]) for n in base.numeric()}
    count = len(sets)
    states = trajectories(
        base, data.time, lambda t: np.full(count, np.interp(t, data.time, data.voltage)),
        numbers, starts(base, numbers, (count,)), tolerance=1e-4,
    )  # fmt: skip
    wide = {n: x[:, None] for n, x in numbers.items()}
    volts = np.broadcast_to(data.voltage, (count, data.time.size))
    with np.errstate(all="ignore"):
        current = functions(type(base)).current(volts, states, wide)
    if not np.isfinite(current).all():
        raise SimulationError(
            f"{base.name}: its current is not finite at {data.voltage.min():g} to "
            f"{data.voltage.max():g} V of {data.source}: beyond what it was made for."
        )
    return np.arcsinh(current / knee)


def _strongest(base: Ode, data: Sweep, knee: float) -> tuple[str, ...]:
    """Numbers whose effects on the data are large and differ, in the order of their size."""
    follow = {other for _, other in base.alike}  # move with their partner
    scaled = _Scaled(base, [n for n in base.numeric() if n not in follow])
    steps = {n: scaled.inside(n, 1.01) for n in scaled.names}
    sets = [base.numbers, *(scaled.numbers({n: s}) for n, s in steps.items())]
    here, *moved = _model(base, data, sets, knee)
    slopes = np.array([
        (row - here) / (steps[n] - 1) if abs(steps[n] - 1) > 1e-6 else np.zeros_like(here)
        for n, row in zip(scaled.names, moved, strict=True)
    ])  # fmt: skip
    chosen: list[str] = []
    rest = slopes.copy()
    largest = float(np.linalg.norm(slopes, axis=1).max())
    while len(chosen) < min(_MOST, data.time.size - 1):
        k = int(np.argmax(np.linalg.norm(rest, axis=1)))
        size = float(np.linalg.norm(rest[k]))
        if size <= 0.03 * largest or size == 0:
            break
        chosen.append(scaled.names[k])
        rest = rest - np.outer(rest @ rest[k] / size**2, rest[k])
    if not chosen:
        raise DataError(
            f"{data.source}: no number of {base.name} has an effect on these data; look at the "
            "voltages and times, or name what to fit by --free."
        )
    return tuple(chosen)


def _bounds(base: Ode, name: str) -> tuple[float, float]:
    low, high = -math.inf, math.inf
    for each in type(base).model_fields[name].metadata:
        low = max(low, getattr(each, "ge", low), getattr(each, "gt", low))
        high = min(high, getattr(each, "le", high), getattr(each, "lt", high))
    return low, high


def _values(
    base: Ode, inner: Fit, scaled: _Scaled, numbers: Mapping[str, float]
) -> tuple[dict[str, Value], list[str]]:
    values, unknown, ends = {}, [], []
    for n in inner.names:
        sigma, place = inner.sigma(n), inner[n]
        extra = type(base).model_fields[n].json_schema_extra
        unit = str(extra["unit"]) if isinstance(extra, dict) else "1"
        size = numbers[n] if scaled.logs[n] else scaled.widths[n]
        known = determined(sigma, 1.0)
        values[n] = Value(numbers[n], known * abs(size), unit)
        if math.isinf(known):
            unknown.append(n)
        low, high = scaled.bounds[n]
        if min(place - low, high - place) < 1e-4 * (high - low):
            ends.append(f"{n} = {numbers[n]:.4g} {unit}")
    notes = []
    if unknown:
        notes.append(
            f"{', '.join(unknown)}: not determined by these data (uncertain by more than a factor "
            f"of {math.exp(UNDETERMINED):.0f}); fix them by leaving them out of --free, or measure "
            "where they act."
        )
    if ends:
        notes.append(f"at the end of what was allowed: {', '.join(ends)}; the fit wants more.")
    return values, notes


def _judgement(inner: Fit, answers: Sequence[Fit]) -> list[str]:
    notes = []
    rest = inner.residuals - inner.residuals.mean()
    total = float(rest @ rest)
    following = float(rest[1:] @ rest[:-1]) / total if total else 0.0
    if following > _CORRELATED:
        notes.append(
            f"residuals follow each other (correlation {following:.2f} from point to point): the "
            "form of the model, not noise, sets them, and the uncertainties are too small."
        )
    if len(answers) > 1:
        costs = np.array([each.residuals @ each.residuals for each in answers])
        same = int(np.sum(costs < 1.01 * costs.min()))
        notes.append(f"{same} of {len(answers)} starts led to this fit.")
    return notes


def _branches(data: Sweep) -> npt.NDArray[np.str_]:
    """Each point's branch of the loop."""
    speed = np.gradient(np.abs(data.voltage), data.time)
    side = np.where(data.voltage >= 0, "positive", "negative")
    way = np.where(speed >= 0, "rising", "falling")
    return np.char.add(np.char.add(side, ", "), way)
