"""A BSIM card fitted to curves: a known one's currents come back, and any PDK's."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spicesnn.engine.pool import Pool
from spicesnn.errors import DataError, ParameterError, UnknownNameError
from spicesnn.fit.at_points import currents_at_points
from spicesnn.fit.bsim import fit_card, fit_extracted, with_parameters
from spicesnn.fit.curves import Curves
from spicesnn.fit.mos import extract_mos
from spicesnn.fit.simulated import simulated_curves
from spicesnn.processes import Process, find_process
from spicesnn.report.extraction import write_extraction


def nfet_card() -> str:
    models = find_process("generic180").models
    return models[models.index(".model generic180_nfet") : models.index(".model generic180_pfet")]


def grid(width: float, length: float, bulk: float = 0.0) -> Curves:
    vg, vd = (a.ravel() for a in np.meshgrid(np.arange(0.2, 1.81, 0.1), [0.1, 0.9, 1.8]))
    none = np.zeros_like(vg)
    return Curves(vg, vd, none, none + bulk, none, "nfet", width, length)


@pytest.mark.parametrize("kind", ["nfet", "pfet"])
def test_one_sweep_gives_what_operating_points_give(
    any_process: Process, pool: Pool, kind: str
) -> None:
    """Of the same transistor: two analyses, two decks."""
    points = simulated_curves(any_process, kind, 2e-6, 1e-6, pool, step=0.3)[0]  # type: ignore[arg-type]
    mosfet = getattr(any_process, kind)
    swept = currents_at_points(mosfet, [any_process.models], [points], pool)[0][0]
    # gmin, 5e-18 S, is the difference where nothing else flows.
    np.testing.assert_allclose(swept, points.id, rtol=1e-4, atol=1e-17)


def test_shifts_move_the_threshold(process: Process, pool: Pool) -> None:
    """A shift of 50 mV is a gate voltage 50 mV lower below threshold, for each curve its own."""
    low, high = grid(1e-6, 1e-6), grid(2e-6, 0.5e-6)
    moved = replace(low, vg=low.vg - 0.05)
    card = [process.models]
    shifted = currents_at_points(process.nfet, card, [low, high], pool, shifts=[[0.05, 0.0]])[0]
    plain = currents_at_points(process.nfet, card, [moved, high], pool)[0]
    below = low.vg < 0.55
    np.testing.assert_allclose(shifted[0][below], plain[0][below], rtol=0.01)
    np.testing.assert_allclose(shifted[1], plain[1], rtol=1e-6)


def test_a_known_card_comes_back_over_geometries(process: Process, pool: Pool) -> None:
    """From other starts: fitted parameters give its currents, and its threshold at a new length."""
    names = ["vth0", "u0", "nfactor", "k1"]
    sizes = [(10e-6, 0.18e-6), (10e-6, 1e-6), (10e-6, 8e-6)]
    curves = [grid(*size, bulk) for size in sizes for bulk in (0.0, -0.9)]
    true = currents_at_points(process.nfet, [process.models], curves, pool)[0]
    data = [replace(c, id=i) for c, i in zip(curves, true, strict=True)]
    chosen = [c.id > 1e-13 for c in data]
    found = fit_card(
        data, chosen, [np.full(int(c.sum()), 30.0) for c in chosen], process.nfet, nfet_card(),
        names, pool, start={"vth0": 0.55, "u0": 0.02, "nfactor": 1.2, "k1": 0.6},
    )  # fmt: skip
    new = [grid(10e-6, 3e-6)]
    wanted = currents_at_points(process.nfet, [process.models], new, pool)[0][0]
    got = currents_at_points(process.nfet, [found.text], new, pool)[0][0]
    assert float(np.median(np.abs(np.log(got / wanted)))) < 0.02
    true_card = dict(re.findall(r"\b(\w+)=(\S+)", nfet_card()))
    for name in names:
        assert found.parameters[name] == pytest.approx(float(true_card[name]), rel=0.05), name


def test_spread_is_taken_by_the_devices_not_by_the_slope(process: Process, pool: Pool) -> None:
    """Two sites 40 mV apart: the shifts find it, the card keeps its slope and lies between."""
    base = grid(7e-6, 1e-6)
    plain = currents_at_points(
        process.nfet, [process.models], [base, base], pool, shifts=[[-0.02, 0.02]]
    )[0]
    sites = [replace(base, id=i) for i in plain]
    chosen = [c.id > 1e-13 for c in sites]
    weights = [np.full(int(c.sum()), 30.0) for c in chosen]
    found = fit_card(
        sites, chosen, weights, process.nfet, nfet_card(), ["vth0", "nfactor"], pool,
        spread=0.03, devices=[0, 1],
    )  # fmt: skip
    assert found.shifts[1] - found.shifts[0] == pytest.approx(0.04, rel=0.03)
    card = nfet_card()
    true = float(card[card.index("nfactor=") :].split()[0].removeprefix("nfactor="))
    assert found.parameters["nfactor"] == pytest.approx(true, rel=0.03)


@pytest.mark.parametrize("kind", ["nfet", "pfet"])
def test_a_process_curves_give_a_card(
    any_process: Process, pool: Pool, tmp_path: Path, kind: str
) -> None:
    """Medians within 4 % in every region; the card as written gives the currents."""
    curves = simulated_curves(any_process, kind, 2e-6, 1e-6, pool, step=0.1)[0]  # type: ignore[arg-type]
    found = extract_mos(curves)
    card = fit_extracted(found, pool)
    assert max(card.residuals.values()) < 0.04
    paths = write_extraction([found], tmp_path, cards=[card])
    text = paths[-1].read_text()
    for words in ("W 2 um", "generic180's", f".model extracted_{kind}0"):
        assert words in text
    stored = json.loads(paths[0].read_text())["extractions"][0]["card"]
    assert stored["file"] == paths[-1].name
    assert stored["median residual"] == card.residuals
    mosfet = getattr(find_process("generic180"), kind)
    mosfet = mosfet.model_copy(update={"model": f"extracted_{kind}0"})
    cards = "\n".join(line for line in text.splitlines() if not line.startswith("*"))
    again = currents_at_points(mosfet, [cards], [curves], pool)[0][0]
    off = np.abs(np.log(again[found.used] / curves.id[found.used]))
    assert float(np.median(off)) < 0.04


def test_curves_that_no_card_fits(process: Process, pool: Pool) -> None:
    """Another law in strong inversion, a temperature, too few points: what to do is said."""
    own = simulated_curves(process, "nfet", 2e-6, 1e-6, pool, step=0.1)[0]
    found = extract_mos(own)
    with pytest.raises(DataError, match=r"cannot be simulated at W/L 2/1 um, -280 deg C"):
        fit_extracted(replace(found, curves=replace(found.curves, celsius=-280.0)), pool)
    wild = np.where(own.vg > 1.0, own.id * np.exp(6 * (own.vg - 1.0)), own.id)
    with pytest.raises(DataError, match=r"no BSIM4 card comes near .* look at --w, --l"):
        fit_extracted(replace(found, curves=replace(own, id=wild)), pool)
    few = found.used & (np.cumsum(found.used) <= 12)
    with pytest.raises(DataError, match="12 points cannot give 17 parameters"):
        fit_extracted(replace(found, used=few), pool)


def test_what_cannot_be_fitted(process: Process, pool: Pool) -> None:
    with pytest.raises(DataError, match=r"must hold one \.model and nothing else"):
        with_parameters(process.models, {"vth0": 0.5})
    base = grid(1e-6, 1e-6)
    hot = replace(base, celsius=85.0)
    with pytest.raises(DataError, match="several temperatures; compare one at a time"):
        currents_at_points(process.nfet, [process.models], [base, hot], pool)
    with pytest.raises(UnknownNameError, match="did you mean 'vth0'"):
        fit_card([base], [base.vg > 0], [np.ones(51)], process.nfet, nfet_card(), ["vth"], pool)
    with pytest.raises(DataError, match="not all of one pfet"):
        fit_card([base], [base.vg > 0], [np.ones(51)], process.pfet, nfet_card(), ["vth0"], pool)
    with pytest.raises(ParameterError, match="needs a number for each set"):
        fit_card(
            [base], [base.vg > 0], [np.ones(51)], process.nfet, nfet_card(), ["vth0"], pool,
            spread=0.01,
        )  # fmt: skip
    few = np.zeros(base.vg.size, dtype=bool)
    few[-1] = True
    one = replace(base, id=np.full(base.vg.size, 1e-6))
    with pytest.raises(DataError, match="cannot give 3 parameters"):
        fit_card([one], [few], [np.ones(1)], process.nfet, nfet_card(), ["vth0", "u0", "k1"], pool)


def test_a_card_that_does_not_converge_gives_nan(process: Process, pool: Pool) -> None:
    broken = with_parameters(nfet_card(), {"toxe": -1.0})
    found = currents_at_points(
        process.nfet, [broken, process.models], [grid(1e-6, 1e-6)], pool, raise_on_failure=False
    )
    assert np.isnan(found[0][0]).all()
    assert np.isfinite(found[1][0]).all()
