"""Errors of a tier against records, on made-up runs whose errors are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spicesnn.errors import DataError
from spicesnn.tiers.agreement import Answer, Budget, agreement, limit_of
from spicesnn.tiers.record import Record, step_ends

DT, TAU = 1e-5, 1e-3


def run(spikes: list[float], width: float = 2e-5) -> Record:
    value = np.sin(2 * np.pi * 100 * step_ends(DT, 1000))
    return Record(DT, {"i_in": np.zeros(1000)}, {"v_mem": value}, np.array(spikes), width, 1e-9)


def test_equal_runs_have_no_error() -> None:
    record = run([1e-3, 2e-3])
    found = agreement([record], [Answer(record.outputs, record.spikes, 1e-9)], TAU, Budget())
    assert found.violations(Budget()) == []
    assert set(found.numbers().values()) == {0.0}
    assert found.matched == 2


def test_every_error_is_measured_and_named() -> None:
    record = run([1e-3, 2e-3, 3e-3, 4e-3])
    # One spike too late by 5 % of tau, one a whole tau, one missing; state off by a tenth.
    answer = Answer(
        {"v_mem": record.outputs["v_mem"] + 0.2}, np.array([1.05e-3, 2e-3, 4e-3 + TAU]), 1.1e-9
    )
    found = agreement([record], [answer], TAU, Budget())
    assert (found.matched, found.missed, found.added) == (2, 2, 1)
    assert found.unmatched == pytest.approx(0.75)
    assert found.timing == pytest.approx(0.025)
    assert found.rate == pytest.approx(0.25)
    assert found.energy_error == pytest.approx(0.1)
    assert found.states["v_mem"].relative == pytest.approx(0.1)
    said = found.violations(Budget())
    assert [line.split(":")[0] for line in said] == [
        "state v_mem", "unmatched", "timing", "rate", "energy",
    ]  # fmt: skip
    assert "state v_mem: 10.000%, limit 1.00%" in said


def test_state_near_spikes_of_either_is_left_out() -> None:
    record = run([1e-3])
    wrong = record.outputs["v_mem"].copy()
    times = step_ends(DT, 1000)
    wrong[np.abs(times - 1e-3) <= 5.5e-5] += 1.0
    wrong[np.abs(times - 1.04e-3) <= 5.5e-5] += 1.0
    answer = Answer({"v_mem": wrong}, np.array([1.04e-3]), 1e-9)
    assert agreement([record], [answer], TAU, Budget()).states["v_mem"].rms == 0
    inside = agreement([record], [answer], TAU, Budget(margin=1))
    assert inside.states["v_mem"].rms > 0.01


def test_spikes_where_there_should_be_none_are_an_infinite_error() -> None:
    record = run([])
    found = agreement([record], [Answer(record.outputs, np.array([1e-3]), 1e-9)], TAU, Budget())
    assert np.isinf(found.unmatched)
    assert np.isinf(found.rate)
    assert found.violations(Budget())


def test_a_value_that_is_no_number_is_over_any_budget() -> None:
    record = run([])
    nan = replace(record, outputs={"v_mem": np.full(1000, np.nan)})
    found = agreement([record], [Answer(nan.outputs, record.spikes, 1e-9)], TAU, Budget())
    assert [line.split(":")[0] for line in found.violations(Budget())] == ["state v_mem"]


def test_pooling_is_over_runs() -> None:
    records = [run([1e-3] * 1), run([])]
    answers = [Answer(r.outputs, r.spikes, 1e-9) for r in records]
    found = agreement(records, answers, TAU, Budget())
    assert (found.runs, found.spikes) == (2, 1)
    assert found.seconds == pytest.approx(20e-3)


def test_of_a_level_the_part_of_the_time_counts_in_which_it_differs() -> None:
    level = np.r_[np.zeros(500), np.ones(500)]
    record = replace(run([]), outputs={"above": level})
    late = Answer({"above": np.r_[np.zeros(510), np.ones(490)]}, record.spikes, 1e-9)
    found = agreement([record], [late], TAU, Budget(), digital=("above",))
    assert found.states["above"].relative == pytest.approx(0.01)
    assert agreement([record], [late], TAU, Budget()).states["above"].relative == pytest.approx(0.1)


def test_no_run_is_an_error() -> None:
    with pytest.raises(DataError, match="give at least one stimulus"):
        agreement([], [], TAU, Budget())


def test_a_number_has_the_limit_of_its_kind() -> None:
    assert limit_of("state i_out", Budget(state=0.2)) == 0.2
    assert limit_of("energy", Budget()) == 0.03
