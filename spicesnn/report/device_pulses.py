"""Pictures of devices that answer to pulses: staircases, drift, noise of reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spicesnn.devices.neurosim import NeuroSimCurve
from spicesnn.devices.pcm import PhaseChange
from spicesnn.devices.pulse_array import PulseArray
from spicesnn.devices.pulse_map import PulseMap
from spicesnn.errors import DataError
from spicesnn.report.device_axes import (
    BLUE,
    GREY,
    LINES,
    Drawn,
    draw_all,
    halves,
    new_figure,
    prefix,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]
_DEVICES, _SEED = 1000, 1


def draw_pulse_map(device: PulseMap, folder: Path) -> Drawn:
    """Staircase, and drift and noise of reads where the kind has them, of 1,000 devices."""
    made: dict[str, Callable[[], tuple[Figure, dict[str, Any]]]] = {
        "staircase": lambda: _pulse_staircase(device),
        "drift": lambda: _drift(device),
        "reads": lambda: _reads(device),
    }
    return draw_all(made, folder, device.name, {"devices": _DEVICES, "seed": _SEED})


def _begun(device: PulseMap) -> tuple[PulseArray, np.random.Generator]:
    rng = np.random.default_rng(_SEED)
    fresh = PulseArray.draw(device, (_DEVICES,), 0.0, _SEED)
    return fresh.reset(rng, 0.0), rng


def _pulse_staircase(device: PulseMap) -> tuple[Figure, dict[str, Any]]:
    """Mean and spread over 1,000 devices: SET from the foot of the range, then RESET."""
    array, rng = _begun(device)
    pulses = int(getattr(device, "levels", 20))
    every = [array.conductance]
    for goal in ("set", "reset"):
        for _ in range(pulses):
            one, none = np.ones(_DEVICES, int), np.zeros(_DEVICES, int)
            pair = (one, none) if goal == "set" else (none, one)
            array = array.pulsed(*pair, rng, 0.0)
            every.append(array.conductance)
    values = np.array(every)
    figure = new_figure(5.2, 3.6)
    axes = figure.subplots()
    factor, si = prefix(values.max())
    number = np.arange(2 * pulses + 1)
    ends = np.percentile(values, [15.87, 84.13], axis=1) * factor
    for k, column in enumerate(_typical(values[pulses])):
        axes.plot(number, values[:, column] * factor, color=GREY, lw=0.6,
                  label=None if k else "nearest to 16, 50 and 84 % after SET")  # fmt: skip
    axes.fill_between(number, ends[0], ends[1], color=BLUE, alpha=0.25, lw=0,
                      label="16 % to 84 % of 1,000 devices")  # fmt: skip
    axes.plot(number, values.mean(axis=1) * factor, color=BLUE, lw=1.6, label="mean")
    for end in (device.g_min, device.g_max):
        axes.axhline(end * factor, color="k", lw=0.6, ls=":", zorder=0,
                     label=None if end == device.g_max else "g_min and g_max")  # fmt: skip
    _draw_formula(axes, device, pulses, factor, values[0])
    halves(axes, pulses, "SET", "RESET")
    axes.set_xlabel("pulse number")
    axes.set_ylabel(f"conductance ({si}S)")
    axes.legend(fontsize=7, frameon=False)
    axes.set_title(f"{device.name} ({device.kind})", fontsize=10, pad=16)
    return figure, {
        "pulses each way": pulses,
        "mean after SET": float(values[pulses].mean()),
        "sigma after SET": float(values[pulses].std(ddof=1)),
        "mean after RESET": float(values[-1].mean()),
    }


def _typical(values: Array) -> list[int]:
    """Which devices are nearest to the 16, 50 and 84 % quantiles."""
    wanted = np.percentile(values, [15.87, 50.0, 84.13])
    return [int(np.argmin(np.abs(values - each))) for each in wanted]


def _draw_formula(axes: Axes, device: PulseMap, pulses: int, factor: float, begun: Array) -> None:
    """The kind's own law beside the drawn devices."""
    up, down = np.arange(pulses + 1), np.arange(pulses, 2 * pulses + 1)
    if isinstance(device, NeuroSimCurve):
        axes.plot(up, device.curve(up, "set") * factor, "k--", lw=1.0, label="noise-free curve")
        axes.plot(down, device.curve(up, "reset") * factor, "k--", lw=1.0)
    elif isinstance(device, PhaseChange):
        mean, sigma = moments(device, pulses, float(begun.mean()), float(begun.std()))
        axes.plot(up, mean * factor, "k--", lw=1.0, label="formula: mean and sigma, no limits")
        for sign in (-1, 1):
            axes.plot(up, (mean + sign * sigma) * factor, "k--", lw=0.6)
        axes.plot(down[1:], np.full(pulses, device.reset_mean * factor), "k--", lw=1.0)


def moments(device: PhaseChange, pulses: int, mean: float, sigma: float) -> tuple[Array, Array]:
    """Mean and sigma of the conductance after each of so many SET pulses, without limits.

    From `E[G'] = (1 + mean_g) E[G] + c` and `Var[G'] = (1 + mean_g)^2 Var[G] + E[sigma(G)^2]`,
    which hold exactly, as both laws are straight in G.

    Args:
        device: a preset; its memory of programming begins at 1, as after RESET.
        pulses: number.
        mean: of the conductance before, siemens.
        sigma: of the same, siemens.

    Returns:
        Siemens, shape (pulses + 1,).
    """
    means, variances = [mean], [sigma**2]
    for k in range(1, pulses + 1):
        memory = np.exp(-k / device.decay)
        m, v = means[-1], variances[-1]
        spread = device.sigma_g * m + device.sigma_0 + device.sigma_p * memory
        means.append(m + device.mean_g * m + device.mean_0 + device.mean_p * memory)
        variances.append((1 + device.mean_g) ** 2 * v + spread**2 + device.sigma_g**2 * v)
    return np.array(means), np.sqrt(variances)


def _counts(device: PulseMap) -> list[int]:
    """A few, some and many pulses."""
    pulses = int(getattr(device, "levels", 20))
    return sorted({max(pulses // 10, 1), max(pulses // 4, 2), pulses})


def _levels(device: PulseMap) -> tuple[list[PulseArray], np.random.Generator]:
    """Devices after a few, some and many SET pulses."""
    array, rng = _begun(device)
    found, done = [], 0
    for goal in _counts(device):
        more = np.full(_DEVICES, goal - done)
        array, done = array.pulsed(more, np.zeros(_DEVICES, int), rng, 0.0), goal
        found.append(array)
    return found, rng


def _drift(device: PulseMap) -> tuple[Figure, dict[str, Any]]:
    levels, rng = _levels(device)
    times = np.geomspace(1.0, 1e6, 25)
    early, late = (levels[-1].drifted(t) for t in (times[0], times[-1]))
    if np.allclose(early, late, rtol=1e-9, atol=0):
        raise DataError(f"{device.name} ({device.kind}) does not drift.")
    figure = new_figure(4.6, 3.4)
    axes = figure.subplots()
    factor, si = prefix(float(early.max()))
    exponents = {}
    for array, colour, count in zip(levels, LINES, _counts(device), strict=False):
        reads = np.array([array.read(t, rng) for t in times]) * factor
        ends = np.percentile(reads, [15.87, 84.13], axis=1)
        axes.fill_between(times, ends[0], ends[1], color=colour, alpha=0.2, lw=0)
        axes.plot(times, reads.mean(axis=1), "o", ms=3, color=colour,
                  label=f"after {count} SET pulses")  # fmt: skip
        mean = np.array([array.drifted(t).mean() for t in times])
        axes.plot(times, mean * factor, "-", lw=1.0, color=colour)
        slope = np.polyfit(np.log(times), np.log(mean), 1)[0]
        exponents[f"exponent after {count} SET pulses"] = -float(slope)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("time after the last pulse (s)")
    axes.set_ylabel(f"conductance ({si}S)")
    axes.legend(fontsize=8, frameon=False, loc="lower left")
    axes.set_title(
        f"{device.name}: lines without, points with noise of reads\nbands: 16 % to 84 % of 1,000",
        fontsize=9,
    )
    return figure, exponents


def _reads(device: PulseMap) -> tuple[Figure, dict[str, Any]]:
    """Standard deviation of 200 reads of each device against its mean."""
    levels, rng = _levels(device)
    when = 100.0
    points = []
    for array in levels:
        reads = np.array([array.read(when, rng) for _ in range(200)])
        points.append((reads.mean(axis=0), reads.std(axis=0, ddof=1)))
    if max(float((s / m).max()) for m, s in points) < 1e-9:
        raise DataError(f"{device.name} ({device.kind}) has no noise of reads.")
    figure = new_figure(4.6, 3.4)
    axes = figure.subplots()
    factor, si = prefix(max(float(m.max()) for m, _ in points))
    for (mean, sigma), colour, count in zip(points, LINES, _counts(device), strict=False):
        axes.plot(mean * factor, sigma * factor, ".", ms=2, color=colour, alpha=0.5,
                  label=f"after {count} SET pulses")  # fmt: skip
    axis = np.linspace(min(m.min() for m, _ in points), max(m.max() for m, _ in points), 50)
    law = _law(device)
    if law:
        axes.plot(axis * factor, law(axis) * factor, "k-", lw=1.2, label="the model's sigma")
    if isinstance(device, PhaseChange):
        for end in (device.g_min, device.g_max):
            axes.axvline(
                end * factor,
                color="k",
                lw=0.6,
                ls=":",
                zorder=0,
                label=None if end == device.g_max else "limits, which clip reads",
            )
    axes.legend(fontsize=7, frameon=False, markerscale=4)
    axes.set_xlabel(f"mean of 200 reads ({si}S)")
    axes.set_ylabel(f"sigma of 200 reads ({si}S)")
    axes.set_title(f"{device.name}: noise of reads of 1,000 devices", fontsize=10)
    axes.set_ylim(bottom=0)
    mean, sigma = (np.concatenate([p[k] for p in points]) for k in (0, 1))
    return figure, {"median sigma over conductance": float(np.median(sigma / mean))}


def _law(device: PulseMap) -> Callable[[Array], Array] | None:
    """Sigma of a read over conductance, where the kind has it in numbers."""
    if hasattr(device, "read_spread"):
        relative = float(device.read_spread)
        return lambda g: relative * g
    if hasattr(device, "read_g") and hasattr(device, "read_0"):
        slope, floor = float(device.read_g), float(device.read_0)
        return lambda g: slope * g + floor
    return None
