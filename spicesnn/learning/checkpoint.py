"""Checkpoints: one file that is either the old state or the new one, never half of either."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from spicesnn.errors import RunFolderError
from spicesnn.learning.forward import Response

Array = npt.NDArray[np.float64]
Row = dict[str, float | None]


@dataclass
class State:
    """Where a training run stands; random draws depend on (seed, epoch, batch), not on history.

    Attributes:
        conductance, g_min, g_max: devices, siemens, shape (2, rows, units).
        theta: threshold of the trigger.
        epoch, batch: the next batch to do.
        writes: programming pulses so far.
        analysis_seconds: the simulator's own time so far.
        wall_seconds: time spent in the training loop so far.
        simulations: how many were run so far, all converged; repeats from memory not counted.
        epoch_totals: sums over the current epoch.
        history: one row a finished epoch.
        forward: what a `Remembering` forward needs to go on.
    """

    conductance: Array
    g_min: Array
    g_max: Array
    theta: float
    epoch: int = 0
    batch: int = 0
    writes: int = 0
    analysis_seconds: float = 0.0
    wall_seconds: float = 0.0
    simulations: int = 0
    epoch_totals: dict[str, float] = field(default_factory=dict)
    history: list[Row] = field(default_factory=list)
    forward: dict[str, Any] = field(default_factory=dict)

    def count(self, responses: Sequence[Response]) -> None:
        """Add what these answers cost."""
        self.analysis_seconds += sum(r.analysis_seconds for r in responses)
        self.simulations += sum(r.simulations for r in responses)

    def save(self, path: Path) -> None:
        """Write the state atomically."""
        rest = {k: v for k, v in vars(self).items() if k not in {"conductance", "g_min", "g_max"}}
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(
                file,
                conductance=self.conductance,
                g_min=self.g_min,
                g_max=self.g_max,
                rest=np.array(json.dumps(rest)),
            )
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)

    @staticmethod
    def load(path: Path) -> State:
        """Read a state.

        Raises:
            RunFolderError: the file is not a checkpoint.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                rest = json.loads(str(data["rest"]))
                return State(data["conductance"], data["g_min"], data["g_max"], **rest)
        except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
            raise RunFolderError(
                f"{path} is not a checkpoint of this version ({error}); delete it to start anew."
            ) from None
