"""Tier files: written, read, and refused where they cannot be trusted."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spicesnn.errors import DataError, OutOfRangeError, TierFileError, UnknownNameError
from spicesnn.processes import find_process
from spicesnn.tiers.agreement import Budget, limit_of
from spicesnn.tiers.file import read_tier_file
from spicesnn.tiers.fitted import FittedTier, load_tier
from spicesnn.tiers.library import RECIPES, find_recipe, tier_path
from spicesnn.tiers.population import drawn

GENERIC = find_process("generic180")
STATUS = (Path(__file__).parents[2] / "docs" / "status.md").read_text()
SHIPPED = tier_path("lif_neuron", GENERIC)


def changed(tmp_path: Path, **values: Any) -> Path:
    content = json.loads(SHIPPED.read_text()) | values
    path = tmp_path / "tier.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("process", ["generic180", "gf180mcu"])
@pytest.mark.parametrize("name", RECIPES)
def test_every_cell_ships_a_tier_of_todays_circuit(name: str, process: str) -> None:
    on = find_process(process)
    fitted = load_tier(tier_path(name, on), on)
    assert fitted.file.errors
    over = [n for n, value in fitted.file.errors.items() if not value <= limit_of(n, Budget())]
    # What is over the budget is declared on the status page.
    assert not over or f"{name} on {process}" in STATUS, over
    assert all(value <= 0.07 for value in fitted.file.errors.values())


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    file = read_tier_file(SHIPPED)
    path = tmp_path / "deep" / "tier.json"
    file.write(path)
    assert read_tier_file(path) == file
    assert file.name == "lif_neuron (generic180 tt)"


def test_a_file_that_is_missing_or_half_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TierFileError, match="cannot be read: No such file"):
        read_tier_file(tmp_path / "none.json")
    half = tmp_path / "half.json"
    half.write_text(SHIPPED.read_text()[:500])
    with pytest.raises(TierFileError, match=r"no JSON .* fit the cell again by `spicesnn fit CELL"):
        read_tier_file(half)
    (tmp_path / "list.json").write_text("[1, 2]")
    with pytest.raises(TierFileError, match="is no tier file: its format is not 'spicesnn tier'"):
        read_tier_file(tmp_path / "list.json")


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_is_refused(tmp_path: Path, version: object) -> None:
    with pytest.raises(TierFileError, match=r"is of version .*reads version 1: fit it again by"):
        read_tier_file(changed(tmp_path, version=version))


def test_damaged_content_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(TierFileError, match=r"damaged: .*celsius"):
        read_tier_file(changed(tmp_path, celsius="warm"))
    with pytest.raises(TierFileError, match="damaged: its correlation is not"):
        read_tier_file(changed(tmp_path, correlation=[[1.0]]))
    with pytest.raises(TierFileError, match="damaged: TierFile has no parameter 'colour'"):
        read_tier_file(changed(tmp_path, colour="red"))


def test_a_cell_or_a_parameter_that_this_tool_has_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"cell with a tier named 'lif_neurone'.*lif_neuron"):
        load_tier(changed(tmp_path, cell="lif_neurone"))
    values = json.loads(SHIPPED.read_text())["parameters"]
    less = {name: value for name, value in values.items() if name != "c"}
    with pytest.raises(TierFileError, match=r"fit this tool's lif_neuron: .*\.c .*missing"):
        load_tier(changed(tmp_path, parameters=less, correlation=np.eye(len(less)).tolist()))


def test_another_process_is_refused() -> None:
    fitted = load_tier(SHIPPED)
    with pytest.raises(TierFileError, match=r"not of generic180 ff: fit it again .*--corner ff`"):
        fitted.check_circuit(find_process("generic180", "ff"))
    with pytest.raises(TierFileError, match="is not of gf180mcu tt"):
        fitted.check_circuit(find_process("gf180mcu"))


def test_a_changed_process_or_circuit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TierFileError, match="the models of generic180 have changed since"):
        load_tier(changed(tmp_path, library="0" * 12), GENERIC)
    with pytest.raises(TierFileError, match="the circuit of lif_neuron has changed since"):
        load_tier(changed(tmp_path, deck="0" * 16), GENERIC)
    settings = json.loads(SHIPPED.read_text())["settings"]
    settings["bias"]["i_leak"] *= 2
    with pytest.raises(TierFileError, match="the circuit of lif_neuron has changed since"):
        load_tier(changed(tmp_path, settings=settings), GENERIC)


def test_a_corner_that_none_ships_for_says_how_to_get_it() -> None:
    with pytest.raises(TierFileError, match=r"ships for generic180 ss: fit one by `spicesnn fit"):
        tier_path("lif_neuron", find_process("generic180", "ss"))
    with pytest.raises(UnknownNameError, match="did you mean 'lif_neuron'"):
        find_recipe("lif_neuro")


def test_a_folder_that_cannot_be_written_is_named() -> None:
    with pytest.raises(TierFileError, match=r"/proc/tier.json cannot be written"):
        read_tier_file(SHIPPED).write(Path("/proc/tier.json"))


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    file, path, stop = read_tier_file(SHIPPED), tmp_path / "tier.json", threading.Event()
    file.write(path)

    def again() -> None:
        while not stop.is_set():
            file.write(path)

    writer = threading.Thread(target=again)
    writer.start()
    try:
        for _ in range(50):
            assert read_tier_file(path) == file
    finally:
        stop.set()
        writer.join()


def fitted() -> FittedTier:
    return load_tier(SHIPPED)


@pytest.mark.parametrize(
    ("inputs", "dt", "text"),
    [
        ({"i_in": np.full(10, 1e-6)}, 1e-5, r"lif_neuron .*: i_in = 1e-06 A is outside .* 0 to "),
        ({"i_in": np.full(10, -1e-9)}, 1e-5, r"i_in = -1e-09 A is outside"),
        ({"i_in": np.full(10, np.nan)}, 1e-5, "i_in = nan A is outside"),
        ({"i_in": np.full(10, 1e-10)}, 1e-4, r"step = 0.0001 s is outside .*0 to 1e-05 s"),
    ],
)
def test_what_was_not_fitted_is_refused(inputs: Any, dt: float, text: str) -> None:
    with pytest.raises(OutOfRangeError, match=text):
        fitted().run(inputs, dt)


def test_a_state_outside_the_range_is_refused(tmp_path: Path) -> None:
    ranges = json.loads(SHIPPED.read_text())["ranges"]
    ranges["v_mem"]["high"] = 0.1
    narrow = load_tier(changed(tmp_path, ranges=ranges))
    with pytest.raises(OutOfRangeError, match=r"v_mem = 0\.\d+ V is outside .* to 0.1 V"):
        narrow.run({"i_in": np.full(500, 1e-9)}, 1e-5)


def test_a_tier_without_a_spread_draws_nothing(tmp_path: Path) -> None:
    with pytest.raises(TierFileError, match="has no spread: fit it by `spicesnn fit lif_neuron"):
        drawn(load_tier(changed(tmp_path, spread=None)), 3, np.random.default_rng(0))


def _percent(values: list[float | None], limits: list[float]) -> str:
    if None in values:
        return ""
    return "; ".join(
        f"**{100 * value:.2f}**" if value > limit else f"{100 * value:.2f}"
        for value, limit in zip(values, limits, strict=True)
    )


@pytest.mark.parametrize("name", RECIPES)
def test_the_status_page_has_the_files_own_errors(name: str) -> None:
    files = [read_tier_file(tier_path(name, find_process(p))) for p in ("generic180", "gf180mcu")]
    budget = Budget()
    largest = [max(v for n, v in f.errors.items() if n.startswith("state")) for f in files]
    cells = [_percent(list(largest), [budget.state] * 2)]
    for kind in ("unmatched", "timing", "rate", "energy"):
        cells.append(_percent([f.errors.get(kind) for f in files], [getattr(budget, kind)] * 2))
    spikes = [f.details.get("spikes held out", 0) for f in files]
    cells.append("; ".join(f"{each:.0f}" for each in spikes) if any(spikes) else "")
    assert f"| `{name}` | {' | '.join(cells)} |" in STATUS
    for file, process in zip(files, ("generic180", "gf180mcu"), strict=True):
        over = any(not v <= limit_of(n, budget) for n, v in file.errors.items())
        assert (f"{name} on {process}" in STATUS) == over


@pytest.mark.parametrize("name", RECIPES)
def test_every_cell_refuses_what_is_outside_each_of_its_ranges(name: str) -> None:
    """Inputs below and above, the step above; what a tier comes to by a narrower range."""
    known = load_tier(tier_path(name, GENERIC), GENERIC)
    file, dt = known.file, known.file.dt
    rows = (4, 2) if known.recipe.rows else (4,)
    middle = {
        quantity: np.full(
            (4, 1) if quantity == "v_mem" and known.recipe.rows else rows,
            0.5 * (file.ranges[quantity].low + file.ranges[quantity].high),
        )
        for quantity in known.tier.INPUTS
    }
    outputs = known.run(middle, dt)
    for quantity, span in file.ranges.items():
        for bound in (span.low, span.high):
            beyond = bound + (0.01 if bound == span.high else -0.01) * (span.high - span.low)
            if quantity == "step":
                if bound == span.high:
                    with pytest.raises(OutOfRangeError, match=f"step = .* {span.unit} is outside"):
                        known.run(middle, beyond)
            elif quantity in middle:
                wrong = {**middle, quantity: np.full_like(middle[quantity], beyond)}
                with pytest.raises(OutOfRangeError, match=rf"{quantity} = .*{span.unit} is outsid"):
                    known.run(wrong, dt)
            else:
                value = float(outputs[quantity].max())
                narrow = span.model_copy(
                    update={"low": value + 1.0} if bound == span.low else {"high": value - 1.0}
                )
                ranges = {**file.ranges, quantity: narrow}
                own = FittedTier(
                    known.recipe, known.tier, file.model_copy(update={"ranges": ranges})
                )
                with pytest.raises(OutOfRangeError, match=rf"{quantity} = .*{span.unit} is outsid"):
                    own.run(middle, dt)


def test_missing_and_unknown_inputs_and_steps_are_refused() -> None:
    known = load_tier(SHIPPED)
    with pytest.raises(UnknownNameError, match="input of lif_neuron named 'current'"):
        known.run({"current": np.zeros(4)}, 10e-6)
    with pytest.raises(DataError, match=r"runs on i_in: give i_in \(current into the membrane"):
        known.run({}, 10e-6)
    with pytest.raises(DataError, match="a step of 0 s is not above 0"):
        known.run({"i_in": np.zeros(4)}, 0.0)


def test_a_file_without_a_range_is_refused(tmp_path: Path) -> None:
    ranges = json.loads(SHIPPED.read_text())["ranges"]
    for name in ("i_in", "step"):
        less = {key: value for key, value in ranges.items() if key != name}
        with pytest.raises(TierFileError, match=f"has no range of {name}, so nothing would be"):
            load_tier(changed(tmp_path, ranges=less))
