"""Every cell of the library: works on every process, scales, stands in the book."""

import inspect
import json
from pathlib import Path

import numpy as np
import pytest
from PySpice.Spice.Netlist import Circuit
from scaling import scaled_deck, scaled_knobs, scaled_parameters

from spicesnn.characterize.bench import Bench, bench_deck
from spicesnn.characterize.condition import condition
from spicesnn.characterize.datasheet import FULL, Plan, characterize, identity, quantities
from spicesnn.characterize.library import BENCHES, FAMILIES, LIBRARY, find_bench, find_entry
from spicesnn.circuits.cells.cell import Cell
from spicesnn.circuits.deck import DcSweep
from spicesnn.engine.pool import Pool
from spicesnn.engine.worker import Job
from spicesnn.errors import UnknownNameError
from spicesnn.processes import Process
from spicesnn.waveforms import Waveforms

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "docs" / "cells"


def _final(kind: type[Cell]) -> set[type[Cell]]:
    """All cells that can be built; abstract ones are what several share."""
    below = {each for own in kind.__subclasses__() for each in _final(own)}
    return below if inspect.isabstract(kind) else {kind, *below}


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_a_cell_works_on_every_process(any_process: Process, pool: Pool, name: str) -> None:
    """Typical, at its defaults: every bench runs and shows most of its quantities."""
    sheet = characterize(
        find_entry(name), any_process.name, Plan(low_supply=False, halved=False), pool
    )
    (point,) = sheet.points
    assert not point.failed
    shown = [value for value in point.values.values() if np.isfinite(value)]
    assert len(shown) >= 0.75 * len(point.values)
    assert sheet.panels


def test_names_are_their_own_and_every_cell_is_measured() -> None:
    assert sum(len(entry.benches) for entry in LIBRARY.values()) == len(BENCHES)
    assert sum(len(own) for own in FAMILIES.values()) == len(LIBRARY)
    measured = {type(cell) for bench in BENCHES.values() for cell in bench.cells()}
    # The driver is part of benches, not a field of them.
    rest = {kind.__name__ for kind in _final(Cell) - measured}
    assert rest <= {"SpikeDriver"}
    for entry in LIBRARY.values():
        quantities(entry)
        text = entry.description()
        assert "```" in text
        assert "Source" in text
        assert any(bench.drawn for bench in entry.benches)


def test_unknown_names_are_answered() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'bump'"):
        find_entry("bumb")
    with pytest.raises(UnknownNameError, match="no bench named"):
        find_bench("nothing")


@pytest.mark.parametrize("kind", ["nfet", "pfet"])
def test_two_in_parallel_are_two(any_process: Process, pool: Pool, kind: str) -> None:
    """m = 2 is two instances."""
    mosfet = any_process.mosfet(kind)  # type: ignore[arg-type]
    currents = []
    for multipliers in ([2], [1, 1]):
        circuit = Circuit("cut off below")
        for k, m in enumerate(multipliers):
            mosfet(circuit, str(k), "d", "g", "0", "0", width=1e-6, length=1e-6, multiplier=m)
        half = mosfet.sign * any_process.supply / 2
        circuit.V("d", "d", "0", raw_spice=f"dc {half}")
        circuit.V("g", "g", "0", raw_spice="dc 0")
        sweep = DcSweep("vg", 0.0, half, half / 40)
        deck = bench_deck("m", circuit, any_process, sweep, ["i(vd)"])
        currents.append(pool.map([Job(deck)])[0].waveforms["i(vd)"])
    assert currents[0] == pytest.approx(currents[1], rel=1e-6, abs=0)


TIMED = sorted(
    name
    for name, bench in BENCHES.items()
    if any(q.unit in ("s", "J", "Hz") for q in bench.properties.values())
)


@pytest.mark.parametrize("name", TIMED)
def test_scaling_everything_keeps_times_and_scales_energy(
    process: Process, pool: Pool, name: str
) -> None:
    """Transistors in parallel, capacitances and currents times k, 0.5 and 2: times stay within
    5 %, energies follow k.
    """
    bench = BENCHES[name]
    timed = {n: q.unit for n, q in bench.properties.items() if q.unit in ("s", "J", "Hz")}
    measured = {factor: _scaled(bench, process, pool, factor) for factor in (1, 2, 4)}
    checked = 0
    for quantity, unit in timed.items():
        middle = measured[2][quantity]
        for factor in (1, 4):
            k = factor / 2
            expected = middle * k if unit == "J" else middle
            if np.isfinite(middle):
                assert measured[factor][quantity] == pytest.approx(expected, rel=0.05, abs=0), (
                    quantity
                )
                checked += 1
    assert checked


@pytest.mark.parametrize("name", sorted(BENCHES))
def test_waveforms_that_do_not_move_are_measured(process: Process, pool: Pool, name: str) -> None:
    """Draws and corners may leave a cell dead: its bench says so by NaN and raises nothing."""
    bench, on = BENCHES[name], condition(process, 27.0, pool)
    runs = pool.map([Job(bench.deck(process), knobs) for knobs in bench.stimuli(process)])
    for level in (0.0, 1.0, np.nan):
        flat = [_flat(run.waveforms, level) for run in runs]
        with np.errstate(all="ignore"):
            assert set(bench.measure(flat, on)) == set(bench.properties)


def _flat(waves: Waveforms, level: float) -> Waveforms:
    return Waveforms(waves.time, {n: np.full_like(v, level) for n, v in waves.signals.items()})


def _scaled(bench: Bench, process: Process, pool: Pool, factor: int) -> dict[str, float]:
    on = condition(process, 27.0, pool)
    deck = scaled_deck(bench.deck(process), process, factor)
    jobs = [Job(deck, scaled_knobs(knobs, factor)) for knobs in bench.stimuli(process)]
    # What it compares with (a part of its bias) is scaled, too.
    return scaled_parameters(bench, factor).measure([r.waveforms for r in pool.map(jobs)], on)


def _stored(name: str, process: str) -> dict:  # type: ignore[type-arg]
    path = BOOK / process / f"{name}.json"
    assert path.is_file(), f"{path} is missing: run `spicesnn characterize --all`"
    return json.loads(path.read_text())  # type: ignore[no-any-return]


@pytest.mark.parametrize("process_name", ["generic180", "gf180mcu"])
@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_the_book_is_of_today(name: str, process_name: str, request: pytest.FixtureRequest) -> None:
    if process_name == "gf180mcu":
        request.getfixturevalue("gf180mcu")
    sheet = _stored(name, process_name)
    stale = f"stale: {process_name}/{name}.json" in (ROOT / "docs" / "status.md").read_text()
    assert (sheet["identity"] == identity(find_entry(name), process_name, FULL)) != stale


@pytest.mark.parametrize("process_name", ["generic180", "gf180mcu"])
@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_half_the_step_moves_nothing_by_a_per_cent(name: str, process_name: str) -> None:
    """As stored in the book: every number at half the step and a tenth of the tolerances."""
    sheet = _stored(name, process_name)
    for quantity, row in sheet["quantities"].items():
        change = row["change at half the step"]
        if sheet["points"][0]["values"][quantity] is not None:
            assert change is not None, quantity
            assert change <= 0.01, quantity


def test_the_book_covers_its_plan() -> None:
    for process_name in ("generic180", "gf180mcu"):
        for name, entry in LIBRARY.items():
            sheet = _stored(name, process_name)
            places = {(p["corner"], p["celsius"]) for p in sheet["points"]}
            corners = {(c, 27.0) for c in ("tt", "ff", "ss", "fs", "sf")}
            assert places == corners | {("tt", -40.0), ("tt", 85.0)}
            assert any(row["draws"] == 100 for row in sheet["mismatch"].values())
            assert set(sheet["parameters"]) == {bench.name for bench in entry.benches}


def test_the_books_own_datasheet_can_be_measured_again(process: Process, pool: Pool) -> None:
    """Today's typical numbers of one cell are those of the book."""
    sheet = characterize(find_entry("bump"), "generic180", Plan(low_supply=False), pool)
    kept = _stored("bump", "generic180")["points"][0]["values"]
    for name, value in sheet.points[0].values.items():
        assert kept[name] == pytest.approx(value, rel=1e-3, abs=1e-6 if "centre" in name else 0)
