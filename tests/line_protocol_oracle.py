"""Line protocol read slowly, byte by byte, by somebody who has not seen our parser: what lines mean.

In:   a body, the ns of its unit, now.
Out:  for each line that is a point: (name, tags, fields, time); and the numbers of the lines that are wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

Point: TypeAlias = tuple[bytes, dict[bytes, bytes], dict[str, tuple[str, Any]], int]
BLANKS = b" \t\0"
LIMIT = 2**63 - 2


class Wrong(Exception):
    pass


@dataclass
class Cursor:
    text: bytes
    at: int = 0

    def peek(self) -> bytes:
        return self.text[self.at : self.at + 1]

    def until(self, stops: bytes) -> bytes:
        """What comes before the first stop that no backslash precedes; the first byte is never a stop."""
        begin = self.at
        self.at += 1
        while self.at < len(self.text):
            if self.text[self.at] in stops and self.text[self.at - 1] != ord("\\"):
                break
            self.at += 1
        return self.text[begin : self.at]

    def skip_blanks(self) -> None:
        while self.peek() and self.peek() in BLANKS:
            self.at += 1


def meaning(body: bytes, unit_ns: int, now_ns: int) -> tuple[list[Point], list[int]]:
    points, wrong = [], []
    for number, line in lines(body):
        try:
            line.decode()
            points.append(point(line, unit_ns, now_ns - now_ns % unit_ns))
        except (Wrong, UnicodeDecodeError):
            wrong.append(number)
    return points, wrong


def lines(body: bytes) -> list[tuple[int, bytes]]:
    """Those that are no comments and not blank, without their ends, and the number of the first line of text of each."""
    found, at, number = [], 0, 1
    while at < len(body):
        end = at
        if body[at:].lstrip(BLANKS).startswith(b"#"):
            end = body.find(b"\n", at)
            end = len(body) if end < 0 else end
        else:
            end = line_end(body, at)
            line = body[at:end]
            line = line[:-1] if line.endswith(b"\r") else line
            if line.strip(BLANKS):
                found.append((number, line))
        number += body[at : end + 1].count(b"\n")
        at = end + 1
    return found


def line_end(body: bytes, at: int) -> int:
    quoted = after_space = False
    equals = commas = 0
    while at < len(body):
        byte = chr(body[at])
        if byte == "\\":
            at += 2
            continue
        if byte == " ":
            after_space = True
        if after_space and not quoted and byte == "=":
            equals += 1
        elif after_space and not quoted and byte == ",":
            commas += 1
        elif after_space and byte == '"' and equals > commas:
            quoted = not quoted
        elif byte == "\n" and not quoted:
            return at
        at += 1
    return len(body)


def point(line: bytes, unit_ns: int, now_ns: int) -> Point:
    here = Cursor(line)
    here.skip_blanks()
    key_begin = here.at
    name, tags = key(here)
    if here.at - key_begin > 65535:
        raise Wrong
    size = here.at - key_begin
    here.skip_blanks()
    fields: dict[str, tuple[str, Any]] = {}
    while True:
        field, value, length = one_field(here)
        if size + 4 + length > 65535:
            raise Wrong
        fields[field] = value
        if here.peek() != b",":
            break
        here.at += 1
    if here.peek() not in (b"", b" "):
        raise Wrong
    return unescaped(name, b',"= '), tags, fields, moment(here, unit_ns, now_ns)


def key(here: Cursor) -> tuple[bytes, dict[bytes, bytes]]:
    if here.peek() in (b"", b","):
        raise Wrong
    name, tags = here.until(b", "), {}
    while here.peek() == b",":
        here.at += 1
        if here.peek() in (b"", b" ", b",", b"="):
            raise Wrong
        tag = unescaped(here.until(b",= "), b",= ")
        if here.peek() != b"=":
            raise Wrong
        here.at += 1
        if here.peek() in (b"", b" ", b","):
            raise Wrong
        value = here.until(b",= ")
        if here.peek() == b"=" or tag in tags:
            raise Wrong
        tags[tag] = unescaped(value, b",= ")
    if here.peek() != b" ":
        raise Wrong
    return name, tags


def one_field(here: Cursor) -> tuple[str, tuple[str, Any], int]:
    begin = here.at
    while here.peek() and here.peek() not in (b"=", b",", b" "):
        here.at += 2 if here.peek() == b"\\" and here.at + 1 < len(here.text) else 1
    name = here.text[begin : here.at]
    if here.peek() != b"=" or not name or name.endswith(b"\\"):
        raise Wrong
    here.at += 1
    value = string(here) if here.peek() == b'"' else word(here)
    return unescaped(name, b',"= ').decode(), value, len(name)


def string(here: Cursor) -> tuple[str, Any]:
    here.at += 1
    begin = here.at
    while here.peek() != b'"':
        if not here.peek():
            raise Wrong
        here.at += 2 if here.peek() == b"\\" else 1
    inside = here.text[begin : here.at]
    here.at += 1
    return "string", unescaped(inside, b'\\"').decode()


def word(here: Cursor) -> tuple[str, Any]:
    begin = here.at
    while here.peek() and here.peek() not in (b",", b" "):
        here.at += 1
    text = here.text[begin : here.at]
    if text in (b"t", b"T", b"true", b"True", b"TRUE"):
        return "bool", True
    if text in (b"f", b"F", b"false", b"False", b"FALSE"):
        return "bool", False
    if re.fullmatch(rb"-?\d+i", text) and -(2**63) <= int(text[:-1]) < 2**63:
        return "int", int(text[:-1])
    shape = re.fullmatch(rb"(-?)(\d*)(\.?)(\d*)([eE][-+]?\d+)?", text)
    if shape is None or not shape[2] + shape[4]:
        raise Wrong
    return "float", nearest(text)


def nearest(text: bytes) -> float:
    """The float next to the decimal number."""
    exponent = int(text.lower().partition(b"e")[2] or 0)
    if abs(exponent) > 400:
        mantissa = text.lower().partition(b"e")[0]
        if exponent > 0 and mantissa.strip(b"-0."):
            raise Wrong
        return -0.0 if text.startswith(b"-") else 0.0
    try:
        value = float(Fraction(text.decode()))
    except OverflowError:
        raise Wrong from None
    return -abs(value) if text.startswith(b"-") else value


def moment(here: Cursor, unit_ns: int, now_ns: int) -> int:
    here.skip_blanks()
    rest = here.text[here.at :]
    if not rest:
        return now_ns
    if not re.fullmatch(rb"-?\d+ *", rest) or len(rest.rstrip(b" ")) > 40 or abs(int(rest) * unit_ns) > LIMIT:
        raise Wrong
    return int(rest) * unit_ns


def unescaped(text: bytes, escapable: bytes) -> bytes:
    out, at = bytearray(), 0
    while at < len(text):
        if text[at] == ord("\\") and at + 1 < len(text) and text[at + 1] in escapable:
            at += 1
        out.append(text[at])
        at += 1
    return bytes(out)
