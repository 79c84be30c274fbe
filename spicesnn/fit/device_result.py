"""What a fit of a device gives: a preset, its uncertainties, its residuals and its ranges."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spicesnn import __version__
from spicesnn.devices import DEVICES, Device
from spicesnn.errors import ParameterError
from spicesnn.fit.least_squares import Fit
from spicesnn.fit.mos import Value

Array = npt.NDArray[np.float64]
# Beyond this standard uncertainty of a logarithm, or of a number over its own size, data say
# nothing of a parameter: a factor of seven either way (ours).
UNDETERMINED = 2.0


@dataclass(frozen=True)
class Region:
    """How well a part of the data is met.

    Attributes:
        points: number.
        rms: of data less model, in the measure of the fit.
        mean: of the same: what is off always in one direction.
    """

    points: int
    rms: float
    mean: float


@dataclass(frozen=True)
class DeviceFit:
    """A preset fitted to data.

    Attributes:
        device: the preset.
        base: what the fit began from; what is not fitted is its.
        values: fitted quantities; an infinite uncertainty means that the data do not say.
        inner: the fit in its own parameters, of the first device where there are several.
        measure: what `residuals` of regions are counted in.
        regions: data less model, by part of the data.
        valid: ranges of the data: for them the preset holds.
        notes: what to know before it is used.
        source: file.
        digest: hash of the data.
        picture: `x`, `data`, `model`, `residual` and `region` of every point, for a figure, with
            `labels` of x, data and residual.
    """

    device: Device
    base: Device
    values: dict[str, Value]
    inner: Fit
    measure: str
    regions: dict[str, Region]
    valid: dict[str, tuple[float, float]]
    notes: tuple[str, ...]
    source: str
    digest: str
    picture: dict[str, Any]

    @property
    def correlation(self) -> Array:
        """Of the inner fit's parameters, shape (parameters, parameters)."""
        sigma = np.sqrt(np.diag(self.inner.covariance))
        return np.asarray(self.inner.covariance / np.outer(sigma, sigma))

    def summary(self) -> dict[str, Any]:
        """Plain numbers; JSON knows neither NaN nor infinity: null stands for them."""
        return {
            "device": self.base.name,
            "kind": self.base.kind,
            "source": self.source,
            "data": self.digest,
            "values": {
                name: {"value": _finite(v.value), "sigma": _finite(v.sigma), "unit": v.unit}
                for name, v in self.values.items()
            },
            "fitted": list(self.inner.names),
            "correlation": np.round(self.correlation, 4).tolist(),
            "measure": self.measure,
            "regions": {
                name: {"points": r.points, "rms": _finite(r.rms), "mean": _finite(r.mean)}
                for name, r in self.regions.items()
            },
            "valid": {name: list(ends) for name, ends in self.valid.items()},
            "notes": list(self.notes),
        }

    def preset_text(self) -> str:
        """The preset as JSON, which `load_device` reads."""
        text: dict[str, Any] = {
            "kind": self.device.kind,
            "preset": self.device.model_dump(),
            "valid": {name: list(ends) for name, ends in self.valid.items()},
            "fit": {
                "spicesnn": __version__, "data": self.digest,
                "values": self.summary()["values"],
            },
        }  # fmt: skip
        return json.dumps(text, indent=2) + "\n"


def region(residuals: Array) -> Region:
    """Of the residuals of one part of the data."""
    if not residuals.size:
        return Region(0, float("nan"), float("nan"))
    return Region(
        int(residuals.size), float(np.sqrt(np.mean(residuals**2))), float(np.mean(residuals))
    )


def determined(sigma: float, of: float) -> float:
    """The uncertainty, or infinity where it is `UNDETERMINED` times what it is of."""
    return sigma if np.isfinite(sigma) and sigma < UNDETERMINED * of else float("inf")


def check_identifier(name: str) -> None:
    """Refuse a preset's name that files and subcircuits cannot have.

    Raises:
        ParameterError: it is no identifier of ASCII letters.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise ParameterError(
            f"a preset cannot be called {name!r}: files and subcircuits have its name. Begin with "
            "a letter and use letters, digits and underscores only."
        )


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a fitted preset.

    Raises:
        ParameterError: it is no identifier of ASCII letters, or a preset of the package has it.
    """
    check_identifier(name)
    if name.lower() in {each.lower() for each in DEVICES}:
        raise ParameterError(
            f"{name} is a preset of the package: give yours another name, as {name}Fit."
        )


def renamed(
    base: Device, changes: Mapping[str, Any], name: str, source: str, digest: str, claim: str
) -> Device:
    """The base with fitted numbers, its citation and claim told anew."""
    name = name or f"{base.name}Fit"
    check_name(name)
    values = base.model_dump() | dict(changes) | {
        "name": name,
        "citation": f"fit to {Path(source).name or 'data'} (hash {digest}); begun from {base.name}",
        "claim": claim,
    }  # fmt: skip
    return type(base)(**values)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
