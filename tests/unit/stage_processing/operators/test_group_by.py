"""groupBy: groups and batches by hand, after Kapacitor's rules, and from its recorded answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from join_frames import Plain, by_time, run
from pipeline_processing.operators.group_by import GroupBy
from pipeline_processing.operators.options import STAR

POINT = {"time": 1.0, "name": "cpu", "tags": {"host": "a", "rack": "r", "zone": "z"}, "by": ["zone"], "v": 1.0}


def group_of(operator: GroupBy, **changed: Any) -> str:
    return run(operator, by_time([POINT | changed]))[0][0]["group"]


@pytest.mark.parametrize(
    ("operator", "group"),
    [
        (GroupBy(tags=("rack", "host")), "host=a,rack=r"),
        (GroupBy(tags=("host", "nope")), "host=a,nope="),
        (GroupBy(tags=()), "nil"),
        (GroupBy(tags=STAR), "host=a,rack=r,zone=z"),
        (GroupBy(tags=STAR, exclude=("host", "zone")), "rack=r"),
        (GroupBy(tags=("host",), by_measurement=True), "cpu\nhost=a"),
        (GroupBy(tags=("host", "rack"), exclude=("rack",)), "host=a"),
    ],
)
def test_a_point_of_a_stream_has_the_group_of_its_tags(operator: GroupBy, group: str) -> None:
    assert group_of(operator) == group


def test_measurements_that_were_apart_stay_so() -> None:
    assert group_of(GroupBy(tags=("host",)), apart=True) == "cpu\nhost=a"


def test_fields_tags_and_times_stay_as_they_are() -> None:
    out, _ = run(GroupBy(tags=("host",)), by_time([POINT]))
    assert (out[0]["time"], out[0]["tags"], out[0]["fields"]) == (1.0, POINT["tags"], {"v": 1.0})


def of_host(host: str, time: float, value: int) -> Plain:
    return {"time": time, "tags": {"host": host}, "v": value}


def batch(tmax: float, *points: Plain, name: str = "m", **more: Any) -> Plain:
    return {"tmax": tmax, "name": name, "points": list(points), **more}


def shown(given: Sequence[Plain], operator: GroupBy | None = None, *, closing: bool = False) -> list[Any]:
    out, _ = run(operator or GroupBy(tags=("host",)), by_time(given), closing=closing)
    return [(b["tmax"], b["name"], b["group"], [(p["time"], p["fields"]["v"]) for p in b["points"]]) for b in out]


def test_batches_of_one_end_become_one_a_group_once_a_batch_of_another_end_comes() -> None:
    given = [
        batch(10, of_host("a", 1, 1), of_host("b", 2, 2), of_host("a", 3, 3)),
        batch(10, of_host("b", 0.5, 4), of_host("a", 2, 5)),
        batch(20, of_host("a", 11, 6)),
    ]
    assert shown(given) == [
        (10, "m", "host=a", [(1, 1), (2, 5), (3, 3)]),
        (10, "m", "host=b", [(0.5, 4), (2, 2)]),
    ]


def test_an_empty_batch_lets_those_before_it_go() -> None:
    assert shown([batch(10, of_host("a", 1, 1)), batch(20)]) == [(10, "m", "host=a", [(1, 1)])]


def test_batches_of_the_newest_end_are_lost_as_the_task_closes() -> None:
    # Kapacitor's node has nothing to do at its end.
    assert shown([batch(10, of_host("a", 1, 1))], closing=True) == []


def test_a_batch_has_the_measurement_of_the_batch_that_its_first_point_was_in() -> None:
    given = [batch(10, of_host("a", 1, 1), name="x"), batch(10, of_host("a", 2, 2), name="y"), batch(20)]
    assert shown(given) == [(10, "x", "host=a", [(1, 1), (2, 2)])]


def test_measurements_apart_are_those_of_batches_and_not_of_points() -> None:
    given = [
        batch(10, of_host("a", 1, 1) | {"name": "p"}, name="x"),
        batch(10, of_host("a", 2, 2) | {"name": "p"}, name="y"),
        batch(20),
    ]
    assert shown(given, GroupBy(tags=("host",), by_measurement=True)) == [
        (10, "x", "x\nhost=a", [(1, 1)]),
        (10, "y", "y\nhost=a", [(2, 2)]),
    ]


def test_a_batch_is_caused_by_the_one_that_let_it_go_and_carries_the_tags_of_its_group() -> None:
    given = [batch(10, {"time": 1, "tags": {"host": "a", "rack": "r"}, "v": 1}), batch(10), batch(20)]
    out, _ = run(GroupBy(tags=("host",)), by_time(given))
    assert [(b["cause"], b["tags"], b["points"][0]["tags"]) for b in out] == [
        (2, {"host": "a"}, {"host": "a", "rack": "r"})
    ]


def test_batches_of_one_window_by_zone_are_as_kapacitor_recorded_them() -> None:
    # Case groupBy_star_exclude_two_batch: windows of 10s, one group after, as none but host and dc were there.
    given = [
        batch(10, *[{"time": t, "tags": {}, "v": n} for t, n in ((0, 1), (1, 2), (5, 3), (8, 4))], name="cpu"),
        batch(20, *[{"time": t, "tags": {}, "v": n} for t, n in ((11, 5), (12, 6), (16, 7), (19, 8))], name="cpu"),
        batch(30, {"time": 26, "tags": {}, "v": 9}, name="cpu"),
    ]
    assert shown(given, GroupBy(tags=STAR, exclude=("host", "dc"))) == [
        (10, "cpu", "nil", [(0, 1), (1, 2), (5, 3), (8, 4)]),
        (20, "cpu", "nil", [(11, 5), (12, 6), (16, 7), (19, 8)]),
    ]
