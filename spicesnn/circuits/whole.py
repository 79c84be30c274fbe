"""A network of pieces as one circuit: what the pieces are compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product

from spicesnn.circuits.deck import Deck, Knob, Value
from spicesnn.circuits.network import Edge, Network, Piece
from spicesnn.errors import ParameterError


def whole_deck(network: Network, settings: Mapping[str, Mapping[str, Value]] | None = None) -> Deck:
    """The uncut circuit: every piece as a subcircuit, edges as plain nodes.

    A knob `vevent` of piece `trace3` becomes `vevent_trace3`; a probe `v(v_mem)` of `neuron0`
    becomes `v(xneuron0.v_mem)`, or `v(neuron0_spike)` where an edge begins or a knob ends at it.

    Args:
        network: pieces and edges.
        settings: piece to knobs, the defaults of the whole deck's.

    Raises:
        ParameterError: two pieces differ in their models, analysis or temperature.
    """
    pieces = list(network.pieces.values())
    first = pieces[0].deck
    for piece, name in product(pieces, ("models", "analysis", "temperature")):
        if getattr(piece.deck, name) != getattr(first, name):
            raise ParameterError(f"pieces {pieces[0].name} and {piece.name} differ in {name}.")
    templates = {piece.deck.identity: piece.deck for piece in pieces}
    labels = {identity: f"piece{k}" for k, identity in enumerate(templates)}
    shared: dict[str, str] = {}
    bodies, ports = [], {}
    for identity, deck in templates.items():
        inner, body = _split(deck.netlist)
        if any(shared.get(name, text) != text for name, text in inner.items()):
            inner, body = _renamed(inner, body, labels[identity])
        shared |= inner
        ports[identity] = _ports(network, identity)
        head = f".subckt {labels[identity]} {' '.join(ports[identity])}"
        bodies.append("\n".join([head, *body, ".ends"]))
    driven = {(e.target, e.knob): _joined(network, e) for e in network.edges}
    lines: list[str] = []
    knobs: dict[str, Knob] = {}
    probes: list[str] = []
    initial: dict[str, float] = {}
    for piece in pieces:
        deck, given = piece.deck, (settings or {}).get(piece.name, {})
        nets = {port: f"{piece.name}_{port}" for port in ports[deck.identity]}
        for name, knob in deck.knobs.items():
            edge = driven.get((piece.name, name))
            if edge:
                nets[knob.live_node] = edge
                continue
            if name in piece.neighbours:
                continue
            element = f"{knob.element}_{piece.name}"
            nodes = tuple("0" if n == "0" else nets[n] for n in knob.nodes)
            default = knob.checked(given.get(name, knob.default))
            knobs[element] = Knob(element, (nodes[0], nodes[1]), default, knob.rest)
        called = " ".join(nets[port] for port in ports[deck.identity])
        lines.append(f"x{piece.name} {called} {labels[deck.identity]}")
        probes += _probes(piece, nets)
        for node, level in deck.initial.items():
            initial[nets.get(node, f"x{piece.name}.{node}")] = level
    netlist = "\n".join([*shared.values(), *bodies, *lines])
    return replace(
        first, title=f"whole of {len(pieces)} pieces", netlist=netlist, knobs=knobs,
        probes=tuple(dict.fromkeys(probes)), initial=initial, weak_inversion=(),
        devices=tuple(dict.fromkeys(device for piece in pieces for device in piece.deck.devices)),
    )  # fmt: skip


def whole_probe(network: Network, piece: str, probe: str) -> str:
    """The name that a piece's voltage probe has in the whole deck."""
    node = _node(probe)
    deck = network.pieces[piece].deck
    if node in _ports(network, deck.identity):
        return f"v({_net(network, piece, node)})"
    return f"v(x{piece}.{node})"


def _probes(piece: Piece, nets: Mapping[str, str]) -> Iterator[str]:
    """The piece's probes in the whole circuit, but for currents of what only held a port."""
    for probe in piece.deck.probes:
        node = _node(probe)
        if not probe.startswith("i("):
            yield f"v({nets.get(node, f'x{piece.name}.{node}')})"
        elif node not in piece.neighbours:
            yield f"i(v.x{piece.name}.{node})"


def _node(probe: str) -> str:
    return probe.rstrip(")").partition("(")[2]


def _joined(network: Network, edge: Edge) -> str:
    """The net that an edge joins its target to: of a current, where its source is held."""
    deck, name = network.pieces[edge.source].deck, _node(edge.probe)
    if edge.probe.startswith("i("):
        name = deck.knobs[name].live_node
    return _net(network, edge.source, name)


def _net(network: Network, piece: str, node: str) -> str:
    """The net of a piece's port: another piece's where an edge drives it."""
    for edge in network.into(piece):
        if network.pieces[piece].deck.knobs[edge.knob].live_node == node:
            return _joined(network, edge)
    return f"{piece}_{node}"


def _ports(network: Network, identity: str) -> tuple[str, ...]:
    """Nodes of a template at which a knob or an edge ends, in any piece that uses it."""
    names = [n for n, p in network.pieces.items() if p.deck.identity == identity]
    deck = network.pieces[names[0]].deck
    found = [node for knob in deck.knobs.values() for node in knob.nodes if node != "0"]
    found += [_node(e.probe) for e in network.edges if e.source in names and e.probe[0] == "v"]
    return tuple(dict.fromkeys(found))


def _split(netlist: str) -> tuple[dict[str, str], list[str]]:
    """The subcircuit definitions of a netlist, by name, and its other lines."""
    inner: dict[str, str] = {}
    body: list[str] = []
    current: list[str] | None = None
    for line in netlist.splitlines():
        first = line.split()[0].lower() if line.split() else ""
        if first == ".subckt":
            current = [line]
        elif current is not None:
            current.append(line)
            if first == ".ends":
                inner[current[0].split()[1].lower()] = "\n".join(current)
                current = None
        elif first:
            body.append(line)
    return inner, body


def _renamed(
    inner: dict[str, str], body: list[str], label: str
) -> tuple[dict[str, str], list[str]]:
    """The same, each subcircuit called `<name>_<label>`: another template has its name."""

    def line(text: str) -> str:
        words = text.split()
        if words and words[0].lower() == ".subckt":
            return " ".join([words[0], f"{words[1]}_{label}", *words[2:]])
        if words and words[0][0] in "xX":
            called = [k for k, word in enumerate(words) if word.lower() in inner and k > 0]
            if called:
                words[called[-1]] += f"_{label}"
                return " ".join(words)
        return text

    renamed = {
        f"{name}_{label}": "\n".join(map(line, text.splitlines())) for name, text in inner.items()
    }
    return renamed, [line(text) for text in body]
