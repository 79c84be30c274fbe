"""A neuron's tier as a LIF unit of NIR, with the error of its rates; or refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from spicesnn.errors import DataError
from spicesnn.tiers.lif_layer import LifLayer
from spicesnn.tiers.tier import Tier, scan

Array = npt.NDArray[np.float64]

# Intervals that grow by more than this over a run are adaptation, which LIF has not.
_ADAPTED = 0.1


@dataclass(frozen=True)
class LifApproximation:
    """`tau dv/dt = -v + r i`, spike at v = 1, back to 0: the nearest to a tier's rates.

    Attributes:
        tau: seconds.
        r: 1/ampere.
        currents: that it was fitted at, amperes.
        rates: of the tier there, hertz.
        lif_rates: of the approximation, hertz.
    """

    tau: float
    r: float
    currents: Array
    rates: Array
    lif_rates: Array

    @property
    def rate_error(self) -> float:
        """Mean difference of the rates over their mean."""
        return float(np.abs(self.lif_rates - self.rates).mean() / self.rates.mean())

    @property
    def largest_error(self) -> float:
        """Largest difference of the rates over the tier's highest."""
        return float(np.abs(self.lif_rates - self.rates).max() / self.rates.max())

    @property
    def note(self) -> str:
        """The error in words."""
        return (
            f"LIF of tau {self.tau:.4g} s and r {self.r:.4g} 1/A for a tier: its rates differ by "
            f"{100 * self.rate_error:.3g} % in the mean from {self.currents.min():.3g} to "
            f"{self.currents.max():.3g} A, by {100 * self.largest_error:.3g} % of the highest at "
            "most; a refractory time is part of that error."
        )

    def layer(self, weight: npt.ArrayLike, dt: float) -> LifLayer:
        """Units of this kind behind weights in amperes, shape (units, inputs).

        Args:
            weight: current for one step per input spike, amperes.
            dt: the step, seconds.
        """
        return LifLayer.of_time_constant(weight, self.tau, dt, self.r)


def lif_rate(current: npt.ArrayLike, tau: float, r: float) -> Array:
    """`1/(tau ln(r i/(r i - 1)))`, 0 where r i <= 1; hertz at amperes."""
    drive = r * np.asarray(current, dtype=np.float64)
    over = np.maximum(drive, 1 + 1e-12)
    return np.where(drive > 1, -1 / (tau * np.log1p(-1 / over)), 0.0)


def approximate(
    tier: Tier, currents: npt.ArrayLike, dt: float, duration: float
) -> LifApproximation:
    """Fit a LIF unit to a tier's rates at constant currents.

    Args:
        tier: with the input `i_in` and the outputs `spike` and `delay`.
        currents: amperes, shape (currents,).
        dt: the tier's step, seconds.
        duration: of each run, seconds; the first third is left out.

    Raises:
        DataError: the tier is no neuron, it is silent, or it adapts, for which NIR has nothing.
    """
    name = type(tier).__name__
    if set(tier.INPUTS) != {"i_in"} or not {"spike", "delay"} <= set(tier.OUTPUTS):
        raise DataError(
            f"{name} takes {', '.join(tier.INPUTS)} and puts out {', '.join(tier.OUTPUTS)}: only a "
            "neuron, from i_in to spike and delay, becomes a LIF of NIR."
        )
    given = np.asarray(currents, dtype=np.float64)
    steps = round(duration / dt)
    inputs = {"i_in": jnp.broadcast_to(jnp.asarray(given), (steps, given.size))}
    start = tier.start((given.size,), inputs["i_in"].dtype)
    outputs: Any = jax.jit(lambda: scan(tier, start, inputs, dt)[1])()
    fired, delay = np.asarray(outputs["spike"]) > 0, np.asarray(outputs["delay"])
    rates = np.zeros(given.size)
    for k in range(given.size):
        at = np.flatnonzero(fired[:, k])
        every = at * dt + delay[at, k]
        late = every[every > duration / 3]
        if late.size >= 2:
            rates[k] = (late.size - 1) / (late[-1] - late[0])
        gaps = np.diff(every)
        # The first interval may begin from rest instead of from a reset.
        if gaps.size >= 4 and gaps[-1] > (1 + _ADAPTED) * gaps[1]:
            raise DataError(
                f"{name} adapts: at {given[k]:.3g} A its intervals grow from {gaps[1]:.3g} to "
                f"{gaps[-1]:.3g} s; NIR has no neuron with adaptation."
            )
    spiking = rates > 0
    if spiking.sum() < 3:
        raise DataError(
            f"{name} spikes at {int(spiking.sum())} of {given.size} currents, up to "
            f"{given.max():.3g} A: give at least 3 at which it does."
        )
    first = given[spiking].min()
    begin = np.log([1 / (rates.max() * np.log(2)), 1 / first])
    found = least_squares(
        lambda p: (lif_rate(given, *np.exp(p)) - rates) / rates.max(), begin, x_scale=0.1
    )
    tau, r = (float(value) for value in np.exp(found.x))
    return LifApproximation(tau, r, given, rates, lif_rate(given, tau, r))
