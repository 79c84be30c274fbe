"""Printers of device equations: one form a module."""
