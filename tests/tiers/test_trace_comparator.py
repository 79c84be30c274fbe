"""The comparator's tier: delays by hand, an event-driven integration, and its circuit."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.errors import DataError, ParameterError
from spicesnn.processes import Process
from spicesnn.tiers.recipes.trace_comparator import TraceComparatorRecipe
from spicesnn.tiers.record import Record
from spicesnn.tiers.tier import scan as plain_scan
from spicesnn.tiers.trace_comparator import TraceComparator

NANO, MICRO = 1e-9, 1e-6
NUMBERS = {
    "i_on": 1.25 * NANO, "i_off": 1.0 * NANO, "q_rise": 12e-15, "q_fall": 4e-15,
    "t_rise": 1.5 * MICRO, "t_fall": 3 * MICRO,
}  # fmt: skip
DT = 10 * MICRO
scan = jax.jit(plain_scan, static_argnums=3)


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def run(current: np.ndarray, dt: float = DT, **changes: float) -> dict[str, np.ndarray]:
    """Filled up to 1,000 steps or a multiple, so that few lengths are compiled."""
    tier = TraceComparator.of({**NUMBERS, **changes})
    filled = jnp.asarray(np.r_[current, np.zeros(-current.size % 1000)])
    answer = scan(tier, tier.start(), {"i_p": filled}, dt)[1]
    return {name: np.asarray(each)[: current.size] for name, each in answer.items()}


def edges(outputs: dict[str, np.ndarray], dt: float = DT) -> np.ndarray:
    steps = np.flatnonzero(outputs["spike"] > 0.5)
    return steps * dt + outputs["delay"][steps]


def held(*levels: tuple[float, int]) -> np.ndarray:
    """Currents in nanoamperes, each for a number of steps."""
    return np.concatenate([np.full(count, level * NANO) for level, count in levels])


def test_delays_are_charge_over_current_and_the_stages() -> None:
    """Up: 12 fC over 0.75 nA and 1.5 us; down: 4 fC over 0.9 nA and 3 us."""
    found = run(held((0.1, 20), (2.0, 20), (0.1, 20)))
    wanted = np.array([200 + 12 / 0.75 + 1.5, 400 + 4 / 0.9 + 3]) * MICRO
    np.testing.assert_allclose(edges(found), wanted, rtol=1e-12)
    time = DT * np.arange(1, 61)
    np.testing.assert_array_equal(found["above"], (time > wanted[0]) & (time <= wanted[1]))
    assert found["mean"].sum() * DT == pytest.approx(wanted[1] - wanted[0], rel=1e-12)


def test_a_delay_may_go_over_steps() -> None:
    dt = 2 * MICRO
    found = run(held((0.1, 20), (2.0, 40), (0.1, 20)), dt, t_rise=7.3 * MICRO)
    np.testing.assert_allclose(
        edges(found, dt), np.array([40 + 16 + 7.3, 120 + 4 / 0.9 + 3]) * MICRO, rtol=1e-12
    )


def test_between_the_thresholds_it_stays_what_it_was() -> None:
    found = run(held((0.5, 30), (1.1, 200), (2.0, 30), (1.1, 200), (0.9, 30)))
    assert edges(found).size == 2
    assert not found["above"][:230].any()
    assert found["above"][240:455].all()


def test_random_currents_against_an_integration_by_events() -> None:
    """The same equations in steps of 20 ns, with the same inputs."""
    rng = np.random.default_rng(5)
    current = np.repeat(rng.uniform(0.2, 2.5, 80), 5) * NANO
    found = edges(run(current))
    fine, q, above, wanted = 20e-9, -NUMBERS["q_rise"], False, []
    for k, now in enumerate(np.repeat(current, 500)):
        q += (now - NUMBERS["i_off" if above else "i_on"]) * fine
        if (q < 0) if above else (q >= 0):
            wanted.append((k + 1) * fine + NUMBERS["t_fall" if above else "t_rise"])
            above = not above
        q = min(max(q, -NUMBERS["q_rise"]), NUMBERS["q_fall"])
    assert len(wanted) > 15
    np.testing.assert_allclose(found, wanted[: found.size], atol=60e-9)
    assert found.size == sum(time < current.size * DT for time in wanted)


def test_delays_have_exact_derivatives_and_levels_a_surrogate() -> None:
    current = jnp.asarray(held((0.1, 20), (2.0, 20), (0.1, 20)))

    def delays(tier: TraceComparator) -> jax.Array:
        _, outputs = scan(tier, tier.start(), {"i_p": current}, DT)
        return jnp.sum(outputs["delay"])

    both = jax.jit(jax.value_and_grad(delays))
    slopes = both(TraceComparator.of(NUMBERS))[1]
    for name, value in NUMBERS.items():
        up, down = (
            float(both(TraceComparator.of(NUMBERS | {name: value * (1 + s)}))[0])
            for s in (1e-5, -1e-5)
        )
        slope = float(getattr(slopes, name))
        assert slope == pytest.approx((up - down) / (2e-5 * value), rel=1e-5), name

    def level(scale: jax.Array) -> jax.Array:
        tier = TraceComparator.of(NUMBERS)
        found = scan(tier, tier.start(), {"i_p": scale * current}, DT)[1]
        return jnp.stack([jnp.sum(found["above"]), jnp.sum(found["mean"])])

    slope = jax.jit(jax.jacfwd(level))
    assert (np.asarray(slope(1.0)) > 0).all()
    for scale in (0.0, 0.625, 1e6):
        assert np.isfinite(slope(scale)).all()


def test_floats_of_32_bits_stay_so() -> None:
    current = held((0.1, 20), (2.0, 20), (0.1, 20))
    with jax.enable_x64(False):
        tier = TraceComparator.of(NUMBERS)
        inputs = {"i_p": jnp.asarray(current, jnp.float32)}
        _, found = scan(tier, tier.start((), jnp.float32), inputs, DT)
        assert {each.dtype for each in found.values()} == {jnp.dtype("float32")}
    np.testing.assert_allclose(
        edges({n: np.asarray(o) for n, o in found.items()}), edges(run(current)), atol=1e-10
    )


def fitted_and_tested(process: Process, pool: Pool) -> None:
    """Fitted on four runs; in two others every edge is there, within a twentieth of a trace."""
    recipe = TraceComparatorRecipe(stop=25e-3)
    stimuli = recipe.stimuli(process, np.random.default_rng(1), 6)
    runs = pool.map([Job(recipe.deck(process), each.knobs) for each in stimuli])
    records = [recipe.record(s, r.waveforms, process) for s, r in zip(stimuli, runs, strict=True)]
    found = recipe.fit(records[:4], process, 27.0)
    values = {name: found[name] for name in found.names}
    assert values["i_off"] < values["i_on"] < 1.4 * values["i_off"]
    for record in records[4:]:
        outputs = run(record.inputs["i_p"], recipe.dt, **values)
        own = edges(outputs, recipe.dt)
        assert own.size == record.spikes.size > 4
        assert np.abs(own - record.spikes).max() < 50 * MICRO
        assert np.median(np.abs(own - record.spikes)) < 10 * MICRO
        assert np.mean(outputs["above"] != record.outputs["above"]) < 0.01
        features = recipe.energy_features(record.inputs, outputs)
        assert features.shape == (len(recipe.features),)
        assert (features > 0).all()


def test_it_agrees_with_its_circuit(process: Process, pool: Pool) -> None:
    fitted_and_tested(process, pool)


def test_it_agrees_with_its_circuit_on_gf180mcu(gf180mcu: Process, pool: Pool) -> None:
    fitted_and_tested(gf180mcu, pool)


def test_what_the_recipe_cannot_do_is_refused(process: Process) -> None:
    with pytest.raises(ParameterError, match=r"lowest = 1\.5 must be below 1, the threshold"):
        TraceComparatorRecipe(lowest=1.5)
    quiet = Record(DT, {"i_p": np.zeros(10)}, {"above": np.zeros(10)})
    with pytest.raises(DataError, match="0 edges of the comparator are too few to fit 6 numbers"):
        TraceComparatorRecipe().fit([quiet], process, 27.0)
