"""Three neurons held at three target rates by one controller, inside one transient.

    python examples/02_rate_control.py

The controller sees the spikes while the transient runs and turns each neuron's input current, as a
homeostatic loop on a chip would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from spicesnn.circuits.deck import Transient
from spicesnn.circuits.network import Network, Piece
from spicesnn.circuits.ring import InhibitionRing
from spicesnn.circuits.whole import whole_deck
from spicesnn.engine.online import OnlineRun, OnlineSession
from spicesnn.measure.spikes import spike_times
from spicesnn.processes import find_process

TARGETS = (300.0, 500.0, 800.0)  # hertz
STOP = 60e-3


class RateController:
    """Integral control of the logarithm of each input current, once a spike."""

    def __init__(self, gain: float = 0.3, start: float = 0.3e-9) -> None:
        self.gain = gain
        self.current = [start] * len(TARGETS)
        self.last: list[float | None] = [None] * len(TARGETS)
        self.high = [False] * len(TARGETS)

    def __call__(self, time: float, values: Mapping[str, float]) -> dict[str, float]:
        """New currents of the neurons that spike now."""
        answer = {}
        for k, target in enumerate(TARGETS):
            high = values[f"v(xunit{k}.spike)"] > 0.9
            began, self.high[k] = high and not self.high[k], high
            if not began:
                continue
            last = self.last[k]
            if last is not None:
                error = np.log(target * (time - last))
                self.current[k] *= float(np.exp(self.gain * np.clip(error, -1, 1)))
                answer[f"idrive_unit{k}"] = self.current[k]
            self.last[k] = time
        return answer


def main(picture: Path = Path("rate_control.png")) -> tuple[list[float], OnlineRun]:
    """Run and draw; the rates of the last third, in hertz, and the run."""
    ring = InhibitionRing(units=2, stop=STOP)
    deck = ring.unit_deck(find_process("generic180"))
    # The neurons are not coupled: their inhibitory inputs stay silent.
    pieces = {f"unit{k}": Piece(f"unit{k}", replace(deck, probes=("v(spike)",))) for k in range(3)}
    network = Network(pieces, ())
    silent = whole_deck(network)
    silent = replace(silent, analysis=Transient(STOP, ring.maximum_step))
    sources = tuple(f"idrive_unit{k}" for k in range(3))
    answer = OnlineSession(silent, sources).run(RateController())
    wave = answer.run.waveforms
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    rates_panel, current_panel = figure.subplots(2, 1, sharex=True)
    rates = []
    for k, target in enumerate(TARGETS):
        spikes = spike_times(wave.time, wave[f"v(xunit{k}.spike)"], 0.9)
        rates_panel.plot(spikes[1:] * 1e3, 1 / np.diff(spikes), ".-", label=f"neuron {k}")
        rates_panel.axhline(target, color=f"C{k}", linestyle=":")
        drive = answer.drives[sources[k]]
        current_panel.plot(drive.time * 1e3, drive.value * 1e9)
        late = spikes[spikes > STOP * 2 / 3]
        rates.append(float((late.size - 1) / (late[-1] - late[0])))
    rates_panel.set_ylabel("rate (Hz)")
    rates_panel.legend(frameon=False, ncols=3)
    current_panel.set_ylabel("input current (nA)")
    current_panel.set_xlabel("time (ms)")
    figure.savefig(picture, dpi=150)
    micro = answer.overhead_seconds / answer.points * 1e6
    print("rates:", [f"{r:.0f} Hz" for r in rates], f"overhead: {micro:.1f} us a time point")
    return rates, answer


if __name__ == "__main__":
    main()
