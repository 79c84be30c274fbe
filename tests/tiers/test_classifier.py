"""The classifier as tiers against its circuit, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from spicesnn.circuits.cells.dpi_neuron import DpiNeuronBias
from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.errors import DataError, OutOfRangeError, TierFileError
from spicesnn.learning.circuit import CircuitForward
from spicesnn.learning.forward import decide
from spicesnn.learning.tier import TierForward
from spicesnn.measure.compare import match_spikes
from spicesnn.processes import find_process
from spicesnn.tiers.classifier import ClassifierTiers

PROCESS = find_process("generic180")
# As many rows as the column's tier was fitted with; all but three are silent.
ROWS = 16
CIRCUIT = ClassifierCircuit(rows=ROWS, units=3)
STEPS = np.arange(2e-3, 10e-3, 1e-3)
# Each row at another rate; unit 0 leans to plus, unit 2 to minus.
SILENT: tuple[tuple[float, ...], ...] = ((),) * (ROWS - 3)
SAMPLE = (
    *(tuple(np.arange(0.3e-3, 9.5e-3, 1 / rate).tolist()) for rate in (300, 600, 1000)),
    *SILENT,
)
PLACE = np.stack([np.array([0.9, 0.6, 0.2]), np.array([0.1, 0.3, 0.7])])[:, None, :]


def conductance() -> np.ndarray:
    return np.broadcast_to(4e-9 + 34e-9 * PLACE, (2, ROWS, 3)).copy()


@pytest.fixture(scope="module")
def tier() -> TierForward:
    return TierForward(ClassifierTiers.load(CIRCUIT, PROCESS))


def test_a_sample_is_answered_as_by_the_circuit(tier: TierForward) -> None:
    with Pool(2, SimulationOptions.profile("precise")) as pool:
        truth = CircuitForward(CIRCUIT, PROCESS, pool)(conductance(), [SAMPLE], STEPS)[0]
    (found,) = tier(conductance(), [SAMPLE], STEPS)
    tau = tier.tiers.neuron.file.tau
    counts = []
    for wanted, train in zip(truth.spikes, found.spikes, strict=True):
        match = match_spikes(wanted, train, 0.1 * tau)
        assert (match.missed, match.added) == (0, 0)
        counts.append(wanted.size)
    assert counts[0] > counts[1] > counts[2]
    assert decide(found.spikes) == decide(truth.spikes) == 0
    assert found.trace == pytest.approx(truth.trace, abs=4e-3)
    # Half of all values within 1 % of the range: some moments lie between two shifted spikes.
    assert np.median(np.abs(found.membrane - truth.membrane)) < 4e-3
    assert set(found.energy) == set(truth.energy)
    for part, energy in truth.energy.items():
        assert found.energy[part] == pytest.approx(energy, rel=0.05), part
    assert found.simulations == 0


def test_samples_of_a_batch_do_not_see_each_other(tier: TierForward) -> None:
    quiet = ((), (1e-3,), (), *SILENT)
    alone = [tier(conductance(), [s], STEPS)[0] for s in (SAMPLE, quiet, SAMPLE)]
    together = tier(conductance(), [SAMPLE, quiet, SAMPLE], STEPS)
    for one, other in zip(alone, together, strict=True):
        assert one.membrane == pytest.approx(other.membrane, abs=1e-9)
        assert [t.size for t in one.spikes] == [t.size for t in other.spikes]


def test_a_gain_scales_the_input_of_its_unit_alone(tier: TierForward) -> None:
    plain = tier.tiers.answer(conductance(), [SAMPLE])
    more = tier.tiers.answer(conductance(), [SAMPLE], np.array([1.0, 1.3, 1.0]))
    assert more.i_in[:, 0, 0] == pytest.approx(plain.i_in[:, 0, 0])
    assert more.i_in[:, 0, 1].mean() > 1.25 * plain.i_in[:, 0, 1].mean()


def test_what_does_not_fit_is_refused(tier: TierForward) -> None:
    with pytest.raises(DataError, match="a sample has 2 spike trains, not 16"):
        tier(conductance(), [SAMPLE[:2]], STEPS)
    with pytest.raises(DataError, match=r"conductances have shape \(2, 16, 2\), not \(2, 16, 3\)"):
        tier(conductance()[:, :, :2], [SAMPLE], STEPS)
    with pytest.raises(OutOfRangeError, match=r"column .*: g_plus = 1e-06 S is outside"):
        tier(np.full((2, ROWS, 3), 1e-6), [SAMPLE], STEPS)


def test_spikes_that_no_pulse_fits_are_refused(tier: TierForward) -> None:
    early, late = ((-5e-3,), *SILENT, (), ()), ((1.0,), *SILENT, (), ())
    for sample in (early, late):
        with pytest.raises(DataError, match=r"a spike at .* s is outside the run of 0\.01 s"):
            tier(conductance(), [sample], STEPS)
    near = ((1e-3, 1.002e-3, 1.004e-3), *SILENT, (), ())
    with pytest.raises(OutOfRangeError, match=r"event = .* is outside what the tier was fitted"):
        tier(conductance(), [near], STEPS)


def test_fewer_rows_than_units_are_answered() -> None:
    small = TierForward(ClassifierTiers.load(ClassifierCircuit(rows=2, units=3), PROCESS))
    (found,) = small(conductance()[:, :2], [SAMPLE[1:3]], STEPS)
    assert len(found.spikes) == 3
    assert all(energy > 0 for energy in found.energy.values())


def test_tiers_of_other_cells_are_refused() -> None:
    other = ClassifierCircuit(neuron_bias=DpiNeuronBias(i_leak=80e-12))
    with pytest.raises(TierFileError, match=r"dpi_neuron .*is of another neuron_bias than the"):
        ClassifierTiers.load(other, PROCESS)
    with pytest.raises(TierFileError, match=r"dpi_trace .*is of another units than the"):
        ClassifierTiers.load(ClassifierCircuit(units=5), PROCESS)
    with pytest.raises(TierFileError, match="no tier of dpi_trace ships for generic180 ff"):
        ClassifierTiers.load(CIRCUIT, find_process("generic180", "ff"))
