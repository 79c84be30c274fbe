"""Devices written once, as equations: terminal current and the rates of their states.

Equations are SymPy expressions. `spicesnn.devices.printers` prints them as an ngspice subcircuit,
as Verilog-A and as JAX source text; `spicesnn.devices.numeric` evaluates them in NumPy. Numbers
live apart, in `spicesnn.devices.presets`: one preset a source.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError, ParameterError, UnknownNameError
from spicesnn.parameters import Parameters, parameter

if TYPE_CHECKING:
    import sympy as sp

_ROUNDING = 1e-9  # of a largest voltage that was computed


@dataclass(frozen=True)
class State:
    """One state of a device.

    Attributes:
        name: its symbol in the equations, and the node that shows it in a circuit.
        unit: SI unit.
        doc: what it is.
        start: parameter that holds its initial value.
        low, high: its bounds: numbers, or the parameters that hold them.
        scale: of the node: one volt there is this much of the state.
    """

    name: str
    unit: str
    doc: str
    start: str
    low: str | float
    high: str | float
    scale: float = 1.0


@dataclass(frozen=True)
class Equations:
    """A device's equations over the symbols `v`, its states and its parameters.

    Attributes:
        current: amperes into terminal `p` and out of `n`, at `v` volts from `p` to `n`.
        rates: of each state, in its unit per second.
        named: quantities that current and rates use, each over what came before it.
    """

    current: sp.Expr
    rates: tuple[sp.Expr, ...]
    named: tuple[tuple[sp.Symbol, sp.Expr], ...] = ()

    def inlined(self, expression: sp.Expr) -> sp.Expr:
        """An expression with the named quantities put in."""
        for symbol, value in reversed(self.named):
            expression = expression.subs(symbol, value)
        return expression


class Ode(Parameters):
    """A two-terminal device as its equations and the numbers of one preset.

    Attributes:
        kind: the model's name.
        states: of the device.
        pinched: whether its current is zero at zero voltage, in any state.
        rising: pairs of parameters of which the first must be below the second.
        alike: pairs of parameters that a spread of devices draws as one.
        name: of the preset, AuthorYear.
        citation: where its numbers come from.
        claim: what they were fitted to, and what is not claimed of them.
        v_max: largest voltage that its numbers are good for, either sign, volts; None where its
            source gives no range. It belongs to the preset, not to the equations: no printed form
            has it.
    """

    kind: ClassVar[str]
    states: ClassVar[tuple[State, ...]]
    pinched: ClassVar[bool] = True
    rising: ClassVar[tuple[tuple[str, str], ...]] = ()
    alike: ClassVar[tuple[tuple[str, str], ...]] = ()

    name: str
    citation: str
    claim: str
    v_max: float | None = parameter(
        None, unit="V", doc="largest voltage that the numbers are good for", gt=0,
        source="the preset's",
    )  # fmt: skip

    @classmethod
    @abstractmethod
    def equations(cls) -> Equations:
        """The equations, over symbols named as the parameters."""

    def model_post_init(self, context: Any) -> None:
        """Check the parameters against each other, and that every state starts in its bounds.

        Raises:
            ParameterError: two are in the wrong order, or a state starts outside.
        """
        for low_name, high_name in self.rising:
            low, high = getattr(self, low_name), getattr(self, high_name)
            if not low < high:
                what = [self.meaning(name) for name in (low_name, high_name)]
                raise ParameterError(
                    f"{self.name}.{low_name} ({what[0]}) = {low:g} is not below {high_name} "
                    f"({what[1]}) = {high:g}: give them the other way round, or apart."
                )
        for state in self.states:
            (low, high), start = self.bounds(state), self.numbers[state.start]
            if not low <= start <= high:
                raise ParameterError(
                    f"{self.name}.{state.start} = {start:g}: state {state.name} ({state.doc}) lies "
                    f"between {low:g} and {high:g} {state.unit}; start it there."
                )

    def bounds(self, state: State) -> tuple[float, float]:
        """Low and high of a state, in its unit."""
        numbers = self.numbers
        low, high = (
            numbers[bound] if isinstance(bound, str) else bound for bound in (state.low, state.high)
        )
        return low, high

    @classmethod
    def meaning(cls, name: str) -> str:
        """What a parameter is and its unit, in one line."""
        return cls.model_fields[name].description or name

    @property
    def volatile(self) -> bool:
        """Whether it forgets its state at zero voltage."""
        return False

    @property
    def numbers(self) -> dict[str, float]:
        """Every numeric parameter by name, SI."""
        return {name: float(getattr(self, name)) for name in self.numeric()}

    def check_voltage(self, voltage: npt.ArrayLike) -> None:
        """Refuse voltages that the preset's numbers are not good for.

        Args:
            voltage: volts from p to n, any shape.

        Raises:
            DataError: one is beyond `v_max`.
        """
        if self.v_max is None:
            return
        largest = float(np.abs(np.asarray(voltage, dtype=np.float64)).max(initial=0.0))
        if largest > self.v_max * (1 + _ROUNDING):
            raise DataError(
                f"{largest:g} V on {self.name}, whose numbers are good for {self.v_max:g} V at "
                "most (v_max): lower the voltage, or say with_numbers(v_max=...) that they are to "
                "serve beyond what their source has."
            )

    def tied(self, changes: Mapping[str, float]) -> dict[str, float]:
        """All numbers with some changed; of a pair that must be alike, one changed moves both."""
        pairs = [(a, b) for one, other in self.alike for a, b in ((one, other), (other, one))]
        moved = {b: changes[a] for a, b in pairs if a in changes and b not in changes}
        return self.numbers | dict(changes) | moved

    @classmethod
    def numeric(cls) -> tuple[str, ...]:
        """The names of the numeric parameters of the equations."""
        return tuple(n for n, field in cls.model_fields.items() if field.annotation is float)

    def with_numbers(self, **changes: float | None) -> Self:
        """The same preset with some numbers changed; `v_max` may be one of them, and None.

        Raises:
            UnknownNameError: a parameter does not exist.
            ParameterError: a value is out of its bounds, or does not go with the others.
        """
        known = (*self.numeric(), "v_max")
        for name in changes:
            if name not in known:
                raise UnknownNameError(f"parameter of {self.kind}", name, known)
        return type(self)(**(self.model_dump() | changes))
