"""The embedded process in weak inversion: what its README states, measured again."""

import numpy as np
import numpy.typing as npt
import pytest
from PySpice.Spice.Netlist import Circuit

from spicesnn.circuits.deck import Deck, Knob, OperatingPoint, Transient, Waveform
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.errors import ParameterError, UnknownNameError
from spicesnn.processes import Process, find_process

THERMAL_VOLTAGE = 0.02585  # k T / q at 27 C
Array = npt.NDArray[np.float64]


def ramp(low: float, high: float, seconds: float) -> Waveform:
    return Waveform(np.array([0.0, seconds]), np.array([low, high]))


def terminal_currents(
    process: Process, pool: Pool, kind: str, gate: Waveform, drain: Waveform, seconds: float
) -> tuple[Array, Array, Array]:
    """Time, and the currents into gate and drain, of W = L = 1 um; magnitudes for the pfet."""
    sign = 1 if kind == "nfet" else -1
    circuit = Circuit("one transistor")
    getattr(process, kind)(circuit, "1", "d", "g", "0", "0", width=1e-6, length=1e-6)
    netlist = "\n".join(str(circuit).splitlines()[1:])
    knobs = {
        name: Knob(name, (name[1:], "0"), Waveform(wave.time, sign * wave.value))
        for name, wave in (("vg", gate), ("vd", drain))
    }
    deck = Deck(
        f"one {kind}", netlist, process.models, knobs,
        ("i(vg)", "i(vd)"), Transient(seconds, seconds / 200),
    )  # fmt: skip
    wave = pool.map([Job(deck, {})])[0].checked(deck.title).waveforms
    return wave.time, -sign * wave["i(vg)"], -sign * wave["i(vd)"]


@pytest.mark.parametrize(("kind", "stated"), [("nfet", 1.345), ("pfet", 1.421)])
def test_slope_factor(process: Process, pool: Pool, kind: str, stated: float) -> None:
    """At 18 mV a second the gate's own current is under 1 fA, so the sweep is quasi-static."""
    time, _, drain = terminal_currents(
        process, pool, kind, ramp(0, 1.8, 100), Waveform.constant(0.9), 100
    )
    # Weak inversion: inversion coefficients of 1e-4 to 1e-2 of the specific current.
    specific = {"nfet": 541e-9, "pfet": 69e-9}[kind]
    a, b = (float(np.interp(np.log(c * specific), np.log(drain), time)) for c in (1e-4, 1e-2))
    slope = (b - a) * 0.018 / np.log(100) / THERMAL_VOLTAGE
    assert slope == pytest.approx(stated, rel=0.02)
    assert 1.3 < slope < 1.5


@pytest.mark.parametrize(("kind", "stated"), [("nfet", 122e-15), ("pfet", 1.7e-15)])
def test_off_current(process: Process, pool: Pool, kind: str, stated: float) -> None:
    _, _, drain = terminal_currents(
        process, pool, kind, Waveform.constant(0.0), Waveform.constant(1.8), 1
    )
    assert drain[-1] == pytest.approx(stated, rel=0.05, abs=0)


@pytest.mark.parametrize(("kind", "gate", "stated"), [("nfet", 0.38, 0.054), ("pfet", 0.70, 0.038)])
def test_output_conductance(
    process: Process, pool: Pool, kind: str, gate: float, stated: float
) -> None:
    """gds/Id per volt around Vds 0.9 V in weak inversion."""
    _, _, drain = terminal_currents(
        process, pool, kind, Waveform.constant(gate), ramp(0.8, 1.0, 100), 100
    )
    assert 1e-10 < drain[0] < 1e-8
    assert np.log(drain[-1] / drain[1]) / 0.2 == pytest.approx(stated, rel=0.15)


@pytest.mark.parametrize(("kind", "stated"), [("nfet", 7.9e-15), ("pfet", 8.0e-15)])
def test_gate_and_junction_capacitance(
    process: Process, pool: Pool, kind: str, stated: float
) -> None:
    """From the currents of ramps; the junction from drain area and perimeter."""
    _, gate, _ = terminal_currents(
        process, pool, kind, ramp(0, 1.8, 1e-3), Waveform.constant(0.0), 1e-3
    )
    assert gate[-1] / 1800 == pytest.approx(stated, rel=0.1, abs=0)
    _, _, drain = terminal_currents(
        process, pool, kind, Waveform.constant(0.0), ramp(0, 1.8, 1e-6), 1e-6
    )
    assert 0.5e-15 < drain[-1] / 1.8e6 < 2e-15


def test_too_small_a_transistor_is_refused(process: Process) -> None:
    with pytest.raises(ParameterError, match="transistor x: W/L = 1e-07/1e-06 m is under"):
        process.nfet(Circuit("t"), "x", "d", "g", "s", "b", width=1e-7, length=1e-6)


def test_unknown_process_is_answered_with_near_names() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'generic180'"):
        find_process("generic18")


def test_ngspice_mends_nothing_in_the_cards(process: Process, pool: Pool) -> None:
    """A parameter that ngspice mends is mended for some sizes only: see `fit/bsim.py`."""
    circuit = Circuit("all sizes")
    sizes = [
        (w, long) for w in (0.43e-6, 1e-6, 7e-6, 20e-6) for long in (0.185e-6, 0.25e-6, 1e-6, 10e-6)
    ]
    for k, (width, length) in enumerate(sizes):
        process.nfet(circuit, f"n{k}", "d", "g", "0", "0", width=width, length=length)
        process.pfet(circuit, f"p{k}", "0", "g", "d", "d", width=width, length=length)
    netlist = "\n".join([*str(circuit).splitlines()[1:], "vd d 0 dc 1.8", "vg g 0 dc 0.6"])
    deck = Deck("all sizes", netlist, process.models, {}, ("i(vd)",), OperatingPoint())
    assert not [m.text for m in pool.map([Job(deck, {})])[0].messages]
