"""NIR: round trips, what the peers made of the stored files, and files that cannot be read."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import nir
import numpy as np
import numpy.typing as npt
import pytest

from spicesnn.errors import DataError, ParameterError
from spicesnn.exchange.nir_export import export
from spicesnn.exchange.nir_import import read
from spicesnn.exchange.trains import in_seconds, on_steps
from spicesnn.learning.datasets import iris, stratified_split
from spicesnn.learning.encoders import PopulationEncoder
from spicesnn.tiers.lif_layer import LifLayer
from spicesnn.tiers.lif_network import LifNetwork

Array = npt.NDArray[Any]
DATA = Path(__file__).parent / "data"


def _stored(name: str) -> dict[str, Any]:
    """Answers that `python benchmarks/nir_peers.py` stored."""
    found: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return found


@cache
def _digit_counts() -> Array:
    """Spikes of the outputs for the held-out digits, encoded as `benchmarks/nir_data.py` does."""
    from sklearn.datasets import load_digits

    found = load_digits()
    _, held_out = stratified_split(np.asarray(found.target, np.int64), 1 / 3, 0)
    encoder = PopulationEncoder()
    samples = [encoder.spikes(p / 16 * 2000.0, 0.0, 5e-3) for p in found.data[held_out]]
    network = read(DATA / "digits.nir")
    assert network.sizes == (64, 32, 10)
    return np.asarray(network.counts(jnp.asarray(on_steps(samples, 1e-4, 50))))


def _irises() -> Array:
    data, encoder = iris(), PopulationEncoder()
    chosen, held_out = stratified_split(data.labels, 1 / 3, 0)
    low, high = data.features[chosen].min(axis=0), data.features[chosen].max(axis=0)
    rates = encoder.rates(data.features[held_out], low, high)
    return on_steps([encoder.spikes(rate, 0.0, 20e-3) for rate in rates], 1e-4, 200)


def _network(reset: Any = "zero", threshold: Any = 1.0, beta: Any = 0.9) -> LifNetwork:
    rng = np.random.default_rng(0)
    first = LifLayer.of(rng.normal(size=(3, 4)), beta, threshold, rng.normal(size=3), reset)
    return LifNetwork.of([first, LifLayer.of(rng.normal(size=(2, 3)), 0.8, 1.5, reset=reset)])


def _nodes(count: int = 2) -> dict[str, Any]:
    one = np.ones(count)
    return {
        "input": nir.Input({"input": np.array([3])}),
        "weights": nir.Affine(np.ones((count, 3)), np.zeros(count)),
        "units": nir.LIF(tau=1e-3 * one, r=one, v_leak=0 * one, v_threshold=one),
        "output": nir.Output({"output": np.array([count])}),
    }


CHAIN = [("input", "weights"), ("weights", "units"), ("units", "output")]


def _write(path: Path, nodes: dict[str, Any], edges: list[tuple[str, str]]) -> Path:
    nir.write(str(path), nir.NIRGraph(nodes, edges, type_check=False))
    return path


@pytest.mark.parametrize("peer", ["snntorch", "norse"])
def test_peers_class_held_out_digits_as_we_do(peer: str) -> None:
    """A trained network of 64-32-10 units, exported, read and run by each of them."""
    counts = _digit_counts()
    stored = _stored("digits")
    assert len(stored[f"{peer}_classes"]) == 599
    assert (counts.argmax(axis=1) == stored[f"{peer}_classes"]).mean() >= 0.99
    assert (counts == stored[f"{peer}_counts"]).all(axis=1).mean() >= 0.99


def test_a_file_of_snntorch_is_read_as_snntorch_ran_it() -> None:
    """Written by snnTorch's own exporter from the network it trained."""
    network = read(DATA / "snntorch_iris.nir", dt=1e-4)
    assert network.sizes == (12, 8, 3)
    assert float(network.layers[0].beta) == pytest.approx(0.9, rel=1e-6)
    counts = np.asarray(network.counts(jnp.asarray(_irises())))
    stored = _stored("snntorch_iris")
    assert (counts.argmax(axis=1) == stored["classes"]).mean() >= 0.99
    assert (counts == stored["counts"]).all(axis=1).mean() >= 0.95


def test_round_trip(tmp_path: Path) -> None:
    network = _network(threshold=[0.5, 1.0, 2.0])
    found = export(network, tmp_path / "a.nir")
    assert found.notes == ()
    assert found.dt == 1e-4
    again = read(tmp_path / "a.nir")
    assert again.dt == network.dt
    inputs = jnp.asarray(np.random.default_rng(1).random((80, 20, 4)) < 0.4, jnp.float32)
    assert int(network(inputs).sum()) > 50
    assert float((network(inputs) != again(inputs)).mean()) < 1e-3
    for one, other in zip(network.layers, again.layers, strict=True):
        assert np.allclose(one.beta, other.beta, rtol=1e-6)
    graph = nir.read(tmp_path / "a.nir")
    assert list(graph.nodes)
    assert graph.nodes["units0"].tau == pytest.approx(1e-3)
    assert np.array_equal(graph.nodes["units0"].r, np.ones(3))
    assert np.unique(graph.nodes["units0"].v_threshold).size == 1


def test_a_reset_that_nir_lacks_is_refused_or_approximated(tmp_path: Path) -> None:
    network = _network("subtract")
    with pytest.raises(DataError, match=r"the network has the reset 'subtract': train it with"):
        export(network, tmp_path / "a.nir")
    sample = (np.random.default_rng(1).random((80, 20, 4)) < 0.4).astype(np.float32)
    found = export(network, tmp_path / "a.nir", sample)
    assert 0 < found.rate_error < 1
    assert 0 <= found.unlike < 1
    assert "the reset (subtract) is approximated by one to 0: output spike" in found.notes[0]


def test_what_a_reader_must_know_is_noted(tmp_path: Path) -> None:
    network = _network(beta=[0.9, 0.8, 0.7])
    notes = export(LifNetwork.of(network.layers, 1e-3), tmp_path / "a.nir").notes
    assert "layer 0 has 3 time constants: snnTorch 1.0" in notes[0]
    assert "the step is 0.001 s: snnTorch 1.0 reads every file with 1e-4 s" in notes[1]
    assert np.allclose(read(tmp_path / "a.nir").layers[0].beta, [0.9, 0.8, 0.7])
    with pytest.raises(DataError, match=r"layer 0 has a beta of 1: NIR's LIF needs a leak"):
        export(_network(beta=1.0), tmp_path / "a.nir")
    with pytest.raises(DataError, match=r"missing/a.nir cannot be written"):
        export(network, tmp_path / "missing" / "a.nir")


def test_a_step_has_to_be_known(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.nir", _nodes(), CHAIN)
    with pytest.raises(ParameterError, match=r"does not say its step: give dt in seconds"):
        read(path)
    assert float(read(path, dt=1e-4).layers[0].beta) == pytest.approx(0.9)
    with pytest.raises(ParameterError, match=r"'units': tau is 0\.001 s and the step 0\.002 s"):
        read(path, dt=2e-3)


def test_a_leak_to_the_reset_is_a_shift(tmp_path: Path) -> None:
    nodes, one = _nodes(), np.ones(2)
    nodes["units"] = nir.LIF(
        tau=1e-3 * one, r=one, v_leak=-0.5 * one, v_threshold=0.5 * one, v_reset=-0.5 * one
    )
    path = _write(tmp_path / "a.nir", nodes, CHAIN)
    assert float(read(path, 1e-4).layers[0].threshold) == pytest.approx(10.0)
    nodes["units"] = nir.LIF(tau=1e-3 * one, r=one, v_leak=-0.5 * one, v_threshold=one)
    path = _write(tmp_path / "a.nir", nodes, CHAIN)
    with pytest.raises(ParameterError, match=r"resets to v_reset = 0 and leaks to v_leak = -0\.5"):
        read(path, 1e-4)


def test_an_unknown_node_is_named(tmp_path: Path) -> None:
    nodes, one = _nodes(), np.ones(2)
    nodes["units"] = nir.CubaLIF(
        tau_syn=one, tau_mem=one, r=one, v_leak=one, v_threshold=one, w_in=one
    )
    path = _write(tmp_path / "a.nir", nodes, CHAIN)
    with pytest.raises(
        DataError,
        match=r"node 'units' is of type CubaLIF, which is not supported; there are Input, Affine",
    ):
        read(path, 1e-4)
    import h5py

    path = _write(tmp_path / "b.nir", _nodes(), CHAIN)
    with h5py.File(path, "a") as file:
        del file["node/nodes/units/type"]
        file["node/nodes/units/type"] = "Izhikevich"
    with pytest.raises(DataError, match=r"node 'units' is of type Izhikevich"):
        read(path, 1e-4)


def test_recurrent_networks_are_refused(tmp_path: Path) -> None:
    nodes = _nodes() | {"back": nir.Linear(np.eye(2))}
    path = _write(tmp_path / "a.nir", nodes, [*CHAIN, ("units", "back"), ("back", "units")])
    with pytest.raises(DataError, match=r"'(units|back)' feeds back into itself: rec"):
        read(path, 1e-4)
    inner = _nodes(3)
    nodes = _nodes(3) | {"units": nir.NIRGraph(inner, CHAIN, type_check=False)}
    path = _write(tmp_path / "b.nir", nodes, CHAIN)
    with pytest.raises(DataError, match=r"node 'units' is a graph of its own, as recurrent layers"):
        read(path, 1e-4)


def test_graphs_that_are_no_chain(tmp_path: Path) -> None:
    path = tmp_path / "a.nir"
    _write(path, _nodes() | {"more": nir.Linear(np.ones((2, 3)))},
           [*CHAIN, ("input", "more"), ("more", "units")])  # fmt: skip
    with pytest.raises(DataError, match=r"'input' has 2 output edges; in a chain of layers it has"):
        read(path, 1e-4)
    _write(path, {k: v for k, v in _nodes().items() if k != "weights"},
           [("input", "units"), ("units", "output")])  # fmt: skip
    with pytest.raises(DataError, match=r"goes Input -> LIF -> Output: weights .* must take turns"):
        read(path, 1e-4)
    _write(path, _nodes(), [*CHAIN, ("units", "nowhere")])
    with pytest.raises(DataError, match=r"'nowhere'"):
        read(path, 1e-4)


def test_shapes_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "a.nir"
    _write(path, _nodes() | {"units": _nodes(4)["units"]}, CHAIN)
    with pytest.raises(DataError, match=r"tau of 'units' has the shape \(4,\), but 2 units lie"):
        read(path, 1e-4)
    _write(path, _nodes() | {"input": nir.Input({"input": np.array([7])})}, CHAIN)
    with pytest.raises(DataError, match=r"'weights' takes 3 inputs, but 7 lead to it"):
        read(path, 1e-4)


def test_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "a.nir"
    whole = _write(path, _nodes(), CHAIN).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"a\.nir cannot be read as NIR .*; export it anew"):
        read(path, 1e-4)
    path.write_text("no HDF5", encoding="utf-8")
    with pytest.raises(DataError, match=r"cannot be read as NIR"):
        read(path, 1e-4)
    with pytest.raises(DataError, match=r"there is no file .*none\.nir"):
        read(tmp_path / "none.nir", 1e-4)
    nir.write(str(path), _nodes()["units"])
    with pytest.raises(DataError, match=r"holds a single NIR node, no graph"):
        read(path, 1e-4)


def test_trains_on_steps_and_back() -> None:
    trains = [[[0.0, 3e-4], [1e-4]], [[], [2e-4, 9e-4]]]
    found = on_steps(trains, 1e-4, 5)
    assert found.shape == (5, 2, 2)
    assert np.argwhere(found).tolist() == [[0, 0, 0], [1, 0, 1], [2, 1, 1], [3, 0, 0]]
    back = in_seconds(found, 2e-4, 1e-3)
    assert back[0][0] == pytest.approx([1e-3, 1.6e-3])
    with pytest.raises(DataError, match=r"row 0 of sample 0 has a spike before 0 s"):
        on_steps([[[-1.0]]], 1e-4, 5)
    with pytest.raises(DataError, match=r"samples have \[1, 2\] rows"):
        on_steps([[[]], [[], []]], 1e-4, 5)
    with pytest.raises(DataError, match=r"hold values other than 0 and 1"):
        in_seconds(np.full((2, 1, 1), 0.5), 1e-4)
    with pytest.raises(DataError, match=r"give \(steps, samples, rows\)"):
        in_seconds(np.zeros((2, 1)), 1e-4)
