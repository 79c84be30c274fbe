"""The answer to one simulation: verdict, waveforms, provenance."""

from __future__ import annotations

from dataclasses import dataclass

from spicesnn.engine.verdict import Verdict
from spicesnn.errors import SimulationError
from spicesnn.waveforms import Waveforms


@dataclass(frozen=True)
class Run:
    """One simulation's answer.

    Attributes:
        verdict: whether it can be trusted.
        detail: what the verdict rests on, empty when converged.
        waveforms: the probes; empty arrays where nothing was computed.
        analysis_seconds: ngspice's own analysis time.
        iterations: Newton iterations.
        rejected: rejected time points.
        ngspice: version that ran it.
    """

    verdict: Verdict
    detail: str
    waveforms: Waveforms
    analysis_seconds: float
    iterations: int
    rejected: int
    ngspice: int

    def checked(self, title: str) -> Run:
        """Itself, if it converged.

        Raises:
            SimulationError: it did not; the message says what to change.
        """
        if self.verdict is not Verdict.CONVERGED:
            raise SimulationError(
                f"{title}: {self.verdict.value} ({self.detail}; ngspice {self.ngspice})."
            )
        return self
