"""What all tiers share: parameters by name, and the loops over steps."""

from __future__ import annotations

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spicesnn.errors import ParameterError, UnknownNameError
from spicesnn.processes import find_process
from spicesnn.tiers.fitted import load_tier
from spicesnn.tiers.library import tier_path
from spicesnn.tiers.tier import scan, totals

PROCESS = find_process("generic180")


def test_totals_are_the_sums_of_what_scan_gives() -> None:
    """State and sums, for several units with a drive of their own."""
    fitted = load_tier(tier_path("lif_neuron", PROCESS), PROCESS)
    drive = np.linspace(0.2e-9, 1e-9, 5) * np.ones((200, 1))
    given = {"i_in": jnp.asarray(drive, jnp.float32)}
    tier = fitted.tier.astype(jnp.float32)
    start = tier.start((5,), jnp.float32)
    last, outputs = scan(tier, start, given, fitted.file.dt)
    also_last, sums = totals(tier, start, given, fitted.file.dt)
    assert float(sums["spike"].sum()) > 5
    assert set(sums) == set(outputs)
    for name, each in outputs.items():
        assert np.asarray(sums[name]) == pytest.approx(np.asarray(each).sum(axis=0), rel=1e-4)
        assert sums[name].dtype == jnp.float32
    for one, other in zip(last, also_last, strict=True):
        assert np.array_equal(one, other)


def test_a_loop_over_steps_is_compiled_whole() -> None:
    """XLA would else dispatch each operation apart, which one unit would feel sixfold."""
    fitted = load_tier(tier_path("lif_neuron", find_process("generic180")))
    tier = fitted.tier

    def run(given: jax.Array) -> object:
        return scan(tier, tier.start((64,)), {"i_in": given}, fitted.file.dt)

    text = jax.jit(run).lower(jnp.zeros((2000, 64))).compile().as_text()
    assert text is not None
    assert "xla_cpu_small_call" in text


@pytest.mark.parametrize("own", ["", "--xla_cpu_enable_fast_math=false"])
def test_own_flags_of_xla_are_kept(own: str) -> None:
    """And options of the backend that are set already are not touched."""
    code = "import os, spicesnn.tiers; print(os.environ['XLA_FLAGS'])"

    def flags(before: str) -> str:
        env = {**os.environ, "XLA_FLAGS": before}
        found = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
        )
        return found.stdout.strip()

    assert flags(own).startswith(own)
    assert "xla_cpu_small_while_loop_byte_threshold=8388608" in flags(own)
    set_already = f"{own} --xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=9"
    assert flags(set_already) == set_already.strip()
    assert flags("own_flags.txt") == "own_flags.txt"


def test_wrong_parameters_are_named() -> None:
    """One too many, one too few, one that is no number."""
    fitted = load_tier(tier_path("lif_neuron", PROCESS), PROCESS)
    values = fitted.file.values()
    kind = type(fitted.tier)
    with pytest.raises(UnknownNameError, match="c_mme"):
        kind.of({**values, "c_mme": 1.0})
    name = next(iter(values))
    with pytest.raises(ParameterError, match=f"{name} .* is missing"):
        kind.of({key: value for key, value in values.items() if key != name})
    with pytest.raises(ParameterError, match=f"{name} is not finite"):
        kind.of({**values, name: float("nan")})
