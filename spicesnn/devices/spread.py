"""Non-idealities of device arrays: one frozen object each, under one name, seeded.

Each takes conductances and gives conductances, so they can be put together in any order and each
swept alone. What belongs to a device (its factor, its drift, whether it is stuck) is drawn from the
seed and the shape alone and is the same at every call; what belongs to an event (a write, a read)
is drawn from the seed and the number of the event. So a run that is taken up again draws the same.

    spread(conductance, [DeviceToDevice(sigma=0.1), ReadNoise(relative=0.02)], Occasion(...))

They are for conductances that no `PulseMap` made: a map of weights, the array of a solver; or for
what a kind of `PulseMap` lacks (wear, loss of the state, stuck cells). Where its numbers have a
spread of devices or cycles, a drift or a noise of reads already (`device_spread`, `cycle_spread`,
`drift_exponent`, `read_spread`, `read_g`), the same effect from here would count twice: the array
cannot know, take one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spicesnn.devices.ode import Ode
from spicesnn.errors import DataError, ParameterError, UnknownNameError
from spicesnn.parameters import Parameters, parameter

Array = npt.NDArray[np.float64]

_BOLTZMANN = 1.380649e-23 / 1.602176634e-19  # eV/K (SI 2019)
_ZERO_CELSIUS = 273.15
_BOUNDS = {"gt": np.greater, "ge": np.greater_equal, "lt": np.less, "le": np.less_equal}
_ROUNDING = 1e-9  # of a conductance that was computed as a part of the range


@dataclass(frozen=True, eq=False)
class Occasion:
    """When and how an array is looked at.

    Attributes:
        g_min, g_max: limits of the devices, siemens; numbers, or arrays of the conductances' shape.
            `spread` moves them with the devices: see there.
        time: since the devices were programmed, seconds.
        celsius: temperature over that time.
        cycles: SET-RESET cycles that the devices have made; a number, or one a device.
        event: number of the write or the read, >= 0.

    Raises:
        DataError: a range is empty, or a number is negative or not finite.
    """

    g_min: npt.ArrayLike
    g_max: npt.ArrayLike
    time: float = 0.0
    celsius: float = 27.0
    cycles: npt.ArrayLike = 0.0
    event: int = 0

    def __post_init__(self) -> None:
        low, high = (_numbers(getattr(self, label), label) for label in ("g_min", "g_max"))
        if low.ndim and high.ndim and low.shape != high.shape:
            raise DataError(
                f"g_min of an occasion has shape {low.shape}, g_max {high.shape}: give numbers, or "
                "one of each a device."
            )
        if not ((low > 0) & (low < high)).all():
            raise DataError("an occasion needs limits 0 < g_min < g_max, in siemens.")
        single = [_numbers(getattr(self, label), label) for label in ("time", "celsius")]
        if any(each.ndim for each in single):
            raise DataError("time and celsius of an occasion are single numbers.")
        if isinstance(self.event, bool) or not isinstance(self.event, int | np.integer):
            raise DataError(f"the event of an occasion is a whole number, not {self.event!r}.")
        cycles = _numbers(self.cycles, "cycles")
        if not (self.time >= 0 and (cycles >= 0).all() and self.event >= 0):
            raise DataError("time, cycles and event of an occasion are >= 0.")
        if not self.celsius > -_ZERO_CELSIUS:
            raise DataError(f"{self.celsius:g} degrees Celsius is under absolute zero.")


def _numbers(values: npt.ArrayLike, label: str) -> Array:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{label} of an occasion is not a number: {values!r}.") from None
    if not np.isfinite(numbers).all():
        raise DataError(f"{label} of an occasion is not finite.")
    return numbers


class Spread(Parameters):
    """One non-ideality.

    Attributes:
        name: what it is called in sweeps and reports.
    """

    name: ClassVar[str]
    stream: ClassVar[int]  # so that two of them with one seed are independent

    seed: int = parameter(0, unit="1", doc="seed of its draws", ge=0)

    @abstractmethod
    def apply(self, conductance: Array, occasion: Occasion) -> Array:
        """Conductances with this non-ideality, siemens, of the same shape."""

    def limits(self, occasion: Occasion, shape: tuple[int, ...]) -> Occasion:
        """The occasion as what comes after this non-ideality sees it: mostly the same."""
        return occasion

    def fixed(self) -> np.random.Generator:
        """Draws what belongs to the devices."""
        return np.random.default_rng([self.seed, self.stream])

    def at_event(self, occasion: Occasion) -> np.random.Generator:
        """Draws what belongs to one write or read."""
        return np.random.default_rng([self.seed, self.stream, 1 + occasion.event])


class DeviceToDevice(Spread):
    """Every conductance times a log-normal factor of its device, `exp(sigma N(0, 1))`: median 1."""

    name: ClassVar[str] = "device-to-device"
    stream: ClassVar[int] = 0

    sigma: float = parameter(unit="1", doc="relative sigma, of ln G", ge=0, lt=2)

    def factors(self, shape: tuple[int, ...]) -> Array:
        """Of each device, pure numbers."""
        return np.asarray(np.exp(self.sigma * self.fixed().standard_normal(shape)))

    def apply(self, conductance: Array, occasion: Occasion) -> Array:
        """`G exp(sigma N(0, 1))`, siemens; the limits do not clip it: they spread likewise."""
        return np.asarray(conductance * self.factors(conductance.shape))

    def limits(self, occasion: Occasion, shape: tuple[int, ...]) -> Occasion:
        """Both limits times the factor of each device."""
        factors = self.factors(shape)
        return replace(
            occasion,
            g_min=np.asarray(occasion.g_min) * factors,
            g_max=np.asarray(occasion.g_max) * factors,
        )


class CycleToCycle(Spread):
    """Noise of a write, `G + sigma (g_max - g_min) sqrt(pulses) N(0, 1)`, clipped to the limits.

    Source of the form: NeuroSim, cycle-to-cycle variation of an update of several pulses.
    """

    name: ClassVar[str] = "cycle-to-cycle"
    stream: ClassVar[int] = 1

    sigma: float = parameter(unit="1", doc="sigma of a pulse, in units of the range", ge=0)
    pulses: float = parameter(1.0, unit="1", doc="pulses of the write", ge=0)

    def apply(self, conductance: Array, occasion: Occasion) -> Array:
        """What the write number `occasion.event` leaves, siemens."""
        low, high = np.asarray(occasion.g_min), np.asarray(occasion.g_max)
        draws = self.at_event(occasion).standard_normal(conductance.shape)
        noise = self.sigma * np.sqrt(self.pulses) * (high - low) * draws
        return np.asarray(np.clip(conductance + noise, low, high))


class ReadNoise(Spread):
    """Noise of a read, `G + (relative G + absolute) N(0, 1)`, not under `floor`.

    Source of the form: Nandakumar et al., J. Appl. Phys. 124, 152135, 2018. The floor is ours: a
    resistor of a deck must be positive.
    """

    name: ClassVar[str] = "read noise"
    stream: ClassVar[int] = 2

    relative: float = parameter(0.0, unit="1", doc="sigma over conductance", ge=0)
    absolute: float = parameter(0.0, unit="S", doc="sigma, constant part", ge=0)
    floor: float = parameter(1e-12, unit="S", doc="lowest conductance that is read", gt=0)

    def apply(self, conductance: Array, occasion: Occasion) -> Array:
        """What the read number `occasion.event` gives, siemens."""
        draws = self.at_event(occasion).standard_normal(conductance.shape)
        sigma = self.relative * conductance + self.absolute
        return np.maximum(conductance + sigma * draws, self.floor)


class Drift(Spread):
    """Power law in the time since programming, `G (time / reference_time)^-nu`.

    `nu ~ N(exponent, exponent_spread)` of each device, not under 0. The default reference time and
    exponent are those of Nandakumar et al., J. Appl. Phys. 124, 152135, 2018; a spread is ours.
    """

    name: ClassVar[str] = "drift"
    stream: ClassVar[int] = 3

    exponent: float = parameter(
        0.04, unit="1", doc="mean exponent", ge=0, lt=1, source="Nandakumar et al. 2018"
    )
    exponent_spread: float = parameter(0.0, unit="1", doc="sigma of the exponents", ge=0)
    reference_time: float = parameter(
        38.6, unit="s", doc="when the conductance holds", gt=0, source="Nandakumar et al. 2018"
    )

    def exponents(self, shape: tuple[int, ...]) -> Array:
        """Of each device, pure numbers."""
        draws = self.fixed().standard_normal(shape)
        return np.maximum(self.exponent + self.exponent_spread * draws, 0)

    def apply(self, conductance: Array, occasion: Occasion) -> Array:
        """The conductances at `occasion.time`, siemens.

        Raises:
            DataError: the time is 0: a power law begins after it.
        """
        if not occasion.time > 0:
            raise DataError("drift needs a time > 0 since programming: set Occasion.time.")
        return np.asarray(
            conductance
            * (occasion.time / self.reference_time) ** -self.exponents(conductance.shape)
        )


class Retention(Spread):
    """Loss of the state: a relaxation toward a level of the range, thermally activated.

    `G_inf + (G - G_inf) exp(-(time / tau)^stretch)`, `G_inf = g_min + level (g_max - g_min)`,
    `tau = tau_ref exp(E_a/k (1/T - 1/T_ref)) exp(tau_spread N(0, 1))`. Form and defaults are our
    choice: ten years at 85 degrees Celsius, an activation energy of 1.1 eV.
    """

    name: ClassVar[str] = "retention"
    stream: ClassVar[int] = 4

    tau_ref: float = parameter(3.15e8, unit="s", doc="median time constant at T_ref", gt=0)
    celsius_ref: float = parameter(85.0, unit="degC", doc="T_ref", gt=-_ZERO_CELSIUS)
    activation: float = parameter(1.1, unit="eV", doc="activation energy", ge=0)
    tau_spread: float = parameter(0.0, unit="1", doc="sigma of ln tau between devices", ge=0)
    stretch: float = parameter(1.0, unit="1", doc="exponent; under 1 spreads over decades", gt=0)
    level: float = parameter(0.0, unit="1", doc="where it leads, of the range", ge=0, le=1)

    def time_constants(self, shape: tuple[int, ...], celsius: float) -> Array:
        """Of each device, seconds."""
        kelvin, reference = celsius + _ZERO_CELSIUS, self.celsius_ref + _ZERO_CELSIUS
        arrhenius = self.activation / _BOLTZMANN * (1 / kelvin - 1 / reference)
        return self.tau_ref * np.exp(
            arrhenius + self.tau_spread * self.fixed().standard_normal(shape)
        )

    def apply(self, conductance: Array, occasion: Occasion) -> Array:
        """The conductances at `occasion.time` and `occasion.celsius`, siemens."""
        low, high = np.asarray(occasion.g_min), np.asarray(occasion.g_max)
        end = low + self.level * (high - low)
        tau = self.time_constants(conductance.shape, occasion.celsius)
        return np.asarray(
            end + (conductance - end) * np.exp(-((occasion.time / tau) ** self.stretch))
        )


class Endurance(Spread):
    """Wear: the window between the limits closes over the cycles.

    `G_w + (G - G_w) / (1 + (cycles / half)^slope)`, `G_w = g_min + level (g_max - g_min)`,
    `half = cycles_half exp(spread N(0, 1))`. Form and defaults are our choice.
    """

    name: ClassVar[str] = "endurance"
    stream: ClassVar[int] = 5

    cycles_half: float = parameter(1e6, unit="1", doc="median cycles to half the window", gt=0)
    slope: float = parameter(1.0, unit="1", doc="how sharply it closes", gt=0)
    spread: float = parameter(0.0, unit="1", doc="sigma of ln(cycles_half) of devices", ge=0)
    level: float = parameter(0.5, unit="1", doc="where it closes to, of the range", ge=0, le=1)

    def window(self, shape: tuple[int, ...], cycles: npt.ArrayLike) -> Array:
        """What is left of each device's window, 1 to 0."""
        half = self.cycles_half * np.exp(self.spread * self.fixed().standard_normal(shape))
        return np.asarray(1 / (1 + (np.asarray(cycles) / half) ** self.slope))

    def apply(self, conductance: Array, occasion: Occasion) -> Array:
        """The conductances after `occasion.cycles`, siemens."""
        low, high = np.asarray(occasion.g_min), np.asarray(occasion.g_max)
        middle = low + self.level * (high - low)
        left = self.window(conductance.shape, occasion.cycles)
        return np.asarray(middle + (conductance - middle) * left)


class StuckCells(Spread):
    """Cells that no pulse moves: a share at `g_min`, a share at `g_max`."""

    name: ClassVar[str] = "stuck cells"
    stream: ClassVar[int] = 6

    share_low: float = parameter(0.0, unit="1", doc="share of cells stuck at g_min", ge=0, le=1)
    share_high: float = parameter(0.0, unit="1", doc="share of cells stuck at g_max", ge=0, le=1)

    def model_post_init(self, context: Any) -> None:
        """Check the shares.

        Raises:
            ParameterError: together they are more than all cells.
        """
        if self.share_low + self.share_high > 1:
            raise ParameterError(
                f"StuckCells: share_low = {self.share_low:g} and share_high = "
                f"{self.share_high:g} are together more than 1."
            )

    def cells(self, shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
        """-1 where a cell is stuck at g_min, +1 where at g_max, else 0."""
        draws = self.fixed().random(shape)
        low, high = draws < self.share_low, draws >= 1 - self.share_high
        return high.astype(np.int64) - low.astype(np.int64)

    def apply(self, conductance: Array, occasion: Occasion) -> Array:
        """The conductances, those of stuck cells at their limit, siemens."""
        stuck = self.cells(conductance.shape)
        moved = np.where(stuck < 0, occasion.g_min, conductance)
        return np.asarray(np.where(stuck > 0, occasion.g_max, moved), dtype=np.float64)


SPREADS: dict[str, type[Spread]] = {
    kind.name: kind
    for kind in (
        DeviceToDevice,
        CycleToCycle,
        ReadNoise,
        Drift,
        Retention,
        Endurance,
        StuckCells,
    )
}


def find_spread(name: str) -> type[Spread]:
    """The non-ideality of this name.

    Raises:
        UnknownNameError: there is none; the nearest names are offered.
    """
    try:
        return SPREADS[name]
    except KeyError:
        raise UnknownNameError("non-ideality", name, SPREADS) from None


def spread(conductance: npt.ArrayLike, effects: Sequence[Spread], occasion: Occasion) -> Array:
    """Conductances with several non-idealities, one after the other as they are given.

    The order of a device's life is: device to device, cycle to cycle, endurance, stuck cells,
    retention, drift, read noise. What comes after `DeviceToDevice` sees the limits of each device,
    `g_min` and `g_max` times its factor: writes are clipped there, stuck cells lie there.

    Args:
        conductance: as programmed, siemens, any shape, within the occasion's limits.
        effects: the non-idealities; each kind once.
        occasion: when and how the array is looked at.

    Returns:
        Conductances, siemens, of the same shape.

    Raises:
        DataError: a conductance is not positive or out of the limits, limits do not fit, or a kind
            comes twice.
    """
    values = np.asarray(conductance, dtype=np.float64)
    if not ((values > 0) & np.isfinite(values)).all():
        raise DataError("conductances must be finite and > 0, in siemens.")
    for label in ("g_min", "g_max", "cycles"):
        shape = np.shape(getattr(occasion, label))
        if shape not in {(), values.shape}:
            raise DataError(
                f"{label} of the occasion has shape {shape}, the conductances {values.shape}: give "
                "a number, or one a device."
            )
    low, high = (np.asarray(g, dtype=np.float64) for g in (occasion.g_min, occasion.g_max))
    outside = (values < low * (1 - _ROUNDING)) | (values > high * (1 + _ROUNDING))
    if outside.any():
        raise DataError(
            f"a conductance of {values[outside].flat[0]:g} S is outside the occasion's limits, "
            f"{low.min():g} to {high.max():g} S: clip the conductances, or give the limits that "
            "the devices have."
        )
    names = [effect.name for effect in effects]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise DataError(
            f"{', '.join(sorted(twice))} is given twice: both would draw the same; give one."
        )
    for effect in effects:
        values = effect.apply(values, occasion)
        occasion = effect.limits(occasion, values.shape)
    return values


def draw_parameters(
    device: Ode,
    sigmas: Mapping[str, float],
    shape: tuple[int, ...],
    rng: np.random.Generator,
) -> dict[str, Array]:
    """A set of a device's parameters for each of many devices, from relative sigmas.

    Every parameter that `sigmas` names is its number times `exp(sigma N(0, 1))`, so it keeps its
    sign and its median; every other is the number itself. Draws follow the order of the numbers,
    whatever the order of `sigmas`. Parameters that the equations need alike (the two Schottky
    currents of a metastable switch) share one draw, and a state that would start beyond a bound
    that was drawn too starts at the bound.

    Args:
        device: the preset, with the medians.
        sigmas: relative sigma of those that spread, each >= 0.
        shape: of the array of devices.
        rng: draws them.

    Returns:
        By name, arrays of `shape`; they go where `numbers` of the functions of
        `spicesnn.devices.numeric` do.

    Raises:
        UnknownNameError: a sigma is given for a parameter that does not exist.
        DataError: a sigma is negative or not finite, two alike have two of them, or a device came
            out with numbers that its equations do not take.
    """
    numbers = device.numbers
    for name, sigma in sigmas.items():
        if name not in numbers:
            raise UnknownNameError("parameter", name, numbers)
        if not (np.isfinite(sigma) and sigma >= 0):
            raise DataError(f"the relative sigma of {name} is {sigma}: give a number >= 0.")
    both = dict(sigmas)
    for one, other in device.alike:
        given = {sigmas[name] for name in (one, other) if name in sigmas}
        if len(given) > 1:
            raise DataError(f"{one} and {other} of {device.kind} spread as one: give one sigma.")
        both |= dict.fromkeys((one, other), given.pop()) if given else {}
    first = {other: one for one, other in device.alike}
    factors: dict[str, Array] = {}
    for name in numbers:
        if name in both:
            drawn = factors.get(first.get(name, ""))
            if drawn is None:
                drawn = np.exp(both[name] * rng.standard_normal(shape))
            factors[name] = drawn
    found = {
        name: np.full(shape, number) * factors.get(name, 1.0) for name, number in numbers.items()
    }
    for state in device.states:
        low, high = (
            found[bound] if isinstance(bound, str) else bound for bound in (state.low, state.high)
        )
        found[state.start] = np.clip(found[state.start], low, high)
    _refuse_odd(device, found, both)
    return found


def _refuse_odd(device: Ode, found: Mapping[str, Array], sigmas: Mapping[str, float]) -> None:
    """Raise where a drawn device has numbers that its preset would refuse."""
    wrong = {}
    for low, high in device.rising:
        wrong[f"{low} not below {high}"] = found[low] >= found[high]
    for name in sigmas:
        for bound in type(device).model_fields[name].metadata:
            for label, compare in _BOUNDS.items():
                if hasattr(bound, label):
                    edge = getattr(bound, label)
                    wrong[f"{name} beyond {edge:g}"] = ~compare(found[name], edge)
    for what, where in wrong.items():
        if where.any():
            raise DataError(
                f"{int(where.sum())} of {where.size} devices of {device.name} are drawn with "
                f"{what}: lower the sigmas."
            )
