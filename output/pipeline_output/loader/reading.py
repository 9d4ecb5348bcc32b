"""What is new on a topic, as much as goes into one transaction.

In:   how far the topic is loaded.
Out:  records, at most what one read of the broker gives (10,000, some 16 MiB), and the offsets behind them.
The partition that waits longest comes first, so that a busy one does not keep the others out. Below what retention has left
the next one that is there is taken, and how many messages are gone is said; where the queue was made anew, and ends below
what was loaded of the old one, it is read from its begin: ids make events that are there already harmless.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline_queue.brokers import Broker, Record
from pipeline_queue.errors import OffsetGone
from pipeline_queue.topics import Topic

from pipeline_output.loader.database import Progress

WAIT_S = 1.0
"""For a Kafka that has records and does not hand them over at once."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`nexts` and `gone` are by partition; `left` counts the messages behind `nexts` when the topic was asked."""

    records: list[Record]
    nexts: dict[int, int]
    gone: dict[int, int]
    left: int

    @property
    def has_more(self) -> bool:
        """A broker that handed over nothing is asked again by the next load, not at once."""
        return bool(self.records) and self.left > 0


def read_on(broker: Broker, topic: Topic, progress: Mapping[int, Progress]) -> Reading:
    begins, ends = broker.begin_offsets(topic.name), broker.end_offsets(topic.name)
    oldest_first = sorted(
        begins, key=lambda partition: progress[partition].loaded_at_ns if partition in progress else 0
    )
    nexts = {
        partition: _next(progress.get(partition), begins[partition], ends[partition]) for partition in oldest_first
    }
    try:
        records = broker.read(topic.name, nexts, wait_s=WAIT_S) if _left(nexts, ends) else []
    except OffsetGone:  # since it was asked where the topic begins
        return read_on(broker, topic, progress)
    gone = {
        partition: nexts[partition] - known.next_offset
        for partition, known in progress.items()
        if known.next_offset < begins.get(partition, 0)
    }
    for partition, count in gone.items():
        log.error(
            "%d messages of `%s` partition %d are lost: retention took them before they were loaded",
            *(count, topic.name, partition),
        )
    nexts |= {record.partition: record.offset + 1 for record in records}
    return Reading(records=records, nexts=nexts, gone=gone, left=_left(nexts, ends))


def _next(known: Progress | None, begin: int, end: int) -> int:
    if known is None:
        return begin
    if known.next_offset > end:
        log.error(
            "`%s` partition %d ends at %d, and was loaded up to %d: it was made anew, and is read from its begin",
            *(known.topic, known.partition, end, known.next_offset),
        )
        return begin
    return max(begin, known.next_offset)


def _left(nexts: Mapping[int, int], ends: Mapping[int, int]) -> int:
    return sum(max(0, end - nexts[partition]) for partition, end in ends.items())
