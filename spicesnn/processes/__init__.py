"""CMOS processes, found by name."""

from __future__ import annotations

from spicesnn.errors import UnknownNameError
from spicesnn.processes.generic180 import generic180
from spicesnn.processes.process import Mosfet, Process, Size

PROCESSES = {"generic180": generic180}

__all__ = ["PROCESSES", "Mosfet", "Process", "Size", "find_process"]


def find_process(name: str) -> Process:
    """The process of this name.

    Raises:
        UnknownNameError: there is none; the nearest names are offered.
    """
    try:
        return PROCESSES[name]()
    except KeyError:
        raise UnknownNameError("process", name, PROCESSES) from None
