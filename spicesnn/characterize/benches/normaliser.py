"""Benches of the Gilbert normaliser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from PySpice.Spice.Netlist import Circuit

from spicesnn.characterize.bench import (
    Bench,
    Entry,
    Line,
    Panel,
    Quantity,
    bench_circuit,
    bench_deck,
)
from spicesnn.characterize.benches.learning_circuits import (
    Array,
    held_at,
    middle_of,
    settled_value,
    steps_of,
)
from spicesnn.characterize.condition import Condition, doubts
from spicesnn.circuits.cells.cell import bias_current, diode
from spicesnn.circuits.cells.normaliser import Normaliser
from spicesnn.circuits.deck import DcSweep, Deck, Knob, Transient, Value, Waveform
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms


def _normaliser_circuit(
    process: Process, cell: Normaliser, v_return: float, i_bias: float
) -> Circuit:
    """The normaliser with its tail's mirror input, outputs held at half the supply."""
    circuit = bench_circuit(process, cell)
    for node, volts in (
        ("v_return", v_return), ("sum_plus", process.supply / 2), ("sum_minus", process.supply / 2),
    ):  # fmt: skip
        held_at(circuit, node, volts)
    diode(circuit, process.nfet, "tail", "v_p", "0", width=cell.width, length=cell.length)
    circuit.X("normaliser", "normaliser", *cell.ports)
    # The mirror input of all normalisers on a trace: not from the cell's supply.
    bias_current(circuit, "tail", "0", "v_p", i_bias)
    return circuit


def _normaliser_outputs(wave: Waveforms) -> tuple[Array, Array]:
    return -wave["i(vsum_plus)"], -wave["i(vsum_minus)"]


class NormaliserBench(Bench):
    """The normaliser over currents into its two sides, ten to one each."""

    name: ClassVar[str] = "normaliser"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "normaliser, output off the law over bias, most": Quantity(
            "1", None, 0.05, law="I_b (I+ - I-)/(I+ + I-)"
        ),
        "normaliser, output over law, most": Quantity("1", 0.95, 1.05),
        "normaliser, output over law, least": Quantity("1", 0.95, 1.05),
        "normaliser, sum of the outputs over bias": Quantity("1", 0.95, 1.05),
        "normaliser, offset at equal currents over bias": Quantity("1", scale=0.01),
        "normaliser, static power": Quantity("W"),
    }

    cell: Normaliser = Normaliser()
    v_return: float = parameter(0.28, unit="V", doc="rail under the read diodes", gt=0)
    i_read: float = parameter(1e-9, unit="A", doc="middle of the inputs' range", gt=0)
    i_bias: float = parameter(1e-9, unit="A", doc="tail current", gt=0)
    PLACES: ClassVar[tuple[float, ...]] = (-0.5, 0.0, 0.5)

    def deck(self, process: Process) -> Deck:
        """Currents `i_read * 10**u`: `vx` is the plus side's u and swept, `vy` the minus side's."""
        circuit = _normaliser_circuit(process, self.cell, self.v_return, self.i_bias)
        for name, node in (("x", "plus"), ("y", "minus")):
            law = f"{spice_number(self.i_read)}*exp(v({name})*2.302585093)"
            circuit.raw_spice += f"B{name} 0 {node} i = {law}\n"
        knobs = [Knob("vx", ("x", "0"), 0.0), Knob("vy", ("y", "0"), 0.0)]
        probes = ["i(vsum_plus)", "i(vsum_minus)", "v(plus)", "v(minus)"]
        sweep = DcSweep("vx", -0.5, 0.5, 0.01)
        return bench_deck(self.name, circuit, process, sweep, probes, knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """The minus side at both ends and in the middle."""
        return [{"vy": place} for place in self.PLACES]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Differences from the law over the bias, and the ratio where the law is a tenth of it."""
        outputs = [_normaliser_outputs(wave) for wave in waveforms]
        off, ratio = _off_law(outputs, [_weight(w.time, y) for w, y in self._runs(waveforms)],
                              self.i_bias)  # fmt: skip
        plus, minus = outputs[1]
        middle, total = plus.size // 2, np.array([p + m for p, m in outputs]) / self.i_bias
        read = self.i_read * float(
            middle_of(waveforms[1], "v(plus)")
            + middle_of(waveforms[1], "v(minus)")
            - 2 * self.v_return
        )
        return {
            "normaliser, output off the law over bias, most": float(off.max()),
            "normaliser, output over law, most": float(ratio.max()),
            "normaliser, output over law, least": float(ratio.min()),
            "normaliser, sum of the outputs over bias": float(
                total.ravel()[np.abs(total - 1).argmax()]
            ),
            "normaliser, offset at equal currents over bias": float(plus[middle] - minus[middle])
            / self.i_bias,
            "normaliser, static power": on.supply * float(plus[middle] + minus[middle]) + read,
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The difference of the outputs over the plus side's current."""
        lines = []
        for wave, place in self._runs(waveforms):
            plus, minus = _normaliser_outputs(wave)
            current, other = self.i_read * 10**wave.time, self.i_read * 10**place
            law = self.i_bias * _weight(wave.time, place)
            lines.append(Line(f"I- = {other * 1e9:.2g} nA", current, plus - minus))
            lines.append(Line(f"law, I- = {other * 1e9:.2g} nA", current, law, law=True))
        title = "Difference of the outputs"
        return (Panel(title, "I+", "A", "I(sum_plus) - I(sum_minus)", "A", tuple(lines), "x"),)

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """The largest input current and the tail's."""
        size = ("nfet", self.cell.width, self.cell.length)
        most = self.i_read * 10**0.5
        return doubts({"largest input": (most, *size), "i_bias": (self.i_bias, *size)}, on)

    def _runs(self, waveforms: Sequence[Waveforms]) -> list[tuple[Waveforms, float]]:
        return list(zip(waveforms, self.PLACES, strict=True))


def _weight(decades: Array, place: float) -> Array:
    """`(I+ - I-)/(I+ + I-)` of currents or conductances, from their decades."""
    plus, minus = 10**decades, 10**place
    return np.asarray((plus - minus) / (plus + minus))


def _off_law(
    outputs: Sequence[tuple[Array, Array]], weights: Sequence[Array], i_bias: float
) -> tuple[Array, Array]:
    """How far differences of outputs are from `i_bias` times the weights.

    Returns:
        Distances over the bias, and ratios to the law where it is at least a tenth of the bias.
    """
    difference = np.array([plus - minus for plus, minus in outputs]) / i_bias
    weight = np.array(weights)
    large = np.abs(weight) >= 0.1
    return np.abs(difference - weight), difference[large] / weight[large]


class NormaliserReadBench(Bench):
    """The normaliser behind two resistive devices, ten to one each, read from a rail.

    At the defaults the conductances run from 1.6 to 16 nS, and of the 1.5 V of the rail 0.6 to
    0.8 V stand across a device. The read diode's voltage moves by `U_T/kappa` an e-fold of
    current: the less a device has, the less the ratio of currents is that of conductances.
    """

    name: ClassVar[str] = "normaliser_read"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "normaliser, output off the law of conductances over bias, most": Quantity(
            "1", None, 0.1, law="I_b (G+ - G-)/(G+ + G-)"
        ),
        "normaliser, output over law of conductances, most": Quantity("1", 0.9, 1.1),
        "normaliser, output over law of conductances, least": Quantity("1", 0.9, 1.1),
        "normaliser, voltage across a device, least": Quantity("V"),
        "normaliser, voltage across a device, most": Quantity("V"),
        "normaliser, read power at middle conductances": Quantity("W"),
    }

    cell: Normaliser = Normaliser()
    v_return: float = parameter(0.28, unit="V", doc="rail under the read diodes", gt=0)
    v_read: float = parameter(1.5, unit="V", doc="rail of the devices", gt=0)
    conductance: float = parameter(5e-9, unit="S", doc="middle of the devices' range", gt=0)
    i_bias: float = parameter(1e-9, unit="A", doc="tail current", gt=0)
    PLACES: ClassVar[tuple[float, ...]] = (-0.5, 0.0, 0.5)

    def deck(self, process: Process) -> Deck:
        """Conductances `conductance * 10**u`, u as in the bench of currents."""
        circuit = _normaliser_circuit(process, self.cell, self.v_return, self.i_bias)
        held_at(circuit, "v_read", self.v_read)
        for name, node in (("x", "plus"), ("y", "minus")):
            law = f"{spice_number(self.conductance)}*exp(v({name})*2.302585093)*v(v_read,{node})"
            circuit.raw_spice += f"B{name} v_read {node} i = {law}\n"
        knobs = [Knob("vx", ("x", "0"), 0.0), Knob("vy", ("y", "0"), 0.0)]
        probes = ["i(vsum_plus)", "i(vsum_minus)", "i(vv_read)", "v(plus)", "v(minus)"]
        sweep = DcSweep("vx", -0.5, 0.5, 0.01)
        return bench_deck(self.name, circuit, process, sweep, probes, knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """The minus side at both ends and in the middle."""
        return [{"vy": place} for place in self.PLACES]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """As with currents; the devices' voltage besides."""
        outputs = [_normaliser_outputs(wave) for wave in waveforms]
        weights = [_weight(w.time, y) for w, y in zip(waveforms, self.PLACES, strict=True)]
        off, ratio = _off_law(outputs, weights, self.i_bias)
        across = self.v_read - np.array([w["v(plus)"] for w in waveforms])
        return {
            "normaliser, output off the law of conductances over bias, most": float(off.max()),
            "normaliser, output over law of conductances, most": float(ratio.max()),
            "normaliser, output over law of conductances, least": float(ratio.min()),
            "normaliser, voltage across a device, least": float(across.min()),
            "normaliser, voltage across a device, most": float(across.max()),
            "normaliser, read power at middle conductances": -self.v_read
            * middle_of(waveforms[1], "i(vv_read)"),
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """The difference of the outputs over the weight."""
        plus, minus = _normaliser_outputs(waveforms[1])
        weight = _weight(waveforms[1].time, 0.0)
        lines = (
            Line("simulated", weight, plus - minus),
            Line("law", weight, self.i_bias * weight, law=True),
        )
        title, x = "Output over the weight of two conductances", "(G+ - G-)/(G+ + G-)"
        return (Panel(title, x, "", "I(sum_plus) - I(sum_minus)", "A", lines),)


class NormaliserSettlingBench(Bench):
    """The normaliser's currents exchanged, and its tail current raised tenfold."""

    name: ClassVar[str] = "normaliser_settling"
    properties: ClassVar[Mapping[str, Quantity]] = {
        "normaliser, settling of exchanged currents to 5 %": Quantity("s"),
        "normaliser, settling of the tail to 5 %": Quantity("s"),
    }

    cell: Normaliser = Normaliser()
    v_return: float = parameter(0.28, unit="V", doc="rail under the read diodes", gt=0)
    i_read: float = parameter(1e-9, unit="A", doc="middle of the inputs' range", gt=0)
    i_bias: float = parameter(1e-9, unit="A", doc="tail current", gt=0)
    maximum_step: float = parameter(5e-8, unit="s", doc="bound of the solver's step", gt=0)

    def deck(self, process: Process) -> Deck:
        """Knobs `iplus` and `iminus`, and `istep` for what is added to the tail's current."""
        circuit = _normaliser_circuit(process, self.cell, self.v_return, 0.1 * self.i_bias)
        knobs = [
            Knob(f"i{name}", ("0", node), Waveform.constant(0.0))
            for name, node in (("plus", "plus"), ("minus", "minus"), ("step", "v_p"))
        ]
        probes = ["i(vsum_plus)", "i(vsum_minus)"]
        analysis = Transient(4e-5, self.maximum_step)
        return bench_deck(self.name, circuit, process, analysis, probes, knobs)

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """At 10 us, in a straight line over 10 ns."""
        times, edge, root = (0.0, 1e-5), 1e-8, 10**0.5
        low, high, tail = self.i_read / root, self.i_read * root, 0.9 * self.i_bias
        return [
            {
                "iplus": steps_of(times, (low, high), edge),
                "iminus": steps_of(times, (high, low), edge),
                "istep": Waveform.constant(tail),
            },
            {
                "iplus": Waveform.constant(high),
                "iminus": Waveform.constant(low),
                "istep": steps_of(times, (0.0, tail), edge),
            },
        ]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """From the step until the difference stays within 5 % of its last value."""
        settled = []
        for wave in waveforms:
            plus, minus = _normaliser_outputs(wave)
            settled.append(settled_value(wave.time, plus - minus, 1e-5))
        return {
            "normaliser, settling of exchanged currents to 5 %": settled[0],
            "normaliser, settling of the tail to 5 %": settled[1],
        }

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Both answers."""
        names = ("inputs exchanged", "tail raised tenfold")
        lines = tuple(
            Line(name, wave.time, np.subtract(*_normaliser_outputs(wave)))
            for name, wave in zip(names, waveforms, strict=True)
        )
        return (Panel("Settling", "time", "s", "I(sum_plus) - I(sum_minus)", "A", lines),)


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "normaliser",
        "Gilbert normaliser",
        Normaliser,
        (NormaliserBench(), NormaliserReadBench(), NormaliserSettlingBench()),
    ),
)
