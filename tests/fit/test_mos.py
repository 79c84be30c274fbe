"""Extraction returns what was put in: an EKV card, with noise and without, from anywhere."""

import json
from pathlib import Path

import numpy as np
import pytest

from spicesnn.circuits.deck import Deck, Knob, OperatingPoint
from spicesnn.devices.ekv import Ekv
from spicesnn.engine.pool import Pool
from spicesnn.engine.session import Session
from spicesnn.errors import DataError, ParameterError
from spicesnn.fit.curves import Curves
from spicesnn.fit.mos import extract_mos, temperature_behaviour
from spicesnn.fit.simulated import simulated_curves
from spicesnn.processes import Process
from spicesnn.report.extraction import summary, write_extraction

CARD = Ekv(n=1.38, v_t0=0.45, i_spec=4e-7, lambda_=0.1, theta=0.25, eta=0.02)
VG, VD = (a.ravel() for a in np.meshgrid(np.arange(0, 1.81, 0.05), [0.1, 0.5, 1.0, 1.8]))
NONE = np.zeros_like(VG)


def curves(card: Ekv = CARD, noise: float = 0.0, seed: int = 0, sign: float = 1.0) -> Curves:
    current = card.current(VG, VD, NONE, width=2e-6, length=1e-6)
    current = current * np.exp(noise * np.random.default_rng(seed).standard_normal(VG.size))
    kind = "nfet" if sign > 0 else "pfet"
    return Curves(sign * VG, sign * VD, NONE, NONE, sign * current, kind, 2e-6, 1e-6)


def wanted(card: Ekv = CARD) -> dict[str, float]:
    return {"kappa": 1 / card.n, "i_0": card.i_0(), "v_t0": card.v_t0}


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_known_card_comes_back_within_a_per_cent(sign: float) -> None:
    found = extract_mos(curves(sign=sign))
    for name, value in wanted().items():
        assert found.values[name].value == pytest.approx(value, rel=0.01, abs=0), name
    for name in ("eta", "lambda", "theta"):
        true = {"eta": CARD.eta, "lambda": CARD.lambda_, "theta": CARD.theta}[name]
        assert found.values[name].value == pytest.approx(true, rel=0.01, abs=0), name
    assert found.values["n, weak"].value == pytest.approx(CARD.n, rel=0.01)
    slope = CARD.lambda_ / (1 + CARD.lambda_) + CARD.eta / (CARD.n * 0.025865)
    assert found.values["gds/Id, deep"].value == pytest.approx(slope, rel=0.03)
    assert found.values["leakage"].value == pytest.approx(
        float(curves().id[(VG == 0) & (VD == 1.8)][0]), rel=1e-6, abs=0
    )


def test_ngspices_curves_of_the_card_give_it_back(pool: Pool) -> None:
    """The same equation as a subcircuit of behavioural sources: another hand evaluates it."""
    text = CARD.subcircuit("card", width=2e-6, length=1e-6)
    deck = Deck(
        "card", f"{text}\nx1 d g 0 0 card", "",
        {n: Knob(n, (n[1:], "0"), 0.0) for n in ("vg", "vd")}, ("i(vd)",), OperatingPoint(),
    )  # fmt: skip
    with Session(deck) as session:
        runs = session.map([{"vg": float(g), "vd": float(d)} for g, d in zip(VG, VD, strict=True)])
    current = np.array([-float(run.waveforms["i(vd)"][0]) for run in runs])
    found = extract_mos(Curves(VG, VD, NONE, NONE, current, "nfet", 2e-6, 1e-6))
    for name, value in wanted().items():
        assert found.values[name].value == pytest.approx(value, rel=0.01, abs=0), name


def test_noise_of_two_per_cent_stays_within_the_stated_uncertainty() -> None:
    """Over 60 draws: the deviations in units of the uncertainty are those of a normal law."""
    deviations = []
    for seed in range(60):
        found = extract_mos(curves(noise=0.02, seed=seed)).values
        deviations.append(
            [(found[n].value - value) / found[n].sigma for n, value in wanted().items()]
        )
    spread = np.array(deviations)
    assert (np.abs(spread) < 1).mean() > 0.55
    assert (np.abs(spread) < 3).mean() > 0.98
    assert np.abs(spread.mean(axis=0)).max() < 0.5


def test_a_noise_floor_is_found_and_kept_out() -> None:
    clean = curves()
    noise = 1e-9 * np.random.default_rng(1).standard_normal(VG.size)
    noisy = Curves(VG, VD, NONE, NONE, clean.id + noise, "nfet", 2e-6, 1e-6)
    found = extract_mos(noisy)
    assert found.floor == pytest.approx(1e-9, rel=0.5)
    assert clean.id[found.used].min() > 1e-9
    for name, value in wanted().items():
        assert abs(found.values[name].value - value) < 4 * found.values[name].sigma, name


def test_a_leak_under_the_channel_is_left_out() -> None:
    leaky = Curves(VG, VD, NONE, NONE, curves().id + 2e-11, "nfet", 2e-6, 1e-6)
    found = extract_mos(leaky)
    assert found.values["kappa"].value == pytest.approx(1 / CARD.n, rel=0.03)
    assert found.values["leakage"].value == pytest.approx(2.4e-11, rel=0.2, abs=0)


def test_a_step_of_the_meter_does_not_hide_weak_inversion() -> None:
    current = curves().id.copy()
    current[VG > 0.62] *= 1.5
    found = extract_mos(Curves(VG, VD, NONE, NONE, current, "nfet", 2e-6, 1e-6))
    assert found.region.count("deep") > 10


def test_regions_and_residuals_are_counted() -> None:
    found = extract_mos(curves())
    assert set(found.region) == {"deep", "weak", "moderate", "strong"}
    assert found.median_residual("weak") < 1e-6
    assert np.isnan(extract_mos(curves()).median_residual("none"))


def test_temperature_behaviour_of_a_process(process: Process, pool: Pool) -> None:
    """100 nA need 0.564 V at -40 deg C and 0.437 V at 85 (ngspice, by a sweep); kappa stays."""
    sets = simulated_curves(process, "nfet", 1e-6, 1e-6, pool, celsius=[-40, 27, 85])
    found = temperature_behaviour([extract_mos(each) for each in sets])
    assert found["d v_t, 100 nA/dT"].value == pytest.approx(-1.016e-3, rel=0.02)
    assert abs(found["d n/dT"].value) < 1e-3
    with pytest.raises(DataError, match="two temperatures or more"):
        temperature_behaviour([extract_mos(sets[0])])


def test_curves_of_every_process(any_process: Process, pool: Pool) -> None:
    """kappa of simulated curves is the slope of weak inversion itself, as far as one n serves."""
    for kind in ("nfet", "pfet"):
        (own,) = simulated_curves(any_process, kind, 1e-6, 1e-6, pool)
        found = extract_mos(own)
        vg, vd, _, current = own.magnitudes()
        saturated = vd > 0.9 * vd.max()
        coefficient = current / (found.ekv.i_spec)
        weak = saturated & (coefficient > 1e-4) & (coefficient < 1e-2)
        slope = np.polyfit(vg[weak], np.log(current[weak]), 1)[0]
        assert found.values["kappa"].value == pytest.approx(slope * 0.025865, rel=0.08), kind


def test_one_drain_voltage_leaves_the_drains_influence_open() -> None:
    own = VD == 1.8
    card = Ekv(n=1.38, v_t0=0.45, i_spec=4e-7, theta=0.25)
    current = card.current(VG[own], VD[own], NONE[own], width=2e-6, length=1e-6)
    noisy = current * np.exp(0.02 * np.random.default_rng(0).standard_normal(current.size))
    found = extract_mos(Curves(VG[own], VD[own], NONE[own], NONE[own], noisy, "nfet", 2e-6, 1e-6))
    assert np.isnan(found.values["eta"].value)
    assert np.isnan(found.values["lambda"].value)
    for name, value in wanted(card).items():
        assert abs(found.values[name].value - value) < 4 * found.values[name].sigma, name
        assert found.values[name].sigma < 0.1 * value, name


def test_leakage_is_that_of_the_source_at_the_bulk() -> None:
    """Sweeps with the bulk in reverse, or all of it at a supply, do not hide it."""
    one = curves()
    both = Curves(
        np.r_[VG, VG], np.r_[VD, VD], np.r_[NONE, NONE], np.r_[NONE, NONE - 0.9],
        np.r_[one.id, 0.1 * one.id], "nfet", 2e-6, 1e-6,
    )  # fmt: skip
    lifted = Curves(VG + 1, VD + 1, NONE + 1, NONE + 1, one.id, "nfet", 2e-6, 1e-6)
    usual = extract_mos(one).values["leakage"].value
    for other in (both, lifted):
        assert extract_mos(other).values["leakage"].value == pytest.approx(usual, rel=1e-6, abs=0)


def test_too_few_points_say_what_is_needed() -> None:
    few = Curves(VG[:7], VD[:7], NONE[:7], NONE[:7], curves().id[:7], "nfet", 2e-6, 1e-6)
    with pytest.raises(DataError, match="7 points lie above three times the noise floor"):
        extract_mos(few)
    strong = VG > 1.2
    with pytest.raises(DataError, match="points above the floor are in weak or moderate inversion"):
        extract_mos(Curves(
            VG[strong], VD[strong], NONE[strong], NONE[strong], curves().id[strong], "nfet",
            2e-6, 1e-6,
        ))  # fmt: skip


def test_sizes_out_of_range(process: Process, pool: Pool) -> None:
    with pytest.raises(ParameterError, match="under the minimum of generic180_nfet"):
        simulated_curves(process, "nfet", 1e-6, 0.1e-6, pool)
    with pytest.raises(ParameterError, match="300 deg C is outside"):
        simulated_curves(process, "nfet", 1e-6, 1e-6, pool, celsius=[300])


def test_the_extraction_as_files(tmp_path: Path) -> None:
    found = extract_mos(curves(noise=0.02))
    paths = write_extraction([found], tmp_path)
    assert [path.name for path in paths] == ["extraction.json", "extraction0.png"]
    kept = json.loads(paths[0].read_text())
    assert kept == json.loads(json.dumps(summary([found])))
    (one,) = kept["extractions"]
    assert one["values"]["kappa"]["sigma"] > 0
    assert sum(region["points"] for region in one["regions"].values()) == one["used"]
