"""The recipes of all cells that have a tier, by name."""

from __future__ import annotations

from spicesnn.errors import UnknownNameError
from spicesnn.tiers.recipe import Recipe

RECIPES: dict[str, Recipe] = {}


def find_recipe(name: str) -> Recipe:
    """The recipe of a cell, with its default parameters.

    Raises:
        UnknownNameError: there is none; the nearest names are offered.
    """
    if name not in RECIPES:
        raise UnknownNameError("cell with a tier", name, RECIPES)
    return RECIPES[name]
