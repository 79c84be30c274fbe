"""The adaptive neuron's tier against its own law, and its recipe against the circuit."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import lambertw

from spicesnn.circuits.cells.adaptive_neuron import AdaptiveNeuronBias
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.errors import DataError, ParameterError
from spicesnn.processes import find_process
from spicesnn.tiers.adaptive_neuron import AdaptiveNeuron, _charged
from spicesnn.tiers.recipes.adaptive_neuron import KINDS, AdaptiveNeuronRecipe
from spicesnn.tiers.tier import scan

VALUES = {
    "u_t": 0.02586, "u_t_ahp": 0.02586, "c": 5.17e-13, "i_leak": 2e-11, "v_early": 20.0,
    "v_gain": 1.37, "u_gain": 0.0359, "i_feedback": 4.9e-9, "u_feedback": 0.09,
    "v_threshold": 1.45, "lag": 4e-8,
    "i_bend": 3e-8, "v_early_lkahp": 50.0, "u_lkahp": 0.02586, "i_before": 0.0, "u_before": 0.05,
    "t_reset": 1.2e-4, "t_reset_slope": 0.0, "tau_reset": 7e-6, "i_0": 4e-15, "u_ahp": 0.036,
    "bow": 0.0, "i_curve": 1e-6, "v_early_ahp": 8.0, "c_p": 5e-13, "i_lkahp": 1e-11,
    "v_thrahp": 0.307,
    "u_pair": 0.0346, "rise_spike": 0.02, "rise_net": 0.0, "i_rise": 1e-9, "rise_v_p": 0.0,
    "rise_feedback": 1.0, "rise_before": 0.0, "kick": 0.0, "coupling": 0.0, "width": 1.5e-7,
}  # fmt: skip
DT = 2e-5


# All runs are of one length, so that the loop is compiled once for each type.
STEPS = 1400


@jax.jit
def _scan(tier: AdaptiveNeuron, i_in: jax.Array, dt: jax.Array) -> dict[str, jax.Array]:
    return dict(scan(tier, tier.start((), i_in.dtype), {"i_in": i_in}, dt)[1])  # type: ignore[arg-type]


def run(
    values: dict[str, float], i_in: np.ndarray, dtype: type = jnp.float64, dt: float = DT
) -> dict[str, np.ndarray]:
    """Outputs of all steps, from rest."""
    padded = np.pad(i_in, (0, STEPS - i_in.size))
    with jax.enable_x64(dtype == jnp.float64):
        tier = AdaptiveNeuron.of(values).astype(dtype)
        out = _scan(tier, jnp.asarray(padded, dtype), jnp.asarray(dt, dtype))
        return {name: np.asarray(each)[: i_in.size] for name, each in out.items()}


def times(out: dict[str, np.ndarray], dt: float = DT) -> np.ndarray:
    """Spike times, seconds."""
    at = np.flatnonzero(out["spike"] > 0.5)
    return np.asarray(at * dt + out["delay"][at])


def law(t: float, v: np.ndarray, i_in: float) -> list[float]:
    """The membrane's equation without adaptation."""
    p = VALUES
    level = p["v_threshold"] + p["lag"] * max(i_in - p["i_leak"] - p["i_0"], 0) / p["c"]
    gain = 1 / (1 + np.exp((v[0] - p["v_gain"]) / p["u_gain"]))
    leak = p["i_leak"] * (1 + v[0] / p["v_early"]) + p["i_0"] * (1 + v[0] / p["v_early_ahp"])
    feedback = p["i_feedback"] * np.exp((v[0] - level) / p["u_feedback"])
    feedback = feedback / (1 + np.sqrt(feedback / p["i_bend"]))
    return [(i_in * gain + feedback - leak * (1 - np.exp(-v[0] / p["u_t"]))) / p["c"]]


@pytest.mark.parametrize("i_in", [8e-11, 2e-10, 1e-9, 2.5e-9])
def test_the_first_spike_comes_when_the_law_has_it(i_in: float) -> None:
    """Within 0.2 % of its time, at 20 us."""

    def crosses(t: float, v: np.ndarray, current: float) -> float:
        return float(v[0] - VALUES["v_threshold"])

    crosses.terminal = True  # type: ignore[attr-defined]
    end = 2 * 5.2e-13 * 1.5 / (i_in - 2.2e-11)
    true = solve_ivp(
        law, (0, end), [0.0], args=(i_in,), events=crosses, rtol=1e-9, atol=1e-12, method="LSODA"
    )
    expected = float(true.t_events[0][0])
    out = run({**VALUES, "rise_feedback": 0.0}, np.full(int(end / DT), i_in))
    assert times(out)[0] == pytest.approx(expected, rel=2e-3, abs=1e-6)
    # And the way there.
    steps = int(0.8 * expected / DT)
    grid = DT * np.arange(1, steps + 1)
    way = solve_ivp(
        law, (0, grid[-1] + DT), [0.0], args=(i_in,), t_eval=grid, rtol=1e-9, method="LSODA"
    )
    assert np.abs(out["v_mem"][:steps] - way.y[0]).max() < 5e-3


def test_the_step_is_of_second_order() -> None:
    """Spikes come at 20 us when they come at half of it: within 5 us, half of them 0.5 us."""
    rng = np.random.default_rng(5)
    i_in = np.repeat(rng.uniform(2e-10, 2.5e-9, 14), 50)
    whole = times(run(VALUES, i_in))
    half = times(run(VALUES, np.repeat(i_in, 2), dt=DT / 2), DT / 2)
    assert whole.size == half.size
    assert whole.size >= 15
    assert np.abs(whole - half).max() < 5e-6
    assert np.median(np.abs(whole - half)) < 5e-7


def test_an_early_feedback_leaves_the_step_of_second_order() -> None:
    """Half the step, a quarter of the error, on a slow way up that never spikes."""
    own = {
        **VALUES, "i_before": 1e-10, "u_before": 0.06, "rise_before": 1.0, "i_lkahp": 0.0,
        "v_gain": 2.5, "i_feedback": 1e-13, "u_feedback": 3e-3,
    }  # fmt: skip

    def end(parts: int) -> tuple[float, float]:
        out = run(own, np.repeat(np.full(160, 2.25e-10), parts), dt=DT / parts)
        assert not out["spike"].any()
        return float(out["v_mem"][-1]), float(out["v_p"][-1])

    coarse, half, true = np.array([end(1), end(2), end(8)])
    assert (np.abs(coarse - true) > 1e-9).all()
    # Of first order it would be 2.3 times, and it is 3.0 where the early feedback counts late.
    assert (np.abs(coarse - true) > 4 * np.abs(half - true)).all()


@pytest.mark.parametrize(("u_leak", "u_ahp"), [(0.017, 0.021), (0.026, 0.029)])
@pytest.mark.parametrize("part", [0.7, 0.98, 1.1])
def test_both_sinks_lose_saturation_near_ground(u_leak: float, u_ahp: float, part: float) -> None:
    """Each by its own law: against the equation, under and over their sum, to 0.2 mV."""
    i_ahp, bow = 1e-10, 0.3
    v_p = 0.36
    own = {
        "u_t": u_leak, "u_t_ahp": u_ahp, "i_lkahp": 0.0, "bow": bow, "i_curve": 1e-3,
        "i_0": i_ahp / np.exp(v_p * (1 + bow * v_p) / 0.036), "rise_feedback": 0.0,
    }  # fmt: skip
    i_in = part * (i_ahp + 2e-11)

    def slope(t: float, v: np.ndarray) -> list[float]:
        leak = 2e-11 * (1 + v[0] / 20.0) * (1 - np.exp(-v[0] / u_leak))
        ahp = i_ahp * (1 + v[0] / 8.0) * (1 - np.exp(-v[0] / u_ahp))
        return [(i_in - leak - ahp) / VALUES["c"]]

    steps = 200
    with jax.enable_x64(True):
        tier = AdaptiveNeuron.of({**VALUES, **own})
        v, _, wait, left = tier.start((), jnp.float64)
        given = {"i_in": jnp.full(steps, i_in)}
        _, out = scan(tier, (v, jnp.asarray(v_p), wait, left), given, DT)
    grid = DT * np.arange(1, steps + 1)
    true = solve_ivp(slope, (0, grid[-1] + DT), [0.0], t_eval=grid, rtol=1e-9, atol=1e-12)
    assert true.y[0].max() > 0.02
    assert np.abs(np.asarray(out["v_mem"]) - true.y[0]).max() < 2e-4


def test_feedback_that_begins_long_before_the_level() -> None:
    """Where the input has gone it carries a membrane on that is close under the level, or not."""
    own = {"i_before": 5e-11, "u_before": 0.1, "rise_before": 0.5, "i_feedback": 1e-13,
           "u_feedback": 3e-3, "i_leak": 1e-12, "rise_feedback": 0.0, "i_lkahp": 0.0}  # fmt: skip

    def end(values: dict[str, float]) -> dict[str, np.ndarray]:
        return run({**VALUES, **own, **values}, np.r_[np.full(33, 1e-9), np.zeros(100)])

    with_it, without = end({}), end({"i_before": 0.0})
    assert not with_it["spike"].any()
    assert without["v_mem"][-1] < without["v_mem"][40] < 1.42
    rise = with_it["v_mem"][-1] - with_it["v_mem"][40]
    assert rise > 0.02
    # The adaptation gets its part of the charge, here in all but the pair's own share.
    charged = with_it["v_p"][-1] - with_it["v_p"][40]
    lost = 1e-12 * 1.07 / VALUES["c"] * 95 * DT
    assert charged == pytest.approx(0.5 * (rise + lost), rel=0.02)


def test_the_adaptation_is_charged_by_the_pairs_law() -> None:
    """Against Lambert's function: exact for little, within 1e-4 for much."""
    t = np.linspace(-12, 6, 60)[:, None]
    added = np.r_[0.0, np.geomspace(1e-4, 60, 100)][None]
    total = t + np.exp(t) + added
    large = np.log(np.maximum(total - np.log(np.maximum(total, 2.0)), 1.0))
    exact = np.where(total > 100, large, np.log(lambertw(np.exp(np.minimum(total, 100))).real))
    with jax.enable_x64(True):
        found = t + np.asarray(_charged(jnp.asarray(t), jnp.asarray(added)))
    assert np.abs(found - exact)[total < 100].max() < 1e-4
    assert np.abs(found - t)[:, 0].max() < 1e-12


def test_the_adaptation_decays_with_its_time_constant() -> None:
    """`C_p U_ahp/I_lkahp` of the current, after the input has gone."""
    i_in = np.r_[np.full(200, 1e-9), np.zeros(300)]
    out = run({**VALUES, "v_early": 1e4, "i_curve": 1e-3}, i_in)
    late = out["i_ahp"][300:360]
    tau = -DT / np.polyfit(np.arange(60), np.log(late), 1)[0]
    law_tau = VALUES["c_p"] * VALUES["u_ahp"] / VALUES["i_lkahp"]
    assert tau == pytest.approx(law_tau, rel=0.01)


def test_the_adaptation_follows_the_membrane_by_its_coupling() -> None:
    """On the way up, and back where a spike ends."""
    own = {"coupling": 1e-3, "i_lkahp": 0.0, "rise_feedback": 0.0, "rise_spike": 0.0}
    out = run({**VALUES, **own}, np.full(150, 1e-9))
    spikes = np.flatnonzero(out["spike"])
    assert spikes.size >= 2
    assert out["v_mem"][spikes[0] - 1] > 0.8
    assert out["v_p"] == pytest.approx(1e-3 * out["v_mem"], abs=1e-9)


def test_a_spike_charges_the_adaptation_by_what_it_is_at_the_spike() -> None:
    """The net current takes its logarithm's part off, v_p its own part, the end its kick."""

    def rise(own: dict[str, float], i_in: float) -> float:
        alone = {"i_lkahp": 0.0, "rise_feedback": 0.0, "v_thrahp": 1.0}
        out = run({**VALUES, **alone, **own}, np.full(120, i_in))
        return float(out["v_p"][np.flatnonzero(out["spike"])[0]])

    plain = rise({}, 2.4e-9)
    assert plain == pytest.approx(VALUES["rise_spike"], rel=1e-3)
    less = rise({"rise_net": 0.1, "i_rise": 1e-10}, 2.4e-9)
    assert 1 - less / plain == pytest.approx(0.1 * np.log1p(2.38e-9 / 1e-10), rel=0.01)
    assert plain - rise({"kick": 1e-3}, 2.4e-9) == pytest.approx(1e-3, rel=1e-6)
    # The first spike finds nothing there, the second what the first has left.
    out = run({**VALUES, "i_lkahp": 0.0, "rise_feedback": 0.0, "v_thrahp": 1.0, "rise_v_p": 0.5},
              np.full(120, 2.4e-9))  # fmt: skip
    first, second = out["v_p"][np.flatnonzero(out["spike"])[:2]]
    assert second - first == pytest.approx(plain + 0.5 * first, rel=1e-3)


def test_the_rate_adapts_and_a_rest_stays_a_rest() -> None:
    """Intervals grow at constant input; below the leak there is no spike."""
    intervals = np.diff(times(run(VALUES, np.full(1000, 1e-9))))
    assert (np.diff(intervals[:4]) > 0).all()
    assert intervals[-1] > 1.1 * intervals[0]
    out = run(VALUES, np.full(1000, 1e-11))
    assert not out["spike"].any()
    assert out["v_mem"].max() < 0.05


def test_floats_of_32_bits_agree() -> None:
    """Spikes of a long varying input within a microsecond, and everything is finite."""
    rng = np.random.default_rng(3)
    i_in = np.repeat(rng.uniform(0, 2.5e-9, 20), 50)
    double, single = run(VALUES, i_in), run(VALUES, i_in, jnp.float32)
    assert all(each.dtype == np.float32 for each in single.values())
    assert times(single) == pytest.approx(times(double), abs=2e-6)
    assert all(np.isfinite(each).all() for each in single.values())


def test_gradients_of_a_spikes_time_and_of_the_voltages() -> None:
    """Against finite differences to 1e-5, and finite through spikes and resets."""
    names = ("c", "i_leak", "v_threshold", "i_feedback", "u_feedback", "v_gain")
    with jax.enable_x64(True):
        given = {"i_in": jnp.full(40, 1.2e-9)}

        def answer(values: dict[str, jax.Array]) -> jax.Array:
            tier = AdaptiveNeuron.of({**VALUES, **values})
            _, out = scan(tier, tier.start((), jnp.float64), given, DT)
            spike = jax.lax.stop_gradient(out["spike"])
            return jnp.stack([(out["delay"] * spike).sum() / DT, out["v_mem"][20]])

        compiled = jax.jit(answer)
        start = {name: jnp.asarray(VALUES[name]) for name in names}
        slopes = jax.jit(jax.jacfwd(answer))(start)
        for name in names:
            h = VALUES[name] * 1e-5
            up, down = ({**start, name: start[name] + e} for e in (h, -h))
            slope = (compiled(up) - compiled(down)) / (2 * h)
            scale = np.maximum(np.abs(slope), 1e-4 / VALUES[name])
            assert np.abs((slopes[name] - slope) / scale).max() < 1e-5, name

        def loss(current: jax.Array) -> jax.Array:
            tier = AdaptiveNeuron.of(VALUES)
            _, out = scan(tier, tier.start((), jnp.float64), {"i_in": current}, DT)
            return out["spike"].sum() + out["v_mem"].sum() + out["v_p"].sum()

        gradient = jax.jit(jax.grad(loss))
        for level in (0.0, 1e-11, 2.5e-9):
            assert np.isfinite(gradient(jnp.full(200, level))).all()


def test_the_request_is_active_for_its_width() -> None:
    """In sum over the steps: width times spikes, over the step."""
    out = run({**VALUES, "width": 3e-5}, np.full(300, 2e-9))
    assert out["spike"].sum() > 3
    assert out["pulse"].sum() * DT == pytest.approx(3e-5 * out["spike"].sum(), rel=0.2)


def test_stimuli_are_of_all_kinds_and_in_the_range() -> None:
    """Their means over steps, too; the same seed gives the same ones."""
    recipe = AdaptiveNeuronRecipe()
    process = find_process("generic180")
    found = recipe.stimuli(process, np.random.default_rng(1), 10)
    again = recipe.stimuli(process, np.random.default_rng(1), 10)
    assert {each.name for each in found} == set(KINDS)
    for one, other in zip(found, again, strict=True):
        drive = one.inputs["i_in"]
        assert (drive >= 0).all()
        assert drive.max() <= recipe.highest * (1 + 1e-9)
        assert np.array_equal(drive, other.inputs["i_in"])


def test_the_circuit_fires_and_is_recorded() -> None:
    """A short run: a spike where the request falls, energy, voltages on the steps."""
    recipe = AdaptiveNeuronRecipe(length=2e-3, step=DT)
    process = find_process("generic180")
    stimulus = recipe.stimuli(process, np.random.default_rng(7), 1)[0]
    drive = np.full_like(stimulus.inputs["i_in"], 2e-9)
    with Pool(workers=1) as pool:
        run_ = pool.map([Job(recipe.deck(process), {"idrive": 2e-9})])[0]
    record = recipe.record(
        type(stimulus)("constant", {"idrive": 2e-9}, {"i_in": drive}), run_.waveforms, process
    )
    assert record.steps == 100
    assert record.spikes.size >= 4
    assert 1e-6 < record.spike_width < 2e-5
    # About 0.7 V on 0.5 pF at 2 nA.
    assert 1.5e-4 < record.spikes[0] < 2.5e-4
    assert record.energy > 0
    spans = recipe.ranges([record])
    assert spans["v_mem"].high > record.outputs["v_mem"].max()
    with pytest.raises(DataError, match="spikes do not fit a neuron, 30 are needed"):
        recipe.fit([record], process, 27.0)


def test_energy_counts_time_spikes_and_charge() -> None:
    """Of a run with spikes; every feature is finite and not negative."""
    recipe = AdaptiveNeuronRecipe(step=DT)
    i_in = np.full(500, 1e-9)
    out = run(VALUES, i_in)
    found = recipe.energy_features({"i_in": i_in}, out)
    assert found[:3] == pytest.approx([500 * DT, out["spike"].sum(), 500 * DT * 1e-9])
    assert len(recipe.features) == found.size
    assert (found >= 0).all()
    assert np.isfinite(found).all()


def test_parameters_that_do_not_suit_are_refused() -> None:
    """With what and where."""
    with pytest.raises(ParameterError, match="lowest = 3e-09 must be below highest"):
        AdaptiveNeuronRecipe(lowest=3e-9)
    with pytest.raises(ParameterError, match="step = 1e-05 s must be below the refractory period"):
        AdaptiveNeuronRecipe(bias=AdaptiveNeuronBias(i_refractory=40e-9))
    assert AdaptiveNeuronRecipe().tau == pytest.approx(0.898e-3, rel=1e-3)
