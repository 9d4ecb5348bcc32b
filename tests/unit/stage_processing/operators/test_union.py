"""Union: expected orders by hand, after Kapacitor's rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from join_frames import SECOND_NS, Plain, by_time, frame, numbered, run
from pipeline_processing.operators.arrivals import CLOSING_CAUSE
from pipeline_processing.operators.operator import Tick
from pipeline_processing.operators.union import Union
from pipeline_processing.points.barriers import Barriers
from pipeline_processing.points.frame import Frame, empty_frame
from pipeline_processing.points.keys import Keys


def at(*times: float, name: str = "m") -> list[Plain]:
    return [{"time": time, "name": name, "v": time} for time in times]


def times(parents: Sequence[Sequence[Plain]], *, closing: bool = False) -> list[float]:
    return [each["time"] for each in run(Union(), parents, closing=closing)[0]]


def test_nothing_comes_out_before_every_parent_gave_a_point() -> None:
    assert times(numbered(at(1.0, 2.0), at(1.0), [])) == []


def test_what_is_not_newer_than_the_first_waiting_of_each_parent_comes_out_in_order_of_time() -> None:
    # 3 and 4 wait: the second parent may still give a point of 2.5.
    assert times(numbered(at(1.0, 3.0, 4.0), at(2.0, 2.5))) == [1.0, 2.0, 2.5]


def test_a_point_that_came_out_marks_how_far_the_other_parents_may_go() -> None:
    assert times(numbered(at(5.0), at(1.0, 4.0, 6.0))) == [1.0, 4.0, 5.0]


def test_a_point_older_than_what_its_parent_gave_leaves_the_parents_mark() -> None:
    # 3 passes behind 5, whose mark stays: 4 and 5 of the other need not wait.
    assert times(numbered(at(5.0, 3.0), at(1.0, 4.0, 5.0, 5.5))) == [1.0, 4.0, 5.0, 5.0, 3.0]


def test_of_one_time_the_others_points_come_before_the_nodes_own() -> None:
    # As Kapacitor recorded it in union_two_plain_stream_groups: it links the node itself last.
    out, _ = run(Union(), numbered(at(1.0, name="a"), at(1.0, name="b"), at(1.0, name="c")))
    assert [each["name"] for each in out] == ["b", "c", "a"]


def test_the_rest_comes_out_when_the_task_closes() -> None:
    out, _ = run(Union(), numbered(at(1.0, 3.0), at(2.0, 4.0), []), closing=True)
    assert [(each["time"], each["cause"]) for each in out] == [(t, CLOSING_CAUSE) for t in (1.0, 2.0, 3.0, 4.0)]


def test_what_comes_out_is_caused_by_the_point_that_let_it() -> None:
    out, _ = run(Union(), numbered(at(1.0, 3.0), at(3.0)))
    assert [(each["time"], each["cause"]) for each in out] == [(1.0, 2), (3.0, 2), (3.0, 2)]


def test_rename_changes_the_measurement_and_neither_tags_nor_groups() -> None:
    points = [{"time": 1.0, "name": "m", "tags": {"host": "a", "rack": "1"}, "by": ["host"], "v": 1}]
    out, _ = run(Union(rename="all"), numbered(points, points))
    assert [(e["name"], e["tags"], e["group"]) for e in out] == [("all", {"host": "a", "rack": "1"}, "host=a")] * 2


def test_rename_changes_groups_where_measurements_are_apart() -> None:
    points = [{"time": 1.0, "name": "m", "tags": {"host": "a"}, "by": ["host"], "apart": True, "v": 1}]
    out, _ = run(Union(rename="all"), numbered(points, points))
    assert {each["group"] for each in out} == {"all\nhost=a"}


def test_batches_come_in_order_of_their_ends_with_their_points() -> None:
    first = [{"tmax": 10.0, "name": "a", "points": [{"time": 1.0, "v": 1}, {"time": 2.0, "v": 2}]}]
    second = [
        {"tmax": 5.0, "name": "b", "points": []},
        {"tmax": 20.0, "name": "b", "points": [{"time": 15.0, "w": "x"}]},
    ]
    out, _ = run(Union(), by_time(first, second))
    found = [(each["tmax"], each["name"], [(p["time"], p["fields"]) for p in each["points"]]) for each in out]
    assert found == [(5.0, "b", []), (10.0, "a", [(1.0, {"v": 1}), (2.0, {"v": 2})])]


def told(data: Frame, *barriers: tuple[float, int, bool]) -> Frame:
    """The points, and after them barriers: a time, a group, and whether it is to be forgotten."""
    times_s, groups, forget = zip(*barriers, strict=True)
    found = Barriers(
        group=np.array(groups, dtype=np.int32),
        time_ns=np.array([round(each * SECOND_NS) for each in times_s]),
        cause=np.full(len(barriers), 7),
        forget=np.array(forget),
    )
    return replace(data, barriers=found)


def test_a_barrier_waits_its_turn_and_moves_its_parent() -> None:
    keys, union = Keys(), Union()
    state, tick = union.initial(), Tick(now_ns=0)
    own, other = frame(at(1.0, 4.0), keys), told(frame(at(2.0), keys), (3.0, 0, False), (6.0, 0, True))
    out = union.step(state, [own, other], tick, keys).out
    assert [each / SECOND_NS for each in out.time_ns] == [1.0, 2.0, 4.0]
    assert (out.barriers.time_ns.tolist(), out.barriers.forget.tolist()) == ([3 * SECOND_NS], [False])
    assert union.keeps(state).tolist() == [0]
    out = union.step(state, [frame(at(6.5), keys), empty_frame()], tick, keys).out
    assert (len(out), out.barriers.time_ns.tolist(), out.barriers.forget.tolist()) == (0, [6 * SECOND_NS], [True])
    assert [keys.groups[each].id for each in out.barriers.group] == ["nil"]
