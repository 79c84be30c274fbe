"""Running a network piece by piece along its one-way edges, many settings at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from spicesnn.circuits.deck import Value, Waveform
from spicesnn.circuits.network import Network
from spicesnn.engine.cache import RunCache
from spicesnn.engine.grid import resample
from spicesnn.engine.pool import Pool
from spicesnn.engine.run import Run
from spicesnn.engine.worker import Job

Settings = Mapping[str, Mapping[str, Value]]


class NetworkRunner:
    """Runs a network for many settings: stage by stage, every stage's jobs shared by the pool."""

    def __init__(self, network: Network, pool: Pool, edge_tolerance: float = 1e-3) -> None:
        """Prepare a network.

        Args:
            network: pieces and edges.
            pool: where the jobs run; its cache keeps the answers of cached pieces.
            edge_tolerance: largest error of a recorded voltage that drives a piece, volts.

        Raises:
            ParameterError: the edges form a loop; see `spicesnn.engine.relaxation`.
        """
        self.network = network
        self.pool = pool
        self.edge_tolerance = edge_tolerance
        self.stages = network.stages()
        self._keys = pool.cache or RunCache()
        self._memory: dict[str, Run] = {}
        self._resampled: dict[tuple[str, ...], list[Waveform]] = {}

    def run(
        self,
        settings: Sequence[Settings],
        done: Callable[[], None] | None = None,
    ) -> list[dict[str, Run]]:
        """Run every setting: piece name to knobs, those on edges left out.

        Args:
            settings: one mapping a wanted run of the whole network.
            done: called after each finished simulation.

        Returns:
            For each setting, the run of every piece.

        Raises:
            SimulationError: a piece's run cannot be trusted.
        """
        answers: list[dict[str, Run]] = [{} for _ in settings]
        known: list[dict[str, str]] = [{} for _ in settings]
        for stage in self.stages:
            jobs: list[Job] = []
            places: list[list[tuple[int, str]]] = []
            keys: list[str] = []
            asked: dict[str, int] = {}
            for index, setting in enumerate(settings):
                for name in stage:
                    piece = self.network.pieces[name]
                    own = setting.get(name, {})
                    driven = self._driven(name, answers[index], known[index])
                    job = Job(piece.alone, dict(own) | driven, piece.cached)
                    key = self._key(job) if piece.cached else ""
                    known[index][name] = key
                    if key in self._memory:
                        answers[index][name] = self._memory[key]
                    elif key and key in asked:
                        places[asked[key]].append((index, name))
                    else:
                        asked[key] = len(jobs)
                        jobs.append(job)
                        keys.append(key)
                        places.append([(index, name)])
            runs = self.pool.map(jobs, done)
            for key, where, run in zip(keys, places, runs, strict=True):
                # The time of a simulation is counted once, where it was done.
                again = replace(run, analysis_seconds=0.0, iterations=0, rejected=0)
                if key:
                    self._memory[key] = again
                for index, name in where:
                    answers[index][name] = run if (index, name) == where[0] else again
        # In the network's order, whatever came from memory: sums over pieces must not depend on it.
        return [{name: answer[name] for name in self.network.pieces} for answer in answers]

    def knobs(
        self, name: str, own: Mapping[str, Value], runs: Mapping[str, Run]
    ) -> dict[str, Value]:
        """All knobs of a piece: its own, and those driven by the pieces that ran before it."""
        return dict(own) | self._driven(name, runs, {})

    def _driven(
        self, name: str, runs: Mapping[str, Run], known: Mapping[str, str]
    ) -> dict[str, Value]:
        """The knobs of a piece that its edges drive, on one shared grid."""
        edges = self.network.into(name)
        if not edges:
            return {}
        keys = tuple(f"{known.get(e.source, '')} {e.probe} {e.floor}" for e in edges)
        lasting = all(known.get(edge.source) for edge in edges)
        waves = self._resampled.get(keys) if lasting else None
        if waves is None:
            sources = [runs[edge.source].waveforms for edge in edges]
            recorded = [(w.time, w[e.probe]) for w, e in zip(sources, edges, strict=True)]
            floors, levels = [e.floor for e in edges], [e.threshold for e in edges]
            grid, values = resample(recorded, self.edge_tolerance, floors, levels)
            waves = [Waveform(grid, value) for value in values]
            if lasting:
                self._resampled[keys] = waves
        return {edge.knob: wave for edge, wave in zip(edges, waves, strict=True)}

    def _key(self, job: Job) -> str:
        return self._keys.key(job.deck, job.knobs, self.pool.options, self.pool.installation)
