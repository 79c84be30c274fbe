"""ngspice in this process: decks loaded once, knobs turned, runs judged."""

from __future__ import annotations

import re
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from spicesnn.circuits.deck import (
    Deck,
    OperatingPoint,
    Pulse,
    Settings,
    Value,
    Waveform,
    start_of,
)
from spicesnn.engine.installation import Installation, find_installation
from spicesnn.engine.ladder import START_UP, USUAL_START_UP, believed, climb
from spicesnn.engine.library import NgspiceLibrary, OnlineHooks
from spicesnn.engine.messages import Message, MessageClass, classify_all
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.osdi import compiled_module, runs_compiled
from spicesnn.engine.run import Run
from spicesnn.engine.verdict import Verdict, judge, refusal
from spicesnn.errors import ParameterError, SimulationError, UnknownNameError
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms

_STATISTICS = re.compile(r"(total analysis time|total iterations|rejected timepoints)[^=]*= (\S+)")
_MOST_LOADED = 16
_Statistics = tuple[float, int, int]


@dataclass
class _Loaded:
    """A circuit inside ngspice and the values that its knobs have there."""

    key: tuple[object, ...]
    deck: str
    parameters: Mapping[str, float]
    elements: dict[str, Value]
    moving: set[str]
    messages: tuple[Message, ...]
    temperature: float
    devices: dict[str, float] = field(default_factory=dict)
    usual: dict[str, float] = field(default_factory=dict)
    statistics: _Statistics = (0.0, 0, 0)


class Simulator:
    """ngspice in this process, holding several loaded decks side by side.

    ngspice keeps a list of circuits; `setcirc` changes between them in microseconds, so a worker
    that alternates between two templates never reloads either. A library that refused a deck may
    be dead afterwards, so it then refuses further work: start a new process.
    """

    def __init__(
        self, installation: Installation | None = None, online: OnlineHooks | None = None
    ) -> None:
        """Load the library of this installation (by default the newest found)."""
        self.installation = installation or find_installation()
        self._library = NgspiceLibrary(self.installation, online)
        self._loaded: list[_Loaded] = []
        self._modules: set[Path] = set()
        self._dead = ""

    def run(
        self,
        deck: Deck,
        knobs: Mapping[str, Value] | None = None,
        options: SimulationOptions | None = None,
        ladder: bool = True,
    ) -> Run:
        """Run a deck with these knobs, all others at their defaults.

        Where the solver does not converge, the rungs of the ladder are tried in order, unless
        `ladder` is false.

        Raises:
            UnknownNameError, ParameterError: a knob is unknown or its value does not suit it.
            SimulationError: an earlier deck left the library unusable.
        """
        settings, options = deck.settings(knobs), options or SimulationOptions()
        if self._dead:
            raise SimulationError(f"this simulator ended with: {self._dead}; start a new one.")
        if not ladder:
            return believed(self._attempt(deck, settings, options, False), False)
        return climb(partial(self._attempt, deck), settings, options)

    def _attempt(
        self, deck: Deck, settings: Settings, options: SimulationOptions, start_up: bool
    ) -> Run:
        library, version = self._library, self.installation.version
        klu = options.with_klu(deck, self.installation.klu)
        library.messages.clear()
        loaded, reloaded = self._select(deck, settings, options, klu)
        if loaded is None:
            messages = classify_all(library.messages)
            self._dead = refusal(messages) or "; ".join(library.messages[-3:]) or "no reason given"
            return Run(
                Verdict.DECK_REFUSED, self._dead, ngspice=version, options=options,
                messages=messages, reloaded=reloaded, peak_memory=peak_memory(),
            )  # fmt: skip
        library.messages.clear()
        self._turn(loaded, settings)
        for message in classify_all(library.messages):
            if message.kind is MessageClass.DECK_ERROR:
                raise ParameterError(f"{deck.title}: turning a knob failed: {message.text}")
        library.messages.clear()
        if start_up:
            library.command(START_UP)
        library.command(settings.analysis.command())
        if start_up:
            library.command(USUAL_START_UP)
        messages = loaded.messages + classify_all(library.messages)
        waveforms = self._waveforms(deck, settings)
        library.command("destroy all")
        verdict, detail = judge(deck, settings, waveforms, messages)
        seconds, iterations, rejected = self._statistics(loaded)
        wanted = waveforms and Waveforms(
            waveforms.time, {n: s for n, s in waveforms.signals.items() if n in deck.probes}
        )
        return Run(
            verdict, detail, wanted or Waveforms(np.empty(0), {}), version, options, klu, messages,
            float(waveforms.time[-1]) if waveforms and waveforms.time.size else 0.0,
            seconds, iterations, rejected, peak_memory(), (), reloaded,
        )  # fmt: skip

    def _select(
        self, deck: Deck, settings: Settings, options: SimulationOptions, klu: bool
    ) -> tuple[_Loaded | None, tuple[str, ...]]:
        """Make the deck the current circuit; the knobs that made it be loaded again."""
        parameters = dict(settings.parameters)
        compiled = runs_compiled(deck, klu, self.installation)
        key = (deck.identity, options, klu, compiled, tuple(parameters.values()))
        for index, loaded in enumerate(self._loaded):
            if loaded.key == key:
                # The newest circuit is number 1.
                self._library.command(f"setcirc {len(self._loaded) - index}")
                return loaded, ()
        if len(self._loaded) >= _MOST_LOADED:
            self._library.command(f"setcirc {len(self._loaded)}")
            self._library.command("remcirc")
            self._loaded.pop(0)
            self._library.messages.clear()
        before = [known for known in self._loaded if known.deck == deck.identity]
        changed = before[-1].parameters if before else parameters
        reloaded = tuple(n for n, v in parameters.items() if changed[n] != v)
        if compiled:
            self._load_modules(deck)
        failed = self._library.load(deck.text(options.line(klu), parameters, compiled))
        messages = classify_all(self._library.messages)
        if failed or refusal(messages):
            return None, reloaded
        # What was read from the text, to its six figures; waveforms are turned before the first
        # run, so that no answer depends on what was run before it.
        defaults = {name: knob.default for name, knob in deck.knobs.items()}
        moving = {n for n, value in defaults.items() if isinstance(value, Waveform | Pulse)}
        known: dict[str, Value] = {}
        known |= {n: float(spice_number(v)) for n, v in defaults.items() if isinstance(v, float)}
        self._loaded.append(
            _Loaded(key, deck.identity, parameters, known, moving, messages, deck.temperature)
        )
        return self._loaded[-1], reloaded

    def _load_modules(self, deck: Deck) -> None:
        for device in deck.devices:
            path = compiled_module(device.verilog)
            if path not in self._modules:
                self._library.command(f"osdi {path}")
                self._modules.add(path)

    def _turn(self, loaded: _Loaded, settings: Settings) -> None:
        library = self._library
        # It is the current circuit's own.
        if settings.temperature != loaded.temperature:
            library.command(f"set temp={settings.temperature:.10g}")
            loaded.temperature = settings.temperature
        for name, value in settings.elements.items():
            known = loaded.elements.get(name)
            if known is not value and not (isinstance(value, float) and known == value):
                self._turn_element(loaded, name, value)
        self._turn_devices(loaded, settings)

    def _turn_element(self, loaded: _Loaded, name: str, value: Value) -> None:
        library = self._library
        loaded.elements[name] = value
        if isinstance(value, Waveform):
            library.alter_source(name, "pwl", np.ravel([value.time, value.value], order="F"))
        elif isinstance(value, Pulse):
            library.alter_source(name, "pulse", value.numbers())
        elif name in loaded.moving:
            library.alter_source(name, "pwl", np.array([0.0, value]))
        if isinstance(value, Waveform | Pulse):
            loaded.moving.add(name)
            library.alter(f"{name} dc", start_of(value))
        elif name[0].lower() in "vi":
            library.alter(f"{name} dc", value)
        else:
            library.alter(name, value)

    def _turn_devices(self, loaded: _Loaded, settings: Settings) -> None:
        library = self._library
        for name in set(loaded.devices) - set(settings.devices):
            library.alter(name, loaded.usual[name])
            del loaded.devices[name]
        for name, value in settings.devices.items():
            if name not in loaded.usual:
                loaded.usual[name] = self._value(name)
            if loaded.devices.get(name) != value:
                library.alter(name, value)
                loaded.devices[name] = value

    def _value(self, name: str) -> float:
        try:
            return float(self._library.vector(name)[0])
        except UnknownNameError:
            raise ParameterError(
                f"the circuit has no {name}; name the transistor as ngspice does, from the "
                "innermost element outwards, for example @m.x1.m0[delvto]."
            ) from None

    def _waveforms(self, deck: Deck, settings: Settings) -> Waveforms | None:
        signals = {}
        for probe in (*deck.probes, *deck.region_probes):
            kind, inner, name = probe.rstrip(")").partition("(")
            if probe.startswith("@") or not inner:
                name = probe
            elif kind == "i":
                name = f"{name}#branch"
            try:
                signals[probe] = self._library.vector(name)
            except UnknownNameError:
                continue
        try:
            if isinstance(settings.analysis, OperatingPoint):
                return Waveforms(np.zeros(1), signals) if signals else None
            axis = self._library.vector(settings.analysis.axis)
        except UnknownNameError:
            return None
        return Waveforms(axis, {n: s for n, s in signals.items() if s.size == axis.size})

    def _statistics(self, loaded: _Loaded) -> _Statistics:
        """Seconds, iterations and rejected points since the last call on this circuit."""
        self._library.messages.clear()
        self._library.command("rusage time totiter rejected")
        text = "\n".join(self._library.messages).lower()
        found = dict(_STATISTICS.findall(text))
        now = (
            float(found.get("total analysis time", 0)),
            int(float(found.get("total iterations", 0))),
            int(float(found.get("rejected timepoints", 0))),
        )
        before, loaded.statistics = loaded.statistics, now
        return now[0] - before[0], now[1] - before[1], now[2] - before[2]


def peak_memory() -> int:
    """Largest resident size of this process so far, bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
