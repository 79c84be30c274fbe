"""Data sets and their splits."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from spicesnn.errors import DataError

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Dataset:
    """Features, shape (samples, features), and class labels 0..classes-1, shape (samples,)."""

    features: Array
    labels: Labels
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check the data.

        Raises:
            DataError: shapes that do not match, or values that are not finite.
        """
        if self.features.ndim != 2 or self.labels.shape != self.features.shape[:1]:
            raise DataError(
                f"features of shape {self.features.shape} and labels of shape "
                f"{self.labels.shape} do not match: give (samples, features) and (samples,)."
            )
        bad = np.argwhere(~np.isfinite(self.features))
        if bad.size:
            row, column = bad[0]
            raise DataError(
                f"feature {column} of sample {row} is {self.features[row, column]}; remove or "
                f"fill in the {len(bad)} values that are not finite."
            )

    @property
    def identity(self) -> str:
        """Hash of features and labels."""
        parts = (np.ascontiguousarray(self.features), np.ascontiguousarray(self.labels))
        return sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]


def iris() -> Dataset:
    """Fisher's iris data as scikit-learn carries it: 150 samples, 4 features, 3 classes."""
    from sklearn.datasets import load_iris

    data = load_iris()
    return Dataset(
        np.asarray(data.data, dtype=np.float64),
        np.asarray(data.target, dtype=np.int64),
        tuple(str(name) for name in data.target_names),
    )


def stratified_split(labels: Labels, held_out: float, seed: int) -> tuple[Labels, Labels]:
    """Indices for training and for testing, with equal class shares, sorted.

    Raises:
        DataError: a class has too few members for this held-out share.
    """
    from sklearn.model_selection import train_test_split

    try:
        train, test = train_test_split(
            np.arange(labels.size), test_size=held_out, random_state=seed, stratify=labels
        )
    except ValueError as error:
        raise DataError(f"cannot hold out {held_out:g} of {labels.size} samples: {error}") from None
    return np.sort(train), np.sort(test)
