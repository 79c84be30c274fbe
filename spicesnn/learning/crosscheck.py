"""A network's tiers and its circuit side by side, on random inputs and conductances."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.devices import find_pulse_map
from spicesnn.engine.pool import Pool
from spicesnn.errors import OutOfRangeError
from spicesnn.learning.circuit import CircuitForward
from spicesnn.learning.encoders import SpikeTrains
from spicesnn.learning.forward import Response
from spicesnn.learning.tier import TierForward
from spicesnn.processes import Process
from spicesnn.tiers.agreement import Answer, Budget, agreement
from spicesnn.tiers.classifier import ClassifierTiers
from spicesnn.tiers.crosscheck import Crosscheck
from spicesnn.tiers.record import Record, step_ends

Array = npt.NDArray[np.float64]

NETWORKS = {"classifier": ClassifierCircuit(rows=16), "iris": ClassifierCircuit()}
"""Networks with tiers, by name: sixteen inputs, and the twelve of the main job; three units."""

# The least distance of two input spikes, over the length of a pulse.
_APART = 2.0


def crosscheck_network(
    own: ClassifierCircuit,
    process: Process,
    pool: Pool,
    *,
    device: str = "Jo2010",
    samples: int = 12,
    seed: int = 0,
    budget: Budget | None = None,
    begin: Callable[[int], Callable[[], None]] | None = None,
) -> Crosscheck:
    """Each sample has inputs and conductances of its own.

    Args:
        own: the network.
        process: of its transistors, for which tiers ship.
        pool: where its circuit runs.
        device: whose range the conductances are drawn from.
        samples: how many.
        seed: of inputs and conductances.
        budget: how errors are measured.
        begin: of a progress bar: takes the total, gives what is called after each simulation.

    Raises:
        TierFileError: no tiers ship for the process, or they are of another circuit.
        SimulationError: a piece of the circuit did not converge.
        OutOfRangeError: as many samples as are wanted lead the tiers out of their range; up to
            there others are drawn for them, and counted as refused.
    """
    budget = budget or Budget()
    tier = TierForward(ClassifierTiers.load(own, process))
    circuit = CircuitForward(own, process, pool)
    done = begin(samples * (own.rows + 2 * own.units)) if begin else None
    rng = np.random.default_rng([seed, 7])
    drawn = [_sample(own.rows, own.stop, own.pulse_width, rng) for _ in range(samples)]
    conductances = [_conductance(device, own.rows, own.units, rng) for _ in range(samples)]
    tiers = tier.tiers
    moments = step_ends(tiers.dt, round(own.stop / tiers.dt))
    found: list[Response] = []
    refused = 0
    while len(found) < samples:
        k = len(found)
        try:
            found += tier(conductances[k], [drawn[k]], moments)
        except OutOfRangeError:
            refused += 1
            if refused > samples:
                raise
            drawn[k] = _sample(own.rows, own.stop, own.pulse_width, rng)
            conductances[k] = _conductance(device, own.rows, own.units, rng)
    truth = [
        circuit(g, [each], moments, done)[0] for g, each in zip(conductances, drawn, strict=True)
    ]
    width = tiers.neuron.file.parameters["width"].value
    records, answers = [], []
    for k in range(samples):
        events = tiers.events([drawn[k]])[:, 0]
        for i in range(own.units):
            records.append(
                Record(
                    tiers.dt,
                    {"event": events},
                    _outputs(truth[k], i),
                    spikes=truth[k].spikes[i],
                    spike_width=width,
                    energy=sum(truth[k].energy.values()) / own.units,
                )
            )
            energy = sum(found[k].energy.values()) / own.units
            answers.append(Answer(_outputs(found[k], i), found[k].spikes[i], energy))
    result = agreement(records, answers, tiers.neuron.file.tau, budget)
    return Crosscheck(
        name=f"{own.rows} inputs, {own.units} units ({process.name} {process.corner})",
        title="Classifier: traces, columns of differential conductances, DPI neurons",
        inputs={"event": "1"},
        compared={"v_mem": "V", "v_p": "V"},
        file=None,
        kinds=("trains",) * len(records),
        records=tuple(records),
        answers=tuple(answers),
        agreement=result,
        refused=refused,
    )


def _outputs(response: Response, unit: int) -> dict[str, Array]:
    """The unit's membrane, and the gate of a row, another for each unit."""
    row = unit % response.trace.shape[1]
    return {"v_mem": response.membrane[:, unit], "v_p": response.trace[:, row]}


def _sample(rows: int, stop: float, width: float, rng: np.random.Generator) -> SpikeTrains:
    """Poisson trains with a dead time; a third of the rows are silent."""
    trains = []
    for _ in range(rows):
        if rng.uniform() < 1 / 3:
            trains.append(())
            continue
        rate = float(np.exp(rng.uniform(np.log(100), np.log(1000))))
        gaps = _APART * width + rng.exponential(1 / rate, int(4 * stop * rate) + 10)
        times = 0.2e-3 + np.cumsum(gaps) - gaps[0] * rng.uniform()
        trains.append(tuple(times[times < stop - _APART * width].tolist()))
    return tuple(trains)


def _conductance(device: str, rows: int, units: int, rng: np.random.Generator) -> Array:
    """Siemens, shape (2, rows, units); each unit leans to a side by a draw."""
    known = find_pulse_map(device)
    lean = rng.uniform(-0.2, 0.25, units)
    place = np.clip(rng.uniform(0, 1, (2, rows, units)) + np.stack([lean, -lean])[:, None], 0, 1)
    return np.asarray(known.g_min + (known.g_max - known.g_min) * place)
