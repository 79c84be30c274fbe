"""The cell library: a frozen parameter object each, a PySpice subcircuit on any process."""
