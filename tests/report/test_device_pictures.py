"""Voltages and times that pictures of devices are drawn with do what they are said to do."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from spicesnn.devices import ODES, find_ode, find_pulse_map
from spicesnn.devices.pcm import PhaseChange
from spicesnn.devices.response import response
from spicesnn.errors import SimulationError
from spicesnn.report import device_drive
from spicesnn.report.device import draw_device
from spicesnn.report.device_drive import BEGIN, END, Drive, find_drive, off_states, switching_times
from spicesnn.report.device_pulse import draw_pulse
from spicesnn.report.device_pulses import moments


@pytest.mark.parametrize("name", list(ODES))
def test_drive_takes_the_device_on_in_its_time(name: str) -> None:
    """By SciPy's LSODA: at constant voltage, from 2 % to 90 % of the range within 10 % of the time.

    The voltage is between two of a ladder's, in the logarithms; an abrupt device's time is steep
    there, so the time is bracketed by voltages 7 % off.
    """
    device = find_ode(name)
    drive = find_drive(device)
    state = device.states[drive.state]
    low, high = device.bounds(state)
    begin = BEGIN if drive.on_is_high else 1 - BEGIN
    started = device.with_numbers(**{state.start: low + begin * (high - low)})
    gone = []
    for factor in (0.93, 1.07):
        time = np.concatenate([[0.0], drive.time * np.array([1e-3, 1.0])])
        found = response(started, time, np.full(3, factor * drive.v_set), points=5)
        share = (found.states[drive.state, -1] - low) / (high - low)
        gone.append(share if drive.on_is_high else 1 - share)
    assert gone[0] < END < gone[1]
    conducting = np.abs([
        response(started.with_numbers(**{state.start: at}), np.array([0.0, 1e-15]),
                 np.full(2, drive.v_read), points=1).current[0]
        for at in (low, high)
    ])  # fmt: skip
    assert (conducting[1] > conducting[0]) == drive.on_is_high


def test_switching_time_of_the_metastable_switch_is_its_law() -> None:
    """At constant voltage `x = x_inf + (x_0 - x_inf) exp(-t/T)`, with both rates in closed form."""
    device = find_ode("Nugent2014")
    volts, begin = np.array([0.3, 0.4]), np.array([0.1, 0.5])
    found = switching_times(device, 0, volts, begin, up=True)
    n = device.numbers
    for k, v in enumerate(volts):
        on = 1 / (1 + np.exp(-(v - n["v_on"]) / n["v_width"])) / n["tau"]
        off = 1 / (1 + np.exp(-(n["v_off"] - v) / n["v_width"])) / n["tau"]
        end = on / (on + off)
        law = np.log((end - begin) / (end - END)) / (on + off)
        assert found[k] == pytest.approx(law, rel=0.02, abs=0)


def test_never_is_told_from_slow() -> None:
    """Under the holding voltage a threshold switch goes nowhere, from wherever it begins."""
    device = find_ode("AgClass")
    found = switching_times(device, 0, np.array([0.01]), np.array([0.1, 0.5]), up=True)
    assert np.isposinf(found).all()


def test_at_once_and_failed_are_told_from_never(monkeypatch: pytest.MonkeyPatch) -> None:
    device = find_ode("AgClass")
    found = switching_times(device, 0, np.array([0.5]), np.array([0.95, 0.5]), up=True)
    assert found[0, 0] == 0
    assert 0 < found[0, 1] < 1e-5

    def refuse(*_: object, **__: object) -> None:
        raise SimulationError("too stiff.")

    monkeypatch.setattr(device_drive, "trajectories", refuse)
    found = switching_times(device, 0, np.array([0.5]), np.array([0.5]), up=True)
    assert np.isnan(found).all()


def test_nothing_is_searched_beyond_what_a_preset_is_good_for() -> None:
    with pytest.raises(SimulationError, match=r"no voltage up to 1\.3 V takes its state"):
        find_drive(find_ode("Jiang2014").with_numbers(v_max=1.3, vel_0=1e-6))
    assert find_drive(find_ode("Jiang2014")).loop < 2.0


def test_pulse_picture_has_the_packages_pulses() -> None:
    """Stanford-PKU at +1.8 and -1.3 V, 100 ns: the states that its published equations give."""
    drive = Drive(1e-6, 1.8, -1.3, None, 0.03, False, 0)
    _, told = draw_pulse(find_ode("Jiang2014"), drive, 100e-9)
    assert told["SET"]["state after"] == pytest.approx(0.2e-9, rel=1e-3, abs=0)
    assert told["SET"]["half of the way at"] == pytest.approx(6.6e-9, rel=0.02, abs=0)
    assert told["RESET"]["state after"] == pytest.approx(1.033e-9, rel=1e-3, abs=0)


def test_pulses_begin_at_the_presets_start_where_that_is_off() -> None:
    zhou, lammie = find_ode("Zhou2022"), find_ode("Lammie2022")
    states, told = off_states(zhou, find_drive(zhou))
    assert states[0, 0] == zhou.numbers["x_0"]
    assert told == "the preset's start (x_0 = 0.0238)"
    states, told = off_states(lammie, find_drive(lammie))
    assert states[0, 0] == pytest.approx(0.98 * lammie.numbers["d"], rel=1e-9, abs=0)
    assert told == "98% of the range of w (the preset starts on)"


def test_moments_of_the_phase_change_staircase_are_those_of_draws() -> None:
    """The straight laws without limits, against 100,000 draws of the same sums."""
    device = find_pulse_map("Nandakumar2018")
    assert isinstance(device, PhaseChange)
    mean, sigma = moments(device, 5, 2e-6, 1e-7)
    rng = np.random.default_rng(0)
    g = 2e-6 + 1e-7 * rng.standard_normal(100_000)
    for k in range(1, 6):
        memory = np.exp(-k / device.decay)
        spread = device.sigma_g * g + device.sigma_0 + device.sigma_p * memory
        g = g + device.mean_g * g + device.mean_0 + device.mean_p * memory
        g = g + spread * rng.standard_normal(g.size)
        assert abs(g.mean() - mean[k]) < 4 * sigma[k] / np.sqrt(g.size)
        assert g.std() == pytest.approx(sigma[k], rel=0.012, abs=0)


def test_a_device_that_nothing_moves(tmp_path: Path) -> None:
    device = find_ode("Nugent2014").with_numbers(tau=1e9)
    with pytest.raises(SimulationError, match=r"no voltage up to 10\.8 V takes its state"):
        draw_device(device, tmp_path)


def test_a_picture_that_cannot_be_made_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are made all the same."""
    from spicesnn.report import device_equations as pictures

    def refuse(*_: object) -> None:
        raise SimulationError("the loop is not for today.")

    monkeypatch.setattr(pictures, "_loop", refuse)
    drawn = draw_device(find_ode("Nugent2014"), tmp_path)
    assert drawn.failed == {"loop": "the loop is not for today."}
    assert set(drawn.paths) == {"pulse", "staircase", "switching"}
    assert dataclasses.asdict(drawn)["numbers"]["reset voltage"] < 0
