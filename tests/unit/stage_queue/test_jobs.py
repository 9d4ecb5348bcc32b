"""Asking for a job and hearing what became of it."""

from __future__ import annotations

import pytest
from pipeline_queue.brokers.memory import MemoryBroker
from pipeline_queue.clock import ManualClock
from pipeline_queue.codec import blocks, decode_all
from pipeline_queue.events import event_id, event_type
from pipeline_queue.jobs import request, results
from pipeline_queue.topics import JOB_REQUESTS, JOB_RESULTS

NOON_NS = 1_795_348_800_000_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON_NS)


@pytest.fixture
def broker(clock: ManualClock) -> MemoryBroker:
    made = MemoryBroker(clock=clock)
    made.create([JOB_REQUESTS, JOB_RESULTS])
    return made


def answer(broker: MemoryBroker, request_id: str, state: str) -> None:
    event = event_type(JOB_RESULTS)(
        event_id=event_id("driver", 0),
        time_ns=NOON_NS,
        producer="driver",
        seq=0,
        request_id=request_id,
        job="census",
        state=state,
        message="",
    )
    broker.publish(JOB_RESULTS.name, blocks(JOB_RESULTS, [event]))


def test_a_request_is_on_its_topic(broker: MemoryBroker, clock: ManualClock) -> None:
    request_id = request(broker, "census", clock)
    (event,) = decode_all(JOB_REQUESTS, broker.read(JOB_REQUESTS.name, {0: 0})).events
    assert (event.request_id, event.job) == (request_id, "census")


def test_its_results_come_until_the_final_one_and_no_others(broker: MemoryBroker, clock: ManualClock) -> None:
    mine, other = request(broker, "census", clock), request(broker, "census", clock)
    for request_id, state in ((mine, "running"), (other, "failed"), (mine, "finished"), (mine, "running")):
        answer(broker, request_id, state)
    assert [event.state for event in results(broker, mine, wait_s=5, clock=clock)] == ["running", "finished"]
