"""One line of line protocol, read exactly: those that the tokenizer leaves, and why a line is refused.

In:      a line without its newline.
Out:     the series as written and as it is called, the fields in order, the time in the line's own unit.
Refuses: (BadLine) what InfluxDB refuses, in its words; and what InfluxDB takes and garbles: text after a closing quote, a
         field's name that ends with a backslash.
From:    InfluxDB's models/points.go, `ParsePointsWithPrecision`.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline_queue.points.numbers import BOOL, FLOAT, INT, STRING
from pipeline_queue.points.series_key import read, unescaped_name, written

KEY_BYTES_MAX = 65_535
TIME_MAX_NS = 2**63 - 2
_BLANKS = b" \t\0"
_IN_NAME = re.compile(rb"(?<!\\)[, ]")
_IN_TAG = re.compile(rb"(?<!\\)[,= ]")
_FIELD_NAME = re.compile(rb"(?:\\.|[^,= ])*", re.S)
_STRING = re.compile(rb'"((?:\\.|[^"\\])*)"', re.S)
_OTHER = re.compile(rb"[^, ]*")
_INT = re.compile(rb"-?[0-9]+i")
_FLOAT = re.compile(rb"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BOOLEANS = {
    **dict.fromkeys((b"t", b"T", b"true", b"True", b"TRUE"), 1),
    **dict.fromkeys((b"f", b"F", b"false", b"False", b"FALSE"), 0),
}


class BadLine(Exception):
    """Why."""


@dataclass(frozen=True, slots=True)
class Field:
    """`bits` are an integer, 0 or 1, or a float's bits; of a string they are its length, and `begin` its place."""

    name: bytes
    kind: int
    bits: int
    begin: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    prefix: bytes
    key: bytes
    fields: dict[bytes, Field]
    """The last of each name."""
    time: int | None


def is_empty(line: bytes) -> bool:
    """Whether there is no point in it, and nothing wrong."""
    line = line.removesuffix(b"\r").lstrip(_BLANKS)
    return not line or line.startswith(b"#")


def read_line(line: bytes) -> Line:
    """Raises BadLine."""
    line = line.removesuffix(b"\r")
    begin = len(line) - len(line.lstrip(_BLANKS))
    end = _key_end(line, begin)
    prefix = line[begin:end]
    if len(prefix) > KEY_BYTES_MAX:
        raise BadLine(f"max key length exceeded: {len(prefix)} > {KEY_BYTES_MAX}")
    name, tags = read(prefix)
    if len({key for key, _ in tags}) < len(tags):
        raise BadLine("duplicate tags")
    fields, at = {}, end
    for field, name_bytes, field_end in _fields(line, _blanks_end(line, end)):
        if (size := len(prefix) + 4 + name_bytes) > KEY_BYTES_MAX:
            raise BadLine(f"max key length exceeded: {size} > {KEY_BYTES_MAX}")
        fields[field.name], at = field, field_end
    return Line(prefix, written(name, tags), fields, _time(line[at:].lstrip(_BLANKS)))


def in_ns(time: int, multiplier: int) -> int:
    """Raises BadLine for a time beyond what 64 bits hold."""
    if abs(time * multiplier) > TIME_MAX_NS:
        raise BadLine(f"time outside range {-TIME_MAX_NS} - {TIME_MAX_NS}")
    return time * multiplier


def _blanks_end(line: bytes, at: int) -> int:
    return len(line) - len(line[at:].lstrip(_BLANKS))


def _key_end(line: bytes, begin: int) -> int:
    if line[begin : begin + 1] in (b"", b","):
        raise BadLine("missing measurement")
    stop = _IN_NAME.search(line, begin + 1)
    while stop and stop.group() == b",":
        stop = _tag(line, stop.end())
    if stop is None:
        raise BadLine("missing fields")
    return stop.start()


def _tag(line: bytes, at: int) -> re.Match[bytes] | None:
    """What follows the tag that begins at `at`."""
    if line[at : at + 1] in (b"", b" ", b",", b"="):
        raise BadLine("missing tag key")
    equals = _IN_TAG.search(line, at + 1)
    if equals is None or equals.group() != b"=" or line[equals.end() : equals.end() + 1] in (b"", b",", b" "):
        raise BadLine("missing tag value")
    stop = _IN_TAG.search(line, equals.end() + 1)
    if stop and stop.group() == b"=":
        raise BadLine("invalid tag format")
    return stop


def _fields(line: bytes, at: int) -> Iterator[tuple[Field, int, int]]:
    """Each field, the length of its name as written, and where its value ends."""
    while True:
        name = _FIELD_NAME.match(line, at)
        assert name is not None  # it may be empty
        if line[name.end() : name.end() + 1] != b"=" or name.group().endswith(b"\\"):
            raise BadLine("invalid field format")
        if not name.group():
            raise BadLine("missing field key")
        if line[name.end() + 1 : name.end() + 2] in (b"", b",", b" "):
            raise BadLine("missing field value")
        kind, bits, at, end = _value(line, name.end() + 1)
        yield Field(unescaped_name(name.group()), kind, bits, at), len(name.group()), end
        if line[end : end + 1] in (b"", b" "):
            return
        at = end + 1


def _value(line: bytes, at: int) -> tuple[int, int, int, int]:
    """(kind, bits, where a string's text begins, where the value ends)."""
    if line[at : at + 1] == b'"':
        string = _STRING.match(line, at)
        if string is None:
            raise BadLine("unbalanced quotes")
        if line[string.end() : string.end() + 1] not in (b"", b",", b" "):
            raise BadLine("invalid field format")
        return STRING, len(string.group(1)), string.start(1), string.end()
    other = _OTHER.match(line, at)
    assert other is not None  # it may be empty
    if line[at : at + 1] in b"0123456789.-Nn":
        return *_number(other.group()), 0, other.end()
    if other.group() not in _BOOLEANS:
        raise BadLine("invalid boolean")
    return BOOL, _BOOLEANS[other.group()], 0, other.end()


def _number(text: bytes) -> tuple[int, int]:
    if _INT.fullmatch(text):
        digits = text[:-1]
        if len(digits) > 20 + digits.count(b"0") or not -(2**63) <= int(digits) < 2**63:
            raise BadLine(f"unable to parse integer {digits[:40].decode()}: value out of range")
        return INT, int(digits)
    if not _FLOAT.fullmatch(text):
        raise BadLine("invalid number")
    if math.isinf(value := float(text)):
        raise BadLine("invalid float")
    return FLOAT, struct.unpack("<q", struct.pack("<d", value))[0]


def _time(text: bytes) -> int | None:
    if not text:
        return None
    time, _, rest = text.partition(b" ")
    if not time.removeprefix(b"-").isdigit():
        raise BadLine("bad timestamp")
    if rest.strip(b" "):
        raise BadLine("point is invalid")
    if len(time) > 40:
        raise BadLine(f"time outside range {-TIME_MAX_NS} - {TIME_MAX_NS}")
    return int(time)
