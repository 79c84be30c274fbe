"""A network of LIF layers as a file of NIR, the neuromorphic intermediate representation."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError
from spicesnn.tiers.lif_layer import LifLayer
from spicesnn.tiers.lif_network import LifNetwork

Array = npt.NDArray[Any]

CONVENTION = (
    "Seconds for tau; membrane, threshold and current are numbers without a unit, r is 1. One "
    "input spike is a current of 1 for one step dt; forward Euler, v += dt/tau (-v + r i); after a "
    "spike v is 0 before the next step; the membrane of this package is v tau/(r dt)."
)
"""What the numbers of an exported file mean; stored in its metadata."""


@dataclass(frozen=True)
class Export:
    """What was written, and how far it is from the network.

    Attributes:
        path: of the file.
        dt: the step that a reader has to be given, seconds.
        notes: what a reader must know; empty where both snnTorch's and Norse's reader give the
            network's own spikes.
        rate_error: where a reset by subtraction was approximated, the mean difference of the
            output's spike counts over their mean; else 0.
        unlike: likewise, the share of samples whose class differs; else 0.
    """

    path: Path
    dt: float
    notes: tuple[str, ...] = ()
    rate_error: float = 0.0
    unlike: float = 0.0


def export(network: LifNetwork, path: Path, sample: npt.ArrayLike | None = None) -> Export:
    """Write a network so that snnTorch's and Norse's readers take it alike.

    Each layer becomes `Affine` (or `Linear`) and `LIF` with r = 1, v_leak = v_reset = 0,
    `tau = dt/(1 - beta)` and `v_threshold = (1 - beta) threshold`. Norse's reader ignores r and
    v_reset, and takes its step from its argument: `from_nir(graph, dt=...)` with the file's `dt`,
    snnTorch's has a step of 1e-4 s and no other, and one threshold for a layer. Thresholds that
    differ within a layer are put into the weights.

    Args:
        network: of layers that start from 0 after a spike: NIR's `LIF` has no other reset.
        path: of the file.
        sample: inputs of shape (steps, samples, inputs) on which a network with another reset is
            compared with its approximation by a reset to 0. Left out, it is refused.

    Returns:
        What was written, with its error.

    Raises:
        DataError: the network cannot be written, see `sample`; or the file cannot.
    """
    import nir

    result = Export(path, network.dt)
    others = sorted({layer.reset for layer in network.layers} - {"zero"})
    if others:
        if sample is None:
            raise DataError(
                f"NIR's LIF goes to v_reset after a spike; the network has the reset {others[0]!r}:"
                " train it with 'zero', or give inputs as `sample` to approximate it and have the "
                "error measured."
            )
        network, result = _reset_to_zero(network, sample, result)
    nodes: list[Any] = [nir.Input(input_type={"input": np.array([network.sizes[0]])})]
    notes = list(result.notes)
    for k, layer in enumerate(network.layers):
        weight, bias, tau, threshold = _terms(layer, network.dt, k)
        if np.unique(tau).size > 1:
            notes.append(
                f"layer {k} has {np.unique(tau).size} time constants: snnTorch 1.0 scales all "
                "thresholds of a layer by the first one's, and reads it wrong."
            )
        nodes.append(
            nir.Linear(weight=weight) if bias is None else nir.Affine(weight=weight, bias=bias)
        )
        zero = np.zeros_like(tau)
        nodes.append(
            nir.LIF(
                tau=tau, r=np.ones_like(tau), v_leak=zero, v_threshold=threshold,
                v_reset=zero.copy(),
            )
        )  # fmt: skip
    if not np.isclose(network.dt, 1e-4):
        notes.append(
            f"the step is {network.dt:g} s: snnTorch 1.0 reads every file with 1e-4 s; set the "
            "network's dt to 1e-4 for it."
        )
    nodes.append(nir.Output(output_type={"output": np.array([network.sizes[-1]])}))
    names = ["input"]
    for k in range(len(network.layers)):
        names += [f"weights{k}", f"units{k}"]
    names.append("output")
    graph = nir.NIRGraph(
        nodes=dict(zip(names, nodes, strict=True)),
        edges=list(itertools.pairwise(names)),
        metadata={"dt": network.dt, "tool": "spicesnn", "convention": CONVENTION},
    )
    try:
        nir.write(str(path), graph)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error}.") from None
    return replace(result, notes=tuple(notes))


def _terms(layer: LifLayer, dt: float, k: int) -> tuple[Array, Array | None, Array, Array]:
    """Weights, bias, time constants and thresholds of NIR, in the layer's own type."""
    weight = np.asarray(layer.weight)
    # In the numbers' own type: 1 - beta is what is left of its last figures.
    beta = np.broadcast_to(np.asarray(layer.beta, np.float64), (layer.units,))
    threshold = np.broadcast_to(np.asarray(layer.threshold, np.float64), (layer.units,))
    bias = None if layer.bias is None else np.asarray(layer.bias)
    if (beta >= 1).any():
        raise DataError(
            f"layer {k} has a beta of 1: NIR's LIF needs a leak, a finite tau; take a beta under 1."
        )
    if np.unique(threshold).size > 1:
        weight = (weight / threshold[:, None]).astype(weight.dtype)
        bias = None if bias is None else (bias / threshold).astype(weight.dtype)
        threshold = np.ones_like(threshold)
    tau, scaled = dt / (1 - beta), (1 - beta) * threshold
    return weight, bias, tau.astype(weight.dtype), scaled.astype(weight.dtype)


def _reset_to_zero(
    network: LifNetwork, sample: npt.ArrayLike, result: Export
) -> tuple[LifNetwork, Export]:
    """The network with resets to 0, and how far its outputs are on the sample."""
    layers = [
        LifLayer(one.weight, one.bias, one.beta, one.threshold, "zero", one.surrogate)
        for one in network.layers
    ]
    other = LifNetwork.of(layers, network.dt)
    inputs = jnp.asarray(np.asarray(sample))
    wanted, found = (np.asarray(each.counts(inputs), np.float64) for each in (network, other))
    resets = {one.reset for one in network.layers if one.reset != "zero"}
    mean = float(wanted.mean())
    error = float(np.abs(found - wanted).mean() / mean) if mean else float("inf")
    unlike = float((wanted.argmax(axis=-1) != found.argmax(axis=-1)).mean())
    note = (
        f"the reset ({', '.join(sorted(resets))}) is approximated by one to 0: output spike "
        "counts differ by "
        f"{100 * error:.3g} % in the mean, {100 * unlike:.3g} % of the sample's classes."
    )
    return other, replace(result, notes=(note,), rate_error=error, unlike=unlike)
