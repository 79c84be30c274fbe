"""Finding `models/` and `netlists/`: in the checkout first, else in the wheel."""

from __future__ import annotations

from pathlib import Path

from spicesnn.errors import SpicesnnError

_PACKAGE = Path(__file__).resolve().parent


def asset(*parts: str) -> Path:
    """Path of a file that ships, e.g. `asset("models", "generic180", "generic180.spice")`.

    Raises:
        SpicesnnError: the file is neither in the checkout nor in the wheel.
    """
    for root in (_PACKAGE.parent, _PACKAGE / "_assets"):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise SpicesnnError(
        f"{'/'.join(parts)} is missing from this installation; install spicesnn again."
    )
