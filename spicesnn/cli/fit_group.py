"""The command `fit`: `fit device NAME`, and `fit CELL` for everything else."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup


class _FitGroup(TyperGroup):
    """`fit lif_neuron` is short for `fit cell lif_neuron`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first word names; a word that names none is a cell."""
        if args and args[0] not in self.commands:
            args = ["cell", *args]
        return super().resolve_command(ctx, args)


fit_app = typer.Typer(
    cls=_FitGroup,
    no_args_is_help=True,
    help="Numbers from measurements, and tiers from circuits: `fit CELL`, `fit device NAME`.",
)


@fit_app.callback()
def _fit() -> None:
    """Numbers from measurements, and tiers from circuits: `fit CELL`, `fit device NAME`."""
