"""A network cut into pieces at its one-way edges.

An edge is a voltage that drives gates only, so the recorded voltage can stand for the piece
before it. What the gates take is charge: what stands for them in that piece is its load.

A passive array is a piece of its own, answered exactly by its port admittances: voltages of its
rows come in, currents of its columns go out. What its ports take is a resistance, different for
every port and every set of weights: a knob of the piece there stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from spicesnn.arrays.crossbar import Crossbar
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
        neighbours: knobs that stand for other pieces when it runs alone; the whole circuit has
            those pieces instead.
        array: of a passive array its description, which answers for it: its deck, with the knobs
            `vleft0`... and `vbottom0`..., is its part of the whole circuit. Its cells are set as
            `r0_0`, in ohms.
    """

    name: str
    deck: Deck
    cached: bool = False
    load: str = ""
    neighbours: frozenset[str] = frozenset()
    array: Crossbar | None = None

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
        port: of an edge into or out of an array, the knob of the piece at its other end, a
            resistor, that stands for the array there.
    """

    source: str
    probe: str
    target: str
    knob: str
    floor: float = -1e9
    threshold: float | None = None
    port: str = ""


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
            if edge.port:
                other = edge.target if self.pieces[edge.source].array else edge.source
                if edge.port not in self.pieces[other].neighbours:
                    known = self.pieces[other].neighbours
                    raise UnknownNameError(f"neighbour of piece {other}", edge.port, known)

    def into(self, piece: str) -> tuple[Edge, ...]:
        """The edges that drive a piece."""
        return tuple(edge for edge in self.edges if edge.target == piece)

    def out_of(self, piece: str) -> tuple[Edge, ...]:
        """The edges that a piece drives."""
        return tuple(edge for edge in self.edges if edge.source == piece)

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
