"""One device driven by one waveform, in every form: who agrees with whom, and how well."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from spicesnn.circuits.deck import Deck, Knob, Transient, Waveform
from spicesnn.circuits.device_forms import DeviceForm, device_forms
from spicesnn.devices.ode import Ode
from spicesnn.devices.printers.jax import source
from spicesnn.devices.response import response
from spicesnn.engine.installation import find_installation
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.osdi import compiled_module, find_compiler
from spicesnn.engine.session import Session
from spicesnn.waveforms import read_raw

Array = npt.NDArray[np.float64]
# Tight enough that what is compared are the forms and not the solvers' steps.
OPTIONS = SimulationOptions(relative_tolerance=1e-7, voltage_tolerance=1e-9)


compiled = pytest.mark.skipif(
    find_compiler() is None or not (find_installation().osdi and find_installation().klu),
    reason="compiled devices need the extra spicesnn[osdi] and an ngspice with OSDI and KLU",
)
# A state's node is a farad: rounding of its charge over a short step is more than any tolerance of
# currents, so VACASK is told to judge its Newton steps by the unknowns alone, as ngspice does.
_VACASK = "reltol=1e-7 abstol=1e-12 vntol=1e-9 tran_lteratio=3.5 nr_residualcheck=0"


@dataclass(frozen=True)
class Answer:
    """`current` in amperes, shape (times,); `states` by name, in their SI units, likewise."""

    time: Array
    current: Array
    states: dict[str, Array]

    def signals(self) -> dict[str, Array]:
        return {"current": self.current, **self.states}


def deck(device: Ode, wave: Waveform, maximum_step: float) -> Deck:
    """A voltage source over one device; its current is that of the source, turned round."""
    forms = device_forms(device)
    nodes = " ".join(state.name for state in device.states)
    return Deck(
        f"{device.name}, driven", f"xdevice top 0 {nodes} {forms.name}", "",
        {"vtop": Knob("vtop", ("top", "0"), wave)},
        ("i(vtop)", *(f"v({state.name})" for state in device.states)),
        Transient(float(wave.time[-1]), maximum_step), plausible_voltage=1e4, devices=(forms,),
    )  # fmt: skip


def by_ngspice(
    device: Ode, runs: Sequence[tuple[Waveform, float]], form: DeviceForm
) -> list[Answer]:
    """The subcircuit, or the compiled module, under waves with a maximum step each."""
    driven = replace(deck(device, *runs[0]), device_form=form)
    with Session(driven, OPTIONS) as session:
        found = session.map([{"vtop": wave, "maximum_step": step} for wave, step in runs])
    return [
        Answer(
            run.waveforms.time, -run.waveforms["i(vtop)"],
            {s.name: run.waveforms[f"v({s.name})"] * s.scale for s in device.states},
        )
        for run in found
    ]  # fmt: skip


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
  options {_VACASK}
  analysis answer tran step={maximum_step:g} stop={wave.time[-1]:.12g} maxstep={maximum_step:g}
endc
"""
    (folder / "deck.sim").write_text(text)
    program = Path(sys.prefix) / "bin" / "vacask"
    (folder / "answer.raw").unlink(missing_ok=True)
    answer = subprocess.run(
        [str(program), "deck.sim"], cwd=folder, capture_output=True, text=True, check=False
    )
    # Its exit code is 0 after an aborted analysis too.
    assert "aborted" not in answer.stdout + answer.stderr, answer.stdout[-500:]
    raw = read_raw(folder / "answer.raw")
    states = {s.name: raw[s.name] * s.scale for s in device.states}
    return Answer(raw.time, -raw["vtop:flow(br)"], states)


def by_scipy(device: Ode, wave: Waveform, maximum_step: float) -> Answer:
    """The package's own integration of the NumPy functions."""
    points = int(np.ceil((wave.time[1] - wave.time[0]) / maximum_step / 2))
    found = response(device, wave.time, wave.value, points=points, tolerance=1e-8)
    states = {s.name: found.states[k] for k, s in enumerate(device.states)}
    return Answer(found.time, found.current, states)


@cache
def _other_process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function of this module answers in a process of its own.

    JAX starts threads: a process that has them should not fork, as starting ngspice does.
    """
    return _other_process().submit(function, *arguments).result()


def jax_numbers(device: Ode) -> dict[str, float]:
    """The numbers that the JAX text carries."""
    return dict(jax_module(device).NUMBERS)


def jax_derivatives(device: Ode, volts: Array, states: Array) -> tuple[Array, Array, Array, float]:
    """JAX's own derivatives of its text at points: see the names in the code.

    The last is by a number, in reverse mode: what a fit or a training needs.
    """
    import jax
    import jax.numpy as jnp

    module = jax_module(device)
    points = jnp.asarray(volts), jnp.asarray(states.T)
    by_v = jax.jit(jax.vmap(jax.grad(module.current, argnums=0)))(*points)
    by_state = jax.jit(jax.vmap(jax.grad(module.current, argnums=1)))(*points)
    rates = jax.jit(jax.vmap(jax.jacfwd(module.rates, argnums=1)))(*points)
    by_number = jax.grad(
        lambda scaled: module.rates(
            points[0], points[1].T, module.NUMBERS | {device.states[0].start: scaled}
        ).sum()
    )(1.0)
    return np.asarray(by_v), np.asarray(by_state), np.asarray(rates), float(by_number)


def jax_module(device: Ode) -> Any:
    """The JAX text as a module, in double precision."""
    import jax

    jax.config.update("jax_enable_x64", True)
    module = types.ModuleType(device.name)
    exec(compile(source(device), device.name, "exec"), module.__dict__)
    return module


def by_jax(device: Ode, wave: Waveform, maximum_step: float, tolerance: float = 1e-8) -> Answer:
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
        assert np.isfinite(here + there).all(), f"{name} is not finite"
        worst = max(worst, float(np.abs(here - there)[away].max() / np.ptp(here)))
    return Score(worst, len(times), max(shifts, default=0.0))


def _crossing(grid: Array, values: Array, index: int, level: float) -> float:
    low, high = values[index], values[index + 1]
    return float(grid[index] + (level - low) / (high - low) * (grid[1] - grid[0]))


def random_wave(seed: int, length: float, high: float, corners: int = 12) -> Waveform:
    """Straight lines between random voltages within +-high volts, from zero, at even times."""
    volts = np.random.default_rng(seed).uniform(-high, high, corners)
    return Waveform(np.linspace(0, length, corners + 1), np.concatenate([[0.0], volts]))
