"""Worker processes that share out simulations; what dies is run again."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import IO

import numpy as np

from spicesnn.engine.installation import Installation, find_installation
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.run import Run
from spicesnn.engine.verdict import Verdict
from spicesnn.engine.worker import Job, Start
from spicesnn.errors import ParameterError, WorkerDiedError
from spicesnn.waveforms import Waveforms

_ATTEMPTS = 3


class _Worker:
    """One process, the decks it knows and the job it works on."""

    def __init__(self, options: SimulationOptions, installation: Installation) -> None:
        self.connection: Connection
        self.connection, child = Pipe()
        self.errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        with child:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "spicesnn.engine.worker", str(child.fileno())],
                pass_fds=[child.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.errors,
                env={**os.environ, **installation.environment()},
            )
        self.known: set[str] = set()
        self.job: int | None = None
        self.since = 0.0
        self.connection.send(Start(options, installation))

    def give(self, index: int, job: Job) -> None:
        identity = job.deck.identity
        deck = None if identity in self.known else job.deck
        self.job, self.since = index, time.monotonic()
        self.connection.send((identity, deck, job.knobs))
        self.known.add(identity)

    def stop(self) -> str:
        """Kill the process; returns the end of what it wrote on standard error."""
        self.process.kill()
        self.process.wait()
        self.connection.close()
        self.errors.seek(0)
        text = self.errors.read()[-2000:].decode(errors="replace").strip()
        self.errors.close()
        return text


class Pool:
    """A fixed number of worker processes, each a session; used as a context manager."""

    def __init__(
        self,
        workers: int = 1,
        options: SimulationOptions | None = None,
        installation: Installation | None = None,
        time_limit: float = 120.0,
    ) -> None:
        """Start no process yet: workers start with the first job.

        Args:
            workers: processes; no more than the machine's cores is useful.
            options: solver options.
            installation: the ngspice to use, by default the newest found.
            time_limit: seconds that one run may take.

        Raises:
            ParameterError: fewer than one worker.
            NgspiceNotFoundError: there is no ngspice.
        """
        if workers < 1:
            raise ParameterError(f"workers = {workers}: give at least 1.")
        self.workers = workers
        self.options = options or SimulationOptions()
        self.installation = installation or find_installation()
        self.time_limit = time_limit
        self._pool: list[_Worker] = []

    def __enter__(self) -> Pool:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop all workers."""
        self.close()

    def close(self) -> None:
        """Stop all workers; the next `map` starts new ones."""
        while self._pool:
            self._pool.pop().stop()

    def map(self, jobs: Sequence[Job], done: Callable[[], None] | None = None) -> list[Run]:
        """Run all jobs and return their runs in order.

        Args:
            jobs: simulations; which worker takes which one does not change the answer.
            done: called after each finished run (for progress bars).

        Raises:
            WorkerDiedError: workers died three times on one job.
        """
        waiting, runs = deque(range(len(jobs))), dict[int, Run]()
        deaths = dict.fromkeys(range(len(jobs)), 0)
        while len(self._pool) < min(self.workers, len(jobs)):
            self._pool.append(_Worker(self.options, self.installation))
        while len(runs) < len(jobs):
            for worker in self._pool:
                if worker.job is None and waiting:
                    index = waiting.popleft()
                    # A dead worker's end of the pipe is ready for reading below.
                    with contextlib.suppress(OSError):
                        worker.give(index, jobs[index])
            busy = {w.connection: w for w in self._pool if w.job is not None}
            for ready in wait(list(busy), timeout=1.0):
                assert isinstance(ready, Connection)
                self._collect(busy[ready], jobs, runs, deaths, waiting, done)
            self._stop_late(runs, done)
        return [runs[index] for index in range(len(jobs))]

    def _collect(
        self,
        worker: _Worker,
        jobs: Sequence[Job],
        runs: dict[int, Run],
        deaths: dict[int, int],
        waiting: deque[int],
        done: Callable[[], None] | None,
    ) -> None:
        index = worker.job
        assert index is not None
        try:
            answer = worker.connection.recv()
        except (EOFError, OSError):
            text = self._replace(worker)
            deaths[index] += 1
            if deaths[index] >= _ATTEMPTS:
                raise WorkerDiedError(
                    f"workers died {_ATTEMPTS} times on {jobs[index].deck.title!r}; "
                    f"run that deck alone by ngspice to see why. Last words: {text or 'none'}"
                ) from None
            waiting.appendleft(index)
            return
        worker.job = None
        if isinstance(answer, Exception):
            self.close()
            raise answer
        if answer.verdict is Verdict.DECK_REFUSED:
            self._replace(worker)
        runs[index] = answer
        if done:
            done()

    def _replace(self, worker: _Worker) -> str:
        text = worker.stop()
        self._pool[self._pool.index(worker)] = _Worker(self.options, self.installation)
        return text

    def _stop_late(self, runs: dict[int, Run], done: Callable[[], None] | None) -> None:
        for worker in list(self._pool):
            if worker.job is None or time.monotonic() - worker.since < self.time_limit:
                continue
            index = worker.job
            self._replace(worker)
            runs[index] = Run(
                Verdict.TIMED_OUT, f"{self.time_limit:g} s", Waveforms(np.empty(0), {}),
                0.0, 0, 0, self.installation.version,
            )  # fmt: skip
            if done:
                done()
