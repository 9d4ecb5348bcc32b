"""Lambdas computed one row at a time in plain Python, as Kapacitor does it: what columns are compared with."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
from pipeline_processing.expressions.tree import Call, Chain, Constant, Field, Node, Unary

Typed = tuple[str, Any]
COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
SIGNATURES = {
    "bool": {("bool",): "bool", ("string",): "bool", ("int",): "bool", ("float",): "bool"},
    "int": {("bool",): "int", ("string",): "int", ("int",): "int", ("float",): "int"},
    "float": {("bool",): "float", ("string",): "float", ("int",): "float", ("float",): "float"},
    "string": {(kind,): "string" for kind in ("bool", "string", "int", "float", "duration")},
    "duration": {
        ("duration",): "duration",
        ("int", "duration"): "duration",
        ("float", "duration"): "duration",
        ("string", "duration"): "duration",
    },
    "abs": {("float",): "float"},
    "floor": {("float",): "float"},
    "max": {("float", "float"): "float"},
    "strLength": {("string",): "int"},
    "strToUpper": {("string",): "string"},
    "strContains": {("string", "string"): "bool"},
    "strReplace": {("string", "string", "string", "int"): "string"},
    "strSubstring": {("string", "int", "int"): "string"},
    "hour": {("time",): "int"},
    "unixNano": {("time",): "int"},
    "if": {("bool", kind, kind): kind for kind in ("int", "float", "string", "bool", "duration", "time")},
    "isPresent": {(kind,): "bool" for kind in ("missing", "bool", "string", "int", "float")},
    "count": {(): "int"},
    "sigma": {("float",): "float"},
    "spread": {("float",): "float"},
}


ALIKE = ("int", "float", "duration")
OPERATORS = {
    **{(sign, "bool", "bool"): "bool" for sign in ("AND", "OR", "==", "!=")},
    **{(sign, of, of): "bool" for sign in COMPARISONS for of in (*ALIKE, "string")},
    **{(sign, *of): "bool" for sign in COMPARISONS for of in (("int", "float"), ("float", "int"))},
    **{(sign, of, of): of for sign in "+-" for of in ALIKE},
    **{(sign, of, of): of for sign in "*/" for of in ("int", "float")},
    ("+", "string", "string"): "string",
    ("%", "int", "int"): "int",
    ("*", "duration", "int"): "duration",
    ("*", "int", "duration"): "duration",
    ("/", "duration", "int"): "duration",
    ("/", "duration", "duration"): "int",
    ("*", "duration", "float"): "duration",
    ("*", "float", "duration"): "duration",
    ("/", "duration", "float"): "duration",
}


class RowError(Exception):
    pass


class Running:
    """The state of one lambda and group."""

    def __init__(self) -> None:
        self.count = self.n = 0
        self.mean = self.squares = 0.0
        self.low, self.high = math.inf, -math.inf

    def call(self, name: str, x: float = 0.0) -> Any:
        if name == "count":
            self.count += 1
            return self.count
        if name == "spread":
            self.low, self.high = x if x < self.low else self.low, x if x > self.high else self.high
            return self.high - self.low
        self.n += 1
        delta = x - self.mean
        self.mean += delta / self.n
        self.squares += delta * (x - self.mean)
        variance = self.squares / (self.n - 1) if self.n > 1 else 0.0
        if variance == 0.0:
            return 0.0
        return abs(x - self.mean) / math.sqrt(variance) if variance > 0 else math.nan


def value_of(tree: Node, row: Mapping[str, Typed], state: dict[int, Running]) -> Typed | None:
    """The row's value; None where it is an error. `row` has its fields, tags and `time`; (kind, None) is null."""
    try:
        kind = _kind(tree, row)
        if kind in {"time", "missing", "regex"}:
            return None
        return kind, _value(tree, row, state)
    except RowError:
        return None


def _kind(node: Node, row: Mapping[str, Typed]) -> str:
    match node:
        case Constant(kind=kind):
            return kind
        case Field(name=name):
            kind = row.get(name, ("missing", None))[0]
            if kind == "null":
                raise RowError
            return kind
        case Unary(sign=sign, operand=operand):
            return "bool" if sign == "!" else _kind(operand, row)
        case Call(name=name, arguments=arguments):
            kinds = tuple(_kind(each, row) for each in arguments)
            if kinds not in SIGNATURES[name]:
                raise RowError
            return SIGNATURES[name][kinds]
        case Chain(first=first, rest=rest):
            if rest[0][0] in {"AND", "OR", *COMPARISONS}:
                return "bool"
            kind = _kind(first, row)
            for sign, operand in rest:
                kind = _operated(sign, kind, _kind(operand, row))
            return kind


def _operated(sign: str, left: str, right: str) -> str:
    if (sign, left, right) not in OPERATORS:
        raise RowError
    return OPERATORS[sign, left, right]


def _value(node: Node, row: Mapping[str, Typed], state: dict[int, Running]) -> Any:
    match node:
        case Constant(value=value):
            found = value.item() if hasattr(value, "item") else value
        case Field(name=name):
            found = row.get(name, ("missing", None))[1]
        case Unary():
            found = _signed(node, row, state)
        case Call():
            _kind(node, row)
            found = _called(node, row, [_value(each, row, state) for each in node.arguments], state)
        case Chain():
            found = _chain(node, row, state)
    return found


def _signed(node: Unary, row: Mapping[str, Typed], state: dict[int, Running]) -> Any:
    kind = _kind(node.operand, row)
    if kind == "missing" and node.sign == "-":
        return None
    if kind == "bool":
        return not _value(node.operand, row, state)
    if node.sign == "!" or kind not in ALIKE:
        raise RowError
    value = -_value(node.operand, row, state)
    return value if kind == "float" else _wrapped(value)


def _chain(node: Chain, row: Mapping[str, Typed], state: dict[int, Running]) -> Any:
    kind = _kind(node.first, row)
    kinds = []
    for sign, operand in node.rest:
        kinds.append((kind, _kind(operand, row)))
        kind = _operated(sign, *kinds[-1])
    value = _value(node.first, row, state)
    for (sign, operand), (left, right) in zip(node.rest, kinds, strict=True):
        if (sign, value) in {("AND", False), ("OR", True)}:
            return value
        value = _computed(sign, left, right, value, _value(operand, row, state))
    return value


def _computed(sign: str, left: str, right: str, a: Any, b: Any) -> Any:
    if sign in {"AND", "OR"}:
        return b
    if sign in COMPARISONS:
        a, b = (float(a), float(b)) if {left, right} == {"int", "float"} else (a, b)
        return COMPARISONS[sign](a, b)
    if left == "string":
        return a + b
    if "float" in {left, right}:
        found = _of_floats(sign, float(a), float(b))
        return found if left == right else _whole(found)
    if sign in {"/", "%"}:
        if b == 0:
            raise RowError
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return _wrapped(quotient if sign == "/" else a - b * quotient)
    return _wrapped({"+": operator.add, "-": operator.sub, "*": operator.mul}[sign](a, b))


def _of_floats(sign: str, a: float, b: float) -> float:
    if sign == "/" and b == 0:
        return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)
    return {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}[sign](a, b)


def _called(node: Call, row: Mapping[str, Typed], given: list[Any], state: dict[int, Running]) -> Any:
    kinds = tuple(_kind(each, row) for each in node.arguments)
    match node.name:
        case "count" | "sigma" | "spread":
            found = state.setdefault(node.scope, Running()).call(node.name, *given)
        case "if":
            found = given[1] if given[0] else given[2]
        case "isPresent":
            found = kinds[0] != "missing"
        case "bool" | "int" | "float" | "string" | "duration":
            found = _converted(node.name, kinds[0], given)
        case _:
            found = PLAIN[node.name](*given)
    return found


def _substring(text: str, start: int, stop: int) -> str:
    if not 0 <= start <= stop < len(text):
        raise RowError
    return text[start:stop]


def _max(x: float, y: float) -> float:
    if math.inf in {x, y}:
        return math.inf
    if math.isnan(x) or math.isnan(y):
        return math.nan
    return x + y if x == y == 0 else max(x, y)


PLAIN = {
    "abs": abs,
    "floor": lambda x: x if math.isnan(x) or math.isinf(x) else math.copysign(math.floor(x), x),
    "max": _max,
    "strLength": len,
    "strToUpper": str.upper,
    "strContains": lambda text, part: part in text,
    "strReplace": lambda text, old, new, count: text.replace(old, new, min(max(count, -1), 1000)),
    "strSubstring": _substring,
    "hour": lambda time_ns: time_ns // 3_600_000_000_000 % 24,
    "unixNano": lambda time_ns: time_ns,
}


def _converted(name: str, kind: str, given: list[Any]) -> Any:
    value = given[0]
    if name == "duration":
        return _duration(kind, *given)
    if name == "string":
        return WRITTEN.get(kind, str)(value)
    if name == "bool":
        known = {"bool": (True, False), "string": ("true", "false")}.get(kind, (1, 0))
        if value not in known:
            raise RowError
        return value == known[0]
    if kind == "string" and (not value.lstrip("-").isdecimal() or value.count("-") > 1):
        raise RowError
    if name == "float":
        return float(value)
    return _whole(value) if kind == "float" else int(value)


def _duration(kind: str, value: Any, unit_ns: int = 1) -> int:
    """No text of the trees is a duration."""
    if kind == "string":
        raise RowError
    return _whole(value * float(unit_ns)) if kind == "float" else _wrapped(value * unit_ns)


def _whole(value: float) -> int:
    return int(value) if abs(value) < 2.0**63 else -(2**63)


def _float_text(value: float) -> str:
    if math.isnan(value) or math.isinf(value):
        return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[str(value)]
    return np.format_float_positional(value, trim="-")


def _duration_text(value_ns: int) -> str:
    sign, left = ("-", -value_ns) if value_ns < 0 else ("", value_ns)
    if left == 0:
        return "0s"
    if left % 1_000_000:
        return f"{sign if left >= 1000 else ''}{left // 1000}u"
    left, unit = left // 1_000_000, "ms"
    for longer, count in (("s", 1000), ("m", 60), ("h", 60), ("d", 24), ("w", 7)):
        if left % count:
            break
        left, unit = left // count, longer
    return f"{sign}{left}{unit}"


WRITTEN = {"bool": lambda value: "true" if value else "false", "float": _float_text, "duration": _duration_text}


def _wrapped(value: int) -> int:
    return (value + 2**63) % 2**64 - 2**63
