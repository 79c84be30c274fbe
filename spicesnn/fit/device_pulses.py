"""NeuroSim's curve fitted to staircases of one or several devices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from spicesnn.devices.neurosim import NeuroSimCurve, nonlinearity_label
from spicesnn.fit.device_data import PulseData
from spicesnn.fit.device_result import DeviceFit, Region, determined, region, renamed
from spicesnn.fit.mos import Value
from spicesnn.fit.pulse_filter import Staircase
from spicesnn.fit.staircase import BLOCK, STRONGEST, StaircaseFit, fit_staircase, longest

Array = npt.NDArray[np.float64]
_WEAKEST = 0.01
# A range so many times off the base's may be a forgotten unit (ours).
_ELSEWHERE = 100.0
# Noise of a pulse from which on drawn labels were held less often than they should be (ours).
_ROUGH = 0.03


def fit_pulses(
    base: NeuroSimCurve, data: PulseData, *, name: str = "", levels: int | None = None
) -> DeviceFit:
    """Fit the curve to staircases.

    Of 200 drawn staircases of two cycles with clean reads, two stated uncertainties held 93 to
    100 % of the values of each number of Park2013, Choi2018, Jo2010, Kuzum2012 and Jerry2017; of
    Woo2016 (noise of a pulse 5 % of the range) 91 % of the RESET labels, of Wu2018 (3.7 %, nearly
    straight) 89 and 90 % of both labels. With noise of reads some are held less often. A note says
    so where the noise is as large as that.

    Args:
        base: gives what the data do not.
        data: staircases of one or several devices.
        name: of the preset.
        levels: pulses from end to end.

    Raises:
        DataError: a staircase has too few pulses, or never moves.
        ParameterError: the fitted numbers are out of the kind's bounds.
    """
    most = max(longest(each) for each in data.staircases.values())
    levels = levels or max(most, 2)
    found = {
        owner: fit_staircase(
            each,
            levels,
            relative=data.relative,
            called=f"{data.source}, device {owner}" if owner else data.source,
        )
        for owner, each in data.staircases.items()
    }
    first = next(iter(found.values()))
    values, notes = _values(found, data)
    changes, more = _changes(base, values, data, levels)
    staircases = list(data.staircases.values())
    spans = [one.ends["g_max"][0] - one.ends["g_min"][0] for one in found.values()]
    parts = {
        f"{'SET' if up else 'RESET'}, {half} half": _part(staircases, found, spans, up, half)
        for up in (True, False)
        for half in ("lower", "upper")
    }
    parts = {label: part for label, part in parts.items() if part.points}
    for label, part in parts.items():
        # Four standard errors: what the form of the curve cannot follow.
        if part.points > 10 and abs(part.mean) > 4 * part.rms / math.sqrt(part.points):
            notes.append(
                f"{label}: data are off the curve by {part.mean:+.2g} of the range a pulse, always "
                "in that direction; the form of the curve does not hold there."
            )
    total = sum(each.conductance.size for each in staircases)
    rms = math.sqrt(sum(p.points * p.rms**2 for p in parts.values()) / total)
    device = renamed(
        base, changes, name, data.source, data.digest,
        f"{total} pulses of {len(found)} device(s), expected from one to the next within {rms:.3g} "
        "of the range; not claimed: other pulses, drift, retention",
    )  # fmt: skip
    conductances = np.concatenate([each.conductance for each in staircases])
    valid = {"conductance": (float(conductances.min()), float(conductances.max())),
             "pulses in a row": (1.0, float(most))}  # fmt: skip
    return DeviceFit(
        device, base, values, first.inner, "the range, from one pulse to the next", parts, valid,
        (*data.notes, *notes, *more), data.source, data.digest, _picture(data, found, spans),
    )  # fmt: skip


def label(curvature: float) -> float:
    """Signed nonlinearity label of a curvature 1/A_norm; a straight line has 0."""
    if abs(curvature) < 1e-3:
        return curvature / 1e-3 * nonlinearity_label(1e3)
    return math.copysign(nonlinearity_label(1 / abs(curvature)), curvature)


def _values(
    found: Mapping[str, StaircaseFit], data: PulseData
) -> tuple[dict[str, Value], list[str]]:
    """Means over the devices, with their uncertainties, and what to know of them."""
    ones, notes = list(found.values()), []
    values = _ends(ones, data)
    for name, own, sign in (("nonlinearity_set", "up", 1.0), ("nonlinearity_reset", "down", -1.0)):
        having = [one for one in ones if own in one.inner.names]
        if not having:
            notes.append(f"{name} is the base's: the data have no such pulses.")
            continue
        mean, sigma = _bend(having, own)
        values[name] = Value(sign * mean, sigma, "1")
        if math.isinf(sigma):
            notes.append(
                f"{name} is not determined by these data (they are too few or too noisy): "
                "measure more pulses from end to end."
            )
        if max(abs(one.inner[own]) for one in having) > 0.999 * STRONGEST:
            notes.append(f"{name} is at the end of NeuroSim's table (9).")
    unit = "of the range" if data.relative else "1"
    for name, part in (("cycle_spread", "cycle"), ("read_spread", "read")):
        mean = float(np.mean([getattr(one.noise, part) for one in ones]))
        total = sum(float(getattr(one.sigmas, part)) ** 2 for one in ones)
        values[name] = Value(mean, math.sqrt(total) / len(ones), unit)
    slowest = max(ones, key=lambda one: float(one.noise.slow))
    slow, memory = float(slowest.noise.slow), float(slowest.noise.memory)
    if slow:
        values["slow_noise"] = Value(slow, float(slowest.sigmas.slow), "of the range")
        values["slow_memory"] = Value(memory, float(slowest.sigmas.memory), "pulses")
        notes.append(
            f"a noise of reads with a memory of {memory:.3g} pulses and a sigma of {slow:.3g} of "
            "the range is in the data; NeuroSim's curve has none, and the preset leaves it out."
        )
    return values, notes + _doubts(ones)


def _ends(ones: Sequence[StaircaseFit], data: PulseData) -> dict[str, Value]:
    """The range: of one device its own, of several the middle, and their spread."""
    unit = "of the data" if data.relative else "S"
    values: dict[str, Value] = {}
    spread, noise = 0.0, 0.0
    for name in ("g_min", "g_max"):
        each, sigmas = np.array([one.ends[name] for one in ones]).T
        if len(ones) == 1:
            values[name] = Value(float(each[0]), float(sigmas[0]), unit)
        elif data.relative:
            of_mean = float(each.std(ddof=1)) / math.sqrt(each.size)
            values[name] = Value(float(each.mean()), of_mean, unit)
        else:
            middle, off = math.exp(float(np.log(each).mean())), float(np.log(each).std(ddof=1))
            values[name] = Value(middle, middle * off / math.sqrt(each.size), unit)
            own = float(np.mean((sigmas / each) ** 2))
            spread, noise = spread + max(off**2 - own, 0.0) / 2, noise + own / 2
    if len(ones) > 1 and not data.relative:
        off = math.sqrt((spread + noise) / (4 * (len(ones) - 1)))
        values["device_spread"] = Value(math.sqrt(spread), off, "1")
    return values


def _bend(ones: Sequence[StaircaseFit], own: str) -> tuple[float, float]:
    """Mean label of a direction, > 0 fast at first, and its uncertainty."""
    pairs = [(label(one.inner[own]), _label_sigma(one, own)) for one in ones]
    weights = np.array([1 / max(sigma, 1e-9) ** 2 for _, sigma in pairs])
    mean = float(np.sum(weights * [value for value, _ in pairs]) / weights.sum())
    sigma = float(1 / math.sqrt(weights.sum()))
    if len(ones) > 1:
        # A staircase's own estimate leans outwards, measured on drawn ones by up to half of its
        # uncertainty: more devices do not take that away.
        sigma = max(sigma, 0.5 * float(np.median(1 / np.sqrt(weights))))
    return mean, determined(sigma, 4.0)


def _label_sigma(one: StaircaseFit, own: str) -> float:
    """Uncertainty of a label from two sigmas of its curvature, to the wider side.

    A label flattens out where the curvature is strong: its slope there would say too little.
    """
    at, off = one.inner[own], 2 * one.inner.sigma(own)
    if not math.isfinite(off):
        return math.inf
    return max(abs(label(at + off) - label(at)), abs(label(at) - label(at - off))) / 2


def _doubts(ones: Sequence[StaircaseFit]) -> list[str]:
    notes = []
    if max(float(one.noise.cycle) for one in ones) > _ROUGH:
        notes.append(
            f"pulses scatter by more than {_ROUGH:g} of the range: two stated uncertainties of a "
            "nonlinearity hold about 90 % of drawn values there, not 95 %."
        )
    wander = float(np.mean([one.wander for one in ones]))
    if not 0.5 < wander < 2.0:
        notes.append(
            f"sums of {BLOCK} residuals have {wander:.2g} times the variance of independent ones: "
            "the noise is of another kind, and the uncertainties of range and nonlinearities are "
            "not to be trusted."
        )
    ends = [(one.ends["g_min"], one.ends["g_max"]) for one in ones]
    if any(low[1] + high[1] > high[0] - low[0] for low, high in ends):
        notes.append(
            "g_min and g_max are not determined by these data: the pulses do not come near the "
            "ends of the range."
        )
    return notes


def _changes(
    base: NeuroSimCurve, values: Mapping[str, Value], data: PulseData, levels: int
) -> tuple[dict[str, object], list[str]]:
    """The preset's numbers; for conductances in a unit of their own the range stays the base's."""
    notes = []
    changes: dict[str, object] = {"levels": levels, "cycle_spread": values["cycle_spread"].value}
    read = values["read_spread"].value
    if data.relative:
        # A read's noise of the range is told over the middle conductance.
        read *= (base.g_max - base.g_min) / (0.5 * (base.g_max + base.g_min))
        notes.append(
            f"conductances are relative: g_min and g_max of the preset are {base.name}'s, and so "
            "is the spread of devices."
        )
    else:
        changes |= {"g_min": values["g_min"].value, "g_max": values["g_max"].value}
        ratio = values["g_max"].value / base.g_max
        if not 1 / _ELSEWHERE < ratio < _ELSEWHERE:
            notes.append(
                f"g_max is {ratio:.2g} times that of {base.name}: if the file's conductances are "
                "not in siemens, say their unit, as --unit conductance=uS."
            )
        if "device_spread" in values:
            changes["device_spread"] = min(values["device_spread"].value, 0.299)
    if read >= 0.1:
        notes.append(
            f"a read's noise of {read:.3g} of the conductance is beyond what the kind takes (0.1); "
            "the preset has 0.099: add spread.ReadNoise for the rest."
        )
        read = 0.099
    changes["read_spread"] = read
    for name in ("nonlinearity_set", "nonlinearity_reset"):
        if name in values:
            bent = values[name].value
            changes[name] = math.copysign(min(max(abs(bent), _WEAKEST), 9.0), bent)
    for name, pulse in (("set_pulse", data.set_pulse), ("reset_pulse", data.reset_pulse)):
        changes[name] = {"voltage": pulse[0], "width": pulse[1]} if pulse else None
    return changes, notes


def _part(
    staircases: Sequence[Staircase],
    found: Mapping[str, StaircaseFit],
    spans: Sequence[float],
    up: bool,
    half: str,
) -> Region:
    parts = []
    for each, one, span in zip(staircases, found.values(), spans, strict=True):
        upper = one.mean > 0.5 * (one.ends["g_min"][0] + one.ends["g_max"][0])
        chosen = (each.up == up) & (upper == (half == "upper")) & np.isfinite(one.residuals)
        parts.append(one.residuals[chosen] / span)
    return region(np.concatenate(parts))


def _picture(
    data: PulseData, found: Mapping[str, StaircaseFit], spans: Sequence[float]
) -> dict[str, object]:
    staircases = list(data.staircases.values())
    return {
        "x": np.concatenate([np.arange(each.first.size) + 1.0 for each in staircases]),
        "data": np.concatenate([each.conductance for each in staircases]),
        "model": np.concatenate([one.mean for one in found.values()]),
        "residual": np.concatenate(
            [one.residuals / s for one, s in zip(found.values(), spans, strict=True)]
        ),
        "region": np.concatenate(
            [np.where(each.up, "SET pulses", "RESET pulses") for each in staircases]
        ),
        "starts": np.concatenate([np.flatnonzero(e.first) for e in staircases[:1]]),
        "devices": np.concatenate(
            [np.full(each.first.size, k) for k, each in enumerate(staircases)]
        ),
        "labels": (
            "pulse number", "conductance, in the data's unit" if data.relative else "conductance",
            "residual, of the range",
        ),
    }  # fmt: skip
