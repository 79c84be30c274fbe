"""What one device of equations answers to a voltage waveform: current and states, by SciPy.

For pictures, and as a witness beside the simulators: its step follows the device, and what it
keeps is fine enough to be drawn. `spicesnn.devices.trajectories` integrates many devices with the
same steps, states only: for fits and maps, where differences between neighbours count. Circuits are
ngspice's.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spicesnn.devices.numeric import functions
from spicesnn.devices.ode import Ode
from spicesnn.errors import DataError, SimulationError

Array = npt.NDArray[np.float64]
# Of each of the integrator's steps what is kept: it takes few and long ones, curved between.
_PARTS = np.array([0.25, 0.5, 0.75, 1.0])


@dataclass(frozen=True)
class Response:
    """`time` in seconds, `voltage` in volts and `current` in amperes, shape (times,).

    `states` holds the states in their SI units, shape (states, times).
    """

    time: Array
    voltage: Array
    current: Array
    states: Array


def response(
    device: Ode,
    time: Array,
    voltage: Array,
    *,
    points: int = 20,
    tolerance: float = 1e-6,
    numbers: Mapping[str, float] | None = None,
) -> Response:
    """The device's current and states under a voltage of straight lines between corners.

    Args:
        device: equations, numbers and start.
        time: seconds, rising, shape (corners,).
        voltage: volts at the corners, shape (corners,).
        points: steps in each line at least; more where the states move fast. Each is kept in four.
        tolerance: relative, of the integration (LSODA).
        numbers: instead of the device's own.

    Raises:
        DataError: the corners are not a finite, rising sequence, or a voltage is beyond the
            preset's `v_max`.
        SimulationError: the equations cannot be integrated, or give no finite current.
    """
    from scipy.integrate import solve_ivp

    time, voltage = np.asarray(time, dtype=np.float64), np.asarray(voltage, dtype=np.float64)
    if time.ndim != 1 or time.shape != voltage.shape or time.size < 2:
        raise DataError(
            "a response needs times and voltages of one shape, (corners,), two or more."
        )
    if not (np.isfinite(time).all() and np.isfinite(voltage).all() and (np.diff(time) > 0).all()):
        raise DataError("a response needs finite voltages at finite, rising times.")
    device.check_voltage(voltage)
    known, of = dict(numbers or device.numbers), functions(type(device))
    scale = np.array([state.scale for state in device.states])
    z = np.array([known[state.start] for state in device.states]) / scale
    kept_time, kept_states = [time[:1]], [z[:, None]]
    for k in range(time.size - 1):
        begin, length = time[k], time[k + 1] - time[k]
        slope = (voltage[k + 1] - voltage[k]) / length

        # Over the line's own time, so that short lines late in a long run keep their figures.
        def rate(
            t: float, y: Array, start: float = voltage[k], slope: float = slope, k: int = k,
            begin: float = begin,
        ) -> Array:  # fmt: skip
            with np.errstate(all="ignore"):  # what is not finite is told as an error
                found = of.rates(start + slope * t, y * scale, known) / scale
            if not np.isfinite(found).all():
                # LSODA would try shorter steps for ever.
                raise SimulationError(_stuck(device, begin, voltage[k : k + 2], "an infinite rate"))
            return np.asarray(found)

        def jacobian(t: float, y: Array, start: float = voltage[k], slope: float = slope) -> Array:
            with np.errstate(all="ignore"):
                inner = of.rates_by_state(start + slope * t, y * scale, known)
            return np.asarray(inner * scale[None, :] / scale[:, None])

        with warnings.catch_warnings():
            # SciPy warns of what its message says too, and that is told as an error.
            warnings.simplefilter("ignore", UserWarning)
            found = solve_ivp(
                rate, (0.0, length), z, "LSODA", jac=jacobian,
                rtol=tolerance, atol=tolerance * 1e-3, max_step=length / points,
                dense_output=True,
            )  # fmt: skip
        if not found.success or not np.isfinite(found.y).all():
            raise SimulationError(_stuck(device, begin, voltage[k : k + 2], found.message))
        z = found.y[:, -1]
        kept = (found.t[:-1, None] + np.diff(found.t)[:, None] * _PARTS).ravel()
        kept_time.append(begin + kept)
        kept_states.append(found.sol(kept))
    times = np.concatenate(kept_time)
    states = np.concatenate(kept_states, axis=1) * scale[:, None]
    volts = np.interp(times, time, voltage)
    with np.errstate(all="ignore"):
        current = of.current(volts, states, known)
    finite = np.isfinite(current)
    if not finite.all():
        k = int(np.argmin(finite))
        raise SimulationError(
            f"{device.name}: its current at {volts[k]:g} V is beyond every number, or none "
            f"({times[k]:g} s into the run); lower the voltage."
        )
    return Response(times, volts, current, states)


def _stuck(device: Ode, begin: float, voltage: Array, why: str) -> str:
    return (
        f"{device.name}: its equations cannot be integrated beyond {begin:g} s ({why}); lower the "
        f"voltage ({voltage[0]:g} to {voltage[1]:g} V) or put more corners."
    )
