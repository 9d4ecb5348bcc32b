"""Tasks written in Python: the nodes of TICKscript, chained as there, with `|` for nodes and `.` for their properties.

    cpu = stream | node.from_().measurement("cpu").groupBy("host")
    mean = cpu | node.window().period(timedelta(seconds=10)).every(timedelta(seconds=10)) | node.mean("usage")
    text = script(mean | node.httpOut("mean"), mean | node.alert().crit(predicate('"mean" > 90.0')))

In:      text, numbers, booleans, timedeltas, `predicate(..)` for the text of a lambda, STAR for `*`, and other chains.
Out:     the script, formatted: what a TaskDefinition holds, the API takes and pages show. What several chains share is a
         variable in it, and one node of the graph.
Refuses: (TypeError) a value of another type. All else is refused where the script is compiled, with line and character in it.
An underscore at the end of a name is left off: `from_`, `as_`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pipeline_processing.operators.options import STAR
from pipeline_processing.tickscript import syntax
from pipeline_processing.tickscript.parser import parse
from pipeline_processing.tickscript.printer import printed

__all__ = ["STAR", "batch", "node", "predicate", "script", "stream"]

Link = tuple[str, str, tuple[Any, ...]]
"""Operator, name and arguments."""


@dataclass(frozen=True, eq=False)
class Chain:
    """A node, and those before it. Each is itself: two that were written alike are two nodes."""

    name: str = ""
    """Of a source."""
    before: Chain | None = None
    links: tuple[Link, ...] = ()

    def __or__(self, call: Call) -> Chain:
        return Chain(before=self, links=call._links)


@dataclass(frozen=True, eq=False)
class Call:
    """A node that is not chained yet; each property makes another one."""

    _links: tuple[Link, ...]

    def __getattr__(self, name: str) -> Callable[..., Call]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments: Call((*self._links, (".", name.rstrip("_"), arguments)))


class Nodes:
    def __getattr__(self, name: str) -> Callable[..., Call]:
        return lambda *arguments: Call((("|", name.rstrip("_"), arguments),))


@dataclass(frozen=True)
class Predicate:
    text: str


stream, batch, node = Chain("stream"), Chain("batch"), Nodes()


def predicate(text: str) -> Predicate:
    """`lambda: text`."""
    return Predicate(text)


def script(*ends: Chain, dbrps: Iterable[tuple[str, str]] = ()) -> str:
    """The task that has these chains; `dbrps` are the databases and retention policies that it reads."""
    writing = _Writing()
    for end in ends:
        writing.find(end)
    named = [each for each in writing.found if writing.is_named(each)]
    writing.names = {id(each): f"{_last(each)}{number}" for number, each in enumerate(named)}
    statements: list[syntax.Statement] = [syntax.Dbrp(database=db, retention_policy=rp) for db, rp in dbrps]
    statements += [
        syntax.Declaration(name=writing.names[id(each)], value=writing.pipeline(each, is_declared=True))
        for each in named
    ]
    statements += [writing.pipeline(each) for each in ends if id(each) not in writing.names]
    return printed(syntax.Program(statements=tuple(statements)))


@dataclass
class _Writing:
    """Chains in the order in which their nodes are made, and which of them are used how often."""

    found: list[Chain] = field(default_factory=list)
    uses: Counter[int] = field(default_factory=Counter)
    names: dict[int, str] = field(default_factory=dict)

    def find(self, chain: Chain) -> None:
        if any(each is chain for each in self.found):
            return
        for each in _parents(chain):
            self.find(each)
            self.uses[id(each)] += 1
        for each in _arguments(chain):
            self.uses[id(each)] += 1  # it is written by name, so it has one
        self.found.append(chain)

    def is_named(self, chain: Chain) -> bool:
        return chain.before is not None and self.uses[id(chain)] > 1

    def pipeline(self, chain: Chain, *, is_declared: bool = False) -> syntax.Pipeline | syntax.Identifier:
        links: list[Link] = []
        at: Chain = chain
        while at.before is not None and (id(at) not in self.names or (is_declared and at is chain)):
            links[:0] = at.links
            at = at.before
        start = syntax.Identifier(name=self.names.get(id(at), at.name))
        made = tuple(syntax.Link(operator=how, name=name, arguments=self._all(given)) for how, name, given in links)
        return syntax.Pipeline(start=start, links=made)

    def _all(self, given: Iterable[Any]) -> tuple[syntax.Expression, ...]:
        return tuple(syntax.Identifier(name=self.names[id(x)]) if isinstance(x, Chain) else _literal(x) for x in given)


def _last(chain: Chain) -> str:
    """The name of its node."""
    return next(name for how, name, _ in chain.links if how == "|")


def _parents(chain: Chain) -> Iterator[Chain]:
    if chain.before is not None:
        yield chain.before
    yield from _arguments(chain)


def _arguments(chain: Chain) -> Iterator[Chain]:
    yield from (each for _, _, given in chain.links for each in given if isinstance(each, Chain))


def _literal(value: Any) -> syntax.Expression:
    match value:
        case bool():
            found: syntax.Expression = syntax.Boolean(value=value)
        case int():
            found = syntax.Integer(value=value)
        case float():
            found = syntax.Float(value=value)
        case str():
            found = syntax.String(value=value)
        case timedelta():
            found = syntax.Duration(value_ns=value // timedelta(microseconds=1) * 1000)
        case Predicate():
            (declared,) = parse(f"var it = lambda: {value.text}").statements
            found = declared.value
        case _ if value is STAR:
            found = syntax.Star()
        case _:
            raise TypeError(
                f"{value!r} is nothing that a node takes: text, numbers, booleans, timedeltas, predicate(..), STAR or chains"
            )
    return found
