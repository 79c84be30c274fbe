"""The same benches on every process, corner and temperature; mismatch against law and PDK.

`--quick` takes typical corners and fewer draws, within three minutes, and says so. A full run
takes about a quarter of an hour; its rows are stored in `benchmarks/results/processes.json`, the
matrix in `docs/process-matrix.md`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import numpy as np
from stored import ROOT, Row, Section, Table, row

from spicesnn.characterize.bench import Bench
from spicesnn.characterize.benches.dpi_neuron import NeuronBench
from spicesnn.characterize.benches.dpi_trace import SynapseBench
from spicesnn.characterize.benches.mirror import MirrorBench
from spicesnn.characterize.condition import condition
from spicesnn.characterize.montecarlo import pelgrom_scaling, run_monte_carlo, sigma_interval
from spicesnn.characterize.off_current import off_current
from spicesnn.circuits.deck import Deck
from spicesnn.circuits.transistors import transistors
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pool import Pool
from spicesnn.engine.verdict import Verdict
from spicesnn.engine.worker import Job
from spicesnn.processes import CORNERS, PROCESSES, Process, find_process

MATRIX = ROOT / "benchmarks" / "results" / "process_matrix.json"
PAGE = ROOT / "docs" / "process-matrix.md"
TEMPERATURES = (-40.0, 27.0, 85.0)
FINE = SimulationOptions(minimum_conductance=1e-18, current_tolerance=1e-18)
NGSPICE = SimulationOptions(
    relative_tolerance=1e-3, current_tolerance=1e-12, minimum_conductance=1e-12
)


def matrix(quick: bool) -> list[Row]:
    """Synapse and neuron on three processes, five corners, -40, 27 and 85 deg C."""
    benches: tuple[Bench, ...] = (SynapseBench(), NeuronBench())
    corners, temperatures = (("tt",), (27.0,)) if quick else (CORNERS, TEMPERATURES)
    found: list[dict[str, Any]] = []
    for name in PROCESSES:
        for corner in corners:
            process = find_process(name, corner)
            for celsius in temperatures:
                cell: dict[str, Any] = {"process": name, "corner": corner, "celsius": celsius}
                for bench in benches:
                    cell |= _measured(bench, process, celsius)
                found.append(cell)
    failed = [cell for cell in found if "failed" in cell or not _works(cell)]
    rows = [
        row("combinations of process, corner and temperature", len(found)),
        row("combinations in which a bench fails", len(failed), "1", "said", None),
    ]
    for name in PROCESSES:
        own = [cell for cell in found if cell["process"] == name and _works(cell)]
        for quantity in ("time constant", "rate at 1 nA"):
            values = [cell[quantity] for cell in own]
            rows.append(
                row(f"{name}, {quantity}, largest over smallest", max(values) / min(values))
            )
    if not quick:
        MATRIX.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(matrix_page(found), encoding="utf-8")
    return rows


def _measured(bench: Bench, process: Process, celsius: float) -> dict[str, Any]:
    deck = replace(bench.deck(process), temperature=process.checked_temperature(celsius))
    jobs = [Job(deck, knobs) for knobs in bench.stimuli(process)]
    with Pool(1) as pool:
        on = condition(process, celsius, pool)
        runs = pool.map(jobs, raise_on_failure=False)
    bad = [run for run in runs if run.verdict is not Verdict.CONVERGED]
    if bad:
        return {"failed": f"{bench.name}: {bad[0].verdict.value}"}
    return bench.measure([run.waveforms for run in runs], on)


def _works(cell: dict[str, Any]) -> bool:
    return bool(np.isfinite(cell.get("time constant", np.nan)) and cell.get("rate at 1 nA", 0) > 0)


def matrix_page(found: list[dict[str, Any]]) -> str:
    """The docs' page of the matrix."""
    columns = {
        "time constant": ("synapse: tau", 1e3, "ms"),
        "peak current": ("peak", 1e9, "nA"),
        "rest current": ("rest", 1e15, "fA"),
        "rate at 0.5 nA": ("neuron: rate at 0.5 nA", 1.0, "Hz"),
        "rate at 1 nA": ("at 1 nA", 1.0, "Hz"),
        "rate at 2 nA": ("at 2 nA", 1.0, "Hz"),
        "energy a spike at 1 nA": ("energy a spike", 1e12, "pJ"),
    }
    heads = [f"{title} ({unit})" for title, _, unit in columns.values()]
    lines = [
        "# Processes, corners, temperatures",
        "",
        "Written by `python benchmarks/processes.py --only matrix`. The same benches of a DPI",
        "synapse and a DPI neuron, with the same bias currents and sizes, on every process at its",
        "own supply.",
        "The law of the time constant, `C U_T / (kappa I_tau)`, grows with absolute temperature:",
        "from -40 to 85 °C by 1.54.",
        "",
        "| process | corner | °C | " + " | ".join(heads) + " |",
        "|---|---|---|" + "---|" * len(heads),
    ]
    for cell in found:
        cells = [cell["process"], cell["corner"], f"{cell['celsius']:g}"]
        if "failed" in cell:
            cells += [cell["failed"], *[""] * (len(heads) - 1)]
        else:
            cells += [f"{cell[name] * scale:.3g}" for name, (_, scale, _) in columns.items()]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def off(quick: bool) -> list[Row]:
    """Off currents of W = L = 1 um with our defaults, against gmin at 1e-18 S, and ngspice's."""
    rows = []
    for name in PROCESSES:
        process = find_process(name)
        for kind in ("nfet", "pfet"):
            mosfet = getattr(process, kind)
            ours, fine, theirs = (
                off_current(process, mosfet, 1e-6, 1e-6, options=options)
                for options in (None, FINE, NGSPICE)
            )
            rows.append(row(f"{name} {kind}, off current", fine.drain * 1e15, "fA"))
            for part in ("drain", "channel", "junction", "gate"):
                reference = getattr(fine, part)
                if reference:
                    error = abs(getattr(ours, part) / reference - 1)
                    rows.append(row(f"{name} {kind}, {part}, our defaults off by", error, "1",
                                    "<= 0.05", error <= 0.05))  # fmt: skip
            error = abs(theirs.drain / fine.drain - 1)
            rows.append(row(f"{name} {kind}, ngspice's defaults off by", error, "1", "> 0.05",
                            error > 0.05))  # fmt: skip
    return rows


def mismatch(quick: bool) -> list[Row]:
    """A mirror and a DPI's time constant on GF180MCU: our draws, Pelgrom's law, the PDK's draws."""
    count = 100 if quick else 1000
    process = find_process("gf180mcu")
    rows = []
    for bench, quantity in ((MirrorBench(), "output current"), (SynapseBench(), "time constant")):
        name = f"{bench.name}, {quantity}, sigma of ln"
        with Pool(2) as pool:
            ours, larger = (
                run_monte_carlo(each, process, pool, count=count, seed=k).properties[quantity]
                for k, each in enumerate((bench, bench.scaled(2.0)), start=1)
            )
            law = _law(bench, quantity, process, pool)
            theirs = _pdk_draws(bench, quantity, process, pool, count)
        found = ours.summary()
        low, high = found["sigma of ln from"], found["sigma of ln to"]
        pdk = float(np.std(np.log(theirs), ddof=1))
        pdk_low, pdk_high = sigma_interval(pdk, theirs.size)
        four = pelgrom_scaling(ours, larger, 2.0)
        rows += [
            row(f"{name}, {count} draws of ours", found["sigma of ln"]),
            row(f"{name}, 99 % interval from", low),
            row(f"{name}, 99 % interval to", high),
            row(f"{name}, by Pelgrom's law and the sensitivities", law, "1", "in the interval",
                low <= law <= high),
            row(f"{name}, {theirs.size} draws of the PDK's", pdk, "1", "intervals overlap",
                pdk_low <= high and low <= pdk_high),
            row(f"{name}, area x 4 over area", four.ratio, "1", "0.5 in the interval",
                four.low <= 0.5 <= four.high),
        ]  # fmt: skip
    return rows


def _law(bench: Bench, quantity: str, process: Process, pool: Pool) -> float:
    """Pelgrom's spread to first order: each transistor's own, times how it moves ln(quantity)."""
    deck = bench.deck(process)
    found = transistors(deck.netlist, process)
    stimuli = bench.stimuli(process)
    at = condition(process, 27.0, pool)

    def ln_of(knobs: dict[str, float]) -> float:
        runs = pool.map([Job(deck, {**own, **knobs}) for own in stimuli])
        return float(np.log(bench.measure([run.waveforms for run in runs], at)[quantity]))

    total = 0.0
    for transistor in found:
        threshold, factor = transistor.local()
        vt, beta = f"@{transistor.instance}[delvto]", f"@{transistor.instance}[mulu0]"
        step = 1e-3
        by_vt = (ln_of({vt: step, beta: 1.0}) - ln_of({vt: -step, beta: 1.0})) / (2 * step)
        by_beta = (ln_of({vt: 0.0, beta: 1.01}) - ln_of({vt: 0.0, beta: 0.99})) / 0.02
        total += (by_vt * threshold) ** 2 + (by_beta * factor) ** 2
    return float(np.sqrt(total))


def _pdk_draws(
    bench: Bench, quantity: str, process: Process, pool: Pool, count: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The quantity with the PDK's own mismatch: it draws anew whenever a deck is loaded."""
    on = process.models.replace("sw_stat_mismatch=0", "sw_stat_mismatch=1")
    if on == process.models:
        raise SystemExit("the PDK's switch of mismatch was not found")
    deck = bench.deck(process)
    stimuli, at = bench.stimuli(process), condition(process, 27.0, pool)
    # Another title is another deck, which is loaded; its draws follow the worker's generator.
    decks: list[Deck] = [replace(deck, models=on, title=f"draw {k}") for k in range(count)]
    runs = pool.map([Job(each, own) for each in decks for own in stimuli], raise_on_failure=False)
    values = []
    for k in range(count):
        own = runs[k * len(stimuli) : (k + 1) * len(stimuli)]
        if all(run.verdict is Verdict.CONVERGED for run in own):
            values.append(bench.measure([run.waveforms for run in own], at)[quantity])
    return np.array(values)


def identities() -> dict[str, str]:
    """What the sections simulate: hash of benches, stimuli, our cards and our solver options."""
    processes = [find_process(name) for name in PROCESSES]
    total = hashlib.sha256(find_process("generic180").models.encode())
    total.update(SimulationOptions().line().encode())
    for bench in (MirrorBench(), SynapseBench(), NeuronBench()):
        for process in processes:
            # The models of the open processes are named by the path where they are installed.
            deck = replace(bench.deck(process), models="")
            total.update(deck.identity.encode())
            for knobs in bench.stimuli(process):
                total.update(deck.text("", knobs).encode())
    return dict.fromkeys(SECTIONS, total.hexdigest()[:16])


SECTIONS: dict[str, Section] = {"matrix": matrix, "off": off, "mismatch": mismatch}
TABLE = Table(
    "processes.json",
    "process-figures.md",
    "The processes in figures",
    "Written by `python benchmarks/processes.py` (`--only` for one section, `--quick` for a short\n"
    "run that is not kept). [Processes](processes.md) says what stands behind them.",
    SECTIONS,
    identities,
)

if __name__ == "__main__":
    TABLE.main(__doc__)
