"""Signed weights on conductances: pairs of columns, or one reference column."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError, ParameterError
from spicesnn.parameters import Parameters, parameter

Array = npt.NDArray[np.float64]
_ROUNDING = 1e-12


class _Window(Parameters):
    """The conductances between which weights are laid, and the weight at their ends."""

    g_min: float = parameter(unit="S", doc="lowest conductance used", ge=0)
    g_max: float = parameter(unit="S", doc="highest conductance used", gt=0)
    w_max: float = parameter(1.0, unit="1", doc="largest magnitude of a weight", gt=0)

    def model_post_init(self, context: object) -> None:
        """Check the order.

        Raises:
            ParameterError: `g_min` is not below `g_max`.
        """
        if not self.g_min < self.g_max:
            raise ParameterError(
                f"g_min = {self.g_min:g} S must be below g_max = {self.g_max:g} S."
            )

    def _checked(self, weights: npt.ArrayLike) -> Array:
        try:
            w = np.asarray(weights, dtype=np.float64)
        except (TypeError, ValueError):
            raise DataError("weights are no table of numbers; give (rows, outputs).") from None
        if w.ndim != 2 or w.size == 0:
            raise DataError(
                f"weights have shape {w.shape}; give (rows, outputs), at least one of each."
            )
        bad = ~(np.abs(w) <= self.w_max * (1 + _ROUNDING))
        if bad.any():
            i, j = np.argwhere(bad)[0]
            raise DataError(
                f"weight ({i}, {j}) is {w[i, j]:g}, outside -{self.w_max:g} to {self.w_max:g}; "
                "scale the weights or raise w_max."
            )
        return w / self.w_max


class DifferentialPairs(_Window):
    """Two columns a weight: `w = w_max (G+ - G-) / (g_max - g_min)`.

    Output k is column 2k (plus) less column 2k + 1 (minus). `balanced` lays both around the
    middle, `G+- = g_mid +- w (g_max - g_min) / (2 w_max)`; else the one that does not carry the
    weight rests at `g_min`.
    """

    balanced: bool = parameter(False, unit="1", doc="both conductances move, around the middle")

    @property
    def siemens_per_weight(self) -> float:
        """Amperes of output a volt of input and a unit of weight, wires aside."""
        return (self.g_max - self.g_min) / self.w_max

    def conductance(self, weights: npt.ArrayLike) -> Array:
        """Conductances of signed weights.

        Args:
            weights: shape (rows, outputs).

        Returns:
            Siemens, shape (rows, 2 outputs).

        Raises:
            DataError: a weight is outside its range.
        """
        w = self._checked(weights)
        span = self.g_max - self.g_min
        if self.balanced:
            middle = 0.5 * (self.g_max + self.g_min)
            pair = np.stack([middle + 0.5 * span * w, middle - 0.5 * span * w], axis=-1)
        else:
            pair = self.g_min + span * np.stack([np.maximum(w, 0), np.maximum(-w, 0)], axis=-1)
        return np.asarray(pair.reshape(w.shape[0], -1))

    def weights(self, conductance: Array) -> Array:
        """The weights that conductances (rows, 2 outputs) stand for, (rows, outputs)."""
        return self.outputs(conductance) / self.siemens_per_weight

    def outputs(self, currents: Array) -> Array:
        """Plus less minus.

        Args:
            currents: of the columns, shape (..., 2 outputs).

        Raises:
            DataError: the number of columns is odd.
        """
        if currents.shape[-1] % 2:
            raise DataError(
                f"pairs of columns need an even number of them, not {currents.shape[-1]}."
            )
        return np.asarray(currents[..., ::2] - currents[..., 1::2])


class ReferenceColumn(_Window):
    """One column a weight, and a last one at the middle conductance that all are compared with.

    `w = 2 w_max (G - g_mid) / (g_max - g_min)`; output k is column k less the last one.
    """

    @property
    def siemens_per_weight(self) -> float:
        """Amperes of output a volt of input and a unit of weight, wires aside."""
        return (self.g_max - self.g_min) / (2 * self.w_max)

    def conductance(self, weights: npt.ArrayLike) -> Array:
        """Conductances of signed weights.

        Args:
            weights: shape (rows, outputs).

        Returns:
            Siemens, shape (rows, outputs + 1), the reference last.

        Raises:
            DataError: a weight is outside its range.
        """
        w = self._checked(weights)
        whole = np.concatenate([w, np.zeros((w.shape[0], 1))], axis=1)
        return 0.5 * ((self.g_max + self.g_min) + (self.g_max - self.g_min) * whole)

    def weights(self, conductance: Array) -> Array:
        """The weights that conductances (rows, outputs + 1) stand for, (rows, outputs)."""
        return self.outputs(conductance) / self.siemens_per_weight

    def outputs(self, currents: Array) -> Array:
        """Each column less the reference.

        Args:
            currents: of the columns, shape (..., outputs + 1).

        Raises:
            DataError: there is no column beside the reference.
        """
        if currents.shape[-1] < 2:
            raise DataError("a reference column needs a column beside it; give two or more.")
        return np.asarray(currents[..., :-1] - currents[..., -1:])
