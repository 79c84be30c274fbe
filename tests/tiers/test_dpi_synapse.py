"""The DPI synapse's tier against its law, its gradients and its circuit."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from spicesnn.circuits.cells.dpi_synapse import DpiSynapse as Cell
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.errors import ParameterError
from spicesnn.processes import Process
from spicesnn.tiers.dpi_synapse import DpiSynapse, relaxed
from spicesnn.tiers.recipes.dpi_synapse import DpiSynapseRecipe
from spicesnn.tiers.recipes.free_run import stacked
from spicesnn.tiers.tier import scan as plain_scan

U = 0.0345
scan = jax.jit(plain_scan, static_argnums=3)
IDEAL = {
    "c": 2e-12, "i_tau": 10e-12, "u_sat": 0.0259, "v_early": 1e4, "q_event": 0.0, "q_pair": 1e-18,
    "i_off": 1e-18, "v_couple": 0.0, "tau_line": 1e-2, "a": 1 / U, "v_gain": 0.5,
    "i_pair": 1.0, "i_0": 10e-12 * np.exp(-0.5 / U), "u_read": U,
}  # fmt: skip
# Of a fit to generic180, typical, 27 C.
FITTED = {
    "c": 1.9447e-12, "i_tau": 9.0154e-12, "u_sat": 0.041899, "v_early": 8.1473,
    "q_event": 4.0871e-16, "q_pair": 1.4568e-16, "i_off": 1e-16, "v_couple": 0.00015652,
    "tau_line": 0.0098091, "a": 29.823, "v_gain": 0.57372,
    "i_pair": 2.6764e-08, "i_0": 7.8958e-19, "u_read": 0.035055,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _doubles() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def _drive(steps: int, dt: float) -> np.ndarray:
    """Pulses, a pause, a steady current and a pause."""
    time = dt * np.arange(steps)
    pulses = 1e-9 * ((time % 2e-3) < 0.2e-3) * (time < 0.05)
    return np.asarray(pulses + 0.1e-9 * ((time > 0.04) & (time < 0.055)))


def test_the_law_as_published() -> None:
    dt, steps = 25e-6, 3000
    drive = _drive(steps, dt)
    tier = DpiSynapse.of(IDEAL)
    _, out = scan(tier, tier.start((), jnp.float64), {"drive": jnp.asarray(drive)}, dt)
    tau, gain, leak = 2e-12 * U / 10e-12, 10e-12, 10e-12

    def slope(t: float, log_i: np.ndarray) -> np.ndarray:
        i = np.exp(log_i)
        return (gain * (drive[min(int(t / dt), steps - 1)] / leak - 1) - i) / (tau * (i + gain))

    # From where the leak is saturated on, segment by segment of constant drive.
    first = 400
    now = np.log(np.asarray(out["i_out"])[first : first + 1])
    edges = first + 1 + np.flatnonzero(np.diff(drive[first:]))
    for begin, end in zip([first + 1, *edges], [*edges, steps], strict=True):
        at = dt * np.array([begin, end])
        middle = (begin + end) / 2 * dt
        now = solve_ivp(
            lambda t, y, m=middle: slope(m, y), at, now, method="LSODA", rtol=1e-9, atol=1e-12
        ).y[:, -1]
        assert np.exp(now[0]) == pytest.approx(float(out["i_out"][end - 1]), rel=4e-3, abs=2e-15)


def test_shorter_steps_come_to_the_same() -> None:
    ends = []
    for parts in (1, 2, 4):
        dt = 100e-6 / parts
        drive = np.repeat(_drive(600, 100e-6), parts)
        tier = DpiSynapse.of(FITTED)
        _, out = scan(tier, tier.start((), jnp.float64), {"drive": jnp.asarray(drive)}, dt)
        ends.append(float(out["v_syn"][-1]))
    assert abs(ends[1] - ends[2]) < 0.6 * abs(ends[0] - ends[1]) < 3e-4


def test_the_pairs_node_is_a_log_domain_filter() -> None:
    charge, dt, current, start = 1e-15, 5e-6, 3e-10, 1e-12
    exact = solve_ivp(
        lambda t, p: p * (current - p) / charge, (0, dt), [start], rtol=1e-10, atol=1e-25
    ).y[0, -1]
    found = relaxed(jnp.asarray(current), jnp.asarray(1 / start), jnp.asarray(charge), dt)
    assert 1 / float(found) == pytest.approx(exact, rel=1e-7)


def test_floats_of_32_bits_come_to_the_same() -> None:
    drive = _drive(3000, 50e-6)
    found = {}
    for dtype in (jnp.float32, jnp.float64):
        tier = DpiSynapse.of(FITTED).astype(dtype)
        _, out = scan(tier, tier.start((), dtype), {"drive": jnp.asarray(drive, dtype)}, 50e-6)
        assert {each.dtype for each in out.values()} == {jnp.dtype(dtype)}
        found[dtype] = np.asarray(out["i_out"], float)
    assert found[jnp.float32] == pytest.approx(
        found[jnp.float64], abs=1e-3 * found[jnp.float64].max()
    )


def test_gradients_agree_with_finite_differences() -> None:
    drive = jnp.asarray(_drive(400, 100e-6))
    events = jnp.asarray(np.r_[0.0, np.diff(np.asarray(drive)) > 0])
    names = ["drive", *FITTED]

    def loss(scales: jax.Array) -> jax.Array:
        scale = dict(zip(names, scales, strict=True))
        tier = DpiSynapse.of({name: scale[name] * value for name, value in FITTED.items()})
        given = {"drive": drive * scale["drive"], "events": events}
        out = scan(tier, tier.start((), jnp.float64), given, 100e-6)[1]
        return 100 * jnp.mean(out["v_syn"] ** 2)

    step, one = 1e-5, np.ones(len(names))
    moved = np.concatenate([one + step * np.eye(one.size), one - step * np.eye(one.size)])
    both = jax.jit(jax.value_and_grad(loss))
    up, down = np.reshape([both(jnp.asarray(each))[0] for each in moved], (2, -1))
    found = np.asarray(both(jnp.asarray(one))[1])
    assert found == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-7)


def test_it_follows_the_circuit(process: Process, pool: Pool) -> None:
    recipe = DpiSynapseRecipe(stop=0.05)
    stimuli = recipe.stimuli(process, np.random.default_rng(5), 6)
    runs = pool.map([Job(recipe.deck(process), each.knobs) for each in stimuli])
    records = [
        recipe.record(each, run.waveforms, process) for each, run in zip(stimuli, runs, strict=True)
    ]
    tier = DpiSynapse.of(FITTED)
    given = {name: jnp.asarray(each) for name, each in stacked(records, tier.INPUTS).items()}
    _, out = scan(tier, tier.start((6,), jnp.float64), given, recipe.dt)
    for name in recipe.compared:
        wanted = np.stack([record.outputs[name] for record in records], axis=1)
        assert np.sqrt(np.mean((out[name] - wanted) ** 2)) < 0.01 * np.ptp(wanted)
    assert set(recipe.ranges(records)) == {"drive", "events", "i_out", "v_syn"}


def test_the_drive_is_the_pulses_charge(process: Process) -> None:
    recipe = DpiSynapseRecipe()
    for each in recipe.stimuli(process, np.random.default_rng(2), 6):
        if not each.inputs["events"].any() or not isinstance(each.knobs["iweight"], float):
            continue
        charge = each.inputs["drive"].sum() * recipe.dt
        wanted = each.inputs["events"].sum() * each.knobs["iweight"] * recipe.pulse
        assert charge == pytest.approx(wanted, rel=1e-9)


def test_the_complement_rests_with_its_pulse_high(process: Process) -> None:
    recipe = DpiSynapseRecipe(cell=Cell(complement=True))
    line = recipe.stimuli(process, np.random.default_rng(2), 1)[0].knobs["vpulse"]
    assert line.value[0] == process.supply  # type: ignore[union-attr]


def test_recipes_that_cannot_be() -> None:
    with pytest.raises(ParameterError, match="least = 3e-09 must be below most = 2e-09"):
        DpiSynapseRecipe(least=3e-9)
    with pytest.raises(ParameterError, match=r"pulses of 0\.002 s at 600 Hz overlap"):
        DpiSynapseRecipe(pulse=2e-3)
