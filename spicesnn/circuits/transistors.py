"""All transistors of a netlist, with the names that ngspice gives them and their sizes."""

from __future__ import annotations

from dataclasses import dataclass

from spicesnn.errors import DeckError
from spicesnn.processes import Mosfet, Process
from spicesnn.units import parse_spice_number


@dataclass(frozen=True)
class Transistor:
    """One transistor of a flattened netlist.

    Attributes:
        instance: ngspice's name; its knobs are `@<instance>[delvto]` and `[mulu0]`.
        mosfet: which of the process's.
        width: drawn, metres.
        length: drawn, metres.
        multiplier: equal ones in parallel.
    """

    instance: str
    mosfet: Mosfet
    width: float
    length: float
    multiplier: int

    def local(self) -> tuple[float, float]:
        """Standard deviations of threshold (volts) and current factor, by Pelgrom's law."""
        threshold, factor = self.mosfet.variation.local(self.width, self.length)
        root = float(self.multiplier**0.5)
        return threshold / root, factor / root


def transistors(netlist: str, process: Process) -> tuple[Transistor, ...]:
    """The transistors of a netlist that our cells made, subcircuits opened, in its order.

    Raises:
        DeckError: an instance calls what is neither a subcircuit of the netlist nor a transistor
            of the process.
    """
    kinds = [process.nfet, process.pfet, process.thick_nfet, process.thick_pfet]
    mosfets = {kind.model.lower(): kind for kind in kinds if kind}
    bodies: dict[str, list[list[str]]] = {"": []}
    inside = ""
    for line in netlist.splitlines():
        words = line.lower().split()
        if not words or words[0][0] == "*":
            continue
        if words[0] == ".subckt":
            inside = words[1]
            bodies[inside] = []
        elif words[0] == ".ends":
            inside = ""
        else:
            bodies[inside].append(words)
    found: list[Transistor] = []

    def visit(body: list[list[str]], path: tuple[str, ...]) -> None:
        for words in body:
            plain = [word for word in words if "=" not in word]
            called = plain[-1]
            if words[0][0] in "mx" and called in mosfets:
                found.append(_transistor(words, path, mosfets[called]))
            elif words[0][0] == "x":
                if called not in bodies:
                    raise DeckError(
                        f"{'.'.join([*path, words[0]])} calls {called}, which is neither a "
                        f"subcircuit of the netlist nor a transistor of {process.name}."
                    )
                visit(bodies[called], (*path, words[0][1:]))

    visit(bodies[""], ())
    return tuple(found)


def _transistor(words: list[str], path: tuple[str, ...], mosfet: Mosfet) -> Transistor:
    given = dict(word.split("=", 1) for word in words if "=" in word)
    width, length = (parse_spice_number(given[key]) / mosfet.metre for key in ("w", "l"))
    instance = mosfet.instance(words[0][1:], *path)
    return Transistor(instance, mosfet, width, length, int(parse_spice_number(given.get("m", "1"))))
