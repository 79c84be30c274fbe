"""The memristive neuron of the example in ngspice, against its published equations by SciPy."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from spicesnn.circuits.deck import Waveform
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.session import Session


@pytest.fixture(scope="module")
def example() -> Any:
    path = Path(__file__).resolve().parents[2] / "examples/05_memristive_neuron.py"
    spec = importlib.util.spec_from_file_location("memristive_neuron", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_membrane_and_switches_follow_the_published_equations(example: Any) -> None:
    peak = 5e-6

    def rates(t: float, y: np.ndarray) -> list[float]:
        # Written out from arXiv 2206.12992 with the values of the authors' code.
        v, x1, x2 = y
        current = peak * t / 1e-3 * np.exp(1 - t / 1e-3)
        slopes, leaving = [], 0.0
        for x, e in ((x1, 0.0), (x2, 50e-3)):
            leaving += (x / 1e3 + (1 - x) / 100e3) * (v - e)
            on = 1 / (1 + np.exp(-(v - e - 110e-3) / 15e-3))
            off = 1 / (1 + np.exp(-(5e-3 - (v - e)) / 15e-3))
            slopes.append(((1 - x) * on - x * off) / 1e-3)
        return [(current - leaving) / 1e-9, *slopes]

    wave = Waveform(example.TIME, example.alpha(peak))
    with Session(example.neuron(), SimulationOptions.profile("precise")) as session:
        found = session.run({"iin": wave}).waveforms
    start = [25e-3, 0.0238, 0.0238]
    wanted = solve_ivp(
        rates, (0, example.STOP), start, "LSODA", example.TIME, rtol=1e-9, atol=1e-12
    ).y
    for name, values in zip(("v(v_mem)", "v(x1)", "v(x2)"), wanted, strict=True):
        gap = np.abs(found.at(name, example.TIME) - values).max()
        assert gap < 1e-3 * np.ptp(values), name


def test_the_answer_is_graded(example: Any) -> None:
    """A tenth of the input makes a spike less than a fifth as high, not none."""
    with Session(example.neuron()) as session:
        inputs = [{"iin": Waveform(example.TIME, example.alpha(p))} for p in (0.5e-6, 5e-6)]
        small, large = (run.waveforms["v(v_mem)"].max() - 25e-3 for run in session.map(inputs))
    assert 40e-3 < large < 50e-3
    assert 0.05 * large < small < 0.2 * large
