"""Running a network piece by piece along its one-way edges, many settings at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from spicesnn.circuits.deck import Transient, Value, Waveform
from spicesnn.circuits.network import Network
from spicesnn.engine.cache import RunCache
from spicesnn.engine.grid import resample
from spicesnn.engine.passive import PassiveArray
from spicesnn.engine.pool import Pool
from spicesnn.engine.run import Run
from spicesnn.engine.worker import Job

Settings = Mapping[str, Mapping[str, Value]]


class NetworkRunner:
    """Runs a network for many settings: stage by stage, every stage's jobs shared by the pool."""

    def __init__(
        self, network: Network, pool: Pool, edge_tolerance: float = 1e-3, array_corrections: int = 0
    ) -> None:
        """Prepare a network.

        Args:
            network: pieces and edges.
            pool: where the jobs run; its cache keeps the answers of cached pieces.
            edge_tolerance: largest error of a recorded voltage that drives a piece, volts.
            array_corrections: how often passive arrays, and what follows them, run again with the
                voltages that their ports were found at. The pieces there record them: `v(node)` of
                the driven knob. Wanted where lines are so resistive that a port feels the others.

        Raises:
            ParameterError: the edges form a loop; see `spicesnn.engine.relaxation`.
        """
        self.network = network
        self.pool = pool
        self.edge_tolerance = edge_tolerance
        self.array_corrections = array_corrections
        self.stages = network.stages()
        self._keys = pool.cache or RunCache()
        self._memory: dict[str, Run] = {}
        self._resampled: dict[tuple[str, ...], list[Waveform]] = {}
        self._arrays = {n: PassiveArray(p) for n, p in network.pieces.items() if p.array}

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
        if self._arrays:
            settings = [self._with_ports(setting) for setting in settings]
        answers: list[dict[str, Run]] = [{} for _ in settings]
        known: list[dict[str, str]] = [{} for _ in settings]
        for stage in self.stages:
            self._run_stage(stage, settings, answers, known, done)
        first = next((k for k, s in enumerate(self.stages) if self._arrays.keys() & set(s)), None)
        for _ in range(self.array_corrections if first is not None else 0):
            for stage in self.stages[first:]:
                self._run_stage(stage, settings, answers, known, done)
        # In the network's order, whatever came from memory: sums over pieces must not depend on it.
        return [{name: answer[name] for name in self.network.pieces} for answer in answers]

    def _run_stage(
        self,
        stage: Sequence[str],
        settings: Sequence[Settings],
        answers: list[dict[str, Run]],
        known: list[dict[str, str]],
        done: Callable[[], None] | None,
    ) -> None:
        """Run the pieces of one stage for all settings, into `answers`."""
        for name in (name for name in stage if name in self._arrays):
            for index, setting in enumerate(settings):
                known[index][name] = ""
                answers[index][name] = self._array_run(name, setting, answers[index])
        jobs: list[Job] = []
        places: list[list[tuple[int, str]]] = []
        keys: list[str] = []
        asked: dict[str, int] = {}
        for index, setting in enumerate(settings):
            for name in (name for name in stage if name not in self._arrays):
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

    def knobs(
        self, name: str, own: Mapping[str, Value], runs: Mapping[str, Run]
    ) -> dict[str, Value]:
        """All knobs of a piece: its own, and those driven by the pieces that ran before it.

        Not those that stand for an array.
        """
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
            # A current is resampled as a share of its largest, to the same figure.
            units = [
                float(np.abs(w[e.probe]).max()) or 1.0 if e.probe.startswith("i(") else 1.0
                for w, e in zip(sources, edges, strict=True)
            ]
            recorded = [
                (w.time, w[e.probe] / u) for w, e, u in zip(sources, edges, units, strict=True)
            ]
            floors, levels = [e.floor for e in edges], [e.threshold for e in edges]
            grid, values = resample(recorded, self.edge_tolerance, floors, levels)
            waves = [Waveform(grid, value * u) for value, u in zip(values, units, strict=True)]
            if lasting:
                self._resampled[keys] = waves
        return {edge.knob: wave for edge, wave in zip(edges, waves, strict=True)}

    def _array_run(self, name: str, setting: Settings, runs: Mapping[str, Run]) -> Run:
        """A passive array's answer to what was recorded, without resampling."""
        recorded, analysis = {}, self.network.pieces[name].deck.analysis
        moved = {}
        for edge in self.network.out_of(name):
            if edge.target in runs:
                wave = runs[edge.target].waveforms
                node = self.network.pieces[edge.target].deck.knobs[edge.knob].live_node
                moved[edge.probe[2:-1]] = wave.time, wave[f"v({node})"]
        for edge in self.network.into(name):
            wave = runs[edge.source].waveforms
            recorded[edge.knob] = wave.time, wave[edge.probe]
        stop = analysis.stop if isinstance(analysis, Transient) else 0.0
        return self._arrays[name].run(setting.get(name, {}), recorded, stop, moved)

    def _with_ports(self, setting: Settings) -> Settings:
        """The setting with the knobs that stand for passive arrays, at its weights."""
        full = {name: dict(knobs) for name, knobs in setting.items()}
        for name, array in self._arrays.items():
            taken = array.resistances(setting.get(name, {}))
            for edge in (*self.network.into(name), *self.network.out_of(name)):
                other, source = edge.source, edge.knob
                if edge.source == name:
                    other, source = edge.target, edge.probe[2:-1]
                if edge.port:
                    full.setdefault(other, {})[edge.port] = taken[source]
        return full

    def _key(self, job: Job) -> str:
        return self._keys.key(job.deck, job.knobs, self.pool.options, self.pool.installation)
