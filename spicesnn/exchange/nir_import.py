"""A file of NIR as a network of LIF layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError, ParameterError
from spicesnn.tiers.lif_layer import LifLayer
from spicesnn.tiers.lif_network import LifNetwork

Array = npt.NDArray[Any]

SUPPORTED = ("Input", "Affine", "Linear", "LIF", "Output")
"""The nodes that are read; a network is a chain of weights and units."""


@dataclass(frozen=True)
class _Graph:
    """What of a file is used: nodes by name, and the edges."""

    nodes: Mapping[str, Any]
    edges: tuple[tuple[str, str], ...]
    dt: float | None


def read(path: Path, dt: float | None = None) -> LifNetwork:
    """The feed-forward network of a file: `Affine` or `Linear`, then `LIF`, and so on.

    A `LIF` is read as `tau dv/dt = v_leak - v + r i` by forward Euler with the step, from
    `v_leak`; v_reset must equal v_leak. A parameter given once stands for all units of its layer.
    snnTorch 1.0 writes every reset as one to 0: a network of its default reset, by subtraction, is
    another one in the file already.

    Args:
        path: of the file.
        dt: the step, seconds; by default the file's own (`metadata/dt`, as `export` writes it).
            snnTorch's files have none: their step is 1e-4 s. Norse's is that of its simulation.

    Raises:
        DataError: the file is damaged, holds a node that is not supported, is no chain, is
            recurrent, or has shapes that do not fit.
        ParameterError: there is no step, or a neuron's parameters cannot be kept.
    """
    graph = _load(path)
    step = dt if dt is not None else graph.dt
    if step is None:
        raise ParameterError(
            f"{path} does not say its step: give dt in seconds (files of snnTorch have 1e-4)."
        )
    names = _chain(path, graph)
    layers: list[LifLayer] = []
    size = _size(graph.nodes[names[0]].input_type)
    for weights, units in zip(names[1:-1:2], names[2:-1:2], strict=True):
        layer = _layer(path, weights, graph.nodes[weights], units, graph.nodes[units], step)
        if size is not None and layer.inputs != size:
            raise DataError(
                f"{path}: {weights!r} takes {layer.inputs} inputs, but {size} lead to it: "
                "the shapes do not fit."
            )
        layers.append(layer)
        size = layer.units
    return LifNetwork.of(layers, step)


def _load(path: Path) -> _Graph:
    """Nodes and edges, each node known."""
    import h5py
    import nir

    if not path.is_file():
        raise DataError(f"there is no file {path}: give one that `spicesnn.exchange` or NIR wrote.")
    try:
        with h5py.File(path, "r") as file:
            top = file["node"]
            if "nodes" not in top:
                raise DataError(f"{path} holds a single NIR node, no graph: export a network.")
            for name, node in top["nodes"].items():
                _known(path, name, node["type"][()].decode(), "nodes" in node)
            dt = top["metadata"]["dt"][()] if "dt" in top.get("metadata", ()) else None
        # Without NIR's own check, which stops at the first edge whose shapes differ by form.
        graph = nir.read(path, type_check=False)
    except DataError:
        raise
    except Exception as error:
        # Whatever a damaged file makes of HDF5's and NIR's readers.
        raise DataError(
            f"{path} cannot be read as NIR ({type(error).__name__}: {error}); export it anew."
        ) from None
    edges = tuple(dict.fromkeys((str(a), str(b)) for a, b in graph.edges))
    return _Graph(graph.nodes, edges, None if dt is None else float(dt))


def _known(path: Path, name: str, kind: str, is_graph: bool) -> None:
    if is_graph:
        raise DataError(
            f"{path}: node {name!r} is a graph of its own, as recurrent layers are written: only "
            f"feed-forward networks are read, of {', '.join(SUPPORTED)}."
        )
    if kind not in SUPPORTED:
        raise DataError(
            f"{path}: node {name!r} is of type {kind}, which is not supported; there are "
            f"{', '.join(SUPPORTED)}."
        )


def _chain(path: Path, graph: _Graph) -> list[str]:
    """Names from input to output, weights and units in turn."""
    into: dict[str, list[str]] = {name: [] for name in graph.nodes}
    out_of: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for source, target in graph.edges:
        for name in (source, target):
            if name not in graph.nodes:
                raise DataError(f"{path}: an edge names {name!r}, which is no node.")
        into[target].append(source)
        out_of[source].append(target)
    looped = next((name for name in graph.nodes if _reaches(name, name, out_of)), None)
    if looped:
        raise DataError(
            f"{path}: {looped!r} feeds back into itself: recurrent networks are not read, as the "
            "layers here are run one after the other."
        )
    for name, node in graph.nodes.items():
        kind = type(node).__name__
        for what, edges, ends in (("input", into, "Input"), ("output", out_of, "Output")):
            wanted = 0 if kind == ends else 1
            if len(edges[name]) != wanted:
                raise DataError(
                    f"{path}: {name!r} has {len(edges[name])} {what} edges; in a chain of layers "
                    f"it has {wanted}."
                )
    starts = [name for name, node in graph.nodes.items() if type(node).__name__ == "Input"]
    if len(starts) != 1:
        raise DataError(f"{path} has {len(starts)} inputs; one is read.")
    names = starts
    while out_of[names[-1]]:
        names.append(out_of[names[-1]][0])
    kinds = [type(graph.nodes[name]).__name__ for name in names]
    inner = kinds[1:-1]
    fits = len(inner) % 2 == 0 and inner
    if not fits or any((kind == "LIF") != (k % 2 == 1) for k, kind in enumerate(inner)):
        raise DataError(
            f"{path} goes {' -> '.join(kinds)}: weights (Affine or Linear) and LIF must take turns."
        )
    return names


def _reaches(start: str, wanted: str, out_of: Mapping[str, list[str]]) -> bool:
    """Whether an edge or more lead from one node to another."""
    seen: set[str] = set()
    waiting = list(out_of[start])
    while waiting:
        name = waiting.pop()
        if name == wanted:
            return True
        if name not in seen:
            seen.add(name)
            waiting += out_of[name]
    return False


def _layer(path: Path, weights: str, matrix: Any, units: str, neuron: Any, dt: float) -> LifLayer:
    weight = np.asarray(matrix.weight)
    if weight.ndim != 2:
        raise DataError(f"{path}: {weights!r} has weights of shape {weight.shape}, not of 2 axes.")
    count = weight.shape[0]
    bias = getattr(matrix, "bias", None)
    if bias is not None:
        bias = _spread(path, weights, "bias", bias, count)
    named = {
        name: _spread(path, units, name, getattr(neuron, name), count)
        for name in ("tau", "r", "v_leak", "v_threshold", "v_reset")
    }
    if not np.allclose(named["v_reset"], named["v_leak"]):
        raise ParameterError(
            f"{path}: {units!r} resets to v_reset = {named['v_reset'].flat[0]:g} and leaks to "
            f"v_leak = {named['v_leak'].flat[0]:g}: only equal ones are read."
        )
    try:
        return LifLayer.of_time_constant(
            weight, _single(named["tau"]), dt, _single(named["r"]),
            _single(named["v_threshold"] - named["v_leak"]), bias,
            dtype=weight.dtype if weight.dtype in (np.float32, np.float64) else np.float32,
        )  # fmt: skip
    except ParameterError as error:
        raise ParameterError(f"{path}: {units!r}: {error}") from None


def _spread(path: Path, node: str, name: str, value: Any, count: int) -> Array:
    """One value a unit, in 64 bits; a single one stands for all."""
    array = np.asarray(value, dtype=np.float64)
    if array.size == 1:
        return np.full(count, array.reshape(()))
    if array.shape != (count,):
        raise DataError(
            f"{path}: {name} of {node!r} has the shape {array.shape}, but {count} units lie "
            "there: the shapes do not fit."
        )
    return array


def _single(values: Array) -> Array:
    """A scalar where all are equal."""
    return values[0] if (values == values[0]).all() else values


def _size(types: Any) -> int | None:
    """Of an input node, where the file says it."""
    sizes = [np.asarray(value).ravel() for value in (types or {}).values() if value is not None]
    known = [int(size.prod()) for size in sizes if size.size]
    return known[0] if known and known[0] > 0 else None
