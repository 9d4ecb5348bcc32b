"""What requests hold: times, durations, patterns, variables, tokens."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pipeline_processing.tasks.api.access import Access
from pipeline_processing.tasks.api.messages import Request
from pipeline_processing.tasks.errors import Refused
from pipeline_processing.tasks.patterns import matcher
from pipeline_processing.tasks.times import duration_ns, rfc3339, time_ns
from pipeline_processing.tasks.variables import checked

TOKEN = "ein-Wörtchen"


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_795_319_281_125_141_857, "2026-11-22T03:48:01.125141857Z"),
        (1_795_319_283_314_553_100, "2026-11-22T03:48:03.3145531Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (None, "0001-01-01T00:00:00Z"),
    ],
)
def test_times_have_the_digits_that_they_need_and_are_read_back(ns: int | None, text: str) -> None:
    assert (rfc3339(ns), time_ns(text)) == (text, ns)


def test_times_of_other_zones_are_read() -> None:
    assert time_ns("2026-11-22T04:48:01.5+01:00") == time_ns("2026-11-22T03:48:01.500000000000z")


@pytest.mark.parametrize("text", ["", "now", "2026-11-22", "2026-13-22T00:00:00Z", "2026-11-22T03:48:01"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no time of RFC 3339"):
        time_ns(text)


@pytest.mark.parametrize(
    ("text", "ns"),
    [("10s", 10**10), ("1h30m", 5400 * 10**9), ("-1u", -1000), ("2ms3µ4ns", 2_003_004), ("1w1d", 691_200 * 10**9)],
)
def test_durations_add_up(text: str, ns: int) -> None:
    assert duration_ns(text) == ns


@pytest.mark.parametrize("text", ["", "10", "s", "1.5s", "1s ", "1y"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        duration_ns(text)


@pytest.mark.parametrize(
    ("pattern", "fits", "others"),
    [
        ("", ["", "a"], []),
        ("cpu", ["cpu"], ["cpu1", "xcpu", "CPU"]),
        ("*", ["", "a.b"], []),
        ("a*c*e", ["ace", "abcde", "acee", "acece"], ["ac", "aec", "xace"]),
        ("?", ["a", "é"], ["", "ab"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "x", "-x"]),
        ("[^a-c]x", ["dx", "^x"], ["ax"]),
        ("[ab\\]]", ["]", "a"], ["\\"]),
        ("\\*", ["*"], ["a"]),
        ("a.b", ["a.b"], ["axb"]),
        ("**", ["", "a"], []),
    ],
)
def test_patterns_match_as_gos_path_match(pattern: str, fits: list[str], others: list[str]) -> None:
    matches = matcher(pattern)
    assert [text for text in (*fits, *others) if matches(text)] == fits


@pytest.mark.parametrize("pattern", ["[", "[a", "[]a]", "[-]", "a\\", "[a-", "[^"])
def test_a_pattern_that_is_cut_off_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="syntax error in pattern"):
        matcher(pattern)


def test_a_pattern_of_many_stars_is_quick() -> None:
    assert not matcher("*a" * 120 + "b")("a" * 255)


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("bool", True, True),
        ("int", 5, 5),
        ("float", 5, 5.0),
        ("string", "x", "x"),
        ("regex", "^a", "^a"),
        ("lambda", '"x" > 1', '"x" > 1'),
        ("duration", "1m", 60 * 10**9),
        ("duration", 5, 5),
        ("star", None, None),
        ("star", "*", None),
        (
            "list",
            [{"type": "string", "value": "a"}, {"type": "star"}],
            [{"type": "string", "value": "a"}, {"type": "star", "value": None}],
        ),
    ],
)
def test_a_variable_is_kept_in_one_form(kind: str, value: Any, kept: Any) -> None:
    found = checked({"x": {"type": kind, "value": value}})
    assert found == {"x": {"type": kind, "value": kept, "description": ""}}
    assert type(found["x"]["value"]) is type(kept)


@pytest.mark.parametrize(
    "var",
    [
        *(
            5,
            {},
            {"type": 1},
            {"type": "text", "value": "x"},
            {"type": "bool", "value": 1},
            {"type": "int", "value": True},
        ),
        *({"type": "int", "value": 2**63}, {"type": "int", "value": 1.0}, {"type": "float", "value": "1"}),
        *(
            {"type": "float", "value": float("inf")},
            {"type": "string", "value": None},
            {"type": "duration", "value": "1"},
        ),
        *({"type": "list", "value": "a"}, {"type": "list", "value": [{"type": "int", "value": 1}]}),
    ],
)
def test_a_variable_of_another_type_is_refused_by_its_name(var: Any) -> None:
    with pytest.raises(Refused, match="invalid var x: "):
        checked({"x": var})


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("header", "query", "status"),
    [
        ("", "", 401),
        (f"Bearer {TOKEN}", "", None),
        (f"bearer  {TOKEN} ", "", None),
        ("Bearer other", "", 401),
        ("Bearer ", "", 401),
        (f"Token {TOKEN}", "", None),
        (f"Token me:{TOKEN}", "", None),
        (basic("me", TOKEN), "", None),
        (basic(TOKEN, ""), "", 401),
        ("Basic %%%", "", 401),
        ("Basic /w==", "", 401),
        ("", TOKEN, None),
        ("", "other", 401),
        (TOKEN, "", 401),
    ],
)
def test_a_token_is_taken_in_the_ways_of_bearers_and_of_influxdb(header: str, query: str, status: int | None) -> None:
    asked = Request(method="GET", path="/", headers={"authorization": header}, query={"u": ["me"], "p": [query]})
    refusal = Access(TOKEN).refusal(asked)
    assert (refusal and refusal.status) == status


@pytest.mark.parametrize(
    ("method", "origin", "status"),
    [("POST", {}, None), ("POST", {"origin": "http://elsewhere"}, 403), ("GET", {"origin": "http://elsewhere"}, None)],
)
def test_without_a_token_all_may_ask_but_pages_of_others(
    method: str, origin: dict[str, str], status: int | None
) -> None:
    refusal = Access(None).refusal(Request(method=method, path="/", headers=origin))
    assert (refusal and refusal.status) == status
