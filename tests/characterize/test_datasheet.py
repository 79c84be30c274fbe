"""Datasheets: limits, doubts, refusals, resumption, the command line and the book."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spicesnn.characterize.bench import Entry, Quantity
from spicesnn.characterize.condition import condition
from spicesnn.characterize.datasheet import FULL, Plan, characterize, identity, quantities, runs_of
from spicesnn.characterize.library import find_entry
from spicesnn.characterize.settings import with_settings
from spicesnn.cli import app
from spicesnn.engine.cache import RunCache
from spicesnn.engine.pool import Pool
from spicesnn.errors import ParameterError, UnknownNameError
from spicesnn.processes import Process, find_process
from spicesnn.report.book import write_index, write_sheets
from spicesnn.report.datasheet import engineering, write_datasheet
from spicesnn.units import thermal_voltage

ONE = Plan(low_supply=False, halved=False)


def invoke(*given: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["characterize", *given])
    plain = result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output if plain else str(result.exception)


def test_the_laws_constants_are_those_of_the_transistors(process: Process, pool: Pool) -> None:
    on = condition(process, 27.0, pool)
    # The card's slope factors are 1.33 and 1.37, whatever a bench says.
    assert 1 / on.nfet.kappa == pytest.approx(1.33, rel=0.03)
    assert 1 / on.pfet.kappa == pytest.approx(1.38, rel=0.03)
    expected = 1e-12 * thermal_voltage(27.0) / (on.pfet.kappa * 1e-11)
    assert on.time_constant(1e-12, 1e-11, "pfet") == pytest.approx(expected, rel=1e-12, abs=0)


def test_a_datasheet_covers_its_plan(process: Process, pool: Pool) -> None:
    entry = find_entry("mirror")
    plan = Plan(("ss",), (85.0,), draws=4)
    finished = []
    sheet = characterize(entry, "generic180", plan, pool, lambda: finished.append(1))
    assert [(p.corner, p.celsius, round(p.supply, 3)) for p in sheet.points] == [
        ("tt", 27.0, 1.0), ("ss", 27.0, 1.0), ("tt", 85.0, 1.0), ("tt", 27.0, 0.95),
    ]  # fmt: skip
    assert set(sheet.halved) == set(quantities(entry))
    # The nominal runs of the draws come on top.
    assert len(finished) == runs_of(entry, process, plan)
    assert sheet.studies
    assert sheet.studies[0].draws.threshold.shape[0] == 4


def test_a_limit_that_does_not_hold_is_a_violation(pool: Pool) -> None:
    sheet = characterize(find_entry("mirror"), "generic180", ONE, pool)
    name = "output current"
    value = sheet.points[0].values[name]
    strict = {name: Quantity("A", high=0.5 * value), "mirror error": Quantity("1")}
    assert replace(sheet, quantities=strict).violations() == [
        f"tt, 27 deg C: output current = {value:.4g} A, limit ≤ {0.5 * value:g}"
    ]
    # What a cell does not show does not pass.
    assert not Quantity("s", low=0.0).passes(float("nan"))
    assert Quantity("s").passes(float("nan"))


def test_a_number_that_moves_at_half_the_step_is_a_violation(pool: Pool) -> None:
    sheet = characterize(find_entry("mirror"), "generic180", Plan(low_supply=False), pool)
    assert sheet.violations() == []
    name = "output current"
    moved = replace(sheet, halved={**sheet.halved, name: 1.02 * sheet.halved[name]})
    assert moved.violations() == ["output current moves by 2.00% at half the step, limit 1%"]
    lost = {n: v for n, v in sheet.halved.items() if n != name}
    said = replace(sheet, halved=lost).violations()
    assert said == ["output current is not shown at half the step, limit 1%"]


def test_a_sweep_has_twice_the_points_at_half_the_step(pool: Pool) -> None:
    """The bump's centre of mass moves a little with the grid, a converter's codes do not."""
    sheet = characterize(find_entry("bump"), "generic180", Plan(low_supply=False), pool)
    assert 0 < sheet.change("bump, full width at half height") < 0.01


def test_parameters_above_weak_inversion_are_doubted(pool: Pool, tmp_path: Path) -> None:
    entry = with_settings(find_entry("bump"), {"i_bias": "2u"})
    sheet = characterize(entry, "generic180", ONE, pool)
    assert any("i_bias = 2e-06 A is at inversion coefficient" in text for text in sheet.doubts)
    assert "weak inversion ends at 0.1" in write_datasheet(sheet, tmp_path)[0].read_text()
    # And the law does not hold there.
    assert any("over law" in text for text in sheet.violations())


def test_a_current_far_over_weak_inversion_is_doubted_by_default(pool: Pool) -> None:
    entry = with_settings(find_entry("dpi_neuron"), {"bias.i_leak": "5u"})
    on = condition(find_process("generic180"), 27.0, pool)
    said = [text for bench in entry.benches for text in bench.doubts(on)]
    assert any("bias.i_leak = 5e-06 A is at inversion coefficient" in text for text in said)


def test_ends_in_the_wrong_order_are_refused() -> None:
    for name in ("pulse_extender", "dpi_excitatory"):
        with pytest.raises(ParameterError, match="must be below most"):
            with_settings(find_entry(name), {"most": "1f"})


def test_settings_reach_bench_and_cell() -> None:
    entry = with_settings(find_entry("bump"), {"i_bias": "20n", "cell.width": "2u"})
    bench = entry.benches[0]
    assert bench.model_dump()["i_bias"] == pytest.approx(20e-9, rel=1e-9, abs=0)
    assert bench.cells()[0].model_dump()["width"] == pytest.approx(2e-6, rel=1e-9, abs=0)
    for wrong, kind, message in (
        ({"i_bais": "1n"}, UnknownNameError, "did you mean 'i_bias'"),
        ({"i_bias": "much"}, ParameterError, "'much' is not a SPICE number"),
        ({"cell.width": "-1u"}, ParameterError, "width"),
        ({"cell.complement": "yes"}, ParameterError, "write true or false"),
        ({"cell.length": "long"}, ParameterError, "cell.length: 'long' is not"),
    ):
        with pytest.raises(kind, match=message):
            with_settings(find_entry("bump"), wrong)


def test_a_size_that_the_process_does_not_have_is_refused(pool: Pool) -> None:
    entry = with_settings(find_entry("bump"), {"cell.length": "0.1u"})
    with pytest.raises(ParameterError, match="under the minimum"):
        characterize(entry, "generic180", ONE, pool)


def test_identity_knows_what_it_rests_on() -> None:
    entry = find_entry("bump")
    base = identity(entry, "generic180", FULL)
    assert identity(entry, "generic180", FULL) == base
    assert identity(entry, "generic180", ONE) != base
    assert identity(with_settings(entry, {"i_bias": "11n"}), "generic180", FULL) != base


def test_what_is_there_is_kept_and_what_stopped_goes_on(tmp_path: Path) -> None:
    entries = [find_entry("mirror"), find_entry("bump")]
    cache = RunCache(tmp_path / "cache")
    begun: list[str] = []
    steps = 0

    def begin(text: str, total: int):  # type: ignore[no-untyped-def]
        begun.append(text)

        def done() -> None:
            nonlocal steps
            steps += 1
            if steps == 2:
                raise KeyboardInterrupt

        return done

    with Pool(1, cache=cache) as pool:
        with pytest.raises(KeyboardInterrupt):
            write_sheets(entries, "generic180", ONE, pool, tmp_path / "book", begin)
        first = write_sheets(entries, "generic180", ONE, pool, tmp_path / "book", begin)
        count = len(begun)
        again = write_sheets(entries, "generic180", ONE, pool, tmp_path / "book", begin)
        assert len(begun) == count
        assert first == again
        write_sheets(entries, "generic180", ONE, pool, tmp_path / "book", begin, fresh=True)
        assert len(begun) == count + 2
    index = write_index(
        tmp_path / "book", {"All": entries, "None": []}, {"generic180": first}
    ).read_text()
    assert "(generic180/bump.md)" in index
    assert "## None" not in index


def test_a_name_measured_twice_is_refused() -> None:
    bench = find_entry("bump").benches[0]
    with pytest.raises(ParameterError, match="two benches measure"):
        quantities(Entry("twice", "Twice", type(bench), (bench, bench)))


def test_the_command_writes_page_and_json(tmp_path: Path) -> None:
    code, said = invoke("bump", "--corners", "tt,ff", "--mc", "3", "--out", str(tmp_path), "--json")
    assert code == 0, said
    (sheet,) = json.loads(said[said.index("[") : said.rindex("]") + 1])
    assert sheet["passes"] is True
    assert (tmp_path / "generic180" / "bump-curves.png").is_file()
    assert json.loads((tmp_path / "generic180" / "bump.json").read_text()) == sheet
    code, said = invoke("bump", "--set", "i_bias=3u", "--out", str(tmp_path))
    assert code == 1
    assert "limit" in said


def test_wrong_calls_are_answered(tmp_path: Path) -> None:
    for given, message in (
        ([], "name the cells"),
        (["--all", "bump"], "name the cells"),
        (["--all", "--mc", "5"], "leave out --set"),
        (["bunp"], "did you mean 'bump'"),
        (["bump", "--corners", "tx"], "no corner named 'tx'"),
        (["bump", "--set", "i_bias"], "write a parameter and its value"),
        (["bump", "--process", "gf18"], "no process named"),
        (["bump", "--temperature", "300"], "outside what generic180 is described for"),
        (["no.toml"], "cannot read no.toml"),
    ):
        code, said = invoke(*given, "--out", str(tmp_path))
        assert code == 1
        assert message in said


def test_numbers_are_written_with_prefixes() -> None:
    assert engineering(1.2346e-9, "A") == "1.235 nA"
    assert engineering(0.99996e-9, "A") == "1 nA"
    assert engineering(-0.0015, "V") == "-1.5 mV"
    assert engineering(3.0, "1") == "3"
    assert engineering(2e-13, "m2") == "2e-13 m2"
    assert engineering(float("nan"), "A") == "—"
    assert engineering(0.0, "A") == "0 A"
