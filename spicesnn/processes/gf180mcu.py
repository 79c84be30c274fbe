"""`gf180mcu`: GlobalFoundries' open 180 nm process, at 3.3 V (Apache-2.0)."""

from __future__ import annotations

from pathlib import Path

from spicesnn.processes.installed import Layout, find_library
from spicesnn.processes.process import Corner, Mismatch, Mosfet, Process

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
_SOURCE = "GF180MCU PDK, section fets_mm of sm141064.ngspice (its par_vth and par_k are of pairs)"


def gf180mcu(corner: Corner, path: Path | None) -> Process:
    """The process.

    Raises:
        ProcessNotFoundError: the PDK is not installed.
    """
    library = find_library(LAYOUT, path)
    return Process(
        name="gf180mcu",
        supply=3.3,
        nfet=_mosfet("nfet_03v3", 0.22e-6, 0.28e-6, 3.3, 7.148e-9, 7.008e-9, -0.1e-6, 0.15e-6),
        pfet=_mosfet("pfet_03v3", 0.22e-6, 0.28e-6, 3.3, 6.66e-9, 2.833e-9, -0.1e-6, 0.15e-6),
        thick_nfet=_mosfet("nfet_06v0", 0.3e-6, 0.6e-6, 6.0, 11.55e-9, 0.0, -0.5e-6, 0.4e-6),
        thick_pfet=_mosfet("pfet_06v0", 0.3e-6, 0.5e-6, 6.0, 10.51e-9, 5.17e-9, -0.4e-6, 0.3e-6),
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


def _mosfet(
    model: str, width: float, length: float, rating: float, pair_vt: float, pair_beta: float,
    width_loss: float, length_loss: float,
) -> Mosfet:  # fmt: skip
    half = 0.7071  # as the PDK writes it
    mismatch = Mismatch(
        a_vt=half * pair_vt, a_beta=half * pair_beta, width_loss=width_loss,
        length_loss=length_loss, source=_SOURCE,
    )  # fmt: skip
    return Mosfet(
        model=model, minimum_width=width, minimum_length=length,
        switch_length=max(length, 0.5e-6), diffusion_length=0.44e-6,
        rating=rating, mismatch=mismatch, inner="m0",
    )  # fmt: skip
