"""Crossbars as circuits: cells, decks, read and write schemes, signed weights."""

from spicesnn.circuits.crossbar.cell import CrossbarCell, DeviceMemory
from spicesnn.circuits.crossbar.deck import Readout, check_deck_size, crossbar_deck, read_out
from spicesnn.circuits.crossbar.live import LiveStates, run_live
from spicesnn.circuits.crossbar.problem import (
    access_deck,
    alone,
    ir_drop,
    programme_deck,
    solve_access,
)
from spicesnn.circuits.crossbar.schemes import (
    Access,
    Programme,
    pulses,
    read_all,
    read_cell,
    read_row,
    seen_table,
    write_half,
    write_row,
    write_third,
)
from spicesnn.circuits.crossbar.series import (
    ExponentialSelector,
    ProcessTransistor,
    SeriesElement,
    SinhSelector,
    Transistor,
)
from spicesnn.circuits.crossbar.weights import DifferentialPairs, ReferenceColumn

__all__ = [
    "Access",
    "CrossbarCell",
    "DeviceMemory",
    "DifferentialPairs",
    "ExponentialSelector",
    "LiveStates",
    "ProcessTransistor",
    "Programme",
    "Readout",
    "ReferenceColumn",
    "SeriesElement",
    "SinhSelector",
    "Transistor",
    "access_deck",
    "alone",
    "check_deck_size",
    "crossbar_deck",
    "ir_drop",
    "programme_deck",
    "pulses",
    "read_all",
    "read_cell",
    "read_out",
    "read_row",
    "run_live",
    "seen_table",
    "solve_access",
    "write_half",
    "write_row",
    "write_third",
]
