"""How updates become programming pulses. A write is one pulse on one device."""

from __future__ import annotations

import numpy as np

from spicesnn.devices import PulseArray
from spicesnn.learning.rules import Update


def write(devices: PulseArray, update: Update, rng: np.random.Generator) -> tuple[PulseArray, int]:
    """Carry out an update on differential pairs, shape (2, rows, units): G+ and G-.

    Raising a weight is one pulse: SET on G+ or RESET on G-, by a fair coin, so that the pair's
    mean stays in the middle of the range without reading it. Lowering mirrors it.

    Returns:
        The devices after it, and the number of writes.
    """
    up_on_plus = rng.binomial(update.up, 0.5)
    down_on_plus = rng.binomial(update.down, 0.5)
    set_pulses = np.stack([up_on_plus, update.down - down_on_plus])
    reset_pulses = np.stack([down_on_plus, update.up - up_on_plus])
    writes = int(set_pulses.sum() + reset_pulses.sum())
    return devices.pulsed(set_pulses, reset_pulses, rng), writes
