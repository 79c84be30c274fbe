"""PySpice's ordinary way, in a fresh process: the peer of the benchmarks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from spicesnn.engine.installation import find_installation

# As it comes, PySpice 1.5 takes ngspice's notes for failures and stops: let them pass.
_PRELUDE = """
import json, sys, time, logging
import numpy as np
logging.disable(logging.CRITICAL)
from PySpice.Spice.Netlist import Circuit
from PySpice.Spice.NgSpice.Shared import NgSpiceShared, ffi
send_char = NgSpiceShared._send_char
def tolerant(message, number, data):
    return 0 if b"Note:" in ffi.string(message) else send_char(message, number, data)
NgSpiceShared._send_char = staticmethod(tolerant)
given = json.load(open(sys.argv[1]))
answers, began = [], time.perf_counter()
"""
_END = """
print(json.dumps({"seconds": time.perf_counter() - began, "answers": answers}))
"""


def ask_pyspice(script: str, given: Any) -> tuple[float, list[float]]:
    """Run a script that appends numbers to `answers`; its seconds and those numbers.

    Args:
        script: Python; it finds `given`, `Circuit` and `np`.
        given: data for it, as JSON.
    """
    installation = find_installation()
    library = {"NGSPICE_LIBRARY_PATH": str(installation.library)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "given.json"
        path.write_text(json.dumps(given), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", _PRELUDE + script + _END, str(path)], capture_output=True,
            text=True, check=False, env={**os.environ, **installation.environment(), **library},
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"the peer failed: {done.stderr[-2000:]}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return float(answer["seconds"]), [float(value) for value in answer["answers"]]
