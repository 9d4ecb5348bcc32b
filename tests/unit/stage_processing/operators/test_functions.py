"""InfluxQL functions by hand, and what they have in common."""

from __future__ import annotations

import random

import numpy as np
import pytest
from pipeline_processing.operators.aggregates import Count, Mean, Median, Mode, Spread, Stddev, Sum
from pipeline_processing.operators.distinct import Distinct
from pipeline_processing.operators.functions import FUNCTIONS
from pipeline_processing.operators.go_sort import go_sorted
from pipeline_processing.operators.holt_winters import HoltWinters
from pipeline_processing.operators.influxql import Function
from pipeline_processing.operators.operator import Tick
from pipeline_processing.operators.selectors import First, Last, Max, Min, Percentile
from pipeline_processing.operators.top_bottom import Bottom, Top
from pipeline_processing.points.keys import Keys
from window_frames import P, batches_of, frame_of, plain, run, run_batches, steps

VALUES = [3, 1, 4, 1]


def values(*given: object) -> list[P]:
    return [P(time_ns=i, fields={"v": value}) for i, value in enumerate(given)]


@pytest.mark.parametrize(
    ("function", "of_ints", "of_floats"),
    [
        (Count(of="v"), 4, 4),
        (Sum(of="v"), 9, 9.0),
        (Mean(of="v"), 2.25, 2.25),
        (Median(of="v"), 2.0, 2.0),
        (Mode(of="v"), 1, 1.0),
        (Spread(of="v"), 3, 3.0),
        (Stddev(of="v"), 1.5, 1.5),
        (First(of="v"), 3, 3.0),
        (Last(of="v"), 1, 1.0),
        (Min(of="v"), 1, 1.0),
        (Max(of="v"), 4, 4.0),
        (Percentile(of=("v", 75.0)), 3, 3.0),
    ],
)
def test_a_function_gives_one_value_of_its_own_type(function: Function, of_ints: float, of_floats: float) -> None:
    for given, expected in ((VALUES, of_ints), ([float(each) for each in VALUES], of_floats)):
        ((_, _, _, fields),), _ = run_batches(function, [(9, values(*given))])
        assert (fields, type(fields[function.KIND])) == ({function.KIND: expected}, type(expected))


def test_count_and_sum_of_an_empty_batch_are_0_and_all_others_say_nothing() -> None:
    found = {
        name: run_batches(FUNCTIONS[name](of="v"), [(9, [])])[0]
        for name in ("count", "sum", "mean", "first", "distinct")
    }
    nothing: dict[str, list[object]] = {"mean": [], "first": [], "distinct": []}
    assert found == {"count": [(9, "m", {}, {"count": 0})], "sum": [(9, "m", {}, {"sum": 0.0})], **nothing}


def test_a_batch_without_the_field_counts_0_and_its_points_are_errors() -> None:
    points = [P(time_ns=0, fields={"w": 1}), P(time_ns=1, fields={"w": 1})]
    assert run_batches(Count(of="v"), [(9, points)]) == ([(9, "m", {}, {"count": 0})], 2)


def test_the_first_value_of_a_type_that_is_taken_gives_its_batch_the_type_and_others_are_errors() -> None:
    batches = [(5, values("x", 1, 2.5, 2)), (9, values(2.5, 1, True))]
    assert run_batches(Sum(of="v"), batches) == ([(5, "m", {}, {"sum": 3}), (9, "m", {}, {"sum": 2.5})], 4)


def test_integers_wrap_as_gos_do() -> None:
    ((_, _, _, fields),), _ = run_batches(Sum(of="v"), [(0, values(2**63 - 1, 1))])
    assert fields == {"sum": -(2**63)}


def test_an_aggregate_has_its_groups_tags_alone_and_a_selector_its_points_tags_and_fields() -> None:
    points = [
        P(time_ns=0, fields={"v": 1, "w": "a"}, tags={"host": "h", "rack": "1"}, by=["host"]),
        P(time_ns=1, fields={"v": 2, "w": "b"}, tags={"host": "h", "rack": "2"}, by=["host"]),
    ]
    assert run_batches(Mean(of="v"), [(9, points)])[0] == [(9, "m", {"host": "h"}, {"mean": 1.5})]
    assert run_batches(Max(of="v", as_="w"), [(9, points)])[0] == [(9, "m", {"host": "h", "rack": "2"}, {"w": 2})]


def test_a_selector_has_its_points_time_if_asked_but_percentile_has_not() -> None:
    assert [t for t, *_ in run_batches(Min(of="v", point_times=True), [(9, values(3, 1, 2))])[0]] == [1]
    assert [t for t, *_ in run_batches(Percentile(of=("v", 50.0), point_times=True), [(9, values(3, 1, 2))])[0]] == [9]


@pytest.mark.parametrize(
    ("percentage", "expected"), [(0.0, []), (12.4, []), (12.5, [1]), (62.5, [3]), (100.0, [4]), (120.0, [])]
)
def test_a_percentile_is_the_value_at_the_nearest_rank(percentage: float, expected: list[int]) -> None:
    found, _ = run_batches(Percentile(of=("v", percentage)), [(9, values(*VALUES))])
    assert [fields["percentile"] for _, _, _, fields in found] == expected


def test_first_and_last_take_texts_and_truths_and_of_one_time_the_greater_text() -> None:
    at_once = [P(time_ns=0, fields={"s": text, "b": text == "b"}) for text in ("a", "b", "a")]
    assert [run_batches(kind(of="s"), [(9, at_once)])[0][0][3] for kind in (First, Last)] == [
        {"b": True, "first": "b"},
        {"b": True, "last": "b"},
    ]
    assert [run_batches(kind(of="b"), [(9, at_once)])[0][0][3] for kind in (First, Last)] == [
        {"s": "a", "first": False},
        {"s": "b", "last": True},
    ]


def test_top_takes_the_oldest_of_equals_and_one_of_each_tag_in_the_order_of_times() -> None:
    points = [
        P(time_ns=i, fields={"v": v}, tags={"h": h})
        for i, (v, h) in enumerate([(5, "a"), (7, "b"), (9, "a"), (7, "c")])
    ]
    ((two,), _) = run_batches(Top(of=(2, "v", ("h",))), [(9, points)])
    assert two.points == [(9, {"top": 7}, {"h": "b"}), (9, {"top": 9}, {"h": "a"})]
    ((least,), _) = run_batches(Bottom(of=(2, "v", ()), point_times=True), [(9, points)])
    assert least.points == [(0, {"bottom": 5}, {"h": "a"}), (1, {"bottom": 7}, {"h": "b"})]


def test_distinct_values_come_once_in_the_order_in_which_they_came() -> None:
    ((batch,), _) = run_batches(Distinct(of="v", point_times=True), [(2, values("b", "a", "b", "c"))])
    assert (batch.tmax_ns, batch.points) == (
        3,
        [(0, {"distinct": "b"}, {}), (1, {"distinct": "a"}, {}), (3, {"distinct": "c"}, {})],
    )


def test_a_batch_too_short_for_a_forecast_gives_an_empty_one() -> None:
    ((batch,), _) = run_batches(HoltWinters(of=("v", 3, 0, 1)), [(9, values(1.0))])
    assert (batch.tmax_ns, batch.points) == (9, [])


def test_on_a_stream_points_of_one_time_are_taken_together_once_another_time_comes() -> None:
    points = [
        P(time_ns=t, fields={"v": v}, tags={"h": h}, by=["h"])
        for t, v, h in [(0, 1, "a"), (0, 5, "b"), (0, 3, "a"), (1, 9, "a")]
    ]
    assert run(Mean(of="v"), points, closing=True) == [(0, "m", {"h": "a"}, {"mean": 2.0})]


def test_on_a_stream_a_time_without_the_field_passes_unseen() -> None:
    points = [P(time_ns=0, fields={"w": 1}), P(time_ns=1, fields={"v": 1}), P(time_ns=2, fields={"v": 1})]
    keys = Keys()
    (step,) = steps(Count(of="v"), points, keys)
    assert (plain(step.out, keys), sum(step.errors.values())) == ([(1, "m", {}, {"count": 1})], 1)


FUNCTIONS_OF_V = [
    *(FUNCTIONS[name](of="v") for name in ("count", "sum", "mean", "median", "mode", "spread", "stddev")),
    *(FUNCTIONS[name](of="v") for name in ("first", "last", "min", "max", "distinct")),
    Percentile(of=("v", 50.0)),
    Top(of=(2, "v", ("rack",))),
    Bottom(of=(2, "v", ())),
]


@pytest.mark.parametrize("function", FUNCTIONS_OF_V, ids=lambda function: function.KIND)
@pytest.mark.parametrize("seed", range(10))
def test_borders_of_steps_and_restores_at_them_change_nothing(function: Function, seed: int) -> None:
    dice = random.Random(seed)
    now, points = 0, []
    for _ in range(80):
        now += dice.choice([0, 0, 0, 1, -1])
        tags = {"h": dice.choice("ab"), "rack": dice.choice("xyz")}
        fields = dice.choice(
            [{"v": dice.randint(0, 4)}, {"v": dice.randint(0, 4) / 2}, {"w": 1}, {"v": "text"}, {"v": True}]
        )
        points.append(P(time_ns=now, fields=fields, tags=tags, by=["h"], name=dice.choice("mn")))
    borders = sorted(dice.randint(0, 80) for _ in range(6))
    assert run(function, points, borders=borders) == run(function, points)


@pytest.mark.parametrize("function", FUNCTIONS_OF_V, ids=lambda function: function.KIND)
def test_a_batch_is_reduced_as_if_it_were_alone(function: Function) -> None:
    dice = random.Random(1)
    batches = [
        (
            i,
            values(
                *(dice.choice([dice.randint(0, 5), dice.randint(0, 5) / 2, "x"]) for _ in range(dice.randint(0, 9)))
            ),
        )
        for i in range(40)
    ]
    together, errors = run_batches(function, batches)
    alone = [run_batches(function, [batch]) for batch in batches]
    assert (together, errors) == ([each for found, _ in alone for each in found], sum(count for _, count in alone))


@pytest.mark.parametrize("count", [0, 1, 2, 12, 13, 41, 300])
@pytest.mark.parametrize("different", [1, 3, 1000])
def test_gos_sort_sorts(count: int, different: int) -> None:
    key = np.random.default_rng(count).integers(0, different, count + 5)
    order = go_sorted(key, 5, count + 5)
    assert sorted(order.tolist()) == list(range(5, count + 5))
    assert key[order].tolist() == sorted(key[5:].tolist())


def test_gos_sort_moves_equals_of_a_short_list_by_steps_of_six() -> None:
    key = np.array([2, 1, 1, 1, 1, 1, 1])  # the first and the seventh change places, then insertion keeps the order
    assert go_sorted(key, 0, 7).tolist() == [6, 1, 2, 3, 4, 5, 0]


def test_a_step_of_no_points_gives_nothing() -> None:
    keys = Keys()
    step = Mean(of="v").step(Mean(of="v").initial(), [frame_of([], keys)], Tick(now_ns=0), keys)
    assert len(step.out) == 0
    assert len(Distinct(of="v").step(Distinct(of="v").initial(), [batches_of([], keys)], Tick(now_ns=0), keys).out) == 0
