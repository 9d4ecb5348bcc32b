"""Points with another value than before."""

from __future__ import annotations

import math

import pytest
from frames import errors, ran, ran_batches
from pipeline_processing.operators.change_detect import ChangeDetect, some_fields


def points(*fields: dict) -> list[dict]:
    return [{"time": at, "fields": each} for at, each in enumerate(fields)]


def passed(names: tuple[str, ...], given: list[dict], **how: object) -> list[int]:
    return [each["time"] for each in ran(ChangeDetect(of=names), given, **how)]


def test_a_repeated_value_is_dropped_and_a_return_to_it_is_not() -> None:
    assert passed(("state",), points(*({"state": s} for s in ("up", "up", "down", "up")))) == [0, 2, 3]


def test_of_several_fields_one_that_differs_is_enough() -> None:
    # Kapacitor's TestStream_ChangeDetect_Many
    given = points(
        {"a": "bad", "b": 0.0},
        {"a": "good", "b": 0.0},
        {"a": "good", "b": 0.0},
        {"a": "good", "b": 0.0, "c": "something else"},
        {"a": "bad", "b": 1.0},
        {"a": "bad", "b": 0.0},
        {"a": "pump", "b": 2.0},
    )
    assert passed(("a", "b"), given) == [0, 1, 4, 5, 6]


def test_a_missing_field_does_not_differ_and_is_counted() -> None:
    given = points({"a": 1}, {"b": 1}, {"a": 1}, {"a": 2})
    assert passed(("a",), given) == [0, 3]
    assert errors(ChangeDetect(of=("a",)), given) == {'field "a" is missing': 1}


def test_a_field_that_the_last_point_that_passed_lacks_differs_from_it() -> None:
    given = points({"a": 1, "b": 1}, {"a": 2}, {"a": 2, "b": 1}, {"a": 2, "b": 1})
    assert passed(("a", "b"), given) == [0, 1, 2]


def test_a_field_behind_one_that_differs_is_not_looked_for() -> None:
    assert errors(ChangeDetect(of=("a", "b")), points({"a": 1})) == {}


def test_a_value_differs_from_that_of_another_type() -> None:
    given = points({"v": 1}, {"v": 1.0}, {"v": True}, {"v": "1"}, {"v": 1})
    assert passed(("v",), given) == [0, 1, 2, 3, 4]


def test_a_float_is_compared_as_one() -> None:
    given = points({"v": 0.0}, {"v": -0.0}, {"v": math.nan}, {"v": math.nan}, {"v": 1e300})
    assert passed(("v",), given) == [0, 2, 3, 4]


def test_a_null_is_as_nothing() -> None:
    given = points({"v": None}, {"v": 1}, {"v": None}, {"v": None})
    assert passed(("v",), given) == [1, 2]
    assert errors(ChangeDetect(of=("v",)), given) == {}


def test_texts_are_remembered_over_steps_and_snapshots() -> None:
    given = points(*({"s": s, "n": 1} for s in ("a", "a", "b", "b", "a")))
    assert passed(("n", "s"), given, borders=[1, 2, 3, 4], restore=True) == [0, 2, 4]


def test_a_batch_begins_anew() -> None:
    batch = {"tmax": 9, "points": points({"v": 1}, {"v": 1})}
    found = ran_batches(ChangeDetect(of=("v",)), [batch, batch])
    assert [[point["time"] for point in each["points"]] for each in found] == [[0], [0]]


def test_no_field_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="one field or more"):
        some_fields([])
