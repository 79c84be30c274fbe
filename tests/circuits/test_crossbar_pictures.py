"""Pictures of crossbars: what is drawn is what was given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.image import imread

from spicesnn.errors import DataError
from spicesnn.report.crossbar import (
    CrossbarMap,
    current_map,
    disturb_map,
    ir_drop_map,
    write_maps,
    write_side_by_side,
)


def maps(seed: int) -> list[CrossbarMap]:
    rng = np.random.default_rng(seed)
    return [
        ir_drop_map(rng.uniform(0, 0.05, (4, 4))),
        current_map(rng.normal(0, 1e-5, (4, 4))),
        disturb_map(rng.normal(0, 0.1, (4, 4))),
    ]


def test_units_of_the_maps() -> None:
    assert ir_drop_map(np.full((1, 1), 0.02)).values[0, 0] == pytest.approx(20, rel=1e-12)
    assert current_map(np.full((1, 1), -3e-6)).values[0, 0] == pytest.approx(3, rel=1e-12)


def colours(path: Path) -> int:
    """How many different colours a picture has."""
    picture = imread(path)[..., :3]
    return int(np.unique((picture.reshape(-1, 3) * 255).astype(int), axis=0).shape[0])


def test_maps_are_drawn(tmp_path: Path) -> None:
    """Sixteen cells of three maps have colours of their own."""
    write_maps(maps(0), tmp_path / "maps.png")
    assert colours(tmp_path / "maps.png") > 48


def test_what_differs_is_seen(tmp_path: Path) -> None:
    """Equal answers make equal pictures; one other cell makes another one."""

    def drawn(changes: float) -> npt.NDArray[np.float32]:
        second = maps(0)
        values = second[2].values.copy()
        values[1, 2] += changes
        path = tmp_path / "answers.png"
        write_side_by_side({"one": maps(0), "two": [*second[:2], disturb_map(values)]}, path)
        return imread(path)

    plain = drawn(0.0)
    np.testing.assert_array_equal(plain, drawn(0.0))
    changed = np.abs(plain - drawn(-0.05)).max(axis=2) > 0.02
    # In the lower half of the picture's right third.
    rows, columns = np.nonzero(changed)
    assert rows.size
    assert rows.min() > 0.3 * plain.shape[0]
    assert columns.min() > 0.6 * plain.shape[1]


def test_bad_maps_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.png"
    with pytest.raises(DataError, match="there is no map to draw"):
        write_maps([], path)
    with pytest.raises(DataError, match=r"map 'IR drop' has shape \(1, 1\) or values that are not"):
        write_maps([ir_drop_map(np.full((1, 1), np.nan))], path)
    with pytest.raises(DataError, match="must have maps of the same titles and shapes"):
        write_side_by_side({"one": maps(0), "two": maps(0)[:2]}, path)
    assert not path.exists()
