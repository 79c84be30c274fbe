"""Mirrors, DAC, splitter, and the choice of a setting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySpice.Spice.Netlist import Circuit

from spicesnn.characterize.bench import Bench, bench_deck
from spicesnn.characterize.benches.bias_generator import BiasCalibrationBench, BiasGeneratorBench
from spicesnn.characterize.benches.current_dac import CurrentDacBench, CurrentDacOutputBench
from spicesnn.characterize.benches.mirror import MirrorLawBench
from spicesnn.characterize.calibration import currents_of, nearest_setting, residuals
from spicesnn.characterize.condition import Condition, condition
from spicesnn.characterize.library import FAMILIES
from spicesnn.circuits.cells.bias_generator import BiasGenerator
from spicesnn.circuits.cells.current_dac import CurrentDac
from spicesnn.circuits.deck import DcSweep, Knob
from spicesnn.circuits.transistors import transistors
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.errors import DataError, ParameterError
from spicesnn.processes import Process
from spicesnn.units import thermal_voltage

BENCHES = [bench for entry in FAMILIES["Biases"] for bench in entry.benches]


@pytest.fixture(scope="module")
def on(process: Process, pool: Pool) -> Condition:
    return condition(process, 27.0, pool)


def measured(
    bench: Bench, place: Condition, pool: Pool, knobs: dict[str, float] | None = None
) -> dict[str, float]:
    deck = replace(bench.deck(place.process), temperature=place.celsius)
    jobs = [Job(deck, {**own, **(knobs or {})}) for own in bench.stimuli(place.process)]
    return bench.measure([run.waveforms for run in pool.map(jobs)], place)


@pytest.mark.parametrize("bench", BENCHES, ids=lambda bench: bench.name)
def test_limits_hold(bench: Bench, on: Condition, pool: Pool) -> None:
    values = measured(bench, on, pool)
    assert set(values) == set(bench.properties)
    assert [k for k, q in bench.properties.items() if not q.passes(values[k])] == []


def test_a_long_mirror_copies_better_than_a_short_one(on: Condition, pool: Pool) -> None:
    values = measured(MirrorLawBench(), on, pool)
    for kind in ("n", "p"):
        short, long = (
            abs(values[f"mirror {kind}{word}, farthest output over input"] - 1)
            for word in ("", ", long")
        )
        assert long < short


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_a_dac_has_the_codes_of_its_bits(bits: int, on: Condition, pool: Pool) -> None:
    bench = CurrentDacBench(cell=CurrentDac(bits=bits))
    values = measured(bench, on, pool)
    for kind in ("n", "p"):
        assert values[f"current DAC {kind}, gain over law"] == pytest.approx(1, abs=0.05)
        assert values[f"current DAC {kind}, INL, largest"] < 0.01
    units = sum(
        t.multiplier
        for t in transistors(bench.deck(on.process).netlist, on.process)
        if "munit" in t.instance and "dac_n" in t.instance
    )
    assert units == 2**bits - 1


def test_a_weaker_group_bends_the_transfer_where_it_takes_part(on: Condition, pool: Pool) -> None:
    """A tenth less in the largest group of 32: a step 3.2 units smaller at half of the codes."""
    largest = "@" + on.process.nfet.instance("unit5", "dac_n") + "[mulu0]"
    values = measured(CurrentDacBench(), on, pool, {largest: 0.9})
    # Units of the mean step, which the lost 3.2 of 63 make smaller.
    step = 1 - 3.2 / 63
    assert values["current DAC n, gain over law"] == pytest.approx(1.0273 * step, rel=1e-3)
    assert values["current DAC n, smallest step over law"] == pytest.approx(
        (1 - 3.2) / step, rel=0.02
    )
    assert values["current DAC p, DNL, largest"] < 0.01


def test_both_sides_keep_their_current_near_the_rail(on: Condition, pool: Pool) -> None:
    values = measured(CurrentDacOutputBench(), on, pool)
    for kind in ("n", "p"):
        # Four thermal voltages and the switch.
        assert 0.07 < values[f"current DAC {kind}, headroom for 95 % of law"] < 0.2


def test_taps_follow_the_reference(on: Condition, pool: Pool) -> None:
    """The ladder splits at any level of inversion: the top tap follows over two decades."""
    for reference in (3e-9, 300e-9):
        values = measured(BiasGeneratorBench(i_reference=reference), on, pool)
        assert values["bias generator, top tap over law"] == pytest.approx(1, abs=0.03)


def test_the_floor_rises_with_temperature(process: Process, pool: Pool, on: Condition) -> None:
    floor = "bias generator, lowest tap at a tenth of the reference"
    hot = condition(process, 85.0, pool)
    cold, warm = (measured(BiasGeneratorBench(), place, pool)[floor] for place in (on, hot))
    assert cold < 0.1e-12 < warm


def test_calibration_undoes_a_bad_ladder(on: Condition, pool: Pool) -> None:
    """A tap 20 mV off is a third off: found by measuring taps, not by the law."""
    bench = BiasCalibrationBench()
    shifted = "@" + on.process.pfet.instance("tap9", "generator") + "[delvto]"
    values = measured(bench, on, pool, {shifted: 20e-3})
    said = [values[f"bias by {how}, largest error, 3 pA to 50 nA"] for how in (
        "law", "measured taps", "measured table")]  # fmt: skip
    assert said[0] > 0.3
    assert max(said[1:]) < 0.03


def test_the_nearest_setting_is_nearest() -> None:
    table = currents_of([8e-9, 1e-9], [1.0, 2.0, 3.0])
    assert table.shape == (2, 3)
    found = nearest_setting(table, 3.2e-9)
    assert (found.tap, found.code) == (1, 2)
    assert found.current == pytest.approx(3e-9, rel=1e-9, abs=0)
    # Nearest as a ratio: 5 nA is 1.67 times 3 nA, and 8 nA is 1.6 times 5 nA.
    assert nearest_setting(table, 5e-9).current == pytest.approx(8e-9, rel=1e-9, abs=0)
    table[1, 2] = np.nan
    assert nearest_setting(table, 3.2e-9).current == pytest.approx(2e-9, rel=1e-9, abs=0)


@given(
    st.lists(st.floats(1e-12, 1e-7), min_size=1, max_size=6),
    st.lists(st.floats(0.1, 10), min_size=1, max_size=6),
    st.floats(0, 1),
)
def test_no_setting_is_nearer(taps: list[float], gains: list[float], part: float) -> None:
    table = currents_of(taps, gains)
    wanted = float(table.min() ** (1 - part) * table.max() ** part)
    wanted = min(max(wanted, float(table.min())), float(table.max()))
    found = nearest_setting(table, wanted)
    assert found.current == table[found.tap, found.code]
    assert abs(np.log(found.current / wanted)) <= np.abs(np.log(table / wanted)).min() + 1e-12


def test_what_cannot_be_chosen_is_refused() -> None:
    with pytest.raises(ParameterError, match="outside of what the generator gives"):
        nearest_setting([[1e-9, 2e-9]], 3e-9)
    with pytest.raises(ParameterError, match="outside of what the generator gives"):
        nearest_setting([[1e-9, 2e-9]], -1e-9)
    with pytest.raises(DataError, match=r"shape \(taps, codes\)"):
        nearest_setting([1e-9, 2e-9], 1e-9)
    with pytest.raises(DataError, match="positive current"):
        nearest_setting([[0.0, np.nan]], 1e-9)


def test_residuals_are_of_the_real_table() -> None:
    law = np.array([[1e-9, 2e-9, 4e-9]])
    real = 1.1 * law
    assert residuals(real, law, [2e-9, 9e-9]) == pytest.approx([0.1, np.nan], nan_ok=True)
    assert residuals(real, real, [2.2e-9]) == pytest.approx([0.0], abs=1e-12)


def test_impossible_parameters_are_refused(process: Process) -> None:
    with pytest.raises(ParameterError, match="bits of the code"):
        CurrentDac(bits=9)
    with pytest.raises(ParameterError, match="under the minimum"):
        BiasGenerator(length=0.1e-6).subcircuit(process)


def test_simulated_transistors_miss_the_law_of_saturation_near_the_thermal_voltage(
    pool: Pool, any_process: Process
) -> None:
    """I(U_T)/I(10 U_T) is 1 - 1/e in weak inversion; a splitter rests on it."""
    worst = 0.0
    for mosfet in (any_process.nfet, any_process.pfet):
        circuit = Circuit("cut off below")
        mosfet(circuit, "1", "d", "g", "0", "0", width=4e-6, length=4e-6)
        mosfet(circuit, "2", "g", "g", "0", "0", width=4e-6, length=4e-6)
        ends = ("0", "g") if mosfet.sign > 0 else ("g", "0")
        circuit.I("in", *ends, raw_spice="dc 1e-9")
        u_t = thermal_voltage(27.0)
        sweep = DcSweep("vd", mosfet.sign * u_t, mosfet.sign * 10 * u_t, mosfet.sign * 9 * u_t)
        knob = Knob("vd", ("d", "0"), 0.0)
        deck = bench_deck("saturation", circuit, any_process, sweep, ["i(vd)"], [knob])
        low, high = pool.map([Job(deck)])[0].waveforms["i(vd)"]
        miss = float(low / high / (1 - np.exp(-1)) - 1)
        worst = max(worst, abs(miss))
    assert 0.05 < worst < 0.3
