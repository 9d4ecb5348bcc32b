"""What an alert passes on, whom it holds back, and what groups share."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from alert_cases import SECOND_NS, START_S, Input, expression, run
from frames import frame
from lambdas import above
from pipeline_processing.alerts.event import Inhibition, Place
from pipeline_processing.alerts.templates import TemplateFailed
from pipeline_processing.operators.alert import Alert
from pipeline_processing.operators.operator import Tick
from pipeline_processing.points.barriers import Barriers
from pipeline_processing.points.frame import Frame, value_at
from pipeline_processing.points.keys import Keys
from pipeline_processing.results import series_of

HIGH = expression('"v" > 5.0')
FOREVER_NS = np.iinfo(np.int64).max


def test_points_with_an_event_pass_with_level_id_message_and_duration() -> None:
    alert = Alert(
        crit=HIGH,
        level_tag="lt",
        id_tag="it",
        level_field="level",
        id_field="id",
        message_field="msg",
        duration_field="dur",
    )
    points = Input(by=["host"])
    out = run(alert, points.keys, points.frame("load,host=a v=1 0", "load,host=a v=6 1", "load,host=a v=2 3")).out[0]
    assert isinstance(out, Frame)
    assert [value_at(out, row) for row in range(len(out))] == [
        {"dur": 0, "id": "load:host=a", "level": "CRITICAL", "msg": "load:host=a is CRITICAL", "v": 6.0},
        {"dur": 2 * SECOND_NS, "id": "load:host=a", "level": "OK", "msg": "load:host=a is OK", "v": 2.0},
    ]
    tags = [points.keys.series[each].tags for each in out.series.tolist()]
    assert tags[1] == (("host", "a"), ("it", "load:host=a"), ("lt", "OK"))
    assert [points.keys.groups[each].id for each in out.group.tolist()] == ["host=a", "host=a"]


def test_a_barrier_that_deletes_groups_takes_no_recovery_from_one() -> None:
    points, alert = Input(by=["host"]), Alert(crit=HIGH)
    first = points.frame("load,host=a v=6 0", "load,host=b v=1 0")
    told = Barriers(group=first.group, time_ns=first.time_ns, cause=first.cause, forget=np.array([True, True]))
    state = alert.initial()
    alert.step(state, [replace(first, barriers=told)], Tick(now_ns=0), points.keys)
    assert (state.groups.met[first.group].tolist(), alert.keeps(state).tolist()) == ([True, False], [first.group[0]])
    second = points.frame("load,host=a v=1 3", "load,host=b v=1 3")
    (event,) = alert.step(state, [second], Tick(now_ns=0), points.keys).emitted
    assert (event.id, event.level, event.duration_ns) == ("load:host=a", 0, 3 * SECOND_NS)


def test_ids_are_forgotten_once_their_alerts_are_ok() -> None:
    points, alert = Input(by=["host"]), Alert(crit=HIGH)
    state = alert.initial()
    taken = points.frame("load,host=a v=6 0", "load,host=b v=6 0", "load,host=a v=1 3")
    alert.step(state, [taken], Tick(now_ns=0), points.keys)
    alert.forget(state, taken.group[:1])
    assert state.identities.texts == ["load:host=b"]
    (event,) = alert.step(state, [points.frame("load,host=b v=1 4")], Tick(now_ns=0), points.keys).emitted
    assert (event.id, event.previous_level) == ("load:host=b", 3)


def test_batches_with_an_event_pass_whole_and_marked() -> None:
    points = Input(by=["host"])
    frame = points.frame("load,host=a,dc=x v=6 0", "load,host=a,dc=x v=1 1", "load,host=a,dc=x v=1 10")
    out = run(Alert(crit=HIGH, level_tag="lt", level_field="lf"), points.keys, points.windows(frame, 10)).out[0]
    assert series_of(out, points.keys) == [
        {
            "name": "load",
            "tags": {"host": "a", "lt": "CRITICAL"},
            "columns": ["time", "dc", "lf", "v"],
            "values": [["1971-01-01T00:00:00Z", "x", "CRITICAL", 6.0], ["1971-01-01T00:00:01Z", "x", "CRITICAL", 1.0]],
        }
    ]


def test_groups_of_one_id_share_the_previous_level_and_a_new_one_begins_with_it() -> None:
    points = Input(by=["host"])
    alert = Alert(id="one", warn=HIGH, crit=expression('"v" > 8.0'), topic="t")
    frame = points.frame("load,host=a v=9 0", "load,host=b v=1 2", "load,host=c v=1 3", "load,host=a v=6 4")
    events = run(alert, points.keys, frame).events
    assert [(each.group, each.level, each.previous_level, each.duration_ns // SECOND_NS) for each in events] == [
        ("host=a", 3, 0, 0),
        ("host=b", 0, 3, 2),
        ("host=a", 2, 0, 4),
    ]


def test_without_handlers_and_topic_a_new_group_begins_well() -> None:
    points = Input(by=["host"])
    frame = points.frame("load,host=a v=9 0", "load,host=b v=1 2")
    assert len(run(Alert(id="one", crit=HIGH), points.keys, frame).events) == 1


def test_a_series_in_two_groups_has_an_alert_in_each() -> None:
    by_host, by_rack = Input(by=["host"]), Input(by=["rack"])
    by_rack.keys = by_host.keys
    line = "load,host=a,rack=r v=6 0"
    events = run(Alert(crit=HIGH), by_host.keys, by_host.frame(line), by_rack.frame(line)).events
    assert [each.id for each in events] == ["load:host=a", "load:rack=r"]


def test_an_alert_that_begins_or_ends_tells_what_it_inhibits_before_its_event() -> None:
    points = Input(by=["host"])
    alert = Alert(crit=HIGH, inhibit=(("system", "host", "rack"),), no_recoveries=True)
    found = run(alert, points.keys, points.frame("up,host=a v=6 0", "up,host=a v=7 1", "up,host=a v=1 2"))
    kinds = [(type(each).__name__, each.cause, each.ordinal) for each in found.emitted]
    assert kinds == [("Inhibition", 0, 0), ("AlertEvent", 0, 1), ("AlertEvent", 1, 0), ("Inhibition", 2, 0)]
    first, last = found.emitted[0], found.emitted[-1]
    assert isinstance(first, Inhibition)
    assert (first.tags, first.active) == ((("host", "a"), ("rack", "")), True)
    assert not last.active


def test_an_alert_that_was_silent_while_flapping_has_lasted_for_ever() -> None:
    points = Input()
    alert = Alert(crit=HIGH, flapping=(0.5, 0.5), history=2)
    lines = ["load v=6 0", "load v=6 1"]
    assert [each.duration_ns for each in run(alert, points.keys, points.frame(*lines)).events] == [FOREVER_NS]


def test_a_body_has_the_keys_in_kapacitors_order_and_integral_floats_without_a_fraction() -> None:
    points = Input(by=["host"])
    place = Place(task="t", node="alert2", hostname="h")
    alert = Alert(crit=HIGH, details="{{ .TaskName }}@{{ .ServerInfo.Hostname }}", place=place)
    event = run(alert, points.keys, points.frame("load,host=a v=25,n=3i 7")).events[0]
    assert event.json() == (
        b'{"id":"load:host=a","message":"load:host=a is CRITICAL","details":"t@h","time":"1971-01-01T00:00:07Z",'
        b'"duration":0,"level":"CRITICAL","data":{"series":[{"name":"load","tags":{"host":"a"},'
        b'"columns":["time","n","v"],"values":[["1971-01-01T00:00:07Z",3,25]]}]},"previousLevel":"OK","recoverable":true}'
    )
    assert event.place.topic == "main:t:alert2"


def test_a_deadman_is_an_alert_with_templates_of_its_own() -> None:
    message = (
        '{{ .ID }} is {{ if eq .Level "OK" }}alive{{ else }}dead{{ end }}: '
        '{{ index .Fields "emitted" | printf "%0.3f" }} points/10s.'
    )
    alert = Alert(
        id="node 'window2' in task '{{ .TaskName }}'",
        message=message,
        crit=expression('"emitted" < 1.0'),
        place=Place(task="t"),
    )
    points = Input(by=["host"])
    events = run(alert, points.keys, points.frame("stats,host=a emitted=0.5 0", "stats,host=a emitted=2 10")).events
    assert [each.message for each in events] == [
        "node 'window2' in task 't' is dead: 0.500 points/10s.",
        "node 'window2' in task 't' is alive: 2.000 points/10s.",
    ]


def test_an_id_that_cannot_be_rendered_ends_the_task_at_its_first_point() -> None:
    points = Input()
    with pytest.raises(TemplateFailed):
        run(Alert(id="{{ .Level }}", crit=HIGH), points.keys, points.frame("load v=1 0"))


def test_times_are_those_of_the_points() -> None:
    points = Input()
    event = run(Alert(crit=HIGH), points.keys, points.frame("load v=6 5")).events[0]
    assert (event.time_ns, json.loads(event.json())["time"]) == ((START_S + 5) * SECOND_NS, "1971-01-01T00:00:05Z")


def test_each_reason_why_an_expression_has_no_value_is_counted_by_itself() -> None:
    """As often as it was asked: that of the current level twice, before its reset and after."""
    points = [{"v": "x"}, {}, {"v": 9.0}, {"v": "x", "w": "x"}]
    keys = Keys()
    given = frame(keys, [{"time": at, "fields": fields} for at, fields in enumerate(points)])
    alert = Alert(crit=above("v", 5.0), crit_reset=above("w", 0.0))
    step = alert.step(alert.initial(), [given], Tick(now_ns=0), keys)
    mismatch = "mismatched type to binary operator. got"
    assert [each.level for each in step.emitted] == [3, 0]
    assert step.errors == {
        f"crit: {mismatch} string > float": 3,
        f"crit: {mismatch} missing > float": 1,
        f"critReset: {mismatch} string > float": 1,
    }
