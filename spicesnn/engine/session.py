"""One deck, loaded once, run many times with its knobs turned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType

from spicesnn.circuits.deck import Deck, Transient, Value
from spicesnn.engine.cache import RunCache
from spicesnn.engine.installation import Installation
from spicesnn.engine.limits import Limits
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.engine.run import Run
from spicesnn.engine.worker import Form, Job
from spicesnn.measure.compare import compare

Knobs = Mapping[str, Value]


class Session:
    """A deck in worker processes; used as a context manager.

    ```python
    with Session(deck) as session:
        run = session.run({"rtop": 2e3})
    ```
    """

    def __init__(
        self,
        deck: Deck,
        options: SimulationOptions | None = None,
        *,
        workers: int = 1,
        form: Form = "library",
        installation: Installation | None = None,
        limits: Limits | None = None,
        cache: RunCache | None = None,
    ) -> None:
        """Start no process yet.

        Args:
            deck: the circuit.
            options: solver options, by default the subthreshold profile.
            workers: processes that share the runs of `map`.
            form: ngspice as a library in the worker, or a fresh `ngspice -b` for each run.
            installation: the ngspice to use, by default the newest found.
            limits: of one run.
            cache: keeps converged runs by content.

        Raises:
            ParameterError: fewer than one worker.
            NgspiceNotFoundError: there is no ngspice.
        """
        self.deck = deck
        self.options = options or SimulationOptions()
        self._pool = Pool(workers, self.options, installation, limits, cache, form)
        self._finer: Pool | None = None

    def __enter__(self) -> Session:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the workers."""
        self.close()

    def close(self) -> None:
        """Stop the workers."""
        for pool in (self._pool, self._finer):
            if pool:
                pool.close()

    def run(
        self, knobs: Knobs | None = None, *, verify: bool = False, raise_on_failure: bool = True
    ) -> Run:
        """Run with these knobs, all others at their defaults.

        Args:
            knobs: by name, see `Deck.settings`.
            verify: run again with half the step and tolerances ten times tighter, and put the
                largest change of each probe, relative to its swing, into the run's `changes`.
            raise_on_failure: whether a run that cannot be trusted is an error.

        Raises:
            SimulationError: the run cannot be trusted.
            UnknownNameError, ParameterError: a knob is unknown or its value does not suit it.
        """
        run = self.map([knobs or {}], raise_on_failure=raise_on_failure)[0]
        if not verify:
            return run
        if self._finer is None:
            known = self._pool
            self._finer = Pool(
                1, self.options.tightened(10), known.installation, known.limits, known.cache,
                known.form,
            )  # fmt: skip
        finer = dict(knobs or {})
        analysis = self.deck.settings(knobs).analysis
        if isinstance(analysis, Transient):
            finer["maximum_step"] = analysis.maximum_step / 2
        job = Job(self.deck, finer, cached=True)
        again = self._finer.map([job], raise_on_failure=raise_on_failure)[0]
        differences = compare(again.waveforms, run.waveforms).differences
        return replace(run, changes={name: d.relative for name, d in differences.items()})

    def map(
        self,
        knobs: Sequence[Knobs],
        done: Callable[[], None] | None = None,
        *,
        raise_on_failure: bool = True,
    ) -> list[Run]:
        """Run each of these settings; see `Pool.map`."""
        jobs = [Job(self.deck, setting, cached=True) for setting in knobs]
        return self._pool.map(jobs, done, raise_on_failure)
