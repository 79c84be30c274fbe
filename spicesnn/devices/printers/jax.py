"""Equations as JAX source text: pure functions of voltage, states and numbers.

The text needs `jax` only where it is run; nothing here imports it.
"""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.printing.numpy import NumPyPrinter

from spicesnn.devices.ode import Ode
from spicesnn.devices.printers.comments import quoted
from spicesnn.units import exact_number


class _JaxPrinter(NumPyPrinter):
    _module = "jnp"

    def _print_logistic(self, expr: Any) -> str:
        return f"jax.nn.sigmoid({self._print(expr.args[0])})"

    def _print_clipped(self, expr: Any) -> str:
        return f"jnp.clip({', '.join(map(self._print, expr.args))})"

    def _print_softplus(self, expr: Any) -> str:
        return f"jax.nn.softplus({self._print(expr.args[0])})"


def source(device: Ode) -> str:
    """A module with `NUMBERS`, `STATES`, `START`, `current(v, states, numbers)` and `rates(...)`.

    `v` has any shape, `states` one more axis in front (the states, in their SI units); `numbers`
    are scalars or arrays that broadcast with `v`.
    """
    equations = device.equations()
    printer = _JaxPrinter({"fully_qualified_modules": True})

    def text(expression: Any) -> str:
        return str(printer.doprint(expression)).replace("numpy.", "jnp.").replace("jjnp.", "jnp.")

    names = ", ".join(state.name for state in device.states)
    prologue = [f"    {names}{',' if len(device.states) == 1 else ''} = states"]
    used: set[Any] = set()
    for expression in (equations.current, *equations.rates, *(e for _, e in equations.named)):
        used |= expression.free_symbols
    prologue += [f'    {n} = numbers["{n}"]' for n in device.numeric() if sp.Symbol(n) in used]
    prologue += [f"    {symbol} = {text(value)}" for symbol, value in equations.named]
    starts = ", ".join(f'NUMBERS["{state.start}"]' for state in device.states)
    lines = [
        f'"""{quoted(device.name)}: {device.kind}.',
        "",
        quoted(device.citation),
        '"""',
        "",
        "import jax",
        "import jax.numpy as jnp",
        "",
        "NUMBERS = {",
        *(f'    "{n}": {exact_number(x)},' for n, x in device.numbers.items()),
        "}",
        f"STATES = ({', '.join(repr(state.name) for state in device.states)},)",
        f"START = ({starts},)",
        "",
        "",
        "def current(v, states, numbers=NUMBERS):",
        '    """Amperes from p to n."""',
        *prologue,
        f"    return {text(equations.current)}",
        "",
        "",
        "def rates(v, states, numbers=NUMBERS):",
        '    """Of each state, in its unit per second."""',
        *prologue,
        f"    return jnp.stack(jnp.broadcast_arrays({', '.join(map(text, equations.rates))}))",
    ]
    return "\n".join([*lines, ""])
