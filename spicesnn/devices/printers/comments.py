"""Names and citations as the printers quote them: one line of plain characters.

They come from files that people give each other; a printed text is run by simulators and Python.
"""

from __future__ import annotations

import unicodedata

# Of what has no letter of its own in ASCII, what citations do have.
_LETTERS = str.maketrans(
    dict.fromkeys("\u2010\u2013\u2014\u2212", "-")
    | dict.fromkeys("\u2018\u2019", "'")
    | {"\u03bc": "u", "\u03a9": "Ohm", "\u00df": "ss", "\u00f8": "o", "\u00d8": "O", "\u0142": "l"}
)


def one_line(text: str) -> str:
    """The text on one line of printable ASCII; accents fall, what has no letter is `?`."""
    plain = unicodedata.normalize("NFKD", text).translate(_LETTERS)
    letters = (c for c in plain if not unicodedata.combining(c))
    spaced = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in letters)
    return " ".join(spaced.encode("ascii", "replace").decode().split())


def comment(text: str) -> str:
    """One line for a comment of a deck or a module, where a backslash could join it to the next."""
    return one_line(text).replace("\\", "/")


def quoted(text: str) -> str:
    """One line for a Python string between double quotes, one or three."""
    return one_line(text).replace("\\", "\\\\").replace('"', '\\"')
