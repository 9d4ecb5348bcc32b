"""Garbage on every topic: it ends in the dead letters with its reason, and no stage stops."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from pipeline_queue.brokers import Broker, Message, open_broker
from pipeline_queue.dead_letters import letters
from pipeline_queue.topics import TOPICS
from running_demo import Demo
from waiting import PATIENCE_S, until

NOW_NS = time.time_ns()
ENVELOPE = {"event_id": "bad-1", "producer": "bad", "seq": 0}
NUMBER = ENVELOPE | {"time_ns": NOW_NS, "value": 1.0}
BAD = {
    "truncated": (b'{"event_id": "bad-1", "time_n', "truncated"),
    "a wrong type": (json.dumps(NUMBER | {"seq": "one"}).encode(), "Expected `int`, got `str`"),
    "NaN": (json.dumps(NUMBER | {"value": float("nan")}).encode(), "malformed"),
    "a line of 1 MB": (json.dumps(NUMBER | {"event_id": "x" * 1_000_000}).encode(), "bytes, allowed are"),
    "a time in 1971": (json.dumps(NUMBER | {"time_ns": 31_536_000_000_000_000}).encode(), "before its append"),
    "a time in 2100": (json.dumps(NUMBER | {"time_ns": 4_102_444_800_000_000_000}).encode(), "after its append"),
    "binary": (bytes(range(11, 256)), "malformed"),
    "nothing": (b"", "empty"),
}


@pytest.fixture(scope="module")
def broker(demo: Demo) -> Broker:
    opened = open_broker(f"sqlite://{demo.folder}/queue")
    for topic in TOPICS:
        opened.publish(topic, [Message(key=b"bad", value=raw) for raw, _ in BAD.values()])
    return opened


@pytest.mark.parametrize("case", BAD)
def test_a_bad_number_is_a_dead_letter_with_its_bytes_and_reason(broker: Broker, case: str) -> None:
    raw, reason = BAD[case]

    def found() -> bool:
        return any(
            each.raw == raw and reason in each.reason for each in letters(broker) if each.topic == "random-numbers"
        )

    assert until(found, PATIENCE_S)


def test_every_topic_that_someone_reads_has_its_letters(broker: Broker) -> None:
    def topics() -> set[str]:
        return {letter.topic for letter in letters(broker)}

    assert until(lambda: topics() >= {"monitoring", "random-numbers", "heartbeats", "job-requests"}, PATIENCE_S), (
        topics()
    )


def test_no_stage_stops(demo: Demo, broker: Broker) -> None:
    published = broker.end_offsets("random-numbers")
    newest = max(row["window_start_ns"] for row in demo.windows("disk"))
    assert until(
        lambda: max(row["window_start_ns"] for row in demo.windows("disk")) > newest + 5_000_000_000, PATIENCE_S
    )
    assert broker.end_offsets("random-numbers") != published
    assert until(lambda: is_healthy(demo), PATIENCE_S)


def is_healthy(demo: Demo) -> bool:
    """A machine that stood still for ten seconds makes a service unwell for a moment."""
    with contextlib.suppress(OSError):
        return json.loads(demo.page("/healthz"))["healthy"]
    return False
