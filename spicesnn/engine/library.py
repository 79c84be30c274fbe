"""PySpice's binding of libngspice, put right where it misjudges today's ngspice.

PySpice 1.5 takes any line on standard error that is not a "Warning:" for a failure, refuses
commands over 1,023 characters and warns on every version after 34. This subclass only collects
the messages (the verdict classifies them) and talks to the library's calls directly.
"""

from __future__ import annotations

import ctypes
import logging
import os
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PySpice.Spice.NgSpice.Shared import NgSpiceShared, ffi

from spicesnn.engine.installation import Installation
from spicesnn.errors import NgspiceNotFoundError, SimulationError, UnknownNameError

Array = npt.NDArray[np.float64]
_FORGET = 1000
_MOST_MESSAGES = 5000
_SCRATCH = "spicesnn_corners"

logging.getLogger("PySpice").setLevel(logging.CRITICAL)


class OnlineHooks(Protocol):
    """What takes part in a running transient."""

    def accepted(self, values: dict[str, float]) -> None:
        """Called at each accepted time point with the saved vectors, `time` among them."""

    def value(self, source: str, time: float) -> float:
        """Value of an external source; ngspice asks for any time after the last accepted one."""


class NgspiceLibrary(NgSpiceShared):  # type: ignore[misc]  # PySpice is untyped
    """libngspice in this process. One instance a process: the library keeps global state."""

    def __init__(self, installation: Installation, online: OnlineHooks | None = None) -> None:
        """Load the library with one thread.

        It reads a `.spiceinit` in the working folder and in the home (its call that forbids it,
        `ngSpice_nospiceinit`, crashes in 46): workers have folders of their own for both.

        Args:
            installation: which one.
            online: sees every accepted time point and gives the values of external sources.
        """
        self.online = online
        os.environ["NGSPICE_LIBRARY_PATH"] = str(installation.library)
        self.setup_platform()
        try:
            ctypes.CDLL(str(installation.library))
        except OSError as error:
            raise NgspiceNotFoundError(
                f"{installation.library} cannot be loaded: {error}; run `spicesnn doctor`."
            ) from None
        self.messages: list[str] = []
        self._commands = 0
        super().__init__(send_data=online is not None)
        self.command("set num_threads=1")
        self.command("set nomoremode")
        # Else it reads /proc/meminfo at every time point: 60 % of a small run.
        self.command("set no_mem_check")
        self.messages.clear()

    def send_char(self, message: str, ngspice_id: int) -> int:
        """Collect one line of ngspice's output (PySpice's callback)."""
        if len(self.messages) < _MOST_MESSAGES:
            self.messages.append(message.partition(" ")[2])
        return 0

    def send_data(self, values: dict[str, complex], count: int, ngspice_id: int) -> int:
        """An accepted time point (PySpice's callback)."""
        if self.online:
            self.online.accepted({name.lower(): value.real for name, value in values.items()})
        return 0

    def get_vsrc_data(self, out: Any, time: float, node: str, ngspice_id: int) -> int:
        """Value of an external voltage source (PySpice's callback)."""
        if self.online:
            out[0] = self.online.value(node.lower(), time)
        return 0

    # The two callbacks differ in nothing but their name.
    get_isrc_data = get_vsrc_data

    def command(self, text: str) -> int:
        """Run one command of any length; what it says is added to `messages`."""
        self._stdout.clear()
        self._stderr.clear()
        self._commands += 1
        if self._commands % _FORGET == 0:
            self._ngspice_shared.ngSpice_Command(ffi.NULL)  # frees its history of commands
        return int(self._ngspice_shared.ngSpice_Command(text.encode()))

    def load(self, deck: str) -> int:
        """Load a deck as the current circuit; earlier circuits stay loaded behind it."""
        lines = [ffi.new("char[]", line.encode()) for line in deck.splitlines()]
        array = ffi.new("char*[]", [*lines, ffi.NULL])
        return int(self._ngspice_shared.ngSpice_Circ(array))

    def alter(self, target: str, value: float) -> None:
        """Give an element (`r1`, `v1 dc`) or parameter (`@m1[delvto]`) a new value."""
        self.command(f"alter {target} = {value:.16g}")

    def alter_source(self, element: str, form: str, numbers: Array) -> None:
        """Give a source of the current circuit a new waveform; form `pwl` or `pulse`.

        ngspice cuts the list of an `alter` command off after about a thousand characters without
        a word, so the numbers are written straight into a vector's memory, and the command names
        that vector. This is also exact and takes no parsing.
        """
        self.command(f"let {_SCRATCH} = unitvec({numbers.size})")
        info = self._ngspice_shared.ngGet_Vec_Info(_SCRATCH.encode())
        if info == ffi.NULL or info.v_length != numbers.size:
            raise SimulationError(f"ngspice made no room for the waveform of {element}.")
        buffer = ffi.buffer(info.v_realdata, 8 * numbers.size)
        np.frombuffer(buffer, dtype=np.float64)[:] = numbers
        self.command(f"alter @{element}[{form}] = {_SCRATCH}")

    def vector(self, name: str) -> Array:
        """A copy of one vector of the current plot.

        Raises:
            UnknownNameError: the plot has no such real vector.
        """
        info = self._ngspice_shared.ngGet_Vec_Info(name.encode())
        if info == ffi.NULL or info.v_realdata == ffi.NULL:  # noqa: PLR1714
            raise UnknownNameError("vector", name, ())
        count = info.v_length
        return np.frombuffer(ffi.buffer(info.v_realdata, count * 8), dtype=np.float64).copy()
