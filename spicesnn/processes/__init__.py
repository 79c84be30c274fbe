"""CMOS processes, found by name."""

from __future__ import annotations

from pathlib import Path

from spicesnn.errors import UnknownNameError
from spicesnn.processes.generic180 import generic180
from spicesnn.processes.gf180mcu import gf180mcu
from spicesnn.processes.process import CORNERS, Corner, Mosfet, Process, Size, Variation
from spicesnn.processes.sky130 import sky130

PROCESSES = ("generic180", "gf180mcu", "sky130")

__all__ = [
    "CORNERS",
    "PROCESSES",
    "Corner",
    "Mosfet",
    "Process",
    "Size",
    "Variation",
    "find_process",
]


def find_process(name: str, corner: str = "tt", path: Path | None = None) -> Process:
    """The process of this name, at a corner.

    Args:
        name: `generic180` (embedded), `gf180mcu` or `sky130` (installed; see `spicesnn pdk`).
        corner: tt, ff, ss, fs or sf; the nfet's letter first.
        path: library file or PDK root of an open process, instead of searching.

    Raises:
        UnknownNameError: there is no such process or corner; the nearest names are offered.
        ProcessNotFoundError: it is not installed.
    """
    if name not in PROCESSES:
        raise UnknownNameError("process", name, PROCESSES)
    which = next((known for known in CORNERS if known == corner), None)
    if which is None:
        raise UnknownNameError(f"corner of {name}", corner, CORNERS)
    if name == "generic180":
        return generic180(which)
    return (gf180mcu if name == "gf180mcu" else sky130)(which, path)
