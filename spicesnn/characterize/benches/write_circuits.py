"""What the benches of the writing cells share."""

from __future__ import annotations

import numpy as np
from PySpice.Spice.Netlist import Circuit

from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms

LOAD = 1e9  # ohms, at sources that would carry no current


def load_source(circuit: Circuit, *nodes: str) -> None:
    """Load sources with a nanoampere from the write supply, and that to ground.

    The solver holds a source's current to a part of it. Of a source without any it asks for
    attoamperes, which the charges of a step of nanoseconds do not have after rounding.
    """
    ends = [*((node, "vdd_write") for node in nodes), ("vdd_write", "0")]
    for node, other in ends:
        circuit.R(f"load_{node}", node, other, raw_spice=spice_number(LOAD))


def part_of(wave: Waveforms, start: float, stop: float) -> Waveforms:
    """The waveforms between two times, with a point at each."""
    inside = wave.time[(wave.time > start) & (wave.time < stop)]
    times = np.r_[start, inside, stop]
    return Waveforms(times, {name: wave.at(name, times) for name in wave.signals})
