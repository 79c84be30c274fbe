"""Networks with feedback: waveform relaxation over growing windows (Lelarasmee et al. 1982)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from spicesnn.circuits.deck import STOP, Transient, Value, Waveform, start_of
from spicesnn.circuits.network import Edge, Network
from spicesnn.engine.grid import resample
from spicesnn.engine.pool import Pool
from spicesnn.engine.run import Run
from spicesnn.engine.worker import Job
from spicesnn.errors import ParameterError, SimulationError
from spicesnn.measure.compare import match_spikes
from spicesnn.measure.spikes import spike_times
from spicesnn.waveforms import Waveforms


@dataclass(frozen=True)
class Relaxation:
    """A relaxed network.

    Attributes:
        runs: of every piece, over the whole time.
        rounds: for each window, how often its pieces were run until they settled.
        simulations: runs of pieces in all.
        settled: whether every window settled within the bound.
        detail: the edges that did not, empty when settled.
    """

    runs: Mapping[str, Run]
    rounds: tuple[int, ...]
    simulations: int
    settled: bool
    detail: str


def relax(
    network: Network,
    settings: Mapping[str, Mapping[str, Value]],
    pool: Pool,
    *,
    windows: int = 4,
    most_rounds: int = 30,
    edge_tolerance: float = 2e-3,
    time_tolerance: float | None = None,
    done: Callable[[], None] | None = None,
    raise_on_failure: bool = True,
) -> Relaxation:
    """Run a network whose edges form loops.

    All pieces whose inputs changed are run side by side with the last known waveforms of the
    others (Gauss-Jacobi), from time zero to the window's end, until no edge changes by more than
    its tolerance. A window then begins from settled waveforms, so the rounds of late spikes are
    not spent on early ones.

    Args:
        network: pieces and edges; all pieces have transients of one length.
        settings: piece to knobs, those on edges left out.
        pool: where the pieces run.
        windows: parts of the time that are settled one after the other.
        most_rounds: bound of the rounds in one window.
        edge_tolerance: volts that an edge may still change by, and error of its resampling.
        time_tolerance: seconds that a spike may still move by; by default 3e-4 of the time.
        done: called after each finished simulation.
        raise_on_failure: whether it is an error that a window does not settle.

    Raises:
        ParameterError: the pieces have no transient or differ in its length.
        SimulationError: a piece's run cannot be trusted, or a window did not settle.
    """
    for piece in network.pieces.values():
        if piece.array is not None:
            raise ParameterError(
                f"piece {piece.name} is a passive array, which relaxation does not reduce: leave "
                "out its `array`, so that ngspice runs its deck, or keep the loop without it."
            )
    stop = _stop(network)
    near = 3e-4 * stop if time_tolerance is None else time_tolerance
    runs: dict[str, Run] = {}
    waves = {edge: _quiet(network, edge) for edge in network.edges}
    rounds: list[int] = []
    simulations, detail = 0, ""
    for end in np.linspace(0, stop, windows + 1)[1:]:
        changed = set(network.pieces)
        moving: list[Edge] = []
        turn = 0
        while changed and turn < most_rounds:
            turn += 1
            jobs = []
            names = [name for name in network.pieces if name in changed]
            for name in names:
                knobs = dict(settings.get(name, {})) | {STOP: float(end)}
                knobs |= _driven(network, name, waves, float(end), edge_tolerance)
                jobs.append(Job(network.pieces[name].alone, knobs))
            answers = pool.map(jobs, done)
            simulations += len(jobs)
            runs.update(zip(names, answers, strict=True))
            moving = []
            for edge in network.edges:
                if edge.source in changed:
                    wave = runs[edge.source].waveforms
                    if not _alike(edge, waves[edge], wave, float(end), edge_tolerance, near):
                        moving.append(edge)
                    waves[edge] = wave
            changed = {edge.target for edge in moving}
        rounds.append(turn)
        if changed:
            listed = ", ".join(f"{e.source} {e.probe} to {e.target}" for e in moving[:5])
            detail = f"up to {end:g} s after {most_rounds} rounds: {listed}"
            break
    if detail and raise_on_failure:
        raise SimulationError(
            f"the feedback did not settle {detail}. Use more windows or rounds, a larger "
            "tolerance, or keep the pieces that fight each other in one."
        )
    return Relaxation(runs, tuple(rounds), simulations, not detail, detail)


def _stop(network: Network) -> float:
    analyses = [piece.deck.analysis for piece in network.pieces.values()]
    stops = {a.stop if isinstance(a, Transient) else 0.0 for a in analyses}
    if len(stops) != 1 or stops == {0.0}:
        raise ParameterError("all pieces of a network with feedback need transients of one length.")
    return stops.pop()


def _quiet(network: Network, edge: Edge) -> Waveforms:
    """The first guess: the driven knob's default, at all times."""
    default = network.pieces[edge.target].deck.knobs[edge.knob].default
    level = default if isinstance(default, float) else start_of(default)
    return Waveforms(np.array([0.0]), {edge.probe: np.array([level])})


def _driven(
    network: Network,
    name: str,
    waves: Mapping[Edge, Waveforms],
    end: float,
    tolerance: float,
) -> dict[str, Value]:
    """The knobs that edges drive, on one shared grid up to `end`; the last value is held."""
    edges = network.into(name)
    recorded = [_until(waves[e], e.probe, end) for e in edges]
    if not recorded:
        return {}
    grid, values = resample(
        recorded, tolerance, [e.floor for e in edges], [e.threshold for e in edges]
    )
    return {e.knob: Waveform(grid, v) for e, v in zip(edges, values, strict=True)}


def _until(wave: Waveforms, probe: str, end: float) -> tuple[np.ndarray, np.ndarray]:
    inside = wave.time < end * (1 - 1e-9)
    time = np.append(wave.time[inside], end)
    return time, np.append(wave[probe][inside], wave.at(probe, end))


def _alike(
    edge: Edge, before: Waveforms, after: Waveforms, end: float, tolerance: float, near: float
) -> bool:
    old, new = _until(before, edge.probe, end), _until(after, edge.probe, end)
    if edge.threshold is None:
        times = np.union1d(old[0], new[0])
        floor = edge.floor
        values = [np.maximum(np.interp(times, *w), floor) for w in (old, new)]
        return bool(np.abs(values[0] - values[1]).max() <= tolerance)
    trains = [spike_times(*w, edge.threshold) for w in (old, new)]
    match = match_spikes(trains[0], trains[1], near)
    return match.missed == match.added == 0
