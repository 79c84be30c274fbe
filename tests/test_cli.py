"""Wrong inputs at the command line: each with a message that says what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


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
