"""Lambdas over columns. What is expected was answered by Kapacitor 1.5.9's own evaluator, or is by hand."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from columns import frame_of, values_of
from pipeline_processing.expressions import Expression
from pipeline_processing.expressions.compiled import Compiled
from pipeline_processing.points.keys import Keys
from pipeline_processing.tickscript.lambdas import compiled
from pipeline_processing.tickscript.parser import parse

POINT: dict[str, Any] = {
    "fields": {
        "i": ("int", 7),
        "f": ("float", 2.5),
        "s": ("string", "Héllo"),
        "b": ("bool", True),
        "d": ("duration", 90_000_000_000),
        "nothing": ("null", None),
    },
    "tags": {"host": "a"},
    "time_ns": 1_582_934_399_000_000_005,  # a Friday, 2020-02-28T23:59:59Z
}


def expression(text: str) -> Compiled:
    return compiled(parse(f"var x = lambda: {text}").statements[0].value)


def evaluated(text: str, points: list[dict[str, Any]]) -> list[Any]:
    made, keys = expression(text), Keys()
    found = made.evaluate(frame_of(points, keys), made.initial(), 2_000, keys)
    return values_of(found, len(points))


def value(text: str) -> Any:
    """The value for one point; None where it is an error. What comes of constants alone must come of columns too."""
    return evaluated(text, [POINT])[0]


def series_of(**columns: list[Any]) -> list[dict[str, Any]]:
    kinds = {int: "int", float: "float", str: "string", bool: "bool"}
    rows = zip(*columns.values(), strict=True)
    return [
        {"fields": {n: (kinds[type(v)], v) for n, v in zip(columns, row, strict=True) if v is not None}} for row in rows
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"i" + 5', ("int", 12)),
        ("-7 / 2", ("int", -3)),
        ('-"i" % 4', ("int", -3)),
        ('"i" % -4', ("int", 3)),
        ('9223372036854775807 + "i"', ("int", -(2**63) + 6)),
        ('("i" - 9223372036854775807 - 8) / -1', ("int", -(2**63))),
        ('"i" / ("i" - "i")', None),
        ('"i" % 0', None),
        ('"f" / 0.0', ("float", math.inf)),
        ('"i" * 2.0', None),
        ('"i" == 7.0', ("bool", True)),
        ("9007199254740993 == 9007199254740992.0", ("bool", True)),
        ('"f" >= 2', ("bool", True)),
        ('"s" + "host" + \'x\'', ("string", "Hélloax")),
        ('"host" < "s"', ("bool", False)),
        ("'z' > \"host\"", ("bool", True)),
        ('"s" + 1', None),
        ('"b" > FALSE', None),
        ('"b" == TRUE', ("bool", True)),
        ('"d" - 100s', ("duration", -10_000_000_000)),
        ('"d" / 7s', ("int", 12)),
        ('"d" * 1.5', ("duration", 135_000_000_000)),
        ('"d" / 0s', None),
        ('"d" / 0.0', ("duration", -(2**63))),
        ('10 / "d"', None),
        ('"d" > 1m', ("bool", True)),
        ('-"d"', ("duration", -90_000_000_000)),
        ('-"b"', ("bool", False)),
        ('-"s"', None),
        ('!"i"', None),
        ('"time" < now()', None),
        ('"time"', None),
        ('"s" =~ /(?i)h.*O$/', ("bool", True)),
        ('"s" !~ /^l/', ("bool", True)),
        ('"host" =~ /b/', ("bool", False)),
        ('"s" =~ "s"', None),
    ],
)
def test_operators_compute_as_go_does(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bool('T')", ("bool", True)),
        ("bool('yes')", None),
        ("bool(-0.0)", ("bool", False)),
        ('bool("i")', None),
        ("int('+5')", ("int", 5)),
        ("int('1_000')", None),
        ("int('9223372036854775808')", None),
        ("int(-2.9)", ("int", -2)),
        ('int("f" / 0.0)', ("int", -(2**63))),
        ("int(3m)", None),
        ('float("b")', ("float", 1.0)),
        ("float('0x1p-2')", ("float", 0.25)),
        ("float('1_0.5')", ("float", 10.5)),
        ("float('1_e5')", None),
        ("float('-Infinity')", ("float", -math.inf)),
        ("float('1e400')", None),
        ("float('٣')", None),
        ('string(-0.0 * "f")', ("string", "-0")),
        ("string(1.0 / 3.0)", ("string", "0.3333333333333333")),
        ("string(123456789012345680.0)", ("string", "123456789012345680")),
        ("string(-0.000000123)", ("string", "-0.000000123")),
        ('string("f" / 0.0)', ("string", "+Inf")),
        ('string("b")', ("string", "true")),
        ("string(-90s)", ("string", "-90s")),
        ("string(2w)", ("string", "2w")),
        ("string(duration(-1501, 1u) / 10)", ("string", "-150u")),
        ("string(duration(9223372036854775, 1u))", ("string", "9223372036854775u")),
        ('duration("i", 1m)', ("duration", 420_000_000_000)),
        ("duration(1.5, 1s)", ("duration", 1_500_000_000)),
        ("duration('-1h30m', 1s)", ("duration", -5_400_000_000_000)),
        ("duration('90', 1s)", None),
        ("duration(1h, 1s)", None),
        ("humanBytes(999)", ("string", "999 B")),
        ("humanBytes(999999)", ("string", "1000 kB")),
        ('humanBytes("f" * 1000.0)', ("string", "2.5 kB")),
        ("humanBytes(-750.0)", ("string", "18 EB")),
        ('if("b", "i", -1)', ("int", 7)),
        ("if(FALSE, 's', \"s\")", ("string", "Héllo")),
        ('if("b", "i", "f")', None),
        ('isPresent("i")', ("bool", True)),
        ('isPresent("nope")', ("bool", False)),
        ('!isPresent("nope")', ("bool", True)),
        ('isPresent("nothing")', None),
        ('isPresent("d")', None),
        ('if(isPresent("nope"), "nope", 42)', None),
    ],
)
def test_types_become_others_as_in_go(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("strContains(\"s\", 'éll')", ("bool", True)),
        ("strContainsAny(\"s\", 'xyé')", ("bool", True)),
        ("strHasPrefix(\"s\", 'H')", ("bool", True)),
        ("strHasSuffix(\"s\", 'H')", ("bool", False)),
        ("strCount('aaaa', 'aa')", ("int", 2)),
        ("strCount(\"s\", '')", ("int", 6)),
        ('strLength("s")', ("int", 6)),
        ("strIndex(\"s\", 'l')", ("int", 3)),
        ("strIndex(\"s\", 'z')", ("int", -1)),
        ("strLastIndex(\"s\", '')", ("int", 6)),
        ("strIndexAny(\"s\", 'lé')", ("int", 1)),
        ("strLastIndexAny(\"s\", 'lé')", ("int", 4)),
        ("strReplace(\"s\", '', '-', 2)", ("string", "-H-éllo")),
        ("strReplace(\"s\", 'l', 'L', -7)", ("string", "HéLLo")),
        ('strSubstring("s", 1, 3)', ("string", "é")),
        ('strSubstring("s", 1, 2)', ("string", "\ufffd")),
        ('strSubstring("s", 1, 2) + strSubstring("s", 2, 3)', ("string", "é")),
        ('strSubstring("s", 0, 6)', None),
        ('strSubstring("s", 3, 2)', None),
        ("strToUpper('ßéŉᾳi')", ("string", "ßÉŉᾼI")),
        ("strToLower('İΑΣ')", ("string", "iασ")),
        ("strTrimSpace('\u00a0 x\u2003')", ("string", "x")),
        ("strTrim(\"s\", 'Ho')", ("string", "éll")),
        ("strTrimLeft(\"s\", '')", ("string", "Héllo")),
        ("strTrimRight(\"s\", 'lo')", ("string", "Hé")),
        ("strTrimPrefix(\"s\", 'Hé')", ("string", "llo")),
        ("strTrimSuffix(\"s\", 'l')", ("string", "Héllo")),
        ("regexReplace(/l(l)(?P<n>o)?/, \"s\", '$1-$n-${1}x-$1x-$$-$9-\\1-$0')", ("string", "Hél-o-lx--$--\\1-llo")),
        ("regexReplace(/b*/, 'abbc', '-')", ("string", "-a-c-")),
        ("regexReplace(/(a)/, 'ac', '$01${1')", ("string", "${1c")),
    ],
)
def test_texts_are_bytes_where_go_has_bytes(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abs(-2.0)", 2.0),
        ("acos(1.0)", 0.0),
        ("acosh(1.0)", 0.0),
        ("asin(0.0)", 0.0),
        ("asinh(0.0)", 0.0),
        ("atan(0.0)", 0.0),
        ("atanh(1.0)", math.inf),
        ("cbrt(-27.0)", -3.0),
        ("ceil(1.2)", 2.0),
        ("cos(0.0)", 1.0),
        ("cosh(0.0)", 1.0),
        ("erf(0.0)", 0.0),
        ("erfc(0.0)", 1.0),
        ("exp(0.0)", 1.0),
        ("exp2(10.0)", 1024.0),
        ("expm1(0.0)", 0.0),
        ("floor(-1.2)", -2.0),
        ("gamma(5.0)", 24.0),
        ("gamma(-1.0)", math.nan),
        ("gamma(-1.0 / 0.0)", math.nan),
        ("j0(0.0)", 1.0),
        ("j1(1.0 / 0.0)", 0.0),
        ('jn(2, "f")', 0.4460590584396172),
        ('yn(-3, "f")', 0.7560554967536708),
        ("yn(3, 0.0)", -math.inf),
        ("y0(-1.0)", math.nan),
        ("y1(0.0)", -math.inf),
        ("log(1.0)", 0.0),
        ("log10(0.001) + 3.0", 0.0),
        ("log1p(-1.0)", -math.inf),
        ("log2(8.0)", 3.0),
        ("logb(-8.0)", 3.0),
        ("logb(0.0)", -math.inf),
        ("sin(0.0)", 0.0),
        ("sinh(0.0)", 0.0),
        ("sqrt(-1.0)", math.nan),
        ("tan(0.0)", 0.0),
        ("tanh(0.0)", 0.0),
        ("trunc(-2.7)", -2.0),
        ("atan2(0.0, -1.0)", math.pi),
        ("hypot(3.0, 4.0)", 5.0),
        ("hypot(1.0 / 0.0, 0.0 / 0.0)", math.inf),
        ("max(1.0 / 0.0, 0.0 / 0.0)", math.inf),
        ("max(1.0, 0.0 / 0.0)", math.nan),
        ("1.0 / max(-0.0, 0.0)", math.inf),
        ("1.0 / min(0.0, -0.0)", -math.inf),
        ("mod(-7.5, 2.0)", -1.5),
        ("pow(-1.0, 1.0 / 0.0)", 1.0),
        ("pow10(-323)", 1e-323),
        ("pow10(400)", math.inf),
    ],
)
def test_mathematics_has_the_edges_that_go_gives_it(text: str, expected: float) -> None:
    assert value(text)[1] == pytest.approx(expected, rel=1e-12, abs=1e-15, nan_ok=True)


def test_mathematics_takes_floats_alone() -> None:
    assert value("abs(3)") is None


def test_times_are_read_in_utc() -> None:
    names = ["minute", "hour", "weekday", "day", "month", "year", "unixNano"]
    found = [value(f'{name}("time")')[1] for name in names]
    assert found == [59, 23, 5, 28, 2, 2020, 1_582_934_399_000_000_005]


def test_now_is_the_time_of_the_step() -> None:
    assert value("unixNano(now())") == ("int", 2_000)


def test_what_is_not_looked_at_is_no_error_but_types_are_looked_at_before() -> None:
    points = series_of(i=[1, -1])
    short, typed = evaluated('"i" > 0 OR "nope" > 1', points), evaluated('"i" > 0 OR "nope"', points)
    assert (short, typed) == ([("bool", True), None], [None, None])


def test_a_field_and_a_tag_of_one_name_are_an_error_even_unseen() -> None:
    clash = {"fields": {"host": ("int", 1), "i": ("int", 1)}, "tags": {"host": "a"}}
    clear = {"fields": {"i": ("int", 1)}, "tags": {"host": "a"}}
    assert evaluated('"i" > 0 OR "host" == \'a\'', [clash, clear]) == [None, ("bool", True)]


def test_a_field_of_several_types_is_computed_for_each() -> None:
    points = series_of(v=[1, 2.5, "x", None, 3])
    assert evaluated('"v" * 2', points) == [("int", 2), None, None, None, ("int", 6)]


def test_a_computed_row_may_have_another_type_than_its_neighbour() -> None:
    assert evaluated('"v" + "v"', series_of(v=[1, "x", 0.5])) == [("int", 2), ("string", "xx"), ("float", 1.0)]


def test_errors_are_counted_by_reason() -> None:
    made, keys = expression('10 / "v"'), Keys()
    found = made.evaluate(frame_of(series_of(v=[0, 5, 0, 2.5, None]), keys), {}, 0, keys)
    assert found.errors == {
        "integer divide by zero": 2,
        "mismatched type to binary operator. got int / float": 1,
        "mismatched type to binary operator. got int / missing": 1,
    }


def test_a_condition_that_is_no_bool_is_an_error_and_not_true() -> None:
    made, keys = expression('"v"'), Keys()
    found = made.evaluate(frame_of(series_of(v=[True, False, 1]), keys), {}, 0, keys)
    assert found.truths(3).tolist() == [True, False, False]
    assert found.condition_errors(3) == {"a condition is int, not bool": 1}


def test_an_empty_frame_comes_to_nothing() -> None:
    assert evaluated('"v" + 1', []) == []


def groups(**columns: list[Any]) -> list[dict[str, Any]]:
    return [each | {"group": g} for each, g in zip(series_of(**columns), [0, 1, 0, 0, 1], strict=True)]


def test_each_group_has_a_state_of_its_own() -> None:
    found = evaluated('spread("v") * float(count())', groups(v=[1.0, 9.0, 4.0, 2.0, 8.0]))
    assert [number for _, number in found] == [0.0, 0.0, 6.0, 9.0, 2.0]


def test_sigma_counts_a_value_before_it_judges_it() -> None:
    found = evaluated('sigma("v")', groups(v=[1.0, 5.0, 3.0, 8.0, 5.0]))
    # of 1, 3: |3 - 2| / sqrt(2); of 1, 3, 8: |8 - 4| / sqrt(13); two alike have no deviation
    assert [number for _, number in found] == pytest.approx([0.0, 0.0, 1 / math.sqrt(2), 4 / math.sqrt(13), 0.0])


def test_a_row_that_is_not_looked_at_is_not_counted() -> None:
    found = evaluated('"b" AND count() > 1', series_of(b=[True, False, True, True]))
    assert [truth for _, truth in found] == [False, False, True, True]


def test_a_row_with_an_error_of_types_is_not_counted_and_one_that_fails_later_is() -> None:
    points = series_of(v=[1, None, 0, 1])
    assert evaluated('count() + 6 / "v"', points) == [("int", 7), None, None, ("int", 9)]


def test_calls_of_one_function_in_one_lambda_share_a_state() -> None:
    found = evaluated("count() + count() * 10", series_of(v=[1, 1]))
    assert found == [("int", 21), ("int", 43)]


def test_types_that_take_turns_in_a_group_are_counted_in_their_order() -> None:
    found = evaluated(
        'isPresent("v") AND count() > 1 OR !isPresent("v") AND count() < 3', series_of(v=[1, None, 1.5, None])
    )
    assert [truth for _, truth in found] == [False, True, True, False]


def test_state_goes_on_in_the_next_frame_and_is_put_away() -> None:
    made, keys = expression("count()"), Keys()
    state = made.initial()
    made.evaluate(frame_of(series_of(v=[1, 1]), keys), state, 0, keys)
    found = made.evaluate(frame_of(series_of(v=[1]), keys), pickle.loads(pickle.dumps(state)), 0, keys)
    assert values_of(found, 1) == [("int", 3)]


def test_an_expression_that_was_put_away_is_the_same() -> None:
    made, keys = pickle.loads(pickle.dumps(expression('"i" + 1'))), Keys()
    assert values_of(made.evaluate(frame_of([POINT], keys), made.initial(), 0, keys), 1) == [("int", 8)]
    assert isinstance(made, Expression)


def test_tags_of_another_tasks_keys_are_not_taken_for_these() -> None:
    made = expression('"host"')
    for host in ("a", "b"):
        keys = Keys()
        frame = frame_of([{"fields": {}, "tags": {"host": host}}], keys)
        assert values_of(made.evaluate(frame, {}, 0, keys), 1) == [("string", host)]


def test_a_list_of_thousands_of_hosts_is_no_deeper_than_one() -> None:
    hosts = " OR ".join(f"\"host\" == 'h{n}'" for n in range(3_000))
    assert value(hosts) == ("bool", False)


def test_functions_of_columns_and_of_constants_come_to_the_same() -> None:
    points = series_of(s=["b", "a", "b", "c"], n=[2, 1, 2, 0])
    found = evaluated('strReplace("s", \'b\', string("n"), "n")', points)
    assert found == [("string", "2"), ("string", "a"), ("string", "2"), ("string", "c")]


def test_no_value_is_null_or_out_of_place_in_the_columns() -> None:
    made, keys = expression('"v" > 1'), Keys()
    found = made.evaluate(frame_of(series_of(v=[1.0, 2.0]), keys), {}, 0, keys)
    assert found.columns["bool"].present is None
    assert found.columns["bool"].values.dtype == np.bool_
