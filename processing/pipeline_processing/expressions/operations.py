"""Operators on columns, as Go computes: integers have 64 bits and wrap, division truncates, a float's by zero is infinite.

`OPERATIONS` says which types an operator takes; on others it is an error. Integers and floats are compared, but not added.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_processing.expressions.regexes import matched
from pipeline_processing.expressions.rows import Coded, Rows, Value, column, varies
from pipeline_processing.expressions.tree import Kind

INT_MIN = -(2**63)
BY_ZERO = "integer divide by zero"


@dataclass(frozen=True, slots=True)
class Operation:
    """`fails` if it can be an error for some rows and not for others."""

    kind: Kind
    compute: Callable[[Rows, Value, Value], Value]
    fails: bool = False


def whole(value: Any) -> Any:
    """Floats cut to integers; what 64 bits do not hold is the least integer, as on the processors that Go ran on."""
    inside = np.abs(value) < 2.0**63
    return np.where(inside, np.where(inside, value, 0.0).astype(np.int64), INT_MIN)


def quotient(rows: Rows, left: Any, right: Any) -> Any:
    right = _divisor(rows, right)
    return (left - np.fmod(left, right)) // right


def remainder(rows: Rows, left: Any, right: Any) -> Any:
    return np.fmod(left, _divisor(rows, right))


def _divisor(rows: Rows, right: Any) -> Any:
    zero = right == 0
    if not zero.any():
        return right
    rows.fail(zero, BY_ZERO)
    return np.where(zero, 1, right)


def joined(rows: Rows, left: Value, right: Value) -> Value:
    """Texts one after the other."""
    for one, other, order in ((left, right, 1), (right, left, -1)):
        if isinstance(one, Coded) and not varies(other) and len(one.values) <= rows.count:
            return Coded(one.values + other if order == 1 else other + one.values, one.codes)
    return _texts(rows, left) + _texts(rows, right)


def _texts(rows: Rows, value: Value) -> Any:
    return column(value, rows.count, object) if varies(value) else value


def _text_comparison(compare: Callable[[Any, Any], Any]) -> Callable[[Rows, Value, Value], Value]:
    def compared(rows: Rows, left: Value, right: Value) -> Value:
        for one, other in ((left, right), (right, left)):
            if isinstance(one, Coded) and not varies(other) and len(one.values) <= rows.count:
                found = compare(one.values, other) if one is left else compare(other, one.values)
                return found.astype(bool)[one.codes]
        found = compare(_texts(rows, left), _texts(rows, right))
        return found.astype(bool) if varies(found) else np.bool_(found)

    return compared


def _plain(compute: Callable[[Any, Any], Any]) -> Callable[[Rows, Value, Value], Value]:
    return lambda rows, left, right: compute(left, right)


_COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NUMBERS = (("int", "int"), ("int", "float"), ("float", "int"), ("float", "float"), ("duration", "duration"))
_ALIKE = {"+": operator.add, "-": operator.sub}
_TIMES = _plain(operator.mul)
_WHOLE_TIMES = _plain(lambda left, right: whole(left * right))

OPERATIONS: dict[tuple[str, Kind, Kind], Operation] = {
    ("AND", "bool", "bool"): Operation("bool", _plain(operator.and_)),
    ("OR", "bool", "bool"): Operation("bool", _plain(operator.or_)),
    ("==", "bool", "bool"): Operation("bool", _plain(operator.eq)),
    ("!=", "bool", "bool"): Operation("bool", _plain(operator.ne)),
    ("=~", "string", "regex"): Operation("bool", matched),
    ("!~", "string", "regex"): Operation("bool", lambda rows, left, right: ~matched(rows, left, right)),
    **{(sign, *kinds): Operation("bool", _plain(each)) for sign, each in _COMPARISONS.items() for kinds in _NUMBERS},
    **{(sign, "string", "string"): Operation("bool", _text_comparison(each)) for sign, each in _COMPARISONS.items()},
    **{
        (sign, kind, kind): Operation(kind, _plain(each))
        for sign, each in _ALIKE.items()
        for kind in ("float", "int", "duration")
    },
    ("*", "float", "float"): Operation("float", _TIMES),
    ("*", "int", "int"): Operation("int", _TIMES),
    ("*", "duration", "int"): Operation("duration", _TIMES),
    ("*", "int", "duration"): Operation("duration", _TIMES),
    ("*", "duration", "float"): Operation("duration", _WHOLE_TIMES),
    ("*", "float", "duration"): Operation("duration", _WHOLE_TIMES),
    ("/", "float", "float"): Operation("float", _plain(operator.truediv)),
    ("/", "int", "int"): Operation("int", quotient, fails=True),
    ("/", "duration", "int"): Operation("duration", quotient, fails=True),
    ("/", "duration", "duration"): Operation("int", quotient, fails=True),
    ("/", "duration", "float"): Operation("duration", _plain(lambda left, right: whole(left / right))),
    ("%", "int", "int"): Operation("int", remainder, fails=True),
    ("+", "string", "string"): Operation("string", joined),
}
CONDITIONS = frozenset({"AND", "OR", "=~", "!~", *_COMPARISONS})
"""The operators whose result is a bool, whatever they are given."""
