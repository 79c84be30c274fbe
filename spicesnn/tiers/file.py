"""Tier files: a fitted tier with its uncertainty, range, errors and what it was fitted to."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spicesnn.errors import ParameterError, TierFileError
from spicesnn.parameters import Parameters, parameter
from spicesnn.tiers.ranges import Range

Array = npt.NDArray[np.float64]

FORMAT, VERSION = "spicesnn tier", 1


class Fitted(Parameters):
    """A number with its standard uncertainty."""

    value: float = parameter(unit="of the quantity", doc="fitted")
    sigma: float = parameter(unit="of the quantity", doc="standard uncertainty", ge=0)
    unit: str = parameter(unit="1", doc="SI unit")


class Spread(Parameters):
    """The joint distribution of a tier's parameters over mismatched circuits.

    A parameter p of a draw is `nominal exp(d)`, or `nominal + d` where it is in `additive`; d is
    normal with this mean and covariance.
    """

    names: tuple[str, ...]
    additive: tuple[str, ...] = ()
    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    draws: int = parameter(unit="1", doc="circuits it was fitted to", ge=2)
    seed: int = parameter(unit="1", doc="of those circuits", ge=0)
    data: str = parameter(unit="1", doc="hash of what was fitted")


class TierFile(Parameters):
    """All that is known of a fitted tier; `read_tier_file` checks one against its circuit."""

    format: str = FORMAT
    version: int = VERSION
    cell: str = parameter(unit="1", doc="name of the recipe")
    settings: Mapping[str, Any] = parameter(unit="1", doc="of the recipe: cell, biases, stimuli")
    process: str
    corner: str
    celsius: float = parameter(unit="deg C", doc="temperature of the circuit")
    supply: float = parameter(unit="V", doc="of the circuit", gt=0)
    dt: float = parameter(unit="s", doc="step at which the errors were measured", gt=0)
    tau: float = parameter(unit="s", doc="time constant that timing is put in relation to", gt=0)
    parameters: Mapping[str, Fitted]
    correlation: tuple[tuple[float, ...], ...] = parameter(
        unit="1", doc="of the parameters' uncertainties, in their order"
    )
    ranges: Mapping[str, Range]
    energy: Mapping[str, Fitted] = parameter({}, unit="J per the feature's unit", doc="by feature")
    errors: Mapping[str, float] = parameter(unit="1", doc="on held-out stimuli, relative")
    details: Mapping[str, float] = parameter(unit="SI", doc="how the errors were measured")
    spread: Spread | None = None
    data: str = parameter(unit="1", doc="hash of the waveforms that were fitted")
    deck: str = parameter(unit="1", doc="hash of the circuit's deck")
    library: str = parameter(unit="1", doc="hash of the process's models")
    seed: int = parameter(unit="1", doc="of the stimuli", ge=0)
    made_by: str = parameter(unit="1", doc="versions of the tool and of ngspice")

    @property
    def name(self) -> str:
        """`lif_neuron (generic180 typical)`."""
        return f"{self.cell} ({self.process} {self.corner})"

    def values(self) -> dict[str, float]:
        """The parameters' values by name."""
        return {name: each.value for name, each in self.parameters.items()}

    def energy_of(self, features: Array) -> float:
        """Joules of a run with these features, shape (features,), in the file's order."""
        return float(np.dot([each.value for each in self.energy.values()], features))

    def write(self, path: Path) -> None:
        """Write it as JSON; a reader never sees half a file.

        Raises:
            TierFileError: the folder cannot be written.
        """
        text = json.dumps(self.model_dump(mode="json"), indent=1) + "\n"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
                file.write(text)
            Path(file.name).chmod(0o644)
            Path(file.name).replace(path)
        except OSError as error:
            raise TierFileError(f"{path} cannot be written: {error.strerror}.") from error


def read_tier_file(path: Path) -> TierFile:
    """Read a tier file, whatever circuit it is of.

    Raises:
        TierFileError: it is missing, damaged, or of another version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TierFileError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise TierFileError(
            f"{path} is no JSON ({error}): it may be half a file; fit the cell again by "
            "`spicesnn fit CELL`."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise TierFileError(
            f"{path} is no tier file: its format is not {FORMAT!r}. `spicesnn fit CELL` writes one."
        )
    if content.get("version") != VERSION:
        raise TierFileError(
            f"{path} is of version {content.get('version')!r}, this tool reads version {VERSION}: "
            f"fit it again by `spicesnn fit {content.get('cell', 'CELL')}`."
        )
    try:
        file = TierFile(**content)
    except (ParameterError, TypeError) as error:
        raise TierFileError(f"{path} is damaged: {error}") from error
    size = len(file.parameters)
    if np.shape(file.correlation) != (size, size):
        raise TierFileError(f"{path} is damaged: its correlation is not {size} x {size}.")
    return file
