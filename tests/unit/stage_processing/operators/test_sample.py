"""Fewer points."""

from __future__ import annotations

import pytest
from frames import ran, ran_batches
from pipeline_processing.operators.operator import CannotRun
from pipeline_processing.operators.options import Duration
from pipeline_processing.operators.sample import Sample, a_rate

SECOND_NS = 10**9
DAY_NS = 86_400 * SECOND_NS


def of_nodes(*nodes: str) -> list[dict]:
    return [{"time": at, "tags": {"node": each}, "group": ["node"]} for at, each in enumerate(nodes)]


def test_one_of_two_points_is_a_groups_first_third_and_fifth() -> None:
    assert [each["time"] for each in ran(Sample(rate=2), of_nodes("a", "b", "a", "a", "b", "b", "a"))] == [0, 1, 3, 5]


def test_in_a_batch_counting_begins_anew() -> None:
    batches = [{"tmax": 9, "points": [{"time": at} for at in times]} for times in ([0, 1, 2], [3, 4])]
    found = ran_batches(Sample(rate=2), batches)
    assert [[point["time"] for point in each["points"]] for each in found] == [[0, 2], [3]]


def test_a_batch_of_which_no_point_is_left_stays() -> None:
    found = ran_batches(Sample(rate=Duration(10)), [{"tmax": 9, "points": [{"time": 3}]}])
    assert found == [{"tmax": 9, "name": "m", "tags": {}, "group": "nil", "points": []}]


def test_a_duration_takes_the_times_that_are_its_multiples() -> None:
    times = [0, 1, 2, 3, 4, 6]
    found = ran(Sample(rate=Duration(2 * SECOND_NS)), [{"time": each * SECOND_NS} for each in times])
    assert [each["time"] // SECOND_NS for each in found] == [0, 2, 4, 6]


def test_multiples_count_from_the_year_1_so_that_a_week_is_a_monday() -> None:
    found = ran(Sample(rate=Duration(7 * DAY_NS)), [{"time": day * DAY_NS} for day in range(14)])
    assert [each["time"] // DAY_NS for each in found] == [4, 11]  # 1970-01-05 was the first Monday


def test_a_rate_of_0_cannot_run() -> None:
    with pytest.raises(CannotRun, match="invalid sample rate"):
        Sample(rate=0)


def test_a_rate_is_an_integer_or_a_duration() -> None:
    with pytest.raises(ValueError, match="must pass int64 or duration"):
        a_rate("x")
