"""How the tier of the leaky integrate-and-fire neuron is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from spicesnn.circuits.cells.lif_neuron import LifNeuron as Cell
from spicesnn.circuits.cells.lif_neuron import LifNeuronBias
from spicesnn.circuits.deck import Deck, Transient
from spicesnn.errors import ParameterError
from spicesnn.fit.least_squares import Fit
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.tiers.lif_neuron import LifNeuron
from spicesnn.tiers.ranges import Range
from spicesnn.tiers.recipe import Recipe, Stimulus
from spicesnn.tiers.recipes.current_drive import (
    current_stimuli,
    fit_neuron,
    neuron_deck,
    neuron_record,
)
from spicesnn.tiers.recipes.free_run import split
from spicesnn.tiers.record import Record
from spicesnn.units import thermal_voltage
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]


class LifNeuronRecipe(Recipe):
    """The neuron with its lines, driven by a current from ground into the membrane."""

    name: ClassVar[str] = "lif_neuron"
    title: ClassVar[str] = "leaky integrate-and-fire neuron"
    tier: ClassVar[type[LifNeuron]] = LifNeuron
    compared: ClassVar[Mapping[str, str]] = {"v_mem": "V"}
    features: ClassVar[Mapping[str, str]] = {"time": "s", "spikes": "1"}
    mismatched: ClassVar[tuple[str, ...]] = ("i_leak", "v_t", "t_ref")

    cell: Cell = Cell()
    bias: LifNeuronBias = LifNeuronBias()
    least: float = parameter(25e-12, unit="A", doc="least constant input", gt=0)
    most: float = parameter(2.5e-9, unit="A", doc="most input", gt=0)
    stop: float = parameter(20e-3, unit="s", doc="length of a run; of slow constants more", gt=0)
    step: float = parameter(10e-6, unit="s", doc="of the tier", gt=0)
    maximum_step: float = parameter(5e-6, unit="s", doc="bound of the solver's step", gt=0)

    def model_post_init(self, context: object) -> None:
        """Check the order of the currents, and the step.

        Raises:
            ParameterError: the least is not below the most, or a step could hold two spikes.
        """
        if not self.least < self.most:
            raise ParameterError(
                f"{self.name}: least = {self.least:g} must be below most = {self.most:g}."
            )
        # The reset lets go after v_ref has fallen by half a volt or more, on any process.
        period = self.cell.c_ref * 0.5 / self.bias.i_refractory
        if self.step > period:
            raise ParameterError(
                f"{self.name}: a step of {self.step:g} s can be longer than the refractory period, "
                f"{period:g} s or more: shorten the step, or lower the refractory current."
            )

    @property
    def dt(self) -> float:
        """The tier's step, seconds."""
        return self.step

    @property
    def tau(self) -> float:
        """`C_mem U_T/I_leak`, that of a small voltage, seconds."""
        return self.cell.c_mem * thermal_voltage(27.0) / self.bias.i_leak

    def deck(self, process: Process) -> Deck:
        """The neuron, its lines on a supply of their own; knob `idrive`."""
        return neuron_deck(
            self.cell, self.bias, process,
            "spicesnn: leaky integrate-and-fire neuron, for its tier", "v_mem",
            Transient(self.stop, self.maximum_step),
        )  # fmt: skip

    def stimuli(self, process: Process, rng: np.random.Generator, count: int) -> list[Stimulus]:
        """All kinds in turn; constants long enough for some intervals."""
        return current_stimuli(
            rng, count, low=self.least, high=self.most, tau=self.tau, stop=self.stop, dt=self.dt,
            interval=lambda current: self._interval(process, current),
        )  # fmt: skip

    def record(self, stimulus: Stimulus, waveforms: Waveforms, process: Process) -> Record:
        """Membrane, spikes and the energy from the neuron's own supply."""
        return neuron_record(stimulus, waveforms, process, self.dt, np.median)

    def fit(
        self,
        records: Sequence[Record],
        process: Process,
        celsius: float,
        start: Mapping[str, float] | None = None,
    ) -> Fit:
        """Between spikes; half a microsecond and a thousandth of its interval count as 1."""
        if start is not None:
            return fit_neuron(self.tier, records, *split(start, self.mismatched, {}, {}))
        u_t = thermal_voltage(celsius)
        level = max(float(r.outputs["v_mem"].max()) for r in records)
        bias, cell = self.bias, self.cell
        tau_r = cell.c_ref * u_t / (0.7 * bias.i_refractory)
        swing = process.supply - level
        guess = {
            "c": 1.02 * cell.c_mem, "i_leak": bias.i_leak, "u_sat": u_t, "v_early": 20.0,
            "v_t": level, "v_feedback": 0.5e-3, "lag": 1e-6,
            "t_ref": cell.c_ref * swing / bias.i_refractory, "tau_r": tau_r,
        }  # fmt: skip
        widths = [r.spike_width for r in records if r.spike_width > 0]
        fixed = {"width": float(np.median(widths)) if widths else 0.0}
        return fit_neuron(self.tier, records, guess, fixed)

    def ranges(self, records: Sequence[Record]) -> dict[str, Range]:
        """The input's by design, and the membrane's with a tenth of what was seen around."""
        seen = np.concatenate([record.outputs["v_mem"] for record in records])
        more = 0.1 * float(np.ptp(seen))
        return {
            "i_in": Range(low=0.0, high=self.most, unit="A"),
            "v_mem": Range(low=float(seen.min()) - more, high=float(seen.max()) + more, unit="V"),
        }

    def energy_features(self, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> Array:
        """Seconds and spikes."""
        return np.array([self.dt * outputs["v_mem"].size, outputs["spike"].sum()])

    def _interval(self, process: Process, current: float) -> float:
        """About the time between spikes of a constant input, seconds."""
        rise = self.cell.c_mem * 0.5 / max(current - self.bias.i_leak, current / 10)
        return float(rise + self.cell.c_ref * process.supply / self.bias.i_refractory)
