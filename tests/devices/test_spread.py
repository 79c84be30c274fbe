"""Each non-ideality against the law that it states, over many devices."""

import numpy as np
import pytest
from scipy.stats import norm

from spicesnn.devices import JO2010, NANDAKUMAR2018, PulseArray, find_ode
from spicesnn.devices.numeric import functions
from spicesnn.devices.spread import (
    SPREADS,
    CycleToCycle,
    DeviceToDevice,
    Drift,
    Endurance,
    Occasion,
    ReadNoise,
    Retention,
    Spread,
    StuckCells,
    draw_parameters,
    find_spread,
    spread,
)
from spicesnn.errors import DataError, ParameterError, UnknownNameError

COUNT = 20_000
LOW, HIGH = 1e-6, 11e-6
MIDDLE = np.full(COUNT, 6e-6)
NOW = Occasion(LOW, HIGH, time=1e3, cycles=1e5)
WITHIN = 4 / np.sqrt(COUNT)  # four standard errors of a mean, in units of the spread

# One of each, strong enough to be seen.
EFFECTS: dict[str, Spread] = {
    effect.name: effect
    for effect in (
        DeviceToDevice(sigma=0.1),
        CycleToCycle(sigma=0.02),
        ReadNoise(relative=0.03, absolute=1e-8),
        Drift(exponent_spread=0.01),
        Retention(celsius_ref=27.0, tau_ref=1e3, tau_spread=0.5),
        Endurance(spread=0.5, level=0.2),
        StuckCells(share_low=0.02, share_high=0.01),
    )
}
ALL = pytest.mark.parametrize("effect", EFFECTS.values(), ids=EFFECTS)
AT_EVENTS = {"cycle-to-cycle", "read noise"}


def test_every_non_ideality_is_tried() -> None:
    assert set(EFFECTS) == set(SPREADS)
    assert all(find_spread(name) is type(effect) for name, effect in EFFECTS.items())
    assert len({kind.stream for kind in SPREADS.values()}) == len(SPREADS)


@ALL
def test_a_seed_is_a_draw(effect: Spread) -> None:
    """The same again; another seed, another draw; another event only where it is of an event."""
    first = effect.apply(MIDDLE, NOW)
    np.testing.assert_array_equal(effect.apply(MIDDLE, NOW), first)
    assert first.shape == MIDDLE.shape
    other = type(effect)(**(effect.model_dump() | {"seed": 1})).apply(MIDDLE, NOW)
    assert (other != first).any()
    event = effect.apply(MIDDLE, Occasion(LOW, HIGH, time=1e3, cycles=1e5, event=1))
    assert (event != first).any() == (effect.name in AT_EVENTS)


@ALL
def test_a_swept_size_keeps_its_draw(effect: Spread) -> None:
    """Sweeping one number moves every device along its own draw: paired comparisons."""
    number, value = {
        "device-to-device": ("sigma", 0.2),
        "cycle-to-cycle": ("sigma", 0.04),
        "read noise": ("relative", 0.06),
        "drift": ("exponent_spread", 0.02),
        "retention": ("tau_spread", 1.0),
        "endurance": ("spread", 1.0),
        "stuck cells": ("share_low", 0.03),
    }[effect.name]
    more = type(effect)(**(effect.model_dump() | {number: value}))
    small, large = effect.apply(MIDDLE, NOW), more.apply(MIDDLE, NOW)
    assert np.corrcoef(small, large)[0, 1] > 0.8


def test_devices_differ_log_normally() -> None:
    logarithm = np.log(DeviceToDevice(sigma=0.1).apply(MIDDLE, NOW) / MIDDLE)
    assert logarithm.mean() == pytest.approx(0, abs=0.1 * WITHIN)
    assert logarithm.std() == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize("pulses", [1, 9])
def test_writes_scatter_with_the_range_and_the_root_of_the_pulses(pulses: int) -> None:
    change = CycleToCycle(sigma=0.02, pulses=pulses).apply(MIDDLE, NOW) - MIDDLE
    sigma = 0.02 * np.sqrt(pulses) * (HIGH - LOW)
    assert change.mean() == pytest.approx(0, abs=sigma * WITHIN)
    assert change.std() == pytest.approx(sigma, rel=0.02)


def test_writes_are_clipped_to_the_limits() -> None:
    """At the edge half of the writes stay there; the rest is half a normal."""
    g = CycleToCycle(sigma=0.02).apply(np.full(COUNT, HIGH), NOW)
    assert (g == HIGH).mean() == pytest.approx(0.5, rel=0, abs=0.5 * WITHIN)
    sigma = 0.02 * (HIGH - LOW)
    assert HIGH - g.mean() == pytest.approx(sigma * norm.pdf(0), rel=0.03, abs=0)


@pytest.mark.parametrize("g", [1e-7, 1e-6, 1e-5])
def test_reads_scatter_by_a_part_and_a_constant(g: float) -> None:
    read = ReadNoise(relative=0.03, absolute=2e-8).apply(np.full(COUNT, g), NOW)
    sigma = 0.03 * g + 2e-8
    assert read.mean() == pytest.approx(g, rel=0, abs=sigma * WITHIN)
    assert read.std() == pytest.approx(sigma, rel=0.02, abs=0)


def test_no_read_is_under_the_floor() -> None:
    read = ReadNoise(absolute=1e-6, floor=1e-9).apply(np.full(COUNT, 1e-7), NOW)
    assert read.min() == 1e-9


def test_drift_is_a_power_law_with_an_exponent_a_device() -> None:
    drift = Drift(exponent=0.05, exponent_spread=0.01, reference_time=10.0)
    times = np.array([1.0, 10.0, 1e3, 1e5])
    after = np.array([drift.apply(MIDDLE, Occasion(LOW, HIGH, time=t)) for t in times])
    np.testing.assert_allclose(after[1], MIDDLE, rtol=1e-12)
    slopes = np.diff(np.log(after), axis=0) / np.diff(np.log(times))[:, None]
    np.testing.assert_allclose(slopes[0], slopes[1:].mean(axis=0), rtol=1e-9)
    assert -slopes[0].mean() == pytest.approx(0.05, rel=0, abs=0.01 * WITHIN)
    assert slopes[0].std() == pytest.approx(0.01, rel=0.02)


def test_drift_of_phase_change_memory_is_that_of_its_own_model() -> None:
    """The object and the kind state one law; the kind's own exponent and reference time."""
    array = PulseArray.draw(NANDAKUMAR2018, (50,), 0.5, 0)
    apart = Drift().apply(array.conductance, Occasion(LOW, HIGH, time=500.0))
    np.testing.assert_allclose(array.drifted(500.0), apart, rtol=1e-12)


def test_retention_relaxes_to_a_level_and_faster_when_hot() -> None:
    retention = Retention(level=0.3)
    end = LOW + 0.3 * (HIGH - LOW)
    ten_years = retention.tau_ref
    at = retention.apply(MIDDLE, Occasion(LOW, HIGH, time=ten_years, celsius=85.0))
    np.testing.assert_allclose(at, end + (6e-6 - end) / np.e, rtol=1e-12)
    # Arrhenius: between 85 and 125 degrees the time constant falls by exp(E_a/k (1/T - 1/T')).
    ratio = np.exp(1.1 / 8.617333e-5 * (1 / 358.15 - 1 / 398.15))
    hot = retention.apply(MIDDLE, Occasion(LOW, HIGH, time=ten_years / ratio, celsius=125.0))
    np.testing.assert_allclose(hot, at, rtol=1e-5)
    fresh = retention.apply(MIDDLE, Occasion(LOW, HIGH, time=0.0))
    np.testing.assert_allclose(fresh, MIDDLE, rtol=1e-12)


def test_retention_times_differ_log_normally_and_may_be_stretched() -> None:
    retention = Retention(tau_spread=0.7, stretch=0.5)
    tau = retention.time_constants((COUNT,), 85.0)
    assert np.log(tau / 3.15e8).std() == pytest.approx(0.7, rel=0.02)
    after = retention.apply(MIDDLE, Occasion(LOW, HIGH, time=1e8, celsius=85.0))
    left = (after - LOW) / (MIDDLE - LOW)
    np.testing.assert_allclose(-np.log(left), np.sqrt(1e8 / tau), rtol=1e-9)


def test_endurance_halves_the_window_at_its_cycles() -> None:
    wear = Endurance(cycles_half=1e6, slope=2.0, level=0.5)
    middle = (LOW + HIGH) / 2
    for cycles, left in ((0.0, 1.0), (1e6, 0.5), (3e6, 0.1)):
        for end in (LOW, HIGH):
            g = wear.apply(np.full(3, end), Occasion(LOW, HIGH, cycles=cycles))
            np.testing.assert_allclose(g, middle + (end - middle) * left, rtol=1e-12)
    own = np.array([0.0, 1e6, 3e6])
    np.testing.assert_allclose(wear.window((3,), own), [1, 0.5, 0.1], rtol=1e-12)
    half = Endurance(spread=0.5).window((COUNT,), 1e6)
    assert np.log(1 / half - 1).std() == pytest.approx(0.5, rel=0.02)


def test_stuck_cells_have_their_shares_and_stay() -> None:
    stuck = StuckCells(share_low=0.1, share_high=0.05)
    g = stuck.apply(MIDDLE, NOW)
    for limit, share in ((LOW, 0.1), (HIGH, 0.05)):
        error = np.sqrt(share * (1 - share) / COUNT)
        assert (g == limit).mean() == pytest.approx(share, rel=0, abs=4 * error)
    later = stuck.apply(2 * MIDDLE / 3, Occasion(LOW, HIGH, event=9))
    np.testing.assert_array_equal(later == LOW, g == LOW)
    np.testing.assert_array_equal(stuck.cells((COUNT,)) == 1, g == HIGH)
    assert (StuckCells(share_low=0.5, share_high=0.5).cells((COUNT,)) != 0).all()


def test_they_go_together_in_the_order_given() -> None:
    effects = [EFFECTS["device-to-device"], EFFECTS["stuck cells"], EFFECTS["read noise"]]
    together = spread(MIDDLE, effects, NOW)
    factors = DeviceToDevice(sigma=0.1).factors((COUNT,))
    by_hand = MIDDLE * factors
    own = Occasion(LOW * factors, HIGH * factors, time=1e3, cycles=1e5)
    for effect in effects[1:]:
        by_hand = effect.apply(by_hand, own)
    np.testing.assert_array_equal(together, by_hand)
    last = spread(MIDDLE, [effects[0], effects[2], effects[1]], NOW)
    stuck = last == LOW * factors
    assert stuck.mean() > 0.01
    assert not (together == LOW * factors)[stuck].any()
    np.testing.assert_array_equal(spread(MIDDLE, [], NOW), MIDDLE)


@pytest.mark.parametrize(
    "after",
    [
        CycleToCycle(sigma=0.0),
        Endurance(cycles_half=1e99, level=0.0),
        Retention(tau_ref=1e99, level=1.0),
        StuckCells(),
    ],
    ids=lambda effect: effect.name,
)
def test_what_does_nothing_leaves_the_spread_of_devices(after: Spread) -> None:
    """At the end of the range half of the devices are beyond the limits of the median device."""
    at_end = np.full(COUNT, HIGH)
    first = DeviceToDevice(sigma=0.1)
    g = spread(at_end, [first, after], NOW)
    np.testing.assert_allclose(g, at_end * first.factors((COUNT,)), rtol=1e-12)
    assert np.log(g / HIGH).std() == pytest.approx(0.1, rel=0.02)


def test_what_moves_devices_moves_them_within_their_own_limits() -> None:
    """All stuck high, worn out or relaxed: each device at its own limit, a factor from the rest."""
    first = DeviceToDevice(sigma=0.1)
    factors = first.factors((COUNT,))
    for after, end in (
        (StuckCells(share_high=1.0), HIGH),
        (StuckCells(share_low=1.0), LOW),
        (Endurance(cycles_half=1e-30, level=0.0), LOW),
        (Retention(tau_ref=1e-30, level=1.0), HIGH),
        (CycleToCycle(sigma=1e9), None),
    ):
        g = spread(MIDDLE, [first, after], NOW)
        if end is None:
            at_high = g == HIGH * factors
            assert at_high.mean() == pytest.approx(0.5, rel=0, abs=2 / np.sqrt(COUNT))
            np.testing.assert_array_equal(g[~at_high], (LOW * factors)[~at_high])
        else:
            np.testing.assert_allclose(g, end * factors, rtol=1e-9)


def test_two_of_them_with_one_seed_are_independent() -> None:
    factor = np.log(DeviceToDevice(sigma=0.1, seed=4).factors((COUNT,)))
    exponent = Drift(exponent=0.5, exponent_spread=0.1, seed=4).exponents((COUNT,))
    assert np.corrcoef(factor, exponent)[0, 1] == pytest.approx(0, abs=WITHIN)


def test_they_act_on_arrays_of_pulse_devices() -> None:
    array = PulseArray.draw(JO2010, (8, 5), 0.5, 0)
    own = Occasion(array.g_min, array.g_max)
    g = spread(array.conductance, [StuckCells(share_high=0.3)], own)
    stuck = StuckCells(share_high=0.3).cells((8, 5)) == 1
    assert stuck.any()
    np.testing.assert_array_equal(g[stuck], array.g_max[stuck])
    array.with_conductance(g)  # within the range of every device


def test_parameters_of_each_device() -> None:
    device = find_ode("Nugent2014")
    numbers = device.numbers
    sigmas = {"v_off": 0.1, "tau": 0.5}
    drawn = draw_parameters(device, sigmas, (COUNT,), np.random.default_rng(0))
    assert list(drawn) == list(numbers)
    np.testing.assert_array_equal(drawn["r_on"], 500.0)
    for name, sigma in sigmas.items():
        logarithm = np.log(drawn[name] / numbers[name])
        assert logarithm.mean() == pytest.approx(0, abs=sigma * WITHIN)
        assert logarithm.std() == pytest.approx(sigma, rel=0.02)
    turned = dict(reversed(sigmas.items()))
    again = draw_parameters(device, turned, (COUNT,), np.random.default_rng(0))
    np.testing.assert_array_equal(again["tau"], drawn["tau"])


@pytest.mark.parametrize("name", ["a_f", "a_r"])
def test_schottky_currents_spread_as_one(name: str) -> None:
    """So that no drawn device gives power at no voltage."""
    device = find_ode("Nugent2014")
    drawn = draw_parameters(device, {name: 0.3, "b_f": 0.1}, (1000,), np.random.default_rng(0))
    np.testing.assert_array_equal(drawn["a_f"], drawn["a_r"])
    assert np.log(drawn["a_f"]).std() == pytest.approx(0.3, rel=0.1)
    volts = np.linspace(-0.6, 0.6, 7)[:, None] + np.zeros(1000)
    current = functions(type(device)).current(volts, np.full((1, 7, 1000), 0.5), drawn)
    assert (volts * current >= 0).all()
    np.testing.assert_array_equal(current[3], 0.0)
    with pytest.raises(DataError, match="a_f and a_r of metastable switch spread as one: give one"):
        draw_parameters(device, {"a_f": 0.1, "a_r": 0.2}, (2,), np.random.default_rng(0))


def test_drawn_starts_are_within_drawn_bounds() -> None:
    device = find_ode("Jiang2014")
    drawn = draw_parameters(device, {"gap_max": 0.1}, (1000,), np.random.default_rng(0))
    np.testing.assert_array_equal(drawn["gap_0"], np.minimum(1.7e-9, drawn["gap_max"]))


def test_drawn_devices_keep_what_their_equations_need() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(
        DataError,
        match=r"\d+ of 1000 devices of AgClass are drawn with v_hold not below v_threshold: lower",
    ):
        draw_parameters(find_ode("AgClass"), {"v_hold": 0.8}, (1000,), rng)
    with pytest.raises(DataError, match=r"of Yakopcic2013 are drawn with x_n beyond 1: lower the"):
        draw_parameters(find_ode("Yakopcic2013"), {"x_n": 0.8}, (1000,), rng)


def test_bad_input_is_named() -> None:
    with pytest.raises(UnknownNameError, match="no non-ideality named 'drifts'; did you mean 'dri"):
        find_spread("drifts")
    with pytest.raises(UnknownNameError, match="no parameter named 'r_onn'; did you mean 'r_on'"):
        draw_parameters(find_ode("Zhou2022"), {"r_onn": 0.1}, (2,), np.random.default_rng(0))
    with pytest.raises(DataError, match=r"relative sigma of r_on is -0.1: give a number >= 0"):
        draw_parameters(find_ode("Zhou2022"), {"r_on": -0.1}, (2,), np.random.default_rng(0))
    with pytest.raises(DataError, match="conductances must be finite and > 0, in siemens"):
        spread([1e-6, 0.0], [], NOW)
    with pytest.raises(
        DataError, match=r"g_max of the occasion has shape \(3,\), the cond.* \(2,\)"
    ):
        spread([2e-6, 2e-6], [], Occasion(LOW, np.full(3, HIGH)))
    with pytest.raises(DataError, match="read noise is given twice: both would draw the same"):
        spread(MIDDLE, [ReadNoise(relative=0.1), ReadNoise(absolute=1e-7)], NOW)
    with pytest.raises(DataError, match="an occasion needs limits 0 < g_min < g_max"):
        Occasion(HIGH, LOW)
    with pytest.raises(DataError, match="time, cycles and event of an occasion are >= 0"):
        Occasion(LOW, HIGH, time=-1.0)
    with pytest.raises(DataError, match="-300 degrees Celsius is under absolute zero"):
        Occasion(LOW, HIGH, celsius=-300.0)
    for wrong in (1.5, "1", None):
        with pytest.raises(
            DataError, match=f"event of an occasion is a whole number, not {wrong!r}"
        ):
            Occasion(LOW, HIGH, event=wrong)  # type: ignore[arg-type]
    for name in ("g_max", "time", "celsius", "cycles"):
        with pytest.raises(DataError, match=f"^{name} of an occasion is not finite"):
            Occasion(**({"g_min": LOW, "g_max": HIGH} | {name: np.nan}))  # type: ignore[arg-type]
        with pytest.raises(DataError, match=f"^{name} of an occasion is not a number: 'soon'"):
            Occasion(**({"g_min": LOW, "g_max": HIGH} | {name: "soon"}))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="time and celsius of an occasion are single numbers"):
        Occasion(LOW, HIGH, time=np.ones(2))  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"g_min of an occasion has shape \(2,\), g_max \(3,\)"):
        Occasion(np.full(2, LOW), np.full(3, HIGH))
    with pytest.raises(
        DataError,
        match=r"a conductance of 1 S is outside the occasion's limits, 1e-06 to 1.1e-05 S: clip",
    ):
        spread([2e-6, 1.0], [Retention()], Occasion(LOW, HIGH))
    with pytest.raises(DataError, match="drift needs a time > 0 since programming"):
        Drift().apply(MIDDLE, Occasion(LOW, HIGH))
    with pytest.raises(ParameterError, match=r"share_low = 0.7 and share_high = 0.7 are together"):
        StuckCells(share_low=0.7, share_high=0.7)
    with pytest.raises(ParameterError, match=r"DeviceToDevice.sigma .* greater than or equal to 0"):
        DeviceToDevice(sigma=-0.1)
