"""Labelled waveforms: NumPy inside, xarray and netCDF at the border. Knows no engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    import xarray

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Waveforms:
    """Signals on one time axis.

    Attributes:
        time: seconds, shape (points,), not decreasing.
        signals: name to values, shape (points,); `v(node)` in volts, `i(source)` in amperes.
    """

    time: Array
    signals: Mapping[str, Array]

    def __getitem__(self, name: str) -> Array:
        """Return the signal's values, shape (points,).

        Raises:
            UnknownNameError: there is no such signal.
        """
        try:
            return self.signals[name]
        except KeyError:
            raise UnknownNameError("signal", name, self.signals) from None

    def at(self, name: str, times: npt.ArrayLike) -> Array:
        """Linear interpolation of one signal at `times` (seconds)."""
        return np.asarray(np.interp(np.asarray(times), self.time, self[name]), dtype=np.float64)

    def to_xarray(self) -> xarray.Dataset:
        """Dataset with coordinate `time` and one variable a signal, with units."""
        import xarray

        data = {}
        for name, values in self.signals.items():
            kind = "A" if name.startswith("i(") else "V"
            data[name] = ("time", values, {"units": kind})
        return xarray.Dataset(data, coords={"time": ("time", self.time, {"units": "s"})})

    def to_netcdf(self, path: Path) -> None:
        """Write a netCDF-4 file."""
        self.to_xarray().to_netcdf(path, engine="netcdf4")

    def to_csv(self, path: Path) -> None:
        """Write one column for time and one a signal, in full precision."""
        table = np.column_stack([self.time, *self.signals.values()])
        header = ",".join(["time", *self.signals])
        np.savetxt(path, table, fmt="%.17g", delimiter=",", header=header, comments="")

    def to_raw(self, path: Path) -> None:
        """Write a binary raw file as ngspice does."""
        names = ["time", *self.signals]
        kinds = ["time", *("current" if n.startswith("i(") else "voltage" for n in self.signals)]
        variables = "".join(
            f"\t{k}\t{n}\t{kind}\n" for k, (n, kind) in enumerate(zip(names, kinds, strict=True))
        )
        head = (
            "Title: spicesnn\nPlotname: Transient Analysis\nFlags: real\n"
            f"No. Variables: {len(names)}\nNo. Points: {self.time.size}\n"
            f"Variables:\n{variables}Binary:\n"
        )
        table = np.column_stack([self.time, *self.signals.values()])
        path.write_bytes(head.encode() + table.astype("<f8").tobytes())


def read_waveforms(path: Path) -> Waveforms:
    """Waveforms of a file: netCDF of ours, CSV, or a raw file of ngspice, LTspice or Xyce.

    Signals are named as ngspice names them: `V(X1:OUT)` becomes `v(x1.out)`. The first column of a
    CSV file, headed by its name, is the time.

    Raises:
        DataError: the file cannot be read as what its suffix says.
    """
    readers = {".nc": _read_netcdf, ".csv": _read_csv, ".txt": _read_csv, ".raw": _read_any_raw}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: give a file that ends with one of {', '.join(readers)}.")
    try:
        time, columns = reader(path)
    except DataError:
        raise
    except Exception as error:  # the readers raise whatever they stumble on
        raise DataError(f"{path} cannot be read: {error}") from error
    signals = {name.strip().lower().replace(":", "."): values for name, values in columns.items()}
    if time.size == 0 or not signals:
        raise DataError(f"{path} holds no waveform.")
    return Waveforms(time, signals)


Columns = tuple[Array, dict[str, Array]]


def _read_netcdf(path: Path) -> Columns:
    import xarray

    with xarray.open_dataset(path, engine="netcdf4") as data:
        signals = {str(name): np.asarray(values, float) for name, values in data.items()}
        return np.asarray(data["time"], float), signals


def _read_csv(path: Path) -> Columns:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    separator = next((mark for mark in "\t,;" if mark in lines[0]), None)
    names = [name.strip().strip('"') for name in lines[0].split(separator)]
    table = np.loadtxt(lines[1:], delimiter=separator, ndmin=2)
    return table[:, 0], dict(zip(names[1:], table.T[1:], strict=True))


def _read_any_raw(path: Path) -> Columns:
    from spicelib import RawRead

    head = path.read_bytes()[:4096].replace(b"\0", b"")
    if b"Variables:" not in head:
        raise DataError(f"{path} is not a raw file.")
    # Files of Xyce and of older ngspice do not say whose they are; both hold doubles.
    file = RawRead(str(path), dialect=None if b"Command:" in head else "xyce", verbose=False)
    names = file.get_trace_names()
    columns = {name: np.asarray(file.get_wave(name), dtype=np.float64) for name in names[1:]}
    return np.asarray(file.get_axis(), dtype=np.float64), columns


def read_raw(path: Path) -> Waveforms:
    """Read the first plot of a raw file that ngspice has just written, even a broken one.

    A binary file of a transient, a sweep or an `.op`; `read_waveforms` reads those of others.

    The header's count of points is not trusted: ngspice leaves it at 0 where a run breaks off.

    Raises:
        DataError: the file is not a binary raw file of real values.
    """
    blob = path.read_bytes()
    head, mark, body = blob.partition(b"Binary:\n")
    header = head.decode(errors="replace")
    if not mark or "Variables:" not in header:
        raise DataError(f"{path} is not a binary ngspice raw file.")
    names = [
        line.split()[1].lower()
        for line in header.partition("Variables:\n")[2].splitlines()
        if line.strip()
    ]
    if "Flags: complex" in header or not names:
        raise DataError(f"{path} holds no real values.")
    rows = len(body) // (8 * len(names))
    table = np.frombuffer(body, dtype=np.float64, count=rows * len(names))
    table = table.reshape(rows, len(names))
    if "Plotname: Operating Point" in header:
        return Waveforms(np.zeros(rows), {n: table[:, k].copy() for k, n in enumerate(names)})
    signals = {n: table[:, k].copy() for k, n in enumerate(names) if k}
    return Waveforms(table[:, 0].copy(), signals)
