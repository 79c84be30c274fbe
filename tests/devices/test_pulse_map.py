"""What every kind of pulse device has in common: arrays, their checks, drawing by name."""

from dataclasses import replace

import numpy as np
import pytest

from spicesnn.devices import (
    DEVICES,
    JO2010,
    NANDAKUMAR2018,
    PulseArray,
    PulseMap,
    find_device,
)
from spicesnn.devices.presets.pulse import PRESETS
from spicesnn.errors import DataError, ParameterError, UnknownNameError

ALL = pytest.mark.parametrize("device", PRESETS, ids=lambda device: device.name)
ONE = np.ones(3, dtype=int)


def drawn(device: PulseMap, seed: int = 7) -> PulseArray:
    return PulseArray.draw(device, (3,), 0.5, seed)


@ALL
def test_presets_are_found_by_name_and_say_where_they_are_from(device: PulseMap) -> None:
    assert find_device(device.name) is DEVICES[device.name] is device
    year = device.name[-4:]
    assert f"({year})" in device.citation or f" {year}" in device.citation
    assert device.name[:-4] in device.citation
    assert "not claimed" in device.claim


@ALL
def test_same_seed_same_devices_and_same_life(device: PulseMap) -> None:
    lives = []
    for _ in range(2):
        array, rng = drawn(device), np.random.default_rng(1)
        assert array.seed == 7
        for time in (1.0, 2.0):
            array = array.pulsed(2 * ONE, 0 * ONE, rng, time)
        lives.append(array.read(5.0, rng))
        assert array.seed == 7
    np.testing.assert_array_equal(*lives)
    other = drawn(device, 8).pulsed(2 * ONE, 0 * ONE, np.random.default_rng(2), 1.0)
    assert (other.read(5.0, np.random.default_rng(3)) != lives[0]).any()


@ALL
def test_an_array_is_never_changed(device: PulseMap) -> None:
    array = drawn(device)
    before = array.conductance.copy(), {k: v.copy() for k, v in array.history.items()}
    rng = np.random.default_rng(0)
    array.pulsed(ONE, ONE, rng, 1.0).reset(rng, 2.0)
    np.testing.assert_array_equal(array.conductance, before[0])
    for name, values in before[1].items():
        np.testing.assert_array_equal(array.history[name], values)


@ALL
def test_only_pulsed_devices_move(device: PulseMap) -> None:
    array, rng = drawn(device), np.random.default_rng(0)
    moved = array.pulsed([0, 3, 0], [0, 0, 2], rng, 1.0)
    assert moved.conductance[0] == array.conductance[0]
    assert (moved.conductance[1:] != array.conductance[1:]).all()
    only = moved.reset(rng, 2.0, np.array([True, False, False]))
    np.testing.assert_array_equal(only.conductance[1:], moved.conductance[1:])
    assert only.conductance[0] < moved.conductance[0]


@ALL
def test_step_is_the_mean_and_sigma_of_the_next_pulse(device: PulseMap) -> None:
    """From the middle of the range, where no clip is near: 40,000 devices."""
    count = 40_000
    array = PulseArray.draw(device.with_numbers(**still(device)), (count,), 0.5, 0)
    mean, sigma = array.step("set")
    one = np.ones(count, dtype=int)
    change = array.pulsed(one, 0 * one, np.random.default_rng(1), 1.0).conductance
    change = change - array.conductance
    error = sigma[0] / np.sqrt(count)
    assert np.mean(change) == pytest.approx(mean[0], rel=0, abs=4 * error)
    # A sample's standard deviation has the relative error 1 / sqrt(2 n).
    assert np.std(change) == pytest.approx(sigma[0], rel=4 / np.sqrt(2 * count), abs=0)


def still(device: PulseMap) -> dict[str, float]:
    """The numbers that make all devices alike, and the clips of phase-change memory far."""
    alike = {n: 0.0 for n in ("device_spread", "start_spread") if n in device.numeric()}
    return alike | ({"g_max": 100e-6} if device is NANDAKUMAR2018 else {})


@ALL
def test_ngspice_sees_ohms(device: PulseMap) -> None:
    array = drawn(device)
    ohms = array.resistances(time=38.6)
    np.testing.assert_allclose(ohms, 1 / array.conductance, rtol=1e-12)
    noisy = array.resistances(38.6, np.random.default_rng(0))
    np.testing.assert_allclose(noisy, 1 / array.read(38.6, np.random.default_rng(0)), rtol=1e-12)


def test_numbers_can_be_changed_by_name() -> None:
    assert JO2010.with_numbers(levels=50).levels == 50
    text = "no parameter of NeuroSim curve named 'level'; did you mean 'levels'"
    with pytest.raises(UnknownNameError, match=text):
        JO2010.with_numbers(level=50)
    with pytest.raises(ParameterError, match=r"cycle_spread .* greater than or equal to 0"):
        JO2010.with_numbers(cycle_spread=-1.0)


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"Jo2010.g_min = 1 S is not below g_max = 3.84"):
        JO2010.with_numbers(g_min=1.0)
    array = drawn(JO2010)
    with pytest.raises(DataError, match=r"device \(0,\) has no range: g_min must be below g_max"):
        replace(array, g_max=array.g_min)


def test_wrong_pulse_counts() -> None:
    array, rng = drawn(JO2010), np.random.default_rng(0)
    with pytest.raises(DataError, match=r"pulse counts must be >= 0 and of shape \(3,\), not of"):
        array.pulsed(np.array([1]), ONE, rng)
    with pytest.raises(DataError, match=r"device \(1,\) is given -2 pulses: pulse counts must be"):
        array.pulsed(np.array([1, -2, 0]), ONE, rng)
    with pytest.raises(DataError, match=r"device \(2,\) is given 0.5 pulses: .* whole numbers"):
        array.pulsed(ONE, np.array([1, 2, 0.5]), rng)


def test_what_is_no_count() -> None:
    array, rng = drawn(JO2010), np.random.default_rng(0)
    with pytest.raises(DataError, match="pulse counts must be whole numbers >= 0, not of type <U"):
        array.pulsed(np.array(["a", "1", "1"]), ONE, rng)
    for odd in (float("nan"), float("inf")):
        with pytest.raises(DataError, match=rf"device \(1,\) is given {odd} pulses: pulse counts"):
            array.pulsed([1, odd, 0], ONE, rng)
    text = r"device \(0,\) is given 1000001 pulses; at most 1000000 are drawn in one call: give"
    with pytest.raises(DataError, match=text):
        array.pulsed(ONE, [1_000_001, 0, 0], rng)


@ALL
def test_a_seed_draws_as_its_generator_does(device: PulseMap) -> None:
    array = drawn(device)
    for seed in (5, 6):
        rng = np.random.default_rng(seed)
        by_seed = array.pulsed(ONE, 0 * ONE, seed, 1.0)
        by_rng = array.pulsed(ONE, 0 * ONE, rng, 1.0)
        np.testing.assert_array_equal(by_seed.conductance, by_rng.conductance)
    again = array.reset(5, 1.0), array.reset(np.random.default_rng(5), 1.0)
    np.testing.assert_array_equal(again[0].conductance, again[1].conductance)
    reads = array.read(50.0, 5), array.read(50.0, np.random.default_rng(5))
    np.testing.assert_array_equal(*reads)
    np.testing.assert_array_equal(array.resistances(50.0, 5), 1 / reads[0])


@pytest.mark.parametrize("wrong", [-1, 0.5, "7", None])
def test_what_is_no_seed(wrong: int) -> None:
    array, text = drawn(JO2010), f"numpy.random.Generator or a seed >= 0, not {wrong!r}"
    with pytest.raises(DataError, match=text):
        PulseArray.draw(JO2010, (3,), 0.5, wrong)
    with pytest.raises(DataError, match=text):
        array.pulsed(ONE, ONE, wrong)
    with pytest.raises(DataError, match=text):
        array.read(1.0, wrong)


def test_wrong_shapes() -> None:
    array = drawn(JO2010)
    with pytest.raises(DataError, match=r"g_max has shape \(2,\), the conductances \(3,\)"):
        replace(array, g_max=array.g_max[:2])
    with pytest.raises(DataError, match=r"start of shape \(2,\) does not fit an array of shape"):
        PulseArray.draw(JO2010, (3,), np.zeros(2), 0)
    with pytest.raises(DataError, match=r"booleans of shape \(3,\), not int64 of shape \(3,\)"):
        array.reset(np.random.default_rng(0), where=ONE)


@pytest.mark.parametrize("start", [-0.1, 1.1, float("nan")])
def test_a_start_is_a_fraction(start: float) -> None:
    with pytest.raises(DataError, match="a start is a fraction of the range: give values from 0"):
        PulseArray.draw(JO2010, (3,), start, 0)


@pytest.mark.parametrize("factor", [1.01, float("nan")])
def test_a_conductance_out_of_range_names_the_device(factor: float) -> None:
    array = drawn(JO2010)
    wrong = array.conductance.copy()
    wrong[1] = factor * array.g_max[1]
    with pytest.raises(DataError, match=r"device \(1,\) is at .* S, outside its range of .* to"):
        array.with_conductance(wrong)


def test_a_history_cannot_be_left_out() -> None:
    array = drawn(NANDAKUMAR2018)
    text = r"Nandakumar2018 \(phase change\) remembers memory, .*, not nothing: begin with"
    with pytest.raises(DataError, match=text):
        PulseArray(array.device, array.g_min, array.g_max, array.conductance)
    with pytest.raises(DataError, match=r"Jo2010 \(NeuroSim curve\) remembers nothing, not memory"):
        replace(drawn(JO2010), history={"memory": np.ones(3)})


def test_unknown_device() -> None:
    with pytest.raises(UnknownNameError, match="no device preset named 'Jo2011'; did you mean"):
        find_device("Jo2011")
