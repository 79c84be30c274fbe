"""Pictures of crossbars: what is drawn is what was given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure
from matplotlib.image import imread

from spicesnn.errors import DataError
from spicesnn.report.crossbar import (
    CrossbarMap,
    _difference,
    current_map,
    disturb_map,
    draw_map,
    ir_drop_map,
    sneak_map,
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


def test_a_map_is_drawn_with_its_scale(tmp_path: Path) -> None:
    """Sixteen cells have colours of their own, and axes and scale say what they are."""
    figure = Figure(figsize=(4, 3))
    axes = figure.subplots()
    draw_map(axes, maps(0)[0])
    figure.savefig(tmp_path / "map.png")
    assert colours(tmp_path / "map.png") > 16
    assert (axes.get_title(), axes.get_xlabel(), axes.get_ylabel()) == ("IR drop", "column", "row")
    assert figure.axes[1].get_ylabel() == "lost to wires (mV)"


def test_a_marked_cell_has_a_cross_and_no_part_in_the_scale() -> None:
    """A current a thousand times the others' leaves these their colours."""
    amperes = np.full((3, 4), -2e-6)
    amperes[1, 2] = 2e-3
    axes = Figure().subplots()
    draw_map(axes, sneak_map(amperes, (1, 2)))
    image = axes.images[0]
    assert image.norm.vmax == pytest.approx(2, rel=1e-12)
    shown = image.get_array()
    assert shown is not None
    assert np.ma.getmaskarray(np.ma.masked_invalid(shown))[1, 2]
    assert [line.get_xydata().tolist() for line in axes.lines] == [[[2, 1]]]  # type: ignore[union-attr]


def test_a_scale_of_both_signs_is_linear_below_what_cells_have() -> None:
    """A tenth of the cells at most is in its linear part, be they large or small."""
    change = 10 ** np.random.default_rng(1).uniform(-4, -1, (20, 20))
    change[::2] *= -1
    axes = Figure().subplots()
    draw_map(axes, disturb_map(change))
    norm = axes.images[0].norm
    assert isinstance(norm, SymLogNorm)
    assert norm.linthresh <= np.percentile(np.abs(change), 10)
    assert norm.linthresh >= 1e-5


def answers(tmp_path: Path, changes: float) -> npt.NDArray[np.float32]:
    """A picture of two answers, one cell of the last map of the second changed."""
    second = maps(0)
    values = second[2].values.copy()
    values[1, 2] += changes
    path = tmp_path / "answers.png"
    write_side_by_side(
        {"one": maps(0), "two": [*second[:2], disturb_map(values)]}, path, "what was driven"
    )
    return imread(path)


def test_what_differs_is_seen(tmp_path: Path) -> None:
    """Equal answers make equal pictures; a cell of the second one is seen in its row and scale."""
    plain = answers(tmp_path, -0.02)
    np.testing.assert_array_equal(plain, answers(tmp_path, -0.02))
    changed = np.abs(plain - answers(tmp_path, -0.05)).max(axis=2) > 0.02
    rows, columns = np.nonzero(changed)
    height, width = changed.shape
    in_second = (rows > 0.2 * height) & (rows < 0.55 * height)
    assert in_second.any()
    assert rows.min() > 0.2 * height
    assert columns.min() > 0.6 * width


def test_the_difference_is_of_all_cells_by_decades() -> None:
    """The marked one too; with the unit that the maps have."""
    one, two = np.zeros((2, 2)), np.array([[1e-9, -2e-6], [0.0, 3e-3]])
    apart = _difference([sneak_map(one, (1, 1)), sneak_map(two, (1, 1))])
    np.testing.assert_allclose(apart.values, [[1e-3, 2.0], [0.0, 3e3]], rtol=1e-12)
    assert (apart.scale, apart.marked, apart.label) == ("log", None, "difference (µA)")


def test_bad_maps_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.png"
    with pytest.raises(DataError, match="there is no map to draw"):
        write_side_by_side({"one": []}, path)
    with pytest.raises(DataError, match=r"map 'IR drop' has shape \(1, 1\) or values that are not"):
        write_side_by_side({"one": [ir_drop_map(np.full((1, 1), np.nan))]}, path)
    with pytest.raises(DataError, match="must have maps of the same titles and shapes"):
        write_side_by_side({"one": maps(0), "two": maps(0)[:2]}, path)
    with pytest.raises(DataError, match=r"map 'disturb' marks cell \(2, 0\), but has 2 x 3 cells"):
        draw_map(Figure().subplots(), disturb_map(np.zeros((2, 3)), (2, 0)))
    assert not path.exists()
