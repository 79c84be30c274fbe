"""How the tier of the DPI synapse is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from PySpice.Spice.Netlist import Circuit

from spicesnn.circuits.cells.cell import bias_current, diode
from spicesnn.circuits.cells.dpi_synapse import DpiSynapse as Cell
from spicesnn.circuits.cells.side import side
from spicesnn.circuits.deck import Deck, Knob, Transient, Waveform, circuit_deck
from spicesnn.circuits.stimuli import pulse_train
from spicesnn.errors import ParameterError
from spicesnn.fit.least_squares import Fit
from spicesnn.measure.energy import supply_energy
from spicesnn.parameters import parameter
from spicesnn.processes import Process
from spicesnn.tiers.dpi_synapse import DpiSynapse
from spicesnn.tiers.ranges import Range
from spicesnn.tiers.recipe import Recipe, Stimulus
from spicesnn.tiers.recipes.free_run import fit_runs, split
from spicesnn.tiers.record import Record, duty, step_ends, step_means
from spicesnn.units import spice_number, thermal_voltage
from spicesnn.waveforms import Waveforms

Array = npt.NDArray[np.float64]

_EDGE = 1e-6
_KINDS = ("poisson", "steps", "bursts", "ramps", "regular", "weights")


class DpiSynapseRecipe(Recipe):
    """Excitatory, or inhibitory where the cell is the complement.

    Event trains (Poisson, bursts, regular; one weight a run, or one that changes within it), and
    steps and ramps of a current that flows all the time. The weight's line is held by a buffer, so
    that a weight that changes is there at once; a line of its own takes `C_line U_T/(kappa I)`.
    """

    name: ClassVar[str] = "dpi_synapse"
    title: ClassVar[str] = "DPI synapse"
    tier: ClassVar[type[DpiSynapse]] = DpiSynapse
    compared: ClassVar[Mapping[str, str]] = {"i_out": "A", "v_syn": "V"}
    mismatched: ClassVar[tuple[str, ...]] = ("c", "i_tau", "v_gain", "i_0")
    features: ClassVar[Mapping[str, str]] = {
        "time": "s", "drive's charge": "C", "output's charge": "C", "events": "1",
    }  # fmt: skip

    cell: Cell = Cell()
    i_gain: float = parameter(10e-12, unit="A", doc="gain current", gt=0)
    i_tau: float = parameter(10e-12, unit="A", doc="leak", gt=0)
    least: float = parameter(0.2e-9, unit="A", doc="least weight of events", gt=0)
    most: float = parameter(2e-9, unit="A", doc="most weight of events", gt=0)
    pulse: float = parameter(0.2e-3, unit="s", doc="length of an event's pulse", gt=0)
    slowest: float = parameter(30.0, unit="Hz", doc="least rate of events", gt=0)
    fastest: float = parameter(600.0, unit="Hz", doc="most rate of events, but in bursts", gt=0)
    steady: float = parameter(0.3e-9, unit="A", doc="most current that flows all the time", gt=0)
    stop: float = parameter(0.2, unit="s", doc="length of a run", gt=0)
    step: float = parameter(200e-6, unit="s", doc="of the tier", gt=0)
    maximum_step: float = parameter(100e-6, unit="s", doc="bound of the solver's step", gt=0)

    def model_post_init(self, context: object) -> None:
        """Check the order of the ranges' ends.

        Raises:
            ParameterError: a least value is not below its most, or events overlap.
        """
        for low, high in (("least", "most"), ("slowest", "fastest"), ("i_tau", "steady")):
            if not getattr(self, low) < getattr(self, high):
                raise ParameterError(
                    f"{self.name}: {low} = {getattr(self, low):g} must be below {high} = "
                    f"{getattr(self, high):g}."
                )
        if not self.fastest * (self.pulse + 3 * _EDGE) < 1:
            raise ParameterError(
                f"{self.name}: pulses of {self.pulse:g} s at {self.fastest:g} Hz overlap: lower "
                "fastest or pulse."
            )

    @property
    def dt(self) -> float:
        """The tier's step, seconds."""
        return self.step

    @property
    def tau(self) -> float:
        """`C U_T/(kappa I_tau)` with 0.7 for kappa, seconds."""
        return self.cell.c_syn * thermal_voltage(27.0) / (0.7 * self.i_tau)

    def deck(self, process: Process) -> Deck:
        """The synapse with its output at half the supply; knobs `vpulse` and `iweight`."""
        cell = self.cell
        on = side(process, cell.complement)
        circuit = Circuit("cut off by circuit_deck")
        circuit.subcircuit(cell.subcircuit(process))
        for name in ("dd", "bias"):
            node = "vdd" if name == "dd" else "vdd_bias"
            circuit.V(name, node, "0", raw_spice=f"dc {spice_number(process.supply)}")
        circuit.V("out", "out", "0", raw_spice=f"dc {spice_number(process.supply / 2)}")
        circuit.X("syn", cell.subcircuit_name, *cell.ports)
        # A copy of the weight's mirror input on a supply of its own, and a buffer.
        rail = "vdd_bias" if cell.complement else "0"
        diode(circuit, on.n, "copy", "copy", rail, **cell.size)
        circuit.VoltageControlledVoltageSource("hold", "weight", "0", "copy", "0", voltage_gain=1)
        ends = ("copy", "0") if cell.complement else ("vdd_bias", "copy")
        for port, amperes in (("gain", self.i_gain), ("tau", self.i_tau)):
            bias_current(
                circuit, port, *(("vdd", port) if cell.complement else (port, "0")), amperes
            )
        off = process.supply if cell.complement else 0.0
        return circuit_deck(
            f"spicesnn: DPI synapse, {'inhibitory' if cell.complement else 'excitatory'}, for its "
            "tier", circuit, process, Transient(self.stop, self.maximum_step),
            [
                Knob("vpulse", ("pulse", "0"), Waveform.constant(off)),
                Knob("iweight", ends, self.least),
            ],
            ("i(vout)", "v(xsyn.v_syn)", "i(vdd)", "i(ehold)"),
        )  # fmt: skip

    def stimuli(self, process: Process, rng: np.random.Generator, count: int) -> list[Stimulus]:
        """All kinds in turn, from rest; the first two reach the ends of the range."""
        makers = {
            "poisson": self._poisson, "regular": self._regular, "bursts": self._bursts,
            "weights": self._weights, "steps": self._steps, "ramps": self._ramps,
        }  # fmt: skip
        found = [makers[kind](kind, process, rng) for kind in (_KINDS * count)[:count]]
        ends = [self._densest("poisson", process, rng), self._steps("steps", process, rng, True)]
        return [*ends[:count], *found[2:]]

    def record(self, stimulus: Stimulus, waveforms: Waveforms, process: Process) -> Record:
        """The output and v_syn from its rail; energy without what the weight's line takes."""
        sign = -1 if self.cell.complement else 1
        ends = step_ends(self.dt, self._count)
        v = waveforms.at("v(xsyn.v_syn)", ends)
        own = dict(waveforms.signals)
        if self.cell.complement:
            # The line's mirror input hangs on the cell's supply.
            own["i(vdd)"] = own["i(vdd)"] + own["i(ehold)"]
        return Record(
            self.dt,
            stimulus.inputs,
            {
                "i_out": sign * waveforms.at("i(vout)", ends),
                "v_syn": v if self.cell.complement else process.supply - v,
            },
            energy=supply_energy(Waveforms(waveforms.time, own), {"i(vdd)": process.supply}),
        )

    def fit(
        self,
        records: Sequence[Record],
        process: Process,
        celsius: float,
        start: Mapping[str, float] | None = None,
    ) -> Fit:
        """All runs from rest, the output and v_syn each over a hundredth of its range."""
        u_t = thermal_voltage(celsius)
        free, fixed = split(start, self.mismatched, self._guess(records, u_t), {})
        scales = {
            n: 0.01 * np.ptp(np.concatenate([r.outputs[n] for r in records])) for n in self.compared
        }
        return fit_runs(self.tier, records, free, fixed, scales)

    def ranges(self, records: Sequence[Record]) -> dict[str, Range]:
        """Of the inputs, and of the outputs with a quarter of their ranges around.

        A rare burst goes a fifth beyond what some dozens of runs hold.
        """
        found = {
            "drive": Range(low=0.0, high=self.most, unit="A"),
            "events": Range(low=0.0, high=1.0, unit="1"),
        }
        for name, unit in self.compared.items():
            values = np.concatenate([r.outputs[name] for r in records])
            more = 0.25 * float(np.ptp(values))
            low, high = float(values.min()) - more, float(values.max()) + more
            found[name] = Range(low=low, high=high, unit=unit)
        return found

    def energy_features(self, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> Array:
        """Seconds, charge of the drive, charge of the output, events."""
        return np.array(
            [
                self.dt * inputs["drive"].size, self.dt * inputs["drive"].sum(),
                self.dt * outputs["i_out"].sum(), inputs["events"].sum(),
            ]
        )  # fmt: skip

    @property
    def _count(self) -> int:
        """Of steps."""
        return round(self.stop / self.dt)

    def _guess(self, records: Sequence[Record], u_t: float) -> dict[str, float]:
        """From the cell's values, and the readout by a line through ln I_out over v."""
        v, i = (np.concatenate([r.outputs[n] for r in records]) for n in ("v_syn", "i_out"))
        seen = i > 0.02 * i.max()
        slope, offset = np.polyfit(v[seen], np.log(i[seen]), 1)
        i_0, u_read = float(np.exp(offset)), 1 / float(slope)
        return {
            "c": 1.02 * self.cell.c_syn, "i_tau": self.i_tau, "u_sat": 1.3 * u_t, "v_early": 30.0,
            "q_event": 0.0, "q_pair": 0.8e-15, "i_off": 5e-15,
            "v_couple": 0.5e-3, "tau_line": 3.5e-3,
            "a": 1.0 / u_read, "v_gain": u_read * np.log(self.i_gain / i_0),
            "i_pair": 40e-9, "i_0": i_0, "u_read": u_read,
        }  # fmt: skip

    def _events(
        self, kind: str, process: Process, times: Array, weight: Waveform | float
    ) -> Stimulus:
        """Events at these times with one weight, or one that is constant over each of them."""
        times = times[(times > 0.2e-3) & (times < self.stop - self.pulse - 3 * _EDGE)]
        train = pulse_train(
            times, high=process.supply, width=self.pulse, edge=_EDGE, stop=self.stop
        )
        if isinstance(weight, Waveform):
            amount = np.interp(times, weight.time, weight.value)
        else:
            amount = np.full(times.size, weight)
        drive = np.zeros(self._count)
        # Half height to half height.
        for each in np.unique(amount):
            begun = times[amount == each] + _EDGE / 2
            drive += each * duty(begun, self.pulse, self.dt, self._count)
        steps = np.minimum((times / self.dt).astype(int), self._count - 1)
        events = np.bincount(steps, minlength=self._count).astype(float)
        return Stimulus(
            kind, {"vpulse": self._line(process, train), "iweight": weight},
            {"drive": drive, "events": events},
        )  # fmt: skip

    def _flow(self, kind: str, process: Process, current: Waveform) -> Stimulus:
        """A current that flows from the second step on."""
        closed = Waveform(
            np.array([0.0, self.dt, self.dt + _EDGE]), process.supply * np.r_[0, 0, 1]
        )
        since = self.dt + _EDGE / 2
        later = current.time > since + 1e-12
        time = np.r_[since, since + 1e-12, current.time[later]]
        first = np.interp(since, current.time, current.value)
        drive = step_means(time, np.r_[0.0, first, current.value[later]], self.dt, self._count)
        return Stimulus(
            kind,
            {"vpulse": self._line(process, closed), "iweight": current},
            {"drive": drive, "events": np.zeros(self._count)},
        )

    def _line(self, process: Process, wave: Waveform) -> Waveform:
        """As the switch of the cell's side takes it."""
        if self.cell.complement:
            return Waveform(wave.time, process.supply - wave.value)
        return wave

    def _weight(self, rng: np.random.Generator) -> float:
        return float(np.exp(rng.uniform(np.log(self.least), np.log(self.most))))

    def _rate(self, rng: np.random.Generator) -> float:
        return float(np.exp(rng.uniform(np.log(self.slowest), np.log(self.fastest))))

    def _spaced(self, rng: np.random.Generator, rate: float, until: float) -> Array:
        """Poisson with a dead time of a pulse and a half."""
        dead = 1.5 * self.pulse
        mean = max(1 / rate - dead, 0.1 / rate)
        gaps = dead + rng.exponential(mean, int(3 * rate * until) + 20)
        return np.asarray(np.cumsum(gaps), dtype=np.float64)

    def _poisson(self, kind: str, process: Process, rng: np.random.Generator) -> Stimulus:
        times = self._spaced(rng, self._rate(rng), self.stop)
        return self._events(kind, process, times, self._weight(rng))

    def _densest(self, kind: str, process: Process, rng: np.random.Generator) -> Stimulus:
        """Poisson of the most weight and rate."""
        return self._events(kind, process, self._spaced(rng, self.fastest, self.stop), self.most)

    def _regular(self, kind: str, process: Process, rng: np.random.Generator) -> Stimulus:
        """A train for a random part of the run."""
        times = np.arange(
            rng.uniform(0, 0.02), rng.uniform(0.5, 1) * self.stop, 1 / self._rate(rng)
        )
        return self._events(kind, process, times, self._weight(rng))

    def _bursts(self, kind: str, process: Process, rng: np.random.Generator) -> Stimulus:
        """Of 3 to 20 events, 2 to 4 pulses apart, with random pauses."""
        times, now = [], 0.0
        while now < self.stop:
            now += rng.exponential(0.1 * self.stop)
            gap = rng.uniform(2, 4) * self.pulse
            for _ in range(rng.integers(3, 21)):
                now += gap
                times.append(now)
        return self._events(kind, process, np.array(times), self._weight(rng))

    def _weights(self, kind: str, process: Process, rng: np.random.Generator) -> Stimulus:
        """A weight that changes between events of a Poisson train."""
        times = self._spaced(rng, self._rate(rng), self.stop)
        times = times[(times > 0.2e-3) & (times < self.stop - self.pulse - 3 * _EDGE)]
        level = self._weight(rng)
        corners, values = [0.0], [level]
        for before, after in pairwise(times):
            if rng.uniform() < 0.7:
                continue
            # Done a few edges before the next event, from a few after the last.
            first = before + self.pulse + 5 * _EDGE
            last = after - 5 * _EDGE
            new = self._weight(rng)
            corners += [first, last]
            values += [level, new]
            level = new
        return self._events(kind, process, times, Waveform(np.array(corners), np.array(values)))

    def _steps(
        self, kind: str, process: Process, rng: np.random.Generator, most: bool = False
    ) -> Stimulus:
        """Random levels, the leak's and less among them, for random times."""
        level = self.steady if most else self._current(rng)
        corners, values, now = [0.0], [level], 0.0
        while now < self.stop:
            now += rng.uniform(0.3, 4) * self.tau + (4 * self.tau if not now and most else 0)
            new = self._current(rng)
            corners += [now, now + 50 * _EDGE]
            values += [level, new]
            level, now = new, now + 50 * _EDGE
        return self._flow(kind, process, Waveform(np.array(corners), np.array(values)))

    def _ramps(self, kind: str, process: Process, rng: np.random.Generator) -> Stimulus:
        """From level to level in random times."""
        corners, values = [0.0], [self._current(rng)]
        while corners[-1] < self.stop:
            corners.append(corners[-1] + rng.uniform(0.5, 6) * self.tau)
            values.append(self._current(rng))
        return self._flow(kind, process, Waveform(np.array(corners), np.array(values)))

    def _current(self, rng: np.random.Generator) -> float:
        return float(np.exp(rng.uniform(np.log(0.3 * self.i_tau), np.log(self.steady))))
