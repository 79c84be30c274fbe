"""Pictures of devices of equations: hysteresis loops, staircases, switching times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from spicesnn.devices.ode import Ode
from spicesnn.errors import SimulationError
from spicesnn.report.device_axes import (
    LINES,
    Drawn,
    draw_all,
    finite,
    halves,
    new_figure,
    prefix,
)
from spicesnn.report.device_drive import (
    BEGIN,
    END,
    Drive,
    Pulses,
    bounded,
    conductance,
    find_drive,
    off_states,
    switching_times,
)
from spicesnn.report.device_pulse import draw_pulse

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]
By = Literal["scipy", "ngspice"]
_CORNERS = 200  # of a period of the sine


def draw_equations(
    device: Ode, folder: Path, by: By, amplitude: float | None, pulses: Pulses | None
) -> Drawn:
    """Loop, one pulse each way, staircase and switching times.

    Voltages and times are found by search.

    Args:
        device: a preset.
        folder: for PNG files.
        by: who integrates the loop; `ngspice` lays its answer over SciPy's.
        amplitude: of loop and pulses, volts; by default what takes the state through its range.
        pulses: of pulse and staircase, instead.

    Raises:
        SimulationError: no voltage moves the device.
    """
    drive = find_drive(device)
    pulsing = drive.with_pulses(pulses) if pulses else drive.with_amplitude(amplitude)
    numbers: dict[str, Any] = {
        "set voltage": drive.v_set, "reset voltage": drive.v_reset, "time": drive.time,
        "relaxes in": drive.relaxes, "read voltage": drive.v_read,
    }  # fmt: skip
    made: Mapping[str, Callable[[], tuple[Figure, dict[str, Any]]]] = {
        "loop": lambda: _loop(device, drive, by, amplitude),
        "pulse": lambda: draw_pulse(device, pulsing, pulses.width if pulses else drive.time),
        "staircase": lambda: _staircase(device, pulsing),
        "switching": lambda: _switching(device, drive),
    }
    return draw_all(made, folder, device.name, numbers)


def _loop(
    device: Ode, drive: Drive, by: By, amplitude: float | None
) -> tuple[Figure, dict[str, Any]]:
    """Current over voltage, of the second period of sines at three frequencies."""
    from spicesnn.devices.response import response

    # Above what takes the state through at the slowest of the three frequencies (ours).
    high = amplitude or bounded(device, 1.25 * drive.loop)
    slowest = max(drive.time, drive.relaxes or 0.0)
    frequencies = [factor / (10 * slowest) for factor in (1.0, 10.0, 100.0)]
    loops, areas = [], {}
    for frequency in frequencies:
        time = np.linspace(0, 2 / frequency, 2 * _CORNERS + 1)
        wave = high * np.sin(2 * np.pi * frequency * time)
        found = response(device, time, wave, points=2)
        own = found.time >= 1 / frequency
        other = _by_ngspice(device, time, wave) if by == "ngspice" else None
        loops.append((frequency, found.voltage[own], found.current[own], other))
        areas[f"{frequency:.4g} Hz"] = _area(found.voltage[own], found.current[own])
    figure = new_figure(7.0, 3.2)
    left, right = figure.subplots(1, 2)
    factor, si = prefix(max(np.abs(i).max() for _, _, i, _ in loops))
    for (frequency, volts, current, other), colour in zip(loops, LINES, strict=True):
        shown, unit = prefix(frequency)
        label = f"{frequency * shown:.3g} {unit}Hz"
        left.plot(volts, current * factor, color=colour, lw=1.2, label=label)
        right.semilogy(volts, np.maximum(np.abs(current), 1e-30), color=colour, lw=1.2)
        if other is not None:
            time, ours = other
            own = time >= 1 / frequency
            at = high * np.sin(2 * np.pi * frequency * time[own])
            skip = max(int(own.sum()) // 40, 1)
            left.plot(at[::skip], ours[own][::skip] * factor, "o", mfc="none", ms=3.5, mew=0.7,
                      color=colour)  # fmt: skip
            right.plot(at[::skip], np.abs(ours[own][::skip]), "o", mfc="none", ms=3.5, mew=0.7,
                       color=colour)  # fmt: skip
    currents = np.concatenate([np.abs(i[np.abs(v) > 0.02 * high]) for _, v, i, _ in loops])
    right.set_ylim(0.3 * max(currents.min(), 1e-7 * currents.max()), 3 * currents.max())
    left.set_ylabel(f"current ({si}A)")
    right.set_ylabel("magnitude of current (A)")
    for axes in (left, right):
        axes.set_xlabel("voltage (V)")
        axes.axvline(0, color="0.8", lw=0.6, zorder=0)
    left.axhline(0, color="0.8", lw=0.6, zorder=0)
    title = "lines: SciPy, circles: ngspice" if by == "ngspice" else ""
    left.legend(fontsize=8, frameon=False, title=title or None, title_fontsize=8)
    figure.suptitle(
        f"{device.name} ({device.kind}): sine of {high:.3g} V, no limit of current", fontsize=10
    )
    shown_numbers: dict[str, Any] = {"amplitude": high, "area over its rectangle": areas}
    if by == "ngspice":
        shown_numbers["median difference of ngspice, of the range"] = {
            f"{f:.4g} Hz": _difference(device, f, high, o) for f, _, _, o in loops
        }
    return figure, shown_numbers


def _area(volts: Array, current: Array) -> float:
    """What both lobes enclose, over the rectangle of the largest voltage and current."""
    lobes = [
        abs(float(np.trapezoid(np.where(side, current, 0), np.where(side, volts, 0))))
        for side in (volts >= 0, volts < 0)
    ]
    return sum(lobes) / (4 * float(np.abs(volts).max() * np.abs(current).max()))


def _by_ngspice(device: Ode, time: Array, wave: Array) -> tuple[Array, Array]:
    """Times and currents of the device's subcircuit over a voltage source."""
    from spicesnn.circuits.deck import Deck, Knob, Transient, Waveform
    from spicesnn.circuits.device_forms import device_forms
    from spicesnn.engine.options import SimulationOptions
    from spicesnn.engine.session import Session

    forms = device_forms(device, "driven")
    nodes = " ".join(state.name for state in device.states)
    deck = Deck(
        f"{device.name}, driven", f"xdevice top 0 {nodes} {forms.name}", "",
        {"vtop": Knob("vtop", ("top", "0"), Waveform(time, wave))}, ("i(vtop)",),
        Transient(float(time[-1]), float(time[-1]) / 4000), plausible_voltage=1e4,
        devices=(forms,), device_form="subcircuit",
    )  # fmt: skip
    with Session(deck, SimulationOptions(relative_tolerance=1e-5)) as session:
        found = session.run().waveforms
    return found.time, -found["i(vtop)"]


def _difference(device: Ode, frequency: float, high: float, other: Any) -> float:
    """Median difference of ngspice's current from SciPy's, over its range."""
    from spicesnn.devices.response import response

    time = np.linspace(0, 2 / frequency, 2 * _CORNERS + 1)
    found = response(device, time, high * np.sin(2 * np.pi * frequency * time), points=2)
    ours = np.interp(found.time, *other)
    return float(np.median(np.abs(ours - found.current)) / np.ptp(found.current))


def _staircase(device: Ode, drive: Drive) -> tuple[Figure, dict[str, Any]]:
    """Conductance after each of 30 SET pulses and 30 RESET pulses, at three amplitudes."""
    from spicesnn.devices.trajectories import Start, trajectories

    pulses, width = 30, drive.time / 10
    v_set, v_reset = drive.v_set, drive.v_reset or 0.0
    most = bounded(device, 1.1 * drive.loop) / drive.loop
    factors = np.array([0.9, 1.0, most] if most > 1 else [0.8, 0.9, most])
    edge = 0.05 * width
    corners = np.array([0.0, edge, width - edge, width, 2 * width])
    shape = np.array([0.0, 1.0, 1.0, 0.0, 0.0])
    time = np.concatenate([[0.0], *(2 * width * k + corners[1:] for k in range(2 * pulses))])
    ups = np.concatenate([[0.0], np.tile(shape[1:], pulses), np.zeros(4 * pulses)])
    downs = np.concatenate([[0.0], np.zeros(4 * pulses), np.tile(shape[1:], pulses)])
    wave = v_set * ups + v_reset * downs
    states, begun = off_states(device, drive)
    states = np.repeat(states, 3, axis=1)
    scale = np.array([[s.scale] for s in device.states])
    found = trajectories(
        device, time, lambda t: factors * np.interp(t, time, wave), device.numbers,
        Start(states, scale), tolerance=1e-4,
    )  # fmt: skip
    after = conductance(device, found[:, :, ::4], drive.v_read)
    finite(after, f"{device.name}: the conductance")
    figure = new_figure(5.2, 3.6)
    axes = figure.subplots()
    factor, si = prefix(after.max())
    number = np.arange(2 * pulses + 1)
    for row, share, colour in zip(after, factors, LINES, strict=True):
        label = f"{share * v_set:+.3g} V" + (f", {share * v_reset:+.3g} V" if v_reset else "")
        axes.plot(number, row * factor, "o-", ms=2.5, lw=0.9, color=colour, label=label)
    halves(axes, pulses, "SET", "RESET" if v_reset else "0 V")
    if after.max() > 50 * after.min() > 0:
        axes.set_yscale("log")
    shown, unit = prefix(width)
    axes.set_xlabel(
        f"pulse number (width {width * shown:.3g} {unit}s, read as long after each)\n"
        f"from {begun}", fontsize=9,
    )  # fmt: skip
    axes.set_ylabel(f"conductance at {drive.v_read:.2g} V ({si}S)")
    axes.legend(fontsize=8, frameon=False, title="pulse amplitude", title_fontsize=8)
    axes.set_title(f"{device.name} ({device.kind})", fontsize=10, pad=16)
    return figure, {
        "width": width, "conductance, lowest": float(after.min()),
        "conductance, highest": float(after.max()),
    }  # fmt: skip


def _switching(device: Ode, drive: Drive) -> tuple[Figure, dict[str, Any]]:
    """Time to within 10 % of the range's end, over amplitude and start, in both directions."""
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import LogLocator

    shares = np.linspace(BEGIN, 0.85, 36)
    panels = []
    for label, volts, up in (
        ("SET", drive.v_set, drive.on_is_high), ("RESET", drive.v_reset, not drive.on_is_high)
    ):  # fmt: skip
        if volts is None and label == "RESET" and drive.relaxes is None:
            continue
        # A device that relaxes by itself is shown how a voltage holds it.
        ladder = (
            np.linspace(0, drive.v_set, 61) if volts is None
            else np.copysign(np.geomspace(0.5 * abs(volts), bounded(device, 2.5 * abs(volts)), 61),
                             volts)
        )  # fmt: skip
        begin = shares if up else 1 - shares
        times = switching_times(device, drive.state, ladder, begin, up=up)
        if np.isfinite(times).any():
            name = label if volts is not None else "relaxation"
            panels.append((name, ladder, begin, times, up))
    if not panels:
        raise SimulationError(f"{device.name} goes through its range at none of these voltages.")
    every = np.concatenate([t[np.isfinite(t) & (t > 0)] for _, _, _, t, _ in panels])
    # A few points beside a threshold would take the colours of all others.
    ends = np.percentile(every, [1, 99])
    norm = LogNorm(ends[0], max(ends[1], 1.01 * ends[0]))
    figure = new_figure(3.4 * len(panels) + 0.9, 3.6)
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    decades = LogLocator(base=10).tick_values(*ends)
    inside = [d for d in decades if ends[0] < d < ends[1]]
    failed = False
    for axes, (name, ladder, begin, times, up) in zip(row, panels, strict=True):
        values = np.ma.masked_invalid(np.maximum(times, ends[0]).T)
        smooth = "nearest" if values.mask.any() else "gouraud"
        mesh = axes.pcolormesh(
            ladder, begin, values, norm=norm, cmap="cividis", shading=smooth, rasterized=True
        )
        if inside and min(values.shape) > 2:
            axes.contour(ladder, begin, values, levels=inside, colors="w", linewidths=0.8)
        broken = np.isnan(times)
        if broken.any():
            failed = True
            axes.contourf(ladder, begin, broken.T.astype(float), levels=[0.5, 1.5], colors="none",
                          hatches=["xxx"])  # fmt: skip
        axes.set_facecolor("0.92")
        axes.set_xlabel("voltage (V)")
        axes.set_title(f"{name}: to {END if up else 1 - END:.0%} of the range", fontsize=9)
    row[0].set_ylabel(
        f"start: {device.states[drive.state].doc},\nas a fraction of its range", fontsize=9
    )
    bar = figure.colorbar(mesh, ax=list(row), label="switching time (s)", extend="both")
    for decade in inside:
        bar.ax.axhline(decade, color="w", lw=0.8)
    told = "white: the bar's lines; grey: not within 10 s"
    if failed:
        told += "; hatched: not integrated"
    if device.v_max is not None:
        told += f"; good for {device.v_max:.3g} V at most"
    figure.suptitle(f"{device.name} ({device.kind})\n{told}", fontsize=9)
    return figure, {
        name: {
            "fastest": float(t[np.isfinite(t)].min()), "slowest": float(t[np.isfinite(t)].max()),
            "never": int(np.isinf(t).sum()), "failed": int(np.isnan(t).sum()),
        }
        for name, _, _, t, _ in panels
    }  # fmt: skip
