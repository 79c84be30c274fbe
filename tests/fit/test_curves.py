"""Files of curves: IC-CAP and CSV, and what is said of bad ones."""

from pathlib import Path

import numpy as np
import pytest

from spicesnn.errors import DataError, UnknownNameError
from spicesnn.fit.curves import Layout, parse_kind, parse_unit, read_curves

MDM = """! VERSION = 6.00
BEGIN_HEADER
 ICCAP_INPUTS
  VG V B GROUND SMU4 0.001 LIN 1 0 1.8 37 0.05
END_HEADER

BEGIN_DB
 ICCAP_VAR VS         0
 ICCAP_VAR VD         0.1
 ICCAP_VAR VB         -0.9

 #VG              IG              ID
  0               -3.3e-010       2e-12
  0.5             2.0e-010        4e-8
END_DB

BEGIN_DB
 ICCAP_VAR VS         0
 ICCAP_VAR VD         1.8
 ICCAP_VAR VB         0

 #VG              IG              ID
  0               -3.3e-010       4e-12
  0.5             2.0e-010        8e-8
END_DB
"""


def write(folder: Path, text: str, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_iccap_blocks_become_points(tmp_path: Path) -> None:
    path = write(tmp_path, MDM, "d.mdm")
    own = read_curves(path, "nfet", 1e-6, 1e-6, layout=Layout(multiplicity=2))
    assert own.vg.tolist() == [0, 0.5, 0, 0.5]
    assert own.vd.tolist() == [0.1, 0.1, 1.8, 1.8]
    assert own.vb.tolist() == [-0.9, -0.9, 0, 0]
    assert own.id.tolist() == [1e-12, 2e-8, 2e-12, 4e-8]


def test_a_csv_with_its_own_names_and_units(tmp_path: Path) -> None:
    path = write(tmp_path, "Gate, Drain, Current\n0,100,1\n500,100,2000\n1000,100,5000\n")
    layout = Layout(
        {"vg": "Gate", "vd": "Drain", "id": "Current"},
        {"vg": parse_unit("mV", "V"), "vd": parse_unit("mV", "V"), "id": parse_unit("nA", "A")},
    )
    own = read_curves(path, "nfet", 1e-6, 1e-6, layout=layout)
    assert own.vg.tolist() == [0, 0.5, 1.0]
    np.testing.assert_allclose(own.id, [1e-9, 2e-6, 5e-6])
    assert own.vb.tolist() == [0, 0, 0]


def test_a_missing_column_is_named_with_those_there(tmp_path: Path) -> None:
    path = write(tmp_path, "vg,vd,i\n0,1,2\n")
    with pytest.raises(DataError, match=r"no column 'id' \(id\); it has vg, vd, i\. Map it by"):
        read_curves(path, "nfet", 1e-6, 1e-6)
    path = write(tmp_path, MDM.replace("ID", "IX"), "d.mdm")
    with pytest.raises(DataError, match=r"block ending at row 15: no id; it has .* --column id="):
        read_curves(path, "nfet", 1e-6, 1e-6)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("1uA", "holds '1uA', which is no number"), ("", "is empty"), ("nan", "holds nan; remove")],
)
def test_a_bad_cell_is_named_by_its_row(tmp_path: Path, cell: str, reason: str) -> None:
    path = write(tmp_path, f"vg,vd,id\n0,1,1e-9\n0.1,1,{cell}\n")
    with pytest.raises(DataError, match=f"row 3: column id {reason}"):
        read_curves(path, "nfet", 1e-6, 1e-6)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (MDM.rsplit("END_DB", 1)[0], "ends inside a block; it is cut off"),
        (MDM.replace("4e-8", ""), "row 14: 2 values for 3 columns"),
        (MDM.replace("4e-8", "4e-x"), "row 14: column id holds '4e-x'"),
        ("! VERSION = 6.00\n", "holds no IC-CAP data"),
    ],
)
def test_a_damaged_iccap_file_is_named_by_its_row(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read_curves(write(tmp_path, text, "d.mdm"), "nfet", 1e-6, 1e-6)


def test_negative_drain_currents_are_answered(tmp_path: Path) -> None:
    """Current counted out of the drain, or a pfet taken for an nfet."""
    path = write(tmp_path, "vg,vd,id\n0,1,-1e-12\n0.9,1,-1e-6\n1.8,1,-1e-4\n")
    with pytest.raises(DataError, match=r"nfet are negative where it conducts .* --unit id=-A"):
        read_curves(path, "nfet", 1e-6, 1e-6)
    own = read_curves(path, "nfet", 1e-6, 1e-6, layout=Layout(scales={"id": parse_unit("-A", "A")}))
    assert own.id[-1] == 1e-4


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("vg,vd,id\n0,1000,1e-9\n1800,1000,1e-4\n", "if they are millivolts, say so by"),
        ("vg,vd,id\n0,1,1\n1.8,1,100\n", "if they are in microamperes, say so by"),
    ],
)
def test_mixed_units_are_suspected(tmp_path: Path, text: str, hint: str) -> None:
    with pytest.raises(DataError, match=hint):
        read_curves(write(tmp_path, text), "nfet", 1e-6, 1e-6)


def test_units_and_kinds() -> None:
    assert parse_unit("uA", "A") == 1e-6
    assert parse_unit("-A", "A") == -1
    assert parse_unit("mV", "V") == 1e-3
    with pytest.raises(DataError, match="'volt' is no unit here; give one such as V, mV"):
        parse_unit("volt", "V")
    with pytest.raises(DataError, match="'uA' is no unit here"):
        parse_unit("uA", "V")
    assert parse_kind("pfet") == "pfet"
    with pytest.raises(UnknownNameError, match="no device named 'nmos'"):
        parse_kind("nmos")


def test_a_bulk_voltage_of_some_blocks_is_theirs(tmp_path: Path) -> None:
    text = MDM.replace(" ICCAP_VAR VB         0\n", "")
    own = read_curves(write(tmp_path, text, "d.mdm"), "nfet", 1e-6, 1e-6)
    assert own.vb.tolist() == [-0.9, -0.9, 0, 0]
    with pytest.raises(DataError, match=r"no vb; it has .* Map it by --column vb=NAME"):
        read_curves(
            write(tmp_path, text, "d.mdm"), "nfet", 1e-6, 1e-6, layout=Layout({"vb": "VBULK"})
        )


def test_a_spreadsheets_mark_and_empty_files(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_bytes(b"\xef\xbb\xbfvg,vd,id\n0,1,1e-9\n1,1,1e-6\n")
    assert read_curves(path, "nfet", 1e-6, 1e-6).vg.size == 2
    with pytest.raises(DataError, match="holds no points"):
        read_curves(write(tmp_path, "vg,vd,id\n"), "nfet", 1e-6, 1e-6)
    with pytest.raises(DataError, match="W/L = 0/1e-06 m: give both in metres"):
        read_curves(path, "nfet", 0, 1e-6)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_curves(tmp_path / "none.csv", "nfet", 1e-6, 1e-6)
    with pytest.raises(DataError, match="multiplicity of 0 makes no sense"):
        read_curves(
            write(tmp_path, MDM, "d.mdm"), "nfet", 1e-6, 1e-6, layout=Layout(multiplicity=0)
        )


def test_curves_of_the_other_kind(tmp_path: Path) -> None:
    path = write(tmp_path, MDM, "d.mdm")
    with pytest.raises(DataError, match=r"0\.1 to 1\.8 V, are of the sign of an nfet, .* --device"):
        read_curves(path, "pfet", 1e-6, 1e-6)
