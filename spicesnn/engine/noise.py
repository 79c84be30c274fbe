"""Runs with transient noise: one without, to read the bias, then one a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from spicesnn.circuits.deck import Value
from spicesnn.circuits.noise import NoiseBench
from spicesnn.engine.pool import Pool
from spicesnn.engine.run import Run
from spicesnn.engine.worker import Job


def run_with_noise(
    bench: NoiseBench,
    pool: Pool,
    seeds: Sequence[int],
    knobs: Mapping[str, Value] | None = None,
    done: Callable[[], None] | None = None,
) -> tuple[Run, list[Run]]:
    """The quiet run, and one noisy run a seed.

    Args:
        bench: see `spicesnn.circuits.noise.noise_bench`.
        pool: runs them side by side.
        seeds: one run each; the same seed gives the same noise.
        knobs: of the bench's deck, the same in all runs.
        done: called after each run.

    Raises:
        SimulationError: a run cannot be trusted.
    """
    given = dict(knobs or {})
    quiet = pool.map([Job(bench.deck, given)], done)[0]
    drawn = (bench.draw(quiet.waveforms, seed, given) for seed in seeds)
    return quiet, pool.map([Job(bench.deck, given | noise) for noise in drawn], done)
