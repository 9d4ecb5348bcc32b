"""What scripts of 0.10 become."""

from __future__ import annotations

import pytest
from pipeline_processing.tickscript.errors import TickError
from pipeline_processing.tickscript.upgrade import upgraded


def one_line(text: str) -> str:
    return " ".join(upgraded(text).split())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("stream.from().measurement('m').where(lambda: TRUE).window().period(1s)", "stream |from() .measurement('m') .where(lambda: TRUE) |window() .period(1s)"),
        ("stream.measurement('m').window().where(lambda: TRUE)", "stream |from() .measurement('m') |window() |where(lambda: TRUE)"),
        ("stream.window()", "stream |from() |window()"),
        ("stream.from().groupBy('a').groupBy('b').window().groupBy('c')", "stream |from() .groupBy('a') .groupBy('b') |window() |groupBy('c')"),
        ("var s = stream s.from()", "var s = stream s |from()"),
        ("var s = stream.from() s.measurement('m').eval(lambda: 1).as('x').log()", "var s = stream |from() s .measurement('m') |eval(lambda: 1) .as('x') |log()"),
        ("var a = stream.from() a.join(a.shift(1s)).as('x', 'y').fill(0.0)", "var a = stream |from() a |join(a |shift(1s)) .as('x', 'y') .fill(0.0)"),
        ("stream.from().alert().log('/x').slack().channel('#y').httpOut('z')", "stream |from() |alert() .log('/x') .slack() .channel('#y') |httpOut('z')"),
        ("stream.from().mapReduce(influxql.mean('x')).as('y').usePointTimes().httpOut('z')", "stream |from() |mean('x') .as('y') .usePointTimes() |httpOut('z')"),
        ("stream.from().mapReduce(influxql.top(2 - 1 - 1, 'x').as('y'))", "stream |from() |top(2 - (1 - 1), 'x') .as('y')"),
        ("batch.query('q').period(1m).mapReduce(influxql.sum('x'))", "batch |query('q') .period(1m) |sum('x')"),
        ("stream.from().smooth('x').factor(0.5).alert().id('y')", "stream |from() @smooth('x') .factor(0.5) |alert() .id('y')"),
        ("stream.from().deadman(0.0, 10s).crit(lambda: TRUE)", "stream |from() |deadman(0.0, 10s) .crit(lambda: TRUE)"),
        ("var a = 1 var b = a var a = a + 2 var c = a", "var a = 1 var b = a var a2 = a + 2 var c = a2"),
        ("var a = 1 var a2 = 2 var a = 3 var a = a", "var a = 1 var a2 = 2 var a3 = 3 var a4 = a3"),
        ("var a = 010 var b = 0.5", "var a = 10 var b = 0.5"),
        ("stream|from().where(lambda: 1 - 2 - 010 > 0)", "stream |from() .where(lambda: 1 - 2 - 010 > 0)"),
    ],
)  # fmt: skip
def test_a_script_is_upgraded(old: str, new: str) -> None:
    assert (one_line(old), one_line(upgraded(old))) == (new, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("10 - 2 - 3", "10 - (2 - 3)"),
        ("1 - 2 + 3 - 4", "1 - (2 + (3 - 4))"),
        ("a - b * c / d - e", "a - (b * (c / d) - e)"),
        ("(a - b - c) * 2", "(a - (b - c)) * 2"),
        ("a / -(b - c - d)", "a / -(b - (c - d))"),
        ("a AND b AND c OR d OR e", "a AND b AND c OR d OR e"),
        ("a == b != c", "a == (b != c)"),
        ("f(a - b - c)", "f(a - (b - c))"),
    ],
)
def test_equal_operators_keep_binding_from_the_right(old: str, new: str) -> None:
    assert one_line(f"x.where(lambda: {old})").removesuffix(")").partition("lambda: ")[2] == new


def test_comments_stay_with_what_they_are_about() -> None:
    old = "// what\nstream\n  // which\n  .measurement('m')\n  // how\n  .mapReduce(\n // of\ninfluxql.mean('x'))"
    assert upgraded(old) == (
        "// what\nstream\n    |from()\n        // which\n        .measurement('m')\n    // how\n\n    // of\n    |mean('x')\n"
    )


@pytest.mark.parametrize(
    ("old", "message"),
    [
        ("stream.from()\n.mapReduce('mean')", "line 2 char 2: mapReduce is upgraded when its argument is a call such as influxql.mean('x')"),
        ("var x = " + "1 - " * 60 + "1", "line 1 char 247: nested deeper than 50 levels; give a part of it a name with `var`"),
        ("stream.from(", "line 1 char 13: unexpected EOF; expected number, string, duration, identifier, reference, TRUE, FALSE, (, -, !"),
    ],
)  # fmt: skip
def test_what_cannot_be_upgraded_is_refused(old: str, message: str) -> None:
    with pytest.raises(TickError) as refused:
        upgraded(old)
    assert str(refused.value) == message


def test_what_chose_a_point_gives_the_value_alone_and_what_computed_one_is_left_as_it_is() -> None:
    text = (
        "stream.from().window().period(1s).every(1s).mapReduce(influxql.last('a').as('b')).mapReduce(influxql.sum('b'))"
    )
    assert upgraded(text).split("\n")[5:9] == [
        "    |last('a')",
        "        .as('b')",
        "        .alone()",
        "    |sum('b')",
    ]
