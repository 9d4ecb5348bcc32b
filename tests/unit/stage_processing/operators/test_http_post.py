"""Points and batches that go on when they are answered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from frames import batches, frame, points
from pipeline_processing.operators.http_post import HttpPost
from pipeline_processing.operators.operator import Data, Tick
from pipeline_processing.points.barriers import Barriers
from pipeline_processing.points.keys import Keys

POST = HttpPost(url="http://target/", code_field="code")


class Node:
    """One that waits, fed a step after the other."""

    def __init__(self, operator: HttpPost = POST) -> None:
        self.keys, self.operator, self.state = Keys(), operator, operator.initial()
        self.asked = 0

    def step(self, data: Data, *answers: int, **tick: object) -> Data:
        step = self.operator.step(self.state, [data], Tick(now_ns=0, answers=answers, **tick), self.keys)
        self.state = step.state
        self.asked += sum(len(each.data) for each in step.emitted)
        return step.out

    def points(self, *times: int, answers: tuple[int, ...] = (), **tick: object) -> list[tuple[int, int]]:
        """Time and code of what goes on."""
        given = frame(self.keys, [{"time": each, "fields": {"v": 1.0}} for each in times])
        out = points(self.step(given, *answers, **tick), self.keys)
        return [(each["time"], each["fields"]["code"]) for each in out]


def test_points_wait_for_their_answers_and_have_them_in_order() -> None:
    node = Node()
    assert node.points(1, 2, 3) == []
    assert node.points(4, answers=(200, 500)) == [(1, 200), (2, 500)]
    assert node.points(answers=(0,)) == [(3, 0)]
    assert node.points(answers=(201,)) == [(4, 201)]
    assert node.asked == 4


def test_points_of_several_steps_go_on_together() -> None:
    node = Node()
    node.points(1, 2)
    node.points(3)
    assert node.points(answers=(200, 201, 202)) == [(1, 200), (2, 201), (3, 202)]


def test_where_nobody_is_asked_all_count_as_answered_at_once() -> None:
    assert Node().points(1, 2, assumed_answer=200) == [(1, 200), (2, 200)]


def test_what_is_not_answered_at_the_end_goes_on_with_0() -> None:
    node = Node()
    node.points(1, 2, 3)
    assert node.points(answers=(200,), closing=True) == [(1, 200), (2, 0), (3, 0)]


def test_without_a_field_for_the_code_nothing_waits() -> None:
    node = Node(HttpPost(url="http://target/"))
    given = frame(node.keys, [{"time": 1, "fields": {"v": 1.0}}])
    assert (node.step(given) is given, node.asked, node.operator.awaits_answers) == (True, 1, False)


def test_a_batch_is_answered_once_and_each_of_its_points_has_the_code() -> None:
    node = Node()
    points = [{"time": 1, "fields": {"v": 1.0}}, {"time": 2, "fields": {"v": 2.0}}]
    given = batches(
        node.keys, [{"tmax": 2, "points": points}, {"tmax": 9, "points": []}, {"tmax": 12, "points": points}]
    )
    nothing = batches(node.keys, [])
    assert len(node.step(given)) == 0
    first = node.step(nothing, 202, 203)
    assert (first.tmax_ns.tolist(), first.rows.fields["code", "int"].values.tolist()) == ([2, 9], [202, 202])
    second = node.step(nothing, 204)
    assert (second.tmax_ns.tolist(), second.rows.fields["code", "int"].values.tolist()) == ([12], [204, 204])


def test_a_barrier_does_not_pass_the_points_before_it() -> None:
    node = Node()
    given = frame(node.keys, [{"time": 1, "fields": {"v": 1.0}}])
    barrier = Barriers(group=given.group, time_ns=given.time_ns, cause=given.cause, forget=given.group > -1)
    nothing = frame(node.keys, [])
    assert node.step(given).barriers is None
    assert node.step(type(given)(**{**_fields(nothing), "barriers": barrier})).barriers is None
    out = node.step(nothing, 200)
    assert (len(out), out.barriers) == (1, barrier)


def test_groups_of_which_points_or_barriers_wait_are_kept_until_they_have_gone_on() -> None:
    node = Node()
    group = np.array([3], dtype=np.int32)
    barrier = Barriers(group=group + 4, time_ns=group, cause=group, forget=group > 0)
    given = replace(frame(node.keys, [{"time": 1, "fields": {"v": 1.0}}]), group=group, barriers=barrier)
    node.step(given)
    assert node.operator.keeps(node.state).tolist() == [3, 7]
    node.step(frame(node.keys, []), 200)
    assert node.operator.keeps(node.state).tolist() == []


def _fields(data: Data) -> dict[str, object]:
    return {name: getattr(data, name) for name in ("time_ns", "series", "group", "cause", "fields")}


@pytest.mark.parametrize("given", [{}, {"url": "http://a/", "endpoint": "b"}])
def test_it_wants_either_a_url_or_an_endpoint(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"either a URL or an endpoint\(\)"):
        HttpPost(**given)
