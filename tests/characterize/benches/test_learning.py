"""The learning cells against their laws: bump and box, comparator, normaliser, winner-take-all."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from spicesnn.characterize.bench import Bench
from spicesnn.characterize.benches.box import BoxBench, BoxTimingBench
from spicesnn.characterize.benches.bump import BumpBench
from spicesnn.characterize.benches.current_subtractor import SubtractorBench
from spicesnn.characterize.benches.normaliser import NormaliserBench, NormaliserReadBench
from spicesnn.characterize.benches.trace_comparator import ComparatorBench
from spicesnn.characterize.benches.winner_take_all import WinnerBench, WinnerSettlingBench
from spicesnn.characterize.condition import Condition, condition
from spicesnn.characterize.decision import smallest_difference
from spicesnn.circuits.cells.bump import Box, Bump
from spicesnn.circuits.cells.current_subtractor import SubtractorInput, SubtractorOutput
from spicesnn.circuits.cells.trace_comparator import TraceComparator, TraceComparatorBias
from spicesnn.circuits.cells.winner_take_all import WinnerTakeAll, WinnerTakeAllTail
from spicesnn.circuits.deck import Value
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.errors import ParameterError
from spicesnn.measure.levels import crossings
from spicesnn.processes import Process
from spicesnn.waveforms import Waveforms

Place = Callable[[Process], Condition]


@pytest.fixture(scope="module")
def place(pool: Pool) -> Place:
    """Conditions at 27 deg C, each extracted once."""
    known: dict[str, Condition] = {}

    def find(process: Process) -> Condition:
        if process.name not in known:
            known[process.name] = condition(process, 27.0, pool)
        return known[process.name]

    return find


def waves(
    bench: Bench, process: Process, pool: Pool, extra: Mapping[str, Value] | None = None
) -> list[Waveforms]:
    deck = bench.deck(process)
    jobs = [Job(deck, {**knobs, **(extra or {})}) for knobs in bench.stimuli(process)]
    return [run.waveforms for run in pool.map(jobs)]


def violated(bench: Bench, on: Condition, pool: Pool) -> dict[str, float]:
    """The quantities out of their limits."""
    values = bench.measure(waves(bench, on.process, pool), on)
    return {name: v for name, v in values.items() if not bench.properties[name].passes(v)}


@pytest.mark.parametrize("complement", [False, True])
def test_bump_and_antibump_obey_their_law_either_way_up(
    process: Process, gf180mcu: Process, pool: Pool, place: Place, complement: bool
) -> None:
    for each in (process, gf180mcu):
        bench = BumpBench(cell=Bump(complement=complement))
        assert violated(bench, place(each), pool) == {}


def test_exchanging_the_inputs_of_the_bump_changes_nothing(process: Process, pool: Pool) -> None:
    wave = waves(BumpBench(), process, pool)[0]
    for name in ("i(vbump)", "i(vantibump)"):
        assert wave[name] == pytest.approx(wave[name][::-1], rel=1e-4, abs=1e-13)


def test_a_middle_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"Bump\.middle .* = 3: .*multiple of 2"):
        Bump(middle=3)


def test_the_window_of_the_box_follows_the_threshold(
    process: Process, gf180mcu: Process, pool: Pool, place: Place
) -> None:
    for each in (process, gf180mcu):
        assert violated(BoxBench(), place(each), pool) == {}


def test_a_box_with_a_threshold_over_the_largest_bump_has_no_window(
    process: Process, pool: Pool, place: Place
) -> None:
    found = waves(BoxBench(), process, pool, {"vpart": 0.8})
    assert max(wave["v(inside)"].max() for wave in found) < 0.1 * process.supply
    assert np.isnan(BoxBench().measure(found, place(process))["box, window over law, most"])


def test_enable_holds_the_box_off_and_the_complement_is_its_mirror_image(
    process: Process, pool: Pool, place: Place
) -> None:
    on = place(process)
    usual = BoxTimingBench().measure(waves(BoxTimingBench(), process, pool), on)
    bench = BoxTimingBench(box=Box(bump=Bump(middle=8, complement=True)))
    wave = waves(bench, process, pool)[0]
    before, during = (np.interp(t, wave.time, wave["v(inside)"]) for t in (0.09e-3, 0.29e-3))
    assert (before, during) == pytest.approx((process.supply, 0.0), abs=0.01)
    other = bench.measure(waves(bench, process, pool), on)
    for values in (usual, other):
        assert 1e-6 < values["box, delay of enable"] < 1e-4
        assert values["box, delay of disable"] < 1e-6
        assert values["box, static power when off"] < values["box, static power when on"]


@pytest.mark.parametrize("parts", [2, 4])
def test_the_comparator_turns_once_each_way_with_the_hysteresis_of_its_parts(
    process: Process, gf180mcu: Process, pool: Pool, place: Place, parts: int
) -> None:
    bench = ComparatorBench(
        cell=TraceComparator(parts=parts), bias=TraceComparatorBias(parts=parts)
    )
    for each in (process, gf180mcu):
        found = waves(bench, each, pool)
        turns = crossings(found[0].time, found[0]["v(above)"], each.supply / 2)
        assert turns.size == 2
        values = bench.measure(found, place(each))
        assert values["comparator, hysteresis over bias"] == pytest.approx(1 / parts, rel=0.15)


def test_the_comparator_takes_its_scale_from_the_bias(
    process: Process, pool: Pool, place: Place
) -> None:
    bench = ComparatorBench(bias=TraceComparatorBias(i_threshold=3e-9))
    assert violated(bench, place(process), pool) == {}


def test_the_normaliser_obeys_its_law_in_currents_and_conductances(
    process: Process, gf180mcu: Process, pool: Pool, place: Place
) -> None:
    for each in (process, gf180mcu):
        for bench in (NormaliserBench(), NormaliserReadBench()):
            assert violated(bench, place(each), pool) == {}


def test_exchanging_the_sides_of_the_normaliser_changes_the_sign_alone(
    process: Process, pool: Pool
) -> None:
    # The plus side over its range with the minus side at its low end, and the other way about.
    bench = NormaliserBench()
    first = waves(bench, process, pool)[0]
    for decades in (0.0, 0.5):
        at = int(np.abs(first.time - decades).argmin())
        swapped = waves(bench, process, pool, {"vy": decades})[0]
        difference = first["i(vsum_plus)"][at] - first["i(vsum_minus)"][at]
        exchanged = swapped["i(vsum_plus)"][0] - swapped["i(vsum_minus)"][0]
        assert exchanged == pytest.approx(-difference, rel=1e-4, abs=0)


def test_longer_mirrors_bring_the_subtractor_to_its_law(
    gf180mcu: Process, pool: Pool, place: Place
) -> None:
    assert violated(SubtractorBench(), place(gf180mcu), pool) == {}
    short = SubtractorBench(first=SubtractorInput(), second=SubtractorOutput())
    found = violated(short, place(gf180mcu), pool)
    assert list(found) == ["subtractor, output off the law over largest input, most"]


@pytest.mark.parametrize("complement", [False, True])
def test_the_largest_input_takes_all(
    process: Process, gf180mcu: Process, pool: Pool, place: Place, complement: bool
) -> None:
    cell = WinnerTakeAll(complement=complement)
    tail = WinnerTakeAllTail(complement=complement)
    for each in (process, gf180mcu):
        bench = WinnerBench(cell=cell, tail=tail, inputs=3)
        assert violated(bench, place(each), pool) == {}
    turns = WinnerSettlingBench(cell=cell, tail=tail, inputs=3, turn=0.1e-3)
    assert violated(turns, place(process), pool) == {}


def test_a_threshold_shift_moves_the_decision_by_kappa_over_the_thermal_voltage(
    process: Process, pool: Pool, place: Place
) -> None:
    bench, on, shift = WinnerBench(), place(process), 4e-3
    knob = f"@{process.nfet.instance('m1', 'wta1')}[delvto]"
    values = bench.measure(waves(bench, process, pool, {knob: shift}), on)
    # The first M1 carries less, so the first input wins with less.
    expected = -on.nfet.kappa * shift / on.thermal_voltage
    assert values["winner-take-all, offset"] == pytest.approx(expected, rel=0.1)


def test_a_competition_of_one_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"WinnerBench\.inputs .* = 1"):
        WinnerBench(inputs=1)


def test_the_smallest_difference_falls_with_the_area(process: Process, pool: Pool) -> None:
    name = "winner-take-all, offset"
    small, large = smallest_difference(
        WinnerBench(inputs=2), name, process, pool, factors=(1, 4), count=30, part=0.9
    )
    assert large.area == pytest.approx(16 * small.area)
    assert large.pelgrom == pytest.approx(small.normal / 4)
    assert large.low < large.normal < large.high
    # The spreads of two independent thirties, to three sigma.
    assert small.normal / large.normal == pytest.approx(4, rel=0.45)
    right = np.abs(small.offsets) <= small.smallest
    assert right.sum() == 27


def test_draws_without_a_decision_count_as_wrong(process: Process, pool: Pool) -> None:
    bench = WinnerBench(inputs=2, span=0.01)
    (found,) = smallest_difference(
        bench, "winner-take-all, offset", process, pool, factors=(1,), count=5
    )
    assert np.isnan(found.offsets).any()
    assert found.smallest == np.inf


def test_a_study_of_what_is_not_measured_is_refused(process: Process, pool: Pool) -> None:
    with pytest.raises(ParameterError, match="measures no 'offset'; it measures winner-take-all"):
        smallest_difference(WinnerBench(), "offset", process, pool)
    with pytest.raises(ParameterError, match=r"0 factors, part 0\.99 and 100 draws"):
        smallest_difference(WinnerBench(), "winner-take-all, offset", process, pool, factors=())
