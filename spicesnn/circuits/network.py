"""A network cut into pieces at its one-way edges.

An edge is a voltage that drives gates only, so the recorded voltage can stand for the piece
before it. What the gates take is charge: what stands for them in that piece is its load.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from spicesnn.circuits.deck import Deck
from spicesnn.errors import ParameterError, UnknownNameError


@dataclass(frozen=True)
class Piece:
    """One part of a network: a template deck shared by all equal pieces.

    Attributes:
        name: unique in the network.
        deck: the template; its knobs are set for each run.
        cached: the answer is kept by content (for pieces that weights do not reach).
        load: SPICE text of what stands for the gates that the piece drives, when it runs alone.
    """

    name: str
    deck: Deck
    cached: bool = False
    load: str = ""

    @cached_property
    def alone(self) -> Deck:
        """The deck with its load: how the piece runs when the network is cut."""
        if not self.load:
            return self.deck
        return replace(self.deck, netlist=f"{self.deck.netlist.strip()}\n{self.load}")


@dataclass(frozen=True)
class Edge:
    """A recorded voltage that drives a knob of another piece.

    Attributes:
        source, probe: piece and its probe.
        target, knob: piece and its source knob.
        floor: volts under which differences do not count (a gate there carries no current).
        threshold: of the spikes it carries, volts; in a feedback loop such an edge has settled
            when its spikes have. None for an edge whose values count.
    """

    source: str
    probe: str
    target: str
    knob: str
    floor: float = -1e9
    threshold: float | None = None


@dataclass(frozen=True)
class Network:
    """Pieces and their one-way edges."""

    pieces: Mapping[str, Piece]
    edges: tuple[Edge, ...]

    def __post_init__(self) -> None:
        """Check that every edge joins a probe to a knob.

        Raises:
            UnknownNameError: an edge names a piece, probe or knob that is not there.
        """
        for edge in self.edges:
            for name in (edge.source, edge.target):
                if name not in self.pieces:
                    raise UnknownNameError("piece", name, self.pieces)
            source, target = self.pieces[edge.source].deck, self.pieces[edge.target].deck
            if edge.probe not in source.probes:
                raise UnknownNameError(f"probe of piece {edge.source}", edge.probe, source.probes)
            if edge.knob not in target.knobs:
                raise UnknownNameError(f"knob of piece {edge.target}", edge.knob, target.knobs)

    def into(self, piece: str) -> tuple[Edge, ...]:
        """The edges that drive a piece."""
        return tuple(edge for edge in self.edges if edge.target == piece)

    def stages(self) -> tuple[tuple[str, ...], ...]:
        """Pieces in the order of the edges; those of one stage may run side by side.

        Raises:
            ParameterError: the edges form a loop.
        """
        done: list[tuple[str, ...]] = []
        placed: set[str] = set()
        while len(placed) < len(self.pieces):
            stage = tuple(
                name
                for name in self.pieces
                if name not in placed and all(e.source in placed for e in self.into(name))
            )
            if not stage:
                left = ", ".join(sorted(set(self.pieces) - placed))
                raise ParameterError(
                    f"the one-way edges form a loop through: {left}; run it by "
                    "`spicesnn.engine.relaxation.relax`, or keep these pieces in one."
                )
            done.append(stage)
            placed.update(stage)
        return tuple(done)
