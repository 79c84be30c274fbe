"""What a software classifier makes of the same spikes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spicesnn.learning.encoders import SpikeTrains
from spicesnn.learning.loop import Task


def spike_counts(samples: Sequence[SpikeTrains]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Input spikes of each row, shape (samples, rows)."""
    return np.array([[len(train) for train in sample] for sample in samples], dtype=np.int64)


def logistic_regression_accuracy(task: Task) -> float:
    """Held-out accuracy of scikit-learn's logistic regression on the input spike counts."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=10_000)
    model.fit(spike_counts(task.train), task.train_labels)
    return float(model.score(spike_counts(task.test), task.test_labels))
