"""The exception tree: every error the package raises on purpose descends from `SpicesnnError`."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class SpicesnnError(Exception):
    """Base of all errors raised on purpose; its message says what to do."""


class NgspiceNotFoundError(SpicesnnError):
    """ngspice or its shared library is missing or too old."""


class ProcessNotFoundError(SpicesnnError):
    """An open process is not installed, or could not be got."""


class ParameterError(SpicesnnError, ValueError):
    """A parameter has an unknown name or a value outside its bounds."""


class UnknownNameError(SpicesnnError, LookupError):
    """A process, device, rule or knob of this name does not exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        """Name the nearest known names, else list them all."""
        names = sorted(known)
        near = get_close_matches(name, names, n=3, cutoff=0.5)
        hint = (
            f"did you mean {' or '.join(repr(n) for n in near)}?"
            if near
            else f"there are: {', '.join(names) or 'none'}."
        )
        super().__init__(f"there is no {kind} named {name!r}; {hint}")
        self._made_of = kind, name, names

    def __reduce__(self) -> tuple[type[UnknownNameError], tuple[str, str, list[str]]]:
        """As it was made, so that it comes through a worker's pipe."""
        return type(self), self._made_of


class DataError(SpicesnnError, ValueError):
    """Input data cannot be used: wrong shape, not finite, too few members."""


class RunFolderError(SpicesnnError):
    """A run folder cannot be written, resumed or read."""


class SimulationError(SpicesnnError, RuntimeError):
    """ngspice did not give a trustworthy answer."""


class CacheError(SpicesnnError):
    """The cache of runs cannot be written."""


class UnsafeDeckError(SpicesnnError):
    """A deck from outside holds a line that could run a program or reach a file."""


class DeckError(SpicesnnError, ValueError):
    """A deck from outside cannot be read."""


class OutOfRangeError(SpicesnnError, ValueError):
    """A tier was given, or came to, what it was not fitted for."""


class TierFileError(SpicesnnError, ValueError):
    """A tier file cannot be used: damaged, of another version, or of another circuit."""
