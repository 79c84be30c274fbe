"""A LIF layer with its weights, forward and backward, against snnTorch and Norse, same cores.

Needs torch, snntorch and norse beside spicesnn. `--json` prints the rows as JSON; `--quick` takes
few rounds and says so. Weights are multiples of 2^-12 and inputs are spikes, so that every order
of summation gives the same currents; the same with weights as drawn is shown beside it. Compared
ones take turns on the same two cores, medians are shown. The peers run in the faster of two forms:
the matrix product inside their loop, as their tutorials have it, or once before it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from stored import Row, row

Array = npt.NDArray[Any]
Step = Callable[[], tuple[Array, Array]]
"""One pass forward and backward: the spikes and the weights' gradient of their sum."""

BETA, RATE, THREADS = 0.9, 0.1, 2


@dataclass(frozen=True)
class Size:
    """Units (and inputs), steps, batch; the least ratio to the faster peer."""

    units: int
    steps: int
    batch: int
    goal: float

    @property
    def text(self) -> str:
        """`100 x 1000 x 4`."""
        return f"{self.units} x {self.steps} x {self.batch}"

    def data(self, rounded: bool = True) -> tuple[Array, Array]:
        """Weights (units, inputs) and input spikes (steps, batch, inputs), float32."""
        rng = np.random.default_rng(self.units)
        weight = rng.normal(size=(self.units, self.units)) * 2 / np.sqrt(self.units)
        if rounded:
            weight = np.round(weight * 4096) / 4096
        spikes = rng.random((self.steps, self.batch, self.units)) < RATE
        return weight.astype(np.float32), spikes.astype(np.float32)


SIZES = (Size(100, 1000, 4, 30.0), Size(512, 500, 16, 2.5))


@dataclass(frozen=True)
class Ours:
    """The compiled pass and what it took to compile it."""

    run: Callable[[], Any]
    step: Step
    compile_seconds: float
    bytes_used: int


def ours(weight: Array, spikes: Array, reset: str = "subtract") -> Ours:
    """Our layer's pass, compiled."""
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    from spicesnn.tiers.lif_layer import LifLayer

    layer = LifLayer.of(weight, BETA, reset=reset)  # type: ignore[arg-type]
    w, x = layer.weight, jnp.asarray(spikes)

    def both(w: Any, x: Any) -> Any:
        def loss(w: Any) -> Any:
            out = eqx.tree_at(lambda one: one.weight, layer, w)(x)
            return out.sum(), out

        return jax.value_and_grad(loss, has_aux=True)(w)

    began = time.perf_counter()
    compiled = jax.jit(both).lower(w, x).compile()
    took = time.perf_counter() - began
    used: Any = compiled.memory_analysis()
    total = used.temp_size_in_bytes + used.output_size_in_bytes + used.argument_size_in_bytes

    def run() -> Any:
        return jax.tree.map(lambda a: a.block_until_ready(), compiled(w, x))

    def step() -> tuple[Array, Array]:
        (_, out), slope = run()
        return np.asarray(out), np.asarray(slope)

    return Ours(run, step, took, total)


def products(weight: Array, spikes: Array) -> Callable[[], Any]:
    """Our layer's two matrix products alone: the currents', and the weights' gradient."""
    import jax
    import jax.numpy as jnp

    w, x = jnp.asarray(weight), jnp.asarray(spikes.reshape(-1, weight.shape[1]))

    def both(w: Any, x: Any, adjoint: Any) -> Any:
        return x @ w.T, adjoint.T @ x

    adjoint = jnp.ones((x.shape[0], weight.shape[0]), x.dtype)
    compiled = jax.jit(both).lower(w, x, adjoint).compile()
    return lambda: jax.tree.map(lambda a: a.block_until_ready(), compiled(w, x, adjoint))


def snntorch(weight: Array, spikes: Array, before: bool, reset: str = "subtract") -> Step:
    """The `Leaky` of snnTorch behind PyTorch's `Linear`, with its defaults."""
    import snntorch as snn
    import torch

    torch.set_num_threads(THREADS)
    linear = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    linear.weight.data = torch.tensor(weight)
    units, x = snn.Leaky(beta=BETA, reset_mechanism=reset), torch.tensor(spikes)

    def step() -> tuple[Array, Array]:
        linear.weight.grad = None
        mem = torch.zeros(x.shape[1], weight.shape[0])
        driven = linear(x) if before else x
        out = []
        for now in driven:
            spike, mem = units(now if before else linear(now), mem)
            out.append(spike)
        found = torch.stack(out)
        found.sum().backward()
        return found.detach().numpy(), linear.weight.grad.numpy()

    return step


def norse(weight: Array, spikes: Array, before: bool) -> Step:
    """Norse's `LIFBoxCell` behind PyTorch's `Linear`: dt / tau = 0.1, weights ten times as large.

    Its units return to 0, and it scales its input by dt / tau.
    """
    import torch
    from norse.torch import LIFBoxCell, LIFBoxParameters

    torch.set_num_threads(THREADS)
    linear = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    linear.weight.data = torch.tensor(weight / (1 - BETA), dtype=torch.float32)
    tau_inverse = torch.tensor((1 - BETA) / 1e-3)
    units, x = LIFBoxCell(LIFBoxParameters(tau_mem_inv=tau_inverse), dt=1e-3), torch.tensor(spikes)

    def step() -> tuple[Array, Array]:
        linear.weight.grad = None
        driven, state = linear(x) if before else x, None
        out = []
        for now in driven:
            spike, state = units(now if before else linear(now), state)
            out.append(spike)
        found = torch.stack(out)
        found.sum().backward()
        return found.detach().numpy(), linear.weight.grad.numpy()

    return step


def speed(size: Size, quick: bool) -> list[Row]:
    """One size: times, ratio, compile time, memory, and how far from the matrix products."""
    weight, spikes = size.data()
    own, alone = ours(weight, spikes), products(weight, spikes)
    compared: dict[str, Callable[[], Any]] = {"ours": own.run, "products": alone}
    for name, make in (("snnTorch", snntorch), ("Norse", norse)):
        for form, before in (("product in its loop", False), ("product before its loop", True)):
            compared[f"{name}, {form}"] = make(weight, spikes, before)
    seconds = _medians(2 if quick else 7, compared)
    peers = {name: took for name, took in seconds.items() if name not in ("ours", "products")}
    fastest = min(peers, key=lambda name: peers[name])
    ratio = peers[fastest] / seconds["ours"]
    what = size.text
    rows = [row(f"{what}, layer, forward and backward", 1e3 * seconds["ours"], "ms")]
    rows += [row(f"{what}, {name}", 1e3 * took, "ms") for name, took in peers.items()]
    rows += [
        row(f"{what}, faster peer ({fastest}) over layer", ratio, "1", f">= {size.goal:g}",
            None if quick else ratio >= size.goal),
        row(f"{what}, layer's two matrix products alone", 1e3 * seconds["products"], "ms"),
        row(f"{what}, layer over its matrix products", seconds["ours"] / seconds["products"]),
        row(f"{what}, compile time", own.compile_seconds, "s"),
        row(f"{what}, buffers of the compiled pass, inputs included", own.bytes_used / 1e6, "MB"),
    ]  # fmt: skip
    for name in ("ours", "snntorch", "norse"):
        rows.append(
            row(f"{what}, {name}, peak memory over that before the pass",
                _alone(size, name) / 1e6, "MB")
        )  # fmt: skip
    return rows


def equality(size: Size) -> list[Row]:
    """Spikes and gradients against snnTorch's and Norse's."""
    what, rows = size.text, []
    weight, spikes = size.data()
    for reset in ("subtract", "zero"):
        mine, slope = ours(weight, spikes, reset).step()
        theirs, their_slope = snntorch(weight, spikes, False, reset)()
        unlike = int((mine != theirs).sum())
        apart = float(np.abs(slope - their_slope).max() / np.abs(their_slope).max())
        rows += [
            row(f"{what}, reset {reset}, spikes unlike snnTorch's, of {int(theirs.sum())}",
                unlike, "1", "0", unlike == 0),
            row(f"{what}, reset {reset}, weights' gradient, largest difference from snnTorch's, "
                "relative to its largest", apart),
        ]  # fmt: skip
        if reset == "zero":
            theirs, _ = norse(weight, spikes, False)()
            rows.append(row(f"{what}, reset zero, spikes unlike Norse's, share of all",
                            float((mine != theirs).sum() / theirs.sum())))  # fmt: skip
    weight, spikes = size.data(rounded=False)
    mine, theirs = ours(weight, spikes).step()[0], snntorch(weight, spikes, False)()[0]
    rows.append(row(f"{what}, weights as drawn, spikes unlike snnTorch's, of {int(theirs.sum())}",
                    int((mine != theirs).sum())))  # fmt: skip
    return rows


def _medians(rounds: int, compared: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Seconds of each, taking turns, so that what else the machine does meets all alike."""
    for each in compared.values():
        each()
    seconds: dict[str, list[float]] = {name: [] for name in compared}
    for _ in range(rounds):
        for name, each in compared.items():
            began = time.perf_counter()
            each()
            seconds[name].append(time.perf_counter() - began)
    return {name: float(np.median(times)) for name, times in seconds.items()}


def _alone(size: Size, name: str) -> float:
    """Bytes by which one pass raises the peak memory of a process of its own."""
    text = (
        "import sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import warnings; warnings.simplefilter('ignore')\n"
        "from peers_lif import Size, norse, ours, snntorch\n"
        f"size, small = {size!r}, Size(8, 4, 2, 1.0)\n"
        "make = {'ours': lambda d: ours(*d).step, 'snntorch': lambda d: snntorch(*d, False),"
        f" 'norse': lambda d: norse(*d, False)}}[{name!r}]\n"
        "status = lambda: open('/proc/self/status').read()\n"
        "peak = lambda: 1024 * int(status().split('VmHWM:')[1].split()[0])\n"
        "make(small.data())()\n"
        "data = size.data()\n"
        "before = peak()\n"
        "make(data)()\n"
        "print(peak() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def rows(quick: bool = False) -> list[Row]:
    """All rows."""
    warnings.simplefilter("ignore")
    # XLA takes as many threads as it has cores when it is first used.
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(cores)[:THREADS])
    found: list[Row] = []
    try:
        for size in SIZES:
            found += equality(size) + speed(size, quick)
    finally:
        # Other sections may follow in this process.
        os.sched_setaffinity(0, cores)
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds; says so")
    parser.add_argument("--json", action="store_true", help="rows as JSON on standard output")
    given = parser.parse_args()
    found = rows(given.quick)
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for each in found:
        held = {True: "holds", False: "DOES NOT HOLD", None: ""}[each["holds"]]
        print(f"{each['name']}: {each['value']} {each['unit']} {each['goal']} {held}")


if __name__ == "__main__":
    main()
