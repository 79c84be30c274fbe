"""Benches of the read-out."""

from __future__ import annotations

from spicesnn.characterize.bench import Entry

ENTRIES: tuple[Entry, ...] = ()
