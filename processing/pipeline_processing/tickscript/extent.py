"""How large an expression is once the variables in it have given way to what they hold.

Lambdas that use a lambda twice, each twice used by the next, double at every step: forty lines can say 2^40 terms. Parts
that were measured are not measured again, so that saying how large it would be costs what the script has of text.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline_processing.tickscript.errors import NestedTooDeep, TooLarge
from pipeline_processing.tickscript.parser import NESTING_MAX
from pipeline_processing.tickscript.syntax import Call, Expression, Lambda, Operation, Position, Unary

NODES_MAX = 100_000
"""Names, literals, operators and functions of one lambda: a list of 25,000 hosts in `OR`s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    levels: int
    nodes: int


@dataclass(frozen=True, slots=True)
class Extents:
    """What was measured, by identity; the expression is kept so that its identity is."""

    _measured: dict[int, tuple[Expression, Extent]] = field(default_factory=dict)

    def check(self, body: Expression, at: Position) -> None:
        extent = self._of(body)
        if extent.levels > NESTING_MAX:
            raise NestedTooDeep(at=at, levels_max=NESTING_MAX)
        if extent.nodes > NODES_MAX:
            raise TooLarge(f"a lambda of {extent.nodes:,} terms, allowed are {NODES_MAX:,}", at=at)

    def _of(self, node: Expression) -> Extent:
        if id(node) not in self._measured:
            self._measured[id(node)] = (node, self._measure(node))
        return self._measured[id(node)][1]

    def _measure(self, node: Expression) -> Extent:
        match node:
            case Operation():
                parts = [node.first, *(term.operand for term in node.rest)]
            case Call():
                parts = node.arguments
            case Unary(operand=part) | Lambda(body=part):
                parts = [part]
            case _:
                parts = []
        extents = [self._of(part) for part in parts]
        return Extent(
            levels=1 + max((each.levels for each in extents), default=0),
            nodes=max(1, len(parts)) + sum(each.nodes for each in extents),
        )
