"""One deck by `ngspice -b` in a folder of its own: the second form of the engine."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from spicesnn.circuits.deck import MAXIMUM_STEP, STOP, Deck, Settings, Transient, Value
from spicesnn.engine.installation import Installation, find_installation
from spicesnn.engine.ladder import START_UP, climb
from spicesnn.engine.limits import Limits, end_with_starter
from spicesnn.engine.messages import classify_all
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.osdi import compiled_module, runs_compiled
from spicesnn.engine.run import Run
from spicesnn.engine.verdict import Verdict, judge
from spicesnn.errors import DataError, SimulationError
from spicesnn.waveforms import Waveforms, read_raw

_STATISTICS = re.compile(r"(total analysis time|rejected timepoints|total iterations)[^=]*= (\S+)")


def run_batch(
    deck: Deck,
    knobs: Mapping[str, Value] | None = None,
    options: SimulationOptions | None = None,
    installation: Installation | None = None,
    limits: Limits | None = None,
) -> Run:
    """Run a deck once in a fresh ngspice process; its exit code plays no part in the verdict.

    Where the solver does not converge, the rungs of the ladder are tried in order, within the one
    limit of wall-clock time.

    Raises:
        UnknownNameError, ParameterError: a knob is unknown or its value does not suit it.
        SimulationError: its folder cannot be written.
    """
    installation = installation or find_installation()
    options, limits = options or SimulationOptions(), limits or Limits()
    given, until = dict(knobs or {}), time.monotonic() + limits.wall

    def attempt(settings: Settings, options: SimulationOptions, start_up: bool) -> Run:
        if isinstance(settings.analysis, Transient):
            given[MAXIMUM_STEP] = settings.analysis.maximum_step
            given[STOP] = settings.analysis.stop
        try:
            return _once(deck, given, options, installation, limits, until, start_up)
        except OSError as error:
            place = error.filename or tempfile.gettempdir()
            raise SimulationError(
                f"{deck.title}: ngspice cannot be run in {place}: {error.strerror or error}. Free "
                "some space or set TMPDIR to another place."
            ) from None

    return climb(attempt, deck.settings(knobs), options)


def _once(
    deck: Deck,
    knobs: Mapping[str, Value],
    options: SimulationOptions,
    installation: Installation,
    limits: Limits,
    until: float,
    start_up: bool,
) -> Run:
    klu = options.with_klu(deck, installation.klu)
    settings = deck.settings(knobs)
    compiled = runs_compiled(deck, klu, installation)
    text = deck.text(options.line(klu), knobs, compiled)
    modules = [compiled_module(device.verilog) for device in deck.devices if compiled]
    first = [f"pre_osdi {path}" for path in modules] + [START_UP] * start_up
    first += [f"alter {name} = {value:.16g}" for name, value in settings.devices.items()]
    if first:
        text = text.removesuffix(".end\n") + "\n".join([".control", *first, ".endc", ".end\n"])
    waveforms: Waveforms | None = None
    command = [str(installation.program), "-n", "-b", "-r", "out.raw", "deck.cir"]
    with tempfile.TemporaryDirectory(prefix="spicesnn-") as folder:
        path = Path(folder)
        (path / "deck.cir").write_text(text, encoding="utf-8")
        with (path / "log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "HOME": folder, **installation.environment()},
                preexec_fn=lambda: _before_ngspice(limits),  # noqa: PLW1509 - a worker has one
            )  # fmt: skip
            late = False
            try:
                process.wait(max(until - time.monotonic(), 0.0))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                late = True
        lines = (path / "log").read_text(errors="replace").splitlines()
        if (path / "out.raw").exists():
            waveforms = _read(path / "out.raw", deck)
    messages = classify_all(lines)
    if late or process.returncode == -signal.SIGXCPU:
        verdict, detail = Verdict.TIMED_OUT, f"{limits.wall:g} s, {limits.cpu:g} s of CPU"
    elif process.returncode < 0:
        verdict, detail = Verdict.CRASHED, signal.Signals(-process.returncode).name
    else:
        verdict, detail = judge(deck, settings, waveforms, messages)
    found = dict(_STATISTICS.findall("\n".join(lines).lower()))
    return Run(
        verdict, detail, _probes(deck, waveforms), installation.version, options, klu, messages,
        float(waveforms.time[-1]) if waveforms and waveforms.time.size else 0.0,
        float(found.get("total analysis time", 0)),
        int(float(found.get("total iterations", 0))),
        int(float(found.get("rejected timepoints", 0))),
        resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
    )  # fmt: skip


def _before_ngspice(limits: Limits) -> None:
    end_with_starter()
    limits.hold_memory()
    limits.hold_cpu()


def _read(path: Path, deck: Deck) -> Waveforms | None:
    """The raw file, with its vectors under the names of the deck's probes."""
    try:
        raw = read_raw(path)
    except DataError:
        return None
    names = {_vector(probe): probe for probe in (*deck.probes, *deck.region_probes)}
    return Waveforms(raw.time, {names.get(_vector(n), n): s for n, s in raw.signals.items()})


def _vector(name: str) -> str:
    """One spelling for what ngspice writes as `i(v1)`, `v1#branch`, `i(@m1[id])`, `@m1[id]`."""
    inner = re.fullmatch(r"[vi]\((@.*)\)", name)
    return inner.group(1) if inner else name.lower()


def _probes(deck: Deck, waveforms: Waveforms | None) -> Waveforms:
    if waveforms is None:
        return Waveforms(np.empty(0), {})
    signals = {n: s for n, s in waveforms.signals.items() if n in deck.probes}
    return Waveforms(waveforms.time, signals)
