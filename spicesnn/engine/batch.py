"""One deck by `ngspice -b` in a folder of its own: the second form of the engine."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from spicesnn.circuits.deck import Deck, Waveform
from spicesnn.engine.installation import Installation, find_installation
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.run import Run
from spicesnn.engine.verdict import Verdict, judge
from spicesnn.waveforms import Waveforms, read_raw


def run_batch(
    deck: Deck,
    knobs: Mapping[str, Waveform | float] | None = None,
    options: SimulationOptions | None = None,
    installation: Installation | None = None,
    time_limit: float = 120.0,
) -> Run:
    """Run a deck once in a fresh ngspice process; its exit code plays no part in the verdict."""
    installation = installation or find_installation()
    text = deck.text((options or SimulationOptions()).line(), knobs)
    waveforms: Waveforms | None = None
    with tempfile.TemporaryDirectory(prefix="spicesnn-") as folder:
        path = Path(folder)
        (path / "deck.cir").write_text(text, encoding="utf-8")
        command = [str(installation.program), "-n", "-b", "-r", "out.raw", "deck.cir"]
        try:
            process = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=time_limit,
                env={**os.environ, **installation.environment()},
                check=False,
            )
        except subprocess.TimeoutExpired:
            late = Waveforms(np.empty(0), {})
            detail = f"{time_limit:g} s"
            return Run(Verdict.TIMED_OUT, detail, late, 0.0, 0, 0, installation.version)
        if (path / "out.raw").exists():
            waveforms = read_raw(path / "out.raw")
    messages = process.stdout.decode(errors="replace").splitlines()
    verdict, detail = judge(deck, waveforms, messages)
    empty = Waveforms(np.empty(0), {})
    return Run(verdict, detail, waveforms or empty, 0.0, 0, 0, installation.version)
