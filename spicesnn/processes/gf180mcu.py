"""`gf180mcu`: GlobalFoundries' open 180 nm process, at 3.3 V (Apache-2.0)."""

from __future__ import annotations

from pathlib import Path

from spicesnn.processes.installed import Layout, find_library
from spicesnn.processes.process import Corner, Mosfet, Process, Variation

LAYOUT = Layout(
    "gf180mcu",
    ("gf180mcuD", "gf180mcuC", "gf180mcuB", "gf180mcuA"),
    ("libs.tech/ngspice/sm141064.ngspice",),
)
_SECTIONS: dict[Corner, str] = {"tt": "typical", "ff": "ff", "ss": "ss", "fs": "fs", "sf": "sf"}
# The switches of the PDK's `design.ngspice`: no draws but ours, noise as extracted.
_SWITCHES = (
    ".param sw_stat_global=0 sw_stat_mismatch=0 mc_skew=3 res_mc_skew=3 cap_mc_skew=3 fnoicor=0"
)
_SOURCE = (
    "GF180MCU PDK, sm141064.ngspice: section fets_mm (its par_vth and par_k are of pairs); section "
    "statistical (of sizes near 1 um)"
)


def gf180mcu(corner: Corner, path: Path | None) -> Process:
    """The process.

    Raises:
        ProcessNotFoundError: the PDK is not installed.
    """
    library = find_library(LAYOUT, path)
    return Process(
        name="gf180mcu",
        supply=3.3,
        nfet=_mosfet("nfet_03v3", 0.22e-6, 0.28e-6, 3.3, _variation(7.148, 7.008, -0.1, 0.15, 25)),
        pfet=_mosfet("pfet_03v3", 0.22e-6, 0.28e-6, 3.3, _variation(6.66, 2.833, -0.1, 0.15, 30)),
        thick_nfet=_mosfet("nfet_06v0", 0.3e-6, 0.6e-6, 6, _variation(11.55, 0, -0.5, 0.4, 29)),
        thick_pfet=_mosfet("pfet_06v0", 0.3e-6, 0.5e-6, 6, _variation(10.51, 5.17, -0.4, 0.3, 31)),
        thick_supply=5.0,
        capacitors={"cap_mim_1f0fF": 1e-3, "cap_mim_1f5fF": 1.5e-3, "cap_mim_2f0fF": 2e-3},
        resistors={"nplus_u": 60, "pplus_u": 185, "ppolyf_u_1k": 1000, "ppolyf_u_2k": 2000},
        corner=corner,
        coldest=-40,
        hottest=125,
        library=library,
        models=f'{_SWITCHES}\n.lib "{library}" {_SECTIONS[corner]}',
        validated="by the foundry (document YI-141-SM064, revision 9); not by us",
        assumed="weak inversion under 1 pA, and what the foundry's cards leave at their defaults",
    )


def _variation(
    pair_vt: float, pair_beta: float, width_loss: float, length_loss: float, global_mv: float
) -> Variation:
    """The PDK's figures: mV um and 1e-3 um of a pair, um, mV."""
    half = 0.7071  # as the PDK writes it
    return Variation(
        a_vt=half * pair_vt * 1e-9, a_beta=half * pair_beta * 1e-9, width_loss=width_loss * 1e-6,
        length_loss=length_loss * 1e-6, global_vt=global_mv * 1e-3, source=_SOURCE,
    )  # fmt: skip


def _mosfet(model: str, width: float, length: float, rating: float, variation: Variation) -> Mosfet:
    return Mosfet(
        model=model, kind="nfet" if model.startswith("nfet") else "pfet",
        minimum_width=width, minimum_length=length,
        switch_length=max(length, 0.5e-6), diffusion_length=0.44e-6, rating=rating,
        variation=variation, inner="m0",
    )  # fmt: skip
