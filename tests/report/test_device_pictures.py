"""Voltages and times that pictures of devices are drawn with do what they are said to do."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from spicesnn.devices import ODES, find_ode
from spicesnn.devices.response import response
from spicesnn.errors import SimulationError
from spicesnn.report.device import draw_device
from spicesnn.report.device_drive import BEGIN, END, find_drive, switching_times


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
    assert np.isnan(found).all()


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
    assert drawn.skipped == {"loop": "the loop is not for today."}
    assert set(drawn.paths) == {"staircase", "switching"}
    assert dataclasses.asdict(drawn)["numbers"]["reset voltage"] < 0
