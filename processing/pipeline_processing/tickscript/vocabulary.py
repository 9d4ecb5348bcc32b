"""What a script may name: the nodes and their properties, as the table of operators has them.

Names only: what a node does with its arguments, and which it wants, is the compiler's to know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline_processing.tickscript.syntax import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of node."""

    properties: frozenset[str] = frozenset()
    """What may follow `.`"""
    followers: frozenset[str] = frozenset()
    """The kinds that may follow `|`"""
    nodes: tuple[str, ...] = ()
    """The names of the nodes that one call adds to the graph, in their order, where it is not one node of the kind's name:
    `httpOut` adds an `http_out`, `deadman` a `stats`, a `derivative` and an `alert`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    kinds: Mapping[str, Kind]
    sources: tuple[str, ...]
    """Those of the kinds with which a chain begins."""
    udfs: Mapping[str, Kind] = field(default_factory=dict)
    """What may follow `@`"""
    functions: Mapping[str, Callable[[Sequence[Literal]], Literal]] = field(default_factory=dict)
    """Those that are computed outside of lambdas, as `string` in `'host ' + string(n)`. A refusal is a ValueError."""
