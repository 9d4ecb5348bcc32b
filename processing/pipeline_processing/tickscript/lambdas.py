"""Lambdas of a script as expressions, and functions outside of lambdas.

In:      a lambda in which variables have given way to what they hold.
Out:     an Expression.
Refuses: functions that there are not, and wrong numbers of arguments; operators on types that do not go together whatever a
         point's fields are.
A function on wrong types is no reason to refuse: as in Kapacitor it is an error of each point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count

import numpy as np

from pipeline_processing.expressions import Expression as Computed
from pipeline_processing.expressions.compiled import Compiled
from pipeline_processing.expressions.functions import PURE, argument_counts
from pipeline_processing.expressions.functions import SIGNATURES as KNOWN
from pipeline_processing.expressions.kinds import Mismatch, operation, settled
from pipeline_processing.expressions.times import TIMES
from pipeline_processing.expressions.tree import Call as Function
from pipeline_processing.expressions.tree import Chain, Constant, Field, Kind, Node
from pipeline_processing.expressions.tree import Unary as Signed
from pipeline_processing.points.frame import Frame
from pipeline_processing.points.keys import Keys
from pipeline_processing.tickscript.errors import NotALambdasValue, UndefinedFunction, WrongOperands
from pipeline_processing.tickscript.folding import type_name
from pipeline_processing.tickscript.syntax import (
    Boolean,
    Call,
    Duration,
    Expression,
    Float,
    Identifier,
    Integer,
    Lambda,
    Literal,
    Operation,
    Position,
    Reference,
    Regex,
    String,
    Unary,
)

Kinded = tuple[Node, Kind | None]
"""A part, and its type where that does not depend on fields."""


def compiled(lambda_: Lambda) -> Computed:
    return Compiled(_Translation().part(lambda_)[0])


class _Translation:
    def __init__(self) -> None:
        self._scopes = count()
        self._scope = -1

    def part(self, node: Expression) -> Kinded:
        match node:
            case Lambda(body=body):
                return self._lambda(body)
            case Operation():
                return self._operation(node)
            case Unary(operator=sign, operand=operand):
                inner, kind = self.part(operand)
                made = Signed(sign, inner)
                return made, settled(made, lambda _: kind)
            case Call():
                return self._call(node), None
            case Reference(name=name):
                return Field(name), None
        made = constant(node)
        return made, made.kind

    def _lambda(self, body: Expression) -> Kinded:
        before, self._scope = self._scope, next(self._scopes)
        found = self.part(body)
        self._scope = before
        return found

    def _operation(self, node: Operation) -> Kinded:
        first, kind = self.part(node.first)
        rest: list[tuple[str, Node]] = []
        for term in node.rest:
            operand, right = self.part(term.operand)
            rest.append((term.operator, operand))
            kind = _together(term.operator, kind, right, term.at)
        return Chain(first, tuple(rest)), kind

    def _call(self, node: Call) -> Node:
        if node.name not in KNOWN:
            raise UndefinedFunction(node.name, at=node.at, known=KNOWN)
        allowed = argument_counts(node.name)
        if len(node.arguments) not in allowed:
            wanted = " or ".join(map(str, allowed))
            raise WrongOperands(f"{node.name} takes {wanted} arguments, got {len(node.arguments)}", at=node.at)
        return Function(node.name, tuple(self.part(each)[0] for each in node.arguments), self._scope)


def _together(sign: str, left: Kind | None, right: Kind | None, at: Position) -> Kind | None:
    """The type of an operator's result, if it is certain."""
    if left is None or right is None:
        return settled(Chain(Field(""), ((sign, Field("")),)), lambda _: None)
    try:
        return operation(sign, left, right).kind
    except Mismatch as mismatch:
        raise WrongOperands(str(mismatch), at=at) from mismatch


def constant(node: Expression) -> Constant:
    match node:
        case Integer(value=value):
            return Constant("int", np.int64(value))
        case Float(value=value):
            return Constant("float", np.float64(value))
        case Boolean(value=value):
            return Constant("bool", np.bool_(value))
        case Duration(value_ns=value):
            return Constant("duration", np.int64(value))
        case String(value=value):
            return Constant("string", value)
        case Regex(pattern=pattern):
            return Constant("regex", pattern)
    name = node.name if isinstance(node, Identifier) else type_name(node)
    raise NotALambdasValue(name, at=node.at, held=type_name(node))


LITERALS = {"int": Integer, "float": Float, "bool": Boolean, "string": String}


def outside(name: str) -> Callable[[Sequence[Literal]], Literal]:
    """The function as a script calls it where there are no points; what is wrong is a ValueError."""

    def computed(given: Sequence[Literal]) -> Literal:
        if len(given) not in argument_counts(name):
            raise ValueError(f"takes {' or '.join(map(str, argument_counts(name)))} arguments, got {len(given)}")
        expression = Compiled(Function(name, tuple(constant(each) for each in given)))
        evaluated = expression.evaluate(one_row(), {}, 0, Keys())
        for reason in evaluated.errors:
            raise ValueError(reason)
        ((kind, column),) = evaluated.columns.items()
        value = column.values[0]
        if kind == "duration":
            return Duration(value_ns=int(value))
        return LITERALS[kind](value=value if kind == "string" else value.item())

    return computed


def one_row() -> Frame:
    zero = np.zeros(1, dtype=np.int32)
    return Frame(
        time_ns=np.zeros(1, dtype=np.int64), series=zero, group=zero, cause=np.zeros(1, dtype=np.int64), fields={}
    )


FUNCTIONS: Mapping[str, Callable[[Sequence[Literal]], Literal]] = {
    name: outside(name) for name in PURE if name not in TIMES and name != "isPresent"
}
"""Those that need no point: what a Vocabulary's `functions` are."""
