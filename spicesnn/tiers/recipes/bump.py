"""How the bump's tier is made: slow ramps of the difference at random bias currents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from PySpice.Spice.Netlist import Circuit

from spicesnn.circuits.cells.bump import Bump as Cell
from spicesnn.circuits.cells.cell import diode
from spicesnn.circuits.deck import Deck, Knob, Transient, Waveform, circuit_deck
from spicesnn.errors import ParameterError
from spicesnn.fit.least_squares import Fit
from spicesnn.measure.energy import supply_energy
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size
from spicesnn.tiers.bump import Bump
from spicesnn.tiers.ranges import Range
from spicesnn.tiers.recipe import Recipe, Stimulus
from spicesnn.tiers.recipes.free_run import fit_runs
from spicesnn.tiers.record import Record, step_means
from spicesnn.units import spice_number, thermal_voltage
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]
_KAPPA = 0.7  # First guess of a fit.


class BumpRecipe(Recipe):
    """The bump as drawn, its inputs about a diode on a rail, its outputs at the supply.

    The ramps are so slow that the circuit stands still beside them: the tier is static.
    """

    name: ClassVar[str] = "bump"
    title: ClassVar[str] = "bump-antibump circuit"
    tier: ClassVar[type[Bump]] = Bump
    compared: ClassVar[Mapping[str, str]] = {"i_bump": "A", "i_antibump": "A"}
    features: ClassVar[Mapping[str, str]] = {"charge of the bias": "C"}

    cell: Cell = Cell()
    headroom: float = parameter(0.4, unit="V", doc="rail under the inputs' diode", gt=0)
    span: float = parameter(0.2, unit="V", doc="largest difference, to each side", gt=0)
    lowest: float = parameter(0.5e-9, unit="A", doc="least bias current", gt=0)
    highest: float = parameter(4e-9, unit="A", doc="most bias current", gt=0)
    ramp: float = parameter(20e-3, unit="s", doc="shortest ramp; the longest is thrice it", gt=0)
    stop: float = parameter(0.2, unit="s", doc="length of a run", gt=0)
    step: float = parameter(200e-6, unit="s", doc="of the tier", gt=0)
    maximum_step: float = parameter(200e-6, unit="s", doc="bound of the solver's step", gt=0)

    def model_post_init(self, context: object) -> None:
        """Check the cell and the order of the currents.

        Raises:
            ParameterError: it is the complement, or the least current is not below the most.
        """
        if self.cell.complement:
            raise ParameterError(f"{self.name}: the recipe is for the cell as drawn, not its "
                                 "complement.")  # fmt: skip
        if not self.lowest < self.highest:
            raise ParameterError(
                f"{self.name}: lowest = {self.lowest:g} A must be below highest = "
                f"{self.highest:g} A."
            )

    @property
    def dt(self) -> float:
        """The tier's step, seconds."""
        return self.step

    @property
    def tau(self) -> float:
        """The shortest ramp: nothing in the circuit is as slow, seconds."""
        return self.ramp

    def deck(self, process: Process) -> Deck:
        """The cell switched on: knobs `vdiff`, volts, and `vpart`, the bias in nanoamperes."""
        circuit = Circuit("cut off by circuit_deck")
        circuit.subcircuit(self.cell.subcircuit(process))
        held = {
            "dd": ("vdd", process.supply), "stand": ("stand", self.headroom),
            "bump": ("bump", process.supply), "antibump": ("antibump", process.supply),
        }  # fmt: skip
        for name, (node, level) in held.items():
            circuit.V(name, node, "0", raw_spice=f"dc {spice_number(level)}")
        size: Size = {"width": self.cell.width, "length": self.cell.length}
        diode(circuit, process.nfet, "stand", "mid", "stand", bulk="0", **size)
        circuit.X("bump", "bump", "v1", "v2", "bump", "antibump", "bias", "vdd", "vdd")
        circuit.raw_spice += (
            "B1 v1 0 v = v(mid) + 0.5*v(diff)\nB2 v2 0 v = v(mid) - 0.5*v(diff)\n"
            # What each branch carries when the inputs are equal; not from the cell's supply.
            "B3 0 mid i = 0.25n*v(part)\nB4 vdd bias i = 1n*v(part)\n"
        )
        return circuit_deck(
            "spicesnn: bump, for its tier", circuit, process,
            Transient(self.stop, self.maximum_step),
            [Knob("vdiff", ("diff", "0"), Waveform.constant(0.0)),
             Knob("vpart", ("part", "0"), 1.0)],
            ("i(vbump)", "i(vantibump)", "i(vdd)"),
        )  # fmt: skip

    def stimuli(self, process: Process, rng: np.random.Generator, count: int) -> list[Stimulus]:
        """Ramps from level to level, and sweeps over the whole span; each at its own bias."""
        found, steps = [], round(self.stop / self.step)
        for k in range(count):
            kind = ("ramps", "sweeps")[k % 2]
            time = np.r_[0.0, np.cumsum(rng.uniform(1, 3, 60) * self.ramp)]
            time = time[: 1 + int(np.searchsorted(time, self.stop))]
            level = rng.uniform(-1, 1, time.size)
            if kind == "sweeps":
                time = np.linspace(0.0, self.stop, 3)
                level = np.array([-1.0, 1.0, -1.0]) * (1 if rng.random() < 0.5 else -1)
            level = self.span * level
            # By ratio; the circuit's current is the knob's, to the last digit of the deck.
            part = self.lowest * (self.highest / self.lowest) ** rng.random()
            wave = Waveform(time, level)
            inputs = {"v_diff": step_means(time, level, self.step, steps),
                      "i_bias": np.full(steps, part)}  # fmt: skip
            found.append(Stimulus(kind, {"vdiff": wave, "vpart": part / 1e-9}, inputs))
        return found

    def record(self, stimulus: Stimulus, waveforms: Waveforms, process: Process) -> Record:
        """Means of both currents over the steps."""
        steps = stimulus.inputs["v_diff"].size
        outputs = {
            f"i_{name}": step_means(waveforms.time, -waveforms[f"i(v{name})"], self.step, steps)
            for name in ("bump", "antibump")
        }
        rails = ("i(vbump)", "i(vantibump)", "i(vdd)")
        energy = supply_energy(waveforms, dict.fromkeys(rails, process.supply))
        return Record(self.step, stimulus.inputs, outputs, energy=energy)

    def fit(
        self,
        records: Sequence[Record],
        process: Process,
        celsius: float,
        start: Mapping[str, float] | None = None,
    ) -> Fit:
        """Both currents of all runs, over a hundredth of the highest bias."""
        first = {
            "gain": 1.0, "bend": 0.0, "s": float(self.cell.middle),
            "v_slope": 2 * thermal_voltage(celsius) / _KAPPA, "v_offset": 0.0, "loss": 1.0,
        }  # fmt: skip
        scale = 0.01 * self.highest
        scales = {"i_bump": scale, "i_antibump": scale}
        return fit_runs(Bump, records, first | dict(start or {}), {}, scales)

    def ranges(self, records: Sequence[Record]) -> dict[str, Range]:
        """That which the stimuli are drawn from, evenly."""
        return {
            "v_diff": Range(low=-self.span, high=self.span, unit="V"),
            "i_bias": Range(low=self.lowest, high=self.highest, unit="A"),
        }

    def energy_features(self, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> Array:
        """The charge that the bias source gave, coulombs."""
        return np.array([float(inputs["i_bias"].sum()) * self.step])
