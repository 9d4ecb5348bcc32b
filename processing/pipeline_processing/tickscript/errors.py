"""What can be wrong with a script: each says where.

TickError
├── Unexpected         something else should stand here
├── BadLiteral         a number, duration, regular expression or byte that is none
├── NestedTooDeep      more levels than NESTING_MAX
├── TooLarge           what variables come to is more than a script may hold
├── NotAnItem          a list in a list, or a node
├── UndefinedName      a name that no variable has
├── UndefinedFunction  a function that there is not, outside of lambdas
├── Redefined          a variable is declared a second time
├── ValueMissing       a variable is declared without a value, and given none
├── WrongType          a variable is given a value of another type than it is declared with
├── UnknownType        a variable is declared of a type that there is not
├── NotALambdasValue   what a variable holds cannot stand in an expression
├── ReferenceOutside   a field is named where there are no points, or its quotes are the wrong ones
├── WrongOperands      an operator does not take these types
├── UnknownLink        a node has no such property, or no such node may follow
├── WrongLink          it is there, after another of the operators | . @
├── NotANode           a chain begins with something else than a node
├── BadNode            a node's arguments or properties are not what it takes, or it does not fit the one before it
│   └── CannotStart    Kapacitor takes the task, and refuses to start it
└── NotUpgradable      the 0.10 dialect has what 1.x cannot say
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pipeline_processing.errors import ProcessingError
from pipeline_processing.tickscript.syntax import Link, Position

LINKED = {"|": "node", ".": "property", "@": "UDF"}


class TickError(ProcessingError):
    """Anything that is wrong with a script; `at` says where, `reason` what."""

    def __init__(self, reason: str, *, at: Position) -> None:
        super().__init__(f"{at}: {reason}")
        self.reason, self.at = reason, at


class Unexpected(TickError):
    def __init__(self, found: str, *, at: Position, expected: Iterable[str], hint: str) -> None:
        wanted = ", ".join(expected)
        super().__init__(
            f"unexpected {found}" + (f"; expected {wanted}" if wanted else "") + (f"; {hint}" if hint else ""), at=at
        )


class BadLiteral(TickError):
    """A number, duration, regular expression or byte that is none."""


class NestedTooDeep(TickError):
    def __init__(self, *, at: Position, levels_max: int) -> None:
        super().__init__(f"nested deeper than {levels_max} levels; give a part of it a name with `var`", at=at)


class TooLarge(TickError):
    """What variables come to is more than a script may hold."""


class NotAnItem(TickError):
    def __init__(self, name: str, *, at: Position, held: str) -> None:
        super().__init__(f'"{name}" is {held} and cannot stand in a list', at=at)


class UndefinedName(TickError):
    def __init__(self, name: str, *, at: Position, known: Iterable[str]) -> None:
        names = list(known)
        hint = did_you_mean(name, [*names, "TRUE", "FALSE"])
        super().__init__(f'name "{name}" is undefined. Names in scope: {",".join(names)}{hint}', at=at)


class UndefinedFunction(TickError):
    def __init__(self, name: str, *, at: Position, known: Iterable[str]) -> None:
        super().__init__(f'no global function "{name}" defined{did_you_mean(name, known)}', at=at)


class Redefined(TickError):
    def __init__(self, name: str, *, at: Position) -> None:
        super().__init__(f"attempted to redefine {name}, vars are immutable; choose another name", at=at)


class ValueMissing(TickError):
    def __init__(self, name: str, *, at: Position, type_name: str) -> None:
        super().__init__(
            f'missing value for var "{name}" of type {type_name}; write `var {name} = ..`, or give it with the task',
            at=at,
        )


class WrongType(TickError):
    def __init__(self, name: str, *, at: Position, given: str, wanted: str) -> None:
        super().__init__(f"invalid type supplied for {name}, got {given} exp {wanted}", at=at)


class UnknownType(TickError):
    def __init__(self, name: str, *, at: Position, known: Iterable[str]) -> None:
        super().__init__(f'invalid var type "{name}"; there are {", ".join(known)}', at=at)


class NotALambdasValue(TickError):
    def __init__(self, name: str, *, at: Position, held: str) -> None:
        super().__init__(f'"{name}" is {held} and cannot stand in an expression', at=at)


class ReferenceOutside(TickError):
    """A field is named where there are no points, or its quotes are the wrong ones."""


class WrongOperands(TickError):
    """An operator does not take these types."""


class UnknownLink(TickError):
    def __init__(self, link: Link, *, on: str, known: Iterable[str]) -> None:
        where = "on" if link.operator == "." else "after"
        super().__init__(
            f'no {LINKED[link.operator]} "{link.name}" {where} {on}{did_you_mean(link.name, known)}', at=link.at
        )


class WrongLink(TickError):
    def __init__(self, link: Link, *, on: str, fitting: str) -> None:
        super().__init__(
            f'no {LINKED[link.operator]} "{link.name}" on {on}, but a {LINKED[fitting]} is called so; '
            f"use {fitting}{link.name}(..)",
            at=link.at,
        )


class NotANode(TickError):
    """A chain begins with something else than a node."""


class BadNode(TickError):
    """A node's arguments or properties are not what it takes, or it does not fit the one before it."""


class CannotStart(BadNode):
    """A task that Kapacitor takes, and refuses when it is to start."""


class NotUpgradable(TickError):
    """The 0.10 dialect has what 1.x cannot say."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest of the names as a question, empty where none is near."""
    by_lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f'; did you mean "{by_lower[near[0]]}"?' if near else ""
