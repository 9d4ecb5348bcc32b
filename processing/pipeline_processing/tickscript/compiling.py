"""A script's calls made into a graph of operators.

In:      a script's text, and values of its variables from outside.
Out:     the graph, and the databases that the script names itself.
Refuses: all that parsing and evaluation refuse; arguments and properties that an operator does not take; operators that do
         not fit the edge before them. Each refusal (TickError) names line and character.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from pipeline_processing.alerts.deadman import USUAL, Deadman
from pipeline_processing.alerts.event import NOWHERE, Place
from pipeline_processing.graph.graph import Graph, GraphError, Node
from pipeline_processing.tickscript.building import nodes_of
from pipeline_processing.tickscript.errors import BadNode
from pipeline_processing.tickscript.evaluate import evaluate
from pipeline_processing.tickscript.given import given_values
from pipeline_processing.tickscript.parser import parse
from pipeline_processing.tickscript.syntax import Position
from pipeline_processing.tickscript.words import vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    graph: Graph
    dbrps: tuple[tuple[str, str], ...]


def compiled(
    text: str,
    *,
    place: Place = NOWHERE,
    variables: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    deadman: Deadman = USUAL,
) -> Compiled:
    """The task at `place` that `text` describes; raises TickError."""
    program = parse(text)
    if not program.statements:
        raise BadNode("must provide TICKscript", at=Position())
    given = given_values(variables)
    script = evaluate(program, vocabulary(), given)
    if not script.calls:
        raise BadNode("the script makes no node; begin a chain with `stream`", at=Position())
    if deadman.statement and script.calls[0].kind == "stream":
        watch = parse(deadman.statement).statements
        script = evaluate(replace(program, statements=(*program.statements, *watch)), vocabulary(), given)
    made: dict[str, Position] = {}
    nodes: list[Node] = []
    for call in script.calls:
        of_call = nodes_of(call, place=place, deadman=deadman)
        nodes.extend(of_call)
        made |= {node.name: call.at for node in of_call}
    try:
        return Compiled(graph=Graph(nodes=tuple(nodes)), dbrps=script.dbrps)
    except GraphError as error:
        raise BadNode(f"{error.node}: {error.reason}", at=made[error.node]) from error
