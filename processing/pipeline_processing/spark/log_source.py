"""The embedded queue as a Spark source: one Python data source over the Broker protocol.

In:      options `url`, `topic`, `tasks` (that read what has much in it); of a stream `records_max` (per trigger).
Out:     rows of sources.RECORD in Arrow batches: of a stream at most `records_max` per trigger, shared among partitions
         as they lag; of a batch all that the queue holds when it is planned.
Refuses: a checkpoint that is ahead of the queue (CheckpointAhead).
Records that retention has taken are skipped: the gap shows as rows that a trigger announced and did not bring, which
the driver counts.
Spark calls `latestOffset` and `partitions` in one long-lived process per query, `read` in the workers.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import pyarrow as pa
from pipeline_queue.brokers import Broker, open_broker
from pipeline_queue.errors import OffsetGone
from pyspark.sql.datasource import DataSource, DataSourceReader, DataSourceStreamReader, InputPartition
from pyspark.sql.streaming.datasource import ReadAllAvailable, ReadLimit, ReadMaxRows
from pyspark.sql.types import StructType

from pipeline_processing.errors import CheckpointAhead
from pipeline_processing.spark.records import RECORD_SCHEMA, as_batch

FORMAT = "queue-log"
SPLIT_RECORDS = 5_000
"""Fewer records than this are read by one task: decoding one takes 5 µs, so they are done in 25 ms."""
READ_RECORDS = 1_000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Span(InputPartition):
    """Which offsets of which partitions one task reads: (partition, from, to) each, `to` exclusive."""

    ranges: tuple[tuple[int, int, int], ...]


class QueueLog(DataSource):
    """`spark.readStream.format("queue-log")` and `spark.read.format("queue-log")`."""

    @classmethod
    def name(cls) -> str:
        return FORMAT

    def schema(self) -> str:
        return RECORD_SCHEMA

    def reader(self, schema: StructType) -> LogBatchReader:
        return LogBatchReader(self.options["url"], self.options["topic"], tasks=int(self.options["tasks"]))

    def streamReader(self, schema: StructType) -> LogReader:  # noqa: N802 (the library's name)
        numbers = {name: int(self.options[name]) for name in ("records_max", "tasks")}
        return LogReader(self.options["url"], self.options["topic"], **numbers)


class LogReader(DataSourceStreamReader):
    """Offsets are JSON objects, partition number to next offset, as Spark keeps them in the checkpoint."""

    def __init__(self, url: str, topic: str, *, records_max: int, tasks: int) -> None:
        self._url, self._topic, self._records_max, self._tasks = url, topic, records_max, tasks

    def initialOffset(self) -> dict:  # noqa: N802 (the library's name)
        return _named(broker_of(self._url).begin_offsets(self._topic))

    def getDefaultReadLimit(self) -> ReadLimit:  # noqa: N802 (the library's name)
        return ReadMaxRows(self._records_max)

    def latestOffset(self, start: dict, limit: ReadLimit) -> dict:  # noqa: N802 (the library's name)
        ends, starts = broker_of(self._url).end_offsets(self._topic), _numbered(start)
        if any(offset > ends.get(partition, 0) for partition, offset in starts.items()):
            raise CheckpointAhead(self._topic, at=starts, ends=ends)
        if isinstance(limit, ReadAllAvailable):
            return _named(ends)
        return _named(within_limit(starts, ends, records_max=limit.max_rows))

    def reportLatestOffset(self) -> dict:  # noqa: N802 (the library's name)
        return _named(broker_of(self._url).end_offsets(self._topic))

    def partitions(self, start: dict, end: dict) -> list[InputPartition]:
        begins = broker_of(self._url).begin_offsets(self._topic)
        starts = {partition: max(begins.get(partition, 0), offset) for partition, offset in _numbered(start).items()}
        return _spans(starts, _numbered(end), self._tasks)

    def read(self, partition: Span) -> Iterator[pa.RecordBatch]:
        return _rows(self._url, self._topic, partition)


class LogBatchReader(DataSourceReader):
    """All of the topic, from the oldest kept record to what is the end when the batch is planned."""

    def __init__(self, url: str, topic: str, *, tasks: int) -> None:
        self._url, self._topic, self._tasks = url, topic, tasks

    def partitions(self) -> list[InputPartition]:
        broker = broker_of(self._url)
        return _spans(broker.begin_offsets(self._topic), broker.end_offsets(self._topic), self._tasks)

    def read(self, partition: Span) -> Iterator[pa.RecordBatch]:
        return _rows(self._url, self._topic, partition)


@cache
def broker_of(url: str) -> Broker:
    """One broker per process: Spark's Python workers are processes of one thread, and are used again."""
    return open_broker(url)


def within_limit(start: Mapping[int, int], end: Mapping[int, int], *, records_max: int) -> dict[int, int]:
    """Ends nearer than `end`, so that all partitions advance in proportion to what they hold; at least one record
    each."""
    behind = {partition: max(0, to - start.get(partition, 0)) for partition, to in end.items()}
    share = min(1.0, records_max / max(1, sum(behind.values())))
    return {
        partition: start.get(partition, 0) + min(lag, max(1, int(lag * share))) for partition, lag in behind.items()
    }


def _spans(start: Mapping[int, int], end: Mapping[int, int], tasks: int) -> list[InputPartition]:
    """What each task reads; few records are one task's."""
    ranges = [(partition, start.get(partition, 0), to) for partition, to in end.items()]
    ranges = [each for each in ranges if each[1] < each[2]]
    tasks = 1 if sum(to - since for _, since, to in ranges) <= SPLIT_RECORDS else tasks
    return [Span(ranges=tuple(ranges[first::tasks])) for first in range(min(tasks, len(ranges)))]


def _rows(url: str, topic: str, span: Span) -> Iterator[pa.RecordBatch]:
    broker = broker_of(url)
    for number, since, to in span.ranges:
        yield from _batches(broker, topic, number, since, to)


def _batches(broker: Broker, topic: str, partition: int, since: int, to: int) -> Iterator[pa.RecordBatch]:
    while since < to:
        try:
            records = broker.read(topic, {partition: since}, limit=min(READ_RECORDS, to - since))
        except OffsetGone as gone:
            log.warning("%s", gone)
            since = max(since + 1, broker.begin_offsets(topic)[partition])
            continue
        yield as_batch(records)
        since = records[-1].offset + 1


def _named(offsets: Mapping[int, int]) -> dict[str, int]:
    return {str(partition): offset for partition, offset in sorted(offsets.items())}


def _numbered(offsets: Mapping[str, int]) -> dict[int, int]:
    return {int(partition): offset for partition, offset in offsets.items()}
