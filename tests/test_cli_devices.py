"""`spicesnn device` and `spicesnn fit` at the command line."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from spicesnn.cli import app
from spicesnn.devices import DEVICES, find_ode
from spicesnn.devices.response import response
from spicesnn.errors import DataError, ParameterError, SpicesnnError, UnknownNameError

RUNNER = CliRunner()


def spicesnn(*arguments: object) -> str:
    """What a command prints; its error is raised, as `main` prints it."""
    done = RUNNER.invoke(app, [str(each) for each in arguments], env={"COLUMNS": "200"})
    if done.exception is not None:
        raise done.exception
    return done.stdout


def test_list_has_every_preset() -> None:
    rows = json.loads(spicesnn("device", "list", "--json"))
    assert [row["name"] for row in rows] == list(DEVICES)
    assert all(row["kind"] and row["what"] and row["citation"] for row in rows)
    lines = spicesnn("device", "list").splitlines()
    for name, line in zip(DEVICES, lines, strict=False):
        assert line.startswith(name)
        assert DEVICES[name].kind in line


def test_list_fits_a_narrow_terminal() -> None:
    done = RUNNER.invoke(app, ["device", "list"], env={"COLUMNS": "80"})
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "Jiang2014       Stanford-PKU       Z. Jiang and H.-S. P. Wong" in done.stdout


@pytest.mark.parametrize("name", list(DEVICES))
def test_show_tells_every_number(name: str) -> None:
    found = json.loads(spicesnn("device", "show", name, "--json"))
    rows = {row["name"]: row for row in found["parameters"]}
    for number in DEVICES[name].numeric():
        assert rows[number]["value"] == getattr(DEVICES[name], number)
        assert rows[number]["unit"]
        assert rows[number]["meaning"]
        field = type(DEVICES[name]).model_fields[number]
        changed = getattr(DEVICES[name], number) != field.default
        assert rows[number]["source"] == ("the preset's" if changed else "the kind's default")
    assert found["citation"] == DEVICES[name].citation
    assert found["claim"] == DEVICES[name].claim


def test_show_prints_the_equations() -> None:
    text = spicesnn("device", "show", "Zhou2022")
    assert "dx/dt = " in text
    assert "I = phi*v*" in text
    assert "r_off" in text
    text = spicesnn("device", "show", "Jiang2014")
    assert "gap_max, gap_0: Jiang and Wong, Stanford University RRAM" in text
    assert "largest voltage that the numbers are good for" in text
    assert "fast at first" in spicesnn("device", "show", "Jo2010")


def test_emit_prints_the_three_forms(tmp_path: Path) -> None:
    assert ".subckt zhou2022 p n" in spicesnn("device", "emit", "Zhou2022")
    assert "module zhou2022" in spicesnn("device", "emit", "Zhou2022", "--form", "verilog")
    wrapper = spicesnn("device", "emit", "Zhou2022", "--form", "wrapper")
    assert ".subckt zhou2022 p n x" in wrapper
    assert "zhou2022_va" in wrapper
    path = tmp_path / "device.py"
    spicesnn("device", "emit", "Zhou2022", "--form", "jax", "--out", path)
    compile(path.read_text(), str(path), "exec")
    assert "def rates(v, states" in path.read_text()


def test_plot_draws_equations_by_scipy_and_ngspice(tmp_path: Path) -> None:
    found = json.loads(
        spicesnn(
            "device",
            "plot",
            "Zhou2022",
            "--out",
            tmp_path,
            "--by",
            "ngspice",
            "--pulses",
            "0.2,0,10m",
            "--json",
        )
    )
    assert set(found["pictures"]) == {"loop", "pulse", "staircase", "switching"}
    assert not found["skipped"]
    assert not found["failed"]
    for path in found["pictures"].values():
        assert Path(path).stat().st_size > 20_000
    assert found["numbers"]["pulse"]["width"] == 0.01
    assert found["numbers"]["pulse"]["SET"]["voltage"] == 0.2
    off = found["numbers"]["loop"]["median difference of ngspice, of the range"]
    assert len(off) == 3
    assert max(off.values()) < 1e-3
    assert found["numbers"]["loop"]["amplitude"] == pytest.approx(
        1.25 * abs(found["numbers"]["set voltage"]), rel=1e-9
    )


def test_plot_says_what_failed(tmp_path: Path) -> None:
    arguments = ["device", "plot", "Zhou2022", "--amplitude", "1e9", "--out", str(tmp_path)]
    done = RUNNER.invoke(app, arguments)
    assert done.exit_code == 1
    assert "loop failed: Zhou2022: its current at" in done.output
    assert "lower the voltage" in done.output
    assert (tmp_path / "Zhou2022_switching.png").exists()


def test_plot_draws_answers_to_pulses(tmp_path: Path) -> None:
    """Phase-change memory's moments are those of its formulas; a NeuroSim curve has no drift."""
    found = json.loads(spicesnn("device", "plot", "Nandakumar2018", "--out", tmp_path, "--json"))
    assert set(found["pictures"]) == {"staircase", "drift", "reads"}
    exponents = found["numbers"]["drift"].values()
    assert list(exponents) == pytest.approx([0.04] * 3, rel=1e-6, abs=0)
    text = spicesnn("device", "plot", "Jo2010", "--out", tmp_path)
    assert "no drift: Jo2010 (NeuroSim curve) does not drift." in text
    assert "no reads: Jo2010 (NeuroSim curve) has no noise of reads." in text
    assert (tmp_path / "Jo2010_staircase.png").stat().st_size > 20_000


def sweep_file(path: Path) -> Path:
    time = np.linspace(0, 0.01, 61)
    volts = 0.2 * np.sin(2 * np.pi * 100 * time)
    found = response(find_ode("Zhou2022"), time, volts, points=2)
    current = np.interp(time, found.time, found.current)
    current = current * (1 + 0.01 * np.random.default_rng(0).standard_normal(61))
    rows = [f"{t},{1e3 * v},{1e6 * i}" for t, v, i in zip(time, volts, current, strict=True)]
    path.write_text("\n".join(["t,mV,uA", *rows]))
    return path


COLUMNS = ["--column", "time=t", "--column", "voltage=mV", "--column", "current=uA",
           "--unit", "voltage=mV", "--unit", "current=uA"]  # fmt: skip


def test_fit_of_a_sweep_is_a_preset(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = sweep_file(tmp_path / "iv.csv")
    out = tmp_path / "fit"
    text = spicesnn(
        "fit", "device", "Zhou2022", "--data", data, *COLUMNS, "--free", "r_on,tau",
        "--preset", "Mine", "--out", out,
    )  # fmt: skip
    for part in ("r_on", "tau", "positive, rising", "holds for voltage from -0.2 to 0.2"):
        assert part in text
    assert (out / "Mine_fit.png").stat().st_size > 20_000
    report: dict[str, Any] = json.loads((out / "Mine_fit.json").read_text())
    assert report["values"]["r_on"]["value"] == pytest.approx(1e3, rel=0.03)
    assert report["fitted"] == ["r_on", "tau"]
    shown = json.loads(spicesnn("device", "show", out / "Mine.json", "--json"))
    assert shown["name"] == "Mine"
    assert shown["valid"]["voltage"] == pytest.approx([-0.2, 0.2], rel=0.01)
    assert ".subckt mine p n" in spicesnn("device", "emit", out / "Mine.json")
    with pytest.raises(DataError, match=r"0\.3 V on Mine, whose numbers are good for 0\.2 V"):
        spicesnn("device", "plot", out / "Mine.json", "--amplitude", "0.3", "--out", out)


def test_fit_of_pulses_prints_what_to_know(tmp_path: Path) -> None:
    data = tmp_path / "pulses.csv"
    ups = [1e-6 + 9e-6 * (1 - math.exp(-k / 20)) for k in range(60)]
    rows = [f"{k % 60},{w},{g:.6e}" for w, part in (("set", ups), ("reset", ups[::-1]))
            for k, g in enumerate(part)]  # fmt: skip
    data.write_text("\n".join(["pulse,direction,conductance", *rows]))
    report = json.loads(
        spicesnn("fit", "device", "Wu2018", "--data", data, "--out", tmp_path, "--json")
    )
    # Without noise, to its end: A = 20 of 59 steps and the way back by the same states.
    assert report["values"]["nonlinearity_set"]["value"] > 1
    assert report["values"]["nonlinearity_reset"]["value"] > 1
    assert report["values"]["cycle_spread"]["value"] < 2e-3
    assert (tmp_path / "Wu2018Fit_fit.png").exists()


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (["device", "show", "Wu2019"], UnknownNameError, "did you mean 'Wu2018'"),
        (["device", "emit", "Wu2018"], ParameterError, "a resistor whose value is a knob"),
        (["device", "emit", "Zhou2022", "--form", "spectre"], UnknownNameError, "no form named"),
        (["device", "plot", "Zhou2022", "--by", "xyce"], UnknownNameError, "no integrator named"),
        (["device", "plot", "Zhou2022", "--amplitude", "-1"], ParameterError, "volts larger than"),
        (["device", "plot", "Wu2018", "--amplitude", "1"], ParameterError, "knows no voltages"),
        (["fit", "device", "Wu2018", "--data", "x.csv"], SpicesnnError, "cannot be read"),
        (["fit", "device", "Wu2018", "--data", "x.csv", "--unit", "G"], ParameterError,
         "write a column and its unit"),
        (["fit", "device", "Wu2018", "--data", "x.csv", "--column", "G=x"], UnknownNameError,
         "no column named 'G'"),
        (["fit", "device", "Wu2018", "--data", "x.csv", "--unit", "conductance=V"], SpicesnnError,
         "is no unit here"),
        (["fit", "device", "Wu2018", "--data", "x.csv", "--levels", "1"], ParameterError,
         "give 2 or more"),
        (["fit", "device", "Wu2018", "--data", "x.csv", "--preset", "../../evil"], ParameterError,
         "cannot be called '../../evil'"),
        (["fit", "device", "Wu2018", "--data", "x.csv", "--preset", "My Device"], ParameterError,
         "use letters, digits and underscores"),
        (["fit", "device", "Wu2018", "--data", "x.csv", "--preset", "wu2018"], ParameterError,
         "is a preset of the package"),
        (["device", "plot", "Jiang2014", "--amplitude", "3"], DataError,
         "3 V on Jiang2014, whose numbers are good for 2 V at most"),
        (["device", "plot", "Jiang2014", "--pulses", "1.8"], ParameterError, "as 1.8,-1.3,100n"),
        (["device", "plot", "Jiang2014", "--pulses", "0,1,1n"], ParameterError,
         "voltage other than 0"),
    ],
)  # fmt: skip
def test_wrong_inputs_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str],
    kind: type[SpicesnnError], message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind) as caught:
        spicesnn(*arguments)
    assert message in str(caught.value)


def test_a_seed_below_zero_is_refused() -> None:
    arguments = ["fit", "device", "Zhou2022", "--data", "x.csv", "--seed", "-1"]
    done = RUNNER.invoke(app, arguments)
    assert done.exit_code == 2
    assert "or equal to 0" in done.output


def test_folders_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("precious")
    with pytest.raises(SpicesnnError, match="cannot write into"):
        spicesnn("device", "plot", "Jo2010", "--out", tmp_path / "taken")
    data = sweep_file(tmp_path / "iv.csv")
    with pytest.raises(SpicesnnError, match="cannot write into"):
        spicesnn("fit", "device", "Zhou2022", "--data", data, *COLUMNS, "--free", "r_on",
                 "--out", tmp_path / "taken")  # fmt: skip
    with pytest.raises(SpicesnnError, match="cannot write "):
        spicesnn("device", "emit", "Zhou2022", "--out", tmp_path / "no" / "x.cir")
