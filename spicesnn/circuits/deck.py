"""A deck: netlist text, its knobs, its probes and its transient, ready for the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError, ParameterError, UnknownNameError
from spicesnn.units import spice_number

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Waveform:
    """A piecewise-linear voltage: `time` in seconds, rising, and `value` in volts, same shape."""

    time: Array
    value: Array

    def __post_init__(self) -> None:
        """Check shape, finiteness and order.

        Raises:
            DataError: the corners are not a finite, rising sequence.
        """
        if self.time.shape != self.value.shape or self.time.ndim != 1 or self.time.size < 1:
            raise DataError("a waveform needs times and values of one shape, (corners,).")
        if not (np.isfinite(self.time).all() and np.isfinite(self.value).all()):
            raise DataError("a waveform holds NaN or infinite values; remove those samples.")
        if self.time.size > 1 and not (np.diff(self.time) > 0).all():
            raise DataError("a waveform's times must rise; sort them and drop repeats.")

    def text(self) -> str:
        """The corners as SPICE text."""
        pairs = zip(self.time, self.value, strict=True)
        return " ".join(f"{t:.9e} {v:.9e}" for t, v in pairs)

    @staticmethod
    def constant(value: float) -> Waveform:
        """The same voltage at all times."""
        return Waveform(np.array([0.0]), np.array([value]))


@dataclass(frozen=True)
class Knob:
    """A top-level element whose value is turned between runs without reloading the deck.

    Attributes:
        element: SPICE name: `v...` takes a `Waveform`, `r...` a resistance in ohms.
        nodes: its two nodes.
        default: the value written into the deck.
    """

    element: str
    nodes: tuple[str, str]
    default: Waveform | float

    def checked(self, value: Waveform | float) -> Waveform | float:
        """The value, if it suits the element.

        Raises:
            ParameterError: a waveform for a resistor, a number for a source, or a resistance
                that is not positive and finite.
        """
        if isinstance(self.default, Waveform):
            if not isinstance(value, Waveform):
                raise ParameterError(f"knob {self.element} is a source: give it a Waveform.")
            return value
        if isinstance(value, Waveform) or not (np.isfinite(value) and value > 0):
            raise ParameterError(
                f"knob {self.element} is a resistor: give it a positive number of ohms, "
                f"not {value!r}."
            )
        return float(value)

    def line(self, value: Waveform | float) -> str:
        """The element's netlist line at this value, to ten figures."""
        return f"{self.element} {self.nodes[0]} {self.nodes[1]} {_value_text(self.checked(value))}"


def _value_text(value: Waveform | float) -> str:
    if isinstance(value, Waveform):
        return f"pwl({value.text()})"
    return spice_number(value)


@dataclass(frozen=True)
class Transient:
    """A transient analysis, in seconds. `maximum_step` bounds the solver's own step."""

    stop: float
    maximum_step: float

    def command(self) -> str:
        """The analysis in ngspice's words; the print step plays no part in what is kept."""
        step, stop = spice_number(self.maximum_step), spice_number(self.stop)
        return f"tran {step} {stop} 0 {step}"


@dataclass(frozen=True)
class Deck:
    """A complete circuit without options, which are the engine's.

    Attributes:
        title: first line.
        netlist: PySpice's text of the circuit, without the knobs.
        models: model cards.
        knobs: by element name.
        probes: vectors to keep, `v(node)` or `i(source)`.
        transient: the analysis.
        initial: node to voltage, for `.ic`.
        plausible_voltage: no node voltage may exceed it in magnitude.
    """

    title: str
    netlist: str
    models: str
    knobs: Mapping[str, Knob]
    probes: tuple[str, ...]
    transient: Transient
    initial: Mapping[str, float] = field(default_factory=dict)
    plausible_voltage: float = 5.0

    def settings(
        self, knobs: Mapping[str, Waveform | float] | None = None
    ) -> dict[str, Waveform | float]:
        """All knobs at the given values or their defaults.

        Raises:
            UnknownNameError: a name is not a knob of this deck.
            ParameterError: a value does not suit its knob.
        """
        given = dict(knobs or {})
        for name in given:
            if name not in self.knobs:
                raise UnknownNameError(f"knob of {self.title!r}", name, self.knobs)
        return {n: k.checked(given.get(n, k.default)) for n, k in self.knobs.items()}

    def text(self, options: str, knobs: Mapping[str, Waveform | float] | None = None) -> str:
        """The complete deck, runnable by `ngspice -b -r out.raw DECK` alone."""
        settings = self.settings(knobs)
        parts = [
            f"* {self.title}",
            self.models.strip(),
            self.netlist.strip(),
            *(self.knobs[name].line(value) for name, value in settings.items()),
        ]
        if self.initial:
            levels = (f"v({n})={spice_number(v)}" for n, v in self.initial.items())
            parts.append(".ic " + " ".join(levels))
        parts += [options, ".save " + " ".join(self.probes), "." + self.transient.command(), ".end"]
        return "\n".join(parts) + "\n"

    @cached_property
    def identity(self) -> str:
        """Hash of everything in the deck at its default knobs."""
        return sha256(self.text("").encode()).hexdigest()[:16]
