"""Groups' time, moved on by the clock; and what that does to windows behind."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from frames import batches, frame, points
from lambdas import above, every_other
from pipeline_processing.graph.graph import Graph, Node
from pipeline_processing.graph.run import Run
from pipeline_processing.operators.barrier import NEVER, Barrier
from pipeline_processing.operators.log import Log
from pipeline_processing.operators.operator import CannotRun, Operator, Tick
from pipeline_processing.operators.sample import Sample
from pipeline_processing.operators.state_count import StateCount
from pipeline_processing.operators.where import Where
from pipeline_processing.operators.window import Window
from pipeline_processing.points.frame import empty_frame
from pipeline_processing.points.keys import Keys


class Clocked:
    """A barrier and its state, through steps at times of the clock."""

    def __init__(self, operator: Barrier) -> None:
        self.operator, self.state, self.keys = operator, operator.initial(), Keys()

    def step(self, now_ns: int, *given: tuple[int, str]) -> tuple[list[int], list[tuple[str, int]]]:
        """Points (time and node) go in; the times of those that pass come out, and each barrier's group and time."""
        named = [{"time": time, "tags": {"n": node}, "group": ["n"]} for time, node in given]
        step = self.operator.step(self.state, [frame(self.keys, named)], Tick(now_ns=now_ns), self.keys)
        self.state = pickle.loads(pickle.dumps(step.state))
        told = step.out.barriers
        found = [] if told is None else zip(told.group.tolist(), told.time_ns.tolist(), strict=True)
        return step.out.time_ns.tolist(), [(self.keys.groups[group].id, time) for group, time in found]


def test_an_idle_group_is_told_so_long_after_its_last_point() -> None:
    run = Clocked(Barrier(idle_ns=10))
    assert run.step(100, (100, "a"), (100, "b")) == ([100, 100], [])
    assert run.step(105, (105, "a")) == ([105], [])
    assert run.step(110) == ([], [("n=b", 110)])
    assert run.step(115) == ([], [("n=a", 115)])


def test_a_group_that_stays_idle_is_told_again() -> None:
    run = Clocked(Barrier(idle_ns=10))
    run.step(100, (100, "a"))
    assert [run.step(now)[1] for now in (110, 119, 120)] == [[("n=a", 110)], [], [("n=a", 120)]]


def test_with_a_period_points_do_not_put_it_off() -> None:
    run = Clocked(Barrier(period_ns=10))
    run.step(100, (100, "a"))
    assert run.step(109, (109, "a")) == ([109], [])
    assert run.step(110, (110, "a")) == ([110], [("n=a", 110)])


def test_an_idle_barrier_has_the_time_of_the_source_whose_clock_is_behind() -> None:
    # Kapacitor's issue 1710: with the engine's own time, all that comes later would be dropped.
    run = Clocked(Barrier(idle_ns=10))
    run.step(100, (40, "a"), (30, "a"))
    assert run.step(110) == ([], [("n=a", 40)])
    assert run.step(120) == ([], [("n=a", 50)])
    assert run.step(125, (49, "a"), (50, "a")) == ([50], [])
    assert run.step(135) == ([], [("n=a", 60)])


def test_points_older_than_the_last_barrier_are_dropped_and_counted() -> None:
    run = Clocked(Barrier(period_ns=10))
    run.step(100, (100, "a"), (100, "b"))
    run.step(110)
    assert run.step(112, (109, "a"), (110, "a"), (111, "b"), (50, "b")) == ([110, 111], [])
    late = frame(run.keys, [{"time": 1, "tags": {"n": "a"}, "group": ["n"]}])
    assert run.operator.step(run.state, [late], Tick(now_ns=113), run.keys).counted == {"late": 1}


def test_what_waited_in_front_of_a_task_that_stood_still_is_not_dropped() -> None:
    run = Clocked(Barrier(idle_ns=10))
    run.step(100, (100, "a"))
    assert run.step(500, (101, "a"), (102, "a")) == ([101, 102], [])
    assert run.step(510) == ([], [("n=a", 112)])


def test_it_is_due_when_the_first_timer_is() -> None:
    run = Clocked(Barrier(idle_ns=10))
    assert run.operator.due_ns(run.state) == NEVER
    run.step(100, (0, "a"))
    run.step(103, (0, "b"))
    assert run.operator.due_ns(run.state) == 110
    run.step(105, (0, "a"))
    assert run.operator.due_ns(run.state) == 113


def test_a_group_that_is_to_be_forgotten_begins_anew() -> None:
    run = Clocked(Barrier(idle_ns=10, forgets=True))
    run.step(100, (100, "a"))
    assert run.step(110) == ([], [("n=a", 110)])
    assert run.operator.due_ns(run.state) == NEVER
    assert run.step(120, (5, "a")) == ([5], [])


def test_batches_are_told_of_by_the_groups_that_they_are_of() -> None:
    keys, operator = Keys(), Barrier(idle_ns=10)
    state = operator.initial()
    given = batches(keys, [{"tmax": 9, "tags": {"n": "a"}, "points": [{"time": 1}]}])
    out = operator.step(state, [given], Tick(now_ns=0), keys).out
    assert (points(out, keys), out.barriers) == (points(given, keys), None)
    assert operator.step(
        state, [given.take(given.tmax_ns < 0)], Tick(now_ns=10), keys
    ).out.barriers.time_ns.tolist() == [11]


def test_one_of_idle_and_period_is_wanted() -> None:
    with pytest.raises(CannotRun, match="non zero idle or a non zero period"):
        Barrier()
    with pytest.raises(ValueError, match="both idle and period"):
        Barrier(idle_ns=1, period_ns=1)


def chained(*operators: Operator) -> Run:
    names = [f"{each.KIND}{at}" for at, each in enumerate(operators)]
    parents = [(), *((each,) for each in names)]
    nodes = [Node(name=n, operator=o, parents=p) for n, o, p in zip(names, operators, parents, strict=False)]
    return Run(graph=Graph(nodes=tuple(nodes)))


def told(run: Run, now_ns: int, given: Any = None) -> list[tuple[int, list[int]]]:
    """Each batch that comes out at the end: its time, and its points'."""
    left = run.step(given if given is not None else empty_frame(), Tick(now_ns=now_ns))
    found = [batch for each in left for batch in points(each.item.data, run.keys)]
    return [(each["tmax"], [point["time"] for point in each["points"]]) for each in found]


def test_a_barrier_closes_the_window_of_a_silent_group_through_the_nodes_between() -> None:
    run = chained(Barrier(idle_ns=50), Sample(rate=1), Window(period_ns=10, every_ns=10), Log())
    assert told(run, 100, frame(run.keys, [{"time": 100}, {"time": 104}])) == []
    assert told(run, 149) == []
    assert run.due_ns() == 150
    assert told(run, 150) == [(110, [100, 104])]
    assert told(run, 155, frame(run.keys, [{"time": 155}])) == []
    # The barrier's time was 104 + 50, so that the window after it ends at 164.
    assert told(run, 163, frame(run.keys, [{"time": 163}])) == []
    assert told(run, 164, frame(run.keys, [{"time": 164}])) == [(164, [155, 163])]


def test_a_window_keeps_nothing_of_a_group_that_is_to_be_forgotten() -> None:
    run = chained(Barrier(idle_ns=50, forgets=True), Window(period_ns=1000, every_ns=10), Log())
    told(run, 100, frame(run.keys, [{"time": 100}]))
    assert told(run, 150) == [(110, [100])]
    assert len(run.states["window1"].store) == 0
    assert told(run, 200, frame(run.keys, [{"time": 200}, {"time": 215}])) == [(210, [200])]


def seen(run: Run, now_ns: int, *given: tuple[int, float, str]) -> list[dict[str, Any]]:
    """Points (time, value and node) go in; the fields of those that come out at the end."""
    named = [{"time": time, "tags": {"n": n}, "group": ["n"], "fields": {"v": v}} for time, v, n in given]
    left = run.step(frame(run.keys, named), Tick(now_ns=now_ns))
    return [point["fields"] for each in left for point in points(each.item.data, run.keys)]


@pytest.mark.parametrize(("forget", "after"), [(False, [3, 1]), (True, [1, 1])])
def test_a_count_of_points_begins_anew_after_a_barrier_if_its_group_is_to_be_forgotten(
    forget: bool, after: list[int]
) -> None:
    run = chained(Barrier(idle_ns=50, forgets=forget), StateCount(condition=above("v", 0.0), as_="n"), Log())
    assert [each["n"] for each in seen(run, 100, (100, 1.0, "a"), (101, 1.0, "a"))] == [1, 2]
    assert seen(run, 151) == []
    assert [each["n"] for each in seen(run, 160, (160, 1.0, "a"), (160, 1.0, "b"))] == after


@pytest.mark.parametrize(("forget", "after"), [(False, [103.0]), (True, [102.0])])
def test_what_a_lambda_has_counted_of_a_group_is_forgotten_with_it(forget: bool, after: list[float]) -> None:
    run = chained(Barrier(idle_ns=50, forgets=forget), Where(condition=every_other()), Log())
    assert [each["v"] for each in seen(run, 100, (100, 101.0, "a"))] == [101.0]
    assert seen(run, 151) == []
    assert [each["v"] for each in seen(run, 160, (160, 102.0, "a"), (160, 103.0, "a"))] == after
