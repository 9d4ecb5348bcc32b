"""What a query has not read yet: for how long it has lain there, and how many events a record holds.

In:   the query's checkpoint as Spark writes it (`offsets/N` says how far batch N reads, `commits/N` that it is done), and the
      queue.
Out:  a Backlog, with which a query starts: its windows stay open at least as long as what it must read is old, however
      unevenly partitions are read; and its batches are bounded in events though sources count records.
A query that was away for long, or is new to a queue with a past, would otherwise lose windows: Spark takes its watermark
from the newest window of all partitions, and another partition may be hours behind.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline_queue.brokers import Broker, Record, open_broker

from pipeline_processing.jobs.job import Context

MARGIN_S = 600
"""More than an event may be late, and than partitions drift apart while a query starts."""
EVENTS_PER_BATCH_MAX = 1_000_000
"""One task sums up a million events in about a second."""
NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """The next record of each partition: the age of the oldest, the events of the fullest. 0 and 1 if none waits."""

    age_s: float = 0.0
    events_per_record: int = 1


def prepared(context: Context, topic: str) -> Context:
    """The context with which a query can start now; raises QueueError when the queue does not answer."""
    with closing(open_broker(context.queue_url)) as broker:
        found = backlog(broker, topic, read_up_to(context.checkpoint), time.time_ns())
    return replace(
        context,
        watermark_s=max(context.watermark_s, round(found.age_s) + MARGIN_S),
        records_max=max(1, min(context.records_max, EVENTS_PER_BATCH_MAX // found.events_per_record)),
    )


def read_up_to(checkpoint: Path) -> dict[int, int]:
    """The next offset by partition, as of the last batch that is done; empty before the first."""
    done = [int(path.name) for path in checkpoint.glob("commits/[0-9]*")]
    if not done:
        return {}
    said = json.loads((checkpoint / "offsets" / str(max(done))).read_text().splitlines()[-1])
    # Kafka's connector says {topic: {partition: offset}}, the embedded log {partition: offset}.
    by_partition = next((each for each in said.values() if isinstance(each, dict)), said)
    return {int(partition): offset for partition, offset in by_partition.items()}


def backlog(broker: Broker, topic: str, position: dict[int, int], now_ns: int) -> Backlog:
    """What waits from `position` on; partitions that it does not name are read from their begin."""
    waiting = list(_next_records(broker, topic, position))
    if not waiting:
        return Backlog()
    return Backlog(
        age_s=max(0.0, (now_ns - min(record.append_time_ns for record in waiting)) / NS_PER_S),
        events_per_record=max(max(1, record.value.count(b"\n")) for record in waiting),
    )


def _next_records(broker: Broker, topic: str, position: dict[int, int]) -> Iterator[Record]:
    for partition, begin in broker.begin_offsets(topic).items():
        yield from broker.read(topic, {partition: max(begin, position.get(partition, begin))}, limit=1)
