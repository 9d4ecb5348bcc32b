"""Literals: from a token's text to its value, and back.

Refuses: numbers and durations beyond 64 bits, a digit that its base does not have, regular expressions that RE2 refuses (BadLiteral).
An integer with a leading zero is octal, but in the 0.10 dialect.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal

from pipeline_processing.tickscript.errors import BadLiteral
from pipeline_processing.tickscript.regexes import fault
from pipeline_processing.tickscript.syntax import (
    Boolean,
    Duration,
    Float,
    Integer,
    Literal,
    Node,
    Position,
    Reference,
    Regex,
    Star,
    String,
)
from pipeline_processing.tickscript.tokens import Token

INT_MAX = 2**63 - 1
UNIT_NS = {
    "w": 604_800_000_000_000,
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "u": 1_000,
    "µ": 1_000,
}


def number(text: str, at: Position) -> Integer | Float:
    octal = text.startswith("0") and len(text) > 1
    return (
        decimal_number(text, at)
        if "." in text or not octal
        else Integer(value=_integer(text, 8, at), octal=True, at=at)
    )


def decimal_number(text: str, at: Position) -> Integer | Float:
    """A number of the 0.10 dialect, in which a leading zero means nothing."""
    if "." not in text:
        return Integer(value=_integer(text, 10, at), at=at)
    value = float(text)
    if math.isinf(value):
        raise BadLiteral(f"{_short(text)} is beyond what a float holds", at=at)
    return Float(value=value, at=at)


def duration(text: str, at: Position) -> Duration:
    count, unit = re.fullmatch(r"([0-9]+)(\D+)", text).groups()
    value_ns = _integer(count, 10, at) * UNIT_NS[unit]
    if value_ns > INT_MAX:
        raise BadLiteral(f"{text} is longer than 292 years", at=at)
    return Duration(value_ns=value_ns, written=text, at=at)


def string(text: str, at: Position) -> String:
    if text.startswith("'''"):
        return String(value=text[3:-3], raw=True, at=at)
    return String(value=text[1:-1].replace("\\'", "'"), at=at)


def reference(text: str, at: Position) -> Reference:
    return Reference(name=text[1:-1].replace('\\"', '"'), at=at)


def regex(text: str, at: Position) -> Regex:
    found = Regex(written=text[1:-1], at=at)
    if reason := fault(found.pattern):
        raise BadLiteral(f"error parsing regexp: {reason}", at=at)
    return found


READERS: dict[str, Callable[[str, Position], Node]] = {
    "number": number,
    "duration": duration,
    "string": string,
    "reference": reference,
    "regex": regex,
    "star": lambda text, at: Star(at=at),
    "TRUE": lambda text, at: Boolean(value=True, at=at),
    "FALSE": lambda text, at: Boolean(value=False, at=at),
}
READERS_010 = READERS | {"number": decimal_number}


def read(token: Token, readers: dict[str, Callable[[str, Position], Node]]) -> Literal | Reference:
    return readers[token.kind](token.text, token.at)


def written(node: Literal | Reference) -> str:
    """The literal as it stands in a script."""
    match node:
        case Integer() | Float() | Duration():
            text = _written_number(node)
        case Boolean():
            text = str(node.value).upper()
        case String() if node.raw or node.value.endswith("\\"):
            text = f"'''{node.value}'''"
        case String():
            text = "'" + node.value.replace("'", "\\'") + "'"
        case Reference():
            text = '"' + node.name.replace('"', '\\"') + '"'
        case Regex():
            text = f"/{node.written}/"
        case Star():
            text = "*"
    return text


def _written_number(node: Integer | Float | Duration) -> str:
    match node:
        case Integer(octal=True):
            return f"0{node.value:o}"
        case Integer():
            return str(node.value)
        case Duration():
            return node.written or _of_largest_unit(node.value_ns)
    digits = format(Decimal(repr(node.value)), "f")
    return digits if "." in digits else f"{digits}.0"


def _of_largest_unit(value_ns: int) -> str:
    unit = next((unit for unit, ns in UNIT_NS.items() if value_ns and value_ns % ns == 0), "u")
    return f"{value_ns // UNIT_NS[unit]}{unit}"


def _integer(digits: str, base: int, at: Position) -> int:
    if base == 8 and (wrong := re.search("[89]", digits)):
        raise BadLiteral(f"illegal number {_short(digits)}: a leading zero means octal, which has no {wrong[0]}", at=at)
    if len(digits) > 64 or (value := int(digits, base)) > INT_MAX:
        raise BadLiteral(f"{_short(digits)} is more than 64 bits hold", at=at)
    return value


def _short(digits: str) -> str:
    return digits if len(digits) <= 40 else f"{digits[:40]}.."
