"""Join: expected points by hand, after Kapacitor's rules, and from its recorded answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from join_frames import Plain, by_time, frame, numbered, plain, run
from pipeline_processing.operators.arrivals import CLOSING_CAUSE
from pipeline_processing.operators.join import Join, fill_value
from pipeline_processing.operators.operator import Tick
from pipeline_processing.operators.options import NodeName
from pipeline_processing.points.barriers import Barriers
from pipeline_processing.points.frame import Frame, empty_frame
from pipeline_processing.points.keys import Keys

SECOND_NS = 10**9
TWO = {"others": (NodeName("b"),), "as_": ("a", "b")}
THREE = {"others": (NodeName("b"), NodeName("c")), "as_": ("a", "b", "c")}


def at(*times: float, name: str = "m", **fields: Any) -> list[Plain]:
    return [{"time": time, "name": name, **(fields or {"v": time})} for time in times]


def joined(operator: Join, parents: Sequence[Sequence[Plain]], *, closing: bool = False) -> list[Any]:
    out, _ = run(operator, parents, closing=closing)
    return [(each["time"], each["fields"]) for each in out]


def test_points_of_one_time_become_one_with_the_fields_of_both() -> None:
    parents = by_time(at(1, 2, x=1), at(1, 3, y=2.5))
    assert joined(Join(**TWO), parents) == [(1, {"a.x": 1, "b.y": 2.5})]


def test_a_set_comes_with_the_point_that_completes_it_and_past_an_older_one_that_lacks_a_point() -> None:
    # b's first, of 2, is also past 1, which only a gave.
    out, _ = run(Join(**TWO), by_time(at(1, 2, 3), at(2, 3)))
    assert [(each["time"], each["cause"]) for each in out] == [(2, 2), (3, 4)]


def test_what_lacks_a_point_is_filled_once_all_parents_are_past_it() -> None:
    a, b = at(1, 2, 4, x=1), at(2, 3, 4, y="t", z=True)
    parents = by_time(a, b)
    assert joined(Join(**TWO, fill="null"), parents) == [
        (1, {"a.x": 1, "b.x": None}),
        (2, {"a.x": 1, "b.y": "t", "b.z": True}),
        (3, {"a.y": None, "a.z": None, "b.y": "t", "b.z": True}),
        (4, {"a.x": 1, "b.y": "t", "b.z": True}),
    ]


@pytest.mark.parametrize("fill", [0, 1.5])
def test_a_filled_number_has_the_type_that_it_is_written_with(fill: float) -> None:
    out = joined(Join(**TWO, fill=fill), by_time(at(1, 2, x="t"), at(2, x=1.0)), closing=True)
    assert [(time, fields["b.x"], type(fields["b.x"])) for time, fields in out] == [
        (1, fill, type(fill)),
        (2, 1.0, float),
    ]


def test_times_within_the_tolerance_are_one_and_the_rounded_time_comes_out() -> None:
    parents = by_time(at(0.4, 2.6, x=1), at(1.4, 4.5, y=2))
    assert joined(Join(**TWO, tolerance_ns=2 * SECOND_NS), parents, closing=True) == [(2, {"a.x": 1, "b.y": 2})]


def test_two_points_of_a_parent_within_the_tolerance_are_of_two_sets() -> None:
    parents = by_time(at(1.1, 2.6, x=1), at(1.4, 2.9, y=2))
    assert joined(Join(**TWO, tolerance_ns=2 * SECOND_NS), parents) == [(2, {"a.x": 1, "b.y": 2})] * 2


def test_several_points_of_one_time_meet_in_the_order_of_their_arrival() -> None:
    parents = numbered([*at(1, v=1), *at(1, v=2), *at(1, v=3)], [*at(1, v=10), *at(1, v=20)])
    assert joined(Join(**TWO), parents) == [(1, {"a.v": 1, "b.v": 10}), (1, {"a.v": 2, "b.v": 20})]


def test_a_silent_parent_holds_everything_until_the_task_closes() -> None:
    parents = numbered(at(1, x=1), at(1, y=2), [])
    assert joined(Join(**THREE, fill="null"), parents) == []
    out, _ = run(Join(**THREE, fill="null"), parents, closing=True)
    assert [(each["fields"], each["cause"]) for each in out] == [({"a.x": 1, "b.y": 2, "c.x": None}, CLOSING_CAUSE)]


def test_groups_are_joined_apart_and_keep_only_their_tags() -> None:
    def of(host: str, rack: str, **fields: Any) -> Plain:
        return {"time": 1, "name": "m", "tags": {"host": host, "rack": rack}, "by": ["host"], **fields}

    parents = by_time([of("x", "1", v=1), of("y", "2", v=2)], [of("y", "3", w=3), of("x", "4", w=4)])
    out, _ = run(Join(**TWO), parents)
    assert [(each["tags"], each["group"], each["fields"]) for each in out] == [
        ({"host": "y"}, "host=y", {"a.v": 2, "b.w": 3}),
        ({"host": "x"}, "host=x", {"a.v": 1, "b.w": 4}),
    ]


def test_the_measurement_is_that_of_the_first_parent_that_gave_a_point_or_the_streams_name() -> None:
    parents = by_time(at(1, name="one"), at(1, 2, name="two"))
    assert [each["name"] for each in run(Join(**TWO, fill="null"), parents, closing=True)[0]] == ["one", "two"]
    named = Join(**TWO, fill="null", stream_name="both")
    assert [each["name"] for each in run(named, parents, closing=True)[0]] == ["both", "both"]


def test_the_streams_name_is_that_of_groups_where_measurements_are_apart() -> None:
    points = [{"time": 1, "name": "m", "tags": {"host": "a"}, "by": ["host"], "apart": True, "v": 1}]
    out, _ = run(Join(**TWO, stream_name="n"), by_time(points, points))
    assert [each["group"] for each in out] == ["n\nhost=a"]


def test_fields_of_one_name_and_several_types_stay_apart() -> None:
    parents = numbered([*at(1, v=1), *at(2, v="t")], [*at(1, v=2.5), *at(2, v=True)])
    assert joined(Join(**TWO, delimiter="#"), parents) == [(1, {"a#v": 1, "b#v": 2.5}), (2, {"a#v": "t", "b#v": True})]


def test_a_point_out_of_order_is_the_oldest_and_lets_the_parents_time_go_back() -> None:
    # After a's 2, b's 4 is alone: a is not past 3 any more.
    parents = numbered(at(5, 2, x=1), at(2, 4, y=2))
    assert joined(Join(**TWO, fill=0), parents) == [(2, {"a.x": 1, "b.y": 2})]


def batch(tmax: float, *points: tuple[float, dict[str, Any]], name: str = "m", group: Any = None) -> Plain:
    tags = group or {}
    return {"tmax": tmax, "name": name, "group": tags, "points": [{"time": t, "tags": tags, **f} for t, f in points]}


def shown(operator: Join, parents: Sequence[Sequence[Plain]], *, closing: bool = False) -> list[Any]:
    out, _ = run(operator, parents, closing=closing)
    return [(b["tmax"], b["name"], b["group"], [(p["time"], p["fields"]) for p in b["points"]]) for b in out]


def test_batches_of_one_end_are_joined_by_the_times_of_their_points() -> None:
    a = batch(10, (1, {"x": 1}), (2, {"x": 2}), (2, {"x": 3}), (5, {"x": 4}), name="one")
    b = batch(10, (2, {"y": 0.5}), (3, {"y": 1.5}), (5, {"y": 2.5}), name="two")
    assert shown(Join(**TWO), by_time([a], [b])) == [
        (10, "one", "nil", [(2, {"a.x": 2, "b.y": 0.5}), (5, {"a.x": 4, "b.y": 2.5})])
    ]


def test_points_of_batches_that_lack_one_are_filled_under_the_names_of_the_first_point() -> None:
    # The names are those of the very first point of the first batch that has one, whatever later points have.
    a, b = batch(10, (2, {"x": 1})), batch(10, (1, {"y": 1.5}), (2, {"y": 2.5}), (3, {"z": 3.5}))
    assert shown(Join(**TWO, fill="null"), by_time([a], [b])) == [
        (
            10,
            "m",
            "nil",
            [(1, {"a.x": None, "b.y": 1.5}), (2, {"a.x": 1, "b.y": 2.5}), (3, {"a.x": None, "b.z": 3.5})],
        )
    ]


def test_a_batch_alone_comes_out_empty_or_filled() -> None:
    a = [batch(10, (1, {"x": 1})), batch(20, (11, {"x": 2})), batch(30)]
    b = [batch(20, (11, {"y": 3})), batch(30)]
    parents = by_time(a, b)
    assert shown(Join(**TWO), parents, closing=True) == [
        (10, "m", "nil", []),
        (20, "m", "nil", [(11, {"a.x": 2, "b.y": 3})]),
        (30, "m", "nil", []),
    ]
    assert shown(Join(**TWO, fill=7), parents)[0] == (10, "m", "nil", [(1, {"a.x": 1, "b.x": 7})])


def fine(host: str, path: str, time: float, value: float) -> Plain:
    return {"time": time, "name": "disk", "tags": {"host": host, "path": path}, "by": ["host", "path"], "used": value}


def lock(host: str, time: float, value: int) -> Plain:
    return {"time": time, "name": "lock", "tags": {"host": host}, "by": ["host"], "count": value}


ON_HOST = {**TWO, "on": ("host",)}


def test_on_tags_a_coarse_point_meets_each_finer_one_of_its_time() -> None:
    parents = by_time([fine("a", "/", 1, 1.0), fine("a", "/tmp", 1, 2.0), fine("b", "/", 1, 3.0)], [lock("a", 1, 9)])
    out, _ = run(Join(**ON_HOST), parents)
    assert [(each["group"], each["tags"], each["fields"]) for each in out] == [
        ("host=a,path=/", {"host": "a", "path": "/"}, {"a.used": 1.0, "b.count": 9}),
        ("host=a,path=/tmp", {"host": "a", "path": "/tmp"}, {"a.used": 2.0, "b.count": 9}),
    ]


def test_on_tags_the_coarse_point_may_come_first_and_serves_finer_ones_until_it_is_old() -> None:
    parents = numbered([lock("a", 1, 9), lock("a", 2, 8)], [fine("a", p, t, t) for t in (1.0, 2.0) for p in "xy"])
    out, _ = run(Join(**ON_HOST), parents)
    assert [(each["group"], each["fields"]) for each in out] == [
        (f"host=a,path={p}", {"a.count": n, "b.used": t}) for t, n in ((1.0, 9), (2.0, 8)) for p in "xy"
    ]


def test_on_tags_a_finer_point_without_a_coarse_one_is_filled_once_none_can_come() -> None:
    # The second of each path tells that no lock of 1 comes any more; a set then waits for both parents to be past it.
    parents = by_time([fine("a", "/", t, t) for t in (1.0, 2.0, 3.0)], [lock("a", t, 5) for t in (2, 3)])
    assert joined(Join(**ON_HOST, fill="null"), parents) == [
        (1, {"a.used": 1.0, "b.used": None}),
        (2, {"a.used": 2.0, "b.count": 5}),
        (3, {"a.used": 3.0, "b.count": 5}),
    ]


def test_on_tags_a_coarse_batch_meets_each_finer_batch() -> None:
    coarse = batch(10, (10, {"sum": 12.0}), group={"svc": "x"})
    finer = [batch(10, (10, {"sum": v}), group={"dc": dc, "svc": "x"}) for dc, v in (("e", 4.0), ("w", 8.0))]
    out = shown(Join(**TWO, on=("svc",)), by_time([coarse], finer))
    assert out == [
        (10, "m", "dc=e,svc=x", [(10, {"a.sum": 12.0, "b.sum": 4.0})]),
        (10, "m", "dc=w,svc=x", [(10, {"a.sum": 12.0, "b.sum": 8.0})]),
    ]


@pytest.mark.parametrize("as_", [(), ("a",), ("a", "b", "c"), ("a", "a"), ("a", ""), ("a", "b.c")])
def test_names_that_are_not_one_for_each_node_are_refused(as_: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"as\(\)"):
        Join(others=(NodeName("b"),), as_=as_)


@pytest.mark.parametrize("given", [("zero",), (), (1, 2), (True,)])
def test_a_fill_that_is_neither_none_nor_null_nor_a_number_is_refused(given: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="takes"):
        fill_value(given)


def barrier(data: Frame, time: float, group: int, *, forget: bool = False) -> Frame:
    found = Barriers(
        group=np.array([group], dtype=np.int32),
        time_ns=np.array([round(time * SECOND_NS)]),
        cause=np.array([9]),
        forget=np.array([forget]),
    )
    return replace(data, barriers=found)


def test_a_barrier_is_as_far_as_its_parent_has_come_and_goes_on() -> None:
    keys, join = Keys(), Join(others=(NodeName("b"),), as_=("a", "b"), fill=0)
    state, tick = join.initial(), Tick(now_ns=0)
    points = frame([{"time": 1.0, "v": 1.0}, {"time": 3.0, "v": 3.0}], keys)
    assert len(join.step(state, [points, empty_frame()], tick, keys).out) == 0
    out = join.step(state, [empty_frame(), barrier(empty_frame(), 2.0, int(points.group[0]))], tick, keys).out
    assert [(each["time"], each["fields"]) for each in plain(out, keys)] == [(1.0, {"a.v": 1.0, "b.v": 0})]
    assert (out.cause.tolist(), out.barriers.time_ns.tolist()) == ([9], [2 * SECOND_NS])


@pytest.mark.parametrize(("delete_all", "alone"), [(False, 1), (True, 0)])
def test_with_delete_all_other_groups_times_are_forgotten_too(delete_all: bool, alone: int) -> None:
    # A point of a finer group goes into a set without a match once both parents are past it.
    keys, join = Keys(), Join(others=(NodeName("b"),), as_=("a", "b"), on=("host",), delete_all=delete_all)
    state, tick = join.initial(), Tick(now_ns=0)
    fine = {"tags": {"host": "y", "cpu": "0"}, "by": ["cpu", "host"], "v": 1.0}
    coarse = frame([{"time": 5.0, "tags": {"host": "y"}, "by": ["host"], "v": 2.0}], keys)
    other = frame([{"time": 9.0, "tags": {"host": "x"}, "by": ["host"]}], keys)
    join.step(state, [frame([{"time": 1.0, **fine}], keys), coarse], tick, keys)
    join.step(state, [barrier(other, 9.0, int(other.group[0]), forget=True), empty_frame()], tick, keys)
    join.step(state, [frame([{"time": 4.0, **fine}], keys), empty_frame()], tick, keys)
    assert state.sets.count == alone


@pytest.mark.parametrize("on", [(), ("host",)])
def test_nothing_is_held_of_a_group_that_is_to_be_forgotten(on: tuple[str, ...]) -> None:
    keys, join = Keys(), Join(others=(NodeName("b"),), as_=("a", "b"), fill=0, on=on)
    state, tick = join.initial(), Tick(now_ns=0)
    given = [{"time": 1.0, "tags": {"host": host}, "by": ["host"], "v": 1.0} for host in "xy"]
    points = frame(given, keys)
    out = join.step(state, [barrier(points, 1.0, int(points.group[0]), forget=True), empty_frame()], tick, keys).out
    assert (len(out), out.barriers.forgotten().tolist(), len(state.held)) == (0, [points.group[0]], 1)
    closed = plain(join.step(state, [empty_frame(), empty_frame()], Tick(now_ns=0, closing=True), keys).out, keys)
    assert [each["tags"] for each in closed] == ([{"host": "y"}] if not on else [])
