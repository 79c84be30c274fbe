"""The neurons' laws on two processes, and what they do where the laws end."""

from __future__ import annotations

import numpy as np
import pytest

from spicesnn.characterize.bench import Bench
from spicesnn.characterize.benches.adaptive_neuron import (
    AdaptiveNeuronAdaptationBench,
    AdaptiveNeuronBench,
    AdaptiveNeuronRateBench,
    AdaptiveNeuronRefractoryBench,
    AdaptiveNeuronTimeBench,
)
from spicesnn.characterize.benches.axon_hillock import AxonHillockBench
from spicesnn.characterize.benches.dpi_neuron import DpiNeuronRateBench
from spicesnn.characterize.benches.lif_neuron import (
    LifNeuronBench,
    LifNeuronRateBench,
    LifNeuronRefractoryBench,
)
from spicesnn.characterize.condition import Condition, condition
from spicesnn.characterize.library import FAMILIES
from spicesnn.circuits.cells.adaptive_neuron import AdaptiveNeuron, AdaptiveNeuronBias
from spicesnn.circuits.cells.axon_hillock import AxonHillock
from spicesnn.circuits.cells.lif_neuron import LifNeuron, LifNeuronBias
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.errors import ParameterError
from spicesnn.measure.levels import crossings
from spicesnn.measure.spikes import spike_times
from spicesnn.processes import Process
from spicesnn.waveforms import Waveforms

ON_BOTH = pytest.mark.parametrize("where", ["on", "on_gf180mcu"])


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


def test_the_adaptive_neuron_has_its_21_transistors(process: Process) -> None:
    lines = str(AdaptiveNeuron().subcircuit(process)).splitlines()
    named = sorted(line.split()[0].lower() for line in lines if line[:1] in "mM")
    groups = {"l": 3, "g": 6, "a": 6, "r": 6}
    assert named == sorted(f"m{g}{k + 1}" for g, count in groups.items() for k in range(count))


@ON_BOTH
@pytest.mark.parametrize(
    "bench",
    [
        AdaptiveNeuronBench(),
        AdaptiveNeuronTimeBench(factors=(1.0, 4.0)),
        AdaptiveNeuronRefractoryBench(),
        LifNeuronBench(),
        LifNeuronRateBench(currents=5),
        LifNeuronRefractoryBench(),
        AxonHillockBench(),
        DpiNeuronRateBench(currents=5),
    ],
    ids=lambda bench: bench.name,
)
def test_limits_hold(bench: Bench, where: str, pool: Pool, request: pytest.FixtureRequest) -> None:
    assert broken(bench, measured(bench, request.getfixturevalue(where), pool)) == []


def test_rate_of_the_adaptive_neuron_begins_at_zero(on: Condition, pool: Pool) -> None:
    bench = AdaptiveNeuronRateBench(currents=5)
    assert broken(bench, measured(bench, on, pool)) == []
    below = AdaptiveNeuronRateBench(lowest=5e-12, highest=18e-12, currents=3)
    values = measured(below, on, pool)
    assert values["rate, highest"] == 0


def test_a_loop_adapts_faster_than_its_open_loop(on: Condition, pool: Pool) -> None:
    bench = AdaptiveNeuronAdaptationBench(factors=(1.0, 4.0))
    values = measured(bench, on, pool)
    assert broken(bench, values) == []
    decay = values["adaptation, decay at the lowest leak"]
    fall = values["adaptation, fall of the rate at the lowest leak"]
    assert fall == pytest.approx(decay / values["adaptation, first over final rate"], rel=0.1)


def test_a_request_lasts_until_it_is_answered(on: Condition, pool: Pool) -> None:
    for answer, lasts in ((1.0, True), (20e-6, False)):
        # An adaptation current would end an unanswered request.
        quiet = AdaptiveNeuronBias(i_ahp=1e-15)
        bench = AdaptiveNeuronAdaptationBench(answer=answer, bias=quiet, factors=(4.0,))
        (wave,) = waves(bench, on, pool)
        request = wave["v(request_bar)"]
        falls = crossings(wave.time, request, on.supply / 2, "falling")
        assert (falls.size == 1) == lasts
        assert (request[-1] < on.supply / 4) == lasts


def test_lif_threshold_follows_its_current(on: Condition, pool: Pool) -> None:
    levels = []
    for current in (1e-9, 10e-9):
        bench = LifNeuronBench(bias=LifNeuronBias(i_threshold=current))
        assert bench.doubts(on) == ()
        levels.append(measured(bench, on, pool)["neuron, threshold"])
    decade = on.thermal_voltage / on.nfet.kappa * np.log(10)
    assert levels[1] - levels[0] == pytest.approx(decade, rel=0.1)
    strong = LifNeuronBench(bias=LifNeuronBias(i_threshold=1e-6))
    assert "weak inversion ends" in strong.doubts(on)[0]


def test_lif_is_silent_below_its_leak(on: Condition, pool: Pool) -> None:
    bench = LifNeuronRateBench(lowest=5e-12, highest=18e-12, currents=3)
    assert measured(bench, on, pool)["rate, highest"] == 0


def test_axon_hillock_stays_up_if_the_input_exceeds_the_reset(on: Condition, pool: Pool) -> None:
    bench = AxonHillockBench(inputs=(1e-9, 2e-9, 12e-9))
    for wave, current in zip(waves(bench, on, pool), bench.inputs, strict=True):
        spikes = spike_times(wave.time, wave["v(spike)"], on.supply / 2)
        stuck = current > bench.bias.i_reset
        assert (spikes.size == 1) == stuck
        assert not stuck or wave["v(spike)"][-1] > 0.9 * on.supply


@pytest.mark.parametrize("cell", [AdaptiveNeuron, LifNeuron, AxonHillock])
def test_impossible_sizes_are_refused(
    cell: type[AdaptiveNeuron] | type[LifNeuron] | type[AxonHillock], process: Process
) -> None:
    with pytest.raises(ParameterError, match="membrane capacitor"):
        cell(c_mem=0.0)
    with pytest.raises(ParameterError, match="under the minimum"):
        cell(width=0.1e-6).subcircuit(process)
    with pytest.raises(ParameterError, match="i_lkahp"):
        AdaptiveNeuronBias(i_lkhap=1e-12)


@pytest.mark.parametrize("kind", ["flat", "noise", "missing"])
def test_odd_waveforms_are_measured_without_complaint(on: Condition, kind: str) -> None:
    rng = np.random.default_rng(0)
    made = {
        "flat": lambda: np.full(50, 0.9),
        "noise": lambda: rng.normal(size=50),
        "missing": lambda: np.full(50, np.nan),
    }[kind]
    for entry in FAMILIES["Neurons"]:
        for bench in entry.benches:
            probes = bench.deck(on.process).probes
            time = np.linspace(0, 1e-3, 50)
            odd = [
                Waveforms(time, {probe: made() for probe in probes})
                for _ in bench.stimuli(on.process)
            ]
            assert set(bench.measure(odd, on)) == set(bench.properties)
