"""What the slopes of the adaptive neuron's two capacitors tell of the currents into them.

Between spikes both voltages are known at the ends of all steps, and the input current is too, so
that the laws of leaks and adaptation follow by regression, without going through a neuron's course.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from spicesnn.errors import DataError
from spicesnn.tiers.record import Record, step_ends

Array = npt.NDArray[np.float64]

# Picoamperes of feedback close under the level, over which it is no mere switch.
_EARLY = 50.0
# Currents here are in picoamperes: what counts as a residual of 1 in the membrane, and how much
# more for each picoampere of input; in the adaptation's capacitor.
_PICO, _AMPERES, _RELATIVE, _AMPERES_P = 1e-12, 0.05, 1e-3, 0.01
_FEWEST = 30
# How long after a spike a membrane is looked for that a reset has let go of, seconds.
_RELEASED = 1.2e-3
# Of the membrane's capacitor, which moves by half a percent as gates on it invert.
_DEGREE = 6
# What counts as a residual of 1 in the adaptation's voltage after a request.
_VOLTS_P = 2e-5


def first_guess(records: Sequence[Record]) -> tuple[dict[str, float], bool]:
    """What the membrane's slope half way up tells, by its plain law.

    Args:
        records: of the circuit.

    Returns:
        `c`, `i_leak`, `i_0`, `u_ahp`, `v_threshold`, `t_reset`; whether the feedback begins long
        before the level.

    Raises:
        DataError: there are too few steps or spikes.
    """
    top = _top(records)
    rows, above, level, release = [], [], [], []
    for record in records:
        dt = record.dt
        v, v_p, i_in = record.outputs["v_mem"], record.outputs["v_p"], record.inputs["i_in"]
        slope = np.diff(v) / dt
        good = (v[:-1] > 0.25 * top) & (v[1:] < 0.6 * top) & (slope > 0)
        table = np.stack([slope, i_in[1:], (v_p[1:] + v_p[:-1]) / 2], axis=1)
        rows.append(table[good])
        above.append(table[(v[:-1] > 0.85 * top) & (slope > 0)])
        for spike in record.spikes:
            k = int(spike / dt) - 1
            if k > 0:
                level.append(v[k])
            late = np.flatnonzero(v[k + 2 : k + round(_RELEASED / dt)] > 0.3 * top) + k + 2
            if late.size and late[0] + 1 < v.size:
                k = late[0]
                rise = v[k + 1] - v[k] if v[k + 1] > v[k] else np.nan
                release.append((k + 1) * dt - v[k] / rise * dt - spike)
    slope, i_in, v_p = _enough(rows, "half way up").T
    if not (level and np.isfinite(release).any()):
        raise DataError("no spike shows the level and the reset: run more stimuli.")

    def gap(x: Array) -> Array:
        c, leak, log_i_0, u = x
        ahp = np.exp(np.clip(log_i_0 + v_p / u, -60.0, 20.0))
        wanted = i_in / _PICO
        return np.asarray((c * slope + leak + ahp - wanted) / (20 + 0.05 * wanted))

    found = least_squares(gap, np.array([0.55, 20.0, np.log(0.2), 0.037]), loss="soft_l1").x
    high = np.concatenate(above)
    ahp = np.exp(np.clip(found[2] + high[:, 2] / found[3], -60.0, 20.0))
    more = found[0] * high[:, 0] + found[1] + ahp - high[:, 1] / _PICO
    values = {
        "c": float(found[0]) * _PICO, "i_leak": float(found[1]) * _PICO,
        "i_0": float(np.exp(found[2])) * _PICO, "u_ahp": float(found[3]),
        "v_threshold": float(np.percentile(level, 98)), "t_reset": float(np.nanmedian(release)),
    }  # fmt: skip
    return values, bool(high.size and np.median(more) > _EARLY)


def membrane_currents(
    records: Sequence[Record], guess: Mapping[str, float], below: float, u_t: float
) -> dict[str, float]:
    """Leak and adaptation with their saturation, where the membrane moves slowly.

    The capacitor may move with the voltage here, or else the sinks would make up for that.

    Args:
        records: of the circuit.
        guess: of `first_guess`.
        below: of the voltage of a spike, up to where there is no feedback.
        u_t: thermal voltage, volts.

    Returns:
        Those of both sinks: `i_leak`, `v_early`, `u_t`; `i_0`, `u_ahp`, `bow`, `i_curve`,
        `v_early_ahp`, `u_t_ahp`.

    Raises:
        DataError: there are too few steps.
    """
    top, rows = _top(records), []
    middle = float(np.median(np.concatenate([r.outputs["v_p"] for r in records])))
    for record in records:
        v, v_p, i_in = record.outputs["v_mem"], record.outputs["v_p"], record.inputs["i_in"]
        starts = step_ends(record.dt, v.size - 1)
        good = np.minimum(v[1:], v[:-1]) > 5e-4
        good &= np.maximum(v[1:], v[:-1]) < below * top
        for spike in record.spikes:
            good &= (starts + record.dt < spike) | (starts > spike + 1.5 * guess["t_reset"])
        slope = np.diff(v) / record.dt
        good &= np.abs(slope) * guess["c"] < 5 * guess["i_leak"]
        table = [(v[1:] + v[:-1]) / 2, (v_p[1:] + v_p[:-1]) / 2 - middle, slope, i_in[1:] / _PICO]
        rows.append(np.stack(table, axis=1)[good])
    v, v_p, slope, i_in = _enough(rows, "in which the membrane moves slowly").T
    height = 2 * v / (below * top) - 1

    def gap(x: Array) -> Array:
        leak, early, early_ahp, u, u_sat, log_i, u_ahp, bow, log_curve, c, *rest = x
        free = np.exp(np.clip(log_i + v_p * (1 + bow * v_p) / u_ahp, -60.0, 20.0))
        ahp = free / (1 + np.sqrt(free * np.exp(-log_curve)))
        capacitor = c + np.polyval([*rest, 0.0], height)
        sinks = leak * (1 + early * v) * -np.expm1(-v / (u * u_t))
        sinks += ahp * (1 + early_ahp * v) * -np.expm1(-v / (u_sat * u_t))
        return np.asarray((capacitor * slope + sinks - i_in) / (_AMPERES + _RELATIVE * i_in))

    first = [
        guess["i_leak"] / _PICO, 0.03, 0.15, 1.0, 1.0,
        np.log(guess["i_0"] / _PICO) + middle / guess["u_ahp"], guess["u_ahp"], 0.0, 11.5,
        guess["c"] / _PICO, *[0.0] * _DEGREE,
    ]  # fmt: skip
    scale = np.maximum(np.abs(first), 0.02)
    found = least_squares(gap, np.array(first), loss="soft_l1", x_scale=scale).x
    leak, early, early_ahp, u, u_sat, log_i, u_ahp, bow, log_curve = found[:9]
    # About v_p = 0 instead of about its middle.
    slope_0 = (1 - 2 * bow * middle) / u_ahp
    log_0 = log_i - middle * (1 - bow * middle) / u_ahp
    return {
        "i_leak": float(leak) * _PICO, "v_early": 1 / max(float(early), 1e-3),
        "v_early_ahp": 1 / max(float(early_ahp), 1e-3),
        "u_t": float(u) * u_t, "u_t_ahp": float(u_sat) * u_t,
        "i_0": float(np.exp(log_0)) * _PICO, "u_ahp": 1 / float(slope_0),
        "bow": float(bow / u_ahp / slope_0), "i_curve": float(np.exp(log_curve)) * _PICO,
    }  # fmt: skip


def adaptation_currents(records: Sequence[Record], c_p: float, u_t: float) -> dict[str, float]:
    """Leak of the adaptation's capacitor, and what couples it to the membrane, between spikes.

    Args:
        records: of the circuit.
        c_p: the capacitor, farads.
        u_t: thermal voltage, volts.

    Returns:
        `i_lkahp`, `v_early_lkahp`, `u_lkahp`, `coupling`.

    Raises:
        DataError: there are too few steps.
    """
    top, rows = _top(records), []
    for record in records:
        v, v_p = record.outputs["v_mem"], record.outputs["v_p"]
        far = (np.minimum(v[1:], v[:-1]) > 0.1 * top) & (np.maximum(v[1:], v[:-1]) < 0.4 * top)
        slope, fall = np.diff(v) / record.dt, -np.diff(v_p) / record.dt
        rows.append(np.stack([(v_p[1:] + v_p[:-1]) / 2, slope, fall * c_p / _PICO], axis=1)[far])
    v_p, slope, current = _enough(rows, "far from ground and from the level").T

    def gap(x: Array) -> Array:
        leak, early, u, shared = x
        law = leak * (1 + early * v_p) * -np.expm1(-v_p / (u * u_t)) - 1e-3 * shared * slope
        return np.asarray((law - current) / _AMPERES_P)

    found = least_squares(gap, np.array([10.0, 0.1, 1.0, 0.2]), loss="soft_l1").x
    return {
        "i_lkahp": float(found[0]) * _PICO, "v_early_lkahp": 1 / max(float(found[1]), 1e-3),
        "u_lkahp": float(found[2]) * u_t, "coupling": 1e-3 * float(found[3]) * _PICO / c_p,
    }  # fmt: skip


def request_charges(
    records: Sequence[Record], known: Mapping[str, float], start: Mapping[str, float]
) -> dict[str, float]:
    """What a request adds to the adaptation, by the steps before and after it.

    For a neuron whose feedback is a switch: where it begins long before, it charges, too.

    Args:
        records: of the circuit.
        known: of the two other functions, and `c_p`.
        start: first values of what is returned.

    Returns:
        `v_thrahp`, `u_pair`, `kick`, `rise_spike`, `rise_v_p`, `rise_net`, `i_rise`.

    Raises:
        DataError: there are too few spikes that stand alone.
    """
    rows = []
    for record in records:
        dt, v_p, v = record.dt, record.outputs["v_p"], record.outputs["v_mem"]
        apart = np.diff(record.spikes, prepend=-1.0, append=record.stop + 1.0)
        for spike, since, until in zip(record.spikes, apart[:-1], apart[1:], strict=True):
            # The step of the spike, and the first by whose end a request is surely over.
            k = int(spike / dt)
            end = int((spike + 2 * record.spike_width) / dt) + 1
            if k and end < record.steps and since > 2 * dt and until > end * dt - spike:
                near = v_p[k - 1], v_p[end], spike - k * dt, (end + 1) * dt - spike
                rows.append([*near, record.inputs["i_in"][k], v[k - 1], v[end]])
    first, last, before, after, i_in, v_first, v_last = _enough([np.array(rows)], "of spikes").T

    def fall(v_p: Array) -> Array:
        leak = known["i_lkahp"] / known["c_p"] * (1 + v_p / known["v_early_lkahp"])
        return np.asarray(leak * -np.expm1(-v_p / known["u_lkahp"]))

    old = first - fall(first) * before + known["coupling"] * (known["v_threshold"] - v_first)
    # The coupling's part of the fall at the request's end is not the kick's.
    new = last + fall(last) * after + known["coupling"] * (known["v_threshold"] - v_last)
    free = known["i_0"] * np.exp(old * (1 + known["bow"] * old) / known["u_ahp"])
    net = i_in - known["i_leak"] - free / (1 + np.sqrt(free / known["i_curve"]))
    net = np.maximum(net, 0.0)
    names = ("v_thrahp", "u_pair", "kick", "rise_spike", "rise_v_p", "rise_net", "i_rise")
    scale = np.array([0.1, 0.01, 1e-3, 0.1, 0.1, 0.1, 1e-9])

    def gap(x: Array) -> Array:
        level, u, kick, rise, by_v_p, by_net, curve = x * scale
        event = (rise + by_v_p * old) * (1 - by_net * np.log1p(net / curve)) / u
        t = (old - level) / u
        total = np.exp(t) + t + np.maximum(event, 1e-6)
        y = np.where(total > 1, np.log(np.maximum(total, 1.0)), total)
        for _ in range(12):
            y = y - (y + np.exp(y) - total) / (1 + np.exp(y))
        return np.asarray((level + u * y - kick - new) / _VOLTS_P)

    guess = np.array([start[name] for name in names]) / scale
    low = np.array([-np.inf, 0.5, -np.inf, -np.inf, -np.inf, -np.inf, 0.02])
    found = least_squares(gap, guess, loss="soft_l1", bounds=(low, np.inf)).x * scale
    return dict(zip(names, map(float, found), strict=True))


def _enough(rows: Sequence[Array], what: str) -> Array:
    """All rows, if there are enough."""
    found = np.concatenate(rows)
    if len(found) < _FEWEST:
        raise DataError(f"{len(found)} steps {what}, {_FEWEST} are needed: run more stimuli.")
    return found


def _top(records: Sequence[Record]) -> float:
    """About the voltage of a spike, volts."""
    return float(np.median([r.outputs["v_mem"].max() for r in records if r.spikes.size]))
