"""What recipes share that fit a tier to whole runs, from rest to end, in floats of 64 bits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from spicesnn.fit.least_squares import Fit, fit
from spicesnn.tiers.record import Record
from spicesnn.tiers.tier import Signals, Spec, Tier, scan

Array = npt.NDArray[np.float64]


def stacked(records: Sequence[Record], names: Iterable[str]) -> dict[str, Array]:
    """Inputs of all runs, shape (steps, runs, ...), zero after the end of shorter ones."""
    longest = max(record.steps for record in records)
    found = {}
    for name in names:
        rows = []
        for record in records:
            each = record.inputs[name]
            rows.append(np.pad(each, [(0, longest - each.shape[0])] + [(0, 0)] * (each.ndim - 1)))
        found[name] = np.stack(rows, axis=1)
    return found


def fit_runs(
    tier: type[Tier],
    records: Sequence[Record],
    start: Mapping[str, float],
    fixed: Mapping[str, float],
    scales: Mapping[str, float],
    run: Callable[[Any, Mapping[str, jax.Array], float], Signals] | None = None,
) -> Fit:
    """Fit a tier that runs freely, from rest, through whole runs.

    Args:
        tier: its class.
        records: of the circuit, one step in all.
        start: first guess of the parameters that are fitted.
        fixed: the others; they are in the answer, without uncertainty.
        scales: by output, what a residual of 1 is.
        run: all steps of the tier from rest, from inputs and the step to outputs; by default
            one after the other.
    """
    dt = records[0].dt
    inputs = stacked(records, list(tier.INPUTS))
    longest, runs = next(iter(inputs.values())).shape[:2]
    kept = np.zeros((longest, runs), dtype=bool)
    for k, record in enumerate(records):
        kept[: record.steps, k] = True
    rows, columns = np.nonzero(kept)
    with jax.enable_x64(True):
        given = {name: jnp.asarray(each) for name, each in inputs.items()}

        def outputs(values: Mapping[str, jax.Array]) -> Signals:
            model = tier.of({**values, **fixed})
            if run is not None:
                return run(model, given, dt)
            return scan(model, model.start((runs,), jnp.float64), given, dt)[1]

        @jax.jit
        def batch(values: Mapping[str, jax.Array]) -> jax.Array:
            found = jax.vmap(outputs)(values)
            parts = [found[n][:, rows, columns] / s for n, s in scales.items()]
            return jnp.concatenate(parts, axis=1)

        wanted = np.concatenate([_joined(records, n)[kept] / s for n, s in scales.items()])

        def several(sets: Sequence[Mapping[str, float]]) -> list[Array]:
            # Two sizes of a batch, so that it is compiled twice only.
            padded = [*sets, *[sets[0]] * (len(start) + 1 - len(sets))] if len(sets) > 1 else sets
            with jax.enable_x64(True):
                values = {n: jnp.asarray([s[n] for s in padded]) for n in start}
                return list(np.asarray(batch(values))[: len(sets)])

        bounds = {n: bounds_of(tier.PARAMETERS[n], value, 1000) for n, value in start.items()}
        found = fit(
            lambda values: several([values])[0], wanted, start, bounds,
            list(inputs.values()), several=several,
        )  # fmt: skip
    return with_fixed(found, fixed)


def split(
    like: Mapping[str, float] | None,
    mismatched: Sequence[str],
    guess: Mapping[str, float],
    fixed: Mapping[str, float],
) -> tuple[dict[str, float], dict[str, float]]:
    """What is fitted, from where, and what is kept.

    Args:
        like: parameters of a unit like this one, if there is one.
        mismatched: the parameters in which such units differ.
        guess: of what is fitted where there is none.
        fixed: what is kept then.

    Returns:
        First guesses of the fitted parameters, and the values of the others.
    """
    if like is None:
        return dict(guess), dict(fixed)
    kept = {name: value for name, value in like.items() if name not in mismatched}
    return {name: like[name] for name in mismatched}, kept


def with_fixed(found: Fit, fixed: Mapping[str, float]) -> Fit:
    """A fit with further parameters that were not fitted, without uncertainty."""
    size = len(found.names)
    covariance = np.zeros((size + len(fixed),) * 2)
    covariance[:size, :size] = found.covariance
    return Fit(
        (*found.names, *fixed), np.r_[found.values, list(fixed.values())], covariance,
        found.residuals, found.data,
    )  # fmt: skip


def bounds_of(spec: Spec, start: float, factor: float) -> tuple[float, float]:
    """Within a parameter's own, a factor about the first guess if that is not zero."""
    if start == 0:
        return spec.low, spec.high
    near, far = sorted((start / factor, start * factor))
    return max(spec.low, near), min(spec.high, far)


def _joined(records: Sequence[Record], name: str) -> Array:
    longest = max(record.steps for record in records)
    return np.stack([np.pad(r.outputs[name], (0, longest - r.steps)) for r in records], axis=1)
