"""Wrong inputs at the command line: each with a message that says what to do."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spicesnn.engine.installation import find_installation


def spicesnn(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "from spicesnn.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False,
        timeout=120, env={**os.environ, **environment},
    )  # fmt: skip


def test_process_that_does_not_exist(tmp_path: Path) -> None:
    done = spicesnn("train", "iris", "--process", "generic130", "--out", str(tmp_path / "run"))
    assert done.returncode == 1
    assert "there is no process named 'generic130'; did you mean 'generic180'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_ngspice_missing(tmp_path: Path) -> None:
    missing = {"SPICESNN_NGSPICE": str(tmp_path / "nowhere")}
    done = spicesnn("train", "iris", "--out", str(tmp_path / "run"), **missing)
    assert done.returncode == 1
    assert "SPICESNN_NGSPICE" in done.stderr
    assert "make setup" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_doctor_fails_where_the_job_cannot_run(tmp_path: Path) -> None:
    done = spicesnn("doctor", SPICESNN_NGSPICE=str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert "missing" in done.stdout


def test_doctor_is_content_here() -> None:
    done = spicesnn("doctor", COLUMNS="200")
    assert done.returncode == 0, done.stdout
    for name in ("Python", "ngspice", "libngspice", "KLU", "OSDI", "PySpice", "generic180"):
        assert name in done.stdout


def test_doctor_prints_brackets_as_they_are() -> None:
    """`pip install 'spicesnn[osdi]'` is no markup."""
    assert "'spicesnn[osdi]'" in spicesnn("doctor", COLUMNS="300").stdout


def test_run_folder_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    done = spicesnn("train", "iris", "--out", str(tmp_path))
    assert done.returncode == 1
    assert "is not empty; give --resume to go on with that run, or another --out" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_rule_that_does_not_exist(tmp_path: Path) -> None:
    done = spicesnn("train", "iris", "--rule", "hebb", "--out", str(tmp_path / "run"))
    assert done.returncode == 1
    assert "IrisJob.rule" in done.stderr
    assert "'error-triggered', 'plain' or 'none'" in done.stderr


def test_emit_from_a_folder_that_is_no_run(tmp_path: Path) -> None:
    done = spicesnn("emit", str(tmp_path))
    assert done.returncode == 1
    assert "is not a run folder of `spicesnn train iris`" in done.stderr


@pytest.mark.parametrize("seeds", ["0", "-3"])
def test_no_seeds(tmp_path: Path, seeds: str) -> None:
    done = spicesnn("train", "iris", "--seeds", seeds, "--out", str(tmp_path / "run"))
    assert done.returncode == 1
    assert "IrisJob.seeds (paired repetitions" in done.stderr


DECK = "RC\nv1 a 0 1\nr1 a out 1k\nc1 out 0 1n\n.ic v(out)=0\n.tran 10n 10u\n.end\n"


def test_run_sweeps_a_knob_and_writes_what_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "rc.cir").write_text(DECK)
    wave, picture = tmp_path / "w.csv", tmp_path / "w.png"
    done = spicesnn(
        "run", str(tmp_path / "rc.cir"), "--probe", "v(out)", "--set", "c1=2n",
        "--sweep", "r1=1k:5k:2", "--out", str(wave), "--plot", str(picture), "--verify", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [row["knobs"]["r1"] for row in rows] == [1e3, 5e3]
    last = [row["probes"]["v(out)"]["last"] for row in rows]
    assert last == pytest.approx([1 - math.exp(-5), 1 - math.exp(-1)], abs=2e-3)
    assert all(row["verdict"] == "converged" and row["changes"]["v(out)"] < 0.01 for row in rows)
    assert picture.stat().st_size > 5_000
    assert len(list(tmp_path.glob("w*.csv"))) == 2


def test_a_sweep_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    """Finished runs come from the cache, `--fresh` makes them again."""
    (tmp_path / "rc.cir").write_text(DECK)
    sweep = ["run", str(tmp_path / "rc.cir"), "--sweep", "r1=1k:5k:3", "--json"]
    kept = {"XDG_CACHE_HOME": str(tmp_path / "cache")} | _ngspice()
    first = json.loads(spicesnn("run", sweep[1], "--set", "r1=3k", "--json", **kept).stdout)
    again = json.loads(spicesnn(*sweep, **kept).stdout)
    assert [row["from_cache"] for row in again] == [False, True, False]
    assert again[1]["probes"] == first[0]["probes"]
    fresh = json.loads(spicesnn(*sweep, "--fresh", **kept).stdout)
    assert not any(row["from_cache"] for row in fresh)


def _ngspice() -> dict[str, str]:
    """The ngspice of here, named, since a private copy lies in the true cache folder."""
    found = find_installation()
    named = {"SPICESNN_NGSPICE": str(found.program), "SPICESNN_LIBNGSPICE": str(found.library)}
    return named | found.environment()


def test_run_says_why_it_fails(tmp_path: Path) -> None:
    (tmp_path / "rc.cir").write_text(DECK)
    for arguments, message in (
        (["--set", "r9=1k"], "no knob of 'RC' named 'r9'; did you mean 'r1'"),
        (["--set", "r1"], "write a knob and its value, as r1=10k"),
        (["--sweep", "r1=1:2"], "write start:stop:points"),
        (["--profile", "slow"], "no profile of options named 'slow'"),
    ):
        done = spicesnn("run", str(tmp_path / "rc.cir"), *arguments)
        assert done.returncode == 1
        assert message in done.stderr
        assert "Traceback" not in done.stderr
    missing = spicesnn("run", str(tmp_path / "rc.cir"), "--probe", "v(nowhere)", "--json")
    assert missing.returncode == 1
    assert json.loads(missing.stdout)[0]["verdict"] == "missing vector"


def test_compare_judges_by_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "rc.cir").write_text(DECK)
    for name, value in (("a.raw", "1k"), ("b.csv", "1.001k"), ("c.nc", "2k")):
        run = ["--probe", "v(out)", "--set", f"r1={value}", "--out", str(tmp_path / name)]
        assert spicesnn("run", str(tmp_path / "rc.cir"), *run).returncode == 0
    near = spicesnn("compare", str(tmp_path / "a.raw"), str(tmp_path / "b.csv"), "--json")
    assert near.returncode == 0, near.stderr
    assert json.loads(near.stdout)[0]["relative"] < 1e-3
    far = spicesnn("compare", str(tmp_path / "a.raw"), str(tmp_path / "c.nc"))
    assert far.returncode == 1
    assert "no" in far.stdout
    spikes = spicesnn(
        "compare", str(tmp_path / "a.raw"), str(tmp_path / "c.nc"), "--spiking", "v(out)",
        "--threshold", "0.5", "--window", "0.1u", "--json",
    )  # fmt: skip
    assert spikes.returncode == 1
    assert json.loads(spikes.stdout)[0]["spikes"] == "0 match, 1 missed, 1 added"


def test_export_writes_the_other_dialect(tmp_path: Path) -> None:
    (tmp_path / "rc.cir").write_text(DECK)
    done = spicesnn("export", str(tmp_path / "rc.cir"), "--to", "spectre")
    assert done.returncode == 0, done.stderr
    assert "transient tran stop=1e-05 maxstep=1e-08" in done.stdout
    wrong = spicesnn("export", str(tmp_path / "rc.cir"), "--to", "hspice")
    assert wrong.returncode == 1
    assert "there is no dialect named 'hspice'" in wrong.stderr


def ekv_csv(path: Path, points: int = 37) -> Path:
    """Curves of an EKV transistor, W 2 um and L 1 um, as a user's CSV: four drain voltages."""
    import numpy as np

    from spicesnn.devices.ekv import Ekv

    card = Ekv(n=1.38, v_t0=0.45, i_spec=4e-7, lambda_=0.05, theta=0.25, eta=0.01)
    vg, vd = (a.ravel() for a in np.meshgrid(np.linspace(0, 1.8, points), [0.1, 0.6, 1.2, 1.8]))
    current = card.current(vg, vd, np.zeros_like(vg), width=2e-6, length=1e-6)
    rows = [f"{g:.6g},{d:.6g},{i:.8e}" for g, d, i in zip(vg, vd, current, strict=True)]
    path.write_text("\n".join(["vg,vd,id", *rows]) + "\n")
    return path


def extract(path: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return spicesnn(
        "extract", "mos", "--device", "nfet", "--w", "2u", "--l", "1u", "--data", str(path),
        "--out", str(out), *more,
    )  # fmt: skip


def test_extraction_writes_its_report_and_a_card(tmp_path: Path) -> None:
    data, out = ekv_csv(tmp_path / "curves.csv"), tmp_path / "out"
    done = extract(data, out, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["extractions"][0]
    assert found["values"]["n"]["value"] == pytest.approx(1.38, rel=0.01)
    assert max(found["card"]["median residual"].values()) < 0.1
    assert ".model extracted_nfet0 nmos" in (out / found["card"]["file"]).read_text()
    (out / "card_of_mine.spice").write_text("* kept\n")
    done = extract(data, out, "--no-card")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in out.glob("card*.spice")] == ["card_of_mine.spice"]


def test_a_card_that_cannot_be_had_does_not_cost_the_extraction(tmp_path: Path) -> None:
    """Few points, and no ngspice: the reason is said, the rest is written."""
    data, out = ekv_csv(tmp_path / "few.csv", points=4), tmp_path / "out"
    done = extract(data, out)
    assert done.returncode == 0, done.stderr
    assert "points cannot give 17 parameters" in done.stderr
    assert "--no-card" in done.stderr
    assert (out / "extraction.json").exists()
    assert not list(out.glob("card*.spice"))
    data = ekv_csv(tmp_path / "curves.csv")
    environment = {"SPICESNN_NGSPICE": str(tmp_path / "nowhere")}
    done = spicesnn(
        "extract", "mos", "--device", "nfet", "--w", "2u", "--l", "1u", "--data", str(data),
        "--out", str(out), **environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no BSIM card: " in done.stderr
    assert (out / "extraction0.png").exists()
