"""The cells against their laws, and at half the step."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from PySpice.Spice.Netlist import Circuit

from spicesnn.circuits.cells.cell import bias_current, diode
from spicesnn.circuits.cells.current_subtractor import SubtractorInput, SubtractorOutput
from spicesnn.circuits.cells.dpi_neuron import DpiNeuronBias
from spicesnn.circuits.cells.dpi_trace import DpiTraceBias
from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.deck import Deck, OperatingPoint, Value, Waveform
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.engine.run import Run
from spicesnn.engine.worker import Job
from spicesnn.measure.compare import compare
from spicesnn.measure.spikes import spike_times
from spicesnn.processes import Process


def run(pool: Pool, deck: Deck, **knobs: Value) -> Run:
    return pool.map([Job(deck, knobs)])[0].checked(deck.title)


def probed(deck: Deck, *probes: str) -> Deck:
    return replace(deck, probes=deck.probes + probes)


@pytest.mark.parametrize("i_tau", [20e-12, 40e-12, 80e-12])
def test_q_decays_at_its_leak_over_its_capacitor(
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


@pytest.mark.parametrize("rate", [250, 500, 1000])
def test_q_follows_the_law_of_the_differential_pair_integrator(
    process: Process, pool: Pool, rate: float
) -> None:
    """Over a period of a steady train the law's mean is `I_g (duty I_weight/I_tau - 1)`.

    The loop is translinear where n and p transistor have the same slope factor. They have not, so
    that the bracket gets the power of their ratio: the pair's, whose source is 1 V above the bulk
    and which leaves weak inversion while a pulse of 100 nA lasts, over the output's.
    """
    circuit, bias = ClassifierCircuit(), DpiTraceBias()
    deck = probed(circuit.trace_deck(process), "@m.xtrace.mq_out[id]")
    train = np.arange(0.5e-3, 9.9e-3, 1 / rate)
    wave = run(pool, deck, vevent=circuit.stimulus(train, process)).waveforms
    steady = (wave.time >= 5.5e-3) & (wave.time <= 9.5e-3)  # whole periods
    time, current = wave.time[steady], np.abs(wave["@m.xtrace.mq_out[id]"][steady])
    duty = rate * (circuit.pulse_width + circuit.pulse_edge)
    mean = np.trapezoid(current, time) / np.ptp(time)
    power = np.log(mean / bias.i_gain_q) / np.log(duty * bias.i_weight / bias.i_tau_q - 1)
    assert power == pytest.approx(1.0, abs=0.1)


def test_p_lags_q(process: Process, pool: Pool) -> None:
    """Q is highest as its pulse ends; P goes on rising for about a time constant of Q."""
    circuit = ClassifierCircuit()
    deck = probed(circuit.trace_deck(process), "v(xtrace.v_q)")
    wave = run(pool, deck, vevent=circuit.stimulus([0.5e-3], process)).waveforms
    q, p = wave.time[wave["v(xtrace.v_q)"].argmin()], wave.time[wave["v(v_p)"].argmax()]
    assert q == pytest.approx(0.5e-3 + circuit.pulse_width, abs=5e-6)
    tau = circuit.trace.c_q * 1.35 * 0.02585 / circuit.trace_bias.i_tau_q
    assert p - q == pytest.approx(1.5 * tau, rel=0.5)


def test_p_rises_with_the_rate(process: Process, pool: Pool) -> None:
    circuit = ClassifierCircuit()
    deck = circuit.trace_deck(process)
    levels = []
    for rate in (250, 500, 1000):
        train = np.arange(0.5e-3, 9e-3, 1 / rate)
        levels.append(run(pool, deck, vevent=circuit.stimulus(train, process)))
    means = [float(r.waveforms.at("v(v_p)", np.linspace(5e-3, 9e-3, 50)).mean()) for r in levels]
    assert means[0] < means[1] < means[2]


@pytest.mark.parametrize("plus", [0.1e-9, 0.5e-9, 2e-9])
@pytest.mark.parametrize("minus", [0.1e-9, 0.5e-9, 2e-9])
def test_subtractor_gives_the_positive_difference(
    process: Process, pool: Pool, plus: float, minus: float
) -> None:
    """max(0, I+ - I-) into a diode, but for the mirrors' output conductance."""
    circuit = Circuit("subtractor")
    for cell in (SubtractorInput(), SubtractorOutput()):
        circuit.subcircuit(cell.subcircuit(process))
    circuit.V("dd", "vdd", "0", raw_spice=f"dc {process.supply}")
    bias_current(circuit, "plus", "sum_plus", "0", plus)
    bias_current(circuit, "minus", "sum_minus", "0", minus)
    circuit.X("in", "subtractor_input", *SubtractorInput.ports)
    circuit.X("out", "subtractor_output", *SubtractorOutput.ports)
    circuit.V("meter", "out", "load", raw_spice="dc 0")
    diode(circuit, process.nfet, "load", "load", "0", width=1e-6, length=1e-6)
    text, models = str(circuit).partition("\n")[2], process.models
    deck = Deck("subtractor", text, models, {}, ("i(vmeter)",), OperatingPoint())
    out = float(run(pool, deck).waveforms["i(vmeter)"][0])
    assert out == pytest.approx(max(0.0, plus - minus), abs=0.1 * (plus + minus))


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
    return replace(deck, netlist=text)


def drive(process: Process, plus: float) -> dict[str, Waveform]:
    return {"vsum_plus": Waveform.constant(plus), "vgate_minus": Waveform.constant(0.0)}


def neuron_spikes(
    process: Process, pool: Pool, gate: float, circuit: ClassifierCircuit
) -> npt.NDArray[np.float64]:
    wave = run(pool, circuit.neuron_deck(process), **drive(process, gate)).waveforms
    return spike_times(wave.time, wave["v(spike)"], process.supply / 2)


def test_neuron_fires_faster_with_more_current(process: Process, pool: Pool) -> None:
    circuit = ClassifierCircuit()
    counts = [neuron_spikes(process, pool, gate, circuit).size for gate in (1.30, 1.08, 1.05, 1.00)]
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


def test_a_pulse_gives_its_whole_charge(process: Process) -> None:
    """Corners along the pulse: the trace's current is that of steps of 0.2 us, within 0.2 %.

    Without them the solver's steps grow to half a pulse, and over 1 % is lost.
    """
    usual = ClassifierCircuit(stop=4e-3, maximum_step=2e-5)
    fine = ClassifierCircuit(stop=4e-3, maximum_step=2e-7)
    stimulus = usual.stimulus([1.25e-3, 1.7e-3], process)
    ends = np.array([0, 1, 11, 12])
    bare = Waveform(stimulus.time[np.r_[0, 1 + ends, 14 + ends]],
                    stimulus.value[np.r_[0, 1 + ends, 14 + ends]])  # fmt: skip
    levels = []
    for circuit, wave in ((usual, bare), (usual, stimulus), (fine, stimulus)):
        with Pool(1) as one:
            waves = run(one, circuit.trace_deck(process), vevent=wave).waveforms
        levels.append(float(waves.at("v(v_p)", np.array([3e-3]))[0]))
    # In weak inversion a current moves by e for each n U_T.
    bare_error, error = (abs(level - levels[2]) / (1.31 * 0.02585) for level in levels[:2])
    assert bare_error > 0.01
    assert error < 0.002


@pytest.mark.parametrize(
    ("cell", "volts"), [("trace", 2e-3), ("column", 0.02e-3), ("neuron", 4e-3)]
)
def test_half_the_step_and_tighter_tolerances_change_little(
    process: Process, cell: str, volts: float
) -> None:
    """Spikes within 0.5 % of the sample; voltages away from them, at the usual run's own points."""
    usual = ClassifierCircuit(rows=2)
    fine = ClassifierCircuit(rows=2, maximum_step=usual.maximum_step / 2)
    ramp = Waveform(np.array([0.0, 5e-3, 10e-3]), np.array([0.2, 0.33, 0.25]))
    train = np.arange(0.5e-3, 9e-3, 2e-3)
    knobs: dict[str, dict[str, Value]] = {
        "trace": {"vevent": usual.stimulus(train, process)},
        "column": {"vp0": ramp, "vp1": Waveform.constant(0.28), "rplus0": 30e6, "rminus1": 40e6},
        "neuron": dict(drive(process, 1.03)),
    }
    waves = []
    for sizes, options in ((usual, SimulationOptions()), (fine, SimulationOptions().tightened(10))):
        decks = {"trace": sizes.trace_deck, "column": sizes.column_deck}
        deck = decks.get(cell, sizes.neuron_deck)(process)
        with Pool(1, options) as one:
            waves.append(run(one, deck, **knobs[cell]).waveforms)
    voltages = [name for name in waves[0].signals if name.startswith("v(") and name != "v(spike)"]
    spiking = ["v(spike)"] if cell == "neuron" else []
    window = 0.005 * usual.stop
    result = compare(*waves, voltages, spiking, process.supply / 2, window, 4 * window)
    for name, difference in result.differences.items():
        assert difference.largest < volts, name
    for match in result.spikes.values():
        assert (match.missed, match.added) == (0, 0)
        assert match.matched > 3
