"""The memristive neuron in JAX: against SciPy, ngspice and finite differences."""

import importlib.util
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from spicesnn.circuits.deck import Waveform
from spicesnn.devices import NUGENT2014, ZHOU2022
from spicesnn.engine.session import Session
from spicesnn.errors import ParameterError
from spicesnn.tiers.memristive_neuron import MemristiveNeuron
from spicesnn.tiers.tier import scan as plain_scan

STOP, TAU = 10e-3, 1e-3
scan = jax.jit(plain_scan, static_argnums=3)


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def alpha_means(peak: float, dt: float) -> np.ndarray:
    """Of `peak t/TAU exp(1 - t/TAU)`, exactly, over each step."""
    edges = np.linspace(0, STOP, round(STOP / dt) + 1) / TAU
    return np.asarray(peak * np.diff(-(edges + 1) * np.exp(1 - edges)) * TAU / dt)


def answer(peak: float, dt: float, **changes: float) -> dict[str, np.ndarray]:
    neuron = MemristiveNeuron.of_device(ZHOU2022.with_numbers(**changes))
    outputs = scan(neuron, neuron.start(), {"i_in": alpha_means(peak, dt)}, dt)[1]
    return {name: np.asarray(one) for name, one in outputs.items()}


def by_scipy(peak: float, times: np.ndarray) -> np.ndarray:
    """Membrane and both shares; the equations written out from arXiv 2206.12992."""

    def rates(t: float, y: np.ndarray) -> list[float]:
        current, slopes = peak * t / TAU * np.exp(1 - t / TAU), []
        for x, e in ((y[1], 0.0), (y[2], 50e-3)):
            current -= (x / 1e3 + (1 - x) / 100e3) * (y[0] - e)
            on = 1 / (1 + np.exp(-(y[0] - e - 110e-3) / 15e-3))
            off = 1 / (1 + np.exp(-(5e-3 - (y[0] - e)) / 15e-3))
            slopes.append(((1 - x) * on - x * off) / TAU)
        return [current / 1e-9, *slopes]

    start = [25e-3, 0.0238, 0.0238]
    return np.asarray(solve_ivp(rates, (0, STOP), start, "LSODA", times, rtol=1e-10, atol=1e-13).y)


# Steps with the stated errors of the membrane over its range: RMS and worst.
@pytest.mark.parametrize("peak", [0.5e-6, 5e-6])
@pytest.mark.parametrize(("dt", "rms", "worst"), [(1e-5, 7e-4, 4e-3), (5e-5, 5.5e-3, 0.045)])
def test_it_follows_the_published_equations(
    peak: float, dt: float, rms: float, worst: float
) -> None:
    found, ends = answer(peak, dt), dt * np.arange(1, round(STOP / dt) + 1)
    wanted, middle = by_scipy(peak, ends)[0], by_scipy(peak, ends - dt / 2)
    off = (found["v_mem"] - wanted) / np.ptp(wanted)
    assert np.sqrt((off**2).mean()) < rms
    assert np.abs(off).max() < worst
    mean_off = (found["v_mean"] - middle[0]) / np.ptp(wanted)
    assert np.sqrt((mean_off**2).mean()) < rms
    for k in (1, 2):
        assert np.abs(found[f"x_{k}"] - middle[k]).max() < 2 * worst * np.ptp(middle[k])


def test_halved_steps_divide_the_error() -> None:
    """Better than a factor of three a halving, as of second order."""
    errors = []
    for dt in (2e-5, 1e-5, 5e-6):
        wanted = by_scipy(5e-6, dt * np.arange(1, round(STOP / dt) + 1))[0]
        errors.append(np.sqrt(((answer(5e-6, dt)["v_mem"] - wanted) ** 2).mean()))
    assert errors[0] > 3 * errors[1] > 9 * errors[2]


def test_it_is_the_circuit_in_ngspice() -> None:
    """1,000 steps of 10 us beside one run of the same device as a subcircuit."""
    path = Path(__file__).resolve().parents[2] / "examples/05_memristive_neuron.py"
    spec = importlib.util.spec_from_file_location("memristive_neuron_deck", path)
    assert spec
    assert spec.loader
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    dt, peak = 1e-5, 5e-6
    with Session(example.neuron()) as session:
        wave = session.run({"iin": Waveform(example.TIME, example.alpha(peak))}).waveforms
    found, ends = answer(peak, dt), dt * np.arange(1, 1001)
    circuit = wave.at("v(v_mem)", ends)
    off = (found["v_mem"] - circuit) / np.ptp(circuit)
    assert np.sqrt((off**2).mean()) < 1e-3
    assert np.abs(off).max() < 5e-3
    for k in (1, 2):
        share = wave.at(f"v(x{k})", ends - dt / 2)
        assert np.abs(found[f"x_{k}"] - share).max() < 5e-3 * np.ptp(share)


@pytest.mark.parametrize("dt", [1e-6, 1e-5, 1e-4, 2e-4])
def test_no_step_or_input_makes_it_unstable(dt: float) -> None:
    """Where the published forward Euler is lost: both on, 2 mS on 1 nF, is 0.5 us."""
    for peak in (-5e-6, 50e-6, 500e-6):
        found = answer(peak, dt)
        assert np.abs(found["v_mem"]).max() < max(1.1 * abs(peak) * 50e3, 0.1)
        for k in (1, 2):
            assert found[f"x_{k}"].min() >= 0
            assert found[f"x_{k}"].max() <= 1


def test_without_input_it_stays_near_rest() -> None:
    v = answer(0.0, 1e-5)["v_mem"]
    assert np.abs(v - 25e-3).max() < 10e-3
    assert np.abs(v - by_scipy(0.0, 1e-5 * np.arange(1, 1001))[0]).max() < 1e-4


class TestGradients:
    STEPS, DT = 300, 1e-5

    @staticmethod
    @cache
    def both() -> Callable[[Any, Any], Any]:
        """The loss and its gradient, compiled once for the class."""
        wanted = 30e-3 + 5e-3 * jnp.sin(jnp.arange(TestGradients.STEPS) / 40)

        def of(neuron: MemristiveNeuron, current: jax.Array) -> jax.Array:
            _, outputs = scan(neuron, neuron.start(), {"i_in": current}, TestGradients.DT)
            apart = (outputs["v_mem"] - wanted) ** 2
            return 1e4 * (apart.sum() + jnp.sum(outputs["v_mean"] * outputs["x_1"]))

        return jax.jit(jax.value_and_grad(of, argnums=(0, 1)))

    def test_by_parameters_and_input_they_are_finite_differences(self) -> None:
        both, current = self.both(), jnp.asarray(alpha_means(4e-6, self.DT)[: self.STEPS])
        neuron = MemristiveNeuron.of_device(ZHOU2022)
        by_neuron, by_current = both(neuron, current)[1]
        values = {name: float(value) for name, value in neuron.values().items()}
        for name, slope in by_neuron.values().items():
            step = 1e-4 * (abs(values[name]) or 1e-2)

            def at(part: float, name: str = name, step: float = step) -> float:
                moved = values | {name: values[name] + part * step}
                return float(both(MemristiveNeuron.of(moved), current)[0])

            sides = [(at(p) - at(-p)) / (2 * p * step) for p in (1.0, 0.5)]
            assert float(slope) == pytest.approx((4 * sides[1] - sides[0]) / 3, rel=1e-5), name
            assert float(slope) != 0
        for k in (0, 50, 100, 299):
            step = 1e-4 * float(current.max())
            sides = []
            for p in (1.0, 0.5):
                up, down = (both(neuron, current.at[k].add(sign * p * step))[0] for sign in (1, -1))
                sides.append(float(up - down) / (2 * p * step))
            assert float(by_current[k]) == pytest.approx((4 * sides[1] - sides[0]) / 3, rel=1e-5)

    def test_they_are_finite_at_any_input(self) -> None:
        neuron = MemristiveNeuron.of_device(ZHOU2022)
        for peak in (0.0, -1e-5, 1e-3):
            current = jnp.asarray(alpha_means(peak, self.DT)[: self.STEPS])
            found = self.both()(neuron, current)[1]
            assert all(np.isfinite(each).all() for each in jax.tree.leaves(found))


def test_a_population_differs_unit_by_unit_and_stays_in_32_bits() -> None:
    with jax.enable_x64(False):
        neuron = MemristiveNeuron.of_device(ZHOU2022, c_mem=np.array([0.5e-9, 1e-9, 2e-9]))
        current = jnp.asarray(alpha_means(5e-6, 1e-5), jnp.float32)
        inputs = {"i_in": jnp.broadcast_to(current[:, None], (1000, 3))}
        _, many = scan(neuron, neuron.start((3,), jnp.float32), inputs, 1e-5)
        assert {each.dtype for each in many.values()} == {jnp.dtype("float32")}
    one = answer(5e-6, 1e-5)["v_mem"]
    np.testing.assert_allclose(many["v_mem"][:, 1], one, rtol=2e-4)
    assert np.abs(np.diff(many["v_mem"], axis=1)).max() > 1e-4


def test_a_switch_that_does_not_suit_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"Nugent2014 keeps its state at zero voltage \(v_off"):
        MemristiveNeuron.of_device(NUGENT2014)
    leaky = ZHOU2022.with_numbers(phi=0.9, a_f=1e-9, a_r=1e-9)
    with pytest.raises(ParameterError, match=r"Zhou2022 has a Schottky current .*phi = 0\.9"):
        MemristiveNeuron.of_device(leaky)
