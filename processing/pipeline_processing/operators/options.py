"""How operators' fields are set from a script: each field says its property's name, what that takes, and what it means.

In:      arguments as plain values: int, float, str, bool, Duration, STAR, TimeBucket, Pattern, Expression, NodeName.
Out:     the field's value.
Refuses: wrong numbers and types of arguments (ValueError, which says what is wanted).
One table serves every front end, the reference in docs/, and the names that TICKscript may use.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_processing.expressions import Expression

Arguments = Sequence[Any]
Reader = Callable[[Arguments], Any]


class Duration(int):
    """Nanoseconds."""


class NodeName(str):
    """Another node of the graph."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeBucket:
    """`time(every, offset)`."""

    every_ns: int
    offset_ns: int = 0


class Star:
    """`*`, everything there is to list."""

    def __repr__(self) -> str:
        return "*"

    def __reduce__(self) -> str:
        return "STAR"


STAR = Star()


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A property of an operator, or one of its arguments (then `property` is empty).

    What `reader` makes of the arguments replaces what an earlier call set; where `gathers` holds it is added to a tuple.
    """

    property: str
    reader: Reader
    gathers: bool = False
    doc: str


def option(property_: str, reader: Reader, default: Any, doc: str, *, gathers: bool = False) -> Any:
    """A dataclass field that a property sets."""
    found = Option(property=property_, reader=reader, gathers=gathers, doc=doc)
    return dataclasses.field(default=default, metadata={"option": found})


def argument(reader: Reader, doc: str, default: Any = dataclasses.MISSING) -> Any:
    """The dataclass field that the node's own arguments set; `reader` gets all of them. A node has one at most."""
    found = Option(property="", reader=reader, doc=doc)
    return dataclasses.field(default=default, metadata={"option": found})


def arguments(*readers: tuple[str, Callable[[Any], Any]]) -> Reader:
    """Reads so many arguments, one by one, into a tuple; each reader comes with the name of what it reads."""

    def read(given: Arguments) -> tuple[Any, ...]:
        if len(given) != len(readers):
            raise ValueError(f"takes {len(readers)} arguments ({', '.join(n for n, _ in readers)}), got {len(given)}")
        return tuple(one(value) for (_, one), value in zip(readers, given, strict=True))

    return read


def flag(given: Arguments) -> bool:
    """No argument sets it; TRUE or FALSE say so."""
    if len(given) == 0:
        return True
    if len(given) == 1 and isinstance(given[0], bool):
        return given[0]
    raise ValueError("takes no argument")


def one(kind: Callable[[Any], Any]) -> Reader:
    """Reads exactly one argument."""

    def read(given: Arguments) -> Any:
        if len(given) != 1:
            raise ValueError(f"takes 1 argument, got {len(given)}")
        return kind(given[0])

    return read


def a_string(value: Any) -> str:
    return _of(value, str, "a string")


def an_int(value: Any) -> int:
    return _of(value, int, "an integer")


def a_float(value: Any) -> float:
    return _of(value, float, "a float")


def a_number(value: Any) -> float | int:
    if type(value) not in (int, float):
        raise ValueError(f"takes a number, got {type_name(value)}")
    return value


def a_duration(value: Any) -> int:
    return int(_of(value, Duration, "a duration"))


def an_expression(value: Any) -> Expression:
    return _of(value, Expression, "a lambda")


def a_node(value: Any) -> NodeName:
    return _of(value, NodeName, "a node")


def a_value(value: Any) -> Any:
    """What a field can hold."""
    if type(value) not in (int, float, str, bool, Duration):
        raise ValueError(f"takes a value, got {type_name(value)}")
    return value


def many(kind: Callable[[Any], Any]) -> Reader:
    """Any number of arguments, as a tuple."""
    return lambda given: tuple(kind(value) for value in given)


def tag_names(given: Arguments) -> tuple[str, ...] | Star:
    """Names, or `*`."""
    if any(value is STAR for value in given):
        if len(given) > 1:
            raise ValueError("takes names or *, not both")
        return STAR
    return tuple(a_string(value) for value in given)


string = one(a_string)
integer = one(an_int)
floating = one(a_float)
number = one(a_number)
duration = one(a_duration)
expression = one(an_expression)
strings = many(a_string)
expressions = many(an_expression)
nodes = many(a_node)


def options_of(operator: type) -> dict[str, tuple[str, Option]]:
    """By property ('' is the arguments): the field and its option."""
    found = {each.name: each.metadata.get("option") for each in dataclasses.fields(operator)}
    return {each.property: (name, each) for name, each in found.items() if each is not None}


NAMES = {int: "an integer", float: "a float", str: "a string", bool: "a bool", Duration: "a duration"}


def type_name(value: Any) -> str:
    if value is STAR:
        return "*"
    if isinstance(value, TimeBucket):
        return "time(..)"
    if isinstance(value, re.Pattern):
        return "a regular expression"
    return NAMES.get(type(value), "a lambda" if isinstance(value, Expression) else "a node")


def _of(value: Any, kind: type, wanted: str) -> Any:
    if type(value) is not kind and not (kind is Expression and isinstance(value, Expression)):
        raise ValueError(f"takes {wanted}, got {type_name(value)}")
    return value
