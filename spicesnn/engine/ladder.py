"""The ladder: what is tried, in order, where the solver gives up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from spicesnn.circuits.deck import Settings, Transient
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.run import Run
from spicesnn.engine.verdict import Verdict

# One attempt: with these settings and options, and with a longer start-up transient or not.
Attempt = Callable[[Settings, SimulationOptions, bool], Run]
Rung = tuple[Settings, SimulationOptions, bool]

# ngspice's own start-up transient ends after 1 us, before a subthreshold circuit has moved.
START_UP, USUAL_START_UP = "optran 1 1 1 1e-6 2e-2 1e-3", "optran 1 1 1 1e-8 1e-6 0"


def climb(attempt: Attempt, settings: Settings, options: SimulationOptions) -> Run:
    """Attempt a run; where the solver does not converge, again with each rung on top.

    The answer's costs are those of all attempts, and its `ladder` names the rungs that were tried.
    """
    run = attempt(settings, options, False)
    tried: list[str] = []
    for name, rung in _rungs(settings, options).items():
        if run.verdict not in (Verdict.NOT_CONVERGED, Verdict.STOPPED_EARLY):
            break
        tried.append(name)
        again = attempt(*rung)
        run = replace(
            again,
            analysis_seconds=run.analysis_seconds + again.analysis_seconds,
            iterations=run.iterations + again.iterations,
            rejected=run.rejected + again.rejected,
        )
    return replace(run, ladder=tuple(tried))


def _rungs(settings: Settings, options: SimulationOptions) -> dict[str, Rung]:
    """Every rung keeps what those below it changed."""
    stepping = options.model_copy(
        update={"gmin_steps": 20, "source_steps": 20, "dc_iterations": 1000}
    )
    gear = stepping.model_copy(update={"method": "gear"})
    rungs: dict[str, Rung] = {
        "start-up transient": (settings, options, True),
        "gmin and source stepping": (settings, stepping, True),
        "gear": (settings, gear, True),
    }
    if isinstance(settings.analysis, Transient):
        smaller = settings.analysis.maximum_step / 10
        finer = replace(settings, analysis=replace(settings.analysis, maximum_step=smaller))
        patient = gear.model_copy(update={"transient_iterations": 1000})
        rungs["smaller steps"] = (finer, patient, True)
    return rungs
