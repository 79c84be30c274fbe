"""What stands in series with a cell's memory: transistors and selectors."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import numpy as np
import numpy.typing as npt

from spicesnn.devices.ekv import Ekv
from spicesnn.parameters import Parameters, parameter
from spicesnn.processes import Process
from spicesnn.units import exact_number

Array = npt.NDArray[np.float64]
Gates = Literal["rows", "columns"]
TRANSISTOR, SELECTOR = "cell_transistor", "cell_selector"


class Selector(Parameters):
    """A two-terminal element whose current rises steeply and evenly with the voltage.

    Odd in the voltage and rising: `I(-v) = -I(v)`.
    """

    @abstractmethod
    def current(self, v: Array) -> Array:
        """Amperes at `v` volts, any shape."""

    @abstractmethod
    def slope(self, v: Array) -> Array:
        """dI/dv, siemens."""

    @abstractmethod
    def voltage(self, i: Array) -> Array:
        """Volts at `i` amperes: the law turned round."""

    @abstractmethod
    def text(self, v: str) -> str:
        """The current as an ngspice expression of the expression `v`."""

    def subcircuit(self) -> str:
        """The selector as an ngspice subcircuit, ports `p n`."""
        return f".subckt {SELECTOR} p n\nb1 p n i = {self.text('v(p,n)')}\n.ends"


class SinhSelector(Selector):
    """`I = i_0 sinh(v / v_0)`: a barrier crossed alike both ways.

    Source: the form is common for tunnel barriers; the numbers are our choice (0.3 uA at 0.6 V,
    a half of the voltage lets 1/400 of the current pass).
    """

    i_0: float = parameter(4e-12, unit="A", doc="scale of the current", gt=0)
    v_0: float = parameter(0.05, unit="V", doc="scale of the voltage", gt=0)

    def current(self, v: Array) -> Array:
        """Amperes at `v` volts, any shape."""
        return np.asarray(self.i_0 * np.sinh(v / self.v_0))

    def slope(self, v: Array) -> Array:
        """dI/dv, siemens."""
        return np.asarray(self.i_0 / self.v_0 * np.cosh(v / self.v_0))

    def voltage(self, i: Array) -> Array:
        """Volts at `i` amperes."""
        return np.asarray(self.v_0 * np.arcsinh(i / self.i_0))

    def text(self, v: str) -> str:
        """The current as an ngspice expression of the expression `v`."""
        return f"{exact_number(self.i_0)}*sinh({v}/{exact_number(self.v_0)})"


class ExponentialSelector(Selector):
    """`I = sign(v) i_s (exp(|v| / v_s) - 1)`: two exponential junctions back to back.

    Its slope is continuous. Source: our choice, form and numbers.
    """

    i_s: float = parameter(2e-12, unit="A", doc="saturation current", gt=0)
    v_s: float = parameter(0.05, unit="V", doc="volts a factor of e", gt=0)

    def current(self, v: Array) -> Array:
        """Amperes at `v` volts, any shape."""
        return np.asarray(np.sign(v) * self.i_s * np.expm1(np.abs(v) / self.v_s))

    def slope(self, v: Array) -> Array:
        """dI/dv, siemens."""
        return np.asarray(self.i_s / self.v_s * np.exp(np.abs(v) / self.v_s))

    def voltage(self, i: Array) -> Array:
        """Volts at `i` amperes."""
        return np.asarray(np.sign(i) * self.v_s * np.log1p(np.abs(i) / self.i_s))

    def text(self, v: str) -> str:
        """The current as an ngspice expression of the expression `v`."""
        return f"sgn({v})*{exact_number(self.i_s)}*(exp(abs({v})/{exact_number(self.v_s)})-1)"


class Transistor(Parameters):
    """An n transistor of the EKV law: drain at the memory, source at the column, bulk at 0 V.

    `gates` says along which lines the gate (word) lines run. `rows`: all cells of a row share a
    gate, the row is the bit line and the column the source line (the pseudo-crossbar: bit and
    word line in parallel). `columns`: all cells of a column share a gate. Gate lines carry no
    current in this law, so they have no resistance here; each has a driver of its own.
    """

    ekv: Ekv
    width: float = parameter(1e-6, unit="m", doc="drawn width", gt=0)
    length: float = parameter(0.18e-6, unit="m", doc="drawn length", gt=0)
    celsius: float = parameter(27.0, unit="deg C", doc="temperature of the card", gt=-273.15)
    gates: Gates = "rows"

    def current(self, gate: Array, drain: Array, source: Array) -> Array:
        """Drain current, amperes; volts against the bulk, shapes broadcast."""
        return self.ekv.current(
            gate, drain, source, width=self.width, length=self.length, celsius=self.celsius
        )

    def slopes(self, gate: Array, drain: Array, source: Array) -> tuple[Array, Array]:
        """Derivatives of the drain current by drain and by source voltage, siemens."""
        return self.ekv.slopes(
            gate, drain, source, width=self.width, length=self.length, celsius=self.celsius
        )

    def subcircuit(self) -> str:
        """The same law as an ngspice subcircuit, ports `d g s b`."""
        return self.ekv.subcircuit(
            TRANSISTOR, width=self.width, length=self.length, celsius=self.celsius
        )


class ProcessTransistor(Parameters):
    """An nfet of a process in the same place as `Transistor`: decks only, it has no law here."""

    process: Process
    width: float = parameter(1e-6, unit="m", doc="drawn width", gt=0)
    length: float = parameter(0.18e-6, unit="m", doc="drawn length", gt=0)
    thick: bool = parameter(False, unit="1", doc="of thick oxide, for write voltages")
    gates: Gates = "rows"

    def subcircuit(self) -> str:
        """The transistor in a subcircuit, ports `d g s b`.

        Raises:
            ParameterError: the size is under the process's minimum, or it has no thick oxide.
        """
        from PySpice.Spice.Netlist import SubCircuit

        nfet = self.process.thick_pair()[0] if self.thick else self.process.nfet
        circuit = SubCircuit(TRANSISTOR, "d", "g", "s", "b")
        nfet(circuit, "1", "d", "g", "s", "b", width=self.width, length=self.length)
        return str(circuit).strip()


SeriesElement = Transistor | ProcessTransistor | SinhSelector | ExponentialSelector
