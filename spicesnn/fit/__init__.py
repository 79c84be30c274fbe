"""Least squares for any model, and the extraction of device parameters from curves."""
