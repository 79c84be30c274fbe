import numpy as np
import pytest

from spicesnn.devices import JO2010, PulseArray, find_device
from spicesnn.errors import DataError, UnknownNameError

QUIET = JO2010.model_copy(update={"cycle_spread": 0.0, "device_spread": 0.0})


@pytest.mark.parametrize("pulses", [1, 10, 48, 97])
def test_steps_follow_neurosims_closed_form(pulses: int) -> None:
    """G_LTP(p) and G_LTD(p) of the NeuroSim manual, from either end."""
    span, count = QUIET.g_max - QUIET.g_min, QUIET.levels
    rng = np.random.default_rng(0)
    for start, label in ((0.0, QUIET.nonlinearity_set), (1.0, QUIET.nonlinearity_reset)):
        devices = PulseArray.draw(QUIET, (1,), start, rng)
        given, none = np.array([pulses]), np.array([0])
        order = (given, none) if start == 0 else (none, given)
        state = devices.pulsed(*order, rng).conductance[0]
        a = -1 / np.log(1 - QUIET.fraction(label))
        b = span / (1 - np.exp(-count / a))
        moved = b * (1 - np.exp(-pulses / a))
        expected = QUIET.g_min + moved if start == 0 else QUIET.g_max - moved
        assert state == pytest.approx(expected, rel=1e-9, abs=0)


def test_all_levels_lead_from_end_to_end() -> None:
    rng = np.random.default_rng(0)
    devices = PulseArray.draw(QUIET, (1,), 0.0, rng)
    full = devices.pulsed(np.array([97]), np.array([0]), rng)
    assert full.conductance[0] == pytest.approx(QUIET.g_max, rel=1e-9, abs=0)


def test_noise_has_the_stated_spread_and_stays_in_bounds() -> None:
    rng = np.random.default_rng(1)
    device = JO2010.model_copy(update={"device_spread": 0.0})
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


def test_same_seed_same_devices() -> None:
    a = PulseArray.draw(JO2010, (2, 3), 0.5, np.random.default_rng(7))
    b = PulseArray.draw(JO2010, (2, 3), 0.5, np.random.default_rng(7))
    np.testing.assert_array_equal(a.conductance, b.conductance)


def test_wrong_pulse_counts() -> None:
    devices = PulseArray.draw(JO2010, (2,), 0.5, np.random.default_rng(0))
    with pytest.raises(DataError, match=r"pulse counts must be >= 0 and of shape \(2,\)"):
        devices.pulsed(np.array([1]), np.array([1]), np.random.default_rng(0))


def test_unknown_device() -> None:
    with pytest.raises(UnknownNameError, match="no device preset named 'Jo2011'; did you mean"):
        find_device("Jo2011")
