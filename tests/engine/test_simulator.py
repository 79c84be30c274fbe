"""Runs in this process need a library of their own: each test asks a pool's worker."""

import numpy as np
import pytest

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.deck import Deck, Knob, Transient, Value, Waveform
from spicesnn.engine.batch import run_batch
from spicesnn.engine.installation import find_all, find_installation
from spicesnn.engine.limits import Limits
from spicesnn.engine.messages import classify_all
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.engine.verdict import Verdict, judge
from spicesnn.engine.worker import Job
from spicesnn.errors import ParameterError, SimulationError, UnknownNameError
from spicesnn.measure.compare import compare
from spicesnn.measure.spikes import spike_times
from spicesnn.processes import Process
from spicesnn.waveforms import Waveforms


def divider(**changes: object) -> Deck:
    knobs = {
        "vin": Knob("vin", ("a", "0"), Waveform.constant(1.0)),
        "rtop": Knob("rtop", ("a", "b"), 1e3),
    }
    values: dict[str, object] = {
        "title": "divider", "netlist": "r2 b 0 1e3", "models": "", "knobs": knobs,
        "probes": ("v(b)",), "analysis": Transient(1e-3, 1e-5),
    }  # fmt: skip
    return Deck(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("corners", [1, 2, 30, 200, 3000])
def test_a_turned_waveform_is_exact_whatever_its_length(pool: Pool, corners: int) -> None:
    """An `alter` list would be cut off after some 40 corners without a word."""
    time = np.linspace(0, 1e-3, corners) if corners > 1 else np.zeros(1)
    wave = Waveform(time, np.cos(3e4 * time) - 0.5)
    run = pool.map([Job(divider(), {"vin": wave})])[0].checked("divider")
    corners_seen = run.waveforms.at("v(b)", time)
    np.testing.assert_allclose(corners_seen, wave.value / 2, atol=1e-6)


def test_knobs_do_not_leak_from_run_to_run(pool: Pool) -> None:
    jobs = [Job(divider(), {}), Job(divider(), {"rtop": 3e3}), Job(divider(), {})]
    ends = [run.waveforms["v(b)"][-1] for run in pool.map(jobs)]
    np.testing.assert_allclose(ends, [0.5, 0.25, 0.5], rtol=1e-6)


def test_a_default_is_turned_in_full_from_the_first_run() -> None:
    """The deck's text has six figures: a first run must not answer for a rounded value."""
    third = Knob("rtop", ("a", "b"), 1e3 / 3)
    deck = divider(knobs=dict(divider().knobs) | {"rtop": third})
    with Pool() as fresh:
        first, _, again = fresh.map([Job(deck, {}), Job(deck, {"rtop": 5e3}), Job(deck, {})])
    np.testing.assert_array_equal(first.waveforms["v(b)"], again.waveforms["v(b)"])
    assert first.waveforms["v(b)"][-1] == pytest.approx(0.75, abs=1e-9)


def test_answers_do_not_depend_on_what_ran_before(
    circuit: ClassifierCircuit, process: Process
) -> None:
    """Bit for bit: resuming a run in a fresh process must not change it."""
    neuron, trace = circuit.neuron_deck(process), circuit.trace_deck(process)
    ramp = np.array([0.0, 5e-3])
    job = Job(neuron, {"vsum_plus": Waveform(ramp, np.array([1.8, 1.05]))})
    other = Job(neuron, {"vsum_plus": Waveform(ramp, np.array([1.8, 1.0]))})
    spikes = circuit.stimulus([1e-3, 2e-3], process)
    with Pool(1) as one:
        mixed = one.map([job, other, Job(trace, {"vevent": spikes}), job])
    with Pool(1) as fresh:
        alone = fresh.map([job])[0]
    for run in (mixed[0], mixed[3]):
        np.testing.assert_array_equal(run.waveforms["v(v_mem)"], alone.waveforms["v(v_mem)"])


@pytest.mark.parametrize("cell", ["trace", "column", "neuron", "unit"])
def test_library_and_batch_agree(process: Process, pool: Pool, cell: str) -> None:
    """Spikes one to one within 0.5 % of the run; away from them, 1 % of the swing."""
    circuit = ClassifierCircuit(rows=2)
    trains = [[0.5e-3, 1.5e-3, 2e-3], [0.7e-3, 1.1e-3, 1.5e-3]]
    conductance = 20e-9 * np.array([[[1.6], [1.5]], [[0.4], [0.5]]])
    ramp = Waveform(np.array([0.0, 5e-3]), np.array([0.2, 0.33]))
    settings: dict[str, tuple[Deck, dict[str, Value]]] = {
        "trace": (circuit.trace_deck(process), {"vevent": circuit.stimulus(trains[0], process)}),
        "column": (circuit.column_deck(process), {"vp0": ramp, "vp1": 0.28, "rplus0": 30e6}),
        "neuron": (circuit.neuron_deck(process), {"vsum_plus": 1.03}),
        "unit": (circuit.unit_deck(process), circuit.unit_knobs(conductance, trains, 0, process)),
    }
    deck, knobs = settings[cell]
    inside = pool.map([Job(deck, knobs)])[0].checked(cell)
    batch = run_batch(deck, knobs).checked(cell)
    voltages = [n for n in deck.probes if n.startswith("v(") and n != "v(spike)"]
    spiking = [n for n in deck.probes if n == "v(spike)"]
    result = compare(
        inside.waveforms, batch.waveforms, voltages, spiking, process.supply / 2,
        window=5e-3 * circuit.stop, margin=0.02 * circuit.stop,
    )  # fmt: skip
    assert all(d.relative < 0.01 for d in result.differences.values()), result
    assert all(m.missed == m.added == 0 for m in result.spikes.values()), result


def test_every_version_found_gives_the_same_spikes(
    circuit: ClassifierCircuit, process: Process
) -> None:
    """39 and 46 lie side by side (`make test` sees to it), in the library and in batch."""
    deck, knobs = circuit.neuron_deck(process), {"vsum_plus": Waveform.constant(1.03)}
    trains = []
    versions = {i.version for i in find_all()}
    if len(versions) < 2:
        pytest.skip("only one version of ngspice is here")
    for version in versions:
        ngspice = find_installation(version)
        with Pool(1, installation=ngspice) as one:
            inside = one.map([Job(deck, knobs)])[0].checked("library")
        batch = run_batch(deck, knobs, installation=ngspice).checked("batch")
        for run in (inside, batch):
            assert run.ngspice == version
            wave = run.waveforms
            trains.append(spike_times(wave.time, wave["v(spike)"], 0.9))
    for train in trains[1:]:
        assert train.size == trains[0].size > 3
        assert np.abs(train - trains[0]).max() < 1e-3 * circuit.stop


def test_a_deck_that_does_not_converge_says_what_to_do(pool: Pool) -> None:
    deck = divider(netlist="r2 b 0 1e3\nb1 c 0 v = v(c) + 1")
    run = pool.map([Job(deck)], raise_on_failure=False)[0]
    assert run.verdict is Verdict.NOT_CONVERGED
    assert run.ladder == (
        "every device evaluated", "gmin and source stepping", "start-up transient", "gear",
        "smaller steps",
    )  # fmt: skip
    with pytest.raises(SimulationError, match="divider: the solver did not converge; check bias"):
        pool.map([Job(deck)])


def test_a_refused_deck_leaves_the_pool_working(pool: Pool) -> None:
    bad = divider(netlist="m1 b a 0 0 nosuchmodel w=1e-6 l=1e-6")
    runs = pool.map([Job(bad), Job(divider())], raise_on_failure=False)
    assert runs[0].verdict is Verdict.DECK_REFUSED
    assert runs[1].verdict is Verdict.CONVERGED


def test_verdicts_on_artefacts() -> None:
    deck = divider()
    time = np.linspace(0, 1e-3, 5)

    def verdict(waves: Waveforms | None, *messages: str) -> Verdict:
        return judge(deck, deck.settings(), waves, classify_all(messages))[0]

    good = Waveforms(time, {"v(b)": np.full(5, 0.5)})
    assert verdict(good) is Verdict.CONVERGED
    assert verdict(good, "Warning: singular matrix:  check node b") is Verdict.FLOATING_NODE
    assert verdict(None) is Verdict.NOT_CONVERGED
    assert verdict(Waveforms(time / 2, good.signals)) is Verdict.STOPPED_EARLY
    late = Waveforms(time / 2, good.signals)
    assert verdict(late, "doAnalyses: TRAN:  Timestep too small") is Verdict.NOT_CONVERGED
    assert verdict(Waveforms(time, {})) is Verdict.MISSING_VECTOR
    assert verdict(Waveforms(time, {"v(b)": time * np.nan})) is Verdict.NOT_FINITE
    assert verdict(Waveforms(time, {"v(b)": time + 1e32})) is Verdict.IMPLAUSIBLE


def test_a_run_over_its_time_limit_is_stopped(circuit: ClassifierCircuit, process: Process) -> None:
    deck = circuit.trace_deck(process)
    slow = Deck(**{**vars(deck), "analysis": Transient(100.0, 1e-6)})
    with Pool(1, limits=Limits(wall=2.0)) as short:
        run = short.map([Job(slow)], raise_on_failure=False)[0]
        assert run.verdict is Verdict.TIMED_OUT
        assert short.map([Job(divider())])[0].verdict is Verdict.CONVERGED


def test_options_are_typed() -> None:
    with pytest.raises(ParameterError, match="no parameter 'gmin'"):
        SimulationOptions(gmin=1e-12)
    assert "gmin=5e-18" in SimulationOptions().line()


def test_a_wrong_knob_is_named_through_the_worker(pool: Pool) -> None:
    with pytest.raises(UnknownNameError, match="no knob of 'divider' named 'rtip'; did you mean"):
        pool.map([Job(divider(), {"rtip": 1e3})])
    assert pool.map([Job(divider(), {})])[0].verdict is Verdict.CONVERGED


def test_a_probe_that_is_not_there_is_named(pool: Pool) -> None:
    job = Job(divider(probes=("v(b)", "v(nosuch)")), {})
    run = pool.map([job], raise_on_failure=False)[0]
    assert (run.verdict, run.detail) == (Verdict.MISSING_VECTOR, "v(nosuch)")
