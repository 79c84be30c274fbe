"""What the benches of the learning cells share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySpice.Spice.Netlist import Circuit

from spicesnn.circuits.cells.bump import Bump
from spicesnn.circuits.cells.cell import bias_current, diode
from spicesnn.circuits.cells.side import side
from spicesnn.circuits.deck import Knob, Waveform
from spicesnn.measure.levels import settling_time
from spicesnn.processes import Process, Size
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]


NAN = float("nan")


def held_at(circuit: Circuit, node: str, volts: float) -> None:
    """A node held by a source of its own, which measures what flows into it."""
    circuit.V(node, node, "0", raw_spice=f"dc {spice_number(volts)}")


def middle_of(wave: Waveforms, name: str) -> float:
    """A signal at the middle of a sweep: at zero of one that goes to both sides."""
    return float(wave[name][wave.time.size // 2])


def average_of(wave: Waveforms, values: Array, start: float, end: float) -> float:
    """Of a signal over a time in which it rests: the solver's current rings from step to step."""
    inside = (wave.time >= start) & (wave.time <= end)
    if inside.sum() < 2:
        return NAN
    return float(np.trapezoid(values[inside], wave.time[inside]) / np.ptp(wave.time[inside]))


def settled_value(time: Array, y: Array, start: float) -> float:
    """Time from `start` until a curve stays within 5 % of where it ends, seconds.

    Means of neighbours, and at the end of the last quarter: the solver's current rings from step to
    step.
    """
    middle, mean = (time[1:] + time[:-1]) / 2, (y[1:] + y[:-1]) / 2
    final = float(mean[middle > 0.75 * time[-1]].mean())
    return settling_time(middle, mean, start, final, 0.05 * abs(final))


def steps_of(times: npt.ArrayLike, values: npt.ArrayLike, edge: float) -> Waveform:
    """A source that goes to a value at each time, in a straight line over `edge` seconds."""
    begin, level = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64)
    corners = np.column_stack([begin[1:], begin[1:] + edge]).ravel()
    levels = np.column_stack([level[:-1], level[1:]]).ravel()
    return Waveform(np.r_[begin[0], corners], np.r_[level[0], levels])


def bump_inputs(
    circuit: Circuit, process: Process, bump: Bump, i_bias: float, headroom: float
) -> Knob:
    """Inputs about a diode on a rail, plus and minus half the difference: the knob `vdiff`."""
    on = side(process, bump.complement)
    held_at(circuit, "stand", process.supply - headroom if bump.complement else headroom)
    size: Size = {"width": bump.width, "length": bump.length}
    diode(circuit, on.n, "stand", "mid", "stand", bulk=on.low, **size)
    # About what each branch carries when the inputs are equal; not from the cell's supply.
    bias_current(circuit, "stand", *(("mid", "0") if bump.complement else ("0", "mid")), i_bias / 4)
    circuit.raw_spice += "B1 v1 0 v = v(mid) + 0.5*v(diff)\nB2 v2 0 v = v(mid) - 0.5*v(diff)\n"
    return Knob("vdiff", ("diff", "0"), 0.0)
