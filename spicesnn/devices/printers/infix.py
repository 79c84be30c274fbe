"""What the infix printers share: SymPy's own printing, with functions that simulators have."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from spicesnn.units import exact_number


class InfixPrinter(StrPrinter):
    """Expressions as text; small integer powers are products.

    ngspice takes the magnitude of a power's base, compilers differentiate a power badly at zero:
    equations use other powers of positive bases only.
    """

    def __init__(self, power: str) -> None:
        """`power` writes a power, with `{base}` and `{exponent}`."""
        super().__init__()
        self._power = power

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:  # noqa: N802
        base, exponent = expr.args
        if exponent == sp.Rational(1, 2):
            return f"sqrt({self._print(base)})"
        if exponent == -sp.Rational(1, 2):
            return f"(1/sqrt({self._print(base)}))"
        if exponent.is_Integer and 1 <= abs(int(exponent)) <= 6:
            factor = self.parenthesize(base, PRECEDENCE["Pow"])
            product = "*".join([factor] * abs(int(exponent)))
            return f"({product})" if exponent > 0 else f"(1/({product}))"
        return self._power.format(base=self._print(base), exponent=self._print(exponent))

    def _print_Rational(self, expr: Any) -> str:  # noqa: N802
        return f"({expr.p}.0/{expr.q})"

    def _print_Float(self, expr: Any) -> str:  # noqa: N802
        return f"({exact_number(float(expr))})" if expr < 0 else exact_number(float(expr))

    def _print_logistic(self, expr: Any) -> str:
        return f"(0.5+0.5*tanh(0.5*({self._print(expr.args[0])})))"

    def _print_softplus(self, expr: Any) -> str:
        z = self._print(expr.args[0])
        return f"(max({z}, 0)+ln(1+exp(-abs({z}))))"

    def _print_clipped(self, expr: Any) -> str:
        z, low, high = map(self._print, expr.args)
        return f"min(max({z}, {low}), {high})"

    def _print_log(self, expr: Any) -> str:
        return f"ln({self._print(expr.args[0])})"
