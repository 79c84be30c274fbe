"""An extraction as table, JSON and figure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spicesnn.errors import RunFolderError
from spicesnn.fit.bsim import ExtractedCard
from spicesnn.fit.mos import REGIONS, Extraction, Value

_COLOURS = {"deep": "C3", "weak": "C0", "moderate": "C2", "strong": "C1"}


def summary(
    extractions: Sequence[Extraction],
    temperature: Mapping[str, Value] | None = None,
    cards: Sequence[ExtractedCard | None] = (),
) -> dict[str, Any]:
    """Plain numbers: every value with its uncertainty and unit, residuals and points by region."""
    found = []
    for each in extractions:
        curves = each.curves
        regions = {
            name: {
                "points": sum(region == name for region in each.region),
                "median residual": _number(each.median_residual(name)),
            }
            for name in REGIONS
        }
        found.append({
            "source": curves.source,
            "device": curves.kind,
            "width": curves.width,
            "length": curves.length,
            "temperature": curves.celsius,
            "noise floor": each.floor,
            "data": each.inner.data,
            "points": int(each.used.size),
            "used": int(each.used.sum()),
            "values": {name: _plain(value) for name, value in each.values.items()},
            "ekv": each.ekv.model_dump(),
            "regions": regions,
        })  # fmt: skip
    for k, card in enumerate(cards):
        if card is None:
            continue
        found[k]["card"] = {
            "file": _card_name(k),
            "parameters": card.fit.parameters,
            "median residual": dict(card.residuals),
        }
    answer: dict[str, Any] = {"extractions": found}
    if temperature:
        answer["over temperature"] = {n: _plain(v) for n, v in temperature.items()}
    return answer


def _card_name(k: int) -> str:
    return f"card{k}.spice"


def card_text(each: Extraction, card: ExtractedCard, number: int = 0) -> str:
    """A card with what it comes from and what it is not; its model's name has the number."""
    curves = each.curves
    name = f"extracted_{curves.kind}"
    off = ", ".join(f"{name} {value:.3g}" for name, value in card.residuals.items())
    lines = [
        f"* BSIM4 card of {Path(curves.source).name or 'curves'}: W {curves.width * 1e6:g} um,",
        f"* L {curves.length * 1e6:g} um, {curves.celsius:g} deg C, {int(each.used.sum())} points.",
        f"* Median |ln(measured / card)|: {off}.",
        "* For this width and length, with the source at the bulk. Oxide, junctions, capacitances,",
        "* temperature and bulk effect are generic180's; the data tell nothing of them.",
    ]
    return "\n".join(lines) + "\n" + card.fit.text.replace(name, f"{name}{number}")


def write_extraction(
    extractions: Sequence[Extraction],
    folder: Path,
    temperature: Mapping[str, Value] | None = None,
    cards: Sequence[ExtractedCard | None] = (),
) -> list[Path]:
    """`extraction.json`, and a figure and a card for each set of curves.

    Raises:
        RunFolderError: the folder cannot be written.
    """
    paths = [folder / "extraction.json"]
    paths += [folder / f"extraction{k}.png" for k in range(len(extractions))]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(summary(extractions, temperature, cards), indent=2) + "\n"
        paths[0].write_text(text, encoding="utf-8")
        for each, path in zip(extractions, paths[1:], strict=True):
            _picture(each, path)
        for old in folder.glob("card*.spice"):
            # Of an earlier extraction; another's file stays.
            if re.fullmatch(r"card\d+\.spice", old.name):
                old.unlink()
        for k, card in enumerate(cards):
            if card:
                paths.append(folder / _card_name(k))
                paths[-1].write_text(card_text(extractions[k], card, k), encoding="utf-8")
    except OSError as error:
        raise RunFolderError(f"cannot write into {folder}: {error.strerror}.") from None
    return paths


def _plain(value: Value) -> dict[str, Any]:
    return {"value": _number(value.value), "sigma": _number(value.sigma), "unit": value.unit}


def _number(value: float) -> float | None:
    """JSON knows no NaN."""
    return float(value) if np.isfinite(value) else None


def _picture(each: Extraction, path: Path) -> None:
    """Data, model and residual by region, against the gate voltage."""
    from matplotlib.figure import Figure

    curves = each.curves
    vg, vd, vs, current = curves.magnitudes()
    figure = Figure(figsize=(6.5, 5.5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    left_out = ~each.used & (current > 0)
    upper.semilogy(vg[left_out], current[left_out], ".", color="0.8", label="left out")
    for name, colour in _COLOURS.items():
        own = np.array([region == name for region in each.region])
        if own.any():
            upper.semilogy(vg[own], current[own], ".", color=colour, label=name)
            lower.plot(vg[own], each.residuals[own], ".", color=colour)
    bulk = np.abs(vs) < 1e-9
    for drain in np.unique(np.round(vd[bulk & each.used], 6)):
        own = bulk & (np.abs(vd - drain) < 1e-6)
        axis = np.linspace(vg[own].min(), vg[own].max(), 200)
        if np.ptp(axis) == 0:
            continue
        model = each.ekv.current(
            axis, np.full_like(axis, drain), np.zeros_like(axis), width=curves.width,
            length=curves.length, celsius=curves.celsius,
        )  # fmt: skip
        upper.semilogy(axis, model, "k-", linewidth=0.7)
    if each.floor > 0:
        upper.axhline(3 * each.floor, color="0.5", linestyle=":", label="three times the noise")
    seen = current[current > 0]
    upper.set_ylim(bottom=max(seen.min(initial=1.0) / 3, 1e-16))
    upper.set_ylabel("drain current (A)")
    upper.legend(fontsize=8, loc="lower right")
    lower.axhline(0, color="k", linewidth=0.7)
    lower.set_ylabel("ln(measured / EKV)")
    lower.set_xlabel("gate voltage, magnitude (V)")
    where = Path(curves.source).name
    upper.set_title(
        f"{where}: W {curves.width * 1e6:g} µm, L {curves.length * 1e6:g} µm, "
        f"{curves.celsius:g} °C",
        fontsize=9,
    )
    figure.savefig(path, dpi=150)
