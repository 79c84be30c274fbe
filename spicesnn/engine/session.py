"""Decks loaded once in this process; between runs only knobs are turned."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from spicesnn.circuits.deck import Deck, Waveform
from spicesnn.engine.installation import Installation, find_installation
from spicesnn.engine.library import NgspiceLibrary
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.run import Run
from spicesnn.engine.verdict import Verdict, classify_messages, judge
from spicesnn.errors import SimulationError, UnknownNameError
from spicesnn.waveforms import Waveforms

_STATISTICS = {
    "analysis": re.compile(r"total analysis time \(seconds\) = ([\d.eE+-]+)", re.I),
    "iterations": re.compile(r"total iterations = (\d+)", re.I),
    "rejected": re.compile(r"rejected timepoints = (\d+)", re.I),
}


class Session:
    """ngspice in this process, holding several loaded decks side by side.

    ngspice keeps a list of circuits; `setcirc` changes between them in microseconds, so a worker
    that alternates between two templates never reloads either. A library that refused a deck may
    be dead afterwards, so the session then refuses further work: start a new process.
    """

    def __init__(
        self, options: SimulationOptions, installation: Installation | None = None
    ) -> None:
        """Load the library of this installation (by default the newest found)."""
        self.options = options
        self.installation = installation or find_installation()
        self._library = NgspiceLibrary(self.installation)
        self._loaded: list[str] = []
        self._dead = ""

    def run(self, deck: Deck, knobs: Mapping[str, Waveform | float] | None = None) -> Run:
        """Run a deck with these knobs, all others at their defaults.

        Raises:
            UnknownNameError, ParameterError: a knob is unknown or its value does not suit it.
            SimulationError: an earlier deck left the library unusable.
        """
        settings = deck.settings(knobs)
        if self._dead:
            raise SimulationError(f"this session ended with: {self._dead}; start a new one.")
        library = self._library
        library.messages.clear()
        refused = self._select(deck)
        if refused:
            self._dead = refused
            empty = Waveforms(np.empty(0), {})
            version = self.installation.version
            return Run(Verdict.DECK_REFUSED, refused, empty, 0.0, 0, 0, version)
        for name, value in settings.items():
            if isinstance(value, Waveform):
                library.alter_waveform(name, value.time, value.value)
            else:
                library.alter(name, value)
        for message in library.messages:
            if "error" in message.lower() or "no such" in message.lower():
                raise SimulationError(f"{deck.title}: turning a knob failed: {message.strip()}")
        before = self._statistics()
        library.messages.clear()
        library.command(deck.transient.command())
        messages = tuple(library.messages)
        waveforms = self._waveforms(deck)
        library.command("destroy all")
        verdict, detail = judge(deck, waveforms, messages)
        return self._answer(verdict, detail, waveforms, before)

    def _select(self, deck: Deck) -> str:
        if deck.identity in self._loaded:
            # The newest circuit is number 1.
            number = len(self._loaded) - self._loaded.index(deck.identity)
            self._library.command(f"setcirc {number}")
            return ""
        failed = self._library.load(deck.text(self.options.line()))
        verdict, message = classify_messages(self._library.messages)
        if failed or verdict is Verdict.DECK_REFUSED:
            return message or "; ".join(self._library.messages[-3:])
        self._loaded.append(deck.identity)
        return ""

    def _waveforms(self, deck: Deck) -> Waveforms | None:
        try:
            time = self._library.vector("time")
        except UnknownNameError:
            return None
        signals = {}
        for probe in deck.probes:
            kind, _, name = probe.rstrip(")").partition("(")
            try:
                signals[probe] = self._library.vector(name if kind == "v" else f"{name}#branch")
            except UnknownNameError:
                continue
        return Waveforms(time, signals)

    def _statistics(self) -> dict[str, float]:
        self._library.messages.clear()
        self._library.command("rusage all")
        text = "\n".join(self._library.messages)
        found = {key: pattern.search(text) for key, pattern in _STATISTICS.items()}
        return {key: float(match.group(1)) if match else 0.0 for key, match in found.items()}

    def _answer(
        self, verdict: Verdict, detail: str, waveforms: Waveforms | None, before: dict[str, float]
    ) -> Run:
        after = self._statistics()
        empty = Waveforms(np.empty(0), {})
        return Run(
            verdict=verdict,
            detail=detail,
            waveforms=waveforms or empty,
            analysis_seconds=after["analysis"] - before["analysis"],
            iterations=int(after["iterations"] - before["iterations"]),
            rejected=int(after["rejected"] - before["rejected"]),
            ngspice=self.installation.version,
        )
