"""How a script is laid out."""

from __future__ import annotations

import pytest
from pipeline_processing.tickscript.errors import TickError
from pipeline_processing.tickscript.formatting import decoded, formatted
from pipeline_processing.tickscript.printer import printed, printed_expression
from pipeline_processing.tickscript.syntax import Declaration, Duration, Program, String


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("var x=1 var  y\nint", "var x = 1\n\nvar y int\n"),
        ('dbrp   "a"  . "b\\"c"', 'dbrp "a"."b\\"c"\n'),
        ("var x = 0600", "var x = 0600\n"),
        ("var x = 60s", "var x = 60s\n"),
        ("var x = .5 + 1.50 * 100000000000000000000000.", "var x = 0.5 + 1.5 * 100000000000000000000000.0\n"),
        ("var x = ['a',b , *,]", "var x = ['a', b, *]\n"),
        ("var x = ((1)+(-(2*3)))", "var x = (1 + -(2 * 3))\n"),
        ('f(lambda:(7-("load"))*((("used" % 2)))>=("max"))', 'f(lambda: (7 - "load") * ("used" % 2) >= "max")\n'),
        ("stream|window().period(10s).every(10s)@f()", "stream\n    |window()\n        .period(10s)\n        .every(10s)\n    @f()\n"),
        ("x|join(y|from().a('b'))", "x\n    |join(y\n            |from()\n                .a('b'))\n"),
        ("x.f(\n1, 'a')", "x\n        .f(\n            1,\n            'a'\n        )\n"),
        ("x.f(1,\nlambda:\n  \"a\")", "x\n        .f(\n            1,\n            lambda: \"a\"\n        )\n"),
        ("x|f(y|g(), 1)", "x\n    |f(\n        y\n            |g(),\n        1\n    )\n"),
        ("x.f('''a\n b''')", "x\n        .f('''a\n b''')\n"),
    ],
)  # fmt: skip
def test_a_script_is_laid_out(before: str, after: str) -> None:
    assert formatted(before) == after


def test_a_line_that_ends_at_an_operator_ends_there_and_so_do_those_after_it() -> None:
    before = 'f(lambda: ("a"\n> 1 AND "b") OR\n("c" OR "d"\n  OR "e" OR \'f\'))'
    assert formatted(before) == (
        'f(lambda: ("a" >\n        1 AND\n        "b") OR\n    ("c" OR "d" OR\n        "e" OR\n        \'f\'))\n'
    )


def test_comments_stand_above_what_they_are_about() -> None:
    before = """
//a
// b

//   c
var x = 1 // of x

stream
//d
|from() // e
    .f( // g
        'h', // i
        'j' // k
    )
// l
    """
    assert formatted(before) == (
        "// a\n// b\n\n//   c\nvar x = 1\n\n// of x\nstream\n    // d\n    |from()\n        // e\n        .f(\n"
        "            // g\n            'h',\n            // i\n            'j'\n        )\n\n// k\n\n// l\n\n"
    )


def test_a_comment_within_an_expression_stays_before_its_operand() -> None:
    assert formatted('f(lambda: \n// why\n"a" // how\n> 1)') == (
        'f(lambda: \n    // why\n    "a" >\n    // how\n    1)\n'
    )


def test_what_was_computed_is_printed_too() -> None:
    program = Program(
        statements=(
            Declaration(name="x", value=Duration(value_ns=90_000_000_000)),
            Declaration(name="y", value=String(value="a\\")),
        )
    )
    assert printed(program) == "var x = 90s\n\nvar y = '''a\\'''\n"
    assert printed_expression(Duration(value_ns=0)) == "0u"


def test_bytes_that_are_no_text_are_refused_with_their_place() -> None:
    with pytest.raises(TickError) as refused:
        decoded("stream\n // ü ".encode() + b"\xff")
    assert str(refused.value) == "line 2 char 8: byte 0xff is not UTF-8"
