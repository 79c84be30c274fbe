"""Phase-change memory against the moments of the model's own formulas, integrated numerically."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.polynomial.legendre import leggauss
from scipy.stats import norm

from spicesnn.devices import NANDAKUMAR2018, PhaseChange, PulseArray
from spicesnn.errors import DataError, ParameterError

MICRO = 1e-6
WIDE = NANDAKUMAR2018.with_numbers(g_max=20 * MICRO)  # as in the paper's own staircase


def fresh(device: PhaseChange, count: int) -> PulseArray:
    """Devices that all begin at 0.1 uS, never pulsed."""
    return PulseArray.draw(device.with_numbers(start_spread=0.0), (count,), 0.0, 0)


def pulse_by_pulse(array: PulseArray, pulses: int, seed: int) -> Iterator[PulseArray]:
    rng, one = np.random.default_rng(seed), np.ones(array.conductance.shape, dtype=int)
    for k in range(pulses):
        array = array.pulsed(one, 0 * one, rng, time=float(k))
        yield array


def moments_of_the_model(pulses: int, g_max: float) -> np.ndarray:
    """Mean, variance and fourth central moment after each pulse, microsiemens.

    The density is carried from pulse to pulse on Gauss-Legendre points between the clips, with a
    point mass at either clip; nothing is drawn. The constants are written out from the source.
    """
    low, high = 0.1, g_max
    nodes, weights = leggauss(600)
    grid = low + (high - low) * (nodes + 1) / 2
    weights = weights * (high - low) / 2
    places = np.concatenate([[low], grid, [high]])
    mass = np.zeros(places.size)
    mass[0] = 1.0
    rows = []
    for k in range(pulses):
        memory = np.exp(-(k + 1) / 2.6)
        mean = places - 0.084 * places + 0.880 + 1.40 * memory
        sigma = 0.091 * places + 0.260 + 2.15 * memory
        inside = weights * (norm.pdf((grid[:, None] - mean) / sigma) / sigma @ mass)
        under = norm.cdf((low - mean) / sigma) @ mass
        over = norm.sf((high - mean) / sigma) @ mass
        mass = np.concatenate([[under], inside, [over]])
        assert mass.sum() == pytest.approx(1, rel=0, abs=1e-9)
        first = mass @ places
        rows.append([first, mass @ (places - first) ** 2, mass @ (places - first) ** 4])
    return np.array(rows)


@pytest.mark.parametrize(("device", "g_max"), [(NANDAKUMAR2018, 12.0), (WIDE, 20.0)])
def test_staircase_has_the_models_mean_and_spread(device: PhaseChange, g_max: float) -> None:
    """20 pulses on 10,000 devices, both clips in reach: each moment within 4 standard errors."""
    count, pulses = 10_000, 20
    expected = moments_of_the_model(pulses, g_max)
    arrays = pulse_by_pulse(fresh(device, count), pulses, seed=5)
    for array, (mean, variance, fourth) in zip(arrays, expected, strict=True):
        g = array.conductance / MICRO
        assert g.mean() == pytest.approx(mean, rel=0, abs=4 * np.sqrt(variance / count))
        error = np.sqrt((fourth - variance**2) / count)
        assert g.var() == pytest.approx(variance, rel=0, abs=4 * error)
    # Both clips do act: at the foot after one pulse, at the top after the last (12 uS only).
    assert expected[0, 0] > 0.1 - 0.084 * 0.1 + 0.880 + 1.40 * np.exp(-1 / 2.6)
    assert ((g == g_max).mean() > 0.01) == (g_max == 12.0)


def test_first_step_is_a_clipped_normal_in_closed_form() -> None:
    """E and Var of max(X, a), X normal: the first pulse, whose upper clip is 8 sigma off."""
    count, low = 40_000, 0.1
    memory = np.exp(-1 / 2.6)
    mean = 0.1 - 0.084 * 0.1 + 0.880 + 1.40 * memory
    sigma = 0.091 * 0.1 + 0.260 + 2.15 * memory
    assert (20.0 - mean) / sigma > 8
    z = (low - mean) / sigma
    first = low * norm.cdf(z) + mean * norm.sf(z) + sigma * norm.pdf(z)
    second = low**2 * norm.cdf(z) + (mean**2 + sigma**2) * norm.sf(z)
    second += sigma * (mean + low) * norm.pdf(z)
    (array,) = pulse_by_pulse(fresh(WIDE, count), 1, seed=1)
    g = array.conductance / MICRO
    spread = np.sqrt(second - first**2)
    assert g.mean() == pytest.approx(first, rel=0, abs=4 * spread / np.sqrt(count))
    assert g.std() == pytest.approx(spread, rel=0.02)
    assert (g == low).mean() == pytest.approx(norm.cdf(z), rel=0, abs=4 * 0.5 / np.sqrt(count))
    np.testing.assert_allclose(moments_of_the_model(1, 20.0)[0, :2], [first, spread**2], rtol=1e-6)


def test_moments_of_a_step_are_the_sources() -> None:
    """At three conductances and after 1, 2 and 4 pulses of memory."""
    for count in (0, 1, 3):
        for g in (0.5, 4.0, 9.0):
            array = fresh(NANDAKUMAR2018, 1)
            array = array.with_conductance(
                np.array([g * MICRO]), memory=np.array([np.exp(-count / 2.6)])
            )
            mean, sigma = array.step("set")
            memory = np.exp(-(count + 1) / 2.6)
            assert mean[0] == pytest.approx(
                MICRO * (-0.084 * g + 0.880 + 1.40 * memory), rel=1e-12, abs=0
            )
            assert sigma[0] == pytest.approx(
                MICRO * (0.091 * g + 0.260 + 2.15 * memory), rel=1e-12, abs=0
            )


def test_history_counts_pulses_and_forgets_with_reset() -> None:
    array, rng = fresh(NANDAKUMAR2018, 3), np.random.default_rng(0)
    array = array.pulsed([0, 2, 5], [0, 0, 0], rng, time=10.0)
    np.testing.assert_array_equal(array.history["count"], [0, 2, 5])
    np.testing.assert_allclose(array.history["memory"], np.exp(-np.array([0, 2, 5]) / 2.6))
    np.testing.assert_array_equal(array.history["last_pulse"], [0, 10, 10])
    array = array.pulsed([0, 1, 0], [0, 0, 3], rng, time=20.0)
    np.testing.assert_array_equal(array.history["count"], [0, 3, 0])
    np.testing.assert_allclose(array.history["memory"], [1, np.exp(-3 / 2.6), 1])
    np.testing.assert_array_equal(array.history["last_pulse"], [0, 20, 20])


@pytest.mark.parametrize("by", ["pulse", "reset"])
def test_reset_is_abrupt(by: str) -> None:
    """From anywhere to N(0.1, 0.01) uS, and the staircase begins anew."""
    count, rng = 20_000, np.random.default_rng(3)
    one = np.ones(count, dtype=int)
    array = fresh(NANDAKUMAR2018, count).pulsed(10 * one, 0 * one, rng, 1.0)
    assert array.conductance.mean() > 5 * MICRO
    down = array.pulsed(0 * one, one, rng, 2.0) if by == "pulse" else array.reset(rng, 2.0)
    g = down.conductance / MICRO
    assert g.mean() == pytest.approx(0.1, rel=0, abs=4 * 0.01 / np.sqrt(count))
    assert g.std() == pytest.approx(0.01, rel=0.02)
    again, first = down.step("set"), fresh(NANDAKUMAR2018, count).step("set")
    np.testing.assert_allclose(again[0], first[0], rtol=0.005)


def test_drift_is_a_power_law_of_the_time_since_the_pulse() -> None:
    array = fresh(NANDAKUMAR2018, 4).pulsed([0, 1, 2, 3], [0] * 4, np.random.default_rng(0), 100.0)
    times = np.logspace(-3, 6, 10)
    after = np.array([array.drifted(100.0 + t) for t in times])
    slopes = np.diff(np.log(after[:, 1:]), axis=0) / np.diff(np.log(times))[:, None]
    np.testing.assert_allclose(slopes, -0.04, rtol=1e-6)
    np.testing.assert_allclose(array.drifted(100.0 + 38.6)[1:], array.conductance[1:], rtol=1e-12)
    # Figures of a re-run of the public code: 1.57 falling to 1.16 within one second.
    ratio = [array.drifted(100.0 + t)[2] / array.conductance[2] for t in (0.5e-3, 1.0)]
    assert ratio == pytest.approx([1.57, 1.16], rel=0, abs=0.005)


def test_exponents_can_differ_between_devices() -> None:
    device = NANDAKUMAR2018.with_numbers(drift_spread=0.01)
    own = PulseArray.draw(device, (20_000,), 0.5, 0).history["drift"]
    assert own.mean() == pytest.approx(0.04, rel=0, abs=4 * 0.01 / np.sqrt(20_000))
    assert own.std() == pytest.approx(0.01, rel=0.02)
    assert own.min() >= 0


@pytest.mark.parametrize("g", [0.2, 1.0, 3.0, 6.0, 11.8])
def test_reads_have_the_models_noise(g: float) -> None:
    """Mean and sigma of the clipped normal in closed form: at both ends a clip acts."""
    count, low, high = 40_000, 0.1, 12.0
    array = fresh(NANDAKUMAR2018, count).with_conductance(np.full(count, g * MICRO))
    sigma = 0.03 * g + 0.13
    a, b = (low - g) / sigma, (high - g) / sigma
    middle = norm.cdf(b) - norm.cdf(a)
    first = low * norm.cdf(a) + high * norm.sf(b) + g * middle
    first += sigma * (norm.pdf(a) - norm.pdf(b))
    second = low**2 * norm.cdf(a) + high**2 * norm.sf(b) + (g**2 + sigma**2) * middle
    second += sigma * ((g + low) * norm.pdf(a) - (g + high) * norm.pdf(b))
    spread = np.sqrt(second - first**2)
    read = array.read(38.6, np.random.default_rng(2)) / MICRO
    assert read.mean() == pytest.approx(first, rel=0, abs=4 * spread / np.sqrt(count))
    assert read.std() == pytest.approx(spread, rel=0.02)
    if 1 <= g <= 6:
        assert spread == pytest.approx(sigma, rel=1e-6)


def test_devices_never_pulsed_scatter_by_a_tenth() -> None:
    g = PulseArray.draw(NANDAKUMAR2018, (20_000,), 0.5, 0).conductance / MICRO
    assert g.mean() == pytest.approx(6.05, rel=0, abs=4 * 0.605 / np.sqrt(20_000))
    assert g.std() == pytest.approx(0.605, rel=0.02)


def test_time_is_needed_and_runs_forward() -> None:
    rng, one = np.random.default_rng(0), np.ones(2, dtype=int)
    array = fresh(NANDAKUMAR2018, 2)
    with pytest.raises(DataError, match="Nandakumar2018 drifts: say at what time it is pulsed"):
        array.pulsed(one, one, rng)
    with pytest.raises(DataError, match="Nandakumar2018 drifts: say at what time it is read"):
        array.read(None, rng)
    with pytest.raises(DataError, match="drifts: say at what time it is read"):
        array.resistances()
    array = array.pulsed([0, 1], [0, 0], rng, 10.0)
    for early in (9.0, 10.0):
        with pytest.raises(DataError, match=f"is read at {early:g} s, but was last pulsed at 10 s"):
            array.read(early, rng)
    with pytest.raises(DataError, match="is pulsed at 9 s, but was last pulsed at 10 s: time runs"):
        array.pulsed(one, 0 * one, rng, 9.0)
    for odd in (float("nan"), float("inf")):
        with pytest.raises(DataError, match=f"is pulsed at {odd} s: give a finite time"):
            array.pulsed(one, 0 * one, rng, odd)
        with pytest.raises(DataError, match=f"is read at {odd} s: give a finite time"):
            array.read(odd, rng)
    # A device that is not touched may have been pulsed later.
    assert array.pulsed([1, 0], [0, 0], rng, 9.0).history["last_pulse"].tolist() == [9.0, 10.0]


def test_reset_must_lead_into_the_range() -> None:
    with pytest.raises(ParameterError, match=r"reset_mean = 2e-05 S is not between reset_floor"):
        NANDAKUMAR2018.with_numbers(reset_mean=20 * MICRO)


def test_reset_may_lie_under_the_clip_of_set() -> None:
    """RESET leaves half of the devices under 0.1 uS; below its own floor they cannot be."""
    array = fresh(NANDAKUMAR2018, 1)
    low = array.with_conductance(np.array([0.02 * MICRO]))
    assert low.drifted(38.6)[0] == pytest.approx(0.02 * MICRO, rel=1e-12, abs=0)
    with pytest.raises(DataError, match=r"outside its range of 1e-08 to 1.2e-05 S"):
        array.with_conductance(np.array([0.002 * MICRO]))
