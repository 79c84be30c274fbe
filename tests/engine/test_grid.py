import numpy as np
import pytest

from spicesnn.engine.grid import shared_grid
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


def test_differences_under_the_floor_do_not_count() -> None:
    time = np.linspace(0, 1, 1001)
    low = 0.1 * np.sin(50 * time)
    assert shared_grid([(time, low)], 1e-3, [0.2]).size == 2


def test_waves_must_end_together() -> None:
    a, b = np.linspace(0, 1, 5), np.linspace(0, 2, 5)
    with pytest.raises(DataError, match="begin and end at the same times"):
        shared_grid([(a, a), (b, b)], 1e-3)
