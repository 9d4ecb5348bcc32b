"""Operators and the edges between them, whoever wrote them.

In:      nodes in the order of their making, each after its parents.
Out:     a graph whose edges fit, drawn as DOT.
Refuses: an operator that does not take the kind of edge before it, parents that are not there, two nodes of a name
         (GraphError, which names the node).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipeline_processing.operators.operator import Edge, Operator


class GraphError(ValueError):
    """What is wrong with a node; `place` is where the script asks for it, if a script does."""

    def __init__(self, reason: str, *, node: str, place: str = "") -> None:
        super().__init__(f"{place}: {node}: {reason}" if place else f"{node}: {reason}")
        self.reason, self.node = reason, node


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node without parents takes the task's points."""

    name: str
    operator: Operator
    parents: tuple[str, ...] = ()
    place: str = ""
    """Where its script asks for it, such as `line 3 char 6`."""
    quiet: bool = False
    """Its errors are counted and not written into the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    nodes: tuple[Node, ...]
    edges: Mapping[str, Edge] = field(init=False)
    """The kind of edge that follows each node, by its name."""

    def __post_init__(self) -> None:
        edges: dict[str, Edge] = {}
        for node in self.nodes:
            if node.name in edges:
                raise GraphError("two nodes have this name", node=node.name, place=node.place)
            edges[node.name] = self._edge_after(node, edges)
        object.__setattr__(self, "edges", edges)

    @staticmethod
    def _edge_after(node: Node, edges: Mapping[str, Edge]) -> Edge:
        missing = [each for each in node.parents if each not in edges]
        if missing:
            raise GraphError(f"no node {missing[0]} is before it", node=node.name, place=node.place)
        kinds = {edges[each] for each in node.parents} or {"stream"}
        wrong = sorted(kinds - node.operator.TAKES)
        if wrong:
            wanted = " or ".join(sorted(node.operator.TAKES))
            raise GraphError(
                f"{node.operator.KIND} follows a {wanted} edge, not a {wrong[0]} edge", node=node.name, place=node.place
            )
        if len(kinds) > 1:
            raise GraphError("its parents are a stream and a batch edge", node=node.name, place=node.place)
        return node.operator.GIVES or kinds.pop()

    def connections(self) -> Iterator[tuple[str, str]]:
        """Parent and child of each edge, in the order of the children."""
        for node in self.nodes:
            for parent in node.parents:
                yield parent, node.name

    def node(self, name: str) -> Node:
        return next(each for each in self.nodes if each.name == name)
