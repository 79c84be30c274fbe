"""The memristive integrate-and-fire neuron: a capacitor and two volatile switches, in ngspice.

Each switch hangs on a reversal potential (0 and 50 mV). The current into the capacitor is an alpha
function; the answer is graded: a weaker input makes a smaller spike. Equations and values: Zhou et
al., arXiv 2206.12992, and the authors' public code; the authors' own discretisation, forward Euler
at 10 us, is drawn beside.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from spicesnn.circuits.deck import Deck, Knob, Transient, Waveform
from spicesnn.circuits.device_forms import device_forms
from spicesnn.devices import find_ode
from spicesnn.engine.session import Session

Array = npt.NDArray[np.float64]
PEAKS = (0.5e-6, 1e-6, 2e-6, 5e-6)  # amperes
REVERSAL = (0.0, 50e-3)  # volts
CAPACITANCE, RISE, STOP = 1e-9, 1e-3, 10e-3
TIME = np.linspace(0, STOP, 1001)


def alpha(peak: float) -> Array:
    """An alpha function of current: `peak` amperes at `RISE` seconds."""
    return np.asarray(peak * TIME / RISE * np.exp(1 - TIME / RISE))


def neuron() -> Deck:
    """The neuron: knob `iin`, probes its membrane and the switches' states."""
    forms = device_forms(find_ode("Zhou2022"))
    branches = [
        f"xbranch{k} v_mem e{k} x{k} {forms.name}\nve{k} e{k} 0 {reversal}"
        for k, reversal in enumerate(REVERSAL, 1)
    ]
    return Deck(
        "memristive integrate-and-fire neuron", "\n".join([f"c1 v_mem 0 {CAPACITANCE}", *branches]),
        "", {"iin": Knob("iin", ("0", "v_mem"), Waveform(TIME, alpha(PEAKS[0])))},
        ("v(v_mem)", "v(x1)", "v(x2)"), Transient(STOP, 5e-6), devices=(forms,),
    )  # fmt: skip


def published(peak: float) -> Array:
    """The membrane by the authors' discretisation, volts, shape (times,)."""
    device, step = find_ode("Zhou2022").numbers, 1e-5
    current, x = alpha(peak), [device["x_0"]] * 2
    trace = np.full(TIME.size, sum(REVERSAL) / 2)
    for k in range(1, TIME.size):
        g = [each / device["r_on"] + (1 - each) / device["r_off"] for each in x]
        leaving = sum(each * (trace[k - 1] - e) for each, e in zip(g, REVERSAL, strict=True))
        trace[k] = trace[k - 1] + (current[k] - leaving) * step / CAPACITANCE
        for b, e in enumerate(REVERSAL):
            over = trace[k] - e
            on = 1 / (1 + np.exp(-(over - device["v_on"]) / device["v_width"]))
            off = 1 / (1 + np.exp(-(device["v_off"] - over) / device["v_width"]))
            x[b] += step / device["tau"] * ((1 - x[b]) * on - x[b] * off)
    return trace


def main(picture: Path = Path("memristive_neuron.png")) -> list[float]:
    """Draw all inputs; the largest differences from the authors' discretisation, volts."""
    with Session(neuron()) as session:
        runs = session.map([{"iin": Waveform(TIME, alpha(peak))} for peak in PEAKS])
    figure = Figure(figsize=(6, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    apart = []
    for k, (peak, run) in enumerate(zip(PEAKS, runs, strict=True)):
        wave, euler = run.waveforms, published(peak)
        apart.append(float(np.abs(wave.at("v(v_mem)", TIME) - euler).max()))
        above.plot(1e3 * wave.time, 1e3 * wave["v(v_mem)"], f"C{k}", label=f"{1e6 * peak:g} µA")
        above.plot(1e3 * TIME[::20], 1e3 * euler[::20], f"C{k}.", markersize=3)
        below.plot(1e3 * wave.time, wave["v(x1)"], f"C{k}")
        below.plot(1e3 * wave.time, wave["v(x2)"], f"C{k}--")
    above.set_ylabel("membrane (mV)")
    above.legend(title="peak input", frameon=False)
    above.set_title("lines: ngspice, points: the authors' forward Euler", fontsize=9)
    below.set(xlabel="time (ms)", ylabel="share of switches on")
    below.plot([], [], "k", label="branch at 0 mV")
    below.plot([], [], "k--", label="branch at 50 mV")
    below.legend(frameon=False)
    figure.savefig(picture, dpi=150)
    print(picture, [f"{1e3 * each:.2f} mV" for each in apart])
    return apart


if __name__ == "__main__":
    main()
