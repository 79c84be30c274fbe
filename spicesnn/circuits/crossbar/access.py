"""What stands in series with a cell's memory: transistors and selectors."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import numpy as np
import numpy.typing as npt

from spicesnn.devices.ekv import Ekv
from spicesnn.parameters import Parameters, parameter
from spicesnn.processes import Process
from spicesnn.units import thermal_voltage

Array = npt.NDArray[np.float64]
Gates = Literal["rows", "columns"]
TRANSISTOR, SELECTOR = "cell_transistor", "cell_selector"


def exact(value: float) -> str:
    """All figures of a number as SPICE text."""
    return f"{value:.17g}"


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
        return f"{exact(self.i_0)}*sinh({v}/{exact(self.v_0)})"


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
        return f"sgn({v})*{exact(self.i_s)}*(exp(abs({v})/{exact(self.v_s)})-1)"


class Transistor(Parameters):
    """An n transistor of the EKV law: drain at the memory, source at the column, bulk at 0 V.

    Where the current runs from column to row, drain and source change places: the card's Early and
    drain terms count the voltage of the end that is higher, as a transistor with two equal ends
    has it.
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
        high, low = np.maximum(drain, source), np.minimum(drain, source)
        size = self.ekv.current(
            gate, high, low, width=self.width, length=self.length, celsius=self.celsius
        )
        return np.where(np.asarray(drain) >= source, size, -size)

    def slopes(self, gate: Array, drain: Array, source: Array) -> tuple[Array, Array]:
        """Derivatives of the drain current by drain and by source voltage, siemens."""
        high, low = np.maximum(drain, source), np.minimum(drain, source)
        by_high, by_low = self._forward_slopes(gate, high, low)
        forward = np.asarray(drain) >= source
        return np.where(forward, by_high, -by_low), np.where(forward, by_low, -by_high)

    def _forward_slopes(self, gate: Array, drain: Array, source: Array) -> tuple[Array, Array]:
        card, u_t = self.ekv, thermal_voltage(self.celsius)
        two, v_ds = 2 * u_t, np.asarray(drain) - source
        pinch = (np.asarray(gate) - card.v_t0 + card.eta * v_ds) / card.n
        forward, reverse = (pinch - source) / two, (pinch - drain) / two
        q_f, q_r = np.logaddexp(0.0, forward), np.logaddexp(0.0, reverse)
        s_f, s_r = np.exp(-np.logaddexp(0.0, -forward)), np.exp(-np.logaddexp(0.0, -reverse))
        gain, fall = card.i_spec * self.width / self.length, card.eta / card.n
        early, mobility = 1 + card.lambda_ * v_ds, card.theta * two * card.n
        den = 1 + mobility * q_f
        ideal = gain * (q_f**2 - q_r**2)
        found = []
        # d(forward), d(reverse) and d(v_ds) by the drain, then by the source.
        for by_f, by_r, by_v in ((fall, fall - 1, 1.0), (-fall - 1, -fall, -1.0)):
            change = 2 * gain * (q_f * s_f * by_f - q_r * s_r * by_r) / two
            loss = ideal * early * mobility * s_f * by_f / two / den
            found.append((change * early + ideal * card.lambda_ * by_v - loss) / den)
        return found[0], found[1]

    def subcircuit(self) -> str:
        """The same law as an ngspice subcircuit with all its figures, ports `d g s b`."""
        card, u_t = self.ekv, thermal_voltage(self.celsius)
        gain = exact(card.i_spec * self.width / self.length)

        def forward(d: str, s: str) -> str:
            pinch = f"((v(g,b)-{exact(card.v_t0)}+{exact(card.eta)}*v({d},{s}))/{exact(card.n)})"

            def soft(node: str) -> str:
                # ln(1 + exp(x)) without overflow.
                x = f"(({pinch}-v({node},b))/{exact(2 * u_t)})"
                return f"(max({x},0)+ln(1+exp(-abs({x}))))"

            square = f"({soft(s)}*{soft(s)}-{soft(d)}*{soft(d)})"
            early = f"(1+{exact(card.lambda_)}*v({d},{s}))"
            mobility = f"(1+{exact(card.theta * 2 * card.n * u_t)}*{soft(s)})"
            return f"{gain}*{square}*{early}/{mobility}"

        law = f"v(d,s) >= 0 ? {forward('d', 's')} : -({forward('s', 'd')})"
        return f".subckt {TRANSISTOR} d g s b\nb1 d s i = {law}\n.ends"


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


Access = Transistor | ProcessTransistor | SinhSelector | ExponentialSelector
