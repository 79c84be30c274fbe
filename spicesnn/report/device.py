"""Pictures of devices and of fits to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spicesnn.devices import Device
from spicesnn.devices.ode import Ode
from spicesnn.errors import ParameterError, RunFolderError
from spicesnn.report.device_axes import BLUE, GREEN, ORANGE, RED, Drawn, new_figure, save
from spicesnn.report.device_drive import Pulses
from spicesnn.report.device_equations import By, draw_equations
from spicesnn.report.device_pulses import draw_pulse_map

if TYPE_CHECKING:
    from spicesnn.fit.device_result import DeviceFit


def draw_device(
    device: Device, folder: Path, *, by: By = "scipy", amplitude: float | None = None,
    pulses: Pulses | None = None,
) -> Drawn:  # fmt: skip
    """Draw what a device does.

    An `Ode` shows its loop, one pulse each way over time, staircase and switching times; what
    answers to pulses its staircase, drift and noise of reads. Nothing is drawn beyond the voltage
    that a preset's numbers are good for (`v_max`), where it says one.

    Args:
        device: a preset.
        folder: for PNG files, one a picture.
        by: who integrates the loop; `ngspice` lays its answer over SciPy's.
        amplitude: of loop and pulses, volts; by default what takes the state through its range.
        pulses: those of pulse and staircase, instead.

    Raises:
        ParameterError: an amplitude is not positive, or is given for a kind without voltages.
        DataError: a voltage is beyond the preset's `v_max`.
        SimulationError: no voltage moves the device.
        RunFolderError: the folder cannot be written.
    """
    if amplitude is not None and not (np.isfinite(amplitude) and amplitude > 0):
        raise ParameterError(f"an amplitude of {amplitude:g} V: give volts larger than 0.")
    if pulses is not None and not (
        np.isfinite([pulses.v_set, pulses.v_reset, pulses.width]).all()
        and pulses.width > 0 and pulses.v_set
    ):  # fmt: skip
        raise ParameterError(
            f"pulses of {pulses.v_set:g} and {pulses.v_reset:g} V, {pulses.width:g} s: give a SET "
            "voltage other than 0, a RESET voltage (0 for none) and a width larger than 0."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(device, Ode):
            chosen = [] if pulses is None else [pulses.v_set, pulses.v_reset]
            device.check_voltage([*chosen, amplitude or 0.0])
            return draw_equations(device, folder, by, amplitude, pulses)
        if amplitude is not None or pulses is not None or by == "ngspice":
            raise ParameterError(
                f"{device.name} answers to pulses and knows no voltages: leave --amplitude, "
                "--pulses and --by ngspice out."
            )
        return draw_pulse_map(device, folder)
    except OSError as error:
        raise RunFolderError(f"cannot write into {folder}: {error.strerror}.") from None


def draw_fit(found: DeviceFit, path: Path) -> None:
    """Data, fit and residuals of a fitted device, as PNG.

    Raises:
        RunFolderError: the file cannot be written.
    """
    picture = found.picture
    figure = new_figure(6.5, 5.5)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.2, 1])
    x, regions = picture["x"], picture["region"]
    for k, name in enumerate(dict.fromkeys(regions)):
        own = regions == name
        colour = (BLUE, RED, GREEN, ORANGE)[k % 4]
        upper.plot(x[own], picture["data"][own], ".", ms=3, color=colour, label=name, alpha=0.7)
        lower.plot(x[own], picture["residual"][own], ".", ms=3, color=colour, alpha=0.7)
    breaks = picture.get("devices")
    groups = [slice(None)] if breaks is None else [breaks == k for k in np.unique(breaks)]
    for k, group in enumerate(groups):
        line = np.array(picture["model"][group], dtype=np.float64)
        if not k and "starts" in picture:
            line[picture["starts"][1:]] = np.nan  # no line from one run to the next
        upper.plot(x[group], line, "k-", lw=1.1, label=None if k else "fit")
    if "current" in picture["labels"][1]:
        upper.axhline(0, color="0.8", lw=0.6, zorder=0)
        upper.axvline(0, color="0.8", lw=0.6, zorder=0)
    lower.axhline(0, color="k", lw=0.7)
    unit = " (S)" if picture["labels"][1] == "conductance" else ""
    upper.set_ylabel(picture["labels"][1] + unit)
    lower.set_ylabel(picture["labels"][2])
    lower.set_xlabel(picture["labels"][0])
    upper.legend(fontsize=8, frameon=False, markerscale=2.5)
    upper.set_title(f"{found.device.name}, from {Path(found.source).name}", fontsize=10)
    save(figure, path)
