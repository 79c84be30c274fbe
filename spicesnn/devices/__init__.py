"""Memristive devices, found by name; one preset a source."""

from __future__ import annotations

from spicesnn.devices.neurosim import NeuroSimCurve
from spicesnn.devices.ode import Ode
from spicesnn.devices.pcm import PhaseChange
from spicesnn.devices.presets import ODE_PRESETS
from spicesnn.devices.presets.pulse import PRESETS as PULSE_PRESETS
from spicesnn.devices.presets.pulse.jo2010 import JO2010
from spicesnn.devices.presets.pulse.nandakumar2018 import NANDAKUMAR2018
from spicesnn.devices.pulse_array import PulseArray
from spicesnn.devices.pulse_map import PulseMap
from spicesnn.errors import UnknownNameError

Device = Ode | PulseMap
ODES: dict[str, Ode] = {device.name: device for device in ODE_PRESETS}
PULSE_MAPS: dict[str, PulseMap] = {device.name: device for device in PULSE_PRESETS}
DEVICES: dict[str, Device] = {**ODES, **PULSE_MAPS}

__all__ = [
    "DEVICES",
    "JO2010",
    "NANDAKUMAR2018",
    "ODES",
    "PULSE_MAPS",
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
