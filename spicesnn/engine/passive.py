"""A passive array among the pieces of a network: answered by its port admittances, not by ngspice.

The currents of its ports are `I = Y V`, with the voltages of its rows as they were recorded and
the columns at the voltages of their sources: exact for the array itself. What its neighbours see
of it, when they run alone, is the diagonal of `Y` as a resistance; they feel each other through
the rest of `Y` only as far as a port leaves the voltage that is held there. How far it did can be
put in afterwards, from the voltages that the neighbours recorded, and the neighbours run again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from spicesnn.arrays.crossbar import Crossbar
from spicesnn.arrays.transfer import Reduction, reduction
from spicesnn.circuits.deck import Pulse, Value, Waveform
from spicesnn.circuits.network import Piece
from spicesnn.engine.run import Run
from spicesnn.engine.verdict import Verdict
from spicesnn.errors import ParameterError
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]
_CELL = re.compile(r"r(\d+)_(\d+)")
_MOST_KNOWN = 64


class PassiveArray:
    """The reduction of one piece's array, kept for the last conductances it was asked for.

    As many as the settings of a batch, and no more than 64.
    """

    def __init__(self, piece: Piece) -> None:
        """Reduce nothing yet."""
        self._piece = piece
        self._known: dict[bytes, Reduction] = {}

    def reduction(self, own: Mapping[str, Value]) -> Reduction:
        """The admittances of the array with these cells, `r<row>_<column>` in ohms."""
        crossbar = self._crossbar(own)
        key = crossbar.conductance.tobytes()
        if key not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[key] = reduction(crossbar)
        return self._known[key]

    def resistances(self, own: Mapping[str, Value]) -> dict[str, float]:
        """What the port of each source knob (`vleft3`) takes, ohms, all other ports held."""
        found = self.reduction(own)
        taken = 1 / np.diag(found.admittance)
        return {f"v{port}": float(r) for port, r in zip(found.names(), taken, strict=True)}

    def run(
        self,
        own: Mapping[str, Value],
        recorded: Mapping[str, tuple[Array, Array]],
        stop: float,
        moved: Mapping[str, tuple[Array, Array]] | None = None,
    ) -> Run:
        """Currents of the sources that the piece's deck probes, over all recorded times.

        Args:
            own: knobs of the piece that no edge drives.
            recorded: time and voltage of the source knobs that edges drive.
            stop: seconds; the end of the run.
            moved: time and voltage that were found at ports held by source knobs. The current of a
                port takes account of the others; of itself its neighbour does.
        """
        found, moved = self.reduction(own), moved or {}
        ports = found.names()
        knobs = {name: own.get(name, knob.default) for name, knob in self._piece.deck.knobs.items()}
        driven = dict(recorded)
        for port in ports:
            if f"v{port}" not in driven:
                driven[f"v{port}"] = _corners(f"v{port}", knobs[f"v{port}"])
        inside = [t[(t >= 0) & (t <= stop)] for t, _ in (*driven.values(), *moved.values())]
        time = np.unique(np.concatenate([*inside, [0.0, stop]]))
        volts = np.stack([np.interp(time, *driven[f"v{port}"]) for port in ports])
        # SPICE counts a source's current from its first node through itself: out of the array.
        into = found.into(volts.T).T
        if moved:
            away = np.zeros_like(volts)
            for name, wave in moved.items():
                index = ports.index(name[1:])
                away[index] = np.interp(time, *wave) - volts[index]
            into = into + (found.admittance - np.diag(np.diag(found.admittance))) @ away
        signals = {
            probe: -into[ports.index(probe[3:-1])]
            for probe in self._piece.deck.probes
            if probe.startswith("i(v")
        }
        return Run(Verdict.CONVERGED, "", Waveforms(time, signals), reached=stop)

    def _crossbar(self, own: Mapping[str, Value]) -> Crossbar:
        array = self._piece.array
        assert array is not None  # noqa: S101 - only made for such a piece
        conductance = np.array(array.conductance)
        for name, value in own.items():
            cell = _CELL.fullmatch(name)
            if not cell:
                continue
            place = int(cell.group(1)), int(cell.group(2))
            if place[0] >= array.rows or place[1] >= array.columns:
                raise ParameterError(
                    f"{self._piece.name} has no cell {name}: it is {array.rows} x {array.columns}, "
                    "counted from 0."
                )
            if not isinstance(value, float | int) or not 0 < value < np.inf:
                raise ParameterError(f"{self._piece.name}: give positive ohms for {name}.")
            conductance[place] = 1 / value
        return array.with_conductance(conductance)


def _corners(name: str, value: Value) -> tuple[Array, Array]:
    if isinstance(value, Waveform):
        return value.time, value.value
    if isinstance(value, Pulse):
        raise ParameterError(f"knob {name} of an array: give a Waveform or a number, not a Pulse.")
    return np.array([0.0]), np.array([value])
