"""A trained feed-forward network onto cells: conductance pairs, bias currents, decks, a report."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spicesnn.characterize.condition import Condition, condition
from spicesnn.circuits.cells.dpi_neuron import DpiNeuronBias
from spicesnn.circuits.cells.dpi_trace import DpiTraceBias
from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.deck import Value, Waveform
from spicesnn.circuits.layers import layered_network
from spicesnn.circuits.network import Network
from spicesnn.circuits.whole import whole_deck
from spicesnn.devices import find_pulse_map
from spicesnn.devices.pulse_map import PulseMap
from spicesnn.engine.grid import resample
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.pieces import NetworkRunner, Settings
from spicesnn.engine.pool import Pool
from spicesnn.errors import DataError, ParameterError
from spicesnn.exchange.trains import in_seconds
from spicesnn.measure.spikes import spike_times
from spicesnn.parameters import Parameters, parameter
from spicesnn.processes import Process, find_process
from spicesnn.tiers.lif_layer import LifLayer
from spicesnn.tiers.lif_network import LifNetwork

Array = npt.NDArray[Any]

# A neuron's own spike is shorter than an input pulse, 9 against 20 us on generic180: the traces
# behind it begin with as much more current.
_BEHIND_NEURONS = 2.2
_ROUNDS = 5
# Counts grow about so with the gain, before two of them tell (our choice).
_POWER = 1.5
_RAISES = 3
# Amperes: over it a trace's switch, not its bias, sets the current (our choice).
_MOST_WEIGHT = 1e-6


class MapSettings(Parameters):
    """How a network is put onto cells."""

    process: str = "generic180"
    device: str = "Jo2010"
    step: float = parameter(1e-4, unit="s", doc="that a network's step lasts in the circuit", gt=0)
    begin: float = parameter(2e-4, unit="s", doc="first step, when the circuit has settled", ge=0)
    tail: float = parameter(2e-3, unit="s", doc="after the last step, for the traces", ge=0)
    i_refractory: float = parameter(1e-9, unit="A", doc="of the neurons: 0.5 ms of rest", gt=0)
    stimuli: int = parameter(6, unit="1", doc="random stimuli that gains are set with", ge=1)
    rate: float = parameter(0.1, unit="1/step", doc="highest of their inputs' rates", gt=0, le=1)
    seed: int = parameter(0, unit="1", doc="draws the stimuli", ge=0)
    bias_period: int = parameter(10, unit="step", doc="of the row that stands for biases", ge=1)
    tolerance: float = parameter(0.05, unit="1", doc="of the spikes that a gain is set to", gt=0)


@dataclass(frozen=True)
class Calibration:
    """What a layer's gains were set with, and how well its rates follow.

    Attributes:
        gains: of each unit, circuit weight over the source's weight in thresholds.
        i_weight: of the traces before the layer, amperes.
        source_spikes, circuit_spikes: of all units on all stimuli.
        correlation: of the units' counts; nan where one of them does not vary.
        simulations: of pieces.
    """

    gains: tuple[float, ...]
    i_weight: float
    source_spikes: int
    circuit_spikes: int
    correlation: float
    simulations: int


@dataclass(frozen=True)
class Mapped:
    """A network on cells.

    Attributes:
        settings: how it was mapped.
        layers: circuits from input to output.
        conductance: siemens, shape (2, rows, units) a layer: G+ and G-.
        calibration: of each layer.
        bias_row: whether the last row of the first layer stands for biases.
        notes: what was approximated, in words.
    """

    settings: MapSettings
    layers: tuple[ClassifierCircuit, ...]
    conductance: tuple[Array, ...]
    calibration: tuple[Calibration, ...]
    bias_row: bool
    notes: tuple[str, ...]

    @property
    def process(self) -> Process:
        """Of the settings."""
        return find_process(self.settings.process)

    def network(self) -> Network:
        """All layers as pieces."""
        return layered_network(self.layers, self.process)

    def knobs(self, inputs: npt.ArrayLike) -> list[Settings]:
        """The knobs of `network` for each sample.

        Args:
            inputs: 0 or 1, shape (steps, samples, inputs).

        Raises:
            DataError: inputs that are no spikes, or do not fit the circuit.
        """
        given, first = np.asarray(inputs), self.layers[0]
        wanted = first.rows - self.bias_row
        if given.ndim != 3 or given.shape[2] != wanted:
            raise DataError(
                f"inputs have the shape {given.shape}; the circuit has {wanted} inputs: give "
                "(steps, samples, inputs)."
            )
        if _length(self.settings, given.shape[0]) > first.stop * (1 + 1e-9):
            raise DataError(
                f"the inputs have {given.shape[0]} steps, which is longer than the circuit's "
                f"{first.stop:g} s: map the network with as many steps."
            )
        fixed: dict[str, dict[str, Value]] = {}
        for k, (layer, conductance) in enumerate(zip(self.layers, self.conductance, strict=True)):
            for i in range(layer.units):
                fixed[f"layer{k}_column{i}"] = layer.device_knobs(conductance, i)
        found: list[Settings] = []
        for trains in in_seconds(
            _with_bias_row(given, self.settings) if self.bias_row else given,
            self.settings.step, self.settings.begin,
        ):  # fmt: skip
            driven = {
                f"layer0_trace{j}": {"vevent": first.stimulus(train, self.process)}
                for j, train in enumerate(trains)
            }
            found.append({**fixed, **driven})
        return found

    def counts(
        self, inputs: npt.ArrayLike, pool: Pool, done: Callable[[], None] | None = None
    ) -> Array:
        """Output spikes of the circuit, shape (samples, units).

        Raises:
            DataError: inputs that do not fit.
            SimulationError: a piece did not converge.
        """
        last = len(self.layers) - 1
        runs = NetworkRunner(self.network(), pool).run(self.knobs(inputs), done)
        level = self.process.supply / 2
        return np.array(
            [
                [
                    spike_times(wave.time, wave["v(spike)"], level).size
                    for wave in (
                        run[f"layer{last}_neuron{i}"].waveforms
                        for i in range(self.layers[last].units)
                    )
                ]
                for run in runs
            ]
        )

    def decide(self, inputs: npt.ArrayLike, pool: Pool) -> Array:
        """The class of each sample: most spikes, of equals the first."""
        return np.asarray(self.counts(inputs, pool).argmax(axis=1))

    def write(self, folder: Path, inputs: npt.ArrayLike | None = None) -> None:
        """Decks, conductances, biases and the report.

        `network.cir` is the whole circuit, `layer<k>_trace.cir`, `_column.cir` and `_neuron.cir`
        are its templates, all runnable by ngspice alone; `conductances.csv` and
        `conductances.json`, `biases.json`, `report.json`.

        Args:
            folder: made if it is not there.
            inputs: whose first sample drives `network.cir`; none by default.

        Raises:
            DataError: the folder cannot be written, or inputs that do not fit.
        """
        rows = self.layers[0].rows - self.bias_row
        given = np.zeros((1, 1, rows)) if inputs is None else np.asarray(inputs)[:, :1]
        network, knobs = self.network(), self.knobs(given)[0]
        options = SimulationOptions().line()
        texts = {"network.cir": whole_deck(network, knobs).text(options)}
        for k, layer in enumerate(self.layers):
            for part, deck in (
                ("trace", layer.trace_deck(self.process)),
                ("column", layer.column_deck(self.process)),
                ("neuron", layer.neuron_deck(self.process)),
            ):
                own = layer.device_knobs(self.conductance[k], 0) if part == "column" else {}
                texts[f"layer{k}_{part}.cir"] = deck.text(options, own)
        texts["conductances.json"] = _json([one.tolist() for one in self.conductance])
        texts["biases.json"] = _json(
            [
                {"trace": one.trace_bias.model_dump(), "neuron": one.neuron_bias.model_dump()}
                for one in self.layers
            ]
        )
        texts["report.json"] = _json(self.report())
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in texts.items():
                (folder / name).write_text(text, encoding="utf-8")
            with (folder / "conductances.csv").open("w", newline="", encoding="utf-8") as file:
                table = csv.writer(file)
                table.writerow(["layer", "row", "unit", "g_plus [S]", "g_minus [S]"])
                for k, pairs in enumerate(self.conductance):
                    for j, i in np.ndindex(pairs.shape[1:]):
                        table.writerow([k, j, i, *(f"{g:.6e}" for g in pairs[:, j, i])])
        except OSError as error:
            raise DataError(f"{folder} cannot be written: {error}.") from None

    def report(self) -> dict[str, Any]:
        """What `report.json` holds."""
        return {
            "settings": self.settings.model_dump(),
            "layers": [
                {"rows": one.rows, "units": one.units, **asdict(calibration)}
                for one, calibration in zip(self.layers, self.calibration, strict=True)
            ],
            "bias_row": self.bias_row,
            "stop": self.layers[0].stop,
            "approximated": list(self.notes),
        }


def map_network(
    network: LifNetwork,
    steps: int,
    settings: MapSettings,
    pool: Pool,
    inputs: npt.ArrayLike | None = None,
    done: Callable[[], None] | None = None,
) -> Mapped:
    """Put a network onto traces, differential columns and DPI neurons.

    A weight in thresholds, `W/threshold`, becomes `w = gain W/threshold` of a pair of devices with
    `G+ - G- = w (G+ + G-)`. The leak current comes from the membrane's time constant. Each unit's
    gain is set so that it spikes as often as the source's on stimuli without labels; where the
    device's range does not reach, the traces before the layer are given more current. A row that
    spikes regularly stands for biases, and behind the first layer a unit that it drives.

    Args:
        network: feed-forward.
        steps: of a sample.
        settings: process, device, times.
        pool: runs the circuits.
        inputs: stimuli to set the gains with, 0 or 1, shape (steps, samples, inputs), without
            labels; by default random ones.
        done: called after each simulation.

    Raises:
        DataError: inputs that do not fit, or that leave a layer silent.
        ParameterError: the device may not be read at the circuit's voltage.
        SimulationError: a piece did not converge.
        UnknownNameError: the process or the device does not exist.
    """
    process, device = find_process(settings.process), find_pulse_map(settings.device)
    given = _stimuli(network, steps, settings) if inputs is None else np.asarray(inputs)
    if given.ndim != 3 or given.shape[2] != network.sizes[0]:
        raise DataError(
            f"inputs have the shape {given.shape}; the network has {network.sizes[0]} inputs: give "
            "(steps, samples, inputs)."
        )
    biased = [layer.bias is not None and bool(np.any(layer.bias)) for layer in network.layers]
    place = _Place(settings, process, device, condition(process, 27.0, pool), pool, done)
    wanted = [np.asarray(each.sum(axis=0)) for each in network.spikes(_as_jax(given))]
    driven: list[list[Value]] = [
        [ClassifierCircuit(stop=_length(settings, steps)).stimulus(train, process) for train in one]
        for one in in_seconds(
            _with_bias_row(given, settings) if any(biased) else given, settings.step, settings.begin
        )
    ]
    circuits, conductances, calibrations, notes = (
        [],
        [],
        [],
        list(_general_notes(network, settings)),
    )
    bias_rate = 1 / settings.bias_period
    for k, layer in enumerate(network.layers):
        passed_on = any(biased[k + 1 :])
        strength = _strength(layer, any(biased[k:]), passed_on, bias_rate)
        circuit = place.circuit(layer, strength.shape, steps, k, notes)
        fitted = place.calibrated(circuit, strength, driven, wanted[k], k, notes)
        circuits.append(fitted.circuit)
        conductances.append(fitted.conductance)
        calibrations.append(fitted.calibration)
        driven = fitted.spikes
        if passed_on:
            bias_rate = float(fitted.counts[:, -1].mean()) / steps
            if not bias_rate:
                raise ParameterError(
                    f"the unit that carries the biases behind layer {k} is silent: shorten "
                    "bias_period, or train without biases."
                )
    return Mapped(
        settings, tuple(circuits), tuple(conductances), tuple(calibrations), any(biased),
        tuple(notes),
    )  # fmt: skip


@dataclass(frozen=True)
class _Fitted:
    """A layer with its gain set, and what it does to the stimuli."""

    circuit: ClassifierCircuit
    conductance: Array
    calibration: Calibration
    counts: Array
    spikes: list[list[Value]]


@dataclass(frozen=True)
class _Place:
    """Where layers are put."""

    settings: MapSettings
    process: Process
    device: PulseMap
    on: Condition
    pool: Pool
    done: Callable[[], None] | None

    def circuit(
        self, layer: LifLayer, shape: tuple[int, ...], steps: int, k: int, notes: list[str]
    ) -> ClassifierCircuit:
        """Cells for `shape` (units, rows), with a leak of the layer's time constant."""
        beta = np.asarray(layer.beta, np.float64)
        if np.unique(beta).size > 1:
            notes.append(
                f"layer {k}: {np.unique(beta).size} time constants share one leak line; their "
                "median stands for all."
            )
        tau = self.settings.step / max(1 - float(np.median(beta)), 1e-6)
        default, bias = ClassifierCircuit(), DpiNeuronBias()
        between = default.v_read - default.v_return
        if between > self.device.read_voltage:
            raise ParameterError(
                f"the read rails are {between:g} V apart; {self.device.name} is read at "
                f"{self.device.read_voltage:g} V at most: choose another device."
            )
        # The law C U_T / (kappa I) at 1 A, over the time constant.
        leak = self.on.time_constant(default.neuron.c_mem, 1.0, "nfet") / tau
        weight = DpiTraceBias().i_weight * (1.0 if k == 0 else _BEHIND_NEURONS)
        return ClassifierCircuit(
            rows=shape[1],
            units=shape[0],
            stop=_length(self.settings, steps),
            trace_bias=DpiTraceBias(i_weight=weight),
            neuron_bias=DpiNeuronBias(
                i_leak=leak,
                i_gain=bias.i_gain / bias.i_leak * leak,
                i_refractory=self.settings.i_refractory,
            ),
        )

    def pairs(self, weight: Array) -> Array:
        """Conductances of weights (units, rows) from -1 to 1: G+ + G- is the range's sum."""
        total = self.device.g_min + self.device.g_max
        return np.stack([total / 2 * (1 + weight.T), total / 2 * (1 - weight.T)])

    def calibrated(
        self,
        circuit: ClassifierCircuit,
        strength: Array,
        driven: list[list[Value]],
        wanted: Array,
        k: int,
        notes: list[str],
    ) -> _Fitted:
        """The gains at which the units spike as often as the source's, found by secants."""
        target, units = wanted.sum(axis=0), wanted.shape[1]
        if target.sum() < units:
            raise DataError(
                f"layer {k} of the source spikes {int(target.sum())} times on the stimuli that "
                "gains are set with: give inputs on which it spikes, without labels."
            )
        reach = (self.device.g_max - self.device.g_min) / (self.device.g_max + self.device.g_min)
        top = reach / np.maximum(np.abs(strength).max(axis=1), 1e-12)
        known, rest = target > 0, target == 0
        allowed = np.maximum(self.settings.tolerance * target, 1.0)
        simulations = 0
        for _ in range(_RAISES + 1):
            runner = NetworkRunner(circuit.network(self.process), self.pool)
            counts, spikes = self.answers(circuit, runner, top[:, None] * strength, driven)
            simulations += len(driven) * (circuit.rows + 2 * circuit.units)
            seen = counts[:, :units].sum(axis=0)
            if not _raised(circuit, seen, target):
                break
            bias = circuit.trace_bias
            more = DpiTraceBias(**{**bias.model_dump(), "i_weight": 2 * bias.i_weight})
            circuit = ClassifierCircuit(**{**dict(circuit), "trace_bias": more})
        short = [int(i) for i in np.flatnonzero(seen < target - allowed)]
        gain, high, low = top[:units].copy(), top[:units].copy(), top[:units] / 64
        power = np.full(units, _POWER)
        for round_ in range(_ROUNDS):
            settled = np.abs(seen - target) <= allowed
            settled |= (seen < target) & (gain == top[:units])
            # Units that the source leaves silent are given the others' gain in the first round.
            if settled[known].all() and (round_ or not rest.any()):
                break
            aim = gain * (np.maximum(target, 0.5) / np.maximum(seen, 0.5)) ** (1 / power)
            aim = np.where((aim > low) & (aim < high), aim, np.sqrt(low * high))
            trial = np.where(settled, gain, aim)
            if rest.any():
                trial[rest] = np.minimum(np.median(trial[known]), top[:units][rest])
            every = np.r_[trial, top[units:]]
            counts, spikes = self.answers(circuit, runner, every[:, None] * strength, driven)
            simulations += len(driven) * 2 * circuit.units
            found = counts[:, :units].sum(axis=0)
            low, high = np.where(found < target, trial, low), np.where(found < target, high, trial)
            with np.errstate(divide="ignore", invalid="ignore"):
                steep = np.log(np.maximum(found, 0.5) / np.maximum(seen, 0.5)) / np.log(
                    trial / gain
                )
            power = np.where(np.isfinite(steep), np.clip(steep, 0.7, 6.0), power)
            gain, seen = trial, found
        notes += [
            f"layer {k}: unit {i} spikes less often than the source's at the highest gain; the "
            "device's range does not hold its weights"
            for i in short
        ]
        notes += [
            f"layer {k}: unit {i} spikes {int(seen[i])} times, the source's {int(target[i])}, when "
            f"{_ROUNDS} rounds are over"
            for i in np.flatnonzero(np.abs(seen - target) > allowed)
            if i not in short
        ]
        weight = np.r_[gain, top[units:]][:, None] * strength
        seen = counts[:, :units]
        varied = np.std(seen) > 0 and np.std(wanted) > 0
        correlation = float(np.corrcoef(seen.ravel(), wanted.ravel())[0, 1]) if varied else np.nan
        calibration = Calibration(
            tuple(float(g) for g in gain), circuit.trace_bias.i_weight, int(target.sum()),
            int(seen.sum()), correlation, simulations,
        )  # fmt: skip
        return _Fitted(circuit, self.pairs(weight), calibration, counts, spikes)

    def answers(
        self,
        circuit: ClassifierCircuit,
        runner: NetworkRunner,
        weight: Array,
        driven: Sequence[Sequence[Value]],
    ) -> tuple[Array, list[list[Value]]]:
        """Spike counts, shape (stimuli, units), and the spikes as what drives the next layer."""
        pairs = self.pairs(weight)
        columns = {f"column{i}": circuit.device_knobs(pairs, i) for i in range(circuit.units)}
        traces = [{f"trace{j}": {"vevent": v} for j, v in enumerate(one)} for one in driven]
        level, counts, spikes = self.process.supply / 2, [], []
        for run in runner.run([columns | one for one in traces], self.done):
            waves = [run[f"neuron{i}"].waveforms for i in range(circuit.units)]
            counts.append([spike_times(w.time, w["v(spike)"], level).size for w in waves])
            spikes.append([_drive(w.time, w["v(spike)"], level) for w in waves])
        return np.array(counts), spikes


def _raised(circuit: ClassifierCircuit, seen: Array, target: Array) -> bool:
    """Whether more current into the traces is worth a try: a third of all spikes are missing."""
    missing = np.maximum(target - seen, 0).sum()
    return bool(missing > target.sum() / 3) and circuit.trace_bias.i_weight < _MOST_WEIGHT


def _drive(time: Array, value: Array, level: float) -> Value:
    """A recorded spike line as a source, on as few corners as its spikes need."""
    grid, values = resample([(time, value)], 1e-3, [-1e9], [level])
    return Waveform(grid, values[0])


def _strength(layer: LifLayer, row: bool, unit: bool, bias_rate: float) -> Array:
    """Weights in thresholds, shape (units, rows), with the row and the unit for biases.

    A bias is a current of every step; the row spikes `bias_rate` times a step.
    """
    threshold = np.broadcast_to(np.asarray(layer.threshold, np.float64), (layer.units,))
    found = np.asarray(layer.weight, np.float64) / threshold[:, None]
    if row:
        bias = np.zeros(layer.units) if layer.bias is None else np.asarray(layer.bias, np.float64)
        found = np.column_stack([found, bias / threshold / bias_rate])
    if unit:
        carrier = np.zeros((1, found.shape[1]))
        carrier[0, -1] = np.abs(found).max()
        found = np.vstack([found, carrier])
    return found


def _stimuli(network: LifNetwork, steps: int, settings: MapSettings) -> Array:
    """Random regular trains: half of the rows rest, the others have a random rate and phase."""
    rng = np.random.default_rng(settings.seed)
    shape = (settings.stimuli, network.sizes[0])
    rate = rng.uniform(0, settings.rate, shape) * (rng.random(shape) < 0.5)
    at = rate * np.arange(steps + 1)[:, None, None] + rng.random(shape)
    return np.diff(np.floor(at), axis=0)


def _with_bias_row(inputs: Array, settings: MapSettings) -> Array:
    row = np.zeros((*inputs.shape[:2], 1))
    row[:: settings.bias_period] = 1
    return np.concatenate([inputs, row], axis=2)


def _length(settings: MapSettings, steps: int) -> float:
    return settings.begin + steps * settings.step + settings.tail


def _general_notes(network: LifNetwork, settings: MapSettings) -> tuple[str, ...]:
    traces = DpiTraceBias()
    rest = "none" if any(layer.reset == "none" for layer in network.layers) else "a reset"
    return (
        f"a step of {network.dt:g} s of the network lasts {settings.step:g} s in the circuit",
        "inputs come through two-stage traces, which spread each spike over about 2 ms "
        f"(I_tau = {traces.i_tau_q:g} and {traces.i_tau_p:g} A); the source adds it at once",
        "the DPI membrane is exponential in its voltage: its rate over its current differs from "
        f"the LIF's, and a refractory time bounds it; the source has {rest} and no refractory time",
        "net currents under zero are cut off at the column, so that inhibition stops a unit but "
        "does not push its membrane below rest",
        "gains are one number a unit, set to equal its total spikes on stimuli without labels",
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=1) + "\n"


def _as_jax(array: Array) -> Any:
    import jax.numpy as jnp

    return jnp.asarray(array, jnp.float32)
