"""Flatten: expected points from Kapacitor's recorded answers, and by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from join_frames import Plain, by_time, run
from pipeline_processing.operators.flatten import Flatten

SECOND_NS = 10**9


def port(time: float, number: str, bytes_: int, err: float, of: tuple[str, str] = ("a", "web")) -> Plain:
    tags = {"host": of[0], "port": number, "svc": of[1]}
    return {"time": time, "name": "port", "tags": tags, "by": ["host"], "bytes": bytes_, "err": err}


RECORDED = [
    port(0, "80", 0, 0.5),
    port(0, "443", 7, 3.5),
    port(0, "80", 14, 6.5, of=("b", "api")),
    port(0, "22", 21, 9.5, of=("b", "ssh")),
    port(5, "80", 28, 1.5),
    port(5, "443", 35, 4.5),
    port(5, "80", 42, 7.5, of=("b", "api")),
    port(15, "80", 34, 3.5),
    port(16, "443", 41, 6.5),
]


def shown(operator: Flatten, points: Sequence[Plain]) -> list[Any]:
    out, _ = run(operator, by_time(points))
    return [(each["time"], each["tags"], each["fields"]) for each in out]


def test_points_of_one_time_become_one_as_kapacitor_recorded_them() -> None:
    # Case flatten_delimiter_stream_by_host; the last time of each group stays.
    a, b = {"host": "a"}, {"host": "b"}
    assert shown(Flatten(on=("port", "svc"), delimiter="_"), RECORDED) == [
        (0, a, {"443_web_bytes": 7, "443_web_err": 3.5, "80_web_bytes": 0, "80_web_err": 0.5}),
        (0, b, {"22_ssh_bytes": 21, "22_ssh_err": 9.5, "80_api_bytes": 14, "80_api_err": 6.5}),
        (5, a, {"443_web_bytes": 35, "443_web_err": 4.5, "80_web_bytes": 28, "80_web_err": 1.5}),
        (15, a, {"80_web_bytes": 34, "80_web_err": 3.5}),
    ]


def test_times_within_the_tolerance_are_one_and_halves_go_up() -> None:
    points = [port(1, "80", 1, 0.1), port(1.9, "443", 2, 0.2), port(3, "80", 3, 0.3)]
    assert shown(Flatten(on=("port",), tolerance_ns=2 * SECOND_NS), points) == [
        (2, {"host": "a"}, {"80.bytes": 1, "80.err": 0.1, "443.bytes": 2, "443.err": 0.2})
    ]


def test_the_last_of_several_fields_of_one_name_stays_whatever_its_type() -> None:
    points = [{"time": 1, "v": 1.5}, {"time": 1, "v": 2}, {"time": 1, "w": "x"}, {"time": 2, "v": 3}]
    assert shown(Flatten(), points) == [(1, {}, {"v": 2, "w": "x"})]


def test_names_that_two_series_make_in_two_ways_are_one() -> None:
    points = [
        {"time": 1, "tags": {"t": "a"}, "b.v": 1},
        {"time": 1, "tags": {"t": "a.b"}, "v": 2.5},
        {"time": 2, "tags": {"t": "a.b"}, "v": 3.5},
        {"time": 2, "tags": {"t": "a"}, "b.v": 4},
        {"time": 3, "v": 0},
    ]
    assert shown(Flatten(on=("t",)), points) == [(1, {}, {"a.b.v": 2.5}), (2, {}, {"a.b.v": 4})]


def test_without_the_fields_own_name_the_tags_alone_are_the_name() -> None:
    points = [{"time": 1, "tags": {"t": "a", "u": "b"}, "v": 1}, {"time": 2, "tags": {}, "v": 1}]
    assert shown(Flatten(on=("t", "u"), drop_original_field_name=True), points) == [(1, {}, {"a.b": 1})]


def test_points_without_a_tag_are_dropped_and_counted_and_make_no_point_alone() -> None:
    points = [
        {"time": 1, "tags": {"t": "a"}, "v": 1},
        {"time": 1, "tags": {}, "v": 2},
        {"time": 2, "tags": {}, "v": 3},
        {"time": 3, "tags": {"t": "a"}, "v": 4},
    ]
    out, errors = run(Flatten(on=("t",)), by_time(points))
    assert ([(each["time"], each["fields"]) for each in out], errors) == (
        [(1, {"a.v": 1})],
        {"a tag of t is missing": 2},
    )


def test_a_groups_points_have_the_measurement_of_its_first() -> None:
    points = [{"time": 1, "name": "x", "v": 1}, {"time": 2, "name": "y", "v": 2}, {"time": 3, "name": "z", "v": 3}]
    out, _ = run(Flatten(), by_time(points))
    assert [each["name"] for each in out] == ["x", "x"]


def test_a_point_is_caused_by_the_next_of_its_group() -> None:
    points = [port(1, "80", 1, 0.1), port(2, "80", 1, 0.1, of=("b", "x")), port(3, "80", 1, 0.1)]
    out, _ = run(Flatten(on=("port",)), by_time(points))
    assert [(each["time"], each["cause"]) for each in out] == [(1, 2)]


def test_each_batch_is_flattened_whole() -> None:
    given = [
        {
            "tmax": 10,
            "name": "m",
            "group": {"host": "a"},
            "points": [
                {"time": t, "tags": {"host": "a", "p": p}, "v": v}
                for t, p, v in ((1, "x", 1), (1, "y", 2), (2, "x", 3))
            ],
        },
        {"tmax": 20, "name": "m", "group": {"host": "a"}, "points": []},
        {"tmax": 30, "name": "m", "group": {"host": "a"}, "points": [{"time": 2, "tags": {"p": "x"}, "v": 4}]},
    ]
    out, _ = run(Flatten(on=("p",)), by_time(given))
    assert [(each["tmax"], each["points"]) for each in out] == [
        (
            10,
            [
                {"time": 1, "tags": {"host": "a"}, "fields": {"x.v": 1, "y.v": 2}},
                {"time": 2, "tags": {"host": "a"}, "fields": {"x.v": 3}},
            ],
        ),
        (20, []),
        (30, [{"time": 2, "tags": {"host": "a"}, "fields": {"x.v": 4}}]),
    ]


def test_only_the_last_time_of_a_batch_is_a_point_without_fields() -> None:
    points = [{"time": t, "tags": {}, "v": 1} for t in (1, 2)]
    out, errors = run(Flatten(on=("p",)), by_time([{"tmax": 10, "name": "m", "points": points}]))
    assert (out[0]["points"], errors) == ([{"time": 2, "tags": {}, "fields": {}}], {"a tag of p is missing": 2})


def test_of_a_points_fields_that_get_one_name_the_last_by_its_own_name_stays() -> None:
    points = [{"time": 1, "tags": {"t": "a"}, "w": 1.5, "v": 2}, {"time": 2, "tags": {"t": "a"}, "v": 0}]
    assert shown(Flatten(on=("t",), drop_original_field_name=True), points) == [(1, {}, {"a": 1.5})]
