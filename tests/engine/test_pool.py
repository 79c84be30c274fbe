import contextlib
import os
import signal
import tempfile
import threading
import time

import numpy as np
import pytest

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.engine.pool import Pool
from spicesnn.engine.verdict import Verdict
from spicesnn.engine.worker import Form, Job
from spicesnn.errors import ParameterError, SimulationError
from spicesnn.processes import Process


def jobs(circuit: ClassifierCircuit, process: Process, count: int) -> list[Job]:
    deck = circuit.trace_deck(process)
    trains = [[1e-3 + 1e-4 * k, 4e-3 + 1e-4 * k] for k in range(count)]
    return [Job(deck, {"vevent": circuit.stimulus(train, process)}) for train in trains]


def test_killed_workers_lose_nothing(circuit: ClassifierCircuit, process: Process) -> None:
    work = jobs(circuit, process, 40) * 5
    with Pool(1) as one:
        expected = one.map(work)
    with Pool(2) as two:
        over = threading.Event()
        kills: list[int] = []

        def kill() -> None:
            rng = np.random.default_rng(0)
            for turn in range(100):
                if over.wait(rng.uniform(0.5, 1.2)):
                    return
                with contextlib.suppress(ProcessLookupError, IndexError):
                    os.kill(two._pool[turn % 2].process.pid, signal.SIGKILL)
                    kills.append(turn)

        thread = threading.Thread(target=kill)
        thread.start()
        answers = two.map(work)
        over.set()
        thread.join()
    assert len(kills) >= 3
    for a, b in zip(answers, expected, strict=True):
        assert a.verdict is Verdict.CONVERGED
        np.testing.assert_array_equal(a.waveforms["v(v_p)"], b.waveforms["v(v_p)"])


def test_a_job_that_always_kills_its_worker_is_named(
    circuit: ClassifierCircuit, process: Process
) -> None:
    work = jobs(circuit, process, 1)
    with Pool(1) as pool:
        stop = threading.Event()

        def kill() -> None:
            while not stop.is_set():
                for worker in list(pool._pool):
                    worker.process.kill()
                time.sleep(0.005)

        thread = threading.Thread(target=kill)
        thread.start()
        try:
            with pytest.raises(SimulationError, match=r"spike driver.*: ngspice died on this deck"):
                pool.map(work)
        finally:
            stop.set()
            thread.join()


def test_a_full_disk_is_a_clear_error(
    circuit: ClassifierCircuit, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a dead worker cannot be replaced: once closed, the pool works again."""
    work = jobs(circuit, process, 2)
    with Pool(1) as pool:
        pool.map(work[:1])
        with monkeypatch.context() as patch:
            patch.setattr(
                tempfile, "TemporaryDirectory", lambda **_: _raise(OSError(28, "No space left"))
            )
            pool._pool[0].process.kill()
            with pytest.raises(SimulationError, match=r"no worker can be started: No space left"):
                pool.map(work)
        assert pool.map(work)[1].verdict is Verdict.CONVERGED


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("form", ["library", "batch"])
def test_a_batch_keeps_its_good_members(
    form: Form, circuit: ClassifierCircuit, process: Process
) -> None:
    deck = circuit.trace_deck(process)
    work = [Job(deck), Job(deck, {"@m9[delvto]": 0.1}), Job(deck)]
    with Pool(1, form=form) as pool:
        runs = pool.map(work, raise_on_failure=False)
    assert [run.verdict for run in runs[::2]] == [Verdict.CONVERGED] * 2
    assert runs[1].verdict is Verdict.DECK_REFUSED
    assert "m9" in runs[1].detail


def test_workers_end_with_the_pool(circuit: ClassifierCircuit, process: Process) -> None:
    with Pool(2) as pool:
        pool.map(jobs(circuit, process, 2))
        pids = [worker.process.pid for worker in pool._pool]
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_no_workers() -> None:
    with pytest.raises(ParameterError, match="workers = 0: give at least 1"):
        Pool(0)
