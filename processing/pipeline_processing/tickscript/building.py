"""One call's nodes: its arguments and properties read into an operator's fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline_processing.graph.graph import Node
from pipeline_processing.operators import OPERATORS
from pipeline_processing.operators.alert import Alert
from pipeline_processing.operators.deadman import deadman
from pipeline_processing.operators.operator import Operator
from pipeline_processing.operators.options import STAR, Duration, NodeName, Option, options_of
from pipeline_processing.tickscript import syntax
from pipeline_processing.tickscript.calls import NodeCall, NodeRef, PropertyCall, Value
from pipeline_processing.tickscript.errors import BadNode
from pipeline_processing.tickscript.lambdas import compiled as compiled_lambda


def nodes_of(call: NodeCall, *, task: str) -> list[Node]:
    """The nodes that the call adds to the graph, in their order; raises BadNode."""
    if call.kind == "deadman":
        return _deadman(call, task=task)
    operator = _alert(call, task=task) if call.kind == "alert" else _built(OPERATORS[call.kind], call)
    return [Node(name=call.name, operator=operator, parents=call.parents, place=str(call.at))]


def _built(kind: type[Operator], call: NodeCall) -> Operator:
    options = options_of(kind)
    fields: dict[str, Any] = {}
    if "" in options:
        name, option = options[""]
        fields[name] = _read(option, call.kind, call.arguments, call.at)
    elif call.arguments:
        raise BadNode(f"{call.kind} takes no arguments, got {len(call.arguments)}", at=call.at)
    for each in call.properties:
        name, option = options[each.name]
        value = _read(option, each.name, each.arguments, each.at)
        fields[name] = (*fields.get(name, ()), value) if option.gathers else value
    try:
        return kind(**fields)
    except ValueError as error:
        raise BadNode(f"{call.kind}: {error}", at=call.at) from error


def _read(option: Option, name: str, arguments: Sequence[Value], at: syntax.Position) -> Any:
    try:
        return option.reader([plain(each) for each in arguments])
    except ValueError as error:
        raise BadNode(f"{name}: {error}", at=at) from error


def plain(value: Value) -> Any:
    """An argument as operators take it."""
    match value:
        case syntax.Lambda():
            return compiled_lambda(value)
        case syntax.Duration():
            return Duration(value.value_ns)
        case NodeRef():
            return NodeName(value.name)
        case syntax.Star():
            return STAR
        case syntax.Items():
            return tuple(plain(each) for each in value.items)
        case syntax.Regex():
            raise ValueError("a regular expression stands in lambdas only")
        case syntax.Integer() | syntax.Float() | syntax.String() | syntax.Boolean():
            return value.value
    raise ValueError("time(..) stands in a query's groupBy only")


def _properties(calls: Sequence[PropertyCall]) -> list[tuple[str, list[Any]]]:
    return [(each.name, [plain(value) for value in each.arguments]) for each in calls]
