"""Functions that make one type of another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline_processing.expressions.distinct import by_value
from pipeline_processing.expressions.formats import (
    bool_of,
    bytes_text,
    duration_of,
    duration_text,
    float_of,
    float_text,
    int_of,
)
from pipeline_processing.expressions.function import Function
from pipeline_processing.expressions.operations import whole
from pipeline_processing.expressions.rows import Rows, Value
from pipeline_processing.expressions.tree import Kind

_TEXTS = {
    "int": str,
    "float": float_text,
    "bool": lambda value: "true" if value else "false",
    "duration": duration_text,
}


def to_bool(rows: Rows, arguments: Sequence[Value], kinds: Sequence[Kind]) -> Value:
    (value,) = arguments
    if kinds[0] == "string":
        return by_value(rows, bool_of, arguments, "bool")
    if kinds[0] != "bool":
        rows.fail((value != 0) & (value != 1), "bool: a number is neither 0 nor 1")
    return value == 1


def to_int(rows: Rows, arguments: Sequence[Value], kinds: Sequence[Kind]) -> Value:
    (value,) = arguments
    if kinds[0] == "string":
        return by_value(rows, int_of, arguments, "int")
    return whole(value) if kinds[0] == "float" else value.astype(np.int64)


def to_float(rows: Rows, arguments: Sequence[Value], kinds: Sequence[Kind]) -> Value:
    (value,) = arguments
    return by_value(rows, float_of, arguments, "float") if kinds[0] == "string" else value.astype(np.float64)


def to_string(rows: Rows, arguments: Sequence[Value], kinds: Sequence[Kind]) -> Value:
    if kinds[0] == "string":
        return arguments[0]
    return by_value(rows, _TEXTS[kinds[0]], arguments, "string")


def to_duration(rows: Rows, arguments: Sequence[Value], kinds: Sequence[Kind]) -> Value:
    """Of a number of units; a text names its own, whatever unit is given."""
    if kinds[0] == "string":
        return by_value(rows, duration_of, arguments[:1], "duration")
    if kinds[0] == "duration":
        return arguments[0]
    value, unit_ns = arguments
    return whole(value * unit_ns) if kinds[0] == "float" else value * unit_ns


def human_bytes(rows: Rows, arguments: Sequence[Value], kinds: Sequence[Kind]) -> Value:
    """Numbers below zero count as what 64 bits without a sign make of them."""
    (value,) = arguments
    if kinds[0] == "int":
        return by_value(rows, lambda size: bytes_text(size % 2**64), [value], "string")
    return by_value(rows, lambda size: bytes_text(_unsigned(size)), [value], "string")


def _unsigned(size: float) -> int:
    """As Go's uint64 of a float on amd64."""
    if -(2.0**63) < size < 2.0**64:
        return int(size) % 2**64
    return 2**63


CONVERSIONS = {
    "bool": Function({(kind,): "bool" for kind in ("bool", "string", "int", "float")}, to_bool, fails=True),
    "int": Function({(kind,): "int" for kind in ("bool", "string", "int", "float")}, to_int, fails=True),
    "float": Function({(kind,): "float" for kind in ("bool", "string", "int", "float")}, to_float, fails=True),
    "string": Function({(kind,): "string" for kind in ("bool", "string", "int", "float", "duration")}, to_string),
    "duration": Function(
        {
            ("duration",): "duration",
            ("int", "duration"): "duration",
            ("float", "duration"): "duration",
            ("string", "duration"): "duration",
        },
        to_duration,
        fails=True,
    ),
    "humanBytes": Function({("float",): "string", ("int",): "string"}, human_bytes),
}
