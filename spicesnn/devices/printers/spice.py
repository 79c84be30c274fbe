"""Equations as an ngspice subcircuit of B-sources and integrators.

Ports: `p`, `n` and a node for each state, which shows it (one volt is the state's scale) and
drives nothing else. In `op` and `dc` the states hold their start; in `tran` they begin there: a
source that is 0 in the former and 1 in the latter says which it is, so no `.ic` is needed. It is
one global node for all instances of a device.

The compiled form has the same ports behind `compiled_wrapper`, but for transients with `uic`: a
compiled charge takes no start then, and the states would begin at zero.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from spicesnn.devices.ode import Ode
from spicesnn.devices.printers.comments import comment
from spicesnn.devices.printers.infix import InfixPrinter
from spicesnn.units import exact_number


def subcircuit(device: Ode, name: str) -> str:
    """The device as `.subckt name p n STATE...`; its numbers are parameters of the instance.

    Args:
        device: equations and the instance's default numbers.
        name: of the subcircuit, in lower case.
    """
    equations, run = device.equations(), f"{name}_run"
    printer = InfixPrinter("(({base})**({exponent}))")
    symbols: dict[Any, Any] = {sp.Symbol("v"): sp.Symbol("v(p,n)")}
    for state in device.states:
        node = sp.Symbol(f"v({state.name})")
        symbols[sp.Symbol(state.name)] = node if state.scale == 1 else node * state.scale
    symbols |= {sp.Symbol(n): sp.Symbol(f"{{{n}}}") for n in device.numeric()}

    def text(expression: Any) -> str:
        return str(printer.doprint(equations.inlined(expression).subs(symbols, simultaneous=True)))

    shown = [f"v({s.name}): {s.doc}, 1 V = {s.scale:g} {s.unit}" for s in device.states]
    ports = " ".join(state.name for state in device.states)
    numbers = " ".join(f"{n}={exact_number(x)}" for n, x in device.numbers.items())
    lines = [
        f"* {comment(device.name)}: {device.kind}; {'; '.join(shown)}",
        f"* {comment(device.citation)}",
        *_run(name),
        f".subckt {name} p n {ports} {numbers}",
        f"bcurrent p n i = {text(equations.current)}",
    ]
    for state, rate in zip(device.states, equations.rates, strict=True):
        scale = "" if state.scale == 1 else f"/{exact_number(state.scale)}"
        moving = f"({text(rate)}){scale}"
        held = f"{{{state.start}}}{scale}-v({state.name})"
        lines += [
            # `ic` is read by `tran ... uic` only; without it a state would begin at zero there.
            f"c{state.name} {state.name} 0 1 ic={{{state.start}{scale}}}",
            f"b{state.name} 0 {state.name} i = (time > 0) && (v({run}) > 0.5) ? {moving} : {held}",
        ]
    return "\n".join([*lines, f".ends {name}", ""])


def _run(name: str) -> list[str]:
    run = f"{name}_run"
    return [f".global {run}", f"v{run} {run} 0 dc 0 pwl(0 1)"]


def compiled_wrapper(device: Ode, name: str) -> str:
    """A subcircuit with the same ports and parameters around the compiled Verilog-A module.

    ngspice loads the module itself with `pre_osdi FILE.osdi` before it reads the deck's devices.
    """
    ports = " ".join(state.name for state in device.states)
    numbers = " ".join(f"{n}={exact_number(x)}" for n, x in device.numbers.items())
    given = " ".join(f"{n}={{{n}}}" for n in device.numbers)
    return "\n".join([
        f"* {comment(device.name)}: {device.kind}, compiled; load the module first: "
        f"pre_osdi {name}_va.osdi",
        f"* {comment(device.citation)}",
        *_run(name),
        f".model {name}_va {name}_va",
        f".subckt {name} p n {ports} {numbers}",
        f"ncompiled p n {ports} {name}_run {name}_va {given}",
        f".ends {name}",
        "",
    ])  # fmt: skip
