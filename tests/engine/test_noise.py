"""Transient noise and ngspice's noise analysis against what thermodynamics says."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.deck import (
    Deck,
    Knob,
    NoiseSpectrum,
    OperatingPoint,
    Transient,
    Waveform,
)
from spicesnn.circuits.noise import NoiseBench, noise_bench
from spicesnn.engine.installation import find_all, find_installation
from spicesnn.engine.noise import run_with_noise
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.engine.run import Run
from spicesnn.engine.session import Session
from spicesnn.engine.worker import Form
from spicesnn.errors import ParameterError, UnknownNameError
from spicesnn.processes import Process
from spicesnn.units import ELEMENTARY_CHARGE, thermal_voltage

KT = ELEMENTARY_CHARGE * thermal_voltage(27.0)


def low_pass(tau: float = 1e-3, stop: float = 0.25) -> Deck:
    knobs = {"r1": Knob("r1", ("out", "0"), tau / 1e-12)}
    transient = Transient(stop, tau / 2)
    return Deck("RC", "c1 out 0 1p", "", knobs, ("v(out)",), transient, initial={"out": 0.0})


def variance(runs: list[Run], name: str, tau: float) -> float:
    """Mean over runs, from ten time constants on, of the variance about the pooled mean."""
    stop = runs[0].waveforms.time[-1]
    times = np.arange(10 * tau, stop, tau / 10)
    return float(np.var([run.waveforms.at(name, times) for run in runs]))


def test_a_capacitor_on_a_resistor_has_kt_over_c(pool: Pool) -> None:
    """Its variance is known to sqrt(2 tau / T), as that of an Ornstein-Uhlenbeck process."""
    tau, stop, count = 1e-3, 0.25, 4
    bench = noise_bench(low_pass(tau, stop), ["r1"], tau / 20)
    quiet, runs = run_with_noise(bench, pool, range(count))
    assert np.ptp(quiet.waveforms["v(out)"]) < 1e-9
    error = np.sqrt(2 * tau / (count * (stop - 10 * tau)))
    assert error < 0.05
    assert variance(runs, "v(out)", tau) == pytest.approx(KT / 1e-12, rel=3 * error, abs=0)


def test_a_dpi_capacitor_has_kt_over_c_times_the_slope_factor(process: Process, pool: Pool) -> None:
    """The stage's own law: with f = I_tau/I_in, the pair's conductance is
    `kappa I_tau (1 - f)/U_T` and the noise of leak, pair and input together `4 q I_tau`, so the
    variance is `k T / (kappa C (1 - f))`: no equilibrium, hence more than k T / C.
    """
    circuit = ClassifierCircuit(stop=0.25, maximum_step=1e-4)
    deck = circuit.trace_deck(process)
    # The trace's second stage with a constant input, set at the gate of Q's output.
    gate = Knob("vq", ("xtrace.v_q", "0"), Waveform.constant(1.12))
    deck = replace(deck, knobs=dict(deck.knobs) | {"vq": gate}, probes=("v(v_p)",))
    devices = [f"m.xtrace.m{name}" for name in ("q_out", "p_gain", "p_diode", "p_leak")]
    bench = noise_bench(deck, devices, 4e-5)
    count = 4
    quiet, runs = run_with_noise(bench, pool, range(count))
    current = {name: abs(float(quiet.waveforms[f"@{name}[id]"][-1])) for name in devices}
    leak, share = current[devices[3]], current[devices[3]] / current[devices[0]]
    assert share < 0.3
    slope = 1.359  # of the pfet at 1 um, models/generic180/README.md
    law = slope * KT / circuit.trace.c_p / (1 - share)
    tau = circuit.trace.c_p * slope * thermal_voltage(27.0) / (leak * (1 - share))
    error = np.sqrt(2 * tau / (count * (circuit.stop - 10 * tau)))
    assert error < 0.06
    assert variance(runs, "v(v_p)", tau) == pytest.approx(law, rel=3 * error, abs=0)


def test_the_same_seed_gives_the_same_noise(pool: Pool) -> None:
    bench = noise_bench(low_pass(stop=0.01), ["r1"], 5e-5)
    _, (a, b, c) = run_with_noise(bench, pool, [1, 1, 2])
    np.testing.assert_array_equal(a.waveforms["v(out)"], b.waveforms["v(out)"])
    assert np.abs(a.waveforms["v(out)"][-1] - c.waveforms["v(out)"][-1]) > 1e-9


def test_a_turned_resistor_has_the_noise_of_its_new_value() -> None:
    bench = noise_bench(low_pass(), ["r1"], 5e-5)
    usual, larger = (drawn(bench, r).std() for r in (1e9, 4e9))
    assert usual / larger == pytest.approx(2, rel=1e-6)


def drawn(bench: NoiseBench, resistance: float, seed: int = 0) -> np.ndarray:
    from spicesnn.waveforms import Waveforms

    quiet = Waveforms(np.array([0.0]), {})
    wave = bench.draw(quiet, seed, {"r1": resistance})["inoise0"]
    assert isinstance(wave, Waveform)
    return wave.value


def test_density_is_white_and_flicker_joins_at_its_corner() -> None:
    """Welch's estimate of the drawn values over 4 k T / R (1 + corner / f)."""
    interval, corner = 1e-5, 1e3
    values = drawn(noise_bench(low_pass(stop=40.0), ["r1"], interval, corner), 1e9)
    frequency, density = signal.welch(values, 1 / interval, nperseg=2**14)
    law = 4 * KT / 1e9 * (1 + corner / np.maximum(frequency, 1))
    for low, high in ((30, 100), (300, 3000), (1e4, 4e4)):
        band = (frequency > low) & (frequency < high)
        assert np.mean(density[band] / law[band]) == pytest.approx(1, rel=0.05)


def test_wrong_benches() -> None:
    with pytest.raises(UnknownNameError, match="no resistor or transistor named 'r2'"):
        noise_bench(low_pass(), ["r2"], 1e-5)
    with pytest.raises(ParameterError, match="give a positive interval"):
        noise_bench(low_pass(), ["r1"], 0.0)
    with pytest.raises(ParameterError, match="needs a deck with a transient"):
        noise_bench(replace(low_pass(), analysis=OperatingPoint()), ["r1"], 1e-5)
    with pytest.raises(ParameterError, match="the value of rx is no positive number"):
        noise_bench(replace(low_pass(), netlist="c1 out 0 1p\nrx out 0 {r}"), ["rx"], 1e-5)


SPECTRUM = ("onoise_spectrum", "inoise_spectrum")


@pytest.mark.parametrize("version", sorted({i.version for i in find_all()}))
@pytest.mark.parametrize("form", ["library", "batch"])
def test_noise_spectrum_of_an_rc_integrates_to_kt_over_c(form: Form, version: int) -> None:
    """Whatever the resistance; the rectangle to the left of the first frequency is 1e-3 of it."""
    knobs = {
        "v1": Knob("v1", ("in", "0"), 0.0, " ac 1"),
        "r1": Knob("r1", ("in", "out"), 1e9),
    }
    analysis = NoiseSpectrum("out", "v1", 0.1, 1e7)
    deck = Deck("RC", "c1 out 0 1p", "", knobs, SPECTRUM, analysis)
    with Session(deck, form=form, installation=find_installation(version)) as session:
        runs = session.map([{}, {"r1": 4e9}])
    for run, resistance in zip(runs, (1e9, 4e9), strict=True):
        frequency, density = run.waveforms.time, run.waveforms["onoise_spectrum"] ** 2
        assert density[0] == pytest.approx(4 * KT * resistance, rel=1e-3, abs=0)
        assert np.trapezoid(density, frequency) == pytest.approx(KT / 1e-12, rel=4e-3, abs=0)


@pytest.mark.parametrize(("kind", "sign", "factor"), [("nfet", 1, 1.44), ("pfet", -1, 1.81)])
def test_bsim4_overstates_the_noise_of_weak_inversion(
    process: Process, kind: str, sign: int, factor: float
) -> None:
    """Its thermal noise (tnoimod=0) over the shot noise `2 q I` of a saturated channel.

    This is what `docs/engine.md` warns of, and why transient noise has sources of its own.
    """
    model = process.models.replace("fnoimod=1", "fnoimod=1 noia=0 noib=0 noic=0")
    netlist = (
        f"vd d 0 {sign * 0.9}\nm1 d g 0 0 generic180_{kind} w=1e-6 l=1e-6 ad=0.5e-12 as=0.5e-12 "
        "pd=3e-6 ps=3e-6\nh1 out 0 vd 1e9"
    )
    knobs = {"vg": Knob("vg", ("g", "0"), sign * (0.3 if sign > 0 else 0.5), " ac 1")}
    point = Deck(kind, netlist, model, knobs, ("@m1[id]", "@m1[gm]"), OperatingPoint())
    spectrum = replace(point, probes=SPECTRUM, analysis=NoiseSpectrum("out", "vg", 1.0, 10.0))
    with Session(point) as session:
        bias = session.run().waveforms
    with Session(spectrum) as session:
        noise = session.run().waveforms["inoise_spectrum"][0] * bias["@m1[gm]"][0]
    shot = 2 * ELEMENTARY_CHARGE * abs(bias["@m1[id]"][0])
    assert noise**2 / shot == pytest.approx(factor, rel=0.01)


def test_a_noise_spectrum_is_not_asked_of_klu() -> None:
    knobs = {"v1": Knob("v1", ("out", "0"), 0.0, " ac 1")}
    deck = Deck("RC", "r1 out 0 1k", "", knobs, SPECTRUM, NoiseSpectrum("out", "v1", 1.0, 10.0))
    options = SimulationOptions(solver="klu")
    with (
        Session(deck, options) as session,
        pytest.raises(ParameterError, match=r"RC: solver = 'klu', but .*noise.*take 'auto'"),
    ):
        session.run()
    plain = replace(deck, analysis=OperatingPoint(), probes=("v(out)",))
    with pytest.raises(ParameterError, match="this ngspice has none"):
        options.with_klu(plain, available=False)
    with pytest.raises(ParameterError, match="a noise spectrum needs 0 < start < stop"):
        NoiseSpectrum("out", "v1", 10.0, 1.0)
