"""A script's text as tokens.

In:   text.
Out:  tokens, the last of kind `end`, or `error` where no token begins; nothing is raised.
A token carries the comments before it. Whether `/` divides or begins a regular expression, `*` multiplies or stands for
all, is decided by the token before: as in Kapacitor, both are operators after a name, a literal or `)`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from pipeline_processing.tickscript.syntax import Comments, Position

KEYWORDS = {"AND", "OR", "TRUE", "FALSE", "var", "dbrp"}
_SPACE = re.compile(r"[^\S\x1c-\x1f]*")
_COMMENT = re.compile(r"//[^\n]*")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(\.?)")
_DURATION = re.compile(r"[0-9]+(?:ms|[uµsmhdw])")
_OPERATOR = re.compile(r"=~|==?|!~|!=|<=?|>=?|[-+*/%!]")
_PUNCTUATION = {*"()[]|@,.-!"}
_QUOTED = (
    ("'''", "string", re.compile(r"'''[\s\S]*?'''")),
    ("'", "string", re.compile(r"'(?:\\'|[^'])*+'")),
    ('"', "reference", re.compile(r'"(?:\\"|[^"])*+"')),
    ("/", "regex", re.compile(r"/(?:\\/|[^/])*+/")),
)
_BEFORE_AN_OPERATOR = KEYWORDS | {"identifier", "lambda", "number", "duration", "string", "reference", ")"}
_INSTEAD = {
    ":": "lambda: without a space",
    "&": "AND",
    "~": "=~",
    "#": "// for a comment",
    "`": "' for a string",
    "”": "'",
    "“": "'",
    "‘": "'",
    "’": "'",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Its kind is what it is called in errors, for operators and punctuation their own text; a star alone is a `star`."""

    kind: str
    text: str
    at: Position
    comments: Comments
    glued: bool
    """Nothing stands between it and the token before."""


class Lines:
    """Where an offset is."""

    def __init__(self, text: str) -> None:
        self._bytes: Sequence[int] = range(len(text) + 1) if text.isascii() else _bytes_before(text)
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def position(self, offset: int) -> Position:
        line = bisect_right(self._starts, offset)
        return Position(line=line, char=1 + self._bytes[offset] - self._bytes[self._starts[line - 1]])


def _bytes_before(text: str) -> Sequence[int]:
    return [*accumulate((len(char.encode("utf-8", "surrogatepass")) for char in text), initial=0)]


def tokens(text: str) -> Iterator[Token]:
    """All tokens of the text, with the comments before each."""
    lines, end, kind = Lines(text), 0, ""
    while kind not in {"end", "error"}:
        start, comments = _skipped(text, end)
        kind, token = _token(text, start, after_operand=kind in _BEFORE_AN_OPERATOR)
        yield Token(kind=kind, text=token, at=lines.position(start), comments=comments, glued=start == end)
        end = start + len(token)


def _skipped(text: str, start: int) -> tuple[int, Comments]:
    """The next token's offset, and the comments before it."""
    blocks: list[list[str]] = []
    while True:
        end = _SPACE.match(text, start).end()
        comment = _COMMENT.match(text, end)
        if comment is None:
            return end, tuple(tuple(block) for block in blocks)
        if not blocks or text.count("\n", start, end) > 1:
            blocks.append([])
        blocks[-1].append(comment[0].strip().removeprefix("//").removeprefix(" "))
        start = comment.end()


def _token(text: str, start: int, *, after_operand: bool) -> tuple[str, str]:
    """The kind and text of the token at `start`; of an error, the kind and the reason."""
    if start == len(text):
        return "end", ""
    if text[start].isalpha():
        return _word(text, start)
    if after_operand and (operator := _OPERATOR.match(text, start)):
        return operator[0], operator[0]
    return _number(text, start) or _quoted(text, start) or _mark(text[start])


def _word(text: str, start: int) -> tuple[str, str]:
    end = start + 1
    while end < len(text) and (text[end].isalpha() or text[end].isdecimal() or text[end] == "_"):
        end += 1
    word = text[start:end]
    if word == "lambda" and text.startswith(":", end):
        return "lambda", "lambda:"
    return (word if word in KEYWORDS else "identifier"), word


def _number(text: str, start: int) -> tuple[str, str] | None:
    number = _NUMBER.match(text, start)
    if number is None:
        return None
    if duration := _DURATION.match(text, start):
        return "duration", duration[0]
    return ("error", "multiple decimals in number") if number[1] else ("number", number[0])


def _quoted(text: str, start: int) -> tuple[str, str] | None:
    for opening, kind, pattern in _QUOTED:
        if text.startswith(opening, start):
            quoted = pattern.match(text, start)
            return (kind, quoted[0]) if quoted else ("error", f"unterminated {kind}")
    return None


def _mark(char: str) -> tuple[str, str]:
    if char in _PUNCTUATION:
        return char, char
    if char == "*":
        return "star", char
    instead = f"; did you mean {_INSTEAD[char]}?" if char in _INSTEAD else ""
    return "error", f"character {char!r}{instead}"
