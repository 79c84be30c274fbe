"""Extraction of a MOS transistor's parameters from its curves, by region of inversion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicesnn.devices.ekv import Ekv
from spicesnn.errors import DataError
from spicesnn.fit.curves import Curves
from spicesnn.fit.least_squares import Fit, fit
from spicesnn.units import thermal_voltage

Array = npt.NDArray[np.float64]
# Bounds of the inversion coefficient I / (I_spec W/L) of each region (Enz and Vittoz 2006, whose
# weak inversion ends at 0.1 and strong begins at 10; where deep weak inversion begins is ours).
REGIONS: dict[str, tuple[float, float]] = {
    "deep": (0.0, 1e-3), "weak": (1e-3, 0.1), "moderate": (0.1, 10.0), "strong": (10.0, np.inf),
}  # fmt: skip
_BOUNDS = {
    "n": (1.0, 3.0), "v_t0": (-1.0, 3.0), "ln_i_spec": (np.log(1e-12), np.log(1e-3)),
    "lambda_": (-0.5, 5.0), "theta": (-0.4, 20.0), "eta": (-0.1, 0.5),
}  # fmt: skip


@dataclass(frozen=True)
class Value:
    """A number with its standard uncertainty; NaN where the data do not show it."""

    value: float
    sigma: float
    unit: str


@dataclass(frozen=True)
class Extraction:
    """One transistor at one temperature.

    Attributes:
        curves: what was fitted.
        used: which points were: above the floor, source at the bulk, shape (points,).
        region: of each point by the fitted inversion coefficient; empty where not used.
        floor: standard deviation of the measured current's noise, amperes.
        values: kappa, i_0, v_t0, n, i_spec, eta, lambda, theta; `v_t, 100 nA`, the gate voltage at
            that current a square; leakage; and by region the slope
            factor (`n, weak`) and the output conductance over current (`gds/Id, weak`).
        ekv: the compact model.
        residuals: ln of measured over model for all used points, NaN elsewhere, shape (points,).
        inner: the fit of weak and moderate inversion from which the values come.
    """

    curves: Curves
    used: npt.NDArray[np.bool_]
    region: tuple[str, ...]
    floor: float
    values: dict[str, Value]
    ekv: Ekv
    residuals: Array
    inner: Fit

    def median_residual(self, region: str) -> float:
        """Median of |ln(measured / model)| in a region; NaN without points."""
        chosen = np.array([name == region for name in self.region])
        return float(np.median(np.abs(self.residuals[chosen]))) if chosen.any() else float("nan")


def extract_mos(curves: Curves, floor: float | None = None) -> Extraction:
    """Extract one transistor's parameters.

    kappa, I_0, the threshold, I_spec and their like are those of `Ekv`, fitted in ln I to weak and
    moderate inversion, all drain voltages together, above three times the noise floor; `theta` and
    `lambda` of the compact model are then fitted again, to all points.

    Args:
        curves: of one transistor at one temperature.
        floor: noise of the current, amperes; by default from the scatter of the lowest points.

    Raises:
        DataError: too few points lie above the floor, or none in weak or moderate inversion.
    """
    vg, vd, vs, current = curves.magnitudes()
    noise = _floor(vg, vd, vs, curves.vb, current) if floor is None else floor
    u_t = thermal_voltage(curves.celsius)
    used = (current > 3 * noise) & (current > 0) & (np.abs(vs) < 1e-9) & (vd > 0.5 * u_t)
    used &= _conducting(vg, vd, curves.vb, current, used)
    if used.sum() < 8:
        raise DataError(
            f"{curves.source or 'the curves'}: {used.sum()} points lie above three times the noise "
            f"floor ({3 * noise:.3g} A) with the source at the bulk; eight are needed."
        )
    x = vg[used], vd[used], vs[used]
    wanted = np.log(current[used])
    start = _start(x[0], current[used], u_t, curves)
    if np.ptp(x[1]) < 4 * u_t:
        # One drain voltage says nothing of how the drain moves the current.
        del start["eta"], start["lambda_"]
    inner, low = _inner(wanted, start, x, curves)
    for _ in range(3):
        # Which points are weak or moderate depends on the fit, and it on them.
        start = dict(zip(inner.names, map(float, inner.values), strict=True))
        before = low
        inner, low = _inner(wanted, start, x, curves)
        if (before == low).all():
            break
    start = dict(zip(inner.names, map(float, inner.values), strict=True))
    coefficient = _coefficient(start, x, curves)
    outer = fit(
        lambda p: _ln_current({**start, **p}, x, curves), wanted,
        {name: start[name] for name in ("lambda_", "theta") if name in start}, _BOUNDS, x,
    )  # fmt: skip
    model = start | dict(zip(outer.names, map(float, outer.values), strict=True))
    residuals = np.full(vg.size, np.nan)
    residuals[used] = wanted - _ln_current(model, x, curves)
    names = np.full(vg.size, "", dtype=object)
    inside = names[used]
    for name, (low_end, high_end) in REGIONS.items():
        inside[(coefficient >= low_end) & (coefficient < high_end)] = name
    names[used] = inside
    values = _values(inner, u_t)
    values |= _slopes(x, wanted, coefficient, u_t)
    values |= _conductances(x, wanted, coefficient, model, u_t)
    values["v_t, 100 nA"] = _constant_current(x, wanted, curves)
    values["leakage"] = _leakage(vg, vd, vs, current, noise)
    return Extraction(
        curves, used, tuple(map(str, names)), noise, values, _ekv(model), residuals, inner
    )


def _inner(
    wanted: Array, start: Mapping[str, float], x: tuple[Array, ...], curves: Curves
) -> tuple[Fit, npt.NDArray[np.bool_]]:
    """The fit of the points that are in weak or moderate inversion by `start`, and which."""
    low = _coefficient(start, x, curves) < 10
    if low.sum() < 6:
        raise DataError(
            f"{curves.source or 'the curves'}: {low.sum()} points above the floor are in weak or "
            "moderate inversion; measure lower gate voltages, or more transistors in parallel."
        )
    part = tuple(values[low] for values in x)
    return fit(lambda p: _ln_current(p, part, curves), wanted[low], start, _BOUNDS, part), low


def temperature_behaviour(extractions: Sequence[Extraction]) -> dict[str, Value]:
    """How the parameters of one transistor move with temperature.

    Returns:
        `d v_t0/dT`, `d v_t, 100 nA/dT` and `d n/dT` (straight lines) and the exponent of I_spec in
        T/300 K.

    Raises:
        DataError: fewer than two temperatures.
    """
    celsius = np.array([e.curves.celsius for e in extractions])
    if np.unique(celsius).size < 2:
        raise DataError("the behaviour over temperature needs curves at two temperatures or more.")
    ratio = np.log((celsius + 273.15) / 300)
    series = {
        "d v_t0/dT": (celsius, [e.values["v_t0"] for e in extractions], "V/K", False),
        "d v_t, 100 nA/dT": (celsius, [e.values["v_t, 100 nA"] for e in extractions], "V/K", False),
        "d n/dT": (celsius, [e.values["n"] for e in extractions], "1/K", False),
        "exponent of i_spec": (ratio, [e.values["i_spec"] for e in extractions], "1", True),
    }
    found = {}
    for name, (axis, values, unit, logarithm) in series.items():
        own = np.array([v.value for v in values])
        sigma = np.array([v.sigma for v in values])
        if logarithm:
            own, sigma = np.log(own), sigma / own
        slope, error = _line(axis, own)
        # From the points' scatter, or from their own uncertainty where that is larger.
        spread = np.sqrt(np.mean(sigma**2) / np.sum((axis - axis.mean()) ** 2))
        found[name] = Value(slope, max(error, float(spread)), unit)
    return found


def _ekv(parameters: Mapping[str, float]) -> Ekv:
    return Ekv(
        n=parameters["n"], v_t0=parameters["v_t0"], i_spec=float(np.exp(parameters["ln_i_spec"])),
        lambda_=parameters.get("lambda_", 0.0), theta=parameters["theta"],
        eta=parameters.get("eta", 0.0),
    )  # fmt: skip


def _ln_current(parameters: Mapping[str, float], x: tuple[Array, ...], curves: Curves) -> Array:
    current = _ekv(parameters).current(
        *x, width=curves.width, length=curves.length, celsius=curves.celsius
    )
    return np.asarray(np.log(np.maximum(current, 1e-40)))


def _coefficient(parameters: Mapping[str, float], x: tuple[Array, ...], curves: Curves) -> Array:
    """Inversion coefficient at the source, shape (points,)."""
    u_t = thermal_voltage(curves.celsius)
    fall = parameters.get("eta", 0.0) * (x[1] - x[2])
    pinch = (x[0] - parameters["v_t0"] + fall) / parameters["n"]
    return np.asarray(np.logaddexp(0.0, (pinch - x[2]) / (2 * u_t)) ** 2)


def _start(vg: Array, current: Array, u_t: float, curves: Curves) -> dict[str, float]:
    """A threshold by constant current, 100 nA a square, and the rest as is usual."""
    level = 1e-7 * curves.width / curves.length
    order = np.argsort(current)
    v_t0 = float(np.interp(np.log(level), np.log(current[order]), vg[order]))
    spec = 2 * 1.35 * u_t**2 * (200e-6 if curves.kind == "nfet" else 50e-6)
    return {
        "n": 1.35, "v_t0": v_t0, "ln_i_spec": float(np.log(spec)), "lambda_": 0.05, "theta": 0.3,
        "eta": 0.01,
    }  # fmt: skip


def _floor(vg: Array, vd: Array, vs: Array, vb: Array, current: Array) -> float:
    """Noise of the current: its scatter below where it begins to rise with the gate for good."""
    scatters: list[float] = []
    keys = np.round(np.column_stack([vd, vs, vb]), 6)
    for key in np.unique(keys, axis=0):
        own = np.flatnonzero((keys == key).all(axis=1))
        own = own[np.argsort(vg[own])]
        falls = np.flatnonzero(np.diff(current[own]) <= 0)
        # Noise of the strong end (a rounded digit) is no floor.
        falls = falls[falls < own.size // 2]
        if own.size >= 6 and falls.size >= 2:
            few = current[own][: falls[-1] + 2]
            scatters.append(1.4826 * float(np.median(np.abs(few - np.median(few)))))
    return float(np.median(scatters)) if scatters else 0.0


def _conducting(
    vg: Array, vd: Array, vb: Array, current: Array, used: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Which points carry channel current: below, a leak makes the gate sweep flat.

    A sweep's points before d ln I/d V_g comes to 0.9 of the steepest are left out; the steepest is
    the median of the five largest, as a meter that changes its range can step.
    """
    good = np.ones(vg.size, dtype=np.bool_)
    keys = np.round(np.column_stack([vd, vb]), 6)
    for key in np.unique(keys, axis=0):
        own = np.flatnonzero((keys == key).all(axis=1) & used)
        own = own[np.argsort(vg[own])]
        if own.size < 6 or np.any(np.diff(vg[own]) <= 0):
            continue
        slope = np.diff(np.log(current[own])) / np.diff(vg[own])
        steepest = float(np.median(np.sort(slope)[-5:]))
        steep = np.flatnonzero(slope >= 0.9 * steepest)
        if steep.size and steepest > 0:
            good[own[: steep[0]]] = False
    return good


def _values(inner: Fit, u_t: float) -> dict[str, Value]:
    spec, spec_sigma = inner.derived(lambda p: float(np.exp(p["ln_i_spec"])))
    kappa, kappa_sigma = inner.derived(lambda p: 1 / p["n"])
    ln_i_0, ln_sigma = inner.derived(lambda p: p["ln_i_spec"] - p["v_t0"] / (p["n"] * u_t))
    i_0 = float(np.exp(ln_i_0))
    optional = {
        name: Value(inner[own], inner.sigma(own), unit)
        if own in inner.names
        else Value(float("nan"), float("nan"), unit)
        for name, own, unit in (("eta", "eta", "1"), ("lambda", "lambda_", "1/V"))
    }
    return {
        "kappa": Value(kappa, kappa_sigma, "1"),
        "n": Value(inner["n"], inner.sigma("n"), "1"),
        "i_0": Value(i_0, i_0 * ln_sigma, "A"),
        "v_t0": Value(inner["v_t0"], inner.sigma("v_t0"), "V"),
        "i_spec": Value(spec, spec_sigma, "A"),
        **optional,
        "theta": Value(inner["theta"], inner.sigma("theta"), "1/V"),
    }


def _slopes(
    x: tuple[Array, ...], ln_current: Array, coefficient: Array, u_t: float
) -> dict[str, Value]:
    """The slope factor of each region: `G(IC) / (U_T d ln I/d V_g)` at the highest drain voltage.

    `G = (1 - exp(-sqrt(IC))) / sqrt(IC)` is what weak inversion's exponential loses (EKV).
    """
    found = {}
    saturated = x[1] > 0.8 * x[1].max()
    for name, (low, high) in REGIONS.items():
        chosen = saturated & (coefficient >= low) & (coefficient < high)
        if name == "strong" or np.unique(x[0][chosen]).size < 3:
            continue
        root = np.sqrt(coefficient[chosen])
        # Integrated over the gate voltage, so that a region as wide as a decade stays linear.
        gate = x[0][chosen]
        order = np.argsort(gate)
        loss = (-np.expm1(-root) / root)[order]
        gate, level = gate[order], ln_current[chosen][order]
        steps = 0.5 * (loss[1:] + loss[:-1]) * np.diff(gate)
        axis = np.concatenate([[0.0], np.cumsum(steps)])
        slope, error = _line(axis, level)
        n = 1 / (u_t * slope)
        found[f"n, {name}"] = Value(n, n * error / slope, "1")
    return found


def _conductances(
    x: tuple[Array, ...], ln_current: Array, coefficient: Array, model: Mapping[str, float],
    u_t: float,
) -> dict[str, Value]:  # fmt: skip
    """Output conductance over current in saturation, by region: d ln I/d V_d at fixed gate."""
    found = {}
    pinch = np.maximum((x[0] - model["v_t0"]) / model["n"], 0.0)
    saturated = x[1] > pinch + 6 * u_t
    for name, (low, high) in REGIONS.items():
        slopes = []
        chosen = saturated & (coefficient >= low) & (coefficient < high)
        for gate in np.unique(np.round(x[0][chosen], 6)):
            own = chosen & (np.abs(x[0] - gate) < 1e-6)
            if np.unique(x[1][own]).size >= 2:
                slopes.append(_line(x[1][own], ln_current[own])[0])
        if slopes:
            sigma = float(np.std(slopes, ddof=1)) if len(slopes) > 1 else float("nan")
            found[f"gds/Id, {name}"] = Value(float(np.median(slopes)), sigma, "1/V")
    return found


def _constant_current(x: tuple[Array, ...], ln_current: Array, curves: Curves) -> Value:
    """Gate voltage at 100 nA a square and the highest drain voltage, by a line in ln I."""
    level = float(np.log(1e-7 * curves.width / curves.length))
    own = np.flatnonzero(x[1] > 0.8 * x[1].max())
    near = own[np.argsort(np.abs(ln_current[own] - level))[:4]]
    inside = near.size == 4 and ln_current[near].min() < level < ln_current[near].max()
    if not inside or np.unique(x[0][near]).size < 3:
        return Value(float("nan"), float("nan"), "V")
    # Gate against ln I, a parabola: the curve bends here.
    axis = ln_current[near] - level
    bend = np.polyfit(axis, x[0][near], 2)
    scatter = x[0][near] - np.polyval(bend, axis)
    return Value(float(bend[2]), float(np.sqrt(scatter @ scatter)), "V")


def _leakage(vg: Array, vd: Array, vs: Array, current: Array, noise: float) -> Value:
    """Current at zero gate and the highest drain voltage."""
    off = (np.abs(vg) < 1e-6) & (np.abs(vs) < 1e-9)
    if not off.any():
        return Value(float("nan"), float("nan"), "A")
    off &= vd > 0.8 * vd[off].max()
    count = int(off.sum())
    scatter = float(np.std(current[off], ddof=1)) if count > 1 else 0.0
    return Value(float(np.mean(current[off])), max(scatter, noise) / np.sqrt(count), "A")


def _line(x: Array, y: Array) -> tuple[float, float]:
    """Slope of a straight line and its standard error."""
    centred = x - x.mean()
    total = float(centred @ centred)
    slope = float(centred @ y) / total
    rest = y - y.mean() - slope * centred
    free = max(x.size - 2, 1)
    return slope, float(np.sqrt(rest @ rest / free / total))
