"""Devices as their stochastic answer to a programming pulse.

A kind says how one pulse moves a conductance in the mean, how far it scatters, what of the past it
remembers, how it drifts and what a read gives. `spicesnn.devices.pulse_array` holds the state of
many such devices. ngspice sees each as a resistor knob that the loop rewrites. Numbers live apart,
in `spicesnn.devices.presets.pulse`: one preset a source.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from spicesnn.errors import ParameterError, UnknownNameError
from spicesnn.parameters import Parameters, parameter

if TYPE_CHECKING:
    from spicesnn.devices.pulse_array import PulseArray

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Goal = Literal["set", "reset"]


class Pulse(Parameters):
    """A programming pulse as its source gives it."""

    voltage: float = parameter(unit="V", doc="amplitude, signed; a mean where the source says so")
    width: float = parameter(unit="s", doc="width", gt=0)


class PulseMap(Parameters):
    """A resistive device as its answer to SET and RESET pulses.

    Spread, drift and noise of reads that its source has are part of the kind, with the source's
    numbers, and act when an array is drawn, pulsed and read. `spicesnn.devices.spread` holds the
    same effects as objects for any conductances; do not apply one of them to an array whose kind
    has the effect already.

    Attributes:
        kind: the model's name.
        history_names: what an array of this kind remembers beside its conductance.
        name: of the preset, AuthorYear.
        citation: where its numbers come from.
        claim: what they were fitted to, and what is not claimed of them.
    """

    kind: ClassVar[str]
    history_names: ClassVar[tuple[str, ...]] = ()

    name: str
    citation: str
    claim: str
    g_min: float = parameter(unit="S", doc="conductance of the fully reset device", gt=0)
    g_max: float = parameter(unit="S", doc="conductance of the fully set device", gt=0)
    read_voltage: float = parameter(unit="V", doc="largest voltage allowed in reading", gt=0)
    set_pulse: Pulse | None = None
    reset_pulse: Pulse | None = None

    def model_post_init(self, context: Any) -> None:
        """Check the range.

        Raises:
            ParameterError: it is empty.
        """
        if self.g_min >= self.g_max:
            raise ParameterError(
                f"{self.name}.g_min = {self.g_min:g} S is not below g_max = {self.g_max:g} S: "
                "give a range."
            )

    @abstractmethod
    def drawn(
        self, shape: tuple[int, ...], start: Array, rng: np.random.Generator, seed: int | None
    ) -> PulseArray:
        """Devices that were never pulsed; `start` is the state as a fraction 0..1 of the range."""

    @abstractmethod
    def step(self, array: PulseArray, goal: Goal) -> tuple[Array, Array]:
        """Mean and standard deviation of what the next pulse adds, before any clip, siemens."""

    @abstractmethod
    def pulsed(
        self,
        array: PulseArray,
        set_pulses: Counts,
        reset_pulses: Counts,
        rng: np.random.Generator,
        time: float | None,
    ) -> PulseArray:
        """The array after that many SET, then RESET pulses on each device."""

    @abstractmethod
    def fully_reset(
        self,
        array: PulseArray,
        where: npt.NDArray[np.bool_],
        rng: np.random.Generator,
        time: float | None,
    ) -> PulseArray:
        """The array with some devices at the foot of their range."""

    @abstractmethod
    def drifted(self, array: PulseArray, time: float | None) -> Array:
        """Conductance at `time` without the noise of a read, siemens."""

    @abstractmethod
    def read(self, array: PulseArray, time: float | None, rng: np.random.Generator) -> Array:
        """What one read at `time` gives, siemens."""

    def lowest(self, g_min: Array) -> Array:
        """The lowest conductance that devices with this `g_min` can have, siemens."""
        return g_min

    @classmethod
    def numeric(cls) -> tuple[str, ...]:
        """The names of the numeric parameters."""
        return tuple(n for n, f in cls.model_fields.items() if f.annotation in {float, int})

    def with_numbers(self, **changes: float) -> Self:
        """The same preset with some numbers changed.

        Raises:
            UnknownNameError: a parameter does not exist.
            ParameterError: a value is out of its bounds.
        """
        for name in changes:
            if name not in self.numeric():
                raise UnknownNameError(f"parameter of {self.kind}", name, self.numeric())
        return type(self)(**(self.model_dump() | changes))
