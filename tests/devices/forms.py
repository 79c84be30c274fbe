"""One device driven by one waveform, in every form: who agrees with whom, and how well."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spicesnn.circuits.deck import Deck, Knob, Transient, Waveform
from spicesnn.circuits.device_forms import DeviceForm, device_forms
from spicesnn.devices.ode import Ode
from spicesnn.devices.printers.jax import source
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.osdi import compiled_module
from spicesnn.engine.session import Session
from spicesnn.waveforms import read_raw

Array = npt.NDArray[np.float64]
# Tight enough that what is compared are the forms and not the solvers' steps.
OPTIONS = SimulationOptions(relative_tolerance=1e-7, voltage_tolerance=1e-9)


@dataclass(frozen=True)
class Answer:
    """`current` in amperes, shape (times,); `states` by name, in their SI units, likewise."""

    time: Array
    current: Array
    states: dict[str, Array]

    def signals(self) -> dict[str, Array]:
        return {"current": self.current, **self.states}


def deck(device: Ode, wave: Waveform, maximum_step: float, **start: float) -> Deck:
    """A voltage source over one device; its current is that of the source, turned round."""
    forms = device_forms(device)
    nodes = " ".join(state.name for state in device.states)
    given = " ".join(f"{name}={value:.16g}" for name, value in start.items())
    return Deck(
        f"{device.name}, driven", f"xdevice top 0 {nodes} {forms.name} {given}", "",
        {"vtop": Knob("vtop", ("top", "0"), wave)},
        ("i(vtop)", *(f"v({state.name})" for state in device.states)),
        Transient(float(wave.time[-1]), maximum_step), plausible_voltage=1e4, devices=(forms,),
    )  # fmt: skip


def by_ngspice(device: Ode, wave: Waveform, maximum_step: float, form: DeviceForm) -> Answer:
    """The subcircuit, or the compiled module."""
    with Session(replace(deck(device, wave, maximum_step), device_form=form), OPTIONS) as session:
        found = session.run().waveforms
    states = {s.name: found[f"v({s.name})"] * s.scale for s in device.states}
    return Answer(found.time, -found["i(vtop)"], states)


def by_vacask(device: Ode, wave: Waveform, maximum_step: float, folder: Path) -> Answer:
    """The compiled module in the second simulator."""
    forms = device_forms(device)
    pairs = ", ".join(f"{t:.12g}, {v:.12g}" for t, v in zip(wave.time, wave.value, strict=True))
    nodes = " ".join(state.name for state in device.states)
    text = f"""one device
load "{compiled_module(forms.verilog)}"
model device {forms.name}_va
model vsource vsource
vtop (top 0) vsource type="pwl" wave=[{pairs}]
vrun (run 0) vsource dc=0 type="pwl" wave=[0, 1, 1, 1]
xdevice (top 0 {nodes} run) device
control
  options reltol=1e-7 abstol=1e-17 vntol=1e-9 tran_lteratio=3.5
  analysis answer tran step={maximum_step:g} stop={wave.time[-1]:.12g} maxstep={maximum_step:g}
endc
"""
    (folder / "deck.sim").write_text(text)
    program = Path(sys.prefix) / "bin" / "vacask"
    subprocess.run([str(program), "deck.sim"], cwd=folder, check=True, capture_output=True)
    raw = read_raw(folder / "answer.raw")
    states = {s.name: raw[s.name] * s.scale for s in device.states}
    return Answer(raw.time, -raw["vtop:flow(br)"], states)


def jax_module(device: Ode) -> Any:
    """The JAX text as a module, in double precision."""
    import jax

    jax.config.update("jax_enable_x64", True)
    module = types.ModuleType(device.name)
    exec(compile(source(device), device.name, "exec"), module.__dict__)
    return module


def by_jax(device: Ode, wave: Waveform, maximum_step: float, tolerance: float = 1e-7) -> Answer:
    """The JAX text, line by line of the waveform, by SciPy's LSODA and JAX's own Jacobian."""
    import jax
    import jax.numpy as jnp
    from scipy.integrate import solve_ivp

    module = jax_module(device)
    scale = jnp.asarray([state.scale for state in device.states])

    @jax.jit
    def rate(t: Any, z: Any, start: Any, slope: Any) -> Any:
        return module.rates(start + slope * t, z * scale) / scale

    jacobian = jax.jit(jax.jacfwd(rate, argnums=1))
    z = np.asarray(module.START) / np.asarray(scale)
    times, states = [np.zeros(1)], [z[:, None]]
    for k in range(wave.time.size - 1):
        length = wave.time[k + 1] - wave.time[k]
        line = wave.value[k], (wave.value[k + 1] - wave.value[k]) / length
        found = solve_ivp(
            lambda t, z, line=line: np.asarray(rate(t, z, *line)), (0, length), z, "LSODA",
            jac=lambda t, z, line=line: np.asarray(jacobian(t, z, *line)),
            rtol=tolerance, atol=tolerance * 1e-3, max_step=2 * maximum_step, dense_output=True,
        )  # fmt: skip
        assert found.success, found.message
        z = found.y[:, -1]
        kept = refined(found.t)
        times.append(wave.time[k] + kept)
        states.append(found.sol(kept))
    time, found_states = np.concatenate(times), np.concatenate(states, axis=1)
    found_states = found_states * np.asarray(scale)[:, None]
    volts = np.interp(time, wave.time, wave.value)
    current = np.asarray(module.current(volts, found_states))
    return Answer(time, current, {s.name: found_states[k] for k, s in enumerate(device.states)})


def refined(steps: Array, parts: int = 4) -> Array:
    """The ends of the steps and of each one's parts, without the first."""
    shares = np.arange(parts) / parts
    return np.append((steps[:-1, None] + np.diff(steps)[:, None] * shares).ravel()[1:], steps[-1])


@dataclass(frozen=True)
class Score:
    """How far one answer is from another.

    Attributes:
        worst: largest difference of any signal over its range, away from abrupt switching.
        switched: number of abrupt switchings.
        shift: largest difference of their times, over the length of the run.
    """

    worst: float
    switched: int
    shift: float


def score(reference: Answer, other: Answer, abrupt: float = 2e-3) -> Score:
    """Compare on a grid; abrupt is a state's way through half its range in `abrupt` of the run."""
    length = reference.time[-1]
    grid = np.linspace(0, length, 20001)
    away = np.ones(grid.size, dtype=bool)
    times, shifts = [], []
    for name, values in reference.states.items():
        here, there = (np.interp(grid, a.time, a.states[name]) for a in (reference, other))
        middle = 0.5 * (values.min() + values.max())
        window = int(abrupt * grid.size)
        moved = np.abs(here[window:] - here[:-window]) > 0.5 * np.ptp(here)
        crossings = np.flatnonzero(np.diff(np.signbit(here - middle)))
        for k in crossings:
            if moved[max(k - window, 0) : k + 1].any():
                near = np.flatnonzero(np.diff(np.signbit(there - middle)))
                assert near.size, f"{name} switches at {grid[k]:g} s in one answer only"
                exact = [_crossing(grid, w, i, middle) for w, i in
                         ((here, k), (there, near[np.argmin(np.abs(near - k))]))]  # fmt: skip
                times.append(exact[0])
                shifts.append(abs(exact[1] - exact[0]) / length)
                away &= np.abs(grid - exact[0]) > abrupt * length
    worst = 0.0
    for name, values in reference.signals().items():
        here = np.interp(grid, reference.time, values)
        there = np.interp(grid, other.time, other.signals()[name])
        assert np.isfinite(here).all() and np.isfinite(there).all(), f"{name} is not finite"
        worst = max(worst, float(np.abs(here - there)[away].max() / np.ptp(here)))
    return Score(worst, len(times), max(shifts, default=0.0))


def _crossing(grid: Array, values: Array, index: int, level: float) -> float:
    low, high = values[index], values[index + 1]
    return float(grid[index] + (level - low) / (high - low) * (grid[1] - grid[0]))


def random_wave(seed: int, length: float, high: float, corners: int = 60) -> Waveform:
    """Straight lines between random voltages within +-high volts, from zero, at even times."""
    volts = np.random.default_rng(seed).uniform(-high, high, corners)
    return Waveform(np.linspace(0, length, corners + 1), np.concatenate([[0.0], volts]))


Form = Callable[[Ode, Waveform, float], Answer]
