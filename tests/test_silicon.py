"""The measurements' names, the rule of exclusion, and the stored scores of `generic180`."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spicesnn.devices.ekv import Ekv
from spicesnn.fit.curves import Curves
from spicesnn.processes import Process

ROOT = Path(__file__).resolve().parent.parent
# Where the measurements are: docs/silicon.md says where they are public.
SILICON = Path(os.environ.get("SPICESNN_SILICON", ROOT.parent / "shared" / "silicon" / "sky130"))
sys.path.insert(0, str(ROOT / "benchmarks"))

import silicon  # noqa: E402
import silicon_data  # noqa: E402

CARD = Ekv(n=1.35, v_t0=0.5, i_spec=5e-7, lambda_=0.05, theta=0.2, eta=0.01)
NOISE = np.random.default_rng(1)


def device(
    site: str,
    factor: float = 1.0,
    shift: float = 0.0,
    multiplicity: int = 1,
    leak: float = 0.0,
    kind: Any = "nfet",
) -> Any:
    """A device of W 7 um, L 0.5 um within 1 nA of noise, measured as the real ones are."""
    sign = 1 if kind == "nfet" else -1
    vg, vd, vb = (
        a.ravel()
        for a in np.meshgrid(np.linspace(0, 1.8, 37), [0.1, 1.8], [0.0, -0.9, -1.8], indexing="ij")
    )
    none = np.zeros_like(vg)
    current = CARD.current(vg - shift, vd, none, width=7e-6, length=0.5e-6)
    current = factor * current + (1e-9 * NOISE.uniform(-1, 1, vg.size) + leak) / multiplicity
    gate = Curves(sign * vg, sign * vd, none, sign * vb, sign * current, kind, 7e-6, 0.5e-6)
    return silicon_data.Device(f"{kind} W7 L0.5", site, gate, gate, multiplicity)


def faults(*odd: Any, kind: str = "nfet") -> list[str]:
    devices = [*odd, *(device(str(k), kind=kind) for k in range(4))]
    return [silicon_data.fault(each, devices) for each in devices]


def changed(odd: Any, where: Any, factor: float) -> Any:
    """The device with some of its currents times a factor."""
    gate = odd.gate
    current = np.where(where(np.abs(gate.vg), np.abs(gate.vd)), factor * gate.id, gate.id)
    return replace(odd, gate=replace(gate, id=current))


@pytest.mark.parametrize("kind", ["nfet", "pfet"])
def test_the_rule_keeps_sound_devices_and_leaves_out_others(kind: str) -> None:
    def first(odd: Any) -> str:
        return faults(odd, kind=kind)[0]

    assert faults(kind=kind) == [""] * 4
    assert faults(device("spread", shift=0.05, kind=kind), kind=kind) == [""] * 5
    assert "strong current 3.00 of the median of its length" in first(device("a", 3.0, kind=kind))
    assert "0.70 of the median of its geometry" in first(device("b", 0.7, kind=kind))
    sound = device("c", kind=kind)
    assert first(changed(sound, lambda g, d: abs(g - 0.8) < 0.01, 0.2)) == (
        "current falls as the gate rises"
    )
    reverse = changed(sound, lambda g, d: (d > 1) & (g < 1.2), 0.6)
    assert first(reverse) == "less current at the higher drain voltage"
    # A path beside the channel that opens at 0.2 V and carries 0.3 uA.
    sound = device("f", shift=0.1, kind=kind)
    beside = np.minimum(3e-9 * np.exp((np.abs(sound.gate.vg) - 0.2) / 0.02), 3e-7)
    current = np.maximum(np.abs(sound.gate.id), np.where(np.abs(sound.gate.vg) > 0.22, beside, 0))
    soft = replace(sound.gate, id=np.sign(sound.gate.vg.sum()) * current)
    assert "mV for the decade to 100 nA a square" in first(replace(sound, gate=soft))
    array = {"shift": 0.3, "multiplicity": 1000, "kind": kind}
    assert first(device("d", **array)) == ""
    assert "leaks" in first(device("e", leak=1e-6, **array))


def test_clean_points_are_above_the_noise_whatever_the_sign() -> None:
    for kind in ("nfet", "pfet"):
        curves = device("a", kind=kind).gate
        clean = silicon_data.clean(curves)
        assert clean[np.abs(curves.vg) > 0.8].all()
        assert not clean[np.abs(curves.vg) < 0.1].any()


def test_names_as_published_and_shortened() -> None:
    for name in (
        "sky130_fd_pr__nfet_01v8_w0p36u_l0p15u_m2280(5290_3_IDVG_D3).mdm",
        "nfet_01v8_w0p36u_l0p15u_m2280_5290_3_IDVG_D3.mdm",
    ):
        match = silicon_data._NAME.fullmatch(name)
        assert match
        assert match.group("kind", "w", "l", "m", "site", "sweep") == (
            "nfet", "0p36", "0p15", "2280", "5290_3", "IDVG",
        )  # fmt: skip
    with pytest.raises(SystemExit, match="holds no files such as"):
        silicon_data.sound(ROOT / "docs")


@pytest.fixture(scope="module")
def measured() -> tuple[list[Any], dict[str, str]]:
    if not SILICON.exists():
        pytest.skip("the measurements are not here; set SPICESNN_SILICON, see docs/silicon.md")
    return silicon_data.sound(SILICON)


def test_split_is_by_order_and_holds_out_a_third(
    measured: tuple[list[Any], dict[str, str]],
) -> None:
    good, left_out = measured
    assert (len(good), len(left_out)) == (75, 29)
    lots = [silicon_data.split(good, turn) for turn in range(3)]
    names = [{(d.name, d.site) for d in held} for _, held in lots]
    assert not names[0] & names[1]
    assert not names[1] & names[2]
    assert names[0] | names[1] | names[2] == {(d.name, d.site) for lot in lots[0] for d in lot}
    assert len(names[1]) == 12


def test_stored_scores_are_what_todays_cards_give(
    measured: tuple[list[Any], dict[str, str]], sky130: Process, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = json.loads((ROOT / "benchmarks/results/silicon.json").read_text())["scores"]["rows"]
    now = silicon.scores(SILICON, fit=False, quick=False)
    assert [r["name"] for r in now] == [r["name"] for r in stored]
    for new, old in zip(now, stored, strict=True):
        assert new["value"] == pytest.approx(old["value"], rel=0.01, nan_ok=True), new["name"]
    assert capsys.readouterr().err.count("left out: ") == 29
