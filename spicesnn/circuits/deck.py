"""A deck: netlist text, its knobs, its probes and its analysis, ready for the engine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from spicesnn.circuits.device_forms import DeviceForm, DeviceForms
from spicesnn.errors import DataError, ParameterError, UnknownNameError
from spicesnn.processes import Process
from spicesnn.units import spice_number

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Waveform:
    """A piecewise-linear source: `time` in seconds, rising; `value` in volts or amperes."""

    time: Array
    value: Array

    def __post_init__(self) -> None:
        """Check shape, finiteness and order.

        Raises:
            DataError: the corners are not a finite, rising sequence.
        """
        if self.time.shape != self.value.shape or self.time.ndim != 1 or self.time.size < 1:
            raise DataError("a waveform needs times and values of one shape, (corners,).")
        if not (np.isfinite(self.time).all() and np.isfinite(self.value).all()):
            raise DataError("a waveform holds NaN or infinite values; remove those samples.")
        if self.time.size > 1 and not (np.diff(self.time) > 0).all():
            raise DataError("a waveform's times must rise; sort them and drop repeats.")

    def text(self) -> str:
        """The source as SPICE text."""
        pairs = zip(self.time, self.value, strict=True)
        return f"pwl({' '.join(f'{t:.9e} {v:.9e}' for t, v in pairs)})"

    @staticmethod
    def constant(value: float) -> Waveform:
        """The same value at all times."""
        return Waveform(np.array([0.0]), np.array([value]))


@dataclass(frozen=True)
class Pulse:
    """A periodic pulse, in volts or amperes and seconds, as SPICE's PULSE."""

    low: float
    high: float
    delay: float
    rise: float
    fall: float
    width: float
    period: float

    def __post_init__(self) -> None:
        """Check that the numbers are finite and the pulse fits its period.

        Raises:
            DataError: they do not.
        """
        if not np.isfinite(self.numbers()).all():
            raise DataError("a pulse holds NaN or infinite values.")
        if min(self.delay, self.rise, self.fall, self.width) < 0:
            raise DataError("a pulse's delay, rise, fall and width must not be negative.")
        if self.rise + self.width + self.fall > self.period:
            raise DataError("a pulse's rise, width and fall must fit into its period.")

    def numbers(self) -> Array:
        """Low, high, delay, rise, fall, width, period."""
        return np.array(
            [self.low, self.high, self.delay, self.rise, self.fall, self.width, self.period]
        )

    def text(self) -> str:
        """The source as SPICE text."""
        return f"pulse({' '.join(f'{number:.9e}' for number in self.numbers())})"


Value = Waveform | Pulse | float

_KINDS = {
    "v": "voltage source", "i": "current source", "r": "resistor", "c": "capacitor",
    "l": "inductor",
}  # fmt: skip
_UNITS = {"r": "ohms", "c": "farads", "l": "henries"}


@dataclass(frozen=True)
class Knob:
    """A top-level element whose value is turned between runs without loading the deck again.

    Attributes:
        element: SPICE name: a source (`v...`, `i...`) takes a `Waveform`, a `Pulse` or a constant;
            `r...`, `c...`, `l...` a positive number of ohms, farads, henries.
        nodes: its two nodes.
        default: the value written into the deck.
        rest: what follows the value on the element's line.
    """

    element: str
    nodes: tuple[str, str]
    default: Value
    rest: str = ""

    @property
    def is_source(self) -> bool:
        """A voltage or current source."""
        return self.element[0].lower() in "vi"

    @property
    def live_node(self) -> str:
        """Its first node that is not ground."""
        return self.nodes[0] if self.nodes[0] != "0" else self.nodes[1]

    def checked(self, value: Value) -> Value:
        """The value, if it suits the element.

        Raises:
            ParameterError: a waveform for a passive element, or a number that is not positive
                and finite.
        """
        kind = self.element[0].lower()
        if isinstance(value, Waveform | Pulse):
            if not self.is_source:
                raise ParameterError(
                    f"knob {self.element} is a {_KINDS[kind]}: give it a positive number of "
                    f"{_UNITS[kind]}, not a waveform."
                )
            return value
        if not np.isfinite(value) or (value <= 0 and not self.is_source):
            wanted = "finite number" if self.is_source else f"positive number of {_UNITS[kind]}"
            raise ParameterError(
                f"knob {self.element} is a {_KINDS[kind]}: give it a {wanted}, not {value!r}."
            )
        return float(value)

    def line(self, value: Value) -> str:
        """The element's netlist line at this value, to ten figures."""
        value = self.checked(value)
        text = spice_number(value) if isinstance(value, float) else value.text()
        # A source whose waveform starts elsewhere than its constant would change between the
        # operating point of a transient and an operating point alone.
        if isinstance(value, Waveform | Pulse):
            text = f"dc {spice_number(start_of(value))} {text}"
        elif self.is_source:
            text = f"dc {text}"
        return f"{self.element} {self.nodes[0]} {self.nodes[1]} {text}{self.rest}"


def start_of(value: Waveform | Pulse) -> float:
    """The value of a source at time zero."""
    return float(value.value[0]) if isinstance(value, Waveform) else value.low


@dataclass(frozen=True)
class Transient:
    """A transient analysis, in seconds.

    Attributes:
        stop: its end.
        maximum_step: bound of the solver's own step.
        start: waveforms are kept from here on.
        from_initial: begin at the `.ic` voltages without an operating point (SPICE's UIC).
        print_step: SPICE's TSTEP, which plays no part in what is kept, but is the rise and fall
            time of a PULSE that has none; by default the maximum step.
    """

    axis: ClassVar[str] = "time"
    stop: float
    maximum_step: float
    start: float = 0.0
    from_initial: bool = False
    print_step: float | None = None

    def __post_init__(self) -> None:
        """Check the times.

        Raises:
            ParameterError: they are not positive, or the start is not before the stop.
        """
        if not (self.stop > 0 and self.maximum_step > 0 and 0 <= self.start < self.stop):
            raise ParameterError(
                f"a transient needs 0 <= start < stop and a positive maximum step, not start "
                f"{self.start:g}, stop {self.stop:g}, maximum step {self.maximum_step:g} s."
            )

    @property
    def end(self) -> float:
        """The axis value that a complete run reaches: the stop as the deck's six figures say it."""
        return float(spice_number(self.stop))

    def complete(self, reached: float) -> bool:
        """Whether a run came to its end, but for rounding."""
        return reached >= self.end * (1 - 1e-9)

    def command(self) -> str:
        """The analysis in ngspice's words."""
        largest, stop = spice_number(self.maximum_step), spice_number(self.stop)
        step = largest if self.print_step is None else spice_number(self.print_step)
        start = spice_number(self.start) if self.start else "0"
        return f"tran {step} {stop} {start} {largest}{' uic' if self.from_initial else ''}"


@dataclass(frozen=True)
class OperatingPoint:
    """One operating point; its waveforms have one point."""

    axis: ClassVar[str] = ""
    end: ClassVar[float] = 0.0

    def complete(self, reached: float) -> bool:
        """Its one point is all there is."""
        return True

    def command(self) -> str:
        """The analysis in ngspice's words."""
        return "op"


@dataclass(frozen=True)
class DcSweep:
    """Operating points over the constant value of a source, in its unit."""

    source: str
    start: float
    stop: float
    step: float

    @property
    def axis(self) -> str:
        """The name of the swept axis in ngspice's words."""
        return "i-sweep" if self.source.lower().startswith("i") else "v-sweep"

    def __post_init__(self) -> None:
        """Check that the steps lead from the start to the stop.

        Raises:
            ParameterError: they do not.
        """
        if self.step == 0 or (self.stop - self.start) * self.step < 0:
            raise ParameterError(
                f"a sweep from {self.start:g} to {self.stop:g} does not come there by steps of "
                f"{self.step:g}."
            )

    @property
    def end(self) -> float:
        """The axis value that a complete run reaches."""
        steps = int((self.stop - self.start) / self.step + 1e-9)
        return self.start + steps * self.step

    def complete(self, reached: float) -> bool:
        """Whether a run came to its end, but for rounding."""
        return abs(reached - self.end) < 0.5 * abs(self.step)

    def command(self) -> str:
        """The analysis in ngspice's words."""
        numbers = (self.start, self.stop, self.step)
        return f"dc {self.source} {' '.join(spice_number(n) for n in numbers)}"


@dataclass(frozen=True)
class NoiseSpectrum:
    """Small-signal noise around the operating point, over frequency (ngspice's `.noise`).

    Its vectors are `onoise_spectrum` (volts per root hertz at the output) and `inoise_spectrum`
    (the same, referred to the source: in its unit per root hertz). The source needs an `ac` value.

    Attributes:
        output: node.
        source: name of the source that the noise is referred to.
        start, stop: hertz.
        points: frequencies a decade.
    """

    axis: ClassVar[str] = "frequency"
    output: str
    source: str
    start: float
    stop: float
    points: int = 20

    def __post_init__(self) -> None:
        """Check the frequencies.

        Raises:
            ParameterError: they are not positive and rising, or there is no point a decade.
        """
        if not (0 < self.start < self.stop and self.points >= 1):
            raise ParameterError(
                f"a noise spectrum needs 0 < start < stop and a point a decade, not "
                f"{self.start:g} to {self.stop:g} Hz with {self.points}."
            )

    @property
    def end(self) -> float:
        """The axis value that a complete run reaches."""
        return self.stop

    def complete(self, reached: float) -> bool:
        """Whether a run came to its last point: ngspice's grid may end a step before the stop."""
        return reached >= self.end / 10 ** (1.5 / self.points)

    def command(self) -> str:
        """The analysis in ngspice's words."""
        span = f"{spice_number(self.start)} {spice_number(self.stop)}"
        return f"noise v({self.output}) {self.source} dec {self.points} {span}"


Analysis = Transient | OperatingPoint | DcSweep | NoiseSpectrum

# Knobs that every deck has: they belong to the run, not to an element.
TEMPERATURE, STOP, MAXIMUM_STEP = "temperature", "stop", "maximum_step"
_RUN_KNOBS = (TEMPERATURE, STOP, MAXIMUM_STEP)
_DEVICE_KNOB = re.compile(r"@([a-z][\w.:#-]*)\[(delvto|mulu0)\]", re.I)


@dataclass(frozen=True)
class Deck:
    """A complete circuit without options, which are the engine's.

    Attributes:
        title: first line.
        netlist: SPICE text of the circuit, without the knobs.
        models: model cards.
        knobs: by element name.
        probes: vectors to keep: `v(node)`, `i(source)` or `@device[parameter]`; of a noise spectrum
            `onoise_spectrum` and `inoise_spectrum`.
        analysis: what is computed.
        parameters: `.param` values; turning one loads the deck again.
        initial: node to voltage, for `.ic`.
        plausible_voltage: no node voltage may exceed it in magnitude.
        weak_inversion: transistors, by ngspice's names (`m.xneuron.mleak`), that the bench declares
            to stay in weak inversion; the verdict names those that leave it.
        temperature: degrees Celsius.
        devices: devices of equations that the netlist's instances call.
        device_form: which of their forms runs.
    """

    title: str
    netlist: str
    models: str
    knobs: Mapping[str, Knob]
    probes: tuple[str, ...]
    analysis: Analysis
    parameters: Mapping[str, float] = field(default_factory=dict)
    initial: Mapping[str, float] = field(default_factory=dict)
    plausible_voltage: float = 5.0
    weak_inversion: tuple[str, ...] = ()
    temperature: float = 27.0
    devices: tuple[DeviceForms, ...] = ()
    device_form: DeviceForm = "auto"

    def settings(self, knobs: Mapping[str, Value] | None = None) -> Settings:
        """All knobs at the given values or their defaults.

        Besides the deck's own knobs and parameters, every deck has `temperature` (degrees
        Celsius), `stop` and `maximum_step` (seconds, of a transient), and the mismatch of any
        BSIM transistor, `@m.x1.m0[delvto]` (volts) and `[mulu0]` (a factor).

        Raises:
            UnknownNameError: a name is not a knob of this deck.
            ParameterError: a value does not suit its knob.
        """
        given = dict(knobs or {})
        elements = {n: k.checked(given.pop(n, k.default)) for n, k in self.knobs.items()}
        parameters = {n: _number(n, given.pop(n, v)) for n, v in self.parameters.items()}
        temperature = _number(TEMPERATURE, given.pop(TEMPERATURE, self.temperature))
        analysis = self.analysis
        if isinstance(analysis, Transient):
            stop = _number(STOP, given.pop(STOP, analysis.stop))
            step = _number(MAXIMUM_STEP, given.pop(MAXIMUM_STEP, analysis.maximum_step))
            analysis = replace(analysis, stop=stop, maximum_step=step)
        devices = {n: _number(n, given.pop(n)) for n in list(given) if _DEVICE_KNOB.fullmatch(n)}
        for name in given:
            known = [*self.knobs, *self.parameters, *_RUN_KNOBS, "@device[delvto]"]
            raise UnknownNameError(f"knob of {self.title!r}", name, known)
        return Settings(elements, parameters, devices, temperature, analysis)

    def text(
        self, options: str, knobs: Mapping[str, Value] | None = None, compiled: bool = False
    ) -> str:
        """The complete deck, runnable by `ngspice -b -r out.raw DECK` alone.

        Mismatch knobs (`@device[delvto]`) have no netlist line; the engine's batch form adds them.
        With `compiled` the devices are those of compiled modules, which the engine loads.
        """
        settings = self.settings(knobs)
        parts = [f"* {self.title}", self.models.strip(), *self._parameter_lines(settings)]
        parts += [(d.wrapper if compiled else d.subcircuit).strip() for d in self.devices]
        parts += [self.netlist.strip()]
        parts += [self.knobs[name].line(value) for name, value in settings.elements.items()]
        if self.initial:
            levels = (f"v({n})={spice_number(v)}" for n, v in self.initial.items())
            parts.append(".ic " + " ".join(levels))
        if settings.temperature != 27.0:
            parts.append(f".temp {spice_number(settings.temperature)}")
        parts += [options, ".save " + " ".join([*self.probes, *self.region_probes])]
        parts += ["." + settings.analysis.command(), ".end"]
        return "\n".join(part for part in parts if part) + "\n"

    @property
    def region_probes(self) -> tuple[str, ...]:
        """The vectors from which the region of the declared transistors is judged."""
        if isinstance(self.analysis, NoiseSpectrum):
            return ()
        return tuple(f"@{m}[{q}]" for m in self.weak_inversion for q in ("vgs", "vth"))

    @cached_property
    def identity(self) -> str:
        """Hash of everything in the deck at its default knobs."""
        form = f"* {self.device_form}\n" if self.devices else ""
        return sha256((self.text("") + form).encode()).hexdigest()[:16]

    @cached_property
    def elements(self) -> int:
        """Elements of the flat circuit: how large it is."""
        own = [self.netlist, *(device.subcircuit for device in self.devices)]
        return len(self.knobs) + count_elements("\n".join(own))

    def _parameter_lines(self, settings: Settings) -> list[str]:
        return [f".param {n}={spice_number(v)}" for n, v in settings.parameters.items()]


def circuit_deck(
    title: str,
    circuit: object,
    process: Process,
    analysis: Analysis,
    knobs: Iterable[Knob],
    probes: tuple[str, ...],
    initial: Mapping[str, float] | None = None,
) -> Deck:
    """The deck of a PySpice circuit on a process.

    Args:
        title: first line.
        circuit: prints as a title line and netlist text, as PySpice's circuits do.
        process: of its transistors; voltages over twice its supply are implausible.
        analysis: what is computed.
        knobs: elements that are not in the circuit yet.
        probes: vectors to keep.
        initial: node to voltage, for `.ic`.
    """
    return Deck(
        title, str(circuit).partition("\n")[2], process.models,
        {knob.element: knob for knob in knobs}, probes, analysis, initial=initial or {},
        plausible_voltage=2 * process.supply,
    )  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """Every knob of a deck with its value.

    Attributes:
        elements: knobs of elements, by name.
        parameters: `.param` values, by name.
        devices: mismatch knobs that were given, by name.
        temperature: degrees Celsius.
        analysis: with its times as they were given.
    """

    elements: Mapping[str, Value]
    parameters: Mapping[str, float]
    devices: Mapping[str, float]
    temperature: float
    analysis: Analysis


def _number(name: str, value: Value) -> float:
    if isinstance(value, Waveform | Pulse) or not np.isfinite(value):
        raise ParameterError(f"knob {name}: give it a finite number, not {value!r}.")
    return float(value)


def count_elements(netlist: str) -> int:
    """Elements of a netlist with its subcircuits expanded."""
    bodies: dict[str, list[str]] = {"": []}
    inside = [""]
    for line in netlist.splitlines():
        words = line.split()
        if not words or line[0] in "*+":
            continue
        first = words[0].lower()
        if first == ".subckt" and len(words) > 1:
            inside.append(words[1].lower())
            bodies.setdefault(inside[-1], [])
        elif first == ".ends" and len(inside) > 1:
            inside.pop()
        elif first[0] != ".":
            bodies[inside[-1]].append(line)
    sizes: dict[str, int] = {}

    def size(name: str, above: tuple[str, ...]) -> int:
        if name not in sizes and name not in above:
            total = 0
            for line in bodies[name]:
                if line[0] in "xX":
                    plain = [w for w in line.split("params:")[0].split() if "=" not in w]
                    called = plain[-1].lower()
                    total += size(called, (*above, name)) if called in bodies else 1
                else:
                    total += 1
            sizes[name] = total
        return sizes.get(name, 0)

    return size("", ())
