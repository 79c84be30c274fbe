"""Pure functions of waveforms."""
