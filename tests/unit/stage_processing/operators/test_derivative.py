"""Rates of change."""

from __future__ import annotations

from frames import errors, ran, ran_batches
from pipeline_processing.operators.derivative import Derivative

SECOND_NS = 10**9


def points(*values: tuple[int, object]) -> list[dict]:
    return [{"time": time * SECOND_NS, "fields": {"v": value, "w": 1}} for time, value in values]


def rates(operator: Derivative, *values: tuple[int, object]) -> list[tuple[int, object]]:
    name = operator.as_ or "v"
    return [(each["time"] // SECOND_NS, each["fields"][name]) for each in ran(operator, points(*values))]


def test_a_rate_is_per_second_and_takes_the_fields_place() -> None:
    found = ran(Derivative(of="v"), points((0, 1), (2, 5)))
    assert [each["fields"] for each in found] == [{"v": 2.0, "w": 1}]


def test_a_rate_has_its_unit_and_its_name_and_the_field_stays() -> None:
    found = ran(Derivative(of="v", unit_ns=60 * SECOND_NS, as_="rate"), points((0, 1.0), (2, 5.0)))
    assert [each["fields"] for each in found] == [{"v": 5.0, "w": 1, "rate": 120.0}]


def test_a_point_of_the_same_time_is_an_error_and_the_next_ones_begin() -> None:
    assert rates(Derivative(of="v"), (0, 1), (0, 7), (1, 9)) == [(1, 2.0)]
    lost = errors(Derivative(of="v"), points((0, 1), (0, 7), (1, 9)))
    assert lost == {"no time has passed since the point before": 1}


def test_a_fall_is_left_out_where_rates_are_not_to_be_negative_and_is_the_next_ones_begin() -> None:
    assert rates(Derivative(of="v", non_negative=True), (0, 5), (1, 3), (2, 4)) == [(2, 1.0)]


def test_a_rise_while_time_goes_back_is_a_negative_rate_that_counts_as_none() -> None:
    # Kapacitor asks for the sign of the difference, not of the rate.
    assert rates(Derivative(of="v", non_negative=True), (5, 1), (3, 5), (4, 9)) == [(3, -2.0), (4, 4.0)]


def test_a_point_without_a_number_is_counted_and_passed_over() -> None:
    given = [*points((0, 1)), {"time": SECOND_NS, "fields": {"w": 1}}, *points((2, "x"), (4, 3))]
    assert [(each["time"] // SECOND_NS, each["fields"]["v"]) for each in ran(Derivative(of="v"), given)] == [(4, 0.5)]
    assert errors(Derivative(of="v"), given) == {'field "v" is missing or no number': 2}


def test_a_unit_of_nothing_gives_a_rate_of_0() -> None:
    assert rates(Derivative(of="v", unit_ns=0), (0, 1), (1, 5)) == [(1, 0.0)]


def test_a_batch_begins_anew() -> None:
    batch = {"tmax": 9, "points": points((0, 1), (1, 4))}
    found = ran_batches(Derivative(of="v"), [batch, batch])
    assert [[point["fields"]["v"] for point in each["points"]] for each in found] == [[3.0], [3.0]]
