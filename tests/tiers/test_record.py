"""Inputs on a tier's steps: exact means, exact duties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spicesnn.tiers.record import Record, duty, step_ends, step_means


@given(
    st.lists(st.floats(0, 0.9e-3), min_size=2, max_size=20, unique=True),
    st.integers(1, 37),
    st.integers(0, 2**32 - 1),
)
def test_means_keep_the_area_of_any_waveform(times: list[float], steps: int, seed: int) -> None:
    time = np.sort(times)
    value = np.random.default_rng(seed).normal(size=time.size)
    dt = 1e-3 / steps
    means = step_means(time, value, dt, steps)
    fine = np.union1d(time, [0.0, 1e-3])
    assert means.sum() * dt == pytest.approx(
        np.trapezoid(np.interp(fine, time, value), fine), abs=1e-12
    )


def test_a_ramp_has_the_mean_of_each_step() -> None:
    assert step_means([0, 1e-4], [0, 1], 5e-5, 4) == pytest.approx([0.25, 0.75, 1.0, 1.0])


def test_pulses_fill_the_parts_of_the_steps_that_they_last() -> None:
    filled = duty([1e-4, 3.5e-4], 1e-4, 1e-4, 6)
    assert filled == pytest.approx([0, 1, 0, 0.5, 0.5, 0])


@given(st.lists(st.floats(0, 0.8e-3), max_size=5), st.integers(1, 50))
def test_no_part_of_a_pulse_is_lost(starts: list[float], steps: int) -> None:
    dt = 1e-3 / steps
    assert duty(starts, 1e-4, dt, steps).sum() * dt == pytest.approx(1e-4 * len(starts))


def test_a_record_knows_its_length() -> None:
    record = Record(1e-5, {"i": np.zeros(7)}, {})
    assert (record.steps, record.stop) == (7, pytest.approx(7e-5))
    assert step_ends(1e-5, 3) == pytest.approx([1e-5, 2e-5, 3e-5])
