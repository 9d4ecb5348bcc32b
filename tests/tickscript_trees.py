"""Random programs, as the parser could have read them."""

from __future__ import annotations

import random
from dataclasses import replace

from pipeline_processing.tickscript.literals import UNIT_NS
from pipeline_processing.tickscript.parser import LEVELS
from pipeline_processing.tickscript.syntax import (
    Boolean,
    Call,
    Comments,
    Dbrp,
    Declaration,
    Duration,
    Expression,
    Float,
    Identifier,
    Integer,
    Items,
    Lambda,
    Link,
    Operation,
    Pipeline,
    Program,
    Reference,
    Regex,
    Star,
    Statement,
    String,
    Term,
    TypeDeclaration,
    Unary,
)

LEVEL_MAX = max(LEVELS.values())
TEXTS = ("", "a", "it's", '"', "\\'", "two\nlines", "µ ≥ 3 ", "//no comment", "\\d\t", "'''", "|.@")
NAMES = ("x", "stream", "lambda", "größe", "a_1", "AND_", "variable")
REGEXES = ("a", "^web\\d+$", "a\\/b", "[\"']", "(?i)x|y", "a\\\\b")


class Trees:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def program(self) -> Program:
        statements = tuple(self._statement() for _ in range(self._random.randrange(6)))
        return Program(statements=statements, trailing=self._comments())

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _comments(self) -> Comments:
        if self._chance(0.9):
            return ()
        lines = ("", "why", "  indented", "/ a slash", "'quoted\"")
        blocks = range(self._random.randint(1, 2))
        return tuple(tuple(self._random.choices(lines, k=self._random.randint(1, 2))) for _ in blocks)

    def _statement(self) -> Statement:
        comments, name = self._comments(), self._random.choice(NAMES)
        match self._random.randrange(5):
            case 0:
                return TypeDeclaration(name=name, type="int", comments=comments)
            case 1:
                return Dbrp(database=self._text('"'), retention_policy=self._text('"'), comments=comments)
            case 2 | 3:
                return Declaration(name=name, value=self._expression(4), comments=comments)
        return self._pipeline(4)

    def _expression(self, depth: int) -> Expression:
        match self._random.randrange(7):
            case 0 if depth:
                return self._pipeline(depth - 1)
            case 1 if depth:
                return Lambda(body=self._operation(depth - 1), comments=self._comments())
            case 2:
                items = tuple(self._item() for _ in range(self._random.randrange(4)))
                return Items(items=items, comments=self._comments())
            case 3:
                return Star(comments=self._comments())
            case 4:
                return Regex(written=self._random.choice(REGEXES), comments=self._comments())
        return self._operation(depth)

    def _pipeline(self, depth: int) -> Pipeline:
        start = replace(self._call(depth), name="f") if self._chance(0.1) else self._identifier()
        return Pipeline(start=start, links=tuple(self._link(depth) for _ in range(self._random.randint(1, 4))))

    def _link(self, depth: int) -> Link:
        return Link(
            operator=self._random.choice("|.@"),
            name=self._random.choice(NAMES),
            arguments=tuple(self._expression(depth - 1) for _ in range(self._random.randrange(3))) if depth else (),
            broken=self._chance(0.2),
            comments=self._comments(),
        )

    def _item(self) -> Expression:
        return self._random.choice((self._identifier(), self._string(), Star()))

    def _operation(self, depth: int, above: int = -1) -> Expression:
        """Operators that bind more than the level `above`, or none."""
        if not depth or above == LEVEL_MAX or self._chance(0.5):
            return self._operand(depth)
        level = self._random.randint(above + 1, LEVEL_MAX)
        operators = [operator for operator, its in LEVELS.items() if its == level]
        terms = [self._term(self._random.choice(operators), depth, level) for _ in range(self._random.randint(1, 3))]
        if "=~" in operators and self._chance(0.7):
            terms.append(Term(operator="=~", operand=Regex(written=self._random.choice(REGEXES))))
        return Operation(first=self._operation(depth - 1, level), rest=tuple(terms))

    def _term(self, operator: str, depth: int, level: int) -> Term:
        return Term(operator=operator, operand=self._operation(depth - 1, level), broken=self._chance(0.2))

    def _operand(self, depth: int) -> Expression:
        match self._random.randrange(5):
            case 0 if depth:
                return self._call(depth - 1)
            case 1 if depth:
                operator, operand = self._random.choice("-!"), self._operand(depth - 1)
                return Unary(operator=operator, operand=operand, comments=self._comments())
            case 2 if depth:
                inner = self._operation(depth - 1)
                return replace(inner, parens=True, comments=self._comments()) if isinstance(inner, Operation) else inner
        return self._leaf()

    def _call(self, depth: int) -> Call:
        arguments = tuple(self._operation(depth) for _ in range(self._random.randrange(3)))
        return Call(name="f", arguments=arguments, broken=self._chance(0.2), comments=self._comments())

    def _leaf(self) -> Expression:
        unit = self._random.choice(list(UNIT_NS))
        leaves = (
            Integer(value=self._random.choice((0, 7, 2**63 - 1))),
            Integer(value=self._random.choice((0, 8, 511)), octal=True),
            Float(value=self._random.choice((0.0, 0.1, 1e21, 5e-324, 3.0))),
            Duration(value_ns=3 * UNIT_NS[unit], written=f"3{unit}"),
            Boolean(value=self._chance(0.5)),
            Reference(name=self._text('"')),
            self._string(),
            self._identifier(),
        )
        return replace(self._random.choice(leaves), comments=self._comments())

    def _identifier(self) -> Identifier:
        return Identifier(name=self._random.choice(NAMES), comments=self._comments())

    def _string(self) -> String:
        if self._chance(0.2):
            return String(value=self._text("'''").rstrip("'"), raw=True)
        return String(value=self._text("'"))

    def _text(self, quote: str) -> str:
        """One that this quote can hold: nothing escapes a backslash at the end, nor a raw string's end inside of it."""
        text = "".join(self._random.choices(TEXTS, k=self._random.randint(1, 2)))
        return text.replace("'''", "") if quote == "'''" else text.rstrip("\\")
