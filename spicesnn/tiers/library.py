"""The recipes of all cells that have a tier, by name."""

from __future__ import annotations

from pathlib import Path

from spicesnn.assets import asset
from spicesnn.errors import SpicesnnError, TierFileError, UnknownNameError
from spicesnn.processes import Process
from spicesnn.tiers.recipe import Recipe
from spicesnn.tiers.recipes.adaptive_neuron import AdaptiveNeuronRecipe
from spicesnn.tiers.recipes.bump import BumpRecipe
from spicesnn.tiers.recipes.column import ColumnRecipe
from spicesnn.tiers.recipes.dpi_neuron import DpiNeuronRecipe
from spicesnn.tiers.recipes.dpi_synapse import DpiSynapseRecipe
from spicesnn.tiers.recipes.dpi_trace import DpiTraceRecipe
from spicesnn.tiers.recipes.lif_neuron import LifNeuronRecipe
from spicesnn.tiers.recipes.trace_comparator import TraceComparatorRecipe

_ALL: tuple[Recipe, ...] = (
    DpiSynapseRecipe(), DpiTraceRecipe(), ColumnRecipe(), LifNeuronRecipe(), DpiNeuronRecipe(),
    AdaptiveNeuronRecipe(), BumpRecipe(), TraceComparatorRecipe(),
)  # fmt: skip

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _ALL}


def find_recipe(name: str) -> Recipe:
    """The recipe of a cell, with its default parameters.

    Raises:
        UnknownNameError: there is none; the nearest names are offered.
    """
    if name not in RECIPES:
        raise UnknownNameError("cell with a tier", name, RECIPES)
    return RECIPES[name]


def tier_path(name: str, process: Process) -> Path:
    """The tier file that ships for a cell, a process and a corner.

    Raises:
        UnknownNameError: no cell of this name has a tier.
        TierFileError: none ships for this process and corner.
    """
    recipe = find_recipe(name)
    try:
        return asset("models", "tiers", f"{process.name}-{process.corner}", f"{recipe.name}.json")
    except SpicesnnError:
        raise TierFileError(
            f"no tier of {name} ships for {process.name} {process.corner}: fit one by `spicesnn "
            f"fit {name} --process {process.name} --corner {process.corner}` and give its file."
        ) from None
