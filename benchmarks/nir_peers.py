"""Files of NIR for the tests, and what snnTorch and Norse make of them.

Needs torch, snntorch and norse beside spicesnn. Trains a network on digits here, exports it, and
has both readers classify the held-out set; trains a network on iris in snnTorch, exports it with
snnTorch's own writer, and has snnTorch classify the held-out set. Leaves files in
`tests/exchange/data/`: run `python benchmarks/nir_peers.py` (`--only layer`, `digits`, `iris` for
one part).
"""

from __future__ import annotations

import argparse
import itertools
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from nir_data import DT, digits, irises

Array = npt.NDArray[Any]
DATA = Path(__file__).resolve().parent.parent / "tests" / "exchange" / "data"
COMMAND = "python benchmarks/nir_peers.py"


def run_snntorch(path: Path, inputs: Array) -> Array:
    """Output spike counts, shape (samples, units), of a file read by snnTorch."""
    import nir
    import torch
    from snntorch.import_nir import import_from_nir

    network, total = import_from_nir(nir.read(path)), 0.0
    with torch.no_grad():
        for now in torch.tensor(inputs):
            out = network(now)
            total = total + (out[0] if isinstance(out, tuple) else out)
    return np.asarray(total)


def run_norse(path: Path, inputs: Array) -> Array:
    """Likewise by Norse, with the file's step."""
    import nir
    import torch
    from norse.torch import from_nir

    network, state, total = from_nir(nir.read(path), dt=DT), None, 0.0
    with torch.no_grad():
        for now in torch.tensor(inputs):
            out, state = network(now, state)
            total = total + out
    return np.asarray(total)


def store(name: str, **found: Any) -> None:
    """Write one answer with what made it."""
    made = {each: version(each) for each in ("torch", "snntorch", "norse", "nir", "nirtorch")}
    text = json.dumps({"command": COMMAND, "versions": made, **found}, separators=(",", ":"))
    (DATA / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def layer() -> None:
    """Spikes, membranes and gradients of snnTorch's `Leaky`, and spikes of Norse's `LIFBoxCell`."""
    import snntorch as snn
    import torch
    from norse.torch import LIFBoxCell, LIFBoxParameters

    rng = np.random.default_rng(0)
    weight = (np.round(rng.normal(size=(6, 8)) * 4096) / 4096).astype(np.float32)
    spikes = (rng.random((60, 3, 8)) < 0.3).astype(np.float32)
    cotangent = rng.normal(size=(60, 3, 6)).astype(np.float32)
    cases = {}
    for reset in ("subtract", "zero", "none"):
        linear = torch.nn.Linear(8, 6, bias=False)
        linear.weight.data = torch.tensor(weight)
        units = snn.Leaky(beta=0.9, reset_mechanism=reset, learn_beta=True, learn_threshold=True)
        mem, out, membranes = torch.zeros(3, 6), [], []
        for now in torch.tensor(spikes):
            spike, mem = units(linear(now), mem)
            out.append(spike)
            membranes.append(mem)
        found = torch.stack(out)
        (found * torch.tensor(cotangent)).sum().backward()
        cases[reset] = {
            "spikes": found.detach().int().numpy().ravel().tolist(),
            "membrane": torch.stack(membranes).detach().double().numpy().ravel().tolist(),
            "by_weight": linear.weight.grad.double().numpy().tolist(),
            "by_beta": float(units.beta.grad),
            "by_threshold": float(units.threshold.grad),
        }
    scaled = torch.tensor(weight / 0.1, dtype=torch.float32)
    cell = LIFBoxCell(LIFBoxParameters(tau_mem_inv=torch.tensor(100.0)), dt=1e-3)
    state, out = None, []
    for now in torch.tensor(spikes):
        spike, state = cell(now @ scaled.T, state)
        out.append(spike)
    store(
        "layer", weight=weight.tolist(), inputs=spikes.astype(int).ravel().tolist(),
        cotangent=cotangent.astype(float).ravel().tolist(), leaky=cases,
        norse=torch.stack(out).detach().int().numpy().ravel().tolist(),
    )  # fmt: skip


def digits_by_peers() -> None:
    """Our network, trained on digits, in both readers."""
    import jax.numpy as jnp

    from spicesnn.exchange.nir_export import export
    from spicesnn.tiers.lif_layer import LifLayer
    from spicesnn.tiers.lif_network import LifNetwork, Training, train

    inputs, labels, held_out, wanted = digits()
    rng = np.random.default_rng(0)
    sizes, beta = (64, 32, 10), 0.9
    layers = [
        LifLayer.random(rng, a, b, beta, bias=True, reset="zero")
        for a, b in itertools.pairwise(sizes)
    ]
    network, history = train(LifNetwork.of(layers, DT), inputs, labels, Training(epochs=15))
    path = DATA / "digits.nir"
    export(network, path)
    own = np.asarray(network.counts(jnp.asarray(held_out)))
    counts = {"snntorch": run_snntorch(path, held_out), "norse": run_norse(path, held_out)}
    print("loss", history[0], history[-1], "accuracy", float((own.argmax(1) == wanted).mean()))
    for name, found in counts.items():
        same = float((found.argmax(1) == own.argmax(1)).mean())
        print(name, "same class", same, "same counts", float((found == own).all(1).mean()))
    store("digits", **{f"{k}_classes": v.argmax(1).tolist() for k, v in counts.items()},
          **{f"{k}_counts": v.astype(int).tolist() for k, v in counts.items()})  # fmt: skip


def iris_by_snntorch() -> None:
    """A network that snnTorch trained on iris and wrote, and its own classes."""
    import nir
    import snntorch as snn
    import torch
    from snntorch import utils
    from snntorch.export_nir import export_to_nir
    from snntorch.functional import mse_count_loss

    inputs, labels, held_out, wanted = irises()
    torch.manual_seed(0)
    # With NIR 1.0.8 snnTorch's writer takes only units whose beta and threshold are vectors.
    first, second = (
        snn.Leaky(beta=torch.full((n,), 0.9), threshold=torch.ones(n), reset_mechanism="zero",
                  init_hidden=True, output=last)
        for n, last in ((8, False), (3, True))
    )  # fmt: skip
    network = torch.nn.Sequential(
        torch.nn.Linear(12, 8, bias=False), first, torch.nn.Linear(8, 3, bias=False), second
    )
    for part in network[::2]:
        part.weight.data *= 4

    def counts(given: Array) -> Any:
        utils.reset(network)
        return torch.stack([network(now)[0] for now in torch.tensor(given)])

    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    loss_of = mse_count_loss(correct_rate=0.08, incorrect_rate=0.01)
    for epoch in range(80):
        optimiser.zero_grad()
        loss = loss_of(counts(inputs), torch.tensor(labels))
        loss.backward()
        optimiser.step()
        if epoch % 20 == 19:
            print(epoch, float(loss))
    with torch.no_grad():
        found = counts(held_out).sum(0).numpy()
    print("accuracy", float((found.argmax(1) == wanted).mean()))
    utils.reset(network)
    path = DATA / "snntorch_iris.nir"
    nir.write(path, export_to_nir(network, torch.tensor(inputs[0, 0])))
    again = run_snntorch(path, held_out)
    print("read again, same counts", float((again == found).all(1).mean()))
    store("snntorch_iris", classes=found.argmax(1).tolist(), counts=found.astype(int).tolist())


def main() -> None:
    """The command line."""
    parts = {"layer": layer, "digits": digits_by_peers, "iris": iris_by_snntorch}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=parts, help="one part")
    only = parser.parse_args().only
    DATA.mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        if only in (None, name):
            part()


if __name__ == "__main__":
    main()
