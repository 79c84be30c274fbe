"""What stands in the README, the docs and the examples runs; stored results are fresh."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from spicesnn.systems.iris import IrisJob

ROOT = Path(__file__).resolve().parents[1]


def blocks(path: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", path.read_text(), re.S)


def test_readme_does_in_python_what_the_command_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = blocks(ROOT / "README.md")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace("epochs=6", "epochs=0"), "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "held-out accuracy:" in printed
    assert (tmp_path / "runs/python/pictures/conductance.png").exists()


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
def test_code_on_the_pages_runs(page: Path) -> None:
    for code in blocks(page):
        exec(compile(code, str(page), "exec"), {})


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_examples_run(path: Path, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("example", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    picture = tmp_path / "picture.png"
    module.main(picture)
    assert picture.stat().st_size > 5_000


def test_stored_study_was_made_with_todays_configuration() -> None:
    study = json.loads((ROOT / "benchmarks/results/iris_study.json").read_text())
    assert study["job"] == IrisJob().identity, "run benchmarks/iris_study.py again"
    tuning = json.loads((ROOT / "benchmarks/results/iris_tuning.json").read_text())
    job = IrisJob()
    for rule, parameters in (("error-triggered", job.error_triggered), ("plain", job.plain)):
        chosen = tuning["chosen"][rule]["trial"]
        for name, value in chosen.items():
            assert getattr(parameters, name) == value
    trials = [row["rule"] for row in tuning["trials"]]
    assert trials.count("plain") == trials.count("error-triggered")
