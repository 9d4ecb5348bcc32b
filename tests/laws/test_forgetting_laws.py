"""What holds of every operator when the engine forgets a silent group, and gives its number to another: others notice nothing,
and the group begins anew when it comes back; and what tasks hold does not grow with groups that never do."""

from __future__ import annotations

import random
from typing import Any

import pytest
from forgetful_runs import ForgetfulRun, graph_of, of, sizes
from frames import Plain
from lambdas import above, every_other, field_of
from operator_examples import EXAMPLES
from pipeline_processing.graph.graph import Graph, Node
from pipeline_processing.operators.alert import Alert
from pipeline_processing.operators.barrier import Barrier
from pipeline_processing.operators.cumulative_sum import CumulativeSum
from pipeline_processing.operators.default import Default
from pipeline_processing.operators.eval import Eval
from pipeline_processing.operators.from_ import From
from pipeline_processing.operators.functions import FUNCTIONS
from pipeline_processing.operators.group_by import GroupBy
from pipeline_processing.operators.http_out import HttpOut
from pipeline_processing.operators.join import Join
from pipeline_processing.operators.operator import Operator
from pipeline_processing.operators.options import NodeName
from pipeline_processing.operators.state_count import StateCount
from pipeline_processing.operators.stats import Stats
from pipeline_processing.operators.union import Union
from pipeline_processing.operators.where import Where
from pipeline_processing.operators.window import Window
from pipeline_processing.points.keys import Group
from random_points import random_points

SEEDS = range(4)
ALONE: dict[str, tuple[Operator, ...]] = {
    **{name: (each.operator,) for name, each in EXAMPLES.items() if each.edge == "stream"},
    "barrier": (Barrier(idle_ns=100, forgets=True), Window(period_ns=4, every_ns=4)),
    "from with idle": (From(group_by=("node",), idle_ns=50, lateness_ns=9),),
    "window and function": (Window(period_ns=9, every_ns=3), FUNCTIONS["top"](of=(2, "w", ()))),
    "a tag in a lambda": (Eval(lambdas=(field_of("node"), field_of("zone")), as_=("n", "z")),),
    "tags": (
        Default(tags=(("zone", "z"),)),
        Where(condition=every_other()),
        Eval(lambdas=(every_other(),), as_=("e",)),
    ),
}


def anew(rng: random.Random, names: str, *, apart: bool = False) -> list[Plain]:
    """Points of these nodes; `apart`, of two measurements."""
    found = []
    for each in random_points(rng):
        tags = {**each["tags"], "node": rng.choice(names)}
        found.append({**each, "tags": tags, "name": rng.choice("mn") if apart else "m"})
    return found


def group(node: str) -> Group:
    return Group((("node", node),))


def both_ways(graph: Graph, first: list[Plain], second: list[Plain]) -> tuple[list[Plain], list[Plain]]:
    """`a` is silent, is forgotten, and comes back among groups that are new: what comes of it then, and of it alone in a run
    that begins with that."""
    kept, forgets, fresh = ForgetfulRun(graph), ForgetfulRun(graph), ForgetfulRun(graph)
    for each in (kept, forgets):
        each.step(first)
        each.out()
    assert forgets.forget(group("a"))
    for each in (kept, forgets, fresh):
        for points in (second[:2], second[2:20], second[20:]):
            each.step(points if each is not fresh else [one for one in points if one["tags"]["node"] == "a"])
    came, whole, alone = forgets.out(), kept.out(), fresh.out()
    for node in "bcdefg":
        assert repr(of(node, came)) == repr(of(node, whole))
    return of("a", came), of("a", alone)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("operators", ALONE.values(), ids=ALONE)
def test_others_notice_nothing_and_the_group_begins_anew(operators: tuple[Operator, ...], seed: int) -> None:
    rng = random.Random(seed)
    came, alone = both_ways(graph_of(*operators), anew(rng, "abc"), anew(rng, "abcdefg"))
    assert repr(came) == repr(alone)


@pytest.mark.parametrize("seed", SEEDS)
def test_points_of_it_that_wait_for_other_groups_batches_still_come(seed: int) -> None:
    operators = (Window(period_ns=9, every_ns=3), GroupBy(tags=("node", "zone")), FUNCTIONS["count"](of="w"))
    rng = random.Random(seed)
    both_ways(graph_of(*operators), anew(rng, "abc"), anew(rng, "abcdefg"))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fill", ["none", "null"])
def test_of_a_join_too(fill: Any, seed: int) -> None:
    last = graph_of().nodes[-1].operator
    nodes = (
        Node(name="m", operator=From(measurement="m", group_by=("node",))),
        Node(name="n", operator=From(measurement="n", group_by=("node",))),
        Node(name="j", operator=Join(others=(NodeName("n"),), as_=("x", "y"), fill=fill), parents=("m", "n")),
        Node(name="sink", operator=last, parents=("j",)),
    )
    rng = random.Random(seed)
    came, alone = both_ways(Graph(nodes=nodes), anew(rng, "abc", apart=True), anew(rng, "abcdefg", apart=True))
    assert repr(came) == repr(alone)


def test_a_group_of_which_points_wait_in_a_union_is_kept() -> None:
    last = graph_of().nodes[-1].operator
    nodes = (
        Node(name="m", operator=From(measurement="m", group_by=("node",))),
        Node(name="n", operator=From(measurement="n", group_by=("node",))),
        Node(name="u", operator=Union(others=(NodeName("n"),)), parents=("m", "n")),
        Node(name="sink", operator=last, parents=("u",)),
    )
    run = ForgetfulRun(Graph(nodes=nodes))
    run.step([{"time": 5, "name": "m", "tags": {"node": "a"}}])
    assert not run.forget(group("a"))
    run.step([{"time": 9, "name": "n", "tags": {"node": "b"}}])
    assert [each["tags"] for each in run.out()] == [{"node": "a"}]
    assert run.forget(group("a"))


def test_a_group_whose_alert_is_not_ok_is_kept_in_all_nodes_and_recovers() -> None:
    alert = Alert(crit=above("n", 2.0), id="{{ .Group }}")
    run = ForgetfulRun(graph_of(StateCount(condition=above("v", 0.0), as_="n"), alert))

    def told(node: str, value: float) -> list[tuple[str, int]]:
        point = {"time": 1, "tags": {"node": node}, "group": ["node"], "fields": {"v": value}}
        return [(each.id, each.level) for each in run.step([point])]

    assert [told("a", 1.0), told("b", 1.0), told("a", 1.0), told("b", -1.0)] == [[], [], [], []]
    assert told("a", 1.0) == [("node=a", 3)]
    run.forget(group("a"), group("b"))
    assert [each.id for each in run.run.keys._group_ids] == ["node=a"]
    assert told("a", 1.0) == [("node=a", 3)]  # its fourth of them: the count went on
    assert told("a", -1.0) == [("node=a", 0)]
    assert run.forget(group("a"))
    assert [told("a", 1.0) for _ in range(3)] == [[], [], [("node=a", 3)]]


def test_statistics_tell_of_a_forgotten_group_no_more_and_begin_at_nothing_for_one_that_comes_back() -> None:
    run = ForgetfulRun(graph_of(Stats(interval_ns=10)))
    two = [{"time": 1, "tags": {"node": node}, "group": ["node"]} for node in "aab"]
    run.step(two, 1)
    run.step([], 11)
    assert [each["fields"]["emitted"] for each in run.out()] == [2, 1]
    assert run.forget(group("a"))
    run.step([], 21)
    run.step(two[:1], 31)
    assert [(each["tags"]["node"], each["fields"]["emitted"]) for each in run.out()] == [("b", 1), ("b", 1), ("a", 1)]


def test_a_forgotten_groups_result_is_not_read_any_more() -> None:
    run = ForgetfulRun(graph_of(Window(period_ns=2, every_ns=2), HttpOut(endpoint="o")))
    run.step([{"time": time, "tags": {"node": node}, "group": ["node"]} for time in (1, 4) for node in "ab"])
    assert len(run.run.states["1"].each_batch()) == 2
    run.forget(group("a"))
    (left,) = run.run.states["1"].each_batch()
    assert run.run.keys.groups[left.group[0]] == group("b")


EVERYTHING: tuple[Operator, ...] = (
    From(group_by=("node",), lateness_ns=2, idle_ns=50),
    Default(tags=(("zone", "z"),)),
    StateCount(condition=every_other()),
    Eval(lambdas=(every_other(),), as_=("odd",), keep=()),
    HttpOut(endpoint="o"),
    Alert(crit=above("w", 9.0), id="{{ .Group }}"),
    Window(period_ns=6, every_ns=2),
    HttpOut(endpoint="p"),
    FUNCTIONS["count"](of="w"),
    CumulativeSum(of="count"),
)


def test_what_a_task_holds_does_not_grow_with_groups_that_never_come_back() -> None:
    run, held = ForgetfulRun(graph_of(*EVERYTHING)), []
    for at in range(60):
        now_ns = at * 100
        names = [f"{at:03}-{number:02}" for number in range(40)]
        run.step(
            [
                {"time": now_ns + time, "tags": {"node": name}, "fields": {"v": 1.0, "w": 10.0 - time}}
                for time in (0, 1, 4)
                for name in names
            ],
            now_ns,
        )
        run.out()
        run.silence.note(run.run, now_ns)
        run.run = run.silence.broken(run.run, now_ns - 250)
        held.append(sizes(run.run))
    assert max(held[10:]) <= max(held[:10])
    assert run.run.keys.group_count <= 1 + 2 * 3 * 40
    assert run.run.counters["6"].groups <= 3 * 40


def test_series_that_nothing_refers_to_are_forgotten_though_their_group_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline_processing.graph.forgetting.SERIES_MIN", 20)
    run = ForgetfulRun(graph_of(From(where=(above("zone", 0.0),)), Window(period_count=3, every_count=1)))
    for at in range(200):
        run.step([{"time": at, "tags": {"container": str(at)}, "fields": {"zone": 1.0}}])
        run.silence.note(run.run, at)
        run.run = run.silence.broken(run.run, 0)
    assert len(run.run.keys.series) <= 60
    tags = [point["tags"]["container"] for point in run.out()[-1]["points"]]
    assert tags == ["197", "198", "199"]
