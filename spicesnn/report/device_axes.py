"""What pictures of devices share: colours, saving, units."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError, RunFolderError, SimulationError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by colour-blind readers.
BLUE, RED, GREEN, ORANGE, GREY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "0.55"
LINES = (BLUE, RED, GREEN)


@dataclass(frozen=True)
class Drawn:
    """Pictures that were made, and why others were not.

    Attributes:
        paths: by picture: loop, staircase, switching; drift, reads.
        skipped: by picture, why the device has none.
        failed: by picture, why it could not be made.
        numbers: what was drawn with, and what it shows, for JSON.
    """

    paths: dict[str, Path]
    skipped: dict[str, str]
    numbers: dict[str, Any]
    failed: dict[str, str] = field(default_factory=dict)


def draw_all(
    made: Mapping[str, Callable[[], tuple[Figure, dict[str, Any]]]], folder: Path, name: str,
    numbers: dict[str, Any],
) -> Drawn:  # fmt: skip
    """Make pictures by name; what cannot be drawn is told."""
    paths, skipped, failed = {}, {}, {}
    for label, draw in made.items():
        try:
            figure, shown = draw()
        except DataError as error:
            skipped[label] = str(error)
            continue
        except SimulationError as error:
            failed[label] = str(error)
            continue
        paths[label] = folder / f"{name}_{label}.png"
        save(figure, paths[label])
        numbers |= {label: shown}
    return Drawn(paths, skipped, numbers, failed)


def new_figure(width: float, height: float) -> Figure:
    """A figure of so many inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save(figure: Figure, path: Path) -> None:
    """Write a PNG file.

    Raises:
        RunFolderError: it cannot be written.
    """
    for axes in figure.axes:
        axes.tick_params(labelsize=8)
    try:
        figure.savefig(path, dpi=200)
    except OSError as error:
        raise RunFolderError(f"cannot write {path}: {error.strerror}.") from None


def finite(values: npt.ArrayLike, what: str) -> None:
    """Refuse to draw what is not finite.

    Raises:
        SimulationError: a value is infinite or no number.
    """
    if not np.isfinite(values).all():
        raise SimulationError(f"{what} is not finite at these voltages: lower the amplitude.")


def halves(axes: Axes, pulses: int, first: str, second: str) -> None:
    """Name the two halves of a staircase above it."""
    axes.axvline(pulses, color="0.8", lw=0.8, zorder=0)
    for place, text in ((pulses / 2, first), (1.5 * pulses, second)):
        axes.text(place, 1.01, text, transform=axes.get_xaxis_transform(), ha="center",
                  va="bottom", fontsize=8, color="0.3")  # fmt: skip


def prefix(value: float) -> tuple[float, str]:
    """Factor and SI prefix that bring a number between 1 and 1,000."""
    names = {-12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
    if not np.isfinite(value) or value <= 0:
        return 1.0, ""
    power = int(np.clip(3 * np.floor(np.log10(value) / 3 + 1e-9), -12, 9))
    return 10.0**-power, names[power]
