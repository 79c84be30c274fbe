"""What is outside a range is refused by name."""

from __future__ import annotations

import numpy as np
import pytest

from spicesnn.errors import OutOfRangeError
from spicesnn.tiers.ranges import Range, check

RANGES = {"i_in": Range(low=0.0, high=1e-9, unit="A"), "step": Range(low=0, high=1e-5, unit="s")}


@pytest.mark.parametrize("value", [-1e-11, 1.1e-9, np.nan, np.inf, np.array([5e-10, 2e-9])])
def test_what_is_outside_is_refused(value: object) -> None:
    with pytest.raises(OutOfRangeError, match=r"lif: i_in = \S+ A is outside .* 0 to 1e-09 A"):
        check("lif", RANGES, {"i_in": value})


def test_what_is_inside_passes_in_both_precisions() -> None:
    check("lif", RANGES, {"i_in": np.float32(1e-9), "step": 1e-5, "unknown": 1e9})
    check("lif", RANGES, {"i_in": np.empty(0)})
