"""The parts of a template: a tree, and the tokens it is read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["literal", "word", "field", "variable", "dot", "sign", "space"]


@dataclass(frozen=True, slots=True)
class Token:
    """`value` is what a literal stands for; `text` is what was read."""

    kind: Kind
    text: str
    value: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What stands between `{{` and `}}`."""

    tokens: tuple[Token, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Constant:
    value: Any


@dataclass(frozen=True, slots=True)
class Word:
    """A function."""

    name: str


@dataclass(frozen=True, slots=True)
class Variable:
    name: str


@dataclass(frozen=True, slots=True)
class Dot:
    """`.`"""


@dataclass(frozen=True, slots=True)
class Chain:
    """Fields of something, one of the other: `.Time.Unix`."""

    of: Operand
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`commands` are what `|` separates; each is its operands. `names` are given the result, and `fresh` where they are
    declared so."""

    commands: tuple[tuple[Operand, ...], ...]
    line: int
    names: tuple[str, ...] = ()
    fresh: bool = True


Operand: TypeAlias = Constant | Word | Variable | Dot | Chain | Pipeline


@dataclass(frozen=True, slots=True)
class Output:
    """`context` is where in HTML it stands; '' is no HTML."""

    pipeline: Pipeline
    context: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """`if`, `with` or `range`."""

    word: str
    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


Node: TypeAlias = Text | Output | Branch
