"""`default` and `delete`: fields and tags set and taken away, and what that does to groups."""

from __future__ import annotations

import pytest
from frames import frame, points, ran, ran_batches
from pipeline_processing.operators.default import Default, a_default
from pipeline_processing.operators.delete import Delete
from pipeline_processing.operators.operator import Operator, Tick
from pipeline_processing.operators.options import Duration
from pipeline_processing.points.keys import Keys


def counted(operator: Operator, given: list[dict]) -> dict[str, int]:
    keys = Keys()
    return dict(operator.step(operator.initial(), [frame(keys, given)], Tick(now_ns=0), keys).counted)


def fields(operator: Operator, *given: dict) -> list[dict]:
    return [each["fields"] for each in ran(operator, [{"time": 0, "fields": each} for each in given])]


def test_a_field_is_set_where_it_is_missing_or_null_and_nowhere_else() -> None:
    operator = Default(fields=(("v", 9),))
    assert fields(operator, {"v": 1}, {"w": 2}, {"v": None}, {"v": 0}) == [
        {"v": 1},
        {"v": 9, "w": 2},
        {"v": 9},
        {"v": 0},
    ]


def test_a_default_of_another_type_stands_beside_the_values_that_are() -> None:
    assert fields(Default(fields=(("v", "none"),)), {"v": 1.5}, {"w": 2}) == [{"v": 1.5}, {"v": "none", "w": 2}]


def test_of_two_defaults_of_a_name_the_last_counts() -> None:
    assert fields(Default(fields=(("v", 1), ("v", 2))), {}) == [{"v": 2}]


def test_a_tag_is_set_where_it_is_missing_or_empty() -> None:
    given = [{"time": 0, "tags": tags} for tags in ({}, {"host": ""}, {"host": "b"})]
    assert [each["tags"]["host"] for each in ran(Default(tags=(("host", "a"),)), given)] == ["a", "a", "b"]


def test_a_point_grouped_by_a_tag_that_it_lacks_joins_the_group_of_the_default() -> None:
    given = [{"time": at, "tags": tags, "group": ["host"]} for at, tags in enumerate([{}, {"host": "a"}])]
    assert [each["group"] for each in ran(Default(tags=(("host", "a"),)), given)] == ["host=a", "host=a"]


def test_a_point_that_is_not_grouped_by_the_tag_stays_in_its_group() -> None:
    assert ran(Default(tags=(("host", "a"),)), [{"time": 0}])[0]["group"] == "nil"


def test_a_batch_is_of_the_default_tag_though_it_was_not_grouped_by_it() -> None:
    batch = {"tmax": 9, "tags": {"node": "n"}, "points": [{"time": 1, "tags": {"host": "b"}}, {"time": 2}]}
    (found,) = ran_batches(Default(tags=(("host", "a"),)), [batch])
    assert (found["tags"], found["group"]) == ({"host": "a", "node": "n"}, "host=a,node=n")
    assert [each["tags"] for each in found["points"]] == [{"host": "b", "node": "n"}, {"host": "a", "node": "n"}]


def test_what_was_set_is_counted() -> None:
    given = [{"time": 0, "fields": {"v": 1}, "tags": {"host": "b"}}, {"time": 1}]
    operator = Default(fields=(("v", 0), ("w", 0)), tags=(("host", "a"),))
    assert counted(operator, given) == {"fields_defaulted": 3, "tags_defaulted": 1}


def test_a_default_is_what_a_field_can_hold_but_no_duration() -> None:
    with pytest.raises(ValueError, match="takes a float, an integer, a string or a bool, got a duration"):
        a_default(Duration(5))


def test_a_field_is_taken_away_and_the_point_stays_though_it_has_no_other() -> None:
    assert fields(Delete(fields=("v",)), {"v": 1, "w": 2}, {"v": "x"}) == [{"w": 2}, {}]


def test_a_deleted_tag_is_no_more_grouped_by() -> None:
    # Kapacitor's TestStream_Delete_GroupBy
    given = [
        {"time": at, "tags": {"host": host, "type": kind}, "group": ["host", "type"]}
        for at, (host, kind) in enumerate([("A", "idle"), ("B", "idle"), ("A", "user")])
    ]
    found = ran(Delete(tags=("type",)), given)
    assert [(each["tags"], each["group"]) for each in found] == [
        ({"host": "A"}, "host=A"),
        ({"host": "B"}, "host=B"),
        ({"host": "A"}, "host=A"),
    ]


def test_a_batch_loses_the_tag_as_its_points_do() -> None:
    batch = {"tmax": 9, "tags": {"node": "n"}, "points": [{"time": 1, "tags": {"zone": "z"}}]}
    (found,) = ran_batches(Delete(tags=("node",)), [batch])
    assert (found["tags"], found["group"], found["points"][0]["tags"]) == ({}, "nil", {"zone": "z"})


def test_what_was_deleted_is_counted_where_it_was() -> None:
    given = [{"time": 0, "fields": {"v": 1}, "tags": {"host": "b"}}, {"time": 1, "fields": {"w": 1}}]
    assert counted(Delete(fields=("v", "x"), tags=("host",)), given) == {"fields_deleted": 1, "tags_deleted": 1}


def test_measurements_that_are_apart_stay_so() -> None:
    keys = Keys()
    given = frame(keys, [{"time": 0, "name": "cpu", "tags": {"host": "a"}, "group": ["host"], "apart": True}])
    operator = Delete(tags=("host",))
    out = operator.step(operator.initial(), [given], Tick(now_ns=0), keys).out
    assert points(out, keys)[0]["group"] == "cpu"
