"""A network's tiers beside its circuit, on random samples."""

from __future__ import annotations

from typing import Any

import pytest

from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.errors import OutOfRangeError
from spicesnn.learning.crosscheck import NETWORKS, crosscheck_network
from spicesnn.learning.tier import TierForward
from spicesnn.processes import find_process

PROCESS = find_process("generic180")


def test_the_classifier_s_tiers_agree_and_what_they_refuse_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One sample is refused, as if it had been out of range; the next is in its place."""
    plain, asked = TierForward.__call__, []

    def once(self: TierForward, *given: Any, **more: Any) -> Any:
        asked.append(given)
        if len(asked) == 1:
            raise OutOfRangeError("out of range, as far as this test goes")
        return plain(self, *given, **more)

    monkeypatch.setattr(TierForward, "__call__", once)
    with Pool(2, SimulationOptions.profile("precise")) as pool:
        found = crosscheck_network(NETWORKS["classifier"], PROCESS, pool, samples=2)
    assert found.refused == 1
    assert len(asked) == 3
    assert len(found.records) == 2 * NETWORKS["classifier"].units
    result = found.agreement
    assert result.spikes >= 3
    assert result.matched == result.spikes
    assert result.states["v_mem"].relative < 0.01
    assert result.timing < 0.02


def test_samples_that_are_all_out_of_range_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: TierForward, *given: Any, **more: Any) -> Any:
        raise OutOfRangeError("never")

    monkeypatch.setattr(TierForward, "__call__", never)
    with Pool(1) as pool, pytest.raises(OutOfRangeError, match="never"):
        crosscheck_network(NETWORKS["classifier"], PROCESS, pool, samples=2)
