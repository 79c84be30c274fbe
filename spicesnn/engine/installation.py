"""Finding ngspice: the program, its shared library and what this version can do.

Standard library only, so that the set-up script can use it before the package is installed.
"""

from __future__ import annotations

import ctypes.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from spicesnn.errors import NgspiceNotFoundError

MINIMUM_VERSION = 39
_HOW = (
    "run `make setup`, or install it (Debian: apt-get install ngspice libngspice0; macOS: brew "
    "install ngspice libngspice; conda: conda install -c conda-forge ngspice ngspice-lib; Windows: "
    "use WSL), or set SPICESNN_NGSPICE to the program and SPICESNN_LIBNGSPICE to the library."
)


@dataclass(frozen=True)
class Installation:
    """One ngspice.

    Attributes:
        program, library: the executable and the shared library.
        version: major version, for example 46.
        version_text: as ngspice names itself.
        klu: has the KLU sparse solver.
        osdi: loads compiled Verilog-A.
        root: folder that a private copy was unpacked into; None for an installed one.
    """

    program: Path
    library: Path
    version: int
    version_text: str
    klu: bool
    osdi: bool
    root: Path | None = None

    def fault(self) -> str:
        """Why the library cannot be loaded; empty where it can."""
        code = "import ctypes, sys; ctypes.CDLL(sys.argv[1]).ngSpice_Init"
        tried = subprocess.run(
            [sys.executable, "-c", code, str(self.library)], capture_output=True, text=True,
            timeout=60, check=False, env={**os.environ, **self.environment()},
        )  # fmt: skip
        return tried.stderr.strip().splitlines()[-1] if tried.returncode else ""

    def environment(self) -> dict[str, str]:
        """Environment variables that the program and the library need."""
        return _environment(self.root)


def cache_folder() -> Path:
    """The user's cache folder of this project."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "spicesnn"


def unpacked_root(version: int) -> Path:
    """Where a private copy of this major version lies, if there is one."""
    return cache_folder() / "ngspice" / str(version)


@lru_cache
def find_installation(version: int | None = None) -> Installation:
    """The ngspice to use: the newest found, or the newest of one major version.

    `SPICESNN_NGSPICE` and `SPICESNN_LIBNGSPICE`, where set, are used and nothing else.

    Raises:
        NgspiceNotFoundError: there is none of version 39 or newer, or a variable is wrong.
    """
    found = [i for i in find_all() if version in (None, i.version)]
    if not found:
        wanted = f">= {MINIMUM_VERSION}" if version is None else str(version)
        raise NgspiceNotFoundError(f"ngspice ({wanted}) was not found; {_HOW}")
    return max(found, key=lambda i: i.version)


def shell_command() -> str:
    """How to call ngspice in a shell: a private copy needs its libraries named."""
    try:
        found = find_installation()
    except NgspiceNotFoundError:
        return "ngspice"
    if found.root is None:
        return "ngspice" if shutil.which("ngspice") == str(found.program) else str(found.program)
    return (
        f"LD_LIBRARY_PATH={shlex.quote(_libraries(found.root))} {shlex.quote(str(found.program))}"
    )


@lru_cache
def find_all() -> tuple[Installation, ...]:
    """Every usable ngspice: of the environment variables, else installed and unpacked ones.

    Raises:
        NgspiceNotFoundError: a variable is set to something that is not there.
    """
    variables = ("SPICESNN_NGSPICE", "SPICESNN_LIBNGSPICE")
    given = {name: os.environ[name] for name in variables if os.environ.get(name)}
    for name, value in given.items():
        if not Path(value).exists():
            raise NgspiceNotFoundError(f"{name} = {value} does not exist; correct it, or {_HOW}")
    candidates = list(_candidates())
    if given:
        program = Path(given.get(variables[0]) or shutil.which("ngspice") or "ngspice")
        library = Path(given[variables[1]]) if variables[1] in given else _installed_library()
        if library is None:
            raise NgspiceNotFoundError(
                f"no libngspice beside {program}; set SPICESNN_LIBNGSPICE, or {_HOW}"
            )
        candidates = [(program, library, None)]
    examined = (_examine(*candidate) for candidate in candidates)
    return tuple(i for i in examined if i is not None and i.version >= MINIMUM_VERSION)


def parse_version(text: str) -> tuple[int, str, bool]:
    """Major version, name and KLU from what `ngspice --version` prints; version 0 if unknown."""
    match = re.search(r"ngspice[- ](\d+)[\w.+-]*", text)
    if not match:
        return 0, "", False
    return int(match.group(1)), match.group(0), "KLU" in text


def _candidates() -> Iterator[tuple[Path, Path, Path | None]]:
    program, library = shutil.which("ngspice"), _installed_library()
    if program and library:
        yield Path(program), library, None
    for root in sorted((cache_folder() / "ngspice").glob("[0-9]*")):
        libraries = sorted(root.glob("usr/lib/*/libngspice.so.0"))
        if libraries and (root / "usr/bin/ngspice").exists():
            yield root / "usr/bin/ngspice", libraries[0], root


def _installed_library() -> Path | None:
    name = ctypes.util.find_library("ngspice")
    if not name:
        return None
    if Path(name).is_absolute():
        return Path(name)
    for folder in ("/usr/lib", "/usr/local/lib", "/lib"):
        for path in sorted(Path(folder).glob(f"**/{name}")):
            return path
    return Path(name)


def _examine(program: Path, library: Path, root: Path | None) -> Installation | None:
    try:
        answer = subprocess.run(
            [str(program), "--version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **_environment(root)},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version, text, klu = parse_version(answer.stdout + answer.stderr)
    if not version:
        return None
    try:
        # The loader's own words: 39 names the command, but has none.
        osdi = b"osdi lib" in program.read_bytes()
    except OSError:
        osdi = False
    return Installation(program, library, version, text, klu, osdi, root)


def _environment(root: Path | None) -> dict[str, str]:
    # Our start-up file asks for one thread: ngspice's own are slower than none at these sizes.
    scripts = Path(__file__).resolve().parent / "scripts"
    environment = {"OMP_NUM_THREADS": "1", "SPICE_SCRIPTS": str(scripts)}
    if root is None:
        return environment
    folders = [_libraries(root)]
    if os.environ.get("LD_LIBRARY_PATH"):
        folders.append(os.environ["LD_LIBRARY_PATH"])
    environment["LD_LIBRARY_PATH"] = ":".join(folders)
    return environment


def _libraries(root: Path) -> str:
    return ":".join(str(path) for path in sorted(root.glob("usr/lib/*")) if path.is_dir())
