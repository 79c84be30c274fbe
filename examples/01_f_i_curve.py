"""The f-I curve of the DPI neuron: turn one knob of a loaded deck, count spikes, draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.deck import Waveform
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.measure.spikes import spike_times
from spicesnn.processes import find_process


def main(picture: Path = Path("f_i_curve.png")) -> None:
    process, circuit = find_process("generic180"), ClassifierCircuit()
    deck = circuit.neuron_deck(process)
    gates = np.linspace(1.15, 0.97, 13)  # of the p mirror that feeds the neuron, volts
    jobs = [Job(deck, {"vsum_plus": Waveform.constant(gate)}) for gate in gates]
    with Pool(workers=2) as pool:
        runs = [run.checked(deck.title) for run in pool.map(jobs)]
    rates = []
    for run in runs:
        wave = run.waveforms
        spikes = spike_times(wave.time, wave["v(spike)"], process.supply / 2)
        rates.append(1 / np.diff(spikes)[1:].mean() if spikes.size > 2 else 0.0)
    for gate, rate in zip(gates, rates, strict=True):
        print(f"gate {gate:.3f} V  rate {rate:7.1f} Hz")
    figure = Figure(figsize=(4.5, 3), layout="constrained")
    axis = figure.subplots()
    axis.plot(gates, np.array(rates) / 1e3, "o-")
    axis.invert_xaxis()
    axis.set(xlabel="gate of the input mirror (V)", ylabel="rate (kHz)")
    figure.savefig(picture, dpi=150)
    print(picture)


if __name__ == "__main__":
    main()
