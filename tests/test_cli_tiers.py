"""`spicesnn fit CELL`, `crosscheck` and `map` at the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from spicesnn.cli import app
from spicesnn.errors import (
    DataError,
    ParameterError,
    ProcessNotFoundError,
    TierFileError,
    UnknownNameError,
)
from spicesnn.tiers.file import read_tier_file

RUNNER = CliRunner()


def spicesnn(*arguments: object, code: int = 0) -> str:
    """What a command prints; its error is raised, as `main` prints it."""
    done = RUNNER.invoke(app, [str(each) for each in arguments], env={"COLUMNS": "200"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


SHORT = ("--runs", 4, "--held-out", 2, "--set", "stop=6m", "--workers", 2)


def test_a_cell_is_fitted_and_checked(tmp_path: Path) -> None:
    out = tmp_path / "lif.json"
    said = spicesnn("fit", "lif_neuron", *SHORT, "--seed", 1, "--out", out)
    assert "i_leak" in said
    assert "0 missed, 0 added" in said
    file = read_tier_file(out)
    assert file.parameters["c"].value == pytest.approx(0.505e-12, rel=0.02)
    assert file.parameters["i_leak"].value == pytest.approx(20e-12, rel=0.05)
    assert file.ranges["i_in"].high == 2.5e-9
    place = tmp_path / "check"
    said = spicesnn("crosscheck", "lif_neuron", "--tier", out, "--runs", 2, "--out", place)
    assert "limit 1.00%" in said
    assert (place / "crosscheck.png").stat().st_size > 20_000
    page = (place / "crosscheck.md").read_text()
    assert "| i_leak | " in page
    assert json.loads((place / "crosscheck.json").read_text())["violations"] == []


def test_what_is_not_there_is_said_with_the_nearest_names() -> None:
    with pytest.raises(UnknownNameError, match=r"cell with a tier named 'lif_neurn'.*'lif_neuron'"):
        spicesnn("fit", "lif_neurn")
    with pytest.raises(UnknownNameError, match=r"cell with a tier named 'iriss'"):
        spicesnn("crosscheck", "iriss")
    with pytest.raises(
        UnknownNameError, match=r"parameter of lif_neuron named 'c_mem'.*cell.c_mem"
    ):
        spicesnn("fit", "lif_neuron", "--set", "c_mem=1p")
    with pytest.raises(ParameterError, match="--set 'stop': write a parameter and its value"):
        spicesnn("fit", "lif_neuron", "--set", "stop")
    with pytest.raises(ParameterError, match="least = 5e-09 must be below most"):
        spicesnn("fit", "lif_neuron", "--set", "least=5n")
    with pytest.raises((UnknownNameError, ProcessNotFoundError), match="process named 'tsmc'"):
        spicesnn("fit", "lif_neuron", "--process", "tsmc")


def test_a_tier_of_another_process_is_refused(tmp_path: Path) -> None:
    from spicesnn.processes import find_process
    from spicesnn.tiers.library import tier_path

    own = tier_path("lif_neuron", find_process("generic180"))
    with pytest.raises(TierFileError, match="is not of generic180 ss: fit it again"):
        spicesnn("crosscheck", "lif_neuron", "--corner", "ss", "--tier", own)
    with pytest.raises(TierFileError, match="no tier of lif_neuron ships for generic180 ss"):
        spicesnn("crosscheck", "lif_neuron", "--corner", "ss")
    with pytest.raises(ParameterError, match="classifier is a network of several tiers"):
        spicesnn("crosscheck", "classifier", "--tier", own)
    broken = tmp_path / "broken.json"
    broken.write_text(own.read_text()[:99])
    with pytest.raises(TierFileError, match="no JSON"):
        spicesnn("crosscheck", "lif_neuron", "--tier", broken)


@pytest.mark.parametrize("words", [["fit", "lif_neuron"], ["crosscheck", "iris"], ["map", "m.nir"]])
def test_without_the_extra_the_commands_say_how_to_get_it(words: list[str]) -> None:
    code = "import sys; sys.modules['jax'] = None\nfrom spicesnn.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "install them by `pip install 'spicesnn[tiers]'`" in done.stderr
    assert "Traceback" not in done.stderr


def test_devices_are_still_fitted_by_their_own_command() -> None:
    assert "pulses" in spicesnn("fit", "device", "--help")
    assert "Fit a cell's tier to its circuit" in spicesnn("fit", "cell", "--help")


def test_a_model_that_cannot_be_mapped_says_why(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none.nir"):
        spicesnn("map", tmp_path / "none.nir")
    model = Path(__file__).parent / "exchange" / "data" / "snntorch_iris.nir"
    with pytest.raises(ParameterError, match="dt"):
        spicesnn("map", model)
    (tmp_path / "no.npy").write_text("no array")
    with pytest.raises(DataError, match=r"no.npy is no .npy file of numbers"):
        spicesnn("map", model, "--dt", 1e-4, "--inputs", tmp_path / "no.npy")
    np.save(tmp_path / "few.npy", np.zeros((20, 2, 3)))
    with pytest.raises(DataError, match="inputs"):
        spicesnn("map", model, "--dt", 1e-4, "--inputs", tmp_path / "few.npy")
