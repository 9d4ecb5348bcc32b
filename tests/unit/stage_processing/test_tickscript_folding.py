"""What operators on literals come to: Go's numbers, by hand."""

from __future__ import annotations

import math

import pytest
from pipeline_processing.tickscript.calls import Script
from pipeline_processing.tickscript.errors import WrongOperands
from pipeline_processing.tickscript.evaluate import evaluate
from pipeline_processing.tickscript.parser import parse
from pipeline_processing.tickscript.syntax import Boolean, Duration, Float, Integer, Node, String
from tickscript_words import WORDS


def computed(expression: str) -> Script:
    return evaluate(parse(f"stream|from().measurement({expression})"), WORDS)


def folded(expression: str) -> Node:
    return computed(expression).calls[1].properties[0].arguments[0]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("7 / -2", -3),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        ("9223372036854775807 + 1", -(2**63)),
        ("-9223372036854775807 - 2", 2**63 - 1),
        ("4611686018427387904 * 4", 0),
        ("-(-9223372036854775807 - 1)", -(2**63)),
        ("010 + 1", 9),
        ("1m / 25s", 2),
        ("10 - 2 - 3", 5),
    ],
)
def test_integers(expression: str, value: int) -> None:
    assert folded(expression) == Integer(value=value)


@pytest.mark.parametrize(
    ("expression", "value"),
    [("7.0 / 2.0", 3.5), ("1.0 / 0.0", math.inf), ("-1.0 / 0.0", -math.inf), ("1.0 / -0.0", -math.inf), ("-.5 * 3.", -1.5)],
)  # fmt: skip
def test_floats(expression: str, value: float) -> None:
    assert folded(expression) == Float(value=value)


def test_nothing_divided_by_nothing_is_no_number() -> None:
    assert math.isnan(folded("0.0 / 0.0").value)


@pytest.mark.parametrize(
    ("expression", "value_ns"),
    [
        ("1s + 1ms", 1_001_000_000),
        ("1s - 1m", -59_000_000_000),
        ("-10s", -10_000_000_000),
        ("10s * 3", 30_000_000_000),
        ("3 * 10s", 30_000_000_000),
        ("10s / 4", 2_500_000_000),
        ("1u / 3", 333),
        ("10s * 0.25", 2_500_000_000),
        ("0.25 * 10s", 2_500_000_000),
        ("10s / 4.0", 2_500_000_000),
    ],
)
def test_durations(expression: str, value_ns: int) -> None:
    assert folded(expression) == Duration(value_ns=value_ns)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 < 2.5", True),
        ("2 == 2.0", True),
        ("'a' < 'b'", True),
        ("'a' == 'b'", False),
        ("60s >= 1m", True),
        ("60s != 1m", False),
        ("TRUE == FALSE", False),
        ("TRUE AND !FALSE", True),
        ("FALSE OR 1 > 2", False),
        ("'host1' =~ /^host\\d$/", True),
        ("'host1' !~ /host/", False),
    ],
)
def test_truths(expression: str, value: bool) -> None:
    assert folded(expression) == Boolean(value=value)


def test_strings_are_joined() -> None:
    assert folded("'a' + 'b' + '''c\\'''") == String(value="abc\\")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1 / 0", "char 29: division by zero"),
        ("1 % 0", "char 29: division by zero"),
        ("1s / 0s", "char 30: division by zero"),
        ("1s / 0", "char 30: division by zero"),
        ("1w * 1000000000.0", "char 30: the duration is beyond 64 bits"),
        ("1s * (0.0 / 0.0)", "char 30: the duration is beyond 64 bits"),
        ("5.0 % 2.0", "char 31: mismatched type to binary operator. got float % float"),
        ("'a' + 1", "char 31: mismatched type to binary operator. got string + int"),
        ("'a' - 'b'", "char 31: mismatched type to binary operator. got string - string"),
        ("1 AND TRUE", "char 29: mismatched type to binary operator. got int AND bool"),
        ("TRUE < FALSE", "char 32: mismatched type to binary operator. got bool < bool"),
        ("1s + 1", "char 30: mismatched type to binary operator. got duration + int"),
        ("!1", "char 27: invalid argument to '!': int"),
        ("-'a'", "char 27: invalid argument to '-': string"),
    ],
)
def test_what_cannot_be_computed_is_refused(expression: str, message: str) -> None:
    with pytest.raises(WrongOperands) as refused:
        computed(expression)
    assert str(refused.value) == f"line 1 {message}"
