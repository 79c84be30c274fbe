"""Benches of the learning cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from spicesnn.characterize.bench import (
    Bench,
    Entry,
    Line,
    Panel,
    Quantity,
    bench_circuit,
    bench_deck,
)
from spicesnn.characterize.condition import Condition, doubts
from spicesnn.circuits.cells.bump import Bump
from spicesnn.circuits.cells.side import side
from spicesnn.circuits.deck import DcSweep, Deck, Knob, Value
from spicesnn.measure.levels import width_at
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


class BumpBench(Bench):
    """The bump over the difference of its inputs, both swept about half the supply."""

    name: ClassVar[str] = "bump"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "bump, largest": Quantity("A"),
        "bump over law, ±100 mV, most": Quantity(
            "1", 0.9, 1.1, law="I_b / (1 + (4/S) cosh²(κ(V1-V2)/(2 U_T)))"
        ),
        "bump over law, ±100 mV, least": Quantity("1", 0.9, 1.1),
        "bump, full width at half height": Quantity("V"),
        "bump, centre": Quantity("V", scale=1e-3),
        "bump and antibump over bias": Quantity("1"),
        "bump cell, static power": Quantity("W"),
    }

    cell: Bump = Bump()
    i_bias: float = parameter(10e-9, unit="A", doc="tail current", gt=0)
    span: float = parameter(0.25, unit="V", doc="largest difference, to each side", gt=0)

    def deck(self, process: Process) -> Deck:
        """Inputs at half the supply, plus and minus half the difference; outputs at a rail."""
        circuit = bench_circuit(process, self.cell)
        on, half = side(process, self.cell.complement), spice_number(process.supply / 2)
        circuit.raw_spice += f"B1 v1 0 v = {half} + 0.5*v(diff)\nB2 v2 0 v = {half} - 0.5*v(diff)\n"
        rail = spice_number(process.supply if on.high == "vdd" else 0.0)
        for output in ("bump", "antibump"):
            circuit.V(output, output, "0", raw_spice=f"dc {rail}")
        on.current_from_high(circuit, "bias", "bias", self.i_bias)
        circuit.X("bump", "bump", *self.cell.ports)
        sweep = DcSweep("vdiff", -self.span, self.span, self.span / 250)
        probes = ["i(vbump)", "i(vantibump)", "i(vdd)"]
        knob = Knob("vdiff", ("diff", "0"), 0.0)
        return bench_deck(self.name, circuit, process, sweep, probes, [knob])

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Height, width, centre, and the ratio to the law between -100 and 100 mV."""
        wave = waveforms[0]
        difference, bump, antibump = (
            wave.time,
            *(abs(wave[f"i(v{n})"]) for n in ("bump", "antibump")),
        )
        near = np.abs(difference) <= 0.1 + 1e-9
        ratio = (bump / self._law(difference, on))[near]
        top = difference[bump > 0.9 * bump.max()]
        weight = bump[bump > 0.9 * bump.max()]
        zero = int(np.abs(difference).argmin())
        return {
            "bump, largest": float(bump.max()),
            "bump over law, ±100 mV, most": float(ratio.max()),
            "bump over law, ±100 mV, least": float(ratio.min()),
            "bump, full width at half height": width_at(difference, bump),
            "bump, centre": float((top * weight).sum() / weight.sum()),
            "bump and antibump over bias": float((bump + antibump)[zero] / self.i_bias),
            "bump cell, static power": float(
                on.supply * (bump + antibump)[zero] + on.supply * self.i_bias
            ),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The bump and its law."""
        wave = waveforms[0]
        bump, antibump = (abs(wave[f"i(v{n})"]) for n in ("bump", "antibump"))
        law = self._law(wave.time, on)
        lines = (
            Line("bump", wave.time, bump), Line("law of the bump", wave.time, law, law=True),
            Line("antibump", wave.time, antibump),
            Line("law of the antibump", wave.time, self.i_bias - law, law=True),
        )  # fmt: skip
        return (Panel("Bump and antibump", "V1 - V2", "V", "current", "A", lines),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The tail current in the outer transistors."""
        kind = "pfet" if self.cell.complement else "nfet"
        tail = (self.i_bias, kind, self.cell.width, self.cell.length)
        return doubts({"i_bias": tail}, on)

    def _law(self, difference: np.ndarray, on: Condition) -> np.ndarray:
        kappa = (on.pfet if self.cell.complement else on.nfet).kappa
        argument = kappa * difference / (2 * on.thermal_voltage)
        return np.asarray(self.i_bias / (1 + 4 / self.cell.middle * np.cosh(argument) ** 2))


ENTRIES: tuple[Entry, ...] = (Entry("bump", "Bump-antibump circuit", Bump, (BumpBench(),)),)
