"""Draws are seeded, named and counted; spreads follow Pelgrom's law on every process."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from spicesnn.characterize.benches.dpi_trace import SynapseBench
from spicesnn.characterize.benches.mirror import MirrorBench
from spicesnn.characterize.library import find_bench
from spicesnn.characterize.montecarlo import (
    Distribution,
    draw,
    pelgrom_scaling,
    run_monte_carlo,
    sigma_interval,
)
from spicesnn.engine.cache import RunCache
from spicesnn.engine.pool import Pool
from spicesnn.engine.verdict import Verdict
from spicesnn.errors import DataError, ParameterError, UnknownNameError
from spicesnn.processes import Process, find_process
from spicesnn.report.montecarlo import summary, write_study


@pytest.mark.parametrize("name", ["mirror", "synapse", "neuron"])
def test_a_bench_shows_its_properties_on_every_process(
    any_process: Process, pool: Pool, name: str
) -> None:
    bench = find_bench(name)
    study = run_monte_carlo(bench, any_process, pool, count=2)
    assert set(study.properties) == set(bench.properties)
    assert not study.failed
    for distribution in study.properties.values():
        assert distribution.nominal > 0
        assert np.isfinite(distribution.values).all()
        assert np.ptp(distribution.values) > 0


def test_same_seed_same_numbers_whatever_the_workers(process: Process) -> None:
    answers = []
    for workers, count in ((1, 6), (2, 6), (2, 4)):
        with Pool(workers) as pool:
            study = run_monte_carlo(MirrorBench(), process, pool, count=count, seed=3)
        answers.append(study.properties["output current"].values)
    assert answers[0].tobytes() == answers[1].tobytes()
    # A draw is the same among four and among six.
    assert answers[2].tobytes() == answers[0][:4].tobytes()
    with Pool(1) as pool:
        other = run_monte_carlo(MirrorBench(), process, pool, count=6, seed=4)
    assert np.abs(other.properties["output current"].values / answers[0] - 1).min() > 0


def test_a_mirror_spreads_by_pelgroms_law(any_process: Process, pool: Pool) -> None:
    """sigma(ln I)^2 = 2 (sigma(V_T) kappa / U_T)^2 + 2 sigma(beta)^2 in weak inversion."""
    study = run_monte_carlo(MirrorBench(current=1e-10), any_process, pool, count=200, seed=1)
    found = study.properties["output current"].summary(0.999)
    threshold, factor = any_process.nfet.variation.local(1e-6, 1e-6)
    slope = {"generic180": 1.337, "gf180mcu": 1.43, "sky130": 1.37}[any_process.name]
    law = np.sqrt(2) * np.hypot(threshold / (slope * 0.02587), factor)
    assert found["sigma of ln from"] < law < found["sigma of ln to"]


def test_four_times_the_area_halves_the_spread(process: Process, pool: Pool) -> None:
    bench = MirrorBench()
    one, four = (
        run_monte_carlo(b, process, pool, count=200, seed=k).properties["output current"]
        for k, b in enumerate((bench, bench.scaled(2.0)), start=2)
    )
    found = pelgrom_scaling(one, four, 2.0, 0.999)
    assert found.low < found.expected < found.high
    assert found.ratio == pytest.approx(0.5, rel=0.25)


def test_dies_move_all_transistors_of_a_kind_alike(process: Process) -> None:
    deck = SynapseBench().deck(process)
    dies = draw(deck, process, 400, 0, "global")
    both = draw(deck, process, 400, 0, "both")
    mismatch = draw(deck, process, 400, 0, "local")
    kinds = np.array([t.mosfet.model for t in dies.transistors])
    for kind in ("generic180_nfet", "generic180_pfet"):
        own = dies.threshold[:, kinds == kind]
        assert (own == own[:, :1]).all()
        assert own[:, 0].std() == pytest.approx(0.01, rel=0.15)
    assert (dies.factor == 0).all()
    np.testing.assert_allclose(both.threshold, dies.threshold + mismatch.threshold)
    assert abs(stats.pearsonr(*mismatch.threshold[:, :2].T).statistic) < 0.2


def test_a_corners_own_shift_stays_under_the_mismatch(sky130: Process, pool: Pool) -> None:
    """SKY130's corners are threshold shifts of the instance: a draw adds to them."""
    slow = find_process("sky130", "ss")
    usual, shifted = (
        run_monte_carlo(SynapseBench(), on, pool, count=2, seed=5) for on in (sky130, slow)
    )
    for study in (usual, shifted):
        assert not study.failed
    ratios = [
        study.properties["rest current"].values / study.properties["rest current"].nominal
        for study in (usual, shifted)
    ]
    np.testing.assert_allclose(ratios[0], ratios[1], rtol=0.1)


def test_a_draw_that_fails_is_named_and_the_others_kept(
    process: Process, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Pool.map

    def flaky(self: Pool, jobs: Any, done: Any = None, raise_on_failure: bool = True) -> Any:
        runs = usual(self, jobs, done, raise_on_failure)
        if not raise_on_failure:
            runs[1] = replace(runs[1], verdict=Verdict.TIMED_OUT, detail="1 s")
        return runs

    monkeypatch.setattr(Pool, "map", flaky)
    study = run_monte_carlo(MirrorBench(), process, pool, count=3)
    assert list(study.failed) == [1]
    assert study.failed[1].startswith("the run passed its time limit")
    values = study.properties["output current"].values
    assert np.isfinite(values).tolist() == [True, False, True]
    assert study.properties["output current"].summary()["shown"] == 2


def test_intervals_by_hand() -> None:
    """1,000 values: the 99 % interval of a standard deviation is 5.4 % below to 6.1 % above."""
    low, high = sigma_interval(1.0, 1000)
    assert low == pytest.approx(0.9455, abs=1e-3)
    assert high == pytest.approx(1.0607, abs=1e-3)
    values = np.exp(0.1 * np.random.default_rng(0).standard_normal(1000))
    found = Distribution("A", values, 1.0).summary()
    assert found["sigma of ln from"] < 0.1 < found["sigma of ln to"]
    assert "sigma of ln" not in Distribution("A", values - 1, 1.0).summary()
    with pytest.raises(DataError, match="1 draws show this property: two are needed"):
        Distribution("A", np.array([1.0, np.nan]), 1.0).summary()


def test_the_study_as_files(process: Process, pool: Pool, tmp_path: Path) -> None:
    study = run_monte_carlo(MirrorBench(), process, pool, count=5, seed=7)
    paths = write_study(study, tmp_path / "study")
    assert [path.name for path in paths] == ["summary.json", "draws.csv", "picture.png"]
    kept = json.loads(paths[0].read_text())
    assert kept == json.loads(json.dumps(summary(study)))
    assert (kept["seed"], kept["draws"], kept["sources"]) == (7, 5, "local")
    table = np.genfromtxt(paths[1], delimiter=",", skip_header=1)
    np.testing.assert_array_equal(table[:, 1], study.properties["output current"].values)
    np.testing.assert_array_equal(table[:, 2:4], study.draws.threshold)


def test_a_second_call_comes_from_the_cache(process: Process, tmp_path: Path) -> None:
    cache = RunCache(tmp_path)
    kept = []
    for _ in range(2):
        with Pool(1, cache=cache) as pool:
            run_monte_carlo(MirrorBench(), process, pool, count=4)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        kept.append({path.name: path.stat().st_ino for path in files})
    assert len(kept[0]) == 6  # the base, the nominal and four draws
    assert kept[0] == kept[1]


def test_a_property_that_hardly_any_draw_shows_is_left_blank(
    process: Process, pool: Pool, tmp_path: Path
) -> None:
    study = run_monte_carlo(MirrorBench(), process, pool, count=3)
    only = study.properties["output current"]
    values = np.array([np.nan, np.nan, 1e-9])
    bare = replace(study, properties={"output current": replace(only, values=values)})
    paths = write_study(bare, tmp_path)
    kept = json.loads(paths[0].read_text())["properties"]["output current"]
    assert kept == {"unit": "A", "shown": 1, "nominal": only.nominal}


def test_wrong_inputs(process: Process, pool: Pool) -> None:
    with pytest.raises(UnknownNameError, match="no bench named 'synaps'; did you mean 'synapse'"):
        find_bench("synaps")
    with pytest.raises(ParameterError, match="150 deg C is outside what generic180 is described"):
        run_monte_carlo(MirrorBench(), process, pool, count=2, temperature=150)
