"""A BSIM4 card for ngspice, fitted to measured or simulated curves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from spicesnn.engine.pool import Pool
from spicesnn.errors import DataError, ParameterError, SimulationError, UnknownNameError
from spicesnn.fit.at_points import currents_at_points, without_ratings
from spicesnn.fit.curves import Curves
from spicesnn.fit.least_squares import Fit, fit
from spicesnn.fit.mos import Extraction
from spicesnn.processes import Mosfet, find_process

Array = npt.NDArray[np.float64]
Selection = npt.NDArray[np.bool_]

# Start, lowest and highest of each fitted parameter, as of an n transistor: our choice, near the
# defaults of BSIM4 (BSIM4.8.1 manual, appendix A) where those are usable. `nfactor` stops where a
# long transistor's slope factor is about 1.4 (docs/silicon.md); a negative `prwg` or `dlcig` makes
# ngspice mend the card for some sizes only, and answers depend on what ran before.
PARAMETERS: dict[str, tuple[float, float, float]] = {
    "vth0": (0.5, 0.1, 1.4), "k1": (0.55, 0.2, 1.1), "k2": (-0.03, -0.2, 0.1),
    "k3": (0.0, -60.0, 60.0), "k3b": (0.0, -10.0, 10.0), "w0": (1e-7, 0.0, 5e-6),
    "dvt0": (2.2, 0.0, 10.0), "dvt1": (0.53, 0.05, 3.0), "dvt2": (-0.032, -0.3, 0.1),
    "lpe0": (5e-8, -3e-7, 5e-7), "lpeb": (0.0, -3e-7, 3e-7),
    "u0": (0.03, 1e-3, 0.1), "ua": (1e-9, -3e-9, 6e-9), "ub": (1e-18, -2e-18, 6e-18),
    "uc": (0.0, -3e-10, 3e-10), "vsat": (8e4, 2e4, 3e5), "a0": (1.0, 0.0, 6.0),
    "ags": (0.2, 0.0, 3.0), "keta": (-0.01, -0.2, 0.1),
    "rdsw": (200.0, 0.0, 4000.0), "prwg": (0.0, 0.0, 1.0), "prwb": (0.0, -0.5, 0.5),
    "nfactor": (1.5, 0.2, 2.2), "cdsc": (2.4e-4, 0.0, 5e-3), "cdscd": (0.0, 0.0, 2e-3),
    "cdscb": (0.0, -1e-3, 1e-3), "voff": (-0.08, -0.25, 0.05), "voffl": (0.0, -5e-8, 5e-8),
    "minv": (0.0, -2.0, 2.0), "eta0": (0.08, 0.0, 1.0), "etab": (-0.07, -0.5, 0.1),
    "dsub": (0.56, 0.05, 2.0), "pclm": (1.3, 0.02, 6.0), "pdiblc1": (0.39, 0.0, 2.0),
    "pdiblc2": (0.0086, 0.0, 0.1), "drout": (0.56, 0.0, 2.0), "pvag": (0.0, -1.0, 6.0),
    "delta": (0.01, 1e-3, 0.1), "lint": (0.0, -4e-8, 4e-8), "wint": (0.0, -8e-8, 8e-8),
    # BSIM4's width terms, of 1/W in 1/um.
    "wvth0": (0.0, -0.1, 0.1), "wk1": (0.0, -0.2, 0.2), "wk2": (0.0, -0.05, 0.05),
    "wvoff": (0.0, -0.05, 0.05), "wnfactor": (0.0, -0.6, 0.6), "wminv": (0.0, -0.5, 0.5),
    "wu0": (0.0, -0.01, 0.01), "wua": (0.0, -1e-9, 1e-9), "wub": (0.0, -1e-18, 1e-18),
    "wa0": (0.0, -1.0, 1.0),
}  # fmt: skip
# What curves of one geometry with the source at the bulk tell of: the others describe how length,
# width and bulk move these.
ONE_GEOMETRY = (
    "vth0", "u0", "ua", "ub", "vsat", "a0", "ags", "rdsw", "prwg", "nfactor", "cdscd", "voff",
    "minv", "eta0", "pclm", "pdiblc2", "delta",
)  # fmt: skip
# A p transistor's threshold is negative; holes are slower.
_P_STARTS = {"vth0": -0.5, "u0": 0.008}
# A parameter pulls to its start as one data point of weight 1 would, over this part of its range.
_PULL = 0.15
# A residual of 1 / `_FINE` in ln I is where robustness begins for one transistor.
_FINE = 30.0
# A median residual above this is no card of the data.
_FAR = 0.3


@dataclass(frozen=True)
class CardFit:
    """A fitted card.

    Attributes:
        parameters: fitted ones by name, as of the model (a p transistor's threshold is negative).
        shifts: of each device's threshold, volts, by its number.
        text: the card.
        fit: values, covariance and weighted residuals.
    """

    parameters: dict[str, float]
    shifts: dict[int, float]
    text: str
    fit: Fit

    @property
    def cost(self) -> float:
        """What was made smallest (soft L1 of the weighted residuals)."""
        return float(2 * np.sum(np.sqrt(1 + self.fit.residuals**2) - 1))


@dataclass(frozen=True)
class ExtractedCard:
    """The card of one transistor, and how far it is from the data.

    Attributes:
        fit: the card.
        residuals: median |ln(measured / card)| by region.
    """

    fit: CardFit
    residuals: Mapping[str, float]


def with_parameters(card: str, parameters: Mapping[str, float]) -> str:
    """A card's text with some of its `name=value` replaced, or added at its end.

    Raises:
        DataError: the text holds no BSIM card or several.
    """
    if len(re.findall(r"(?m)^\.model\b", card)) != 1:
        raise DataError("the card to start from must hold one .model and nothing else.")
    added = []
    for name, value in parameters.items():
        card, found = re.subn(rf"\b{name}=\S+", f"{name}={value:.12g}", card)
        if not found:
            added.append(f"{name}={value:.12g}")
    lines = ["+ " + " ".join(added[k : k + 4]) for k in range(0, len(added), 4)]
    return "\n".join([card.rstrip(), *lines]) + "\n"


def fit_card(
    curves: Sequence[Curves],
    selected: Sequence[Selection],
    weights: Sequence[Array],
    mosfet: Mosfet,
    card: str,
    names: Sequence[str],
    pool: Pool,
    *,
    start: Mapping[str, float] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    centred: Sequence[bool] = (),
    spread: float = 0.0,
    devices: Sequence[int] = (),
) -> CardFit:
    """Fit a card in ln I to curves of one or several geometries, by ngspice's own model.

    Args:
        curves: one set a device, all of one kind and temperature.
        selected: points to fit, shape (points,) a set.
        weights: of the selected points' residuals, shape (selected,) a set.
        mosfet: name of the card's model and layout rule.
        card: text with what is not fitted.
        names: of the parameters to fit, of `PARAMETERS`.
        pool: where the sweeps run.
        start: first guess where it is not that of `PARAMETERS`.
        bounds: as of the model, where they are not those of `PARAMETERS`.
        centred: sets of which only the shape counts: the mean of ln I is taken off.
        spread: standard deviation of the threshold from device to device, volts; where it is not 0,
            each device has a shift of its own in the fit, so that neither the slope nor the
            geometry terms bend to make up for it. The card is that of no shift.
        devices: of each set of curves, a number of its device.

    Raises:
        DataError: fewer points than parameters, curves of both kinds, or a start that ngspice
            cannot simulate.
        UnknownNameError: a name is not of `PARAMETERS`.
        ParameterError: a spread without the numbers of the devices.
    """
    for name in names:
        if name not in PARAMETERS:
            raise UnknownNameError("parameter to fit", name, PARAMETERS)
    if spread and len(devices) != len(curves):
        raise ParameterError(
            "a spread from device to device needs a number for each set of curves."
        )
    if any(each.kind != mosfet.kind for each in curves):
        raise DataError(f"these curves are not all of one {mosfet.kind}; fit each kind by itself.")
    points = sum(int(s.sum()) for s in selected)
    if points < len(names):
        raise DataError(
            f"{points} points cannot give {len(names)} parameters ({', '.join(names)}); measure "
            "more, or fit fewer."
        )
    lowest, highest = ({n: PARAMETERS[n][k] for n in names} for k in (1, 2))
    sign = mosfet.sign
    if sign < 0 and "vth0" in names:
        lowest["vth0"], highest["vth0"] = -highest["vth0"], -lowest["vth0"]
    first = {n: PARAMETERS[n][0] for n in names}
    if sign < 0:
        first |= {n: v for n, v in _P_STARTS.items() if n in names}
    first |= {n: v for n, v in (start or {}).items() if n in names}
    limits = {n: (lowest[n], highest[n]) for n in names} | dict(bounds or {})
    middle = np.array([first[n] for n in names])
    width = np.array([_PULL * (limits[n][1] - limits[n][0]) for n in names])
    flat = centred or [False] * len(curves)
    own = [f"shift {k}" for k in sorted(set(devices))] if spread else []
    first |= dict.fromkeys(own, 0.0)
    limits |= dict.fromkeys(own, (-6 * spread, 6 * spread))
    middle = np.append(middle, np.zeros(len(own)))
    width = np.append(width, np.full(len(own), spread))
    every = [*names, *own]

    try:
        currents_at_points(
            mosfet, [with_parameters(card, {n: first[n] for n in names})], curves, pool
        )
    except SimulationError as error:
        sizes = sorted({f"{c.width * 1e6:g}/{c.length * 1e6:g}" for c in curves})
        raise DataError(
            f"the card to start from cannot be simulated at W/L {', '.join(sizes)} um, "
            f"{curves[0].celsius:g} deg C: {error} Check sizes and temperature."
        ) from None

    def shaped(values: Array, weight: Array, only_shape: bool) -> Array:
        return weight * (values - np.mean(values) if only_shape else values)

    def several(sets: Sequence[Mapping[str, float]]) -> list[Array]:
        cards = [with_parameters(card, {n: one[n] for n in names}) for one in sets]
        shifts = [[one[f"shift {k}"] for k in devices] for one in sets] if spread else None
        found = currents_at_points(
            mosfet, cards, curves, pool, shifts=shifts, raise_on_failure=False
        )
        answers = []
        for one, currents in zip(sets, found, strict=True):
            logs = [
                shaped(np.log(np.nan_to_num(sign * i[s], nan=0.0).clip(1e-30)), w, f)
                for i, s, w, f in zip(currents, selected, weights, flat, strict=True)
            ]
            pull = (np.array([one[n] for n in every]) - middle) / width
            answers.append(np.concatenate([*logs, pull]))
        return answers

    wanted = [
        shaped(np.log(sign * c.id[s]), w, f)
        for c, s, w, f in zip(curves, selected, weights, flat, strict=True)
    ]
    found = fit(
        lambda one: several([one])[0], np.concatenate([*wanted, np.zeros(len(every))]), first,
        limits, several=several, robust=True,
    )  # fmt: skip
    values = dict(zip(found.names, map(float, found.values), strict=True))
    parameters = {n: values[n] for n in names}
    shifts = {k: values[f"shift {k}"] for k in sorted(set(devices))} if spread else {}
    return CardFit(parameters, shifts, with_parameters(card, parameters), found)


def fit_extracted(each: Extraction, pool: Pool) -> ExtractedCard:
    """A card of the one transistor of an extraction, from the points that it used.

    Oxide, junctions, capacitances, temperature and bulk effect are those of `generic180`'s card,
    as these curves tell nothing of them; length and width belong to the card.

    Raises:
        DataError: fewer points than parameters, sizes or a temperature that cannot be simulated, or
            a card that stays far from the data.
    """
    curves = _used(each)
    mosfet, card = _unfitted(curves)
    regions = np.array(each.region)[each.used]
    weights = np.empty(regions.size)
    for name in np.unique(regions):
        inside = regions == name
        weights[inside] = _FINE / np.sqrt(inside.mean())
    threshold = mosfet.sign * each.values["v_t0"].value
    found = fit_card(
        [curves], [np.ones(regions.size, dtype=np.bool_)], [weights], mosfet, card, ONE_GEOMETRY,
        pool, start={"vth0": threshold},
        bounds={"vth0": (threshold - 0.5, threshold + 0.5), "nfactor": (0.2, 6.0)},
    )  # fmt: skip
    residuals = _card_residuals(curves, regions, found, pool)
    far = {n: v for n, v in residuals.items() if v > _FAR}
    if far:
        name = max(far, key=lambda n: far[n])
        raise DataError(
            f"no BSIM4 card comes near {curves.source or 'the curves'}: in {name} inversion it is "
            f"off by a factor of {np.exp(far[name]):.3g} (median); look at --w, --l, --unit and "
            "--multiplicity."
        )
    return ExtractedCard(found, residuals)


def _card_residuals(
    curves: Curves, regions: npt.NDArray[np.str_], card: CardFit, pool: Pool
) -> dict[str, float]:
    """Median |ln(measured / card)| by region, by ngspice."""
    current = currents_at_points(_unfitted(curves)[0], [card.text], [curves], pool)[0][0]
    off = np.abs(np.log(np.maximum(curves.id / current, 1e-12)))
    return {
        name: float(np.median(off[regions == name])) for name in dict.fromkeys(map(str, regions))
    }


def _used(each: Extraction) -> Curves:
    """The points of an extraction that were used."""
    c, own = each.curves, each.used
    return replace(c, vg=c.vg[own], vd=c.vd[own], vs=c.vs[own], vb=c.vb[own], id=c.id[own])


def _unfitted(curves: Curves) -> tuple[Mosfet, str]:
    """`generic180`'s transistor under another name, and its card without what is fitted."""
    process = find_process("generic180")
    own = process.mosfet(curves.kind)
    name = f"extracted_{curves.kind}"
    cards = re.split(r"(?m)^(?=\.model )", process.models)
    card = next(text for text in cards if own.model in text).replace(own.model, name)
    # Its ratings go as well: they are those of another transistor.
    card = re.sub(rf"\b({'|'.join(PARAMETERS)})=\S+ ?", "", without_ratings(card))
    card = re.sub(r"\btnom=\S+", f"tnom={curves.celsius:g}", card)
    lines = [line for line in card.splitlines() if line.strip() not in ("", "+")]
    return own.model_copy(update={"model": name}), "\n".join(lines) + "\n"
