"""Benches of the cells that write devices."""

from __future__ import annotations

from spicesnn.characterize.bench import Entry

ENTRIES: tuple[Entry, ...] = ()
