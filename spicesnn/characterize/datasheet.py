"""Datasheets: a cell's benches over corners, temperatures, mismatch draws and half the step."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spicesnn import fit, measure
from spicesnn.characterize import benches
from spicesnn.characterize.bench import Bench, Entry, Panel, Quantity
from spicesnn.characterize.condition import Condition, condition
from spicesnn.characterize.montecarlo import MonteCarlo, run_monte_carlo
from spicesnn.circuits.deck import DcSweep, Deck, Transient, Value
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.engine.run import Run
from spicesnn.engine.verdict import Verdict
from spicesnn.engine.worker import Job
from spicesnn.errors import ParameterError
from spicesnn.processes import Corner, Process, find_process
from spicesnn.processes.installed import digest

ROOM = 27.0
# The supply of the point that shows how values follow it: above the core's, ratings are near.
LOW_SUPPLY = 0.95
# Of a value at half the step and a tenth of the tolerances, relative.
MOST_CHANGE = 0.01


@dataclass(frozen=True)
class Plan:
    """What a datasheet covers, besides typical transistors at 27 deg C.

    Attributes:
        corners: measured at 27 deg C.
        temperatures: degrees Celsius, of typical transistors.
        draws: of mismatch, typical at 27 deg C; 0 for none.
        seed: of the draws.
        low_supply: whether to measure at 5 % less supply, too (typical, 27 deg C).
        halved: whether everything is measured again at half the step, with a tenth of the
            tolerances.
    """

    corners: tuple[Corner, ...] = ()
    temperatures: tuple[float, ...] = ()
    draws: int = 0
    seed: int = 0
    low_supply: bool = True
    halved: bool = True

    def conditions(self) -> list[tuple[Corner, float, float]]:
        """Corner, temperature and part of the supply of each; typical at 27 deg C first."""
        found: list[tuple[Corner, float, float]] = [("tt", ROOM, 1.0)]
        found += [(corner, ROOM, 1.0) for corner in self.corners]
        found += [("tt", celsius, 1.0) for celsius in self.temperatures]
        found += [("tt", ROOM, LOW_SUPPLY)] * self.low_supply
        return list(dict.fromkeys(found))


FULL = Plan(("tt", "ff", "ss", "fs", "sf"), (-40.0, ROOM, 85.0), 100)


@dataclass(frozen=True)
class Point:
    """What was measured at a corner, temperature and supply.

    Attributes:
        corner, celsius: where; degrees Celsius.
        supply: part of the process's.
        values: by the quantity's name; NaN where the cell does not show it.
        failed: bench to the reason why it could not be measured.
    """

    corner: Corner
    celsius: float
    supply: float
    values: Mapping[str, float]
    failed: Mapping[str, str]


@dataclass(frozen=True)
class Datasheet:
    """A cell on a process, measured.

    Attributes:
        entry: the cell and its benches.
        process: name.
        plan: what it covers.
        identity: of what was simulated and how it was measured.
        quantities: by name, with their limits.
        points: by condition, typical at 27 deg C first.
        halved: the values at half the step and a tenth of the tolerances; empty if not asked for.
        studies: mismatch, by bench.
        doubts: why laws cannot hold with these parameters.
        panels: pictures of the typical run.
        ngspice: version.
    """

    entry: Entry
    process: str
    plan: Plan
    identity: str
    quantities: Mapping[str, Quantity]
    points: tuple[Point, ...]
    halved: Mapping[str, float]
    studies: tuple[MonteCarlo, ...]
    doubts: tuple[str, ...]
    panels: tuple[Panel, ...]
    ngspice: int

    def change(self, name: str) -> float:
        """How a value changes at half the step, relative to it or to the quantity's scale."""
        value, halved = self.points[0].values[name], self.halved.get(name, np.nan)
        scale = self.quantities[name].scale or abs(value)
        return abs(halved - value) / scale if scale else abs(halved - value)

    def sensitivity(self, name: str) -> float:
        """Relative change of a value over that of the supply; NaN where it was not measured."""
        low = next((p.values[name] for p in self.points if p.supply != 1.0), np.nan)
        value = self.points[0].values[name]
        # What has a scale is near zero: a relative change of it says nothing.
        if not value or self.quantities[name].scale:
            return float("nan")
        return (low / value - 1) / (LOW_SUPPLY - 1)

    def violations(self) -> list[str]:
        """Limits that do not hold and benches that failed, in words."""
        said = []
        for point in self.points:
            where = f"{point.corner}, {point.celsius:g} deg C"
            where += f", {point.supply:.0%} of the supply" if point.supply != 1.0 else ""
            said += [f"{where}: {bench}: {why}" for bench, why in point.failed.items()]
            typical = point is self.points[0]
            for name, quantity in self.quantities.items():
                if name not in point.values or not (typical or quantity.everywhere):
                    continue
                value = point.values[name]
                if not quantity.passes(value):
                    unit = "" if quantity.unit == "1" else f" {quantity.unit}"
                    shown = f"= {value:.4g}{unit}" if np.isfinite(value) else "is not shown"
                    said.append(f"{where}: {name} {shown}, limit {quantity.limits()}")
        return said + self._unsteady()

    def _unsteady(self) -> list[str]:
        """What moves at half the step, or is lost there."""
        said = []
        for name, value in self.points[0].values.items() if self.plan.halved else ():
            change = self.change(name)
            if np.isfinite(value) and not change <= MOST_CHANGE:
                moved = f"moves by {change:.2%}" if np.isfinite(change) else "is not shown"
                said.append(f"{name} {moved} at half the step, limit {MOST_CHANGE:.0%}")
        return said


def identity(entry: Entry, process_name: str, plan: Plan) -> str:
    """Hash of all that a datasheet rests on: decks, stimuli, measures, process, options, plan."""
    process = find_process(process_name)
    total = hashlib.sha256(repr((plan, SimulationOptions().line())).encode())
    total.update((digest(process.library) + process.thick_models).encode())
    for text in (*_sources(entry), *_measures()):
        total.update(text.encode())
    for bench in entry.benches:
        # The path of the library is another on every machine.
        deck = replace(bench.deck(process), models="")
        texts = [deck.identity, bench.identity]
        texts += [deck.text("", knobs) for knobs in bench.stimuli(process)]
        for text in texts:
            total.update(text.encode())
    return total.hexdigest()[:16]


def _sources(entry: Entry) -> list[str]:
    """The source of the modules of an entry's benches, and of those that they take parts from."""
    modules = {inspect.getmodule(type(bench)) for bench in entry.benches}
    parts = {
        inspect.getmodule(value)
        for module in modules
        for value in vars(module).values()
        if inspect.isfunction(value) and value.__module__.startswith(benches.__name__)
    }
    return sorted(inspect.getsource(module) for module in modules | parts if module)


def _measures() -> list[str]:
    """The source of extraction, draws and measures: what a datasheet says depends on them."""
    own = Path(benches.__path__[0]).parent
    paths = [own / f"{name}.py" for name in ("calibration", "condition", "datasheet", "montecarlo")]
    paths += [
        Path(fit.__path__[0]) / f"{name}.py" for name in ("least_squares", "mos", "simulated")
    ]
    paths += sorted(Path(measure.__path__[0]).glob("*.py"))
    return [path.read_text(encoding="utf-8") for path in paths]


def quantities(entry: Entry) -> dict[str, Quantity]:
    """All that a cell's benches measure.

    Raises:
        ParameterError: two benches measure one name.
    """
    found: dict[str, Quantity] = {}
    for bench in entry.benches:
        for name, quantity in bench.properties.items():
            if name in found:
                raise ParameterError(f"{entry.name}: two benches measure {name!r}; rename one.")
            found[name] = quantity
    return found


def runs_of(entry: Entry, process: Process, plan: Plan) -> int:
    """Simulations that a datasheet takes, for progress bars."""
    total = 0
    for bench in entry.benches:
        each = len(plan.conditions()) + plan.halved + (plan.draws if bench.drawn else 0)
        total += each * len(bench.stimuli(process))
    return total


def characterize(
    entry: Entry, process_name: str, plan: Plan, pool: Pool, done: Callable[[], None] | None = None
) -> Datasheet:
    """Measure a cell over the plan; with a cache, a call that was stopped goes on.

    Args:
        entry: cell and benches.
        process_name: CMOS process.
        plan: corners, temperatures, draws.
        pool: where the runs are made.
        done: called after each finished simulation.

    Raises:
        ProcessNotFoundError, UnknownNameError: of the process.
        ParameterError: a temperature or size is out of its range.
        SimulationError: the typical cell at 27 deg C cannot be drawn for mismatch.
    """
    known = quantities(entry)
    places = []
    for corner, celsius, part in plan.conditions():
        process = find_process(process_name, corner)
        supplies = {"supply": process.supply * part, "thick_supply": process.thick_supply * part}
        supplied = process.model_copy(update=supplies)
        places.append(condition(supplied, celsius, pool))
    supply = places[0].supply
    work = [(bench, place) for place in places for bench in entry.benches]
    runs = iter(pool.map([job for w in work for job in _jobs(*w)], done, raise_on_failure=False))
    points: list[Point] = []
    panels: list[Panel] = []
    for place in places:
        values, failed = dict.fromkeys(known, float("nan")), {}
        for bench in entry.benches:
            own = [next(runs) for _ in bench.stimuli(place.process)]
            measured, why = _measured(bench, own, place)
            values |= measured
            if why:
                failed[bench.name] = why
            elif place is places[0]:
                panels += bench.panels([run.waveforms for run in own], place)
        part = place.supply / supply
        points.append(Point(place.process.corner, place.celsius, part, values, failed))
    halved = _halved(entry, places[0], pool, done) if plan.halved else {}
    studies = [
        run_monte_carlo(
            bench, places[0].process, pool, count=plan.draws, seed=plan.seed,
            temperature=ROOM, done=done,
        )
        for bench in entry.benches
        if plan.draws and bench.drawn and bench.name not in points[0].failed
    ]  # fmt: skip
    return Datasheet(
        entry, process_name, plan, identity(entry, process_name, plan), known, tuple(points),
        halved, tuple(studies),
        tuple(dict.fromkeys(text for b in entry.benches for text in b.doubts(places[0]))),
        tuple(panels), pool.installation.version,
    )  # fmt: skip


def _jobs(bench: Bench, place: Condition) -> list[Job]:
    deck = replace(bench.deck(place.process), temperature=place.celsius)
    return [Job(deck, knobs, cached=True) for knobs in bench.stimuli(place.process)]


def _measured(bench: Bench, runs: Sequence[Run], place: Condition) -> tuple[dict[str, float], str]:
    """The bench's values, or why there are none."""
    bad = [run for run in runs if run.verdict is not Verdict.CONVERGED]
    if bad:
        return {}, f"{bad[0].verdict.value} ({bad[0].detail})"
    return bench.measure([run.waveforms for run in runs], place), ""


def _halved(
    entry: Entry, place: Condition, pool: Pool, done: Callable[[], None] | None
) -> dict[str, float]:
    """The typical values at half the step with a tenth of the tolerances."""
    found: dict[str, float] = {}
    fine = Pool(
        pool.workers, pool.options.tightened(10), pool.installation, pool.limits, pool.cache
    )
    with fine:
        for bench in entry.benches:
            jobs = _jobs(bench, place)
            runs = fine.map([_finer(job) for job in jobs], done, raise_on_failure=False)
            found |= _measured(bench, runs, place)[0]
    return found


def _finer(job: Job) -> Job:
    deck: Deck = job.deck
    knobs: dict[str, Value] = dict(job.knobs)
    if isinstance(deck.analysis, Transient):
        step = knobs.get("maximum_step", deck.analysis.maximum_step)
        assert isinstance(step, float)  # noqa: S101
        knobs["maximum_step"] = step / 2
    # Whole steps count codes of a converter: there is nothing between them.
    if isinstance(deck.analysis, DcSweep) and abs(deck.analysis.step) != 1.0:
        deck = replace(deck, analysis=replace(deck.analysis, step=deck.analysis.step / 2))
    return Job(deck, knobs, job.cached)
