"""Write the golden decks of `netlists/`, on `generic180`: every bench of the cell library with its
first stimulus, pieces of the classifier with fixed weights, and two small crossbars; and the
devices of equations in `models/devices/`, for users of ngspice and Verilog-A without Python.

The tests compare them byte for byte; run `make netlists` after a change that means to alter them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spicesnn.arrays.crossbar import Wires
from spicesnn.characterize.library import BENCHES
from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.crossbar import (
    CrossbarCell,
    DeviceMemory,
    ProcessTransistor,
    programme_deck,
    pulses,
    write_half,
    write_row,
)
from spicesnn.circuits.deck import Waveform
from spicesnn.circuits.device_forms import device_forms
from spicesnn.devices import ODES, find_ode
from spicesnn.engine.options import SimulationOptions
from spicesnn.processes import find_process

ROOT = Path(__file__).resolve().parent.parent
FOLDER, DEVICES = ROOT / "netlists", ROOT / "models" / "devices"


def golden_decks() -> dict[str, str]:
    """File name to deck text."""
    circuit = ClassifierCircuit(rows=4)
    process = find_process("generic180")
    trains = [[0.5e-3 + k / rate for k in range(int(9e-3 * rate))] for rate in (900, 500, 250, 125)]
    weight = np.array([0.5, 0.3, -0.2, 0.4])[:, None]
    conductance = 20e-9 * np.stack([1 + weight, 1 - weight])
    ramp = np.array([0.0, 5e-3])
    sums = {
        "vsum_plus": Waveform(ramp, np.array([process.supply, 1.03])),
        "vgate_minus": Waveform(ramp, np.array([0.0, 0.25])),
    }
    gates: dict[str, Waveform | float] = {
        f"vp{j}": Waveform(ramp, np.array([0.0, 0.33 - 0.02 * j])) for j in range(circuit.rows)
    }
    line = SimulationOptions().line()
    event = {"vevent": circuit.stimulus(trains[0], process)}
    column = circuit.device_knobs(conductance, 0) | gates
    unit = circuit.unit_knobs(conductance, trains, 0, process)
    benches = {}
    for bench in BENCHES.values():
        deck, stimuli = bench.deck(process), bench.stimuli(process)
        benches[f"bench_{bench.name}.cir"] = deck.text(line, stimuli[0])
    return benches | {
        "dpi_trace.cir": circuit.trace_deck(process).text(line, event),
        "differential_column.cir": circuit.column_deck(process).text(line, column),
        "dpi_neuron.cir": circuit.neuron_deck(process).text(line, sums),
        "classifier_unit.cir": circuit.unit_deck(process).text(line, unit),
        **crossbar_decks(),
    }


def device_texts() -> dict[str, str]:
    """File name to the printed device: subcircuit, Verilog-A module, subcircuit around that."""
    texts = {}
    for device in ODES.values():
        forms = device_forms(device)
        texts[f"{forms.name}.spice"] = forms.subcircuit
        texts[f"{forms.name}.va"] = forms.verilog
        texts[f"{forms.name}_compiled.spice"] = forms.wrapper
    return texts


def crossbar_decks() -> dict[str, str]:
    """Four rows and columns of live devices: V/2 writes, and a 1T1R row written in two phases."""
    memory = DeviceMemory(device=find_ode("Nugent2014"))
    states = np.linspace(0.0, 0.75, 16).reshape(1, 4, 4)
    wires = Wires(r_row=1.0, r_column=1.0)
    bare = CrossbarCell(memory=memory)
    transistor = ProcessTransistor(process=find_process("generic180"), width=10e-6)
    gated = CrossbarCell(memory=memory, series=transistor)
    array = bare.crossbar(states, wires)
    writes = [write_half(array, 1, 2, volts) for volts in (0.4, -0.4)]
    row = write_row(array, 1, [1, 0, -1, 1], v_set=0.8, v_reset=0.8, gate_set=1.8, gate_reset=1.8)
    line = SimulationOptions().line()
    texts = {}
    for name, cell, accesses in (
        ("crossbar_devices.cir", bare, writes), ("crossbar_write.cir", gated, row),
    ):  # fmt: skip
        programme = pulses(accesses, width=20e-6, edge=1e-6, rest=10e-6)
        deck, knobs = programme_deck(programme, cell, maximum_step=1e-6, start_states=states)
        texts[name] = deck.text(line, knobs)
    return texts


def main() -> None:
    """Write all golden decks and devices."""
    DEVICES.mkdir(exist_ok=True)
    for folder, texts in ((FOLDER, golden_decks()), (DEVICES, device_texts())):
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
            print(folder / name)


if __name__ == "__main__":
    main()
