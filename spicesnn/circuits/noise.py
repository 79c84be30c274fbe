"""Transient noise: seeded current sources beside named devices, strong as their own bias says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spicesnn.circuits.deck import Array, Deck, Knob, Transient, Value, Waveform
from spicesnn.errors import ParameterError, UnknownNameError
from spicesnn.units import ELEMENTARY_CHARGE, parse_spice_number, thermal_voltage
from spicesnn.waveforms import Waveforms


@dataclass(frozen=True)
class _Source:
    """The noise of one device: its knob, its nodes, and its resistance if it is a resistor."""

    device: str
    knob: str
    plus: str
    minus: str
    resistance: float | None


@dataclass(frozen=True)
class NoiseBench:
    """A deck with a noise current beside each named device; see `noise_bench`.

    Attributes:
        deck: with the noise sources as knobs, at rest, and the devices' bias as probes.
        interval: seconds between the values of a noise current.
        flicker_corner: hertz at which 1/f noise is as strong as white noise; 0 for none.
    """

    deck: Deck
    interval: float
    flicker_corner: float
    sources: tuple[_Source, ...]

    def draw(
        self, quiet: Waveforms, seed: int, knobs: Mapping[str, Value] | None = None
    ) -> dict[str, Value]:
        """Noise currents of all devices, by knob, for one noisy run.

        Values are independent at every `interval` and joined by straight lines, with the standard
        deviation `sqrt(S / (2 interval))` for a one-sided density S: white far below
        `1 / (2 interval)`.

        Args:
            quiet: waveforms of `deck` with the same knobs and no noise, from which the bias is
                read; the noise follows its course in time.
            seed: every device draws from a stream of its own.
            knobs: of the quiet run.
        """
        settings = self.deck.settings(knobs)
        time = np.arange(0, settings.analysis.end + self.interval, self.interval)
        drawn: dict[str, Value] = {}
        for number, source in enumerate(self.sources):
            rng = np.random.default_rng([seed, number])
            unit = rng.standard_normal(time.size)
            if self.flicker_corner > 0:
                unit = unit + _flicker(rng, time.size, self.interval, self.flicker_corner)
            density = _density(source, quiet, time, settings.temperature, settings.elements)
            drawn[source.knob] = Waveform(time, unit * np.sqrt(density / (2 * self.interval)))
        return drawn


def noise_bench(
    deck: Deck, devices: Sequence[str], interval: float, flicker_corner: float = 0.0
) -> NoiseBench:
    """Put a noise current beside each of these devices of a transient deck.

    A resistor has `4 k T / R`; a transistor the shot noise of both directions of its channel
    current, `2 q I (1 + exp(-V_DS / U_T))`, which is its thermal noise in weak inversion
    (Sarpeshkar, Delbrueck & Mead 1993) and too much above it. Flicker noise adds the white density
    times `flicker_corner / f`; the corner is the user's.

    Args:
        deck: a transient.
        devices: resistors and transistors by ngspice's names: `r1`, `m.xneuron.mleak`.
        interval: seconds, well under the circuit's time constants.
        flicker_corner: hertz; 0 for white noise only.

    Raises:
        UnknownNameError: a device is not in the deck.
        ParameterError: a name is neither of a resistor nor of a transistor, the deck is no
            transient, or the interval is not positive.
    """
    if not isinstance(deck.analysis, Transient):
        raise ParameterError("transient noise needs a deck with a transient analysis.")
    if not interval > 0 or flicker_corner < 0:
        raise ParameterError(
            f"give a positive interval and no negative corner, not {interval:g} s and "
            f"{flicker_corner:g} Hz."
        )
    elements = _elements(deck)
    sources, knobs, probes = [], dict(deck.knobs), list(deck.probes)
    for number, device in enumerate(devices):
        found = elements.get(device.lower())
        if found is None or device[0].lower() not in "rm":
            known = [name for name in elements if name[0] in "rm"]
            raise UnknownNameError("resistor or transistor", device, known)
        nodes, resistance = found
        if resistance is not None and not resistance > 0:
            raise ParameterError(f"the value of {device} is no positive number; write one.")
        source = _Source(device.lower(), f"inoise{number}", nodes[0], nodes[-1], resistance)
        sources.append(source)
        rest = Waveform.constant(0.0)
        knobs[source.knob] = Knob(source.knob, (source.plus, source.minus), rest)
        if resistance is None:
            probes += [f"@{source.device}[id]", *(f"v({n})" for n in _voltages(source))]
    noisy = replace(deck, knobs=knobs, probes=tuple(dict.fromkeys(probes)))
    return NoiseBench(noisy, interval, flicker_corner, tuple(sources))


def _voltages(source: _Source) -> list[str]:
    return [node for node in (source.plus, source.minus) if node != "0"]


def _density(
    source: _Source,
    quiet: Waveforms,
    time: Array,
    celsius: float,
    elements: Mapping[str, Value],
) -> Array:
    """One-sided density of the white noise current, A^2/Hz, at these times."""
    if source.resistance is not None:
        turned = elements.get(source.device)
        resistance = turned if isinstance(turned, float) else source.resistance
        kt = ELEMENTARY_CHARGE * thermal_voltage(celsius)
        return np.full(time.size, 4 * kt / resistance)
    current = np.abs(quiet.at(f"@{source.device}[id]", time))
    levels = {node: quiet.at(f"v({node})", time) for node in _voltages(source)}
    across = np.abs(levels.get(source.plus, 0.0) - levels.get(source.minus, 0.0))
    both = 1 + np.exp(-across / thermal_voltage(celsius))
    return np.asarray(2 * ELEMENTARY_CHARGE * current * both, dtype=np.float64)


def _flicker(rng: np.random.Generator, size: int, interval: float, corner: float) -> Array:
    """Noise of density `corner / f` where unit white noise has 1, down to one period."""
    spectrum = np.fft.rfft(rng.standard_normal(size))
    frequency = np.fft.rfftfreq(size, interval)
    spectrum[1:] *= np.sqrt(corner / frequency[1:])
    spectrum[0] = 0
    return np.asarray(np.fft.irfft(spectrum, size), dtype=np.float64)


Found = tuple[tuple[str, ...], float | None]


def _elements(deck: Deck) -> dict[str, Found]:
    """Resistors and transistors of the flat circuit: nodes (drain and source) and resistance."""
    lines = deck.netlist.lower().replace("\n+", " ").splitlines()
    lines += [f"{k.element} {' '.join(k.nodes)} {k.default}".lower() for k in deck.knobs.values()]
    top: list[list[str]] = []
    bodies: dict[str, list[list[str]]] = {}
    ports: dict[str, list[str]] = {}
    inside = ""
    for line in lines:
        words = re.sub(r"\s*=\s*", "=", line).split()
        if not words or words[0][0] == "*":
            continue
        if words[0] == ".subckt":
            inside = words[1]
            bodies[inside] = []
            ports[inside] = [w for w in words[2:] if "=" not in w and w != "params:"]
        elif words[0] == ".ends":
            inside = ""
        else:
            (bodies[inside] if inside else top).append(words)
    found: dict[str, Found] = {}

    def walk(body: list[list[str]], prefix: str, outer: Mapping[str, str]) -> None:
        def node(name: str) -> str:
            plain = "0" if name in ("0", "gnd") else outer.get(name)
            return plain if plain is not None else f"{prefix}{name}"

        for words in body:
            name, rest = words[0], words[1:]
            path = f"{name[0]}.{prefix}{name}" if prefix else name
            if name[0] == "r" and len(rest) > 2:
                found[path] = ((node(rest[0]), node(rest[1])), _value(rest[2]))
            elif name[0] == "m" and len(rest) > 4:
                found[path] = ((node(rest[0]), node(rest[2])), None)
            elif name[0] == "x":
                given = [w for w in rest if "=" not in w and w != "params:"]
                called = given.pop()
                if called in bodies:
                    mapped = dict(zip(ports[called], map(node, given), strict=False))
                    walk(bodies[called], f"{prefix}{name}.", mapped)

    walk(top, "", {})
    return found


def _value(text: str) -> float:
    try:
        return parse_spice_number(text)
    except ParameterError:
        return float("nan")
