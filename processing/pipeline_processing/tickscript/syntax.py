"""What a TICKscript is made of once it is read.

Every node knows where it began (`at`) and the comments before it; positions and line breaks do not count when nodes are
compared, comments do. Runs of operators of one precedence, and chains, are flat: a thousand `OR`s nest no deeper than one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Comments = tuple[tuple[str, ...], ...]
"""Blocks of lines, without their `//`; an empty line of the script stands between two blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Both from 1; `char` counts bytes of UTF-8, as Kapacitor does."""

    line: int = 1
    char: int = 1

    def __str__(self) -> str:
        return f"line {self.line} char {self.char}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    at: Position = field(default=Position(), compare=False, repr=False)
    comments: Comments = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer(Node):
    value: int
    octal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Float(Node):
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration(Node):
    value_ns: int
    written: str = field(default="", compare=False)
    """As in the script; empty for one that was computed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boolean(Node):
    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class String(Node):
    value: str
    raw: bool = False
    """Between three quotes, where nothing is escaped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference(Node):
    """A field or a tag, in double quotes."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Regex(Node):
    written: str
    """Between the slashes, where `\\/` is a slash."""

    @property
    def pattern(self) -> str:
        return self.written.replace("\\/", "/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Star(Node):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier(Node):
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Items(Node):
    """A list: names, strings and stars."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """A function. `broken`: each argument stands on a line of its own."""

    name: str
    arguments: tuple[Expression, ...] = ()
    broken: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary(Node):
    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """An operator and what stands right of it. `broken`: the line ends after the operator."""

    operator: str
    operand: Expression
    at: Position = field(default=Position(), compare=False, repr=False)
    broken: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Node):
    """Operators of one precedence, from left to right. `at` is the last one's, which binds last."""

    first: Expression
    rest: tuple[Term, ...]
    parens: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lambda(Node):
    body: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Node):
    """`|name(..)`, `.name(..)` or `@name(..)`; `at` is the name's."""

    operator: str
    name: str
    arguments: tuple[Expression, ...] = ()
    broken: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline(Node):
    start: Identifier | Call
    links: tuple[Link, ...]


Literal = Integer | Float | Duration | Boolean | String | Regex | Star
Expression = Literal | Reference | Identifier | Items | Call | Unary | Operation | Lambda | Pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration(Node):
    name: str
    value: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDeclaration(Node):
    """A variable whose value comes from outside."""

    name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dbrp(Node):
    """A database and retention policy that the task reads."""

    database: str
    retention_policy: str


Statement = Declaration | TypeDeclaration | Dbrp | Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    statements: tuple[Statement, ...]
    trailing: Comments = ()


def wraps(node: Expression) -> bool:
    """Whether it ends on another line than it begins, the comments before it aside."""
    match node:
        case String(value=text) | Reference(name=text) | Regex(written=text):
            return "\n" in text
        case Items(items=parts) | Call(broken=False, arguments=parts):
            return any(part.comments or wraps(part) for part in parts)
        case Call() | Pipeline():
            return True
        case Unary(operand=part) | Lambda(body=part):
            return bool(part.comments) or wraps(part)
        case Operation():
            return wraps(node.first) or any(term.broken or wraps(term.operand) for term in node.rest)
        case _:
            return False
