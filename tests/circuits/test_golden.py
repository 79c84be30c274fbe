"""The decks of `netlists/` and the devices of `models/` are what the package writes, byte for byte,
and ngspice runs the decks."""

import importlib.util
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from spicesnn.engine.installation import find_installation
from spicesnn.waveforms import read_raw

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("tool", ROOT / "tools" / "write_netlists.py")
assert _spec
assert _spec.loader
_tool = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_tool)
DECKS: dict[str, str] = _tool.golden_decks()


def test_every_golden_deck_is_written_by_the_tool() -> None:
    assert {p.name for p in (ROOT / "netlists").glob("*.cir")} == set(DECKS)


def test_the_shipped_devices_are_those_the_package_prints() -> None:
    folder = ROOT / "models" / "devices"
    printed = _tool.device_texts()
    assert {p.name for p in folder.iterdir() if p.name != "README.md"} == set(printed)
    for name, text in printed.items():
        assert (folder / name).read_text() == text, f"{name}: run `make netlists`"


@pytest.mark.parametrize("name", sorted(DECKS))
def test_golden_deck(name: str) -> None:
    assert (ROOT / "netlists" / name).read_text() == DECKS[name]


@pytest.mark.parametrize("name", sorted(DECKS))
def test_ngspice_alone_runs_it(name: str, tmp_path: Path) -> None:
    ngspice = find_installation()
    subprocess.run(
        [str(ngspice.program), "-b", "-r", "out.raw", str(ROOT / "netlists" / name)],
        cwd=tmp_path, check=False, capture_output=True, timeout=120,
        env={**os.environ, **ngspice.environment()},
    )  # fmt: skip
    waves = read_raw(tmp_path / "out.raw")
    # Sweeps and transients say where they end, an operating point has one.
    (analysis,) = re.findall(r"^\.(tran|dc|op|noise)\b(.*)$", DECKS[name], re.M)
    if analysis[0] == "tran":
        assert waves.time[-1] == pytest.approx(float(analysis[1].split()[1]))
    if analysis[0] == "dc":
        assert waves.time[-1] == pytest.approx(float(analysis[1].split()[2]))
    assert all(np.isfinite(values).all() for values in waves.signals.values())
    if name in ("dpi_neuron.cir", "classifier_unit.cir"):
        assert waves["v(spike)"].max() > 1.7  # it fires
