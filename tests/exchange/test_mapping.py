"""A network on cells: a small one whole, the iris one of snnTorch in a slow test, and refusals."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import pytest

from spicesnn.devices import find_pulse_map
from spicesnn.engine.pool import Pool
from spicesnn.errors import DataError, UnknownNameError
from spicesnn.exchange.mapping import MapSettings, map_network
from spicesnn.exchange.nir_import import read
from spicesnn.exchange.trains import on_steps
from spicesnn.learning.datasets import iris, stratified_split
from spicesnn.learning.encoders import PopulationEncoder
from spicesnn.tiers.lif_layer import LifLayer
from spicesnn.tiers.lif_network import LifNetwork

Array = npt.NDArray[Any]
DATA = Path(__file__).parent / "data"


def _regular(rates: npt.ArrayLike, steps: int) -> Array:
    """Spikes on steps, shape (steps, samples, rows), of rates per step."""
    at = np.asarray(rates)[None] * np.arange(steps + 1)[:, None, None]
    return np.diff(np.floor(at + 0.5), axis=0)


def test_a_small_network_decides_as_its_source(pool: Pool, tmp_path: Path) -> None:
    """Two inputs, two units, one of them with a bias: the one with more input spikes more."""
    layer = LifLayer.of([[2.0, -1.0], [-1.0, 2.0]], 0.9, bias=[0.0, 0.05], reset="zero")
    network = LifNetwork.of([layer])
    inputs = _regular([[0.1, 0.0], [0.0, 0.1]], 60)
    mapped = map_network(network, 60, MapSettings(), pool, inputs)
    source = np.asarray(network.counts(jnp.asarray(inputs, jnp.float32)))
    assert source.argmax(axis=1).tolist() == [0, 1]
    counts = mapped.counts(inputs, pool)
    assert counts.argmax(axis=1).tolist() == [0, 1]
    # The gain was set to as many spikes; they come in whole ones.
    assert abs(int(counts.sum()) - int(source.sum())) <= 2
    assert mapped.calibration[0].circuit_spikes == counts.sum()
    assert mapped.bias_row
    assert mapped.layers[0].rows == 3
    device = find_pulse_map("Jo2010")
    pairs = mapped.conductance[0]
    assert pairs.shape == (2, 3, 2)
    assert pairs.min() >= device.g_min * (1 - 1e-9)
    assert pairs.max() <= device.g_max * (1 + 1e-9)
    weight = (pairs[0] - pairs[1]) / pairs.sum(axis=0)
    gains = mapped.calibration[0].gains
    assert np.allclose(weight, gains * np.array([[2, -1], [-1, 2], [0, 0.5]]))
    # The leak's law, and the gain current in proportion.
    bias = mapped.layers[0].neuron_bias
    assert bias.i_leak == pytest.approx(1e-12 * 0.02585 / (0.7 * 1e-3), rel=0.15)
    assert bias.i_gain / bias.i_leak == pytest.approx(75)

    mapped.write(tmp_path / "out", inputs)
    names = {each.name for each in (tmp_path / "out").iterdir()}
    assert names == {
        "network.cir", "layer0_trace.cir", "layer0_column.cir", "layer0_neuron.cir",
        "conductances.csv", "conductances.json", "biases.json", "report.json",
    }  # fmt: skip
    with (tmp_path / "out" / "conductances.csv").open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 6
    assert float(table[1]["g_plus [S]"]) == pytest.approx(pairs[0, 0, 1], rel=1e-5)
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["layers"][0]["gains"] == list(gains)
    assert any("traces, which spread each spike" in note for note in report["approximated"])
    text = (tmp_path / "out" / "network.cir").read_text(encoding="utf-8")
    assert text.rstrip().endswith(".end")

    with pytest.raises(DataError, match=r"inputs have the shape \(60, 2, 3\); the circuit has 2"):
        mapped.knobs(np.zeros((60, 2, 3)))
    with pytest.raises(DataError, match=r"the inputs have 90 steps, which is longer than"):
        mapped.knobs(np.zeros((90, 1, 2)))
    with pytest.raises(DataError, match=r"cannot be written"):
        mapped.write(tmp_path / "out" / "report.json" / "deeper")


def test_what_cannot_be_mapped(pool: Pool) -> None:
    network = LifNetwork.of([LifLayer.of([[2.0, -1.0]], 0.9, reset="zero")])
    with pytest.raises(
        DataError, match=r"inputs have the shape \(5, 3\); the network has 2 inputs"
    ):
        map_network(network, 5, MapSettings(), pool, np.zeros((5, 3)))
    with pytest.raises(DataError, match=r"layer 0 of the source spikes 0 times on the stimuli"):
        map_network(network, 5, MapSettings(), pool, np.zeros((5, 1, 2)))
    with pytest.raises(DataError, match=r"hold values other than 0 and 1"):
        map_network(network, 5, MapSettings(), pool, np.full((5, 1, 2), 0.5))
    with pytest.raises(UnknownNameError, match=r"no process named 'generic'"):
        map_network(network, 5, MapSettings(process="generic"), pool)


@pytest.mark.slow
def test_iris_of_snntorch_decides_as_its_source(pool: Pool) -> None:
    """12-8-3 units, trained and written by snnTorch; as `benchmarks/nir_map.py` runs it."""
    network = read(DATA / "snntorch_iris.nir", 1e-4)
    data, encoder = iris(), PopulationEncoder()
    chosen, held_out = stratified_split(data.labels, 1 / 3, 0)
    low, high = data.features[chosen].min(axis=0), data.features[chosen].max(axis=0)
    rates = encoder.rates(data.features, low, high)
    inputs = on_steps([encoder.spikes(rate, 0.0, 20e-3) for rate in rates], 1e-4, 200)
    mapped = map_network(network, 200, MapSettings(), pool, inputs[:, chosen[::16]][:, :6])
    samples = np.linspace(0, held_out.size - 1, 20).astype(int)
    stored = json.loads((DATA / "snntorch_iris.json").read_text(encoding="utf-8"))
    found = mapped.decide(inputs[:, held_out[samples]], pool)
    assert (found == np.array(stored["classes"])[samples]).sum() >= 18
