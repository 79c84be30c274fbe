"""What driving ngspice costs: the loop's wall time over ngspice's own analysis time.

On one worker; and the same trials through PySpice's ordinary `simulator.transient()`, in the same
run. `--quick` takes fewer trials and says so.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from spicesnn.engine.cache import RunCache
from spicesnn.engine.installation import find_installation
from spicesnn.engine.worker import Job
from spicesnn.systems.iris import IrisJob, circuit_forward, encode_iris

PEER = """
import json, os, sys, time, logging
logging.disable(logging.CRITICAL)
from PySpice.Spice.Netlist import Circuit
from PySpice.Spice.NgSpice.Shared import NgSpiceShared, ffi
# As it comes, PySpice 1.5 takes ngspice's notes for failures and stops: let them pass.
send_char = NgSpiceShared._send_char
def tolerant(message, number, data):
    return 0 if b"Note:" in ffi.string(message) else send_char(message, number, data)
NgSpiceShared._send_char = staticmethod(tolerant)
decks = json.load(open(sys.argv[1]))
points, began = 0, time.perf_counter()
for deck in decks:
    circuit = Circuit(deck["title"])
    circuit.raw_spice = deck["text"]
    simulator = circuit.simulator(temperature=27, nominal_temperature=27)
    simulator.options(**deck["options"])
    analysis = simulator.transient(
        step_time=deck["step"], end_time=deck["stop"], max_time=deck["step"]
    )
    points += len(analysis.time)
print(json.dumps({"seconds": time.perf_counter() - began, "points": points}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="4 samples instead of 20")
    parser.add_argument("--json", action="store_true", help="rows as JSON on standard output")
    arguments = parser.parse_args()
    rows = measure(samples=4 if arguments.quick else 20)
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return
    print("reduced: 4 samples" if arguments.quick else "20 samples")
    for row in rows:
        print("  ".join(str(row[key]) for key in ("name", "value", "unit", "goal", "holds")))


def measure(samples: int, repeats: int = 5) -> list[dict[str, Any]]:
    """Rows of the benchmark: medians of `repeats` turns."""
    job = IrisJob()
    task, _ = encode_iris(job, 0)
    chosen = list(task.train[:samples])
    conductance = np.full((2, job.circuit.rows, job.circuit.units), 15e-9)
    conductance[0] *= 1 + np.linspace(0, 1, job.circuit.units)
    ratios, walls = [], []
    with circuit_forward(job, 1, RunCache()) as forward:
        forward.simulate(conductance, chosen)  # input traces and templates
        for _ in range(repeats):
            began = time.perf_counter()
            runs = forward.simulate(conductance, chosen)
            walls.append(time.perf_counter() - began)
            analysis = sum(
                run.analysis_seconds
                for answer in runs
                for name, run in answer.items()
                if not name.startswith("trace")
            )
            ratios.append(walls[-1] / analysis)
        jobs = [
            Job(forward.runner.network.pieces[name].deck, forward.runner.knobs(name, {}, answer))
            for answer in runs
            for name in answer
            if name.startswith("neuron")
        ]
        for column in range(job.circuit.units):
            knobs = job.circuit.device_knobs(conductance, column)
            name = f"column{column}"
            deck = forward.runner.network.pieces[name].deck
            jobs += [Job(deck, forward.runner.knobs(name, knobs, answer)) for answer in runs]
    peer = statistics.median(_peer(job, jobs) for _ in range(1 if samples < 20 else 3))
    wall = statistics.median(walls)
    ratio = statistics.median(ratios)
    return [
        {"name": "wall over ngspice's analysis time, one worker", "value": round(ratio, 3),
         "unit": "1", "goal": "<= 1.2", "published": None, "holds": ratio <= 1.2},
        {"name": "simulations", "value": len(jobs), "unit": "1", "goal": "", "published": None,
         "holds": None},
        {"name": "PySpice's transient() over ours, same trials", "value": round(peer / wall, 2),
         "unit": "1", "goal": "> 1", "published": None, "holds": peer > wall},
        {"name": "ours, a simulation", "value": round(wall / len(jobs), 4), "unit": "s",
         "goal": "", "published": None, "holds": None},
    ]  # fmt: skip


def _peer(job: IrisJob, jobs: list[Job]) -> float:
    """Seconds that PySpice's ordinary way takes for the same simulations, in a fresh process."""
    options = {
        "reltol": job.options.relative_tolerance, "abstol": job.options.current_tolerance,
        "vntol": job.options.voltage_tolerance, "chgtol": job.options.charge_tolerance,
        "gmin": job.options.minimum_conductance, "bypass": int(job.options.bypass),
    }  # fmt: skip
    decks = []
    for item in jobs:
        settings = item.deck.settings(item.knobs).elements
        lines = [item.deck.knobs[name].line(value) for name, value in settings.items()]
        levels = " ".join(f"v({n})={v}" for n, v in item.deck.initial.items())
        text = "\n".join([item.deck.models, item.deck.netlist, *lines])
        decks.append(
            {"title": item.deck.title, "text": text + (f"\n.ic {levels}" if levels else "") + "\n",
             "options": options, "step": job.circuit.maximum_step,
             "stop": job.circuit.stop}
        )  # fmt: skip
    installation = find_installation()
    library = {"NGSPICE_LIBRARY_PATH": str(installation.library)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "decks.json"
        path.write_text(json.dumps(decks), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", PEER, str(path)], capture_output=True, text=True, check=False,
            env={**os.environ, **installation.environment(), **library},
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"the peer failed: {done.stderr[-2000:]}")
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


if __name__ == "__main__":
    main()
