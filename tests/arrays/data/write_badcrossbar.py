"""Writes `badcrossbar.json`, what badcrossbar says of a small array."""

import json
from importlib.metadata import version
from pathlib import Path

import badcrossbar
import numpy as np

rng = np.random.default_rng(20)
resistances = np.exp(rng.uniform(np.log(1e4), np.log(1e6), (12, 9)))
volts = rng.uniform(0, 1, (12, 2))
solution = badcrossbar.compute(
    volts, resistances, r_i_word_line=2.0, r_i_bit_line=3.5, node_voltages=True
)
stored = {
    "command": "python tests/arrays/data/write_badcrossbar.py",
    "version": version("badcrossbar"),
    "r_row": 2.0,
    "r_column": 3.5,
    "resistances": resistances.tolist(),
    "volts": volts.T.tolist(),
    "outputs": solution.currents.output.tolist(),
    "row_voltage": np.moveaxis(solution.voltages.word_line, -1, 0).tolist(),
}
Path(__file__).with_name("badcrossbar.json").write_text(json.dumps(stored) + "\n", encoding="utf-8")
