"""A column of the classifier as a tier, and one of its units: traces, column, neuron."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from spicesnn.errors import DataError
from spicesnn.tiers.dpi_synapse import relaxed
from spicesnn.tiers.dpi_trace import DpiTrace
from spicesnn.tiers.normaliser import PARAMETERS, Normaliser
from spicesnn.tiers.tier import Signals, Spec, State, Tier

# Volts up to which the neuron's input node follows its membrane; our choice.
_HIGHEST = 0.5
# Amperes at which gains and levels are as their parameters say, and the least output that they
# follow; our choice.
_LEVEL, _FAINT = 1e-9, 5e-12


class ColumnState(NamedTuple):
    """Inverse currents of the gates between the sums and the subtractor, 1/ampere."""

    plus: jax.Array
    minus: jax.Array
    turned: jax.Array


class Column(Tier):
    """Normalisers on two sums, and the current that the subtractor gives on.

    Each sum is what its diode-connected transistor carries: its gate follows by
    `q dI/dt = I (I_sum - I)`, exactly solved for constant currents. The minus sum is turned by a
    second mirror with a gate of its own. Then

    `i_in = (d + sqrt(d^2 + i_soft^2))/2`,
    `d = k_plus (1 - slope_plus w) I_plus - k_minus (1 + slope_minus w) I_minus`,

    where w is how far the neuron's input node is up: by the neuron's membrane, and by `level_out`
    for a factor e of the current; both output transistors have a finite conductance. So have those
    under the gates and the rows' tails, whose drains follow the logarithm of what they carry: per
    factor e the gains `k` change by `level_plus` and `level_minus`, and a tail by `level_tail` for
    one of its devices' currents.

    `v_p` is that of the step's end, as the law has no memory but that of the gates; `v_mem` is that
    of its start, so that neurons can follow.

    Source: `circuits/classifier.py`; the log-domain law of a diode-connected transistor after
    Frey, IEE Proc. G 140(6), 406, 1993.
    """

    PARAMETERS: ClassVar[Mapping[str, Spec]] = {
        **PARAMETERS,
        "level_tail": Spec("1", "change of a tail by a factor e of its devices'", -0.1, 0.1),
        "gain_plus": Spec("1", "of the plus side's mirror", 0.5, 2.0),
        "gain_minus": Spec("1", "of the minus side's mirrors", 0.5, 2.0),
        "slope_plus": Spec("1/V", "by which the plus side's output falls", 0.0, 1.0),
        "slope_minus": Spec("1/V", "by which the minus side's output rises", 0.0, 1.0),
        "level_plus": Spec("1", "change of the plus gain by a factor e of its sum", -0.1, 0.1),
        "level_minus": Spec("1", "of the minus side's, likewise", -0.1, 0.1),
        "level_out": Spec("V", "rise of the output by a factor e of its current", 0.0, 0.2),
        "q_sum": Spec("C", "of a sum's gate for a factor e of its current", 1e-18, 1e-12),
        "q_turn": Spec("C", "of the turned sum's gate, likewise", 1e-18, 1e-12),
        "i_off": Spec("A", "that a sum carries at rest", 1e-18, 1e-9),
        "i_soft": Spec("A", "in which the subtractor's output comes to zero", 0.0, 1e-9),
    }
    INPUTS: ClassVar[Mapping[str, Spec]] = {
        "v_p": Spec("V", "gates of the tails at the step's end, last axis rows"),
        "g_plus": Spec("S", "conductances of the plus side, last axis rows"),
        "g_minus": Spec("S", "conductances of the minus side, last axis rows"),
        "v_mem": Spec("V", "the neuron's membrane at the step's start, last axis of size 1"),
    }
    OUTPUTS: ClassVar[Mapping[str, Spec]] = {
        "i_in": Spec("A", "current into the neuron at the step's end"),
        "i_plus": Spec("A", "the plus sum as the subtractor sees it"),
        "i_minus": Spec("A", "the minus sum as the subtractor sees it"),
    }

    v_rail: jax.Array
    i_0_diode: jax.Array
    u_diode: jax.Array
    power: jax.Array
    i_0_tail: jax.Array
    u_tail: jax.Array
    i_curve_tail: jax.Array
    level_tail: jax.Array
    gain_plus: jax.Array
    gain_minus: jax.Array
    slope_plus: jax.Array
    slope_minus: jax.Array
    level_plus: jax.Array
    level_minus: jax.Array
    level_out: jax.Array
    q_sum: jax.Array
    q_turn: jax.Array
    i_off: jax.Array
    i_soft: jax.Array

    @property
    def normaliser(self) -> Normaliser:
        """Any of its rows."""
        return Normaliser(**{name: getattr(self, name) for name in PARAMETERS})

    def start(self, shape: tuple[int, ...] = (), dtype: Any = float) -> ColumnState:
        """All gates at rest; `shape` is without the rows."""
        rest = jnp.broadcast_to(1 / self.i_off, shape).astype(dtype)
        return ColumnState(rest, rest, rest)

    def step(self, state: ColumnState, inputs: Signals, dt: float) -> tuple[ColumnState, Signals]:
        """See the class."""
        return self.follow(state, (*self.sums(inputs), inputs["v_mem"][..., 0]), dt)

    def sums(self, inputs: Signals) -> tuple[jax.Array, jax.Array]:
        """Both sums of the rows' currents, amperes; any leading axes, steps among them."""
        tails = self.normaliser.tail(inputs["v_p"])
        shares = self.shares(inputs["g_plus"], inputs["g_minus"])
        return (tails * shares[0]).sum(axis=-1), (tails * shares[1]).sum(axis=-1)

    def shares(self, g_plus: jax.Array, g_minus: jax.Array) -> tuple[jax.Array, jax.Array]:
        """What goes to the plus and to the minus sum, over a tail's current by its law alone."""
        row = self.normaliser
        plus, both = row.share(g_plus, g_minus), row.log_currents(g_plus, g_minus)
        whole = 1 + self.level_tail * (both + jnp.log(self.i_0_diode / _LEVEL))
        return whole * plus, whole * (1 - plus)

    def follow(
        self, state: ColumnState, given: tuple[jax.Array, jax.Array, jax.Array], dt: float
    ) -> tuple[ColumnState, Signals]:
        """The gates behind the sums, and the subtractor.

        Args:
            state: at the step's start.
            given: plus and minus sum, amperes, and the neuron's membrane, volts.
            dt: the step, seconds.
        """
        sums = given[:2]
        # A spike takes the membrane far up, but the neuron's input node does not follow.
        raised = jnp.clip(given[2], 0.0, _HIGHEST)
        plus = relaxed(sums[0] + self.i_off, state.plus, self.q_sum, dt)
        minus = relaxed(sums[1] + self.i_off, state.minus, self.q_sum, dt)
        turned = relaxed(1 / minus, state.turned, self.q_turn, dt)
        i_plus, i_minus = 1 / plus, 1 / turned
        plus_gain = self.gain_plus * (1 + self.level_plus * jnp.log(i_plus / _LEVEL))
        minus_gain = self.gain_minus * (1 + self.level_minus * jnp.log(i_minus / _LEVEL))
        rough = _soft(plus_gain * i_plus - minus_gain * i_minus, _FAINT)
        raised = raised + self.level_out * jnp.log(rough / _LEVEL)
        source = plus_gain * (1 - self.slope_plus * raised) * i_plus
        over = source - minus_gain * (1 + self.slope_minus * raised) * i_minus
        i_in = 0.5 * (over + _soft(over, self.i_soft))
        found = {"i_in": i_in, "i_plus": i_plus, "i_minus": i_minus}
        return ColumnState(plus, minus, turned), found

    def through(self, inputs: Signals, dt: float) -> Signals:
        """All steps from rest: the rows' currents at once, then the gates one after the other.

        Args:
            inputs: shape (steps, ..., rows) each.
            dt: the step, seconds.
        """
        sums = self.sums(inputs)
        first = self.start(sums[0].shape[1:], sums[0].dtype)
        given = (*sums, inputs["v_mem"][..., 0])
        return jax.lax.scan(lambda now, each: self.follow(now, each, dt), first, given)[1]


def _soft(current: jax.Array, least: jax.Array | float) -> jax.Array:
    """A current's magnitude, smooth about zero, in amperes.

    In nanoamperes within: floats of 32 bits hold few squares of femtoamperes.
    """
    return jnp.sqrt((current * 1e9) ** 2 + (least * 1e9) ** 2) * 1e-9


class UnitState(NamedTuple):
    """Of the traces, the columns and the neurons; the neurons' input and membrane before."""

    trace: State
    column: ColumnState
    neuron: State
    i_in: jax.Array
    v_mem: jax.Array


class Unit(eqx.Module):
    """Outputs of a layer: traces of its inputs, a column and a neuron each.

    Attributes:
        trace: of the rows.
        column: of the units.
        neuron: any tier with the input `i_in` and the output `v_mem`.
        conductance: siemens, shape (2, rows, units): plus and minus sides.
    """

    trace: DpiTrace
    column: Column
    neuron: Tier
    conductance: jax.Array

    def __check_init__(self) -> None:
        """Refuse what does not fit together.

        Raises:
            DataError: the conductances have another shape, or the neuron no current as input.
        """
        if self.conductance.ndim != 3 or self.conductance.shape[0] != 2:
            raise DataError(
                f"conductances of shape {self.conductance.shape} are not those of a layer: give "
                "(2, rows, units)."
            )
        if "i_in" not in self.neuron.INPUTS:
            raise DataError(
                f"{type(self.neuron).__name__} takes {', '.join(self.neuron.INPUTS)}, no current "
                "i_in: give a neuron whose input is a current."
            )

    def start(self, shape: tuple[int, ...] = (), dtype: Any = float) -> UnitState:
        """All at rest; `shape` is that of the batch, without rows and units."""
        _, rows, units = self.conductance.shape
        return UnitState(
            self.trace.start((*shape, rows), dtype),
            self.column.start((*shape, units), dtype),
            self.neuron.start((*shape, units), dtype),
            jnp.zeros((*shape, units), dtype),
            jnp.zeros((*shape, units), dtype),
        )

    def step(
        self,
        state: UnitState,
        inputs: Signals,
        dt: float,
        shares: tuple[jax.Array, jax.Array] | None = None,
    ) -> tuple[UnitState, Signals]:
        """From the start of a time step to its end.

        Args:
            state: at the start.
            inputs: `event`: the part of the step that input pulses fill, shape (..., rows).
            dt: the step, seconds.
            shares: of both sides, shape (rows, units) each, if they are known already.
        """
        shares = self.shares() if shares is None else shares
        trace, traces = self.trace.step(state.trace, inputs, dt)
        tails = self.column.normaliser.tail(traces["v_p"])
        sums = tails @ shares[0], tails @ shares[1]
        column, currents = self.column.follow(state.column, (*sums, state.v_mem), dt)
        # A neuron takes the mean over the step.
        mean = 0.5 * (state.i_in + currents["i_in"])
        neuron, spikes = self.neuron.step(state.neuron, {"i_in": mean}, dt)
        state = UnitState(trace, column, neuron, currents["i_in"], spikes["v_mem"])
        return state, {**traces, **currents, **spikes}

    def shares(self) -> tuple[jax.Array, jax.Array]:
        """Of the plus and minus sides, shape (rows, units) each."""
        return self.column.shares(self.conductance[0], self.conductance[1])

    def run(self, event: jax.Array, dt: float) -> Signals:
        """All steps from rest.

        Args:
            event: shape (steps, ..., rows).
            dt: the step, seconds.

        Returns:
            By name, shape (steps, ..., units).
        """
        shares = self.shares()
        first = self.start(event.shape[1:-1], event.dtype)
        return jax.lax.scan(
            lambda now, given: self.step(now, {"event": given}, dt, shares), first, event
        )[1]
