"""JSON and series as Go and Kapacitor write them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from alert_cases import Input
from pipeline_processing.points.frame import Column
from pipeline_processing.points.keys import Series
from pipeline_processing.results import NotJson, dumps, series_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (25.0, "25"),
        (-0.0, "-0"),
        (0.1, "0.1"),
        (1e-6, "0.000001"),
        (1.23e-7, "1.23e-7"),
        (1e-10, "1e-10"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.0001234567890123e21, "1.0001234567890123e+21"),
        (-1e301, "-1e+301"),
        (5e-324, "5e-324"),
        (np.int64(-(2**63)), "-9223372036854775808"),
        (True, "true"),
        ("<a & b>\n\x01\u2028é\ud800", '"\\u003ca \\u0026 b\\u003e\\n\\u0001\\u2028é\\ufffd"'),
        ({"b": [], "a": {}, "n": None}, '{"b":[],"a":{},"n":null}'),
    ],
)
def test_a_value_is_written_as_gos_json_has_it(value: Any, text: str) -> None:
    assert dumps(value).decode() == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, object()])
def test_what_json_has_not_is_refused(value: Any) -> None:
    with pytest.raises(NotJson):
        dumps([value])


def test_each_point_is_a_series_with_all_its_tags() -> None:
    points = Input(by=["host"])
    frame = points.frame("pump,host=a,dc=x v=1.5,n=3i 0", 'pump s="up" 1')
    assert series_of(frame, points.keys) == [
        {
            "name": "pump",
            "tags": {"dc": "x", "host": "a"},
            "columns": ["time", "n", "v"],
            "values": [["1971-01-01T00:00:00Z", 3, 1.5]],
        },
        {"name": "pump", "columns": ["time", "s"], "values": [["1971-01-01T00:00:01Z", "up"]]},
    ]


def test_a_batch_has_the_columns_of_its_first_point() -> None:
    points = Input(by=["node"])
    lines = [
        "pump,node=n1 flow=8.75 11",
        "pump,node=n1 rpm=55i 17",
        "pump,node=n1 flow=3.5,rpm=5i 24",
        "pump,node=n1 flow=1 40",
    ]
    assert series_of(points.windows(points.frame(*lines), 20), points.keys) == [
        {
            "name": "pump",
            "tags": {"node": "n1"},
            "columns": ["time", "flow"],
            "values": [["1971-01-01T00:00:11Z", 8.75], ["1971-01-01T00:00:17Z", None], ["1971-01-01T00:00:24Z", 3.5]],
        }
    ]


def test_nulls_times_and_durations_are_null_text_and_nanoseconds() -> None:
    points = Input()
    frame = points.frame("pump v=1 0").with_fields(
        {
            ("a", "null"): Column(np.zeros(1, dtype=bool)),
            ("b", "time"): Column(np.array([1_500_000_000])),
            ("c", "duration"): Column(np.array([10])),
        }
    )
    assert series_of(frame, points.keys)[0]["values"] == [["1971-01-01T00:00:00Z", None, "1970-01-01T00:00:01.5Z", 10]]


def test_an_empty_batch_has_neither_columns_nor_values() -> None:
    points = Input(by=["host"])
    frame = points.frame("pump,host=a v=1 0", "pump,host=a v=1 20")
    windows = points.windows(frame, 10)
    empty = windows.kept_rows(np.zeros(len(windows.rows), dtype=bool))
    assert series_of(empty, points.keys) == [{"name": "pump", "tags": {"host": "a"}}]
    assert points.keys.series[0] == Series("dbname", "rpname", "pump", (("host", "a"),))
