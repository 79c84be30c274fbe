"""Benches of cells, and what they measure over corners, temperatures and draws."""
