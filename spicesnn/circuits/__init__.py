"""Cells, decks with knobs and probes, and networks cut at one-way edges."""
