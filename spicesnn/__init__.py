"""Circuit-level SPICE co-simulation of spiking neural networks."""

__version__ = "0.1.0"
