"""KLU: chosen by size where there is one, and of one mind with Sparse."""

import numpy as np
import pytest

from spicesnn.circuits.deck import Deck, OperatingPoint, Transient
from spicesnn.engine.installation import find_all, find_installation
from spicesnn.engine.options import KLU_ELEMENTS, SimulationOptions
from spicesnn.engine.session import Session
from spicesnn.engine.worker import Form


def crossbar(size: int, analysis: OperatingPoint | Transient) -> Deck:
    """Word lines driven from the left, bit lines grounded below, 1 ohm of wire a cell."""
    rng = np.random.default_rng(size)
    lines = [f"vin{i} in{i} 0 sin(0.2 0.1 1e6)" for i in range(size)]
    for i in range(size):
        for j in range(size):
            left = f"in{i}" if j == 0 else f"w{i}_{j - 1}"
            below = "0" if i == size - 1 else f"b{i + 1}_{j}"
            lines.append(f"rw{i}_{j} {left} w{i}_{j} 1")
            lines.append(f"rb{i}_{j} b{i}_{j} {below} 1")
            lines.append(f"rd{i}_{j} w{i}_{j} b{i}_{j} {rng.uniform(1e4, 1e5):.6g}")
        lines.append(f"c{i} b0_{i} 0 1e-12")
    probes = tuple(f"v(b0_{j})" for j in range(size))
    return Deck(f"crossbar {size}", "\n".join(lines), "", {}, probes, analysis)


@pytest.mark.parametrize("form", ["library", "batch"])
@pytest.mark.parametrize("analysis", [OperatingPoint(), Transient(2e-6, 2e-8)])
def test_klu_is_chosen_for_large_circuits_and_agrees(
    form: Form, analysis: OperatingPoint | Transient
) -> None:
    large, small = crossbar(20, analysis), crossbar(4, analysis)
    assert small.elements < KLU_ELEMENTS <= large.elements
    klu = find_installation().klu
    answers = []
    for solver in ("auto", "sparse"):
        options = SimulationOptions.model_validate({"solver": solver})
        with Session(large, options, form=form) as session:
            run = session.run()
        assert run.klu == (klu and solver == "auto")
        answers.append(run.waveforms)
    times = np.linspace(0, answers[0].time[-1], 50)
    for probe in large.probes:
        a, b = (wave.at(probe, times) for wave in answers)
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)
    with Session(small, form=form) as session:
        assert not session.run().klu


def test_where_there_is_no_klu_none_is_used() -> None:
    for version in {i.version for i in find_all() if not i.klu}:
        with Session(
            crossbar(20, OperatingPoint()), installation=find_installation(version)
        ) as session:
            assert not session.run().klu
