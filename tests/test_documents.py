"""What stands in the README, the docs and the examples runs; stored results are fresh."""

import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spicesnn.processes import Process
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


def load(path: Path) -> Any:
    """A script as a module; what lies beside it can be imported, as when it is run."""
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
def test_code_on_the_pages_runs(page: Path) -> None:
    names: dict[str, Any] = {}
    for code in blocks(page):
        exec(compile(code, str(page), "exec"), names)


# The second has a test of its own.
EXAMPLES = [p for p in sorted((ROOT / "examples").glob("*.py")) if p.name[:2] != "02"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_examples_run(path: Path, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    load(path).main(picture)
    assert picture.stat().st_size > 5_000


def test_the_online_controller_holds_three_rates(tmp_path: Path) -> None:
    """Within 10 %, in one transient."""
    example = load(ROOT / "examples/02_rate_control.py")
    rates, answer = example.main(tmp_path / "picture.png")
    assert rates == pytest.approx(example.TARGETS, rel=0.1)
    assert answer.points > 1000
    assert answer.overhead_seconds < answer.run.analysis_seconds


def benchmark(name: str) -> Any:
    return load(ROOT / f"benchmarks/{name}.py")


def stored(name: str) -> Any:
    return json.loads((ROOT / "benchmarks/results" / name).read_text())


AGAIN = "run benchmarks/iris_study.py again"


def declared_stale(name: str) -> bool:
    """Whether the status page says that a stored result is not today's."""
    return f"stale: {name}" in (ROOT / "docs/status.md").read_text()


def test_stored_study_is_todays_or_declared_stale() -> None:
    study, module = stored("iris_study.json"), benchmark("iris_study")
    assert (study["job"] == IrisJob().identity) != declared_stale("iris_study.json"), AGAIN
    assert json.loads(json.dumps(module.rows_of(study))) == study["rows"], AGAIN
    tuning, job = stored("iris_tuning.json"), IrisJob()
    fresh = tuning["job"] == module.tuned_from(job)
    again = "run benchmarks/iris_study.py --tune again"
    assert fresh != declared_stale("iris_tuning.json"), again
    for rule, parameters in (("error-triggered", job.error_triggered), ("plain", job.plain)):
        for name, value in tuning["chosen"][rule]["trial"].items():
            assert getattr(parameters, name) == value
    trials = [row["rule"] for row in tuning["trials"]]
    assert trials.count("plain") == trials.count("error-triggered")


def test_stored_study_begins_as_todays_code_does_or_is_declared_stale() -> None:
    """Ten samples of training, repeated: circuits and rules are those that made the study."""
    study, module = stored("iris_study.json"), benchmark("iris_study")
    then, now = study["opening"], module.opening(IrisJob())
    if now["ngspice"] != then["ngspice"]:
        pytest.skip(f"the study was made with {then['ngspice']}")
    fresh = (
        now["writes"] == then["writes"]
        and now["theta"] == pytest.approx(then["theta"])
        and np.allclose(now["conductance"], then["conductance"], rtol=1e-3, atol=0)
    )
    assert fresh != declared_stale("iris_study.json"), AGAIN


def test_stored_study_holds_what_is_claimed() -> None:
    """What the status page says to hold."""
    rows = {row["name"]: row for row in stored("iris_study.json")["rows"]}
    assert rows["accuracy, untrained"]["value"] < 0.55
    assert rows["accuracy lost to plain"]["holds"]
    assert rows["accuracy, error-triggered"]["value"] >= 0.90
    assert all(rows[name]["count"] == 10 for name in rows if name.startswith("accuracy"))
    three = stored("iris_three_seeds.json")
    assert three["job"] == IrisJob(seeds=3, with_plain=False).identity, f"run {three['command']}"
    assert len(three["result"]["test_accuracy"]) == 3
    assert three["result"]["test_accuracy_mean"] >= 0.90


def check_table(name: str, script: str) -> Any:
    """Stored sections are complete and today's; what does not hold stands on the status page."""
    figures, module = stored(name), benchmark(script)
    again = f"run benchmarks/{script}.py again"
    assert set(figures) == set(module.TABLE.sections), again
    for section, identity in module.identities().items():
        assert figures[section]["identity"] == identity, f"{again} --only {section}"
    failed = [r["name"] for part in figures.values() for r in part["rows"] if r["holds"] is False]
    status = (ROOT / "docs/status.md").read_text()
    assert all(row in status for row in failed), failed
    assert (ROOT / "docs" / module.TABLE.page_name).read_text() == module.TABLE.page(figures), again
    return module


def test_stored_figures_of_the_engine_are_fresh_and_hold() -> None:
    check_table("engine.json", "engine")


def test_stored_figures_of_the_processes_are_fresh_and_hold(
    gf180mcu: Process, sky130: Process
) -> None:
    module = check_table("processes.json", "processes")
    cells = stored("process_matrix.json")
    assert len(cells) == 45
    assert (ROOT / "docs/process-matrix.md").read_text() == module.matrix_page(cells), (
        "run benchmarks/processes.py again"
    )


def test_stored_figures_of_the_cells_are_fresh_and_hold(gf180mcu: Process) -> None:
    check_table("cells.json", "cells")


def test_stored_figures_of_the_crossbars_are_fresh_and_hold() -> None:
    check_table("crossbar.json", "crossbar")


def test_stored_figures_of_the_tiers_are_fresh_and_hold(gf180mcu: Process) -> None:
    check_table("tiers.json", "tiers")


def test_stored_scores_of_silicon_are_of_todays_cards() -> None:
    check_table("silicon.json", "silicon")


def test_peer_gives_the_same_answers() -> None:
    """One sample of `benchmarks/driving.py`: PySpice's own way has no other outcome than ours."""
    rows = {row["name"]: row for row in benchmark("driving").measure(samples=1, repeats=1)}
    assert rows["trials whose outcome at the peer differs"]["value"] == 0
    assert rows["simulations"]["value"] == 6
