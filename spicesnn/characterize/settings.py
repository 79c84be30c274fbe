"""Benches with other parameters than their defaults, given as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from spicesnn.characterize.bench import Bench, Entry
from spicesnn.circuits.cells.cell import Cell
from spicesnn.errors import ParameterError, UnknownNameError
from spicesnn.parameters import Parameters
from spicesnn.units import parse_spice_number


def with_settings(entry: Entry, settings: Mapping[str, str]) -> Entry:
    """The entry with parameters set in every bench that has them.

    Args:
        entry: of the library.
        settings: parameter to text, as `i_bias` or, of a bench's cell, `cell.width` to `2u`.

    Raises:
        UnknownNameError: no bench has such a parameter.
        ParameterError: a value is no number or out of bounds.
    """
    known = {name for bench in entry.benches for name in _names(bench)}
    for name in settings:
        if name not in known:
            raise UnknownNameError(f"parameter of {entry.name}", name, known)
    return replace(entry, benches=tuple(_with(bench, settings) for bench in entry.benches))


def _names(bench: Bench) -> list[str]:
    found = []
    for name in type(bench).model_fields:
        value = getattr(bench, name)
        if isinstance(value, Cell):
            found += [f"{name}.{own}" for own in type(value).model_fields]
        else:
            found.append(name)
    return found


def _with(bench: Bench, settings: Mapping[str, str]) -> Bench:
    own = set(_names(bench))
    values: dict[str, Any] = bench.model_dump()
    changed = False
    for name, text in settings.items():
        if name not in own:
            continue
        outer, _, inner = name.rpartition(".")
        parameters: Parameters = getattr(bench, outer) if outer else bench
        target = values[outer] if outer else values
        target[inner] = _value(name, text, getattr(parameters, inner))
        changed = True
    if not changed:
        return bench
    # Cells first, so that an error names the cell's parameter.
    for name in type(bench).model_fields:
        cell = getattr(bench, name)
        if isinstance(cell, Cell):
            values[name] = type(cell)(**values[name])
    return type(bench)(**values)


def _value(name: str, text: str, now: object) -> object:
    if isinstance(now, bool):
        if text.lower() not in ("true", "false"):
            raise ParameterError(f"{name} = {text!r}: write true or false.")
        return text.lower() == "true"
    if isinstance(now, tuple):
        raise ParameterError(f"{name} holds several values: set it from Python.")
    if isinstance(now, float | int):
        try:
            number = parse_spice_number(text)
        except ParameterError as error:
            raise ParameterError(f"{name}: {error}") from None
        return int(number) if isinstance(now, int) and number == int(number) else number
    return text
