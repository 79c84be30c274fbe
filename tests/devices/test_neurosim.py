"""NeuroSim's curves against the tool's own equations and its table of curvatures."""

import numpy as np
import pytest

from spicesnn.devices import DEVICES, JO2010, NeuroSimCurve, PulseArray
from spicesnn.devices.neurosim import nonlinearity_label, normalised_curvature
from spicesnn.devices.pulse_map import Goal
from spicesnn.errors import ParameterError

CURVES = [device for device in DEVICES.values() if isinstance(device, NeuroSimCurve)]
ALL = pytest.mark.parametrize("device", CURVES, ids=lambda device: device.name)

# Some of NeuroSim's table of labels against normalised A (MLP V3.0 and DNN V2.1, getParamA).
TABLE = {
    0.01: 126.268958,
    0.04: 31.566827,
    0.1: 12.625807,
    0.5: 2.519877,
    0.63: 1.997332,
    1.0: 1.251653,
    2.0: 0.609035,
    2.4: 0.499181,
    3.0: 0.386830,
    5.0: 0.192406,
    6.0: 0.135619,
    9.0: 0.022810,
}


def quiet(device: NeuroSimCurve) -> NeuroSimCurve:
    return device.with_numbers(cycle_spread=0.0, device_spread=0.0)


def staircase(device: NeuroSimCurve, goal: Goal) -> np.ndarray:
    """Conductance after 0, 1, ... levels pulses, from the far end, pulse by pulse."""
    rng, one = np.random.default_rng(0), np.ones(1, dtype=int)
    array = PulseArray.draw(quiet(device), (1,), 0.0 if goal == "set" else 1.0, rng)
    values = [array.conductance[0]]
    for _ in range(device.levels):
        up, down = (one, 0 * one) if goal == "set" else (0 * one, one)
        array = array.pulsed(up, down, rng)
        values.append(array.conductance[0])
    return np.array(values)


def tool(device: NeuroSimCurve, goal: Goal) -> np.ndarray:
    """The same by the code of NeuroSim: a signed A, and RESET walks down the position x."""
    label = device.nonlinearity_set if goal == "set" else device.nonlinearity_reset
    a = np.sign(label) * normalised_curvature(abs(label)) * device.levels
    b = (device.g_max - device.g_min) / (1 - np.exp(-device.levels / a))
    x = np.arange(device.levels + 1)
    x = x if goal == "set" else device.levels - x
    return device.g_min + b * (1 - np.exp(-x / a))


@pytest.mark.parametrize(("label", "a_norm"), TABLE.items())
def test_label_is_a_distance_from_the_straight_line(label: float, a_norm: float) -> None:
    """The definition gives the tool's table back, both ways; a_norm is kept to four decimals."""
    assert nonlinearity_label(a_norm) == pytest.approx(label, rel=3e-5, abs=0)
    assert normalised_curvature(label) == pytest.approx(a_norm, rel=0, abs=5.1e-5)


def test_the_seven_presets_are_there() -> None:
    names = {"Jo2010", "Wu2018", "Park2013", "Woo2016", "Kuzum2012", "Choi2018", "Jerry2017"}
    assert {device.name for device in CURVES} == names


@ALL
@pytest.mark.parametrize("goal", ["set", "reset"])
def test_pulses_follow_the_tools_curve(device: NeuroSimCurve, goal: Goal) -> None:
    steps = staircase(device, goal)
    np.testing.assert_allclose(steps, tool(device, goal), rtol=1e-9)
    np.testing.assert_allclose(steps, device.curve(range(device.levels + 1), goal), rtol=1e-9)


@ALL
def test_all_levels_lead_from_end_to_end(device: NeuroSimCurve) -> None:
    up, down = staircase(device, "set"), staircase(device, "reset")
    assert [up[0], down[-1]] == pytest.approx([device.g_min] * 2, rel=1e-9, abs=0)
    assert [up[-1], down[0]] == pytest.approx([device.g_max] * 2, rel=1e-9, abs=0)


@ALL
@pytest.mark.parametrize("goal", ["set", "reset"])
def test_the_label_is_recovered_from_the_curve(device: NeuroSimCurve, goal: Goal) -> None:
    """By the ratio of two steps, which gives A; the published label within A's four decimals."""
    steps = np.diff(staircase(device, goal))
    ratio = steps[device.levels // 2] / steps[0]
    a_norm = -(device.levels // 2) / device.levels / np.log(ratio)
    published = device.nonlinearity_set if goal == "set" else -device.nonlinearity_reset
    found = np.sign(a_norm) * nonlinearity_label(abs(a_norm))
    assert found == pytest.approx(published, rel=5e-4, abs=0)


@ALL
def test_which_reset_is_fast_at_first(device: NeuroSimCurve) -> None:
    """Labels under zero are: all but the phase-change memory and the ferroelectric transistor."""
    steps = -np.diff(staircase(device, "reset"))
    assert (steps[0] > steps[-1]) == (device.nonlinearity_reset < 0)
    assert (device.nonlinearity_reset > 0) == (device.name in {"Kuzum2012", "Jerry2017"})
    # A pair that the tool calls symmetric goes back about the way it came, not mirrored.
    if device.name == "Jerry2017":
        there, back = staircase(device, "set"), staircase(device, "reset")[::-1]
        span = device.g_max - device.g_min
        assert np.abs(there - back).max() < 0.05 * span
        assert np.abs(there - (device.g_min + device.g_max - back[::-1])).max() > 0.2 * span


@ALL
def test_range_is_the_tables(device: NeuroSimCurve) -> None:
    on_resistance, ratio = {
        "Jo2010": (26e6, 12.5),
        "Wu2018": (100e3, 10),
        "Park2013": (23e6, 6.84),
        "Woo2016": (16.9e3, 4.43),
        "Kuzum2012": (4.71e3, 19.8),
        "Choi2018": (81e3, 50.2),
        "Jerry2017": (559.28e3, 45),
    }[device.name]
    assert 1 / device.g_max == pytest.approx(on_resistance, rel=1e-12)
    assert device.g_max / device.g_min == pytest.approx(ratio, rel=1e-12)
    assert device.set_pulse is not None
    assert device.reset_pulse is not None
    smaller = min(abs(device.set_pulse.voltage), abs(device.reset_pulse.voltage))
    assert device.read_voltage < smaller / 3


def test_noise_has_the_stated_spread_and_stays_in_bounds() -> None:
    rng = np.random.default_rng(1)
    device = JO2010.with_numbers(device_spread=0.0)
    many = PulseArray.draw(device, (20_000,), 0.5, rng)
    one = np.ones(20_000, dtype=int)
    step = (many.pulsed(one, 0 * one, rng).conductance - many.conductance) / (
        device.g_max - device.g_min
    )
    # The standard error of a standard deviation is sigma / sqrt(2 n): 0.5 % here.
    assert step.std() == pytest.approx(device.cycle_spread, rel=0.02)
    worn = many.pulsed(200 * one, 0 * one, rng)
    assert worn.conductance.max() <= device.g_max * (1 + 1e-12)
    assert worn.conductance.min() >= device.g_min * (1 - 1e-12)


def test_limits_spread_log_normally() -> None:
    array = PulseArray.draw(JO2010, (20_000,), 0.5, 3)
    for limits, middle in ((array.g_min, JO2010.g_min), (array.g_max, JO2010.g_max)):
        logarithm = np.log(limits / middle)
        error = JO2010.device_spread / np.sqrt(20_000)
        assert logarithm.mean() == pytest.approx(0, abs=4 * error)
        assert logarithm.std() == pytest.approx(JO2010.device_spread, rel=0.02)


def test_reads_have_relative_noise_and_no_drift() -> None:
    device = JO2010.with_numbers(read_spread=0.02)
    array = PulseArray.draw(device, (20_000,), 0.5, 3)
    ratio = array.read(None, np.random.default_rng(0)) / array.conductance
    assert ratio.std() == pytest.approx(0.02, rel=0.02)
    assert ratio.mean() == pytest.approx(1, abs=4 * 0.02 / np.sqrt(20_000))
    np.testing.assert_array_equal(array.drifted(1e9), array.conductance)


def test_reset_leads_to_the_devices_own_foot() -> None:
    array = PulseArray.draw(JO2010, (5,), 0.5, 3)
    np.testing.assert_array_equal(array.reset(np.random.default_rng(0)).conductance, array.g_min)


def test_the_main_jobs_numbers_stay_bit_for_bit() -> None:
    """Written out once more: the study's stored numbers stand on this order of draws and sums."""
    rng, shape = np.random.default_rng(11), (2, 3)
    factor = np.exp(0.05 * rng.standard_normal((2, *shape)))
    low, high = 1 / (26e6 * 12.5) * factor[0], 1 / 26e6 * factor[1]
    g = low + 0.4 * (high - low)
    for a_norm, pulses in ((0.4992, 3), (0.2003, 2)):
        fraction = 1 - float(np.exp(-1 / (a_norm * 97)))
        overshoot = 1 / (1 - float(np.exp(-1 / a_norm)))
        goal = overshoot if a_norm == 0.4992 else 1 - overshoot
        state = (g - low) / (high - low)
        for _ in range(pulses):
            noise = 0.035 * rng.standard_normal(shape)
            state = np.clip(state + fraction * (goal - state) + noise, 0, 1)
        g = low + state * (high - low)
    again = np.random.default_rng(11)
    array = PulseArray.draw(JO2010, shape, 0.4, again)
    array = array.pulsed(np.full(shape, 3), np.full(shape, 2), again)
    np.testing.assert_array_equal(array.conductance, g)


def test_a_label_near_zero_is_refused() -> None:
    text = r"Jo2010 has a nonlinearity label of 0: NeuroSim's table begins at 0.01; give \+-0.01"
    with pytest.raises(ParameterError, match=text):
        JO2010.with_numbers(nonlinearity_set=0.0)
    with pytest.raises(ParameterError, match=r"nonlinearity_reset .* less than or equal to 9"):
        JO2010.with_numbers(nonlinearity_reset=10.0)
