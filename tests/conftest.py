"""Fixtures on the real engine. With ngspice absent the suite fails, it does not skip."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from spicesnn.circuits.classifier import ClassifierCircuit
from spicesnn.engine.pool import Pool
from spicesnn.errors import ProcessNotFoundError
from spicesnn.learning.datasets import Dataset, iris
from spicesnn.learning.loop import LoopParameters
from spicesnn.processes import PROCESSES, Process, find_process
from spicesnn.systems.iris import IrisJob


@pytest.fixture(scope="session")
def process() -> Process:
    return find_process("generic180")


def _installed(name: str) -> Process:
    try:
        return find_process(name)
    except ProcessNotFoundError:
        pytest.skip(f"{name} is not installed; `spicesnn pdk add {name}` gets it")


@pytest.fixture(scope="session")
def gf180mcu() -> Process:
    return _installed("gf180mcu")


@pytest.fixture(scope="session")
def sky130() -> Process:
    return _installed("sky130")


@pytest.fixture(scope="session", params=PROCESSES)
def any_process(request: pytest.FixtureRequest) -> Process:
    return _installed(request.param)


@pytest.fixture(scope="session")
def circuit() -> ClassifierCircuit:
    return ClassifierCircuit()


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    with Pool(2) as workers:
        yield workers


@pytest.fixture(scope="session")
def small_data() -> Dataset:
    """Five samples of each iris class."""
    data = iris()
    chosen = np.concatenate([np.flatnonzero(data.labels == k)[:5] for k in range(3)])
    return Dataset(data.features[chosen], data.labels[chosen], data.class_names)


@pytest.fixture
def small_job() -> IrisJob:
    return IrisJob(with_plain=False, loop=LoopParameters(epochs=2, batch=3))
