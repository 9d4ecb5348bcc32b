"""Elapsed, difference, cumulativeSum and movingAverage, by hand and by Kapacitor's recorded cases."""

from __future__ import annotations

import pytest
from frames import errors, ran, ran_batches
from pipeline_processing.operators.cumulative_sum import CumulativeSum
from pipeline_processing.operators.difference import Difference
from pipeline_processing.operators.elapsed import Elapsed
from pipeline_processing.operators.moving_average import MovingAverage
from pipeline_processing.operators.operator import Operator

SECOND_NS = 10**9
MIXED = [(0, 1), (1, 2), (2, 2.5), (4, "three"), (6, 4), (11, 9), (22, 1)]
"""Of node a in the recorded cases of mixed types: the second 2.5 and "three" are errors."""


def points(*values: tuple[int, object]) -> list[dict]:
    return [{"time": time * SECOND_NS, "fields": {"v": value}} for time, value in values]


def given(operator: Operator, *values: tuple[int, object], **how: object) -> list[tuple[int, object]]:
    """Time in seconds and result of each point."""
    found = ran(operator, points(*values), **how)
    return [(each["time"] // SECOND_NS, each["fields"][operator.KIND]) for each in found]


def test_elapsed_is_in_whole_units_and_cuts_what_is_below_one() -> None:
    assert given(Elapsed(of=("v", 2 * SECOND_NS)), (0, 1), (3, 1), (9, 1), (10, 1)) == [(3, 1), (9, 3), (10, 0)]


def test_elapsed_cuts_towards_zero_where_time_goes_back() -> None:
    # The recorded case elapsed_1m_stream_outoforder: 4 s back are 0 minutes.
    assert given(Elapsed(of=("v", 60 * SECOND_NS)), (14, 1), (10, 1), (300, 1), (100, 1)) == [
        (10, 0),
        (300, 4),
        (100, -3),
    ]


def test_elapsed_between_points_of_one_time_is_0() -> None:
    assert given(Elapsed(of=("v", SECOND_NS)), (3, 1), (3, 1)) == [(3, 0)]


def test_elapsed_takes_texts_and_bools() -> None:
    assert given(Elapsed(of=("v", SECOND_NS)), (0, "a"), (2, "b")) == [(2, 2)]
    assert given(Elapsed(of=("v", SECOND_NS)), (0, True), (2, False)) == [(2, 2)]


def test_a_difference_is_of_its_values_type() -> None:
    assert repr(given(Difference(of="v"), (0, 5), (1, 3))) == "[(1, -2)]"
    assert repr(given(Difference(of="v"), (0, 5.0), (1, 3.5))) == "[(1, -1.5)]"


def test_a_difference_passes_over_a_point_of_the_same_time_as_before() -> None:
    assert given(Difference(of="v"), (0, 1), (0, 7), (1, 3)) == [(1, 2)]


def test_a_difference_over_points_of_other_types_is_that_of_the_points_beside_them() -> None:
    assert given(Difference(of="v"), *MIXED) == [(1, 1), (6, 2), (11, 5), (22, -8)]


def test_sums_add_up_and_begin_with_the_first_value() -> None:
    assert given(CumulativeSum(of="v"), (0, 29.5), (0, -4.25), (1, 59.5)) == [(0, 29.5), (0, 25.25), (1, 84.75)]


def test_sums_of_integers_are_exact_and_wrap_around() -> None:
    great = 2**62
    assert given(CumulativeSum(of="v"), (0, great), (1, -5), (2, great), (3, great)) == [
        (0, great),
        (1, great - 5),
        (2, 2**63 - 5),
        (3, 2**63 + 2**62 - 5 - 2**64),
    ]


def test_a_moving_average_waits_for_as_many_values_as_it_is_of() -> None:
    # Reads of the recorded case movingAverage_3_int_stream_outoforder.
    values = [(0, 338), (2, 451), (5, 327), (6, 69), (7, 95), (8, 155)]
    assert given(MovingAverage(of=("v", 3)), *values) == [
        (5, 372.0),
        (6, 282.3333333333333),
        (7, 163.66666666666666),
        (8, 106.33333333333333),
    ]


def test_a_moving_average_of_1_is_the_value_as_a_float() -> None:
    assert repr(given(MovingAverage(of=("v", 1)), (0, 3), (1, 4))) == "[(0, 3.0), (1, 4.0)]"


def test_the_running_sum_of_a_moving_average_keeps_what_rounding_left_in_it() -> None:
    # 0.1 + 0.2 - 0.1 + 0.3, as influxdb adds them, is not 0.2 + 0.3.
    assert given(MovingAverage(of=("v", 2)), (0, 0.1), (1, 0.2), (2, 0.3)) == [
        (1, 0.15000000000000002),
        (2, (0.1 + 0.2 - 0.1 + 0.3) / 2),
    ]


def test_after_a_point_of_another_type_the_last_result_comes_once_more_but_for_differences() -> None:
    # The recorded case movingAverage_mixed_types.
    assert given(MovingAverage(of=("v", 2)), *MIXED) == [(1, 1.5), (1, 1.5), (1, 1.5), (6, 3.0), (11, 6.5), (22, 5.0)]
    assert given(CumulativeSum(of="v"), (0, 1), (1, 2.5), (2, 1)) == [(0, 1), (0, 1), (2, 2)]
    assert given(Elapsed(of=("v", SECOND_NS)), (0, 1), (1, 2.5), (2, 1), (3, 2.5)) == [(2, 2), (2, 2)]


def test_points_of_another_type_are_counted_and_those_without_the_field() -> None:
    lost = errors(MovingAverage(of=("v", 2)), [*points(*MIXED), {"time": 0, "fields": {"w": 1}}])
    assert lost == {'field "v" is missing': 1, 'field "v" has another type': 2}


def test_nothing_comes_before_the_first_value_that_can_be_taken() -> None:
    assert given(CumulativeSum(of="v"), (0, "a"), (1, True), (2, 1.5)) == [(2, 1.5)]


def test_what_comes_out_has_the_result_alone_and_the_tags_of_its_group() -> None:
    point = {
        "time": 7,
        "name": "disk",
        "tags": {"node": "n1", "zone": "z"},
        "group": ["node"],
        "fields": {"v": 1, "w": 2},
    }
    assert ran(CumulativeSum(of="v", as_="o"), [point]) == [
        {"time": 7, "name": "disk", "tags": {"node": "n1"}, "group": "node=n1", "fields": {"o": 1}}
    ]


def test_a_group_has_the_measurement_of_its_first_point() -> None:
    found = ran(CumulativeSum(of="v"), [{"time": at, "name": name, "fields": {"v": 1}} for at, name in enumerate("ab")])
    assert [each["name"] for each in found] == ["a", "a"]


def test_each_group_has_a_type_and_a_sum_of_its_own() -> None:
    mixed = [
        {"time": at, "tags": {"n": node}, "group": ["n"], "fields": {"v": value}}
        for at, (node, value) in enumerate([("a", 1), ("b", 0.5), ("a", 2), ("b", 0.25)])
    ]
    assert repr([each["fields"]["cumulativeSum"] for each in ran(CumulativeSum(of="v"), mixed)]) == "[1, 0.5, 3, 0.75]"


def test_a_batch_begins_anew_and_stays_where_nothing_is_left_in_it() -> None:
    batches = [
        {"tmax": 9, "name": "disk", "tags": {"n": "a"}, "points": [{"time": at, "fields": {"v": at}} for at in times]}
        for times in ([1, 2], [5], [7, 8])
    ]
    found = ran_batches(Difference(of="v"), batches)
    assert [(each["tmax"], [(p["time"], p["tags"], p["fields"]) for p in each["points"]]) for each in found] == [
        (9, [(2, {"n": "a"}, {"difference": 1})]),
        (9, []),
        (9, [(8, {"n": "a"}, {"difference": 1})]),
    ]


def test_a_mean_of_no_values_and_a_unit_of_0_are_refused() -> None:
    with pytest.raises(ValueError, match="1 value or more"):
        MovingAverage(of=("v", 0))
    with pytest.raises(ValueError, match="not 0"):
        Elapsed(of=("v", 0))
