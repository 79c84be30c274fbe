"""`generic180`: the embedded 1.8 V, 180 nm-style process (`models/generic180/README.md`)."""

from __future__ import annotations

from spicesnn.assets import asset
from spicesnn.processes.process import Mosfet, Process


def generic180() -> Process:
    """The process; sizes and layout rule are our choices for a 180 nm node."""
    sizes = {"minimum_width": 0.42e-6, "minimum_length": 0.18e-6, "diffusion_length": 0.54e-6}
    return Process(
        name="generic180",
        supply=1.8,
        nfet=Mosfet(model="generic180_nfet", **sizes),
        pfet=Mosfet(model="generic180_pfet", **sizes),
        library=asset("models", "generic180", "generic180.spice"),
    )
