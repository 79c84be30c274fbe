"""Benches, and other nested parameters, with other values than their defaults, given as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from spicesnn.characterize.bench import Entry
from spicesnn.errors import ParameterError, UnknownNameError
from spicesnn.parameters import Parameters
from spicesnn.units import parse_spice_number

_P = TypeVar("_P", bound=Parameters)


def with_settings(entry: Entry, settings: Mapping[str, str]) -> Entry:
    """The entry with parameters set in every bench that has them.

    Args:
        entry: of the library.
        settings: parameter to text, as `i_bias` or, of a bench's cell, `cell.width` to `2u`.

    Raises:
        UnknownNameError: no bench has such a parameter.
        ParameterError: a value is no number or out of bounds.
    """
    known = {name for bench in entry.benches for name in names_of(bench)}
    for name in settings:
        if name not in known:
            raise UnknownNameError(f"parameter of {entry.name}", name, known)
    return replace(entry, benches=tuple(changed(bench, settings) for bench in entry.benches))


def names_of(parameters: Parameters) -> list[str]:
    """The parameters' names; of those that are parameters themselves `cell.width` and so on."""
    found = []
    for name in type(parameters).model_fields:
        value = getattr(parameters, name)
        if isinstance(value, Parameters):
            found += [f"{name}.{own}" for own in type(value).model_fields]
        else:
            found.append(name)
    return found


def changed(parameters: _P, settings: Mapping[str, str]) -> _P:
    """The same with those of the settings that it has, by the names of `names_of`.

    Raises:
        ParameterError: a value is no number or out of bounds.
    """
    own = set(names_of(parameters))
    values: dict[str, Any] = parameters.model_dump()
    ours = {name: text for name, text in settings.items() if name in own}
    if not ours:
        return parameters
    for name, text in ours.items():
        outer, _, inner = name.rpartition(".")
        holder: Parameters = getattr(parameters, outer) if outer else parameters
        target = values[outer] if outer else values
        target[inner] = _value(name, text, getattr(holder, inner))
    # Cells first, so that an error names the cell's parameter.
    for name in type(parameters).model_fields:
        inside = getattr(parameters, name)
        if isinstance(inside, Parameters):
            values[name] = type(inside)(**values[name])
    return type(parameters)(**values)


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
