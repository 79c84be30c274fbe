"""A bench: a cell on its supplies, stimuli for it, and what is read from its waveforms."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self, TypeVar

import numpy as np
import numpy.typing as npt
from PySpice.Spice.Netlist import Circuit

from spicesnn.characterize.condition import Condition, doubts
from spicesnn.circuits.cells.cell import Cell
from spicesnn.circuits.deck import Analysis, Deck, Knob, Value
from spicesnn.parameters import Parameters
from spicesnn.processes import Process
from spicesnn.units import spice_number
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Quantity:
    """A number of a datasheet.

    Attributes:
        unit: SI; `1` for pure numbers.
        low, high: limits of the specification; None where there is none.
        everywhere: the limits hold at every corner and temperature, not only typically at 27 C.
        law: the analytic law it is compared with, in words.
        scale: what a change at half the step is compared with, in the unit; 0 takes the value.
    """

    unit: str
    low: float | None = None
    high: float | None = None
    everywhere: bool = False
    law: str = ""
    scale: float = 0.0

    def passes(self, value: float) -> bool:
        """Whether a value is within the limits; NaN is not, where there are any."""
        if self.low is None and self.high is None:
            return True
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def limits(self) -> str:
        """The limits in words; empty if there are none."""
        ends = [("≥", self.low), ("≤", self.high)]
        return " and ".join(f"{mark} {end:g}" for mark, end in ends if end is not None)


@dataclass(frozen=True)
class Line:
    """A curve of a panel: simulated, or the law's; shape (points,) each."""

    label: str
    x: Array
    y: Array
    law: bool = False


@dataclass(frozen=True)
class Panel:
    """One picture of a datasheet, axes in SI units.

    Attributes:
        title: what it shows, with its numbers.
        x, y: name of the axis.
        x_unit, y_unit: of the values, written with SI prefixes; empty for pure numbers.
        lines: the curves.
        log: which axes are logarithmic.
    """

    title: str
    x: str
    x_unit: str
    y: str
    y_unit: str
    lines: tuple[Line, ...]
    log: Literal["", "x", "y", "xy"] = ""


class Bench(Parameters):
    """A cell with what it needs to be measured. Subclasses are final.

    Fields that are cells are what it measures; fields with the unit "m" are transistor sizes.
    """

    drawn: ClassVar[bool] = True
    """Whether a datasheet repeats it for mismatch draws (not where one run takes seconds)."""

    @property
    @abstractmethod
    def name(self) -> str:
        """One word, its own in the library; final benches give it as a class variable."""

    @property
    @abstractmethod
    def properties(self) -> Mapping[str, Quantity]:
        """What is measured (likewise); NaN where the cell does not show it."""

    @abstractmethod
    def deck(self, process: Process) -> Deck:
        """The circuit on this process."""

    @abstractmethod
    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """The knobs of each run that the measures need."""

    @abstractmethod
    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """The properties, from the waveforms of the runs in order."""

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Pictures of the same waveforms, the law beside them."""
        return ()

    def doubts(self, on: Condition) -> tuple[str, ...]:
        """Why a law cannot be expected to hold with these parameters, in words.

        By default the bias currents of the bench and its cells are looked at in an nfet of the
        first cell's size, where it has one size.
        """
        size = next(
            (
                (c.width, c.length)
                for c in self.cells()
                if hasattr(c, "width") and hasattr(c, "length")
            ),
            None,
        )
        if size is None:
            return ()
        return doubts({name: (value, "nfet", *size) for name, value in _currents(self)}, on)

    def cells(self) -> tuple[Cell, ...]:
        """Those among its fields, in their order."""
        fields = (getattr(self, name) for name in type(self).model_fields)
        return tuple(value for value in fields if isinstance(value, Cell))

    def scaled(self, factor: float) -> Self:
        """The bench with widths and lengths of all but the switches times `factor`."""
        return _scaled(self, factor)


@dataclass(frozen=True)
class Entry:
    """A page of the library's book.

    Attributes:
        name: of the cell on the command line.
        title: in words.
        subject: the class whose docstring draws and explains it, or a text that does.
        benches: what its datasheet measures, in order.
    """

    name: str
    title: str
    subject: type[Parameters] | str
    benches: tuple[Bench, ...]

    def description(self) -> str:
        """Drawing and explanation."""
        return self.subject if isinstance(self.subject, str) else inspect.getdoc(self.subject) or ""


def _currents(parameters: Parameters) -> list[tuple[str, float]]:
    """Names and values of the currents among parameters and those of their cells."""
    found: list[tuple[str, float]] = []
    for name, field in type(parameters).model_fields.items():
        value, extra = getattr(parameters, name), field.json_schema_extra
        if isinstance(value, Cell):
            found += [(f"{name}.{inner}", amperes) for inner, amperes in _currents(value)]
        elif isinstance(value, float) and isinstance(extra, dict) and extra.get("unit") == "A":
            found.append((name, value))
    return found


_P = TypeVar("_P", bound=Parameters)


def _scaled(parameters: _P, factor: float) -> _P:
    changes: dict[str, object] = {}
    for name, field in type(parameters).model_fields.items():
        value = getattr(parameters, name)
        extra = field.json_schema_extra
        if isinstance(value, Cell):
            changes[name] = _scaled(value, factor)
        elif isinstance(extra, dict) and extra.get("unit") == "m":
            changes[name] = value * factor
    return parameters.model_copy(update=changes)


def bench_circuit(process: Process, *cells: Cell) -> Circuit:
    """A circuit with the subcircuits of the cells and the core supply `vdd`, source `Vdd`."""
    circuit = Circuit("cut off below")
    for cell in cells:
        circuit.subcircuit(cell.subcircuit(process))
    circuit.V("dd", "vdd", "0", raw_spice=f"dc {spice_number(process.supply)}")
    return circuit


def bench_deck(
    name: str,
    circuit: Circuit,
    process: Process,
    analysis: Analysis,
    probes: Sequence[str],
    knobs: Sequence[Knob] = (),
    initial: Mapping[str, float] | None = None,
    highest: float = 0.0,
) -> Deck:
    """The deck of a bench.

    Args:
        name: of the bench.
        circuit: from `bench_circuit`, with the cells' instances in it.
        process: of its transistors.
        analysis: what is computed.
        probes: vectors to keep.
        knobs: sources and elements that the stimuli turn; not in the circuit yet.
        initial: node to voltage, for `.ic`.
        highest: supply in the circuit, volts, where it is above the core's; node voltages over
            twice the highest are implausible.
    """
    netlist = str(circuit).partition("\n")[2]
    return Deck(
        f"spicesnn: bench of the {name} on {process.name}, {process.corner}",
        netlist, process.models_for(netlist), {knob.element: knob for knob in knobs},
        tuple(probes), analysis, initial=initial or {},
        plausible_voltage=2 * max(process.supply, highest),
    )  # fmt: skip
