"""What the sources of a bench deliver is what its transistors turn into heat and store."""

import re
from dataclasses import replace

import numpy as np
import pytest

from spicesnn.characterize.benches.dpi_trace import SynapseBench
from spicesnn.circuits.deck import Transient
from spicesnn.circuits.transistors import transistors
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.measure.energy import channel_heat
from spicesnn.processes import Process


def test_sources_give_what_is_stored_and_turned_into_heat(process: Process, pool: Pool) -> None:
    """Four events into a DPI trace with its drivers and bias lines, over 10 ms."""
    bench = SynapseBench()
    deck = bench.deck(process)
    names = [t.instance for t in transistors(deck.netlist, process)]
    sources = {  # the bias currents stand in the bias cell
        f"xbias.i{n}": ends for n, *ends in re.findall(
            r"^I(\w+) (\w+) (\w+) dc", deck.netlist, re.M
        )
    }  # fmt: skip
    assert len(sources) == 5
    nodes = {n for ends in sources.values() for n in ends} - {"0"}
    capacitors = {
        "q": ("vdd", "xtrace.v_q", bench.trace.c_q), "p": ("v_p", "0", bench.trace.c_p),
        **{n: (n, "0", bench.bias.c_line) for n in nodes - {"vdd"}},
    }  # fmt: skip
    wanted = {n for a, b, _ in capacitors.values() for n in (a, b)} | nodes
    probes = [f"v({n})" for n in sorted(wanted - {"0"})] + ["v(event)", "v(out)"]
    probes += ["i(vdd)", "i(vout)", "i(vevent)"]
    probes += [f"@{n}[{q}]" for n in names for q in ("id", "vds")]
    assert isinstance(deck.analysis, Transient)
    deck = replace(deck, probes=tuple(probes))
    (knobs,) = bench.stimuli(process)
    wave = pool.map([Job(deck, knobs)])[0].waveforms

    def volts(node: str) -> np.ndarray:
        return np.zeros_like(wave.time) if node == "0" else wave[f"v({node})"]

    power = sum(
        -wave[f"i(v{n})"] * volts(node)
        for n, node in (("dd", "vdd"), ("out", "out"), ("event", "event"))
    )
    currents = dict(re.findall(r"^I(\w+) \w+ \w+ dc (\S+)", deck.netlist, re.M))
    for name, (plus, minus) in sources.items():
        power = power + float(currents[name.removeprefix("xbias.i")]) * (volts(minus) - volts(plus))
    heat = sum(wave[f"@{n}[id]"] * wave[f"@{n}[vds]"] for n in names)

    def stored(k: int) -> float:
        return sum(f / 2 * (volts(a)[k] - volts(b)[k]) ** 2 for a, b, f in capacitors.values())

    delivered = float(np.trapezoid(power, wave.time))
    kept = stored(-1) - stored(0)
    assert channel_heat(wave, names) + kept == pytest.approx(delivered, rel=0.01, abs=0)
    # The same of the events alone, what flows at rest taken away on both sides.
    events = float(np.trapezoid(power - power[0], wave.time))
    assert events > 4e-12
    warmth = float(np.trapezoid(heat - heat[0], wave.time))
    assert warmth + kept == pytest.approx(events, rel=0.01, abs=0)
