"""Layers of the classifier's circuit, one behind the other: output spikes are input events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from spicesnn.circuits.cells.spike_driver import SpikeDriver
from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.circuits.network import Edge, Network
from spicesnn.errors import ParameterError
from spicesnn.processes import Process


def layered_network(layers: Sequence[ClassifierCircuit], process: Process) -> Network:
    """All layers as one network of pieces: `layer<k>_trace<j>`, `_column<i>` and `_neuron<i>`.

    Args:
        layers: from input to output; the units of one are the rows of the next.
        process: of all layers.

    Raises:
        ParameterError: two layers do not fit each other.
    """
    pieces, edges = {}, []
    for k, layer in enumerate(layers):
        inner = layer.network(process)
        for name, piece in inner.pieces.items():
            # Only the first layer's traces have inputs that come again.
            known = f"layer{k}_{name}"
            driving = name.startswith("neuron") and k + 1 < len(layers)
            load = SpikeDriver.load(process, "spike") if driving else piece.load
            pieces[known] = replace(piece, name=known, cached=piece.cached and k == 0, load=load)
        edges += [
            replace(edge, source=f"layer{k}_{edge.source}", target=f"layer{k}_{edge.target}")
            for edge in inner.edges
        ]
        if k == 0:
            continue
        before = layers[k - 1]
        if before.units != layer.rows or before.stop != layer.stop:
            raise ParameterError(
                f"layer {k - 1} has {before.units} units and lasts {before.stop:g} s; layer {k} "
                f"has {layer.rows} rows and lasts {layer.stop:g} s: make them equal."
            )
        edges += [
            Edge(
                f"layer{k - 1}_neuron{j}", "v(spike)", f"layer{k}_trace{j}", "vevent",
                threshold=process.supply / 2,
            )
            for j in range(layer.rows)
        ]  # fmt: skip
    return Network(pieces, tuple(edges))
