"""`generic180` against measured silicon on devices that its fit never saw, beside SKY130's card.

`--data DIR` is the folder of the measurements (docs/silicon.md says where they are public). `--fit`
fits the cards again, writes them into `models/generic180/generic180.spice` and scores them.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
from silicon_data import (
    GOALS,
    KINDS,
    Device,
    array_for_slope,
    region,
    slope_factor,
    sound,
    split,
    usable,
)
from silicon_fit import (
    card_of,
    fit_kind,
    fit_parts,
    mosfet_of,
    parts,
    short_narrow,
    write_cards,
    write_residuals,
)
from stored import Row, Table, row

from spicesnn.engine.pool import Pool
from spicesnn.fit.at_points import currents_at_points
from spicesnn.fit.curves import Kind
from spicesnn.processes import Mosfet, find_process

Array = npt.NDArray[np.float64]
Currents = dict[int, Array]


def simulate(
    mosfet: Mosfet, models: str, devices: Sequence[Device], pool: Pool,
    shifts: Sequence[float] | None = None,
) -> Currents:  # fmt: skip
    """Currents of a card in the place of devices, by `id` of the curves; NaN where it has none."""
    curves = [c for d in devices for c in (d.gate, d.drain)]
    moved = [[s for s in shifts for _ in range(2)]] if shifts is not None else None
    found = currents_at_points(
        mosfet, [models], curves, pool, shifts=moved, raise_on_failure=False
    )[0]  # fmt: skip
    return dict(zip(map(id, curves), found, strict=True))


def errors(devices: Sequence[Device], currents: Currents) -> dict[str, Array]:
    """Ln of a card over silicon at every compared point, by region."""
    found: dict[str, list[Array]] = {name: [] for name in GOALS}
    for device in devices:
        for curves in () if array_for_slope(device) else (device.gate, device.drain):
            selected = usable(device, curves)
            names = region(curves, device.gate)[selected]
            ratio = np.abs(currents[id(curves)][selected] / curves.id[selected])
            for name in GOALS:
                found[name].append(np.log(np.maximum(ratio[names == name], 1e-12)))
    return {name: np.concatenate([np.empty(0), *parts]) for name, parts in found.items()}


def median(values: Array) -> float:
    """Median magnitude; NaN of none."""
    return float(np.median(np.abs(values))) if values.size else float("nan")


def siblings(same: Sequence[Device], fitted: Sequence[Device]) -> dict[str, Array]:
    """Ln of what the fitted sites of a geometry carry (their median) over held-out sites of it.

    What any card could do that knows the geometry alone, but for luck.
    """
    currents: Currents = {}
    for device in same:
        others = [d for d in fitted if d.geometry == device.geometry]
        currents[id(device.gate)] = np.median([d.gate.id for d in others], axis=0)
        currents[id(device.drain)] = np.median([d.drain.id for d in others], axis=0)
    return errors(same, currents)


def repeated(held: Sequence[Device], fitted: Sequence[Device]) -> list[Device]:
    """Held-out sites of geometries that the fit saw at other sites."""
    return [d for d in held if any(f.geometry == d.geometry for f in fitted)]


def scores_of(
    kind: Kind, card: str, fitted: Sequence[Device], held: Sequence[Device], pool: Pool
) -> list[Row]:
    """Rows of one kind: ours, the PDK's, siblings, without a threshold's shift, the slope."""
    mosfet, sky = mosfet_of(kind), find_process("sky130")
    currents = simulate(mosfet, card, held, pool)
    ours = errors(held, currents)
    theirs: Currents = {}
    for device in held:
        theirs |= simulate(sky.mosfet(kind), sky.models, [device], pool)
    covered = [d for d in held if np.isfinite(theirs[id(d.gate)]).all()]
    both, pdk = errors(covered, currents), errors(covered, theirs)
    same = repeated(held, fitted)
    near, on_same = siblings(same, fitted), errors(same, currents)
    moved = [d for d in held if not array_for_slope(d)]
    shifts = fit_parts(parts(moved, GOALS), kind, card, (), {}, 0.2, pool).shifts
    own = [shifts[k] for k in range(len(moved))]
    freed = errors(moved, simulate(mosfet, card, moved, pool, own))
    rows = []
    for name, goal in GOALS.items():
        what = f"{kind}, {name}"
        value = median(ours[name])
        # The pfets' weak inversion: two sites of one geometry, near their floor.
        scored = (kind, name) != ("pfet", "weak")
        limit = (f"<= {goal:g}", value <= goal) if scored else ("not scored", None)
        rows += [
            row(f"{what}: ln(card/silicon), median magnitude", value, "1", *limit),
            row(f"{what}: points", ours[name].size),
            row(f"{what}: ours where SKY130 has a card", median(both[name])),
            row(f"{what}: SKY130's typical card there", median(pdk[name]), "1",
                "above ours" if scored else "not scored",
                median(pdk[name]) > median(both[name]) if scored else None),
            row(f"{what}: ours, repeated sites", median(on_same[name])),
            row(f"{what}: their fitted neighbours instead of a card", median(near[name])),
            row(f"{what}: ours, each threshold shifted to its device", median(freed[name])),
        ]  # fmt: skip
    factors = [(slope_factor(d, d.gate.id), slope_factor(d, currents[id(d.gate)])) for d in held]
    off = np.array([b / a - 1 for a, b in factors if np.isfinite(a)])
    pdk_factors = [
        slope_factor(d, theirs[id(d.gate)]) / slope_factor(d, d.gate.id) - 1 for d in covered
    ]
    limit = ("<= 0.04", median(off) <= 0.04) if kind == "nfet" else ("not scored", None)
    # Of the sites that the fit did not see: what is common to them is the card's own error.
    spread = 1e3 * float(np.std(own, ddof=1))
    theirs_off = median(np.array([v for v in pdk_factors if np.isfinite(v)]))
    rows += [
        row(f"{kind}: slope factor off by, median", median(off), "1", *limit),
        row(f"{kind}: slope factors compared", off.size),
        row(f"{kind}: slope factor of SKY130's card off by, median", theirs_off),
        row(f"{kind}: threshold's shift to its device, mean", 1e3 * float(np.mean(own)), "mV"),
        row(f"{kind}: threshold's shift to its device, standard deviation", spread, "mV"),
    ]  # fmt: skip
    return rows


def residual_lines(
    fitted: Sequence[Device],
    helped: Sequence[Device],
    held: Sequence[Device],
    faults: Mapping[str, str],
    pool: Pool,
) -> list[str]:
    """For the head of the cards: each device's residuals, and what was left out."""
    lines = [f"  {'device':<24}{'site':<10}{'weak':>7}{'mod.':>7}{'strong':>8}{'n':>7}"]
    for kind in KINDS:
        lots = {"fitted": fitted, "narrow ones that helped": helped, "held out": held}
        for name, lot in lots.items():
            own = [d for d in lot if d.gate.kind == kind]
            currents = simulate(mosfet_of(kind), card_of(kind), own, pool)
            lines.append(f"  {kind}, {name}")
            for device in own:
                found = errors([device], currents)
                cells = [median(found[region]) for region in GOALS]
                measured = slope_factor(device, device.gate.id)
                cells.append(slope_factor(device, currents[id(device.gate)]) / measured - 1)
                texts = ["-" if np.isnan(c) else f"{c:.2f}" for c in cells]
                lines.append(
                    f"  {device.name:<24}{device.site:<10}{texts[0]:>7}{texts[1]:>7}{texts[2]:>8}"
                    f"{texts[3]:>7}"
                )
    lines.append("Left out:")
    lines += [f"  {device}: {reason}" for device, reason in faults.items()]
    return lines


def scores(folder: Path, fit: bool, quick: bool) -> list[Row]:
    """A third of the devices, held out, against the cards that the others gave."""
    good, faults = sound(folder)
    for name, reason in faults.items():
        print(f"left out: {name}: {reason}", file=sys.stderr)
    fitted, held = split(good)
    rows = [
        row("devices measured", len(good) + len(faults)),
        row("left out by the rule", len(faults)),
        row("shorter than the range, one transistor", len(good) - len(fitted) - len(held)),
        row("of these narrow, in the fit at a quarter and a tenth", len(short_narrow(good))),
        row("of the fit", len(fitted)),
        row("held out", len(held)),
    ]
    with Pool(2) as pool:
        if fit:
            write_cards({kind: fit_kind(kind, fitted, good, pool) for kind in KINDS})
            write_residuals(residual_lines(fitted, short_narrow(good), held, faults, pool))
        for kind in KINDS:
            own, others = ([d for d in lot if d.gate.kind == kind] for lot in (fitted, held))
            rows += scores_of(kind, card_of(kind), own, others, pool)
            rows.append(row(f"{kind}: held out", len(others)))
    return rows


def rotation(folder: Path, quick: bool) -> list[Row]:
    """Each third held out in its turn, the cards fitted to the other two."""
    good, _ = sound(folder)
    rows = []
    with Pool(2) as pool:
        for kind in KINDS:
            found: list[dict[str, Array]] = []
            for turn in (1,) if quick else (0, 1, 2):
                fitted, held = split(good, turn)
                # Today's cards are those of turn 1.
                card = card_of(kind) if turn == 1 else fit_kind(kind, fitted, good, pool).text
                own = [d for d in held if d.gate.kind == kind]
                found.append(errors(own, simulate(mosfet_of(kind), card, own, pool)))
            rows += [
                row(f"{kind}, {name}: ln(card/silicon), median magnitude over all devices",
                    median(np.concatenate([part[name] for part in found])))
                for name in GOALS
            ]  # fmt: skip
    return rows


def identities() -> dict[str, str]:
    """The cards that were scored."""
    return dict.fromkeys(
        ("scores", "rotation"), sha256(find_process("generic180").models.encode()).hexdigest()[:16]
    )


def table(folder: Path, fit: bool) -> Table:
    """The benchmark with these measurements."""
    return Table(
        "silicon.json",
        "silicon-figures.md",
        "generic180 against silicon, in figures",
        "Written by `python benchmarks/silicon.py --data DIR` (`--only` for one section,\n"
        "`--quick` for a short run that is not kept). [generic180 and silicon](silicon.md) says\n"
        "what the data are and how the cards were fitted.",
        {
            "scores": functools.partial(scores, folder, fit),
            "rotation": functools.partial(rotation, folder),
        },
        identities,
    )


TABLE = table(Path(), False)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Besides: --only SECTIONS, --quick, --json, as of every benchmark.",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of nfet_01v8, pfet_01v8")
    parser.add_argument("--fit", action="store_true", help="fit the cards again and write them")
    given, rest = parser.parse_known_args()
    if given.fit and ("--quick" in rest or any("rotation" in word for word in rest)):
        parser.error("--fit writes the cards: it goes with the whole scores, not with --quick")
    table(given.data, given.fit).main(__doc__, rest)
