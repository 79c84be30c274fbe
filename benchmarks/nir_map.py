"""The network that snnTorch trained on iris, on cells and a crossbar, against its own decisions.

`--json` prints the rows as JSON; `--quick` takes 4 samples and says so; `--out FOLDER` keeps decks,
conductances, biases and the report. Gains are set on 6 training samples without their labels; the
decisions are on 20 held-out samples, evenly from the classes.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from nir_data import DT, irises
from stored import Row, row

from spicesnn.engine.pool import Pool
from spicesnn.exchange.mapping import MapSettings, map_network
from spicesnn.exchange.nir_import import read

ROOT = Path(__file__).resolve().parent.parent


def rows(quick: bool = False, out: Path | None = None, workers: int = 1) -> list[Row]:
    """Agreement, rates, gains and cost."""
    network = read(ROOT / "tests" / "exchange" / "data" / "snntorch_iris.nir", DT)
    stored = ROOT / "tests" / "exchange" / "data" / "snntorch_iris.json"
    source = np.array(json.loads(stored.read_text(encoding="utf-8"))["counts"])
    inputs, _, held_out, labels = irises()
    chosen = np.linspace(0, held_out.shape[1] - 1, 4 if quick else 20).astype(int)
    samples = held_out[:, chosen]
    began = time.perf_counter()
    with Pool(workers) as pool:
        mapped = map_network(
            network, inputs.shape[0], MapSettings(), pool, inputs[:, :: inputs.shape[1] // 6][:, :6]
        )
        set_up = time.perf_counter() - began
        counts = mapped.counts(samples, pool)
    took = time.perf_counter() - began - set_up
    if out is not None:
        mapped.write(out, samples)
        found = {"samples": chosen.tolist(), "counts": counts.tolist(),
                 "source": source[chosen].tolist(), "labels": labels[chosen].tolist()}  # fmt: skip
        (out / "decisions.json").write_text(json.dumps(found) + "\n", encoding="utf-8")
    same = int((counts.argmax(axis=1) == source[chosen].argmax(axis=1)).sum())
    what, goal = f"decisions as the source's, of {len(chosen)}", 0.9 * len(chosen)
    result = [
        row(what, same, "1", f">= {goal:g}", None if quick else same >= goal),
        row("correct by label, circuit", int((counts.argmax(axis=1) == labels[chosen]).sum())),
        row("correct by label, source",
            int((source[chosen].argmax(axis=1) == labels[chosen]).sum())),
        row("output counts, correlation with the source's",
            float(np.corrcoef(counts.ravel(), source[chosen].ravel())[0, 1])),
    ]  # fmt: skip
    for k, each in enumerate(mapped.calibration):
        result += [
            row(f"layer {k}, median of the units' gains", float(np.median(each.gains))),
            row(f"layer {k}, current into its traces", 1e9 * each.i_weight, "nA"),
            row(f"layer {k}, spikes over the source's, calibration",
                each.circuit_spikes / each.source_spikes),
            row(f"layer {k}, correlation of counts, calibration", each.correlation),
            row(f"layer {k}, simulations of pieces, calibration", each.simulations),
        ]  # fmt: skip
    return [
        *result,
        row("setting of the gains", set_up, "s"),
        row("circuit, one sample", took / len(chosen), "s"),
    ]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="4 samples; says so")
    parser.add_argument("--json", action="store_true", help="rows as JSON on standard output")
    parser.add_argument("--out", type=Path, help="folder to keep what was written")
    given = parser.parse_args()
    found = rows(given.quick, given.out)
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for each in found:
        held = {True: "holds", False: "DOES NOT HOLD", None: ""}[each["holds"]]
        print(f"{each['name']}: {each['value']} {each['unit']} {each['goal']} {held}")


if __name__ == "__main__":
    main()
