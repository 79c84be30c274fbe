"""ngspice in worker processes and batch runs: decks in, verdicts and waveforms out."""
