"""Reads a template into its tree.

In:      a template, and the names of the functions it may use.
Out:     its nodes.
Refuses: wrong syntax, functions and variables that there are not (BadTemplate, worded as Go's).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from pipeline_processing.alerts.templates.errors import BadTemplate
from pipeline_processing.alerts.templates.syntax import (
    Action,
    Branch,
    Chain,
    Constant,
    Dot,
    Node,
    Operand,
    Output,
    Pipeline,
    Text,
    Token,
    Variable,
    Word,
)
from pipeline_processing.alerts.templates.tokens import parts

BRANCHES = ("if", "with", "range")
UNSUPPORTED = ("define", "template", "block", "break", "continue")


def tree(template: str, *, name: str, functions: Collection[str]) -> tuple[Node, ...]:
    parser = _Parser(name=name, functions=functions, parts=parts(template, name=name))
    nodes, ended_by = parser.nodes()
    if ended_by:
        raise parser.error(f"unexpected {{{{{ended_by}}}}}")
    return nodes


@dataclass(slots=True)
class _Parser:
    name: str
    functions: Collection[str]
    parts: Iterator[Text | Action]
    line: int = 1
    variables: list[str] = field(default_factory=lambda: ["$"])
    pending: list[Action] = field(default_factory=list)

    def error(self, reason: str) -> BadTemplate:
        return BadTemplate(reason, name=self.name, line=self.line)

    def nodes(self) -> tuple[tuple[Node, ...], str]:
        """The nodes up to an `end` or `else`, and which of them it was; '' at the end of the template."""
        found: list[Node] = []
        while (part := self._next()) is not None:
            if isinstance(part, Text):
                found.append(part)
                continue
            word = _word(part)
            if word in ("end", "else"):
                self._leave(part, word)
                return tuple(found), word
            found.append(self._node(part, word))
        return tuple(found), ""

    def _next(self) -> Text | Action | None:
        part = next(self.parts, None)
        if isinstance(part, Action):
            self.line = part.line
        return part

    def _leave(self, action: Action, word: str) -> None:
        """`else if` is an `if` of its own that ends with the one around it."""
        rest = _without_spaces(action.tokens)[1:]
        if rest and word == "else" and rest[0].text in ("if", "with"):
            self.pending.append(Action(tokens=rest_of(action.tokens), line=action.line))
        elif rest:
            raise self.error(f"unexpected <{rest[0].text}> in {word}")

    def _node(self, action: Action, word: str) -> Node:
        if word in BRANCHES:
            return self._branch(word, rest_of(action.tokens))
        if word in UNSUPPORTED:
            raise self.error(f"{{{{{word}}}}} is not supported in alerts")
        return Output(self._pipeline(action.tokens, word="command"))

    def _branch(self, word: str, tokens: Sequence[Token]) -> Branch:
        seen = len(self.variables)
        pipeline = self._pipeline(tokens, word=word)
        body, ended_by = self.nodes()
        otherwise: tuple[Node, ...] = ()
        if ended_by == "else":
            otherwise, ended_by = self._else_if() if self.pending else self.nodes()
        if ended_by == "else":
            raise self.error("expected end; found {{else}}")
        if ended_by == "":
            raise self.error("unexpected EOF")
        del self.variables[seen:]
        return Branch(word, pipeline, body, otherwise)

    def _else_if(self) -> tuple[tuple[Node, ...], str]:
        action = self.pending.pop()
        return (self._branch(_word(action), rest_of(action.tokens)),), "end"

    def _pipeline(self, tokens: Sequence[Token], *, word: str) -> Pipeline:
        names, fresh, rest = self._declared(list(tokens))
        commands = _split(rest)
        if not commands or not all(commands):
            missing = "missing value for " + word if not _without_spaces(rest) else "missing value for command"
            raise self.error(missing)
        found = tuple(self._command(each) for each in commands)
        if any(isinstance(each[0], Constant) for each in found[1:]):
            raise self.error("non executable command in pipeline stage 2")
        if fresh:
            self.variables.extend(names)
        return Pipeline(found, self.line, names, fresh)

    def _declared(self, tokens: list[Token]) -> tuple[tuple[str, ...], bool, list[Token]]:
        signs = [at for at, each in enumerate(tokens) if each.kind == "sign" and each.text in (":=", "=")]
        if not signs:
            return (), True, tokens
        before = _without_spaces(tokens[: signs[0]])
        names = tuple(each.text for each in before if each.kind == "variable")
        shape = [each.text if each.kind == "sign" else each.kind for each in before]
        if shape not in (["variable"], ["variable", ",", "variable"]):
            raise self.error(f"unexpected {tokens[signs[0]].text!r} in operand")
        fresh = tokens[signs[0]].text == ":="
        for each in () if fresh else names:
            self._known(each)
        return names, fresh, tokens[signs[0] + 1 :]

    def _known(self, name: str) -> None:
        if name not in self.variables:
            raise self.error(f'undefined variable "{name}"')

    def _command(self, tokens: list[Token]) -> tuple[Operand, ...]:
        found: list[Operand] = []
        at = 0
        while at < len(tokens):
            if tokens[at].kind == "space":
                at += 1
                continue
            operand, at = self._operand(tokens, at)
            found.append(operand)
            if at < len(tokens) and tokens[at].kind != "space":
                raise self.error(f"unexpected <{tokens[at].text}> in operand")
        return tuple(found)

    def _operand(self, tokens: list[Token], at: int) -> tuple[Operand, int]:
        operand, at = self._term(tokens, at)
        names: list[str] = []
        if isinstance(operand, Chain):
            operand, names = operand.of, list(operand.names)
        while at < len(tokens) and tokens[at].kind == "field":
            names.append(tokens[at].text[1:])
            at += 1
        if names and isinstance(operand, (Word, Constant)):
            raise self.error(f"unexpected . after term {tokens[at - 2].text!r}")
        return (Chain(operand, tuple(names)) if names else operand), at

    def _term(self, tokens: list[Token], at: int) -> tuple[Operand, int]:
        token = tokens[at]
        if token.kind == "literal":
            return Constant(token.value), at + 1
        if token.kind == "dot":
            return Dot(), at + 1
        if token.kind == "field":
            return Chain(Dot(), (token.text[1:],)), at + 1
        if token.kind == "variable":
            self._known(token.text)
            return Variable(token.text), at + 1
        if token.kind == "word":
            if token.text not in self.functions:
                raise self.error(f'function "{token.text}" not defined')
            return Word(token.text), at + 1
        if token.text == "(":
            end = _closing(tokens, at)
            if end < 0:
                raise self.error("unclosed left paren")
            return self._pipeline(tokens[at + 1 : end], word="parenthesized pipeline"), end + 1
        raise self.error("unexpected right paren" if token.text == ")" else f"unexpected {token.text!r} in command")


def rest_of(tokens: Sequence[Token]) -> tuple[Token, ...]:
    """What follows the first word."""
    found = list(tokens)
    while found and found[0].kind == "space":
        found.pop(0)
    return tuple(found[1:])


def _word(action: Action) -> str:
    tokens = _without_spaces(action.tokens)
    return tokens[0].text if tokens and tokens[0].kind == "word" else ""


def _without_spaces(tokens: Sequence[Token]) -> list[Token]:
    return [each for each in tokens if each.kind != "space"]


def _split(tokens: Sequence[Token]) -> list[list[Token]]:
    """What `|` separates, outside of parentheses; a command of spaces alone is empty."""
    commands: list[list[Token]] = [[]]
    depth = 0
    for each in tokens:
        depth += {"(": 1, ")": -1}.get(each.text, 0) if each.kind == "sign" else 0
        if each.kind == "sign" and each.text == "|" and depth == 0:
            commands.append([])
        else:
            commands[-1].append(each)
    return [each if _without_spaces(each) else [] for each in commands]


def _closing(tokens: Sequence[Token], at: int) -> int:
    """Where the parenthesis that opens at `at` closes; -1 if nowhere."""
    depth = 0
    for position in range(at, len(tokens)):
        if tokens[position].kind == "sign":
            depth += {"(": 1, ")": -1}.get(tokens[position].text, 0)
        if depth == 0:
            return position
    return -1
