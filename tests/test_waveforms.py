from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spicesnn.errors import DataError, UnknownNameError
from spicesnn.waveforms import Waveforms, read_raw, read_waveforms


def test_netcdf_round_trip_keeps_values_and_units(tmp_path: Path) -> None:
    import xarray

    time = np.linspace(0, 1e-3, 11)
    Waveforms(time, {"v(a)": time * 2, "i(vdd)": -time}).to_netcdf(tmp_path / "w.nc")
    with xarray.open_dataset(tmp_path / "w.nc", engine="netcdf4") as data:
        np.testing.assert_array_equal(data["v(a)"], time * 2)
        assert data["v(a)"].attrs["units"] == "V"
        assert data["i(vdd)"].attrs["units"] == "A"


def test_unknown_signal_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no signal named 'v\(memm\)'; did you mean"):
        Waveforms(np.zeros(1), {"v(mem)": np.zeros(1)})["v(memm)"]


def test_raw_file_that_is_not_one(tmp_path: Path) -> None:
    path = tmp_path / "x.raw"
    path.write_text("hello")
    with pytest.raises(DataError, match="is not a binary ngspice raw file"):
        read_raw(path)


TIME = np.linspace(0, 1e-3, 50)
HEAD = "Title: * t\nDate: Mon Nov 23 12:00:00 2026\nPlotname: Transient Analysis\nFlags: real\n"


def variables(*names: str) -> tuple[str, str]:
    listed = "".join(f"\t{k}\t{n}\tvoltage\n" for k, n in enumerate(("time", *names)))
    return f"No. Variables: {1 + len(names)}\nNo. Points: {TIME.size}        \n", listed


def ltspice(path: Path) -> None:
    """UTF-16 header, times as doubles, values as floats."""
    counts, listed = variables("V(X1:OUT)")
    command = "Command: Linear Technology Corporation LTspice XVII\n"
    head = HEAD.replace("real", "real forward") + counts + "Offset: 0.0\n" + command
    record = np.zeros(TIME.size, dtype=[("time", "<f8"), ("v", "<f4")])
    record["time"], record["v"] = TIME, np.sin(1e4 * TIME)
    text = f"{head}Variables:\n{listed}Binary:\n"
    path.write_bytes(text.encode("utf-16-le") + record.tobytes())


def xyce(path: Path) -> None:
    """One byte a character, all doubles, upper case."""
    counts, listed = variables("V(X1:OUT)")
    table = np.column_stack([TIME, np.sin(1e4 * TIME)]).astype("<f8")
    path.write_bytes(f"{HEAD}{counts}Variables:\n{listed}Binary:\n".encode() + table.tobytes())


def ascii_raw(path: Path) -> None:
    counts, listed = variables("v(x1.out)")
    rows = "".join(f" {k}\t{t:.17g}\n\t{np.sin(1e4 * t):.17g}\n" for k, t in enumerate(TIME))
    path.write_text(
        f"{HEAD}{counts}Command: version ngspice-46\nVariables:\n{listed}Values:\n{rows}"
    )


def our_raw(path: Path) -> None:
    Waveforms(TIME, {"v(x1.out)": np.sin(1e4 * TIME)}).to_raw(path)


def our_netcdf(path: Path) -> None:
    Waveforms(TIME, {"v(x1.out)": np.sin(1e4 * TIME)}).to_netcdf(path)


def csv(path: Path) -> None:
    rows = "\n".join(f"{t:.17g}\t{np.sin(1e4 * t):.17g}" for t in TIME)
    path.write_text(f"time\tV(x1:out)\n{rows}\n")


@pytest.mark.parametrize(
    ("write", "suffix"),
    [(ltspice, "raw"), (xyce, "raw"), (ascii_raw, "raw"), (our_raw, "raw"), (our_netcdf, "nc"),
     (csv, "csv")],
)  # fmt: skip
def test_files_of_other_simulators(
    write: Callable[[Path], None], suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"other.{suffix}"
    write(path)
    waves = read_waveforms(path)
    assert list(waves.signals) == ["v(x1.out)"]
    np.testing.assert_allclose(waves.time, TIME)
    np.testing.assert_allclose(waves["v(x1.out)"], np.sin(1e4 * TIME), atol=1e-7)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.raw", "hello", "is not a raw file"),
        ("x.csv", "time,a\n1,2\n3,b\n", "cannot be read"),
        ("x.csv", "time\n1\n", "holds no waveform"),
        ("x.vcd", "", "ends with one of .nc, .csv"),
        ("x.nc", "hello", "cannot be read"),
    ],
)
def test_files_that_cannot_be_read(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        read_waveforms(tmp_path / name)
