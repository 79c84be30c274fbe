"""Measures against waveforms whose answer is known."""

import numpy as np
import pytest

from spicesnn.measure.compare import match_spikes
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.spikes import spike_times
from spicesnn.waveforms import Waveforms


def test_crossings_of_a_sine_between_coarse_steps() -> None:
    time = np.linspace(0, 3.9, 118)
    found = spike_times(time, np.sin(2 * np.pi * time), 0.5)
    assert found == pytest.approx(np.arange(4) + 1 / 12, abs=2e-3)


def test_a_wave_that_only_touches_gives_no_spike() -> None:
    assert spike_times(np.arange(3.0), np.array([0.0, 0.5, 0.0]), 0.5).size == 0


def test_energy_of_charging_a_capacitor() -> None:
    """A supply V that charges C through any resistance delivers C V^2; sinks count against."""
    resistance, capacitance, supply = 1e6, 1e-12, 1.8
    time = np.linspace(0, 40e-6, 4001)
    current = supply / resistance * np.exp(-time / (resistance * capacitance))
    waves = Waveforms(time, {"i(vdd)": -current, "i(vsink)": current})
    assert supply_energy(waves, {"i(vdd)": supply}) == pytest.approx(
        capacitance * supply**2, rel=1e-4
    )
    assert supply_energy(waves, {"i(vdd)": supply, "i(vsink)": supply}) == pytest.approx(0)


def test_matches_are_one_to_one() -> None:
    match = match_spikes(np.array([1.0, 2.0, 3.0]), np.array([1.1, 1.15, 2.9, 5.0]), 0.2)
    assert (match.matched, match.missed, match.added) == (2, 1, 2)
    assert match.largest_shift == pytest.approx(0.1)
