"""Cuts a template into texts and actions, and actions into tokens.

In:      a template.
Out:     Text and Action in order; texts are trimmed where `{{-` and `-}}` say so, comments are gone.
Refuses: actions that never end, and what is no token (BadTemplate).
From:    the documentation of Go's text/template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline_processing.alerts.templates.errors import BadTemplate
from pipeline_processing.alerts.templates.syntax import Action, Text, Token
from pipeline_processing.alerts.templates.values import Int

OPEN, CLOSE = "{{", "}}"
SPACES = " \t\r\n"
COMMENT = re.compile(r"\{\{(- )?/\*.*?\*/( -)?\}\}", re.S)
TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<string>"(?:\\.|[^"\\\n])*")
    |(?P<raw>`[^`]*`)
    |(?P<char>'(?:\\.[^']*|[^'\\\n])')
    |(?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*)?\.?\d[\d_]*(?:[eE][+-]?\d+)?)(?!\w))
    |(?P<field>\.[^\W\d]\w*)
    |(?P<variable>\$\w*)
    |(?P<dot>\.)
    |(?P<word>[^\W\d]\w*)
    |(?P<sign>:=|[|=,()])""",
    re.X,
)
CONSTANTS = {"true": True, "false": False, "nil": None}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", '"': '"', "'": "'"}
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.S)


def parts(template: str, *, name: str) -> Iterator[Text | Action]:
    at, trim = 0, False
    while True:
        start = template.find(OPEN, at)
        text = template[at:] if start < 0 else template[at:start]
        left = start >= 0 and template.startswith("{{-", start) and template[start + 3 : start + 4] in tuple(SPACES)
        text = text.lstrip(SPACES) if trim else text
        text = text.rstrip(SPACES) if left else text
        if text:
            yield Text(text)
        if start < 0:
            return
        line = template.count("\n", 0, start) + 1
        comment = COMMENT.match(template, start)
        if comment:
            at, trim = comment.end(), bool(comment[2])
            continue
        tokens, at, trim = _action(template, start + (3 if left else 2), name=name, line=line)
        yield Action(tokens=tokens, line=line)


def _action(template: str, at: int, *, name: str, line: int) -> tuple[tuple[Token, ...], int, bool]:
    """The tokens, where the action ends, and whether what follows is trimmed."""
    found: list[Token] = []
    while True:
        if template.startswith(CLOSE, at):
            return tuple(found), at + 2, False
        if template[at : at + 1] in tuple(SPACES) and template.startswith("-}}", at + 1):
            return tuple(found), at + 4, True
        match = TOKEN.match(template, at)
        if match is None:
            raise BadTemplate(_unread(template, at), name=name, line=line)
        at = match.end()
        try:
            found.append(_token(str(match.lastgroup), match[0]))
        except ValueError as cause:
            raise BadTemplate(str(cause), name=name, line=line) from cause


def _unread(template: str, at: int) -> str:
    rest = template[at:]
    if rest == "":
        return "unclosed action"
    if rest[0] in "\"'":
        return "unterminated quoted string" if rest[0] == '"' else "unterminated character constant"
    if rest[0] == "`":
        return "unterminated raw quoted string"
    if rest.startswith("/*"):
        return "unclosed comment"
    if rest[0].isdigit():
        return f"bad number syntax: {rest.split(maxsplit=1)[0]!r}"
    return f"unexpected {rest[0]!r} in action"


def _token(group: str, text: str) -> Token:
    if group == "string":
        return Token("literal", text, _unescaped(text[1:-1]))
    if group == "raw":
        return Token("literal", text, text[1:-1])
    if group == "char":
        sign = _unescaped(text[1:-1])
        if len(sign) != 1:
            raise ValueError(f"malformed character constant: {text}")
        return Token("literal", text, Int(ord(sign)))
    if group == "number":
        return Token("literal", text, _number(text))
    if group == "word" and text in CONSTANTS:
        return Token("literal", text, CONSTANTS[text])
    return Token(group, text)  # type: ignore[arg-type]


def _number(text: str) -> Int | float:
    plain = text.replace("_", "")
    if re.fullmatch(r"[+-]?0\d+", plain):
        return Int(plain, 8)
    try:
        return Int(plain, 0)
    except ValueError:
        return float(plain)


def _unescaped(text: str) -> str:
    return ESCAPE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    said = found[1]
    if said[0] in "xuU" and len(said) > 1:
        return chr(int(said[1:], 16))
    if len(said) == 3:
        return chr(int(said, 8))
    if said not in ESCAPES:
        raise ValueError(f"invalid escape \\{said} in a string")
    return ESCAPES[said]
