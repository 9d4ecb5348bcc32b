"""The types of values in a tree, from those of the fields, as Kapacitor finds them before it computes.

A condition is a bool, whatever stands in it; what is wrong inside shows when it is computed. So `"i" > 0 OR "nope" > 1` is
TRUE where i is positive, and `"i" > 0 OR "nope"` is an error of every row that lacks nope.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pipeline_processing.expressions.functions import SIGNATURES
from pipeline_processing.expressions.operations import CONDITIONS, OPERATIONS, Operation
from pipeline_processing.expressions.tree import Call, Chain, Constant, Field, Kind, Node, Unary

Kinds = Mapping[str, Kind]
"""Those of the fields of some rows, by name."""
NULL = "null"
"""The kind of a field whose value is null: to read it is an error."""


class Mismatch(ValueError):
    """Types that do not go together; an error of all rows that have them."""


def kind_of(node: Node, kinds: Kinds) -> Kind:
    match node:
        case Constant(kind=kind):
            found = kind
        case Field(name=name):
            found = kinds[name]
        case Unary(operand=operand):
            found = "bool" if node.sign == "!" else kind_of(operand, kinds)
        case Call(name=name, arguments=arguments):
            found = result(name, [kind_of(argument, kinds) for argument in arguments])
        case Chain():
            found = "bool" if node.rest[0][0] in CONDITIONS else operations(node, kinds)[-1].kind
    if found == NULL:
        raise Mismatch(f'"{node.name}" is null')
    return found


def operations(node: Chain, kinds: Kinds) -> list[Operation]:
    """What each operator of the chain is, for these kinds."""
    found = []
    kind = kind_of(node.first, kinds)
    for sign, operand in node.rest:
        found.append(operation(sign, kind, kind_of(operand, kinds)))
        kind = found[-1].kind
    return found


def operation(sign: str, left: Kind, right: Kind) -> Operation:
    found = OPERATIONS.get((sign, left, right))
    if found is None:
        raise Mismatch(f"mismatched type to binary operator. got {left} {sign} {right}")
    return found


def result(name: str, kinds: Sequence[Kind]) -> Kind:
    found = SIGNATURES[name].get(tuple(kinds))
    if found is None:
        taken = ", ".join(f"{name}({', '.join(each)})" for each in SIGNATURES[name])
        raise Mismatch(f"{name}({', '.join(kinds)}) is none of {taken}")
    return found


def settled(node: Node, inner: Callable[[Node], Kind | None]) -> Kind | None:
    """The type that the node has whatever the fields' are; None if it depends on them. `inner` has that of its parts."""
    match node:
        case Constant(kind=kind):
            return kind
        case Unary(sign="!"):
            return "bool"
        case Unary(operand=operand):
            return inner(operand)
        case Chain(rest=((sign, _), *_)) if sign in CONDITIONS:
            return "bool"
    return None
