"""The library: every cell with the benches of its datasheet."""

from __future__ import annotations

from spicesnn.characterize.bench import Bench, Entry
from spicesnn.characterize.benches import biases, learning, neurons, readout, synapses, writing
from spicesnn.errors import UnknownNameError

FAMILIES: dict[str, tuple[Entry, ...]] = {
    "Synapses": synapses.ENTRIES,
    "Neurons": neurons.ENTRIES,
    "Learning": learning.ENTRIES,
    "Writing": writing.ENTRIES,
    "Read-out": readout.ENTRIES,
    "Biases": biases.ENTRIES,
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
