import numpy as np
import pytest

from spicesnn.engine.grid import resample, shared_grid
from spicesnn.errors import DataError


def test_error_is_bounded_and_the_grid_is_smaller() -> None:
    rng = np.random.default_rng(0)
    waves = []
    for phase in (0.0, 1.0, 2.0):
        time = np.unique(np.concatenate([[0, 1], rng.uniform(size=2000)]))
        waves.append((time, np.sin(9 * time + phase)))
    grid = shared_grid(waves, 1e-3)
    for time, value in waves:
        error = np.interp(time, grid, np.interp(grid, time, value)) - value
        assert np.abs(error).max() <= 1e-3 * 1.001
    assert grid.size < 200
    assert shared_grid(waves, 1e-2).size < grid.size


@pytest.mark.parametrize("floor", [-1e9, 0.0, 0.3])
def test_resampled_waves_keep_to_the_tolerance_and_have_no_bias(floor: float) -> None:
    """Kinks at the floor and jumps among smooth parts: where least squares would overshoot."""
    rng = np.random.default_rng(1)
    waves = []
    for phase in (0.0, 1.0, 2.0):
        time = np.unique(np.concatenate([[0, 1], rng.uniform(size=3000)]))
        jump = 0.5 * (1 + np.tanh((time - 0.5) / 2e-4))
        waves.append((time, np.sin(9 * time + phase) + jump))
    grid, values = resample(waves, 2e-3, [floor] * 3)
    assert grid.size < 600
    for (time, value), corner in zip(waves, values, strict=True):
        fitted = np.interp(time, grid, corner)
        error = np.maximum(fitted, floor) - np.maximum(value, floor)
        assert np.abs(error).max() <= 2e-3 * 1.001
        assert abs(np.trapezoid(fitted - value, time)) < 2e-5


def test_differences_under_the_floor_do_not_count() -> None:
    time = np.linspace(0, 1, 1001)
    low = 0.1 * np.sin(50 * time)
    grid, (value,) = resample([(time, low)], 1e-3, [0.2])
    assert grid.size == 2
    assert np.abs(value).max() < 0.1  # not raised to the floor


def test_waves_must_end_together() -> None:
    a, b = np.linspace(0, 1, 5), np.linspace(0, 2, 5)
    with pytest.raises(DataError, match="begin and end at the same times"):
        shared_grid([(a, a), (b, b)], 1e-3)


def test_pulses_keep_corners_along_their_tops() -> None:
    """So that the piece behind steps through a pulse, and takes its whole charge."""
    time = np.array([0.0, 1e-3, 1.001e-3, 1.02e-3, 1.021e-3, 2e-3, 3e-3])
    value = np.array([0.0, 0.0, 1.8, 1.8, 0.0, 0.0, 0.0])
    bare, _ = resample([(time, value)], 1e-3)
    grid, (corners,) = resample([(time, value)], 1e-3, None, [0.9])
    inside = (grid >= 1.001e-3) & (grid <= 1.02e-3)
    assert ((bare >= 1.001e-3) & (bare <= 1.02e-3)).sum() == 2
    assert inside.sum() == 11
    assert corners[inside] == pytest.approx(1.8, abs=1e-3)
    none, _ = resample([(time, 0 * value)], 1e-3, None, [0.9])
    assert none.size == 2
