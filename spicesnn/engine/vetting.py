"""Vetting of decks from outside: no line may run a program or reach a file elsewhere.

The list is of what is allowed; whatever is not on it is refused with the line and the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spicesnn.engine.options import KNOWN_OPTIONS, TYPED_OPTIONS
from spicesnn.errors import DeckError, UnsafeDeckError

_COMMANDS = frozenset(
    [
        ".subckt",
        ".ends",
        ".model",
        ".param",
        ".params",
        ".options",
        ".option",
        ".opt",
        ".ic",
        ".nodeset",
        ".include",
        ".inc",
        ".incl",
        ".lib",
        ".endl",
        ".global",
        ".temp",
        ".func",
        ".save",
        ".print",
        ".plot",
        ".probe",
        ".width",
        ".tran",
        ".op",
        ".dc",
        ".ac",
        ".noise",
        ".tf",
        ".meas",
        ".measure",
        ".end",
        ".if",
        ".elseif",
        ".else",
        ".endif",
        ".title",
        ".four",
        ".sens",
        ".pz",
        ".disto",
        ".csparam",
        ".data",
        ".enddata",
    ]
)
# XSPICE models that read a file, start a program or load code.
_MODELS = frozenset(
    [
        "d_process",
        "d_cosim",
        "filesource",
        "file_source",
        "d_source",
        "d_state",
        "table2d",
        "table3d",
    ]
)
# CIDER's numerical devices write and read files of their own.
_NUMERICAL = frozenset(["numd", "numd2", "nbjt", "nbjt2", "numos"])
_FILE = r"\b\w*file\s*="
# What Python takes for the end of a line and ngspice does not, and other characters no deck needs.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_INCLUDING = re.compile(r"\s*\.(?:inc|lib)", re.I)
_MOST_FILES, _MOST_BYTES = 200, 50_000_000


@dataclass(frozen=True)
class Line:
    """A logical line: continuations joined, comments gone.

    Attributes:
        text: the line.
        number: of its first physical line, from 1.
        path: of its file; None for text without one.
    """

    text: str
    number: int
    path: Path | None = None

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return f"{self.path or 'deck'}, line {self.number}"


def logical_lines(text: str, path: Path | None = None, title: bool = True) -> list[Line]:
    """A deck's lines with continuations joined and comments taken away; a title left out."""
    lines: list[Line] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        if title and number == 1:
            continue
        line = _without_comment(raw).strip()
        if not line:
            continue
        if line.startswith("+"):
            if lines:
                joined = f"{lines[-1].text} {line[1:].strip()}"
                lines[-1] = Line(joined, lines[-1].number, path)
            continue
        lines.append(Line(line, number, path))
    return lines


def vet(text: str, folder: Path, roots: Sequence[Path] = ()) -> None:
    """Refuse a deck that could run a program, or read outside its roots.

    Args:
        text: the deck.
        folder: its own; include paths are relative to it, and it is one of the roots.
        roots: further folders that it may include files from.

    Raises:
        UnsafeDeckError: a line is not allowed; the message gives the line and the reason.
        DeckError: a file that the deck includes cannot be read, or there are too many.
    """
    allowed = tuple(root.resolve() for root in (folder, *roots))
    seen: set[Path] = set()
    size = 0
    waiting: list[tuple[str, Path, Path | None, bool]] = [(text, folder.resolve(), None, True)]
    while waiting:
        body, place, path, title = waiting.pop()
        _vet_characters(body, path)
        _vet_comments(body, path)
        for line in logical_lines(body, path, title):
            _vet_options(line)
            for name in _vet_line(line):
                file = _resolve(line, name, place, allowed)
                if file in seen:
                    continue
                seen.add(file)
                try:
                    size += file.stat().st_size
                    if len(seen) > _MOST_FILES or size > _MOST_BYTES:
                        raise DeckError(
                            f"{line.where}: more than {_MOST_FILES} included files or "
                            f"{_MOST_BYTES / 1e6:.0f} MB; include less, or give --trust."
                        )
                    # Bytes that are no UTF-8 stay what they are, also in the name of a file.
                    inner = file.read_bytes().decode("utf-8", "surrogateescape")
                except OSError as error:
                    # A library's other sections may include what its owner left out: where a
                    # section that is used does, ngspice says so.
                    if path is not None and isinstance(error, FileNotFoundError):
                        continue
                    raise DeckError(
                        f"{line.where}: cannot read {file}: {error.strerror}; correct the path."
                    ) from None
                waiting.append((inner, file.parent, file, False))


def _vet_characters(text: str, path: Path | None) -> None:
    """Refuse what this module and ngspice could read as different lines or different files."""
    for number, raw in enumerate(text.split("\n"), start=1):
        if _CONTROL.search(raw.removesuffix("\r")):
            _refuse(Line(raw, number, path), "it holds a control character")
        if _INCLUDING.match(raw) and not re.fullmatch(r"(?:(?!//)[ -#%-:<-~\t])*\r?", raw):
            _refuse(Line(raw, number, path), "a line that includes must be plain: no $, ;, // or "
                    "characters beyond ASCII")  # fmt: skip


def _vet_options(line: Line) -> None:
    """Options in an included file: known to ngspice, and none of those that are ours to set."""
    words = line.text.split()
    if line.path is None or words[0].lower() not in (".option", ".options", ".opt"):
        return
    for word in re.findall(r"(\w+)\s*(?:=\s*\S+)?", " ".join(words[1:]).lower()):
        if word not in KNOWN_OPTIONS or word in TYPED_OPTIONS:
            why = "is the solver's: put it into the deck" if word in TYPED_OPTIONS else "is unknown"
            raise DeckError(
                f"{line.where}: {line.text!r}: the option {word} {why}, or leave it out."
            )


def _vet_comments(text: str, path: Path | None) -> None:
    """Refuse what looks like a comment and is none."""
    for number, raw in enumerate(text.split("\n"), start=1):
        start = raw.lstrip("\ufeff \t").lower()
        if start.startswith("*#"):
            _refuse(Line(raw, number, path), "ngspice runs a line that begins with *# as a command")
        if start.startswith("*ng_script"):
            _refuse(Line(raw, number, path), "*ng_script makes ngspice run the file as a script")


def _vet_line(line: Line) -> Iterator[str]:
    """Check one line; gives the files that it includes."""
    text = line.text
    words = text.split()
    command = words[0].lower()
    if "`" in text:
        _refuse(line, "a back-quote runs a program")
    if re.search(r"\$\s*[({<]", text):
        _refuse(line, "`$(`, `${` and `$<` reach the shell's world")
    if command.startswith((".control", ".endc", ".exec")):
        _refuse(line, "a .control section can run programs and write files")
    if command.startswith("."):
        if command not in _COMMANDS:
            _refuse(line, f"{command} is not a command that a deck needs")
        yield from included(text)[:1]
        if command == ".model":
            kind = re.split(r"[\s(]+", f"{text.lower()} ? ?")[2]
            named = re.search(rf"{_FILE}|\bsimulation\s*=", text, re.I)
            if kind in _MODELS or kind in _NUMERICAL or named:
                _refuse(line, f"a model of type {kind} can read files or run code")
    elif re.search(_FILE, text, re.I):
        _refuse(line, "an element must not read a file")
    elif command[0] == "n":
        _refuse(line, "an N element runs compiled code (OSDI)")
    elif command[0] == "a":
        _refuse(line, "an A element runs an XSPICE code model")
    elif not (command[0].isalpha() or command[0] in "}{"):
        _refuse(line, "it begins with no element's letter and no command")


def included(text: str) -> tuple[str, ...]:
    """The file that a line includes and what follows it; empty for other lines.

    `.lib name` inside a library opens a section; with a file and a section it includes.
    """
    match = re.fullmatch(
        r"\.(incl?|include|lib)\s+(?:\"([^\"]*)\"|'([^']*)'|([^\s\"']\S*))(.*)", text, re.I
    )
    if not match:
        # What looks like an include and cannot be read as one is resolved as nothing: refused.
        return ("", "") if re.match(r"\.(inc|lib\s+[\"'])", text, re.I) else ()
    name, rest = next(g for g in (*match.groups()[1:4], "") if g is not None), match.group(5)
    if match.group(1).lower() == "lib" and not rest.strip() and not re.search(r"[./]", name):
        return ()
    return name, rest.strip()


def _resolve(line: Line, name: str, folder: Path, roots: Sequence[Path]) -> Path:
    if not name or name.startswith("~") or re.search(r"[$\s\"']", name):
        _refuse(line, "an included path must be plain, without ~ or variables, quotes or blanks")
    path = (folder / name).resolve()
    if not any(path.is_relative_to(root) for root in roots):
        listed = ", ".join(str(root) for root in roots)
        _refuse(line, f"{path} lies outside the allowed folders ({listed}); allow it with --root")
    if path.exists() and not path.is_file():
        _refuse(line, f"{path} is not a plain file")
    return path


def _refuse(line: Line, reason: str) -> None:
    shown = line.text if len(line.text) <= 120 else f"{line.text[:117]}..."
    raise UnsafeDeckError(
        f"{line.where}: {shown!r}: {reason}. Remove it, or give --trust if you know the deck."
    )


def _without_comment(line: str) -> str:
    """The line up to a comment: `*` at its start, `;` anywhere, `$` or `//` after a blank."""
    if line.lstrip().startswith("*"):
        return ""
    match = re.match(r"""((?:"[^"]*"|'[^']*'|(?!;|\$(?:\s|$)|(?:^|(?<=\s))//).)*)""", line)
    return match.group(1) if match else line
