"""The rungs are climbed in order, each on top of those below, until one helps."""

from dataclasses import replace

import numpy as np
import pytest

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.deck import Deck, OperatingPoint, Settings, Transient
from spicesnn.engine.ladder import believed, climb
from spicesnn.engine.messages import classify_all
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.engine.run import Run
from spicesnn.engine.verdict import Verdict
from spicesnn.engine.worker import Job
from spicesnn.processes import Process
from spicesnn.waveforms import Waveforms

RUNGS = (
    "every device evaluated", "gmin and source stepping", "start-up transient", "gear",
    "smaller steps",
)  # fmt: skip


@pytest.mark.parametrize("helps", range(6))
def test_it_stops_at_the_rung_that_helps(helps: int) -> None:
    deck = Deck("t", "r1 a 0 1", "", {}, ("v(a)",), Transient(1e-3, 1e-5))
    seen: list[tuple[Settings, SimulationOptions, bool]] = []

    def attempt(settings: Settings, options: SimulationOptions, start_up: bool) -> Run:
        seen.append((settings, options, start_up))
        good = len(seen) > helps
        verdict = Verdict.CONVERGED if good else Verdict.NOT_CONVERGED
        return Run(verdict, "", options=options, analysis_seconds=1.0, iterations=10, rejected=1)

    run = climb(attempt, deck.settings(), SimulationOptions())
    assert run.verdict is Verdict.CONVERGED
    assert run.ladder == RUNGS[:helps]
    assert (run.analysis_seconds, run.iterations, run.rejected) == (
        helps + 1, 10 * (helps + 1), helps + 1,
    )  # fmt: skip
    assert [start_up for _, _, start_up in seen] == [n >= 3 for n in range(helps + 1)]
    settings, options, _ = seen[-1]
    assert (options.gmin_steps > 1) == (helps >= 2)
    assert options.bypass == (helps == 0)
    assert (options.method == "gear") == (helps >= 4)
    assert isinstance(settings.analysis, Transient)
    assert settings.analysis.maximum_step == pytest.approx(1e-6 if helps == 5 else 1e-5)


def test_an_operating_point_has_no_steps_to_make_smaller() -> None:
    deck = Deck("t", "r1 a 0 1", "", {}, ("v(a)",), OperatingPoint())
    run = climb(
        lambda settings, options, start_up: Run(Verdict.NOT_CONVERGED, ""),
        deck.settings(), SimulationOptions(),
    )  # fmt: skip
    assert run.verdict is Verdict.NOT_CONVERGED
    assert run.ladder == RUNGS[:4]


def test_only_the_solver_is_helped() -> None:
    """A refused deck or a floating node is no matter of convergence."""
    deck = Deck("t", "r1 a 0 1", "", {}, ("v(a)",), OperatingPoint())
    for verdict in (Verdict.DECK_REFUSED, Verdict.FLOATING_NODE, Verdict.OVER_RATING):
        run = climb(
            lambda settings, options, start_up, v=verdict: Run(v, ""),  # type: ignore[misc]
            deck.settings(), SimulationOptions(),
        )  # fmt: skip
        assert run.ladder == ()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Note: True gmin stepping completed", "with bypass on"),
        ("Note: Source stepping completed", "with bypass on"),
        ("Note: Transient op finished successfully", "a start-up transient of 1 us stands"),
    ],
)
def test_a_doubtful_operating_point_is_not_believed(said: str, why: str) -> None:
    """It is computed again with every device evaluated, and then taken as it is."""
    deck = Deck("t", "r1 a 0 1", "", {}, ("v(a)",), OperatingPoint())
    doubtful = Run(
        Verdict.CONVERGED, "", options=SimulationOptions(), messages=classify_all([said])
    )
    assert believed(doubtful, False).verdict is Verdict.NOT_CONVERGED
    assert why in believed(doubtful, False).detail
    runs = iter([doubtful, Run(Verdict.CONVERGED, "", options=SimulationOptions(bypass=False))])
    run = climb(
        lambda settings, options, start_up: next(runs), deck.settings(), SimulationOptions()
    )
    assert run.verdict is Verdict.CONVERGED
    assert run.ladder == RUNGS[:1]


def test_currents_are_conserved_where_stepping_with_bypass_gave_a_short(
    sky130: Process, pool: Pool
) -> None:
    """A DPI trace at -40 deg C, with few iterations: ngspice's stepped gmin of 1e-3 stays in the
    transistors (milliamperes from the supply, and 40 pA leave no voltage on a diode).
    """
    deck = replace(
        ClassifierCircuit().trace_deck(sky130), temperature=-40.0, analysis=OperatingPoint(),
        probes=("i(vdd)", "v(tau_p)"),
    )  # fmt: skip
    with Pool(1, SimulationOptions(dc_iterations=100)) as impatient:
        for form in (impatient, pool):
            run = form.map([Job(deck)])[0]
            assert abs(float(run.waveforms["i(vdd)"][0])) < 1e-10
            assert float(run.waveforms["v(tau_p)"][0]) == pytest.approx(0.366, abs=0.005)


def test_midway_the_current_tolerance_comes_first() -> None:
    deck = Deck("t", "r1 a 0 1", "", {}, ("v(a)",), Transient(1e-3, 1e-5))
    seen: list[SimulationOptions] = []

    def attempt(settings: Settings, options: SimulationOptions, start_up: bool) -> Run:
        seen.append(options)
        return Run(Verdict.NOT_CONVERGED, "", options=options, reached=4e-4)

    run = climb(attempt, deck.settings(), SimulationOptions())
    assert run.ladder == ("current tolerance x 10", *RUNGS)
    tolerances = [options.current_tolerance for options in seen]
    assert tolerances == pytest.approx([1e-17, *[1e-16] * 6], rel=1e-6, abs=0)
    assert seen[1].bypass
    assert not seen[2].bypass


@pytest.mark.parametrize(
    ("begin", "probes", "kept"),
    [(0.3, ("v(a)", "i(v1)"), True), (0.7, ("v(a)", "i(v1)"), False), (0.3, ("v(a)",), False)],
)
def test_a_doubtful_begin_of_a_transient_is_checked_alone(
    begin: float, probes: tuple[str, ...], kept: bool
) -> None:
    """Where every device evaluated gives the same first point, a current among it, it stays."""
    deck = Deck("t", "r1 a 0 1", "", {}, probes, Transient(1e-3, 1e-5))
    said = classify_all(["Note: Dynamic gmin stepping completed"])
    seen: list[tuple[float, bool]] = []

    def attempt(settings: Settings, options: SimulationOptions, start_up: bool) -> Run:
        assert isinstance(settings.analysis, Transient)
        seen.append((settings.analysis.stop, options.bypass))
        level = 0.3 if options.bypass else begin
        signals = {name: np.array([level, level]) for name in probes}
        waves = Waveforms(np.array([0.0, 1e-5]), signals)
        # What becomes of the check after its first point does not count.
        verdict = Verdict.NOT_CONVERGED if len(seen) == 2 else Verdict.CONVERGED
        return Run(
            verdict, "", waves, options=options, messages=said, reached=1e-3, analysis_seconds=1.0
        )

    run = climb(attempt, deck.settings(), SimulationOptions())
    assert run.verdict is Verdict.CONVERGED
    assert seen[:2] == [(1e-3, True), (1e-5, False)]
    assert run.analysis_seconds == len(seen)
    assert run.ladder == (
        ("operating point checked",) if kept else ("operating point checked", RUNGS[0])
    )
