"""The cells against their laws, and at half the step."""

import numpy as np
import numpy.typing as npt
import pytest

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.deck import Deck, Waveform
from spicesnn.circuits.dpi_neuron import DpiNeuronBias
from spicesnn.circuits.dpi_trace import DpiTraceBias
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.engine.run import Run
from spicesnn.engine.worker import Job
from spicesnn.measure.spikes import spike_times
from spicesnn.processes import Process

THERMAL_VOLTAGE = 0.02585  # k T / q at 27 C, the decks' temperature


def run(pool: Pool, deck: Deck, **knobs: Waveform | float) -> Run:
    return pool.map([Job(deck, knobs)])[0].checked(deck.title)


def probed(deck: Deck, *probes: str) -> Deck:
    return Deck(**{**{k: v for k, v in vars(deck).items() if k != "identity"},
                   "probes": deck.probes + probes})  # fmt: skip


@pytest.mark.parametrize("i_tau", [20e-12, 40e-12, 80e-12])
def test_decay_of_q_is_u_t_over_kappa_times_leak(
    process: Process, pool: Pool, i_tau: float
) -> None:
    """Without input the capacitor's voltage moves at I_tau / C, whatever kappa is."""
    circuit = ClassifierCircuit(trace_bias=DpiTraceBias(i_tau_q=i_tau))
    deck = probed(circuit.trace_deck(process), "v(xtrace.v_q)")
    wave = run(pool, deck, vevent=circuit.stimulus([0.5e-3], process)).waveforms
    a, b = wave.at("v(xtrace.v_q)", [1.0e-3, 2.0e-3])
    slope = (b - a) / 1e-3
    # The mirror copies within a few per cent at this drain voltage; junctions leak little.
    assert slope == pytest.approx(i_tau / circuit.trace.c_q, rel=0.1)


def test_p_lags_q_and_both_rise_with_rate(process: Process, pool: Pool) -> None:
    circuit = ClassifierCircuit()
    deck = circuit.trace_deck(process)
    levels = []
    for rate in (250, 500, 1000):
        train = np.arange(0.5e-3, 9e-3, 1 / rate)
        levels.append(run(pool, deck, vevent=circuit.stimulus(train, process)))
    means = [float(r.waveforms.at("v(v_p)", np.linspace(5e-3, 9e-3, 50)).mean()) for r in levels]
    assert means[0] < means[1] < means[2]


@pytest.mark.parametrize("weight", [-0.6, -0.2, 0.0, 0.2, 0.6])
def test_normaliser_gives_the_ratio_of_conductances(
    process: Process, pool: Pool, weight: float
) -> None:
    """(I+ - I-)/(I+ + I-) of the two mirror gates follows (G+ - G-)/(G+ + G-).

    The read diodes' voltage depends on their current, so a device sees less than the rail and
    the law in conductances holds to about a tenth at this read voltage; it is exact at zero.
    """
    circuit = ClassifierCircuit(rows=1, stop=2e-3)
    deck = probed(circuit.column_deck(process), "i(v.xsub.vplus)", "i(v.xsub.vminus)")
    deck = _with_ammeters(deck)
    conductance = 20e-9 * np.array([[[1 + weight]], [[1 - weight]]])
    gate = {"vp0": Waveform.constant(0.30)}
    wave = run(pool, deck, **circuit.device_knobs(conductance, 0), **gate).waveforms
    plus, minus = (abs(wave[f"i(v.xsub.v{s})"][-1]) for s in ("plus", "minus"))
    assert (plus - minus) / (plus + minus) == pytest.approx(weight, abs=0.05)


def _with_ammeters(deck: Deck) -> Deck:
    """Zero-volt sources in series with the two input diodes of the subtractor."""
    text = deck.netlist
    for side in ("plus", "minus"):
        old = f"Min_{side} sum_{side} sum_{side} vdd vdd"
        assert old in text
        new = f"V{side} sum_{side} d_{side} dc 0\nMin_{side} d_{side} sum_{side} vdd vdd"
        text = text.replace(old, new)
    return Deck(**{**{k: v for k, v in vars(deck).items() if k != "identity"}, "netlist": text})


def drive(process: Process, plus: float) -> dict[str, Waveform]:
    return {"vsum_plus": Waveform.constant(plus), "vgate_minus": Waveform.constant(0.0)}


def neuron_spikes(
    process: Process, pool: Pool, gate: float, circuit: ClassifierCircuit
) -> npt.NDArray[np.float64]:
    wave = run(pool, circuit.neuron_deck(process), **drive(process, gate)).waveforms
    return spike_times(wave.time, wave["v(spike)"], process.supply / 2)


def test_neuron_fires_faster_with_more_current(process: Process, pool: Pool) -> None:
    circuit = ClassifierCircuit()
    counts = [neuron_spikes(process, pool, gate, circuit).size for gate in (1.20, 1.08, 1.05, 1.00)]
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert counts[-1] > counts[1] > 0


def test_refractory_period_is_set_by_its_current(process: Process, pool: Pool) -> None:
    """At strong drive the interval is refractory period plus charging: halve I, add a period."""
    intervals = []
    for current in (0.4e-9, 0.2e-9, 0.1e-9):
        circuit = ClassifierCircuit(neuron_bias=DpiNeuronBias(i_refractory=current))
        intervals.append(np.diff(neuron_spikes(process, pool, 0.98, circuit))[1:].mean())
    first, second = intervals[1] - intervals[0], intervals[2] - intervals[1]
    assert second / first == pytest.approx(2, rel=0.1)


def test_half_the_step_and_tighter_tolerances_change_little(process: Process) -> None:
    circuit = ClassifierCircuit()
    fine = ClassifierCircuit(maximum_step=circuit.maximum_step / 2)
    spikes = []
    for sizes, options in (
        (circuit, SimulationOptions()),
        (fine, SimulationOptions().tightened(10)),
    ):
        with Pool(1, options) as one:
            wave = run(one, sizes.neuron_deck(process), **drive(process, 1.03)).waveforms
            spikes.append(spike_times(wave.time, wave["v(spike)"], process.supply / 2))
    assert spikes[0].size == spikes[1].size > 3
    assert np.abs(spikes[0] - spikes[1]).max() < 0.005 * circuit.stop
