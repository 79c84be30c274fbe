"""A deck with every transistor m-fold, and capacitances, currents and conductances with it."""

import re
from dataclasses import replace
from typing import TypeVar

from spicesnn.circuits.deck import Deck, Pulse, Value, Waveform
from spicesnn.parameters import Parameters
from spicesnn.processes import Process
from spicesnn.units import spice_number

P = TypeVar("P", bound=Parameters)


def scaled_deck(deck: Deck, process: Process, factor: int) -> Deck:
    kinds = [process.nfet, process.pfet, process.thick_nfet, process.thick_pfet]
    models = {kind.model.lower() for kind in kinds if kind}
    lines = [_scaled_line(line, models, factor) for line in deck.netlist.splitlines()]
    knobs = {
        name: replace(knob, default=scaled_value(name, knob.default, factor))
        for name, knob in deck.knobs.items()
    }
    return replace(deck, netlist="\n".join(lines) + "\n", knobs=knobs)


def scaled_value(element: str, value: Value, factor: float) -> Value:
    kind = element[0].lower()
    # Device knobs begin with @; run knobs (stop, maximum_step, temperature) are no elements.
    if kind not in "icr" or element in ("stop", "maximum_step", "temperature"):
        return value
    by = 1 / factor if kind == "r" else factor
    if isinstance(value, Waveform):
        return Waveform(value.time, value.value * by)
    if isinstance(value, Pulse):
        return replace(value, low=value.low * by, high=value.high * by)
    return value * by


def _scaled_line(line: str, models: set[str], factor: int) -> str:
    words = line.split()
    if not words:
        return line
    kind = words[0][0].lower()
    plain = [word for word in words if "=" not in word]
    if kind in "mx" and plain[-1].lower() in models:
        given = re.search(r"\bm=(\S+)", line, re.I)
        if given:
            return line.replace(given.group(0), f"m={float(given.group(1)) * factor:g}")
        return f"{line} m={factor}"
    if kind == "b" and re.search(r"\bi\s*=", line, re.I):
        head, _, law = line.partition("=")
        return f"{head}= {factor} * ({law})"
    if kind in "icr":
        index = len(words) - 1
        assert re.fullmatch(r"[-+.\de]+", words[index]), line
        by = 1 / factor if kind == "r" else factor
        words[index] = spice_number(float(words[index]) * by)
        return " ".join(words)
    assert kind in ".*bvxde+", line
    return line


def scaled_knobs(knobs: dict[str, Value], factor: float) -> dict[str, Value]:
    return {name: scaled_value(name, value, factor) for name, value in knobs.items()}


def scaled_parameters(parameters: P, factor: float) -> P:
    """The bench with its currents and capacitances, and those of its cells, times a factor."""
    changes: dict[str, object] = {}
    for name, field in type(parameters).model_fields.items():
        value, extra = getattr(parameters, name), field.json_schema_extra
        if isinstance(value, Parameters):
            changes[name] = scaled_parameters(value, factor)
        elif isinstance(extra, dict) and extra.get("unit") in ("A", "F", "ohm"):
            by = 1 / factor if extra["unit"] == "ohm" else factor
            changes[name] = tuple(v * by for v in value) if isinstance(value, tuple) else value * by
    return parameters.model_copy(update=changes)
