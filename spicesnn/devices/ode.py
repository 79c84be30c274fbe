"""Devices written once, as equations: terminal current and the rates of their states.

Equations are SymPy expressions. `spicesnn.devices.printers` prints them as an ngspice subcircuit,
as Verilog-A and as JAX source text; `spicesnn.devices.numeric` evaluates them in NumPy. Numbers
live apart, in `spicesnn.devices.presets`: one preset a source.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from spicesnn.errors import ParameterError, UnknownNameError
from spicesnn.parameters import Parameters

if TYPE_CHECKING:
    import sympy as sp


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
        name: of the preset, AuthorYear.
        citation: where its numbers come from.
        claim: what they were fitted to, and what is not claimed of them.
    """

    kind: ClassVar[str]
    states: ClassVar[tuple[State, ...]]
    pinched: ClassVar[bool] = True

    name: str
    citation: str
    claim: str

    @classmethod
    @abstractmethod
    def equations(cls) -> Equations:
        """The equations, over symbols named as the parameters."""

    def model_post_init(self, context: Any) -> None:
        """Check that every state starts between its bounds.

        Raises:
            ParameterError: one does not.
        """
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

    @property
    def volatile(self) -> bool:
        """Whether it forgets its state at zero voltage."""
        return False

    @property
    def numbers(self) -> dict[str, float]:
        """Every numeric parameter by name, SI."""
        return {name: float(getattr(self, name)) for name in self.numeric()}

    @classmethod
    def numeric(cls) -> tuple[str, ...]:
        """The names of the numeric parameters."""
        return tuple(n for n, field in cls.model_fields.items() if field.annotation is float)

    def with_numbers(self, **changes: float) -> Self:
        """The same preset with some numbers changed.

        Raises:
            UnknownNameError: a parameter does not exist.
            ParameterError: a value is out of its bounds.
        """
        for name in changes:
            if name not in self.numeric():
                raise UnknownNameError(f"parameter of {self.kind}", name, self.numeric())
        return type(self)(**(self.model_dump() | changes))
