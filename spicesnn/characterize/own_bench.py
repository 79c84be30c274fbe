"""A bench of a cell from outside: a stimulus and measures, as its TOML gives them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from pydantic import Field

from spicesnn.characterize.bench import Bench, Line, Panel, Quantity
from spicesnn.characterize.condition import Condition
from spicesnn.circuits.deck import DcSweep, Deck, Knob, Transient, Value, Waveform
from spicesnn.circuits.stimuli import pulse_train
from spicesnn.errors import DataError, ParameterError, UnknownNameError
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.levels import first_crossing, settling_time, slope, width_at
from spicesnn.measure.rates import mean_rate
from spicesnn.measure.spikes import spike_times
from spicesnn.measure.time_constants import decay_time_constant
from spicesnn.parameters import Parameters
from spicesnn.processes import Process
from spicesnn.units import parse_spice_number, spice_number
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]
_UNITS = {"v": "V", "a": "A", "f": "F", "ohm": "ohm"}
# A port's capacitor of more than this was meant with a suffix: 100f is 100 of F.
_MOST_FARADS = 1e-6


class Stimulus(Parameters):
    """What one port gets while the others keep theirs; numbers as text, with SPICE's suffixes.

    One of `sweep` (two ends), `step` (before, after) and `pulses` (their beginnings).
    """

    port: str
    sweep: tuple[str, str] | None = None
    points: int = Field(201, gt=1)
    step: tuple[str, str] | None = None
    at: str = "0"
    edge: str = "10n"
    pulses: tuple[str, ...] | None = None
    high: str = "supply"
    width: str = "10u"
    stop: str | None = None
    maximum_step: str | None = None


class Measure(Parameters):
    """One number: exactly one of the kinds, which names its signal; the rest are its details.

    Signals are `v(port)`, `v(x1.node)` of a node inside, and `i(port)`, the current into a port
    that a voltage drives.
    """

    value: str | None = None
    most: str | None = None
    least: str | None = None
    mean: str | None = None
    slope: str | None = None
    crossing: str | None = None
    width: str | None = None
    decay: str | None = None
    settling: str | None = None
    delay: str | None = None
    rate: str | None = None
    power: str | None = None
    energy: str | None = None
    on: str | None = None
    at: str | None = None
    start: str | None = Field(None, alias="from")
    stop: str | None = Field(None, alias="to")
    level: str | None = None
    band: str | None = None
    low: float | None = None
    high: float | None = None

    def kind(self, name: str) -> tuple[str, str]:
        """The kind and its signal.

        Raises:
            DataError: none is given, or several.
        """
        given = [(kind, getattr(self, kind)) for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise DataError(
                f"measure {name!r}: give exactly one of {', '.join(KINDS)}, not "
                f"{', '.join(kind for kind, _ in given) or 'none'}."
            )
        kind, signal = given[0]
        return kind, re.sub(r"\s", "", signal.lower())


class OwnBench(Bench):
    """One stimulus of a cell from outside, with the measures on it."""

    label: str
    suffix: str
    subckt: str
    text: str
    order: tuple[str, ...]
    ports: dict[str, str]
    stimulus: Stimulus
    measures: dict[str, Measure]

    @property
    def name(self) -> str:
        """From the TOML."""
        return self.label

    @property
    def properties(self) -> Mapping[str, Quantity]:
        """The measures by their names in the TOML."""
        return {
            name + self.suffix: Quantity(self._unit(name, each), each.low, each.high)
            for name, each in self.measures.items()
        }

    def deck(self, process: Process) -> Deck:
        """The subcircuit, its drives, and the stimulus as a knob."""
        supply = process.supply
        lines = [self.text.strip(), f"Vdd vdd 0 dc {spice_number(supply)}"]
        nodes = {port: self._node(port) for port in self.order}
        for port, drive in self.ports.items():
            lines += _drive_lines(port, nodes[port], drive, supply)
        lines.append(f"X1 {' '.join(nodes[port] for port in self.order)} {self.subckt}")
        value = self._levels(supply)[0]
        knob = Knob(self._source(), self._ends(), value)
        probes = list(dict.fromkeys([*self._vectors(), "i(vdd)", *self._axis_vectors()]))
        netlist = "\n".join(lines) + "\n"
        return Deck(
            f"spicesnn: {self.label} on {process.name}, {process.corner}", netlist,
            process.models_for(netlist), {knob.element: knob}, tuple(probes),
            self._analysis(supply), plausible_voltage=2 * supply,
        )  # fmt: skip

    def stimuli(self, process: Process) -> list[dict[str, Value]]:
        """One run."""
        stimulus, supply = self.stimulus, process.supply
        if stimulus.sweep:
            return [{}]
        stop = _number(stimulus.stop or "0", "stop")
        if stimulus.pulses:
            times = [_number(text, "pulses") for text in stimulus.pulses]
            high, edge = _level(stimulus.high, supply)[0], _number(stimulus.edge, "edge")
            width = _number(stimulus.width, "width")
            return [{
                self._source(): pulse_train(times, high=high, width=width, edge=edge, stop=stop)
            }]  # fmt: skip
        before, after = self._levels(supply)
        at, edge = _number(stimulus.at, "at"), _number(stimulus.edge, "edge")
        corners = np.array([0.0, at, at + edge]) if at > 0 else np.array([0.0, edge])
        values = np.array([before, before, after]) if at > 0 else np.array([before, after])
        return [{self._source(): Waveform(corners, values)}]

    def measure(self, waveforms: Sequence[Waveforms], on: Condition) -> dict[str, float]:
        """Every measure; NaN where the waveform does not show it."""
        wave = waveforms[0]
        found = {}
        for name, each in self.measures.items():
            kind, signal = each.kind(name)
            y = wave["i(vdd)"] if kind in _OF_SUPPLY else self._signal(wave, signal)
            try:
                value = KINDS[kind](self, each, wave, y, on)
            except DataError:
                value = float("nan")
            found[name + self.suffix] = value
        return found

    def panels(self, waveforms: Sequence[Waveforms], on: Condition) -> tuple[Panel, ...]:
        """Every signal that is measured, voltages and currents apart."""
        wave, found = waveforms[0], []
        axis = self.axis_unit()
        label = "time" if axis == "s" else f"{self.stimulus.port}"
        for unit, what in (("V", "voltage"), ("A", "current")):
            signals = dict.fromkeys(
                signal for kind, signal in (m.kind(n) for n, m in self.measures.items())
                if kind not in _OF_SUPPLY and signal.startswith(unit.lower().replace("a", "i"))
            )  # fmt: skip
            lines = tuple(Line(s, wave.time, self._signal(wave, s)) for s in signals)
            if lines:
                found.append(Panel(self.label + self.suffix, label, axis, what, unit, lines))
        return tuple(found)

    def check(self) -> None:
        """Read every drive and signal.

        Raises:
            ParameterError, DataError, UnknownNameError: one cannot be read.
        """
        for drive in self.ports.values():
            _level(drive, 1.0)
        self._analysis(1.0)
        self._vectors()
        for name, each in self.measures.items():
            kind, _ = each.kind(name)
            if self.stimulus.sweep and kind in _OF_TIME:
                raise DataError(
                    f"measure {name!r}: {kind} is of a waveform in time, and {self.label} is a "
                    "sweep: give a step or pulses."
                )

    def axis_unit(self) -> str:
        """Of the stimulus: seconds, volts or amperes."""
        return _level(self.stimulus.sweep[0], 1.0)[1] if self.stimulus.sweep else "s"

    @property
    def driven(self) -> str:
        """The driven port's voltage, where a delay begins."""
        return f"v({self._node(self.stimulus.port)})"

    def _node(self, port: str) -> str:
        drive = self.ports.get(port, "")
        if drive == "supply":
            return "vdd"
        if drive in ("gnd", "0 V", "0V", "0"):
            return "0"
        return f"{port}_port" if port == "vdd" else port

    def _is_current(self) -> bool:
        levels = self.stimulus.sweep or self.stimulus.step
        return bool(levels) and _level(levels[1], 1.0)[1] == "A"  # type: ignore[index]

    def _source(self) -> str:
        return f"{'i' if self._is_current() else 'v'}{self.stimulus.port}"

    def _ends(self) -> tuple[str, str]:
        node = self._node(self.stimulus.port)
        return ("vdd", node) if self._is_current() else (node, "0")

    def _levels(self, supply: float) -> tuple[float, float]:
        levels = self.stimulus.sweep or self.stimulus.step or ("0 V", "0 V")
        return _level(levels[0], supply)[0], _level(levels[1], supply)[0]

    def _analysis(self, supply: float) -> DcSweep | Transient:
        if self.stimulus.sweep:
            start, stop = self._levels(supply)
            step = (stop - start) / (self.stimulus.points - 1)
            return DcSweep(self._source(), start, stop, step)
        stop = _number(self.stimulus.stop or "0", "stop")
        largest = self.stimulus.maximum_step
        return Transient(stop, _number(largest, "maximum_step") if largest else stop / 2000)

    def _vectors(self) -> list[str]:
        signals = [m.kind(name) for name, m in self.measures.items()]
        return [self._vector(signal) for kind, signal in signals if kind not in _OF_SUPPLY]

    def _axis_vectors(self) -> list[str]:
        delays = any(m.kind(name)[0] == "delay" for name, m in self.measures.items())
        return [self.driven] if delays else []

    def _vector(self, signal: str) -> str:
        match = re.fullmatch(r"([vi])\(([^()]+)\)", signal)
        if not match:
            raise DataError(f"{signal!r} is no signal: write v(port), v(x1.node) or i(port).")
        kind, name = match.groups()
        if name.startswith("x1.") and kind == "v":
            return signal
        if name not in self.order:
            raise UnknownNameError(f"port of {self.subckt}", name, self.order)
        if kind == "v":
            if self._node(name) == "0":
                raise DataError(f"{signal}: the port {name} is grounded; there is nothing to see.")
            return f"v({self._node(name)})"
        if self._node(name) == "vdd":
            return "i(vdd)"
        driven = self.stimulus.port == name and not self._is_current()
        if not driven and _level(self.ports.get(name, "open"), 1.0)[1] != "V":
            raise DataError(f"{signal}: no voltage drives the port {name}; ask for v({name}).")
        return f"i(v{name})"

    def _signal(self, wave: Waveforms, signal: str) -> Array:
        values = wave[self._vector(signal)]
        return -values if signal.startswith("i") else values

    def _unit(self, name: str, measure: Measure) -> str:
        kind, signal = measure.kind(name)
        of = "A" if signal.startswith("i") else "V"
        axis = self.axis_unit()
        fixed = {"power": "W", "energy": "J", "rate": "Hz", "delay": "s", "settling": "s",
                 "decay": "s", "crossing": axis, "width": axis}  # fmt: skip
        if kind == "slope":
            return "1" if of == axis else f"{of}/{axis}"
        return fixed.get(kind, of)


Kind = Callable[[OwnBench, Measure, Waveforms, Array, Condition], float]
_OF_SUPPLY = ("power", "energy")
_OF_TIME = ("decay", "settling", "delay", "rate", "energy")


def _place(text: str | None, otherwise: float, on: Condition) -> float:
    return otherwise if text is None else _level(text, on.supply)[0]


def _value(bench: OwnBench, m: Measure, wave: Waveforms, y: Array, on: Condition) -> float:
    return float(np.interp(_place(m.at, wave.time[-1], on), wave.time, y))


def _mean(bench: OwnBench, m: Measure, wave: Waveforms, y: Array, on: Condition) -> float:
    return float(np.trapezoid(y, wave.time) / np.ptp(wave.time))


def _slope(bench: OwnBench, m: Measure, wave: Waveforms, y: Array, on: Condition) -> float:
    ends = _place(m.start, -np.inf, on), _place(m.stop, np.inf, on)
    return slope(wave.time, y, *ends)


def _crossing(bench: OwnBench, m: Measure, wave: Waveforms, y: Array, on: Condition) -> float:
    level = _place(m.level, (y.max() + y.min()) / 2, on)
    return first_crossing(wave.time, y, level, after=_place(m.start, -np.inf, on))


def _settling(bench: OwnBench, m: Measure, wave: Waveforms, y: Array, on: Condition) -> float:
    start = _number(m.start or bench.stimulus.at, "from")
    band = _place(m.band, 0.01 * float(np.ptp(y)), on)
    return settling_time(wave.time, y, start, float(y[-1]), band)


def _delay(bench: OwnBench, m: Measure, wave: Waveforms, y: Array, on: Condition) -> float:
    x = wave[bench.driven]
    begin = first_crossing(wave.time, x, (x.max() + x.min()) / 2)
    level = _place(m.level, (y.max() + y.min()) / 2, on)
    return first_crossing(wave.time, y, level, after=begin) - begin


def _rate(bench: OwnBench, m: Measure, wave: Waveforms, y: Array, on: Condition) -> float:
    return mean_rate(spike_times(wave.time, y, _place(m.level, on.supply / 2, on)))


KINDS: dict[str, Kind] = {
    "value": _value,
    "most": lambda bench, m, wave, y, on: float(y.max()),
    "least": lambda bench, m, wave, y, on: float(y.min()),
    "mean": _mean,
    "slope": _slope,
    "crossing": _crossing,
    "width": lambda bench, m, wave, y, on: width_at(wave.time, y, base=float(y.min())),
    "decay": lambda bench, m, wave, y, on: decay_time_constant(wave.time, y, rest=float(y[-1])),
    "settling": _settling,
    "delay": _delay,
    "rate": _rate,
    "power": lambda bench, m, wave, y, on: on.supply * _mean(bench, m, wave, -y, on),
    "energy": lambda bench, m, wave, y, on: supply_energy(wave, {"i(vdd)": on.supply}),
}


def _number(text: str, what: str) -> float:
    try:
        return parse_spice_number(text)
    except ParameterError as error:
        raise ParameterError(f"{what}: {error}") from None


def _level(text: str, supply: float) -> tuple[float, str]:
    """A drive as a number and its unit: V, A, F, ohm, or nothing for an open port."""
    plain = text.strip().lower()
    if plain in ("open", "gnd"):
        return 0.0, "" if plain == "open" else "V"
    of_supply = re.fullmatch(r"(?:([\d.]+)\s*\*?\s*)?supply(?:\s*/\s*([\d.]+))?", plain)
    if of_supply:
        over, under = of_supply.groups()
        return supply * float(over or 1) / float(under or 1), "V"
    match = re.fullmatch(r"([+-]?[\d.]+(?:e[+-]?\d+)?[a-z]*?)\s*(v|a|f|ohm)?", plain)
    if not match:
        raise ParameterError(
            f'{text!r} is no level: write supply, gnd, open, or a value as "0.9 V", "10n A", '
            '"100f F", "1meg ohm".'
        )
    value, unit = _number(match.group(1), repr(text)), _UNITS[match.group(2) or "v"]
    if unit == "F" and value > _MOST_FARADS:
        raise ParameterError(f'{text!r} is {value:g} farads: write the unit, too, as "100f F".')
    return value, unit


def _drive_lines(port: str, node: str, drive: str, supply: float) -> list[str]:
    """SPICE lines that give a port its drive."""
    value, unit = _level(drive, supply)
    if node in ("vdd", "0") or not unit:
        return []
    text = spice_number(value)
    if unit == "A":
        # What flows in comes from the supply, what flows out goes to ground.
        ends = f"vdd {node}" if value >= 0 else f"{node} 0"
        return [f"I{port} {ends} dc {spice_number(abs(value))}"]
    kind = {"V": f"V{port} {node} 0 dc {text}", "F": f"C{port} {node} 0 {text}",
            "ohm": f"R{port} {node} 0 {text}"}  # fmt: skip
    return [kind[unit]]
