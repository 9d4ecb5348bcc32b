"""Job requests and what is answered to them, over the broker in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from pipeline_processing.figures import Batch
from pipeline_processing.jobs import JOBS
from pipeline_processing.queries import Queries, planned
from pipeline_processing.requests import PATIENCE_S, Requests
from pipeline_processing.settings import ProcessingSettings
from pipeline_queue.brokers import Message
from pipeline_queue.brokers.memory import MemoryBroker
from pipeline_queue.clock import ManualClock
from pipeline_queue.codec import decode_all
from pipeline_queue.dead_letters import letters
from pipeline_queue.jobs import request
from pipeline_queue.topics import DEAD_LETTERS, JOB_REQUESTS, JOB_RESULTS

NOW_NS = 1_790_000_000_000_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_NS)


@pytest.fixture
def broker(clock: ManualClock) -> MemoryBroker:
    broker = MemoryBroker(clock=clock)
    broker.create([JOB_REQUESTS, JOB_RESULTS, DEAD_LETTERS])
    return broker


@pytest.fixture
def queries(tmp_path: Path) -> Queries:
    settings = ProcessingSettings(stores="disk:///d,sqlite:///s.db", checkpoint_dir=tmp_path)
    return Queries(None, planned(JOBS.values(), settings, now_ns=NOW_NS))


def states(broker: MemoryBroker) -> list[tuple[str, str]]:
    records = broker.read(JOB_RESULTS.name, {0: 0})
    return [(event.state, event.message) for event in decode_all(JOB_RESULTS, records).events]


def wrote(queries: Queries, place: int) -> Batch:
    return Batch(query=queries.kept[place].context.query_name, number=1, rows=2)


def test_an_unknown_name_is_refused_with_the_nearest_one(
    broker: MemoryBroker, clock: ManualClock, queries: Queries
) -> None:
    request(broker, "random-number", clock)
    Requests(broker, clock).answer(queries, wait_s=0)
    assert states(broker) == [("refused", "no job is called `random-number`; did you mean `random-numbers`")]


def test_a_streaming_job_has_finished_when_each_of_its_queries_wrote(
    broker: MemoryBroker, clock: ManualClock, queries: Queries
) -> None:
    requests = Requests(broker, clock)
    request(broker, "random-numbers", clock)
    requests.answer(queries, wait_s=0)
    requests.note([wrote(queries, 0)], queries)
    between = [state for state, _ in states(broker)]
    requests.note([wrote(queries, 1)], queries)
    assert (between, states(broker)[-1]) == (
        ["running"],
        ("finished", "it streams on; 4 rows written since you asked"),
    )


def test_a_query_that_writes_nothing_in_time_fails_the_request_and_is_named(
    broker: MemoryBroker, clock: ManualClock, queries: Queries
) -> None:
    requests = Requests(broker, clock)
    request(broker, "random-numbers", clock)
    requests.answer(queries, wait_s=0)
    clock.sleep(PATIENCE_S + 1)
    requests.note([wrote(queries, 0)], queries)
    state, message = states(broker)[-1]
    assert (state, queries.kept[1].context.query_name in message) == ("failed", True)


def test_an_answered_request_is_not_answered_again_after_a_restart(
    broker: MemoryBroker, clock: ManualClock, queries: Queries
) -> None:
    request(broker, "nothing", clock)
    for _ in range(2):
        Requests(broker, clock).answer(queries, wait_s=0)
    assert len(states(broker)) == 1


def test_garbage_on_the_requests_goes_to_the_dead_letters_and_is_passed_over(
    broker: MemoryBroker, clock: ManualClock, queries: Queries
) -> None:
    broker.publish(JOB_REQUESTS.name, [Message(value=b"{not json")])
    request(broker, "nothing", clock)
    Requests(broker, clock).answer(queries, wait_s=0)
    assert ([state for state, _ in states(broker)], [each.raw for each in letters(broker)]) == (
        ["refused"],
        [b"{not json"],
    )
