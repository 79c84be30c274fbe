"""Levels, widths, times and adaptation of curves whose answer is known."""

import numpy as np
import pytest

from spicesnn.errors import DataError
from spicesnn.measure.energy import channel_heat
from spicesnn.measure.levels import crossings, first_crossing, settling_time, slope, width_at
from spicesnn.measure.time_constants import decay_time_constant, step_time_constant
from spicesnn.waveforms import Waveforms


def test_crossings_by_direction() -> None:
    x = np.linspace(0, 2, 41)
    y = np.sin(2 * np.pi * x)
    assert crossings(x, y, 0.5, "rising") == pytest.approx([1 / 12, 13 / 12], abs=2e-3)
    assert crossings(x, y, 0.5, "falling") == pytest.approx([5 / 12, 17 / 12], abs=2e-3)
    assert crossings(x, y, 0.5).size == 4
    assert first_crossing(x, y, 0.5, "rising", after=0.5) == pytest.approx(13 / 12, abs=2e-3)
    assert np.isnan(first_crossing(x, y, 2.0))


def test_full_width_of_a_gaussian() -> None:
    x = np.linspace(-3, 3, 601)
    assert width_at(x, np.exp(-(x**2) / 2)) == pytest.approx(2 * np.sqrt(2 * np.log(2)), rel=1e-4)
    # Over a base, and where it does not come down.
    assert width_at(x, 5 + np.exp(-(x**2) / 2), base=5.0) == pytest.approx(2.3548, rel=1e-4)
    assert np.isnan(width_at(x, x))


def test_an_exponentials_settling_and_time_constants() -> None:
    time = np.linspace(0, 10e-3, 2001)
    rise = np.where(time < 1e-3, 0.0, 2 * (1 - np.exp(-(time - 1e-3) / 1e-3)))
    assert settling_time(time, rise, 1e-3, 2.0, 0.02) == pytest.approx(1e-3 * np.log(100), rel=1e-3)
    assert step_time_constant(time, rise, 1e-3, 0.0, 2.0) == pytest.approx(1e-3, rel=1e-3)
    assert settling_time(time, np.full_like(time, 2.0), 0.0, 2.0, 0.02) == 0
    assert np.isnan(settling_time(time, time, 0.0, 0.0, 1e-3))
    decay = 3e-12 + 1e-9 * np.exp(-time / 1e-3)
    assert decay_time_constant(time, decay, rest=3e-12) == pytest.approx(1e-3, rel=1e-3)
    assert np.isnan(decay_time_constant(time[:3], decay[:3]))


def test_a_decay_does_not_depend_on_where_the_solver_stepped() -> None:
    """Two thirds of the points crowd where the law is another."""
    fast = np.linspace(0, 1e-4, 2000)
    time = np.concatenate([fast, np.linspace(1e-4, 6e-3, 1000)[1:]])
    decay = np.exp(-time / 1e-3)
    assert decay_time_constant(time, decay, high=0.99, low=0.01) == pytest.approx(1e-3, rel=1e-3)


def test_slope_of_a_part() -> None:
    x = np.linspace(0, 1, 101)
    y = np.where(x < 0.5, 2 * x, 1.0)
    assert slope(x, y, 0.1, 0.4) == pytest.approx(2)
    with pytest.raises(DataError, match="two are needed"):
        slope(x, y, 5, 6)


def test_heat_of_a_channel() -> None:
    time = np.linspace(0, 1e-3, 11)
    one = np.ones_like(time)
    waves = Waveforms(time, {"@m1[id]": 1e-9 * one, "@m1[vds]": 0.9 * one})
    assert channel_heat(waves, ["m1"]) == pytest.approx(0.9e-12, rel=1e-9, abs=0)
