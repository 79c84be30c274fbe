"""Ten thousand LIF neurons from one circuit: the fitted tier beside ngspice, then at scale."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.measure.compare import match_spikes
from spicesnn.processes import find_process
from spicesnn.tiers.fitted import load_tier, spike_times_of
from spicesnn.tiers.fitting import simulate
from spicesnn.tiers.library import tier_path
from spicesnn.tiers.record import step_ends

UNITS = 10_000
OWN_STREAM = 9


def main(picture: Path = Path("fast_tiers.png")) -> None:
    process = find_process("generic180")
    lif = load_tier(tier_path("lif_neuron", process), process)

    # One random current through the transistors, on stimuli of our own.
    with Pool(1, SimulationOptions.profile("precise")) as pool:
        found = simulate(lif.recipe, process, pool, 1, 0, OWN_STREAM)
    record = found.records[0]
    outputs = lif.outputs_of([record])[0]
    spikes = spike_times_of(outputs, record.dt)
    match = match_spikes(record.spikes, spikes, 0.1 * lif.file.tau)
    print(f"circuit: {record.spikes.size} spikes, {found.analysis_seconds:.2f} s of ngspice")
    print(f"tier: {match.matched} matched, largest shift {match.largest_shift * 1e6:.2f} us")

    # The same neuron ten thousand times, each with a current of its own.
    rng = np.random.default_rng(0)
    level = np.exp(rng.uniform(np.log(50e-12), np.log(2e-9), UNITS)).astype(np.float32)
    current = np.broadcast_to(level, (1000, UNITS))
    began = time.perf_counter()
    many = lif.run({"i_in": current}, record.dt, jnp.float32)
    took = time.perf_counter() - began
    print(f"{UNITS} neurons for {1000 * record.dt * 1e3:g} ms: {took:.1f} s with compilation")

    figure = Figure(figsize=(7, 5), layout="constrained")
    membrane, raster = figure.subplots(2, 1)
    times = 1e3 * step_ends(record.dt, record.steps)
    membrane.plot(times, record.outputs["v_mem"], color="#222222", label="circuit (ngspice)")
    membrane.plot(times, outputs["v_mem"], "--", color="#d55e00", lw=0.9, label="tier")
    membrane.set_ylabel("membrane (V)")
    membrane.legend(frameon=False, ncols=2, loc="upper right")
    order = np.argsort(level)[:: UNITS // 200]
    steps, units = np.nonzero(many["spike"][:, order] > 0)
    moments = steps * record.dt + many["delay"][:, order][steps, units]
    raster.plot(1e3 * moments, units, ",", color="#0072b2")
    raster.set_xlabel("time (ms)")
    raster.set_ylabel("200 of 10,000, by current")
    figure.savefig(picture, dpi=150)
    print(f"picture: {picture}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
