"""Alerts as a feed: which stands at which level since when, and what happened."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

import pytest
from pipeline_display.feeds import alerts
from pipeline_display.feeds.alerts import HISTORY_ROWS, AlertsReader, Standing
from pipeline_queue.brokers import Broker, Message, open_broker
from pipeline_queue.codec import blocks
from pipeline_queue.events import event_id, event_type
from pipeline_queue.topics import ALERTS, TOPICS

NS = 1_000_000_000


@pytest.fixture
def url() -> str:
    url = f"memory://{secrets.token_hex(4)}"
    open_broker(url).create(TOPICS.values())
    return url


def alert(seq: int, level: str, *, alert_id: str = "cpu:nil", at_s: int = 0, **given: Any) -> dict[str, Any]:
    return {
        **{"event_id": event_id("task-1", seq), "time_ns": time.time_ns(), "producer": "task-1", "seq": seq},
        **{"task": "cpu", "node": "alert3", "topic": "", "group_id": "nil", "alert_id": alert_id},
        **{"level": level, "previous_level": "OK", "message": f"{alert_id} is {level}", "details": "", "data": "{}"},
        **{"duration_ns": 0, "recoverable": True, "at_ns": at_s * NS, "handlers": "[]"},
        **given,
    }


def publish(broker: Broker, *rows: dict[str, Any]) -> None:
    made = event_type(ALERTS)
    broker.publish(ALERTS.name, blocks(ALERTS, [made(**row) for row in rows]))


def test_an_alert_stands_at_its_level_since_it_came_to_it(url: str) -> None:
    broker, reader = open_broker(url), AlertsReader(url)
    publish(
        broker,
        alert(0, "CRITICAL", at_s=10),
        alert(1, "CRITICAL", at_s=20),
        alert(2, "WARNING", alert_id="disk", at_s=30),
    )
    (frame,) = [json.loads(body) for body in reader.look().bodies]
    stand = {row["alert_id"]: (row["level"], row["since_ns"], row["at_ns"]) for row in frame["states"]}
    assert stand == {"cpu:nil": ("CRITICAL", 10 * NS, 20 * NS), "disk": ("WARNING", 30 * NS, 30 * NS)}
    assert [row["at_ns"] for row in frame["history"]] == [10 * NS, 20 * NS, 30 * NS]
    publish(broker, alert(3, "OK", at_s=40))
    (news,) = [json.loads(body) for body in reader.look().bodies]
    assert [(row["level"], row["since_ns"]) for row in news["states"]] == [("OK", 40 * NS)]


def test_equal_ids_of_other_tasks_or_nodes_are_other_alerts() -> None:
    told = Standing().take([alert(0, "OK"), alert(1, "OK", task="mem"), alert(2, "OK", node="alert9")])
    assert len(told.states) == 3


def test_an_event_that_is_repeated_after_a_crash_counts_once() -> None:
    standing = Standing()
    standing.take([alert(0, "CRITICAL", at_s=10), alert(1, "OK", at_s=20)])
    again = standing.take([alert(0, "CRITICAL", at_s=10), alert(1, "OK", at_s=20)])
    assert (again.rows, [row["level"] for row in standing.all().states], len(standing.all().history)) == (0, ["OK"], 2)


def test_the_history_keeps_the_newest_five_hundred() -> None:
    standing = Standing()
    standing.take([alert(seq, "OK", at_s=seq) for seq in range(HISTORY_ROWS + 7)])
    kept = [row["seq"] for row in standing.all().history]
    assert (len(kept), kept[0], kept[-1]) == (500, 7, 506)


def test_of_too_many_alerts_those_that_are_ok_are_forgotten_first_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "STATES_MAX", 2)
    standing = Standing()
    standing.take([alert(0, "CRITICAL", alert_id="a"), alert(1, "OK", alert_id="b"), alert(2, "OK", alert_id="c")])
    told = standing.take([alert(3, "WARNING", alert_id="d"), alert(4, "INFO", alert_id="e")])
    assert ([row["alert_id"] for row in standing.all().states], told.forgotten) == (["d", "e"], 3)


def test_when_as_much_was_told_again_as_there_is_all_is_told_so_that_the_past_can_be_forgotten(url: str) -> None:
    broker, reader = open_broker(url), AlertsReader(url)
    publish(broker, *(alert(seq, "OK", alert_id=f"a{seq}") for seq in range(3)))
    first = reader.look()
    publish(broker, *(alert(seq, "CRITICAL", alert_id="a0") for seq in range(3, 3 + HISTORY_ROWS)))
    batches = [reader.look()]
    publish(broker, *(alert(seq, "OK", alert_id="a1") for seq in range(1000, 1600)))
    batches.append(reader.look())
    whole = next(batch for batch in batches if batch.is_whole)
    rows = [row for body in whole.bodies for row in json.loads(body)["states"]]
    assert (first.is_whole, {row["alert_id"] for row in rows}) == (False, {"a0", "a1", "a2"})
    assert max(len(json.loads(body)["history"]) for body in whole.bodies) <= alerts.ROWS_PER_FRAME_MAX


def test_a_frame_has_no_data_and_what_is_no_alert_is_a_dead_letter(url: str) -> None:
    broker, reader = open_broker(url), AlertsReader(url)
    broker.publish(ALERTS.name, [Message(key=b"cpu", value=b"no alert\n")])
    publish(broker, alert(0, "INFO", data='{"series": []}', details="<b>long</b>"))
    batch = reader.look()
    (row,) = json.loads(batch.bodies[0])["history"]
    assert (batch.dead, "data" in row, "details" in row, row["message"]) == (1, False, False, "cpu:nil is INFO")
