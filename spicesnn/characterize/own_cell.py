"""Your own cell: a `.subckt` file and a short TOML become an entry like the library's."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spicesnn.characterize.bench import Bench, Entry
from spicesnn.characterize.own_bench import Measure, OwnBench, Stimulus
from spicesnn.engine.vetting import logical_lines, vet
from spicesnn.errors import DataError, DeckError, ParameterError, UnknownNameError
from spicesnn.parameters import Parameters

# What a layout's quantities are called after the schematic's.
LAYOUT = ", layout"
_COMMANDS = (".subckt", ".ends", ".param", ".model", ".func")


class OwnCell(Parameters):
    """The TOML: see `docs/cells.md` for each key."""

    name: str | None = None
    title: str | None = None
    subckt: str
    layout: str | None = None
    process: str | None = None
    ports: dict[str, str]
    stimuli: dict[str, Stimulus]
    measure: dict[str, Measure]


def read_own_cell(path: Path, process: str) -> list[Entry]:
    """A cell from outside, as an entry like the library's: its schematic, then its layout.

    Args:
        path: the TOML; files that it names are relative to its folder.
        process: name of the process that it is to be measured on.

    Raises:
        DataError: the TOML cannot be read or does not fit the subcircuit.
        ParameterError, UnknownNameError: a key, port, signal or number of it is wrong.
        UnsafeDeckError, DeckError: a line of the subcircuit is not allowed.
    """
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is no TOML: {error}.") from None
    own = OwnCell(**_nested(values))
    if own.process not in (None, process):
        raise DataError(f"{path}: this cell is of {own.process}; give --process {own.process}.")
    name = own.name or path.stem
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise DataError(f"{path}: name {name!r}: use letters, digits, _ and - only.")
    files = [("", own.subckt), *([(LAYOUT, own.layout)] if own.layout else [])]
    benches: list[Bench] = []
    shown, order = "", tuple[str, ...]()
    for suffix, file in files:
        subckt, ports, text = _subcircuit(path.parent / file, order)
        if not order:
            shown = f"From `{file}`:\n\n```spice\n{text.strip()[:4000]}\n```"
        order = ports
        benches += _benches(own, name, suffix, subckt, text, ports)
    return [Entry(name, own.title or name, shown, tuple(benches))]


def _nested(values: dict[str, Any]) -> dict[str, Any]:
    """Stimuli and measures as parameter objects, so that errors name their keys."""
    kinds: dict[str, type[Parameters]] = {"stimuli": Stimulus, "measure": Measure}
    for key, kind in kinds.items():
        tables = values.get(key, {})
        if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
            raise DataError(f"{key}: write one table each, as {key}.name = {{ ... }}.")
        values[key] = {name: _made(f"{key}.{name}", kind, table) for name, table in tables.items()}
        if not values[key]:
            raise DataError(f"there is no {key}: write one at least, as {key}.name = {{ ... }}.")
    return values


def _made(where: str, kind: type[Parameters], table: dict[str, Any]) -> Parameters:
    try:
        return kind(**table)
    except ParameterError as error:
        raise ParameterError(f"{where}: {error}") from None


def _benches(
    own: OwnCell, name: str, suffix: str, subckt: str, text: str, order: tuple[str, ...]
) -> list[Bench]:
    ports = {port.lower(): drive for port, drive in own.ports.items()}
    for port in ports:
        if port not in order:
            raise UnknownNameError(f"port of {subckt}", port, order)
    found: list[Bench] = []
    for label, stimulus in own.stimuli.items():
        port = stimulus.port.lower()
        if port not in order:
            raise UnknownNameError(f"port of {subckt}", port, order)
        free = [p for p in order if p not in ports and p != port]
        if free:
            raise DataError(
                f"stimulus {label!r}: nothing is said of the port {' and '.join(free)}: write "
                'supply, gnd, open, or a value as "0.9 V", "10n A", "100f F", "1meg ohm".'
            )
        measures = {n: m for n, m in own.measure.items() if _belongs(n, m, label, own.stimuli)}
        _check_stimulus(label, stimulus)
        bench = OwnBench(
            label=f"{name}_{label}" + ("_layout" if suffix else ""), suffix=suffix, subckt=subckt,
            text=text, order=order, ports={p: d for p, d in ports.items() if p != port},
            stimulus=stimulus.model_copy(update={"port": port}), measures=measures,
        )  # fmt: skip
        bench.check()
        found.append(bench)
    return found


def _belongs(name: str, measure: Measure, label: str, stimuli: Mapping[str, Stimulus]) -> bool:
    if measure.on is None:
        if len(stimuli) > 1:
            raise DataError(f"measure {name!r}: say on which stimulus, as on = {label!r}.")
        return True
    if measure.on not in stimuli:
        raise UnknownNameError("stimulus", measure.on, stimuli)
    return measure.on == label


def _check_stimulus(label: str, stimulus: Stimulus) -> None:
    given = [k for k in ("sweep", "step", "pulses") if getattr(stimulus, k) is not None]
    if len(given) != 1:
        raise DataError(f"stimulus {label!r}: give exactly one of sweep, step and pulses.")
    if not stimulus.sweep and stimulus.stop is None:
        raise DataError(f'stimulus {label!r}: give its end, as stop = "10m".')


def _subcircuit(path: Path, wanted: tuple[str, ...]) -> tuple[str, tuple[str, ...], str]:
    """Name, ports and plain text of the last subcircuit of a file, which is the cell."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DeckError(f"cannot read the subcircuit {path}: {error}.") from None
    vet("title\n" + text, path.parent)
    lines = [re.sub(r"\s*=\s*", "=", line.text) for line in logical_lines(text, path, title=False)]
    found: list[list[str]] = []
    for line in lines:
        words = line.lower().split()
        if words[0][0] == "." and words[0] not in _COMMANDS:
            raise DeckError(
                f"{path}: {line!r}: only {', '.join(_COMMANDS)} and elements stand in a "
                "subcircuit file; the process brings the models."
            )
        if words[0] == ".subckt":
            found.append([word for word in words[1:] if "=" not in word])
    if not found:
        raise DeckError(f"{path} holds no .subckt.")
    name, *ports = found[-1]
    if wanted and set(wanted) != set(ports):
        raise DataError(
            f"{path}: its ports are {', '.join(ports)}, the schematic's {', '.join(wanted)}."
        )
    return name, tuple(ports), "\n".join(lines) + "\n"
