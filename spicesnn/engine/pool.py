"""Worker processes that share out simulations; what dies is run again."""

from __future__ import annotations

import contextlib
import os
import signal
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

from spicesnn.engine.cache import RunCache
from spicesnn.engine.installation import Installation, cache_folder, find_installation
from spicesnn.engine.limits import Limits
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.run import Run
from spicesnn.engine.verdict import Verdict
from spicesnn.engine.worker import Form, Job, Start
from spicesnn.errors import ParameterError, SimulationError

_ATTEMPTS = 3
_LAST_WORDS = (Verdict.DECK_REFUSED, Verdict.OUT_OF_MEMORY)
# A worker is replaced after so many runs, or so many bytes over its first run's memory.
_MOST_RUNS, _MOST_GROWTH = 3000, 200e6


class _Worker:
    """One process, the decks it knows and the job it works on."""

    def __init__(self, start: Start) -> None:
        self.connection: Connection
        self.connection, child = Pipe()
        self.errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        # A folder of its own, also as home: no start-up file of anybody is read.
        self.folder = tempfile.TemporaryDirectory(prefix="spicesnn-")
        end, self.lifeline = os.pipe()
        with child:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "spicesnn.engine.worker", str(child.fileno()), str(end)],
                pass_fds=[child.fileno(), end],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.errors,
                cwd=self.folder.name,
                env={
                    **os.environ,
                    "PYTHONPATH": _import_path(),
                    "HOME": self.folder.name,
                    # Compiled devices are kept where the user's other cached files are.
                    "XDG_CACHE_HOME": str(cache_folder().parent),
                    **start.installation.environment(),
                },
                start_new_session=True,
            )
        os.close(end)
        self.known: set[str] = set()
        self.job: int | None = None
        self.since = 0.0
        self.runs = 0
        self.first_memory = 0
        self.connection.send(start)

    def give(self, index: int, job: Job) -> None:
        identity = job.deck.identity
        deck = None if identity in self.known else job.deck
        self.job, self.since = index, time.monotonic()
        self.connection.send((identity, deck, job.knobs))
        self.known.add(identity)

    def is_worn(self, run: Run) -> bool:
        """Whether to replace it, after this run of it."""
        self.runs += 1
        self.first_memory = self.first_memory or run.peak_memory
        grown = run.peak_memory - self.first_memory
        return self.runs >= _MOST_RUNS or grown > _MOST_GROWTH

    def stop(self) -> tuple[int, str]:
        """Kill the process and its group; its exit status and its last words. Only once."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()
        code = self.process.wait()
        self.connection.close()
        os.close(self.lifeline)
        self.errors.seek(0)
        text = self.errors.read()[-2000:].decode(errors="replace").strip()
        self.errors.close()
        self.folder.cleanup()
        return code, text


def _import_path() -> str:
    """What this process imports from, for one that starts in another folder."""
    return os.pathsep.join(os.path.abspath(entry) for entry in sys.path)


class Pool:
    """A fixed number of worker processes, each a simulator; used as a context manager."""

    def __init__(
        self,
        workers: int = 1,
        options: SimulationOptions | None = None,
        installation: Installation | None = None,
        limits: Limits | None = None,
        cache: RunCache | None = None,
        form: Form = "library",
    ) -> None:
        """Start no process yet: workers start with the first job.

        Args:
            workers: processes; no more than the machine's cores is useful.
            options: solver options.
            installation: the ngspice to use, by default the newest found.
            limits: of one run.
            cache: keeps the answers of jobs that ask for it.
            form: ngspice as a library inside the workers, or a fresh `ngspice -b` for each job.

        Raises:
            ParameterError: fewer than one worker.
            NgspiceNotFoundError: there is no ngspice.
        """
        if workers < 1:
            raise ParameterError(f"workers = {workers}: give at least 1.")
        self.workers = workers
        self.options = options or SimulationOptions()
        self.installation = installation or find_installation()
        self.limits = limits or Limits()
        self.cache = cache
        self.form = form
        self._start = Start(self.options, self.installation, self.limits, form)
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
        """Stop all workers; the pool can be used again."""
        for worker in self._pool:
            worker.stop()
        self._pool.clear()

    def map(
        self,
        jobs: Sequence[Job],
        done: Callable[[], None] | None = None,
        raise_on_failure: bool = True,
    ) -> list[Run]:
        """Run all jobs; the answers in order.

        Args:
            jobs: simulations; which worker takes which one does not change the answer.
            done: called after each finished run (for progress bars).
            raise_on_failure: whether a run that cannot be trusted is an error; if not, its
                verdict says what became of it, and the others are kept.

        Raises:
            SimulationError: a run cannot be trusted, or no worker can be started.
            UnknownNameError, ParameterError: a knob is unknown or its value does not suit it, or
                KLU is asked for where it cannot serve. What only ngspice can tell (a transistor
                that is not there) is a verdict where `raise_on_failure` is false.
        """
        for job in jobs:
            job.deck.settings(job.knobs)
            self.options.with_klu(job.deck, self.installation.klu)
        keys = [self._key(job) for job in jobs]
        runs: dict[int, Run] = {}
        waiting: deque[int] = deque()
        for index, key in enumerate(keys):
            kept = self.cache.get(key) if self.cache and key else None
            if kept is None:
                waiting.append(index)
                continue
            runs[index] = kept
            if done:
                done()
        deaths = dict.fromkeys(waiting, 0)

        def finish(index: int, run: Run) -> None:
            if raise_on_failure:
                run.checked(jobs[index].deck.title)
            if self.cache and keys[index] and run.verdict is Verdict.CONVERGED:
                self.cache.put(keys[index], run)
            runs[index] = run
            if done:
                done()

        try:
            while len(self._pool) < min(self.workers, len(waiting)):
                self._pool.append(self._started())
            while len(runs) < len(jobs):
                self._give(jobs, waiting)
                busy = {w.connection: w for w in self._pool if w.job is not None}
                for ready in wait(list(busy), timeout=self._patience()):
                    assert isinstance(ready, Connection)
                    self._collect(busy[ready], jobs, deaths, waiting, finish, raise_on_failure)
                self._stop_late(finish)
        except BaseException:
            self.close()
            raise
        return [runs[index] for index in range(len(jobs))]

    def _key(self, job: Job) -> str:
        if not (self.cache and job.cached):
            return ""
        return self.cache.key(job.deck, job.knobs, self.options, self.installation, self.form)

    def _give(self, jobs: Sequence[Job], waiting: deque[int]) -> None:
        for worker in self._pool:
            if worker.job is None and waiting:
                index = waiting.popleft()
                # A dead worker's end of the pipe is ready for reading in the next wait.
                with contextlib.suppress(OSError):
                    worker.give(index, jobs[index])

    def _patience(self) -> float:
        """Seconds until the first running job is late."""
        ends = [w.since + self.limits.wall for w in self._pool if w.job is not None]
        return max(min(ends, default=0) - time.monotonic(), 0.0) + 1e-3

    def _collect(
        self,
        worker: _Worker,
        jobs: Sequence[Job],
        deaths: dict[int, int],
        waiting: deque[int],
        finish: Callable[[int, Run], None],
        raise_on_failure: bool,
    ) -> None:
        index = worker.job
        assert index is not None
        try:
            answer = worker.connection.recv()
        except (EOFError, OSError):
            code, text = self._replace(worker)
            if code == -signal.SIGXCPU:
                finish(index, self._failed(Verdict.TIMED_OUT, f"{self.limits.cpu:g} s of CPU"))
                return
            if "allocate" in text or "MemoryError" in text:
                limit = f"{self.limits.memory / 1e9:g} GB"
                finish(index, self._failed(Verdict.OUT_OF_MEMORY, limit))
                return
            deaths[index] += 1
            if deaths[index] >= _ATTEMPTS:
                said = f"{_ATTEMPTS} times; last words: {text or 'none'}"
                finish(index, self._failed(Verdict.CRASHED, said))
            else:
                waiting.appendleft(index)
            return
        worker.job = None
        if isinstance(answer, MemoryError):
            answer = self._failed(Verdict.OUT_OF_MEMORY, f"{self.limits.memory / 1e9:g} GB")
        elif isinstance(answer, Exception):
            if raise_on_failure:
                raise answer
            answer = self._failed(Verdict.DECK_REFUSED, str(answer))
        elif answer.verdict is Verdict.DECK_REFUSED and worker.runs and not deaths[index]:
            # Seen once, cause unknown: a worker that had run other decks refused a good one. What a
            # used worker refuses is asked again of a fresh one.
            deaths[index] += 1
            self._replace(worker)
            waiting.appendleft(index)
            return
        # After a refused deck, or without memory, the library may be dead.
        if answer.verdict in _LAST_WORDS or worker.is_worn(answer):
            self._replace(worker)
        finish(index, answer)

    def _replace(self, worker: _Worker) -> tuple[int, str]:
        # Out of the pool first: where no other can be started, it must not be stopped again.
        self._pool.remove(worker)
        code, text = worker.stop()
        self._pool.append(self._started())
        return code, text

    def _started(self) -> _Worker:
        try:
            return _Worker(self._start)
        except OSError as error:
            raise SimulationError(
                f"no worker can be started: {error.strerror or error}"
                f"{f' ({error.filename})' if error.filename else ''}. Free some space or memory; "
                "what was finished is kept in the cache, where there is one."
            ) from None

    def _failed(self, verdict: Verdict, detail: str) -> Run:
        return Run(verdict, detail, ngspice=self.installation.version, options=self.options)

    def _stop_late(self, finish: Callable[[int, Run], None]) -> None:
        for worker in list(self._pool):
            index = worker.job
            if index is None or time.monotonic() - worker.since < self.limits.wall:
                continue
            self._replace(worker)
            finish(index, self._failed(Verdict.TIMED_OUT, f"{self.limits.wall:g} s"))
