"""Memristive devices, found by name; one preset a source."""

from __future__ import annotations

from spicesnn.devices.pulse_map import JO2010, PulseArray, PulseMap
from spicesnn.errors import UnknownNameError

DEVICES = {JO2010.name: JO2010}

__all__ = ["DEVICES", "JO2010", "PulseArray", "PulseMap", "find_device"]


def find_device(name: str) -> PulseMap:
    """The device preset of this name.

    Raises:
        UnknownNameError: there is none; the nearest names are offered.
    """
    try:
        return DEVICES[name]
    except KeyError:
        raise UnknownNameError("device preset", name, DEVICES) from None
