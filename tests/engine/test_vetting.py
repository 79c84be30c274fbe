"""Hostile decks: none runs a program, reads outside its roots or writes outside its folder."""

from pathlib import Path

import pytest

from spicesnn.engine.foreign import parse_deck
from spicesnn.engine.installation import find_installation
from spicesnn.engine.online import OnlineSession
from spicesnn.engine.session import Session
from spicesnn.engine.worker import Form
from spicesnn.errors import DeckError, UnsafeDeckError

BODY = "r1 a 0 1k\nv1 a 0 1\n.op\n"
HOSTILE = {
    "control section": (".control\nshell touch {marker}\n.endc\n", "can run programs"),
    "upper case": (".CONTROL\nshell touch {marker}\n.ENDC\n", "can run programs"),
    "exec": (".exec touch {marker}\n", "can run programs"),
    "back-quote": (".param x=`touch {marker}`\n", "back-quote"),
    "command in a comment": ("*# shell touch {marker}\n", r"begins with \*#"),
    "shell variable": (".param x=$(touch {marker})\n", "reach the shell"),
    "shell variable in an include": (".include $(touch {marker})\n", "must be plain"),
    "control character": ("r2 a 0 1k\x1c.control\n", "control character"),
    "lone carriage return": ("r2 a 0 1k\r.control\n", "control character"),
    "numerical device that writes": (
        ".model m numd level=1\n+ output rootfile=\"{marker}\" stat\n", "can read files",
    ),
    "numerical device by its type": (".model m numos level=1\n", "can read files"),
    "doping from a file": (".model m nmos level=1 infile=x\n", "can read files"),
    "include elsewhere": (".include /etc/passwd\n", "outside the allowed folders"),
    "include above": (".include ../secret.txt\n", "outside the allowed folders"),
    "include at home": (".include ~/.netrc\n", "without ~ or variables"),
    "include with blanks": (".include \"a b.inc\"\n", "must be plain"),
    "include half quoted": (".include \"a.inc\n", "must be plain"),
    "library elsewhere": ('.lib "/etc/passwd" tt\n', "outside the allowed folders"),
    "link out of the folder": (".include link.inc\n", "outside the allowed folders"),
    "control in an include": (".include inner.inc\n", "can run programs"),
    "folder as a file": (".include .\n", "not a plain file"),
    "code model": ("a1 [a] [b] thief\n", "A element runs"),
    "model that starts a program": (
        ".model  thief  d_process process_file=\"{marker}\"\n", "can read files or run code",
    ),
    "model that reads a file": (".model t filesource file=\"/etc/passwd\"\n", "can read files"),
    "compiled model": ("n1 a 0 thief\n", "compiled code"),
    "loading code": (".pre_osdi {marker}\n", "not a command that a deck needs"),
    "unknown command": (".codemodel {marker}\n", "not a command that a deck needs"),
    "write": (".write {marker}\n", "not a command that a deck needs"),
    "source file": ("v2 b 0 pwl file=\"/etc/passwd\"\n", "must not read a file"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_deck_is_refused_with_line_and_reason(name: str, tmp_path: Path) -> None:
    text, reason = HOSTILE[name]
    marker, folder = tmp_path / "marker", tmp_path / "deck"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("r2 a 0 1k\n")
    (folder / "link.inc").symlink_to(tmp_path / "secret.txt")
    (folder / "inner.inc").write_text(f".control\nshell touch {marker}\n.endc\n")
    deck = f"title\n{BODY}{text.format(marker=marker)}.end\n"
    with pytest.raises(UnsafeDeckError, match=reason) as error:
        parse_deck(deck, folder)
    assert "line" in str(error.value)
    assert "give --trust" in str(error.value)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b".include evil.inc$\n", "evil.inc$"),
        (b".include evil.inc;x\n", "evil.inc;x"),
        (b".include b.inc\x1c*evil\n", "b.inc\x1c*evil"),
        (b".include b.inc\xc2\x85evil\n", "b.inc\x85evil"),
        (b".include e\xff.inc\n", "e\udcff.inc"),
        (b".lib evil$ tt\n", "evil$"),
    ],
)
def test_an_include_that_ngspice_reads_otherwise_is_refused(
    line: bytes, name: str, tmp_path: Path
) -> None:
    """ngspice reads included files itself: its file must be the one that was vetted."""
    (tmp_path / "a.inc").write_bytes(line)
    (tmp_path / name).write_text(".control\nshell touch marker\n.endc\n.lib tt\n.endl\n")
    (tmp_path / "b.inc").write_text("r9 a 0 1k\n")
    with pytest.raises(UnsafeDeckError, match=r"a\.inc, line 1: .*(must be plain|control char)"):
        parse_deck(f"title\n{BODY}.include a.inc\n", tmp_path)


def test_options_in_an_include_are_checked(tmp_path: Path) -> None:
    for text, message in (
        (".options retol=1e-4\n", "the option retol is unknown"),
        (".options gmin=1e-12\n", "the option gmin is the solver's: put it into the deck"),
        (".options filetype=ascii\n", "the option filetype is unknown"),
    ):
        (tmp_path / "a.inc").write_text(text)
        with pytest.raises(DeckError, match=message):
            parse_deck(f"title\n{BODY}.include a.inc\n", tmp_path)
    (tmp_path / "a.inc").write_text(".option scale=1e-6\n")
    parse_deck(f"title\n{BODY}.include a.inc\n", tmp_path)


@pytest.mark.parametrize("first", ["*ng_script", "\ufeff*ng_script\n.control", "*# shell ls"])
def test_a_title_is_vetted_too(first: str, tmp_path: Path) -> None:
    with pytest.raises(UnsafeDeckError, match="line 1"):
        parse_deck(f"{first}\n{BODY}", tmp_path)


@pytest.mark.parametrize("form", ["library", "batch", "online"])
def test_start_up_files_are_not_read(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither of the working folder nor of the home."""
    marker = tmp_path / "marker"
    (tmp_path / ".spiceinit").write_text(f"shell touch {marker}\n")
    deck = parse_deck(f"title\n{BODY.replace('.op', '.tran 1n 10n')}", tmp_path).deck
    installation = find_installation()  # a private copy lies in the true home
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    if form == "online":
        OnlineSession(deck, ("v1",), installation=installation).run(lambda time, values: {})
    else:
        kind: Form = "batch" if form == "batch" else "library"
        with Session(deck, form=kind, installation=installation) as session:
            session.run()
    assert Path.cwd() == tmp_path
    assert not marker.exists()


def test_includes_inside_the_roots_are_allowed(tmp_path: Path) -> None:
    folder, library = tmp_path / "deck", tmp_path / "library"
    folder.mkdir()
    library.mkdir()
    (library / "models.inc").write_text(".model d1 d is=1e-14\n")
    deck = f"title\n.include {library}/models.inc\n{BODY}"
    with pytest.raises(UnsafeDeckError, match="allow it with --root"):
        parse_deck(deck, folder)
    parse_deck(deck, folder, roots=[library])
    with pytest.raises(DeckError, match="cannot read"):
        parse_deck(f"title\n.include {library}/missing.inc\n{BODY}", folder, roots=[library])
