"""A deck in the dialect of another simulator: sources, models, analysis, options and saves.

Only the dialect changes. Neither simulator is run here; the models are ngspice's BSIM cards under
the level number that Xyce and Spectre give them. What has no counterpart stands as a comment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from spicesnn.circuits.deck import (
    Deck,
    NoiseSpectrum,
    OperatingPoint,
    Settings,
    Transient,
    Value,
)
from spicesnn.engine.options import SimulationOptions
from spicesnn.errors import DeckError, UnknownNameError
from spicesnn.units import spice_number

# ngspice's level of BSIM4 is 14; 54 is HSPICE's, which both others know.
_BSIM4 = re.compile(r"\blevel\s*=\s*14\b", re.I)
# Ratings are ngspice's own model parameters.
_RATINGS = re.compile(r"\bv[gdbs]{1,2}_max\s*=\s*\S+ ?", re.I)
_DEVICE_PROBE = re.compile(r"@(\S+)\[(\w+)\]")


def export(
    deck: Deck,
    dialect: str,
    options: SimulationOptions | None = None,
    knobs: Mapping[str, Value] | None = None,
) -> str:
    """The deck as text for `xyce` or `spectre`.

    Args:
        deck: the circuit.
        dialect: `xyce` or `spectre`.
        options: solver options, by default the subthreshold profile.
        knobs: by name, see `Deck.settings`.

    Raises:
        UnknownNameError: there is no such dialect, or a knob is unknown.
        DeckError: mismatch knobs, which are ngspice's own, are turned.
    """
    if dialect not in _DIALECTS:
        raise UnknownNameError("dialect", dialect, _DIALECTS)
    settings = deck.settings(knobs)
    if settings.devices:
        turned = ", ".join(settings.devices)
        raise DeckError(f"{turned}: mismatch knobs are ngspice's own; leave them out to export.")
    return _DIALECTS[dialect](deck, options or SimulationOptions(), settings)


def _circuit(deck: Deck, settings: Settings) -> list[str]:
    """What all dialects share: models, parameters, netlist, sources, initial voltages."""
    models = _BSIM4.sub("level=54", _RATINGS.sub("", deck.models.strip()))
    lines = [line for line in models.splitlines() if line.strip() != "+"]
    lines += [f".param {name}={value:.12g}" for name, value in settings.parameters.items()]
    lines += deck.netlist.strip().splitlines()
    lines += [deck.knobs[name].line(value) for name, value in settings.elements.items()]
    if deck.initial:
        levels = (f"v({n})={spice_number(v)}" for n, v in deck.initial.items())
        lines.append(".ic " + " ".join(levels))
    return [line for line in lines if line.strip()]


def _xyce(deck: Deck, options: SimulationOptions, settings: Settings) -> str:
    analysis = settings.analysis
    kind = analysis.command().split()[0]
    saved = [p.replace(".", ":") for p in deck.probes if not _DEVICE_PROBE.match(p)]
    if isinstance(analysis, NoiseSpectrum):
        saved = ["onoise", "inoise"]
    lines = [f"* {deck.title}", *_circuit(deck, settings)]
    lines += [
        f".options device temp={settings.temperature:g} gmin={options.minimum_conductance:g}",
        f".options timeint reltol={options.relative_tolerance:g} "
        f"abstol={options.voltage_tolerance:g} method={options.method}",
        "." + analysis.command(),
        f".print {'dc' if kind == 'op' else kind} format=raw {' '.join(saved)}",
    ]
    lines += [f"* not saved: {p}" for p in deck.probes if _DEVICE_PROBE.match(p)]
    return "\n".join([*lines, ".end"]) + "\n"


def _spectre(deck: Deck, options: SimulationOptions, settings: Settings) -> str:
    analysis = settings.analysis
    lines = [f"// {deck.title}", "simulator lang=spice", *_circuit(deck, settings)]
    lines += [
        "simulator lang=spectre",
        f"engine options reltol={options.relative_tolerance:g} "
        f"vabstol={options.voltage_tolerance:g} iabstol={options.current_tolerance:g} "
        f"gmin={options.minimum_conductance:g} temp={settings.temperature:g} tnom=27",
    ]
    if isinstance(analysis, Transient):
        method = {"trap": "traponly", "gear": "gear2only"}[options.method]
        start = f" outputstart={analysis.start:g}" if analysis.start else ""
        skip = " skipdc=yes" if analysis.from_initial else ""
        lines.append(
            f"transient tran stop={analysis.stop:g} maxstep={analysis.maximum_step:g} "
            f"method={method}{start}{skip}"
        )
    elif isinstance(analysis, OperatingPoint):
        lines.append("point dc")
    elif isinstance(analysis, NoiseSpectrum):
        lines.append(
            f"spectrum ({analysis.output} 0) noise iprobe={analysis.source} "
            f"start={analysis.start:g} stop={analysis.stop:g} dec={analysis.points}"
        )
    else:
        lines.append(
            f"sweep dc dev={analysis.source} param=dc start={analysis.start:g} "
            f"stop={analysis.stop:g} step={analysis.step:g}"
        )
    if not isinstance(analysis, NoiseSpectrum):
        lines += [f"save {_spectre_name(probe)}" for probe in deck.probes]
    return "\n".join(lines) + "\n"


def _spectre_name(probe: str) -> str:
    """`v(x.node)` is `x.node`, `i(vdd)` is `vdd:p`, `@m.x.m1[id]` is `x.m1:id`."""
    device = _DEVICE_PROBE.match(probe)
    if device:
        return f"{device.group(1).split('.', 1)[-1]}:{device.group(2)}"
    name = probe[2:-1]
    return f"{name}:p" if probe[0] == "i" else name


_DIALECTS: dict[str, Callable[[Deck, SimulationOptions, Settings], str]] = {
    "xyce": _xyce,
    "spectre": _spectre,
}
