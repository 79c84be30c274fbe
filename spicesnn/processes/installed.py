"""Where the libraries of open processes lie on this machine."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from spicesnn.errors import ProcessNotFoundError

ORIGIN = "ORIGIN"  # file beside models that `spicesnn pdk add` got: where they came from
_USUAL = ("~/.ciel", "~/.volare", "/usr/local/share/pdk", "/foss/pdks")


@dataclass(frozen=True)
class Layout:
    """What belongs to an open process, in the usual layout of a PDK root.

    Attributes:
        process: our name.
        variants: folders under the root, the preferred first.
        libraries: library files under a variant's folder, the preferred first.
    """

    process: str
    variants: tuple[str, ...]
    libraries: tuple[str, ...]


def own_root() -> Path:
    """The user's data folder, where `spicesnn pdk add` puts what it gets."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "spicesnn" / "pdk"


def roots() -> list[Path]:
    """Folders searched for processes: `PDK_ROOT`, our own, the usual ones."""
    given = os.environ.get("PDK_ROOT")
    usual = [Path(folder).expanduser() for folder in _USUAL]
    return [*([Path(given).expanduser()] if given else []), own_root(), *usual]


def find_library(layout: Layout, path: Path | None = None) -> Path:
    """The library file of a process.

    The variant that the variable `PDK` names comes first, if it is one of the process.

    Args:
        layout: of the process.
        path: a library file, a variant's folder or a root; only this is searched.

    Raises:
        ProcessNotFoundError: it is not there.
    """
    if path is not None and path.is_file():
        return path.resolve()
    wanted = os.environ.get("PDK", "")
    variants = sorted(layout.variants, key=lambda name: name != wanted)
    searched = roots() if path is None else [path]
    for root in searched:
        for folder in (*(root / name for name in variants), *([root] if path else [])):
            for name in layout.libraries:
                if (folder / name).is_file():
                    return (folder / name).resolve()
    places = ", ".join(str(root) for root in searched)
    raise ProcessNotFoundError(
        f"process {layout.process} is not installed: no {layout.variants[0]}/"
        f"{layout.libraries[0]} under {places}. Run `spicesnn pdk add {layout.process}`, or set "
        "PDK_ROOT to the folder that holds it."
    )


def digest(library: Path) -> str:
    """Hash of a library file and of the models beside it, for a process is more than one file."""
    total = hashlib.sha256()
    for path in sorted(library.parent.iterdir()):
        if path.is_file() and path.suffix == library.suffix:
            total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:12]


def version(library: Path) -> str:
    """A library's version: the wheel it came in, or its folder in the store of ciel or volare."""
    origin = library.parent / ORIGIN
    if origin.is_file():
        return origin.read_text(encoding="utf-8").strip()
    parts = library.parts
    if "versions" in parts[:-1]:
        return parts[parts.index("versions") + 1]
    return "not stated"
