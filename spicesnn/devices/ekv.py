"""The EKV compact model of a MOS transistor."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spicesnn.parameters import Parameters, parameter
from spicesnn.units import exact_number, thermal_voltage

Array = npt.NDArray[np.float64]
_SOURCE = "Enz, Krummenacher and Vittoz, Analog Integr. Circuits Signal Process. 8, 1995"


class Ekv(Parameters):
    """Drain current in all regions, every voltage against the bulk (magnitudes for a pfet).

    `I = I_spec (W/L) (F(u_f) - F(u_r)) (1 + lambda V_ds) / (1 + theta 2 n U_T q_f)`,
    `F(u) = ln(1 + exp(u/2))^2`, `u_f,r = (V_p - V_s,d) / U_T`, `q_f = ln(1 + exp(u_f/2))`,
    `V_p = (V_g - V_t0 + eta V_ds) / n`: the threshold falls with the drain (DIBL). In weak
    inversion `I = I_0 (W/L) exp(V_g / (n U_T)) (...)` with `I_0 = I_spec exp(-V_t0 / (n U_T))`;
    kappa is `1/n`.
    Source: Enz, Krummenacher and Vittoz 1995; `theta` and `eta` in these forms are our choice.
    Where the current runs from source to drain, the two change places: the Early and drain terms
    count the voltage of the end that is higher, as a transistor with two equal ends has it.
    """

    n: float = parameter(unit="1", doc="slope factor", ge=1, source=_SOURCE)
    v_t0: float = parameter(unit="V", doc="threshold at the source's pinch-off", source=_SOURCE)
    i_spec: float = parameter(unit="A", doc="specific current of a square", gt=0, source=_SOURCE)
    lambda_: float = parameter(0.0, unit="1/V", doc="output conductance over current", ge=-0.5)
    theta: float = parameter(0.0, unit="1/V", doc="mobility's fall with the gate", ge=-0.5)
    eta: float = parameter(0.0, unit="1", doc="fall of the threshold with the drain", ge=-0.5)

    def current(
        self,
        v_g: Array,
        v_d: Array,
        v_s: Array,
        *,
        width: float,
        length: float,
        celsius: float = 27.0,
    ) -> Array:
        """Drain current in amperes.

        Args:
            v_g: gate against bulk, volts.
            v_d: drain against bulk, volts.
            v_s: source against bulk, volts.
            width: metres.
            length: metres.
            celsius: temperature; the parameters are those at it.
        """
        high, low = np.maximum(v_d, v_s), np.minimum(v_d, v_s)
        u_t = thermal_voltage(celsius)
        v_ds = high - low
        pinch = (np.asarray(v_g) - self.v_t0 + self.eta * v_ds) / self.n
        forward = np.logaddexp(0.0, (pinch - low) / (2 * u_t))
        reverse = np.logaddexp(0.0, (pinch - high) / (2 * u_t))
        ideal = self.i_spec * width / length * (forward**2 - reverse**2)
        early = 1 + self.lambda_ * v_ds
        size = ideal * early / (1 + self.theta * 2 * self.n * u_t * forward)
        return np.asarray(np.where(np.asarray(v_d) >= v_s, size, -size))

    def slopes(
        self,
        v_g: Array,
        v_d: Array,
        v_s: Array,
        *,
        width: float,
        length: float,
        celsius: float = 27.0,
    ) -> tuple[Array, Array]:
        """Derivatives of the drain current by drain and by source voltage, siemens.

        Arguments as those of `current`.
        """
        high, low = np.maximum(v_d, v_s), np.minimum(v_d, v_s)
        two, v_ds = 2 * thermal_voltage(celsius), high - low
        pinch = (np.asarray(v_g) - self.v_t0 + self.eta * v_ds) / self.n
        forward, reverse = (pinch - low) / two, (pinch - high) / two
        q_f, q_r = np.logaddexp(0.0, forward), np.logaddexp(0.0, reverse)
        s_f, s_r = np.exp(-np.logaddexp(0.0, -forward)), np.exp(-np.logaddexp(0.0, -reverse))
        gain, fall = self.i_spec * width / length, self.eta / self.n
        early, mobility = 1 + self.lambda_ * v_ds, self.theta * two * self.n
        den = 1 + mobility * q_f
        ideal = gain * (q_f**2 - q_r**2)
        found = []
        # d(forward), d(reverse) and d(v_ds) by the higher end, then by the lower.
        for by_f, by_r, by_v in ((fall, fall - 1, 1.0), (-fall - 1, -fall, -1.0)):
            change = 2 * gain * (q_f * s_f * by_f - q_r * s_r * by_r) / two
            loss = ideal * early * mobility * s_f * by_f / two / den
            found.append((change * early + ideal * self.lambda_ * by_v - loss) / den)
        upright = np.asarray(v_d) >= v_s
        return np.where(upright, found[0], -found[1]), np.where(upright, found[1], -found[0])

    def i_0(self, celsius: float = 27.0) -> float:
        """Extrapolated current of a square at zero gate voltage, amperes."""
        return self.i_spec * float(np.exp(-self.v_t0 / (self.n * thermal_voltage(celsius))))

    def subcircuit(self, name: str, *, width: float, length: float, celsius: float = 27.0) -> str:
        """The same equation as an ngspice subcircuit, ports `d g s b` (an n transistor)."""
        u_t = thermal_voltage(celsius)
        two, gain = exact_number(2 * u_t), exact_number(self.i_spec * width / length)

        def upright(d: str, s: str) -> str:
            fall = f"{exact_number(self.eta)}*v({d},{s})"
            pinch = f"((v(g,b)-{exact_number(self.v_t0)}+{fall})/{exact_number(self.n)})"

            def soft(node: str) -> str:
                # ln(1 + exp(x)) without overflow.
                x = f"(({pinch}-v({node},b))/{two})"
                return f"(max({x},0)+ln(1+exp(-abs({x}))))"

            square = f"({soft(s)}*{soft(s)}-{soft(d)}*{soft(d)})"
            early = f"(1+{exact_number(self.lambda_)}*v({d},{s}))"
            mobility = f"(1+{exact_number(self.theta * 2 * self.n * u_t)}*{soft(s)})"
            return f"{gain}*{square}*{early}/{mobility}"

        law = f"v(d,s) >= 0 ? {upright('d', 's')} : -({upright('s', 'd')})"
        return f".subckt {name} d g s b\nb1 d s i = {law}\n.ends"
