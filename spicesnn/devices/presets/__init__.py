"""Numbers of devices, a module a source; each says what was fitted and what is not claimed."""

from spicesnn.devices.ode import Ode
from spicesnn.devices.presets import (
    jiang2014,
    lammie2022,
    nugent2014,
    threshold_switches,
    yakopcic2013,
    zhou2022,
)

ODE_PRESETS: tuple[Ode, ...] = (
    *jiang2014.PRESETS,
    *lammie2022.PRESETS,
    *nugent2014.PRESETS,
    *threshold_switches.PRESETS,
    *yakopcic2013.PRESETS,
    *zhou2022.PRESETS,
)
