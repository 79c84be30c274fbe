"""Numbers of spike trains against trains that are known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from spicesnn.measure.rates import adaptation, instantaneous_rate, mean_rate


def adapting(
    first: float, final: float, tau: float, until: float, start: float = 0.0
) -> npt.NDArray[np.float64]:
    """Spikes of a phase that grows with `final + (first - final) exp(-t/tau)`."""
    time = np.linspace(0, until, 200_001)
    phase = final * time + (first - final) * tau * (1 - np.exp(-time / tau))
    return np.asarray(start + np.interp(np.arange(np.floor(phase[-1]) + 1), phase, time))


def test_rates_of_known_trains() -> None:
    assert mean_rate(np.array([1.0])) == 0
    assert mean_rate(np.array([1.0, 1.5, 2.0])) == pytest.approx(2)
    middle, rate = instantaneous_rate(np.array([0.0, 1.0, 1.5]))
    assert middle == pytest.approx([0.5, 1.25])
    assert rate == pytest.approx([1, 2])


@pytest.mark.parametrize("scale", [1.0, 1e-3])
@pytest.mark.parametrize("start", [0.0, 5.0])
def test_an_exponential_fall_is_found_at_any_scale(scale: float, start: float) -> None:
    spikes = adapting(200, 80, 0.1, 0.5, start)
    found = adaptation(spikes * scale, start * scale)
    assert found.time_constant == pytest.approx(0.1 * scale, rel=0.02, abs=0)
    assert found.final == pytest.approx(80 / scale, rel=0.02)
    # The first interval is not adapted yet, but for what falls within it.
    assert found.first == pytest.approx(200 / scale, rel=0.05)
    assert found.ratio == pytest.approx(2.5, rel=0.05)


@pytest.mark.parametrize(
    "spikes",
    [
        np.array([]),
        np.arange(4.0),
        np.arange(20.0),
        np.sqrt(np.arange(20.0)),
    ],
    ids=["none", "too few", "constant", "rising"],
)
def test_a_rate_that_does_not_fall_has_no_time_constant(
    spikes: npt.NDArray[np.float64],
) -> None:
    assert np.isnan(adaptation(spikes, 0.0).time_constant)
