"""A program run: variables give way to what they hold, chains become calls of nodes.

In:      a Program, the Vocabulary of nodes, and values from outside, which go before those that the script declares.
Out:     a Script.
Refuses: names that are undefined, declared twice, without a value, or given one of another type; properties and nodes that the vocabulary lacks; fields
         named outside of lambdas; operators on the wrong types.
What nodes do with their arguments is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from pipeline_processing.tickscript.calls import NodeCall, NodeRef, PropertyCall, Script, TimeDimension, Value
from pipeline_processing.tickscript.errors import (
    NotALambdasValue,
    NotAnItem,
    NotANode,
    Redefined,
    ReferenceOutside,
    UndefinedFunction,
    UndefinedName,
    UnknownLink,
    UnknownType,
    ValueMissing,
    WrongLink,
    WrongOperands,
    WrongType,
)
from pipeline_processing.tickscript.extent import Extents
from pipeline_processing.tickscript.folding import folded, folded_unary, type_name
from pipeline_processing.tickscript.given import Given, placed
from pipeline_processing.tickscript.syntax import (
    Call,
    Dbrp,
    Declaration,
    Duration,
    Expression,
    Identifier,
    Items,
    Lambda,
    Link,
    Literal,
    Operation,
    Pipeline,
    Position,
    Program,
    Reference,
    Statement,
    TypeDeclaration,
    Unary,
)
from pipeline_processing.tickscript.vocabulary import Kind, Vocabulary

TIME = "time"
TYPES = ("bool", "int", "float", "string", "duration", "regex", "lambda", "list", "star")


def evaluate(program: Program, vocabulary: Vocabulary, given: Mapping[str, Given] = MappingProxyType({})) -> Script:
    """`given` has values of variables from outside; those that the script does not declare are passed over."""
    run = _Run(vocabulary, given)
    for statement in program.statements:
        run.statement(statement)
    dbrps = tuple((each.database, each.retention_policy) for each in program.statements if isinstance(each, Dbrp))
    return Script(calls=tuple(each.call() for each in run.nodes.values()), dbrps=dbrps)


@dataclass(slots=True, kw_only=True)
class _Node:
    """A node whose properties are still being set."""

    kind: str
    known: Kind
    arguments: tuple[Value, ...]
    parents: tuple[str, ...]
    adds: tuple[str, ...]
    at: Position
    properties: list[PropertyCall] = field(default_factory=list)

    def call(self) -> NodeCall:
        return NodeCall(
            name=self.adds[-1],
            kind=self.kind,
            arguments=self.arguments,
            properties=tuple(self.properties),
            parents=self.parents,
            adds=self.adds,
            at=self.at,
        )


class _Run:
    def __init__(self, vocabulary: Vocabulary, given: Mapping[str, Given]) -> None:
        self._vocabulary, self._given = vocabulary, given
        self._variables: dict[str, Value | Reference] = {}
        self._extents = Extents()
        self._numbered = 0
        self.nodes: dict[str, _Node] = {}

    def statement(self, statement: Statement) -> None:
        match statement:
            case Declaration():
                value = self._value(statement.value)
                self._declare(statement, self._given_instead(statement, type_name(value)) or value)
            case TypeDeclaration():
                if statement.type not in TYPES:
                    raise UnknownType(statement.type, at=statement.at, known=TYPES)
                value = self._given_instead(statement, statement.type)
                if value is None:
                    raise ValueMissing(statement.name, at=statement.at, type_name=statement.type)
                self._declare(statement, value)
            case Dbrp():
                pass
            case _:
                self._value(statement)

    def _declare(self, statement: Declaration | TypeDeclaration, value: Value | Reference) -> None:
        if statement.name in {*self._variables, *self._vocabulary.sources, TIME}:
            raise Redefined(statement.name, at=statement.at)
        self._variables[statement.name] = value

    def _given_instead(self, statement: Declaration | TypeDeclaration, wanted: str) -> Value | None:
        given = self._given.get(statement.name)
        if given is None:
            return None
        if type_name(given) != wanted:
            raise WrongType(statement.name, at=statement.at, given=type_name(given), wanted=wanted)
        return self._value(placed(given, statement.at))

    def _value(self, node: Expression) -> Value | Reference:
        match node:
            case Identifier():
                value = replace(self._held(node), at=node.at, comments=())
            case Items():
                value = replace(node, items=tuple(self._item(item) for item in node.items), comments=())
            case Lambda():
                value = Lambda(body=self._inlined(node.body), at=node.at)
                self._extents.check(value.body, node.at)
            case Unary():
                value = folded_unary(node.operator, self._value(node.operand), node.at)
            case Operation():
                value = self._value(node.first)
                for term in node.rest:
                    value = folded(term.operator, value, self._value(term.operand), term.at)
            case Call():
                value = self._function(node)
            case Pipeline():
                value = self._pipeline(node)
            case _:
                value = replace(node, comments=())
        return value

    def _item(self, item: Expression) -> Value:
        value = self._value(item)
        if not isinstance(value, Literal):
            raise NotAnItem(item.name, at=item.at, held=type_name(value))
        return value

    def _held(self, name: Identifier) -> Value | Reference:
        if name.name in self._variables:
            return self._variables[name.name]
        if name.name in self._vocabulary.sources:
            return self._source(name)
        known = [TIME, *self._vocabulary.sources, *self._variables]
        raise UndefinedName(name.name, at=name.at, known=known)

    def _source(self, name: Identifier) -> NodeRef:
        """The one node of this source; it is made when it is first named."""
        found = next((each for each, node in self.nodes.items() if node.kind == name.name), None)
        return NodeRef(name=found, kind=name.name) if found else self._added(name.name, self._kinds, (), (), name.at)

    def _inlined(self, node: Expression) -> Expression:
        """A lambda's body with the values of variables in it. A lambda's value stays a lambda: it has a state of its own."""
        match node:
            case Identifier():
                return self._inlined_variable(node)
            case Unary():
                return replace(node, operand=self._inlined(node.operand))
            case Call():
                return replace(node, arguments=tuple(self._inlined(argument) for argument in node.arguments))
            case Operation():
                rest = tuple(replace(term, operand=self._inlined(term.operand)) for term in node.rest)
                return replace(node, first=self._inlined(node.first), rest=rest)
            case _:
                return node

    def _inlined_variable(self, name: Identifier) -> Expression:
        match self._held(name):
            case value if isinstance(value, Literal | Lambda):
                return replace(value, at=name.at)
            case value:
                raise NotALambdasValue(name.name, at=name.at, held=type_name(value))

    def _function(self, call: Call) -> Value:
        arguments = self._arguments(call)
        if call.name in self._vocabulary.functions:
            try:
                return replace(self._vocabulary.functions[call.name](arguments), at=call.at)
            except ValueError as error:
                raise WrongOperands(f"{call.name}: {error}", at=call.at) from error
        if call.name != TIME:
            raise UndefinedFunction(call.name, at=call.at, known=[TIME, *self._vocabulary.functions])
        match arguments:
            case (Duration(value_ns=every_ns),):
                return TimeDimension(every_ns=every_ns, at=call.at)
            case Duration(value_ns=every_ns), Duration(value_ns=offset_ns):
                return TimeDimension(every_ns=every_ns, offset_ns=offset_ns, at=call.at)
        raise WrongOperands("time takes a duration and, if it is shifted, another", at=call.at)

    def _arguments(self, call: Call | Link) -> tuple[Value, ...]:
        """The arguments' values; a list that is the only one stands for its items."""
        values = tuple(self._value(argument) for argument in call.arguments)
        if len(values) == 1 and isinstance(values[0], Items):
            values = values[0].items
        wrong = next((value for value in values if isinstance(value, Reference)), None)
        if wrong is not None:
            reason = f'"{wrong.name}" names a field; did you use double quotes instead of single quotes?'
            raise ReferenceOutside(f"{call.name}: {reason} A string is '{wrong.name}'", at=call.at)
        return values

    def _pipeline(self, pipeline: Pipeline) -> NodeRef:
        value = self._value(pipeline.start)
        for link in pipeline.links:
            if not isinstance(value, NodeRef):
                reason = f"{link.operator}{link.name} follows {type_name(value)}, which is no node; begin with one, such as stream"
                raise NotANode(reason, at=link.at)
            value = self._linked(value, link)
        return value

    def _linked(self, receiver: NodeRef, link: Link) -> NodeRef:
        arguments = self._arguments(link)
        node = self.nodes[receiver.name]
        self._check(node, link)
        if link.operator == ".":
            node.properties.append(PropertyCall(name=link.name, arguments=arguments, at=link.at))
            return receiver
        parents = (receiver.name, *(value.name for value in arguments if isinstance(value, NodeRef)))
        kinds = self._kinds if link.operator == "|" else self._vocabulary.udfs
        return self._added(link.name, kinds, arguments, parents, link.at)

    @property
    def _kinds(self) -> Mapping[str, Kind]:
        return self._vocabulary.kinds

    def _check(self, node: _Node, link: Link) -> None:
        """That the link may follow the node; what another operator would allow is said."""
        allowed = {"|": node.known.followers, ".": node.known.properties, "@": self._vocabulary.udfs}
        if link.name in allowed[link.operator]:
            return
        fitting = next((operator for operator, names in allowed.items() if link.name in names), None)
        if fitting:
            raise WrongLink(link, on=node.kind, fitting=fitting)
        raise UnknownLink(link, on=node.kind, known=allowed[link.operator])

    def _added(
        self,
        name: str,
        kinds: Mapping[str, Kind],
        arguments: tuple[Value, ...],
        parents: tuple[str, ...],
        at: Position,
    ) -> NodeRef:
        known = kinds[name]
        kind = name if kinds is self._kinds else f"@{name}"
        labels = known.nodes or (name,)
        self._numbered += max(
            0, len(parents) - 1
        )  # Kapacitor numbers a node anew with each parent that is linked to it
        adds = tuple(f"{label}{number}" for number, label in enumerate(labels, self._numbered))
        self._numbered += len(labels)
        self.nodes[adds[-1]] = _Node(kind=kind, known=known, arguments=arguments, parents=parents, adds=adds, at=at)
        return NodeRef(name=adds[-1], kind=kind)
