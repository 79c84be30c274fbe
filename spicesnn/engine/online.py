"""The loop closed inside one transient: a Python controller that drives external sources."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection

import numpy as np

from spicesnn.circuits.deck import Deck, Transient, Value, Waveform, start_of
from spicesnn.engine.installation import Installation, find_installation
from spicesnn.engine.limits import Limits, end_with_starter
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.run import Run
from spicesnn.engine.simulator import Simulator
from spicesnn.engine.verdict import Verdict
from spicesnn.errors import ParameterError, SimulationError, UnknownNameError

# Called with the time (seconds) and the deck's probes at an accepted time point; answers with the
# new targets of external sources (volts or amperes), empty for no change.
Controller = Callable[[float, Mapping[str, float]], Mapping[str, float]]


@dataclass(frozen=True)
class OnlineRun:
    """A transient with a controller in it.

    Attributes:
        run: verdict and waveforms.
        drives: what each external source did, as corners.
        points: accepted time points that the controller saw.
        overhead_seconds: time spent in the controller and in the callbacks.
    """

    run: Run
    drives: Mapping[str, Waveform]
    points: int
    overhead_seconds: float


@dataclass
class _Ramp:
    """A source that goes from one value to another, and stays."""

    begin: float
    start: float
    end: float
    target: float
    corners: list[tuple[float, float]] = field(default_factory=list)

    def at(self, moment: float) -> float:
        if moment >= self.end:
            return self.target
        part = max(moment - self.begin, 0.0) / (self.end - self.begin)
        return self.start + part * (self.target - self.start)

    def move(self, moment: float, target: float, duration: float) -> None:
        here = self.at(moment)
        # The earlier ramp was cut where the new one begins.
        self.corners = [c for c in self.corners if c[0] < moment]
        self.begin, self.start = moment, here
        self.end, self.target = moment + duration, target
        self.corners += [(moment, here), (self.end, target)]


class _Hooks:
    """State is committed at accepted points only: ngspice asks twice a point and steps back."""

    def __init__(
        self,
        controller: Controller,
        probes: Mapping[str, str],
        initial: Mapping[str, float],
        ramp: float,
    ) -> None:
        self.controller = controller
        self.probes = probes
        self.ramp = ramp
        self.ramps = {n: _Ramp(0.0, v, 0.0, v, [(0.0, v)]) for n, v in initial.items()}
        self.points = 0
        self.seconds = 0.0
        self.error: Exception | None = None

    def accepted(self, values: dict[str, float]) -> None:
        if self.error is not None or "time" not in values:
            return
        began = time.perf_counter()
        self.points += 1
        moment = values["time"]
        seen = {probe: values[vector] for vector, probe in self.probes.items() if vector in values}
        try:
            for name, target in self.controller(moment, seen).items():
                if name not in self.ramps:
                    raise UnknownNameError("external source", name, self.ramps)
                if not np.isfinite(target):
                    raise ParameterError(f"the controller gave {name} the value {target}.")
                self.ramps[name].move(moment, float(target), self.ramp)
        except Exception as error:
            self.error = error
        self.seconds += time.perf_counter() - began

    def value(self, source: str, moment: float) -> float:
        began = time.perf_counter()
        answer = self.ramps[source].at(moment)
        self.seconds += time.perf_counter() - began
        return answer


class OnlineSession:
    """A deck some of whose sources a Python controller drives while the transient runs.

    Timing: at an accepted time point t the controller sees the probes at t. What it answers
    begins at t: the source ramps from its value at t to the target at t + `ramp` and stays there.
    ngspice makes no breakpoint at these corners, so `ramp` should not be under the deck's largest
    step; both bound how late an answer can be.
    """

    def __init__(
        self,
        deck: Deck,
        sources: tuple[str, ...],
        options: SimulationOptions | None = None,
        *,
        ramp: float | None = None,
        installation: Installation | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            deck: with a transient analysis.
            sources: those of its source knobs that the controller drives, from their defaults on.
            options: solver options.
            ramp: seconds from one value to the next; by default the deck's largest step.
            installation: the ngspice to use, by default the newest found.
            limits: of the run.

        Raises:
            UnknownNameError: a name is not a source knob of the deck.
            ParameterError: the deck has no transient, or the ramp is not positive.
        """
        if not isinstance(deck.analysis, Transient):
            raise ParameterError("an online session needs a deck with a transient analysis.")
        known = [name for name, knob in deck.knobs.items() if knob.is_source]
        for name in sources:
            if name not in known:
                raise UnknownNameError("source knob", name, known)
        self.ramp = deck.analysis.maximum_step if ramp is None else ramp
        if not self.ramp > 0:
            raise ParameterError(f"ramp = {self.ramp:g} s: give a positive time.")
        self.options = options or SimulationOptions()
        self.installation = installation or find_installation()
        self.limits = limits or Limits()
        self.initial = {}
        lines = []
        for name in sources:
            knob = deck.knobs[name]
            start = knob.default if isinstance(knob.default, float) else start_of(knob.default)
            self.initial[name.lower()] = start
            lines.append(f"{knob.element} {knob.nodes[0]} {knob.nodes[1]} external")
        left = {name: knob for name, knob in deck.knobs.items() if name not in sources}
        self.deck = replace(deck, knobs=left, netlist="\n".join([deck.netlist.strip(), *lines]))

    def run(
        self,
        controller: Controller,
        knobs: Mapping[str, Value] | None = None,
        raise_on_failure: bool = True,
    ) -> OnlineRun:
        """Run one transient with the controller in it, in a process of its own.

        The process is a copy of this one, so the controller may be any function; what it changes
        in its own state stays there. What it wants to hand back, it can write to a file, by an
        absolute path: the working folder is one of the run's own.

        Raises:
            SimulationError: the run cannot be trusted, or ngspice died.
            Exception: what the controller raised.
        """
        self.deck.settings(knobs)
        context = multiprocessing.get_context("fork")
        receive, send = context.Pipe(duplex=False)
        environment = dict(os.environ)
        # libngspice reads its variables when it is loaded, which happens in the copy only.
        os.environ.update(self.installation.environment())
        folder = tempfile.TemporaryDirectory(prefix="spicesnn-")
        arguments = (send, folder.name, controller, dict(knobs or {}))
        try:
            process = context.Process(target=self._work, args=arguments)
            process.start()
        finally:
            os.environ.clear()
            os.environ.update(environment)
        send.close()
        try:
            answer = receive.recv() if receive.poll(self.limits.wall) else None
        except EOFError:
            process.join()
            raise SimulationError(
                f"{self.deck.title}: ngspice died (exit status {process.exitcode}); run the deck "
                "without its controller to see why."
            ) from None
        finally:
            if process.is_alive():
                process.join(1.0)
            if process.is_alive():
                process.kill()
                process.join()
            receive.close()
            folder.cleanup()
        if answer is None:
            late = Run(Verdict.TIMED_OUT, f"{self.limits.wall:g} s", options=self.options)
            answer = OnlineRun(late, {}, 0, 0.0)
        if isinstance(answer, Exception):
            raise answer
        if raise_on_failure:
            answer.run.checked(self.deck.title)
        return answer

    def _work(
        self, send: Connection, folder: str, controller: Controller, knobs: dict[str, Value]
    ) -> None:
        end_with_starter()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        vectors = {_vector(probe): probe for probe in self.deck.probes}
        hooks = _Hooks(controller, vectors, self.initial, self.ramp)
        try:
            self.limits.hold_memory()
            self.limits.hold_cpu()
            # A folder of its own, also as home: no start-up file of anybody is read.
            os.chdir(folder)
            os.environ["HOME"] = folder
            # No ladder: a second attempt would meet a controller that has seen the first.
            simulator = Simulator(self.installation, hooks)
            run = simulator.run(self.deck, knobs, self.options, ladder=False)
            drives = {}
            for name, ramp in hooks.ramps.items():
                corners = dict(ramp.corners)
                times = np.array(sorted(corners))
                drives[name] = Waveform(times, np.array([corners[t] for t in times]))
            answer = OnlineRun(run, drives, hooks.points, hooks.seconds)
            send.send(hooks.error or answer)
        except Exception as error:
            send.send(error)
        send.close()
        os._exit(0)


def _vector(probe: str) -> str:
    """The name under which ngspice sends a probe: `b` for `v(b)`, `v1#branch` for `i(v1)`."""
    kind, _, name = probe.rstrip(")").partition("(")
    if probe.startswith("@"):
        return probe
    return name if kind == "v" else f"{name}#branch"
