"""Measured or simulated curves of one transistor, from IC-CAP and CSV files."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError, UnknownNameError
from spicesnn.units import parse_spice_number

Array = npt.NDArray[np.float64]
Kind = Literal["nfet", "pfet"]
COLUMNS = ("vg", "vd", "vs", "vb", "id")
_OPTIONAL = ("vs", "vb")


@dataclass(frozen=True)
class Curves:
    """Points of one transistor; all arrays have shape (points,).

    Attributes:
        vg, vd, vs, vb: terminal voltages, volts, with the device's own signs.
        id: current into the drain of one transistor, amperes.
        kind: nfet or pfet.
        width, length: drawn, metres.
        celsius: temperature.
        source: file or simulation that they come from.
    """

    vg: Array
    vd: Array
    vs: Array
    vb: Array
    id: Array
    kind: Kind
    width: float
    length: float
    celsius: float = 27.0
    source: str = ""

    @property
    def sign(self) -> int:
        """Of its voltages and current: 1 for an nfet, -1 for a pfet."""
        return 1 if self.kind == "nfet" else -1

    def magnitudes(self) -> tuple[Array, Array, Array, Array]:
        """Gate, drain and source against the bulk and the current, as of an n transistor."""
        vg, vd, vs = (self.sign * (v - self.vb) for v in (self.vg, self.vd, self.vs))
        return vg, vd, vs, self.sign * self.id


@dataclass(frozen=True)
class Layout:
    """How a file's columns are called and in which unit they are.

    Attributes:
        names: ours (`vg`, `vd`, `vs`, `vb`, `id`) to the file's.
        scales: ours to the factor that makes it volts or amperes.
        multiplicity: transistors in parallel; the current is divided by it.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    scales: Mapping[str, float] = field(default_factory=dict)
    multiplicity: float = 1.0

    def column(self, name: str) -> str:
        """The file's name of one of ours."""
        return self.names.get(name, name)


def read_curves(
    path: Path,
    kind: Kind,
    width: float,
    length: float,
    *,
    celsius: float = 27.0,
    layout: Layout | None = None,
) -> Curves:
    """Read a file by its suffix: `.mdm` (IC-CAP), else CSV with a line of names.

    Args:
        path: the file.
        kind: nfet or pfet.
        width: drawn, metres.
        length: drawn, metres.
        celsius: temperature of the measurement.
        layout: names, units and multiplicity, where they are not the usual ones.

    Raises:
        DataError: a column is missing, a row cannot be read, or the signs are not those of the
            device; the message has the row and the reason.
    """
    layout = layout or Layout()
    if min(width, length) <= 0:
        raise DataError(f"W/L = {width:g}/{length:g} m: give both in metres, larger than nothing.")
    if layout.multiplicity <= 0:
        raise DataError(
            f"a multiplicity of {layout.multiplicity:g} makes no sense: give 1 or more."
        )
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    read = _mdm if path.suffix.lower() == ".mdm" else _csv
    columns = read(text, path, layout)
    values = {
        name: columns[name] * layout.scales.get(name, 1.0) if name in columns
        else np.zeros_like(columns["id"])
        for name in COLUMNS
    }  # fmt: skip
    if not values["id"].size:
        raise DataError(f"{path} holds no points.")
    values["id"] = values["id"] / layout.multiplicity
    curves = Curves(**values, kind=kind, width=width, length=length, celsius=celsius,
                    source=str(path))  # fmt: skip
    _check(curves, path)
    return curves


def _check(curves: Curves, path: Path) -> None:
    """Signs and sizes that no transistor of this kind has."""
    vg, vd, _, current = curves.magnitudes()
    widest = max(float(np.ptp(curves.vg)), float(np.ptp(curves.vd)))
    if widest > 100:
        raise DataError(
            f"{path}: voltages span {widest:g} V; if they are millivolts, say so by "
            "--unit vg=mV --unit vd=mV."
        )
    if vd.max(initial=0.0) <= 0 < -vd.min(initial=0.0):
        other = "pfet" if curves.kind == "nfet" else "nfet"
        raise DataError(
            f"{path}: its drain voltages, {curves.vd.min():g} to {curves.vd.max():g} V, are of "
            f"the sign of an {other}, not of an {curves.kind}; look at --device."
        )
    largest = float(np.abs(current).max(initial=0.0))
    if largest > 1:
        raise DataError(
            f"{path}: currents reach {largest:g} A; if they are in microamperes, say so by "
            "--unit id=uA."
        )
    on = (vg >= 0.8 * vg.max(initial=0.0)) & (vd > 0) & (np.abs(current) > 0.1 * largest)
    if on.any() and np.median(current[on]) < 0:
        raise DataError(
            f"{path}: the drain currents of this {curves.kind} are negative where it conducts "
            f"(median {np.median(curves.id[on]):.3g} A). If the file counts current out of the "
            "drain, say so by --unit id=-A; else look at --device."
        )


def _csv(text: str, path: Path, layout: Layout) -> dict[str, Array]:
    rows = csv.reader(text.splitlines())
    head = [name.strip() for name in next(rows, [])]
    places: dict[str, int] = {}
    for name in COLUMNS:
        theirs = layout.column(name)
        if theirs in head:
            places[name] = head.index(theirs)
        elif name not in _OPTIONAL or name in layout.names:
            raise DataError(
                f"{path} has no column {theirs!r} ({name}); it has {', '.join(head) or 'none'}. "
                f"Map it by --column {name}=NAME."
            )
    values: dict[str, list[float]] = {name: [] for name in places}
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        for name, place in places.items():
            cell = row[place].strip() if place < len(row) else ""
            values[name].append(_number(cell, path, number, head[place]))
    return {name: np.array(column) for name, column in values.items()}


def _number(cell: str, path: Path, row: int, column: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        reason = "is empty" if not cell else f"holds {cell!r}"
        raise DataError(
            f"{path}, row {row}: column {column} {reason}, which is no number; mend or remove the "
            "row. Units belong into --unit, not into the cells."
        ) from None
    if not np.isfinite(value):
        raise DataError(f"{path}, row {row}: column {column} holds {cell}; remove the row.")
    return value


def _mdm(text: str, path: Path, layout: Layout) -> dict[str, Array]:
    """IC-CAP's text: blocks with their constant voltages and a table each."""
    blocks: list[dict[str, Array]] = []
    fixed: dict[str, float] = {}
    names: list[str] = []
    table: list[list[float]] = []
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        if words[0] == "BEGIN_DB":
            fixed, names, table, inside = {}, [], [], True
        elif words[0] == "END_DB":
            blocks.append(_block(fixed, names, table, layout, path, number))
            inside = False
        elif words[0] == "ICCAP_VAR" and inside and len(words) == 3:
            fixed[words[1].lower()] = _number(words[2], path, number, words[1])
        elif words[0].startswith("#"):
            names = [word.lower() for word in re.sub(r"^\s*#", "", line).split()]
        elif inside:
            if len(words) != len(names):
                raise DataError(
                    f"{path}, row {number}: {len(words)} values for {len(names)} columns; the file "
                    "is cut off or damaged there."
                )
            table.append([_number(w, path, number, n) for w, n in zip(words, names, strict=True)])
    if inside:
        raise DataError(f"{path} ends inside a block; it is cut off.")
    if not blocks:
        raise DataError(f"{path} holds no IC-CAP data (no BEGIN_DB).")
    # A voltage that a block does not state is that of its ground.
    return {
        name: np.concatenate([block.get(name, np.zeros_like(block["id"])) for block in blocks])
        for name in COLUMNS
    }


def _block(
    fixed: dict[str, float], names: list[str], table: list[list[float]], layout: Layout,
    path: Path, number: int,
) -> dict[str, Array]:  # fmt: skip
    ours = {layout.column(name).lower(): name for name in COLUMNS}
    values = np.array(table, dtype=np.float64).reshape(len(table), len(names))
    block = {ours[n]: values[:, k] for k, n in enumerate(names) if n in ours}
    block |= {ours[n]: np.full(len(table), v) for n, v in fixed.items() if n in ours}
    needed = [name for name in COLUMNS if name not in _OPTIONAL or name in layout.names]
    lacking = [name for name in needed if name not in block]
    if lacking:
        raise DataError(
            f"{path}, block ending at row {number}: no {', '.join(lacking)}; it has "
            f"{', '.join([*fixed, *names])}. Map it by --column {lacking[0]}=NAME."
        )
    return block


def parse_kind(text: str) -> Kind:
    """Take a kind of transistor, nfet or pfet.

    Raises:
        UnknownNameError: it is neither.
    """
    for kind in get_args(Kind):
        if text == kind:
            return kind  # type: ignore[no-any-return]
    raise UnknownNameError("device", text, get_args(Kind))


def parse_unit(text: str, of: str) -> float:
    """The factor of a unit such as `mV`, `uA` or `-A`; `of` is `V` or `A`.

    Raises:
        DataError: it is no unit of voltage or current.
    """
    match = re.fullmatch(rf"(-?)([pnumk]?)({of})", text.strip())
    if not match:
        raise DataError(f"{text!r} is no unit here; give one such as {of}, m{of}, u{of} or -{of}.")
    sign, prefix, _ = match.groups()
    return (-1.0 if sign else 1.0) * (parse_spice_number(f"1{prefix}") if prefix else 1.0)
