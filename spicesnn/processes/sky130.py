"""`sky130`: SkyWater's open 180/130 nm hybrid process, at 1.8 V (Apache-2.0)."""

from __future__ import annotations

from pathlib import Path

from spicesnn.processes.installed import Layout, find_library
from spicesnn.processes.process import Corner, Mosfet, Process, Variation

# The continuous models hold the same transistors as the full library, and load 30 times faster.
LAYOUT = Layout(
    "sky130",
    ("sky130A", "sky130B"),
    (
        "libs.tech/combined/continuous/sky130.lib.spice",
        "libs.tech/combined/sky130.lib.spice",
        "libs.tech/ngspice/sky130.lib.spice",
    ),
)
# In the PDK's section `fs` the nfet is the slow one (its threshold 27 mV higher), whatever the
# comment at the head of its library says; here the nfet's letter comes first in every process.
_SECTIONS: dict[Corner, str] = {"tt": "tt", "ff": "ff", "ss": "ss", "fs": "sf", "sf": "fs"}
_SOURCE = (
    "SKY130 PDK, models_global.spice: matching constants (of the threshold alone), and the spread "
    "that its comments give for Monte Carlo"
)


def sky130(corner: Corner, path: Path | None) -> Process:
    """The process.

    Raises:
        ProcessNotFoundError: the PDK is not installed.
    """
    library = find_library(LAYOUT, path)
    return Process(
        name="sky130",
        supply=1.8,
        nfet=_mosfet("nfet_01v8", 0.15e-6, 1.95, 3.356e-9, 6e-3),
        pfet=_mosfet("pfet_01v8", 0.15e-6, 1.95, 5.856e-9, 9e-3),
        thick_nfet=_mosfet("nfet_g5v0d10v5", 0.5e-6, 5.5, 8.2e-9, 10e-3),
        thick_pfet=_mosfet("pfet_g5v0d10v5", 0.5e-6, 5.5, 12e-9, 20e-3),
        thick_supply=5.0,
        capacitors={"sky130_fd_pr__cap_mim_m3_1": 2e-3, "sky130_fd_pr__cap_mim_m3_2": 2e-3},
        resistors={"sky130_fd_pr__res_generic_po": 48.2},
        corner=corner,
        coldest=-40,
        hottest=125,
        library=library,
        # The sections set the PDK's statistical switches to 0.
        models=f'.lib "{library}" {_SECTIONS[corner]}',
        validated="by the foundry; drain currents of 1.8 V transistors by us, against its silicon",
        assumed="weak inversion under 1 pA; a mismatch of the current factor, which the PDK lacks",
    )


def _mosfet(name: str, length: float, rating: float, a_vt: float, global_vt: float) -> Mosfet:
    model = f"sky130_fd_pr__{name}"
    variation = Variation(a_vt=a_vt, a_beta=0.0, global_vt=global_vt, source=_SOURCE)
    return Mosfet(
        model=model, kind="nfet" if name.startswith("nfet") else "pfet",
        minimum_width=0.42e-6, minimum_length=length,
        switch_length=max(length, 0.25e-6), diffusion_length=0.29e-6,
        rating=rating, inner=f"m{model}", metre=1e6, variation=variation,
    )  # fmt: skip
