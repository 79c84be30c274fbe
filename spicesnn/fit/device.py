"""Fits of device presets to measured pulses or sweeps: what is fitted to what."""

from __future__ import annotations

from collections.abc import Sequence

from spicesnn.devices import DEVICES, Device
from spicesnn.devices.neurosim import NeuroSimCurve
from spicesnn.devices.ode import Ode
from spicesnn.errors import DataError, ParameterError
from spicesnn.fit.device_data import PulseData, Sweep
from spicesnn.fit.device_pulses import fit_pulses
from spicesnn.fit.device_result import DeviceFit, check_name
from spicesnn.fit.device_sweep import fit_sweep


def fit_device(
    base: Device,
    data: PulseData | Sweep,
    *,
    free: Sequence[str] = (),
    name: str = "",
    levels: int | None = None,
    starts: int = 1,
    seed: int = 0,
) -> DeviceFit:
    """Fit a preset to data of its kind.

    Pulses give `g_min`, `g_max`, both nonlinearities, the spread of cycles and of reads of a
    NeuroSim curve, and with several devices their spread. A sweep gives chosen numbers of a device
    of equations, in the mean square of `asinh(I / I_s)`.

    Args:
        base: what to begin with.
        data: pulses for a `NeuroSimCurve`, a sweep for an `Ode`.
        free: names of an `Ode`'s numbers to fit; by default those that the data determine best.
        name: of the fitted preset, by default the base's with `Fit`.
        levels: pulses from end to end, by default the longest staircase of the data.
        starts: of a sweep's fit: beyond the first, from drawn numbers around the base's.
        seed: draws them.

    Raises:
        DataError: the data are not what such a device is fitted to, or too few.
        UnknownNameError: a parameter does not exist.
        ParameterError: the name cannot be a preset's, or the fitted numbers are out of bounds.
    """
    if name:
        check_name(name)
    if isinstance(base, Ode):
        if isinstance(data, PulseData):
            raise DataError(
                f"{base.name} is a device of equations: give a sweep of time, voltage and current, "
                f"not pulses ({data.source})."
            )
        if levels is not None:
            raise ParameterError("levels are of devices that answer to pulses; leave them out.")
        return fit_sweep(base, data, free=free, name=name, starts=starts, seed=seed)
    if isinstance(data, Sweep):
        raise DataError(
            f"{base.name} answers to pulses: give conductances after pulses, not a sweep "
            f"({data.source})."
        )
    if not isinstance(base, NeuroSimCurve):
        kinds = ", ".join(n for n, d in DEVICES.items() if isinstance(d, NeuroSimCurve))
        raise DataError(
            f"{base.name} ({base.kind}) is not fitted: pulses give the parameters of a NeuroSim "
            f"curve; begin with one of {kinds}."
        )
    if free or starts != 1:
        raise ParameterError(
            "what pulses give is fitted as a whole, from one start; leave --free and --starts out."
        )
    return fit_pulses(base, data, name=name, levels=levels)
