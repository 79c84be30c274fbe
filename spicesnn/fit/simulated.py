"""Curves of a process's transistor, simulated: the same points as a measurement would have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySpice.Spice.Netlist import Circuit

from spicesnn.circuits.deck import Deck, Knob, OperatingPoint
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.fit.curves import Curves, Kind
from spicesnn.processes import Process


def simulated_curves(
    process: Process,
    kind: Kind,
    width: float,
    length: float,
    pool: Pool,
    *,
    celsius: Sequence[float] = (27.0,),
    step: float = 0.05,
) -> list[Curves]:
    """Id over gate voltages at four drain voltages, by operating points with the knobs turned.

    Args:
        process: with its corner.
        kind: nfet or pfet, of the core supply.
        width: drawn, metres.
        length: drawn, metres.
        pool: where the runs are made.
        celsius: temperatures; one set of curves each.
        step: of the gate voltage, volts.

    Raises:
        ParameterError: a size or temperature is out of the process's range.
    """
    circuit = Circuit("cut off below")
    mosfet = process.mosfet(kind)
    mosfet(circuit, "1", "d", "g", "0", "0", width=width, length=length)
    deck = Deck(
        f"curves of {mosfet.model}", str(circuit).partition("\n")[2], process.models,
        {name: Knob(name, (name[1:], "0"), 0.0) for name in ("vg", "vd")}, ("i(vd)",),
        OperatingPoint(),
    )  # fmt: skip
    gates = np.arange(0.0, process.supply + 1e-9, step)
    drains = np.array([0.1, 0.3, 0.6, 1.0]) * process.supply
    vg, vd = (mosfet.sign * axis.ravel() for axis in np.meshgrid(gates, drains))
    found = []
    for temperature in celsius:
        knobs = {"temperature": process.checked_temperature(temperature)}
        runs = pool.map([
            Job(deck, {"vg": float(g), "vd": float(d), **knobs})
            for g, d in zip(vg, vd, strict=True)
        ])  # fmt: skip
        current = np.array([-float(run.waveforms["i(vd)"][0]) for run in runs])
        none = np.zeros_like(vg)
        source = f"{process.name} {process.corner}, {mosfet.model}"
        found.append(Curves(vg, vd, none, none, current, kind, width, length, temperature, source))
    return found
