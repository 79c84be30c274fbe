"""Error trigger, level shifter, write driver: laws, both signs, and what they cannot do."""

from __future__ import annotations

import numpy as np
import pytest

from spicesnn.characterize.bench import Bench
from spicesnn.characterize.benches.error_trigger import ErrorTriggerBench, ErrorTriggerDelayBench
from spicesnn.characterize.benches.level_shifter import LevelShifterBench, LevelShifterLowestBench
from spicesnn.characterize.benches.write_driver import WriteDriverBench, WriteDriverPulseBench
from spicesnn.characterize.condition import Condition, WeakInversion
from spicesnn.circuits.cells.error_trigger import ErrorTrigger
from spicesnn.circuits.cells.level_shifter import LevelShifter
from spicesnn.circuits.cells.write_driver import WriteDriver
from spicesnn.circuits.deck import Waveform
from spicesnn.engine.pool import Pool
from spicesnn.engine.verdict import Verdict
from spicesnn.engine.worker import Job
from spicesnn.errors import ParameterError
from spicesnn.processes import Process
from spicesnn.waveforms import Waveforms


def on(process: Process) -> Condition:
    """No law of these cells needs the transistors' constants."""
    none = WeakInversion(float("nan"), float("nan"), float("nan"))
    return Condition(process, 27.0, none, none)


def waves(bench: Bench, process: Process, pool: Pool) -> list[Waveforms]:
    deck = bench.deck(process)
    return [run.waveforms for run in pool.map([Job(deck, k) for k in bench.stimuli(process)])]


def measured(bench: Bench, process: Process, pool: Pool) -> dict[str, float]:
    return bench.measure(waves(bench, process, pool), on(process))


def test_the_trigger_compares_with_theta_whatever_the_common_part(
    process: Process, pool: Pool
) -> None:
    """At six times theta in common the mirrors' error would be six times theta's."""
    for common in (1.5, 6.0):
        found = measured(ErrorTriggerBench(common=common), process, pool)
        for way in ("UP", "DN"):
            for end in ("most", "least"):
                name = f"trigger, {way} threshold over theta, {end}"
                assert found[name] == pytest.approx(1.0, abs=0.06), (common, name)
        assert found["trigger, centre of the dead zone over theta"] == pytest.approx(0, abs=1e-3)


def test_the_cascodes_are_what_makes_the_trigger_exact(process: Process, pool: Pool) -> None:
    weak = ErrorTrigger(cascode_width=0.5e-6, cascode_length=8e-6)
    name = "trigger, UP threshold over theta, most"
    usual, without = (
        measured(ErrorTriggerBench(cell=cell), process, pool)[name]
        for cell in (ErrorTrigger(), weak)
    )
    assert abs(without - 1) > 2 * abs(usual - 1)


def test_swapped_errors_swap_the_triggers_outputs(process: Process, pool: Pool) -> None:
    rising, falling = waves(ErrorTriggerBench(), process, pool)[2:4]
    # Within the dead zone and beyond both, not on the edges.
    away = np.abs(np.abs(rising.time) - 1) > 0.05
    for one, other in (("v(up)", "v(dn)"), ("v(dn)", "v(up)")):
        np.testing.assert_allclose(rising[one][away], falling[other][away], atol=1e-3)


def test_up_and_dn_are_never_high_at_once_and_silent_under_theta(
    process: Process, pool: Pool
) -> None:
    bench = ErrorTriggerDelayBench()
    for wave in waves(bench, process, pool):
        assert np.minimum(wave["v(up)"], wave["v(dn)"]).max() < 0.1
    quiet = bench.stimuli(process)[0]["verror"]
    assert isinstance(quiet, Waveform)
    small = Waveform(quiet.time, quiet.value * 0.8 / 1.2)
    run = pool.map([Job(bench.deck(process), {"verror": small})])[0]
    assert max(run.waveforms[name].max() for name in ("v(up)", "v(dn)")) < 0.1


def test_a_trigger_turns_faster_on_a_larger_error(process: Process, pool: Pool) -> None:
    found = measured(ErrorTriggerDelayBench(), process, pool)
    delays = [found[f"trigger, delay at {size} theta"] for size in ("1.2", "2", "4")]
    # Its node is charged by the error beyond theta: 0.2 theta against theta, at least three times.
    assert delays[0] > 3 * delays[1] > 3 * delays[2]


def test_a_stronger_pull_up_needs_a_higher_core_supply(process: Process, pool: Pool) -> None:
    name = "shifter, lowest core supply that turns it over"
    usual, strong = (
        measured(LevelShifterLowestBench(cell=cell), process, pool)[name]
        for cell in (LevelShifter(), LevelShifter(p_width=2e-6))
    )
    assert usual + 0.05 < strong < process.supply


def test_a_shifter_that_cannot_turn_over_has_no_delay(process: Process, pool: Pool) -> None:
    cell = LevelShifter(n_width=0.42e-6, p_width=20e-6, p_length=0.3e-6)
    found = measured(LevelShifterBench(cell=cell), process, pool)
    assert np.isnan(found["shifter, delay of the rising edge"])
    assert found["shifter, least swing over the write supply"] < 0.9


def test_compliance_follows_the_bias_current_and_the_ratio(process: Process, pool: Pool) -> None:
    for ratio in (2, 8):
        found = measured(WriteDriverBench(cell=WriteDriver(ratio=ratio)), process, pool)
        for end in ("most", "least"):
            assert found[f"write, compliance over law, {end}"] == pytest.approx(1, abs=0.05)


def test_a_load_that_it_cannot_drive_shows(process: Process, pool: Pool) -> None:
    """Half the compliance drives twice the resistance; weak switches do not RESET 10 kohm."""
    name = "write, SET: least resistance with 90 % of the supply"
    one, half = (
        measured(WriteDriverBench(i_bias=bias), process, pool)[name] for bias in (10e-6, 5e-6)
    )
    assert half / one == pytest.approx(2, rel=0.15)
    assert "less than 5.94e+04 ohm gets less than 90 %" in WriteDriverBench().doubts(on(process))[0]
    narrow = WriteDriverBench(cell=WriteDriver(switch_width=2e-6))
    least = "write, RESET: least resistance with 90 % of the supply"
    found = measured(narrow, process, pool)[least]
    assert not narrow.properties[least].passes(found)


def test_the_device_gets_what_the_slow_bench_says(process: Process, pool: Pool) -> None:
    """SET and RESET have opposite signs; a settled pulse is the load line of its resistance."""
    bench = WriteDriverPulseBench()
    pulses = waves(bench, process, pool)
    slow = waves(WriteDriverBench(), process, pool)
    for ohms, wave in zip((1e3, 1e4, 1e5, 1e6), pulses, strict=True):
        across = wave["v(top)"] - wave["v(bottom)"]
        for start, line, sign in ((1, slow[1], 1), (3, slow[3], -1)):
            settled = sign * float(np.interp((start + 0.99) * bench.hold, wave.time, across))
            current = np.abs(line["i(vmeter)"])
            wanted = float(np.interp(ohms, line.time / current, line.time))
            assert settled == pytest.approx(wanted, rel=0.02), (ohms, start)


def test_a_write_supply_over_the_rating_is_refused_by_the_verdict(
    process: Process, pool: Pool
) -> None:
    deck = WriteDriverPulseBench().deck(process)
    runs = pool.map([Job(deck, {"vwrite": volts}) for volts in (3.3, 3.9)], raise_on_failure=False)
    assert [run.verdict for run in runs] == [Verdict.CONVERGED, Verdict.OVER_RATING]
    assert "of 3.6 V" in runs[1].detail


def test_a_ratio_whose_switches_are_too_narrow_is_refused(process: Process) -> None:
    with pytest.raises(ParameterError, match=r"transistor on: W/L = 4e-07/3e-07 m is under"):
        WriteDriver(ratio=50).subcircuit(process)
