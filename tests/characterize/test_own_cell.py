"""A `.subckt` and a TOML that the project has never seen become a datasheet."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from spicesnn.characterize.datasheet import Plan, characterize
from spicesnn.characterize.own_cell import read_own_cell
from spicesnn.cli import app
from spicesnn.engine.pool import Pool
from spicesnn.errors import DataError, DeckError, ParameterError, SpicesnnError, UnsafeDeckError
from spicesnn.report.datasheet import write_datasheet

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "own_cell"

# A cell on GF180MCU that is nowhere else: an RC low-pass behind a diode-loaded common source.
UNSEEN = """\
* common source with a diode load, and a filter
.subckt stage in out vdd vss
XN a in vss vss nfet_03v3 w=2u l=1u as=0.88p ad=0.88p ps=4.88u pd=4.88u
XP a a vdd vdd pfet_03v3 w=1u l=1u as=0.44p ad=0.44p ps=2.88u pd=2.88u
R1 a out 1meg
C1 out vss 1p
.ends stage
"""
UNSEEN_TOML = """\
subckt = "stage.spice"
process = "gf180mcu"
ports = { vdd = "supply", vss = "gnd", out = "open" }
stimuli.transfer = { port = "in", sweep = ["0.2 V", "1.0 V"], points = 401 }
stimuli.step = { port = "in", step = ["0.5 V", "0.45 V"], at = "5u", stop = "300u" }
stimuli.events = { port = "in", pulses = ["20u", "60u"], high = "1 V", stop = "100u" }
measure.gain = { slope = "v(out)", from = "0.4", to = "0.5", on = "transfer" }
measure.highest = { most = "v(x1.a)", on = "transfer", high = 3.3 }
measure.power = { power = "supply", on = "transfer" }
measure.settling = { settling = "v(out)", band = "1m", on = "step" }
measure.delay = { delay = "v(out)", on = "events" }
measure.energy = { energy = "supply", on = "events", low = 1e-3 }
measure.current = { most = "i(vdd)", on = "events" }
"""


@pytest.fixture
def unseen(tmp_path: Path) -> Path:
    (tmp_path / "stage.spice").write_text(UNSEEN)
    (tmp_path / "stage.toml").write_text(UNSEEN_TOML)
    return tmp_path / "stage.toml"


def test_an_unseen_cell_becomes_a_datasheet(
    gf180mcu: object, pool: Pool, unseen: Path, tmp_path: Path
) -> None:
    (entry,) = read_own_cell(unseen, "gf180mcu")
    plan = Plan(("tt", "ff", "ss", "fs", "sf"), (-40.0, 85.0), draws=3)
    sheet = characterize(entry, "gf180mcu", plan, pool)
    values = sheet.points[0].values
    # In weak inversion the gain of a diode-loaded stage is -kappa_n/kappa_p at equal currents.
    assert -1.3 < values["gain"] < -0.8
    assert values["highest"] < 3.3
    # Several time constants of 1 Mohm and 1 pF at least, and the pfet's own resistance.
    assert 5e-6 < values["settling"] < 200e-6
    assert 0.3e-6 < values["delay"] < 10e-6
    assert values["current"] > 0
    assert values["power"] > 0
    assert len(sheet.points) == 8
    assert not any(point.failed for point in sheet.points)
    assert sheet.violations() == [f"tt, 27 deg C: energy = {values['energy']:.4g} J, limit ≥ 0.001"]
    spread = {name: d for study in sheet.studies for name, d in study.properties.items()}
    assert np.ptp(spread["gain"].values) > 0
    pages = write_datasheet(sheet, tmp_path / "out")
    assert {path.suffix for path in pages} == {".md", ".png", ".json"}
    text = pages[0].read_text()
    assert "XN a in vss vss nfet_03v3" in text
    assert "limit ≥ 0.001" in text
    kept = json.loads(pages[-1].read_text())
    assert kept["passes"] is False
    assert kept["points"][0]["values"]["gain"] == pytest.approx(values["gain"], rel=1e-5)


def test_schematic_and_layout_stand_side_by_side(pool: Pool, tmp_path: Path) -> None:
    (entry,) = read_own_cell(EXAMPLE / "follower.toml", "generic180")
    sheet = characterize(entry, "generic180", Plan(low_supply=False), pool)
    values = sheet.points[0].values
    # 2.5 fF from input to output and 18 fF more at the output slow it; the gain stays.
    assert values["settling to 1 %, layout"] > 1.1 * values["settling to 1 %"]
    assert values["gain, layout"] == pytest.approx(values["gain"], rel=1e-3)
    page = write_datasheet(sheet, tmp_path)[0].read_text()
    assert "| quantity | schematic | layout | change |" in page
    assert all(sheet.change(name) < 0.01 for name in values)


def test_the_command_line_takes_it(tmp_path: Path) -> None:
    runner = CliRunner()
    given = ["characterize", str(EXAMPLE / "follower.toml"), "--out", str(tmp_path)]
    result = runner.invoke(app, given)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "generic180" / "follower.md").is_file()
    # The same again is there already; with a limit that does not hold it ends with 1.
    assert runner.invoke(app, given).exit_code == 0
    for file in EXAMPLE.iterdir():
        shutil.copy(file, tmp_path)
    strict = tmp_path / "follower.toml"
    strict.write_text(strict.read_text().replace("low = 0.7", "low = 0.9"))
    result = runner.invoke(app, ["characterize", str(strict), "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "limit ≥ 0.9" in result.output


WRONG: list[tuple[str, str, type[SpicesnnError], str]] = [
    (
        'out = "open"',
        'ot = "open"',
        SpicesnnError,
        "named 'ot'; did you mean 'out'",
    ),
    (', out = "open"', "", DataError, "nothing is said of the port out"),
    ('port = "in", sweep', 'port = "inn", sweep', SpicesnnError, "did you mean 'in'"),
    ('"v(x1.a)"', '"v(a)"', SpicesnnError, "no port of stage named 'a'"),
    ('"v(x1.a)"', '"a"', DataError, "is no signal"),
    ('"i(vdd)"', '"i(out)"', DataError, "no voltage drives the port out"),
    ('"i(vdd)"', '"v(vss)"', DataError, "grounded"),
    (
        'most = "i(vdd)"',
        'mots = "i(vdd)"',
        ParameterError,
        "'mots'; did you mean most",
    ),
    (
        'most = "i(vdd)"',
        'most = "i(vdd)", least = "i(vdd)"',
        DataError,
        "exactly one of value, most",
    ),
    (', on = "events" }\nmeasure.energy', " }\nmeasure.energy", DataError, "say on which stimulus"),
    ('on = "step"', 'on = "stp"', SpicesnnError, "no stimulus named 'stp'; did you mean 'step'"),
    ('sweep = ["0.2 V", "1.0 V"]', 'sweep = ["low", "1.0 V"]', ParameterError, "'low' is no level"),
    ('sweep = ["0.2 V", "1.0 V"], ', "", DataError, "exactly one of sweep, step and pulses"),
    (', stop = "300u"', "", DataError, "give its end"),
    ('out = "open"', 'out = "100f"', ParameterError, "100 farads: write the unit"),
    ('"stage.spice"', '"stge.spice"', DeckError, "cannot read the subcircuit"),
    ('"gf180mcu"', '"sky130"', DataError, "this cell is of sky130; give --process sky130"),
    ("ports =", "ports", DataError, "is no TOML"),
    ("subckt = ", 'name = "../x"\nsubckt = ', DataError, "use letters, digits"),
    ('delay = "v(out)", on = "events"', 'delay = "v(out)", on = "transfer"', DataError, "in time"),
    ("low = 1e-3", 'low = "much"', ParameterError, r"measure\.energy: Measure\.low"),
]


@pytest.mark.parametrize(("old", "new", "kind", "message"), WRONG)
def test_what_is_wrong_in_the_toml_is_said(
    unseen: Path, old: str, new: str, kind: type[SpicesnnError], message: str
) -> None:
    text = unseen.read_text()
    assert old in text
    unseen.write_text(text.replace(old, new, 1))
    with pytest.raises(kind, match=message):
        read_own_cell(unseen, "gf180mcu")


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        (".include /etc/passwd", UnsafeDeckError, "outside the allowed folders"),
        (".control", UnsafeDeckError, "can run programs"),
        (".tran 1u 1m", DeckError, "only .subckt"),
    ],
)
def test_what_is_wrong_in_the_subcircuit_is_said(
    unseen: Path, line: str, kind: type[SpicesnnError], message: str
) -> None:
    file = unseen.parent / "stage.spice"
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(kind, match=message):
        read_own_cell(unseen, "gf180mcu")
    file.write_text("* nothing\nR1 a b 1k\n")
    with pytest.raises(DeckError, match=r"holds no \.subckt"):
        read_own_cell(unseen, "gf180mcu")


def test_a_layout_with_other_ports_is_refused(tmp_path: Path) -> None:
    for file in EXAMPLE.iterdir():
        shutil.copy(file, tmp_path)
    layout = tmp_path / "follower_layout.spice"
    layout.write_text(layout.read_text().replace("in out bias vdd vss", "in out bias vdd gnd"))
    with pytest.raises(DataError, match="the schematic's in, out, bias, vdd, vss"):
        read_own_cell(tmp_path / "follower.toml", "generic180")


def test_a_model_that_the_process_does_not_have_is_said(unseen: Path, pool: Pool) -> None:
    file = unseen.parent / "stage.spice"
    file.write_text(file.read_text().replace("nfet_03v3", "nfet_30v3"))
    (entry,) = read_own_cell(unseen, "gf180mcu")
    sheet = characterize(entry, "gf180mcu", Plan(low_supply=False, halved=False), pool)
    assert "nfet_30v3" in " ".join(sheet.violations())
