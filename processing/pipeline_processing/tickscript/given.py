"""Values that a script's variables are given from outside, as nodes of the script.

In:      by name `{"type": "int", "value": 5}`, as tasks/variables.py has made sure of.
Out:     a literal, a list or a lambda for each.
Refuses: a lambda that is none (TickError, whose place is one in the lambda's text), a regular expression that RE2 refuses.
From:    Kapacitor's predefined variables. A lambda is given without its `lambda:`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pipeline_processing.tickscript.errors import TickError, Unexpected
from pipeline_processing.tickscript.literals import regex
from pipeline_processing.tickscript.parser import parse
from pipeline_processing.tickscript.syntax import (
    Boolean,
    Duration,
    Float,
    Integer,
    Items,
    Lambda,
    Literal,
    Node,
    Position,
    Regex,
    Star,
    String,
    Term,
)

PREFIX = "lambda:"
Given = Literal | Items | Lambda
Part = TypeVar("Part")


def given_values(variables: Mapping[str, Mapping[str, Any]]) -> dict[str, Given]:
    """Raises TickError."""
    return {name: given_value(var["type"], var["value"]) for name, var in variables.items()}


def given_value(kind: str, value: Any) -> Given:
    """Raises TickError."""
    return READERS[kind](value)


def placed(part: Part, at: Position) -> Part:
    """With all that is in it at one place: what is wrong with a value is said of the variable that it is given to."""
    if isinstance(part, tuple):
        return tuple(placed(each, at) for each in part)
    if not isinstance(part, Node | Term):
        return part
    names = (each.name for each in dataclasses.fields(part) if each.name != "at")
    return dataclasses.replace(part, at=at, **{name: placed(getattr(part, name), at) for name in names})


def _regex(text: str) -> Regex:
    written = text.replace("/", "\\/")
    return regex(f"/{written}/", Position())


def _lambda(text: str) -> Lambda:
    try:
        found, *others = parse(PREFIX + text).statements
        if others:
            raise Unexpected("a second expression", at=others[0].at, expected=(), hint="a lambda is one")
    except TickError as error:
        raise TickError(error.reason, at=_without_prefix(error.at)) from None
    return found


def _without_prefix(at: Position) -> Position:
    return dataclasses.replace(at, char=at.char - len(PREFIX)) if at.line == 1 else at


def _list(items: list[Mapping[str, Any]]) -> Items:
    return Items(items=tuple(given_value(each["type"], each["value"]) for each in items))


READERS: Mapping[str, Callable[[Any], Given]] = {
    "bool": lambda value: Boolean(value=value),
    "int": lambda value: Integer(value=value),
    "float": lambda value: Float(value=value),
    "string": lambda value: String(value=value),
    "regex": _regex,
    "duration": lambda value: Duration(value_ns=value),
    "lambda": _lambda,
    "list": _list,
    "star": lambda _value: Star(),
}
