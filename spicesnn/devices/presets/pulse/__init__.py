"""Numbers of the kinds that answer to pulses, a module a source."""

from __future__ import annotations

from spicesnn.devices.presets.pulse import (
    choi2018,
    jerry2017,
    jo2010,
    kuzum2012,
    nandakumar2018,
    park2013,
    woo2016,
    wu2018,
)
from spicesnn.devices.pulse_map import PulseMap

PRESETS: tuple[PulseMap, ...] = (
    *jo2010.PRESETS,
    *wu2018.PRESETS,
    *park2013.PRESETS,
    *woo2016.PRESETS,
    *kuzum2012.PRESETS,
    *choi2018.PRESETS,
    *jerry2017.PRESETS,
    *nandakumar2018.PRESETS,
)
