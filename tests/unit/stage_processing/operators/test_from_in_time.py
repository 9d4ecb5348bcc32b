"""`lateness` and `idle` of `from`: points in the order of their times, and silent groups' windows closed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from frames import Plain, causes, frame, points
from pipeline_processing.graph.graph import Graph, Node
from pipeline_processing.graph.run import Run
from pipeline_processing.operators.from_ import BEHIND_BARRIER, LATE, From
from pipeline_processing.operators.operator import Tick
from pipeline_processing.operators.reordering import UNSEEN
from pipeline_processing.operators.window import Window
from pipeline_processing.points.frame import empty_frame
from pipeline_processing.points.keys import Keys

Given = tuple[int, str]
"""A time, and a node."""


class Fed:
    """A `from` and its state, through steps at times of the clock."""

    def __init__(self, **options: Any) -> None:
        self.operator = From(group_by=("node",), **options)
        self.state, self.keys, self.came = self.operator.initial(), Keys(), 0
        self.errors: dict[str, int] = {}

    def step(self, *given: Given, now_ns: int = 0, closing: bool = False) -> list[tuple[int, str, int]]:
        """Time, node and cause of each that comes out; a barrier is a time and a node."""
        plain: Sequence[Plain] = [{"time": time, "tags": {"node": node}} for time, node in given]
        taken = frame(self.keys, plain, self.came)
        self.came += len(plain)
        step = self.operator.step(self.state, [taken], Tick(now_ns=now_ns, closing=closing), self.keys)
        self.errors |= step.errors
        self.told = step.out.barriers
        read = zip(points(step.out, self.keys), causes(step.out), strict=True)
        return [(each["time"], each["tags"]["node"], cause) for each, cause in read]


def test_a_point_comes_with_the_first_of_its_group_that_is_so_much_newer() -> None:
    run = Fed(lateness_ns=5)
    assert run.step((10, "a"), (8, "a"), (14, "a")) == [(8, "a", 2)]
    assert run.step((13, "a"), (15, "a")) == [(10, "a", 4)]
    assert run.step((100, "b"), (19, "a")) == [(13, "a", 6), (14, "a", 6)]


def test_the_end_brings_the_rest_of_all_groups_in_the_order_of_time() -> None:
    run = Fed(lateness_ns=50)
    run.step((10, "a"), (9, "b"), (12, "b"), (11, "a"))
    assert [each[:2] for each in run.step(closing=True)] == [(9, "b"), (10, "a"), (11, "a"), (12, "b")]
    assert run.step(closing=True) == []


def test_points_later_than_that_are_dropped_and_counted_and_one_just_in_time_is_not() -> None:
    run = Fed(lateness_ns=5)
    assert run.step((20, "a"), (14, "a"), (15, "a"), (3, "b")) == [(15, "a", 2)]
    assert run.errors == {LATE: 1}


def test_without_any_lateness_only_the_order_is_kept() -> None:
    run = Fed(lateness_ns=0)
    assert [each[0] for each in run.step((1, "a"), (3, "a"), (2, "a"), (3, "a"))] == [1, 3, 3]
    assert run.errors == {LATE: 1}


def test_points_of_one_time_come_in_the_order_of_their_arrival() -> None:
    run = Fed(lateness_ns=5)
    times = [5] * 40 + [4] * 30 + [10]
    given = [{"time": time, "tags": {"node": "a"}, "fields": {"n": n}} for n, time in enumerate(times)]
    out = run.operator.step(run.state, [frame(run.keys, given)], Tick(now_ns=0), run.keys).out
    assert [each["fields"]["n"] for each in points(out, run.keys)] == [*range(40, 70), *range(40)]


@pytest.mark.parametrize("seed", range(30))
def test_it_is_as_sorting_what_is_held_with_each_point(seed: int) -> None:
    rng = random.Random(seed)
    wait = rng.choice([0, 1, 7, 30])
    given = [(rng.randrange(60) + at // 2, rng.choice("abc")) for at in range(200)]
    held: dict[str, list[tuple[int, int]]] = {}
    highest: dict[str, int] = {}
    expected, late = [], 0
    for at, (time, node) in enumerate(given):
        if time < highest.get(node, -(10**9)) - wait:
            late += 1
            continue
        highest[node] = max(time, highest.get(node, time))
        waiting = sorted([*held.get(node, []), (time, at)])
        expected += [(each, node, at) for each, _ in waiting if each <= highest[node] - wait]
        held[node] = [each for each in waiting if each[0] > highest[node] - wait]
    run = Fed(lateness_ns=wait)
    out = [each for first in range(0, 200, 37) for each in run.step(*given[first : first + 37])]
    assert (out, run.errors.get(LATE, 0) > 0) == (expected, late > 0)


def test_the_oldest_time_that_there_is_is_no_newer_than_any() -> None:
    run = Fed(lateness_ns=10)
    assert run.step((UNSEEN + 3, "a"), (UNSEEN + 1, "a"), (0, "a"))[0][0] == UNSEEN + 1


def test_a_silent_group_is_told_of_and_what_it_held_comes_before() -> None:
    run = Fed(lateness_ns=60, idle_ns=10)
    assert run.step((100, "a"), (95, "a"), (200, "b"), now_ns=1000) == []
    run.step((201, "b"), now_ns=1005)
    assert run.operator.due_ns(run.state) == 1010
    assert run.step(now_ns=1010) == [(95, "a", 3), (100, "a", 3)]
    assert (run.told.time_ns.tolist(), run.told.forget.tolist()) == ([105], [False])
    assert run.step((104, "a"), (106, "a"), now_ns=1011) == []
    assert run.errors == {BEHIND_BARRIER: 1}


def test_a_silent_groups_window_closes_by_the_clock() -> None:
    graph = Graph(
        nodes=(
            Node(name="from1", operator=From(group_by=("node",), idle_ns=20)),
            Node(name="window2", operator=Window(period_ns=10, every_ns=10), parents=("from1",)),
        )
    )
    run = Run(graph=graph)
    closed = []
    for now_ns, given in ((100, [3, 5]), (119, []), (120, []), (140, [])):
        taken = frame(run.keys, [{"time": time, "tags": {"node": "a"}} for time in given])
        assert (run.due_ns() or 0) >= 100 or not closed
        run.step(taken, Tick(now_ns=now_ns))
        closed.append(run.counters["window2"].emitted)
    assert closed == [0, 0, 2, 2]
    assert run.due_ns() == 160


def test_a_from_without_idle_asks_for_no_step() -> None:
    run = Run(graph=Graph(nodes=(Node(name="from1", operator=From(lateness_ns=3)),)))
    run.step(empty_frame(), Tick(now_ns=5))
    assert run.due_ns() is None


def test_neither_is_below_zero() -> None:
    for wrong in ({"lateness_ns": -1}, {"idle_ns": -1}):
        with pytest.raises(ValueError, match="not below 0s"):
            From(**wrong)
