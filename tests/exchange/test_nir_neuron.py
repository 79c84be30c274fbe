"""Tiers of neurons as LIF units: rates against the law, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spicesnn.errors import DataError
from spicesnn.exchange.nir_export import export
from spicesnn.exchange.nir_import import read
from spicesnn.exchange.nir_neuron import approximate, lif_rate
from spicesnn.tiers.lif_network import LifNetwork
from spicesnn.tiers.tier import Signals, Spec, Tier

CURRENTS = np.linspace(50e-12, 400e-12, 8)


class Leaky(Tier):
    """`tau dv/dt = -v + r i`, exactly, with a rest and an adaptation that may be none."""

    PARAMETERS: ClassVar[Mapping[str, Spec]] = {
        "tau": Spec("s", "membrane"), "r": Spec("1/A", "of the current"),
        "rest": Spec("s", "after a spike"), "more": Spec("1", "threshold added by a spike"),
    }  # fmt: skip
    INPUTS: ClassVar[Mapping[str, Spec]] = {"i_in": Spec("A", "current")}
    OUTPUTS: ClassVar[Mapping[str, Spec]] = {
        "spike": Spec("1", "of the step"),
        "delay": Spec("s", "in it"),
    }
    tau: jax.Array
    r: jax.Array
    rest: jax.Array
    more: jax.Array

    def start(self, shape: tuple[int, ...] = (), dtype: Any = float) -> Any:
        none = jnp.zeros(shape, dtype)
        return none, none, none

    def step(self, state: Any, inputs: Signals, dt: float) -> tuple[Any, Signals]:
        v, wait, level = state
        aim = self.r * inputs["i_in"]
        end = jnp.where(wait > 0, 0.0, aim + (v - aim) * jnp.exp(-dt / self.tau))
        fired = end > 1 + level
        after = (
            jnp.where(fired, 0.0, end),
            jnp.where(fired, self.rest, wait - dt),
            level + jnp.where(fired, self.more, 0.0),
        )
        return after, {"spike": fired.astype(end.dtype), "delay": jnp.full_like(end, dt)}


def _tier(rest: float = 0.0, more: float = 0.0) -> Leaky:
    return Leaky.of({"tau": 1e-3, "r": 1e10, "rest": rest, "more": more})


def test_a_leaky_neuron_is_found_again() -> None:
    found = approximate(_tier(), CURRENTS, 2e-6, 0.02)
    assert found.tau == pytest.approx(1e-3, rel=0.01)
    assert found.r == pytest.approx(1e10, rel=0.01)
    assert found.rate_error < 0.01
    assert found.rates[0] == 0
    # By hand: r i = 2 takes tau ln 2.
    assert lif_rate(2e-10, 1e-3, 1e10) == pytest.approx(1 / (1e-3 * np.log(2)))


def test_a_rest_is_an_error_that_is_told(tmp_path: Path) -> None:
    found = approximate(_tier(rest=0.5e-3), CURRENTS, 1e-5, 0.02)
    assert 0.02 < found.rate_error < 0.3
    assert found.largest_error >= found.rate_error / 2
    assert f"differ by {100 * found.rate_error:.3g} % in the mean from 5e-11 to 4e-10 A" in (
        found.note
    )
    layer = found.layer(np.full((2, 3), 1e-10), 1e-4)
    export(LifNetwork.of([layer], 1e-4), tmp_path / "a.nir")
    assert np.allclose(read(tmp_path / "a.nir").layers[0].beta, 1 - 1e-4 / found.tau)


def test_what_nir_has_nothing_for() -> None:
    with pytest.raises(DataError, match=r"Leaky adapts: at .* A its intervals grow from"):
        approximate(_tier(more=0.05), CURRENTS, 1e-5, 0.02)
    with pytest.raises(DataError, match=r"Leaky spikes at 0 of 8 currents, up to 4e-13 A"):
        approximate(_tier(), CURRENTS / 1000, 1e-5, 0.02)
    from spicesnn.tiers.dpi_synapse import DpiSynapse

    synapse = DpiSynapse.of(dict.fromkeys(DpiSynapse.PARAMETERS, 1.0))
    with pytest.raises(DataError, match=r"DpiSynapse takes .*: only a neuron, from i_in to spike"):
        approximate(synapse, CURRENTS, 1e-5, 0.02)
