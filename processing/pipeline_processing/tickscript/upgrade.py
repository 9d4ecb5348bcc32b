"""Scripts of Kapacitor 0.10 and 0.11 as scripts of 1.x.

In:      text; one that has `|` or `@` is of 1.x already and is only formatted.
Out:     text: `|` before nodes, `.` before properties, `@` before UDFs, `|mean('x')` for `.mapReduce(influxql.mean('x'))`,
         `|from()` where filters stood on `stream`, parentheses where equal operators bound from the right, decimal numbers
         without leading zeros, a new name where a variable was bound again, `.alone()` after functions that choose a point.
Refuses: a mapReduce of something else than a call of influxql (NotUpgradable), and what the parser refuses.
A name that is neither a property of the node before it nor a node's is taken for a UDF; after a UDF, for its option.
What conversion cannot keep is listed in docs/tickscript.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipeline_processing.tickscript.errors import NestedTooDeep, NotUpgradable
from pipeline_processing.tickscript.formatting import formatted
from pipeline_processing.tickscript.names_010 import PROPERTIES
from pipeline_processing.tickscript.parser import parse_010
from pipeline_processing.tickscript.printer import printed
from pipeline_processing.tickscript.syntax import (
    Call,
    Declaration,
    Expression,
    Identifier,
    Items,
    Lambda,
    Link,
    Operation,
    Pipeline,
    Program,
    Statement,
    Term,
    Unary,
)
from pipeline_processing.tickscript.tokens import tokens

UDF = "a UDF"
SELECTORS = frozenset({"first", "last", "min", "max", "percentile"})
"""They gave the value and the group's tags alone."""
LEVELS_MAX = 50
"""How deep the parentheses may be nested that are added: half of what the parser takes."""


def upgraded(text: str) -> str:
    if any(token.kind in {"|", "@"} for token in tokens(text)):
        return formatted(text)
    return printed(_Upgrade(parse_010(text)).program())


class _Upgrade:
    def __init__(self, program: Program) -> None:
        self._program = program
        self._declared = {each.name for each in program.statements if isinstance(each, Declaration)}
        self._levels = 0
        self._names: dict[str, str] = {}
        self._kinds = {"stream": "stream", "batch": "batch"}
        """What kind of node a variable holds, as far as it holds one."""

    def program(self) -> Program:
        return replace(self._program, statements=tuple(self._statement(each) for each in self._program.statements))

    def _statement(self, statement: Statement) -> Statement:
        if not isinstance(statement, Declaration):
            return self._expression(statement)
        value = self._expression(statement.value)
        name = self._fresh(statement.name)
        self._names[statement.name] = name
        self._kinds[name] = self._kind(value)
        return replace(statement, name=name, value=value)

    def _fresh(self, name: str) -> str:
        """The name, or one with a number that no variable has."""
        if name not in self._names:
            return name
        number = 2
        while f"{name}{number}" in self._declared:
            number += 1
        self._declared.add(f"{name}{number}")
        return f"{name}{number}"

    def _kind(self, value: Expression) -> str:
        match value:
            case Identifier(name=name):
                return self._kinds.get(name, "")
            case Pipeline(start=start, links=links):
                made = [link for link in links if link.operator != "."]
                return self._kind_after(made[-1]) if made else self._kind(start)
        return ""

    def _kind_after(self, link: Link) -> str:
        if link.operator == "@":
            return UDF
        return link.name if link.name in PROPERTIES else "mapReduce"

    def _expression(self, node: Expression) -> Expression:
        match node:
            case Identifier():
                node = replace(node, name=self._names.get(node.name, node.name))
            case Items():
                node = replace(node, items=tuple(self._expression(item) for item in node.items))
            case Call():
                node = replace(node, arguments=self._arguments(node))
            case Unary():
                node = replace(node, operand=self._expression(node.operand))
            case Lambda():
                node = replace(node, body=self._expression(node.body))
            case Operation():
                node = self._operation(node)
            case Pipeline():
                node = self._pipeline(node)
        return node

    def _arguments(self, call: Call | Link) -> tuple[Expression, ...]:
        return tuple(self._expression(argument) for argument in call.arguments)

    def _operation(self, node: Operation) -> Operation:
        alike = len(node.rest) == 1 or {term.operator for term in node.rest} in ({"AND"}, {"OR"})
        levels = 0 if alike else len(node.rest) - 1
        self._levels += levels
        if self._levels > LEVELS_MAX:
            raise NestedTooDeep(at=node.at, levels_max=LEVELS_MAX)
        first = self._expression(node.first)
        rest = tuple(replace(term, operand=self._expression(term.operand)) for term in node.rest)
        self._levels -= levels
        return replace(node, first=first, rest=rest if alike else _from_the_right(rest))

    def _pipeline(self, node: Pipeline) -> Pipeline:
        start = self._expression(node.start)
        kind, links = self._kind(start), []
        for link in node.links:
            for each in self._links(kind, link):
                links.append(each)
                kind = kind if each.operator == "." else self._kind_after(each)
        return replace(node, start=start, links=tuple(links))

    def _links(self, kind: str, link: Link) -> Iterator[Link]:
        """What the link becomes after a node of this kind."""
        if kind == "stream" and link.name != "from":
            yield Link(operator="|", name="from")
            kind = "from"
        if link.name == "mapReduce":
            yield from self._reduced(link)
        else:
            yield replace(link, operator=_operator(kind, link.name), arguments=self._arguments(link))

    def _reduced(self, link: Link) -> Iterator[Link]:
        match link.arguments:
            case (Pipeline(start=Identifier(name="influxql", comments=within), links=(function, *properties)),):
                comments = link.comments + within + function.comments
                yield replace(function, operator="|", arguments=self._arguments(function), comments=comments)
                yield from (replace(each, arguments=self._arguments(each)) for each in properties)
                if function.name in SELECTORS:
                    yield Link(operator=".", name="alone")
            case _:
                raise NotUpgradable(
                    "mapReduce is upgraded when its argument is a call such as influxql.mean('x')", at=link.at
                )


def _from_the_right(rest: tuple[Term, ...]) -> tuple[Term]:
    """The terms as one: all but the first operator are inside of parentheses."""
    right = rest[-1].operand
    for before, term in zip(rest[-2::-1], rest[:0:-1], strict=True):
        right = Operation(first=before.operand, rest=(replace(term, operand=right),), parens=True)
    return (replace(rest[0], operand=right),)


def _operator(kind: str, name: str) -> str:
    if name in PROPERTIES.get(kind, ()):
        return "."
    if name in PROPERTIES:
        return "|"
    return "." if kind == UDF else "@"
