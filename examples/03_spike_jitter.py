"""Spike-time jitter of a subthreshold neuron against its input current, by transient noise.

    python examples/03_spike_jitter.py

The neuron lives on tens of picoamperes, so the shot noise of its own transistors decides when it
fires. The bars are the standard error; the crosses are what the solver alone leaves, without noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from spicesnn.circuits.deck import Value
from spicesnn.circuits.noise import noise_bench
from spicesnn.circuits.ring import InhibitionRing
from spicesnn.engine.noise import run_with_noise
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.measure.spikes import spike_times
from spicesnn.processes import find_process

NOISY = ("gain", "diode", "leak", "sense", "pull_up", "ref_leak")
CURRENTS = (110e-12, 120e-12, 150e-12, 250e-12, 500e-12)  # amperes
STOP = 60e-3


def main(
    picture: Path = Path("spike_jitter.png"), currents: Sequence[float] = CURRENTS, seeds: int = 3
) -> list[float]:
    """Simulate, draw, and return the jitter of each input current, relative to the interval."""
    ring = InhibitionRing(units=2, stop=STOP)
    deck = replace(ring.unit_deck(find_process("generic180")), probes=("v(spike)",))
    bench = noise_bench(deck, [f"m.xneuron.m{name}" for name in NOISY], 1e-5)
    intervals, quiet = [], []
    with Pool(2, SimulationOptions().tightened(10)) as pool:
        for current in currents:
            knobs: dict[str, Value] = {"idrive": current}
            calm, runs = run_with_noise(bench, pool, range(seeds), knobs)
            waves = [run.waveforms for run in (calm, *runs)]
            gaps = [np.diff(spike_times(w.time, w["v(spike)"], 0.9))[1:] for w in waves]
            quiet.append(gaps[0].std(ddof=1))
            intervals.append(np.concatenate(gaps[1:]))
    mean = np.array([i.mean() for i in intervals])
    jitter = np.array([i.std(ddof=1) for i in intervals])
    error = jitter / np.sqrt([2 * (i.size - 1) for i in intervals])
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    amperes = np.array(currents) * 1e12
    left.errorbar(amperes, jitter * 1e6, error * 1e6, fmt="o-", capsize=3, label="with noise")
    left.plot(amperes, np.array(quiet) * 1e6, "x", color="0.5", label="solver alone")
    left.legend(frameon=False)
    left.set_ylabel("s.d. of an interval (µs)")
    right.errorbar(amperes, 100 * jitter / mean, 100 * error / mean, fmt="o-", capsize=3)
    right.set_ylabel("s.d. over mean interval (%)")
    for axis in (left, right):
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xticks((100, 200, 300, 500), ("100", "200", "300", "500"))
        axis.minorticks_off()
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.set_xlabel("input current (pA)")
    figure.savefig(picture, dpi=150)
    for amount, spread, interval, still in zip(amperes, jitter, intervals, quiet, strict=True):
        print(
            f"{amount:.0f} pA: {interval.size} intervals of {interval.mean() * 1e3:.3f} ms, "
            f"jitter {spread * 1e6:.2f} us, solver {still * 1e6:.2f} us"
        )
    return [float(value) for value in jitter / mean]


if __name__ == "__main__":
    main()
