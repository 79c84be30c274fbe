"""The rungs are climbed in order, each on top of those below, until one helps."""

import pytest

from spicesnn.circuits.deck import Deck, OperatingPoint, Settings, Transient
from spicesnn.engine.ladder import climb
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.run import Run
from spicesnn.engine.verdict import Verdict

RUNGS = ("start-up transient", "gmin and source stepping", "gear", "smaller steps")


@pytest.mark.parametrize("helps", range(5))
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
    assert [start_up for _, _, start_up in seen] == [False] + [True] * helps
    settings, options, _ = seen[-1]
    assert (options.gmin_steps > 1) == (helps >= 2)
    assert (options.method == "gear") == (helps >= 3)
    assert isinstance(settings.analysis, Transient)
    assert settings.analysis.maximum_step == pytest.approx(1e-6 if helps == 4 else 1e-5)


def test_an_operating_point_has_no_steps_to_make_smaller() -> None:
    deck = Deck("t", "r1 a 0 1", "", {}, ("v(a)",), OperatingPoint())
    run = climb(
        lambda settings, options, start_up: Run(Verdict.NOT_CONVERGED, ""),
        deck.settings(), SimulationOptions(),
    )  # fmt: skip
    assert run.verdict is Verdict.NOT_CONVERGED
    assert run.ladder == RUNGS[:3]


def test_only_the_solver_is_helped() -> None:
    """A refused deck or a floating node is no matter of convergence."""
    deck = Deck("t", "r1 a 0 1", "", {}, ("v(a)",), OperatingPoint())
    for verdict in (Verdict.DECK_REFUSED, Verdict.FLOATING_NODE, Verdict.OVER_RATING):
        run = climb(
            lambda settings, options, start_up, v=verdict: Run(v, ""),  # type: ignore[misc]
            deck.settings(), SimulationOptions(),
        )  # fmt: skip
        assert run.ladder == ()
