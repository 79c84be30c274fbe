"""Measured 1.8 V transistors of SKY130: files, the rule of exclusion, regions, the split.

Folder names and file names are those of the published measurements, shortened (docs/silicon.md).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt

from spicesnn.fit.curves import Curves, Kind, Layout, read_curves
from spicesnn.units import thermal_voltage

Array = npt.NDArray[np.float64]
Selection = npt.NDArray[np.bool_]

# As published, `sky130_fd_pr__nfet_01v8_w7u_l8u_m1(8008_4_5_IDVG).mdm`, or shortened.
_NAME = re.compile(
    r"(?:sky130_fd_pr__)?(?P<kind>[np]fet)_01v8_w(?P<w>[\dp]+)u_l(?P<l>[\dp]+)u_m(?P<m>\d+)[_(]"
    r"(?P<site>.+?)_(?P<sweep>IDVG|IDVD)(_D3)?\)?\.mdm"
)
# Currents of a square in moderate inversion: where gm/Id of the first card of W = L = 1 um is
# 0.618 of its highest. Only the borders of the regions hang on them.
SPECIFIC = {"nfet": 541e-9, "pfet": 69e-9}
# Regions of inversion (Enz and Vittoz 2006) and the goal of each, median |ln(card / silicon)|.
GOALS = {"weak": 0.25, "moderate": 0.25, "strong": 0.06}
KINDS: tuple[Kind, ...] = get_args(Kind)
SHORTEST = 0.18e-6
# Inversion coefficient up to which arrays count: above it the millivolts over their series
# resistance show (0.1 V drives 2.2 mA at most through the 1,276 of W0.82 L0.18: under 45 ohms).
ARRAY_LIMIT = 0.01


@dataclass(frozen=True)
class Device:
    """One measured device.

    Attributes:
        name: its geometry in words.
        site: where on the wafer or module.
        gate: its Id(Vg), a device of a multiplicity divided by it.
        drain: its Id(Vd).
        multiplicity: transistors in parallel.
    """

    name: str
    site: str
    gate: Curves
    drain: Curves
    multiplicity: int

    @property
    def geometry(self) -> tuple[str, float, float, int]:
        """Kind, drawn width and length (metres), transistors in parallel."""
        c = self.gate
        return c.kind, c.width, c.length, self.multiplicity

    @cached_property
    def squares(self) -> float:
        """Width over length."""
        return self.gate.width / self.gate.length

    def at(self, vg: float, vd: float) -> float:
        """Magnitude of the current at a gate and drain voltage, no bulk bias."""
        c, sign = self.gate, self.gate.sign
        near = np.abs(sign * c.vg - vg) + np.abs(sign * c.vd - vd) + np.abs(c.vb)
        return sign * float(c.id[np.argmin(near)])

    def sweep(self, vd: float) -> tuple[Array, Array]:
        """Rising gate voltages and currents at a drain voltage, no bulk bias, magnitudes."""
        c, sign = self.gate, self.gate.sign
        own = (np.abs(c.vb) < 1e-6) & (np.abs(sign * c.vd - vd) < 1e-6)
        order = np.argsort(sign * c.vg[own])
        return sign * c.vg[own][order], sign * c.id[own][order]


def read_devices(folder: Path) -> list[Device]:
    """All devices with both files, in order of kind, geometry and site."""
    files: dict[tuple[str, ...], dict[str, Path]] = {}
    for path in sorted(folder.glob("*/*.mdm")):
        match = _NAME.fullmatch(path.name)
        if match:
            key = match["kind"], match["w"], match["l"], match["m"], match["site"]
            files.setdefault(key, {})[match["sweep"]] = path
    found = []
    for (kind, w, long, m, site), both in files.items():
        if len(both) < 2:
            continue
        width, length = (float(text.replace("p", ".")) * 1e-6 for text in (w, long))
        layout = Layout(multiplicity=int(m))
        gate, drain = (
            read_curves(both[sweep], kind, width, length, layout=layout)  # type: ignore[arg-type]
            for sweep in ("IDVG", "IDVD")
        )
        name = f"{kind} W{width * 1e6:g} L{length * 1e6:g}" + (f" x{m}" if m != "1" else "")
        found.append(Device(name, site, gate, drain, int(m)))
    return sorted(found, key=lambda d: (d.geometry, d.site))


# The rule of exclusion; it looks at Id(Vg) without bulk bias alone, at no card and at no fit.


def fault(device: Device, devices: Sequence[Device]) -> str:
    """Why a device is left out; empty where it is not."""
    if device.multiplicity > 1:
        level = noise(device.gate, 0.0) / device.squares / SPECIFIC[device.gate.kind]
        # First 1e-4. An array at 2e-5, then held out, gave n = 2.99: its leak is in its slope.
        return "" if level < 1e-5 else f"leaks {level:.1g} of the specific current"
    ratio = _of_its_length(device, devices)
    if not 0.5 < ratio < 2:
        return f"strong current {ratio:.2f} of the median of its length"
    same = [
        d.at(1.8, 0.1)
        for d in devices
        if d.geometry == device.geometry and 0.5 < _of_its_length(d, devices) < 2
    ]
    ratio = device.at(1.8, 0.1) / float(np.median(same))
    if len(same) >= 3 and not 0.75 < ratio < 1.25:
        return f"strong current at low drain voltage {ratio:.2f} of the median of its geometry"
    low, high = device.sweep(0.1), device.sweep(1.8)
    floor = 3 * noise(device.gate, 0.0)
    for gate, current in (low, high):
        if (np.diff(current) < -0.02 * current[1:] - floor).any():
            return "current falls as the gate rises"
        above = current > floor
        if not above.any():
            return "no current above the floor"
        border = np.array([1e-8, 1e-7]) * device.squares
        if current[above][0] < border[0]:
            edges = np.interp(np.log(border), np.log(current[above]), gate[above])
            decade = 1e3 * float(edges[1] - edges[0])
            if not 60 < decade < 200:
                return f"{decade:.0f} mV for the decade to 100 nA a square"
    if (high[1] < 0.9 * low[1] - floor).any():
        return "less current at the higher drain voltage"
    return ""


def _of_its_length(device: Device, devices: Sequence[Device]) -> float:
    """Current a square in strong inversion over the median of single devices of its length."""
    lot = [
        d.at(1.8, 0.1) / d.squares
        for d in devices
        if d.gate.kind == device.gate.kind
        and d.gate.length == device.gate.length
        and d.multiplicity == 1
    ]
    return device.at(1.8, 0.1) / device.squares / float(np.median(lot))


def noise(curves: Curves, bulk: float) -> float:
    """Noise floor (with any leakage) of a file at a bulk voltage's magnitude, amperes a device."""
    off = (np.abs(curves.vg) <= 0.2 + 1e-6) & (np.abs(np.abs(curves.vb) - bulk) < 1e-6)
    return 1.4826 * float(np.median(np.abs(curves.id[off])))


def clean(curves: Curves) -> Selection:
    """Points above three times the noise floor of their file and bulk voltage."""
    floors = np.array([noise(curves, abs(v)) for v in curves.vb])
    return np.asarray(curves.sign * curves.id > 3 * floors)


def inversion(curves: Curves, gate: Curves) -> Array:
    """Inversion coefficient of each point by the current in saturation, shape (points,).

    Of `gate`, the device's Id(Vg) at 1.8 V across the channel, at the point's gate and bulk.
    """
    top = np.abs(np.abs(gate.vd) - 1.8) < 1e-6
    current = np.empty(curves.id.size)
    for bulk in np.unique(curves.vb):
        own, known = np.abs(curves.vb - bulk) < 1e-6, top & (np.abs(gate.vb - bulk) < 1e-6)
        order = np.argsort(np.abs(gate.vg[known]))
        levels = np.log(np.maximum(np.abs(gate.id[known]), 1e-18))[order]
        current[own] = np.interp(np.abs(curves.vg[own]), np.abs(gate.vg[known])[order], levels)
    current = np.exp(current)
    return current * gate.length / gate.width / SPECIFIC[gate.kind]


def region(curves: Curves, gate: Curves) -> npt.NDArray[np.str_]:
    """Region of inversion of each point, shape (points,)."""
    level = inversion(curves, gate)
    return np.select([level < 0.1, level < 10], ["weak", "moderate"], "strong")


def usable(device: Device, curves: Curves) -> Selection:
    """The points of a device that are compared: clean ones, current flowing, of arrays the low."""
    good = clean(curves) & (np.abs(curves.vd) > 1e-6)
    level = inversion(curves, device.gate)
    return good & (level < ARRAY_LIMIT) if device.multiplicity > 1 else good


def is_short(device: Device) -> bool:
    """Shorter than the cards' range."""
    return device.gate.length < SHORTEST


def array_for_slope(device: Device) -> bool:
    """An array shorter than the cards' range: its slope counts and nothing else."""
    return is_short(device) and device.multiplicity > 1


def split(devices: Sequence[Device], turn: int = 1) -> tuple[list[Device], list[Device]]:
    """Devices of the fit and those held out, by order alone.

    Geometries at two or more sites: every third site from the second is held out. Geometries at
    one: in order of area every third from the second; arrays below the range likewise, apart.
    Single devices below the range are in neither list (the narrow ones help the fit, see
    `silicon_fit`). `turn` 0 and 2 hold out the other thirds.
    """
    held: list[Device] = []
    served = [d for d in devices if not is_short(d) or d.multiplicity > 1]
    for kind in KINDS:
        own = [d for d in served if d.gate.kind == kind]
        sites: dict[object, list[Device]] = {}
        for each in own:
            sites.setdefault(each.geometry, []).append(each)
        for several in (s for s in sites.values() if len(s) > 1):
            held += several[turn::3]
        single = sorted(
            (s[0] for s in sites.values() if len(s) == 1),
            key=lambda d: d.gate.width * d.gate.length,
        )
        for lot in ([d for d in single if is_short(d)], [d for d in single if not is_short(d)]):
            held += lot[turn::3]
    out = {id(d) for d in held}
    return [d for d in served if id(d) not in out], held


def slope_factor(device: Device, current: Array) -> float:
    """Slope factor n of Id(Vg) in weak inversion, bulk at the source; NaN under four points.

    Args:
        device: its clean points count.
        current: of Id(Vg): measured or a card's, shape (points,).
    """
    c = device.gate
    good = usable(device, c) & (inversion(c, c) < 0.1) & (np.abs(c.vb) < 1e-6)
    found = []
    for vd in (0.1, 1.8):
        own = good & (np.abs(np.abs(c.vd) - vd) < 1e-6)
        if own.sum() >= 4:
            line = np.polyfit(np.abs(c.vg[own]), np.log(np.abs(current[own])), 1)
            found.append(1 / (thermal_voltage(c.celsius) * line[0]))
    return float(np.mean(found)) if found else float("nan")


def sound(folder: Path) -> tuple[list[Device], dict[str, str]]:
    """Devices that the rule keeps, and why the others are left out, by name and site."""
    devices = read_devices(folder)
    if not devices:
        raise SystemExit(
            f"{folder} holds no files such as nfet_01v8/nfet_01v8_w7u_l8u_m1_..._IDVG.mdm"
        )
    judged = [(d, fault(d, devices)) for d in devices]
    good = [d for d, reason in judged if not reason]
    return good, {f"{d.name}, {d.site}": reason for d, reason in judged if reason}
