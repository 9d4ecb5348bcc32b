"""The embedded log as a Spark source, read without Spark."""

from __future__ import annotations

import pytest
from pipeline_processing.spark.log_source import SPLIT_RECORDS, LogBatchReader, LogReader, within_limit
from pipeline_processing.spark.records import as_batch, as_records
from pipeline_queue.brokers import Message, open_broker
from pipeline_queue.brokers.memory import MemoryBroker
from pipeline_queue.codec import as_repeated
from pipeline_queue.topics import RANDOM_NUMBERS
from pyspark.sql.streaming.datasource import ReadAllAvailable, ReadMaxRows

TOPIC = RANDOM_NUMBERS.name


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    return f"memory://{request.node.name}"


@pytest.fixture
def broker(url: str) -> MemoryBroker:
    broker = open_broker(url)
    broker.create([RANDOM_NUMBERS])
    for number in range(100):
        broker.publish(TOPIC, [Message(key=b"%d" % (number % 7), value=b"%d" % number)])
    return broker


@pytest.fixture
def reader(url: str, broker: MemoryBroker) -> LogReader:
    return LogReader(url, TOPIC, records_max=30, tasks=2)


def values(reader: LogReader, start: dict, end: dict) -> list[int]:
    batches = [batch for span in reader.partitions(start, end) for batch in reader.read(span)]
    return sorted(int(record.value) for batch in batches for record in as_records(batch))


def test_triggers_of_limited_size_bring_every_record_once(reader: LogReader) -> None:
    start, found, sizes = reader.initialOffset(), [], []
    while (end := reader.latestOffset(start, reader.getDefaultReadLimit())) != start:
        brought = values(reader, start, end)
        found, start = [*found, *brought], end
        sizes.append(len(brought))
    assert sorted(found) == list(range(100))
    assert max(sizes) <= 30 + RANDOM_NUMBERS.partitions


def test_all_that_is_available_is_all(reader: LogReader) -> None:
    assert values(
        reader, reader.initialOffset(), reader.latestOffset(reader.initialOffset(), ReadAllAvailable())
    ) == list(range(100))


def test_partitions_advance_in_proportion_to_what_they_hold() -> None:
    assert within_limit({0: 0, 1: 0}, {0: 900, 1: 100}, records_max=100) == {0: 90, 1: 10}


def test_a_small_partition_beside_a_huge_one_still_advances() -> None:
    assert within_limit({0: 0, 1: 5}, {0: 1_000_000, 1: 6}, records_max=10) == {0: 9, 1: 6}


def test_what_retention_took_is_skipped(reader: LogReader, broker: MemoryBroker) -> None:
    end = reader.latestOffset({}, ReadAllAvailable())
    broker.trim(TOPIC, {0: 3, 1: 0, 2: 0, 3: 0})
    assert len(values(reader, {"0": 0, "1": 0, "2": 0, "3": 0}, end)) == 100 - min(3, end["0"])


def test_few_records_are_one_task_and_many_are_shared_among_tasks(reader: LogReader) -> None:
    start = {"0": 0, "1": 0, "2": 0}
    few, many = (dict.fromkeys(start, size // 3) for size in (SPLIT_RECORDS, 2 * SPLIT_RECORDS))
    spans = [reader.partitions(start, end) for end in (start, few, many)]
    assert [[[number for number, _, _ in span.ranges] for span in of_trigger] for of_trigger in spans] == [
        [],
        [[0, 1, 2]],
        [[0, 2], [1]],
    ]


def test_a_batch_brings_all_that_is_kept_and_each_record_once(url: str, broker: MemoryBroker) -> None:
    broker.trim(TOPIC, {0: 3, 1: 0, 2: 0, 3: 0})
    kept = {record.value for record in broker.read(TOPIC, broker.begin_offsets(TOPIC))}
    reader = LogBatchReader(url, TOPIC, tasks=2)
    batches = [batch for span in reader.partitions() for batch in reader.read(span)]
    found = [record.value for batch in batches for record in as_records(batch)]
    assert (len(found), set(found)) == (100 - min(3, broker.end_offsets(TOPIC)[0]), kept)


def test_a_batch_over_an_empty_topic_has_nothing_to_read(url: str) -> None:
    open_broker(url).create([RANDOM_NUMBERS])
    assert LogBatchReader(url, TOPIC, tasks=2).partitions() == []


def test_a_checkpoint_that_is_ahead_of_the_queue_is_an_error_not_silence(reader: LogReader) -> None:
    with pytest.raises(Exception, match="ahead of the queue"):
        reader.latestOffset({"0": 10_000}, ReadMaxRows(30))


def test_a_record_is_the_same_after_its_way_through_arrow(reader: LogReader, broker: MemoryBroker) -> None:
    broker.publish(TOPIC, [as_repeated(Message(key=b"0", value=b"again"))])
    records = broker.read(TOPIC, {0: 0, 1: 0, 2: 0, 3: 0})
    assert list(as_records(as_batch(records))) == records
