"""The laws of the synapses: on two processes, as drawn and as complement."""

from __future__ import annotations

import numpy as np
import pytest

from spicesnn.characterize.bench import Bench
from spicesnn.characterize.benches.dpi_depression import DpiDepressionBench
from spicesnn.characterize.benches.dpi_gates import DpiConductanceBench, DpiNmdaBench
from spicesnn.characterize.benches.dpi_synapse import DpiDecayBench, DpiEventsBench, DpiGainBench
from spicesnn.characterize.benches.dpi_trace import TraceLawBench
from spicesnn.characterize.benches.pulse_extender import PulseExtenderBench
from spicesnn.characterize.condition import Condition, condition
from spicesnn.circuits.cells.dpi_synapse import (
    DpiConductance,
    DpiDepressing,
    DpiNmda,
    DpiSynapse,
)
from spicesnn.circuits.stimuli import pulse_train
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.errors import ParameterError
from spicesnn.measure.levels import crossings
from spicesnn.processes import Process
from spicesnn.waveforms import Waveforms

UP_AND_DOWN = pytest.mark.parametrize("complement", [False, True])


@pytest.fixture(scope="module")
def on(process: Process, pool: Pool) -> Condition:
    return condition(process, 27.0, pool)


@pytest.fixture(scope="module")
def on_gf180mcu(gf180mcu: Process, pool: Pool) -> Condition:
    return condition(gf180mcu, 27.0, pool)


def waves(bench: Bench, place: Condition, pool: Pool) -> list[Waveforms]:
    deck = bench.deck(place.process)
    runs = pool.map([Job(deck, knobs) for knobs in bench.stimuli(place.process)])
    return [run.waveforms for run in runs]


def measured(bench: Bench, place: Condition, pool: Pool) -> dict[str, float]:
    return bench.measure(waves(bench, place, pool), place)


def broken(bench: Bench, values: dict[str, float]) -> list[str]:
    return [k for k, quantity in bench.properties.items() if not quantity.passes(values[k])]


@UP_AND_DOWN
@pytest.mark.parametrize("where", ["on", "on_gf180mcu"])
def test_time_constant_follows_its_law_over_two_decades(
    complement: bool, where: str, pool: Pool, request: pytest.FixtureRequest
) -> None:
    bench = DpiDecayBench(cell=DpiSynapse(complement=complement))
    values = measured(bench, request.getfixturevalue(where), pool)
    assert broken(bench, values) == []
    decades = (
        values["synapse, time constant at least leak"]
        / values["synapse, time constant at most leak"]
    )
    assert decades == pytest.approx(100, rel=0.05)


@UP_AND_DOWN
@pytest.mark.parametrize("where", ["on", "on_gf180mcu"])
def test_output_is_proportional_to_weight_and_gain(
    complement: bool, where: str, pool: Pool, request: pytest.FixtureRequest
) -> None:
    i_gain = 20e-12 if complement else 5e-12
    bench = DpiGainBench(cell=DpiSynapse(complement=complement), i_gain=i_gain)
    assert broken(bench, measured(bench, request.getfixturevalue(where), pool)) == []


def test_without_a_well_of_its_own_an_n_pair_bends_the_gain(
    on_gf180mcu: Condition, pool: Pool
) -> None:
    exponent = "synapse, exponent of I_weight"
    in_well = measured(DpiGainBench(), on_gf180mcu, pool)[exponent]
    shared = measured(DpiGainBench(cell=DpiSynapse(deep_well=False)), on_gf180mcu, pool)[exponent]
    assert in_well == pytest.approx(1, abs=0.03)
    assert shared < 0.9


@UP_AND_DOWN
def test_events_move_the_output_the_way_the_synapse_is_for(
    complement: bool, on: Condition, pool: Pool
) -> None:
    bench = DpiEventsBench(cell=DpiSynapse(complement=complement), events=15)
    values = measured(bench, on, pool)
    assert values["synapse, peak current"] > 50 * abs(values["synapse, rest current"])
    assert values["synapse, charge per event"] > 0
    tau = on.time_constant(bench.cell.c_syn, bench.i_tau, "nfet" if complement else "pfet")
    assert values["synapse, time constant"] == pytest.approx(tau, rel=0.05)


@UP_AND_DOWN
def test_weight_falls_and_recovers_by_its_law(complement: bool, on: Condition, pool: Pool) -> None:
    # At 2 nA the complement's p transistor is at the end of weak inversion.
    bench = DpiDepressionBench(cell=DpiDepressing(complement=complement), i_weight=0.5e-9)
    values = measured(bench, on, pool)
    assert broken(bench, values) == []
    quick = bench.model_copy(update={"i_recovery": 2 * bench.i_recovery})
    recovery = "depression, recovery time constant"
    assert measured(quick, on, pool)[recovery] == pytest.approx(values[recovery] / 2, rel=0.05)


@UP_AND_DOWN
def test_nmda_gate_opens_at_the_current_of_its_bias(
    complement: bool, on: Condition, pool: Pool
) -> None:
    bench = DpiNmdaBench(cell=DpiNmda(complement=complement))
    values = measured(bench, on, pool)
    assert broken(bench, values) == []
    later = bench.model_copy(update={"i_nmda": 2 * bench.i_nmda})
    switch = "NMDA gate, switching voltage"
    kappa = (on.pfet if complement else on.nfet).kappa
    shift = on.thermal_voltage / kappa * np.log(2)
    assert measured(later, on, pool)[switch] - values[switch] == pytest.approx(shift, rel=0.1)


@UP_AND_DOWN
def test_conductance_ends_at_its_reversal(complement: bool, on: Condition, pool: Pool) -> None:
    bench = DpiConductanceBench(cell=DpiConductance(complement=complement))
    assert broken(bench, measured(bench, on, pool)) == []


def test_pulse_extender_follows_its_law(on: Condition, pool: Pool) -> None:
    bench = PulseExtenderBench()
    assert broken(bench, measured(bench, on, pool)) == []


def test_an_event_within_a_pulse_makes_it_last_on(on: Condition, pool: Pool) -> None:
    bench, high = PulseExtenderBench(), on.supply
    ends = []
    for events in ([1e-6], [1e-6, 10e-6]):
        train = pulse_train(events, high=high, width=1e-6, edge=10e-9, stop=60e-6)
        knobs = {"vevent": train, "ibias": 10e-9, "stop": 60e-6, "maximum_step": 0.2e-6}
        wave = pool.map([Job(bench.deck(on.process), knobs)])[0].waveforms
        ends.append(crossings(wave.time, wave["v(pulse)"], high / 2))
    assert [end.size for end in ends] == [2, 2]
    assert ends[1][0] == pytest.approx(ends[0][0], rel=1e-3)
    assert ends[1][1] - ends[0][1] == pytest.approx(9e-6, rel=0.02)


def test_both_traces_follow_their_laws(on: Condition, pool: Pool) -> None:
    bench = TraceLawBench()
    assert broken(bench, measured(bench, on, pool)) == []


def test_weak_inversion_is_doubted_where_it_ends(on: Condition) -> None:
    assert DpiGainBench().doubts(on) == ()
    (said,) = DpiGainBench(i_weight=100e-9, i_gain=1e-14).doubts(on)
    assert "i_weight" in said
    assert "weak inversion ends" in said


def test_impossible_parameters_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"DpiSynapse\.c_syn .*greater than 0"):
        DpiSynapse(c_syn=0)
    with pytest.raises(ParameterError, match=r"DpiDecayBench\.drive .*greater than 1"):
        DpiDecayBench(drive=1)
    with pytest.raises(ParameterError, match="has no parameter 'complements'; did you mean compl"):
        DpiNmda(complements=True)


def test_a_weight_under_the_leak_fails_its_limit(process: Process, pool: Pool) -> None:
    """The law is no current there, and its ratio must not pass for a small one."""
    bench = DpiGainBench(i_weight=6e-12)
    on = condition(process, 27.0, pool)
    runs = pool.map([Job(bench.deck(process), knobs) for knobs in bench.stimuli(process)])
    values = bench.measure([run.waveforms for run in runs], on)
    name = "synapse, output over law along I_weight, most over least"
    assert not bench.properties[name].passes(values[name])
