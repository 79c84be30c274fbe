"""Each non-ideality against the law that it states, over many devices."""

import numpy as np
import pytest
from scipy.stats import norm

from spicesnn.devices import JO2010, NANDAKUMAR2018, PulseArray
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
    by_hand = MIDDLE
    for effect in effects:
        by_hand = effect.apply(by_hand, NOW)
    np.testing.assert_array_equal(together, by_hand)
    last = spread(MIDDLE, [effects[0], effects[2], effects[1]], NOW)
    assert (last == LOW).mean() > 0.01 > (together == LOW).mean()
    np.testing.assert_array_equal(spread(MIDDLE, [], NOW), MIDDLE)


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
    numbers = {"r_on": 1e3, "v_off": -0.3, "tau": 1e-6}
    sigmas = {"v_off": 0.1, "tau": 0.5}
    drawn = draw_parameters(numbers, sigmas, (COUNT,), np.random.default_rng(0))
    assert list(drawn) == list(numbers)
    np.testing.assert_array_equal(drawn["r_on"], 1e3)
    for name, sigma in sigmas.items():
        logarithm = np.log(drawn[name] / numbers[name])
        assert logarithm.mean() == pytest.approx(0, abs=sigma * WITHIN)
        assert logarithm.std() == pytest.approx(sigma, rel=0.02)
    turned = dict(reversed(sigmas.items()))
    again = draw_parameters(numbers, turned, (COUNT,), np.random.default_rng(0))
    np.testing.assert_array_equal(again["tau"], drawn["tau"])


def test_bad_input_is_named() -> None:
    with pytest.raises(UnknownNameError, match="no non-ideality named 'drifts'; did you mean 'dri"):
        find_spread("drifts")
    with pytest.raises(UnknownNameError, match="no parameter named 'r_onn'; did you mean 'r_on'"):
        draw_parameters({"r_on": 1.0}, {"r_onn": 0.1}, (2,), np.random.default_rng(0))
    with pytest.raises(DataError, match=r"relative sigma of r_on is -0.1: give a number >= 0"):
        draw_parameters({"r_on": 1.0}, {"r_on": -0.1}, (2,), np.random.default_rng(0))
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
    with pytest.raises(DataError, match="drift needs a time > 0 since programming"):
        Drift().apply(MIDDLE, Occasion(LOW, HIGH))
    with pytest.raises(ParameterError, match=r"share_low = 0.7 and share_high = 0.7 are together"):
        StuckCells(share_low=0.7, share_high=0.7)
    with pytest.raises(ParameterError, match=r"DeviceToDevice.sigma .* greater than or equal to 0"):
        DeviceToDevice(sigma=-0.1)
