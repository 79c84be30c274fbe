"""What this machine has for the package, and how to get what it lacks."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from spicesnn.engine.installation import find_installation
from spicesnn.engine.osdi import find_compiler
from spicesnn.errors import NgspiceNotFoundError, SpicesnnError
from spicesnn.processes import PROCESSES, find_process


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's table."""

    name: str
    found: str
    good: bool
    needed: bool
    good_for: str
    how_to_get: str


def examine() -> list[Finding]:
    """Look at Python, ngspice, PySpice and the process libraries."""
    findings = [
        Finding(
            "Python", platform.python_version(), sys.version_info >= (3, 11), True,
            "everything", "install Python 3.11 or newer",
        ),
        _package("PySpice", "netlists and the binding of libngspice"),
        _package("scikit-learn", "data sets, their splits, the software reference"),
        _package("xarray", "waveforms as labelled arrays"),
        _package("netCDF4", "waveform files"),
        _package("matplotlib", "pictures"),
    ]  # fmt: skip
    findings += _ngspice()
    for name in PROCESSES:
        try:
            library = find_process(name).library
            findings.append(Finding(name, str(library), True, True, "process library", ""))
        except SpicesnnError as error:
            embedded = name == "generic180"
            how = "install spicesnn again" if embedded else f"spicesnn pdk add {name}"
            findings.append(Finding(name, str(error), False, embedded, "process library", how))
    return findings


def _package(name: str, good_for: str) -> Finding:
    how = f"pip install {name}"
    try:
        return Finding(name, version(name), True, True, good_for, how)
    except PackageNotFoundError:
        return Finding(name, "missing", False, True, good_for, how)


def _ngspice() -> list[Finding]:
    how = "make setup; or apt-get install ngspice libngspice0, brew install ngspice libngspice"
    newer = "ngspice 46: make setup takes it from Debian's backports"
    try:
        installation = find_installation()
    except NgspiceNotFoundError as error:
        return [Finding("ngspice", "missing", False, True, "every simulation", str(error))]
    fault, compiler = installation.fault(), find_compiler()
    cores = str(os.cpu_count())
    return [
        Finding(
            "ngspice", f"{installation.version_text}, {installation.program}", True, True,
            "batch runs of decks", how,
        ),
        Finding(
            "libngspice", fault or str(installation.library), not fault, True,
            "every simulation", how,
        ),
        Finding(
            "KLU", "yes" if installation.klu else "no", installation.klu, False,
            "large crossbars in one circuit", newer,
        ),
        Finding(
            "OSDI", "yes" if installation.osdi else "no", installation.osdi, False,
            "compiled Verilog-A devices", newer,
        ),
        Finding(
            "OpenVAF", str(compiler or "no"), compiler is not None, False,
            "compiling Verilog-A devices", "pip install 'spicesnn[osdi]'",
        ),
        Finding(
            "threads", f"1 a worker, {cores} cores", True, False,
            "one process a core; more threads in one ngspice slow it down", "",
        ),
    ]  # fmt: skip
