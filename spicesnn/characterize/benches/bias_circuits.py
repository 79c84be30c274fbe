"""What the benches of mirrors, DAC and bias generator share."""

from __future__ import annotations

from spicesnn.circuits.cells.current_dac import BITS, CurrentDac

# Whether a side is the complement.
SIDES = {"n": False, "p": True}


def early(here: float, there: float, apart: float) -> float:
    """Current over output conductance, volts, from currents at two voltages `apart`."""
    return apart * here / (there - here) if there != here else float("nan")


def bit_sources(kind: str) -> str:
    """Sources of the bits of `v(code)`; of the p side they are on when low."""
    text = ""
    for k in range(BITS):
        ones, twos = (f"floor((v(code) + 0.5)/{2**j})" for j in (k, k + 1))
        bit = f"({ones} - 2*{twos})"
        level = bit if kind == "n" else f"(1 - {bit})"
        text += f"Bb{k}_{kind} b{k}_{kind} 0 v = v(vdd)*{level}\n"
    return text


def bit_nodes(kind: str) -> list[str]:
    """Nodes of a DAC's ports: each side has bits and lines of its own."""
    return [p if p == "vdd" else f"{p}_{kind}" for p in CurrentDac.ports]
