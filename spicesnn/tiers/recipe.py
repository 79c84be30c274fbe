"""How a cell's tier is made: the circuit it stands for, its stimuli, its fit."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from spicesnn.circuits.deck import Deck, Value
from spicesnn.fit.least_squares import Fit
from spicesnn.parameters import Parameters
from spicesnn.processes import Process
from spicesnn.tiers.ranges import Range
from spicesnn.tiers.record import Record
from spicesnn.tiers.tier import Tier
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stimulus:
    """One run's drive.

    Attributes:
        name: of its kind, such as `steps` or `ramp`.
        knobs: of the circuit's deck.
        inputs: by the names of the tier's inputs, means over each step, shape (steps, ...).
    """

    name: str
    knobs: Mapping[str, Value]
    inputs: Mapping[str, Array]


class Recipe(Parameters):
    """A cell with its biases, and how its tier is fitted. Subclasses are final.

    Their fields are the cell's parameters and biases, and the ranges of the stimuli.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    tier: ClassVar[type[Tier]]
    compared: ClassVar[Mapping[str, str]]
    """Outputs of the tier that are compared with the circuit, and their units."""
    digital: ClassVar[tuple[str, ...]] = ()
    """Those of them that are levels: what counts is the part of the time in which they differ."""
    features: ClassVar[Mapping[str, str]]
    """What the supply's energy is a sum of, see `energy_features`, and the unit of each."""
    mismatched: ClassVar[tuple[str, ...]] = ()
    """Parameters that differ from unit to unit of one process; the others are the process's."""
    rows: ClassVar[bool] = False
    """Whether the last axis of the inputs is one of rows, which the tier joins."""

    @property
    @abstractmethod
    def dt(self) -> float:
        """The tier's step, seconds."""

    @property
    @abstractmethod
    def tau(self) -> float:
        """The time constant that timing errors are put in relation to, seconds."""

    @abstractmethod
    def deck(self, process: Process) -> Deck:
        """The circuit with its knobs and probes."""

    @abstractmethod
    def stimuli(self, process: Process, rng: np.random.Generator, count: int) -> list[Stimulus]:
        """Random stimuli over the intended range, of all kinds in turn."""

    @abstractmethod
    def record(self, stimulus: Stimulus, waveforms: Waveforms, process: Process) -> Record:
        """What the circuit did, on the tier's steps."""

    @abstractmethod
    def fit(
        self,
        records: Sequence[Record],
        process: Process,
        celsius: float,
        start: Mapping[str, float] | None = None,
    ) -> Fit:
        """The tier's parameters from runs of the circuit.

        Args:
            records: of the circuit.
            process: of its transistors.
            celsius: its temperature.
            start: of a unit like another one the parameters of that one; then those of
                `mismatched` are fitted from there, and the others are kept.
        """

    @abstractmethod
    def ranges(self, records: Sequence[Record]) -> dict[str, Range]:
        """What the fit has seen, by quantity: inputs by their names, outputs likewise."""

    @abstractmethod
    def energy_features(self, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> Array:
        """What the supply's energy is linear in, of one run, shape (features,)."""
