"""The answer to one simulation: verdict, waveforms, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from spicesnn.engine.messages import Message
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.verdict import Verdict
from spicesnn.errors import SimulationError
from spicesnn.waveforms import Waveforms


def nothing() -> Waveforms:
    """Waveforms of a run that computed none."""
    return Waveforms(np.empty(0), {})


@dataclass(frozen=True)
class Run:
    """One simulation's answer.

    Attributes:
        verdict: whether it can be trusted.
        detail: what the verdict rests on, empty when converged.
        waveforms: the probes; empty arrays where nothing was computed.
        ngspice: version that ran it.
        options: as used, after the ladder.
        klu: solved by KLU.
        messages: what ngspice said, classified, without mere information.
        reached: last axis value (time in a transient, seconds).
        analysis_seconds: ngspice's own analysis time, of all attempts.
        iterations: Newton iterations.
        rejected: rejected time points.
        peak_memory: of the process that ran it so far, bytes; in batch, of the largest so far.
        ladder: what was tried after a failure to converge or a doubt, in order.
        reloaded: knobs that made the deck be loaded again.
        from_cache: kept from an earlier time: it took no analysis time, iterations or memory now.
        changes: of each probe relative to its swing, where `verify` asked for them.
    """

    verdict: Verdict
    detail: str
    waveforms: Waveforms = field(default_factory=nothing)
    ngspice: int = 0
    options: SimulationOptions = field(default_factory=SimulationOptions)
    klu: bool = False
    messages: tuple[Message, ...] = ()
    reached: float = 0.0
    analysis_seconds: float = 0.0
    iterations: int = 0
    rejected: int = 0
    peak_memory: int = 0
    ladder: tuple[str, ...] = ()
    reloaded: tuple[str, ...] = ()
    from_cache: bool = False
    changes: Mapping[str, float] = field(default_factory=dict)

    def checked(self, title: str) -> Run:
        """Itself, if it can be trusted.

        Raises:
            SimulationError: it cannot; the message says what to change.
        """
        if self.verdict is not Verdict.CONVERGED:
            tried = f"; tried: {', '.join(self.ladder)}" if self.ladder else ""
            raise SimulationError(
                f"{title}: {self.verdict.value} ({self.detail}{tried}; ngspice {self.ngspice})."
            )
        return self
