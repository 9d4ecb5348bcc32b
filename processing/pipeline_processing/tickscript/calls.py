"""What a script asks for: nodes in the order of their making, each with its parents, arguments and properties.

Names are Kapacitor's: a node's kind and its number in the pipeline, `stream0`, `from1`. A lambda inside of a lambda was a
variable's; `count()` and its like have one state in it, and another outside of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline_processing.tickscript.syntax import Items, Lambda, Literal, Node, Position


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRef(Node):
    """A node as a value: what `join` is given."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeDimension(Node):
    """`time(every)` or `time(every, offset)`, in a `groupBy` of a query."""

    every_ns: int
    offset_ns: int = 0


Value = Literal | Lambda | Items | NodeRef | TimeDimension


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyCall:
    name: str
    arguments: tuple[Value, ...]
    at: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCall:
    """`@name` is the kind of a UDF."""

    name: str
    kind: str
    arguments: tuple[Value, ...]
    properties: tuple[PropertyCall, ...]
    parents: tuple[str, ...]
    """The node that it was chained to, then those among its arguments."""
    adds: tuple[str, ...]
    """All nodes of the graph that the call makes; the last has the call's name."""
    at: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    calls: tuple[NodeCall, ...]
    dbrps: tuple[tuple[str, str], ...]
    """Databases and retention policies that the script names itself."""
