"""Samples of what jobs hold, over the broker in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from pipeline_processing.figures import Batch
from pipeline_processing.jobs import JOBS
from pipeline_processing.plan import planned
from pipeline_processing.queries import Queries
from pipeline_processing.samples import Samples
from pipeline_processing.settings import ProcessingSettings
from pipeline_queue.brokers.memory import MemoryBroker
from pipeline_queue.clock import ManualClock
from pipeline_queue.codec import decode_all
from pipeline_queue.topics import SAMPLES

NOW_NS = 1_790_000_000_000_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_NS)


@pytest.fixture
def broker(clock: ManualClock) -> MemoryBroker:
    broker = MemoryBroker(clock=clock)
    broker.create([SAMPLES])
    return broker


@pytest.fixture
def queries(tmp_path: Path) -> Queries:
    """Two of each job: the second store came later."""
    jobs = [JOBS["random-numbers"], JOBS["monitoring"]]
    for stores in ("disk:///d", "disk:///d,sqlite:///s.db"):
        settings = ProcessingSettings(stores=stores, checkpoint_dir=tmp_path)
        kept = list(planned(jobs, settings, now_ns=NOW_NS))
    return Queries(None, kept, lambda context, _topic: context)


def batch(queries: Queries, place: int, sample: str | None) -> Batch:
    return Batch(query=queries.kept[place].context.query_name, number=1, sample=sample)


def published(broker: MemoryBroker) -> list[tuple[str, str]]:
    return [(event.job, event.sample) for event in decode_all(SAMPLES, broker.read(SAMPLES.name, {0: 0})).events]


def test_of_a_jobs_two_queries_one_sample_is_published(
    broker: MemoryBroker, clock: ManualClock, queries: Queries
) -> None:
    Samples(broker, clock).note([batch(queries, 0, "a"), batch(queries, 1, "b"), batch(queries, 2, "c")], queries)
    assert published(broker) == [("random-numbers", "b"), ("monitoring", "c")]


def test_a_job_publishes_its_newest_sample_once_a_second(
    broker: MemoryBroker, clock: ManualClock, queries: Queries
) -> None:
    samples = Samples(broker, clock)
    for number in range(10):
        samples.note([batch(queries, 0, str(number))], queries)
        clock.sleep(0.3)
    assert published(broker) == [("random-numbers", sample) for sample in ("0", "4", "8")]


def test_a_sample_that_waited_is_published_when_it_is_due_though_nothing_new_came(
    broker: MemoryBroker, clock: ManualClock, queries: Queries
) -> None:
    samples = Samples(broker, clock)
    for sample in ("first", "second"):
        samples.note([batch(queries, 0, sample)], queries)
    clock.sleep(1)
    samples.note([], queries)
    samples.note([], queries)
    assert [sample for _, sample in published(broker)] == ["first", "second"]


def test_a_batch_without_a_sample_publishes_nothing(broker: MemoryBroker, clock: ManualClock, queries: Queries) -> None:
    Samples(broker, clock).note([batch(queries, 0, None)], queries)
    assert published(broker) == []
