"""Limits of one run: wall clock, CPU time and memory; and that it ends with who asked for it."""

from __future__ import annotations

import ctypes
import resource
import signal
import sys

from spicesnn.parameters import Parameters, parameter


class Limits(Parameters):
    """What one run may take; past it the run is stopped and its verdict says so."""

    wall: float = parameter(120.0, unit="s", doc="wall-clock time of a run", gt=0)
    cpu: float = parameter(600.0, unit="s", doc="CPU time of a run", gt=0)
    memory: float = parameter(4e9, unit="B", doc="address space of a worker", gt=0)

    def hold_memory(self) -> None:
        """Limit this process's address space."""
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = int(self.memory)
        if hard != resource.RLIM_INFINITY:
            wanted = min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))

    def hold_cpu(self) -> None:
        """Limit the CPU time that this process may take from now on."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        until = int(usage.ru_utime + usage.ru_stime + self.cpu) + 1
        if hard != resource.RLIM_INFINITY:
            until = min(until, hard)
        resource.setrlimit(resource.RLIMIT_CPU, (until, hard))


_PR_SET_PDEATHSIG = 1


def end_with_starter() -> None:
    """Let the kernel kill this process when the thread that started it ends (on Linux).

    For a process whose starter waits for it; a worker outlives the thread that started it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
