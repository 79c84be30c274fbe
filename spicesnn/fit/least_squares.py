"""Least squares for any model function: values, covariance, residuals, identity of the data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from spicesnn.errors import DataError

Array = npt.NDArray[np.float64]
Several = Callable[[Sequence[Mapping[str, float]]], Sequence[Array]]
_STEP = 1e-4


@dataclass(frozen=True)
class Fit:
    """Fitted parameters.

    Attributes:
        names: of the parameters.
        values: shape (parameters,).
        covariance: shape (parameters, parameters), scaled by the residuals' variance.
        residuals: data less model, in the fit's own measure, shape (points,).
        data: hash of what was fitted.
    """

    names: tuple[str, ...]
    values: Array
    covariance: Array
    residuals: Array
    data: str

    def __getitem__(self, name: str) -> float:
        """The value of a parameter."""
        return float(self.values[self.names.index(name)])

    def sigma(self, name: str) -> float:
        """The standard uncertainty of a parameter."""
        k = self.names.index(name)
        return float(np.sqrt(self.covariance[k, k]))

    def derived(self, function: Callable[[Mapping[str, float]], float]) -> tuple[float, float]:
        """A function of the parameters and its standard uncertainty, to first order."""

        def at(values: Array) -> float:
            return function(dict(zip(self.names, map(float, values), strict=True)))

        value = at(self.values)
        slope = np.zeros(self.values.size)
        for k, own in enumerate(self.values):
            step = 1e-6 * (abs(own) or 1.0)
            moved = self.values.copy()
            moved[k] += step
            slope[k] = (at(moved) - value) / step
        return value, float(np.sqrt(slope @ self.covariance @ slope))


def fit(
    model: Callable[[Mapping[str, float]], Array],
    wanted: Array,
    start: Mapping[str, float],
    bounds: Mapping[str, tuple[float, float]],
    inputs: Sequence[Array] = (),
    *,
    several: Several | None = None,
    robust: bool = False,
) -> Fit:
    """Fit a model to values in the mean square; the measure is the caller's (ln I, volts, ...).

    Args:
        model: from parameters by name to what is compared with `wanted`, shape (points,).
        wanted: shape (points,).
        start: first guess; its order is that of the answer.
        bounds: of each parameter.
        inputs: what the model depends on besides, for the hash of the data.
        several: the model at several parameter sets at once, for one that is simulated; its slopes
            are then taken over steps of 1e-4 of a parameter's size, or of a thousandth of its range
            where it starts at less.
        robust: residuals above 1 count linearly (soft L1), so that outliers do not rule.

    Raises:
        DataError: fewer points than parameters, or values that are not finite.
    """
    names = tuple(start)
    if wanted.size < len(names):
        raise DataError(
            f"{wanted.size} points cannot give {len(names)} parameters ({', '.join(names)}); "
            "measure more, or widen the region."
        )
    if not np.isfinite(wanted).all():
        raise DataError("values to fit hold NaN or infinite ones; remove those points.")
    low, high = (np.array([bounds[name][k] for name in names]) for k in (0, 1))
    scale = np.maximum(np.abs(list(start.values())), 1e-3 * (high - low))

    def named(scaled: Array) -> dict[str, float]:
        return dict(zip(names, map(float, scaled * scale), strict=True))

    def residual(scaled: Array) -> Array:
        return np.asarray(wanted - model(named(scaled)), dtype=np.float64)

    def slopes(scaled: Array) -> Array:
        steps = np.where(scaled + _STEP <= high / scale, _STEP, -_STEP)
        moved = scaled + np.diag(steps)
        here, *rows = several([named(scaled), *map(named, moved)])  # type: ignore[misc]
        return -np.array([(row - here) / step for row, step in zip(rows, steps, strict=True)]).T

    first = np.clip(np.array(list(start.values())) / scale, low / scale, high / scale)
    end = 1e-6 if several else 1e-12
    answer = least_squares(
        residual, first, jac=slopes if several else "2-point", bounds=(low / scale, high / scale),
        xtol=end, ftol=end, gtol=end, loss="soft_l1" if robust else "linear",
    )  # fmt: skip
    free = max(wanted.size - len(names), 1)
    variance = float(answer.fun @ answer.fun) / free
    # By singular values: a parameter that the data do not fix gets a large uncertainty, no error.
    _, singular, right = np.linalg.svd(answer.jac, full_matrices=False)
    inverse = right.T / np.maximum(singular, 1e-12 * singular.max())
    covariance = variance * (inverse @ inverse.T) * np.outer(scale, scale)
    total = hashlib.sha256()
    for part in (wanted, *inputs):
        total.update(np.ascontiguousarray(part).tobytes())
    return Fit(names, answer.x * scale, covariance, np.asarray(answer.fun), total.hexdigest()[:16])
