"""`generic180`: the embedded 1.8 V, 180 nm-style process (`models/generic180/README.md`)."""

from __future__ import annotations

import re
from pathlib import Path

from spicesnn.assets import asset
from spicesnn.processes.process import Corner, Mosfet, Process, Variation

# A fast transistor's threshold is lower by this (volts) and its mobility higher by this factor; a
# slow one is its mirror image. Our choice: SKY130's corners move its 1.8 V transistors by 10 to
# 37 mV and by 2 to 10 %.
_SHIFT, _MOBILITY = 0.03, 1.04
_VARIATION = Variation(
    a_vt=4.1e-9, a_beta=1e-8, global_vt=_SHIFT / 3,
    source="assumed: about 1 mV um per nm of oxide (Pelgrom et al., IEDM 1998); 1 % um; a third "
    "of the corners from die to die",
)  # fmt: skip
_THICK_VARIATION = _VARIATION.model_copy(update={"a_vt": 7e-9})


def generic180(corner: Corner) -> Process:
    """The process; sizes and layout rule are our choices for a 180 nm node."""
    library = asset("models", "generic180", "generic180.spice")
    # In a folder of its own: `installed.digest`, and with it the identity of what was trained on
    # the core transistors, covers the library's folder.
    thick = asset("models", "generic180", "thick", "thick_oxide.spice")
    common = {
        "minimum_width": 0.42e-6, "minimum_length": 0.18e-6, "diffusion_length": 0.54e-6,
        "rating": 1.95, "variation": _VARIATION,
    }  # fmt: skip
    thick_common = common | {"rating": 3.6, "variation": _THICK_VARIATION}
    return Process(
        name="generic180",
        supply=1.8,
        nfet=Mosfet(model="generic180_nfet", kind="nfet", switch_length=0.18e-6, **common),
        pfet=Mosfet(model="generic180_pfet", kind="pfet", switch_length=0.25e-6, **common),
        thick_nfet=Mosfet(
            model="generic180_nfet_3v3", kind="nfet",
            **(thick_common | {"minimum_length": 0.35e-6, "switch_length": 0.35e-6}),
        ),
        thick_pfet=Mosfet(
            model="generic180_pfet_3v3", kind="pfet",
            **(thick_common | {"minimum_length": 0.3e-6, "switch_length": 0.3e-6}),
        ),
        thick_supply=3.3,
        corner=corner,
        coldest=-40,
        hottest=125,
        library=library,
        models=_shifted(_cards(library), corner),
        thick_models=_shifted(_cards(thick), corner),
        validated="drain currents of both core transistors against silicon",
        assumed="capacitances, junctions, temperature, corners, mismatch, noise; all of the "
        "thick pair",
    )  # fmt: skip


def _cards(library: Path) -> str:
    """The cards of a library; its comments stay there."""
    lines = library.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.strip() and not line.startswith("*"))


def _shifted(cards: str, corner: Corner) -> str:
    """The cards with threshold and mobility of a corner."""
    head, nfet, pfet = re.split(r"(?=^\.model )", cards, flags=re.M)
    for_each = zip((nfet, pfet), corner, strict=True)
    return head + "".join(_moved(card, {"t": 0, "f": 1, "s": -1}[how]) for card, how in for_each)


def _moved(card: str, sign: int) -> str:
    """One card, made faster (sign 1) or slower (-1)."""
    if not sign:
        return card
    values = dict(re.findall(r"\b(\w+)=(\S+)", card))
    vth0, u0 = float(values["vth0"]), float(values["u0"])
    # A p transistor's threshold is negative.
    vth0 += -sign * _SHIFT if vth0 > 0 else sign * _SHIFT
    card = re.sub(r"\bvth0=\S+", f"vth0={vth0:.6g}", card)
    return re.sub(r"\bu0=\S+", f"u0={u0 * _MOBILITY**sign:.6g}", card)
