"""Job requests and what is answered to them, over the broker in memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from pipeline_processing.batch_runs import BatchRuns
from pipeline_processing.figures import Batch
from pipeline_processing.jobs import JOBS, BatchJob, Computed
from pipeline_processing.plan import planned
from pipeline_processing.queries import Queries
from pipeline_processing.requests import GROUP, PATIENCE_S, Requests
from pipeline_processing.settings import ProcessingSettings
from pipeline_queue.brokers import Message, open_broker
from pipeline_queue.brokers.memory import MemoryBroker
from pipeline_queue.clock import ManualClock
from pipeline_queue.codec import decode_all
from pipeline_queue.dead_letters import letters
from pipeline_queue.jobs import request
from pipeline_queue.topics import CENSUS_INCOME, CENSUS_POPULATION, DEAD_LETTERS, JOB_REQUESTS, JOB_RESULTS

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
    """Two of each job: the second store came later."""
    for stores in ("disk:///d", "disk:///d,sqlite:///s.db"):
        settings = ProcessingSettings(stores=stores, checkpoint_dir=tmp_path)
        kept = list(planned(JOBS.values(), settings, now_ns=NOW_NS))
    return Queries(None, kept, lambda context, _topic: context)


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


@dataclass
class Away:
    """A forwarder whose store is away, or not."""

    said: list[str]

    def troubles(self, job: str) -> list[str]:
        return self.said if job == "random-numbers" else []


def test_a_request_waits_for_a_store_that_is_away_and_fails_with_its_reason(
    broker: MemoryBroker, clock: ManualClock, queries: Queries
) -> None:
    requests = Requests(broker, clock, handing_on=[Away(["random-numbers into sqlite waits: no disk"])])
    request(broker, "random-numbers", clock)
    requests.answer(queries, wait_s=0)
    requests.note([wrote(queries, 0), wrote(queries, 1)], queries)
    between = [state for state, _ in states(broker)]
    clock.sleep(PATIENCE_S + 1)
    requests.note([], queries)
    said = "4 rows written since you asked, but random-numbers into sqlite waits: no disk"
    assert (between, states(broker)[-1]) == (["running"], ("failed", said))


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


def test_a_batch_job_is_asked_to_run_and_its_answer_is_passed_on(
    broker: MemoryBroker, clock: ManualClock, queries: Queries, tmp_path: Path
) -> None:
    broker_url = "memory://test_requests"
    open_broker(broker_url).create([CENSUS_POPULATION, CENSUS_INCOME])
    settings = ProcessingSettings(queue_url=broker_url, stores=f"disk://{tmp_path}/disk", checkpoint_dir=tmp_path)
    found = BatchJob(
        name="census",
        title="The census",
        topics=(CENSUS_POPULATION.name, CENSUS_INCOME.name),
        tables=(),
        compute=lambda spark, snapshot: Computed(events=(3, 2), dead=0, rows={}),
    )
    runs = BatchRuns(None, found, settings, clock)
    requests = Requests(broker, clock, [runs])
    request(broker, "census", clock)
    requests.answer(queries, wait_s=0)
    between = ([state for state, _ in states(broker)], broker.committed(GROUP, JOB_REQUESTS.name))
    runs.look(now=0)
    requests.note([], queries)
    requests.answer(queries, wait_s=0)
    assert between == (["running"], {})
    assert states(broker)[-1] == ("finished", "3 + 2 events, 0 rows into disk in 0.0 s")
    assert broker.committed(GROUP, JOB_REQUESTS.name) == {0: 1}
