"""What is wrong with a lambda whatever its points are is said when it is defined, with its place."""

from __future__ import annotations

import pytest
from pipeline_processing.tickscript.errors import TickError
from pipeline_processing.tickscript.lambdas import FUNCTIONS, compiled
from pipeline_processing.tickscript.parser import parse
from pipeline_processing.tickscript.syntax import Boolean, Duration, Float, Integer, Regex, String


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('sigmoid("v")', 'line 1 char 17: no global function "sigmoid" defined; did you mean "sigma"?'),
        ("abs()", "line 1 char 17: abs takes 1 arguments, got 0"),
        ("duration(1, 1s, 2)", "line 1 char 17: duration takes 1 or 2 arguments, got 3"),
        ('"v" > 1 + 2.0', "line 1 char 25: mismatched type to binary operator. got int + float"),
        ("'a' > 5", "line 1 char 21: mismatched type to binary operator. got string > int"),
        ('("v" > 1) + 1', "line 1 char 27: mismatched type to binary operator. got bool + int"),
        ('TRUE AND "v" > 1 AND 5', "line 1 char 34: mismatched type to binary operator. got bool AND int"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(TickError) as refused:
        compiled(parse(f"var x = lambda: {text}").statements[0].value)
    assert str(refused.value) == message


@pytest.mark.parametrize("text", ["int(3m)", "abs(3)", 'TRUE AND "i"', '"s" + 1', "!5", 'if(TRUE, 1, "i")'])
def test_what_kapacitor_finds_at_each_point_is_not_refused(text: str) -> None:
    compiled(parse(f"var x = lambda: {text}").statements[0].value)


def test_functions_are_computed_outside_of_lambdas() -> None:
    found = [
        FUNCTIONS["string"]([Integer(value=5)]),
        FUNCTIONS["float"]([String(value="2.5")]),
        FUNCTIONS["duration"]([Integer(value=2), Duration(value_ns=1_000)]),
        FUNCTIONS["regexReplace"]([Regex(written="a"), String(value="bab"), String(value="-")]),
        FUNCTIONS["if"]([Boolean(value=False), Integer(value=1), Integer(value=2)]),
    ]
    assert found == [
        String(value="5"),
        Float(value=2.5),
        Duration(value_ns=2_000),
        String(value="b-b"),
        Integer(value=2),
    ]


@pytest.mark.parametrize(
    ("name", "given"),
    [("int", [String(value="x")]), ("abs", [Integer(value=3)]), ("abs", []), ("strLength", [Regex(written="a")])],
)
def test_what_they_refuse_is_a_value_error(name: str, given: list[String]) -> None:
    with pytest.raises(ValueError, match=r"."):
        FUNCTIONS[name](given)


def test_what_needs_a_point_is_not_among_them() -> None:
    assert not {"count", "sigma", "spread", "now", "hour", "isPresent"} & FUNCTIONS.keys()
