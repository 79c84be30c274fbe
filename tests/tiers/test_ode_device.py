"""Devices of equations in JAX: against the package's own integration, and finite differences."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spicesnn.devices import ODES, find_ode
from spicesnn.devices.numeric import functions
from spicesnn.devices.trajectories import starts, trajectories
from spicesnn.errors import DataError, UnknownNameError
from spicesnn.tiers.ode_device import OdeDevice

# Length of two periods, s, and peak, V, at which each switches; steps, and the largest error of
# the state over its range.
DRIVES = {
    "Jiang2014": (1e-6, 1.5, 2000, 2e-3),
    "Nugent2014": (1e-2, 0.6, 500, 2e-3),
    "Yakopcic2013": (1.0, 1.0, 2000, 2e-2),
    "Zhou2022": (1e-2, 0.2, 500, 2e-4),
}
IN_PARTS = ("Nugent2014", "Zhou2022")


# Compiled once for all presets of a kind.
current_of, rates_of = jax.jit(OdeDevice.current), jax.jit(OdeDevice.rates)
run = jax.jit(OdeDevice.run, static_argnames="parts")


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def sine(length: float, peak: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Edges of the steps and the means of two periods over them."""
    edges, turns = np.linspace(0, length, steps + 1), 4 * np.pi / length
    return edges, peak * np.diff(-np.cos(turns * edges)) / turns / (length / steps)


@pytest.mark.parametrize("name", ODES)
def test_current_and_rates_are_the_equations(name: str) -> None:
    device, rng = ODES[name], np.random.default_rng(0)
    volts = rng.uniform(-0.9, 0.9, 30)
    low, high = np.transpose([device.bounds(state) for state in device.states])
    states = low[:, None] + (high - low)[:, None] * rng.uniform(0.05, 0.95, (low.size, 30))
    one, numpy_form = OdeDevice.of(device), functions(type(device))
    np.testing.assert_allclose(
        current_of(one, volts, states), numpy_form.current(volts, states, device.numbers), rtol=1e-9
    )
    wanted = numpy_form.rates(volts, states, device.numbers)
    np.testing.assert_allclose(rates_of(one, volts, states), wanted, rtol=1e-9,
                               atol=1e-12 * np.abs(wanted).max())  # fmt: skip


@pytest.mark.parametrize("name", DRIVES)
def test_steps_follow_the_integration(name: str) -> None:
    length, peak, steps, error = DRIVES[name]
    device = find_ode(name)
    edges, means = sine(length, peak, steps)
    wanted = trajectories(
        device, edges, lambda t: peak * np.sin(4 * np.pi * t / length) * np.ones(1),
        device.numbers, starts(device, device.numbers, (1,)), tolerance=1e-7,
    )[:, 0, 1:].T  # fmt: skip
    one = OdeDevice.of(device)
    found, current = run(one, means, length / steps)
    assert np.ptp(wanted) > 0.02 * np.subtract(*device.bounds(device.states[0])[::-1])
    assert np.abs(found - wanted).max() < error * np.ptp(wanted)
    np.testing.assert_allclose(current, one.current(means, np.asarray(found).T), rtol=1e-12)
    if name in IN_PARTS:
        finer, _ = run(one, means, length / steps, parts=2)
        # What is left is that the voltage is held in a step: parts change little.
        assert np.abs(finer - found).max() < error * np.ptp(wanted)


@pytest.mark.parametrize("name", ODES)
def test_no_step_makes_it_unstable(name: str) -> None:
    """Steps far too long for the switching: states stay within their bounds, all is finite."""
    device = ODES[name]
    one = OdeDevice.of(device)
    volts = jnp.asarray(np.random.default_rng(1).uniform(-1.5, 1.5, (50, 4)))
    low, high = device.bounds(device.states[0])
    for dt in (1e-9, 1e-6, 1e-3, 1.0):
        states, current = run(one, volts, dt)
        assert np.isfinite(current).all()
        assert low * (1 - 1e-9) <= np.min(states) <= np.max(states) <= high * (1 + 1e-9)


@pytest.mark.parametrize("name", ["Jiang2014", "Zhou2022", "Yakopcic2013"])
def test_gradients_are_finite_differences(name: str) -> None:
    """Of a loss over 60 steps, by voltages and by every number that the equations use."""
    length, peak, steps, _ = DRIVES[name]
    device, dt = find_ode(name), length / steps
    if name == "Jiang2014":
        device = device.with_numbers(gap_0=1.2e-9)  # Its own start is a bound, and so a corner.
    means = jnp.asarray(sine(length, peak, steps)[1][:60])
    scale = device.states[0].scale
    one = OdeDevice.of(device)
    size = float(jnp.abs(current_of(one, means, one.start(means.shape))).max())

    def loss(one: OdeDevice, volts: jax.Array) -> jax.Array:
        states, current = one.run(volts, dt)
        return jnp.sum((states / scale) ** 2) + jnp.sum(jnp.tanh(current / size))

    both = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))
    by_one, by_volts = both(one, means)[1]
    for key, slope in by_one.numbers.items():
        value = float(one.numbers[key])
        step = 3e-5 * (abs(value) or 1e-3)
        sides = []
        for part in (1.0, 0.5):
            up, down = (
                both(OdeDevice(one.numbers | {key: jnp.asarray(value + sign * part * step, float)},
                               one.kind), means)[0]
                for sign in (1, -1)
            )  # fmt: skip
            sides.append(float(up - down) / (2 * part * step))
        wanted = (4 * sides[1] - sides[0]) / 3
        assert float(slope) * step == pytest.approx(wanted * step, rel=1e-5, abs=1e-12), key
    step = 1e-4 * peak
    for k in (0, 20, 59):
        sides = []
        for part in (1.0, 0.5):
            up, down = (both(one, means.at[k].add(sign * part * step))[0] for sign in (1, -1))
            sides.append(float(up - down) / (2 * part * step))
        assert float(by_volts[k]) == pytest.approx((4 * sides[1] - sides[0]) / 3, rel=1e-5)


def test_devices_of_one_call_may_differ_in_numbers_and_stay_in_32_bits() -> None:
    _, means = sine(1e-2, 0.2, 500)
    taus = np.array([1e-3, 2e-3])
    with jax.enable_x64(False):
        many = OdeDevice.of(find_ode("Zhou2022"), tau=taus)
        volts = jnp.asarray(np.stack([means, means], axis=1), jnp.float32)
        states, current = run(many, volts, 2e-5)
        assert states.dtype == current.dtype == jnp.float32
    for k, tau in enumerate(taus):
        one = OdeDevice.of(find_ode("Zhou2022").with_numbers(tau=tau))
        wanted, _ = run(one, means, 2e-5)
        np.testing.assert_allclose(states[:, :, k], wanted, atol=2e-5)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="parameter of metastable switch named 'taw'"):
        OdeDevice.of(find_ode("Zhou2022"), taw=1.0)
    with pytest.raises(DataError, match="volts are one number; give one for each step"):
        OdeDevice.of(find_ode("Zhou2022")).run(jnp.asarray(0.1), 1e-5)
