"""The ladder: what is tried, in order, where the solver gives up or cannot be believed."""

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

# ngspice's own start-up transient ends after 1 us, before a subthreshold circuit has moved; ours
# lasts 2 s, in which 20 pA move 5 pF by 8 V.
START_UP, USUAL_START_UP = "optran 1 1 1 1e-3 2 1e-3", "optran 1 1 1 1e-8 1e-6 0"
# Verdicts on waveforms that begin at the operating point.
_ON_WAVEFORMS = (
    Verdict.CONVERGED, Verdict.IMPLAUSIBLE, Verdict.OVER_RATING, Verdict.LEFT_WEAK_INVERSION,
)  # fmt: skip


def climb(attempt: Attempt, settings: Settings, options: SimulationOptions) -> Run:
    """Attempt a run; where the solver does not converge, again with each rung on top.

    The answer's costs are those of all attempts, and its `ladder` names the rungs that were tried.
    """
    first = attempt(settings, options, False)
    run = believed(first, False)
    tried: list[str] = []
    if run.verdict is not first.verdict and isinstance(settings.analysis, Transient):
        tried.append("operating point checked")
        check = _operating_point(attempt, settings, settings.analysis, options)
        run = _with_costs(first if _begin_alike(first, check) else run, check)
    stopped = first.verdict in (Verdict.NOT_CONVERGED, Verdict.STOPPED_EARLY)
    midway = stopped and first.reached > 0 and isinstance(settings.analysis, Transient)
    for name, rung in _rungs(settings, options, midway).items():
        if run.verdict not in (Verdict.NOT_CONVERGED, Verdict.STOPPED_EARLY):
            break
        tried.append(name)
        run = _with_costs(believed(attempt(*rung), rung[2]), run)
    return replace(run, ladder=tuple(tried))


def _with_costs(run: Run, other: Run) -> Run:
    """A run whose costs are its own and those of another attempt."""
    return replace(
        run,
        analysis_seconds=run.analysis_seconds + other.analysis_seconds,
        iterations=run.iterations + other.iterations,
        rejected=run.rejected + other.rejected,
    )


def believed(run: Run, start_up: bool) -> Run:
    """The run, not converged where ngspice took for an operating point what may be none.

    With `bypass` a transistor is not evaluated again when gmin or the sources were stepped and
    its voltages stayed: the last step can pass with the first one's gmin, a short at every node.
    And the usual start-up transient ends before anything has settled.
    """
    why = _doubt(run, start_up) if run.verdict in _ON_WAVEFORMS else ""
    return replace(run, verdict=Verdict.NOT_CONVERGED, detail=why) if why else run


def _doubt(run: Run, start_up: bool) -> str:
    said = [message.text.lower() for message in run.messages]
    if run.options.bypass and any("stepping completed" in text for text in said):
        return (
            "its operating point comes from stepping gmin or the sources with bypass on; "
            "set bypass to False"
        )
    if not start_up and any("transient op finished" in text for text in said):
        return "a start-up transient of 1 us stands for its operating point"
    return ""


def _operating_point(
    attempt: Attempt, settings: Settings, analysis: Transient, options: SimulationOptions
) -> Run:
    """The begin of a transient, with every device evaluated; only its first point counts."""
    begin = replace(analysis, stop=analysis.maximum_step, start=0.0)
    every = options.model_copy(update={"bypass": False, "dc_iterations": 1000})
    return attempt(replace(settings, analysis=begin), every, False)


def _begin_alike(run: Run, check: Run) -> bool:
    """Whether two transients begin at the same voltages (1 mV) and currents (5 %, 10 fA).

    Without a current among the probes this says too little: a short shows in what a supply gives,
    while voltages may be held by `.ic`.
    """
    if not any(name.startswith("i(") for name in run.waveforms.signals):
        return False
    if _doubt(check, False) or not (run.waveforms.time.size and check.waveforms.time.size):
        return False
    if run.waveforms.time[0] != check.waveforms.time[0]:
        return False
    for name, values in run.waveforms.signals.items():
        one, other = float(values[0]), float(check.waveforms[name][0])
        allowed = 1e-3 if name.startswith("v(") else 1e-14 + 0.05 * max(abs(one), abs(other))
        if abs(one - other) > allowed:
            return False
    return True


def _rungs(settings: Settings, options: SimulationOptions, midway: bool) -> dict[str, Rung]:
    """Every rung keeps what those below it changed.

    Midway in a transient, a step that was cut far enough has more noise of rounding in its
    capacitors' currents than the tolerance allows, and is cut again, without end.
    """
    rungs: dict[str, Rung] = {}
    if midway:
        options = options.model_copy(update={"current_tolerance": 10 * options.current_tolerance})
        rungs["current tolerance x 10"] = (settings, options, False)
    every = options.model_copy(update={"bypass": False, "dc_iterations": 1000})
    stepping = every.model_copy(
        update={"gmin_steps": 20, "source_steps": 20, "dc_iterations": 10_000}
    )
    gear = stepping.model_copy(update={"method": "gear"})
    rungs |= {
        "every device evaluated": (settings, every, False),
        "gmin and source stepping": (settings, stepping, False),
        "start-up transient": (settings, stepping, True),
        "gear": (settings, gear, True),
    }
    if isinstance(settings.analysis, Transient):
        smaller = settings.analysis.maximum_step / 10
        finer = replace(settings, analysis=replace(settings.analysis, maximum_step=smaller))
        patient = gear.model_copy(update={"transient_iterations": 1000})
        rungs["smaller steps"] = (finer, patient, True)
    return rungs
