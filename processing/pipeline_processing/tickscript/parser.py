"""A script's syntax.

In:      text; `parse` reads 1.x, `parse_010` the 0.10 dialect's numbers.
Out:     a Program with every comment in it: one that stands where no node begins goes to the next that does.
Refuses: what is no TICKscript (Unexpected, BadLiteral), nesting beyond NESTING_MAX (NestedTooDeep).
Lines are kept broken where tickfmt keeps them: after an operator, when its operands begin on different lines; between all
arguments, when the last begins on another line than the function. tickfmt decides anew when it reads its own text; here
what a second reading would break is broken at once, so that formatting twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pipeline_processing.tickscript.errors import NestedTooDeep, Unexpected
from pipeline_processing.tickscript.literals import READERS, READERS_010, read
from pipeline_processing.tickscript.syntax import (
    Call,
    Comments,
    Dbrp,
    Declaration,
    Expression,
    Identifier,
    Items,
    Lambda,
    Link,
    Node,
    Operation,
    Pipeline,
    Position,
    Program,
    Statement,
    Term,
    TypeDeclaration,
    Unary,
    wraps,
)
from pipeline_processing.tickscript.tokens import Token, tokens

NESTING_MAX = 100
"""Levels of a tree. A level costs the parser and those who walk the tree some three frames of Python's thousand."""
LEVELS = {"OR": 0, "AND": 1} | dict.fromkeys(("==", "!=", "=~", "!~"), 2) | dict.fromkeys(("<", "<=", ">", ">="), 3)
LEVELS |= dict.fromkeys("+-", 4) | dict.fromkeys("*/%", 5)
LINKS = {"|", ".", "@"}
_OPERAND = ("number", "string", "duration", "identifier", "reference", "TRUE", "FALSE", "(", "-", "!")
_LITERALS = frozenset(READERS)
_SHOWN = {"identifier", "number", "duration", "string", "reference", "regex"}
_NO_OPERATOR = {"and": "AND", "or": "OR", "true": "TRUE", "false": "FALSE", "not": "!"}


def parse(text: str) -> Program:
    return _Parser(text, READERS).program()


def parse_010(text: str) -> Program:
    return _Parser(text, READERS_010).program()


class _Parser:
    def __init__(self, text: str, readers: dict[str, Callable[[str, Position], Node]]) -> None:
        self._tokens, self._readers = list(tokens(text)), readers
        self._index, self._levels = 0, 0
        self._waiting: Comments = ()

    def program(self) -> Program:
        statements = []
        while self._kind != "end":
            statements.append(self._statement())
        self._next()
        return Program(statements=tuple(statements), trailing=self._comments())

    @property
    def _kind(self) -> str:
        return self._tokens[self._index].kind

    def _next(self) -> Token:
        token = self._tokens[self._index]
        self._waiting += token.comments
        self._index += token.kind not in {"end", "error"}
        return token

    def _comments(self) -> Comments:
        """Those of the tokens so far that no node has taken."""
        waiting, self._waiting = self._waiting, ()
        return waiting

    def _expect(self, kind: str) -> Token:
        if self._kind != kind:
            raise self._unexpected(kind)
        return self._next()

    def _unexpected(self, *expected: str) -> Unexpected:
        token = self._tokens[self._index]
        found = {"end": "EOF", "error": token.text, "star": "*"}.get(token.kind, token.kind)
        if token.kind in _SHOWN:
            found += f" {token.text[:40]}"
        return Unexpected(found, at=token.at, expected=expected, hint=self._hint(token, expected))

    def _hint(self, token: Token, expected: tuple[str, ...]) -> str:
        before = self._tokens[self._index - 1].kind if self._index else ""
        if token.glued and before in {"duration", "number"} and token.kind in {"duration", "number", "identifier"}:
            return "a duration is a whole number and one unit, such as 90m"
        if token.kind == "|" == before:
            return "one | is enough in a chain, and OR is the operator"
        if token.kind == "reference" and "string" in expected:
            return f"a string is in single quotes: '{token.text[1:-1]}'"
        if token.kind == "=":
            return "== compares, and `var` begins a declaration"
        return f"did you mean {_NO_OPERATOR[token.text]}?" if token.text in _NO_OPERATOR else ""

    def _statement(self) -> Statement:
        token = self._tokens[self._index]
        if token.glued and self._index and self._tokens[self._index - 1].kind in {"duration", "number"}:
            raise self._unexpected()
        match self._kind:
            case "var":
                return self._declaration()
            case "dbrp":
                return self._dbrp()
            case _:
                return self._expression()

    def _declaration(self) -> Declaration | TypeDeclaration:
        at, comments = self._next().at, self._comments()
        name = self._expect("identifier").text
        if self._kind == "identifier":
            return TypeDeclaration(name=name, type=self._next().text, at=at, comments=comments)
        self._expect("=")
        return Declaration(name=name, value=self._expression(), at=at, comments=comments)

    def _dbrp(self) -> Dbrp:
        at, comments = self._next().at, self._comments()
        database = read(self._expect("reference"), self._readers)
        self._expect(".")
        policy = read(self._expect("reference"), self._readers)
        return Dbrp(database=database.name, retention_policy=policy.name, at=at, comments=comments)

    def _expression(self) -> Expression:
        """What may be assigned, be an argument, or stand alone."""
        match self._kind:
            case "lambda":
                return self._nested(self._lambda)
            case "[":
                return self._items()
            case "identifier":
                start = (
                    self._call(self._expression) if self._tokens[self._index + 1].kind == "(" else self._identifier()
                )
                return self._pipeline(start) if self._kind in LINKS else self._continued(start, 0)
            case _:
                return self._operations()

    def _nested(self, parse_part: Callable[[], Expression]) -> Expression:
        self._levels += 1
        if self._levels > NESTING_MAX:
            raise NestedTooDeep(at=self._tokens[self._index].at, levels_max=NESTING_MAX)
        part = parse_part()
        self._levels -= 1
        return part

    def _pipeline(self, start: Identifier | Call) -> Pipeline:
        links = []
        while self._kind in LINKS:
            links.append(self._link())
        return Pipeline(start=start, links=tuple(links), at=start.at)

    def _link(self) -> Link:
        operator = self._next()
        name = self._expect("identifier")
        comments = self._comments()
        if self._kind != "(":
            at = self._tokens[self._index].at if operator.kind == "|" else operator.at
            hint = f"write {operator.kind}{name.text}()"
            raise Unexpected(f"name {name.text} without arguments", at=at, expected=("(",), hint=hint)
        arguments, broken = self._arguments(name, self._expression)
        return Link(
            operator=operator.kind, name=name.text, arguments=arguments, broken=broken, at=name.at, comments=comments
        )

    def _call(self, parse_argument: Callable[[], Expression]) -> Call:
        name, comments = self._next(), self._comments()
        arguments, broken = self._arguments(name, parse_argument)
        return Call(name=name.text, arguments=arguments, broken=broken, at=name.at, comments=comments)

    def _arguments(self, name: Token, parse_argument: Callable[[], Expression]) -> tuple[tuple[Expression, ...], bool]:
        """The arguments, and whether each has a line of its own."""
        self._next()
        arguments = self._separated(")", lambda: self._nested(parse_argument))
        broken = any(wraps(each) for each in arguments[:-1])
        return arguments, broken or any(each.at.line > name.at.line for each in arguments[-1:])

    def _separated(self, closing: str, parse_part: Callable[[], Expression]) -> tuple[Expression, ...]:
        """What stands before the closing bracket, and the bracket; a last comma may be too many."""
        parts = []
        while self._kind != closing:
            parts.append(parse_part())
            if self._kind != ",":
                break
            self._next()
        self._expect(closing)
        return tuple(parts)

    def _items(self) -> Items:
        at, comments = self._next().at, self._comments()
        return Items(items=self._separated("]", self._item), at=at, comments=comments)

    def _item(self) -> Expression:
        match self._kind:
            case "identifier":
                return self._identifier()
            case "string" | "star":
                return self._literal()
            case _:
                raise self._unexpected("identifier", "string", "*")

    def _lambda(self) -> Lambda:
        at, comments = self._next().at, self._comments()
        return Lambda(body=self._operations(), at=at, comments=comments)

    def _operations(self) -> Expression:
        return self._continued(self._operand(), 0)

    def _continued(self, first: Expression, lowest: int) -> Expression:
        """`first`, and the operators after it that bind no less than `lowest`."""
        while (level := LEVELS.get(self._kind, -1)) >= lowest:
            first = self._run(first, level)
        return first

    def _run(self, first: Expression, level: int) -> Operation:
        """Operators of one level."""
        terms: list[Term] = []
        left, broken = first, wraps(first)
        while LEVELS.get(self._kind) == level:
            operator = self._next()
            operand = self._nested(lambda: self._continued(self._operand(), level + 1))
            broken = broken or operand.at.line > left.at.line
            terms.append(Term(operator=operator.kind, operand=operand, at=operator.at, broken=broken))
            left, broken = operator, broken or wraps(operand)
        return Operation(first=first, rest=tuple(terms), at=terms[-1].at)

    def _operand(self) -> Expression:
        match self._kind:
            case "(":
                return self._nested(self._in_parens)
            case "-" | "!":
                return self._nested(self._unary)
            case "identifier" if self._tokens[self._index + 1].kind == "(":
                return self._call(self._operations)
            case "identifier":
                return self._identifier()
            case kind if kind in _LITERALS:
                return self._literal()
            case _:
                raise self._unexpected(*_OPERAND)

    def _in_parens(self) -> Expression:
        self._next()
        comments = self._comments()
        part = self._operations()
        self._expect(")")
        part = replace(part, comments=comments + part.comments)
        return replace(part, parens=True) if isinstance(part, Operation) else part

    def _unary(self) -> Unary:
        operator, comments = self._next(), self._comments()
        return Unary(operator=operator.kind, operand=self._operand(), at=operator.at, comments=comments)

    def _identifier(self) -> Identifier:
        token = self._next()
        return Identifier(name=token.text, at=token.at, comments=self._comments())

    def _literal(self) -> Expression:
        token = self._next()
        return replace(read(token, self._readers), comments=self._comments())
