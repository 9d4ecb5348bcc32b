"""Combine: expected points from Kapacitor's recorded answers, and by hand."""

from __future__ import annotations

from typing import Any

import pytest
from join_frames import Plain, Test, by_time, run
from pipeline_processing.operators.combine import Combine

ANY = Test(lambda fields, tags: True)
IS_80 = Test(lambda fields, tags: tags.get("port") == "80")
IS_NOT_80 = Test(lambda fields, tags: tags.get("port") != "80")


def port(time: float, host: str, number: str, bytes_: int) -> Plain:
    return {"time": time, "name": "port", "tags": {"host": host, "port": number}, "bytes": bytes_}


AT_ZERO = [port(0, "a", "80", 0), port(0, "a", "443", 7), port(0, "b", "80", 14), port(0, "b", "22", 21)]
# Case combine_two_lambdas_stream and combine_two_lambdas_batch.
RECORDED = [
    ({"o.host": "a", "o.port": "443", "w.host": "a", "w.port": "80"}, {"o.bytes": 7, "w.bytes": 0}),
    ({"o.host": "b", "o.port": "22", "w.host": "a", "w.port": "80"}, {"o.bytes": 21, "w.bytes": 0}),
    ({"o.host": "a", "o.port": "443", "w.host": "b", "w.port": "80"}, {"o.bytes": 7, "w.bytes": 14}),
    ({"o.host": "b", "o.port": "22", "w.host": "b", "w.port": "80"}, {"o.bytes": 21, "w.bytes": 14}),
]


def combine(*expressions: Test, as_: tuple[str, ...], **more: Any) -> Combine:
    return Combine(expressions=expressions, as_=as_, **more)


def test_each_pair_that_fits_is_a_point_as_kapacitor_recorded_them() -> None:
    out, _ = run(combine(IS_80, IS_NOT_80, as_=("w", "o")), by_time([*AT_ZERO, port(5, "a", "80", 1)]))
    assert [(each["tags"], each["fields"]) for each in out] == RECORDED


def test_a_batch_is_combined_at_once_into_points() -> None:
    out, _ = run(combine(IS_80, IS_NOT_80, as_=("w", "o")), by_time([{"tmax": 10, "name": "port", "points": AT_ZERO}]))
    assert [(each["tags"], each["fields"]) for each in out] == RECORDED


def test_lambdas_that_all_fit_take_the_points_in_order() -> None:
    points = [{"time": 1, "v": v} for v in (1, 2, 3)] + [{"time": 2, "v": 9}]
    out, _ = run(combine(ANY, ANY, as_=("l", "r")), by_time(points))
    assert [tuple(each["fields"].values()) for each in out] == [(1, 2), (1, 3), (2, 3)]


def test_fewer_points_than_lambdas_make_none() -> None:
    out, errors = run(combine(ANY, ANY, as_=("l", "r")), by_time([{"time": 1, "v": 1}, {"time": 2, "v": 2}]))
    assert (out, errors) == ([], {})


def test_tags_of_the_group_keep_their_names_and_the_group_stays() -> None:
    points = [
        {"time": t, "name": "m", "tags": {"dc": "e", "svc": s}, "by": ["dc"], "v": v}
        for t, s, v in ((1, "x", 1), (1, "y", 2.5), (2, "x", 0))
    ]
    out, _ = run(combine(ANY, ANY, as_=("a", "b"), delimiter="#"), by_time(points))
    assert [(each["name"], each["tags"], each["group"], each["fields"]) for each in out] == [
        ("m", {"a#svc": "x", "b#svc": "y", "dc": "e"}, "dc=e", {"a#v": 1, "b#v": 2.5})
    ]


def test_times_within_the_tolerance_are_one() -> None:
    points = [{"time": t, "v": v} for t, v in ((0.6, 1), (1.4, 2), (1.6, 3))]
    out, _ = run(combine(ANY, ANY, as_=("l", "r"), tolerance_ns=10**9), by_time(points))
    assert [(each["time"], each["fields"]) for each in out] == [(1, {"l.v": 1, "r.v": 2})]


@pytest.mark.parametrize(("most", "made"), [(3, 3), (2, 0)])
def test_more_sets_than_the_most_make_none_and_are_counted(most: int, made: int) -> None:
    points = [{"time": 1, "v": v} for v in (1, 2, 3)] + [{"time": 2, "v": 9}]
    out, errors = run(combine(ANY, ANY, as_=("l", "r"), max=most), by_time(points))
    refused = {"more than 2 combinations of points of one time": 3}
    assert (len(out), errors) == (made, {} if made else refused)


@pytest.mark.parametrize("as_", [(), ("a",), ("a", "a"), ("a", ""), ("a", "b.c"), ("a", "b", "c")])
def test_names_that_are_not_one_for_each_lambda_are_refused(as_: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"as\(\)"):
        combine(ANY, ANY, as_=as_)
