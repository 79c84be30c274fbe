"""How the tier of the DPI neuron is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from spicesnn.circuits.cells.dpi_neuron import DpiNeuron as Cell
from spicesnn.circuits.cells.dpi_neuron import DpiNeuronBias
from spicesnn.circuits.deck import Deck, Transient
from spicesnn.errors import ParameterError
from spicesnn.fit.least_squares import Fit
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.tiers.dpi_neuron import DpiNeuron
from spicesnn.tiers.membrane import release
from spicesnn.tiers.ranges import Range
from spicesnn.tiers.recipe import Recipe, Stimulus
from spicesnn.tiers.recipes.current_drive import (
    current_stimuli,
    fit_neuron,
    near_spikes,
    neuron_deck,
    neuron_record,
)
from spicesnn.tiers.recipes.free_run import split
from spicesnn.tiers.record import Record, step_ends
from spicesnn.units import thermal_voltage
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]


class DpiNeuronRecipe(Recipe):
    """The neuron with its lines, driven by a current from ground into its input pair."""

    name: ClassVar[str] = "dpi_neuron"
    title: ClassVar[str] = "DPI neuron"
    tier: ClassVar[type[DpiNeuron]] = DpiNeuron
    compared: ClassVar[Mapping[str, str]] = {"v_mem": "V"}
    features: ClassVar[Mapping[str, str]] = {"time": "s", "spikes": "1", "sense": "s"}
    mismatched: ClassVar[tuple[str, ...]] = (
        "v_gain", "i_leak", "v_t", "t_ref", "tau_r", "t_fall",
    )  # fmt: skip

    cell: Cell = Cell()
    bias: DpiNeuronBias = DpiNeuronBias()
    least: float = parameter(50e-12, unit="A", doc="least constant input", gt=0)
    most: float = parameter(3e-9, unit="A", doc="most input", gt=0)
    stop: float = parameter(50e-3, unit="s", doc="length of a run; of slow constants more", gt=0)
    step: float = parameter(20e-6, unit="s", doc="of the tier", gt=0)
    maximum_step: float = parameter(10e-6, unit="s", doc="bound of the solver's step", gt=0)

    def model_post_init(self, context: object) -> None:
        """Check the order of the currents.

        Raises:
            ParameterError: the least is not below the most.
        """
        if not self.least < self.most:
            raise ParameterError(
                f"{self.name}: least = {self.least:g} must be below most = {self.most:g}."
            )

    @property
    def dt(self) -> float:
        """The tier's step, seconds."""
        return self.step

    @property
    def tau(self) -> float:
        """`C_mem U_T/(kappa I_leak)` with 0.7 for kappa, seconds."""
        return self.cell.c_mem * thermal_voltage(27.0) / (0.7 * self.bias.i_leak)

    def deck(self, process: Process) -> Deck:
        """The neuron, its lines on a supply of their own; knob `idrive`."""
        return neuron_deck(
            self.cell, self.bias, process, "spicesnn: DPI neuron, for its tier", "i_in",
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
        return neuron_record(stimulus, waveforms, process, self.dt, np.max)

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
        bias, cell = self.bias, self.cell
        width = max(r.spike_width for r in records)
        calm = [np.logical_not(near_spikes(r, 3 * r.spike_width)) for r in records]
        level = max(float(r.outputs["v_mem"][c].max()) for r, c in zip(records, calm, strict=True))
        charging = cell.reset * bias.i_threshold / bias.i_refractory
        tau_r = cell.c_ref * u_t / (0.7 * bias.i_refractory)
        guess = {
            "u_sat": u_t, "c": 1.02 * cell.c_mem, "a": 0.75 / u_t, "v_gain": level - u_t,
            "i_leak": bias.i_leak, "v_early": 20.0, "v_t": level, "v_feedback": 1e-3, "lag": 4e-6,
            "t_ref": self._let_go(records, tau_r), "tau_r": tau_r, "t_fall": width * charging,
            "t_end": tau_r, "carry": 0.1,
        }  # fmt: skip
        return fit_neuron(self.tier, records, guess, {"width": width, "charging": charging})

    def ranges(self, records: Sequence[Record]) -> dict[str, Range]:
        """The input's by design, and the membrane's with a tenth of what was seen around."""
        seen = np.concatenate([record.outputs["v_mem"] for record in records])
        more = 0.1 * float(np.ptp(seen))
        return {
            "i_in": Range(low=0.0, high=self.most, unit="A"),
            "v_mem": Range(low=float(seen.min()) - more, high=float(seen.max()) + more, unit="V"),
        }

    def energy_features(self, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> Array:
        """Seconds, spikes, and the current of the threshold's transistor over its own at 0 V."""
        sense = np.exp(0.7 / thermal_voltage(27.0) * outputs["v_mem"])
        return np.array([self.dt * sense.size, outputs["spike"].sum(), self.dt * sense.sum()])

    def _interval(self, process: Process, current: float) -> float:
        """About the time between spikes of a constant input, seconds."""
        rise = self.cell.c_mem * 0.5 / max(current - 2 * self.bias.i_leak, current / 10)
        return float(rise + self.cell.c_ref * 0.5 / self.bias.i_refractory)

    def _let_go(self, records: Sequence[Record], tau_r: float) -> float:
        """About the time from a spike's end to the release without input, seconds."""
        u_t = thermal_voltage(27.0)
        found = []
        for record in records:
            ends, v = step_ends(record.dt, record.steps), record.outputs["v_mem"]
            for moment in record.spikes:
                up = np.flatnonzero((ends > moment + 5 * record.spike_width) & (v > u_t))
                if up.size:
                    ratio = record.inputs["i_in"][up[0]] * tau_r / (self.cell.c_mem * u_t)
                    earlier = tau_r * (float(release(jnp.asarray(ratio))) - 1 / (ratio + 0.1))
                    found.append(ends[up[0]] - moment + earlier)
        return float(np.median(found)) if found else 10 * tau_r
