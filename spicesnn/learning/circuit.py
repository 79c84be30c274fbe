"""The forward pass by simulated circuits: conductances in, read-back waveforms out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.deck import Value
from spicesnn.engine.pieces import NetworkRunner, Settings
from spicesnn.engine.pool import Pool
from spicesnn.engine.run import Run
from spicesnn.errors import DataError
from spicesnn.learning.encoders import SpikeTrains
from spicesnn.learning.forward import Response
from spicesnn.measure.energy import supply_energy
from spicesnn.measure.spikes import spike_times
from spicesnn.processes import Process

Array = npt.NDArray[np.float64]


class CircuitForward:
    """A `Forward` whose network is the classifier's circuit, cut into pieces."""

    def __init__(
        self,
        circuit: ClassifierCircuit,
        process: Process,
        pool: Pool,
    ) -> None:
        """Build the template decks once; the pool runs them."""
        self.circuit = circuit
        self.process = process
        self.runner = NetworkRunner(circuit.network(process), pool)

    def __call__(
        self,
        conductance: Array,
        samples: Sequence[SpikeTrains],
        steps: Array,
        done: Callable[[], None] | None = None,
    ) -> list[Response]:
        """See `Forward`.

        Raises:
            DataError: conductances or samples do not fit the circuit.
            SimulationError: a piece did not converge.
        """
        runs = self.simulate(conductance, samples, done)
        return [self._response(run, steps) for run in runs]

    def simulate(
        self,
        conductance: Array,
        samples: Sequence[SpikeTrains],
        done: Callable[[], None] | None = None,
    ) -> list[dict[str, Run]]:
        """The runs of all pieces, with their waveforms, for each sample."""
        circuit = self.circuit
        shape = (2, circuit.rows, circuit.units)
        if conductance.shape != shape or not (conductance > 0).all():
            raise DataError(f"conductances must be positive and of shape {shape}.")
        columns = {f"column{i}": circuit.device_knobs(conductance, i) for i in range(circuit.units)}
        settings: list[Settings] = []
        for sample in samples:
            if len(sample) != circuit.rows:
                raise DataError(f"a sample has {len(sample)} spike trains, not {circuit.rows}.")
            traces: dict[str, dict[str, Value]] = {
                f"trace{j}": {"vevent": circuit.stimulus(train, self.process)}
                for j, train in enumerate(sample)
            }
            settings.append({**columns, **traces})
        return self.runner.run(settings, done)

    def _response(self, runs: dict[str, Run], steps: Array) -> Response:
        circuit, supply = self.circuit, self.process.supply
        # The return rail takes up what the read rail gave: a regulator turns that into heat.
        rails = {"i(vdd)": supply, "i(vread)": circuit.v_read}
        energy = {"traces": 0.0, "columns": 0.0, "neurons": 0.0}
        # One bias generator serves all traces, another all neurons.
        energy["biases"] = sum(
            supply_energy(runs[name].waveforms, {"i(vbias)": supply})
            for name in ("trace0", "neuron0")
        )
        for name, run in runs.items():
            part = name.rstrip("0123456789") + "s"
            used = {key: v for key, v in rails.items() if key in run.waveforms.signals}
            energy[part] += supply_energy(run.waveforms, used)
        neurons = [runs[f"neuron{i}"].waveforms for i in range(circuit.units)]
        traces = [runs[f"trace{j}"].waveforms for j in range(circuit.rows)]
        return Response(
            spikes=tuple(spike_times(w.time, w["v(spike)"], supply / 2) for w in neurons),
            membrane=np.array([w.at("v(v_mem)", steps) for w in neurons]).T,
            trace=np.array([w.at("v(v_p)", steps) for w in traces]).T,
            energy=energy,
            analysis_seconds=sum(run.analysis_seconds for run in runs.values()),
            simulations=sum(run.iterations > 0 for run in runs.values()),
        )
