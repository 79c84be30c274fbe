"""Our defaults against a gmin ten times smaller, on every process; ngspice's own do not hold."""

import pytest

from spicesnn.characterize.off_current import OffCurrent, off_current
from spicesnn.engine.options import SimulationOptions
from spicesnn.errors import ParameterError
from spicesnn.processes import Process

FINE = SimulationOptions(minimum_conductance=1e-18, current_tolerance=1e-18)
NGSPICE = SimulationOptions(
    relative_tolerance=1e-3, current_tolerance=1e-12, minimum_conductance=1e-12
)


def measured(process: Process, kind: str, options: SimulationOptions | None) -> OffCurrent:
    return off_current(process, getattr(process, kind), 1e-6, 1e-6, options=options)


@pytest.mark.parametrize("kind", ["nfet", "pfet"])
def test_off_currents_are_not_gmins(any_process: Process, kind: str) -> None:
    """Within 5 % of gmin at 1e-18 S, by component; with ngspice's own 1e-12 S all else drowns."""
    fine, ours, theirs = (measured(any_process, kind, o) for o in (FINE, None, NGSPICE))
    assert ours.drain == pytest.approx(fine.drain, rel=0.05, abs=0)
    assert ours.channel == pytest.approx(fine.channel, rel=0.05, abs=0)
    assert ours.junction == pytest.approx(fine.junction, rel=0.05, abs=0)
    assert ours.gate == pytest.approx(fine.gate, rel=0.05, abs=0)
    assert fine.drain == pytest.approx(fine.channel + fine.junction + fine.gate, rel=0.02, abs=0)
    assert theirs.drain > 1.05 * fine.drain
    assert theirs.junction > 10 * fine.junction


def test_heat_leaks(process: Process) -> None:
    cold, hot = (off_current(process, process.nfet, 1e-6, 1e-6, celsius=t) for t in (-40, 85))
    assert hot.drain > 1000 * cold.drain
    with pytest.raises(ParameterError, match="126 deg C is outside what generic180"):
        off_current(process, process.nfet, 1e-6, 1e-6, celsius=126)
