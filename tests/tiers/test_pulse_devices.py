"""Pulse devices in JAX against their NumPy form: same steps, same moments, known derivatives."""

from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spicesnn.devices import NANDAKUMAR2018, PULSE_MAPS, NeuroSimCurve, PulseArray, PulseMap
from spicesnn.errors import DataError, ParameterError
from spicesnn.tiers.pulse_devices import PhaseChangeDevices, PulseState, pulse_devices

COUNT = 10_000
EVERY = pytest.mark.parametrize("device", PULSE_MAPS.values(), ids=PULSE_MAPS)
SOME = pytest.mark.parametrize(
    "device", [PULSE_MAPS[name] for name in ("Wu2018", "Nandakumar2018")]
)
CURVES = [each for each in PULSE_MAPS.values() if isinstance(each, NeuroSimCurve)]
KEY = jax.random.key(7)


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def quiet(device: PulseMap) -> PulseMap:
    """The same without anything drawn."""
    spreads = (
        "cycle_spread", "sigma_g", "sigma_0", "sigma_p", "reset_spread", "read_g", "read_0",
        "start_spread", "read_spread",
    )  # fmt: skip
    return device.with_numbers(**{n: 0.0 for n in device.numeric() if n in spreads})


def apart(found: Any, wanted: np.ndarray, name: str = "") -> None:
    """Means and variances within 4.5 standard errors of the two samples' difference."""
    found = np.asarray(found, float)
    moments = [(x.mean(), x.var(), ((x - x.mean()) ** 4).mean(), x.size) for x in (found, wanted)]
    error = np.sqrt(sum(v / n for _, v, _, n in moments))
    assert abs(moments[0][0] - moments[1][0]) <= 4.5 * error + 1e-12 * abs(wanted).max(), name
    error = np.sqrt(sum(max(f - v**2, 0.0) / n for _, v, f, n in moments))
    assert abs(moments[0][1] - moments[1][1]) <= 4.5 * error + 1e-12 * wanted.max() ** 2, name


@EVERY
def test_without_spread_it_is_the_numpy_form(device: PulseMap) -> None:
    """SET and RESET of different numbers on devices all over the range, twice, then drift."""
    device, rng = quiet(device), np.random.default_rng(0)
    array = PulseArray.draw(device, (3, 40), np.linspace(0, 1, 40), 1)
    law, state = pulse_devices(device), PulseState.of(array)
    for time in (5.0, 8.0):
        ups, downs = rng.integers(0, 9, (2, 3, 40)) * rng.integers(0, 2, (2, 3, 40))
        for goal in ("set", "reset"):
            for found, wanted in zip(law.step(state, goal), array.step(goal), strict=True):
                np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-15 * device.g_max)
        array = array.pulsed(ups, downs, 0, time)
        state = law.pulse(state, ups, downs, KEY, time)
        back = state.array(device)
        np.testing.assert_allclose(back.conductance, array.conductance, rtol=1e-12)
        for name, values in array.history.items():
            np.testing.assert_allclose(back.history[name], values, rtol=1e-12, err_msg=name)
    np.testing.assert_allclose(law.drifted(state, 30.0), array.drifted(30.0), rtol=1e-12)
    np.testing.assert_allclose(law.read(state, 30.0, KEY), array.read(30.0, 0), rtol=1e-12)


@SOME
def test_moments_are_those_of_the_numpy_form(device: PulseMap) -> None:
    """Of 10,000 devices: drawn, after 1, 4 and 12 SET pulses, after RESET pulses, and read."""
    law = pulse_devices(device)
    state = law.start((COUNT,), 0.3, KEY)
    array = PulseArray.draw(device, (COUNT,), 0.3, 11)
    apart(state.conductance, array.conductance, "drawn")
    rng, keys = np.random.default_rng(12), jax.random.split(KEY, 8)
    none = np.zeros(COUNT, int)
    for k, (ups, downs) in enumerate([(1, 0), (3, 0), (8, 0), (0, 5), (2, 1)]):
        array = array.pulsed(none + ups, none + downs, rng, float(k))
        state = law.pulse(state, ups, downs, keys[k], float(k))
        apart(state.conductance, array.conductance, f"after {ups}, {downs}")
        apart(law.read(state, 40.0, keys[6]), array.read(40.0, rng), f"read after {ups}, {downs}")


def test_devices_differ_as_in_the_numpy_form() -> None:
    curve = CURVES[0].with_numbers(device_spread=0.1)
    state, array = pulse_devices(curve).start((COUNT,), 0.5, KEY), None
    array = PulseArray.draw(curve, (COUNT,), 0.5, 3)
    apart(state.g_min, array.g_min)
    apart(state.g_max, array.g_max)
    memory = NANDAKUMAR2018.with_numbers(drift_spread=0.01)
    drift = pulse_devices(memory).start((COUNT,), 0.5, KEY).history["drift"]
    apart(drift, PulseArray.draw(memory, (COUNT,), 0.5, 3).history["drift"])


class TestCompiled:
    device: ClassVar[PulseMap] = NANDAKUMAR2018

    @SOME
    def test_it_is_the_same_and_batches(self, device: PulseMap) -> None:
        law = pulse_devices(device)
        state = law.start((4,), 0.2, KEY)
        ups = jnp.arange(2, 6)
        keys = jax.random.split(KEY, 3)
        eager = [law.pulse(state, ups, 0, key, 3.0).conductance for key in keys]

        def pulsed(key: jax.Array, most: int | None) -> jax.Array:
            return law.pulse(state, ups, 0, key, 3.0, most).conductance

        compiled = jax.jit(pulsed, static_argnums=1)(keys[0], 5)
        np.testing.assert_allclose(compiled, eager[0], rtol=1e-12)
        many = jax.jit(jax.vmap(lambda key: pulsed(key, None)))(keys)
        np.testing.assert_allclose(many, eager, rtol=1e-12)

    def test_what_cannot_be_followed_is_nan(self) -> None:
        law = pulse_devices(self.device)
        state = law.pulse(law.start((4,), 0.2, KEY), 1, 0, KEY, 2.0)
        run = jax.jit(lambda n, m, t: law.pulse(state, n, m, KEY, t, 3).conductance)
        zero = jnp.zeros(4)
        np.testing.assert_array_equal(
            np.isnan(run(jnp.array([1.0, 4.0, -1.0, 1.5]), zero, 3.0)), [False, True, True, True]
        )
        np.testing.assert_array_equal(
            np.isnan(run(jnp.array([0.0, 1.0, 0.0, 4.0]), zero + jnp.array([0, 0, 1, 1]), 1.0)),
            [False, True, True, True],
        )
        assert np.isnan(jax.jit(lambda t: law.drifted(state, t))(2.0)).all()

    @SOME
    def test_floats_of_32_bits_stay_so(self, device: PulseMap) -> None:
        with jax.enable_x64(False):
            law = pulse_devices(quiet(device))
            state = law.start((50,), jnp.linspace(0, 1, 50), KEY)
            assert state.conductance.dtype == jnp.float32
            state = law.pulse(state, 3, 0, KEY, 1.0)
            read = law.read(state, 2.0, KEY)
            assert {each.dtype for each in jax.tree.leaves(state)} == {read.dtype}
        assert read.dtype == jnp.float32
        array = PulseArray.draw(quiet(device), (50,), np.linspace(0, 1, 50), 0)
        array = array.pulsed(np.full(50, 3), np.zeros(50), 0, 1.0)
        np.testing.assert_allclose(read, array.read(2.0, 0), rtol=2e-5)


class TestDerivatives:
    @SOME
    def test_by_conductance_and_numbers_that_of_the_drawn_path(self, device: PulseMap) -> None:
        law = pulse_devices(device)
        state = law.start((8,), np.linspace(0.2, 0.8, 8), KEY)
        ups = jnp.array([0, 1, 2, 3, 0, 1, 2, 3])
        scale = device.g_max

        def loss(law: Any, g: jax.Array) -> jax.Array:
            after = law.pulse(state.with_conductance(g), ups, 0, KEY, 1.0, 3)
            return jnp.sum((law.read(after, 5.0, KEY) / scale) ** 2)

        g = state.conductance
        both = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))
        by_law, by_g = both(law, g)[1]
        leaves, shape = jax.tree.flatten(law)
        for k, (slope, value) in enumerate(zip(jax.tree.leaves(by_law), leaves, strict=True)):
            step = 1e-6 * (abs(float(value)) or 1e-3)

            def moved(by: float, k: int = k, value: Any = value) -> float:
                changed = [*leaves[:k], value + by, *leaves[k + 1 :]]
                return float(both(jax.tree.unflatten(shape, changed), g)[0])

            wanted = (moved(step) - moved(-step)) / (2 * step)
            floor = 1e-9 / max(abs(float(value)), 1e-9)
            assert float(slope) == pytest.approx(wanted, rel=1e-5, abs=floor)
        for k in range(g.size):
            step = jnp.zeros(8).at[k].set(1e-6 * g[k])
            around = float(both(law, g + step)[0] - both(law, g - step)[0])
            wanted = around / (2e-6 * float(g[k]))
            assert float(by_g[k]) == pytest.approx(wanted, rel=1e-5, abs=1e-9 / scale)

    @SOME
    @pytest.mark.parametrize("goal", ["set", "reset"])
    def test_by_counts_the_mean_of_the_next_step(self, device: PulseMap, goal: str) -> None:
        law = pulse_devices(device)
        state = law.start((4,), 0.5, KEY)

        @jax.jit
        @partial(jax.jacrev, has_aux=True)
        def both(n: Any) -> tuple[jax.Array, PulseState]:
            ups, downs = (n, 0.0 * n) if goal == "set" else (0.0 * n, n)
            after = law.pulse(state, ups, downs, KEY, 1.0, 3)
            return after.conductance, after

        slope, after = both(jnp.array([0.0, 1.0, 2.0, 3.0]))
        # An abrupt RESET is one step, taken from where it began.
        abrupt = goal == "reset" and isinstance(law, PhaseChangeDevices)
        wanted = law.step(state if abrupt else after, goal)[0]
        np.testing.assert_allclose(slope, np.diag(np.asarray(wanted)), rtol=1e-9)
        assert (np.sign(wanted) == (1 if goal == "set" else -1)).all()

    def test_whole_counts_have_none(self) -> None:
        law = pulse_devices(CURVES[0])
        state = law.start((4,), 0.5, KEY)
        rounded = jax.jit(jax.grad(lambda x: law.pulse(
            state, jnp.round(x).astype(int), 0, KEY, None, 3).conductance.sum()))  # fmt: skip
        assert (np.asarray(rounded(jnp.ones(4))) == 0).all()


class TestRefusals:
    def test_counts(self) -> None:
        law = pulse_devices(CURVES[0])
        state = law.start((2, 3), 0.5, KEY)
        for counts in (-1, 0.5, np.nan):
            with pytest.raises(DataError, match=r"device \(0, 0\) is given .* numbers >= 0"):
                law.pulse(state, counts, 0, KEY)
        with pytest.raises(DataError, match=r"device \(1, 2\) is given 4 .* from 0 to 3"):
            law.pulse(state, np.array([[0, 0, 0], [0, 0, 4]]), 0, KEY, None, 3)
        with pytest.raises(DataError, match=r"shape \(2,\) do not fit devices of shape \(2, 3\)"):
            law.pulse(state, np.ones(2), 0, KEY)

    def test_starts(self) -> None:
        for device in (CURVES[0], NANDAKUMAR2018):
            with pytest.raises(DataError, match="give values from 0 to 1"):
                pulse_devices(device).start((3,), 1.5, KEY)
            with pytest.raises(DataError, match=r"shape \(2,\) does not fit devices of shape"):
                pulse_devices(device).start((3,), [0.0, 1.0], KEY)

    def test_times(self) -> None:
        law = pulse_devices(NANDAKUMAR2018)
        state = law.start((4,), 0.5, KEY)
        with pytest.raises(DataError, match="say at what time it is pulsed"):
            law.pulse(state, 1, 0, KEY)
        with pytest.raises(DataError, match="say at what time it is read"):
            law.drifted(state)
        with pytest.raises(DataError, match="is pulsed at nan s: give a finite time"):
            law.pulse(state, 1, 0, KEY, np.nan)
        state = law.pulse(state, 1, 0, KEY, 4.0)
        with pytest.raises(DataError, match="pulsed at 3 s, but was last pulsed at 4 s: time runs"):
            law.pulse(state, 1, 0, KEY, 3.0)
        with pytest.raises(DataError, match=r"read at 4 s.*drift begins with the pulse"):
            law.read(state, 4.0, KEY)

    def test_an_unknown_kind(self) -> None:
        other: Any = SimpleNamespace(name="Nobody2000", kind="other")
        with pytest.raises(ParameterError, match="Nobody2000 is of the kind 'other', which has no"):
            pulse_devices(other)
