"""The read-out: what clamp, transimpedance stage and latch are for, on two processes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spicesnn.characterize.bench import Bench
from spicesnn.characterize.benches.column_clamp import (
    ColumnClampBench,
    ColumnClampNoiseBench,
    ColumnClampStepBench,
)
from spicesnn.characterize.benches.sense_amplifier import (
    ENTRIES,
    SenseAmplifierBench,
    SenseAmplifierOffsetBench,
)
from spicesnn.characterize.benches.transimpedance import (
    TransimpedanceBench,
    TransimpedanceNoiseBench,
    TransimpedanceStepBench,
)
from spicesnn.characterize.condition import Condition, condition
from spicesnn.circuits.cells.column_clamp import ColumnClamp
from spicesnn.circuits.cells.sense_amplifier import SenseAmplifier
from spicesnn.circuits.cells.transimpedance import Transimpedance
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.errors import ParameterError
from spicesnn.processes import Process

BENCHES = [bench for entry in ENTRIES for bench in entry.benches]


@pytest.fixture(scope="module")
def on(process: Process, pool: Pool) -> Condition:
    return condition(process, 27.0, pool)


@pytest.fixture(scope="module")
def on_gf180mcu(gf180mcu: Process, pool: Pool) -> Condition:
    return condition(gf180mcu, 27.0, pool)


def measured(bench: Bench, place: Condition, pool: Pool) -> dict[str, float]:
    deck = replace(bench.deck(place.process), temperature=place.celsius)
    runs = pool.map([Job(deck, knobs) for knobs in bench.stimuli(place.process)])
    return bench.measure([run.waveforms for run in runs], place)


@pytest.mark.parametrize("bench", BENCHES, ids=lambda bench: bench.name)
@pytest.mark.parametrize("where", ["on", "on_gf180mcu"])
def test_limits_hold(bench: Bench, where: str, pool: Pool, request: pytest.FixtureRequest) -> None:
    values = measured(bench, request.getfixturevalue(where), pool)
    assert set(values) == set(bench.properties)
    assert [k for k, q in bench.properties.items() if not q.passes(values[k])] == []


def test_the_amplifier_is_what_holds_the_column(on: Condition, pool: Pool) -> None:
    """A hundredth of its current makes it slower and no worse at rest."""
    name = "clamp input resistance at 1 nA over a bare follower's"
    usual, starved = (measured(ColumnClampBench(i_bias=i), on, pool) for i in (50e-9, 0.5e-9))
    assert starved[name] == pytest.approx(usual[name], rel=0.3)
    settle = "clamp, column settling to 1 mV of its value, 1 to 10 nA"
    quick, slow = (measured(ColumnClampStepBench(i_bias=i), on, pool) for i in (50e-9, 5e-9))
    assert slow[settle] > 2 * quick[settle]


def test_a_column_without_lead_rings(on: Condition, pool: Pool) -> None:
    """A column of 1 pF, and a quarter of it against nothing."""
    led, bare = (
        ColumnClampStepBench(cell=ColumnClamp(c_lead=c), c_column=1e-12) for c in (250e-15, 1e-15)
    )
    assert led.doubts(on) == ()
    assert "may ring" in bare.doubts(on)[0]
    runs = pool.map([Job(bench.deck(on.process)) for bench in (led, bare)])
    over = [run.waveforms["i(vout)"].max() - 10e-9 for run in runs]
    assert over[1] > 2 * over[0]


def test_clamp_noise_is_the_mirrors_shot_noise(on: Condition, pool: Pool) -> None:
    """Ten times the current, sqrt(10) times the noise."""
    name = "clamp input noise at 1 kHz"
    small, large = (
        measured(ColumnClampNoiseBench(current=i), on, pool)[name] for i in (1e-9, 10e-9)
    )
    assert large / small == pytest.approx(np.sqrt(10), rel=0.1)


def test_gain_is_the_resistors_and_bandwidth_the_capacitors(on: Condition, pool: Pool) -> None:
    cell = Transimpedance(r_feedback=2e6, c_feedback=1e-12)
    static = measured(TransimpedanceBench(cell=cell), on, pool)
    assert static["transimpedance over law"] == pytest.approx(1, abs=0.01)
    step = measured(TransimpedanceStepBench(cell=cell), on, pool)
    assert step["transimpedance, time constant"] == pytest.approx(2e-6, rel=0.1)
    noise = measured(TransimpedanceNoiseBench(cell=cell), on, pool)
    assert noise["transimpedance input noise at 10 kHz over the resistor's"] >= 1


def test_a_span_over_the_sink_is_doubted(on: Condition) -> None:
    assert TransimpedanceBench().doubts(on) == ()
    narrow = TransimpedanceBench(cell=Transimpedance(output=1))
    assert "not under the sink of the output stage" in narrow.doubts(on)[0]


def test_swapped_inputs_swap_the_decision(on: Condition, pool: Pool) -> None:
    bench = SenseAmplifierBench()
    deck = bench.deck(on.process)
    half = on.supply / 2
    sides = [{"vplus": half + d, "vminus": half - d} for d in (2e-3, -2e-3)]
    one, other = (run.waveforms for run in pool.map([Job(deck, knobs) for knobs in sides]))
    for left, right in (("v(plus_wins)", "v(minus_wins)"), ("v(minus_wins)", "v(plus_wins)")):
        assert other.at(right, one.time) == pytest.approx(one[left], abs=1e-3)
    assert one["v(plus_wins)"].max() > 0.9 * on.supply
    assert one["v(minus_wins)"].max() < 0.1 * on.supply


def test_a_shifted_threshold_is_the_offset(on: Condition, pool: Pool) -> None:
    """5 mV more on the transistor of the plus side: it must be 5 mV higher to win."""
    bench = SenseAmplifierOffsetBench(span=10)
    deck = bench.deck(on.process)
    shifted = "@" + on.process.nfet.instance("in_a", "latch") + "[delvto]"
    run = pool.map([Job(deck, {shifted: 5e-3})])[0]
    offset = bench.measure([run.waveforms], on)["sense amplifier, offset"]
    assert offset == pytest.approx(5e-3, abs=1.1e-3)


def test_an_offset_out_of_the_span_is_not_shown(on: Condition, pool: Pool) -> None:
    bench = SenseAmplifierOffsetBench(span=2)
    shifted = "@" + on.process.nfet.instance("in_a", "latch") + "[delvto]"
    run = pool.map([Job(bench.deck(on.process), {shifted: 20e-3})])[0]
    assert np.isnan(bench.measure([run.waveforms], on)["sense amplifier, offset"])


def test_impossible_parameters_are_refused(process: Process) -> None:
    with pytest.raises(ParameterError, match="feedback resistor"):
        Transimpedance(r_feedback=0)
    with pytest.raises(ParameterError, match="did you mean c_lead"):
        ColumnClamp(c_load=1e-15)
    with pytest.raises(ParameterError, match="under the minimum"):
        SenseAmplifier(latch_width=0.1e-6).subcircuit(process)
