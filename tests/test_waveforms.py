from pathlib import Path

import numpy as np
import pytest

from spicesnn.errors import DataError, UnknownNameError
from spicesnn.waveforms import Waveforms, read_raw


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
