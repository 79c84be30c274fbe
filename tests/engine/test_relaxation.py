"""A recurrent network by relaxation against the same network as one circuit."""

import numpy as np
import pytest

from spicesnn.circuits.network import Network
from spicesnn.circuits.ring import InhibitionRing
from spicesnn.circuits.whole import whole_deck, whole_probe
from spicesnn.engine.limits import Limits
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.engine.relaxation import relax
from spicesnn.engine.session import Session
from spicesnn.errors import ParameterError, SimulationError
from spicesnn.measure.compare import match_spikes
from spicesnn.measure.spikes import spike_times
from spicesnn.processes import Process

RING = InhibitionRing(units=3, stop=6e-3, maximum_step=2e-5)
TIGHT = SimulationOptions().tightened(10)


def settings(network: Network) -> dict[str, dict[str, float]]:
    drives = np.linspace(0.7e-9, 1.1e-9, len(network.pieces))
    return {name: {"idrive": float(i)} for name, i in zip(network.pieces, drives, strict=True)}


def test_it_agrees_with_the_whole_circuit(process: Process) -> None:
    network = RING.network(process)
    with Pool(2, TIGHT) as tight:
        relaxed = relax(network, settings(network), tight, edge_tolerance=5e-4)
    assert relaxed.settled
    whole = whole_deck(network, settings(network))
    with Session(whole, TIGHT, limits=Limits(wall=300)) as session:
        run = session.run()
    spikes = 0
    for name in network.pieces:
        wave, probe = relaxed.runs[name].waveforms, whole_probe(network, name, "v(spike)")
        match = match_spikes(
            spike_times(run.waveforms.time, run.waveforms[probe], 0.9),
            spike_times(wave.time, wave["v(spike)"], 0.9),
            1e-3 * RING.stop,
        )
        assert (match.missed, match.added) == (0, 0), name
        spikes += match.matched
    assert spikes > 6


def test_inhibition_matters(process: Process, pool: Pool) -> None:
    """Without edges the neurons fire earlier: the test above compares something."""
    network = RING.network(process)
    alone = relax(Network(network.pieces, ()), settings(network), pool)
    together = relax(network, settings(network), pool)
    for name in network.pieces:
        waves = [relaxed.runs[name].waveforms for relaxed in (alone, together)]
        free, held = (spike_times(w.time, w["v(spike)"], 0.9) for w in waves)
        count = min(free.size, held.size)
        assert held[count - 1] > free[count - 1] + 20e-6


def test_what_does_not_settle_is_said(process: Process, pool: Pool) -> None:
    network = RING.network(process)
    with pytest.raises(SimulationError, match=r"did not settle up to .* after 1 rounds: unit"):
        relax(network, settings(network), pool, windows=1, most_rounds=1)
    left = relax(network, settings(network), pool, most_rounds=1, raise_on_failure=False)
    assert not left.settled


def test_loops_need_relaxation(process: Process) -> None:
    with pytest.raises(ParameterError, match=r"form a loop .* run it by `spicesnn.engine.relax"):
        RING.network(process).stages()
