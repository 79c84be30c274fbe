"""Decks from outside: vetted, read, and their knobs found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from spicesnn.circuits.deck import (
    Analysis,
    DcSweep,
    Deck,
    Knob,
    NoiseSpectrum,
    OperatingPoint,
    Pulse,
    Transient,
    Value,
    Waveform,
    start_of,
)
from spicesnn.engine.options import KNOWN_OPTIONS, TYPED_OPTIONS, SimulationOptions
from spicesnn.engine.vetting import Line, included, logical_lines, vet
from spicesnn.errors import DeckError, ParameterError
from spicesnn.units import misread, parse_spice_number

_NODES = {
    "r": 2, "c": 2, "l": 2, "v": 2, "i": 2, "b": 2, "d": 2, "q": 3, "m": 4, "j": 3, "z": 3, "e": 4,
    "g": 4, "f": 2, "h": 2, "s": 4, "w": 2, "t": 4, "o": 4, "u": 3,
}  # fmt: skip
_SIZES = ("w", "l")
_UNUSED = frozenset(
    [
        ".print",
        ".plot",
        ".probe",
        ".width",
        ".meas",
        ".measure",
        ".four",
        ".title",
        ".tf",
        ".sens",
        ".pz",
        ".disto",
        ".ac",
    ]
)
_ANALYSES = frozenset([".tran", ".op", ".dc", ".noise"])


@dataclass(frozen=True)
class ForeignDeck:
    """A deck from outside.

    Attributes:
        deck: with its knobs found.
        options: of its `.options` lines, over the profile it was read with.
        notes: what was left out or may surprise, one sentence each.
    """

    deck: Deck
    options: SimulationOptions
    notes: tuple[str, ...]


def read_deck(
    path: Path,
    probes: Sequence[str] = (),
    options: SimulationOptions | None = None,
    roots: Sequence[Path] = (),
    trust: bool = False,
) -> ForeignDeck:
    """Read a deck file.

    Its knobs are the top-level sources with constant, PULSE or PWL values, resistors, capacitors
    and inductors with plain values, every `.param`, and width and length of top-level transistors
    (as parameters `m1_w`, `m1_l`).

    Args:
        path: the deck; its includes are relative to its folder.
        probes: vectors to keep, by default those of its `.save`, `.print` and `.plot` lines, else
            all top-level node voltages.
        options: what its own `.options` are laid over.
        roots: folders besides its own that it may include files from.
        trust: do not vet it.

    Raises:
        UnsafeDeckError: a line is not allowed.
        DeckError: it cannot be read; the message gives the line and what to do.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DeckError(f"cannot read the deck {path}: {error.strerror}.") from None
    return parse_deck(text, path.parent, probes, options, roots, trust)


def parse_deck(
    text: str,
    folder: Path,
    probes: Sequence[str] = (),
    options: SimulationOptions | None = None,
    roots: Sequence[Path] = (),
    trust: bool = False,
) -> ForeignDeck:
    """As `read_deck`, of a text with the folder that its includes are relative to."""
    if not trust:
        vet(text, folder, roots)
    return _Reader(text, folder.resolve(), options or SimulationOptions()).read(probes)


class _Reader:
    def __init__(self, text: str, folder: Path, options: SimulationOptions) -> None:
        self.folder = folder
        self.options = options
        first = (text.splitlines() or [""])[0].lstrip("*\ufeff ")
        self.title = "".join(c for c in first if c.isprintable())[:200] or "untitled"
        self.lines = logical_lines(text)
        self.body: list[str] = []
        self.models: list[str] = []
        self.knobs: dict[str, Knob] = {}
        self.parameters: dict[str, float] = {}
        self.initial: dict[str, float] = {}
        self.saved: list[str] = []
        self.nodes: dict[str, str] = {}
        self.notes: list[str] = []
        self.temperature = 27.0
        self.analysis: Analysis | None = None

    def read(self, probes: Sequence[str]) -> ForeignDeck:
        depth = 0
        for line in self.lines:
            command = line.text.split()[0].lower()
            if command == ".end":
                break
            if command == ".subckt":
                depth += 1
            elif command == ".ends":
                depth -= 1
                self.body.append(line.text)
                continue
            if depth:
                self.body.append(self._placed(line))
            elif command.startswith("."):
                self._command(command, line)
            else:
                self._element(line)
        if depth:
            raise DeckError("a .subckt has no .ends; add it.")
        if self.analysis is None:
            raise DeckError("the deck has no analysis; add a .tran, .op, .dc or .noise line.")
        if not self.nodes:
            raise DeckError("the deck has no element; note that its first line is only its title.")
        wanted = tuple(p.lower() for p in probes) or self._saved()
        deck = Deck(
            self.title, "\n".join(self.body), "\n".join(self.models), self.knobs, wanted,
            self.analysis, self.parameters, self.initial, 1e6, (), self.temperature,
        )  # fmt: skip
        return ForeignDeck(deck, self.options, tuple(self.notes))

    def _command(self, command: str, line: Line) -> None:
        if command in _ANALYSES:
            self._analysis(line)
        elif command in (".options", ".option", ".opt"):
            self._option_line(line)
        elif command == ".temp":
            self.temperature = self._number(line, line.text.split()[1:2])
        elif command in (".ic", ".nodeset"):
            self._initial(command, line)
        elif command in (".param", ".params"):
            self._parameter(line)
        elif command in (".save", ".print", ".plot"):
            self.saved += re.findall(r"[vi]\([^),]*\)|@[\w.:#]+\[\w+\]", line.text.lower())
        elif command in _UNUSED:
            self.notes.append(f"{line.where}: not used: {line.text}")
        elif command in (".include", ".inc", ".incl", ".lib"):
            self.models.append(self._placed(line))
        else:
            self.body.append(line.text)

    def _analysis(self, line: Line) -> None:
        if self.analysis is not None:
            self.notes.append(f"{line.where}: a second analysis was left out: {line.text}")
            return
        try:
            self.analysis = _analysis(line)
        except ParameterError as error:
            raise DeckError(f"{line.where}: {line.text!r}: {error}") from None

    def _placed(self, line: Line) -> str:
        """An include line with an absolute path."""
        found = included(line.text)
        if not found:
            return line.text
        return f'{line.text.split()[0]} "{self.folder / found[0]}" {found[1]}'.strip()

    def _option_line(self, line: Line) -> None:
        left = []
        changes: dict[str, object] = {}
        for word in re.findall(r"\w+\s*=\s*\S+|\w+", line.text.partition(" ")[2]):
            name, _, value = (part.strip() for part in word.lower().partition("="))
            if name not in KNOWN_OPTIONS:
                near = get_close_matches(name, sorted(KNOWN_OPTIONS), n=2, cutoff=0.6)
                hint = f"did you mean {' or '.join(near)}?" if near else "leave it out."
                raise DeckError(
                    f"{line.where}: ngspice has no option {name!r} and would ignore it without a "
                    f"word; {hint}"
                )
            if name in TYPED_OPTIONS:
                changes[TYPED_OPTIONS[name]] = self._number(line, [value])
            elif name in ("method", "klu", "sparse", "bypass"):
                changes |= _choice(name, value)
            elif name == "temp":
                self.temperature = self._number(line, [value])
            else:
                left.append(word)
        try:
            self.options = SimulationOptions(**(self.options.model_dump() | changes))
        except ParameterError as error:
            raise DeckError(f"{line.where}: {error}") from None
        if left:
            self.body.append(f".options {' '.join(left)}")

    def _initial(self, command: str, line: Line) -> None:
        for node, value in re.findall(r"v\(([^)]+)\)\s*=\s*(\S+)", line.text.lower()):
            if command == ".nodeset":
                break
            try:
                self.initial[node.strip()] = parse_spice_number(value)
            except ParameterError:
                self.body.append(line.text)
                return
        if command == ".nodeset":
            self.body.append(line.text)

    def _parameter(self, line: Line) -> None:
        pairs = re.findall(r"([a-z_]\w*)\s*=\s*('[^']*'|\{[^}]*\}|\S+)", line.text, re.I)
        rest = line.text.split(None, 1)[1] if " " in line.text else ""
        for name, value in pairs:
            rest = re.sub(rf"\b{name}\s*=\s*{re.escape(value)}(?=\s|,|$)", "", rest, count=1)
        # What is not a plain list of names and values stays as it is.
        if not pairs or rest.strip(" ,\t"):
            self.body.append(line.text)
            return
        for name, value in pairs:
            try:
                self.parameters[name.lower()] = parse_spice_number(value)
            except ParameterError:
                self.body.append(f".param {name}={value}")

    def _element(self, line: Line) -> None:
        words = line.text.split()
        name, kind = words[0].lower(), words[0][0].lower()
        nodes = words[1 : 1 + _NODES.get(kind, 0)]
        if kind == "x":
            plain = [w for w in line.text.split("params:")[0].split()[1:] if "=" not in w]
            nodes = plain[:-1]
        for node in nodes:
            earlier = self.nodes.setdefault(node.lower(), node)
            if earlier != node:
                self.notes.append(
                    f"{line.where}: {node} and {earlier} are one node: SPICE knows no case."
                )
                self.nodes[node.lower()] = node
        knob = self._knob(name, kind, line.text)
        if knob and name not in self.knobs:
            self.knobs[name] = knob
        else:
            self.body.append(self._sized(name, line.text) if kind in "mx" else line.text)

    def _knob(self, name: str, kind: str, text: str) -> Knob | None:
        words = text.split()
        if not name.isascii():
            self.notes.append(f"{words[0]} is not an ASCII name, so it is no knob.")
            return None
        if kind in "rcl" and len(words) > 3:
            return self._passive(name, words)
        if kind in "vi" and len(words) > 2:
            return _source(name, text)
        return None

    def _passive(self, name: str, words: Sequence[str]) -> Knob | None:
        try:
            value = parse_spice_number(words[3])
        except ParameterError:
            return None
        doubt = misread(words[0], words[3])
        if doubt:
            self.notes.append(doubt)
        rest = " ".join(words[4:])
        if value <= 0:
            self.notes.append(f"{words[0]} is not positive, so it is no knob.")
            return None
        return Knob(name, (words[1], words[2]), value, f" {rest}" if rest else "")

    def _sized(self, name: str, text: str) -> str:
        """The line of a transistor, its plain width and length turned into parameters."""

        def turn(match: re.Match[str]) -> str:
            key = f"{name}_{match.group(1).lower()}"
            try:
                self.parameters[key] = parse_spice_number(match.group(2))
            except ParameterError:
                return match.group(0)
            return f"{match.group(1)}={{{key}}}"

        if not re.fullmatch(r"\w+", name):
            return text
        return re.sub(rf"\b({'|'.join(_SIZES)})\s*=\s*([^\s{{']+)", turn, text, flags=re.I)

    def _saved(self) -> tuple[str, ...]:
        if isinstance(self.analysis, NoiseSpectrum):
            return ("onoise_spectrum", "inoise_spectrum")
        if self.saved:
            return tuple(dict.fromkeys(re.sub(r"\s", "", name) for name in self.saved))
        nodes = [n for n in self.nodes if n not in ("0", "gnd")]
        nodes += [n for k in self.knobs.values() for n in map(str.lower, k.nodes)]
        return tuple(dict.fromkeys(f"v({n})" for n in nodes if n not in ("0", "gnd")))

    def _number(self, line: Line, words: Sequence[str]) -> float:
        try:
            return parse_spice_number(words[0] if words else "")
        except ParameterError as error:
            raise DeckError(f"{line.where}: {line.text!r}: {error}") from None


def _choice(name: str, value: str) -> dict[str, object]:
    """The typed option of one that is no number."""
    if name == "method":
        return {"method": "gear" if value.startswith("gear") else "trap"}
    if name == "bypass":
        return {"bypass": value not in ("", "0")}
    return {"solver": name}


def _source(name: str, text: str) -> Knob | None:
    """A source whose value is constant, a PULSE or a PWL; None for others."""
    words = text.split(None, 3)
    rest = words[3] if len(words) > 3 else ""
    ac = re.search(r"\bac(\s+[-+.\w]+){0,2}\s*$", rest, re.I)
    tail = f" {ac.group(0)}" if ac else ""
    rest = (rest[: ac.start()] if ac else rest).strip()
    number = r"[-+]?[\d.][-+.\w]*"
    constant = re.fullmatch(rf"(?:dc\s*=?\s*)?({number})?", rest, re.I)
    moving = re.fullmatch(rf"(?:dc\s*=?\s*({number})\s+)?(pulse|pwl)\s*\(([^()]*)\)", rest, re.I)
    nodes = (words[1], words[2])
    value: Value
    try:
        if constant:
            return Knob(name, nodes, parse_spice_number(constant.group(1) or "0"), tail)
        if not moving:
            return None
        numbers = [parse_spice_number(w) for w in re.split(r"[\s,]+", moving.group(3).strip())]
        if moving.group(2).lower() == "pulse":
            if len(numbers) != 7:
                return None
            value = Pulse(*numbers)
        else:
            value = Waveform(np.array(numbers[0::2]), np.array(numbers[1::2]))
    except ValueError:
        return None
    # A constant of its own (for operating points) is not something that a knob can keep.
    if moving.group(1) and parse_spice_number(moving.group(1)) != start_of(value):
        return None
    return Knob(name, nodes, value, tail)


def _analysis(line: Line) -> Analysis:
    words = line.text.lower().split()
    kind, rest = words[0], words[1:]
    if kind == ".op":
        return OperatingPoint()
    if kind == ".dc":
        if len(rest) != 4:
            raise ParameterError("write .dc SOURCE START STOP STEP; nested sweeps are not read.")
        return DcSweep(rest[0], *map(parse_spice_number, rest[1:]))
    if kind == ".noise":
        form = re.fullmatch(
            r"v\(\s*([^\s,)]+)\s*\)\s+(\S+)\s+dec\s+(\d+)\s+(\S+)\s+(\S+)", " ".join(rest)
        )
        if form is None:
            raise ParameterError("write .noise v(NODE) SOURCE dec POINTS START STOP.")
        output, source, points, start, stop = form.groups()
        return NoiseSpectrum(
            output, source, parse_spice_number(start), parse_spice_number(stop), int(points)
        )
    uic = "uic" in rest
    numbers = [parse_spice_number(w) for w in rest if w != "uic"]
    if len(numbers) < 2:
        raise ParameterError("write .tran STEP STOP [START [MAXIMUM_STEP]] [UIC].")
    start = numbers[2] if len(numbers) > 2 else 0.0
    # ngspice's own default for the largest step.
    largest = numbers[3] if len(numbers) > 3 else min(numbers[0], (numbers[1] - start) / 50)
    return Transient(numbers[1], largest, start, uic, numbers[0])
