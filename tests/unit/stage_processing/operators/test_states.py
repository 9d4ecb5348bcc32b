"""For how long, and for how many points, something has been true."""

from __future__ import annotations

from frames import errors, ran, ran_batches
from lambdas import above, every_other, field_of
from pipeline_processing.operators.state_count import StateCount
from pipeline_processing.operators.state_duration import StateDuration

SECOND_NS = 10**9
FLOW = [(0, 1.5), (3, 2.25), (9, 0.0), (11, 8.75), (24, 3.5), (38, 10.0)]
"""Of node n1 in the recorded case stateDuration_missing_fields."""


def flow(*more: dict) -> list[dict]:
    return [{"time": time * SECOND_NS, "fields": {"flow": value}} for time, value in FLOW] + list(more)


def values(points: list[dict], name: str) -> list[object]:
    return [each["fields"][name] for each in points]


def test_the_duration_begins_with_the_first_point_for_which_it_is_true_and_is_minus_1_where_it_is_not() -> None:
    found = ran(StateDuration(condition=above("flow", 1.0)), flow())
    assert values(found, "state_duration") == [0.0, 3.0, -1.0, 0.0, 13.0, 27.0]


def test_the_count_begins_at_1_and_is_minus_1_where_it_is_not_true() -> None:
    found = ran(StateCount(condition=above("flow", 1.0)), flow())
    assert values(found, "state_count") == [1, 2, -1, 1, 2, 3]


def test_a_duration_is_told_in_its_unit_and_under_its_name() -> None:
    operator = StateDuration(condition=above("flow", 1.0), unit_ns=500_000_000, as_="sd")
    assert values(ran(operator, flow()), "sd") == [0.0, 6.0, -1.0, 0.0, 26.0, 54.0]


def test_a_duration_is_below_0_where_time_goes_back() -> None:
    points = [{"time": 5 * SECOND_NS, "fields": {"flow": 2.0}}, {"time": 3 * SECOND_NS, "fields": {"flow": 2.0}}]
    assert values(ran(StateDuration(condition=above("flow", 1.0)), points), "state_duration") == [0.0, -2.0]


def test_a_point_that_the_lambda_cannot_judge_is_dropped_and_ends_no_state() -> None:
    points = [{"time": 0, "fields": {"flow": 2.0}}, {"time": 1, "fields": {}}, {"time": 2, "fields": {"flow": 2.0}}]
    assert values(ran(StateCount(condition=above("flow", 1.0)), points), "state_count") == [1, 2]


def test_what_is_no_boolean_is_an_error_and_not_a_no() -> None:
    points = [{"time": 0, "fields": {"flow": 2.0}}, {"time": 1, "fields": {"flow": True}}]
    operator = StateCount(condition=field_of("flow"))
    assert values(ran(operator, points), "state_count") == [1]
    assert errors(operator, points) == {"the lambda's value is no boolean": 1}


def test_each_group_has_a_state_of_its_own() -> None:
    points = [
        {"time": time, "tags": {"node": node}, "group": ["node"], "fields": {"flow": value}}
        for time, node, value in [(0, "a", 2.0), (1, "b", 0.0), (2, "a", 2.0), (3, "b", 2.0)]
    ]
    assert values(ran(StateCount(condition=above("flow", 1.0)), points), "state_count") == [1, -1, 2, 1]


def test_a_batch_begins_anew_and_the_lambdas_own_state_does_not() -> None:
    batch = {"tmax": 9, "points": [{"time": 0, "fields": {"v": 1}}, {"time": 1, "fields": {"v": 1}}]}
    longer = {"tmax": 19, "points": [{"time": 10, "fields": {"v": 1}}]}
    found = ran_batches(StateCount(condition=every_other()), [batch, longer, longer])
    assert [values(each["points"], "state_count") for each in found] == [[1, -1], [1], [-1]]


def test_a_state_that_a_batch_ends_in_is_not_the_next_ones() -> None:
    batch = {"tmax": 9, "points": [{"time": 0, "fields": {"v": 2.0}}, {"time": 1, "fields": {"v": 2.0}}]}
    found = ran_batches(StateCount(condition=above("v", 1.0)), [batch, batch])
    assert [values(each["points"], "state_count") for each in found] == [[1, 2], [1, 2]]
