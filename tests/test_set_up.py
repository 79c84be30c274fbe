"""The set-up script: deriving package sources, choosing versions, finding ngspice."""

import importlib.util
import os
import subprocess
from pathlib import Path

import pytest

from spicesnn.engine import installation as found
from spicesnn.engine.installation import find_all, find_installation, parse_version
from spicesnn.errors import NgspiceNotFoundError

_PATH = Path(__file__).resolve().parents[1] / "tools" / "get_ngspice.py"
_spec = importlib.util.spec_from_file_location("get_ngspice", _PATH)
assert _spec
assert _spec.loader
tool = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tool)

BASE = """Types: deb
URIs: http://packages.example.invalid/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/archive.gpg"""
SECURITY = BASE.replace("bookworm bookworm-updates", "bookworm-security")


def test_backports_are_the_base_entry_with_another_suite() -> None:
    derived = tool.derive_backports([BASE, SECURITY], "bookworm")
    assert derived == [BASE.replace("bookworm bookworm-updates", "bookworm-backports")]
    assert tool.derive_backports([SECURITY], "bookworm") == []


def test_one_line_entries_become_paragraphs() -> None:
    line = "deb [signed-by=/k.gpg arch=amd64,arm64] http://packages.example.invalid/d trixie main x"
    assert tool.to_deb822(line).splitlines() == [
        "Types: deb",
        "URIs: http://packages.example.invalid/d",
        "Suites: trixie",
        "Components: main x",
        "Signed-By: /k.gpg",
        "Architectures: amd64 arm64",
    ]
    assert tool.to_deb822("# deb http://packages.example.invalid/d trixie main") is None
    assert tool.to_deb822("deb-src http://packages.example.invalid/d trixie main") is None


def test_the_newest_version_is_chosen() -> None:
    assert tool.newest(["39.3+ds-1", "46+ds-1~bpo12+1", "44.2+ds-1"]) == "46+ds-1~bpo12+1"
    assert tool.newest([]) is None
    assert tool.major_of("1:46+ds-1~bpo12+1") == 46


def test_hosts_do_not_show_in_messages() -> None:
    text = tool._without_hosts("Failed to fetch http://packages.example.invalid/x  404")
    assert "example" not in text


@pytest.mark.parametrize(
    ("text", "version", "klu"),
    [
        ("******\n** ngspice-39 : Circuit level simulation program\n", 39, False),
        (
            "******\n** ngspice-46 : Circuit level simulation program\n"
            "** Compiled with KLU Direct Linear Solver\n",
            46,
            True,
        ),
        ("ngspice-45.2 : x", 45, False),
        ("command not found", 0, False),
    ],
)
def test_versions_are_read(text: str, version: int, klu: bool) -> None:
    assert (parse_version(text)[0], parse_version(text)[2]) == (version, klu)


@pytest.fixture
def fresh_search() -> None:
    find_all.cache_clear()
    find_installation.cache_clear()


@pytest.mark.usefixtures("fresh_search")
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPICESNN_NGSPICE", str(tmp_path / "nowhere"))
    with pytest.raises(NgspiceNotFoundError, match=r"SPICESNN_NGSPICE = .*nowhere does not exist"):
        find_installation()


@pytest.mark.usefixtures("fresh_search")
def test_no_ngspice_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(found, "_installed_library", lambda: None)
    with pytest.raises(NgspiceNotFoundError, match=r"ngspice \(>= 39\) was not found; run `make"):
        find_installation()
    find_all.cache_clear()
    find_installation.cache_clear()


@pytest.mark.usefixtures("fresh_search")
def test_the_newest_found_is_used() -> None:
    assert find_installation().version == max(i.version for i in find_all())


def test_what_a_version_can_do_is_known() -> None:
    """Whether it loads compiled Verilog-A, asked of the program itself (39 does not)."""
    for ngspice in find_all():
        deck = "t\nr1 a 0 1\nv1 a 0 1\n.control\nosdi nosuch.osdi\nquit\n.endc\n.end\n"
        said = subprocess.run(
            [str(ngspice.program), "-n", "-b", "/dev/stdin"], input=deck, text=True, check=False,
            capture_output=True, timeout=60, env={**os.environ, **ngspice.environment()},
        )  # fmt: skip
        lacks = "no such command" in (said.stdout + said.stderr)
        assert ngspice.osdi != lacks
