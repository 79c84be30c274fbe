"""Energy that supplies deliver, integrated from waveforms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from spicesnn.waveforms import Waveforms


def supply_energy(waveforms: Waveforms, supplies: Mapping[str, float]) -> float:
    """Sum over supplies of the integral of -V I dt, in joules (trapezoidal rule).

    ngspice counts a source's current as positive when it flows into its plus terminal, so a
    supply that delivers energy has a negative current; one that takes it up counts against.

    Args:
        waveforms: with the signals named in `supplies`.
        supplies: `i(source)` to the source's constant voltage.

    Raises:
        UnknownNameError: a current was not recorded.
    """
    time = waveforms.time
    return float(sum(-v * np.trapezoid(waveforms[name], time) for name, v in supplies.items()))


def channel_heat(waveforms: Waveforms, transistors: Iterable[str]) -> float:
    """Sum over transistors of the integral of I_D V_DS, in joules (trapezoidal rule).

    What is left of the sources' energy is stored in capacitances, or flows through junctions.

    Args:
        waveforms: with `@device[id]` and `@device[vds]` of each.
        transistors: ngspice's names.

    Raises:
        UnknownNameError: one of them was not recorded.
    """
    time = waveforms.time
    return float(sum(
        np.trapezoid(waveforms[f"@{name}[id]"] * waveforms[f"@{name}[vds]"], time)
        for name in transistors
    ))  # fmt: skip
