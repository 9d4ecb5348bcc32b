"""A tree made ready for rows whose fields have certain types: what is computed in which order, and what is an error.

The order of rows' errors is Kapacitor's: types are compared before operands are computed, operands from left to right, and
the right side of AND and OR for those rows alone that need it, which is what the running functions count.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline_processing.expressions.distinct import NOTHING, SCALARS
from pipeline_processing.expressions.functions import PURE
from pipeline_processing.expressions.kinds import Kinds, Mismatch, kind_of, operations, result
from pipeline_processing.expressions.operations import Operation
from pipeline_processing.expressions.rows import Rows, Value
from pipeline_processing.expressions.tree import Call, Chain, Constant, Field, Kind, Node, Unary

Run = Callable[[Rows], Value]
RESULTS = frozenset({"float", "int", "bool", "string", "duration"})
"""What a lambda can come to."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`safe`: no row fails, and nothing remembers that it was computed. `fault`: why every row fails, before all else."""

    run: Run
    safe: bool = True
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """A tree's plan, and the kind of what it comes to."""

    kind: Kind
    plan: Plan


def program(tree: Node, kinds: Kinds) -> Program:
    """Raises Mismatch where no row of these kinds has a value, and none is counted."""
    kind = kind_of(tree, kinds)
    if kind not in RESULTS:
        raise Mismatch(f"the expression is {kind}, which is no value of a field")
    plan = planned(tree, kinds)
    if plan.fault:
        raise Mismatch(plan.fault)
    return Program(kind, plan)


def planned(node: Node, kinds: Kinds) -> Plan:
    """The node's plan, where its kind is known; types that do not go together inside of it are its rows' error."""
    match node:
        case Constant(value=value):
            return Plan(lambda rows: value)
        case Field(name=name):
            return Plan(lambda rows: rows.fields.get(name))
    try:
        return _planned(node, kinds)
    except Mismatch as mismatch:
        return _failing(str(mismatch), kind_of(node, kinds))


def _failing(reason: str, kind: Kind) -> Plan:
    nothing = SCALARS.get(kind, np.int64)(NOTHING.get(kind, 0))

    def run(rows: Rows) -> Value:
        rows.fail(True, reason)
        return nothing

    return Plan(run, safe=False, fault=reason)


def _planned(node: Unary | Chain | Call, kinds: Kinds) -> Plan:
    match node:
        case Unary():
            return _unary(node, kinds)
        case Call():
            return _call(node, kinds)
        case Chain():
            found = operations(node, kinds)
            plans = [planned(node.first, kinds), *(planned(operand, kinds) for _, operand in node.rest)]
            sign = node.rest[0][0]
            return _logical(sign, plans) if sign in {"AND", "OR"} else _chain(found, plans)


def _unary(node: Unary, kinds: Kinds) -> Plan:
    """The minus of a bool is its opposite, as in Kapacitor."""
    kind = kind_of(node.operand, kinds)
    operand = planned(node.operand, kinds)
    if kind == "missing" and node.sign == "-":
        return operand
    if kind == "bool":
        return Plan(lambda rows: ~operand.run(rows), operand.safe)
    if node.sign == "-" and kind in {"float", "int", "duration"}:
        return Plan(lambda rows: -operand.run(rows), operand.safe)
    raise Mismatch(f"{node.sign} of {kind}")


def _call(node: Call, kinds: Kinds) -> Plan:
    given = [kind_of(argument, kinds) for argument in node.arguments]
    result(node.name, given)
    plans = [planned(argument, kinds) for argument in node.arguments]
    function = PURE.get(node.name)
    if function is None:
        key = (node.scope, node.name)
        return Plan(lambda rows: rows.state[key].step(rows, *[plan.run(rows) for plan in plans]), safe=False)
    return Plan(
        lambda rows: function.compute(rows, [plan.run(rows) for plan in plans], given),
        not function.fails and all(plan.safe for plan in plans),
    )


def _chain(found: Sequence[Operation], plans: Sequence[Plan]) -> Plan:
    first, steps = plans[0], list(zip(found, plans[1:], strict=True))

    def run(rows: Rows) -> Value:
        value = first.run(rows)
        for operation, operand in steps:
            value = operation.compute(rows, value, operand.run(rows))
        return value

    return Plan(run, all(plan.safe for plan in plans) and not any(each.fails for each in found))


def _logical(sign: str, plans: Sequence[Plan]) -> Plan:
    """What stands right of AND is looked at where all before it is TRUE, of OR where all is FALSE."""
    combine = operator.and_ if sign == "AND" else operator.or_
    first, rest = plans[0], plans[1:]

    def run(rows: Rows) -> Value:
        value = first.run(rows)
        for operand in rest:
            if operand.safe:
                value = combine(value, operand.run(rows))
                continue
            before = rows.narrowed(value if sign == "AND" else ~value)
            if rows.any():
                value = combine(value, operand.run(rows))
            rows.widened(before)
        return value

    return Plan(run, all(plan.safe for plan in plans))
