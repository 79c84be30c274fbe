"""The main job on a small part of iris: run folder, emitted deck, SIGKILL and resume."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spicesnn.engine.installation import find_installation
from spicesnn.errors import RunFolderError
from spicesnn.learning.datasets import Dataset
from spicesnn.learning.loop import LoopParameters
from spicesnn.measure.compare import match_spikes
from spicesnn.measure.spikes import spike_times
from spicesnn.report.iris import write_pictures
from spicesnn.systems.iris import (
    IrisJob,
    circuit_forward,
    encode_iris,
    load_conductance,
    load_job,
    run_iris,
    unit_deck_text,
)
from spicesnn.waveforms import read_raw


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, small_data: Dataset) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("run")
    job = IrisJob(loop=LoopParameters(epochs=1, batch=5))
    return folder, run_iris(job, folder, workers=2, data=small_data)


def test_result_holds_what_the_readme_promises(finished: tuple[Path, Any]) -> None:
    folder, result = finished
    assert json.loads((folder / "result.json").read_text()) == result
    for name in ("test_accuracy", "writes", "energy_per_sample", "energy_per_spike"):
        assert len(result[name]) == 1
        assert f"{name}_mean" in result
    assert result["wall_seconds"] > 0
    assert result["analysis_seconds"] > 0
    assert result["verdicts"]["converged"] > 100
    assert result["plain"]["writes_mean"] > 0
    for name in ("config.json", "versions.json"):
        assert (folder / name).exists()


def test_energy_is_near_what_the_rails_must_give(finished: tuple[Path, Any]) -> None:
    """Static read power and bias currents bound the energy of a sample from below."""
    folder, result = finished
    job = IrisJob()
    conductance = load_conductance(folder, "error-triggered", 0)
    # Each device has a quarter to all of the voltage between the rails over it.
    most = (job.circuit.v_read - job.circuit.v_return) * conductance.sum()
    given = job.circuit.v_read * job.circuit.stop
    columns = result["energy_parts"]["columns"]
    assert 0.25 * most * given < columns < 2 * most * given
    bias = job.circuit.trace_bias
    currents = (bias.i_weight, bias.i_gain_q, bias.i_tau_q, bias.i_gain_p, bias.i_tau_p)
    neuron = job.circuit.neuron_bias
    currents += (neuron.i_gain, neuron.i_leak, neuron.i_threshold, neuron.i_refractory)
    expected = sum(currents) * 1.8 * job.circuit.stop
    assert result["energy_parts"]["biases"] == pytest.approx(expected, rel=0.01, abs=0)


def test_pictures_are_drawn(finished: tuple[Path, Any]) -> None:
    place = write_pictures(finished[0])
    names = {p.name for p in place.glob("*.png")}
    assert {"conductance.png", "learning.png"} <= names
    assert sum(name.startswith("sample") for name in names) == 3
    assert all(p.stat().st_size > 10_000 for p in place.glob("*.png"))


def test_a_used_folder_is_refused_and_another_job_is_not_resumed(
    finished: tuple[Path, Any], small_data: Dataset
) -> None:
    folder, _ = finished
    with pytest.raises(RunFolderError, match="is not empty; give --resume"):
        run_iris(IrisJob(), folder, data=small_data)
    with pytest.raises(RunFolderError, match="holds a run with another configuration"):
        run_iris(IrisJob(seeds=7), folder, resume=True, data=small_data)


@pytest.mark.parametrize("what", ["ngspice", "spicesnn", "data", "circuit"])
def test_a_run_begun_with_something_else_is_not_resumed(
    finished: tuple[Path, Any], tmp_path: Path, small_data: Dataset, what: str
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished[0], folder)
    versions = json.loads((folder / "versions.json").read_text())
    (folder / "versions.json").write_text(json.dumps(versions | {what: "other"}))
    job = load_job(folder)
    with pytest.raises(RunFolderError, match=f"was begun with {what} other; here it is"):
        run_iris(job, folder, resume=True, data=small_data)


@pytest.mark.parametrize("unit", [0, 1, 2])
def test_emitted_deck_alone_gives_the_tools_spikes(
    finished: tuple[Path, Any], tmp_path: Path, unit: int, small_data: Dataset
) -> None:
    """Point 3 of the main job: each spike within 0.5 % of the sample's length."""
    folder, _ = finished
    job, sample = IrisJob(loop=LoopParameters(epochs=1, batch=5)), 7
    (tmp_path / "deck.cir").write_text(unit_deck_text(folder, unit, sample, data=small_data))
    ngspice = find_installation()
    subprocess.run(
        [str(ngspice.program), "-b", "-r", "out.raw", "deck.cir"],
        cwd=tmp_path, check=False, capture_output=True, timeout=300,
        env={**os.environ, **ngspice.environment()},
    )  # fmt: skip
    alone = read_raw(tmp_path / "out.raw")
    _, samples = encode_iris(job, 0, small_data)
    with circuit_forward(job, 2, None) as forward:
        conductance = load_conductance(folder, "error-triggered", 0)
        runs = forward.simulate(conductance, [samples[sample]])[0]
    tool = runs[f"neuron{unit}"].waveforms
    match = match_spikes(
        spike_times(alone.time, alone["v(spike)"], 0.9),
        spike_times(tool.time, tool["v(spike)"], 0.9),
        0.005 * job.circuit.stop,
    )
    assert (match.missed, match.added) == (0, 0)


def test_the_command_that_emit_prints_runs_the_deck(tmp_path: Path) -> None:
    """In a shell that knows nothing of this project."""
    run = tmp_path / "run"
    run_iris(IrisJob(with_plain=False, loop=LoopParameters(epochs=0)), run)
    code = "from spicesnn.cli import main; main()"
    deck = ["emit", str(run), "--unit", "1", "--sample", "7", "--out", str(tmp_path)]
    said = subprocess.run(
        [sys.executable, "-c", code, *deck], capture_output=True, text=True, check=True
    ).stdout
    subprocess.run(
        said.split("`")[1], shell=True, cwd=tmp_path, check=False, capture_output=True,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"}, timeout=300,
    )  # fmt: skip
    assert read_raw(tmp_path / "out.raw").time[-1] == pytest.approx(IrisJob().circuit.stop)


_SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from spicesnn.learning.datasets import Dataset, iris
from spicesnn.learning.loop import LoopParameters
from spicesnn.systems.iris import IrisJob, run_iris
data = iris()
chosen = np.concatenate([np.flatnonzero(data.labels == k)[:5] for k in range(3)])
small = Dataset(data.features[chosen], data.labels[chosen], data.class_names)
job = IrisJob(with_plain=False, loop=LoopParameters(epochs=2, batch=2))
run_iris(job, Path(sys.argv[1]), workers=2, resume=True, data=small)
"""


def test_killed_at_20_random_moments_it_ends_as_if_never_killed(tmp_path: Path) -> None:
    """Point 5 of the main job, with SIGKILL."""

    def start(folder: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", _SCRIPT, str(folder)])

    whole = start(tmp_path / "whole")
    began = time.monotonic()
    assert whole.wait(timeout=300) == 0
    length = time.monotonic() - began
    rng = np.random.default_rng(0)
    kills = 0
    for _ in range(200):
        process = start(tmp_path / "killed")
        try:
            # Most attempts get beyond their start-up, so that work is cut at every stage.
            code = process.wait(timeout=rng.uniform(0.15, 0.7) * length)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
            continue
        assert code == 0
        if kills >= 20:
            break
        # Finished early: take the last checkpoints away and go on killing.
        for path in (tmp_path / "killed").rglob("*"):
            if path.name in {"checkpoint.npz", "weights.npz", "history.json", "result.json"}:
                path.unlink()
    assert kills >= 20
    _same_outcome(tmp_path / "whole", tmp_path / "killed")


def _same_outcome(a: Path, b: Path) -> None:
    place = Path("error-triggered") / "seed0"
    histories = [json.loads((f / place / "history.json").read_text()) for f in (a, b)]
    assert histories[0] == histories[1]
    for name in ("weights_before", "weights"):
        arrays = [np.load(f / place / f"{name}.npz")["conductance"] for f in (a, b)]
        np.testing.assert_array_equal(*arrays)
