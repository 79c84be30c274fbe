"""Memristive devices, found by name; one preset a source."""

from __future__ import annotations

from spicesnn.devices.neurosim import NeuroSimCurve
from spicesnn.devices.ode import Ode
from spicesnn.devices.pcm import PhaseChange
from spicesnn.devices.presets import ODE_PRESETS
from spicesnn.devices.presets.jiang2014 import JIANG2014
from spicesnn.devices.presets.lammie2022 import LAMMIE2022
from spicesnn.devices.presets.nugent2014 import NUGENT2014
from spicesnn.devices.presets.pulse import PRESETS as PULSE_PRESETS
from spicesnn.devices.presets.pulse.choi2018 import CHOI2018
from spicesnn.devices.presets.pulse.jerry2017 import JERRY2017
from spicesnn.devices.presets.pulse.jo2010 import JO2010
from spicesnn.devices.presets.pulse.kuzum2012 import KUZUM2012
from spicesnn.devices.presets.pulse.nandakumar2018 import NANDAKUMAR2018
from spicesnn.devices.presets.pulse.park2013 import PARK2013
from spicesnn.devices.presets.pulse.woo2016 import WOO2016
from spicesnn.devices.presets.pulse.wu2018 import WU2018
from spicesnn.devices.presets.threshold_switches import AG_CLASS, NBO2_CLASS
from spicesnn.devices.presets.yakopcic2013 import YAKOPCIC2013, YAKOPCIC2013B
from spicesnn.devices.presets.zhou2022 import ZHOU2022
from spicesnn.devices.pulse_array import PulseArray
from spicesnn.devices.pulse_map import PulseMap
from spicesnn.errors import UnknownNameError

Device = Ode | PulseMap
ODES: dict[str, Ode] = {device.name: device for device in ODE_PRESETS}
PULSE_MAPS: dict[str, PulseMap] = {device.name: device for device in PULSE_PRESETS}
DEVICES: dict[str, Device] = {**ODES, **PULSE_MAPS}

__all__ = [
    "AG_CLASS",
    "CHOI2018",
    "DEVICES",
    "JERRY2017",
    "JIANG2014",
    "JO2010",
    "KUZUM2012",
    "LAMMIE2022",
    "NANDAKUMAR2018",
    "NBO2_CLASS",
    "NUGENT2014",
    "ODES",
    "PARK2013",
    "PULSE_MAPS",
    "WOO2016",
    "WU2018",
    "YAKOPCIC2013",
    "YAKOPCIC2013B",
    "ZHOU2022",
    "Device",
    "NeuroSimCurve",
    "Ode",
    "PhaseChange",
    "PulseArray",
    "PulseMap",
    "find_device",
    "find_ode",
    "find_pulse_map",
]


def find_device(name: str) -> Device:
    """The device preset of this name, of either kind.

    Raises:
        UnknownNameError: there is none; the nearest names are offered.
    """
    if name not in DEVICES:
        raise UnknownNameError("device preset", name, DEVICES)
    return DEVICES[name]


def find_ode(name: str) -> Ode:
    """The preset of equations of this name.

    Raises:
        UnknownNameError: there is none; the nearest names are offered.
    """
    if name not in ODES:
        raise UnknownNameError("device of equations", name, ODES)
    return ODES[name]


def find_pulse_map(name: str) -> PulseMap:
    """The preset of this name that answers to pulses.

    Raises:
        UnknownNameError: there is none; the nearest names are offered.
    """
    if name not in PULSE_MAPS:
        raise UnknownNameError("device that answers to pulses", name, PULSE_MAPS)
    return PULSE_MAPS[name]
