"""Every device of equations in every form: the same waveforms, the same states and currents.

The forms are the ngspice subcircuit, the compiled Verilog-A in ngspice and in VACASK, the JAX text
and the package's own integration. All are run once a preset; the tests below look at the answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from forms import (
    OPTIONS,
    Answer,
    Score,
    apart,
    by_jax,
    by_ngspice,
    by_scipy,
    by_vacask,
    compiled,
    deck,
    random_wave,
    score,
)

from spicesnn.circuits.deck import Waveform
from spicesnn.devices import find_ode
from spicesnn.devices.ode import Ode
from spicesnn.devices.presets import ODE_PRESETS
from spicesnn.engine.session import Session

PRESETS = pytest.mark.parametrize("device", ODE_PRESETS, ids=lambda device: device.name)
SEEDS = (1, 5)


@dataclass(frozen=True)
class Drive:
    """How long to drive a preset, how high, and in how many steps at least."""

    length: float
    volts: float
    steps: int = 1200


DRIVES = {
    "AgClass": Drive(10e-3, 0.5, 2000),
    "Jiang2014": Drive(4e-6, 1.9, 2400),
    "Lammie2022": Drive(3e-6, 0.26, 8000),
    "NbO2Class": Drive(3e-6, 1.5, 2000),
    "Nugent2014": Drive(2e-3, 0.6),
    "Yakopcic2013": Drive(20e-3, 0.4),
    "Yakopcic2013B": Drive(10e-3, 1.1, 2000),
    "Zhou2022": Drive(20e-3, 0.2),
}


def wave_of(device: Ode, seed: int, factor: float = 1.0) -> Waveform:
    drive = DRIVES[device.name]
    return random_wave(seed, drive.length, factor * drive.volts)


def step_of(device: Ode) -> float:
    return DRIVES[device.name].length / DRIVES[device.name].steps


@cache
def in_ngspice(device: Ode, form: str) -> list[Answer]:
    """Under the wave of each seed, the first again at half the step, the first three times up."""
    step = step_of(device)
    runs = [(wave_of(device, seed), step) for seed in SEEDS]
    runs += [(runs[0][0], step / 2), (wave_of(device, SEEDS[0], 3.0), step)]
    return by_ngspice(device, runs, form)  # type: ignore[arg-type]


@cache
def in_jax(device: Ode, seed: int) -> Answer:
    answer: Answer = apart(by_jax, device, wave_of(device, seed), step_of(device))
    return answer


def check(found: Score) -> None:
    """Issue: 0.1 % of range; an abrupt switching's time within 0.01 % of the run."""
    assert found.worst < 1e-3, found
    assert found.shift < 1e-4, found


def test_every_preset_has_a_drive() -> None:
    assert {device.name for device in ODE_PRESETS} == set(DRIVES)


@PRESETS
@pytest.mark.parametrize("seed", SEEDS)
def test_drives_move_the_states(device: Ode, seed: int) -> None:
    """A comparison of devices at rest would prove nothing."""
    for state in device.states:
        low, high = device.bounds(state)
        assert np.ptp(in_jax(device, seed).states[state.name]) > 0.2 * (high - low)


@PRESETS
@pytest.mark.parametrize("seed", SEEDS)
def test_subcircuit_and_jax_text_agree(device: Ode, seed: int) -> None:
    check(score(in_jax(device, seed), in_ngspice(device, "subcircuit")[SEEDS.index(seed)]))


@PRESETS
@pytest.mark.parametrize("seed", SEEDS)
def test_numpy_and_jax_text_agree(device: Ode, seed: int) -> None:
    found = by_scipy(device, wave_of(device, seed), step_of(device))
    check(score(in_jax(device, seed), found))


@compiled
@PRESETS
@pytest.mark.parametrize("seed", SEEDS)
def test_compiled_and_jax_text_agree(device: Ode, seed: int) -> None:
    check(score(in_jax(device, seed), in_ngspice(device, "compiled")[SEEDS.index(seed)]))


@compiled
@PRESETS
@pytest.mark.parametrize("seed", SEEDS)
def test_vacask_and_jax_text_agree(device: Ode, seed: int, tmp_path: Path) -> None:
    found = by_vacask(device, wave_of(device, seed), step_of(device), tmp_path)
    check(score(in_jax(device, seed), found))


@compiled
@PRESETS
def test_compiled_takes_the_steps_of_the_subcircuit(device: Ode) -> None:
    """The same equations with the same state of the same size: no more points for the same."""
    sizes = [in_ngspice(device, form)[0].time.size for form in ("subcircuit", "compiled")]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.05)


@PRESETS
def test_half_the_step_changes_nothing(device: Ode) -> None:
    whole, _, half, _ = in_ngspice(device, "subcircuit")
    assert np.diff(half.time).max() < 0.6 * np.diff(whole.time).max()
    check(score(half, whole))


@compiled
@PRESETS
def test_half_the_step_changes_nothing_compiled(device: Ode) -> None:
    whole, _, half, _ = in_ngspice(device, "compiled")
    check(score(half, whole))


@pytest.mark.parametrize("form", ["subcircuit", pytest.param("compiled", marks=compiled)])
@PRESETS
def test_states_stay_within_their_bounds_under_three_times_the_voltage(
    device: Ode, form: str
) -> None:
    large = in_ngspice(device, form)[3]
    assert large.time[-1] == pytest.approx(DRIVES[device.name].length, rel=1e-6)
    for state in device.states:
        low, high = device.bounds(state)
        room = 1e-5 * (high - low)
        assert (large.states[state.name] >= low - room).all()
        assert (large.states[state.name] <= high + room).all()


@pytest.mark.parametrize("form", ["subcircuit", pytest.param("compiled", marks=compiled)])
def test_abrupt_set_behind_a_resistor_is_solved(form: str) -> None:
    """The feedback of current, heat and gap against a resistance; half the step changes nothing."""
    device, ohms = find_ode("Jiang2014"), 100.0
    time = np.linspace(0, 3e-6, 121)
    wave = Waveform(time, 1.9 * np.sin(2 * np.pi * time / 3e-6))
    plain = deck(device, wave, 1.5e-9)
    circuit = replace(
        plain,
        netlist=f"rseries top middle {ohms}\n"
        + plain.netlist.replace("xdevice top", "xdevice middle"),
        device_form=form,  # type: ignore[arg-type]
    )
    with Session(circuit, OPTIONS) as session:
        runs = session.map([{}, {"maximum_step": 0.75e-9}])
    whole, half = (
        Answer(run.waveforms.time, -run.waveforms["i(vtop)"], {"gap": run.waveforms["v(gap)"]})
        for run in runs
    )
    assert whole.states["gap"].min() < 0.4
    assert whole.states["gap"][-1] > 1.5
    check(score(half, whole))


def test_a_score_sees_what_it_is_for() -> None:
    """A late switching, a wrong level and a value that is not a number."""
    time = np.linspace(0, 1, 20001)
    step = 0.5 + 0.5 * np.tanh((time - 0.5) / 2e-4)
    late = 0.5 + 0.5 * np.tanh((time - 0.5003) / 2e-4)
    here = Answer(time, step, {"x": step})
    moved = score(here, Answer(time, late, {"x": late}))
    assert moved.switched == 1
    assert moved.shift == pytest.approx(3e-4, rel=0.01)
    assert moved.worst < 1e-6
    off = score(here, Answer(time, step + 0.01 * time, {"x": step}))
    assert off.worst == pytest.approx(0.01, rel=1e-3)
    with pytest.raises(AssertionError, match="current is not finite"):
        score(here, Answer(time, np.full(20001, np.nan), {"x": step}))
    with pytest.raises(AssertionError, match=r"x switches at 0.4\d* s in one answer only"):
        score(here, Answer(time, step, {"x": 0 * step}))
