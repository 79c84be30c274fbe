"""What driving ngspice costs: the loop's wall time over ngspice's own analysis time.

On one worker; and the same trials through PySpice's ordinary `simulator.transient()`, in the same
run. `--quick` takes fewer trials and says so.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

import numpy as np
from pyspice_peer import ask_pyspice

from spicesnn.engine.cache import RunCache
from spicesnn.engine.run import Run
from spicesnn.engine.worker import Job
from spicesnn.measure.spikes import spike_times
from spicesnn.systems.iris import IrisJob, circuit_forward, encode_iris

PEER = """
for deck in given:
    circuit = Circuit(deck["title"])
    circuit.raw_spice = deck["text"]
    simulator = circuit.simulator(temperature=27, nominal_temperature=27)
    simulator.options(**deck["options"])
    analysis = simulator.transient(
        step_time=deck["step"], end_time=deck["stop"], max_time=deck["step"]
    )
    wave = np.asarray(analysis[deck["node"]])
    if deck["node"] == "spike":
        answers.append(int(((wave[1:] > 0.9) & (wave[:-1] <= 0.9)).sum()))
    else:
        answers.append(float(wave[-1]))
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
    units, ratios, walls = job.circuit.units, [], []
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
        pieces = forward.runner.network.pieces
        columns = {f"column{i}": job.circuit.device_knobs(conductance, i) for i in range(units)}
        trials = [
            (
                Job(pieces[name].alone, forward.runner.knobs(name, columns.get(name, {}), answer)),
                run,
            )
            for answer in runs
            for name, run in answer.items()
            if not name.startswith("trace")
        ]
    answers = [_peer(job, [item for item, _ in trials]) for _ in range(1 if samples < 20 else 3)]
    peer = statistics.median(seconds for seconds, _ in answers)
    ours = [_outcome(run) for _, run in trials]
    different = max(
        sum(abs(a - b) > 1e-3 for a, b in zip(outcomes, ours, strict=True))
        for _, outcomes in answers
    )
    wall = statistics.median(walls)
    ratio = statistics.median(ratios)
    return [
        {"name": "wall over ngspice's analysis time, one worker", "value": round(ratio, 3),
         "unit": "1", "goal": "<= 1.2", "published": None, "holds": ratio <= 1.2},
        {"name": "simulations", "value": len(trials), "unit": "1", "goal": "", "published": None,
         "holds": None},
        {"name": "PySpice's transient() over ours, same trials", "value": round(peer / wall, 2),
         "unit": "1", "goal": "> 1", "published": None, "holds": peer > wall},
        {"name": "trials whose outcome at the peer differs", "value": different, "unit": "1",
         "goal": "0", "published": None, "holds": different == 0},
        {"name": "ours, a simulation", "value": round(wall / len(trials), 4), "unit": "s",
         "goal": "", "published": None, "holds": None},
    ]  # fmt: skip


def _outcome(run: Run) -> float:
    """Output spikes of a neuron; where a column's positive sum ends, volts."""
    wave = run.waveforms
    if "v(spike)" in wave.signals:
        return float(spike_times(wave.time, wave["v(spike)"], 0.9).size)
    return float(wave["v(sum_plus)"][-1])


def _peer(job: IrisJob, jobs: list[Job]) -> tuple[float, list[float]]:
    """Seconds that PySpice's ordinary way takes for the same simulations, and their outcomes.

    In a fresh process.
    """
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
             "node": "spike" if "v(spike)" in item.deck.probes else "sum_plus",
             "options": options, "step": job.circuit.maximum_step,
             "stop": job.circuit.stop}
        )  # fmt: skip
    return ask_pyspice(PEER, decks)


if __name__ == "__main__":
    main()
