"""Picture of one SET and one RESET pulse on a device of equations, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spicesnn.devices.ode import Ode
from spicesnn.report.device_axes import BLUE, RED, new_figure, prefix
from spicesnn.report.device_drive import Drive, conductance, off_states

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_pulse(device: Ode, drive: Drive, width: float) -> tuple[Figure, dict[str, Any]]:
    """State and conductance during one SET pulse, and one RESET pulse after it.

    Edges take 1e-4 of the width. A device that relaxes is left at 0 V instead of a RESET pulse.

    Args:
        device: a preset.
        drive: voltages.
        width: of the pulses, seconds.
    """
    from spicesnn.devices.response import response

    states, begun = off_states(device, drive)
    moving = device.states[drive.state]
    factor = 1e9 if moving.unit == "m" else 1.0
    unit = {"m": "nm", "1": ""}.get(moving.unit, moving.unit)
    figure = new_figure(6.6, 4.4)
    panels = figure.subplots(2, 2, sharex=True, sharey="row")
    numbers: dict[str, Any] = {"width": width, "state": moving.name}
    left = width if drive.v_reset else max(width, 3 * (drive.relaxes or 0.0))
    steps = [("SET", drive.v_set, width, BLUE), ("RESET", drive.v_reset or 0.0, left, RED)]
    for column, (name, volts, length, colour) in zip(panels.T, steps, strict=True):
        edge = 1e-4 * width
        corners = np.concatenate([[0.0, edge], np.geomspace(10 * edge, length, 40)])
        wave = np.concatenate([[0.0], np.full(41, volts)])
        from_ = {s.start: float(x) for s, x in zip(device.states, states[:, 0], strict=True)}
        numbers_of = device.numbers | from_
        found = response(device, corners, wave, points=10, numbers=numbers_of)
        later = found.time >= edge
        column[0].plot(found.time[later], found.states[drive.state][later] * factor, color=colour)
        told = conductance(device, found.states, drive.v_read)
        column[1].plot(found.time[later], np.abs(told[later]), color=colour)
        states = np.clip(
            found.states[:, -1:],
            *(np.array([[device.bounds(s)[k]] for s in device.states]) for k in (0, 1)),
        )
        read = conductance(device, states, drive.v_read)[0]
        scaled, si = prefix(float(abs(read)))
        title = f"{name}: {volts:+.3g} V" if volts else "left at 0 V"
        reached = f"{states[drive.state, 0] * factor:.4g} {unit}".rstrip()
        column[0].set_title(
            f"{title}\nthen {moving.name} = {reached}, {read * scaled:.3g} {si}S "
            f"at {drive.v_read:.2g} V", fontsize=9,
        )  # fmt: skip
        numbers[name] = {
            "voltage": volts, "state after": float(states[drive.state, 0]),
            "half of the way at": _half(found.time, found.states[drive.state]),
            "conductance after": float(read),
        }  # fmt: skip
        column[1].set_xlabel("time (s)")
    panels[0, 0].set_ylabel(f"{moving.name} ({unit})" if unit else moving.name)
    panels[1, 0].set_ylabel(f"conductance at {drive.v_read:.2g} V (S)")
    panels[0, 0].set_xscale("log")
    panels[1, 0].set_yscale("log")
    shown, si = prefix(width)
    figure.suptitle(
        f"{device.name} ({device.kind}): pulses of {width * shown:.3g} {si}s from {begun};\n"
        "no limit of current", fontsize=9,
    )  # fmt: skip
    return figure, numbers


def _half(time: Any, state: Any) -> float:
    """When half of the change is done, seconds."""
    moved = np.abs(state - state[0])
    return float(time[int(np.argmax(moved >= 0.5 * moved[-1]))])
