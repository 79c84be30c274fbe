"""Crossbars in the engine: live devices compiled or not, and a layer with wires in pieces."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from stored import Row, row

from spicesnn.arrays.crossbar import Crossbar, Wires
from spicesnn.circuits.cells.dpi_neuron import DpiNeuronBias
from spicesnn.circuits.crossbar.cell import CrossbarCell, DeviceMemory
from spicesnn.circuits.crossbar.deck import crossbar_deck, read_out
from spicesnn.circuits.deck import Deck, Transient, Value, Waveform
from spicesnn.circuits.whole import whole_deck, whole_probe
from spicesnn.circuits.wired_layer import WiredLayer
from spicesnn.devices import find_ode
from spicesnn.engine.batch import run_batch
from spicesnn.engine.installation import find_installation
from spicesnn.engine.limits import Limits
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.osdi import runs_compiled
from spicesnn.engine.pieces import NetworkRunner
from spicesnn.engine.pool import Pool
from spicesnn.engine.session import Session
from spicesnn.measure.compare import compare
from spicesnn.processes import find_process
from spicesnn.waveforms import Waveforms

_SIDES = (16, 32, 64)
_STOP, _POINTS, _CORNERS = 1.2e-3, 120, 12
# What a user of volts and microamperes takes.
_OPTIONS = SimulationOptions.profile("digital").model_copy(update={"solver": "klu"})
_LIMITS = Limits(wall=900.0)
MEMORY = DeviceMemory(device=find_ode("Nugent2014"))
CELL = CrossbarCell(memory=MEMORY)
LAYER = WiredLayer(stop=2e-3, neuron_bias=DpiNeuronBias(i_refractory=2e-9))
# Ohms a segment, and corrections: lines on which a per cent of the read voltage is lost, and ten
# times that, where columns feel through the rows how far the others' clamps let them move.
_CASES = ((10e3, 0), (100e3, 0), (100e3, 1))


def _array(side: int) -> tuple[Deck, dict[str, Value], Crossbar]:
    """Live devices under random voltages on all rows: the deck, its knobs, its description."""
    rng, (low, high) = np.random.default_rng(0), MEMORY.conductance_range
    time = np.linspace(0, _STOP, _CORNERS + 1)
    volts = np.concatenate([np.zeros((1, side)), rng.uniform(-0.5, 0.5, (_CORNERS, side))])
    shares = rng.uniform(0.1, 0.9, (side, side))
    crossbar = Crossbar(low + (high - low) * shares, Wires(r_row=2.0, r_column=2.0))
    knobs: dict[str, Value] = {f"vleft{i}": Waveform(time, volts[:, i]) for i in range(side)}
    analysis = Transient(_STOP, _STOP / _POINTS)
    return crossbar_deck(crossbar, CELL, analysis=analysis, states=True), knobs, crossbar


def device_arrays(quick: bool) -> list[Row]:
    """Nugent2014, wires of 2 ohm, 120 points: compiled against subcircuits, median of three."""
    rows = []
    for side in _SIDES[:2] if quick else _SIDES:
        deck, knobs, crossbar = _array(side)
        seconds: dict[str, list[float]] = {"compiled": [], "subcircuit": []}
        states = {}
        for form in ("compiled", "subcircuit") * (1 if quick else 3):
            run = run_batch(replace(deck, device_form=form), knobs, _OPTIONS, limits=_LIMITS)
            found = read_out(run.checked(deck.title).waveforms, crossbar, CELL)
            seconds[form].append(run.analysis_seconds)
            states[form] = found.states[-1]
        count, goal = side * side, ">= 3" if side == _SIDES[-1] else ""
        compiled, subcircuits = (float(np.median(each)) for each in seconds.values())
        ratio = subcircuits / compiled
        apart = float(np.abs(states["compiled"] - states["subcircuit"]).max())
        rows += [
            row(f"{count} devices, compiled: analysis", compiled, "s"),
            row(f"{count} devices, subcircuits over compiled", ratio, "1", goal,
                ratio >= 3 if goal else None),
            row(f"{count} devices, states at the end, largest difference", apart),
        ]  # fmt: skip
        never = not runs_compiled(deck, False, find_installation())
    rows.append(row("compiled without KLU: refused", float(never), "1", "1", never))
    return rows


def wired_layer(quick: bool) -> list[Row]:
    """Cells of 26 to 80 Mohm, drivers, clamps, neurons: pieces against the whole circuit, once."""
    inputs, units = (4, 2) if quick else (12, 4)
    rows = []
    for ohms, corrections in _CASES:
        found = _layer(ohms, corrections, inputs, units)
        size = f"{inputs} x {units}, {ohms / 1e3:g} kohm a segment"
        if ohms > _CASES[0][0] and not corrections:
            rows.append(row(f"{size}, not corrected: largest shift of a spike, over the run",
                            found.shift))  # fmt: skip
            continue
        size += ", corrected once" * corrections
        rows += [
            row(f"{size}: spikes matched", found.matched, "spikes"),
            row(f"{size}: spikes missed or added", found.lost, "spikes", "0", found.lost == 0),
            row(f"{size}: largest shift of a spike, over the run", found.shift, "1", "<= 0.001",
                found.shift <= 1e-3),
            row(f"{size}: membranes' largest difference over their swing", found.membrane, "1",
                "<= 0.02", found.membrane <= 0.02),
            row(f"{size}: analysis of the whole circuit over that of the pieces", found.ratio),
        ]  # fmt: skip
    return rows


@dataclass(frozen=True)
class _Agreement:
    """Spikes matched and not, their largest shift over the run, the membranes, the times' ratio."""

    matched: int
    lost: int
    shift: float
    membrane: float
    ratio: float


def _layer(ohms: float, corrections: int, inputs: int, units: int) -> _Agreement:
    """A layer in pieces against the whole circuit.

    The drive is strong, so that no spike hangs on a plateau, where its time is the solver's to
    choose: with a third of it such spikes move by 3 us as the tolerances are divided by ten.
    """
    process, rng = find_process("generic180"), np.random.default_rng(1)
    layer = LAYER.model_copy(update={"wires": Wires(r_row=ohms, r_column=ohms)})
    network = layer.network(process, 1 / rng.uniform(26e6, 80e6, (inputs, units)))
    settings: dict[str, dict[str, Value]] = {}
    for i in range(inputs):
        times = 0.1e-3 + np.cumsum(rng.uniform(0.1e-3, 0.4e-3, 30))
        settings[f"row{i}"] = {"vevent": layer.stimulus(times[times < layer.stop - 5e-5], process)}
    options = SimulationOptions.profile("precise")
    with Pool(1, options) as pool:
        runner = NetworkRunner(network, pool, array_corrections=corrections)
        answer = runner.run([settings])[0]
    # What follows the array was run once more for each correction.
    pieces = sum(
        run.analysis_seconds * (1 + corrections * name.startswith("unit"))
        for name, run in answer.items()
    )
    with Session(whole_deck(network, settings), options, limits=_LIMITS) as session:
        run = session.run()
    whole, matched, lost, shift, membrane = run.waveforms, 0, 0, 0.0, 0.0
    for j in range(units):
        found = {n: whole[whole_probe(network, f"unit{j}", n)] for n in ("v(v_mem)", "v(spike)")}
        compared = compare(
            Waveforms(whole.time, found), answer[f"unit{j}"].waveforms, spiking=["v(spike)"],
            window=(1e-3 if corrections or ohms == _CASES[0][0] else 5e-3) * layer.stop,
            margin=0.01 * layer.stop,
        )  # fmt: skip
        match = compared.spikes["v(spike)"]
        matched, lost = matched + match.matched, lost + match.missed + match.added
        shift = max(shift, match.largest_shift / layer.stop)
        membrane = max(membrane, compared.differences["v(v_mem)"].relative)
    return _Agreement(matched, lost, shift, membrane, run.analysis_seconds / pieces)


def identities() -> dict[str, str]:
    """Of the decks that the sections are made of."""
    network = LAYER.network(find_process("generic180"), np.full((2, 2), 1e-8))
    pieces = "".join(piece.deck.identity for piece in network.pieces.values())
    layer = hashlib.sha256(pieces.encode()).hexdigest()[:16]
    return {"device_arrays": _array(_SIDES[0])[0].identity, "wired_layer": layer}
