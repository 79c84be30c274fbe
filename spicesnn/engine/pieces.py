"""Running a network piece by piece along its one-way edges, many settings at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from spicesnn.circuits.deck import Waveform
from spicesnn.circuits.network import Network
from spicesnn.engine.cache import WaveformCache
from spicesnn.engine.grid import on_grid, shared_grid
from spicesnn.engine.pool import Pool
from spicesnn.engine.run import Run
from spicesnn.engine.verdict import Verdict
from spicesnn.engine.worker import Job

Settings = Mapping[str, Mapping[str, Waveform | float]]


class NetworkRunner:
    """Runs a network for many settings: stage by stage, every stage's jobs shared by the pool."""

    def __init__(
        self,
        network: Network,
        pool: Pool,
        cache: WaveformCache | None = None,
        edge_tolerance: float = 2e-3,
    ) -> None:
        """Prepare a network.

        Args:
            network: pieces and edges.
            pool: where the jobs run.
            cache: keeps the answers of cached pieces; None keeps them in memory only.
            edge_tolerance: largest error of a recorded voltage that drives a piece, volts.

        Raises:
            ParameterError: the edges form a loop.
        """
        self.network = network
        self.pool = pool
        self.cache = cache
        self.edge_tolerance = edge_tolerance
        self.stages = network.stages()
        self._memory: dict[str, Run] = {}
        self._resampled: dict[tuple[int, ...], list[Waveform]] = {}

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
            SimulationError: a piece did not converge.
        """
        answers: list[dict[str, Run]] = [{} for _ in settings]
        for stage in self.stages:
            jobs: list[Job] = []
            places: list[list[tuple[int, str]]] = []
            keys: list[str] = []
            known: dict[str, int] = {}
            for index, setting in enumerate(settings):
                for name in stage:
                    piece = self.network.pieces[name]
                    job = Job(piece.deck, self.knobs(name, setting.get(name, {}), answers[index]))
                    key = self._key(job) if piece.cached else ""
                    if key and key in known:
                        places[known[key]].append((index, name))
                        continue
                    kept = self._kept(key)
                    if kept is not None:
                        answers[index][name] = kept
                        continue
                    if key:
                        known[key] = len(jobs)
                    jobs.append(job)
                    keys.append(key)
                    places.append([(index, name)])
            for job, key, where, run in zip(
                jobs, keys, places, self.pool.map(jobs, done), strict=True
            ):
                run.checked(job.deck.title)
                # The time of a simulation is counted once, where it was done.
                again = replace(run, analysis_seconds=0.0, iterations=0, rejected=0)
                if key:
                    self._memory[key] = again
                    if self.cache:
                        self.cache.put(key, run.waveforms)
                for index, name in where:
                    answers[index][name] = run if (index, name) == where[0] else again
        return answers

    def knobs(
        self, name: str, own: Mapping[str, Waveform | float], runs: Mapping[str, Run]
    ) -> dict[str, Waveform | float]:
        """All knobs of a piece: its own, and those driven by the pieces that ran before it."""
        return dict(own) | self._driven(name, runs)

    def _driven(self, name: str, runs: Mapping[str, Run]) -> dict[str, Waveform | float]:
        """The knobs of a piece that its edges drive, on one shared grid."""
        edges = self.network.into(name)
        if not edges:
            return {}
        sources = [runs[edge.source].waveforms for edge in edges]
        # Sources in the memory outlive the call, so their ids may stand for them.
        lasting = all(self.network.pieces[edge.source].cached for edge in edges)
        memo = tuple(id(w) for w in sources)
        waves = self._resampled.get(memo) if lasting else None
        if waves is None:
            recorded = [(w.time, w[e.probe]) for w, e in zip(sources, edges, strict=True)]
            grid = shared_grid(recorded, self.edge_tolerance, [e.floor for e in edges])
            waves = [Waveform(grid, on_grid(*wave, grid)) for wave in recorded]
            if lasting:
                self._resampled[memo] = waves
        return {edge.knob: wave for edge, wave in zip(edges, waves, strict=True)}

    def _key(self, job: Job) -> str:
        text = job.deck.text(self.pool.options.line(), job.knobs)
        version = self.pool.installation.version_text
        return sha256(f"{version}\n{text}".encode()).hexdigest()

    def _kept(self, key: str) -> Run | None:
        if not key:
            return None
        if key not in self._memory and self.cache:
            waveforms = self.cache.get(key)
            if waveforms is not None:
                version = self.pool.installation.version
                self._memory[key] = Run(Verdict.CONVERGED, "", waveforms, 0.0, 0, 0, version)
        return self._memory.get(key)
