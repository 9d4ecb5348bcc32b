"""One call's nodes: its arguments and properties read into an operator's fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pipeline_processing.alerts.deadman import Deadman
from pipeline_processing.alerts.event import Place
from pipeline_processing.alerts.properties import WrongProperty, alert_from_properties
from pipeline_processing.alerts.templates import BadTemplate
from pipeline_processing.graph.graph import Node
from pipeline_processing.operators import OPERATORS
from pipeline_processing.operators.derivative import Derivative
from pipeline_processing.operators.operator import CannotRun, Operator
from pipeline_processing.operators.options import (
    STAR,
    Duration,
    NodeName,
    Option,
    TimeBucket,
    flag,
    options_of,
)
from pipeline_processing.operators.stats import Stats
from pipeline_processing.tickscript import syntax
from pipeline_processing.tickscript.calls import NodeCall, NodeRef, PropertyCall, TimeDimension, Value
from pipeline_processing.tickscript.errors import BadNode, CannotStart
from pipeline_processing.tickscript.lambdas import compiled as compiled_lambda

QUIET = "quiet"


def nodes_of(call: NodeCall, *, place: Place, deadman: Deadman) -> list[Node]:
    """The nodes that the call adds to the graph, in their order; `place` is the task's. Raises BadNode."""
    call, quiet = _without_quiet(call)
    if call.kind == "deadman":
        return _deadman(call, place, deadman)
    operator = _alert(call, place) if call.kind == "alert" else _built(OPERATORS[call.kind], call)
    return [Node(name=call.name, operator=operator, parents=call.parents, place=str(call.at), quiet=quiet)]


def _without_quiet(call: NodeCall) -> tuple[NodeCall, bool]:
    """The property that every node has."""
    quiet = False
    for each in call.properties:
        if each.name == QUIET:
            quiet = _read(Option(property=QUIET, reader=flag, doc=""), QUIET, each.arguments, each.at)
    return replace(call, properties=tuple(each for each in call.properties if each.name != QUIET)), quiet


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
        refusal = CannotStart if isinstance(error, CannotRun) else BadNode
        raise refusal(f"{call.kind}: {error}", at=call.at) from error


def _read(option: Option, name: str, arguments: Sequence[Value], at: syntax.Position) -> Any:
    try:
        return option.reader([plain(each) for each in arguments])
    except ValueError as error:
        raise BadNode(f"{name}: {error}", at=at) from error


def plain(value: Value) -> Any:
    """An argument as operators take it."""
    match value:
        case syntax.Lambda():
            found = compiled_lambda(value)
        case syntax.Duration():
            found = Duration(value.value_ns)
        case NodeRef():
            found = NodeName(value.name)
        case syntax.Star():
            found = STAR
        case syntax.Items():
            found = tuple(plain(each) for each in value.items)
        case syntax.Regex():
            raise ValueError("a regular expression stands in lambdas only")
        case TimeDimension():
            found = TimeBucket(every_ns=value.every_ns, offset_ns=value.offset_ns)
        case syntax.Integer() | syntax.Float() | syntax.String() | syntax.Boolean():
            found = value.value
    return found


def _alert(call: NodeCall, place: Place) -> Operator:
    return _alert_with([_plainly(each) for each in call.properties], call, replace(place, node=call.name))


def _alert_with(properties: Sequence[tuple[str, list[Any]]], call: NodeCall, place: Place) -> Operator:
    own = len(properties) - len(call.properties)
    try:
        return alert_from_properties(properties, place=place)
    except WrongProperty as error:
        at = call.properties[error.index - own].at if error.index >= own else call.at
        kind = CannotStart if isinstance(error.__cause__, BadTemplate) else BadNode
        raise kind(error.reason, at=at) from error
    except ValueError as error:
        raise BadNode(f"{call.kind}: {error}", at=call.at) from error


def _deadman(call: NodeCall, task: Place, said: Deadman) -> list[Node]:
    """`stats` of the node before, their rate per interval, and an alert on too low a rate."""
    threshold, interval, conditions = _watch(call)
    stats, derivative, alert = call.adds
    dead = _conjunction(threshold, conditions, call.at)
    words = said.words(interval_ns=interval, node=call.parents[0])
    properties = [("crit", [compiled_lambda(dead)]), *words, *(_plainly(each) for each in call.properties)]
    place = str(call.at)
    return [
        Node(name=stats, operator=Stats(interval_ns=interval, align=True), parents=call.parents, place=place),
        Node(
            name=derivative,
            operator=Derivative(of="emitted", unit_ns=interval, non_negative=True),
            parents=(stats,),
            place=place,
        ),
        Node(
            name=alert,
            operator=_alert_with(properties, call, replace(task, node=alert)),
            parents=(derivative,),
            place=place,
        ),
    ]


def _watch(call: NodeCall) -> tuple[syntax.Float, Duration, list[syntax.Lambda]]:
    """The arguments: so many points or fewer, in so long, where all of the lambdas are true."""
    match call.arguments:
        case syntax.Float() as threshold, syntax.Duration() as interval, *conditions if all(
            isinstance(each, syntax.Lambda) for each in conditions
        ):
            return threshold, Duration(interval.value_ns), list(conditions)
    raise BadNode("deadman takes a float, a duration and lambdas, such as deadman(0.0, 10s)", at=call.at)


def _conjunction(threshold: syntax.Float, conditions: Sequence[syntax.Lambda], at: syntax.Position) -> syntax.Lambda:
    low = syntax.Operation(
        first=syntax.Reference(name="emitted", at=at),
        rest=(syntax.Term(operator="<=", operand=threshold, at=at),),
        at=at,
    )
    others = tuple(syntax.Term(operator="AND", operand=each.body, at=each.at) for each in conditions)
    return syntax.Lambda(body=syntax.Operation(first=low, rest=others, at=at) if others else low, at=at)


def _plainly(call: PropertyCall) -> tuple[str, list[Any]]:
    try:
        return call.name, [plain(value) for value in call.arguments]
    except ValueError as error:
        raise BadNode(f"{call.name}: {error}", at=call.at) from error
