"""Device equations integrated for many sets of numbers, voltages or starts at once.

All share their steps, so that the difference between two neighbours is smooth in what differs: a
fit takes its slopes from it, and a map of switching times comes from one integration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicesnn.devices.numeric import functions
from spicesnn.devices.ode import Ode
from spicesnn.errors import SimulationError

Array = npt.NDArray[np.float64]
_D, _E = 1 / (2 + np.sqrt(2)), 6 + np.sqrt(2)
_STEPS = 200_000


@dataclass(frozen=True)
class Start:
    """Where the devices of one integration begin; `scale` and `states` have the states' units."""

    states: Array  # (states, devices)
    scale: Array  # (states, 1)


def starts(device: Ode, numbers: Mapping[str, npt.ArrayLike], shape: tuple[int, ...]) -> Start:
    """The devices' own starts, for numbers that broadcast to `shape`."""
    states = np.stack([np.broadcast_to(numbers[s.start], shape) for s in device.states])
    return Start(states.astype(np.float64), np.array([[s.scale] for s in device.states]))


def trajectories(
    device: Ode,
    time: Array,
    voltage: Callable[[float], Array],
    numbers: Mapping[str, npt.ArrayLike],
    start: Start,
    *,
    tolerance: float = 1e-5,
) -> Array:
    """States of several devices at given times, by a Rosenbrock method of second order.

    `W k_1 = f_0 + h d f_t`, `W (k_2 - k_1) = f_1 - k_1`, `y <- y + h k_2`, `W = 1 - h d J`,
    `d = 1/(2 + sqrt(2))`, with the embedded third order as the error of a step.

    Args:
        device: kind and bounds; its own numbers are not used.
        time: seconds, rising, shape (times,); the voltage may have corners there, only.
        voltage: volts at a time, shape (devices,).
        numbers: by name; numbers, or arrays of shape (devices,).
        start: states at `time[0]`.
        tolerance: of a step, over each state's scale.

    Returns:
        States in their units, shape (states, devices, times).

    Raises:
        SimulationError: the equations are not finite, or need too many steps.
    """
    of, scale = functions(type(device)), start.scale
    y = start.states / scale
    kept = np.empty((*y.shape, time.size))
    kept[..., 0] = y * scale
    step, taken = float(time[1] - time[0]), 0
    for k in range(1, time.size):
        now, end = float(time[k - 1]), float(time[k])
        span = end - now
        # The voltage is straight here, so its slope and the rates' own slope in time are too.
        low, high = voltage(now), voltage(end)
        step = min(step, span)
        while now < end:
            step = min(step, end - now)
            last = now + step >= end * (1 - 1e-15)
            u0 = low + (high - low) * ((now - time[k - 1]) / span)
            change = (high - low) * (step / span)
            found = _step(of, numbers, scale, y, u0, change, step)
            taken += 1
            if found is None:
                error, moved = np.inf, y
            else:
                moved, off = found
                error = float(np.max(np.abs(off) / (tolerance * (1 + np.abs(moved)))))
            if error <= 1:
                y, now = moved, (end if last else now + step)
            step *= min(5.0, max(0.2, 0.8 * max(error, 1e-4) ** (-1 / 3)))
            if step < 1e-13 * span or taken > _STEPS:
                raise SimulationError(
                    f"{device.name}: its equations cannot be integrated beyond {now:.6g} s, at "
                    f"{float(np.min(u0)):.3g} to {float(np.max(u0)):.3g} V; lower the voltage, or "
                    "take other numbers."
                )
        kept[..., k] = y * scale
    return kept


def _step(
    of: object, numbers: Mapping[str, npt.ArrayLike], scale: Array, y: Array, volts: Array,
    change: Array, h: float,
) -> tuple[Array, Array] | None:  # fmt: skip
    with np.errstate(all="ignore"):
        rates, by_state = of.rates, of.rates_by_state  # type: ignore[attr-defined]
        f0 = rates(volts, y * scale, numbers) / scale
        # The rates' slope in time comes through the voltage alone.
        ft = np.zeros_like(f0)
        if np.any(change):
            ft = (rates(volts + 1e-4 * change, y * scale, numbers) / scale - f0) / (1e-4 * h)
        jacobian = by_state(volts, y * scale, numbers) * scale[None] / scale[:, None]
        solve = _solver(jacobian, h)
        k1 = solve(f0 + h * _D * ft)
        f1 = rates(volts + 0.5 * change, (y + 0.5 * h * k1) * scale, numbers) / scale
        k2 = solve(f1 - k1) + k1
        moved = y + h * k2
        f2 = rates(volts + change, moved * scale, numbers) / scale
        k3 = solve(f2 - _E * (k2 - f1) - 2 * (k1 - f0) + h * _D * ft)
        off = h / 6 * (k1 - 2 * k2 + k3)
    if not (np.isfinite(moved).all() and np.isfinite(off).all()):
        return None
    return moved, off


def _solver(jacobian: Array, h: float) -> Callable[[Array], Array]:
    """Of `(1 - h d J) k = r`, for each device."""
    count = jacobian.shape[0]
    if count == 1:
        whole = 1 - h * _D * jacobian[0]
        return lambda right: right / whole
    matrix = np.eye(count) - h * _D * np.moveaxis(jacobian, 2, 0)
    if not np.isfinite(matrix).all():
        return lambda right: np.full_like(right, np.nan)
    inverse = np.linalg.inv(matrix)
    return lambda right: np.einsum("mij,jm->im", inverse, right)
