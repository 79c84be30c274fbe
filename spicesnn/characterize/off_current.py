"""The off current of a transistor, by the terminal that it leaves through."""

from __future__ import annotations

from dataclasses import dataclass

from PySpice.Spice.Netlist import Circuit

from spicesnn.circuits.deck import Deck, OperatingPoint
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.session import Session
from spicesnn.processes import Mosfet, Process
from spicesnn.units import spice_number


@dataclass(frozen=True)
class OffCurrent:
    """Magnitudes of currents at zero gate voltage and the full supply across the channel, amperes.

    Attributes:
        drain: all of it.
        channel: what leaves through the source.
        junction: what leaves through the bulk.
        gate: what leaves through the gate.
    """

    drain: float
    channel: float
    junction: float
    gate: float


def off_current(
    process: Process,
    mosfet: Mosfet,
    width: float,
    length: float,
    *,
    celsius: float = 27.0,
    options: SimulationOptions | None = None,
) -> OffCurrent:
    """Measure a transistor of a process.

    Args:
        process: whose supply and models.
        mosfet: one of its transistors.
        width: drawn, metres.
        length: drawn, metres.
        celsius: temperature.
        options: by default the subthreshold profile; with ngspice's own gmin of 1e-12 S this is
            a picoampere for each volt, whatever the transistor does.

    Raises:
        ParameterError: a size or the temperature is out of range.
    """
    circuit = Circuit("cut off below")
    mosfet(circuit, "1", "d", "g", "s", "b", width=width, length=length)
    for node, level in (("d", mosfet.sign * process.supply), ("g", 0.0), ("s", 0.0), ("b", 0.0)):
        circuit.V(node, node, "0", raw_spice=f"dc {spice_number(level)}")
    netlist = str(circuit).partition("\n")[2]
    deck = Deck(
        f"off current of {mosfet.model}", netlist, process.models_for(netlist), {},
        ("i(vd)", "i(vs)", "i(vb)", "i(vg)"), OperatingPoint(),
        temperature=process.checked_temperature(celsius),
    )  # fmt: skip
    with Session(deck, options) as session:
        waves = session.run().waveforms
    drain, channel, junction, gate = (abs(float(waves[name][0])) for name in deck.probes)
    return OffCurrent(drain, channel, junction, gate)
