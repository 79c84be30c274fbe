"""Rates, thresholds and refractory periods: what the benches of the neurons share."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from spicesnn.characterize.bench import (
    Array,
    Line,
    Panel,
    Quantity,
)
from spicesnn.characterize.condition import Condition
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.spikes import spike_times
from spicesnn.processes import Size
from spicesnn.waveforms import Waveforms


def ratio(first: float, second: float) -> float:
    """First over second; NaN where the second is zero."""
    return first / second if second else float("nan")


def extremes(values: Array) -> tuple[float, float]:
    """Largest and smallest; NaN if any is."""
    return float(values.max()), float(values.min())


def rate_quantities(law: str, within: float) -> dict[str, Quantity]:
    """What a curve of rates over two decades of current shows; the law holds within a part."""
    return {
        "rate, lowest": Quantity("Hz", low=1.0),
        "rate, highest": Quantity("Hz", low=1e3),
        "rate, lowest over highest": Quantity("1", high=0.02),
        "rate, least rise between neighbours": Quantity("1", low=1.1),
        "rate over law, most": Quantity("1", 1 - within, 1 + within, law=law),
        "rate over law, least": Quantity("1", 1 - within, 1 + within),
    }


def rate_values(rates: Array, law: Array) -> dict[str, float]:
    """The values of `rate_quantities`."""
    # Below the threshold both are zero.
    with np.errstate(divide="ignore", invalid="ignore"):
        most, least = extremes(rates / law)
    rise = [ratio(high, low) for low, high in itertools.pairwise(rates)]
    return {
        "rate, lowest": float(rates.min()), "rate, highest": float(rates.max()),
        "rate, lowest over highest": ratio(float(rates.min()), float(rates.max())),
        "rate, least rise between neighbours": float(np.min(rise)),
        "rate over law, most": most, "rate over law, least": least,
    }  # fmt: skip


def threshold_current(inputs: Array, rates: Array) -> float:
    """Where the line through the two lowest rates comes to zero, amperes."""
    rise = ratio(inputs[1] - inputs[0], rates[1] - rates[0])
    return float(inputs[0] - rates[0] * rise)


def rate_panel(name: str, inputs: Array, rates: Array, fine: Array, law: Array) -> Panel:
    """A curve of rates beside its law at finer currents."""
    lines = (Line("rate", inputs, rates), Line("law", fine, law, law=True))
    title = f"Rate of the {name}, {rates.min():.3g} to {rates.max():.3g} Hz"
    return Panel(title, "input current", "A", "rate", "Hz", lines, "xy")


def refractory_quantities(law: str) -> dict[str, Quantity]:
    """What refractory periods over a decade of their bias show."""
    return {
        "refractory period, longest": Quantity("s"),
        "refractory period, longest over shortest": Quantity("1", 8.0, 12.0),
        "refractory period over law, most": Quantity("1", 0.8, 1.2, law=law),
        "refractory period over law, least": Quantity("1", 0.8, 1.2),
    }


def refractory_values(period: Array, law: Array) -> dict[str, float]:
    """The values of `refractory_quantities`."""
    most, least = extremes(period / law)
    return {
        "refractory period, longest": float(period[0]),
        "refractory period, longest over shortest": ratio(float(period[0]), float(period[-1])),
        "refractory period over law, most": most,
        "refractory period over law, least": least,
    }


def refractory_panel(bias: Array, period: Array, law: Array) -> Panel:
    """The period over its bias, the law beside it."""
    lines = (Line("refractory period", bias, period), Line("law", bias, law, law=True))
    title = f"Refractory period, {period[-1] * 1e3:.3g} to {period[0] * 1e3:.3g} ms"
    return Panel(title, "bias", "A", "time", "s", lines, "xy")


def difference(interval: Array, factors: Sequence[float]) -> Array:
    """What part of each interval goes as the inverse of its factor, if the last's part does so."""
    return np.asarray((interval[:-1] - interval[-1]) / (1 - np.array(factors[:-1]) / factors[-1]))


def release_voltage(current: Array, size: Size, on: Condition) -> Array:
    """Gate voltage at which an nfet carries a current in weak inversion."""
    i_0 = on.nfet.i_0 * size["width"] / size["length"]
    return np.asarray(on.thermal_voltage / on.nfet.kappa * np.log(np.asarray(current) / i_0))


def energy_a_spike(wave: Waveforms, spikes: Array, supply: float) -> float:
    """Energy of the supply from the first spike to the last, by interval, joules."""
    if spikes.size < 2:
        return float("nan")
    inside = (wave.time >= spikes[0]) & (wave.time <= spikes[-1])
    span = Waveforms(wave.time[inside], {"i(vdd)": wave["i(vdd)"][inside]})
    return supply_energy(span, {"i(vdd)": supply}) / (spikes.size - 1)


def ramp_law(current: Array, leak: float, farads: float, volts: float, on: Condition) -> Array:
    """Seconds that a current takes to charge a leaking capacitor from ground to a voltage.

    `C dv/dt = I - I_leak (1 - exp(-v/U_T))`: a mirror's leak falls to nothing below 4 U_T.
    """
    unit, over = on.thermal_voltage, np.asarray(current) - leak
    with np.errstate(divide="ignore", invalid="ignore"):
        time = farads * unit / over * np.log((over * np.exp(volts / unit) + leak) / current)
    return np.asarray(np.where(over > 0, time, np.inf))


def spikes_of(wave: Waveforms, on: Condition) -> Array:
    """Times at which the spike output rises through half the supply."""
    return spike_times(wave.time, wave["v(spike)"], on.supply / 2)
