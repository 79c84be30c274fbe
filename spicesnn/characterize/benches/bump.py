"""Benches of the bump-antibump circuit."""

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
from spicesnn.characterize.benches.learning_circuits import NAN, Array, bump_inputs, held_at
from spicesnn.characterize.condition import Condition, doubts
from spicesnn.circuits.cells.bump import Bump
from spicesnn.circuits.cells.side import side
from spicesnn.circuits.deck import DcSweep, Deck, Value
from spicesnn.measure.levels import width_at
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.waveforms import Waveforms


def _bump_law(difference: Array, bump: Bump, i_bias: float, on: Condition) -> Array:
    kappa = (on.pfet if bump.complement else on.nfet).kappa
    argument = kappa * difference / (2 * on.thermal_voltage)
    return np.asarray(i_bias / (1 + 4 / bump.middle * np.cosh(argument) ** 2))


class BumpBench(Bench):
    """The bump over the difference of its inputs, both swept about a diode on a rail."""

    name: ClassVar[str] = "bump"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "bump, largest": Quantity("A"),
        "bump over law, ±100 mV, most": Quantity(
            "1", 0.9, 1.1, law="I_b / (1 + (4/S) cosh²(κ(V1-V2)/(2 U_T)))"
        ),
        "bump over law, ±100 mV, least": Quantity("1", 0.9, 1.1),
        "antibump over law, ±100 mV, most": Quantity("1", 0.9, 1.1, law="I_b - I_bump"),
        "antibump over law, ±100 mV, least": Quantity("1", 0.9, 1.1),
        "bump, full width at half height": Quantity("V"),
        "bump, centre": Quantity("V", scale=1e-3),
        "bump and antibump over bias": Quantity("1"),
        "bump cell, static power": Quantity("W"),
    }

    cell: Bump = Bump()
    i_bias: float = parameter(2e-9, unit="A", doc="tail current", gt=0)
    headroom: float = parameter(0.4, unit="V", doc="rail under the inputs' diode", gt=0)
    span: float = parameter(0.25, unit="V", doc="largest difference, to each side", gt=0)

    def deck(self, process: Process) -> Deck:
        """The cell switched on, outputs at the rail that they sink from."""
        circuit, on = bench_circuit(process, self.cell), side(process, self.cell.complement)
        knob = bump_inputs(circuit, process, self.cell, self.i_bias, self.headroom)
        for output in ("bump", "antibump"):
            held_at(circuit, output, process.supply if on.high == "vdd" else 0.0)
        on.current_from_high(circuit, "bias", "bias", self.i_bias)
        circuit.X("bump", "bump", "v1", "v2", "bump", "antibump", "bias", on.high, "vdd")
        sweep = DcSweep("vdiff", -self.span, self.span, self.span / 250)
        return bench_deck(
            self.name, circuit, process, sweep, ["i(vbump)", "i(vantibump)"], [knob]
        )  # fmt: skip

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One sweep."""
        return [{}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Height, width, centre, and the ratios to the law between -100 and 100 mV."""
        difference, bump, antibump = self._curves(waveforms)
        near = np.abs(difference) <= 0.1 + 1e-9
        law = _bump_law(difference, self.cell, self.i_bias, on)
        ratio, other = (bump / law)[near], (antibump / (self.i_bias - law))[near]
        weight = np.where(bump > 0.9 * bump.max(), bump, 0.0)
        total = float(weight.sum())
        both = float((bump + antibump)[np.abs(difference).argmin()])
        return {
            "bump, largest": float(bump.max()),
            "bump over law, ±100 mV, most": float(ratio.max()),
            "bump over law, ±100 mV, least": float(ratio.min()),
            "antibump over law, ±100 mV, most": float(other.max()),
            "antibump over law, ±100 mV, least": float(other.min()),
            "bump, full width at half height": width_at(difference, bump),
            "bump, centre": float((difference * weight).sum()) / total if total > 0 else NAN,
            "bump and antibump over bias": both / self.i_bias,
            "bump cell, static power": on.supply * (both + self.i_bias),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The bump and its law."""
        difference, bump, antibump = self._curves(waveforms)
        law = _bump_law(difference, self.cell, self.i_bias, on)
        lines = (
            Line("bump", difference, bump), Line("law of the bump", difference, law, law=True),
            Line("antibump", difference, antibump),
            Line("law of the antibump", difference, self.i_bias - law, law=True),
        )  # fmt: skip
        return (Panel("Bump and antibump", "V1 - V2", "V", "current", "A", lines),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The tail current in the outer transistors."""
        kind = "pfet" if self.cell.complement else "nfet"
        return doubts({"i_bias": (self.i_bias, kind, self.cell.width, self.cell.length)}, on)

    @staticmethod
    def _curves(waveforms: Sequence[Waveforms]) -> tuple[Array, Array, Array]:
        wave = waveforms[0]
        return wave.time, np.abs(wave["i(vbump)"]), np.abs(wave["i(vantibump)"])


ENTRIES: tuple[Entry, ...] = (Entry("bump", "Bump-antibump circuit", Bump, (BumpBench(),)),)
