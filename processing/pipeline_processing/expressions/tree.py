"""What is computed for each row: constants, fields, operators and functions, whoever wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["float", "int", "bool", "string", "duration", "time", "regex", "missing"]
"""The type of a value; `missing` is that of a field that a row does not have."""


@dataclass(frozen=True, slots=True)
class Constant:
    """`value` is a numpy number, in ns for durations, or a str: a text, or a regular expression's pattern."""

    kind: Kind
    value: Any


@dataclass(frozen=True, slots=True)
class Field:
    """A field, a tag, or `time`, which is the point's own."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    sign: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators of one precedence, from left to right; flat, so that a thousand of them nest no deeper than one."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """`scope` is the number of the lambda that it stands in: one inside of another has a state of its own."""

    name: str
    arguments: tuple[Node, ...]
    scope: int = 0


Node: TypeAlias = Constant | Field | Unary | Chain | Call


def parts(node: Node) -> tuple[Node, ...]:
    match node:
        case Unary(operand=operand):
            return (operand,)
        case Chain(first=first, rest=rest):
            return (first, *(operand for _, operand in rest))
        case Call(arguments=arguments):
            return arguments
    return ()


def walked(node: Node) -> Iterator[Node]:
    """The node and all in it."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(parts(node))
