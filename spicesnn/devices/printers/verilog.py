"""Equations as a Verilog-A module, which OpenVAF compiles for ngspice and VACASK.

Terminals: `p`, `n`, one for each state, which shows it and is a farad to ground, as in the
subcircuit, and `run`, which is 0 in an operating point and a sweep and 1 in a transient. (An `idt`
could hold a state without `run`, but solvers bound its error relative to its way from the start:
a state that stays there costs a hundred times the steps.)
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from spicesnn.devices.ode import Ode
from spicesnn.devices.printers.comments import comment
from spicesnn.devices.printers.infix import InfixPrinter
from spicesnn.units import exact_number

_RANGES = {"gt": "({}:", "ge": "[{}:", "lt": "{})", "le": "{}]"}


def module(device: Ode, name: str) -> str:
    """The device as a module of this name; its numbers are instance parameters with defaults."""
    equations = device.equations()
    printer = InfixPrinter("pow({base}, {exponent})")
    terminals = ["p", "n", *(state.name for state in device.states), "run"]
    # A state's terminal and its value need two names.
    values = {sp.Symbol(s.name): sp.Symbol(f"{s.name}_value") for s in device.states}

    def text(expression: Any) -> str:
        return str(printer.doprint(expression.subs(values, simultaneous=True)))

    named = [str(symbol) for symbol, _ in equations.named]
    named += [f"{state.name}_leaves" for state in device.states]
    lines = [
        f"// {comment(device.name)}: {device.kind}.",
        f"// {comment(device.citation)}",
        "// p, n: the device.",
        *(
            f"// {s.name}: shows {s.doc}, 1 V = {s.scale:g} {s.unit}; connect nothing that draws "
            "current."
            for s in device.states
        ),
        "// run: a source of 0 V in an operating point and a sweep, where the states keep their",
        "//      start, and of 1 V in a transient, as 'vrun run 0 dc 0 pwl(0 1)' is. Left open,",
        "//      the states never move. Not for transients with 'uic', which begin at no state.",
        '`include "constants.vams"',
        '`include "disciplines.vams"',
        f"module {name}({', '.join(terminals)});",
        f"inout {', '.join(terminals)};",
        f"electrical {', '.join(terminals)};",
        *(_parameter(device, n, x) for n, x in device.numbers.items()),
        f"real {', '.join(['v', *(str(symbol) for symbol in values.values()), *named])};",
        "analog begin",
        "    v = V(p, n);",
    ]
    for state, value in zip(device.states, values.values(), strict=True):
        scale = "" if state.scale == 1 else f"{exact_number(state.scale)}*"
        lines.append(f"    {value} = {scale}V({state.name});")
    lines += [f"    {symbol} = {text(value)};" for symbol, value in equations.named]
    lines.append(f"    I(p, n) <+ {text(equations.current)};")
    for state, rate in zip(device.states, equations.rates, strict=True):
        scale = "" if state.scale == 1 else f"/{exact_number(state.scale)}"
        node = state.name
        lines += [
            # Contributed under the condition, it would cost the compiled device one more unknown.
            "    if ($abstime > 0 && V(run) > 0.5)",
            f"        {node}_leaves = -({text(rate)}){scale};",
            "    else",
            f"        {node}_leaves = V({node}) - {state.start}{scale};",
            f"    I({node}) <+ {node}_leaves + ddt(V({node}));",
        ]
    return "\n".join([*lines, "end", "endmodule", ""])


def _parameter(device: Ode, name: str, value: float) -> str:
    field = type(device).model_fields[name]
    extra: Any = field.json_schema_extra
    bounds = {k: getattr(m, k) for m in field.metadata for k in _RANGES if hasattr(m, k)}
    text = ""
    if bounds:
        edges = {k: _RANGES[k].format(exact_number(value)) for k, value in bounds.items()}
        low = edges.get("gt") or edges.get("ge") or "(-inf:"
        high = edges.get("lt") or edges.get("le") or "inf)"
        text = f" from {low}{high}"
    meaning = (field.description or "").partition(" [")[0].replace('"', "'")
    attributes = f'(* type="instance", units="{extra["unit"]}", desc="{meaning}" *)'
    return f"{attributes}\nparameter real {name} = {exact_number(value)}{text};"
