"""What the benches of the DPI synapses share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
from PySpice.Spice.Netlist import Circuit

from spicesnn.characterize.bench import (
    Line,
    bench_circuit,
)
from spicesnn.characterize.condition import Condition, WeakInversion
from spicesnn.circuits.cells.cell import bias_current
from spicesnn.circuits.cells.dpi_synapse import (
    DpiCore,
)
from spicesnn.circuits.cells.side import side
from spicesnn.circuits.deck import Waveform
from spicesnn.circuits.stimuli import pulse_train
from spicesnn.measure.levels import first_crossing
from spicesnn.processes import Process, Size
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]


EDGE = 1e-6


def drain_current(process: Process, kind: Literal["nfet", "pfet"], name: str, cell: str) -> str:
    """The probe of the current of a transistor in a cell."""
    return f"@{process.mosfet(kind).instance(name, cell)}[id]"


def decay_line(label: str, time: Array, current: Array, tau: float) -> Line:
    """The law's decay from where a curve has come to half of its peak."""
    top = int(current.argmax())
    start = first_crossing(time, current, 0.5 * float(current[top]), "falling", float(time[top]))
    later = start + np.linspace(0, 4, 50) * tau
    return Line(label, later, 0.5 * current[top] * np.exp(-(later - start) / tau), law=True)


def ends(cell: DpiCore, process: Process, port: str) -> tuple[str, str]:
    """The nodes of a positive current source for a mirror input of a DPI synapse."""
    on = side(process, cell.complement)
    rail = on.low if port in ("gain", "tau", "recovery") else on.high
    return (port, "0") if rail == "0" else ("vdd", port)


def synapse_circuit(cell: DpiCore, process: Process, currents: Mapping[str, float]) -> Circuit:
    """A DPI synapse on its supply, with constant currents into some of its mirror inputs."""
    circuit = bench_circuit(process, cell)
    circuit.X("syn", cell.subcircuit_name, *cell.ports)
    for port, amperes in currents.items():
        bias_current(circuit, port, *ends(cell, process, port), amperes)
    return circuit


def pulse_level(cell: DpiCore, process: Process, closed: bool) -> float:
    """The level of `pulse` while its switch is closed or open, volts."""
    return process.supply if closed is not cell.complement else 0.0


def pulses(
    cell: DpiCore, process: Process, times: npt.ArrayLike, width: float, stop: float
) -> Waveform:
    """Pulses that close the input switch at these times (seconds)."""
    train = pulse_train(times, high=process.supply, width=width, edge=EDGE, stop=stop)
    if not cell.complement:
        return train
    return Waveform(train.time, process.supply - train.value)


def output_current(cell: DpiCore, wave: Waveforms) -> Array:
    """The output current, positive where it flows the way that the synapse is for."""
    return wave["i(vout)"] * (-1 if cell.complement else 1)


def output_kind(cell: DpiCore) -> Literal["nfet", "pfet"]:
    """Of D6, which reads `v_syn`."""
    return "nfet" if cell.complement else "pfet"


def input_kind(cell: DpiCore) -> Literal["nfet", "pfet"]:
    """Of weight and pair."""
    return "pfet" if cell.complement else "nfet"


def constants_of(on: Condition, kind: Literal["nfet", "pfet"]) -> WeakInversion:
    """The extracted constants of a kind of transistor."""
    return on.nfet if kind == "nfet" else on.pfet


def gate_voltage(device: WeakInversion, on: Condition, amperes: float, size: Size) -> float:
    """Of a transistor in weak inversion that carries a current, source at the bulk; volts."""
    unit = amperes * size["length"] / size["width"]
    return float(on.thermal_voltage / device.kappa * np.log(unit / device.i_0))
