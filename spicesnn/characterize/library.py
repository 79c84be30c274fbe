"""The library: every cell with the benches of its datasheet."""

from __future__ import annotations

from spicesnn.characterize.bench import Bench, Entry
from spicesnn.characterize.benches import (
    adaptive_neuron,
    axon_hillock,
    bias_generator,
    box,
    bump,
    column_clamp,
    current_dac,
    current_subtractor,
    dpi_depression,
    dpi_gates,
    dpi_neuron,
    dpi_synapse,
    dpi_trace,
    error_trigger,
    level_shifter,
    lif_neuron,
    mirror,
    normaliser,
    pulse_extender,
    sense_amplifier,
    trace_comparator,
    transimpedance,
    winner_take_all,
    write_driver,
)
from spicesnn.errors import UnknownNameError

FAMILIES: dict[str, tuple[Entry, ...]] = {
    "Synapses": (
        *dpi_trace.ENTRIES,
        *dpi_synapse.ENTRIES,
        *dpi_depression.ENTRIES,
        *dpi_gates.ENTRIES,
        *pulse_extender.ENTRIES,
    ),
    "Neurons": (
        *dpi_neuron.ENTRIES,
        *adaptive_neuron.ENTRIES,
        *lif_neuron.ENTRIES,
        *axon_hillock.ENTRIES,
    ),
    "Learning": (
        *bump.ENTRIES,
        *box.ENTRIES,
        *trace_comparator.ENTRIES,
        *normaliser.ENTRIES,
        *current_subtractor.ENTRIES,
        *winner_take_all.ENTRIES,
    ),
    "Writing": (
        *error_trigger.ENTRIES,
        *level_shifter.ENTRIES,
        *write_driver.ENTRIES,
    ),
    "Read-out": (
        *column_clamp.ENTRIES,
        *transimpedance.ENTRIES,
        *sense_amplifier.ENTRIES,
    ),
    "Biases": (
        *mirror.ENTRIES,
        *current_dac.ENTRIES,
        *bias_generator.ENTRIES,
    ),
}
LIBRARY: dict[str, Entry] = {entry.name: entry for own in FAMILIES.values() for entry in own}
BENCHES: dict[str, Bench] = {
    bench.name: bench for entry in LIBRARY.values() for bench in entry.benches
}


def find_entry(name: str) -> Entry:
    """A cell's page of the library.

    Raises:
        UnknownNameError: there is none; the nearest names are offered.
    """
    try:
        return LIBRARY[name]
    except KeyError:
        raise UnknownNameError("cell", name, LIBRARY) from None


def find_bench(name: str) -> Bench:
    """The bench of a name.

    Raises:
        UnknownNameError: there is none; the nearest names are offered.
    """
    try:
        return BENCHES[name]
    except KeyError:
        raise UnknownNameError("bench", name, BENCHES) from None
